"""The digests behind "in step": the same for the same set, however it came about, and not to be forged."""

import hashlib
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol.lthash import LtHash, authority_digest
from commonsnode_protocol.negentropy import VectorStorage, fingerprint

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
unhurried = settings(deadline=None)  # the machine may be busy with something else
LTHASH_JSON = json.loads((VECTORS / "lthash.json").read_text(encoding="utf-8"))

IDS = st.binary(min_size=32, max_size=32)
SETS = st.sets(IDS, max_size=20)


def lthash(ids: Iterable[bytes]) -> LtHash:
    digest = LtHash()
    digest.add(ids)
    return digest


def plainly(ids: Iterable[bytes]) -> bytes:
    """The state word by word, as the paper has it."""
    words = [0] * 1024
    for id_ in ids:
        expanded = struct.unpack("<1024H", hashlib.shake_128(id_).digest(2048))
        words = [(word + more) % 2**16 for word, more in zip(words, expanded, strict=True)]
    return struct.pack("<1024H", *words)


@given(SETS)
@unhurried
def test_the_state_is_the_sum_word_by_word(ids: set[bytes]) -> None:
    assert lthash(ids).state() == plainly(ids)


@given(st.lists(IDS, max_size=20, unique=True), st.randoms(use_true_random=False), st.integers(0, 20))
@unhurried
def test_neither_order_nor_batches_matter(ids: list[bytes], source: Any, cut: int) -> None:
    together = lthash(ids).digest()
    source.shuffle(ids)
    apart = lthash(ids[:cut])
    apart.add(ids[cut:])
    assert apart.digest() == together


@given(SETS, SETS)
@unhurried
def test_what_is_added_and_removed_leaves_no_trace(kept: set[bytes], gone: set[bytes]) -> None:
    digest = lthash(kept)
    digest.add(gone - kept)
    digest.remove(gone - kept)
    assert digest.state() == lthash(kept).state()


@given(SETS, SETS)
@unhurried
def test_removal_may_come_before_addition(first: set[bytes], second: set[bytes]) -> None:
    digest = LtHash()
    digest.remove(first - second)
    digest.add(first | second)
    assert digest.state() == lthash(second).state()


@given(SETS, SETS)
@unhurried
def test_another_set_has_another_digest(one: set[bytes], other: set[bytes]) -> None:
    assert (lthash(one).digest() == lthash(other).digest()) == (one == other)


@given(SETS, SETS)
@unhurried
def test_a_state_can_be_kept_and_gone_on_with(before: set[bytes], after: set[bytes]) -> None:
    digest = LtHash.from_state(lthash(before).state())
    digest.add(after - before)
    assert digest.digest() == lthash(before | after).digest()


def test_the_empty_set_has_the_digest_of_2048_zero_bytes() -> None:
    assert LtHash().state() == bytes(2048)
    assert LtHash().digest() == hashlib.blake2b(bytes(2048), digest_size=32).digest()


def test_more_ids_than_a_cell_can_hold_are_added_rightly() -> None:
    """2**16 times a word is nothing, so 5 * 2**14 times is the same as 2**14 times."""
    id_ = b"\xa5" * 32
    digest = LtHash()
    digest.add(id_ for _ in range(5 * 2**14))
    words = struct.unpack("<1024H", hashlib.shake_128(id_).digest(2048))
    assert digest.state() == struct.pack("<1024H", *(word * 2**14 % 2**16 for word in words))


@given(st.lists(IDS, min_size=2, max_size=20, unique=True), st.integers(1, 2**64))
@unhurried
def test_sets_with_equal_sums_have_equal_fingerprints_but_other_digests(ids: list[bytes], by: int) -> None:
    """Who may choose ids moves one up and another down: the sum mod 2**256 stays."""
    moved = list(ids)
    for place, distance in ((0, by), (1, -by)):
        number = (int.from_bytes(ids[place], "little") + distance) % 2**256
        moved[place] = number.to_bytes(32, "little")
    if len(set(moved)) < len(moved) or set(moved) == set(ids):
        return
    sums = [VectorStorage((0, id_) for id_ in some).id_sum(0, len(some)) for some in (ids, moved)]
    assert fingerprint(sums[0], len(ids)) == fingerprint(sums[1], len(moved))
    assert lthash(ids).digest() != lthash(moved).digest()
    assert authority_digest(ids) != authority_digest(moved)


@given(st.lists(IDS, max_size=20))
@unhurried
def test_the_digest_of_the_authority_lane_is_of_its_sorted_ids(ids: list[bytes]) -> None:
    expected = hashlib.blake2b(b"".join(sorted(set(ids))), digest_size=32).digest()
    assert authority_digest(ids) == expected


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)], ids=len)
def test_an_id_has_32_bytes(wrong: bytes) -> None:
    digest = LtHash()
    for act in (digest.add, digest.remove, authority_digest):
        with pytest.raises(ValueError, match="32 bytes"):
            act([wrong])
    assert digest.state() == bytes(2048)


@pytest.mark.parametrize("length", [0, 2047, 2049])
def test_a_state_has_2048_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="2048 bytes"):
        LtHash.from_state(bytes(length))


# The published vectors


def as_ids(runs: list[list[int]]) -> list[bytes]:
    return [
        hashlib.blake2b(f"commonsnode/vector/item/{number}".encode(), digest_size=32).digest()
        for run in runs
        for number in range(*run)
    ]


@pytest.mark.parametrize("vector", LTHASH_JSON["lthash"], ids=lambda vector: vector["name"])
def test_lthash_vector(vector: dict[str, Any]) -> None:
    digest = LtHash()
    for step in vector["steps"]:
        digest.add(as_ids(step.get("add", [])))
        digest.remove(as_ids(step.get("remove", [])))
    assert digest.state().hex() == vector["state"]
    assert digest.digest().hex() == vector["digest"]


def test_equal_sums_vector() -> None:
    vector = LTHASH_JSON["equal_sums"]
    sets = [[bytes.fromhex(id_) for id_ in some] for some in vector["sets"]]
    prints = {
        fingerprint(VectorStorage((0, id_) for id_ in some).id_sum(0, len(some)), len(some)).hex()
        for some in sets
    }
    assert [*prints] == vector["fingerprints"]
    assert [lthash(some).digest().hex() for some in sets] == vector["digests"]
    assert len(set(vector["digests"])) == 2


@pytest.mark.parametrize("vector", LTHASH_JSON["authority"], ids=lambda vector: vector["name"])
def test_authority_vector(vector: dict[str, Any]) -> None:
    assert authority_digest(as_ids(vector["ids"])).hex() == vector["digest"]
