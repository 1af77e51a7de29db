"""Records as they are shown: single ones, in bulk, as an export."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES
from commonsnode_protocol.record import Standing
from commonsnode_store import registers, shown
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Lane
from commonsnode_store.schema import BENEATH, OVERLAY

VIEWS_AT_ONCE = 256  # of an export: what it holds in memory
FOUND_MAX = 10

# A row as it comes from `records`; `cross join` keeps SQLite from going through the kinds first.
RecordRow = tuple[int, bytes, int, str, int, int, bytes]
_ROW = (
    "select records.no, records.id, records.lane, kinds.name, status, changed_ms, registers"
    " from records cross join kinds on kinds.no = records.kind"
)

_FIND = f"""
    select kinds.name, records.id from records cross join kinds on kinds.no = records.kind
    where records.lane = ? and records.id between ? and ? and status <> {BENEATH}
        and (kinds.name = ? or ? is null) order by records.id limit ?"""
_FIND_VOID = """
    select distinct kinds.name, touched.id from void_touches touched cross join kinds on kinds.no = touched.kind
    where touched.lane = ? and touched.id between ? and ? and not exists (
        select 1 from records
        where records.lane = touched.lane and records.id = touched.id and records.kind = touched.kind
    ) and (kinds.name = ? or ? is null) order by touched.id limit ?"""


def views(db: Connection, lanes: Iterable[Lane], rows: Sequence[RecordRow]) -> list[RecordView]:
    """What is shown of these rows, in their order. Raises Damaged."""
    lane_of = {lane.no: lane for lane in lanes}
    loaded = [(row, registers.load(row[1], row[6])) for row in rows]
    facts = _facts(db, {no for _, ordered in loaded for no, _ in ordered})
    return [_view(lane_of[row[2]], row, ordered, facts) for row, ordered in loaded]


def numbered(db: Connection, lanes: Iterable[Lane], nos: Sequence[int]) -> list[RecordView]:
    """Records by their number, in the order asked; those not there are left out."""
    rows = {row[0]: row for row in select_in(db, f"{_ROW} where records.no in ({{}})", nos)}
    return views(db, lanes, [rows[no] for no in nos if no in rows])


def one(db: Connection, lane: Lane, kind: str, record: bytes) -> RecordView | None:
    """The record as it is shown."""
    return bulk(db, lane, kind, [record]).get(record)


def bulk(db: Connection, lane: Lane, kind: str, ids: Sequence[bytes]) -> dict[bytes, RecordView]:
    """Those of these records that are here."""
    of_kind = kind_no(db, kind)
    if of_kind is None:
        return {}
    found: dict[bytes, RecordView] = {}
    sql = (
        f"{_ROW} where records.lane = ? and records.kind = ? and status <> {BENEATH} and records.id in ({{}})"
    )
    rows = select_in(db, sql, ids, lane.no, of_kind)
    while chunk := list(islice(rows, VIEWS_AT_ONCE)):
        found.update((view.record, view) for view in views(db, [lane], chunk))
    return found


def find(
    db: Connection, lanes: Sequence[Lane], prefix: str, kind: str | None, *, void: bool = False
) -> list[RecordRef]:
    """The records whose id begins with these hexadecimal digits, at most FOUND_MAX.

    void: those of which nothing stands or waits any more, in place of the others.
    """
    digits = prefix.strip().lower()
    if not 1 <= len(digits) <= 2 * RECORD_BYTES or set(digits) - set("0123456789abcdef"):
        return []
    low, high = (bytes.fromhex(digits.ljust(2 * RECORD_BYTES, fill)) for fill in "0f")
    found: list[RecordRef] = []
    for lane in lanes:
        rows = db.execute(
            _FIND_VOID if void else _FIND,
            (lane.no, low, high, kind, kind, FOUND_MAX - len(found)),
        )
        found += [RecordRef(lane.community, lane.name, kind_name, record) for kind_name, record in rows]
    return found


def export(db: Connection, lanes: Sequence[Lane]) -> Iterator[RecordView]:
    """What stands, by (record id, kind, lane)."""
    by_no = {lane.no: lane for lane in lanes}
    rows = heapq.merge(
        *(_standing_rows(db, lane) for lane in lanes), key=lambda row: (row[1], row[3], by_no[row[2]].name)
    )
    while chunk := list(islice(rows, VIEWS_AT_ONCE)):
        yield from views(db, lanes, chunk)


def _standing_rows(db: Connection, lane: Lane) -> Iterator[RecordRow]:
    return db.execute(
        f"{_ROW} where records.lane = ? and status <> {OVERLAY} order by records.id, kinds.name", (lane.no,)
    )


def _view(
    lane: Lane,
    row: RecordRow,
    ordered: Sequence[tuple[int, Mapping[str, Value]]],
    facts: Mapping[int, tuple[int, bytes, bytes]],
) -> RecordView:
    _, record, _, kind, status, changed_ms, _ = row
    fields: dict[str, list[Standing]] = {}
    for no, values in ordered:
        if no not in facts:
            raise Damaged("records", f"record {record.hex()} names changeset number {no}, which is not there")
        time, id_, author = facts[no]
        for name, value in values.items():
            write = Standing(time, id_, author, value)
            if name in fields:
                fields[name].append(write)
            else:
                fields[name] = [write]
    if len(ordered) > 1:
        fields = {name: fields[name] for name in sorted(fields)}
    deleted = shown.is_deleted({name: writes[0].value for name, writes in fields.items()})
    return RecordView(lane.community, lane.name, kind, record, fields, deleted, status == OVERLAY, changed_ms)


def _facts(db: Connection, nos: Iterable[int]) -> dict[int, tuple[int, bytes, bytes]]:
    sql = (
        "select changesets.no, time, id, key from changesets cross join authors on authors.no = author"
        " where changesets.no in ({})"
    )
    return {no: (time, id_, author) for no, time, id_, author in select_in(db, sql, list(nos))}


def kind_no(db: Connection, name: str) -> int | None:
    row = db.execute("select no from kinds where name = ?", (name,)).fetchone()
    return row[0] if row else None
