"""What stands of authors who were cut, in the data lanes: walks from the heads that their revocations name.  Rules 16 to 18, 25.

A walk goes over all that is held of one author in one lane: standing, void and waiting. It is kept from batch to batch, so
that a long chain of such an author is read once. All of it is a copy of what the tables have; after a transaction that
failed, it is forgotten.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from commonsnode_protocol.authority.cuts import Walk
from commonsnode_protocol.authority.view import Verdict
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Lane
from commonsnode_store.standing import read_excerpt

WALKED_MAX = 100_000  # changesets in all walks that are kept: some 50 MB; the longest-unused walks go first


class Held(NamedTuple):
    """A changeset of the table, without what it says."""

    no: int
    id: bytes
    time: int
    standing: int


@dataclass(slots=True)
class Walked:
    """All that is held of one author in one lane, and what of it stands in any of several ways."""

    verdict: Verdict
    ways: Sequence[Walk]
    refs: dict[bytes, Sequence[bytes]] = field(default_factory=dict)
    standing: set[bytes] = field(default_factory=set)

    def add(self, id_: bytes, refs: Sequence[bytes]) -> set[bytes]:
        """Take in a changeset; the ids of all that stands now and did not before."""
        self.refs[id_] = refs
        new = {found for way in self.ways for found in way.add(id_, refs)} - self.standing
        self.standing |= new
        return new

    def forget(self, ids: Iterable[bytes]) -> None:
        """Let go of what does not stand and is not kept."""
        for id_ in ids:
            self.refs.pop(id_, None)
            for way in self.ways:
                way.forget((id_,))


class Walks:
    """The walks that the one who writes keeps."""

    def __init__(self) -> None:
        self._walked: OrderedDict[tuple[int, int], Walked] = OrderedDict()

    def forget(self) -> None:
        self._walked.clear()

    def of(self, db: Connection, lane: Lane, author: int, key: bytes, verdict: Verdict) -> Walked:
        """The walk over all that is held of an author (its number and key) under this verdict. Raises Damaged."""
        found = self._walked.pop((lane.no, author), None)
        if found is None or found.verdict != verdict:
            found = walk(key, lane.name, verdict, refs_of(db, lane, author))
        self._walked[lane.no, author] = found
        held = sum(len(walked.refs) for walked in self._walked.values())
        while held > WALKED_MAX and len(self._walked) > 1:
            held -= len(self._walked.popitem(last=False)[1].refs)
        return found

    def drop(self, lane: Lane, author: int) -> None:
        """This author is not cut any more, or nothing of theirs stands."""
        self._walked.pop((lane.no, author), None)


def walk(
    key: bytes, lane: str, verdict: Verdict, changesets: Iterable[tuple[bytes, Sequence[bytes]]]
) -> Walked:
    """Walk over (id, refs) of changesets of one author and lane, in any order."""
    walked = Walked(verdict, [Walk(key, lane, conditions) for conditions in verdict])
    for id_, refs in changesets:
        walked.add(id_, refs)
    return walked


def refs_of(
    db: Connection, lane: Lane, author: int, condition: str = "true"
) -> Iterator[tuple[bytes, Sequence[bytes]]]:
    """(id, refs) of what is held of an author in a lane and meets an SQL condition. Raises Damaged."""
    for id_, codec, body in db.execute(
        f"select id, codec, body from changesets where author = ? and lane = ? and {condition} order by no",
        (author, lane.no),
    ):
        yield id_, read_excerpt(db, id_, codec, body, ()).refs


def held_of(db: Connection, lane: Lane, author: int, condition: str = "true") -> list[Held]:
    """What is held of an author in a lane and meets an SQL condition."""
    rows = db.execute(
        f"select no, id, time, standing from changesets where author = ? and lane = ? and {condition} order by no",
        (author, lane.no),
    )
    return [Held(*row) for row in rows]
