"""The sealed lane: who reads what, and that nobody who was shut out reads what is written afterwards."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_box_seal,
    crypto_sign_ed25519_pk_to_curve25519,
)

from authority_acts import copy, device, grant, invite, join, revoke, revoke_key, table, village, withdraw
from authority_world import Node, key_of, meet, nonce, seed_of
from commonsnode_protocol import epochs, sealing
from commonsnode_protocol.authority import Settings, values_of
from commonsnode_protocol.changeset import KEYS, MEMBERS, Changeset, Write, build, decode
from commonsnode_protocol.sealing import seal, unseal

LANES = (KEYS, MEMBERS)
PHONE: dict[str, Write] = {"phone": ("12 34", ())}


def key_for(number: int) -> bytes:
    return number.to_bytes(32, "little")


def in_lane(
    node: Node, author: str, lane: str, changes: list[tuple[bytes, str, dict[str, Write]]]
) -> Changeset:
    return node.write(
        decode(
            build(
                community=node.community, lane=lane, author=key_of(author), time=1, refs=[], changes=changes
            )
        )
    )


def standing_keys(node: Node) -> epochs.Epochs:
    return epochs.read(node.changesets(KEYS, node.standing(KEYS)))


def new_epoch(node: Node, steward: str, number: int) -> bytes:
    """A steward's node makes an epoch that follows all it can open, and copies it to whom it may."""
    keys = epochs.opened(standing_keys(node), seed_of(steward))
    nonces = [n.to_bytes(24, "big") for n in range(len(keys))]
    in_lane(
        node, steward, KEYS, [epochs.epoch_change(node.evaluator, nonce(), key_for(number), keys, nonces)]
    )
    write_copies(node, steward, {epochs.commitment_of(key_for(number)): key_for(number)})
    return epochs.commitment_of(key_for(number))


def write_copies(node: Node, author: str, keys: dict[bytes, bytes]) -> None:
    missing = epochs.copies_to_write(standing_keys(node), node.evaluator, keys)
    changes = [epochs.copy_change(nonce(), to, keys[of], b"e" * 32) for of, to in missing]
    for n in range(0, len(changes), 200):
        in_lane(node, author, KEYS, changes[n : n + 200])


def keys_of(node: Node, name: str) -> dict[bytes, bytes]:
    return epochs.opened(standing_keys(node), seed_of(name))


def writes_under(node: Node, name: str) -> bytes | None:
    epoch = epochs.to_write_under(standing_keys(node), node.evaluator, keys_of(node, name))
    return epoch.commitment if epoch is not None else None


def sealed_village(*members: str, settings: Settings | None = None) -> Node:
    plain = village("F", settings=settings or Settings())
    node = copy(plain, lanes=LANES)
    for name in members:
        grant(node, "F", name)
    new_epoch(node, "F", 1)
    return node


def add_steward(node: Node) -> None:
    table(node, "F", add=["B"])


def test_members_read_and_write_under_the_epoch_and_strangers_do_not() -> None:
    node = sealed_village("M")
    under = writes_under(node, "M")
    assert under == epochs.commitment_of(key_for(1))
    change = seal(
        [(nonce(), "agent", PHONE)],
        community=node.community,
        author=key_of("M"),
        key=key_for(1),
        nonce=b"n" * 24,
    )
    wrote = in_lane(node, "M", MEMBERS, [change])
    assert values_of(unseal(wrote, keys_of(node, "F"))[0]) == {"phone": "12 34"}
    assert unseal(wrote, keys_of(node, "X")) == []
    assert wrote.id in node.standing(MEMBERS)


def test_a_copy_is_a_sealed_box_as_libsodium_has_it() -> None:
    to = crypto_sign_ed25519_pk_to_curve25519(key_of("M"))
    assert epochs.open_copy(bytes(crypto_box_seal(key_for(7), to)), seed_of("M")) == key_for(7)
    mine = epochs.seal_copy(key_for(7), key_of("M"), b"s" * 32)
    assert len(mine) == epochs.SEALED_KEY_BYTES
    assert epochs.open_copy(mine, seed_of("M")) == key_for(7)
    assert epochs.open_copy(mine, seed_of("N")) is None


