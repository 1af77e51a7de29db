"""Writes for lane `members` that could not be sealed yet: kept in the clear on this node alone, until there is a key (rule 38)."""

import sqlite3
from collections.abc import Mapping, Sequence

import msgpack

from commonsnode_protocol.canonical import Value
from commonsnode_store.answers import HeldWrite

Writes = Mapping[str, tuple[Value, Sequence[bytes]]]  # field → value, ids of what it supersedes


def hold(
    db: sqlite3.Connection, community: bytes, author: bytes, entries: Sequence[tuple[bytes, str, Writes]]
) -> None:
    """Hold writes of an author; one that is held of the same field gives way, and what it superseded is superseded still."""
    for record, kind, writes in entries:
        row = db.execute(
            "select writes from held_writes where community = ? and author = ? and record = ? and kind = ?",
            (community, author, record, kind),
        ).fetchone()
        merged: dict[str, tuple[Value, Sequence[bytes]]] = _unpacked(row[0]) if row else {}
        for name, (value, ids) in writes.items():
            before = merged[name][1] if name in merged else ()
            merged[name] = value, sorted({*before, *ids})
        db.execute(
            "insert or replace into held_writes values (?, ?, ?, ?, ?)",
            (
                community,
                author,
                record,
                kind,
                msgpack.packb({name: list(merged[name]) for name in sorted(merged)}),
            ),
        )


def held(db: sqlite3.Connection, community: bytes | None) -> list[HeldWrite]:
    """All that is held, of one community or of all, by record id."""
    rows = db.execute(
        "select community, author, record, kind, writes from held_writes where community = ? or ? is null"
        " order by community, record, kind, author",
        (community, community),
    )
    return [
        HeldWrite(of, author, record, kind, _unpacked(writes)) for of, author, record, kind, writes in rows
    ]


def release(db: sqlite3.Connection, sealed: Sequence[HeldWrite]) -> None:
    """These are sealed and written."""
    db.executemany(
        "delete from held_writes where community = ? and author = ? and record = ? and kind = ?",
        [(write.community, write.author, write.record, write.kind) for write in sealed],
    )


def _unpacked(packed: bytes) -> dict[str, tuple[Value, Sequence[bytes]]]:
    return {name: (value, ids) for name, (value, ids) in msgpack.unpackb(packed, raw=False).items()}
