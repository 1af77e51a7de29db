"""Records as they are shown: single ones, in bulk, as an export, with their history."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES
from commonsnode_protocol.record import Standing
from commonsnode_store import registers, shown
from commonsnode_store.answers import HistoryEntry, RecordRef, RecordView
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Lane
from commonsnode_store.ordering import in_order_of_refs
from commonsnode_store.schema import BENEATH, OVERLAY, VOID, WAITS
from commonsnode_store.standing import read_excerpt

VIEWS_AT_ONCE = 256  # of an export: what it holds in memory
FOUND_MAX = 10

# A row as it comes from `records`; `cross join` keeps SQLite from going through the kinds first.
RecordRow = tuple[int, bytes, int, str, int, int, bytes]
_ROW = (
    "select records.no, records.id, records.lane, kinds.name, status, changed_ms, registers"
    " from records cross join kinds on kinds.no = records.kind"
)

_TOUCHING = """
    select changesets.id, codec, body, seen_ms, standing from changesets where no in (
        select changeset from records join touches on touches.record = records.no
            where records.lane = ? and records.kind = ? and records.id = ?
        union all select changeset from void_touches where lane = ? and kind = ? and id = ?
    )"""


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
    kind_no = _kind(db, kind)
    if kind_no is None:
        return {}
    found: dict[bytes, RecordView] = {}
    sql = (
        f"{_ROW} where records.lane = ? and records.kind = ? and status <> {BENEATH} and records.id in ({{}})"
    )
    rows = select_in(db, sql, ids, lane.no, kind_no)
    while chunk := list(islice(rows, VIEWS_AT_ONCE)):
        found.update((view.record, view) for view in views(db, [lane], chunk))
    return found


def find(db: Connection, lanes: Sequence[Lane], prefix: str, kind: str | None) -> list[RecordRef]:
    """The records whose id begins with these hexadecimal digits, at most FOUND_MAX."""
    digits = prefix.strip().lower()
    if not 1 <= len(digits) <= 2 * RECORD_BYTES or set(digits) - set("0123456789abcdef"):
        return []
    low, high = (bytes.fromhex(digits.ljust(2 * RECORD_BYTES, fill)) for fill in "0f")
    found: list[RecordRef] = []
    for lane in lanes:
        rows = db.execute(
            "select kinds.name, records.id from records cross join kinds on kinds.no = records.kind"
            f" where records.lane = ? and records.id between ? and ? and status <> {BENEATH}"
            " and (kinds.name = ? or ? is null) order by records.id limit ?",
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


def history(db: Connection, lane: Lane, kind: str, record: bytes) -> list[HistoryEntry]:
    """All that was written to a record, void or not, each after what its author had seen of it."""
    kind_no = _kind(db, kind)
    changesets, kept = [], {}
    for id_, codec, body, seen_ms, standing in db.execute(
        _TOUCHING, (lane.no, kind_no, record, lane.no, kind_no, record)
    ):
        changesets.append(read_excerpt(db, id_, codec, body, (record,)))
        kept[id_] = (seen_ms, standing)
    entries = []
    for changeset in in_order_of_refs(changesets):
        seen_ms, standing = kept[changeset.id]
        fields = next(
            (writes for of, of_kind, writes in changeset.changes if of == record and of_kind == kind), {}
        )
        values = {name: value for name, (value, _) in fields.items()}
        entries.append(
            HistoryEntry(
                changeset.id, changeset.author, changeset.time, seen_ms, values, standing == WAITS,
                standing == VOID,
            )
        )  # fmt: skip
    return entries


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


def _kind(db: Connection, name: str) -> int | None:
    row = db.execute("select no from kinds where name = ?", (name,)).fetchone()
    return row[0] if row else None