def test_a_revocation_ends_the_epoch_and_the_next_one_is_not_for_the_revoked() -> None:
    node = sealed_village("M", "N")
    revoke(node, "F", "M")
    assert writes_under(node, "F") is None
    assert writes_under(node, "N") is None  # holds what is sealed, and says so
    assert epochs.copies_to_write(standing_keys(node), node.evaluator, keys_of(node, "N")) == []
    new_epoch(node, "F", 2)
    assert writes_under(node, "N") == epochs.commitment_of(key_for(2))
    assert epochs.commitment_of(key_for(2)) not in keys_of(node, "M")


def test_attack_22_after_two_concurrent_revocations_neither_revoked_reads_what_is_written() -> None:
    node = sealed_village("M", "N", "X")
    add_steward(node)
    new_epoch(node, "F", 2)
    here, there = copy(node, lanes=LANES), copy(node, lanes=LANES)
    revoke(here, "F", "M")
    new_epoch(here, "F", 3)
    revoke(there, "B", "N")
    new_epoch(there, "B", 4)
    meet(here, there)
    assert [writes_under(here, name) for name in "FBX"] == [None, None, None]
    new_epoch(here, "F", 5)
    meet(here, there)
    for name in "FBX":
        assert writes_under(there, name) == epochs.commitment_of(key_for(5))
        assert len(keys_of(there, name)) == 5  # it follows both
    for name in "MN":
        assert epochs.commitment_of(key_for(5)) not in keys_of(there, name)


def test_attack_22_a_new_member_reads_as_soon_as_any_members_node_is_met() -> None:
    node = sealed_village("M", "N")
    here, there = copy(node, lanes=LANES), copy(node, lanes=LANES)
    revoke(here, "F", "M")
    new_epoch(here, "F", 2)
    grant(there, "F", "X")
    meet(here, there)
    assert writes_under(there, "X") is None
    write_copies(there, "N", keys_of(there, "N"))
    assert writes_under(there, "X") == epochs.commitment_of(key_for(2))


def test_attack_21_an_epoch_with_different_keys_for_different_people_is_read_by_none() -> None:
    node = sealed_village("M", "N")
    false = epochs.copy_change(nonce(), key_of("M"), key_for(9), b"e" * 32)
    false[2]["epoch"] = (epochs.commitment_of(key_for(1)), ())
    in_lane(node, "F", KEYS, [false])
    assert keys_of(node, "M") == {epochs.commitment_of(key_for(1)): key_for(1)}


def test_attack_21_garbage_inside_a_sealed_change_has_no_effect_and_blames_nobody() -> None:
    node = sealed_village("M")
    keys = keys_of(node, "M")
    commitment = epochs.commitment_of(key_for(1))
    good = seal(
        [(nonce(), "agent", PHONE)],
        community=node.community,
        author=key_of("M"),
        key=key_for(1),
        nonce=b"n" * 24,
    )
    header = sealing._header(node.community, key_of("M"), commitment)
    inner = crypto_aead_xchacha20poly1305_ietf_encrypt(b"\xc1garbage", header, b"m" * 24, key_for(1))
    for box in (b"", b"x" * 23, b"x" * 100, b"m" * 24 + bytes(inner)):
        fields: dict[str, Write] = {"box": (box, ()), "epoch": (commitment, ())}
        both = in_lane(node, "M", MEMBERS, [good, (nonce(), sealing.SEALED, fields)])
        assert both.id in node.standing(MEMBERS)
        assert len(unseal(both, keys)) == 1


def test_attack_21_a_ciphertext_reads_for_its_author_and_community_only() -> None:
    node = sealed_village("M", "N")
    change = seal(
        [(nonce(), "agent", PHONE)],
        community=node.community,
        author=key_of("M"),
        key=key_for(1),
        nonce=b"n" * 24,
    )
    assert unseal(in_lane(node, "N", MEMBERS, [change]), keys_of(node, "N")) == []
    other = dict(change[2])
    other["epoch"] = (epochs.commitment_of(key_for(2)), ())
    moved = in_lane(node, "M", MEMBERS, [(change[0], change[1], other)])
    assert unseal(moved, {**keys_of(node, "N"), epochs.commitment_of(key_for(2)): key_for(2)}) == []
    assert unseal(moved, {epochs.commitment_of(key_for(2)): key_for(1)}) == []


