"""A community that governs itself, with real daemons: invitations, revocations, and stewards who decide together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governed_nodes import about, fingerprints, key, met, nodes, role, titles
from running_process import Running


def joins(node: Running) -> list[dict[str, Any]]:
    (invitation,) = about(node, "invitations")["invitations"]
    found: list[dict[str, Any]] = invitation["joins"]
    return found


@pytest.fixture
def village(tmp_path: Path) -> Iterator[list[Running]]:
    """A, the founder; C, a member, in step; and B, who is nothing yet, and knows where C is."""
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto")["link"]
        c.do("community", "follow", link)
        a.do("member", "grant", key(c))
        b.do("peer", "add", c.address)
        c.do("peer", "add", b.address)
        met(c, lambda: role(c) == "member")
        yield [a, b, c]


def test_a_join_needs_the_inviter_only_to_last(village: list[Running]) -> None:
    a, b, c = village
    link = a.do("invite", "--name", "Rosa")["link"]
    met(c, lambda: about(c, "invitations")["invitations"])
    a.stop()
    joined = b.do("join", link)
    assert (joined["community"], joined["role"]) == (c.community()["id"], "member")
    met(b, lambda: role(b) == "member")
    b.do("add", "Apple press")
    met(b, lambda: titles(c) == {"Apple press"})
    assert joins(c) == [{"id": key(b), "confirmed": False}]
    a.start()
    met(a, lambda: joins(a) == [{"id": key(b), "confirmed": True}])
    met(a, lambda: fingerprints(a, b, c))
    assert titles(a) == {"Apple press"}
    for node in (a, c):  # once the key that opens it is there, and was read
        met(node, lambda node=node: about(node, "invitations")["invitations"][0]["name"] == "Rosa")  # type: ignore[misc]
    acts = [act["text"] for entry in a.do("history", "--authority")["history"] for act in entry["acts"]]
    assert acts[-1] == f"confirmed that {key(b)[:8]} joined as member"


def test_a_join_waits_while_nobody_is_in_reach_and_says_so(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        a.do("community", "create", "Valle Alto")
        link = a.do("invite")["link"]
        a.stop()
        joined = b.shell.run("join", link)
        assert joined.code == 0
        assert "it waits on this node: the charter of the community is not here yet" in joined.err
        b.do("add", "Seed drill")
        a.start()
        met(b, lambda: titles(a) == {"Seed drill"})
        assert role(b) == "member"
        assert [one["id"] for one in joins(a)] == [key(b)]
        assert "is a member of this community already" in b.shell.refused("join", link)


def test_what_is_revoked_is_refused_everywhere_and_the_earlier_stays(village: list[Running]) -> None:
    a, b, c = village
    b.do("join", a.do("invite")["link"])
    met(b, lambda: role(b) == "member")
    early = b.do("add", "Early")["id"]
    met(b, lambda: titles(a) == titles(c) == {"Early"})

    revoked = a.do("member", "revoke", key(b)[:12])
    assert revoked["id"] == key(b)
    met(b, lambda: about(b, "you")["revoked"])
    late = b.shell.run("add", "Late")
    assert "took this node's role back" in late.err
    for node in (a, b, c):
        node.shell.run("sync", "--wait")
    assert titles(a) == titles(c) == {"Early"}
    assert a.do("show", early)["fields"]["title"] == "Early"
    assert any("no member any more" in said["text"] for said in b.do("community", "show")["you"]["notices"])
    assert [one["role"] for one in a.do("member", "list", "--all")["members"]][-1] == "removed"
    assert len(a.do("member", "list")["members"]) == 2
    assert "has no role" in a.shell.refused("member", "revoke", key(b))

    a.do("member", "grant", key(b))
    met(b, lambda: role(b) == "member")
    b.do("add", "After")
    met(b, lambda: titles(a) == titles(c) == {"Early", "After"})
    (waiting,) = [one for one in b.do("list")["records"] if one["waiting"]]
    b.do("edit", waiting["id"], "title=Late")
    met(b, lambda: titles(a) == titles(c) == {"Early", "After", "Late"})
    assert fingerprints(a, b, c)


def test_what_the_steward_had_not_seen_becomes_void_and_is_shown_with_the_reason(
    village: list[Running],
) -> None:
    a, b, c = village
    b.do("join", a.do("invite")["link"])
    met(b, lambda: role(b) == "member")
    met(a, lambda: fingerprints(a, b, c))
    shared = b.do("add", "Ladder", "condition=good")["id"]
    met(b, lambda: titles(a) == titles(c) == {"Ladder"})
    a.stop()
    unseen = b.do("add", "Unseen")["id"]
    b.do("edit", shared, "condition=broken")
    met(b, lambda: titles(c) == {"Ladder", "Unseen"})
    b.stop()
    c.stop()
    a.start()
    a.do("member", "revoke", key_at(a, shared))
    c.start()
    met(c, lambda: titles(c) == {"Ladder"})
    found = c.do("show", shared)
    assert found["fields"]["condition"] == "good"
    (void,) = found["void"]["condition"]
    assert void["value"] == "broken"
    assert "role was taken back" in void["why"]
    assert c.do("show", unseen)["void"]["title"][0]["value"] == "Unseen"
    assert "no effect: Unseen" in c.shell.text("show", unseen)
    assert fingerprints(a, c)
    assert c.shell.run("check").code == 0
    assert "only a steward can adopt" in c.shell.refused("member", "adopt", shared)


def key_at(node: Running, record: str) -> str:
    """Who first wrote a record."""
    return str(node.do("history", record)["history"][0]["author"])


def test_an_invitation_for_one_admits_one_and_a_withdrawn_one_nobody(village: list[Running]) -> None:
    a, b, c = village
    link = c_link = a.do("invite")["link"]
    withdrawn = a.do("invite")
    b.do("join", link)
    met(b, lambda: role(b) == "member")
    a.do("member", "revoke", key(c))
    met(c, lambda: about(c, "you")["revoked"])
    assert "a link does not bring you back" in c.shell.refused("join", c_link)
    assert a.do("invite", "--withdraw", withdrawn["id"][:10])["used"] == 0
    with nodes(a.shell.home.parent, "d") as (d,):
        assert "the invitation is used up" in d.shell.refused("join", link)
        assert "was withdrawn" in d.shell.refused("join", withdrawn["link"])
        assert role(d) is None


def test_two_stewards_decide_together(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        assert a.do("steward", "propose", "--add", key(b))["state"] == "done"
        met(b, lambda: role(b) == "steward")
        proposed = b.do("steward", "propose", "--set", "quorum=1", "--set", "name=Valle")
        assert (proposed["state"], proposed["needed"], len(proposed["signed"])) == ("proposed", 2, 1)
        assert "1 more must sign" in b.shell.refused("steward", "approve", proposed["id"][:8])
        met(a, lambda: about(a, "tables")["proposals"])
        assert a.do("community", "show")["proposals"][0]["text"] == "call the community 'Valle'; set quorum"
        assert a.do("steward", "approve", proposed["id"][:8])["state"] == "done"
        met(b, lambda: b.entry()["name"] == "Valle")
        assert "is done already" in b.shell.refused("steward", "approve", proposed["id"])
        assert b.do("community", "show")["settings"]["quorum"] == 1
        assert b.do("steward", "propose", "--remove", key(a)[:8])["state"] == "done"
        met(a, lambda: role(a) is None)
        assert "only a steward can invite people" in a.shell.refused("invite")
        assert [one["id"] for one in b.do("steward", "list")["stewards"]] == [key(b)]
        assert "at least one steward remains" in b.shell.refused("steward", "propose", "--remove", key(b))
