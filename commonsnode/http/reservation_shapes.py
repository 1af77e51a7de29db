"""The shapes of reservations in the API; part of `shapes.SCHEMAS`."""

from typing import Any

from commonsnode.asking.times import TIME_CHARS_MAX
from commonsnode.http.schema import Schema, ref
from commonsnode.reservations import Matter
from commonsnode.reserving import NOTE_CHARS_MAX
from commonsnode_protocol.bookings import Act, Rank, State
from commonsnode_protocol.commitments import AMOUNT_CHARS_MAX
from commonsnode_protocol.kinds import AGENT_TYPES, CONDITIONS
from commonsnode_protocol.kinds.lending import ASK, FEE, FREE

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
YES: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
RECORD: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "the id of a record"}
RECORD_OR_NULL: Schema = {**RECORD, "type": ["string", "null"]}
KEY: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "a key"}
KEY_OR_NULL: Schema = {**KEY, "type": ["string", "null"]}
NAME: Schema = {"type": ["string", "null"], "description": "how the person is called, for who may read it"}
PLACE_IN_LIST: Schema = {
    "type": ["integer", "null"],
    "minimum": 1,
    "description": "its place in the waiting list, where it is displaced",
}
WHEN: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": TIME_CHARS_MAX,
    "description": "a day (sat, tomorrow, 2026-12-05) or a time (sat 9:00, 2026-12-05T09:00, with a zone or in the thing's)",
}
AMOUNT: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": AMOUNT_CHARS_MAX,
    "description": "how many of several alike, as 2 or 0.5",
}
STATES = [state.value for state in State]
NOTE: Schema = {"type": "string", "maxLength": NOTE_CHARS_MAX}
RECORD_SAID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 32,
    "description": "the id of a record, or an unambiguous beginning",
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


_TERMS = _object(
    "Which terms of lending apply to who asked",
    "*",
    lent=YES,
    use={"type": "string", "enum": [FREE, FEE, ASK]},
    fee=TEXT,
    why={"type": "string", "description": "which rule says so"},
)
_NO_EFFECT = _object(
    "Written by somebody who may not: it has no effect",
    "*",
    act={"type": "string", "enum": [act.value for act in Act]},
    by=KEY,
    time=MOMENT,
)
_ROW: dict[str, Any] = {
    "id": RECORD,
    "community": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "lane": TEXT,
    "resource": RECORD,
    "title": {"type": "string", "description": "of the thing"},
    "from": MOMENT,
    "until": MOMENT,
    "all_day": YES,
    "zone": {"type": "string", "description": "in which the days are"},
    "amount": TEXT,
    "state": {"type": "string", "enum": STATES},
    "rank": {"type": "string", "enum": [rank.name.lower().replace("_", "-") for rank in Rank]},
    "by": {**KEY, "description": "who asked: the first key of that person"},
    "by_name": NAME,
    "type": {"type": "string", "description": "of who asked, for the terms"},
    "keeper": {**KEY_OR_NULL, "description": "of the thing"},
    "keeper_name": NAME,
    "mine": {"type": "boolean", "description": "whether who asks here asked for it"},
    "asked_of_me": {"type": "boolean", "description": "whether who asks here keeps the thing"},
    "overdue": YES,
    "waiting": PLACE_IN_LIST,
    "displaced_by": {"type": "array", "items": RECORD},
    "parts": {
        "type": "array",
        "description": "of a kit: the reservations of its parts; its own state is that of the whole",
        "items": _object(
            "",
            "*",
            id=RECORD,
            resource=RECORD,
            title=TEXT,
            amount=TEXT,
            state={"type": "string", "enum": STATES},
        ),
    },
    "part_of": {**RECORD_OR_NULL, "description": "the reservation of the kit with which this was asked for"},
    "extended_by": {
        "type": "array",
        "items": RECORD,
        "description": "asks by which this loan was made longer",
    },
    "terms": _TERMS,
    "no_effect": {"type": "array", "items": _NO_EFFECT},
    "note": TEXT_OR_NULL,
    "why": {"type": ["string", "null"], "description": "why it was declined or cancelled"},
    "asked": {"type": "string", "format": "date-time", "description": "when, by the clock of who asked"},
    "seen": {"type": "string", "format": "date-time", "description": "when this node first had it"},
    "unsent": {"type": "boolean", "description": "it waits on this node, and nobody else has it yet"},
}

RESERVATION_SHAPES: dict[str, Schema] = {
    "Reservation": _object("A use of a thing that somebody asked for, and what came of it", "*", **_ROW),
    "Reservations": _object(
        "By when they begin",
        "*",
        reservations={"type": "array", "items": ref("Reservation")},
        notices={
            "type": "array",
            "items": ref("ReservationNotice"),
            "description": "with the first page: what who asks here must be told",
        },
        cursor=TEXT_OR_NULL,
    ),
    "ReservationNotice": _object(
        "What somebody must be told of a reservation, until it is dealt with",
        "*",
        matter={"type": "string", "enum": [matter.value for matter in Matter]},
        reservation=RECORD,
        resource=RECORD,
        community={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        others={"type": "array", "items": RECORD, "description": "reservations that it has to do with"},
        text=TEXT,
    ),
    "Reserving": {
        **_object(
            "",
            "resource from",
            resource=RECORD_SAID,
            community={"type": "string", "maxLength": 256},
            until=WHEN,
            amount=AMOUNT,
            note=NOTE,
            type={
                "type": "string",
                "enum": list(AGENT_TYPES),
                "description": "of who asks, for the terms; a person, where nothing is said",
            },
            **{"from": WHEN},
        ),
        "description": "An ask",
    },
    "Reserved": _object(
        "What was asked for, and what came of it",
        "*",
        **_ROW,
        held={
            "type": ["string", "null"],
            "description": "why it is held here, where it cannot be sealed yet",
        },
        others={
            "type": "array",
            "description": "what others have reserved in that time, and who waits",
            "items": ref("Reservation"),
        },
    ),
    "ReservationActed": _object(
        "The reservation as it is now",
        "*",
        **_ROW,
        changed={"type": "boolean", "description": "false: it said so already"},
        held={
            "type": ["string", "null"],
            "description": "why it is held here, where it cannot be sealed yet",
        },
        displaces={
            "type": "array",
            "items": RECORD,
            "description": "reservations of others that stood, and do not any more",
        },
    ),
    "ReservationReason": _object("", "", why=NOTE),
    "ReservationMoment": _object("", "", at=WHEN),
    "ReservationNothing": _object("", ""),
    "ReservationExtending": _object("", "until", until=WHEN),
    "ReservationDamage": _object(
        "",
        "note",
        note={**NOTE, "minLength": 1},
        condition={"type": "string", "enum": list(CONDITIONS), "description": "how the thing is now"},
        at=WHEN,
    ),
    "ReservationDamaged": _object(
        "The event that tells of it",
        "*",
        id=RECORD,
        reservation=RECORD,
        resource=RECORD,
        condition=TEXT_OR_NULL,
        unsent=YES,
        held=TEXT_OR_NULL,
    ),
}
