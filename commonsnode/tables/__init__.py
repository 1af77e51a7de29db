"""Import and export of tables: CSV, XLSX, GeoJSON and JSON Lines.  Pure functions over bytes and files.

`open_table` finds out what a file is, maps its headings to fields, and yields rows; `write_table` writes records.
"""

from commonsnode.tables.model import Record, Rejected, Row, Sheet, TableError
from commonsnode.tables.reading import open_table
from commonsnode.tables.writing import Format, write_table
from commonsnode_protocol.canonical import Value

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
