"""All that is kept of reservations, made anew where an earlier version of the software made it by other rules."""

from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_store import chains, commitments, occupancy
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Followed
from commonsnode_store.standing import authority_of

RULES = 5  # by which the tables below are made; another number makes them anew
_MARK = "bookings"
_TABLES = ("commitments", "chain_times", "busy", "booked", "deciders")


def is_current(db: Connection) -> bool:
    """Whether what the file has of reservations was made by these rules."""
    row = db.execute("select value from meta where name = ?", (_MARK,)).fetchone()
    return row is not None and row[0] == RULES


def remake(db: Connection, followed: Followed) -> None:
    """Inside of a write transaction: make it anew from all changesets. Raises Damaged."""
    for table in _TABLES:
        db.execute(f"delete from {table}")
    commitments.fill(db)
    chains.fill(db, followed.record_lanes(None))
    occupancy.fill(db, followed, lambda community: authority_of(db, followed.lane(community, AUTHORITY)))
    db.execute("insert or replace into meta values (?, ?)", (_MARK, RULES))
