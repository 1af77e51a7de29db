"""Import and export of tables: CSV, XLSX, GeoJSON and JSON Lines.  Pure functions over bytes and files.

`open_table` finds out what a file is, maps its headings to fields, and yields rows; `write_table` writes records. Each name is
loaded when it is first asked for: a daemon needs the JSON form of values alone, and starts a tenth sooner without the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from commonsnode_protocol.canonical import Value

if TYPE_CHECKING:
    from commonsnode.tables.model import Record, Rejected, Row, Sheet, TableError
    from commonsnode.tables.reading import open_table
    from commonsnode.tables.writing import Format, write_table

__all__ = [
    "Format",
    "Record",
    "Rejected",
    "Row",
    "Sheet",
    "TableError",
    "Value",
    "open_table",
    "write_table",
]

_MODULES = {
    **dict.fromkeys(("Record", "Rejected", "Row", "Sheet", "TableError"), "model"),
    "open_table": "reading",
    **dict.fromkeys(("Format", "write_table"), "writing"),
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
