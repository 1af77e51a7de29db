"""Communities: founded by a charter, found by id or name, and who is admitted."""

import pytest

from commonsnode import communities
from commonsnode.authoring import Author
from commonsnode.errors import Ambiguous, Conflict, Unknown, WrongField
from commonsnode_protocol.link import parse
from commonsnode_store.store import Store

LANES = ("authority", "public")
PERSON = "ab" * 32


def test_a_founder_is_the_one_steward(author: Author, store: Store) -> None:
    community = communities.create(author, "Valle Alto", LANES)
    (info,) = store.communities()
    assert (info.id, info.name, set(info.lanes)) == (community, "Valle Alto", set(LANES))
    table = store.authority(community).table
    assert table is not None
    assert table.stewards == (author.key,)


def test_two_communities_of_one_name_are_two(author: Author, store: Store) -> None:
    first = communities.create(author, "Valley", LANES)
    second = communities.create(author, "Valley", LANES)
    assert first != second
    with pytest.raises(Ambiguous) as caught:
        communities.resolve(store, "Valley")
    assert len(caught.value.candidates) == 2
    assert communities.resolve(store, first.hex().upper()).id == first
    assert communities.resolve(store, second.hex()[:16]).id == second


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 257, "ü" * 129, "\ud800", "a\u202eb"])
def test_a_name_is_printable_and_short(author: Author, name: str) -> None:
    with pytest.raises(WrongField) as caught:
        communities.create(author, name, LANES)
    assert caught.value.field == "name"


def test_a_community_that_is_not_here_is_unknown(store: Store) -> None:
    for text in ("Valley", "ab", ""):
        with pytest.raises(Unknown):
            communities.resolve(store, text)


def test_a_link_carries_community_table_and_addresses(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    link = parse(communities.link_of(community, store.authority(community), ["ws://127.0.0.1:1/peer"]))
    assert (link.community, link.table, link.addresses) == (community, community, ("ws://127.0.0.1:1/peer",))


def test_a_person_is_admitted_once(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    granted = communities.grant(author, community, PERSON, "member")
    assert granted.changeset is not None
    assert store.authority(community).writes(bytes.fromhex(PERSON))
    assert communities.grant(author, community, PERSON, "member").changeset is None


def test_a_mirror_is_admitted_but_writes_nothing_until_it_is_a_member(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    communities.grant(author, community, PERSON, "mirror")
    assert not store.authority(community).writes(bytes.fromhex(PERSON))
    communities.grant(author, community, PERSON, "member")
    assert store.authority(community).writes(bytes.fromhex(PERSON))
    with pytest.raises(Conflict, match="cannot take that back"):
        communities.grant(author, community, PERSON, "mirror")


@pytest.mark.parametrize("person", ["", "ab", "zz" * 32, "ab" * 33, "é" * 64, " " * 64])
def test_a_key_is_64_digits(author: Author, person: str) -> None:
    community = communities.create(author, "Valley", LANES)
    with pytest.raises(WrongField, match="commonsnode id"):
        communities.grant(author, community, person, "member")


def test_a_steward_is_not_made_by_a_grant(author: Author) -> None:
    community = communities.create(author, "Valley", LANES)
    with pytest.raises(WrongField, match="member, mirror"):
        communities.grant(author, community, PERSON, "steward")
    with pytest.raises(Conflict, match="is a steward"):
        communities.grant(author, community, author.key.hex(), "member")


def test_only_a_steward_admits_and_the_error_says_who_is_one(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    stranger = Author(store, b"\x03" * 32, author.now_ms, lambda *_: None)
    with pytest.raises(Conflict) as caught:
        communities.grant(stranger, community, PERSON, "member")
    assert author.key.hex() in caught.value.detail


def test_nobody_is_admitted_while_the_charter_is_not_here(author: Author, store: Store) -> None:
    store.follow(b"\x09" * 32, LANES)
    with pytest.raises(Conflict, match="charter"):
        communities.grant(author, b"\x09" * 32, PERSON, "member")
