"""Made-up things of a made-up region: some 300 bytes of JSON each, the same ones for the same seed."""

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

Fields: TypeAlias = dict[
    str, object
]  # as an import gives them: the place is a map of integers in 1e-7 degrees

SEED = 20_261
COLUMNS = (
    "title",
    "description",
    "category",
    "lat",
    "lon",
    "amount",
    "unit",
    "condition",
    "x:serial number",
    "x:bought",
    "x:shelf",
)
CENTRE = (-0.35, -78.12)
SPREAD_DEGREES = 1.5


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MAKES = ("steel", "wooden", "cordless", "two-handed", "folding", "electric", "small", "heavy", "old", "long")
_NAMES = _words(
    "drill auger ladder saw plough harrow pump trailer press mixer loom kiln lathe grinder winch tent projector stove "
    "scale sprayer chisel wheelbarrow generator jack welder vice scythe mower compressor sieve mill dryer hammer spade "
    "router plane extractor incubator tripod amplifier megaphone canopy bench freezer kettle anvil"
)
_CATEGORIES = _words(
    "garden wood metal kitchen field transport building textile sound children repair water seed energy medical "
    "office sport camp music animals"
)
_CONDITIONS = ("good", "good", "good", "worn", "needs care", "new", "broken")
_UNITS = ("piece", "piece", "set", "kg", "m", "l")
_WORDS = _words(
    "comes with its case and a spare part the handle was replaced last spring keep it dry and bring back clean only for "
    "people who were shown how ask the keeper first works best with two lent for one week at most fuel is not included "
    "needs oil before each use heavy so bring a cart the manual lies inside belongs to all of us do not leave outside "
    "in rain sharp edges wear gloves charge the battery overnight fits most sizes missing one screw but safe"
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def things(count: int, seed: int = SEED) -> Iterator[Fields]:
    """`count` things. Each title ends in a word that hardly another has."""
    chance = random.Random(seed)
    for number in range(count):
        rare = "".join(chance.choices(_LETTERS, k=7))
        yield {
            "title": f"{chance.choice(_MAKES)} {chance.choice(_NAMES)} {rare}",
            "description": " ".join(chance.choices(_WORDS, k=14)),
            "category": chance.choice(_CATEGORIES),
            "place": {
                "lat": round((CENTRE[0] + chance.gauss(0, SPREAD_DEGREES / 3)) * 1e5) * 100,
                "lon": round((CENTRE[1] + chance.gauss(0, SPREAD_DEGREES / 3)) * 1e5) * 100,
            },
            "amount": str(chance.randint(1, 12)),
            "unit": chance.choice(_UNITS),
            "condition": chance.choice(_CONDITIONS),
            "x:serial number": f"{number:06d}-{chance.randrange(10_000):04d}",
            "x:bought": f"{chance.randint(2009, 2026)}-{chance.randint(1, 12):02d}",
            "x:shelf": f"{chance.choice('ABCDEFGH')}{chance.randint(1, 40)}",
        }


def json_bytes(fields: Fields) -> int:
    """The length of a thing as compact JSON, UTF-8."""
    return len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())


def write_csv(path: Path, count: int) -> None:
    """The same things as a file to import, one row each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for thing in things(count):
            place = thing["place"]
            assert isinstance(place, dict)
            cells = {**thing, "lat": f"{place['lat'] / 1e7:.5f}", "lon": f"{place['lon'] / 1e7:.5f}"}
            rows.writerow([cells[column] for column in COLUMNS])
