"""This machine slept, or has other addresses now: what was a link before may be none any more, though nothing says so."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonsnode.logs import Log

LOOK_S = 5.0
SLEPT_S_MIN = 15.0  # that went by unnoticed; less is a busy machine, or a clock that was put right


class Waking:
    """`look` now and then; it says why all links should be tried at once, or nothing."""

    def __init__(
        self,
        addresses: Callable[[], Iterable[str]],
        *,
        wall_s: Callable[[], float] = time.time,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """addresses: of this machine at present. wall_s goes on while the machine sleeps; steady_s may stand still."""
        self._addresses = addresses
        self._wall_s = wall_s
        self._steady_s = steady_s
        self._wall, self._steady = wall_s(), steady_s()
        self._known: frozenset[str] | None = None

    def look(self) -> str:
        """`slept`, `addresses`, or nothing."""
        wall, steady, known = self._wall_s(), self._steady_s(), frozenset(self._addresses())
        # Where the steady clock goes on in a sleep, it is this look that comes too late; where it does not, the other one jumps.
        slept = max(wall - self._wall, steady - self._steady) > LOOK_S + SLEPT_S_MIN
        changed = self._known is not None and known != self._known
        self._wall, self._steady, self._known = wall, steady, known
        return "slept" if slept else "addresses" if changed else ""

    async def run(self, woken: Callable[[], None], log: "Log") -> None:
        """Call `woken` whenever there is a reason, for ever."""
        while True:
            try:
                reason = await asyncio.to_thread(self.look)
            except OSError as error:
                reason = ""
                log.debug("addresses-not-read", problem=str(error))
            if reason:
                log.info("links-tried-again", reason=reason)
                woken()
            await asyncio.sleep(LOOK_S)
