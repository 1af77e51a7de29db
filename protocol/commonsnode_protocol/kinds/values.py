"""The types that a declared field can have: what a value must be, and the same as JSON Schema.

A check raises BadValue at the first thing that is wrong, with where in the value it is. Nothing here changes a value.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeAlias

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES
from commonsnode_protocol.limits import TIME_MS_MAX

TEXT_CHARS_MAX = 65_536  # the changeset around it holds less
LINE_CHARS_MAX = 16_384  # of a title, a name
DECIMAL_DIGITS_MAX = 18
LIST_MAX = 1_024
KEY_BYTES = 32
HASH_BYTES = 32
MINUTES_MAX = 10 * 366 * 24 * 60  # ten years

Schema: TypeAlias = Mapping[str, Any]

_DIGITS = f"[0-9]{{1,{DECIMAL_DIGITS_MAX}}}"
_DECIMAL = re.compile(rf"{_DIGITS}(\.{_DIGITS})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HEX = frozenset("0123456789abcdef")


class BadValue(ValueError):
    """A value that its field cannot have. where: the way into the value, empty for all of it; problem: what it must be."""

    def __init__(self, problem: str, where: str = "") -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.where = where

    def below(self, name: str) -> "BadValue":
        """The same, seen from one level further out."""
        return BadValue(self.problem, f"{name}.{self.where}" if self.where else name)


class FieldType(Protocol):
    """What the values of a field must be."""

    @property
    def words(self) -> str:
        """What it is, for people."""

    def check(self, value: Value) -> None:
        """Raise BadValue unless `value` is of this type. Never called with None, which clears a field."""

    def schema(self) -> Schema:
        """JSON Schema of the value as the API writes it."""


def _hex_bytes(value: Value, size: int) -> bytes | None:
    if isinstance(value, bytes):
        return value if len(value) == size else None
    if isinstance(value, str) and len(value) == 2 * size and _HEX.issuperset(value.lower()):
        return bytes.fromhex(value)
    return None


def key_in(value: Value) -> bytes | None:
    """The key that a field names: as 32 bytes, or as a person types it, in 64 hexadecimal digits; None for anything else."""
    return _hex_bytes(value, KEY_BYTES)


def record_in(value: Value) -> bytes | None:
    """The record that a field names: as 16 bytes, or as 32 hexadecimal digits; None for anything else."""
    return _hex_bytes(value, RECORD_BYTES)


@dataclass(frozen=True, slots=True)
class Text:
    """Any text up to a length."""

    chars_max: int = TEXT_CHARS_MAX

    @property
    def words(self) -> str:
        return f"text, at most {self.chars_max} characters"

    def check(self, value: Value) -> None:
        if not isinstance(value, str):
            raise BadValue("must be text")
        if len(value) > self.chars_max:
            raise BadValue(f"has {len(value)} characters; {self.chars_max} at most")

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": self.chars_max}


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number that is not negative, as decimal text, so that 0.1 is 0.1; a whole number may also be an integer."""

    words: str = "a number as text, as 2 or 0.75"

    def check(self, value: Value) -> None:
        if type(value) is int and value >= 0:
            return
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise BadValue("must be a number that is not negative, with a point, as 2 or 0.75")

    def schema(self) -> Schema:
        return {"type": ["string", "integer"], "description": self.words}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int
    what: str = "a whole number"

    @property
    def words(self) -> str:
        return f"{self.what}, {self.least} to {self.most}"

    def check(self, value: Value) -> None:
        if type(value) is not int:
            raise BadValue(f"must be {self.what}")
        if not self.least <= value <= self.most:
            raise BadValue(f"must be {self.least} to {self.most}")

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most, "description": self.what}


