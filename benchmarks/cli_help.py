"""How long the help takes beside an empty Python: the same as `maestro bench cli_help`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "cli_help", *sys.argv[1:]])
