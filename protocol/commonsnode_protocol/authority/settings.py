"""Tables and the settings of a charter.  SPEC.md, "Charter" and "Tables" (rules 5, 8 and 9).

A setting that is left out, or not of its form, is at its default: so a charter never becomes invalid by a field that a
later version writes otherwise. Only the name is needed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import VERSION
from commonsnode_protocol.limits import LATITUDE_MAX, LONGITUDE_MAX

NAME_BYTES_MAX = 256
STEWARDS_MAX = 64
LANGUAGES_MAX = 16
LANGUAGE_BYTES_MAX = 35  # BCP 47, section 4.4.1
LICENCE_BYTES_MAX = 256
PLACE_BYTES_MAX = 256
LENDING_MAX = 32  # rules of lending that a charter may set
ZONE_CHARS_MAX = 64
SHARE_MAX = 1_000  # numerator and denominator of a share
GRID_M, GRID_M_MAX = 1_000, 100_000  # of blurred places, in metres
KNOWN_VERSIONS = frozenset({VERSION})

ZONE_FORM = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")
"""Of the IANA name of a time zone. Which there are is another matter: it changes every year."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a community is: 1e-7 degrees, and the name by which people know it."""

    latitude: int
    longitude: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a charter lays down beside its name, and certificates change."""

    languages: tuple[str, ...] = ()
    place: Place | None = None
    members_only: bool = False  # reading: "members"; else everybody reads what is public
    quorum: int | None = None  # signatures that a certificate needs; none: the default of rule 9
    lending: Mapping[str, Value] = field(default_factory=dict)
    licence: str = ""
    newcomers_read_past: bool = True
    share: tuple[int, int] = (2, 3)  # of the members, for a succession
    zone: str = ""  # the IANA name of its time zone; none: each node's own
    grid_m: int = GRID_M  # of the places that everybody sees; 0: they are exact
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Table:
    """The ordered stewards with the charter's settings (rule 8). Table 0 is the charter."""

    id: bytes
    name: str
    stewards: tuple[bytes, ...]
    settings: Settings = field(default_factory=Settings)
    parent: bytes | None = None  # none: table 0


def name_of(values: Mapping[str, Value]) -> str | None:
    """The community's name, or None where it is not 1 to 256 bytes of text."""
    name = values.get("name")
    return name if type(name) is str and 1 <= len(name.encode()) <= NAME_BYTES_MAX else None


def settings_of(values: Mapping[str, Value]) -> Settings:
    """Read the settings among the fields of a charter or certificate."""
    quorum, share, version = values.get("quorum"), values.get("share"), values.get("version")
    lending, past, grid = values.get("lending"), values.get("newcomers_read_past"), values.get("grid")
    return Settings(
        languages=_languages(values.get("languages")),
        place=_place(values.get("place")),
        members_only=values.get("reading") == "members",
        quorum=quorum if type(quorum) is int and 1 <= quorum <= STEWARDS_MAX else None,
        lending=lending if isinstance(lending, dict) and len(lending) <= LENDING_MAX else {},
        licence=_text(values.get("licence"), LICENCE_BYTES_MAX),
        newcomers_read_past=past if type(past) is bool else True,
        share=_share(share),
        zone=_zone(values.get("zone")),
        grid_m=grid if type(grid) is int and 0 <= grid <= GRID_M_MAX else GRID_M,
        version=version if type(version) is int and version >= 1 else VERSION,
    )


def fields_of(settings: Settings) -> dict[str, Value]:
    """The fields that say these settings; what is at its default is left out."""
    fields: dict[str, Value] = {}
    if settings.languages:
        fields["languages"] = list(settings.languages)
    if settings.place is not None:
        place = settings.place
        fields["place"] = {"lat": place.latitude, "lon": place.longitude, "name": place.name}
    if settings.members_only:
        fields["reading"] = "members"
    if settings.quorum is not None:
        fields["quorum"] = settings.quorum
    if settings.lending:
        fields["lending"] = dict(settings.lending)
    if settings.licence:
        fields["licence"] = settings.licence
    if not settings.newcomers_read_past:
        fields["newcomers_read_past"] = False
    if settings.share != (2, 3):
        fields["share"] = list(settings.share)
    if settings.zone:
        fields["zone"] = settings.zone
    if settings.grid_m != GRID_M:
        fields["grid"] = settings.grid_m
    if settings.version != VERSION:
        fields["version"] = settings.version
    return fields


def _text(value: Value, bytes_max: int) -> str:
    return value if type(value) is str and len(value.encode()) <= bytes_max else ""


def _zone(value: Value) -> str:
    zone = _text(value, ZONE_CHARS_MAX)
    return zone if ZONE_FORM.fullmatch(zone) else ""


def _languages(value: Value) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > LANGUAGES_MAX:
        return ()
    languages = [_text(item, LANGUAGE_BYTES_MAX) for item in value]
    return tuple(languages) if all(languages) else ()


def _place(value: Value) -> Place | None:
    if not isinstance(value, dict):
        return None
    latitude, longitude = value.get("lat"), value.get("lon")
    if type(latitude) is not int or type(longitude) is not int:
        return None
    if abs(latitude) > LATITUDE_MAX or abs(longitude) > LONGITUDE_MAX:
        return None
    return Place(latitude, longitude, _text(value.get("name"), PLACE_BYTES_MAX))


def _share(value: Value) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2:
        part, whole = value
        if type(part) is int and type(whole) is int and 1 <= part <= whole <= SHARE_MAX:
            return part, whole
    return 2, 3
