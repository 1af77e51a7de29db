"""The records of one lane while changesets are merged into them: rows are read once, merged in memory, and written once.

A record has one row, with what stands. Where own writes wait that do not stand yet, it has two: the row of what stands
(if there is any of it) is hidden beneath an overlay, which holds all that is held of the record. A write goes into each
row that it belongs to, by the same function.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import NamedTuple

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Changeset
from commonsnode_store import indexed, registers, shown
from commonsnode_store.connections import select_in
from commonsnode_store.lanes import LaneEdit
from commonsnode_store.numbers import Numbers
from commonsnode_store.registers import Live
from commonsnode_store.schema import BENEATH, OVERLAY, PLAIN

Key = tuple[str, bytes]  # kind, record id
Dead = Mapping[Key, Collection[str]]  # fields in which an earlier arrival supersedes a changeset

_NOTHING: frozenset[str] = frozenset()
_FIND = "select no, id, status, deleted, changed_ms, registers from records where lane = ? and kind = ? and id in ({})"


class Entry(NamedTuple):
    """A changeset on its way into the records."""

    no: int
    changeset: Changeset
    seen_ms: int
    ref_nos: Sequence[int]  # the number of each ref; one that no changeset has where it is not held
    dead: Dead | None = None  # by changesets that stand
    dead_beside: Dead | None = None  # by any that is held


class _Listed(NamedTuple):
    """What lists and the index of places have of a row."""

    key: str
    deleted: int
    place: indexed.Place


@dataclass(slots=True)
class Row:
    """A row of `records` on its way to the table."""

    no: int
    record: bytes
    kind: int
    status: int
    live: Live = field(default_factory=dict)
    changed_ms: int = 0
    new: bool = True
    listed: _Listed | None = None  # as it is before this is written; none where it is hidden, or new
    text: str | None = None  # that search has of it, likewise


def load_rows(db: sqlite3.Connection, lane: int, kind: int, ids: Sequence[bytes]) -> Iterator[Row]:
    """The rows that there are of these records. Raises Damaged."""
    has_halves = shown.holds_halves(db, lane)
    for no, record, status, deleted, changed_ms, blob in select_in(db, _FIND, ids, lane, kind):
        ordered = registers.load(record, blob)
        values = registers.shown(ordered)
        listed, text = None, None
        if status == BENEATH:
            pass
        elif has_halves and shown.is_half(values):
            text = indexed.half_text(values)
        else:
            key, place = shown.listing_key(shown.title_of(values), record), indexed.place_of(values, no)
            listed, text = _Listed(key, deleted, place), indexed.text_at(values, place)
        yield Row(no, record, kind, status, dict(ordered), changed_ms, False, listed, text)


class LaneRecords:
    """Merge changesets into the records of one lane, inside of a write transaction."""

    def __init__(self, db: sqlite3.Connection, numbers: Numbers, edit: LaneEdit) -> None:
        self._db, self._numbers, self._edit = db, numbers, edit
        self._lane = edit.before.no
        self._rows: dict[Key, Row] = {}  # what stands
        self._overlays: dict[Key, Row] = {}
        self._touches: list[tuple[int, int]] = []

    def merge(self, entries: Sequence[Entry], *, standing: bool) -> None:
        """Merge changesets, each after those that it refs, and write what came of it."""
        self._load(entries)
        for entry in entries:
            if standing:
                self._merge_standing(entry)
            else:
                self._merge_waiting(entry)
        self._write()

    def _load(self, entries: Sequence[Entry]) -> None:
        wanted: dict[str, dict[bytes, None]] = defaultdict(dict)
        for entry in entries:
            for record, kind, _ in entry.changeset.changes:
                wanted[kind][record] = None
        for kind, ids in wanted.items():
            kind_no = self._numbers.kind(kind)
            for row in load_rows(self._db, self._lane, kind_no, list(ids)):
                (self._overlays if row.status == OVERLAY else self._rows)[kind, row.record] = row

    def _merge_standing(self, entry: Entry) -> None:
        no, changeset, seen_ms, ref_nos, dead, dead_beside = entry
        moment = min(changeset.time, seen_ms)
        rows, overlays, touches = self._rows, self._overlays, self._touches
        for record, kind, writes in changeset.changes:
            key = (kind, record)
            row = rows.get(key)
            if row is None:
                row = rows[key] = Row(self._numbers.record(), record, self._numbers.kind(kind), PLAIN)
                if key in overlays:
                    row.status = BENEATH
            if not row.live and dead is None:
                row.live[no] = {name: write[0] for name, write in writes.items()}
            else:
                registers.merge(row.live, no, writes, ref_nos, (dead or {}).get(key, _NOTHING))
            row.changed_ms = max(row.changed_ms, moment)
            touches.append((row.no, no))
            if overlays and (overlay := overlays.get(key)) is not None:
                registers.merge(overlay.live, no, writes, ref_nos, (dead_beside or {}).get(key, _NOTHING))
                overlay.changed_ms = max(overlay.changed_ms, moment)

    def _merge_waiting(self, entry: Entry) -> None:
        no, changeset, seen_ms, ref_nos, _, dead_beside = entry
        moment = min(changeset.time, seen_ms)
        for record, kind, writes in changeset.changes:
            key = (kind, record)
            overlay = self._overlays.get(key)
            if overlay is None:
                overlay = Row(self._numbers.record(), record, self._numbers.kind(kind), OVERLAY)
                beneath = self._rows.get(key)
                if beneath is not None:
                    beneath.status = BENEATH
                    overlay.live = {of: dict(fields) for of, fields in beneath.live.items()}
                    overlay.changed_ms = beneath.changed_ms
                self._overlays[key] = overlay
            registers.merge(overlay.live, no, writes, ref_nos, (dead_beside or {}).get(key, _NOTHING))
            overlay.changed_ms = max(overlay.changed_ms, moment)
            self._touches.append((overlay.no, no))

    def _write(self) -> None:
        # By number: full-text search writes a segment to the disk each time that a number is less than the one before.
        rows = sorted((*self._rows.values(), *self._overlays.values()), key=attrgetter("no"))
        self._rows.clear()
        self._overlays.clear()
        self._numbers.know_order({no for row in rows if len(row.live) > 1 for no in row.live})
        writer = RowWriter(self._db, self._lane)
        for row in rows:
            writer.put(row, self._numbers.order)
        writer.finish(self._edit)
        self._db.executemany("insert into touches values (?, ?)", self._touches)
        self._touches.clear()


class RowWriter:
    """Collects rows of records, with their places in lists and search, and writes each sort at once."""

    def __init__(self, db: sqlite3.Connection, lane: int) -> None:
        self._db, self._lane = db, lane
        self._new: list[tuple[object, ...]] = []
        self._changed: list[tuple[object, ...]] = []
        self._unlisted: list[tuple[int, int, str, int]] = []
        self._listed: list[tuple[int, int, str, int, int]] = []
        self._unsearched: list[tuple[int, str]] = []
        self._searched: list[tuple[int, str]] = []
        self._unplaced: list[tuple[int]] = []
        self._placed: list[indexed.IndexRow] = []
        self._rules, self._not_found = indexed.Rules(db), indexed.not_found(db)
        self._gone: list[tuple[int]] = []
        self._has_halves = shown.holds_halves(db, lane)
        self._counts = [0, 0]  # by deleted: how many more are shown

    def put(self, row: Row, order: Mapping[int, tuple[int, bytes]]) -> None:
        """order: the (time, id) of each changeset with a live write in this row, where there are several."""
        if len(row.live) == 1:
            ordered = list(row.live.items())
            values: Mapping[str, Value] = ordered[0][1]
        else:
            ordered = sorted(row.live.items(), key=lambda group: order[group[0]], reverse=True)
            values = registers.shown(ordered)
        title = shown.title_of(values)
        place = indexed.place_of(values, row.no)
        deleted = int(shown.is_deleted(values))
        columns = (
            row.status,
            title if title is None else title[: shown.TITLE_CHARS_MAX],
            place.lat,
            place.lon,
            deleted,
            row.changed_ms,
            registers.dump(row.record, ordered),
        )
        if row.new:
            self._new.append((row.no, row.record, self._lane, row.kind, *columns))
        else:
            self._changed.append((*columns, row.no))
        now, text = None, None
        if row.status == BENEATH:
            pass
        elif self._has_halves and shown.is_half(values):
            text = indexed.half_text(values)
        else:
            now = _Listed(shown.listing_key(title, row.record), deleted, place)
            text = indexed.text_at(values, place)
        self._search(row, text)
        if now != row.listed:
            self._list(row, now)

    def remove(self, row: Row) -> None:
        """Take a row out; its touches are gone already."""
        self._gone.append((row.no,))
        self._search(row, None)
        self._list(row, None)

    def _search(self, row: Row, text: str | None) -> None:
        if text == row.text:
            return
        if row.text is not None:
            self._unsearched.append((row.no, row.text))
        if text is not None:
            self._searched.append((row.no, text))

    def _list(self, row: Row, now: _Listed | None) -> None:
        before, no = row.listed, row.no
        if before is not None:
            self._counts[before.deleted] -= 1
            self._unlisted.append((self._lane, before.deleted, before.key, no))
            if not before.deleted:
                self._unplaced.append((before.place.key,))
        if now is not None:
            self._counts[now.deleted] += 1
            self._listed.append((self._lane, now.deleted, now.key, no, row.kind))
            if not now.deleted and row.kind not in self._not_found:
                self._placed.append(indexed.row(now.place, self._lane, row.kind, self._rules))

    def finish(self, edit: LaneEdit) -> None:
        many = self._db.executemany
        many("insert into records values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._new)
        if self._changed:
            many(
                "update records set status = ?, title = ?, lat = ?, lon = ?, deleted = ?, changed_ms = ?, registers = ?"
                " where no = ?",
                self._changed,
            )
        if self._unlisted:
            many(
                "delete from listing where lane = ? and deleted = ? and key = ? and record = ?",
                self._unlisted,
            )
        many("insert into listing values (?, ?, ?, ?, ?)", sorted(self._listed))
        if self._unsearched:
            many("insert into search (search, rowid, text) values ('delete', ?, ?)", self._unsearched)
        many("insert into search (rowid, text) values (?, ?)", self._searched)
        if self._unplaced:
            many("delete from places where key = ?", self._unplaced)
        # In the order of keys: pages that lie together are written together.
        many(indexed.INSERT, sorted(self._placed, key=itemgetter(0)))
        many("delete from records where no = ?", self._gone)
        edit.records += self._counts[0]
        edit.deleted += self._counts[1]
