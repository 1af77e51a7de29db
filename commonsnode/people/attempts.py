"""How often somebody may try a passphrase: a few times at once, then after a pause that doubles; per name, and overall.

Unknown names count like known ones, so a pause tells nobody who has an account. Names are counted by a short hash: however
many are tried, the memory is bounded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from commonsnode.errors import TooOften

FREE = 5  # tries under one name before the first pause
PAUSE_S_MAX = 900.0
FORGOTTEN_S = 3_600.0  # without a further try under this name
OVERALL_FREE = 50
OVERALL_PAUSE_S_MAX = 60.0  # longer would let one stranger keep everybody out
OVERALL_FORGOTTEN_S = 600.0
PLACES = 4_096


@dataclass(slots=True)
class _Tries:
    count: int = 0
    last: float = 0.0


class Attempts:
    """The tries that did not succeed. clock: seconds, never set back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of: dict[int, _Tries] = {}
        self._overall = _Tries()

    def begin(self, name: str) -> None:
        """Count a try, before it is known how it ends. Raises TooOften, and counts nothing then."""
        now = self._clock()
        own = self._of.setdefault(_place(name), _Tries())
        wait = max(
            _wait(own, now, FREE, PAUSE_S_MAX, FORGOTTEN_S),
            _wait(self._overall, now, OVERALL_FREE, OVERALL_PAUSE_S_MAX, OVERALL_FORGOTTEN_S),
        )
        if wait > 0:
            seconds = int(wait) + 1
            raise TooOften(f"too many wrong passphrases; try again in {seconds} s", seconds)
        for tries in (own, self._overall):
            tries.count, tries.last = tries.count + 1, now

    def succeeded(self, name: str) -> None:
        self.forget(name)
        self._overall.count = max(0, self._overall.count - 1)

    def forget(self, name: str) -> None:
        self._of.pop(_place(name), None)


def _place(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(errors="replace"), digest_size=2).digest()) % PLACES


def _wait(tries: _Tries, now: float, free: int, most: float, forgotten: float) -> float:
    if now - tries.last > forgotten:
        tries.count = 0
    if tries.count < free:
        return 0.0
    return tries.last + min(2.0 ** min(tries.count - free, 16), most) - now
