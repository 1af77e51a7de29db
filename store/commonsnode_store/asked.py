"""What can be asked of the search index, and what it answers: plain values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from commonsnode_protocol.canonical import Value
from commonsnode_store.answers import RecordRef
from commonsnode_store.areas import Point, Polygons

LIMIT_MAX = 200
TAGS_MAX = 8
SPAN_DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class WantedSpan:
    """From when until when it is wanted; it must be free for the whole of it."""

    begin_ms: int
    end_ms: int
    now_ms: int  # a thing may ask to be told some time ahead
    zone: tzinfo = UTC  # of hours that name no zone
    all_day: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, for what is lent to them only. agent_type: only what such an agent has without asking for terms."""

    agent_type: str | None = None
    member_of: Collection[bytes] = ()  # ids of communities


@dataclass(frozen=True, slots=True)
class FindQuery:
    """All that is given must hold. An empty sequence says nothing.

    soonest: what is equally far comes by when it is free first in this window, where no span is wanted. (Of what is wanted
    for a span, all is free at its beginning.)

    near: what is sorted by distance from it, and no farther than within_m. categories: their numbers, the first and the last.
    """

    text: str | None = None
    near: Point | None = None
    within_m: int | None = None
    area: Polygons | None = None
    span: WantedSpan | None = None
    categories: tuple[int, int] | None = None
    kinds: Sequence[str] = ()
    communities: Sequence[bytes] = ()
    conditions: Sequence[str] = ()
    keeper: str | None = None
    tags: Sequence[str] = ()
    asker: Asker | None = None
    soonest: WantedSpan | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    ref: RecordRef
    title: str
    lat: int | None
    lon: int | None
    distance_m: int | None  # from what was asked
    idle: Sequence[tuple[int, int]]  # free spans inside of what was asked
    values: Mapping[str, Value] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FindPage:
    """Nearest first. cursor: give it back for what follows; a page may have fewer things than asked for, and a cursor."""

    hits: Sequence[Hit]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Facets:
    """How many things there are of each sort, by what the indexes say: before reservations, terms, keeper and tags are looked at.

    categories: by id, each without those below it. tags: of the nearest few hundred things only.
    """

    total: int
    kinds: Mapping[str, int]
    categories: Mapping[str, int]
    conditions: Mapping[str, int]
    communities: Mapping[bytes, int]
    tags: Mapping[str, int]
