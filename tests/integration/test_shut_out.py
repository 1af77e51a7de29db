"""Who was shut out reads nothing new, with real daemons, whatever crossed on the way; and who stays can write again.

Those who were shut out are given what is sealed all the same, as mirrors: so it is the key that they lack, not the bytes.
"""

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from commonsnode import members
from commonsnode.authoring import Author
from commonsnode.home import Home, read_seed
from commonsnode_protocol import epochs
from commonsnode_protocol.changeset import AUTHORITY, KEYS
from commonsnode_protocol.intake import Checked, check
from commonsnode_store.store import Store
from governed_nodes import about, key, nodes, role, titles
from running_process import Running

COMES_S_MAX = 30.0
ELSEWHERE = "ab" * 32  # the key of somebody whose node is not here


def met(node: Running, condition: Callable[[], Any]) -> None:
    """Let a node meet its peers until something is so."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < COMES_S_MAX, node.log
        node.api("POST", "/sync", b'{"wait": true, "timeout": 1}')


def sealed(node: Running, title: str) -> Any:
    return node.do("add", title, "--lane", "members", "--kind", "agent")


def holds_all(node: Running, other: Running) -> bool:
    """Whether a node has the bytes of both sealed lanes."""
    lanes = [each.entry()["fingerprint"] for each in (node, other)]
    return all(lanes[0].get(lane) == lanes[1][lane] for lane in (AUTHORITY, "members", KEYS))


def test_attack_22_after_two_concurrent_revocations_neither_reads_what_is_written_then(
    tmp_path: Path,
) -> None:
    with nodes(tmp_path, "abcd") as (a, b, c, d):
        link = a.do("community", "create", "Valle Alto")["link"]
        for node in (b, c, d):
            node.do("community", "follow", link)
        a.do("steward", "propose", "--add", key(b))
        for node in (c, d):
            a.do("member", "grant", key(node))
        sealed(a, "Rosa")
        for node in (b, c, d):
            met(node, lambda node=node: titles(node) == {"Rosa"})  # type: ignore[misc]
        met(b, lambda: role(b) == "steward")
        b.stop()
        a.do("member", "revoke", key(c))
        sealed(a, "Not for C")
        a.stop()
        b.start()
        b.do("member", "revoke", key(d))
        sealed(b, "Not for D")
        a.start()
        met(a, lambda: titles(a) == titles(b) == {"Rosa", "Not for C", "Not for D"})
        assert not sealed(a, "For neither")["waiting"]
        assert not sealed(b, "Nor this")["waiting"]
        met(a, lambda: titles(a) == titles(b) and {"For neither", "Nor this"} <= titles(a))
        for node in (c, d):
            a.do("member", "grant", key(node), "--role", "mirror")
        for node in (c, d):
            met(node, lambda node=node: role(node) == "mirror" and holds_all(node, a))  # type: ignore[misc]
        assert not titles(c) & {"Not for C", "For neither", "Nor this"}
        assert not titles(d) & {"Not for D", "For neither", "Nor this"}


def test_attack_27_a_removed_steward_and_one_whose_join_was_not_named_read_nothing_new(
    tmp_path: Path,
) -> None:
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        a.do("steward", "propose", "--add", key(b))
        sealed(a, "Rosa")
        met(b, lambda: role(b) == "steward" and titles(b) == {"Rosa"})
        c.do("peer", "add", b.address)
        invitation = a.do("invite")
        met(b, lambda: about(b, "invitations")["invitations"])
        b.stop()
        # A withdraws it before it has seen anybody join; and removes B as a steward, with no revocation of the person.
        a.do("invite", "--withdraw", invitation["id"])
        a.do("steward", "propose", "--remove", key(b))
        sealed(a, "Ana")
        a.stop()
        b.start()
        c.do("join", invitation["link"])
        met(c, lambda: titles(c) == {"Rosa"})  # B lets it in, and hands the old key on
        a.start()
        met(a, lambda: about(b, "you")["role"] is None and about(c, "you")["role"] is None)
        sealed(a, "Later")
        for node in (b, c):
            a.do("member", "grant", key(node), "--role", "mirror")
        for node in (b, c):
            met(node, lambda node=node: role(node) == "mirror" and holds_all(node, a))  # type: ignore[misc]
            assert titles(node) == {"Rosa"}


def test_attack_28_a_stewards_node_that_dies_before_it_hands_the_key_on_stops_members_until_another_is_there(
    tmp_path: Path,
) -> None:
    with nodes(tmp_path, "abd") as (a, b, d):
        link = a.do("community", "create", "Valle Alto")["link"]
        for node in (b, d):
            node.do("community", "follow", link)
        a.do("steward", "propose", "--add", key(d))
        for person in (key(b), ELSEWHERE):
            a.do("member", "grant", person)
        sealed(a, "Rosa")
        met(d, lambda: role(d) == "steward" and titles(d) == {"Rosa"})
        met(b, lambda: role(b) == "member" and titles(b) == {"Rosa"})
        community = bytes.fromhex(a.entry()["id"])
        d.do("peer", "add", b.address)
        for node in (a, b, d):
            node.stop()
        # A shuts somebody out and makes an epoch; B hears of both, and A is gone before it has written any copy.
        with closing(Store.open(Home(b.shell.home).database_path)) as store:
            for lane, written in epoch_without_copies(Home(a.shell.home), community):
                store.apply(community, lane, written, seen_ms=int(time.time() * 1_000))
        b.start()
        held = sealed(b, "Ana")
        assert held["waiting"]
        assert "a steward's node is met" in held["why"]
        d.start()
        met(d, lambda: titles(d) == {"Rosa", "Ana"})
        met(b, lambda: not b.do("show", held["id"])["waiting"])
        for node in (b, d):
            node.stop()
            assert node.shell.run("check").code == 0


def epoch_without_copies(home: Home, community: bytes) -> list[tuple[str, list[Checked]]]:
    """What the steward's node wrote last, on its own disk."""
    with closing(Store.open(home.database_path)) as store:
        author = Author(store, read_seed(home), int(time.time() * 1_000), lambda *_: None)
        revoked = members.revoke(author, community, ELSEWHERE)
        held, earlier = store.evaluator(community), store.epoch_keys(community)
        nonces = [os.urandom(epochs.NONCE_BYTES) for _ in earlier]
        record, kind, fields = epochs.epoch_change(held, os.urandom(16), os.urandom(32), earlier, nonces)
        bare = {name: (value, ()) for name, (value, _) in fields.items()}
        made = author.write(community, KEYS, [(record, kind, bare)])
        found = []
        for lane, ids in ((AUTHORITY, [revoked.changeset]), (KEYS, made.ids)):
            checked = [check(community, lane, signed) for signed in store.fetch(community, lane, ids)]
            found.append((lane, [each for each in checked if isinstance(each, Checked)]))
        return found
