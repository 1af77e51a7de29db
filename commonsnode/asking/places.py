"""Where `near` is: coordinates, the community itself, a place by the name that people here give it, or a town.

What the community calls so comes first: its records of kind `place`, then the places of its things. Then towns of the
gazetteer, where that is installed; last those own places of which only beginnings of the words were typed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum

from commonsnode.asking.gazetteer import Gazetteer, Town, folded, plainly_meant
from commonsnode.asking.scope import Scope
from commonsnode.errors import WrongField
from commonsnode.tables import geometry, places
from commonsnode_store.answers import RecordView
from commonsnode_store.areas import Point, distance_m
from commonsnode_store.shown import place_of
from commonsnode_store.store import Store

NAME_CHARS_MAX = 256
RECORDS_LOOKED_AT = 200  # that have the words somewhere
ONE_PLACE_M = 30_000  # what bears one name and is no farther apart is one place
NEARLY_ALL = 0.75  # of the records of one name must be together
NEIGHBOURHOOD_M = 150_000  # of several towns of a name the one so near to the community is meant
CANDIDATES_SHOWN = 10
SUGGESTIONS = 3
HERE = ("my community", "here")
PLACE_KIND = "place"

_WORD = re.compile(r"[^\W_]+")


class Source(StrEnum):
    """What says where a spot is."""

    COORDINATES = "coordinates"
    COMMUNITY = "community"
    PLACE = "place"
    THING = "thing"
    GAZETTEER = "gazetteer"


@dataclass(frozen=True, slots=True)
class Spot:
    """A point that was asked for. name: as it is called; empty for coordinates."""

    point: Point
    name: str
    source: Source


def spot(store: Store, text: str, scope: Scope, gazetteer: Gazetteer | None, field: str = "near") -> Spot:
    """Where a text says. Raises WrongField, with what it may mean."""
    text = " ".join(text.split())
    if not 1 <= len(text) <= NAME_CHARS_MAX:
        raise WrongField(
            field, f"must be latitude,longitude or a name of at most {NAME_CHARS_MAX} characters"
        )
    point = coordinates(text, field)
    if point is not None:
        return Spot(point, "", Source.COORDINATES)
    if folded(text) in HERE:
        return _here(scope, field)
    words = _words(text)
    if not words:
        raise WrongField(field, f"{text!r} is neither latitude,longitude nor a name")
    named = [each for each in _spots(scope) if _words(each.name) == words]
    own = list(_own(store, words, scope)) if not named else []
    exact = named or _called_so(own, words, Source.PLACE) or _called_so(own, words, Source.THING)
    if exact:
        return _one(field, text, exact)
    towns = gazetteer.towns(text) if gazetteer is not None else ()
    if towns:
        return _town(field, text, towns, scope)
    longer = [each for each in own if set(words) <= set(_words(each.name))] or own
    if longer:
        places_first = [each for each in longer if each.source is Source.PLACE] or longer
        return replace(_one(field, text, places_first), name=text)
    raise WrongField(field, _unknown(store, text, scope, gazetteer))


def coordinates(text: str, field: str) -> Point | None:
    """`lat,lon` as people write it; None for any other text. Raises WrongField where it is not on earth."""
    try:
        found = places.parse_pair(text, "latlon")
    except geometry.GeometryError as error:
        raise WrongField(field, str(error)) from None
    if found is None:
        return None
    lat, lon = found.get("lat"), found.get("lon")
    if not isinstance(lat, int) or not isinstance(lon, int):
        return None
    problem = places.out_of_range(lat, lon)
    if problem is not None:
        raise WrongField(field, problem)
    return lat, lon


def _spots(scope: Scope) -> list[Spot]:
    """Where these communities are, as far as their charters say it."""
    return [
        Spot((place.latitude, place.longitude), place.name or charter.name or "", Source.COMMUNITY)
        for charter in scope.charters.values()
        if (place := charter.settings.place) is not None
    ]


def _here(scope: Scope, field: str) -> Spot:
    if not scope.charters:
        raise WrongField(
            field,
            "no community is followed here that this could be (community create NAME, community follow LINK, join LINK);"
            " write latitude,longitude or a name",
        )
    spots = _spots(scope)
    if not spots:
        raise WrongField(
            field,
            "the charter does not say where the community is (steward propose --set place=LAT,LON,NAME); write"
            " latitude,longitude or a name",
        )
    if len(spots) > 1:
        raise WrongField(
            field, "more than one community is meant: say which", [_said(each, 1) for each in spots]
        )
    return spots[0]


def _own(store: Store, words: Sequence[str], scope: Scope) -> Iterator[Spot]:
    """Places that people here call so, or by longer words that begin so."""
    for community in scope.searched:
        page = store.page(community=community, text=" ".join(words), limit=RECORDS_LOOKED_AT)
        for view in page.records:
            point = _point(view)
            if point is None:
                continue
            place = view.values.get("place")
            name = place.get("name") if isinstance(place, dict) else None
            if view.kind == PLACE_KIND and _begin(words, _words(view.title)):
                yield Spot(point, view.title, Source.PLACE)
            elif isinstance(name, str) and _begin(words, _words(name)):
                yield Spot(point, name, Source.THING)


def _called_so(spots: Iterable[Spot], words: Sequence[str], source: Source) -> list[Spot]:
    return [each for each in spots if each.source == source and _words(each.name) == words]


def _one(field: str, text: str, spots: Sequence[Spot]) -> Spot:
    """The middle of spots of one name, as nearly all of them have it. Raises WrongField where they lie apart."""
    groups: list[list[Spot]] = []
    for each in spots:
        for group in groups:
            if distance_m(group[0].point, each.point) <= ONE_PLACE_M:
                group.append(each)
                break
        else:
            groups.append([each])
    groups.sort(key=len, reverse=True)
    largest = groups[0]
    if len(largest) < NEARLY_ALL * len(spots):
        raise _unclear(field, text, [_said(group[0], len(group)) for group in groups])
    return Spot(_middle([each.point for each in largest]), largest[0].name, largest[0].source)


def _town(field: str, text: str, towns: Sequence[Town], scope: Scope) -> Spot:
    town = plainly_meant(towns)
    if town is None or len(towns) > 1:
        near = [each for each in towns if _is_near(each, scope)]
        town = near[0] if len(near) == 1 else town
    if town is None:
        raise _unclear(field, text, [_called(each) for each in towns])
    return Spot((town.lat, town.lon), f"{town.name}, {town.country}", Source.GAZETTEER)


def _is_near(town: Town, scope: Scope) -> bool:
    return any(distance_m((town.lat, town.lon), each.point) <= NEIGHBOURHOOD_M for each in _spots(scope))


def _unclear(field: str, text: str, candidates: Sequence[str]) -> WrongField:
    shown = list(candidates[:CANDIDATES_SHOWN])
    if len(candidates) > len(shown):
        shown.append(f"and {len(candidates) - len(shown)} more")
    return WrongField(
        field,
        f"{text!r} is the name of more than one place: write latitude,longitude, or more of its name",
        shown,
    )


def _unknown(store: Store, text: str, scope: Scope, gazetteer: Gazetteer | None) -> str:
    titles = [
        view.title
        for community in scope.searched
        for view in store.page(community=community, kind=PLACE_KIND, limit=RECORDS_LOOKED_AT).records
        if _point(view) is not None
    ]
    close = get_close_matches(text, titles, SUGGESTIONS)
    known = f"no place called {text!r} is known here"
    if close:
        return f"{known}; there is {', '.join(close)}"
    more = (
        "" if gazetteer is not None else "; towns of the world come with: pip install 'commonsnode[places]'"
    )
    return f"{known}: write latitude,longitude, or add it (add {text!r} --kind place --at LAT,LON){more}"


def _point(view: RecordView) -> Point | None:
    lat, lon = place_of(view.values)
    return (
        (lat, lon) if lat is not None and lon is not None and places.out_of_range(lat, lon) is None else None
    )


def _middle(points: Sequence[Point]) -> Point:
    lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
    if max(lons) - min(lons) > 180 * places.E7:  # on both sides of the date line
        return points[0]
    return (min(lats) + max(lats)) // 2, (min(lons) + max(lons)) // 2


def _words(text: str) -> list[str]:
    return _WORD.findall(folded(text))


def _begin(asked: Sequence[str], words: Sequence[str]) -> bool:
    """Whether each of the asked words is the beginning of one of these."""
    return bool(asked) and all(any(word.startswith(each) for word in words) for each in asked)


def _said(of: Spot, times: int) -> str:
    lat, lon = of.point
    return (
        f"{of.name} ({lat / places.E7:.4f},{lon / places.E7:.4f}{f'; {times} records' if times > 1 else ''})"
    )


def _called(town: Town) -> str:
    parts = [town.name, town.region if town.region.isalpha() else "", town.country]
    where = f"{town.lat / places.E7:.4f},{town.lon / places.E7:.4f}"
    return f"{', '.join(filter(None, parts))} ({where}; {town.people:,} people)"
