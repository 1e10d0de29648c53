"""Loading a Parquet file of tasks: the same as `maestro bench task_loading`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "task_loading", *sys.argv[1:]])
