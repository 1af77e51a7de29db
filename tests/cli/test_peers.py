"""How peers are shown: in words, and as a graph."""

from typing import Any

from commonsnode_cli.graphviz import graph
from commonsnode_cli.wording import link, size, step

VALLEY, HILL = "aa" * 32, "bb" * 32
PEER: dict[str, Any] = {
    "id": "cd" * 32,
    "address": "ws://[::1]:8450/peer",
    "state": "connected",
    "dialled": False,
    "in_step": {VALLEY: True, HILL: False},
    "lanes": [
        {"community": HILL, "lane": "public", "in_step": False, "to_get": 3, "to_give": 0},
        {"community": HILL, "lane": "members", "in_step": False, "to_get": 2, "to_give": 7},
    ],
}


def test_a_peer_is_in_step_in_some_communities_and_so_far_behind_in_others() -> None:
    assert (
        step(PEER, {VALLEY: "Valley", HILL: "Hill"}) == "in step: Valley; behind: Hill (5 to get, 7 to give)"
    )
    assert step({**PEER, "in_step": {}}) == ""


def test_a_link_says_who_dialled_or_why_there_is_none() -> None:
    assert link({**PEER, "dialled": True}) == "to ws://[::1]:8450/peer"
    assert link(PEER) == "from ws://[::1]:8450/peer"
    assert link({**PEER, "address": None, "remote": "10.0.0.7"}) == "from 10.0.0.7"
    assert link({"state": "waiting", "address": "ws://x/peer", "problem": "no answer"}) == (
        "waiting ws://x/peer: no answer"
    )


def test_bytes_are_told_in_a_few_digits() -> None:
    assert [size(n) for n in (0, 999, 1_000, 123_456, 5_200_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "123 kB",
        "5.2 MB",
    ]


def test_the_arrow_of_a_graph_goes_from_who_dialled() -> None:
    drawn = graph("ef" * 32, "hall", [PEER, {"id": None, "address": "ws://y/peer", "state": "waiting"}])
    assert f'"{"cd" * 32}" -> "{"ef" * 32}" [label="in step: aaaaaaaa; behind:' in drawn
    assert f'"{"ef" * 32}" -> "ws://y/peer" [style=dashed, label="waiting"];' in drawn


def test_a_name_cannot_end_its_quotes_in_a_graph() -> None:
    drawn = graph("ef" * 32, 'ha"ll];\nx\\', [])
    assert 'label="ha\\"ll];' in drawn
    assert drawn.count("\n") == 5
