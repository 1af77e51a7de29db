"""When to dial again: exponential back-off with full jitter, so that a village does not knock all at once after a power cut.

Source: Brooker 2015, "Exponential Backoff And Jitter".
"""

from collections.abc import Callable

FIRST_S = 1.0
MOST_S = 300.0


class Backoff:
    """Pauses between attempts, in seconds; `random` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def pause(self) -> float:
        """The next pause: between a half and the whole of a bound that doubles from 1 s to 5 minutes."""
        bound = min(FIRST_S * 2.0 ** min(self._failures, 20), MOST_S)
        self._failures += 1
        return bound * (0.5 + 0.5 * self._random())
