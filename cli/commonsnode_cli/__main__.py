"""`python -m commonsnode_cli`: the same as the command `commonsnode`."""

from commonsnode_cli.main import main

main()
