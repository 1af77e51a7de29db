"""A community that governs itself, with real daemons: invitations, revocations, and stewards who decide together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli_shell import new_node
from running_process import Running

MEETINGS_MAX = 60  # until something that follows from a meeting must be there


@contextmanager
def nodes(folder: Path, names: str) -> Iterator[list[Running]]:
    """So many running nodes; what still runs at the end is stopped."""
    every = [Running(new_node(folder / name)) for name in names]
    try:
        for node in every:
            node.start()
        yield every
    finally:
        for node in every:
            node.close()


def met(node: Running, condition: Callable[[], Any]) -> Any:
    """Let a node meet its peers until something is so."""
    for _ in range(MEETINGS_MAX):
        node.shell.run("sync", "--wait", "--timeout", "2")
        if found := condition():
            return found
    raise AssertionError(node.log)


def key(node: Running) -> str:
    return str(node.do("id")["id"])


def role(node: Running) -> str | None:
    found: str | None = node.do("community", "show")["you"]["role"]
    return found


def joins(node: Running) -> list[dict[str, Any]]:
    (invitation,) = node.do("community", "show")["invitations"]
    found: list[dict[str, Any]] = invitation["joins"]
    return found


def fingerprints(*every: Running) -> bool:
    first, *others = [node.community()["fingerprint"] for node in every]
    return all(other == first for other in others)


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
    met(c, lambda: c.do("community", "show")["invitations"])
    a.stop()
    joined = b.do("join", link)
    assert (joined["community"], joined["role"]) == (c.community()["id"], "member")
    met(b, lambda: role(b) == "member")
    b.do("add", "Apple press")
    met(b, lambda: c.titles() == {"Apple press"})
    assert joins(c) == [{"id": key(b), "confirmed": False}]
    a.start()
    met(a, lambda: joins(a) == [{"id": key(b), "confirmed": True}])
    met(a, lambda: fingerprints(a, b, c))
    assert a.titles() == {"Apple press"}
    assert a.do("community", "show")["invitations"][0]["name"] == "Rosa"
    assert c.do("community", "show")["invitations"][0]["name"] is None
    acts = [act["text"] for entry in a.do("history", "--authority")["history"] for act in entry["acts"]]
    assert acts[-1] == f"confirmed that {key(b)[:8]} joined as member"


def test_a_join_waits_while_nobody_is_in_reach_and_says_so(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        a.do("community", "create", "Valle Alto")
        link = a.do("invite")["link"]
        a.stop()
        joined = b.do("join", link)
        assert joined["waiting"]
        assert "charter of the community is not here yet" in joined["why"]
        assert "charter of the community is not here yet" in b.shell.run("join", link).err
        b.do("add", "Seed drill")
        a.start()
        met(b, lambda: a.titles() == {"Seed drill"})
        assert role(b) == "member"
        assert len(joins(a)) == 1  # asked twice, it joined once
        assert "is a member of this community already" in b.shell.refused("join", link)


def test_what_is_revoked_is_refused_everywhere_and_the_earlier_stays(village: list[Running]) -> None:
    a, b, c = village
    b.do("join", a.do("invite")["link"])
    met(b, lambda: role(b) == "member")
    early = b.do("add", "Early")["id"]
    met(b, lambda: a.titles() == c.titles() == {"Early"})

    revoked = a.do("member", "revoke", key(b)[:12])
    assert revoked["id"] == key(b)
    met(b, lambda: b.do("community", "show")["you"]["revoked"])
    late = b.shell.run("add", "Late")
    assert "took this node's role back" in late.err
    for node in (a, b, c):
        node.shell.run("sync", "--wait")
    assert a.titles() == c.titles() == {"Early"}
    assert a.do("show", early)["fields"]["title"] == "Early"
    assert any("no member any more" in said["text"] for said in b.do("community", "show")["you"]["notices"])
    assert [one["role"] for one in a.do("member", "list", "--all")["members"]][-1] == "removed"
    assert len(a.do("member", "list")["members"]) == 2
    assert "has no role" in a.shell.refused("member", "revoke", key(b))

    a.do("member", "grant", key(b))
    met(b, lambda: role(b) == "member")
    b.do("add", "After")
    met(b, lambda: a.titles() == c.titles() == {"Early", "After"})
    (waiting,) = [one for one in b.do("list")["records"] if one["waiting"]]
    b.do("edit", waiting["id"], "title=Late")
    met(b, lambda: a.titles() == c.titles() == {"Early", "After", "Late"})
    assert fingerprints(a, b, c)


def test_what_the_steward_had_not_seen_becomes_void_and_is_shown_with_the_reason(
    village: list[Running],
) -> None:
    a, b, c = village
    b.do("join", a.do("invite")["link"])
    met(b, lambda: role(b) == "member")
    met(a, lambda: fingerprints(a, b, c))
    shared = b.do("add", "Ladder", "condition=good")["id"]
    met(b, lambda: a.titles() == c.titles() == {"Ladder"})
    a.stop()
    unseen = b.do("add", "Unseen")["id"]
    b.do("edit", shared, "condition=broken")
    met(b, lambda: c.titles() == {"Ladder", "Unseen"})
    b.stop()
    c.stop()
    a.start()
    a.do("member", "revoke", key_at(a, shared))
    c.start()
    met(c, lambda: c.titles() == {"Ladder"})
    found = c.do("show", shared)
    assert found["fields"]["condition"] == "good"
    (void,) = found["void"]["condition"]
    assert void["value"] == "broken"
    assert "role was taken back" in void["why"]
    assert c.do("show", unseen)["void"]["title"][0]["value"] == "Unseen"
    assert "no effect: Unseen" in c.shell.text("show", unseen)
    assert fingerprints(a, c)
    assert c.shell.run("check").code == 0


def key_at(node: Running, record: str) -> str:
    """Who first wrote a record."""
    return str(node.do("history", record)["history"][0]["author"])


def test_two_joins_apart_by_a_link_for_one(village: list[Running]) -> None:
    a, b, c = village
    link = a.do("invite")["link"]
    withdrawn = a.do("invite")
    a.do("invite", "--withdraw", withdrawn["id"][:10])
    b.do("join", link)
    met(a, lambda: any(one["used"] for one in a.do("community", "show")["invitations"]))
    c.do("community", "leave")
    met(b, lambda: role(b) == "member")
    b.do("community", "leave")
    assert "is a member of this community already" in b.shell.refused("join", link)
    ended = b.shell.run("join", withdrawn["link"])
    assert (ended.code, "a member of this community already" in ended.err) == (1, True)


def test_two_stewards_decide_together(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        assert a.do("steward", "propose", "--add", key(b))["state"] == "done"
        met(b, lambda: role(b) == "steward")
        proposed = b.do("steward", "propose", "--set", "quorum=1", "--set", "name=Valle")
        assert (proposed["state"], proposed["needed"], len(proposed["signed"])) == ("proposed", 2, 1)
        assert "1 more must sign" in b.shell.refused("steward", "approve", proposed["id"][:8])
        met(a, lambda: a.do("steward", "list")["proposals"])
        assert a.do("community", "show")["proposals"][0]["text"] == "call the community 'Valle'; set quorum"
        assert a.do("steward", "approve", proposed["id"][:8])["state"] == "done"
        met(b, lambda: b.community()["name"] == "Valle")
        assert "is done already" in b.shell.refused("steward", "approve", proposed["id"])
        assert b.do("community", "show")["settings"]["quorum"] == 1
        assert b.do("steward", "propose", "--remove", key(a)[:8])["state"] == "done"
        met(a, lambda: role(a) is None)
        assert "only a steward can invite people" in a.shell.refused("invite")
        assert [one["id"] for one in b.do("steward", "list")["stewards"]] == [key(b)]
        assert "at least one steward remains" in b.shell.refused("steward", "propose", "--remove", key(b))
