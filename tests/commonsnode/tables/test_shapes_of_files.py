"""Encodings, separators, line ends, quotes, headings: what is found out about a text file before it is a table."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from commonsnode.tables import TableError, open_table
from commonsnode.tables.encoding import find_encoding
from table_readings import Read, read_file

LANGUAGES = {
    "English": "Name;Notes\nCafé table;owner’s “best” – take care\nRail;£5",
    "Spanish": "Herramienta;Descripción;Ubicación\nTaladro;para hormigón;Almacén de María\nMáquina;¿quién?;CAÑÓN",
    "Portuguese": "Nome;Descrição;Localização\nFuradeira;não emprestar;São Paulo\nENXÓ;MEDIÇÃO;Município",
    "French": "Nom;Catégorie;État\nPerceuse à percussion;l’outillage;Très bon état\nÉchelle;« légère »;usée",
    "German": "Gerät;Zustand;Größe\nSäge für Holz;gut;Übergröße\nÖlkanne;schön;groß",
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac_roman")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_each_language_is_read_in_each_encoding_with_each_line_end(
    table: Callable[..., Read], language: str, encoding: str, line_end: str
) -> None:
    text = LANGUAGES[language]
    if encoding == "latin-1":  # has no typographic quotes
        text = text.translate(str.maketrans("’“”–", '\'""-')).replace('"', "'")
    read = table(text.replace("\n", line_end).encode(encoding))
    lines = text.split("\n")
    assert list(read.mapping) == lines[0].split(";")
    assert [row.line for row in read.rows] == [2, 3]
    for line, fields in zip(lines[1:], read.fields, strict=True):
        place = fields.pop("place", {})
        assert isinstance(place, dict)
        assert sorted([*fields.values(), *place.values()], key=str) == sorted(filter(None, line.split(";")))


@pytest.mark.parametrize("name", ["utf8.csv", "iso8859.csv", "western-macos-roman.csv"])
def test_the_same_table_in_three_encodings_reads_the_same(sample: Callable[[str], Read], name: str) -> None:
    read = sample(name)
    assert read.fields == sample("utf8.csv").fields
    assert read.fields[0]["x:Country Name"] == "Réunion"


@pytest.mark.parametrize("name", ["carets", "colon", "pipes", "semicolon", "tab"])
def test_each_separator_is_found(sample: Callable[[str], Read], name: str) -> None:
    read = sample(f"sep-{name}.csv")
    assert read.fields == [
        {"x:number": "1", "x:string": "one", "x:boolean": "true"},
        {"x:number": "2", "x:string": "two", "x:boolean": "false"},
    ]


def test_the_separator_that_excel_writes_into_the_first_line_is_believed(table: Callable[..., Read]) -> None:
    read = table("sep=;\r\nname;qty\r\nRope, 10 m;2\r\n")
    assert read.fields == [{"title": "Rope, 10 m", "amount": "2"}]
    assert read.rows[0].line == 3


def test_missing_and_uneven_cells_are_no_error(sample: Callable[[str], Read]) -> None:
    assert sample("missing-values.csv").fields[1] == {"x:number": "2", "x:boolean": "false"}
    assert sample("inconsistent-column-number.csv").fields[1] == {"x:number": "2", "x:string": "two"}


def test_cells_beyond_the_headings_are_kept_by_their_number(table: Callable[..., Read]) -> None:
    read = table("name,qty\nSaw,1\nRope,2,red,,old\n")
    assert read.fields[1] == {"title": "Rope", "amount": "2", "x:3": "red", "x:5": "old"}


def test_quotes_are_understood_doubled_and_with_a_backslash(sample: Callable[[str], Read]) -> None:
    assert [fields["x:Test"] for fields in sample("escaping.csv").fields] == [
        "Test line 1",
        'Test " line 2',
        'Test " line 3',
    ]


def test_a_backslash_that_escapes_nothing_is_kept(table: Callable[..., Read]) -> None:
    read = table('name,notes\nServer,"C:\\tools\\new"\nPath,D:\\x\n')
    assert read.fields == [
        {"title": "Server", "description": "C:\\tools\\new"},
        {"title": "Path", "description": "D:\\x"},
    ]


def test_a_row_is_reported_by_the_line_where_it_begins(table: Callable[..., Read]) -> None:
    read = table('name,notes\nTent,"two\nlines, ""and"" more"\nRope,\n')
    assert [(row.line, row.fields["title"]) for row in read.rows] == [(2, "Tent"), (4, "Rope")]
    assert read.fields[0]["description"] == 'two\nlines, "and" more'


def test_a_quote_that_is_never_closed_costs_one_row(table: Callable[..., Read]) -> None:
    read = table('name,notes\nRope,"ten metres\nSaw,sharp\nTent,"for ""four"""\n')
    assert [entry.line for entry in read.rejected] == [2]
    assert "not closed" in read.rejected[0].reason
    assert [row.fields["title"] for row in read.rows] == ["Saw", "Tent"]


