"""A thing that lies in two lanes, shown as one: what members alone read of it has the same id and kind in lane `members`.

Such a half (`shown.is_half`) adds to what everybody reads, and its value of a field goes before. They are merged when they
are read, and never kept so: who cannot read the one has to come to the same state of the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from math import ceil

from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store import reading, shown
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.areas import HALF_ROUND_M, distance_m
from commonsnode_store.asked import FindPage, FindQuery, Hit
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Lane

CELL_RADIUS = 0.9  # grid lengths from the middle of a cell, at most: SPEC.md, "Blurred places"

_Of = tuple[bytes, str, bytes]  # community, kind, record id


def whole(db: Connection, lanes: Sequence[Lane], views: Sequence[RecordView]) -> list[RecordView]:
    """These records, each with its half; a record of lane `members` whose other half is here is left out.

    lanes: those that may be looked at.
    """
    in_members = _twins(db, [lane for lane in lanes if lane.name == MEMBERS], views)
    elsewhere = _twins(
        db,
        [lane for lane in lanes if lane.name in shown.HALVES_OF],
        [view for view in views if view.lane == MEMBERS],
    )
    return [
        joined(view, in_members.get(_of(view))) if view.lane != MEMBERS else view
        for view in views
        if view.lane != MEMBERS or _of(view) not in elsewhere
    ]


def joined(view: RecordView, half: RecordView | None) -> RecordView:
    """What everybody reads, with what members alone do over it. What these cleared shows what everybody reads."""
    if half is None:
        return view
    over = {
        name: writes
        for name, writes in half.fields.items()
        if name not in shown.OF_A_HALF and (writes[0].value is not None or name not in view.fields)
    }
    return replace(
        view,
        fields={**view.fields, **over},
        waiting=view.waiting or half.waiting,
        changed_ms=max(view.changed_ms, half.changed_ms),
        members_only=frozenset(over),
    )


def each_whole(views: Iterable[RecordView]) -> Iterator[RecordView]:
    """The same of records of one community in the order of (id, kind)."""
    for _, group in groupby(views, _of):
        same = list(group)
        half = next((view for view in same if view.lane == MEMBERS), None)
        others = [view for view in same if view.lane != MEMBERS]
        if others:
            yield from (joined(view, half) for view in others)
        elif half is not None and not shown.is_half(half.values):
            yield half


def radius_m(grid_m: int) -> int:
    """How far from the middle of a cell a place in it may be. grid_m: of the charters that blur."""
    return ceil(CELL_RADIUS * grid_m)


def widened(query: FindQuery, blurred_m: int) -> FindQuery:
    """So that what is within reach, and inside of an area, is found by its blurred place, too."""
    if not blurred_m:
        return query
    within = query.within_m + blurred_m if query.within_m is not None else None
    area = query.area.around(blurred_m) if query.area is not None else None
    return replace(query, within_m=within, area=area)


def found_exactly(db: Connection, lanes: Sequence[Lane], query: FindQuery, page: FindPage) -> FindPage:
    """What was found by its blurred place, as members know it: where it is, and how far."""
    with_halves = [lane for lane in lanes if lane.name == MEMBERS and lane.state.count]
    refs = [hit.ref for hit in page.hits]
    in_members = _twins(db, with_halves, [ref for ref in refs if ref.lane != MEMBERS])
    if in_members:
        hits = [_exact(hit, in_members.get(_of(hit.ref)), query) for hit in page.hits]
    else:
        hits = list(page.hits)
    limit = query.within_m if query.within_m is not None else HALF_ROUND_M
    found = [hit for hit in hits if hit.distance_m is None or hit.distance_m <= limit]
    if query.area is not None:
        area = query.area
        found = [hit for hit in found if hit.lat is None or hit.lon is None or area.holds(hit.lat, hit.lon)]
    if query.near is not None:
        found.sort(key=lambda hit: HALF_ROUND_M + 1 if hit.distance_m is None else hit.distance_m)
    return replace(page, hits=found)


def _exact(hit: Hit, half: RecordView | None, query: FindQuery) -> Hit:
    if half is None:
        return hit
    over = {name: value for name, value in half.values.items() if name not in shown.OF_A_HALF}
    values = {**hit.values, **over}
    title = shown.title_of(values) or hit.title
    lat, lon = shown.place_of(over)
    if lat is None or lon is None:
        return replace(hit, values=values, title=title)
    away = distance_m(query.near, (lat, lon)) if query.near is not None else None
    return replace(hit, values=values, title=title, lat=lat, lon=lon, distance_m=away)


def _twins(
    db: Connection, lanes: Iterable[Lane], views: Iterable[RecordRef | RecordView]
) -> dict[_Of, RecordView]:
    """The records of these lanes that have the id and kind of one of the views."""
    wanted: dict[tuple[bytes, str], list[bytes]] = defaultdict(list)
    for view in views:
        wanted[view.community, view.kind].append(view.record)
    found: dict[_Of, RecordView] = {}
    for lane in lanes:
        for (community, kind), ids in wanted.items():
            if community == lane.community:
                found |= {_of(view): view for view in reading.bulk(db, lane, kind, ids).values()}
    return found


def _of(view: RecordRef | RecordView) -> _Of:
    return view.community, view.kind, view.record
