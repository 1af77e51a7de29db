"""Random hostile communities for stores: what was written there, and how it comes to a store, in any order and in any batches."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import TypeAlias
from unittest.mock import patch

import authority_universe
import authority_world
from authority_universe import cut_universe, universe
from authority_world import Node, standing_of
from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, Changeset
from commonsnode_protocol.intake import Checked
from commonsnode_store.answers import Applied
from commonsnode_store.store import Store
from commonsnode_store.transaction import Transaction
from store_acts import NOW, SEEDS, signed

STEPS = 30
DATA_LANES = (PUBLIC, KNOWLEDGE)
Written: TypeAlias = Callable[..., Changeset]  # (community, author, lane, refs)


def community_of(seed: int, written: Written, steps: int = STEPS) -> list[Checked]:
    """All changesets that somebody in a universe wrote and somebody holds in the end, in the order in which they were written.

    written: what is written in the data lanes there.
    """
    order: dict[bytes, None] = {}
    write = Node.write

    def noted(node: Node, changeset: Changeset) -> Changeset:
        order[changeset.id] = None
        return write(node, changeset)

    with (
        patch.object(authority_world, "written", written),
        patch.object(authority_universe, "written", written),
        patch.object(Node, "write", noted),
    ):
        nodes = universe(seed, steps) if seed % 2 else cut_universe(seed)
    every: dict[bytes, Changeset] = {}
    for node in nodes:
        every |= {each.id: each for each in node.held()}
        for lane in node.lanes:
            every |= node.data[lane]
    return [signed(every[id_]) for id_ in order if id_ in every]


@contextmanager
def store_of(empty_file: Path, community: bytes) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(dir=empty_file.parent) as folder:
        path = Path(folder) / "node.sqlite3"
        shutil.copy(empty_file, path)
        with closing(Store.open(path)) as store:
            store.follow(community, DATA_LANES)
            yield store


class Told:
    """What a store said of what it took in: what stands, and what is void."""

    def __init__(self) -> None:
        self.standing: set[bytes] = set()
        self.void: set[bytes] = set()

    def add(self, lane: str, applied: Applied) -> None:
        rose = {id_ for ids in applied.risen.values() for id_ in ids}
        fell = {id_ for ids in applied.fallen.values() for id_ in ids}
        assert not self.standing & {*rose, *applied.new}, "what stood already is said to stand now"
        assert fell <= self.standing, "what did not stand is said to have fallen"
        assert not rose & fell
        self.standing = (self.standing | rose | {*applied.new}) - fell
        self.void = (self.void | fell) - rose


def by_lane(changesets: Iterable[Checked]) -> dict[str, list[Checked]]:
    lanes: dict[str, list[Checked]] = {lane: [] for lane in (AUTHORITY, *DATA_LANES)}
    for checked in changesets:
        lanes[checked.changeset.lane].append(checked)
    return lanes


def deliver(store: Store, everything: Sequence[Checked], random: Random) -> Told:
    """More or less in order, in random batches, some twice, some authors' as own; then all in one meeting (rule 25)."""
    community, told = everything[0].id, Told()
    own = {key for key in SEEDS if random.random() < 0.2}
    spread = random.choice((0, 5, 20, 1_000))  # how far from the order of writing
    places = [(at + random.uniform(0, spread), checked) for at, checked in enumerate(everything)]
    places += [(random.uniform(0, len(everything)), checked) for checked in everything[::3]]
    coming = [checked for _, checked in sorted(places, key=itemgetter(0))]
    while coming:
        size = random.choice((1, 1, 2, 5, 30))
        together, coming = coming[:size], coming[size:]
        for lane, batch in by_lane(together).items():
            for is_own in (True, False):
                part = [checked for checked in batch if (checked.changeset.author in own) == is_own]
                if random.random() < 0.1:
                    _fail(store, community, lane, part, is_own)
                seen_ms = NOW + random.randint(-5, 5)
                told.add(lane, store.apply(community, lane, part, seen_ms=seen_ms, own=is_own))
    for lane, batch in by_lane(everything).items():
        told.add(lane, store.apply(community, lane, batch, seen_ms=NOW))
    return told


def _fail(store: Store, community: bytes, lane: str, batch: Sequence[Checked], own: bool) -> None:
    """A transaction that breaks off at its end leaves nothing behind, neither in the file nor in memory."""
    with patch.object(Transaction, "finish", side_effect=RuntimeError("out of luck")), suppress(RuntimeError):
        store.apply(community, lane, batch, seen_ms=NOW, own=own)


def standing(everything: Sequence[Checked]) -> dict[str, set[bytes]]:
    """By lane, by the definition."""
    lanes = {lane: [c.changeset for c in part] for lane, part in by_lane(everything).items()}
    evaluator = Evaluator(everything[0].id)
    evaluator.add(lanes[AUTHORITY])
    found = {lane: standing_of(evaluator, lanes[lane], lane) for lane in DATA_LANES}
    return {AUTHORITY: set(evaluator.standing), **found}
