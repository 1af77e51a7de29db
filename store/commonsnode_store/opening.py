"""How the file comes to be and is opened: made whole or not at all, recognised, and looked at quickly.

A quick look finds a file that is cut off, has another header, is of another program or a later version, or whose sets
are not what their summaries say. After a stop that was not clean, SQLite goes through all pages as well. Everything else
is found when it is read, or by `check`.
"""

import os
from contextlib import suppress
from pathlib import Path

from commonsnode_store import events, indexed, lanes, reservations, schema, stopping
from commonsnode_store.connections import Connection, open_writer, os_error, reported_with_files
from commonsnode_store.errors import Damaged, NotANode
from commonsnode_store.lanes import Followed

LOOKED_THROUGH_BYTES_MAX = (
    256 * 1024 * 1024
)  # a larger file is not gone through at start: it would take seconds
FILE_MODE = 0o600  # it names peers, and what waits is nobody else's matter

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_APPLICATION_ID_AT = 68


def open_file(path: Path, *, create: bool) -> tuple[Connection, Followed]:
    """The connection that writes, and what is followed. Raises StoreError."""
    with reported_with_files(path):
        finish_replacing(path)
        remove(making_of(path, "rebuilding"))  # what a stop left of a rebuild takes as much space as the file
        if create and (not path.exists() or path.stat().st_size == 0):
            _create(path)
        clean = _log_bytes(path) == 0
        recognise(path)
        db = open_writer(path)
        try:
            _look_through(db, path, clean)
            schema.migrate(db)
            stopping.lift(db)
            followed = lanes.load(db)
            _follow_rules(db, followed)
            lanes.compare_with_table(db, followed.lanes.values())
        except BaseException:
            db.close()
            raise
        return db, followed


def new_file(path: Path) -> Connection:
    """An empty database at a path where there is no file. Raises sqlite3.Error or OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
    db = open_writer(path)
    schema.migrate(db)
    _follow_rules(db, lanes.load(db))
    return db


def replace_file(path: Path, rebuilt: Path) -> None:
    """Put a finished database, closed and without a log, in the place of another one that is closed."""
    _sync(rebuilt)
    os.replace(rebuilt, _ready(path))
    _sync(path.parent)
    finish_replacing(path)


def finish_replacing(path: Path) -> None:
    """Go on with a replacement that a stop interrupted; without one, nothing happens.

    The old log goes first, since SQLite would apply it to the new file. What is in it is in the new file too.
    """
    ready = _ready(path)
    if ready.exists():
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{suffix}")
        os.replace(ready, path)
        _sync(path.parent)


def making_of(path: Path, state: str) -> Path:
    """Where a file is made that is to take the place of the one at `path`."""
    return path.with_name(f"{path.name}.{state}")


def remove(path: Path) -> None:
    """Remove a database, if there is one, with all that SQLite puts beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _ready(path: Path) -> Path:
    return making_of(path, "rebuilt")


def _create(path: Path) -> None:
    making = making_of(path, "creating")
    remove(making)
    new_file(making).close()
    _sync(making)
    os.replace(making, path)
    _sync(path.parent)


def recognise(path: Path) -> None:
    """Raises NotANode, Damaged, ReadOnly."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotANode(path) from error
    except OSError as error:
        raise os_error(error, path) from error
    application_id = int.from_bytes(header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4], "big")
    if not header.startswith(_MAGIC) or application_id != schema.APPLICATION_ID:
        raise NotANode(path)
    if len(header) < _HEADER_BYTES:
        raise Damaged("database", "the file is cut off in its header")


def _look_through(db: Connection, path: Path, clean: bool) -> None:
    pages: int = db.execute("pragma page_count").fetchone()[0]
    page_bytes: int = db.execute("pragma page_size").fetchone()[0]
    if clean and path.stat().st_size < pages * page_bytes:
        raise Damaged("database", f"the file is cut off: {path.stat().st_size} bytes of {pages * page_bytes}")
    if not clean and pages * page_bytes <= LOOKED_THROUGH_BYTES_MAX:
        found: str = db.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Damaged("database", found)


def _follow_rules(db: Connection, followed: Followed) -> None:
    """Make anew what an earlier version of the software made by other rules: of reservations, of events, or the search index."""
    if not reservations.is_current(db):
        db.execute("begin immediate")
        reservations.remake(db, followed)
        db.execute("commit")
    if not events.is_current(db):
        db.execute("begin immediate")
        events.fill(db)
        db.execute("commit")
    if not indexed.is_current(db):
        db.execute("begin immediate")
        indexed.remake(db)
        db.execute("commit")


def _log_bytes(path: Path) -> int:
    try:
        return os.stat(f"{path}-wal").st_size
    except OSError:
        return 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
