"""A community for members only, with real daemons: who is not admitted cannot tell that it is here."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_shell import new_node
from commonsnode_protocol import frames
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, public_key
from running_process import Running
from strangers import Stranger

LANES = (AUTHORITY, PUBLIC, KNOWLEDGE)
TOLD_S_MAX = 1.0
MEETINGS_MAX = 60  # until something that follows from a meeting must be there


@pytest.fixture
def private(tmp_path: Path) -> Iterator[list[Running]]:
    """A, the founder of a community for members only; and B and C, who know where A is."""
    every = [Running(new_node(tmp_path / name)) for name in "abc"]
    try:
        for node in every:
            node.start()
        every[0].do("community", "create", "Valle Alto", "--reading", "members")
        every[0].do("add", "Apple press")
        yield every
    finally:
        for node in every:
            node.close()


def met(node: Running, condition: Callable[[], bool]) -> None:
    """Let a node meet its peers until something is so."""
    for _ in range(MEETINGS_MAX):
        node.api("POST", "/sync", b'{"wait": true, "timeout": 1}')
        if condition():
            return
    raise AssertionError(node.log)


def key(node: Running) -> str:
    return str(node.do("id")["id"])


def about(node: Running, what: str) -> Any:
    """What the API says of the one community that a node follows."""
    status, document = node.api("GET", f"/communities/{node.entry()['id']}/{what}")
    assert status == 200, document
    return document


def titles(node: Running) -> set[str]:
    return {record["title"] for record in node.api("GET", "/records")[1]["records"]}


def link_row(node: Running, other: str) -> dict[str, Any]:
    (row,) = [row for row in node.api("GET", "/peers")[1]["peers"] if row["id"] == other]
    return dict(row)


def shares(node: Running, other: str) -> bool:
    return bool(link_row(node, other)["in_step"])


async def answers(stranger: Stranger, community: bytes) -> list[frames.Frame]:
    """All that is said to a stranger who announces a community, asks about it, and shows something at its door."""
    assert stranger.channel is not None
    await stranger.announce(community, *LANES)
    door = frames.door_tag(
        stranger.channel.channel_hash,
        frames.INITIATOR,
        frames.door_of_key(community, public_key(stranger.seed)),
    )
    await stranger.say(frames.Show(door, 100, b"not zstandard"))
    await stranger.say(frames.State(0, frames.LaneState(bytes(16), bytes(32)), frames.QUESTION))
    heard = []
    while (frame := await stranger.hear()) is not None:
        heard.append(frame)
    return heard


async def test_a_stranger_who_knows_the_id_hears_what_one_hears_who_made_an_id_up(
    private: list[Running],
) -> None:
    a, *_ = private
    heard = []
    for community in (bytes.fromhex(a.entry()["id"]), bytes(32)):
        async with Stranger(a.address) as stranger:
            heard.append(await answers(stranger, community))
    assert heard[0] == heard[1] == [frames.Lanes(()), frames.Bye("out-of-order")]


def test_a_follower_whom_nobody_admitted_gets_nothing_until_a_steward_grants_it(
    private: list[Running],
) -> None:
    a, b, _ = private
    b.api("POST", "/communities/follow", f'{{"link": "{a.community()["link"]}"}}'.encode())
    b.api("POST", "/sync", b'{"wait": true, "timeout": 1}')
    assert b.entry()["name"] is None
    assert not shares(a, key(b))
    a.do("member", "grant", key(b))
    met(b, lambda: titles(b) == {"Apple press"})
    assert about(b, "you")["role"] == "member"


def test_a_joiner_is_let_in_by_a_member_who_knows_the_invitation(private: list[Running]) -> None:
    a, b, c = private
    b.do("join", a.do("invite")["link"])
    met(b, lambda: titles(b) == {"Apple press"})
    for_c = a.do("invite")["link"]
    met(b, lambda: len(about(b, "invitations")["invitations"]) == 2)
    a.stop()
    c.do("peer", "add", b.address)
    c.do("join", for_c)
    met(c, lambda: titles(c) == {"Apple press"})
    assert about(b, "you")["role"] == about(c, "you")["role"] == "member"


def test_a_revoked_member_is_told_and_hears_nothing_more_within_a_second(private: list[Running]) -> None:
    a, b, _ = private
    b.do("join", a.do("invite")["link"])
    met(b, lambda: titles(b) == {"Apple press"})
    keys = key(a), key(b)
    a.api("DELETE", f"/communities/{a.entry()['id']}/members/{keys[1]}")
    began = time.monotonic()
    while shares(a, keys[1]) or shares(b, keys[0]) or not about(b, "you")["revoked"]:
        assert time.monotonic() - began < TOLD_S_MAX
    a.do("add", "Seed drill")
    a.api("POST", "/sync", b'{"wait": true, "timeout": 1}')
    assert titles(b) == {"Apple press"}
    assert link_row(a, keys[1])["state"] == "connected"
