"""The memory of a GRPO step against its plan: the same as `maestro bench memory_plan`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "memory_plan", *sys.argv[1:]])
