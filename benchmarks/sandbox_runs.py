"""What a program costs in each engine beside a plain process: the same as `maestro bench sandbox_runs`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "sandbox_runs", *sys.argv[1:]])
