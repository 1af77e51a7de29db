"""The shapes of questions about things, and of what is found."""

from collections.abc import Mapping
from typing import Any

from commonsnode.asking.areas import DISTANCE_CHARS_MAX
from commonsnode.asking.places import NAME_CHARS_MAX, Source
from commonsnode.asking.question import (
    COMMUNITIES_MAX,
    CURSOR_CHARS_MAX,
    KINDS_MAX,
    LIMIT,
    TAG_CHARS_MAX,
    TEXT_CHARS_MAX,
)
from commonsnode.asking.times import TIME_CHARS_MAX
from commonsnode.http.schema import Schema, ref
from commonsnode_protocol.kinds.declared import CONDITIONS
from commonsnode_protocol.kinds.lending import AGENT_TYPES, ASK, FEE, FREE
from commonsnode_protocol.limits import KIND_BYTES_MAX
from commonsnode_store.asked import LIMIT_MAX, TAGS_MAX

AREA_CHARS_MAX = 200_000


def _text(chars_max: int, description: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": chars_max, "description": description}


def _several(chars_max: int, items_max: int, description: str) -> Schema:
    item = {"type": "string", "minLength": 1, "maxLength": chars_max}
    return {"type": "array", "items": item, "maxItems": items_max, "description": description}


FILTERS: Mapping[str, Schema] = {
    "text": {
        "type": "string",
        "maxLength": TEXT_CHARS_MAX,
        "description": "words, all of which must occur, whole or as beginnings",
    },
    "near": _text(
        NAME_CHARS_MAX,
        "`latitude,longitude`, the name of a place, or `my community`: what is found is sorted by distance from it",
    ),
    "within": _text(DISTANCE_CHARS_MAX, "how far from `near` at most: 500m, 15km, 2mi"),
    "area": {
        "type": ["object", "string"],
        "maxLength": AREA_CHARS_MAX,
        "description": "GeoJSON with polygons, also as text: only what is in it",
    },
    "from": _text(
        TIME_CHARS_MAX,
        "from when it must be free: ISO 8601, or sat, today, tomorrow, sat 9:00, now; without `until` that whole day",
    ),
    "until": _text(TIME_CHARS_MAX, "until when it must be free, likewise; a day means to its end"),
    "category": _text(TEXT_CHARS_MAX, "a category with all below it: its id in the tree, or words for it"),
    "kind": _several(KIND_BYTES_MAX, KINDS_MAX, "kinds of records; nothing: resource; any: all of them"),
    "community": _several(TEXT_CHARS_MAX, COMMUNITIES_MAX, "ids, beginnings of such, or names; nothing: all"),
    "tag": _several(TAG_CHARS_MAX, TAGS_MAX, "tags, all of which it must have"),
    "condition": {
        "type": "array",
        "items": {"type": "string", "enum": list(CONDITIONS)},
        "description": "one of these conditions",
    },
    "keeper": _text(TEXT_CHARS_MAX, "who looks after it: a key, a name, or `me`"),
    "open_to": {
        **_text(TAG_CHARS_MAX, "only what such an agent has without asking for terms"),
        "examples": list(AGENT_TYPES),
    },
    "for_me": {"type": "boolean", "description": "true: only what is lent to who asks"},
}
"""What narrows a search."""

QUESTION: Mapping[str, Schema] = {
    **FILTERS,
    "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT},
    "cursor": _text(CURSOR_CHARS_MAX, "the `cursor` of the page before"),
}

_MOMENT: Schema = {"type": "string", "format": "date-time"}
_MOMENT_OR_NULL: Schema = {**_MOMENT, "type": ["string", "null"]}
_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def _counts(description: str) -> Schema:
    return {"type": "object", "additionalProperties": _COUNT, "description": description}


def _object(description: str, **properties: Any) -> Schema:
    """A closed object, all of whose properties are there."""
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        "required": list(properties),
    }


_SPOT: Schema = {
    **_object(
        "where `near` was understood to be, in 1e-7 degrees",
        lat={"type": "integer"},
        lon={"type": "integer"},
        name=_TEXT,
        source={**_TEXT, "enum": [each.value for each in Source]},
    ),
    "type": ["object", "null"],
}
_CURSOR: Schema = {
    **_TEXT_OR_NULL,
    "description": "give it back for what follows, also where there are fewer than asked for; null: that was all",
}
_UNDERSTOOD: Mapping[str, Schema] = {
    "near": _SPOT,
    "from": _MOMENT_OR_NULL,
    "until": _MOMENT_OR_NULL,
    "category": {**_TEXT_OR_NULL, "description": "the category that was understood"},
    "zone": {**_TEXT_OR_NULL, "description": "the time zone in which days and clocks were read"},
}

GEOJSON_SHAPE: Schema = {
    "type": "object",
    "description": "RFC 7946; the properties of a feature are its fields with those of a Resource",
    "properties": {
        "type": {**_TEXT, "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"type": "object"}},
        "cursor": _CURSOR,
        **_UNDERSTOOD,
    },
    "required": ["type", "features", "cursor"],
}
CSV_SHAPE: Schema = {
    "type": "string",
    "description": "RFC 4180, with headings; the header Link names what follows",
}

RESOURCE_SHAPES: Mapping[str, Schema] = {
    "Question": {
        "type": "object",
        "description": "All that is given must hold",
        "additionalProperties": False,
        "properties": QUESTION,
    },
    "Resource": _object(
        "A thing that was found",
        id={"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "the id of a record"},
        kind=_TEXT,
        lane=_TEXT,
        community={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        community_name=_TEXT_OR_NULL,
        title=_TEXT,
        distance_m={
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "from `near`; rounded to the charter's grid for who is no member",
        },
        idle={
            "type": "array",
            "items": _object("", **{"from": _MOMENT, "until": _MOMENT}),
            "description": "when it is free inside of what was asked",
        },
        terms=_object(
            "Which terms of lending apply to who asks",
            lent={"type": "boolean"},
            use={**_TEXT, "enum": [FREE, FEE, ASK]},
            fee=_TEXT,
            why=_TEXT,
        ),
        fields={"type": "object", "description": "Field → value, as in a Record"},
    ),
    "Resources": _object(
        "Nearest first, then what is free soonest",
        results={"type": "array", "items": ref("Resource")},
        cursor=_CURSOR,
        **_UNDERSTOOD,
    ),
    "QuestionOfCounts": {
        "type": "object",
        "description": "All that is given must hold",
        "additionalProperties": False,
        "properties": FILTERS,
    },
    "Facets": _object(
        "How many things there are of each sort, before reservations, terms, keeper and tags are looked at",
        total=_COUNT,
        kinds=_counts("by kind"),
        categories=_counts("by id in the tree, each without those below it"),
        conditions=_counts("by condition"),
        communities=_counts("by id"),
        tags=_counts("by tag, of the nearest few hundred things only"),
        **_UNDERSTOOD,
    ),
}
"""Part of `shapes.SCHEMAS`."""
