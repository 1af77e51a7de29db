"""What a node keeps for itself: addresses of peers, what it imported from where, and a plausible time."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import msgpack

from commonsnode_protocol.changeset import RECORD_BYTES
from commonsnode_store.answers import KnownPeer

_SAVED_TIME = "saved_time_ms"


def remember_peer(
    db: sqlite3.Connection, address: str, node: bytes | None, seen_ms: int | None, source: str
) -> None:
    """What is given replaces what was known; what is not given stays. The first source stays too."""
    db.execute(
        "insert into peers (address, node, source, seen_ms) values (?, ?, ?, ?)"
        " on conflict (address) do update set node = coalesce(excluded.node, node),"
        " seen_ms = coalesce(excluded.seen_ms, seen_ms)",
        (address, node, source, seen_ms),
    )


def forget_peer(db: sqlite3.Connection, address: str) -> bool:
    return db.execute("delete from peers where address = ?", (address,)).rowcount > 0


def peers(db: sqlite3.Connection) -> list[KnownPeer]:
    rows = db.execute("select address, node, source, seen_ms from peers order by address")
    return [KnownPeer(*row) for row in rows]


def note_import(
    db: sqlite3.Connection, community: bytes, lane: str, kind: str, source: str, records: Iterable[bytes]
) -> None:
    """These records, and no others, came from that table as far as this node knows."""
    db.execute(
        "insert into imports (community, lane, kind, source, records) values (?, ?, ?, ?, ?)"
        " on conflict (community, lane, kind, source) do update set records = excluded.records",
        (community, lane, kind, source, b"".join(sorted(records))),
    )


def imported(db: sqlite3.Connection, community: bytes, lane: str, kind: str, source: str) -> set[bytes]:
    row = db.execute(
        "select records from imports where community = ? and lane = ? and kind = ? and source = ?",
        (community, lane, kind, source),
    ).fetchone()
    packed: bytes = row[0] if row else b""
    return {packed[at : at + RECORD_BYTES] for at in range(0, len(packed), RECORD_BYTES)}


def note_imported_tags(
    db: sqlite3.Connection,
    community: bytes,
    lane: str,
    kind: str,
    source: str,
    tags: Mapping[bytes, Sequence[str]],
) -> None:
    """That table set these tags on these records, and no others."""
    place = community, lane, kind, source
    if tags:
        packed = msgpack.packb({record: list(names) for record, names in sorted(tags.items())})
        db.execute("insert or replace into imported_tags values (?, ?, ?, ?, ?)", (*place, packed))
    else:
        db.execute(
            "delete from imported_tags where community = ? and lane = ? and kind = ? and source = ?", place
        )


def imported_tags(
    db: sqlite3.Connection, community: bytes, lane: str, kind: str, source: str
) -> dict[bytes, list[str]]:
    row = db.execute(
        "select tags from imported_tags where community = ? and lane = ? and kind = ? and source = ?",
        (community, lane, kind, source),
    ).fetchone()
    return msgpack.unpackb(row[0], raw=False, strict_map_key=False) if row else {}


def save_time(db: sqlite3.Connection, ms: int) -> None:
    db.execute("insert or replace into meta (name, value) values (?, ?)", (_SAVED_TIME, ms))


def saved_time(db: sqlite3.Connection) -> int:
    row = db.execute("select value from meta where name = ?", (_SAVED_TIME,)).fetchone()
    return row[0] if row else 0
