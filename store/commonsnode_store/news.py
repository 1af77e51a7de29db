"""What landed: which records some changesets are about, and what came to stand after one that somebody knows of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.said import RECORD_LANES
from commonsnode_store.schema import STANDS
from commonsnode_store.standing import read_changes

BODIES_MAX = 64  # that one piece of news is read from
RECORDS_MAX = 256  # that one piece of news names
AFTER_MAX = 256  # changesets that are looked through for somebody who comes back
NEWEST_MAX = 1_024  # that are looked through for the newest one that somebody may know of

_Row: TypeAlias = tuple[int, bytes, int, bytes]


@dataclass(frozen=True, slots=True)
class News:
    """What changesets of one lane brought. last: the id of the last of them. more: it is about other records, too."""

    community: bytes
    lane: str
    last: bytes
    records: tuple[tuple[str, bytes], ...] = ()  # kind, id; of lanes that hold records
    more: bool = False


def newest(db: Connection, lanes: Mapping[int, Lane]) -> bytes | None:
    """The id of the changeset that was stored last, of these lanes (by number); none where that is long ago."""
    for lane, id_ in db.execute(
        f"select lane, id from changesets where standing = {STANDS} order by no desc limit ?", (NEWEST_MAX,)
    ):
        if lane in lanes:
            return bytes(id_)
    return None


def of(db: Connection, lane: Lane, ids: Sequence[bytes]) -> News | None:
    """What these changesets brought; none where none of them stands any more. Raises Damaged."""
    rows = sorted(
        select_in(
            db,
            f"select no, id, codec, body from changesets where lane = ? and standing = {STANDS} and id in ({{}})",
            ids[-BODIES_MAX:],
            lane.no,
        )
    )
    return _news(db, lane, rows, more=len(ids) > BODIES_MAX) if rows else None


def after(db: Connection, lanes: Mapping[int, Lane], last: bytes) -> list[News] | None:
    """What was stored of these lanes after the changeset `last`, oldest first.

    None where that is not known here, or is too long ago to tell. Raises Damaged.
    """
    known = db.execute("select no, lane from changesets where id = ?", (last,)).fetchone()
    if known is None or known[1] not in lanes:
        return None
    rows = db.execute(
        f"select lane, no, id, codec, body from changesets where no > ? and standing = {STANDS} order by no limit ?",
        (known[0], AFTER_MAX + 1),
    ).fetchall()
    if len(rows) > AFTER_MAX:
        return None
    return [_news(db, lanes[lane], [row]) for lane, *row in rows if lane in lanes]


def _news(db: Connection, lane: Lane, rows: Iterable[_Row], *, more: bool = False) -> News:
    records: dict[tuple[str, bytes], None] = {}
    last = b""
    for _, id_, codec, body in rows:
        last = id_
        if lane.name in RECORD_LANES and len(records) <= RECORDS_MAX:
            for record, kind, _ in read_changes(db, id_, codec, body):
                records[kind, record] = None
    named = tuple(records)
    return News(lane.community, lane.name, last, named[:RECORDS_MAX], more or len(named) > RECORDS_MAX)
