"""The made-up valley of `commonsnode demo`: its villages, and what each of them has.

The inventory is in valley.csv beside this file. Villages, people and places are invented.
"""

import csv
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from commonsnode_cli.words import place

COMMUNITY = "Yanamayu valley"
VILLAGES = ("Rumipata", "Sachawasi", "Tambo Alto")
COPIED = ("title", "description", "condition", "keeper", "amount", "unit")


def import_lines(village: str) -> Iterator[bytes]:
    """The things of one village, as the daemon takes an import: its first line, then a line a thing."""
    things = list(_things(village))
    columns = sorted({name for thing in things for name in thing})
    yield _line({"source": f"demo/{village}", "mapping": {}, "columns": columns})
    for number, fields in enumerate(things, start=1):
        yield _line({"line": number, "key": fields["title"], "fields": fields})


def _things(village: str) -> Iterator[dict[str, Any]]:
    table = files("commonsnode_cli").joinpath("valley.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        if row["village"] == village:
            fields: dict[str, Any] = {name: row[name] for name in COPIED if row[name]}
            fields |= {f"tag:{tag}": True for tag in row["tags"].split()}
            yield fields | {"place": {**place(f"{row['lat']},{row['lon']}"), "name": village}}


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
