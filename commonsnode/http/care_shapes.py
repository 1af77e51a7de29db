"""The shapes of care in the API; part of `shapes.SCHEMAS`."""

from collections.abc import Mapping
from typing import Any

from commonsnode.asking.times import TIME_CHARS_MAX
from commonsnode.care import DID_CHARS_MAX, TASK_CHARS_MAX
from commonsnode.http.reservation_shapes import (
    KEY,
    MOMENT,
    NAME,
    RECORD,
    RECORD_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    YES,
)
from commonsnode.http.schema import Schema, ref
from commonsnode_protocol.care import DAYS_MAX, USES_MAX
from commonsnode_protocol.kinds import CONDITIONS

COUNT: Schema = {"type": "integer", "minimum": 0}
TASK: Schema = {"type": "string", "minLength": 1, "maxLength": TASK_CHARS_MAX}
MOMENT_OR_NULL: Schema = {**MOMENT, "type": ["string", "null"]}
WHEN: Schema = {"type": "string", "minLength": 1, "maxLength": TIME_CHARS_MAX}
OUT: Schema = {
    "type": ["boolean", "string", "null"],
    "description": "whether it is out for maintenance, or until when",
}


def _object(description: str, required: str, **properties: Any) -> Schema:
    """A closed object; required: names of properties, `*` for all."""
    wanted = list(properties) if required == "*" else required.split()
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        "required": wanted,
    }


_DUE: Mapping[str, Schema] = {
    "task": TEXT,
    "days": {"type": ["integer", "null"], "description": "again after so many days"},
    "uses": {"type": ["integer", "null"], "description": "again after so many uses"},
    "last": MOMENT_OR_NULL,
    "due": MOMENT_OR_NULL,
    "uses_since": COUNT,
    "is_due": YES,
}
_THING: Mapping[str, Schema] = {
    "id": RECORD,
    "community": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "title": TEXT,
}

CARE_OF_A_THING: Schema = {
    **_object(
        "What is due of a thing, and what was done last; null where nothing is said of its care",
        "*",
        tasks={"type": "array", "items": ref("CareDue")},
        last={"anyOf": [ref("CareEvent"), {"type": "null"}]},
    ),
    "type": ["object", "null"],
}
CARE_SHAPES: Mapping[str, Schema] = {
    "CareDue": _object("How it stands with one task", "*", **_DUE),
    "CareEvent": _object(
        "What happened to a thing",
        "*",
        id=RECORD,
        action={"type": "string", "description": "modify: care; use: it was used"},
        at=MOMENT,
        by=KEY,
        by_name=NAME,
        did=TEXT_OR_NULL,
        task=TEXT_OR_NULL,
        condition=TEXT_OR_NULL,
        corrects=RECORD_OR_NULL,
        corrected={"type": "boolean", "description": "a further event counts in its place"},
    ),
    "Care": _object(
        "How it stands with the care of a thing",
        "*",
        **_THING,
        condition=TEXT_OR_NULL,
        out=OUT,
        uses={
            "type": "integer",
            "minimum": 0,
            "description": "how often it was handed over, or noted as used",
        },
        tasks={"type": "array", "items": ref("CareDue")},
        log={"type": "array", "items": ref("CareEvent"), "description": "the latest first"},
        left_out=COUNT,
        conditions={
            "type": "array",
            "items": _object(
                "Somebody said how it is", "*", time=MOMENT, by=KEY, by_name=NAME, condition=TEXT_OR_NULL
            ),
        },
    ),
    "Caring": _object(
        "What was done, how it is now, whether it is out: at least one of them",
        "",
        did={"type": "string", "minLength": 1, "maxLength": DID_CHARS_MAX},
        task=TASK,
        used={
            "type": "boolean",
            "description": "true: it was used; a loan that was handed over counts by itself",
        },
        condition={"type": "string", "enum": list(CONDITIONS)},
        at={
            **WHEN,
            "description": "when it was: a day or a time, as yesterday's date or today 9:00; else now",
        },
        corrects={
            "type": "string",
            "minLength": 1,
            "maxLength": 32,
            "description": "the event that this one corrects",
        },
        out={
            "type": ["boolean", "string"],
            "maxLength": TIME_CHARS_MAX,
            "description": "true: it is out for maintenance; false: it is back; a day or a time: until then",
        },
    ),
    "CareRule": _object(
        "That a task is due again after so many days or uses; without both it is no task any more",
        "task",
        task=TASK,
        days={"type": ["integer", "null"], "minimum": 1, "maximum": DAYS_MAX},
        uses={"type": ["integer", "null"], "minimum": 1, "maximum": USES_MAX},
    ),
    "Cared": _object(
        "What came of it",
        "*",
        id=RECORD,
        event={**RECORD_OR_NULL, "description": "of what was done; null where nothing was"},
        changed={"type": "array", "items": TEXT, "description": "fields of the thing"},
        waiting=YES,
        why=TEXT_OR_NULL,
        tasks={"type": "array", "items": ref("CareDue")},
    ),
    "CaresDue": _object(
        "What is due, the first first",
        "*",
        due={
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {**_THING, **_DUE},
                "required": [*_THING, *_DUE],
            },
        },
        left_out=COUNT,
        not_looked_at={
            "type": "integer",
            "minimum": 0,
            "description": "things with rules, of more than one answer can go through: name a community",
        },
    ),
}
