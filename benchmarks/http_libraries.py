"""aiohttp beside httpx2 on calls that carry pictures: the same as `maestro bench http_libraries`, for a checkout."""

import sys

from maestro.cli.main import cli

if __name__ == "__main__":
    cli.main(["bench", "http_libraries", *sys.argv[1:]])
