"""Which reservations there are of which thing: the table `commitments`, kept as changesets come in.

A row for each ask that was ever held, standing or not; so nothing is taken out but with its community, and what
of them has effect is judged by whoever reads them (reserved.py).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from commonsnode_protocol.changeset import Changeset
from commonsnode_protocol.commitments import KIND, said
from commonsnode_protocol.idle import Span
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.said import RECORD_LANES
from commonsnode_store.standing import read_changes, read_excerpt

SPANS_MAX = 8  # that are looked at one by one
_ALL = f"""
    select lanes.no, changesets.id, author, codec, body from changesets cross join lanes on lanes.no = lane
    where lanes.name in ({", ".join(f"'{lane}'" for lane in RECORD_LANES)}) order by changesets.no"""


def note(db: sqlite3.Connection, lane: int, changesets: Iterable[tuple[int, Changeset]]) -> None:
    """Keep what is asked for. changesets: with the numbers of their authors, and with what they say here."""
    rows = [
        (lane, wish.resource, wish.begin_ms, wish.end_ms, wish.record, author)
        for author, changeset in changesets
        if any(kind == KIND for _, kind, _ in changeset.changes)
        for wish in said(changeset).wishes
    ]
    if rows:
        db.executemany("insert or ignore into commitments values (?, ?, ?, ?, ?, ?)", rows)


def fill(db: Connection) -> None:
    """Inside of a write transaction: note what all changesets ask for."""
    for lane, id_, author, codec, body in db.execute(_ALL):
        records = [record for record, kind, _ in read_changes(db, id_, codec, body) if kind == KIND]
        if records:
            note(db, lane, [(author, read_excerpt(db, id_, codec, body, records))])


def of_thing(
    db: Connection, lane: Lane, resource: bytes, within: Sequence[Span] | None = None
) -> list[bytes]:
    """The records that ask for a thing, in one lane; within: only with asks that begin in one of these spans."""
    # Not `distinct`: SQLite would go through the whole lane by record then.
    sql = "select record from commitments where lane = ? and resource = ?"
    if within is None:
        rows = db.execute(sql, (lane.no, resource)).fetchall()
    else:
        between = f"{sql} and begin_ms >= ? and begin_ms < ?"
        rows = [row for span in within for row in db.execute(between, (lane.no, resource, *span))]
    return list(dict.fromkeys(record for (record,) in rows))


def spans_of(db: Connection, lanes: Iterable[Lane], records: Sequence[bytes]) -> dict[bytes, set[Span]]:
    """By thing, the spans for which these records ask."""
    found: dict[bytes, set[Span]] = defaultdict(set)
    sql = "select resource, begin_ms, end_ms from commitments where lane = ? and record in ({})"
    for lane in lanes:
        for resource, begin, end in select_in(db, sql, records, lane.no):
            found[resource].add((begin, end))
    return found


def joined_to(db: Connection, lanes: Iterable[Lane], resource: bytes, spans: Collection[Span]) -> list[Span]:
    """The longest spans around these that overlapping asks of a thing join; one around all where there are many."""
    every: list[Span] = []
    for lane in lanes:
        sql = "select begin_ms, end_ms from commitments where lane = ? and resource = ?"
        every += db.execute(sql, (lane.no, resource))
    asked, found = set(spans), list[Span]()
    low = high = 0
    wanted = False
    for begin, end in sorted(every):
        if begin >= high:
            if wanted:
                found.append((low, high))
            low, high, wanted = begin, end, False
        high = max(high, end)
        wanted = wanted or (begin, end) in asked
    if wanted:
        found.append((low, high))
    return found if len(found) <= SPANS_MAX else [(found[0][0], found[-1][1])]


def things_of(db: Connection, lanes: Iterable[Lane], records: Sequence[bytes]) -> Iterator[bytes]:
    """The things that these records ask for."""
    sql = "select distinct resource from commitments where lane = ? and record in ({})"
    for lane in lanes:
        for (resource,) in select_in(db, sql, records, lane.no):
            yield resource


def things_in(db: Connection, lanes: Iterable[Lane], askers: Collection[bytes] | None) -> Iterator[bytes]:
    """The things that anybody ever asked for, or that one of these keys did; some twice."""
    sql = "select distinct resource from commitments where lane = ?"
    by_askers = (
        "select resource from commitments"
        " where lane = ? and asker in (select no from authors where key in ({}))"
    )
    for lane in lanes:
        if askers is None:
            rows: Iterable[tuple[bytes]] = db.execute(sql, (lane.no,))
        else:
            rows = select_in(db, by_askers, sorted(askers), lane.no)
        for (resource,) in rows:
            yield resource
