"""Measure what the daemon, the store and the protocol do, with the limits of the machine beside it: `make bench`."""
