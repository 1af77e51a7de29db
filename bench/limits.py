"""What this machine could do at best: the limits that the figures are compared with, measured in the same run."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import zstandard
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair

from commonsnode_protocol.changeset import Signed
from commonsnode_store.connections import open_writer
from commonsnode_store.indexed import text_of
from commonsnode_store.registers import load, shown

SIGNATURES_AT_ONCE = 256
SIGNED_BYTES = 55  # the context and the id, as for a changeset


def verify_per_s(threads: int, signatures: int, repeats: int) -> float:
    """Ed25519 signatures that libsodium checks in a second through PyNaCl, in one thread or several: the best of `repeats`."""
    public, secret = crypto_sign_seed_keypair(bytes(32))
    signed = [crypto_sign(i.to_bytes(SIGNED_BYTES, "big"), secret) for i in range(signatures)]
    parts = [signed[at : at + SIGNATURES_AT_ONCE] for at in range(0, signatures, SIGNATURES_AT_ONCE)]

    def check(part: Sequence[bytes]) -> None:
        for one in part:
            crypto_sign_open(one, public)

    def once() -> float:
        began = time.perf_counter()
        if threads == 1:
            for part in parts:
                check(part)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(check, parts))
        return signatures / (time.perf_counter() - began)

    return max(once() for _ in range(repeats))


def zstd3_bytes(changesets: Iterable[Signed]) -> int:
    """The length of one `zstd -3` stream over all signatures and bodies."""
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    length = 0
    for signed in changesets:
        length += len(compressor.compress(signed.signature + signed.body))
    return length + len(compressor.flush())


def sqlite_rows_per_s(source: Path, work: Path, records: int, records_at_once: int, repeats: int) -> float:
    """Records a second when SQLite does nothing but insert the very rows that the store wrote to `source`.

    The same tables, indexes and search index, the same settings of the connection (WAL, synchronous=FULL), `executemany`,
    transactions of `records_at_once` records; the rows come ready made from memory, in the order in which they were written. The best of `repeats`.
    """
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as db:
        schema = [
            row[0]
            for row in db.execute(
                "select sql from sqlite_master where sql is not null and name not glob 'search_*' and name not glob 'sqlite_*'"
            )
        ]
        tables = _tables(db)
    return max(
        _insert(work / f"bare-{number}.sqlite3", schema, tables, records, records_at_once)
        for number in range(repeats)
    )


def _tables(db: sqlite3.Connection) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Statement → rows, for each table that holds any."""
    found = []
    names = db.execute(
        "select name, sql from sqlite_master where type = 'table' and name not glob 'sqlite_*' and name not glob 'search*'"
        " and name <> 'words'"
    ).fetchall()
    for name, sql in names:
        columns = [row[1] for row in db.execute(f"pragma table_info({name})")]
        order = "record" if "record" in columns else "rowid" if "without rowid" not in sql else "1"
        rows = db.execute(f"select {', '.join(columns)} from {name} order by {order}").fetchall()
        if rows:
            found.append((f"insert into {name} values ({', '.join('?' * len(columns))})", rows))
    texts = [
        (no, text_of(shown(load(record, registers))))
        for no, record, registers in db.execute("select no, id, registers from records order by no")
    ]
    found.append(("insert into search (rowid, text) values (?, ?)", texts))
    return found


def _insert(
    path: Path,
    schema: Sequence[str],
    tables: Sequence[tuple[str, list[tuple[Any, ...]]]],
    records: int,
    records_at_once: int,
) -> float:
    with closing(open_writer(path)) as db:
        db.execute("pragma foreign_keys = off")  # the rows come by table, not parents first
        for sql in schema:
            db.execute(sql)
        steps = max(1, round(records / records_at_once))
        began = time.perf_counter()
        for step in range(steps):
            db.execute("begin immediate")
            for sql, rows in tables:
                part = rows[len(rows) * step // steps : len(rows) * (step + 1) // steps]
                if part:
                    db.executemany(sql, part)
            db.execute("commit")
        took = time.perf_counter() - began
    path.unlink()
    return records / took
