"""Time zones: what a community's charter says, else what the clock of this machine is set to."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from commonsnode_protocol.authority import Settings

LOCALTIME = Path("/etc/localtime")
UTC_NAMES = ("UTC", "Etc/UTC", "UCT", "Etc/UCT", "Universal", "Etc/Universal", "Zulu", "Etc/Zulu")
_FOLDER = "zoneinfo/"


@cache
def zone_called(name: str) -> tzinfo | None:
    """The zone of an IANA name; None where there is no such."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def zone_of(settings: Iterable[Settings | None]) -> tzinfo:
    """The zone that all these charters agree in; else the machine's."""
    names = {one.zone for one in settings if one is not None}
    zone = zone_called(names.pop()) if len(names) == 1 else None
    return zone if zone is not None else machine_zone()


def machine_zone(environment: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> tzinfo:
    """What `TZ` says, else /etc/localtime, with its changes of summer time; UTC where neither says it."""
    name = environment.get("TZ", "").removeprefix(":")
    if name:
        return zone_called(name) or UTC
    try:
        _, found, name = str(localtime.resolve(strict=True)).partition(_FOLDER)
        zone = zone_called(name) if found else None
        if zone is not None:
            return zone
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


def machine_zone_name(environment: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> str | None:
    """The IANA name of that zone; None where it has none, or is UTC, to which machines are set that nobody set."""
    zone = machine_zone(environment, localtime)
    name = zone.key if isinstance(zone, ZoneInfo) else None
    return name if name not in UTC_NAMES else None
