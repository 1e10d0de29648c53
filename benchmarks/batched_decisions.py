"""Decisions in a micro-batch against one by one: the same as `maestro bench batched_decisions`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "batched_decisions", *sys.argv[1:]])
