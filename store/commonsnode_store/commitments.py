"""Which reservations there are of which thing: the table `commitments`, kept as changesets come in.

A row for each record that an ask was ever held of, standing or not; so nothing is taken out but with its community, and what
of them has effect is judged by whoever reads them (reserved.py).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from commonsnode_protocol.changeset import Changeset
from commonsnode_protocol.commitments import KIND, said
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.said import RECORD_LANES
from commonsnode_store.standing import read_changes, read_excerpt

_ALL = f"""
    select lanes.no, changesets.id, author, codec, body from changesets cross join lanes on lanes.no = lane
    where lanes.name in ({", ".join(f"'{lane}'" for lane in RECORD_LANES)}) order by changesets.no"""


def note(db: sqlite3.Connection, lane: int, changesets: Iterable[tuple[int, Changeset]]) -> None:
    """Keep what is asked for. changesets: with the numbers of their authors, and with what they say here."""
    rows = [
        (lane, wish.resource, wish.record, author)
        for author, changeset in changesets
        if any(kind == KIND for _, kind, _ in changeset.changes)
        for wish in said(changeset).wishes
    ]
    if rows:
        db.executemany("insert or ignore into commitments values (?, ?, ?, ?)", rows)


def fill(db: Connection) -> None:
    """Inside of a write transaction: note what all changesets ask for."""
    for lane, id_, author, codec, body in db.execute(_ALL):
        records = [record for record, kind, _ in read_changes(db, id_, codec, body) if kind == KIND]
        if records:
            note(db, lane, [(author, read_excerpt(db, id_, codec, body, records))])


def of_thing(db: Connection, lane: Lane, resource: bytes) -> list[bytes]:
    """The records that ask for a thing, in one lane."""
    rows = db.execute("select record from commitments where lane = ? and resource = ?", (lane.no, resource))
    return [record for (record,) in rows]


def things_of(db: Connection, lanes: Iterable[Lane], records: Sequence[bytes]) -> Iterator[bytes]:
    """The things that these records ask for."""
    sql = "select distinct resource from commitments where lane = ? and record in ({})"
    for lane in lanes:
        for (resource,) in select_in(db, sql, records, lane.no):
            yield resource


def things_in(db: Connection, lanes: Iterable[Lane], askers: Sequence[bytes] | None) -> Iterator[bytes]:
    """The things that anybody ever asked for, or that one of these keys did; some twice."""
    sql = "select distinct resource from commitments where lane = ?"
    by_askers = f"{sql} and asker in (select no from authors where key in ({{}}))"
    for lane in lanes:
        rows = db.execute(sql, (lane.no,)) if askers is None else select_in(db, by_askers, askers, lane.no)
        for (resource,) in rows:
            yield resource
