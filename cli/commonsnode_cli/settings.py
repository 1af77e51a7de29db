"""The settings of a charter, as people type them: `key=value`."""

from collections.abc import Iterable
from typing import Any

from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.words import fields, place, text

KEYS = (
    "name",
    "languages",
    "place",
    "reading",
    "quorum",
    "licence",
    "newcomers_read_past",
    "share",
    "zone",
    "grid",
)
READING = ("public", "members")
NUMBER_DIGITS_MAX = 6


def settings(words: Iterable[str]) -> dict[str, Any]:
    """The settings that these words name, as the API takes them; None sets one back to its default. Raises WrongUsage."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = text(word, "a setting").partition("=")
        if not equals or key not in KEYS:
            raise WrongUsage(f"{word!r} is no setting: write KEY=VALUE with a KEY of {', '.join(KEYS)}")
        if key in found:
            raise WrongUsage(f"the setting {key} is given twice")
        found[key] = setting(key, value) if value else None
    return found


def rules(before: dict[str, Any], words: Iterable[str]) -> dict[str, Any]:
    """The rules of lending `before`, with those that these words set or (`rule=`) take away. Raises WrongUsage."""
    found = {**before, **fields(words)}
    return {name: value for name, value in found.items() if value is not None}


def setting(key: str, value: str) -> Any:
    """One setting of a charter. Raises WrongUsage."""
    match key:
        case "languages":
            return [part.strip() for part in value.split(",")]
        case "place":
            return _place(value)
        case "reading" if value not in READING:
            raise WrongUsage(f"reading is {' or '.join(READING)}, not {value!r}")
        case "quorum" | "grid":
            return _number(key, value)
        case "newcomers_read_past":
            if value not in ("yes", "no"):
                raise WrongUsage(f"newcomers_read_past is yes or no, not {value!r}")
            return value == "yes"
        case "share":
            part, slash, whole = value.partition("/")
            if not slash:
                raise WrongUsage(f"a share is written as 2/3, not {value!r}")
            return [_number(key, part), _number(key, whole)]
        case _:
            return value


def lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The settings of a charter for people."""
    from commonsnode_cli.wording import value_text

    place_text = value_text("place", found["place"]) if found["place"] is not None else ""
    part, whole = found["share"]
    rows = [
        ("languages", ", ".join(found["languages"])),
        ("place", place_text),
        ("time zone", found["zone"]),
        ("reading", "everybody" if found["reading"] == "public" else "members only"),
        ("licence", found["licence"]),
        (
            "quorum",
            f"{found['quorum']} signatures"
            if found["quorum"] is not None
            else "of three or more stewards a majority",
        ),
        ("newcomers", "read the past" if found["newcomers_read_past"] else "do not read the past"),
        ("election", f"{part} of {whole} members can name a new steward"),
        (
            "places",
            f"to {found['grid']} m for others than members" if found["grid"] else "exact for everybody",
        ),
    ]
    rows += [("lending", f"{name} {value_text(name, value)}") for name, value in found["lending"].items()]
    return [(label, value) for label, value in rows if value]


def _place(value: str) -> dict[str, Any]:
    # LAT,LON or LAT,LON,NAME
    latitude, _, rest = value.partition(",")
    longitude, _, name = rest.partition(",")
    found: dict[str, Any] = {**place(f"{latitude},{longitude}")}
    if name.strip():
        found["name"] = name.strip()
    return found


def _number(key: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or len(value) > NUMBER_DIGITS_MAX:
        raise WrongUsage(f"{key}: {value!r} is no whole number")
    return int(value)
