"""Excel workbooks: each sheet a source of its own, values as a person reads them."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from openpyxl import Workbook

from commonsnode.tables import TableError, open_table, workbook
from table_readings import Read

Sheets: TypeAlias = Callable[..., list[Read]]


def made(*sheets: tuple[str, list[Any]], change: Callable[[Workbook], None] | None = None) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_each_sheet_is_a_source_of_its_own(sheets: Sheets) -> None:
    content = made(
        ("Tools", [["Item Name", "Category", "Description/Contents"], ["Drill", "Home", "with bits"]]),
        (
            "Directory",
            [["Library", "Location", "Website", "Notes"], ["Morse", "Natick, MA", "https://a.org", "big"]],
        ),
    )
    tools, directory = sheets(content, source="minuteman")
    assert (tools.sheet.source, directory.sheet.source) == ("minuteman/Tools", "minuteman/Directory")
    assert tools.fields == [{"title": "Drill", "category": "Home", "description": "with bits"}]
    assert directory.mapping == {
        "Library": "title",
        "Location": "place",
        "Website": "website",
        "Notes": "description",
    }


def test_hidden_and_empty_sheets_are_left_out_and_said(sheets: Sheets) -> None:
    def hide(book: Workbook) -> None:
        book["Old"].sheet_state = "hidden"

    rows = [["Name", "Qty"], ["Saw", 1]]
    (read,) = sheets(made(("Tools", rows), ("Old", rows), ("Empty", []), change=hide))
    assert read.sheet.notices == ("sheet 'Old' is hidden: left out", "sheet 'Empty' is empty: left out")


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (355030885000091, "General", "355030885000091"),
        (4.0, "General", "4"),
        (2.5, "0.00", "2.5"),
        (0.1 + 0.2, "General", "0.3"),
        (4.27335427525861e-07, "0.000E+00", "0.000000427335427525861"),
        (6.37702e15, "General", "6377020000000000"),
        (0.29, "0%", "0.29"),
        (12.5, "#,##0.00 €", "12.5"),
        (date(2024, 5, 1), "dd/mm/yyyy", "2024-05-01"),
        (datetime(2024, 5, 1, 10, 0), "dd/mm/yyyy hh:mm", "2024-05-01T10:00:00"),
        (time(7, 30), "hh:mm", "07:30:00"),
        (timedelta(hours=36), "[h]:mm", "36:00:00"),
        (True, "General", "true"),
        ("#N/A", "General", "#N/A"),
        ("  a b ", "General", "a b"),
    ],
)
def test_values_are_read_as_a_person_reads_them(
    sheets: Sheets, value: object, number_format: str, text: str
) -> None:
    def set_format(book: Workbook) -> None:
        book["S"]["B2"].number_format = number_format

    (read,) = sheets(made(("S", [["Name", "Value"], ["Saw", value]]), change=set_format))
    assert read.fields[0]["x:Value"] == text


def test_rows_are_reported_by_their_number_in_the_sheet(sheets: Sheets) -> None:
    rows: list[list[Any]] = [["Name", "Lat", "Lon"], ["A", 1.5, 2.5], [], ["B", 95, 120], ["C", 3.25, 4.5]]
    (read,) = sheets(made(("S", rows)))
    assert [row.line for row in read.rows] == [2, 5]
    assert [entry.line for entry in read.rejected] == [4]


def test_headings_over_several_merged_rows_are_joined(sample: Callable[[str], Read]) -> None:
    read = sample("multiline-headers.xlsx")
    assert list(read.mapping) == [
        "Region",
        "Caloric contribution (%)",
        "Cumulative impact of changes on cost of food basket from previous quarter",
        "Cumulative impact of changes on cost of food basket from baseline (%)",
    ]
    assert [row.line for row in read.rows] == [6]


def test_titles_above_stacked_headings_are_left_out(sample: Callable[[str], Read]) -> None:
    read = sample("issue320.xlsx")
    assert list(read.mapping)[:8] == [
        "Country",
        "Level 1 Name",
        "Area",
        "Analysis Name",
        "Date of Analysis",
        "Country Population",
        "Current Population Analysed #",
        "Current Population Analysed % of total county Pop",
    ]
    assert (read.rows[0].line, read.rows[1].fields["x:Area"]) == (13, "Badakhshan")
    assert read.sheet.notices == ("rows above the headings left out: 7, 8, 9",)


def test_a_title_merged_over_the_table_is_no_heading(sheets: Sheets) -> None:
    def merge(book: Workbook) -> None:
        book["S"].merge_cells("A1:C1")

    rows: list[list[Any]] = [
        ["Our tools 2024"],
        [],
        ["Name", "Qty", "Place"],
        ["Saw", 1, "Barn"],
        ["Axe", 2, "Barn"],
    ]
    (read,) = sheets(made(("S", rows), change=merge))
    assert list(read.mapping) == ["Name", "Qty", "Place"]
    assert [row.line for row in read.rows] == [4, 5]


def test_a_cell_merged_over_rows_holds_for_each(sheets: Sheets) -> None:
    def merge(book: Workbook) -> None:
        book["S"].merge_cells("A2:A3")

    rows = [["Category", "Name"], ["Garden", "Saw"], [None, "Axe"], ["Kitchen", "Pot"]]
    (read,) = sheets(made(("S", rows), change=merge))
    assert [fields["category"] for fields in read.fields] == ["Garden", "Garden", "Kitchen"]


def test_a_sheet_that_is_one_merged_cell_is_one_row(sample: Callable[[str], Read]) -> None:
    assert sample("merged-cells.xlsx").fields == [{"x:1": "data"}]


def test_two_sheets_with_unknown_headings(samples: Path) -> None:
    first, second = open_table(samples / "sample-2-sheets.xlsx")
    assert first.mapping == {f"header{n}": f"x:header{n}" for n in (1, 2, 3)}
    assert second.source == "sample-2-sheets/Sheet2"


@pytest.mark.parametrize("name", ["number_format_multicode.xlsx", "test_scientific_notation.xlsx"])
def test_odd_number_formats_are_plain_numbers(sample: Callable[[str], Read], name: str) -> None:
    for fields in sample(name).fields:
        (text,) = fields.values()
        assert "e" not in str(text).lower()
        float(str(text))


def error_of(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "things.xlsx"
    path.write_bytes(content)
    with pytest.raises(TableError) as caught:
        open_table(path)
    return str(caught.value)


def test_a_workbook_cut_off_is_one_clear_error(tmp_path: Path) -> None:
    content = made(("S", [["Name", "Qty"], ["Saw", 1]]))
    assert "damaged" in error_of(tmp_path, content[: len(content) // 2])


def test_a_workbook_with_broken_xml_is_one_clear_error(tmp_path: Path) -> None:
    content = made(("S", [["Name", "Qty"], ["Saw", 1]]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            text = old.read(entry)
            new.writestr(entry.filename, text[:-40] if "sheet1" in entry.filename else text)
    assert "damaged" in error_of(tmp_path, out.getvalue())


def test_what_would_unpack_to_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "UNPACKED_BYTES_MAX", 1000)
    assert "at most 1000 are taken" in error_of(tmp_path, made(("S", [["Name", "Qty"], ["Saw", 1]])))


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100 + "EncryptedPackage".encode("utf-16-le")
    assert "password" in error_of(tmp_path, content)


def test_other_zip_archives_are_named(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert ".ods" in error_of(tmp_path, out.getvalue())


def test_a_workbook_without_any_row_is_one_clear_error(tmp_path: Path) -> None:
    assert error_of(tmp_path, made(("S", []))) == "things.xlsx has no rows to import"
