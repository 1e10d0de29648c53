"""A GRPO step with shared prompts against a plain one: the same as `maestro bench shared_prefix`, for a checkout.

With `--table`, ratios over prompt length x completion length x group size as lines of a Markdown table, once each.
"""

import sys

from maestro.cli.main import cli


def table() -> None:
    """Print as each cell is done: tokens of prompt and completion, members, speed-up of step, generation and update, share of memory."""
    from maestro.bench.shared_prefix import TABLE, measure

    for cell in TABLE:
        step, generation, update, memory = (one.ratio for one in measure((cell,), rounds=1))
        figures = f"{step:.1f} | {generation:.1f} | {update:.1f} | {memory:.2f}"
        sys.stdout.write(f"| {cell[0]} | {cell[1]} | {cell[2]} | {figures} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        table()
    else:
        cli.main(["bench", "shared_prefix", *sys.argv[1:]])
