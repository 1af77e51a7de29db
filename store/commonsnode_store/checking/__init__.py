"""Is everything in the file what the changesets say?  It is computed again, apart from the code that wrote it.

Memory is bounded: what does not fit goes to temporary tables, which SQLite keeps on the disk.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from commonsnode_store import opening
from commonsnode_store.answers import Problem
from commonsnode_store.checking.changesets import read_changesets
from commonsnode_store.checking.findings import Findings, Progress
from commonsnode_store.checking.records import check_records
from commonsnode_store.checking.reservations import check_reservations
from commonsnode_store.checking.sets import check_sets
from commonsnode_store.connections import Connection, open_reader, reported
from commonsnode_store.dictionaries import read as read_dictionary
from commonsnode_store.errors import NewerFormat
from commonsnode_store.schema import FORMAT

PAGES_PROBLEMS_MAX = 20


def check(db: Connection, progress: Progress | None = None) -> list[Problem]:
    """All problems of the file, the first 1,000 one by one.

    db: a connection inside of a read transaction; it is left with temporary tables, and to be closed.
    """
    findings = Findings(progress)
    with findings.guarded("database"):
        _check_pages(db, findings)
    with findings.guarded("database"):
        findings.total = sum(
            db.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("changesets", "changesets", "records")
        )
        for (no,) in db.execute("select no from dictionaries").fetchall():
            _check_dictionary(db, no, findings)
        # Without all changesets nothing can be said of what follows from them.
        lanes = read_changesets(db, findings)
        with findings.guarded("sets"):
            check_sets(db, lanes, findings)
        with findings.guarded("records"):
            check_records(db, lanes, findings)
        with findings.guarded("reservations"):
            check_reservations(db, lanes, findings)
    return findings.result()


def check_closed(path: Path, progress: Progress | None = None) -> list[Problem]:
    """All problems of a file that no one has open. Raises NotANode, NewerFormat."""
    opening.recognise(path)
    with reported(path), closing(open_reader(path)) as db:
        try:
            db.execute("begin")
            found: int = db.execute("pragma user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            return [Problem("database", f"cannot be read: {error}")]
        if found > FORMAT:
            raise NewerFormat(found, FORMAT)
        return check(db, progress)


def _check_pages(db: Connection, findings: Findings) -> None:
    for (found,) in db.execute(f"pragma integrity_check({PAGES_PROBLEMS_MAX})"):
        if found != "ok":
            findings.add("database", found)
    for table, row, parent, _ in db.execute("pragma foreign_key_check"):
        findings.add(table, f"row {row} names a row of {parent} that is not there")


def _check_dictionary(db: Connection, no: int, findings: Findings) -> None:
    with findings.guarded("dictionaries"):
        read_dictionary(db, no)
        copies = db.execute("select content = copy from dictionaries where no = ?", (no,)).fetchone()
        if copies != (1,):
            findings.add("dictionaries", f"one of the two copies of number {no} is not what was written")
