"""A batch is unpacked only after its size is known, and only where it is exactly what its frame says."""

import contextlib
import hashlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol import batch, canonical
from commonsnode_protocol.changeset import Signed
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import (
    BATCH_BYTES_MAX,
    BATCH_COUNT_MAX,
    CHANGESET_BYTES_MAX,
    PACKED_BYTES_MAX,
)

ONE = [Signed(bytes(64), b"body")]
PLAIN = canonical.pack([[bytes(64), b"body"]])
batches = st.lists(
    st.builds(Signed, st.binary(min_size=64, max_size=64), st.binary(max_size=300)), min_size=1, max_size=20
)


def compress(plain: bytes, *, write_checksum: bool = False, write_content_size: bool = True) -> bytes:
    compressor = zstandard.ZstdCompressor(
        level=3, write_checksum=write_checksum, write_content_size=write_content_size
    )
    return compressor.compress(plain)


def refusal(size: int, packed: bytes, size_max: int = BATCH_BYTES_MAX) -> Reason:
    with pytest.raises(PeerError) as caught:
        batch.unpack(size, packed, size_max=size_max)
    return caught.value.reason


@given(batches)
def test_a_batch_that_is_packed_unpacks_to_the_same(changesets: list[Signed]) -> None:
    size, packed = batch.pack(changesets)
    assert batch.unpack(size, packed, size_max=BATCH_BYTES_MAX) == changesets


@given(batches)
def test_a_batch_is_no_larger_than_its_changesets_cost(changesets: list[Signed]) -> None:
    size, _ = batch.pack(changesets)
    assert size <= 5 + sum(map(batch.cost, changesets))


def test_the_largest_changesets_cost_no_more_than_is_said() -> None:
    for length in (0, 255, 256, CHANGESET_BYTES_MAX - 1, CHANGESET_BYTES_MAX):
        signed = Signed(bytes(64), bytes(length))
        assert len(canonical.pack([signed.signature, signed.body])) <= batch.cost(signed)


def test_a_batch_that_cannot_be_compressed_stays_under_the_limit_of_a_frame() -> None:
    noise = hashlib.shake_128(b"noise").digest(17 * 60_000)
    changesets = [Signed(bytes(64), noise[at : at + 60_000]) for at in range(0, 17 * 60_000, 60_000)]
    size, packed = batch.pack(changesets)
    assert size <= BATCH_BYTES_MAX
    assert len(packed) <= PACKED_BYTES_MAX


def test_any_zstandard_frame_with_its_size_is_taken_whatever_made_it() -> None:
    raw_block = bytes.fromhex("28b52ffd") + b"\x20" + bytes([len(PLAIN)])
    raw_block += (len(PLAIN) << 3 | 1).to_bytes(3, "little") + PLAIN  # last block, raw
    for packed in (raw_block, compress(PLAIN), compress(PLAIN, write_checksum=True)):
        assert batch.unpack(len(PLAIN), packed, size_max=BATCH_BYTES_MAX) == ONE


def test_a_size_over_the_limit_is_refused_before_anything_is_unpacked() -> None:
    assert refusal(BATCH_BYTES_MAX + 1, b"not Zstandard at all") is Reason.TOO_LARGE


@pytest.mark.parametrize("said", [len(PLAIN) - 1, len(PLAIN) + 1, 0])
def test_a_size_that_is_not_the_one_in_the_header_is_refused(said: int) -> None:
    assert refusal(said, compress(PLAIN)) is Reason.BAD_FRAME


def test_a_frame_without_its_size_is_refused() -> None:
    assert refusal(len(PLAIN), compress(PLAIN, write_content_size=False)) is Reason.BAD_FRAME


def test_a_frame_that_unpacks_to_more_than_it_says_is_refused() -> None:
    """A bomb: the header says little, the block says a run of 128 KiB."""
    header = bytes.fromhex("28b52ffd") + b"\x20" + bytes([len(PLAIN)])
    bomb = header + (131_071 << 3 | 2 | 1).to_bytes(3, "little") + b"a"
    assert refusal(len(PLAIN), bomb) is Reason.BAD_FRAME


