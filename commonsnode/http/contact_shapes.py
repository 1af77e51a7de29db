"""The shapes of contact details in the API; part of `shapes.SCHEMAS`."""

from commonsnode.http.schema import Schema
from commonsnode_protocol.kinds import KINDS

_DECLARED = KINDS["contact"].fields
_NAMES = {"name": "title", "phone": "phone", "mail": "mail", "place": "place", "note": "note"}


def _said(name: str) -> Schema:
    field = _DECLARED[_NAMES[name]]
    schema = field.type.schema()
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"], "title": field.label}


_FIELDS: dict[str, Schema] = {name: _said(name) for name in _NAMES}

CONTACT_SHAPES: dict[str, Schema] = {
    "Contact": {
        "type": "object",
        "description": "What a person says of themselves for the other members, and nobody else",
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "the person's first key"},
            **_FIELDS,
            "waiting": {"type": "boolean"},
            "changed": {
                "type": "array",
                "items": {"type": "string"},
                "description": "what was written now",
            },
            "why": {
                "type": ["string", "null"],
                "description": "why it is held, where it cannot be sealed yet",
            },
        },
        "required": ["id", *_FIELDS, "waiting", "changed", "why"],
    },
    "Contacting": {
        "type": "object",
        "description": "Those that are to change; null clears one",
        "additionalProperties": False,
        "properties": _FIELDS,
    },
}
