"""How often something may be done: a burst at once, and after that one in a while."""


class Bucket:
    """Full at first. `take` says whether it may be done now, and counts it."""

    __slots__ = ("_burst", "_every_ms", "_full_ms")

    def __init__(self, burst: int, every_ms: int) -> None:
        self._burst = burst
        self._every_ms = every_ms
        self._full_ms = 0  # when it will be full again, if nothing more is taken

    def ready_at(self) -> int:
        """From when on `take` succeeds."""
        return self._full_ms - (self._burst - 1) * self._every_ms

    def take(self, now_ms: int) -> bool:
        if now_ms < self.ready_at():
            return False
        self._full_ms = max(self._full_ms, now_ms) + self._every_ms
        return True
