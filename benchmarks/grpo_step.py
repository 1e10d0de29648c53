"""A GRPO step on our episodes against one on TRL's own generation: the same as `maestro bench grpo_step`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "grpo_step", *sys.argv[1:]])