def test_inch_marks_inside_a_cell_are_no_quotes(table: Callable[..., Read]) -> None:
    assert table('name,qty\nPipe 5",2\nNail,3\n').fields[0] == {"title": 'Pipe 5"', "amount": "2"}


def test_remarks_above_the_headings_are_left_out_and_said(sample: Callable[[str], Read]) -> None:
    read = sample("skip-rows-before-headers.csv")
    assert read.mapping == {"id": "x:id", "name": "title"}
    assert [row.line for row in read.rows] == [3, 4]
    assert read.sheet.notices == ("lines above the headings left out: 1",)


def test_titles_above_the_headings_are_left_out(table: Callable[..., Read]) -> None:
    read = table(
        "Inventory of the upper village;;;\n;;;\nName;Qty;Place;Notes\nSaw;1;Barn;sharp\nAxe;2;Barn;\n"
    )
    assert list(read.mapping) == ["Name", "Qty", "Place", "Notes"]
    assert [row.line for row in read.rows] == [4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "Bohrmaschine;Keller;2\nLeiter;Schuppen;1\n",  # a number
        "Drill,2024-05-01\nSaw,2024-06-01\n",  # a date
        "Drill,https://example.org/1\nSaw,https://example.org/2\n",  # an address
        "Drill,Barn\nSaw,Barn\n",  # a text that recurs
        "Martillo,bueno\nSierra,roto\n",  # a condition
        "Tractor,2019\nBaler,2004\n",  # a year above years
        "Well,39.46,-0.37\nMill,39.47,-0.38\n",  # coordinates
        "Hammer\nSaw\n",  # a plain list
    ],
)
def test_a_first_row_that_looks_like_data_is_no_heading(table: Callable[..., Read], text: str) -> None:
    read = table(text)
    width = len(text.splitlines()[0].replace(";", ",").split(","))
    assert read.mapping == {str(n): f"x:{n}" for n in range(1, width + 1)}
    assert [row.line for row in read.rows] == [1, 2]
    assert read.rows[0].key.startswith(f'["{text[:4]}')


def test_headings_that_nobody_knows_are_headings(sample: Callable[[str], Read]) -> None:
    read = sample("various-characters.csv")
    assert read.mapping == {"a": "x:a", "b": "x:b", "c": "x:c"}
    assert read.fields[1] == {"x:a": "テスト", "x:b": "ファイル", "x:c": "日本語"}


def test_headings_repeated_further_down_are_no_thing(table: Callable[..., Read]) -> None:
    read = table("name,qty\nSaw,1\nname,qty\nAxe,2\n")
    assert [(entry.line, entry.reason) for entry in read.rejected] == [(3, "repeats the headings")]


def test_equal_headings_are_kept_apart(table: Callable[..., Read]) -> None:
    read = table("name,colour,colour,\nSaw,red,blue,big\n")
    assert read.fields == [{"title": "Saw", "x:colour": "red", "x:colour (2)": "blue", "x:4": "big"}]


def test_long_headings_are_cut_at_a_character_and_stay_distinct(table: Callable[..., Read]) -> None:
    long = "ä" * 100
    read = table(f"name,{long}1,{long}2\nSaw,a,b\n")
    names = [name for name in read.fields[0] if name.startswith("x:")]
    assert sorted(read.fields[0][name] for name in names) == ["a", "b"]  # type: ignore[type-var]
    assert all(len(name.encode()) <= 128 for name in names)


def test_rows_with_broken_bytes_are_rejected_and_the_rest_goes_in(table: Callable[..., Read]) -> None:
    good = "".join(f"Säge {n},für Bäume\n" for n in range(20)).encode()
    read = table(b"name,notes\n" + good + b"L\xff\xffffel,x\n")
    assert len(read.rows) == 20
    assert [(entry.line, "no text" in entry.reason) for entry in read.rejected] == [(22, True)]


