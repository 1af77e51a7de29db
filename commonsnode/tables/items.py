"""A list of named values (JSON, YAML) as a table: a row an item, a column a name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from commonsnode.tables import headings as words
from commonsnode.tables.model import COLUMNS_MAX, Cells, Grid, Rejected, Row, TableError

Item: TypeAlias = tuple[int, Any]  # the line where it begins, or its position; what it is

DESCRIBING = frozenset(("$schema", "profile"))  # of JSON Schema and of Frictionless Data
_NAMES = ("name", "title", "hardware")  # what a person or an organisation within a value is called by


def grid_of(items: Sequence[Item]) -> Grid:
    """The table of these items. Raises TableError where there is none that has names."""
    names: dict[str, None] = {}
    for _, item in items:
        if isinstance(item, dict):
            names.update(dict.fromkeys(map(str, item)))
    if not names:
        raise TableError("is a list, but not of things with names and values")
    if len(names) > COLUMNS_MAX:
        raise TableError(f"has more than {COLUMNS_MAX} different names")
    headings = list(names)

    def rows() -> Iterator[Cells | Row | Rejected]:
        for line, item in items:
            if isinstance(item, dict):
                texts = {str(name): cell_text(value) for name, value in item.items()}
                yield line, [texts.get(name, "") for name in headings], None
            else:
                yield Rejected(line, "has no names and values")

    return Grid(None, headings, rows)


def grids_of(document: Mapping[str, Any]) -> list[Grid]:
    """The tables that lie in a document: its lists of things with names, each a table of its own.

    A document that describes another one has lists as well, which are none of things.
    """
    if not DESCRIBING.isdisjoint(document):
        return []
    grids = []
    for name, found in document.items():
        if isinstance(found, list) and any(isinstance(item, dict) for item in found):
            grid = grid_of(list(enumerate(found, start=1)))
            if any("title" in words.meanings(words.fold(heading)) for heading in grid.headings):
                grid.name = name
                grids.append(grid)
    return grids


def cell_text(value: Any) -> str:
    """A value as the text of a cell; of what is nested, the names in it."""
    return value if isinstance(value, str) else one_line(value)


def one_line(value: Any) -> str:
    """A value on one line: the names in tables and lists; what has none as `name: value`."""
    if isinstance(value, str):
        return " ".join(value.split())
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(filter(None, map(one_line, value)))
    if isinstance(value, dict):
        named = next((value[name] for name in _NAMES if isinstance(value.get(name), str)), None)
        if named is not None:
            return one_line(named)
        return "; ".join(f"{name}: {one_line(each)}" for name, each in value.items())
    return str(value)
