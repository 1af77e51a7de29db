"""Which events name which thing, and which things have rules of care: the table `events`, kept as changesets come in.

A row for each record that was ever written so, standing or not; so nothing is taken out but with its community, and what
of them has effect follows from the records themselves.
"""

import sqlite3
from collections.abc import Iterable, Iterator

from commonsnode_protocol.care import CARE, EVENT, RESOURCE, THING
from commonsnode_protocol.changeset import RECORD_BYTES, Changeset
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Lane
from commonsnode_store.said import RECORD_LANES, said
from commonsnode_store.standing import read_changeset

_MARK, _MADE = "events", 1  # in `meta`: that the table was filled
_ALL = f"""
    select lanes.no, changesets.id, codec, body from changesets cross join lanes on lanes.no = lane
    where lanes.name in ({", ".join(f"'{lane}'" for lane in RECORD_LANES)}) order by changesets.no"""

Pair = tuple[bytes, bytes]  # thing, event; twice the thing where it has rules


def pairs(changeset: Changeset) -> list[Pair]:
    """What a changeset says of this. changeset: with what it says here."""
    found: list[Pair] = []
    for record, kind, fields in changeset.changes:
        if kind == EVENT:
            resource = fields[RESOURCE][0] if RESOURCE in fields else None
            if type(resource) is bytes and len(resource) == RECORD_BYTES:
                found.append((resource, record))
        elif kind == THING and CARE in fields:
            found.append((record, record))
    return found


def note(db: sqlite3.Connection, lane: int, changesets: Iterable[Changeset]) -> None:
    rows = [(lane, *pair) for changeset in changesets for pair in pairs(changeset)]
    if rows:
        db.executemany("insert or ignore into events values (?, ?, ?)", rows)


def is_current(db: sqlite3.Connection) -> bool:
    """Whether the table says all that the file has."""
    row = db.execute("select value from meta where name = ?", (_MARK,)).fetchone()
    return row is not None and row[0] == _MADE


def fill(db: Connection) -> None:
    """Inside of a write transaction: note what all changesets say."""
    for lane, id_, codec, body in db.execute(_ALL):
        note(db, lane, [said(db, read_changeset(db, id_, codec, body))])
    db.execute("insert or replace into meta values (?, ?)", (_MARK, _MADE))


def of_thing(db: Connection, lane: Lane, resource: bytes) -> list[bytes]:
    """The events that name a thing, in one lane."""
    rows = db.execute("select record from events where lane = ? and resource = ?", (lane.no, resource))
    return [record for (record,) in rows if record != resource]


def cared_for(db: Connection, lane: Lane) -> Iterator[bytes]:
    """The things of a lane that have, or had, rules of care."""
    for (resource,) in db.execute(
        "select resource from events where lane = ? and record = resource", (lane.no,)
    ):
        yield resource
