"""A question as it is typed, understood: each part checked, and refused by its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any

from commonsnode.asking import areas, places, times
from commonsnode.asking.gazetteer import Gazetteer
from commonsnode.asking.places import Spot
from commonsnode.asking.scope import Scope, is_member, scope_of
from commonsnode.errors import WrongField
from commonsnode.inventory import KIND
from commonsnode.lending import PERSON
from commonsnode.names import OF_PEOPLE
from commonsnode.tables import json_form
from commonsnode_protocol.idle import DAY_MS
from commonsnode_protocol.kinds import CATEGORIES, KINDS, category_of, category_range
from commonsnode_protocol.kinds.declared import CONDITIONS
from commonsnode_protocol.limits import KIND_BYTES_MAX
from commonsnode_store.areas import Polygons
from commonsnode_store.asked import LIMIT_MAX, SPAN_DAYS_MAX, TAGS_MAX, Asker, FindQuery, WantedSpan
from commonsnode_store.store import Store

LIMIT = 20
SOONEST_DAYS = 28
TEXT_CHARS_MAX = 256
TAG_CHARS_MAX = 120
KINDS_MAX = 16
COMMUNITIES_MAX = 64
CURSOR_CHARS_MAX = 512
ANY_KIND = "any"
ME = "me"


@dataclass(frozen=True, slots=True)
class Understood:
    """What was meant."""

    query: FindQuery
    near: Spot | None
    span: times.TimeSpan | None
    zone: tzinfo
    category: str | None
    scope: Scope
    agent_type: str  # for terms of lending


def understand(
    store: Store, said: Mapping[str, Any], now_ms: int, asker: bytes, gazetteer: Gazetteer | None
) -> Understood:
    """Read a question in the words of QUESTION (http/resource_shapes.py). asker: the key of who asks; empty for nobody known.

    Raises WrongField; Unknown and Ambiguous for a community.
    """
    scope = scope_of(store, _some("community", said.get("community", ()), COMMUNITIES_MAX, TEXT_CHARS_MAX))
    zone = scope.zone
    span = _span(said.get("from"), said.get("until"), now_ms, zone)
    near = places.spot(store, said["near"], scope, gazetteer) if said.get("near") is not None else None
    within = areas.metres(said["within"]) if said.get("within") is not None else None
    if within is not None and near is None:
        raise WrongField("within", "of what? say also near: latitude,longitude or the name of a place")
    open_to = _text("open_to", said.get("open_to"), TAG_CHARS_MAX)
    category = _category(said.get("category"))
    keeper = _text("keeper", said.get("keeper"), TEXT_CHARS_MAX)
    if keeper == ME and not asker:
        raise WrongField("keeper", "nobody is signed in: say who, by name or key")
    query = FindQuery(
        text=_text("text", said.get("text"), TEXT_CHARS_MAX),
        near=near.point if near is not None else None,
        within_m=within,
        area=_area(said.get("area")),
        span=_wanted(span, now_ms, zone),
        categories=category_range(category) if category is not None else None,
        kinds=_kinds(store, said.get("kind", ())),
        communities=list(scope.charters) if scope.chosen else (),
        conditions=_conditions(said.get("condition", ())),
        keeper=asker.hex() if keeper == ME else keeper,
        tags=_some("tag", said.get("tag", ()), TAGS_MAX, TAG_CHARS_MAX),
        asker=_asker(store, scope, asker, open_to, said),
        soonest=_soonest(now_ms, zone) if near is not None and span is None else None,
        cursor=_text("cursor", said.get("cursor"), CURSOR_CHARS_MAX),
        limit=_limit(said.get("limit", LIMIT)),
    )
    return Understood(query, near, span, zone, category, scope, open_to or PERSON)


def _asker(
    store: Store, scope: Scope, key: bytes, open_to: str | None, said: Mapping[str, Any]
) -> Asker | None:
    if open_to is None and said.get("for_me") is not True:
        return None
    return Asker(open_to, [community for community in scope.charters if is_member(store, community, key)])


def _span(since: str | None, until: str | None, now_ms: int, zone: tzinfo) -> times.TimeSpan | None:
    span = times.time_span(since, until, now_ms, zone, days_max=SPAN_DAYS_MAX)
    if span is None:
        return None
    now = times.clock(now_ms, zone)
    if span.end_ms <= now_ms:
        field = "until" if until is not None else "from"
        raise WrongField(field, f"{times.clock(span.end_ms, zone)} is past: it is {now}")
    if span.begin_ms < now_ms:
        if not span.by_day[0]:
            raise WrongField("from", f"{times.clock(span.begin_ms, zone)} is past: it is {now}; write now")
        span = replace(span, begin_ms=now_ms)  # what is left of a day that has begun
    return span


def _wanted(span: times.TimeSpan | None, now_ms: int, zone: tzinfo) -> WantedSpan | None:
    """A side that was said as a day needs an opening on that day only, not all day long."""
    if span is None:
        return None
    return WantedSpan(span.begin_ms, span.end_ms, now_ms, zone, any(span.by_day))


def _soonest(now_ms: int, zone: tzinfo) -> WantedSpan:
    """What is equally far comes by when it is free first in so many days."""
    return WantedSpan(now_ms, now_ms + SOONEST_DAYS * DAY_MS, now_ms, zone)


def _area(said: Any) -> Polygons | None:
    if said is None:
        return None
    if isinstance(said, str):
        try:
            said = json_form.parse(said)
        except json_form.JsonFormError as error:
            raise WrongField("area", f"is no GeoJSON: {error}") from None
    return areas.area(said)


def _category(said: str | None) -> str | None:
    """The id of a category, from it or from words."""
    text = _text("category", said, TEXT_CHARS_MAX)
    if text is None or text in CATEGORIES:
        return text
    found = category_of(text)
    if found is None:
        top = [each for each in CATEGORIES if "." not in each]
        close = get_close_matches(text.lower(), list(CATEGORIES), 3) or top
        raise WrongField("category", f"there is no category {text!r}", close)
    return found


def _kinds(store: Store, said: Sequence[str]) -> Sequence[str]:
    names = _some("kind", said, KINDS_MAX, KIND_BYTES_MAX) or (KIND,)
    here = store.kinds()
    if ANY_KIND in names:
        return [kind for kind in here if kind not in OF_PEOPLE]
    for name in names:
        if name not in KINDS and name not in here:
            known = ", ".join(kind for kind in KINDS if kind not in OF_PEOPLE)
            raise WrongField("kind", f"there is no kind {name!r} here; known: {known}, or {ANY_KIND}")
    return names


def _conditions(said: Sequence[str]) -> Sequence[str]:
    names = _some("condition", said, len(CONDITIONS), TAG_CHARS_MAX)
    for name in names:
        if name not in CONDITIONS:
            raise WrongField("condition", f"must be one of {', '.join(CONDITIONS)}, not {name!r}")
    return names


def _limit(limit: int) -> int:
    if not 1 <= limit <= LIMIT_MAX:
        raise WrongField("limit", f"must be from 1 to {LIMIT_MAX}")
    return limit


def _text(field: str, text: str | None, chars_max: int) -> str | None:
    """Without white space around it; None where nothing is left."""
    text = (text or "").strip()
    if len(text) > chars_max:
        raise WrongField(field, f"has at most {chars_max} characters")
    return text or None


def _some(field: str, said: Sequence[str], items_max: int, chars_max: int) -> Sequence[str]:
    """Each once, in the order given."""
    found = tuple(dict.fromkeys(filter(None, (each.strip() for each in said))))
    if len(found) > items_max:
        raise WrongField(field, f"at most {items_max} of them")
    if any(len(each) > chars_max for each in found):
        raise WrongField(field, f"has at most {chars_max} characters")
    return found
