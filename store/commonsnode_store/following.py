"""To follow a community, and to leave it with all that is kept of it."""

import sqlite3
from collections.abc import Iterable, Mapping

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, ID_BYTES, LANES
from commonsnode_store import indexed, registers, shown
from commonsnode_store.lanes import Community, empty_digest
from commonsnode_store.schema import BENEATH

SEARCHED_AT_ONCE = 1_024


def follow(db: sqlite3.Connection, community: bytes, lanes: Iterable[str]) -> None:
    """Follow these lanes and `authority`, beside those that are followed. Raises ValueError at what is no id or lane."""
    names = {AUTHORITY, *lanes}
    if len(community) != ID_BYTES or names - set(LANES):
        raise ValueError(f"no community or no lanes: {community.hex()}, {', '.join(sorted(names))}")
    db.execute("insert or ignore into communities (id) values (?)", (community,))
    no: int = db.execute("select no from communities where id = ?", (community,)).fetchone()[0]
    db.executemany(
        "insert or ignore into lanes (community, name, changesets, records, deleted, digest)"
        " values (?, ?, 0, 0, 0, ?)",
        [(no, name, empty_digest(name)) for name in sorted(names)],
    )


def leave(db: sqlite3.Connection, community: Community) -> None:
    """Remove all of a community, and the authors and kinds that nothing else names."""
    lanes: list[int] = [
        no for (no,) in db.execute("select no from lanes where community = ?", (community.no,))
    ]
    for lane in lanes:
        _leave_records(db, lane)
        for table in ("heads", "buckets", "dictionaries", "void_touches", "commitments", "events"):
            db.execute(f"delete from {table} where lane = ?", (lane,))
        db.execute(
            "delete from missing_refs where changeset in (select no from changesets where lane = ?)", (lane,)
        )
        db.execute(
            "delete from unopened where changeset in (select no from changesets where lane = ?)", (lane,)
        )
        db.execute(
            "delete from chain_times where changeset in (select no from changesets where lane = ?)", (lane,)
        )
        db.execute("delete from changesets where lane = ?", (lane,))
    for table in ("imports", "imported_tags", "epoch_keys", "held_writes"):
        db.execute(f"delete from {table} where community = ?", (community.id,))
    for table in ("busy", "booked", "deciders"):
        db.execute(f"delete from {table} where community = ?", (community.no,))
    db.execute("delete from lanes where community = ?", (community.no,))
    db.execute("delete from communities where no = ?", (community.no,))
    db.execute("delete from authors where no not in (select author from changesets)")
    db.execute(
        "delete from kinds where no not in (select kind from records union select kind from void_touches)"
    )


def _leave_records(db: sqlite3.Connection, lane: int) -> None:
    has_halves = shown.holds_halves(db, lane)
    rows = db.execute(
        f"select no, id, registers from records where lane = ? and status <> {BENEATH} order by no", (lane,)
    )
    while chunk := rows.fetchmany(SEARCHED_AT_ONCE):
        db.executemany(
            "insert into search (search, rowid, text) values ('delete', ?, ?)",
            [
                (no, text)
                for no, record, blob in chunk
                if (text := _text_of(registers.shown(registers.load(record, blob)), has_halves)) is not None
            ],
        )
    db.execute("delete from touches where record in (select no from records where lane = ?)", (lane,))
    db.execute("delete from listing where lane = ?", (lane,))
    db.execute("delete from places where lane = ?", (lane,))
    db.execute("delete from records where lane = ?", (lane,))


def _text_of(values: Mapping[str, Value], has_halves: bool) -> str | None:
    if has_halves and shown.is_half(values):
        return indexed.half_text(values)
    return indexed.text_of(values)
