"""The door: what comes in is of this community and lane, signed and well-formed, or it blames the peer and nothing is kept."""

import hashlib

import msgpack
import pytest
from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_sign_seed_keypair,
)

from commonsnode_protocol.authority import evaluate
from commonsnode_protocol.changeset import (
    AUTHORITY,
    CONTEXT,
    PUBLIC,
    Signed,
    Write,
    build,
    public_key,
    sign,
    verify,
)
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.intake import Checked, OfUnknownVersion, check
from commonsnode_protocol.limits import CHANGESET_BYTES_MAX
from commonsnode_protocol.record import state, typed_id

SEED, OTHER_SEED = bytes(range(32)), bytes(range(32, 64))
AUTHOR = public_key(SEED)
COMMUNITY = bytes([7]) * 32
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = b"\x01" + bytes(31)  # a public key of small order: anybody can sign for it


def body(version: int = 1, community: bytes = COMMUNITY, lane: str = PUBLIC, author: bytes = AUTHOR) -> bytes:
    built = build(
        community=community,
        lane=lane,
        author=author,
        time=1_764_000_000_000,
        refs=[],
        changes=[(typed_id(community, author, bytes(16)), "resource", {"title": ("Drill", ())})],
    )
    return built[:1] + bytes([version]) + built[2:]


def charter(version: int = 1) -> Signed:
    fields: dict[str, Write] = {"nonce": (bytes(16), ()), "name": ("Valley", ()), "founder": (AUTHOR, ())}
    built = build(
        community=b"",
        lane=AUTHORITY,
        author=AUTHOR,
        time=0,
        refs=[],
        changes=[(typed_id(b"", AUTHOR, bytes(16)), "charter", fields)],
    )
    return sign(built[:1] + bytes([version]) + built[2:], SEED)


def refusal(signed: Signed, community: bytes = COMMUNITY, lane: str = PUBLIC) -> Reason:
    with pytest.raises(PeerError) as caught:
        check(community, lane, signed)
    return caught.value.reason


