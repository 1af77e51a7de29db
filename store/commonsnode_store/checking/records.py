"""Every record: its registers from scratch, the columns that follow from them, its places in lists and search."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgpack

from commonsnode_protocol.canonical import Value
from commonsnode_store import events, indexed, registers, shown
from commonsnode_store.cells import NO_MAX
from commonsnode_store.checking.changesets import CheckedLane
from commonsnode_store.checking.findings import Findings
from commonsnode_store.checking.sets import compare
from commonsnode_store.schema import BENEATH, OVERLAY, PLAIN, STANDS

MOMENTS_KEPT = 8_192  # changesets whose time and id are remembered: some 2 MB

_EXPECTED = """
create temp table unjudged (record integer primary key);
create temp table expected_touches (record integer, changeset integer);
create temp table expected_listing (lane integer, deleted integer, key text, record integer, kind integer);
create temp table expected_places (
    key integer, lat integer, lon integer, lane integer, kind integer, category integer, condition integer, rule blob
);
create virtual table temp.expected_search using fts5 (
    text, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 2'
);
create virtual table temp.expected_words using fts5vocab (temp, expected_search, instance);
create virtual table temp.found_words using fts5vocab (main, search, instance)
"""
_WRITES = (
    "select lane, id, kind, changeset, standing, fields from temp.writes where standing <> 2"
    " order by lane, id, kind, changeset"
)
_ROWS = (
    "select lane, id, name, records.no, kind, status, title, lat, lon, deleted, changed_ms, registers"
    " from records left join kinds on kinds.no = kind order by lane, id, name, status"
)
_VOID = (
    "select lane, id, kinds.no, changeset from temp.writes left join kinds on kinds.name = writes.kind"
    " where standing = 2"
)
_FOUND_VOID = (
    "select lane, id, kind, changeset from void_touches"
    " where changeset not in (select no from temp.unreadable)"
)
# What an unreadable changeset wrote to cannot be told.
_UNJUDGED = (
    "insert into temp.unjudged select distinct record from touches"
    " where changeset in (select no from temp.unreadable)"
)
_FOUND_PLACES = f"""
    select key, lat, lon, lane, kind, category, condition, rule from places left join hours on hours.no = places.hours
    where key & {NO_MAX} not in (select record from temp.unjudged)"""
_STATUS = {
    PLAIN: "with what stands",
    BENEATH: "with what stands beneath what waits",
    OVERLAY: "with what waits",
}

Moment = tuple[int, bytes, int]  # time and id of a changeset, and when it was first seen
Write = tuple[int, Mapping[str, tuple[Value, Sequence[bytes]]]]  # changeset no; field → value, ids superseded


class Row(NamedTuple):
    """A row of `records`."""

    lane: int
    id: bytes
    kind_name: str
    no: int
    kind: int
    status: int
    title: str | None
    lat: int | None
    lon: int | None
    deleted: int
    changed_ms: int
    registers: bytes


def check_records(db: sqlite3.Connection, lanes: Iterable[CheckedLane], findings: Findings) -> None:
    """Compare `records`, `touches`, `void_touches`, `listing` and `search` with what `temp.writes` says."""
    for statement in _EXPECTED.split(";\n"):
        db.execute(statement)
    db.execute(_UNJUDGED)
    unjudged = {record for (record,) in db.execute("select record from temp.unjudged")}
    counts = _RecordCheck(db, findings, unjudged).run()
    kept = "record not in (select record from temp.unjudged)"
    for table, columns in (("touches", "record, changeset"), ("listing", "lane, deleted, key, record, kind")):
        found = f"select {columns} from {table} where {kept}"
        compare(db, f"select {columns} from temp.expected_{table}", found, table, findings)
    if events.is_current(db) and not unjudged:
        expected = "select distinct lane, resource, record from temp.events"
        compare(db, expected, "select lane, resource, record from main.events", "events", findings)
    if db.execute("select 1 from sqlite_schema where name = 'void_touches'").fetchone():
        compare(db, _VOID, _FOUND_VOID, "void_touches", findings)
    # What other rules made is made anew before it is used, so it says nothing.
    has_places, is_current = _has_places(db), indexed.is_current(db)
    if has_places and is_current:
        compare(db, "select * from temp.expected_places", _FOUND_PLACES, "places", findings)
    if is_current or not has_places:
        with findings.guarded("search"):
            _check_search(db, findings, unjudged)
    for lane in lanes:
        told, are = (lane.records, lane.deleted), (counts[lane.no, 0], counts[lane.no, 1])
        if told != are and not unjudged:
            findings.add("lanes", f"lane {lane.no} counts {told} records and deleted ones; they are {are}")


class _RecordCheck:
    """One pass over all writes and all rows, both by (lane, record id, kind)."""

    def __init__(self, db: sqlite3.Connection, findings: Findings, unjudged: set[int]) -> None:
        self._db, self._findings, self._unjudged = db, findings, unjudged
        self._has_places = _has_places(db)  # not so in a file of an earlier format
        self._with_halves = shown.lanes_of_halves(db)
        self._counts: Counter[tuple[int, int]] = Counter()  # (lane, deleted) → shown
        self._moment: Callable[[int], Moment] = lru_cache(MOMENTS_KEPT)(self._read_moment)

    def run(self) -> Counter[tuple[int, int]]:
        key = itemgetter(0, 1, 2)
        writes = ((of, list(group)) for of, group in groupby(self._db.execute(_WRITES), key))
        rows = ((of, [Row(*row) for row in group]) for of, group in groupby(self._db.execute(_ROWS), key))
        for of, written, found in _joined(writes, rows):
            if not any(row.no in self._unjudged for row in found):
                self._check(of, written, found)
            for _ in found:
                self._findings.step()
        return self._counts

    def _check(
        self, of: tuple[int, bytes, str], written: Sequence[tuple[object, ...]], found: list[Row]
    ) -> None:
        standing: list[Write] = []
        waiting: list[Write] = []
        for _, _, _, changeset, standing_now, fields in written:
            (standing if standing_now == STANDS else waiting).append((changeset, msgpack.unpackb(fields)))  # type: ignore[arg-type]
        expected: dict[int, list[Write]] = {}
        if standing:
            expected[BENEATH if waiting else PLAIN] = standing
        if waiting:
            expected[OVERLAY] = [*standing, *waiting]
        by_status = {row.status: row for row in found}
        told = f"record {of[1].hex()} of kind {of[2]!r} in lane {of[0]}"
        if len(by_status) != len(found) or set(by_status) != set(expected):
            have = [_STATUS.get(row.status, str(row.status)) for row in found]
            want = [_STATUS[status] for status in expected]
            self._findings.add("records", f"{told} has rows {have}; it should have {want}")
        for status, writes in expected.items():
            if status in by_status:
                self._compare(by_status[status], writes, told)
                touching = waiting if status == OVERLAY else standing
                self._db.executemany(
                    "insert into temp.expected_touches values (?, ?)",
                    [(by_status[status].no, changeset) for changeset, _ in touching],
                )

    def _compare(self, row: Row, writes: Sequence[Write], told: str) -> None:
        live = self._live(writes)
        ordered = sorted(live.items(), key=lambda group: self._moment(group[0])[:2], reverse=True)
        if row.registers not in (registers.dump(row.id, ordered), registers.dump_spelled(row.id, ordered)):
            self._findings.add("records", f"{told}: its registers are not what its changesets say")
        values = registers.shown(ordered)
        title = shown.title_of(values)
        deleted = int(shown.is_deleted(values))
        changed_ms = max(min(time, seen_ms) for time, _, seen_ms in (self._moment(no) for no, _ in writes))
        columns = {
            "title": title if title is None else title[: shown.TITLE_CHARS_MAX],
            **dict(zip(("lat", "lon"), shown.place_of(values), strict=True)),
            "deleted": deleted,
            "changed_ms": changed_ms,
        }
        for name, value in columns.items():
            if getattr(row, name) != value:
                self._findings.add("records", f"{told}: its {name} is {getattr(row, name)!r}, not {value!r}")
        if row.status == BENEATH:
            return
        if row.lane in self._with_halves and shown.is_half(values):
            if (words := indexed.half_text(values)) is not None and self._has_places:
                self._search(row.no, words)
        else:
            self._counts[row.lane, deleted] += 1
            key = shown.listing_key(title, row.id)
            place = indexed.place_of(values, row.no)
            text = indexed.text_at(values, place) if self._has_places else shown.text_of(values)
            self._db.execute(
                "insert into temp.expected_listing values (?, ?, ?, ?, ?)",
                (row.lane, deleted, key, row.no, row.kind),
            )
            self._search(row.no, text)
            if not deleted and row.kind_name not in indexed.NOT_FOUND:
                self._db.execute(
                    "insert into temp.expected_places values (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*place[:3], row.lane, row.kind, *place[3:]),
                )

    def _search(self, no: int, text: str) -> None:
        self._db.execute("insert into temp.expected_search (rowid, text) values (?, ?)", (no, text))

    def _live(self, writes: Sequence[Write]) -> dict[int, dict[str, Value]]:
        superseded: dict[str, set[bytes]] = defaultdict(set)
        for _, fields in writes:
            for field, (_, ids) in fields.items():
                superseded[field].update(ids)
        live: dict[int, dict[str, Value]] = {}
        for changeset, fields in writes:
            id_ = self._moment(changeset)[1]
            values = {field: value for field, (value, _) in fields.items() if id_ not in superseded[field]}
            if values:
                live[changeset] = values
        return live

    def _read_moment(self, no: int) -> Moment:
        moment: Moment = self._db.execute(
            "select time, id, seen_ms from changesets where no = ?", (no,)
        ).fetchone()
        return moment


def _joined(
    writes: Iterator[tuple[tuple[int, bytes, str], list[tuple[object, ...]]]],
    rows: Iterator[tuple[tuple[int, bytes, str], list[Row]]],
) -> Iterator[tuple[tuple[int, bytes, str], list[tuple[object, ...]], list[Row]]]:
    """Both sides of each key, in order; a side that lacks it is empty."""
    write, row = next(writes, None), next(rows, None)
    while write is not None or row is not None:
        if row is None or (write is not None and write[0] < row[0]):
            assert write is not None
            yield write[0], write[1], []
            write = next(writes, None)
        elif write is None or row[0] < write[0]:
            yield row[0], [], row[1]
            row = next(rows, None)
        else:
            yield write[0], write[1], row[1]
            write, row = next(writes, None), next(rows, None)


def _has_places(db: sqlite3.Connection) -> bool:
    return db.execute("select 1 from sqlite_schema where name = 'places'").fetchone() is not None


def _check_search(db: sqlite3.Connection, findings: Findings, unjudged: set[int]) -> None:
    """Both indexes give (word, record number) in order, once each."""
    expected = db.execute("select term, doc from temp.expected_words")
    found = (row for row in db.execute("select term, doc from temp.found_words") if row[1] not in unjudged)
    differing: set[int] = set()
    one, other = next(expected, None), next(found, None)
    while one is not None or other is not None:
        if one == other:
            one, other = next(expected, None), next(found, None)
        elif other is None or (one is not None and one < other):
            assert one is not None
            differing.add(one[1])
            one = next(expected, None)
        else:
            differing.add(other[1])
            other = next(found, None)
    for record in sorted(differing):
        findings.add("search", f"the words of record number {record} are not those of its fields")
