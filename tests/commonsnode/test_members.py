"""People: admitted, revoked, and admitted again."""

import os

import pytest

from commonsnode import communities, inventory, members
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode.governing import role_of
from commonsnode_protocol.authority import writing
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import decode
from commonsnode_store.store import Store

LANES = ("authority", "public", "knowledge", "members", "keys")
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


def write(author: Author, community: bytes, title: str) -> bytes:
    return author.write(community, "public", [(os.urandom(16), "resource", {"title": (title, ())})]).ids[0]


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


@pytest.fixture
def rosa(author: Author, store: Store, valley: bytes) -> Author:
    """A member, whose node is this one too."""
    member = Author(store, b"\x03" * 32, author.now_ms + 1, lambda *_: None)
    members.grant(author, valley, member.key.hex(), "member")
    return member


def test_what_was_written_before_a_revocation_stays_and_what_comes_after_waits(
    author: Author, store: Store, valley: bytes, rosa: Author
) -> None:
    early = write(rosa, valley, "early")
    revoked = members.revoke(author, valley, rosa.key.hex()[:10])
    late = rosa.write(valley, "public", [(b"\x01" * 16, "resource", {"title": ("late", ())})])
    assert (revoked.person, revoked.role, revoked.named) == (rosa.key, "member", 1)
    assert late.waiting
    assert store.standing([early, *late.ids]) == {early}
    assert not store.authority(valley).writes(rosa.key)


def test_who_is_admitted_again_refs_the_grant_in_each_write_and_of_the_own_only_what_stands(
    author: Author, store: Store, valley: bytes, rosa: Author
) -> None:
    early = write(rosa, valley, "early")
    members.revoke(author, valley, rosa.key.hex())
    between = write(rosa, valley, "between")
    granted = members.grant(author, valley, rosa.key.hex(), "member").changeset
    assert granted is not None
    first, second = write(rosa, valley, "first"), write(rosa, valley, "second")
    refs = {
        id_: set(decode(signed.body).refs)
        for id_, signed in zip((first, second), store.fetch(valley, "public", [first, second]), strict=True)
    }
    assert refs == {first: {granted}, second: {granted, first}}
    assert store.standing([early, between, first, second]) == {early, first, second}


def test_a_write_that_waits_from_before_is_sent_by_editing_it_to_the_same(
    author: Author, store: Store, valley: bytes, rosa: Author
) -> None:
    members.revoke(author, valley, rosa.key.hex())
    added = inventory.add(rosa, valley, {"title": "Press"})
    members.grant(author, valley, rosa.key.hex(), "member")
    (ref,) = store.find(added.record.hex())
    edited = inventory.edit(rosa, ref, {"title": "Press"})
    assert (edited.changed, edited.waiting) == (("title",), False)


def test_a_member_becomes_a_mirror_by_a_revocation_and_a_grant_at_once(
    author: Author, store: Store, valley: bytes, rosa: Author
) -> None:
    early = write(rosa, valley, "early")
    members.grant(author, valley, rosa.key.hex(), "mirror")
    authority = store.authority(valley)
    assert authority.members[rosa.key].role == "mirror"
    assert (
        role_of(authority, rosa.key) == "mirror"
    )  # it carries what it cannot read, though its writings are cut
    assert not authority.writes(rosa.key)
    assert store.standing([early]) == {early}


def test_a_revocation_that_cannot_be_says_why(author: Author, store: Store, valley: bytes) -> None:
    with pytest.raises(Unknown, match="no member here"):
        members.revoke(author, valley, PERSON)
    with pytest.raises(Conflict, match="steward propose --remove"):
        members.revoke(author, valley, author.key.hex())
    members.grant(author, valley, PERSON, "member")
    members.revoke(author, valley, PERSON)
    with pytest.raises(Conflict, match="no role in this community any more"):
        members.revoke(author, valley, PERSON)
    stranger = Author(store, b"\x04" * 32, author.now_ms, lambda *_: None)
    with pytest.raises(Conflict, match="only a steward can revoke people"):
        members.revoke(stranger, valley, PERSON)


def test_a_node_that_lacks_a_lane_revokes_nobody(author: Author) -> None:
    community = communities.create(author, "Valley", ("authority", "public"))
    members.grant(author, community, PERSON, "member")
    with pytest.raises(Conflict, match="does not follow the lane knowledge"):
        members.revoke(author, community, PERSON)


def cut(author: Author, valley: bytes, rosa: Author, keep: bytes) -> None:
    """Another steward's revocation, by one who has seen of what Rosa wrote only `keep`."""
    held = author.store.evaluator(valley)
    data = {(rosa.key, "public"): {keep: ()}}
    author.act(valley, writing.revocation(held, author.key, os.urandom(16), rosa.key, data, lambda _: True))


@pytest.mark.parametrize("again", [False, True])
def test_a_steward_adopts_what_has_no_effect_and_nothing_beside_it(
    author: Author, store: Store, valley: bytes, rosa: Author, again: bool
) -> None:
    early = write(rosa, valley, "early")
    added = inventory.add(rosa, valley, {"title": "Press"})
    other = inventory.add(rosa, valley, {"title": "Saw"})
    assert added.changeset is not None
    assert other.changeset is not None
    cut(author, valley, rosa, early)
    assert store.standing([early, added.changeset, other.changeset]) == {early}
    if again:
        members.grant(author, valley, rosa.key.hex(), "member")
    (ref,) = store.find(added.record.hex(), void=True)
    adopted = members.adopt(author, ref)
    assert adopted.adopted == (added.changeset,)
    assert store.standing([early, added.changeset, other.changeset]) == {early, added.changeset}
    assert store.void(ref) == {}
    assert (rosa.key in store.authority(valley).members) == again
    with pytest.raises(Unknown, match="nothing that was written"):
        members.adopt(author, ref)


def test_what_members_alone_read_of_a_thing_is_adopted_with_it(
    author: Author, store: Store, valley: bytes, rosa: Author
) -> None:
    early = write(rosa, valley, "early")
    exact: Value = {"lat": 3_012_345, "lon": -782_654_321}
    inventory.add(author, valley, {"title": "so that there is a key"}, lane="members")
    added = inventory.add(rosa, valley, {"title": "Press", "place": exact})
    assert (added.blurred_m, added.why) == (1_000, None)
    cut(author, valley, rosa, early)
    (ref, *_) = [found for found in store.find(added.record.hex(), void=True) if found.lane == "public"]
    assert store.whole(ref) is None
    assert len(members.adopt(author, ref).adopted) == 2
    whole = store.whole(ref)
    assert whole is not None
    assert whole.values["place"] == exact
    assert store.check() == []
