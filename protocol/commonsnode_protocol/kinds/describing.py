"""The declared kinds as a page of documentation: docs/KINDS.md is what this says."""

from collections.abc import Iterator

from commonsnode_protocol.kinds.categories import CATEGORIES
from commonsnode_protocol.kinds.declared import KINDS, Field, Kind
from commonsnode_protocol.kinds.units import UNITS
from commonsnode_protocol.kinds.values import parts

HEAD = """# Kinds of records

Made from `protocol/commonsnode_protocol/kinds/` (`python -m commonsnode_protocol.kinds > docs/KINDS.md`); a test sees that it is current.

What a person types is checked against this page. What comes from peers is not: unknown kinds and fields pass through untouched,
and a value of another form means nothing. No field is required. Ids and keys may be written as hexadecimal digits or as bytes.
Cells of an import that fit no field are kept as `x:<heading>`.
"""


def page() -> str:
    """All kinds, categories and units, as Markdown."""
    return "\n".join((HEAD, *(line for kind in KINDS.values() for line in _kind(kind)), *_tables())) + "\n"


def _kind(kind: Kind) -> Iterator[str]:
    yield f"## {kind.name}"
    yield ""
    yield f"{kind.label[0].upper()}{kind.label[1:]}. Valueflows: `{kind.valueflows}`."
    yield ""
    yield "| field | what it says | value | Valueflows |"
    yield "|---|---|---|---|"
    for field in kind.fields.values():
        yield from _rows(field, field.name)
    for field in kind.families.values():
        yield from _rows(field, f"{field.name}:…")
    yield ""
    for begin, end in kind.ascending:
        yield f"`{end}` is after `{begin}`."
        yield ""


def _rows(field: Field, name: str) -> Iterator[str]:
    searched = " (searched)" if field.searched else ""
    valueflows = f"`{field.valueflows}`" if field.valueflows else "–"
    yield f"| `{name}` | {field.label}{searched} | {field.type.words} | {valueflows} |"
    for part, declared in parts(field.type):
        yield f"| · `{part}` | | {declared.words} | |"


def _tables() -> Iterator[str]:
    yield "## Categories"
    yield ""
    yield "| id | English | Spanish | Portuguese | French | process (Open Know-Where) |"
    yield "|---|---|---|---|---|---|"
    for category in CATEGORIES.values():
        yield f"| `{category.id}` | {' | '.join(category.labels.values())} | {category.process or '–'} |"
    yield ""
    yield "## Units"
    yield ""
    yield "| code (om2) | unit | symbol | dimension |"
    yield "|---|---|---|---|"
    for unit in UNITS.values():
        yield f"| `{unit.code}` | {unit.label} | {unit.symbol or '–'} | {unit.dimension} |"
