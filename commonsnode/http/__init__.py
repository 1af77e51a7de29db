"""The HTTP API and the pages of a node, on a unix socket for its operator and on TCP for everyone."""
