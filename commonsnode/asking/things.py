"""What a question finds, as who asks may know it: for members with exact places, and distances from these.

The index knows only where everybody may know a thing to be. So a search within a distance goes as far beyond it as a place
may be blurred, and a page is sorted, and cut, by where things really are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from commonsnode.asking.question import Understood
from commonsnode.errors import WrongField
from commonsnode_protocol.canonical import Value
from commonsnode_store.answers import RecordRef
from commonsnode_store.areas import Point, distance_m
from commonsnode_store.asked import Hit
from commonsnode_store.shown import place_of
from commonsnode_store.store import Store


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that was found. idle: free spans inside of what was asked."""

    ref: RecordRef
    title: str
    point: Point | None
    distance_m: int | None
    idle: Sequence[tuple[int, int]]
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Things:
    """A page; it may have fewer than were asked for, also where something follows."""

    things: Sequence[Thing]
    cursor: str | None


def find(store: Store, understood: Understood) -> Things:
    """The things that answer a question, the nearest first. Raises WrongField."""
    query = understood.query
    within = query.within_m
    if within is not None:
        query = replace(query, within_m=within + _blurred_m(understood))
    try:
        page = store.find_things(query)
    except ValueError as error:
        raise WrongField("cursor", str(error)) from error
    found = [_thing(store, hit, understood) for hit in page.hits]
    if within is not None:
        found = [thing for thing in found if thing.distance_m is not None and thing.distance_m <= within]
    if query.near is not None:
        found.sort(key=lambda thing: (thing.distance_m is None, thing.distance_m))
    return Things(found, page.cursor)


def _blurred_m(understood: Understood) -> int:
    """How far from where everybody is told it is a thing may be, of those communities whose members know better."""
    grids = [
        settings.grid_m
        for community, (_, settings) in understood.charters.items()
        if settings is not None and community in understood.member_of
    ]
    return max(grids, default=0)


def _thing(store: Store, hit: Hit, understood: Understood) -> Thing:
    bare = Thing(
        hit.ref,
        hit.title,
        (hit.lat, hit.lon) if hit.lat is not None and hit.lon is not None else None,
        hit.distance_m,
        hit.idle,
        hit.values,
    )
    view = store.whole(hit.ref) if hit.ref.community in understood.member_of else None
    if view is None:
        return bare
    lat, lon = place_of(view.values)
    if lat is None or lon is None or (lat, lon) == bare.point:
        return replace(bare, title=view.title, values=view.values)
    near = understood.query.near
    distance = distance_m(near, (lat, lon)) if near is not None else None
    return replace(bare, title=view.title, values=view.values, point=(lat, lon), distance_m=distance)
