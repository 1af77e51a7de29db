"""Members know where a thing is, others about where: on real nodes, in what they hold, show and pass on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_shell import new_node
from commonsnode_protocol.blurring import blurred
from governed_nodes import key, met, nodes, role
from running_process import Running

AT = "0.3012345,-78.2654321"
EXACT = {"lat": 3_012_345, "lon": -782_654_321}


def near(exact: dict[str, int]) -> dict[str, int]:
    lat, lon = blurred(exact["lat"], exact["lon"], 1_000)
    return {"lat": lat, "lon": lon, "grid": 1_000}


@pytest.fixture
def village(tmp_path: Path) -> Iterator[list[Running]]:
    """A, the founder; B, a member; C, who follows and is no member."""
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto")["link"]
        for node in (b, c):
            node.do("community", "follow", link)
        a.do("member", "grant", key(b))
        met(b, lambda: role(b) == "member")
        yield [a, b, c]


def place(node: Running, thing: str) -> Any:
    status, document = node.api("GET", f"/records/{thing}")
    return document["fields"].get("place") if status == 200 else None


def test_a_place_is_exact_for_members_and_blurred_for_everybody_else(village: list[Running]) -> None:
    a, b, c = village
    added = a.do("add", "Cement mixer", "--at", AT, "condition=good")
    assert (added["blurred"], added["waiting"]) == (1_000, False)
    thing = added["id"]
    met(a, lambda: place(a, thing) == EXACT)
    met(b, lambda: place(b, thing) == EXACT)
    met(c, lambda: place(c, thing) == near(EXACT))
    shown = a.do("show", thing)
    assert (shown["lane"], shown["lanes"]) == ("public", {"place": "members"})
    assert c.do("show", thing)["lanes"] == {}
    # One thing, everywhere, and nobody else holds more of it than they are shown.
    for node in village:
        assert [one["id"] for one in node.do("list")["records"]] == [thing]
        assert node.entry()["records"] == 1
        assert node.shell.run("check").code == 0
    assert "78.26543" not in c.shell.run("export").out + c.shell.run("export", "--format", "csv").out
    assert a.shell.run("export", "--format", "csv").out.count("Cement mixer") == 1
    assert "0.3012345" in a.shell.run("export", "--format", "csv").out
    # Its page, which everybody may open.
    page = a.page(f"/things/{thing}")
    assert "to 1000 m" in page
    assert "0.30123" not in page


def test_a_member_moves_it_and_lets_everybody_know(village: list[Running]) -> None:
    a, b, c = village
    thing = a.do("add", "Cement mixer", "--at", AT)["id"]
    met(b, lambda: place(b, thing) == EXACT)
    assert b.do("edit", thing, "--at", "0.5,-78.5")["blurred"] == 1_000
    moved = {"lat": 5_000_000, "lon": -785_000_000}
    met(a, lambda: place(a, thing) == moved)
    met(c, lambda: place(c, thing) == near(moved))
    assert b.do("edit", thing, "--at", "0.5,-78.5", "--exact-place")["blurred"] is None
    met(a, lambda: place(a, thing) == moved)
    met(c, lambda: place(c, thing) == moved)
    assert a.do("show", thing)["lanes"] == {}
    # Twice when it was added and moved, and at last once for everybody and once to clear what members had.
    assert ["place" in entry["fields"] for entry in a.do("history", thing)["history"]] == [True] * 6


def test_what_members_alone_are_to_read_of_a_thing_is_written_beside_it(village: list[Running]) -> None:
    a, b, c = village
    thing = a.do("add", "Cement mixer", "condition=good")["id"]
    met(b, lambda: b.api("GET", f"/records/{thing}")[0] == 200)
    met(c, lambda: c.api("GET", f"/records/{thing}")[0] == 200)
    b.do("edit", thing, "--lane", "members", "phone=12 34")
    met(a, lambda: a.do("show", thing)["fields"].get("phone") == "12 34")
    a.do("edit", thing, "phone=56 78")  # goes on being for members
    met(b, lambda: b.do("show", thing)["fields"].get("phone") == "56 78")
    a.do("edit", thing, "condition=worn")
    met(c, lambda: c.do("show", thing)["fields"].get("condition") == "worn")
    assert "phone" not in c.do("show", thing)["fields"]
    assert "members only" in a.shell.run("show", thing).out
    a.do("remove", thing)
    met(b, lambda: b.do("show", thing)["deleted"])


def test_the_charter_sets_how_much(tmp_path: Path) -> None:
    with nodes(tmp_path, "a") as (a,):
        a.do("community", "create", "Exact", "--grid", "0")
        thing = a.do("add", "Well", "--at", AT)
        assert thing["blurred"] is None
        assert a.do("show", thing["id"])["lanes"] == {}
        a.do("steward", "propose", "--set", "grid=250")
        assert a.do("add", "Press", "--at", AT)["blurred"] == 250
        # What was exact before stays so.
        assert a.do("show", thing["id"])["fields"]["place"] == EXACT
        area = a.do("add", "Commons", "--kind", "place", "--at", AT)
        assert area["blurred"] is None


def test_a_place_that_cannot_be_sealed_yet_is_held_and_shown_to_who_wrote_it(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        met(b, lambda: b.entry()["name"])
        added = b.do("add", "Apple press", "--at", AT)
        assert added["waiting"]
        assert place(b, added["id"]) == EXACT
        assert [one["fields"]["place"] for one in b.do("list")["records"]] == [EXACT]
        a.do("member", "grant", key(b))
        met(b, lambda: not b.do("show", added["id"])["waiting"])
        met(a, lambda: place(a, added["id"]) == EXACT)


def test_a_node_without_the_sealed_lane_says_what_to_do(tmp_path: Path) -> None:
    node = Running(new_node(tmp_path / "a"))
    with (node.shell.home / "config.toml").open("a") as config:
        config.write('lanes = ["public"]\n')
    try:
        node.start()
        node.do("community", "create", "Valle Alto")
        refused = node.shell.run("add", "Press", "--at", AT)
        assert (refused.code, "--exact-place" in refused.err) == (1, True)
        assert node.do("list")["records"] == []
        node.do("add", "Press", "--at", AT, "--exact-place")
    finally:
        node.close()


def test_a_check_tells_which_homes_everybody_sees_exactly_and_changes_nothing(tmp_path: Path) -> None:
    with nodes(tmp_path, "a") as (a,):
        a.do("community", "create", "Valle Alto")
        drill = a.do("add", "Drill", "--at", AT, "--exact-place", "keeper_name=Rosa")["id"]
        a.do("add", "Village well", "--at", AT, "--exact-place")
        a.do("add", "Saw", "--at", AT, "keeper_name=Rosa")
        told = a.shell.run("check")
        assert f"Valle Alto: everybody sees exactly where these are kept: Drill ({drill[:8]})." in told.err
        assert len(a.do("check")["notices"]) == 1
        assert a.do("show", drill)["lanes"] == {}
        a.do("edit", drill, "--at", AT)
        assert a.do("check") == {"ok": True, "problems": []}