MINUTES = Whole(0, MINUTES_MAX, "minutes")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: milliseconds since 1970, UTC."""

    words: str = "a time: milliseconds since 1970, UTC"

    def check(self, value: Value) -> None:
        if type(value) is not int or not 0 <= value <= TIME_MS_MAX:
            raise BadValue(f"must be a time in milliseconds since 1970, 0 to {TIME_MS_MAX}")

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": 0, "maximum": TIME_MS_MAX, "description": self.words}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def check(self, value: Value) -> None:
        if type(value) is not bool:
            raise BadValue("must be true or false")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words. free: another text is kept too, and means nothing to programs."""

    known: tuple[str, ...]
    free: bool = False

    @property
    def words(self) -> str:
        listed = ", ".join(f"`{word}`" for word in self.known)
        return f"{listed}; or other words, which are kept as they are" if self.free else f"one of {listed}"

    def check(self, value: Value) -> None:
        if self.free:
            Text(LINE_CHARS_MAX).check(value)
        elif value not in self.known:
            raise BadValue(f"must be one of {', '.join(self.known)}")

    def schema(self) -> Schema:
        if self.free:
            return {"type": "string", "maxLength": LINE_CHARS_MAX, "description": self.words}
        return {"type": "string", "enum": list(self.known)}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a person. named: where it is not known, a name may stand, which gives nobody a right."""

    named: bool = False

    @property
    def words(self) -> str:
        return "a key: 64 hexadecimal digits" + (
            "; or a name, which gives nobody a right" if self.named else ""
        )

    def check(self, value: Value) -> None:
        if key_in(value) is not None:
            return
        if not self.named or not isinstance(value, str):
            raise BadValue("must be a key: 64 hexadecimal digits")
        Text(LINE_CHARS_MAX).check(value)

    def schema(self) -> Schema:
        return {"type": ["string", "object"], "description": self.words}


@dataclass(frozen=True, slots=True)
class Record:
    """The id of another record."""

    words: str = "the id of a record: 32 hexadecimal digits"

    def check(self, value: Value) -> None:
        if record_in(value) is None:
            raise BadValue(f"must be {self.words}")

    def schema(self) -> Schema:
        return {"type": ["string", "object"], "description": self.words}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    words: str = "a day, as 2026-05-31"

    def check(self, value: Value) -> None:
        day_in(value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": self.words}


def day_in(value: Value) -> date:
    """The day that a text names. Raises BadValue, also where the calendar has no such day."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise BadValue("must be a day, as 2026-05-31")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadValue(f"{value} is no day of the calendar") from None


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day."""

    words: str = "a time of day, as 09:30"

    def check(self, value: Value) -> None:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise BadValue(f"must be {self.words}")

    def schema(self) -> Schema:
        return {"type": "string", "description": self.words}


@dataclass(frozen=True, slots=True)
class Either:
    """A value of any of these types."""

    types: tuple[FieldType, ...]

    @property
    def words(self) -> str:
        return ", or ".join(one.words for one in self.types)

    def check(self, value: Value) -> None:
        last = BadValue("")
        for one in self.types:
            try:
                return one.check(value)
            except BadValue as error:
                last = error
        if isinstance(value, list | dict):
            raise last
        raise BadValue(f"must be {self.words}")

    def schema(self) -> Schema:
        kinds: list[str] = []
        for one in self.types:
            said = one.schema().get("type", [])
            kinds += [kind for kind in ([said] if isinstance(said, str) else said) if kind not in kinds]
        return {"type": kinds, "description": self.words}


@dataclass(frozen=True, slots=True)
class ListOf:
    """Some values of one type."""

    item: FieldType
    count_max: int = LIST_MAX
    count_min: int = 0

    @property
    def words(self) -> str:
        return f"a list, each {self.item.words}"

    def check(self, value: Value) -> None:
        if not isinstance(value, list):
            raise BadValue("must be a list")
        if not self.count_min <= len(value) <= self.count_max:
            raise BadValue(f"must have {self.count_min} to {self.count_max} items")
        for index, item in enumerate(value):
            _within(self.item, item, str(index))

    def schema(self) -> Schema:
        counts = {"minItems": self.count_min, "maxItems": self.count_max}
        return {"type": "array", "items": self.item.schema(), **counts}


@dataclass(frozen=True, slots=True)
class Map:
    """Named values. Names that are not declared pass through, as unknown fields do. ascending: pairs in order."""

    known: Mapping[str, FieldType]
    required: tuple[str, ...] = ()
    ascending: Sequence[tuple[str, str]] = field(default=())

    @property
    def words(self) -> str:
        return "a map of " + ", ".join(f"`{name}`" for name in self.known)

    def check(self, value: Value) -> None:
        if not isinstance(value, dict):
            raise BadValue(f"must be a map, of {', '.join(self.known)}")
        for name in self.required:
            if value.get(name) is None:
                raise BadValue("is missing", name)
        for name, declared in self.known.items():
            if value.get(name) is not None:
                _within(declared, value[name], name)
        for less, more in self.ascending:
            a, b = value.get(less), value.get(more)
            if isinstance(a, int) and isinstance(b, int) and b < a:
                raise BadValue(f"is less than {less}", more)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {name: declared.schema() for name, declared in self.known.items()},
            **({"required": list(self.required)} if self.required else {}),
        }


@dataclass(frozen=True, slots=True)
class MapTo:
    """Values of one type by names that people choose."""

    item: FieldType
    count_max: int
    suggested: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        names = f" ({', '.join(self.suggested)}, …)" if self.suggested else ""
        return f"a map from a name{names} to {self.item.words}"

    def check(self, value: Value) -> None:
        if not isinstance(value, dict):
            raise BadValue("must be a map")
        if len(value) > self.count_max:
            raise BadValue(f"has {len(value)} entries; {self.count_max} at most")
        for name, item in value.items():
            _within(self.item, item, name)

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self.item.schema(), "description": self.words}


def _within(declared: FieldType, value: Value, name: str) -> None:
    try:
        declared.check(value)
    except BadValue as error:
        raise error.below(name) from None


def parts(declared: FieldType) -> Iterator[tuple[str, FieldType]]:
    """The named values inside a type, one level down: for documentation."""
    known = getattr(declared, "known", None)
    if isinstance(known, Mapping):
        yield from known.items()
    elif isinstance(declared, ListOf | MapTo):
        yield from parts(declared.item)
