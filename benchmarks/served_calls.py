"""A served expert's calls beside a bare client: the same as `maestro bench served_calls`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "served_calls", *sys.argv[1:]])
