"""`find`: near, free, in words and in JSON; what is wrong ends with exit code 1 and names the part."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_shell import Shell, new_node

SATURDAYS = 'hours:={"rules":[{"rrule":"FREQ=WEEKLY;BYDAY=SA","start":"09:00","end":"13:00"}]}'


@pytest.fixture(scope="module")
def valley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A running node with a place and some things."""
    shell = new_node(tmp_path_factory.mktemp("valley") / "home")
    with shell.up():
        where = ["--at", "0.30,-78.26,Cotacachi", "--zone", "America/Guayaquil"]
        shell.document("community", "create", "Valle Alto", *where)
        shell.document("add", "cement mixer", "--at", "0.31,-78.26", "condition=good", "tag:building=true")
        shell.document("add", "small mixer", "--at", "0.40,-78.26", SATURDAYS)
        shell.document("add", "drill", "condition=worn", 'lending:={"to":"nobody"}')
        shell.document("add", "mill", "--kind", "place", "--at", "0.50,-78.26")
        yield shell


def titles(node: Shell, *words: str) -> list[str]:
    return [one["title"] for one in node.document("find", *words)["results"]]


def test_the_nearest_come_first(valley: Shell) -> None:
    found = valley.document("find", "mixer", "--near", "0.30,-78.26")
    assert [(one["title"], one["distance_m"]) for one in found["results"]] == [
        ("cement mixer", 1_112),
        ("small mixer", 11_120),
    ]
    assert found["cursor"] is None
    assert set(found["results"][0]) >= {"id", "title", "distance_m", "idle", "terms", "community"}
    assert titles(valley, "mixer", "--near", "my community", "--within", "5km") == ["cement mixer"]
    assert titles(valley, "mixer", "--near", "Mill", "--within", "20 km") == ["small mixer"]
    assert titles(valley, "cement", "mixer") == ["cement mixer"]
    assert titles(valley, "mixer", "--near", "-0.30,-78.26") == ["cement mixer", "small mixer"]


def test_what_is_free_for_all_of_the_time_is_found_with_its_free_spans(valley: Shell) -> None:
    found = valley.document("find", "mixer", "--from", "sat 9:00", "--until", "13:00")
    assert [one["title"] for one in found["results"]] == ["cement mixer", "small mixer"]
    assert {(span["from"], span["until"]) for one in found["results"] for span in one["idle"]} == {
        (found["from"], found["until"])
    }
    assert titles(valley, "mixer", "--from", "sat 8:00", "--until", "13:00") == ["cement mixer"]
    assert titles(valley, "mixer", "--from", "sat", "--until", "sun") == ["cement mixer"]
    assert titles(valley, "mixer", "--from", "sat") == ["cement mixer", "small mixer"]
    assert "drill" not in titles(valley, "--from", "sat")


def test_filters_narrow_it(valley: Shell, tmp_path: Path) -> None:
    assert titles(valley, "--tag", "building") == ["cement mixer"]
    assert titles(valley, "--condition", "worn", "--condition", "good") == ["cement mixer", "drill"]
    assert titles(valley, "--kind", "place") == ["mill"]
    assert len(titles(valley, "--kind", "any")) == 4
    assert "drill" not in titles(valley, "--for-me")
    file = tmp_path / "area.geojson"
    ring = [[-79, 0.35], [-78, 0.35], [-78, 0.45], [-79, 0.45], [-79, 0.35]]
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    assert titles(valley, "--area", str(file)) == ["small mixer"]


def test_pages_go_on_where_the_cursor_says(valley: Shell) -> None:
    first = valley.document("find", "--near", "0.30,-78.26", "--limit", "1")
    assert [one["title"] for one in first["results"]] == ["cement mixer"]
    assert titles(valley, "--near", "0.30,-78.26", "--cursor", first["cursor"]) == ["small mixer", "drill"]
    ended = valley.run("find", "--limit", "1")
    assert "--cursor" in ended.err


def test_people_read_one_line_a_thing(valley: Shell) -> None:
    ended = valley.run(
        "find", "mixer", "--near", "mill", "--from", "2028-01-08", "--until", "2028-01-08 12:00"
    )
    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert first.split("\t")[1:] == [
        "small mixer",
        "11 km",
        "Sat 2028-01-08 09:00–12:00",
        "free",
        "",
        "0.4,-78.26",
        "Valle Alto",
    ]
    assert second.split("\t")[1:5] == ["cement mixer", "21 km", "all the time", "free"]
    assert ended.err.splitlines() == [
        "near mill (0.5,-78.26)",
        "free Sat 2028-01-08 00:00–12:00 (America/Guayaquil)",
    ]
    assert "not lent to you" in valley.text("find", "drill")


def test_facets_are_counts_of_each_sort(valley: Shell) -> None:
    found = valley.document("find", "--kind", "any", "--facets")
    assert (found["total"], found["kinds"]) == (4, {"resource": 3, "place": 1})
    lines = valley.text("find", "--facets", "--near", "here", "--within", "5km").splitlines()
    assert lines[0] == "all\t\t1"
    assert "community\tValle Alto\t1" in lines
    assert "neither --limit nor --cursor" in valley.refused("find", "--facets", "--limit", "3", code=2)


def test_nothing_found_says_where_there_is_something(valley: Shell) -> None:
    assert valley.run("find", "unicorn").err == "nothing found\n"
    assert "--kind any" in valley.run("find", "mill").err
    assert valley.document("find", "unicorn")["results"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "2027-02-30"], "from: 2027-02-30 is no date"),
        (["--from", "2028-02-02", "--until", "2028-02-01"], "until: 2028-02-01 is before from"),
        (
            ["--near", "-178.26,0.30"],
            "near: latitude -178.26 is out of range (-90 to 90); latitude and longitude",
        ),
        (["--near", "Atlantis"], "near: no place called 'Atlantis'"),
        (["--near", "0,0", "--within", "far"], "within: must be a number and m, km or mi"),
        (["--category", "zzzz"], "category: there is no category"),
        (["--community", "Nowhere"], "follows no community"),
        (["--limit", "250", "--cursor", "abc"], "cursor: not a cursor"),
        (["--area", "/nowhere.geojson"], "--area: /nowhere.geojson cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(valley: Shell, words: list[str], said: str) -> None:
    assert said in valley.refused("find", *words)


def test_an_area_that_crosses_itself_is_refused_by_its_name(valley: Shell, tmp_path: Path) -> None:
    file = tmp_path / "bow.geojson"
    file.write_text('{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}')
    assert "area: the outline crosses itself" in valley.refused("find", "--area", str(file))
    file.write_text("{")
    assert "is no GeoJSON" in valley.refused("find", "--area", str(file))
    assert "limit" in valley.refused("find", "--limit", "0", code=2)
