"""What all measurements of one run share: where they work, how much, and what they say meanwhile."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.changesets import Founded, found, packed, singles
from bench.things import things, write_csv
from commonsnode_protocol import batch as batches
from commonsnode_protocol.changeset import Signed
from commonsnode_protocol.limits import BATCH_BYTES_MAX, BATCH_COUNT_MAX

WAIT_S_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How often things are done. QUICK only shows that everything still runs."""

    repeats: int  # of what is noisy
    signatures: int  # to check, for the limits
    meetings: int  # with nothing new
    edits: int
    starts: int
    idle_s: float  # of rest before memory is looked at
    both_ways: bool  # also where each side lacks something


THOROUGH = Effort(repeats=3, signatures=20_000, meetings=7, edits=300, starts=5, idle_s=10.0, both_ways=True)
QUICK = Effort(repeats=1, signatures=500, meetings=2, edits=10, starts=1, idle_s=0.1, both_ways=False)


@dataclass
class Run:
    """One run of the bench. records: 100,000, unless a short run is asked for."""

    work: Path
    records: int
    effort: Effort
    limits: dict[str, float] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Tell a person what goes on."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def folder(self, name: str) -> Path:
        """A new, empty folder."""
        path = self.work / name
        path.mkdir()
        return path

    @cached_property
    def csv(self) -> Path:
        """The things as a file to import."""
        path = self.work / "things.csv"
        write_csv(path, self.records)
        return path

    @cached_property
    def community(self) -> Founded:
        return found("bench")

    @cached_property
    def packed(self) -> list[Signed]:
        """The things in changesets of up to 256, all signed."""
        return list(packed(self.community, things(self.records)))

    @cached_property
    def singles(self) -> list[Signed]:
        """The things in changesets of one each, in order of time, all signed."""
        self.say(f"signing {self.records:,} single-record changesets")
        return list(singles(self.community, list(things(self.records))))


def frames_of(changesets: list[Signed]) -> list[tuple[int, bytes]]:
    """The same as they come over the wire: packed batches with their sizes."""
    frames: list[tuple[int, bytes]] = []
    part: list[Signed] = []
    left = BATCH_BYTES_MAX - 8
    for signed in changesets:
        cost = batches.cost(signed)
        if part and (cost > left or len(part) == BATCH_COUNT_MAX):
            frames.append(batches.pack(part))
            part, left = [], BATCH_BYTES_MAX - 8
        part.append(signed)
        left -= cost
    if part:
        frames.append(batches.pack(part))
    return frames


def wait_until(holds: Callable[[], bool], what: str, pause_s: float = 0.002) -> float:
    """Ask until it holds; seconds that took. Raises TimeoutError."""
    began = time.perf_counter()
    while not holds():
        if time.perf_counter() - began > WAIT_S_MAX:
            raise TimeoutError(f"{what}: not within {WAIT_S_MAX:.0f} s")
        time.sleep(pause_s)
    return time.perf_counter() - began


def percentile(values: list[float], percent: int) -> float:
    """The value that `percent` of 100 are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def median(values: list[float]) -> float:
    return statistics.median(values)
