"""The steward vanished: members name new ones together, and a steward who comes back in time stops that. And who leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governed_nodes import about, fingerprints, key, met, nodes, role
from running_process import Running


@pytest.fixture
def village(tmp_path: Path) -> Iterator[list[Running]]:
    """A, the founder, and two members in step, who know one another and A."""
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto")["link"]
        for node in (b, c):
            node.do("community", "follow", link)
            a.do("member", "grant", key(node))
        c.do("peer", "add", b.address)
        met(c, lambda: role(b) == role(c) == "member" and fingerprints(a, b, c))
        yield [a, b, c]


def test_two_thirds_of_the_members_name_new_stewards(village: list[Running]) -> None:
    a, b, c = village
    a.kill()
    asked = b.do("steward", "succeed", "--add", key(b), "--add", key(c))
    assert (asked["state"], asked["needed"], asked["signed"]) == ("proposed", 2, [key(b)])
    (election,) = met(c, lambda: about(c, "tables")["elections"])
    assert (len(election["signed"]), election["needed"], election["members"]) == (1, 2, 2)
    assert "1 of 2 signed, of 2 members" in c.shell.text("steward", "list")
    assert c.do("community", "show")["elections"][0]["id"] == asked["id"]
    assert c.do("steward", "approve", asked["id"][:8])["state"] == "done"
    met(c, lambda: role(b) == role(c) == "steward")
    proposed = b.do("steward", "propose", "--remove", key(a))
    met(c, lambda: about(c, "tables")["proposals"])
    c.do("steward", "approve", proposed["id"])
    met(
        c,
        lambda: (
            [one["id"] for one in about(b, "tables")["stewards"]]
            == about(c, "tables")["chain"][-1]["stewards"]
        ),
    )
    a.start()
    met(b, lambda: role(a) is None)
    assert "members elected, to add as steward" in a.shell.text("history", "--authority")


def test_a_steward_who_is_there_stops_it(village: list[Running]) -> None:
    a, b, c = village
    asked = b.do("steward", "succeed", "--add", key(b))
    met(b, lambda: about(a, "tables")["elections"])
    assert a.do("steward", "object", asked["id"][:10])["id"] == asked["id"]
    met(c, lambda: [one["objected"] for one in about(c, "tables")["elections"]] == [[key(a)]])
    assert "objects to it" in c.shell.refused("steward", "approve", asked["id"])
    assert role(b) == "member"
    assert "members begin an election" in a.shell.refused("steward", "succeed", "--add", key(b))


def test_a_member_who_leaves_is_listed_no_more(village: list[Running]) -> None:
    a, b, c = village
    community = b.entry()["id"]
    left = b.do("community", "leave")
    assert left == {"id": community, "said": "left", "heard": True}
    assert b.do("status")["communities"] == []
    met(c, lambda: len(about(c, "members")["members"]) == 2)
    assert a.do("member", "list", "--all")["members"][-1]["role"] == "left"
    assert "pass the office on first" in a.shell.refused("community", "leave")
    c.stop()
    assert a.do("steward", "propose", "--add", key(c))["state"] == "done"
    assert a.do("community", "leave")["heard"] is False
