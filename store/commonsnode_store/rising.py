"""Own changesets that waited rise when their author is admitted: they stand, and are offered to others from then on.

Of an author of whom all stands and nothing is void, so that few rows need to be computed anew; for others see rejudging.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from commonsnode_protocol.changeset import Changeset, Write
from commonsnode_store import chains, registers
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Lane
from commonsnode_store.merging import Row, RowWriter
from commonsnode_store.said import RECORD_LANES, said
from commonsnode_store.schema import BENEATH, OVERLAY, PLAIN
from commonsnode_store.standing import read_changeset
from commonsnode_store.transaction import Transaction

DECODED_MAX = 64  # changesets that are kept decoded: 64 KiB each at most, as bytes

_OVERLAYS = f"""
    select overlay.no, beneath.no, overlay.id, overlay.kind, kinds.name, exists (
        select 1 from touches join changesets on changesets.no = changeset
        where touches.record = overlay.no and standing = 0
    ) from records overlay join kinds on kinds.no = overlay.kind
    left join records beneath on beneath.lane = overlay.lane and beneath.id = overlay.id
        and beneath.kind = overlay.kind and beneath.status = {BENEATH}
    where overlay.lane = ? and overlay.status = {OVERLAY}"""


def rise(transaction: Transaction, lane: Lane, authors: Sequence[int]) -> tuple[bytes, ...]:
    """Let stand all that waits of these authors (their numbers) in a data lane; the ids of it."""
    db = transaction.db
    rows = [
        row
        for author in authors
        for row in db.execute(
            "select time, id from changesets where standing = 0 and lane = ? and author = ? order by no",
            (lane.no, author),
        )
    ]
    db.executemany(
        "update changesets set standing = 1 where standing = 0 and lane = ? and author = ?",
        [(lane.no, author) for author in authors],
    )
    db.executemany("delete from missing_refs where ref = ?", [(id_,) for _, id_ in rows])
    for author in authors if lane.name in RECORD_LANES else ():
        transaction.concerned.times(lane, chains.renew(db, lane, author))
    _settle_records(transaction, lane)
    transaction.lane(lane).add(rows)
    return tuple(id_ for _, id_ in rows)


def _settle_records(transaction: Transaction, lane: Lane) -> None:
    overlays = transaction.db.execute(_OVERLAYS, (lane.no,)).fetchall()
    for _, _, record, _, kind, _ in overlays:
        transaction.concerned.write(lane, kind, record)
    _settle(transaction.db, [(no, beneath) for no, beneath, _, _, _, waits in overlays if not waits])
    _split(transaction, lane, [overlay[:5] for overlay in overlays if overlay[5]])


def _settle(db: Connection, pairs: Sequence[tuple[int, int | None]]) -> None:
    """Nothing waits in these any more, so each overlay is what stands, and what was beneath it goes."""
    beneath = [pair for pair in pairs if pair[1] is not None]
    db.executemany("update touches set record = ? where record = ?", beneath)
    db.executemany("delete from records where no = ?", [(no,) for _, no in beneath])
    db.executemany(f"update records set status = {PLAIN} where no = ?", [(no,) for no, _ in pairs])


def _split(
    transaction: Transaction, lane: Lane, overlays: Iterable[tuple[int, int | None, bytes, int, str]]
) -> None:
    """Some of what is in these stands now, and some still waits: what stands is computed anew, beneath."""
    db, numbers = transaction.db, transaction.numbers
    writer = RowWriter(db, lane.no)
    moved: list[tuple[int, int, int]] = []
    decoded = lru_cache(DECODED_MAX)(lambda no: _changeset(db, no))
    for overlay, beneath, record, kind_no, kind in overlays:
        risen = [no for no, stands in _touching(db, overlay) if stands]
        if not risen:
            continue
        stood = [no for no, _ in _touching(db, beneath)] if beneath is not None else []
        row = Row(beneath if beneath is not None else numbers.record(), record, kind_no, BENEATH)
        row.new = beneath is None
        row.live = registers.from_scratch(_writes(decoded(no), no, kind, record) for no in (*stood, *risen))
        row.changed_ms = _changed_ms(db, [*stood, *risen])
        numbers.know_order(row.live)
        writer.put(row, numbers.order)
        moved += [(row.no, overlay, no) for no in risen]
    writer.finish(transaction.lane(lane))
    db.executemany("update touches set record = ? where record = ? and changeset = ?", moved)


def _touching(db: Connection, record: int) -> list[tuple[int, bool]]:
    return db.execute(
        "select changesets.no, standing = 1 from touches join changesets on changesets.no = changeset"
        " where record = ? order by changeset",
        (record,),
    ).fetchall()


def _changeset(db: Connection, no: int) -> Changeset:
    row = db.execute("select id, codec, body from changesets where no = ?", (no,)).fetchone()
    if row is None:
        raise Damaged("changesets", f"number {no} is not there")
    return said(db, read_changeset(db, *row))


def _writes(
    changeset: Changeset, no: int, kind: str, record: bytes
) -> tuple[int, bytes, Sequence[bytes], Mapping[str, Write]]:
    for of, of_kind, writes in changeset.changes:
        if of == record and of_kind == kind:
            return no, changeset.id, changeset.refs, writes
    raise Damaged("touches", f"changeset {changeset.id.hex()} writes nothing to record {record.hex()}")


def _changed_ms(db: Connection, changesets: Sequence[int]) -> int:
    moments: Iterator[tuple[int]] = select_in(
        db, "select min(time, seen_ms) from changesets where no in ({})", changesets
    )
    return max(moment for (moment,) in moments)
