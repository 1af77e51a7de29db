"""One SQLite file: the changesets, and everything that is computed from them."""