def sign_with_nonce(message: bytes, nonce: int, seed: bytes = SEED) -> bytes:
    """A signature by RFC 8032's equation whose nonce the signer chose: as good as the usual one, and another."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 0xF8
    scalar[31] = scalar[31] & 0x7F | 0x40
    reduced = crypto_core_ed25519_scalar_reduce(bytes(scalar) + bytes(32))
    r = nonce.to_bytes(32, "little")
    r_point = crypto_scalarmult_ed25519_base_noclamp(r) if nonce else IDENTITY
    public, _ = crypto_sign_seed_keypair(seed)
    k = crypto_core_ed25519_scalar_reduce(hashlib.sha512(r_point + public + message).digest())
    s: bytes = crypto_core_ed25519_scalar_add(r, crypto_core_ed25519_scalar_mul(k, reduced))
    return r_point + s


def test_a_signed_changeset_of_this_community_and_lane_is_taken() -> None:
    signed = sign(body(), SEED)
    checked = check(COMMUNITY, PUBLIC, signed)
    assert isinstance(checked, Checked)
    assert (checked.id, checked.signed) == (signed.id, signed)
    assert checked.changeset.author == AUTHOR


def test_a_charter_is_of_the_community_that_its_id_names() -> None:
    signed = charter()
    assert isinstance(check(signed.id, AUTHORITY, signed), Checked)
    assert refusal(signed, COMMUNITY, AUTHORITY) is Reason.WRONG_COMMUNITY
    assert refusal(signed, signed.id, PUBLIC) is Reason.WRONG_COMMUNITY


def test_another_community_or_lane_is_refused() -> None:
    assert refusal(sign(body(community=bytes(32)), SEED)) is Reason.WRONG_COMMUNITY
    assert refusal(sign(body(lane="knowledge"), SEED)) is Reason.WRONG_COMMUNITY


def test_a_signature_that_does_not_hold_is_refused() -> None:
    assert refusal(sign(body(), OTHER_SEED)) is Reason.BAD_SIGNATURE
    assert refusal(Signed(bytes(64), body())) is Reason.BAD_SIGNATURE


def test_bytes_that_are_no_changeset_are_refused() -> None:
    for bad in (b"", b"\x97", body()[:40], msgpack.packb([1, COMMUNITY, PUBLIC])):
        assert refusal(sign(bad, SEED)) is Reason.BAD_CHANGESET
    for length in (0, 63, 65):
        assert refusal(Signed(bytes(length), body())) is Reason.BAD_CHANGESET


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    assert refusal(Signed(bytes(64), bytes(CHANGESET_BYTES_MAX + 1))) is Reason.BAD_CHANGESET


def test_a_body_that_is_signed_and_not_canonical_is_refused() -> None:
    good = body()
    longer_time = good.replace(b"\xcf", b"\xd3", 1)  # the time as a signed integer of 64 bits
    assert longer_time != good
    assert msgpack.unpackb(longer_time) == msgpack.unpackb(good)
    for bad in (good + b"\xc0", good[:-1], longer_time):
        assert refusal(sign(bad, SEED)) is Reason.BAD_CHANGESET


def test_the_community_is_checked_before_the_signature_and_the_signature_before_the_form() -> None:
    wrong_and_unsigned = Signed(bytes(64), body(community=bytes(32)))
    assert refusal(wrong_and_unsigned) is Reason.WRONG_COMMUNITY
    assert refusal(Signed(bytes(64), body() + b"\xc0")) is Reason.BAD_SIGNATURE


# Attack 25: a version-2 changeset arrives at a version-1 node


@pytest.mark.parametrize("version", [0, 2, 127])
def test_attack_25_a_changeset_of_another_version_blames_nobody_and_stops_nothing(version: int) -> None:
    signed = sign(body(version), SEED)
    assert check(COMMUNITY, PUBLIC, signed) == OfUnknownVersion(signed.id, version, stops_community=False)


def test_attack_25_what_follows_the_header_of_another_version_is_not_looked_at() -> None:
    rest = msgpack.packb(
        [2, COMMUNITY, PUBLIC, AUTHOR, 1.5, {3: None, 1: None}, msgpack.ExtType(5, b"x"), "more"]
    )
    signed = sign(rest, SEED)
    assert check(COMMUNITY, PUBLIC, signed) == OfUnknownVersion(signed.id, 2, stops_community=False)


def test_attack_25_another_version_is_checked_for_community_lane_and_signature_all_the_same() -> None:
    assert refusal(sign(body(2), SEED), bytes(32)) is Reason.WRONG_COMMUNITY
    assert refusal(sign(body(2), SEED), lane="knowledge") is Reason.WRONG_COMMUNITY
    assert refusal(sign(body(2), OTHER_SEED)) is Reason.BAD_SIGNATURE
    assert refusal(Signed(bytes(64), msgpack.packb([2, b"", PUBLIC, AUTHOR, 0]))) is Reason.BAD_CHANGESET


def test_attack_25_only_a_charter_of_another_version_stops_its_community() -> None:
    signed = charter(version=2)
    assert check(signed.id, AUTHORITY, signed) == OfUnknownVersion(signed.id, 2, stops_community=True)


# Attack 26: the same body with a second valid signature; small-order keys; S that is not canonical


def test_attack_26_a_second_signature_of_a_body_is_good_and_changes_nothing() -> None:
    first = sign(body(), SEED)
    second = Signed(sign_with_nonce(CONTEXT + first.id, 4711), first.body)
    assert first.signature != second.signature
    a, b = check(COMMUNITY, PUBLIC, first), check(COMMUNITY, PUBLIC, second)
    assert isinstance(a, Checked)
    assert isinstance(b, Checked)
    assert a.id == b.id
    assert a.changeset == b.changeset
    assert state([a.changeset, b.changeset]) == state([a.changeset])


def test_attack_26_a_second_signature_of_the_charter_is_the_same_community() -> None:
    first = charter()
    second = Signed(sign_with_nonce(CONTEXT + first.id, 4711), first.body)
    a, b = check(first.id, AUTHORITY, first), check(first.id, AUTHORITY, second)
    assert isinstance(a, Checked)
    assert isinstance(b, Checked)
    assert evaluate(first.id, [a.changeset, b.changeset]) == evaluate(first.id, [a.changeset])


def test_attack_26_an_s_that_is_not_canonical_is_refused() -> None:
    signed = sign(body(), SEED)
    s = int.from_bytes(signed.signature[32:], "little")
    for more in range(1, 15):  # all that 32 bytes can hold
        malleable = signed.signature[:32] + (s + more * GROUP_ORDER).to_bytes(32, "little")
        assert refusal(Signed(malleable, signed.body)) is Reason.BAD_SIGNATURE


def test_attack_26_a_key_of_small_order_cannot_sign() -> None:
    """With the identity as key, [S]B = R + [k]A holds for R = [S]B and any message."""
    r = crypto_scalarmult_ed25519_base_noclamp(b"\x01" + bytes(31))
    signature = r + b"\x01" + bytes(31)
    for key in (IDENTITY, IDENTITY[:-1] + b"\x80"):
        assert refusal(Signed(signature, body(author=key))) is Reason.BAD_SIGNATURE


def test_attack_26_a_signature_without_nonce_is_refused() -> None:
    """R of small order: the equation holds, and some verifiers would take it."""
    signed = sign(body(), SEED)
    signature = sign_with_nonce(CONTEXT + signed.id, 0)
    assert not verify(AUTHOR, signed.id, signature)
    assert refusal(Signed(signature, signed.body)) is Reason.BAD_SIGNATURE
