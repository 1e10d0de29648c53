"""A thousand episodes beside a thread pool: the same as `maestro bench served_episodes`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "served_episodes", *sys.argv[1:]])
