"""The commands, a module for each family. Each has an `app`; catalogue.py says which command is where."""
