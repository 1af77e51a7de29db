"""Opening hours as a value of a field: rules that recur (RFC 5545, section 3.3.10), closed days, a time zone.

What they mean, and so whether they can be followed, is decided in one place, `idle`; here are their names and types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from commonsnode_protocol.authority.settings import ZONE_CHARS_MAX, ZONE_FORM
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.idle import CLOSED_MAX, OPENING_MINUTES_MAX, RULES_MAX, BadHours, spans
from commonsnode_protocol.kinds.values import (
    BadValue,
    Clock,
    Day,
    FieldType,
    ListOf,
    Map,
    Schema,
    Text,
    Whole,
    day_in,
)
from commonsnode_protocol.recurrence import RULE_TEXT_MAX

_FIELD = "hours."  # how `idle` begins the names of the parts


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
        if not isinstance(value, str) or len(value) > ZONE_CHARS_MAX or not ZONE_FORM.fullmatch(value):
            raise BadValue(f"must be {self.words}")

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": ZONE_CHARS_MAX, "description": self.words}


_OPENING = Map(
    {
        "rrule": Text(RULE_TEXT_MAX),
        "start": Clock("a time of day, as 09:30; nothing: midnight"),
        "end": Clock("a time of day, up to 24:00; one before `start` is on the next day"),
        "minutes": Whole(1, OPENING_MINUTES_MAX, "how long it is open, in place of `end`, in minutes"),
        "from": Day("the first day; intervals and counts are counted from it"),
    },
    required=("rrule",),
)
_FORM = Map({"rules": ListOf(_OPENING, RULES_MAX), "closed": ListOf(DayOrDays(), CLOSED_MAX), "zone": Zone()})


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When something is open."""

    words: str = _FORM.words

    @property
    def known(self) -> Mapping[str, FieldType]:
        """The named values inside."""
        return _FORM.known

    def check(self, value: Value) -> None:
        if not isinstance(value, dict):
            raise BadValue(f"must be a map, of {', '.join(_FORM.known)}")
        if value.get("zone") is not None:
            try:
                Zone().check(value["zone"])
            except BadValue as error:
                raise error.below("zone") from None
        try:
            spans(value, 0, 1, UTC)  # reads every rule; how long a window does not matter
        except BadHours as error:
            raise BadValue(error.problem, error.field.removeprefix(_FIELD)) from None

    def schema(self) -> Schema:
        return _FORM.schema()


HOURS = OpeningHours()
