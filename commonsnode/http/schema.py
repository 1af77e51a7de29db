"""JSON Schema, as far as the API needs it: the same words describe a body in OpenAPI and check it where it comes in.

Known: `$ref` to SCHEMAS, `type` (one or a list), `enum`, `pattern`, `minLength`, `maxLength`, `minimum`, `maximum`, `items`,
`minItems`, `maxItems`, `properties`, `required`, `additionalProperties`. `title`, `description`, `format`, `default`, `examples` and `anyOf` only describe.
Source: JSON Schema 2020-12, Validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from commonsnode.tables.json_form import Literal

Schema: TypeAlias = Mapping[str, Any]

REF_PREFIX = "#/components/schemas/"
KNOWN_WORDS = frozenset(
    [
        "$ref",
        "type",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "items",
        "minItems",
        "maxItems",
        "properties",
        "required",
        "additionalProperties",
        "title",
        "description",
        "format",
        "default",
        "examples",
        "anyOf",
    ]
)
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float, Literal),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def ref(name: str) -> Schema:
    """A reference to one of the named schemas."""
    return {"$ref": REF_PREFIX + name}


def problems(
    value: Any, schema: Schema, named: Mapping[str, Schema], at: str = ""
) -> Iterator[tuple[str, str]]:
    """What is wrong with a value: (where, what), where being names and numbers joined by points; nothing if it fits."""
    if "$ref" in schema:
        yield from problems(value, named[schema["$ref"].removeprefix(REF_PREFIX)], named, at)
        return
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(type(value) in _TYPES[kind] for kind in wanted):
        yield at, f"must be {' or '.join(_NAMES[kind] for kind in wanted)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield at, f"must be one of {', '.join(map(str, schema['enum']))}"
        return
    if type(value) is str:
        yield from _of_text(value, schema, at)
    elif type(value) in (int, float):
        if "minimum" in schema and value < schema["minimum"]:
            yield at, f"must be {schema['minimum']} at least"
        if "maximum" in schema and value > schema["maximum"]:
            yield at, f"must be {schema['maximum']} at most"
    elif type(value) is list:
        yield from _of_list(value, schema, named, at)
    elif type(value) is dict:
        yield from _of_object(value, schema, named, at)


def _of_text(value: str, schema: Schema, at: str) -> Iterator[tuple[str, str]]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield (
            at,
            f"must have {schema.get('minLength', 0)} to {schema.get('maxLength', 'any number of')} characters",
        )
    elif "pattern" in schema and re.search(schema["pattern"], value) is None:
        yield at, f"must be {schema.get('description', 'of the form ' + schema['pattern'])}"


def _of_list(
    value: list[Any], schema: Schema, named: Mapping[str, Schema], at: str
) -> Iterator[tuple[str, str]]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield at, f"must have {schema.get('minItems', 0)} to {schema.get('maxItems', 'any number of')} items"
    elif "items" in schema:
        for index, item in enumerate(value):
            yield from problems(item, schema["items"], named, _below(at, str(index)))


def _of_object(
    value: dict[str, Any], schema: Schema, named: Mapping[str, Schema], at: str
) -> Iterator[tuple[str, str]]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _below(at, name), "is missing"
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from problems(item, known[name], named, _below(at, name))
        elif others is False:
            yield _below(at, name), f"is not known here; known: {', '.join(known)}"
        elif others is not True:
            yield from problems(item, others, named, _below(at, name))


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
