"""The part of JSON Schema that the API checks by."""

from typing import Any

import pytest

from commonsnode.http.schema import KNOWN_WORDS, Schema, problems, ref
from commonsnode.http.shapes import SCHEMAS

CLOSED: Schema = {
    "type": "object",
    "properties": {"title": {"type": "string", "minLength": 1}, "of": ref("Self")},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"title": "a"}, None),
        ({"title": "a", "of": {"title": "b"}}, None),
        ({"title": ""}, "title"),
        ({"title": 1}, "title"),
        ({}, "title"),
        ({"title": "a", "colour": 1}, "colour"),
        ({"title": "a", "of": {}}, "of.title"),
        ([], ""),
        (None, ""),
    ],
)
def test_an_object_is_checked_to_its_bottom(value: Any, where: str | None) -> None:
    found = next(iter(problems(value, CLOSED, {"Self": CLOSED})), None)
    assert (found[0] if found else None) == where


@pytest.mark.parametrize(
    ("value", "schema", "fits"),
    [
        (True, {"type": "integer"}, False),
        (1, {"type": "boolean"}, False),
        (1, {"type": "number"}, True),
        (None, {"type": ["string", "null"]}, True),
        (5, {"type": "integer", "maximum": 4}, False),
        (5, {"type": "integer", "minimum": 5, "maximum": 5}, True),
        ("x", {"enum": ["y"]}, False),
        ("abc", {"type": "string", "pattern": "^[a-c]+$"}, True),
        ("abd", {"type": "string", "pattern": "^[a-c]+$"}, False),
        ([1, "2"], {"type": "array", "items": {"type": "integer"}}, False),
        ([1, 2], {"type": "array", "maxItems": 1}, False),
        ({"a": 1}, {"type": "object", "additionalProperties": {"type": "string"}}, False),
        (object(), {}, True),
    ],
)
def test_each_word_means_what_json_schema_says(value: Any, schema: Schema, fits: bool) -> None:
    assert (not list(problems(value, schema, {}))) == fits


def words(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for name in ("items", "additionalProperties"):
        found |= words(schema.get(name))
    for inner in schema.get("properties", {}).values():
        found |= words(inner)
    return found


def test_no_shape_uses_a_word_that_is_not_checked() -> None:
    for name, schema in SCHEMAS.items():
        assert words(schema) <= KNOWN_WORDS, name
