"""Two nodes with 100,000 single-record changesets each, of which 100 differ: what finding and moving them costs."""

import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import linked
from bench.applying import fill, made
from bench.changesets import Founded
from bench.nodes import checkpoint
from bench.nodes import made as made_node
from bench.run import Run, median, wait_until
from bench.tap import Tap
from commonsnode_protocol.changeset import Signed
from commonsnode_store.store import Store

CHANGED = 100
RECONCILE, TRANSFER = ("Reconcile",), ("Want", "Changesets", "Credit")


@dataclass(frozen=True, slots=True)
class Difference:
    """What each side lacks of the whole set."""

    name: str
    dialling_lacks: tuple[int, ...]  # indexes in order of time
    dialled_lacks: tuple[int, ...] = ()


def measure(run: Run) -> None:
    """Figures `changed_100_of_100k_scattered` and `…_recent`, in each also with half of them lacking on each side."""
    count = min(CHANGED, run.records // 4)
    scattered = sorted(random.Random(run.records).sample(range(run.records - 2 * count), count))
    recent = list(range(run.records - count, run.records))
    base = run.work / "base.sqlite3"
    run.say(f"a database of {run.records:,} single-record changesets, but for those that will differ")
    left_out = {*scattered, *recent}
    store = made(base, run.community)
    try:
        fill(store, run.community, [s for i, s in enumerate(run.singles) if i not in left_out])
    finally:
        store.close()
    checkpoint(base)
    for name, indexes, others in (("scattered", scattered, recent), ("recent", recent, scattered)):
        figure = _measure(run, base, Difference(name, tuple(indexes)), others)
        if run.effort.both_ways:
            both = Difference(f"{name}-both", tuple(indexes[::2]), tuple(indexes[1::2]))
            figure["both_ways"] = _measure(run, base, both, others)
        run.figures[f"changed_100_of_100k_{name}"] = figure
    base.unlink()


def _measure(run: Run, base: Path, difference: Difference, others: Sequence[int]) -> dict[str, object]:
    """others: what `base` leaves out and both sides hold here."""
    run.say(f"{len(difference.dialling_lacks) + len(difference.dialled_lacks)} differ: {difference.name}")
    folder = run.folder(difference.name)
    all_differ = {*difference.dialling_lacks, *difference.dialled_lacks}
    paths = []
    for side, lacks in (("b", difference.dialling_lacks), ("a", difference.dialled_lacks)):
        path = folder / f"{side}.sqlite3"
        shutil.copy(base, path)
        _add(path, run.community, [run.singles[i] for i in sorted({*others, *all_differ} - set(lacks))])
        paths.append(path)
    took = [_meet(folder / f"real-{n}", paths, run.community) for n in range(run.effort.repeats)]
    traffic = _weigh(paths)
    shutil.rmtree(folder)
    reconcile = sum(traffic.bytes[kind] for kind in RECONCILE)
    transfer = sum(traffic.bytes[kind] for kind in TRANSFER)
    return {
        "reconcile_bytes": reconcile,
        "transfer_bytes": transfer,
        "other_bytes": traffic.total - reconcile - transfer,
        "round_trips": traffic.rounds("Reconcile"),
        "ms": round(median([ms for ms, _ in took]), 1),
        "wire_bytes": round(median([size for _, size in took])),
        "frames": dict(traffic.frames),
    }


def _add(path: Path, community: Founded, changesets: list[Signed]) -> None:
    store = Store.open(path)
    try:
        fill(store, community, changesets)
    finally:
        store.close()
    checkpoint(path)


def _weigh(paths: Sequence[Path]) -> linked.Traffic:
    stores = [Store.open(path) for path in paths]
    try:
        return linked.run(stores[0], stores[1])
    finally:
        for store in stores:
            store.close()


def _meet(folder: Path, paths: Sequence[Path], community: Founded) -> tuple[float, float]:
    """Let two real nodes with copies of these databases meet; ms from the connection until both are in step, and bytes."""
    folder.mkdir()
    nodes = []
    for path in paths:
        node = made_node(folder / path.stem)
        for old in (node.home.database_path, *node.home.path.glob("node.sqlite3-*")):
            old.unlink(missing_ok=True)
        shutil.copy(path, node.home.database_path)
        nodes.append(node)
    dialling, dialled = nodes
    with dialling, dialled:
        dialling.start()
        dialled.start()
        with Tap(dialled.address()) as tap:
            dialling.ask("POST", "/peers", {"address": tap.address})
            wait_until(lambda: all(node.in_step(community.id.hex()) for node in nodes), "both in step", 0.001)
            took = time.perf_counter() - tap.wires[0].opened
            size = tap.wires[0].session_bytes
    shutil.rmtree(folder)
    return took * 1000, size
