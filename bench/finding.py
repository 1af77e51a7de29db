"""Questions about what is near, from a large store: in a process of their own, whose memory is looked at, too."""

import json
import math
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from bench.applying import SEEN_MS
from bench.changesets import own, singles
from bench.run import Run, percentile
from bench.things import SEED, things
from bench.valleys import COMMUNITIES, DAY_MS, HOUR_MS, WEEK_BEGIN_MS, centres, community, near, valleys
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.kinds.categories import CATEGORIES, category_range
from commonsnode_store.asked import FindQuery, WantedSpan
from commonsnode_store.store import Store

SIZES = {"100k": 100_000, "1m": 1_000_000}
RADIUS_M = 20_000
WARM_UP = 30
REPEATS = 3
SATURDAY_MS = WEEK_BEGIN_MS + 5 * DAY_MS
MORNING = WantedSpan(SATURDAY_MS + 9 * HOUR_MS, SATURDAY_MS + 13 * HOUR_MS, WEEK_BEGIN_MS, UTC)
MAKES, NAMES = ("steel", "wooden", "small", "folding"), ("drill", "saw", "ladder", "tent", "stove", "winch")
WRITES_PER_S, WRITES_AT_ONCE, WRITES_PER_QUESTION = 1_000, 100, 50


def measure(run: Run) -> None:
    """Figures `find_full_ms`, `find_beginning_ms`, `find_nearest_ms`, `find_facets_ms`, each by size with p50 and p95;

    `find_written_ms`: the full question while 1,000 records a second are applied; `find_rss_mb`: of the process that asks.
    """
    for size, count in SIZES.items():
        count = count * run.records // 100_000
        run.say(f"asking for what is near, of {count:,} things in {COMMUNITIES:,} communities")
        path = valleys(count, None if count == SIZES[size] else run.work)
        done = subprocess.run(
            [sys.executable, "-m", "bench.finding", str(path), str(run.effort.edits)],
            check=True,
            stdout=subprocess.PIPE,
        )
        for figure, value in json.loads(done.stdout).items():
            run.figures.setdefault(figure, {})[size] = value


@dataclass(frozen=True, slots=True)
class Questions:
    """As many of each sort, from points that are where the things are."""

    points: list[tuple[int, int]]
    chance: random.Random

    def nearest(self, at: int) -> FindQuery:
        return FindQuery(near=self.points[at])

    def full(self, at: int) -> FindQuery:
        """Words of two things of a hundred, of one of ten, or both; a part of the category tree; a Saturday morning."""
        make, name = self.chance.choice(MAKES), self.chance.choice(NAMES)
        text = (name, make, f"{make} {name}")[at % 3]
        top = self.chance.choice([each for each in CATEGORIES.values() if "." not in each.id])
        return FindQuery(
            text=text,
            near=self.points[at],
            within_m=RADIUS_M,
            span=MORNING,
            categories=category_range(top.id),
            kinds=("resource",),
        )

    def around(self, at: int) -> FindQuery:
        """To be counted: all within 20 km, of every second one with a word."""
        return FindQuery(
            text=self.chance.choice(MAKES) if at % 2 else None, near=self.points[at], within_m=RADIUS_M
        )

    def beginning(self, at: int) -> FindQuery:
        return replace(self.full(at), text=self.chance.choice(NAMES)[:3])


def ask(path: Path, count: int) -> dict[str, Any]:
    """All figures of one store."""
    chance = random.Random(SEED)
    places = centres()
    questions = Questions([near(chance, chance.choice(places)) for _ in range(count + WARM_UP)], chance)
    with closing(Store.open(path)) as store:
        figures: dict[str, Any] = {
            "find_nearest_ms": _times(store.find_things, questions.nearest, count),
            "find_full_ms": _times(store.find_things, questions.full, count),
            "find_beginning_ms": _times(store.find_things, questions.beginning, count),
            "find_facets_ms": _times(store.count_things, questions.around, count),
        }
        figures["find_rss_mb"] = round(_rss_mb(), 1)
        figures["find_written_ms"] = _while_written(
            store, count, lambda: _times(store.find_things, questions.full, count)
        )
    return figures


def _times(
    answer: Callable[[FindQuery], object], question: Callable[[int], FindQuery], count: int
) -> dict[str, float]:
    """Each is asked REPEATS times, not at once, and the fastest counts: other work on the machine only ever adds."""
    asked = [question(at) for at in range(count + WARM_UP)]
    fastest = [math.inf] * len(asked)
    for _ in range(REPEATS):
        for at, query in enumerate(asked):
            began = time.perf_counter()
            answer(query)
            fastest[at] = min(fastest[at], (time.perf_counter() - began) * 1000)
    warm = fastest[WARM_UP:]
    return {"p50": round(percentile(warm, 50), 2), "p95": round(percentile(warm, 95), 2)}


def _while_written(store: Store, count: int, measured: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The same while things are written to one community, enough for `count` questions that take long."""
    changesets = _to_write(count * WRITES_PER_QUESTION)
    over = threading.Event()
    of = community(0).id

    def write() -> None:
        began = time.perf_counter()
        for n, at in enumerate(range(0, len(changesets), WRITES_AT_ONCE), start=1):
            store.apply(of, PUBLIC, changesets[at : at + WRITES_AT_ONCE], seen_ms=SEEN_MS)
            if over.wait(max(0.0, began + n * WRITES_AT_ONCE / WRITES_PER_S - time.perf_counter())):
                return

    writer = threading.Thread(target=write, name="writer")
    writer.start()
    try:
        return measured()
    finally:
        over.set()
        writer.join()


def _to_write(count: int) -> list[Checked]:
    """Others each time, since the store is kept."""
    seed = time.time_ns() % 2**32
    return [own(signed) for signed in singles(community(0), list(things(count, seed)))]


def _rss_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


if __name__ == "__main__":
    print(json.dumps(ask(Path(sys.argv[1]), int(sys.argv[2]))))
