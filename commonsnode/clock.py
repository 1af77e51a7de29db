"""The time of this node: the wall clock where it can be right, else the last plausible time that was saved (rule 3)."""

import time
from collections.abc import Callable

from commonsnode import RELEASED_MS
from commonsnode_protocol.clock import plausible_now

PLAUSIBLE_MS_MAX = RELEASED_MS + 20 * 365 * 86_400_000  # a clock beyond this is not worth remembering
SAVE_MS_MIN = (
    10 * 60_000
)  # between two saves: a machine without a clock then loses some minutes, and a card wears less


def wall_ms() -> int:
    """Milliseconds since 1970, by the clock of this machine."""
    return time.time_ns() // 1_000_000


class Clock:
    """What this node takes for now. saved_ms: the last plausible time saved, 0 for none."""

    def __init__(self, saved_ms: int, wall: Callable[[], int] = wall_ms) -> None:
        self._saved_ms = saved_ms
        self._wall = wall

    def now_ms(self) -> int:
        return plausible_now(self._wall(), RELEASED_MS, self._saved_ms)

    def due_ms(self) -> int | None:
        """A time to save now; None where the clock is not plausible, or was saved a short while ago."""
        now = self._wall()
        if not RELEASED_MS <= now <= PLAUSIBLE_MS_MAX or now < self._saved_ms + SAVE_MS_MIN:
            return None
        return now

    def saved(self, ms: int) -> None:
        """It was saved: `ms` is what the next start would find."""
        self._saved_ms = ms