def test_attack_27_a_removed_steward_and_an_unnamed_joiner_read_nothing_afterwards() -> None:
    node = sealed_village("M")
    add_steward(node)
    new_epoch(node, "F", 2)
    table(node, "F", remove=["B"])
    invite(node, "F", uses=3)
    late = copy(node, lanes=LANES)
    withdraw(node, "F")
    join(late, "X")
    new_epoch(node, "F", 3)
    meet(node, late)
    for name in "BX":
        assert epochs.commitment_of(key_for(3)) not in keys_of(late, name)
    assert writes_under(late, "M") == epochs.commitment_of(key_for(3))


def test_attack_28_where_an_epochs_maker_died_before_its_copies_another_steward_makes_one() -> None:
    node = sealed_village("M", "N")
    add_steward(node)
    new_epoch(node, "F", 2)
    revoke(node, "F", "M")
    in_lane(node, "F", KEYS, [epochs.epoch_change(node.evaluator, nonce(), key_for(3), {}, [])])
    assert writes_under(node, "N") is None
    assert writes_under(node, "B") is None  # though one is good, it cannot open it
    new_epoch(node, "B", 4)
    assert writes_under(node, "N") == writes_under(node, "B") == epochs.commitment_of(key_for(4))


def test_a_revoked_device_reads_nothing_afterwards() -> None:
    node = sealed_village("M")
    device(node, "M", "M", "M2")
    write_copies(node, "F", keys_of(node, "F"))
    assert writes_under(node, "M2") is not None
    revoke_key(node, "M", "M", "M2")
    new_epoch(node, "F", 2)
    assert epochs.commitment_of(key_for(2)) not in keys_of(node, "M2")
    assert epochs.commitment_of(key_for(2)) in keys_of(node, "M")


@pytest.mark.parametrize("past", [True, False])
def test_newcomers_read_the_past_where_the_charter_says_so(past: bool) -> None:
    node = sealed_village("M", settings=Settings(newcomers_read_past=past))
    revoke(node, "F", "M")
    grant(node, "F", "N")
    new_epoch(node, "F", 2)
    assert (epochs.commitment_of(key_for(1)) in keys_of(node, "N")) is past


def test_an_epoch_by_one_who_is_no_steward_is_not_good() -> None:
    node = sealed_village("M")
    revoke(node, "F", "X")
    new_epoch(node, "M", 2)
    assert epochs.good(standing_keys(node), node.evaluator) == []


def test_a_copy_for_somebody_who_is_not_admitted_makes_an_epoch_bad_for_good() -> None:
    node = sealed_village("M")
    in_lane(node, "M", KEYS, [epochs.copy_change(nonce(), key_of("X"), key_for(1), b"e" * 32)])
    assert writes_under(node, "M") is None
    new_epoch(node, "F", 2)
    assert writes_under(node, "M") == epochs.commitment_of(key_for(2))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_is_shut_out_reads_nothing_written_after_the_nodes_have_met(seed: int) -> None:
    random = Random(seed)
    node = sealed_village("M", "N", "X")
    add_steward(node)
    new_epoch(node, "F", 2)
    nodes = [copy(node, lanes=LANES) for _ in range(2)]
    number = 10
    for _ in range(random.randrange(2, 7)):
        at, steward = random.choice(nodes), random.choice("FB")
        act = random.choice((revoke, revoke, grant))
        act(at, steward, random.choice("MNX"))
        number += 1
        if writes_under(at, steward) is None:
            new_epoch(at, steward, number)
        elif random.random() < 0.5:
            write_copies(at, steward, keys_of(at, steward))
        if random.random() < 0.3:
            meet(nodes[0], nodes[1])
    meet(nodes[0], nodes[1])
    if writes_under(nodes[0], "F") is None:
        new_epoch(nodes[0], "F", 99)
    write_copies(nodes[0], "F", keys_of(nodes[0], "F"))
    meet(nodes[0], nodes[1])
    admitted = nodes[1].evaluator.readers
    under = {name: writes_under(nodes[1], name) for name in "FBMNX"}
    readable = {name: keys_of(nodes[1], name).keys() for name in "FBMNX"}
    for name in "FBMNX":
        if key_of(name) in admitted:
            assert under[name] is not None, "who is admitted can write"
            assert all(under[name] in readable[other] for other in "FBMNX" if key_of(other) in admitted)
        else:
            assert all(under[other] not in readable[name] for other in "FB")
