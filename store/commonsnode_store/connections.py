"""Connections to the one file: one that writes, a few that read, and what SQLite's errors mean to a person."""

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zstandard

from commonsnode_store.errors import Damaged, DiskFull, ReadOnly, StoreError

WRITER_CACHE_KIB = 8_000
READER_CACHE_KIB = 4_000
READERS_IDLE_MAX = 3  # more are opened when more read at once, and closed afterwards
BUSY_MS = 10_000  # how long to wait for another program that writes the file
# A checkpoint moves pages from the log into the file, and is the longest wait of all that a writer meets. The daemon
# makes one when it is idle (Store.tidy); this is how many pages the log may have before one is made all the same.
LOG_PAGES = 2_000
LOG_BYTES_KEPT = 4 * 1024 * 1024
STATEMENTS_KEPT = 256
KEYS_AT_ONCE = 512  # in one `in (…)`
FREE_BYTES_MIN = 64 * 1024  # with less, an I/O error is one for want of space

_PRIMARY = 0xFF  # an extended result code of SQLite holds the primary one in its low byte


class Connection(sqlite3.Connection):
    """A connection, and what it has made ready to unpack bodies with: by codec (dictionaries.py)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decompressors: dict[int, zstandard.ZstdDecompressor] = {}


def open_writer(path: Path) -> Connection:
    """The connection that writes. Raises sqlite3.Error."""
    db = sqlite3.connect(
        path,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
        cached_statements=STATEMENTS_KEPT,
    )
    try:
        for pragma in (
            "journal_mode = wal",
            "synchronous = full",
            "foreign_keys = on",
            "secure_delete = off",
            "cell_size_check = on",
            f"cache_size = -{WRITER_CACHE_KIB}",
            f"wal_autocheckpoint = {LOG_PAGES}",
            f"journal_size_limit = {LOG_BYTES_KEPT}",
        ):
            db.execute(f"pragma {pragma}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def open_reader(path: Path) -> Connection:
    """A connection that only reads. Raises sqlite3.Error."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
        cached_statements=STATEMENTS_KEPT,
    )
    try:
        db.execute("pragma cell_size_check = on")
        db.execute(f"pragma cache_size = -{READER_CACHE_KIB}")
    except sqlite3.Error:
        db.close()
        raise
    return db


class Readers:
    """Connections that read, lent to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._era = 0  # of the file: connections of an earlier one are not lent again
        self._closed = False

    @contextmanager
    def snapshot(self, *, keep: bool = True) -> Iterator[Connection]:
        """A connection inside of one read transaction. Raises StoreError in place of SQLite's errors.

        keep: lend it again afterwards; not where it has temporary tables, which take space until it is closed.
        """
        era = self._era
        with reported(self._path):
            db = self._take()
            try:
                db.execute("begin")
                yield db
                db.execute("commit")
            except BaseException:
                db.close()
                raise
            if keep:
                self._give_back(db, era)
            else:
                db.close()

    def close(self) -> None:
        """Lend no more."""
        self._closed = True
        self.renew()

    def renew(self) -> None:
        """Lend new connections from now on. What is idle is closed; what is lent, when it is given back."""
        with self._lock:
            self._era += 1
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def _take(self) -> Connection:
        with self._lock:
            if self._closed:
                raise StoreError(f"{self._path}: closed")
            if self._idle:
                return self._idle.pop()
        return open_reader(self._path)

    def _give_back(self, db: Connection, era: int) -> None:
        with self._lock:
            if era == self._era and len(self._idle) < READERS_IDLE_MAX:
                self._idle.append(db)
                return
        db.close()


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Raise StoreError in place of SQLite's errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error, path) from error


@contextmanager
def reported_with_files(path: Path) -> Iterator[None]:
    """The same, and in place of errors of the file system, where only the store's own files are touched."""
    try:
        with reported(path):
            yield
    except OSError as error:
        raise os_error(error, path) from error


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """What an error of SQLite means to a person."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & _PRIMARY if isinstance(code, int) else None
    if primary == sqlite3.SQLITE_FULL:
        return DiskFull(path)
    if primary == sqlite3.SQLITE_READONLY:
        return ReadOnly(path)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Damaged("database", str(error))
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        # The log and its index are also written by calls that report no more than "I/O error" on a full disk, and
        # "unable to open" on a file system that became read-only.
        if _free_bytes(path) < FREE_BYTES_MIN:
            return DiskFull(path)
        if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            return ReadOnly(path)
    return StoreError(f"{path}: {error}")


def os_error(error: OSError, path: Path) -> StoreError:
    """What an error of the file system means to a person."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ReadOnly(path)
    return StoreError(f"{path}: {error}")


def _free_bytes(path: Path) -> int:
    try:
        at = os.statvfs(path.parent)
    except OSError:
        return FREE_BYTES_MIN
    return at.f_bavail * at.f_frsize


def select_in(
    db: sqlite3.Connection, sql: str, keys: Sequence[bytes] | Sequence[int], *before: object
) -> Iterator[tuple[Any, ...]]:
    """The rows of `sql`, whose `{}` stands for the list of a condition `in ({})`, for any number of keys.

    before: what the placeholders ahead of the list stand for. Statements of few lengths are used, so that they are
    prepared once; the last key fills them up.
    """
    at = 0
    while at < len(keys):
        part = list(keys[at : at + KEYS_AT_ONCE])
        at += len(part)
        length = 1 << (len(part) - 1).bit_length()
        part += part[-1:] * (length - len(part))
        for row in db.execute(sql.format(",".join("?" * length)), (*before, *part)):  # noqa: UP028
            # Not `yield from`: that would close the cursor at the end, when its connection may be closed already.
            yield row
