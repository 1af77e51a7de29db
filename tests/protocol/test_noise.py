"""Noise_XX_25519_ChaChaPoly_BLAKE2b agrees with other implementations, and refuses what is not of this handshake."""

import copy
import hashlib
import json
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.errors import MisuseError
from commonsnode_protocol.noise import (
    NONCE_RESERVED,
    CipherState,
    HandshakeState,
    KeyPair,
    NoiseError,
    hkdf,
)

PUBLISHED = Path(__file__).parents[1] / "data" / "noise"
KEYS = st.binary(min_size=32, max_size=32)
PAYLOADS = st.binary(max_size=100)

# Every encoding of a point of small order that libsodium's authors list; top bits are ignored by X25519.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
]


def pair_of(seed: int) -> KeyPair:
    return KeyPair.of(bytes([seed]) * 32)


def two_sides(
    prologue: bytes = b"p", other_prologue: bytes | None = None
) -> tuple[HandshakeState, HandshakeState]:
    return (
        HandshakeState(initiator=True, prologue=prologue, static=pair_of(1), ephemeral=pair_of(2)),
        HandshakeState(
            initiator=False,
            prologue=prologue if other_prologue is None else other_prologue,
            static=pair_of(3),
            ephemeral=pair_of(4),
        ),
    )


def finished() -> tuple[HandshakeState, HandshakeState]:
    alice, bob = two_sides()
    bob.read_message(alice.write_message(b""))
    alice.read_message(bob.write_message(b""))
    bob.read_message(alice.write_message(b""))
    return alice, bob


def insides(state: HandshakeState) -> tuple[object, ...]:
    symmetric = state._symmetric
    return (
        state.step,
        state.remote_ephemeral,
        state.remote_static,
        symmetric.ck,
        symmetric.h,
        symmetric.cipher.key,
        symmetric.cipher.n,
    )


@pytest.mark.parametrize("source", ["cacophony", "snow"])
def test_it_says_byte_for_byte_what_published_vectors_say(source: str) -> None:
    (vector,) = json.loads((PUBLISHED / f"{source}.json").read_text())["vectors"]

    def side(name: str) -> HandshakeState:
        value: dict[str, Any] = {
            key: bytes.fromhex(vector[f"{name}_{key}"]) for key in ("prologue", "static", "ephemeral")
        }
        return HandshakeState(
            initiator=name == "init",
            prologue=value["prologue"],
            static=KeyPair.of(value["static"]),
            ephemeral=KeyPair.of(value["ephemeral"]),
        )

    alice, bob = side("init"), side("resp")
    messages = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"])) for m in vector["messages"]]
    for (payload, ciphertext), (writer, reader) in zip(
        messages[:3], cycle(((alice, bob), (bob, alice))), strict=False
    ):
        assert writer.write_message(payload) == ciphertext
        assert reader.read_message(ciphertext) == payload
    assert alice.handshake_hash == bob.handshake_hash
    alice_sends, alice_receives = alice.split()
    bob_sends, bob_receives = bob.split()
    ways = cycle(((bob_sends, alice_receives), (alice_sends, bob_receives)))
    for (payload, ciphertext), (sender, receiver) in zip(messages[3:], ways, strict=False):
        assert sender.encrypt_with_ad(b"", payload) == ciphertext
        assert receiver.decrypt_with_ad(b"", ciphertext) == payload
    assert len(messages) > 4  # both directions were tried


@given(
    st.lists(KEYS, min_size=4, max_size=4),
    st.lists(PAYLOADS, min_size=3, max_size=3),
    st.binary(max_size=300),
)
def test_two_sides_agree_whatever_their_keys_and_payloads(
    keys: list[bytes], payloads: list[bytes], prologue: bytes
) -> None:
    pairs = [KeyPair.of(key) for key in keys]
    alice = HandshakeState(initiator=True, prologue=prologue, static=pairs[0], ephemeral=pairs[1])
    bob = HandshakeState(initiator=False, prologue=prologue, static=pairs[2], ephemeral=pairs[3])
    assert bob.read_message(alice.write_message(payloads[0])) == payloads[0]
    assert alice.read_message(bob.write_message(payloads[1])) == payloads[1]
    assert bob.read_message(alice.write_message(payloads[2])) == payloads[2]
    assert (alice.remote_static, bob.remote_static) == (pairs[2].public, pairs[0].public)
    assert alice.handshake_hash == bob.handshake_hash
    (alice_sends, alice_receives), (bob_sends, bob_receives) = alice.split(), bob.split()
    assert (alice_sends.key, alice_receives.key) == (bob_receives.key, bob_sends.key)
    assert alice_sends.key != alice_receives.key


def test_a_first_message_shows_the_ephemeral_key_and_the_payload_in_the_clear() -> None:
    alice, _ = two_sides()
    assert alice.write_message(b"hello") == pair_of(2).public + b"hello"


