"""Scoring off the event loop beside scoring on it: the same as `maestro bench scoring_off_loop`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "scoring_off_loop", *sys.argv[1:]])
