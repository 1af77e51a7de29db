"""What a person types as values: `field=value`, `field:=JSON`, `LAT,LON`.

The forms of the fields are HTTPie's (https://httpie.io/docs/cli/request-items): `=` for text, `:=` for anything else.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from commonsnode_cli.failures import Refused, WrongUsage

KEY_DIGITS = 64
DEGREE = 10_000_000  # coordinates are whole numbers of 1e-7 degrees
LATITUDE_MAX, LONGITUDE_MAX = 90, 180

_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?")
_PAIR = re.compile(rf"\s*{_DEGREES.pattern}\s*,\s*{_DEGREES.pattern}\s*")

Fields = dict[str, Any]


def fields(words: Iterable[str]) -> Fields:
    """The fields that the words set, as the API takes them; None clears one. Raises WrongUsage."""
    result: Fields = {}
    for word in words:
        name, value = _field(word)
        if name in result:
            raise WrongUsage(f"the field {name} is given twice")
        result[name] = value
    return result


def whole_key(text: str, of: str = "node", shown_by: str = "commonsnode id") -> str:
    """A key in full. of, shown_by: whose it should be, and which command shows it. Raises WrongUsage."""
    lower = text.lower()
    if len(lower) != KEY_DIGITS or not set(lower) <= set("0123456789abcdef"):
        raise WrongUsage(
            f"{text!r} is no id of a {of}: that has {KEY_DIGITS} hexadecimal digits, as `{shown_by}` prints them"
        )
    return lower


def record_id(text: str) -> str:
    """The id of a record or the beginning of one. Raises WrongUsage."""
    if not text or not set(text.lower()) <= set("0123456789abcdef"):
        raise WrongUsage(
            f"{text!r} is no id: that has hexadecimal digits only, as `list` and `add` print them"
        )
    return text.lower()


def place(text: str) -> dict[str, int]:
    """`LAT,LON` in decimal degrees as whole numbers of 1e-7 degrees, exactly. Raises WrongUsage, and Refused where that is not on earth."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(map(_DEGREES.fullmatch, parts)):
        raise WrongUsage(
            f"{text!r} is no place: write LAT,LON in decimal degrees with a point, as in --at -0.35,-78.12"
        )
    latitude, longitude = (Decimal(part) for part in parts)
    if abs(latitude) > LATITUDE_MAX and abs(longitude) <= LATITUDE_MAX:
        raise Refused(
            f"the latitude {latitude} is outside -90 to 90: are the two swapped? Latitude comes first (LAT,LON)"
        )
    if abs(latitude) > LATITUDE_MAX:
        raise Refused(f"the latitude {latitude} is outside -90 to 90")
    if abs(longitude) > LONGITUDE_MAX:
        raise Refused(f"the longitude {longitude} is outside -180 to 180")
    return {"lat": round(latitude * DEGREE), "lon": round(longitude * DEGREE)}


def moved(old: Any, to: dict[str, int]) -> Any:
    """A place moved `to` where it is now; its name, and whatever else it says, stay."""
    return {**old, **to} if isinstance(old, dict) and "lat" in old else to


def text(value: str, what: str) -> str:
    """A text of the command line. Raises WrongUsage where it is not valid in the terminal's encoding."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WrongUsage(f"{what} has bytes that are no text in this terminal's encoding") from None
    return value


def _field(word: str) -> tuple[str, Any]:
    name, equals, given = text(word, "a field").partition("=")
    typed = name.endswith(":")
    name = name.removesuffix(":") if typed else name
    if not equals or not name:
        raise WrongUsage(f"{word!r} is no field: write field=value, field= to clear it, or field:=JSON")
    if typed:
        return name, _json(name, given)
    if not given:
        return name, None
    if name.startswith("tag:"):
        if given not in ("true", "false"):
            raise WrongUsage(f"a tag is true or false, as in {name}=true; {name}= clears it")
        return name, given == "true"
    if name == "place" and _PAIR.fullmatch(given):
        return name, place(given)
    return name, given


def _json(name: str, given: str) -> Any:
    from commonsnode.tables.json_form import JsonFormError, decode_value, encode_value, parse

    try:
        return encode_value(decode_value(parse(given)))
    except JsonFormError as error:
        raise WrongUsage(f"{name}:={given}: {error}; for a text write {name}={given}") from None
