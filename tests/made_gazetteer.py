"""A gazetteer of a few towns, as the package of the extra writes it."""

import json
from pathlib import Path
from typing import Any

from commonsnode.asking.gazetteer import COUNTRIES_FILE, TOWNS_FILE, Gazetteer

COUNTRIES = {
    "EC": {"name": "Ecuador"},
    "DE": {"name": "Germany"},
    "US": {"name": "United States"},
    "ES": {"name": "Spain"},
}


def entry(name: str, country: str, people: int, region: str = "01", **more: Any) -> dict[str, Any]:
    """As the package writes it."""
    return {
        "geonameid": 0,
        "name": name,
        "latitude": 0.29947,
        "longitude": -78.26565,
        "countrycode": country,
        "population": people,
        "timezone": "America/Guayaquil",
        "admin1code": region,
        "alternatenames": [],
        **more,
    }


def gazetteer(folder: Path, *towns: dict[str, Any]) -> Gazetteer:
    numbered = {str(n): {**town, "geonameid": n} for n, town in enumerate(towns, start=1)}
    (folder / TOWNS_FILE).write_text(json.dumps(numbered))
    (folder / COUNTRIES_FILE).write_text(json.dumps(COUNTRIES))
    return Gazetteer(folder)