def test_a_cell_over_the_limit_rejects_its_row(table: Callable[..., Read]) -> None:
    read = table(f"name,notes\nSaw,{'x' * 16385}\nAxe,{'x' * 16384}\n")
    assert [entry.line for entry in read.rejected] == [2]
    assert "column 2" in read.rejected[0].reason
    assert len(read.rows) == 1


def test_a_cell_beyond_all_measure_rejects_its_row_alone(table: Callable[..., Read]) -> None:
    read = table(f"name,notes\nSaw,{'x' * 2_000_000}\nAxe,y\n")
    assert [(entry.line, entry.reason) for entry in read.rejected] == [
        (2, "a cell is larger than 16384 bytes")
    ]
    assert [row.line for row in read.rows] == [3]


def test_years_above_other_numbers_are_headings(table: Callable[..., Read]) -> None:
    read = table("Name,2019,2020\nSaw,3,4\nAxe,1,\n")
    assert read.fields[0] == {"title": "Saw", "x:2019": "3", "x:2020": "4"}


def test_more_columns_than_a_spreadsheet_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("name" + "," * 16_384 + "\nSaw\n")
    with pytest.raises(TableError, match="more than 16384 columns"):
        open_table(path)


def test_a_row_that_no_changeset_can_hold_is_rejected(table: Callable[..., Read]) -> None:
    cell = "x" * 15000
    read = table(f"name,aa,bb,cc,dd\nSaw,{cell},{cell},{cell},{cell}\nAxe,{cell},{cell},{cell},\n")
    assert [entry.line for entry in read.rejected] == [2]
    assert "60000" in read.rejected[0].reason
    assert [row.line for row in read.rows] == [3]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zero.csv", "zero.csv is empty"),
        ("xls-named.txt", "xls-named.txt is an old Excel workbook (.xls): save it as .xlsx or CSV"),
    ],
)
def test_files_that_are_no_tables_are_one_clear_error(samples: Path, name: str, reason: str) -> None:
    with pytest.raises(TableError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        open_table(samples / name)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"\n  \n\t", "is empty"),
        ("a.csv", b"name,\x00\x01\x02\x00\x03\x04qty\n", "zero bytes"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        ("a.csv", bytes(range(1, 20)) * 50, "control bytes"),
        ("a.yaml", b"name: Saw\n", "no Open Know-How manifest"),
        ("a.toml", b"name = 'Saw'\n", "TOML"),
        ("a.json", b'{"name": "Saw"}', "no GeoJSON"),
        ("a.json", b'["Saw", "Axe"]', "not of things"),
        ("a.json", b'[{"name": "Saw"}', "not valid JSON"),
        ("a.json", b'{"name": ', "not valid JSON"),
        ("a.xlsx", b"name,qty\n", "no Excel workbook"),
        ("a.xlsx", b"PK\x03\x04 and then nothing", "damaged"),
        ("a.csv", b"\xff\xfea\x00b", "damaged"),
    ],
)
def test_what_cannot_be_read_says_why_in_one_line(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=reason) as caught:
        open_table(path)
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_a_folder_is_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(TableError, match="cannot be read"):
            open_table(path)


words = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzäöüéñçÀÉß ,;|\t^\"'\n\r"), max_size=12)


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.tuples(words, words, words), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t|^"),
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "utf-16")),
    line_end=st.sampled_from(("\n", "\r\n", "\r")),
)
@example(rows=[("a", "", "\r")], separator=",", encoding="utf-8", line_end="\r")
def test_what_a_writer_of_csv_quotes_is_read_back(
    tmp_path: Path,
    rows: list[tuple[str, str, str]],
    separator: str,
    encoding: str,
    line_end: str,
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("record id", "x:first", "x:second", "x:third")])
    writer.writerows((str(number), *row) for number, row in enumerate(rows))
    path = tmp_path / "things.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    read = read_file(path)
    expected = {}
    for number, row in enumerate(rows):
        named = zip(("x:first", "x:second", "x:third"), row, strict=True)
        if fields := {name: cell.strip() for name, cell in named if cell.strip()}:
            expected[str(number)] = fields
    assert {row.key: row.fields for row in read.rows} == expected
    assert read.rejected == []


def test_ascii_is_utf8() -> None:
    assert find_encoding(b"name,qty\n").name == "UTF-8"
