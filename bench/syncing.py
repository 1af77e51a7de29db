"""Two real nodes: an import, a first sync to an empty node, a meeting with nothing new, and edits as they arrive."""

import random
import resource
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bench import limits
from bench.machine import flush_ms
from bench.nodes import Failed, Node, made
from bench.run import WAIT_S_MAX, Run, median, percentile, wait_until
from bench.tap import Tap
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Signed
from commonsnode_store.store import Store

EDIT_PAUSE_S = (0.005, 0.05)  # between two edits, by chance: so they meet all phases of what runs on timers
WATCH_S = 0.0002  # between two looks at B's file
QUIET_S = 0.3  # after both are in step: what they still say then belongs to it
FETCH_AT_ONCE = 64


@dataclass(slots=True)
class Pair:
    """A has the inventory; B followed it from A."""

    a: Node
    b: Node
    community: str


def measure_import(run: Run) -> tuple[Node, str]:
    """Figure `import_rows_per_s`: the wall time of the whole command, the median of several, each at a new node.

    Returns the last node, which runs, and its community.
    """
    results: list[tuple[float, float]] = []
    for number in range(run.effort.repeats):
        run.say(f"importing {run.records:,} rows, {number + 1} of {run.effort.repeats}")
        node = made(run.work / f"a{number}")
        node.start()
        try:
            community, took, used = _import_once(run, node)
        except BaseException:
            node.stop()
            raise
        results.append((took, used))
        if number < run.effort.repeats - 1:
            node.stop()
    run.figures["import_rows_per_s"] = round(run.records / median([took for took, _ in results]))
    run.figures["import_cpu_s"] = round(median([used for _, used in results]), 2)
    return node, community


def _import_once(run: Run, node: Node) -> tuple[str, float, float]:
    """Community, seconds, and seconds of processor of the command and the daemon."""
    community: str = node.command("community", "create", "bench")["id"]
    began, used = time.perf_counter(), node.cpu_s() + _children_cpu_s()
    said = node.command("import", str(run.csv), "--community", community)
    took = time.perf_counter() - began
    if said["added"] != run.records or said["rejected"]:
        raise Failed(f"the import added {said['added']}, rejected {len(said['rejected'])}")
    return community, took, node.cpu_s() + _children_cpu_s() - used


