"""Invitations: made, used as often as they say, withdrawn; and their links, which carry a secret."""

import os
from itertools import permutations

import pytest

from commonsnode import communities, invitations, members
from commonsnode.authoring import Author
from commonsnode.duties import do_duties
from commonsnode.errors import Conflict, WrongField
from commonsnode_protocol.authority import writing
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.limits import LINK_BYTES_MAX
from commonsnode_protocol.link import Link, parse
from commonsnode_store.store import Store

LANES = ("authority", "public", "knowledge", "members", "keys")
SEEDS = tuple(bytes([n]) * 32 for n in (11, 12, 13))


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def person(author: Author, seed: bytes) -> Author:
    return Author(author.store, seed, author.now_ms + 1, lambda *_: None)


def join(by: Author, valley: bytes, invited: invitations.Invited) -> bytes:
    draft = writing.join(valley, by.key, os.urandom(16), invited.seed, invited.id)
    return by.act(valley, draft).ids[0]


def test_a_link_carries_the_community_the_role_and_a_secret_that_is_never_shown() -> None:
    link = invitations.InvitationLink(
        Link(b"\x01" * 32, b"\x02" * 32, ("ws://h:1/peer",)), b"\x03" * 32, "mirror"
    )
    assert invitations.read_link(str(link)) == link
    assert parse(str(link)) == link.link  # who does not know invitations follows the community
    assert "03" * 32 not in repr(link)


def test_a_long_link_loses_addresses_and_not_the_secret() -> None:
    addresses = tuple(f"ws://{'h' * 300}{n}:1/peer" for n in range(16))
    link = invitations.InvitationLink(Link(b"\x01" * 32, None, addresses), b"\x03" * 32, "member")
    assert len(str(link)) <= LINK_BYTES_MAX
    read = invitations.read_link(str(link))
    assert read.seed == link.seed
    assert 0 < len(read.link.addresses) < 16


@pytest.mark.parametrize(
    ("tail", "problem"),
    [
        ("", "is no invitation"),
        ("?invite=03", "not whole"),
        (f"?invite={'03' * 32}&invite={'04' * 32}", "not whole"),
        (f"?invite={'03' * 32}&role=steward", "role is none"),
    ],
)
def test_a_link_that_is_no_invitation_is_refused_without_repeating_it(tail: str, problem: str) -> None:
    with pytest.raises(WrongField, match=problem) as caught:
        invitations.read_link(f"commons:{'01' * 32}{tail}")
    assert "03" * 32 not in caught.value.detail


def test_who_joins_is_a_member_and_a_stewards_node_confirms_it(author: Author, valley: bytes) -> None:
    invited = invitations.invite(author, valley, "member", 1)
    rosa = person(author, SEEDS[0])
    join(rosa, valley, invited)
    assert author.store.authority(valley).writes(rosa.key)
    held = author.store.evaluator(valley)
    assert list(invitations.joins_of(held, invited.id)) == [(rosa.key, False)]
    assert do_duties(author, valley) == 1
    assert list(invitations.joins_of(held, invited.id)) == [(rosa.key, True)]
    assert do_duties(author, valley) == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_over_use_has_one_outcome_in_any_order(author: Author, valley: bytes, order: tuple[int, ...]) -> None:
    invited = invitations.invite(author, valley, "member", 2)
    people = [person(author, seed) for seed in SEEDS]
    joined = {people[n].key: join(people[n], valley, invited) for n in order}
    first = sorted(joined, key=joined.__getitem__)
    admitted = author.store.authority(valley).members.keys() - {author.key}
    assert admitted == set(first[:2])
    why = invitations.why_not(author.store.evaluator(valley), first[2])
    assert why is not None
    assert "used up" in why
    (listed,) = invitations.listed(author.store.evaluator(valley))
    assert (listed.used, listed.uses) == (2, 2)


def test_who_was_confirmed_keeps_the_place_whatever_comes_later(author: Author, valley: bytes) -> None:
    invited = invitations.invite(author, valley, "member", 1)
    rosa = person(author, SEEDS[0])
    join(rosa, valley, invited)
    do_duties(author, valley)
    for seed in SEEDS[1:]:
        join(person(author, seed), valley, invited)
    assert author.store.authority(valley).members.keys() == {author.key, rosa.key}


def test_a_withdrawal_keeps_who_joined_and_nobody_else(author: Author, valley: bytes) -> None:
    invited = invitations.invite(author, valley, "member", 5)
    rosa, late = person(author, SEEDS[0]), person(author, SEEDS[1])
    join(rosa, valley, invited)
    found, changeset = invitations.withdraw(author, valley, invited.id.hex()[:8])
    assert (found.used, changeset is None) == (1, False)
    join(late, valley, invited)
    assert author.store.authority(valley).members.keys() == {author.key, rosa.key}
    assert "withdrawn" in (invitations.why_not(author.store.evaluator(valley), late.key) or "")
    assert invitations.withdraw(author, valley, invited.id.hex())[1] is None


def test_a_join_before_all_else_waits_and_says_for_what(author: Author, store: Store) -> None:
    community = b"\x09" * 32
    store.follow(community, LANES)
    draft = writing.join(community, author.key, os.urandom(16), b"\x03" * 32, b"\x04" * 32)
    assert author.act(community, draft).waiting
    assert "charter" in (invitations.why_not(store.evaluator(community), author.key) or "")
    assert store.lane_state(community, AUTHORITY).count == 0


def test_who_was_revoked_does_not_come_back_by_a_link(author: Author, valley: bytes) -> None:
    invited = invitations.invite(author, valley, "member", 5)
    rosa = person(author, SEEDS[0])
    join(rosa, valley, invited)
    members.revoke(author, valley, rosa.key.hex())
    join(rosa, valley, invited)
    assert rosa.key not in author.store.authority(valley).members
    assert "ask a steward" in (invitations.why_not(author.store.evaluator(valley), rosa.key) or "")


def test_only_a_steward_invites_and_only_within_the_limits(author: Author, valley: bytes) -> None:
    with pytest.raises(Conflict, match="only a steward can invite people"):
        invitations.invite(person(author, SEEDS[0]), valley, "member", 1)
    for role, uses, field in (("steward", 1, "role"), ("member", 0, "uses"), ("member", 10_001, "uses")):
        with pytest.raises(WrongField) as caught:
            invitations.invite(author, valley, role, uses)
        assert caught.value.field == field
