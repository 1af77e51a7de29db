"""The command `commonsnode`, a thin client of the daemon."""
