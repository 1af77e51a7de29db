"""Pages of records by title, with or without words that they must have.

A list is read from table `listing`, which is in this order already; a cursor is the place in it, (key, record number),
so it stays good whatever is written meanwhile. Words that few records have are looked up first; of words that many have,
the list is read in order and each entry is looked up among them.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nsmallest
from json import dumps

from commonsnode_protocol import canonical
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_protocol.errors import NotCanonical
from commonsnode_store import half_words, shown
from commonsnode_store.answers import Page
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.reading import numbered

LIMIT_MAX = 1_000
FEW = 2_000  # hits that are sorted; with more, the list is read instead

Place = tuple[str, int]  # key, record number: where a page ends
Apart = Mapping[int, Sequence[str]]  # number of a lane → kinds that are left out of it
_START: Place = ("", -1)


def page(
    db: Connection,
    lanes: Sequence[Lane],
    *,
    kind: str | None,
    query: str | None,
    deleted: bool,
    cursor: str | None,
    limit: int,
    in_halves: Sequence[int] = (),
    without: Collection[str] = (),
    beside: Collection[str] = (),
) -> Page:
    """query: for FTS5. in_halves: the numbers of the records that have its words where members alone read them. without: kinds that are left out of lane `members`; beside: of every lane.

    Raises ValueError where the cursor is none of ours, or the limit not from 1 to LIMIT_MAX.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise ValueError(f"a page has 1 to {LIMIT_MAX} records")
    after = _START if cursor is None else _place(cursor)
    apart = {lane.no: (*beside, *(without if lane.name == MEMBERS else ())) for lane in lanes}
    total: int | None = None
    if query is not None:
        hits = [
            no
            for (no,) in db.execute(
                "select rowid from search where search match ? limit ?",
                (half_words.not_halves(query), FEW + 1),
            )
        ]
        hits = list(dict.fromkeys((*hits, *in_halves)))
        if len(hits) <= FEW:
            places = _places_of(db, apart, hits, kind, deleted)
            total = len(places)
            found = nsmallest(limit + 1, (place for place in places if place > after))
        else:
            found = _listed(db, lanes, kind, query, deleted, after, limit + 1, apart, in_halves)
    else:
        found = _listed(db, lanes, kind, None, deleted, after, limit + 1, apart)
        total = _total(db, lanes, kind, deleted, apart) if kind is None or cursor is None else None
    records = numbered(db, lanes, [no for _, no in found[:limit]])
    return Page(records, _cursor(found[limit - 1]) if len(found) > limit else None, total)


def _listed(
    db: Connection,
    lanes: Iterable[Lane],
    kind: str | None,
    query: str | None,
    deleted: bool,
    after: Place,
    limit: int,
    left_out: Apart,
    in_halves: Sequence[int] = (),
) -> list[Place]:
    sql = "select key, record from listing where lane = ? and deleted = ? and (key, record) > (?, ?)"
    given: list[object] = []
    if kind is not None:
        sql += " and kind = (select no from kinds where name = ?)"
        given.append(kind)
    if query is not None:
        sql += " and record in (select rowid from search where search match ? union all select value from json_each(?))"
        given += (query, dumps(in_halves))
    places: list[Place] = []
    for lane in lanes:
        apart = left_out[lane.no]
        but = f" and kind not in (select no from kinds where name in ({_marks(apart)}))" if apart else ""
        places += db.execute(
            f"{sql}{but} order by key, record limit ?", (lane.no, int(deleted), *after, *given, *apart, limit)
        )
    return nsmallest(limit, places)


def _places_of(
    db: Connection,
    apart: Apart,
    records: Sequence[int],
    kind: str | None,
    deleted: bool,
) -> list[Place]:
    """Where those of these records that are asked for are in the list. What is beneath an overlay is not searched."""
    sql = (
        "select records.no, id, lane, title, deleted, name from records cross join kinds on kinds.no = kind"
        " where records.no in ({})"
    )
    return [
        (shown.listing_key(title, id_), no)
        for no, id_, lane, title, is_deleted, kind_name in select_in(db, sql, records)
        if lane in apart
        and bool(is_deleted) == deleted
        and kind in (None, kind_name)
        and kind_name not in apart[lane]
    ]


def _total(db: Connection, lanes: Iterable[Lane], kind: str | None, deleted: bool, apart: Apart) -> int:
    return sum(
        count_of(db, lane, kind, deleted)
        - sum(count_of(db, lane, each, deleted) for each in apart[lane.no] if kind in (None, each))
        for lane in lanes
    )


def count_of(db: Connection, lane: Lane, kind: str | None, deleted: bool = False) -> int:
    """How many records of a kind, or of all, are shown of a lane."""
    if kind is None:
        row = db.execute(f"select {'deleted' if deleted else 'records'} from lanes where no = ?", (lane.no,))
    else:
        row = db.execute(
            "select count(*) from listing where lane = ? and deleted = ?"
            " and kind = (select no from kinds where name = ?)",
            (lane.no, int(deleted), kind),
        )
    count: int = row.fetchone()[0]
    return count


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def _cursor(place: Place) -> str:
    return urlsafe_b64encode(canonical.encode(list(place))).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        value = canonical.decode(b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (ValueError, NotCanonical) as error:
        raise ValueError("not a cursor of a page") from error
    if isinstance(value, list) and len(value) == 2:
        key, record = value
        if type(key) is str and type(record) is int:
            return key, record
    raise ValueError("not a cursor of a page")
