"""What only members read, with real daemons: who opens it, who does not, and who hands the keys on."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from governed_nodes import about, fingerprints, key, nodes, role, titles
from running_process import Running

COMES_S_MAX = 20.0  # what nodes do by themselves, a member's pause before it hands a key on among it


def met(node: Running, condition: Callable[[], Any]) -> None:
    """Let a node meet its peers until something is so."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < COMES_S_MAX, node.log
        node.api("POST", "/sync", b'{"wait": true, "timeout": 1}')


@pytest.fixture
def village(tmp_path: Path) -> Iterator[list[Running]]:
    """A, the founder; B, a member, in step; C, who knows where both are."""
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        a.do("member", "grant", key(b))
        met(b, lambda: role(b) == "member")
        c.do("peer", "add", b.address)
        c.do("community", "follow", link)
        yield [a, b, c]


def sealed(node: Running, title: str, *fields: str) -> Any:
    return node.do("add", title, "--lane", "members", "--kind", "agent", *fields)


def lanes(node: Running) -> dict[str, str]:
    found: dict[str, str] = node.entry()["fingerprint"]
    return found


def test_members_read_it_and_a_mirror_carries_what_it_cannot_read(village: list[Running]) -> None:
    a, b, c = village
    assert not sealed(a, "Rosa", "phone=12 34")["waiting"]
    met(b, lambda: titles(b) == {"Rosa"})
    met(c, lambda: c.entry()["name"] == "Valle Alto")
    assert c.entry()["lanes"] == a.entry()["lanes"]
    a.do("member", "grant", key(c), "--role", "mirror")
    met(c, lambda: lanes(c)["members"] == lanes(a)["members"] and lanes(c)["keys"] == lanes(a)["keys"])
    assert titles(c) == set()
    for path in c.shell.home.glob("*.sqlite3*"):
        assert b"12 34" not in path.read_bytes()
    assert c.shell.run("check").code == 0
    a.do("member", "grant", key(c), "--role", "member")
    met(c, lambda: titles(c) == {"Rosa"})  # and the past, unless the charter says otherwise
    assert c.shell.run("check").code == 0


def test_a_newcomer_reads_once_any_members_node_is_met(village: list[Running]) -> None:
    """Attack 22: the steward is away; a member hands the key on."""
    a, b, c = village
    sealed(a, "Rosa")
    met(b, lambda: titles(b) == {"Rosa"})
    met(c, lambda: c.entry()["name"] == "Valle Alto")
    link = a.do("invite")["link"]
    met(b, lambda: about(b, "invitations")["invitations"])
    a.stop()
    c.do("join", link)
    met(c, lambda: titles(c) == {"Rosa"})
    assert not sealed(c, "Ana")["waiting"]
    met(c, lambda: titles(b) == {"Rosa", "Ana"})


def test_a_newcomer_does_not_read_the_past_where_the_charter_says_so(tmp_path: Path) -> None:
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto", "--newcomers-read-past", "no")["link"]
        for node in (b, c):
            node.do("community", "follow", link)
        a.do("member", "grant", key(b))
        sealed(a, "Rosa")
        met(b, lambda: titles(b) == {"Rosa"})
        a.do("member", "revoke", key(b))
        sealed(a, "Ana")  # under the key of after that
        a.do("member", "grant", key(c))
        met(c, lambda: titles(c) == {"Ana"})
        met(c, lambda: lanes(c)["members"] == lanes(a)["members"])
        assert titles(c) == {"Ana"}
        assert titles(a) == {"Rosa", "Ana"}


def test_a_former_member_reads_nothing_new_and_a_member_holds_until_there_is_a_key(
    village: list[Running],
) -> None:
    """What who was revoked writes is held, and sealed once a steward has admitted them again."""
    a, b, c = village
    a.do("member", "grant", key(c))
    first = sealed(a, "Rosa")["id"]
    met(b, lambda: titles(b) == {"Rosa"})
    met(c, lambda: titles(c) == {"Rosa"})
    a.do("member", "revoke", key(c))
    met(c, lambda: about(c, "you")["revoked"])
    sealed(a, "Ana")
    met(b, lambda: titles(b) == {"Rosa", "Ana"})
    assert titles(c) == {"Rosa"}  # who was a member when it was written keeps it
    held = sealed(c, "Late")
    assert held["waiting"]
    assert held["changeset"] is None
    assert "only members and stewards" in held["why"]
    assert titles(c) == {"Rosa", "Late"}
    assert c.do("show", held["id"])["waiting"]
    c.do("edit", held["id"], "title=Later")
    assert c.do("show", held["id"])["fields"]["title"] == "Later"
    c.stop()
    c.start()
    assert titles(c) == {"Rosa", "Later"}
    a.do("member", "grant", key(c))
    met(c, lambda: titles(a) == titles(b) == titles(c) == {"Rosa", "Ana", "Later"})
    assert not c.do("show", held["id"])["waiting"]
    b.do("edit", first, "phone=12 34")
    met(b, lambda: a.do("show", first)["fields"].get("phone") == "12 34")
    met(a, lambda: fingerprints(a, b, c))
    for node in (a, b, c):
        assert node.shell.run("check").code == 0


