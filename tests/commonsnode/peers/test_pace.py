"""A large transfer is given to a link in parts, so that what is small and new never waits long behind it."""

import asyncio

import pytest

from commonsnode.peers import pace as paces
from commonsnode.peers.pace import LEAST_BYTES, MOST_BYTES, Pace
from virtual_time import run


class Line:
    """Carries so many bytes a second; what it was given stands in a queue."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._free_at = 0.0

    def give(self, count: int) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + count / self.rate

    def waiting(self) -> int:
        return round(max(0.0, self._free_at - asyncio.get_running_loop().time()) * self.rate)


async def transfer(line: Line, seconds: float) -> list[float]:
    """Bulk, all the time; returns how long a small change would have waited after each part."""
    loop = asyncio.get_running_loop()
    pace, began, waits = Pace(line.waiting), loop.time(), []
    while loop.time() - began < seconds:
        line.give(min(await pace.turn(), 1024 * 1024))
        waits.append(line.waiting() / line.rate)
        await asyncio.sleep(0)
        if line.rate > 10**9 and len(waits) > 100:
            break
    return waits


@pytest.mark.parametrize("bits", [2_000, 10_000, 100_000, 1_000_000, 10_000_000])
def test_a_small_change_never_waits_long_however_slow_the_line_is(bits: int) -> None:
    waits = run(transfer(Line(bits / 8), 3_600.0))
    settled = waits[len(waits) // 4 :]
    assert max(settled) <= 16.0


@pytest.mark.parametrize("bits", [2_000, 100_000, 10_000_000])
def test_the_line_is_not_left_idle(bits: int) -> None:
    line = Line(bits / 8)

    async def carried() -> float:
        begun = asyncio.get_running_loop().time()
        given = 0
        pace = Pace(line.waiting)
        while asyncio.get_running_loop().time() - begun < 1_200.0:
            part = min(await pace.turn(), 1024 * 1024)
            line.give(part)
            given += part
        return given / (line.rate * 1_200.0)

    assert run(carried()) > 0.95


def test_a_part_is_bounded_both_ways() -> None:
    async def parts(rate: float) -> int:
        line = Line(rate)
        pace = Pace(line.waiting)
        for _ in range(30):
            line.give(min(await pace.turn(), 1024 * 1024))
        return pace.part

    assert run(parts(10.0)) == LEAST_BYTES
    assert run(parts(1e12)) == MOST_BYTES
    assert paces.QUICK_S < paces.SLOW_S
