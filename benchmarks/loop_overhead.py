"""What the loop costs a turn: the same as `maestro bench loop_overhead`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "loop_overhead", *sys.argv[1:]])
