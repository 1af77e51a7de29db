"""Numbers: rows refer to authors, kinds, changesets and records by number. What the one that writes knows of them.

All of it is a copy of what the tables have; after a transaction that failed, it is forgotten.
"""

import sqlite3
from collections.abc import Iterable

from commonsnode_store.connections import select_in

REMEMBERED_MAX = 8_192  # of each sort: some 2 MB in all


class Numbers:
    """Looks numbers up and gives new ones, inside of write transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._authors: dict[bytes, int] = {}
        self._kinds: dict[str, int] = {}
        self._next_changeset = self._next_record = 0
        self.order: dict[int, tuple[int, bytes]] = {}  # changeset no → (time, id), see `know_order`

    def forget(self) -> None:
        self._authors.clear()
        self._kinds.clear()
        self.order.clear()
        self._next_changeset = self._next_record = 0

    def begin(self) -> None:
        """At the beginning of a transaction: keep what is remembered within bounds."""
        for remembered in (self._authors, self._kinds, self.order):
            if len(remembered) > REMEMBERED_MAX:
                remembered.clear()
        if not self._next_changeset:
            self._next_changeset = self._after("changesets")
            self._next_record = self._after("records")

    def author(self, key: bytes) -> int:
        no = self._authors.get(key)
        if no is None:
            no = self._authors[key] = self._look_up("authors", "key", key)
        return no

    def kind(self, name: str) -> int:
        no = self._kinds.get(name)
        if no is None:
            no = self._kinds[name] = self._look_up("kinds", "name", name)
        return no

    def changesets(self, count: int) -> range:
        """Numbers for new changesets."""
        begin = self._next_changeset
        self._next_changeset += count
        return range(begin, self._next_changeset)

    def record(self) -> int:
        """The number of a new record."""
        no = self._next_record
        self._next_record += 1
        return no

    def know_order(self, changesets: Iterable[int]) -> None:
        """See that `order` has these."""
        unknown = [no for no in changesets if no not in self.order]
        for no, time, id_ in select_in(
            self._db, "select no, time, id from changesets where no in ({})", unknown
        ):
            self.order[no] = (time, id_)

    def _look_up(self, table: str, column: str, value: bytes | str) -> int:
        row = self._db.execute(f"select no from {table} where {column} = ?", (value,)).fetchone()
        if row is None:
            sql = f"insert into {table} ({column}) values (?) returning no"
            row = self._db.execute(sql, (value,)).fetchone()
        no: int = row[0]
        return no

    def _after(self, table: str) -> int:
        greatest: int | None = self._db.execute(f"select max(no) from {table}").fetchone()[0]
        return (greatest or 0) + 1
