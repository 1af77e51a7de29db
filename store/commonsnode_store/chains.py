"""Chains of one author in one lane: the time that a changeset counts from, and what came before what.  SPEC.md, "Reservations".

The chain time of a changeset is its own time, but where its author wrote something later before it. Only such exceptions
have a row in `chain_times`, so an honest chain has none, and one whose clock was once ahead costs a look at what it refs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from commonsnode_protocol.commitments import chain_time
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.schema import STANDS
from commonsnode_store.standing import read_excerpt
from commonsnode_store.walks import held_of, refs_of


class Link(NamedTuple):
    """A changeset that is added, and its author's own in the same lane that it refs and that stand: their numbers."""

    no: int
    author: int
    time: int
    before: Sequence[int]


def add(db: Connection, links: Sequence[Link], times: Mapping[int, int]) -> dict[int, int]:
    """Keep the chain times of changesets that stand, each after those that it refs; of each of them, what it is.

    times: of what is ref'd and was held before.
    """
    at = dict(times)
    at.update(select_in(db, "select changeset, at_ms from chain_times where changeset in ({})", list(times)))
    for link in links:
        at[link.no] = chain_time(link.time, (at[no] for no in link.before))
    db.executemany(
        "insert into chain_times values (?, ?)",
        [(link.no, at[link.no]) for link in links if at[link.no] != link.time],
    )
    return at


def overtaken(db: Connection, followers: Sequence[tuple[int, int]]) -> set[int]:
    """The authors of whom something counts from no later than what it builds on, which came after it.

    followers: numbers of changesets that stand, and the chain time of what came and they build on.
    """
    authors: set[int] = set()
    least: dict[int, int] = {}
    for no, at in followers:
        least[no] = max(chain_time(0, [at]), least.get(no, 0))
    for no, author, at in select_in(
        db,
        "select changesets.no, author, coalesce(at_ms, time) from changesets"
        " left join chain_times on changeset = changesets.no where changesets.no in ({})",
        [*least],
    ):
        if at < least[no]:
            authors.add(author)
    return authors


def renew(
    db: Connection, lane: Lane, author: int, refs: Mapping[bytes, Sequence[bytes]] | None = None
) -> set[int]:
    """Compute all of an author's chain times in a lane anew; the numbers of those changesets that have another one now.

    refs: of what stands of this author, where they are known; of more, as it comes.
    """
    held = {each.id: each for each in held_of(db, lane, author, f"standing = {STANDS}")}
    if refs is None:
        refs = dict(refs_of(db, lane, author, f"standing = {STANDS}"))
    at = in_chains({id_: each.time for id_, each in held.items()}, refs)
    now = {each.no: at[id_] for id_, each in held.items() if at[id_] != each.time}
    before = dict(
        db.execute(
            "select changeset, at_ms from changesets cross join chain_times on changeset = changesets.no"
            " where author = ? and lane = ?",
            (author, lane.no),
        )
    )
    changed = {no for no in before.keys() | now.keys() if before.get(no) != now.get(no)}
    db.executemany("delete from chain_times where changeset = ?", [(no,) for no in sorted(changed)])
    db.executemany(
        "insert into chain_times values (?, ?)", [(no, now[no]) for no in sorted(changed) if no in now]
    )
    return changed


def fill(db: Connection, lanes: Iterable[Lane]) -> None:
    """Inside of a write transaction: keep all chain times of these lanes, where none are kept yet."""
    for lane in lanes:
        authors = db.execute("select distinct author from changesets where lane = ?", (lane.no,)).fetchall()
        for (author,) in authors:
            renew(db, lane, author)


def in_chains(times: Mapping[bytes, int], refs: Mapping[bytes, Sequence[bytes]]) -> dict[bytes, int]:
    """The chain time of each changeset of one author and lane. times: of all that stand."""
    at: dict[bytes, int] = {}
    for id_ in times:
        path = [id_]
        while path:
            own = [ref for ref in refs[path[-1]] if ref in times]
            unknown = [ref for ref in own if ref not in at]
            if unknown:
                path += unknown
            else:
                of = path.pop()
                at[of] = chain_time(times[of], (at[ref] for ref in own))
    return at


class Ancestry:
    """Whether one changeset is among the ancestors of another, in its author's chain in one lane.

    Of a chain as much is read as counts from no earlier than what is sought, at once; what was found is remembered.
    """

    def __init__(self, db: Connection, lane: Lane) -> None:
        self._db, self._lane = db, lane
        self._walks: dict[bytes, _Walk] = {}
        self._facts: dict[bytes, tuple[int, int] | None] = {}

    def __call__(self, earlier: bytes, later: bytes) -> bool:
        sought, end = self._fact(earlier), self._fact(later)
        if sought is None or end is None or sought[0] != end[0] or sought[1] > end[1]:
            return False
        walk = self._walks.get(later)
        if walk is None:
            walk = self._walks[later] = _Walk(later, end[1] + 1)
        author, at = sought
        if at < walk.read_from:
            walk.take(self._read(author, at, walk.read_from))
            walk.read_from = at
        return earlier != later and earlier in walk.found

    def _fact(self, id_: bytes) -> tuple[int, int] | None:
        """Of a changeset that stands in this lane: the author's number, and its chain time."""
        if id_ not in self._facts:
            self._facts[id_] = self._db.execute(
                "select author, coalesce(at_ms, time) from changesets left join chain_times on changeset = no"
                f" where id = ? and lane = ? and standing = {STANDS}",
                (id_, self._lane.no),
            ).fetchone()
        return self._facts[id_]

    def _read(self, author: int, begin: int, end: int) -> Iterator[tuple[bytes, Sequence[bytes]]]:
        """Id and refs of what this author wrote that counts from a moment on, and before another."""
        rows = self._db.execute(
            "select id, codec, body from changesets left join chain_times on changeset = no"
            f" where author = ? and lane = ? and standing = {STANDS}"
            " and coalesce(at_ms, time) >= ? and coalesce(at_ms, time) < ?",
            (author, self._lane.no, begin, end),
        )
        for id_, codec, body in rows:
            yield id_, read_excerpt(self._db, id_, codec, body, ()).refs


class _Walk:
    """What was found so far of one changeset's ancestors. read_from: the chain time from which on the chain was read."""

    def __init__(self, later: bytes, read_from: int) -> None:
        self.read_from = read_from
        self.found = {later}
        self._refs: dict[bytes, Sequence[bytes]] = {}
        self._unread = {later}  # found, and what they ref is not known yet

    def take(self, links: Iterable[tuple[bytes, Sequence[bytes]]]) -> None:
        """Go on, with more of the chain."""
        self._refs.update(links)
        unseen = list(self._unread)
        while unseen:
            id_ = unseen.pop()
            refs = self._refs.pop(id_, None)
            if refs is None:
                self._unread.add(id_)
                continue
            self._unread.discard(id_)
            new = [ref for ref in refs if ref not in self.found]
            self.found.update(new)
            unseen += new
