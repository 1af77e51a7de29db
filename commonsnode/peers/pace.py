"""How much of a large transfer may wait in front of a link: so little that a small change of this moment soon goes.

What was given to the system for sending cannot be overtaken any more. So bulk is given in parts that a link carries in a
few seconds: more where the last part went quickly, less where it did not.
"""

import asyncio
from collections.abc import Callable

FIRST_BYTES = 4 * 1024
LEAST_BYTES = 2 * 1024  # 8 s at 2 kbit/s
MOST_BYTES = 4 * 1024 * 1024
QUICK_S, SLOW_S = 1.0, 4.0  # for one part
LOOK_S_MIN, LOOK_S_MAX = 0.001, 0.1


class Pace:
    """`turn` before each part, one at a time."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        """waiting: bytes that were given away and have not got across."""
        self.part = FIRST_BYTES
        self._waiting = waiting
        self._given_at = 0.0

    async def turn(self) -> int:
        """Wait until the next part may go; returns how many bytes it should have."""
        loop = asyncio.get_running_loop()
        took, look_s = 0.0, LOOK_S_MIN
        while self._waiting() > self.part // 2:
            await asyncio.sleep(look_s)
            look_s = min(2 * look_s, LOOK_S_MAX)
            took = loop.time() - self._given_at
        if took < QUICK_S:
            self.part = min(2 * self.part, MOST_BYTES)
        elif took > SLOW_S:
            self.part = max(self.part // 2, LEAST_BYTES)
        self._given_at = loop.time()
        return self.part
