"""The keys of a person: added by the first node or by words on paper, revoked by one another."""

import pytest

from commonsnode import communities, devices, invitations, members, recovery, stewards
from commonsnode.authoring import Author
from commonsnode.config import SERVED_LANES
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode.governing import role_of
from commonsnode.home import Home, read_seed
from commonsnode.recovery_words import seed_of

LANES = SERVED_LANES
SEED = b"\x15" * 32


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def other(author: Author, seed: bytes = SEED) -> Author:
    """Another node's hand, on the same store."""
    return Author(author.store, seed, author.now_ms + 1, lambda *_: None)


def added(author: Author, valley: bytes, seed: bytes = SEED) -> Author:
    devices.add(author, devices.code_for(valley, author.key, seed))
    return other(author, seed)


def kinds(author: Author, valley: bytes) -> list[tuple[bytes, str, bool]]:
    held = author.store.evaluator(valley)
    return [(each.key, each.kind, each.revoked) for each in devices.listed(held, author.key)]


def write(author: Author, valley: bytes, n: int) -> bool:
    """Whether what is written stands."""
    return not author.write(
        valley, "public", [(bytes([n]) * 16, "resource", {"title": (f"saw {n}", ())})]
    ).waiting


def test_a_device_writes_as_its_person_and_admits_people_as_its_steward(
    author: Author, valley: bytes
) -> None:
    assert not write(other(author), valley, 1)
    device = added(author, valley)
    assert write(device, valley, 2)
    assert role_of(author.store.authority(valley), device.key) == "steward"
    assert members.grant(device, valley, "ab" * 32, "member").waiting is False
    assert not invitations.invite(device, valley, "member", 1).waiting
    assert kinds(author, valley) == [(author.key, "first", False), (device.key, "device", False)]


def test_a_device_signs_no_tables_and_adds_no_keys(author: Author, valley: bytes) -> None:
    device = added(author, valley)
    with pytest.raises(Conflict, match="another device of the steward"):
        stewards.propose(device, valley, ["ab" * 32], [], {})
    with pytest.raises(WrongField, match="is for the person"):
        devices.add(device, devices.code_for(valley, author.key, b"\x16" * 32))
    with pytest.raises(Conflict, match="only the first one, or the recovery words"):
        recovery.make(device, [valley])


def test_what_a_lost_device_wrote_stays_and_nothing_new_of_it_stands(author: Author, valley: bytes) -> None:
    device = added(author, valley)
    assert write(device, valley, 1)
    revoked = devices.revoke(author, valley, device.key.hex()[:8])
    assert (revoked.key, revoked.kind, revoked.named) == (device.key, "device", 1)
    assert not write(device, valley, 2)
    assert author.store.page(community=valley).records[0].title == "saw 1"
    assert role_of(author.store.authority(valley), device.key) is None
    with pytest.raises(Conflict, match="only a steward"):
        members.grant(device, valley, "ab" * 32, "member")
    with pytest.raises(Conflict, match="revoked already"):
        devices.revoke(author, valley, device.key.hex())
    with pytest.raises(Conflict, match="own key was revoked"):
        devices.revoke(device, valley, author.key.hex())
    with pytest.raises(Conflict, match="for good"):
        devices.add(author, devices.code_for(valley, author.key, SEED))
    with pytest.raises(Unknown, match="no other key of yours"):
        devices.revoke(author, valley, author.key.hex())


def test_a_code_is_for_one_person_in_one_community(author: Author, home: Home, valley: bytes) -> None:
    code = devices.code_for(valley, author.key, SEED)
    assert devices.read_code(f" {str(code)[:40]}\n{str(code)[40:]} ") == code
    with pytest.raises(WrongField, match="this node itself"):
        devices.code_for(valley, author.key, read_seed(home))
    for wrong in ("", str(code)[:-2], str(code)[:-1] + "x", "commons:" + "ab" * 32):
        with pytest.raises(WrongField, match="not whole"):
            devices.read_code(wrong)
    hill = communities.create(author, "Hill", LANES)
    with pytest.raises(WrongField, match="not signed by the key"):
        devices.add(author, devices.Code(hill, code.person, code.key, code.signature))
    devices.add(author, code)
    with pytest.raises(Conflict, match="already"):
        devices.add(author, code)


def test_words_count_in_every_community_where_this_node_is_a_persons_first(
    author: Author, valley: bytes
) -> None:
    hill = communities.create(author, "Hill", LANES)
    afar = b"\x07" * 32
    author.store.follow(afar, LANES)
    made = recovery.make(author, [valley, hill, afar])
    assert made.communities == (valley, hill)
    assert made.left_out == ((afar, "the charter of this community is not here yet"),)
    assert len(made.words) == 24
    assert "words" not in repr(made)
    assert kinds(author, valley)[1:] == [(made.key, "recovery", False)]
    with pytest.raises(Conflict, match="charter"):
        recovery.make(author, [afar])


def test_words_outrank_devices_and_revoke_the_first_node_itself(author: Author, valley: bytes) -> None:
    made = recovery.make(author, [valley])
    words = other(author, seed_of(" ".join(made.words)))
    recovery._add_device(words, valley, author.key, SEED)
    device = other(author)
    with pytest.raises(Conflict, match="outrank"):
        devices.revoke(device, valley, made.key.hex())
    assert write(author, valley, 1)
    revoked = devices.revoke(words, valley, author.key.hex())
    assert (revoked.kind, revoked.still_signs) == ("first", True)  # what is told: hand the office on
    assert not write(author, valley, 2)
    assert write(device, valley, 3)
    assert role_of(author.store.authority(valley), device.key) == "steward"
    assert role_of(author.store.authority(valley), author.key) is None


def test_words_that_were_revoked_bring_nobody_back(author: Author, valley: bytes) -> None:
    old, new = recovery.make(author, [valley]), recovery.make(author, [valley])
    by_new = other(author, seed_of(" ".join(new.words)))
    assert devices.revoke(by_new, valley, old.key.hex()).still_signs
    with pytest.raises(Conflict, match="words were revoked"):
        recovery._add_device(other(author, seed_of(" ".join(old.words))), valley, author.key, SEED)