def test_lanes_are_chosen_and_added_by_following_again(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        a.do("member", "grant", key(b))
        a.do("add", "Apple press")
        sealed(a, "Rosa")
        b.do("community", "follow", link, "--lanes", "public")
        met(b, lambda: titles(b) == {"Apple press"})
        assert set(b.entry()["lanes"]) == {"authority", "public"}
        assert "does not follow" in b.shell.refused("member", "contact", "--name", "Ana")
        assert "lane" in b.shell.refused("community", "follow", link, "--lanes", "public,secrets")
        assert set(b.entry()["lanes"]) == {"authority", "public"}
        b.do("community", "follow", link, "--lanes", "members")
        met(b, lambda: titles(b) == {"Apple press", "Rosa"})
        assert set(b.entry()["lanes"]) == {"authority", "public", "members", "keys"}
        b.do("community", "follow", link, "--lanes", "knowledge")  # what is followed stays
        assert set(b.entry()["lanes"]) == set(a.entry()["lanes"])
        met(b, lambda: fingerprints(a, b))


def test_names_and_contact_details_reach_members_and_nobody_else(village: list[Running]) -> None:
    a, b, c = village
    met(c, lambda: c.entry()["name"] == "Valle Alto")
    a.do("invite", "--name", "Ana of the mill")
    told = b.do("member", "contact", "--name", "Rosa", "--phone", "12 34", "--at", "0.35,-78.12")
    assert (told["changed"], told["waiting"]) == (["name", "phone", "place"], False)
    met(a, lambda: a.do("member", "contact", key(b)[:12])["phone"] == "12 34")
    named = {one["id"]: one["name"] for one in a.do("member", "list")["members"]}
    assert named == {key(a): None, key(b): "Rosa"}
    assert f"member      {key(b)}  Rosa" in a.shell.text("community", "show")
    loom = b.do("add", "Hand loom")["id"]
    met(a, lambda: "Hand loom" in titles(a))
    assert titles(a) == {"Hand loom"}
    assert f"  Rosa ({key(b)[:8]})" in a.shell.text("history", loom)
    a.do("member", "grant", key(c), "--role", "mirror")
    met(c, lambda: lanes(c)["members"] == lanes(a)["members"])
    assert {one["name"] for one in c.do("member", "list")["members"]} == {None}
    assert c.do("member", "contact", key(b))["phone"] is None
    for path in c.shell.home.glob("*.sqlite3*"):
        assert b"Rosa" not in path.read_bytes()
    cleared = b.do("member", "contact", "--clear", "--name", "Rosa Elena")
    assert cleared["changed"] == ["name", "phone", "place"]
    assert (cleared["name"], cleared["phone"]) == ("Rosa Elena", None)
    met(a, lambda: a.do("member", "contact", key(b))["name"] == "Rosa Elena")


def test_everybody_on_tcp_sees_nothing_of_it(village: list[Running]) -> None:
    a, *_ = village
    secret = sealed(a, "Rosa", "phone=12 34")["id"]
    a.do("add", "Apple press")
    base = "http://" + a.address.split("/")[2]

    def get(path: str) -> str:
        try:
            with urllib.request.urlopen(base + path) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"{error.code}"

    community = a.entry()["id"]
    every = [
        get(f"/api/v1{path}")
        for path in (
            "/records",
            f"/communities/{community}",
            f"/communities/{community}/export",
            "/status",
            "/communities",
        )
    ]
    every += [get("/"), get("/api/v1/records?text=rosa")]
    assert all("Rosa" not in text and "12 34" not in text and '"members":"' not in text for text in every)
    assert "Apple press" in every[0]
    assert get(f"/api/v1/records/{secret}") == get(f"/api/v1/records/{secret}/history") == "404"
    assert "Rosa" in a.shell.text("list")
