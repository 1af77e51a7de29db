"""The daemon of a Commons Node: peers, HTTP API and pages around one store."""

__version__ = "0.1.0"

RELEASED_MS = 1_795_478_400_000
"""2026-11-24, in milliseconds since 1970: a wall clock before this moment is known to be wrong (SPEC.md, rule 3)."""
