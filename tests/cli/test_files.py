"""`import` and `export`: files of people, in and out."""

import csv
import json
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from cli_shell import Shell

TOOLS = """Nombre;Estado;Latitud;Longitud;Serie
Taladro;bueno;-0.35;-78.12;A1
Motosierra;malo;-0.36;-78.13;B2
Escalera;bueno;;;
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    file = tmp_path / "herramientas.csv"
    file.write_text(TOOLS, encoding="utf-8")
    return file


@pytest.fixture
def community(node: Shell, request: pytest.FixtureRequest) -> str:
    """The id of a community of its own, so that tests do not see one another's things."""
    return str(node.document("community", "create", request.node.name[:60])["id"])


def test_a_file_is_taken_in_with_its_headings_understood(node: Shell, community: str, tools: Path) -> None:
    done = node.document("import", str(tools), "--community", community)
    assert (done["added"], done["changed"], done["unchanged"], done["rejected"]) == (3, 0, 0, [])
    assert done["mapping"] == {
        "Nombre": "title",
        "Estado": "condition",
        "Latitud": "lat",
        "Longitud": "lon",
        "Serie": "x:Serie",
    }
    drill = next(
        one for one in node.document("list", "--community", community)["records"] if one["title"] == "Taladro"
    )
    assert drill["fields"]["place"] == {"lat": -3_500_000, "lon": -781_200_000}
    assert drill["fields"]["x:Serie"] == "A1"


def test_the_same_file_again_changes_nothing_and_a_corrected_one_what_differs(
    node: Shell, community: str, tools: Path
) -> None:
    words = ("import", str(tools), "--community", community, "--key", "Nombre")
    node.document(*words)
    again = node.document(*words)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 3)
    tools.write_text(TOOLS.replace("malo", "reparado"), encoding="utf-8")
    corrected = node.document(*words)
    assert (corrected["added"], corrected["changed"], corrected["unchanged"]) == (0, 1, 2)


def test_a_dry_run_says_what_would_be_and_does_nothing(node: Shell, community: str, tools: Path) -> None:
    done = node.document("import", str(tools), "--community", community, "--dry-run")
    assert done["added"] == 3
    assert node.document("list", "--community", community)["records"] == []


def test_a_column_goes_where_it_is_told_to(node: Shell, community: str, tools: Path) -> None:
    done = node.document("import", str(tools), "--community", community, "--map", "Serie=description")
    assert done["mapping"]["Serie"] == "description"


def test_a_bad_row_is_reported_with_its_line_and_the_rest_goes_in(
    node: Shell, community: str, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"title":"a"}\n{"title":\n{"title":"b"}\n')
    done = node.document("import", str(file), "--community", community)
    assert done["added"] == 2
    assert [one["line"] for one in done["rejected"]] == [2]
    assert done["rejected"][0]["reason"]
    ended = node.run("import", str(file), "--community", community)
    assert ended.code == 0
    assert "line 2" in ended.out + ended.err


def test_a_bad_row_that_only_the_node_can_see_is_reported_likewise(
    node: Shell, community: str, tmp_path: Path
) -> None:
    file = tmp_path / "twice.csv"
    file.write_text("id,title\n1,spade\n1,fork\n")
    done = node.document("import", str(file), "--community", community, "--key", "id")
    assert done["added"] == 1
    assert [one["line"] for one in done["rejected"]] == [3]


def test_every_sheet_of_a_workbook_is_a_table_of_its_own(node: Shell, community: str, tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Tools"
    for row in (("Name", "Condition"), ("drill", "good"), ("saw", "worn")):
        book["Tools"].append(row)
    for row in (("Title", "Owner"), ("hall", "Assembly")):
        (book["Rooms"] if "Rooms" in book.sheetnames else book.create_sheet("Rooms")).append(row)
    file = tmp_path / "valley.xlsx"
    book.save(file)
    done = node.document("import", str(file), "--community", community)
    assert done["added"] == 3
    assert done["mapping"]["Name"] == done["mapping"]["Title"] == "title"
    assert [(one["sheet"], one["added"]) for one in done["sheets"]] == [("Tools", 2), ("Rooms", 1)]
    again = node.document("import", str(file), "--community", community)
    assert (again["added"], again["unchanged"]) == (0, 3)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff" * 100], ids=["empty", "no table"])
def test_a_file_that_cannot_be_read_is_one_clear_error(
    node: Shell, community: str, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    assert "bad.csv" in node.refused("import", str(file), "--community", community, "--json")


def test_a_file_that_is_not_there_is_one_clear_error(node: Shell, community: str, tmp_path: Path) -> None:
    assert "nothing.csv" in node.refused("import", str(tmp_path / "nothing.csv"), "--community", community)


def test_people_are_shown_what_was_understood_and_what_was_done(
    node: Shell, community: str, tools: Path
) -> None:
    ended = node.run("import", str(tools), "--community", community)
    assert ended.code == 0
    assert "Nombre" in ended.err
    assert "3 added" in ended.out


def test_json_lines_go_out_and_come_in_without_loss(
    node: Shell, community: str, tools: Path, tmp_path: Path
) -> None:
    node.document("import", str(tools), "--community", community)
    node.document(
        "add", "odd", "--community", community, f"n:={2**60}", 'b:={"$bytes":"AAEC"}', "l:=[null,true]"
    )
    before = node.run("export", "--community", community, "--format", "jsonl")
    assert before.code == 0
    ids = [json.loads(line)["id"] for line in before.out.splitlines()]
    assert ids == sorted(ids)
    assert len(ids) == 4
    file = tmp_path / "out.jsonl"
    wrote = node.document("export", "--community", community, "--format", "jsonl", "--output", str(file))
    assert (wrote["format"], wrote["records"]) == ("jsonl", 4)
    assert file.read_text(encoding="utf-8") == before.out
    again = node.document("import", str(file), "--community", community)
    assert (again["added"], again["changed"], again["unchanged"], again["rejected"]) == (0, 0, 4, [])


def test_a_table_goes_out_for_a_spreadsheet(node: Shell, community: str, tools: Path, tmp_path: Path) -> None:
    node.document("import", str(tools), "--community", community)
    text = node.text("export", "--community", community, "--format", "csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["title"] for row in rows} == {"Taladro", "Motosierra", "Escalera"}
    file = tmp_path / "out.xlsx"
    assert node.document("export", "--community", community, "--output", str(file))["format"] == "xlsx"
    assert load_workbook(file).active.max_row == 4


def test_places_go_out_for_a_map(node: Shell, community: str, tools: Path) -> None:
    node.document("import", str(tools), "--community", community)
    collection = json.loads(node.text("export", "--community", community, "--format", "geojson"))
    assert collection["type"] == "FeatureCollection"
    assert [-78.12, -0.35] in [f["geometry"]["coordinates"] for f in collection["features"] if f["geometry"]]


def test_a_workbook_needs_a_file(node: Shell, community: str) -> None:
    assert "--output" in node.refused("export", "--community", community, "--format", "xlsx", code=2)


def test_an_export_that_fails_leaves_the_old_file(node: Shell, community: str, tmp_path: Path) -> None:
    assert "nowhere" in node.refused(
        "export", "--community", community, "--output", str(tmp_path / "nowhere" / "x.csv")
    )
    kept = tmp_path / "kept.csv"
    kept.write_text("old")
    node.refused("export", "--community", "no such community", "--output", str(kept))
    assert kept.read_text() == "old"