def measure_initial_sync(run: Run, a: Node, community: str) -> Pair:
    """Figure `initial_sync_100k`: the median run of several, each to a new, empty node. Returns the last pair."""
    results: list[dict[str, Any]] = []
    link = _link(a, community)
    for number in range(run.effort.repeats):
        run.say(f"first sync to an empty node, {number + 1} of {run.effort.repeats}")
        b = made(run.work / f"b{number}")
        b.start()
        try:
            results.append(_sync_once(run, a, b, community, link))
        except BaseException:
            b.stop()
            raise
        b.stop()
        results[-1]["disk_bytes_per_record"] = round(b.database_bytes() / run.records)
    results.sort(key=lambda result: result["seconds"])
    chosen = results[len(results) // 2]
    chosen["all_seconds"] = [result["seconds"] for result in results]
    chosen["peak_rss_mb"] = [max(result["peak_rss_mb"][i] for result in results) for i in (0, 1)]
    a.stop()
    zstd3 = limits.zstd3_bytes(_changesets(a, community))
    chosen["zstd3_bytes"] = zstd3
    chosen["wire_to_zstd3"] = round((chosen["bytes_sent"] + chosen["bytes_received"]) / zstd3, 3)
    run.figures["initial_sync_100k"] = chosen
    return Pair(a, b, community)


def _sync_once(run: Run, a: Node, b: Node, community: str, link: str) -> dict[str, Any]:
    a.forget_peak()
    target = _fingerprints(a, community)
    began, used = time.perf_counter(), (a.cpu_s(), b.cpu_s())
    b.ask("POST", "/communities/follow", {"link": link})
    wait_until(lambda: _fingerprints(b, community) == target, "the first sync", 0.1)
    wait_until(lambda: a.in_step(community) and b.in_step(community), "both in step", 0.005)
    took = time.perf_counter() - began
    peer = a.peer()
    return {
        "seconds": round(took, 3),
        "records_per_s": round(run.records / took),
        "bytes_sent": peer["bytes_sent"],
        "bytes_received": peer["bytes_received"],
        "cpu_s": [round(a.cpu_s() - used[0], 2), round(b.cpu_s() - used[1], 2)],
        "peak_rss_mb": [round(a.peak_rss_mb(), 1), round(b.peak_rss_mb(), 1)],
    }


def measure_nothing_new(run: Run, pair: Pair) -> None:
    """Figure `nothing_new`: two nodes in step meet again; read off the wire between them."""
    run.say(f"meeting with nothing new, {run.effort.meetings} times")
    meetings = []
    _forget_peers(pair.b)
    for _ in range(run.effort.meetings):
        with Tap(pair.a.address()) as tap:
            pair.b.ask("POST", "/peers", {"address": tap.address})
            wait_until(lambda: _both_in_step(pair), "both in step")
            time.sleep(QUIET_S)
            wire = tap.wires[0]
            took = wire.session[-1].at - wire.opened
            meetings.append((wire.session_bytes, wire.round_trips(), took * 1000))
            pair.b.ask("DELETE", f"/peers?address={tap.address}")
    run.figures["nothing_new"] = {
        "bytes": max(size for size, _, _ in meetings),
        "round_trips": max(trips for _, trips, _ in meetings),
        "ms": round(median([ms for _, _, ms in meetings]), 1),
    }


def measure_edits(run: Run, pair: Pair) -> None:
    """Figure `edit_to_visible_ms`: from the request to A until B's API has answered with the new value.

    B is asked when its database file says that something was committed, which costs B nothing: a client that asks without
    pause would itself be half of what B does.
    """
    run.say(f"{run.effort.edits} edits, one by one")
    _forget_peers(pair.b)
    pair.b.ask("POST", "/peers", {"address": pair.a.address()})
    wait_until(lambda: _both_in_step(pair), "both in step")
    chance = random.Random(run.records)
    ids = [
        record["id"] for record in pair.a.get(f"/communities/{pair.community}/records?limit=200")["records"]
    ]
    with closing(sqlite3.connect(f"{pair.b.home.database_path.as_uri()}?mode=ro", uri=True)) as watched:
        took = [
            _edit(pair, chance.choice(ids), f"edit {number}", watched, chance.uniform(*EDIT_PAUSE_S))
            for number in range(run.effort.edits)
        ]
    run.figures["edit_to_visible_ms"] = {
        "p50": round(percentile(took, 50), 2),
        "p99": round(percentile(took, 99), 2),
        "edits": run.effort.edits,
        "flush_ms": round(flush_ms(run.work), 3),
    }


def _edit(pair: Pair, record: str, said: str, watched: sqlite3.Connection, pause_s: float) -> float:
    """One edit after a pause; milliseconds until it is visible on B."""
    time.sleep(pause_s)
    version = _commits(watched)
    began = time.perf_counter()
    pair.a.ask("PATCH", f"/records/{record}", {"fields": {"description": said}})
    while True:
        while (now := _commits(watched)) == version:
            time.sleep(WATCH_S)
            if time.perf_counter() - began > WAIT_S_MAX:
                raise TimeoutError("an edit did not arrive")
        version = now
        if pair.b.get(f"/records/{record}")["fields"]["description"] == said:
            return (time.perf_counter() - began) * 1000


def _commits(watched: sqlite3.Connection) -> int:
    """A number that is another one after each commit to the file by somebody else."""
    version: int = watched.execute("pragma data_version").fetchone()[0]
    return version


def measure_start(run: Run, node: Node, community: str) -> None:
    """Figures `start_s` (median) and `idle_rss_mb`, of a node that holds all the records. It must not run."""
    run.say(f"starting {run.effort.starts} times, and resting {run.effort.idle_s:.0f} s")
    starts = []
    for number in range(run.effort.starts):
        starts.append(node.start())
        if number < run.effort.starts - 1:
            node.stop()
    for path in (
        f"/communities/{community}/records?limit=50",
        f"/communities/{community}/records?text=drill",
        f"/communities/{community}",
        "/records?text=steel%20saw",
        "/status",
    ):
        node.get(path)
    time.sleep(run.effort.idle_s)
    run.figures["start_s"] = round(median(starts), 3)
    run.figures["idle_rss_mb"] = round(node.rss_mb(), 1)


def _children_cpu_s() -> float:
    """Seconds of processor of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _link(node: Node, community: str) -> str:
    entry = node.community(community)
    assert entry is not None
    link: str = entry["link"]
    return link


def _fingerprints(node: Node, community: str) -> object:
    entry = node.community(community)
    return None if entry is None else entry["fingerprint"]


def _both_in_step(pair: Pair) -> bool:
    return pair.a.in_step(pair.community) and pair.b.in_step(pair.community)


def _forget_peers(node: Node) -> None:
    for peer in node.get("/status")["peers"]:
        if peer["address"]:
            node.ask("DELETE", f"/peers?address={peer['address']}")


def _changesets(node: Node, community: str) -> list[Signed]:
    """All that the node holds of a community, in order of time."""
    of = bytes.fromhex(community)
    found: list[Signed] = []
    store = Store.open(node.home.database_path)
    try:
        for lane in (AUTHORITY, PUBLIC):
            with store.reconciliation(of, lane) as storage:
                ids = [item[1] for item in storage.items(0, storage.size())]
            for at in range(0, len(ids), FETCH_AT_ONCE):
                found += store.fetch(of, lane, ids[at : at + FETCH_AT_ONCE])
    finally:
        store.close()
    return found
