"""People: admitted, revoked, and admitted again."""

import pytest

from commonsnode import communities, members
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode_store.store import Store

LANES = ("authority", "public", "knowledge")
PERSON = "ab" * 32


def test_a_person_is_admitted_once(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    granted = members.grant(author, community, PERSON, "member")
    assert granted.changeset is not None
    assert store.authority(community).writes(bytes.fromhex(PERSON))
    assert members.grant(author, community, PERSON, "member").changeset is None


def test_a_mirror_is_admitted_but_writes_nothing_until_it_is_a_member(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    members.grant(author, community, PERSON, "mirror")
    assert not store.authority(community).writes(bytes.fromhex(PERSON))
    members.grant(author, community, PERSON, "member")
    assert store.authority(community).writes(bytes.fromhex(PERSON))


@pytest.mark.parametrize("person", ["", "ab", "zz" * 32, "ab" * 33, "é" * 64, " " * 64])
def test_a_key_is_64_digits(author: Author, person: str) -> None:
    community = communities.create(author, "Valley", LANES)
    with pytest.raises(WrongField, match="commonsnode id"):
        members.grant(author, community, person, "member")


def test_a_steward_is_not_made_by_a_grant(author: Author) -> None:
    community = communities.create(author, "Valley", LANES)
    with pytest.raises(WrongField, match="member, mirror"):
        members.grant(author, community, PERSON, "steward")
    with pytest.raises(Conflict, match="is a steward"):
        members.grant(author, community, author.key.hex(), "member")


def test_only_a_steward_admits_and_the_error_says_who_is_one(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    stranger = Author(store, b"\x03" * 32, author.now_ms, lambda *_: None)
    with pytest.raises(Conflict) as caught:
        members.grant(stranger, community, PERSON, "member")
    assert author.key.hex() in caught.value.detail


def test_nobody_is_admitted_while_the_charter_is_not_here(author: Author, store: Store) -> None:
    store.follow(b"\x09" * 32, LANES)
    with pytest.raises(Conflict, match="charter"):
        members.grant(author, b"\x09" * 32, PERSON, "member")