def test_sides_with_other_prologues_part_at_the_second_message() -> None:
    alice, bob = two_sides(b"one", b"two")
    bob.read_message(alice.write_message(b""))
    with pytest.raises(NoiseError):
        alice.read_message(bob.write_message(b""))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_of_small_order_is_refused(point: str) -> None:
    with pytest.raises(NoiseError, match="small order"):
        pair_of(1).shared_with(bytes.fromhex(point))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_an_ephemeral_key_of_small_order_ends_the_handshake(point: str) -> None:
    _, bob = two_sides()
    bob.read_message(bytes.fromhex(point))
    before = insides(bob)
    with pytest.raises(NoiseError, match="small order"):
        bob.write_message(b"")
    assert insides(bob) == before


def test_a_refused_message_changes_nothing_and_the_right_one_is_still_taken() -> None:
    alice, bob = two_sides()
    bob.read_message(alice.write_message(b""))
    message = bob.write_message(b"payload")
    before = insides(alice)
    for wrong in (
        b"",
        message[:31],
        message[:32],
        message[:79],
        message[:-1],
        message + b"\0",
        bytes(len(message)),
    ):
        with pytest.raises(NoiseError):
            alice.read_message(wrong)
        assert insides(alice) == before
    assert alice.read_message(message) == b"payload"


def test_a_message_of_65_535_bytes_passes_and_a_longer_one_does_not() -> None:
    alice, bob = two_sides()
    with pytest.raises(MisuseError):
        alice.write_message(bytes(65_535 - 32 + 1))
    message = alice.write_message(bytes(65_535 - 32))
    assert len(message) == 65_535
    with pytest.raises(NoiseError):
        bob.read_message(message + b"\0")
    assert bob.read_message(message) == bytes(65_535 - 32)


def test_nobody_speaks_out_of_turn() -> None:
    alice, bob = two_sides()
    with pytest.raises(MisuseError):
        bob.write_message(b"")
    with pytest.raises(MisuseError):
        alice.read_message(bytes(32))
    with pytest.raises(MisuseError):
        alice.split()
    alice, bob = finished()
    for side in (alice, bob):
        with pytest.raises(MisuseError):
            side.write_message(b"")
        with pytest.raises(MisuseError):
            side.read_message(bytes(100))


def test_a_failed_decryption_leaves_the_cipher_as_it_was() -> None:
    alice, bob = finished()
    sender, receiver = alice.split()[0], bob.split()[1]
    first, second = sender.encrypt_with_ad(b"ad", b"first"), sender.encrypt_with_ad(b"ad", b"second")
    for ad, wrong in [
        (b"ad", second),
        (b"AD", first),
        (b"ad", first[:-1]),
        (b"ad", first[:15]),
        (b"ad", b""),
    ]:
        with pytest.raises(NoiseError):
            receiver.decrypt_with_ad(ad, wrong)
        assert receiver.n == 0
    assert receiver.decrypt_with_ad(b"ad", first) == b"first"
    assert receiver.decrypt_with_ad(b"ad", second) == b"second"
    with pytest.raises(NoiseError):
        receiver.decrypt_with_ad(b"ad", second)


def test_the_last_nonce_is_never_used() -> None:
    cipher = CipherState(bytes(32), NONCE_RESERVED - 1)
    other = copy.copy(cipher)
    sealed = cipher.encrypt_with_ad(b"", b"the last")
    assert other.decrypt_with_ad(b"", sealed) == b"the last"
    with pytest.raises(MisuseError):
        cipher.encrypt_with_ad(b"", b"one too many")
    with pytest.raises(MisuseError):
        other.decrypt_with_ad(b"", sealed)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_private_key_has_32_bytes(size: int) -> None:
    with pytest.raises(MisuseError):
        KeyPair.of(bytes(size))


def test_no_secret_shows_in_a_repr() -> None:
    alice, _ = finished()
    cipher = alice.split()[0]
    for thing in (pair_of(1), alice, alice._symmetric, cipher):
        for secret in (pair_of(1).private, alice._symmetric.ck, cipher.key):
            assert repr(secret)[2:12] not in repr(thing)


def test_hkdf_pads_its_key_to_the_128_byte_blocks_of_blake2b() -> None:
    # RFC 2104 spelled out; a block of 64 bytes, as with BLAKE2s or SHA-256, would give something else.
    def hmac(key: bytes, data: bytes) -> bytes:
        key = key.ljust(128, b"\0")
        inner = hashlib.blake2b(bytes(b ^ 0x36 for b in key) + data).digest()
        return hashlib.blake2b(bytes(b ^ 0x5C for b in key) + inner).digest()

    temp_key = hmac(b"c" * 64, b"material")
    first = hmac(temp_key, b"\x01")
    assert hkdf(b"c" * 64, b"material") == (first, hmac(temp_key, first + b"\x02"))
