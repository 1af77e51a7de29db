"""Take a file of people into a community: rows are read here and go to the daemon while they are read.

So two processes work at once, and neither ever holds the file's rows together.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commonsnode.tables import Rejected, Row, Sheet, TableError, open_table
from commonsnode.tables.columns import check_targets
from commonsnode.tables.json_form import encode_value
from commonsnode_cli.client import Client, Document, problem_of
from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.progress import Step

STEP_ROWS = 500  # between two looks at the progress, which cost more than a row
PLACE_TARGETS = frozenset(("place", "lat", "lon", "latlon", "lonlat", "geometry"))
ODD_TARGETS = frozenset(
    ("amount", "lat", "lon", "latlon", "lonlat", "geometry")
)  # odd cells of these go to x:<heading>
MAP_SUFFIXES = (".geojson", ".json")  # their places have no heading
NO_FIELD = frozenset(("-", "key"))
TAGS = "tag:"  # what the node calls a column of tags

# Made once: json.dumps makes one for each row, which is a tenth of the work here.
_to_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for. mapping: heading → target; kind None: as each thing is here, or as the row looks."""

    file: Path
    community: str
    mapping: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    source: str | None = None
    kind: str | None = None
    dry_run: bool = False
    exact_places: bool | None = None


@dataclass(slots=True)
class Taken:
    """What an import of one table did, or would do. rejected: by the reader and by the daemon, in the file's order."""

    sheet: Sheet
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    waiting: bool = False
    rejected: list[Rejected] = field(default_factory=list)
    blurred: int = 0
    notices: list[str] = field(default_factory=list)
    gone: list[Document] = field(
        default_factory=list
    )  # things that the table named before, and names no more


def wished_mapping(words: Iterable[str]) -> dict[str, str]:
    """`Heading=field` of --map; the last equals sign parts them. Raises WrongUsage."""
    mapping: dict[str, str] = {}
    for word in words:
        heading, equals, target = word.rpartition("=")
        if not equals or not heading or not target:
            raise WrongUsage(f"--map {word!r}: write --map 'Heading=field', as in --map 'Nombre=title'")
        mapping[heading] = target
    try:
        check_targets(mapping)
    except TableError as error:
        raise WrongUsage(str(error)) from error
    return mapping


def open_file(wish: Wish) -> list[Sheet]:
    """The tables of a file, with their headings mapped. Raises Refused with one line about the file."""
    try:
        return open_table(wish.file, source=wish.source, key=wish.key, mapping=wish.mapping)
    except TableError as error:
        raise Refused(str(error)) from error


def take_in(node: Client, sheet: Sheet, wish: Wish, step: Step) -> Taken:
    """Send the rows of one table and wait until they are durable. Raises Refused, NoNode, Lost."""
    taken = Taken(sheet)
    lines = _lines(sheet, wish, taken, step)
    for answer in node.upload(f"/communities/{wish.community}/import", lines):
        if "progress" in answer:
            step(answer["progress"], answer.get("of"))
        elif "problem" in answer:
            raise problem_of(answer["problem"])
        elif "result" in answer:
            _add(taken, answer["result"])
            return taken
    raise Refused("the node ended the import without a result; its log says why")


def _lines(sheet: Sheet, wish: Wish, taken: Taken, step: Step) -> Iterator[bytes]:
    yield _line(
        {
            "source": sheet.source,
            "source_given": wish.source is not None,
            "kind": wish.kind,
            "mapping": sheet.mapping,
            "dry_run": wish.dry_run,
            "exact_places": wish.exact_places,
            "columns": sorted({*columns(sheet.mapping, wish.file.suffix), *sheet.also}),
        }
    )
    for number, row in enumerate(_checked(sheet.rows), start=1):
        if number % STEP_ROWS == 0:
            step(number, None)
        if isinstance(row, Rejected):
            taken.rejected.append(row)
        else:
            yield _line(_document(row))


def columns(mapping: dict[str, str], suffix: str) -> list[str]:
    """The fields that a row of such a table can set, and which an empty cell therefore clears."""
    found = {"place"} if suffix.lower() in MAP_SUFFIXES else set()
    for heading, target in mapping.items():
        if target in PLACE_TARGETS:
            found.add("place")
        elif target == "tags":
            found.add(TAGS)
        elif target not in NO_FIELD:
            found.add(target)
        if target in ODD_TARGETS:
            found.add(f"x:{heading}")
    return sorted(found)


def _checked(rows: Iterator[Row | Rejected]) -> Iterator[Row | Rejected]:
    try:
        yield from rows
    except TableError as error:
        raise Refused(str(error)) from error


def _document(row: Row) -> Document:
    fields = {
        name: value if type(value) is str else encode_value(value) for name, value in row.fields.items()
    }
    if row.record is None:
        return {"line": row.line, "key": row.key, "kind": row.kind, "fields": fields}
    return {
        "line": row.line,
        "record": row.record.hex(),
        "kind": row.kind,
        "lane": row.lane,
        "fields": fields,
    }


def _line(document: Document) -> bytes:
    return _to_json(document).encode() + b"\n"


def _add(taken: Taken, result: dict[str, Any]) -> None:
    taken.added = result["added"]
    taken.changed = result["changed"]
    taken.unchanged = result["unchanged"]
    taken.waiting = bool(result.get("waiting"))
    taken.blurred = result.get("blurred", 0)
    taken.notices = list(result.get("notices", ()))
    taken.gone = list(result.get("gone", ()))
    taken.rejected += [Rejected(bad["line"], bad["reason"]) for bad in result["rejected"]]
    taken.rejected.sort(key=lambda bad: bad.line)
