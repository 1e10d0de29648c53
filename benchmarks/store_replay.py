"""Recorded calls a second: the same as `maestro bench store_replay`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "store_replay", *sys.argv[1:]])
