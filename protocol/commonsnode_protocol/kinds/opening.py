"""Opening hours as a value of a field: rules that recur (RFC 5545, section 3.3.10), closed days, a time zone.

What they mean, day by day, is decided where idle times are computed; here is their form.
"""

import re
from dataclasses import dataclass

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.values import (
    BadValue,
    Clock,
    Day,
    Either,
    ListOf,
    Map,
    Schema,
    Text,
    Whole,
    day_in,
)

RULES_MAX = 32
CLOSED_MAX = 400
OPENING_MINUTES_MAX = 7 * 24 * 60
RULE_CHARS_MAX = 200
ZONE_CHARS_MAX = 64
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")

_PART = re.compile(r"([A-Z]+)=([A-Z0-9,+\-]+)")
_TOO_FINE = frozenset(("BYHOUR", "BYMINUTE", "BYSECOND"))
_ZONE = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """On which days something recurs. Hours of the day stand beside the rule, so it never falls more than once a day."""

    words: str = "a recurrence rule of RFC 5545, as FREQ=WEEKLY;BYDAY=MO,SA"

    def check(self, value: Value) -> None:
        Text(RULE_CHARS_MAX).check(value)
        text = str(value).removeprefix("RRULE:")
        parts = [_PART.fullmatch(part) for part in text.split(";")]
        if not all(parts):
            raise BadValue(f"must be {self.words}")
        said = {part[1]: part[2] for part in parts if part}
        frequency = said.get("FREQ")
        if frequency in ("HOURLY", "MINUTELY", "SECONDLY") or _TOO_FINE & said.keys():
            raise BadValue("recurs more than once a day, which would be millions of times; give days here")
        if frequency not in FREQUENCIES:
            raise BadValue(f"needs FREQ=, one of {', '.join(FREQUENCIES)}")

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": RULE_CHARS_MAX, "description": self.words}


@dataclass(frozen=True, slots=True)
class DayOrDays:
    """A day, or the first and the last of several."""

    words: str = "a day, or a list of the first and the last day"

    def check(self, value: Value) -> None:
        if not isinstance(value, list):
            day_in(value)
            return
        if len(value) != 2:
            raise BadValue(f"must be {self.words}")
        if day_in(value[1]) < day_in(value[0]):
            raise BadValue("the last day is before the first")

    def schema(self) -> Schema:
        return {"type": ["string", "array"], "description": self.words}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone."""

    words: str = "the IANA name of a time zone, as America/Guayaquil"

    def check(self, value: Value) -> None:
        if not isinstance(value, str) or len(value) > ZONE_CHARS_MAX or not _ZONE.fullmatch(value):
            raise BadValue(f"must be {self.words}")

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": ZONE_CHARS_MAX, "description": self.words}


OPENING = Map(
    {
        "rrule": RecurrenceRule(),
        "start": Clock(),
        "end": Either((Clock(), Whole(1, OPENING_MINUTES_MAX, "minutes"))),
        "from": Day(),
    },
    required=("rrule", "start", "end"),
)
HOURS = Map({"rules": ListOf(OPENING, RULES_MAX), "closed": ListOf(DayOrDays(), CLOSED_MAX), "zone": Zone()})
