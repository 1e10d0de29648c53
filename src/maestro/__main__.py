"""`python -m maestro` is the command line."""

from maestro.cli.main import main

main()