def test_a_window_over_the_limit_is_refused() -> None:
    window = (23 - 10) << 3  # 8 MiB, the most
    for descriptor, taken in ((window, True), (window + 1, False)):
        size = len(PLAIN).to_bytes(4, "little")
        packed = bytes.fromhex("28b52ffd") + b"\x80" + bytes([descriptor]) + size
        packed += (len(PLAIN) << 3 | 1).to_bytes(3, "little") + PLAIN
        if taken:
            assert batch.unpack(len(PLAIN), packed, size_max=BATCH_BYTES_MAX) == ONE
        else:
            assert refusal(len(PLAIN), packed) is Reason.BAD_FRAME


def test_a_frame_that_wants_a_dictionary_is_refused() -> None:
    samples: list[bytes | bytearray | memoryview] = [
        f"resource title drill number {n} village".encode() * 4 for n in range(200)
    ]
    dictionary = zstandard.train_dictionary(1024, samples)
    packed = zstandard.ZstdCompressor(dict_data=dictionary).compress(PLAIN)
    assert refusal(len(PLAIN), packed) is Reason.BAD_FRAME


def test_a_checksum_that_does_not_fit_is_refused() -> None:
    packed = bytearray(compress(PLAIN, write_checksum=True))
    packed[-1] ^= 1
    assert refusal(len(PLAIN), bytes(packed)) is Reason.BAD_FRAME


@pytest.mark.parametrize("packed", [b"", b"\x28\xb5\x2f\xfd", compress(PLAIN)[:-1], compress(PLAIN) + b"\x00",
                                    compress(PLAIN) + compress(PLAIN), b"\x50\x2a\x4d\x18\x00\x00\x00\x00"])  # fmt: skip
def test_what_is_not_exactly_one_frame_is_refused(packed: bytes) -> None:
    assert refusal(len(PLAIN), packed) is Reason.BAD_FRAME
    assert refusal(0, packed) is Reason.BAD_FRAME


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\x90",  # an empty batch
        b"\xc0",
        b"\x80",
        PLAIN + b"\xc0",
        PLAIN[:-1],
        b"\x91\xc0",
        canonical.pack([[bytes(64)]]),
        canonical.pack([[bytes(64), b"body", b""]]),
        canonical.pack([[bytes(63), b"body"]]),
        canonical.pack([[bytes(65), b"body"]]),
        canonical.pack([[bytes(64), "body"]]),
        canonical.pack([["s" * 64, b"body"]]),
        canonical.pack([[bytes(64), None]]),
        canonical.pack({"a": [bytes(64), b"body"]}),
        b"\xdc\x00\x01" + PLAIN[1:],  # a longer form
    ],
    ids=lambda plain: plain.hex()[:24] or "nothing",
)
def test_what_is_no_array_of_pairs_of_signature_and_body_is_refused(plain: bytes) -> None:
    assert refusal(len(plain), compress(plain)) is Reason.BAD_FRAME


def test_a_body_over_the_limit_is_a_bad_changeset() -> None:
    batch.unpack(*batch.pack([Signed(bytes(64), bytes(CHANGESET_BYTES_MAX))]), size_max=BATCH_BYTES_MAX)
    size, packed = batch.pack([Signed(bytes(64), bytes(CHANGESET_BYTES_MAX + 1))])
    assert refusal(size, packed) is Reason.BAD_CHANGESET


def test_4096_changesets_are_taken_and_4097_are_too_large() -> None:
    signed = Signed(bytes(64), b"")
    size, packed = batch.pack([signed] * BATCH_COUNT_MAX)
    assert len(batch.unpack(size, packed, size_max=BATCH_BYTES_MAX)) == BATCH_COUNT_MAX
    size, packed = batch.pack([signed] * (BATCH_COUNT_MAX + 1))
    assert refusal(size, packed) is Reason.TOO_LARGE


@settings(max_examples=200)
@given(st.binary(max_size=100), st.integers(0, 2**21))
def test_any_bytes_are_refused_with_a_reason(packed: bytes, size: int) -> None:
    assert refusal(size, packed) in (Reason.BAD_FRAME, Reason.TOO_LARGE)


@given(batches, st.data())
def test_any_flipped_bit_is_refused_or_another_batch(changesets: list[Signed], data: st.DataObject) -> None:
    size, packed = batch.pack(changesets)
    changed = bytearray(packed)
    changed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(PeerError):  # whatever else is raised is a failure
        assert batch.unpack(size, bytes(changed), size_max=BATCH_BYTES_MAX)
