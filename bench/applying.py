"""`Store.apply` alone: changesets from bytes to a durable, indexed, searchable record, in one process and one thread."""

import time
from collections.abc import Iterable
from pathlib import Path

from bench import limits
from bench.changesets import Founded, own
from bench.nodes import checkpoint
from bench.run import Run, frames_of
from commonsnode_protocol import batch as batches
from commonsnode_protocol import intake
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Signed
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.limits import BATCH_BYTES_MAX
from commonsnode_store.store import Store

SEEN_MS = 1_790_000_000_000  # later than all of them were written


def measure(run: Run) -> None:
    """Figure `apply_records_per_s`; with it the limit `sqlite_rows_per_s`, of the rows that came out."""
    run.say(f"applying {run.records:,} records in {len(run.packed)} changesets, {run.effort.repeats} times")
    frames = frames_of(run.packed)
    rates = []
    for number in range(run.effort.repeats):
        path = run.work / f"applied-{number}.sqlite3"
        rates.append(run.records / apply_frames(path, run.community, frames))
        if number:
            path.unlink()
    run.figures["apply_records_per_s"] = round(max(rates))
    run.say("the same rows into bare SQLite")
    source = run.work / "applied-0.sqlite3"
    run.limits["sqlite_rows_per_s"] = round(_bare(run, source, len(frames)))
    source.unlink()


def measure_singles(run: Run) -> None:
    """Figures `apply_single_records_per_s` and `disk_bytes_per_record_single`."""
    run.say(f"applying {run.records:,} single-record changesets")
    path = run.work / "singles.sqlite3"
    frames = frames_of(run.singles)
    took = apply_frames(path, run.community, frames)
    run.figures["apply_single_records_per_s"] = round(run.records / took)
    run.figures["disk_bytes_per_record_single"] = round(path.stat().st_size / run.records)
    run.say("the same rows into bare SQLite")
    run.limits["sqlite_single_rows_per_s"] = round(_bare(run, path, len(frames)))
    path.unlink()


def _bare(run: Run, source: Path, transactions: int) -> float:
    at_once = max(1, run.records // transactions)
    return limits.sqlite_rows_per_s(source, run.work, run.records, at_once, run.effort.repeats)


def apply_frames(path: Path, community: Founded, frames: Iterable[tuple[int, bytes]]) -> float:
    """Unpack, check and apply batches as they come over the wire, each in one transaction; seconds that took."""
    store = made(path, community)
    try:
        began = time.perf_counter()
        for size, packed in frames:
            checked = [
                intake.check(community.id, PUBLIC, signed)
                for signed in batches.unpack(size, packed, size_max=BATCH_BYTES_MAX)
            ]
            good = [each for each in checked if isinstance(each, Checked)]
            store.apply(community.id, PUBLIC, good, seen_ms=SEEN_MS)
        took = time.perf_counter() - began
    finally:
        store.close()
    checkpoint(path)
    return took


def made(path: Path, community: Founded) -> Store:
    """A new database that follows the community, and holds its lane `authority`."""
    store = Store.open(path, create=True)
    store.follow(community.id, (PUBLIC,))
    store.apply(community.id, AUTHORITY, [own(signed) for signed in community.authority], seen_ms=SEEN_MS)
    return store


def fill(store: Store, community: Founded, changesets: list[Signed], at_once: int = 2_000) -> None:
    """Bring changesets into a store, without measuring anything."""
    for at in range(0, len(changesets), at_once):
        store.apply(
            community.id, PUBLIC, [own(signed) for signed in changesets[at : at + at_once]], seen_ms=SEEN_MS
        )
