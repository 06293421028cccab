"""`python -m accessboard` is the `accessboard` command."""

from accessboard.cli import main

main()
