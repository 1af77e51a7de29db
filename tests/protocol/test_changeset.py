"""A changeset is refused or taken whole; its id and signature cover every byte of it."""

from dataclasses import replace
from hashlib import blake2b
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign

from commonsnode_protocol import canonical
from commonsnode_protocol.changeset import (
    AUTHORITY,
    CONTEXT,
    LANES,
    PUBLIC,
    build,
    changeset_id,
    compose,
    decode,
    excerpt,
    header,
    public_key,
    sign,
    verify,
)
from commonsnode_protocol.errors import NotCanonical, NotWellFormed
from commonsnode_protocol.limits import (
    CHANGES_MAX,
    CHANGESET_BYTES_MAX,
    FIELD_BYTES_MAX,
    INT_MAX,
    INT_MIN,
    KIND_BYTES_MAX,
    REFS_MAX,
    TIME_MS_MAX,
)

SEED = bytes(range(32))
AUTHOR = public_key(SEED)
COMMUNITY = bytes([7]) * 32
RECORD = bytes(16)
REFS = [bytes([n]) * 32 for n in range(4)]
TIME = 1_764_000_000_000

Parts = list[object]


def parts() -> Parts:
    """A body that is taken, as a list whose elements a test may change."""
    return [
        1,
        COMMUNITY,
        PUBLIC,
        AUTHOR,
        TIME,
        list(REFS),
        [[RECORD, "resource", {"title": ["Drill", [0, 2]]}]],
    ]


def packed(body: object) -> bytes:
    """As it is, in MessagePack: in whatever order, with whatever types."""
    data: bytes = msgpack.packb(body, use_bin_type=True)
    return data


def with_(index: int, value: object) -> bytes:
    body = parts()
    body[index] = value
    return packed(body)


def with_changes(*changes: object) -> bytes:
    return with_(6, list(changes))


def with_fields(fields: object) -> bytes:
    return with_changes([RECORD, "resource", fields])


def with_write(*write: object) -> bytes:
    return with_fields({"title": list(write)})


def refused(body: bytes) -> None:
    with pytest.raises((NotCanonical, NotWellFormed)):
        decode(body)


def not_well_formed(body: bytes) -> None:
    with pytest.raises(NotWellFormed):
        decode(body)


def test_a_body_says_version_community_lane_author_time_refs_and_changes() -> None:
    changeset = decode(packed(parts()))
    assert changeset.id == blake2b(packed(parts()), digest_size=32).digest()
    assert (changeset.community, changeset.lane, changeset.author, changeset.time) == (
        COMMUNITY, PUBLIC, AUTHOR, TIME,
    )  # fmt: skip
    assert changeset.refs == tuple(REFS)
    assert list[object](changeset.changes) == [[RECORD, "resource", {"title": ["Drill", [0, 2]]}]]
    assert not changeset.is_charter


def test_a_built_body_is_in_order_whatever_order_it_was_given_in() -> None:
    body = build(
        community=COMMUNITY,
        lane=PUBLIC,
        author=AUTHOR,
        time=TIME,
        refs=REFS,
        changes=[
            (bytes([1]) * 16, "resource", {"b": ({"y": 1, "x": 2}, (0, 2)), "a": (None, ())}),
            (RECORD, "resource", {"title": ("Drill", ())}),
            (RECORD, "place", {"name": ("Barn", ())}),
        ],
    )
    assert list[object](decode(body).changes) == [
        [RECORD, "place", {"name": ["Barn", []]}],
        [RECORD, "resource", {"title": ["Drill", []]}],
        [bytes([1]) * 16, "resource", {"a": [None, []], "b": [{"x": 2, "y": 1}, [0, 2]]}],
    ]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(INT_MIN - 1, INT_MAX + 1)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.floats()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
)


@given(st.dictionaries(st.text(max_size=3), values, max_size=3), st.sampled_from(["resource", "", "k" * 33]))
def test_what_is_composed_is_what_others_read_in_it(fields: dict[str, Any], kind: str) -> None:
    changes = [(RECORD, kind, {name: (value, (0,)) for name, value in fields.items()})]
    try:
        body, changeset = compose(
            community=COMMUNITY, lane=PUBLIC, author=AUTHOR, time=TIME, refs=REFS, changes=changes
        )
    except (NotCanonical, NotWellFormed):
        in_order = {name: [canonical.ordered(value), [0]] for name, value in sorted(fields.items())}
        try:
            body = with_changes([RECORD, kind, in_order])
        except (ValueError, OverflowError):
            return  # nobody can even write it
        refused(body)
    else:
        assert changeset == decode(body)


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("value", [None, True, -1, "x", b"x", [], {}, [[]], 2**40])
def test_an_element_of_another_type_is_refused(index: int, value: object) -> None:
    if not (index == 4 and value == 2**40) and not (index == 5 and value == []):  # these two are well-formed
        not_well_formed(with_(index, value))


@pytest.mark.parametrize("body", [[], [1], parts()[:6], [*parts(), None], {"version": 1}, 1, None, "x"])
def test_a_body_is_an_array_of_seven(body: object) -> None:
    not_well_formed(packed(body))


@pytest.mark.parametrize(
    "body", [b"", packed(parts())[:-1], packed(parts()) + b"\xc0", b"\x97" + b"\xc0" * 6]
)
def test_a_body_that_is_cut_or_too_long_is_not_canonical(body: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(body)


@pytest.mark.parametrize("version", [0, 2, 127])
def test_another_version_is_no_body_of_this_one(version: int) -> None:
    not_well_formed(with_(0, version))


def test_true_is_not_version_one() -> None:
    not_well_formed(with_(0, True))


@pytest.mark.parametrize("lane", LANES)
def test_the_five_lanes_are_taken(lane: str) -> None:
    assert decode(with_(2, lane)).lane == lane


@pytest.mark.parametrize("lane", ["", "Public", "publicx", "drafts"])
def test_another_lane_is_refused(lane: str) -> None:
    not_well_formed(with_(2, lane))


@pytest.mark.parametrize("length", [1, 31, 33])
@pytest.mark.parametrize("index", [1, 3])
def test_community_and_author_are_32_bytes(index: int, length: int) -> None:
    not_well_formed(with_(index, bytes(length)))


# Limits, at both sides


@pytest.mark.parametrize("time", [0, TIME_MS_MAX])
def test_times_from_0_to_2_53_minus_1_are_taken(time: int) -> None:
    assert decode(with_(4, time)).time == time


@pytest.mark.parametrize("time", [-1, TIME_MS_MAX + 1, True])
def test_other_times_are_refused(time: int) -> None:
    not_well_formed(with_(4, time))


def many_refs(count: int) -> list[bytes]:
    return [n.to_bytes(32, "big") for n in range(1, count + 1)]


def test_1024_refs_are_taken_and_1025_refused() -> None:
    assert len(decode(with_(5, many_refs(REFS_MAX))).refs) == REFS_MAX == 1024
    not_well_formed(with_(5, many_refs(REFS_MAX + 1)))


def many_changes(count: int) -> list[object]:
    return [[n.to_bytes(16, "big"), "k", {"f": [None, []]}] for n in range(count)]


def test_256_changes_are_taken_and_none_or_257_refused() -> None:
    assert len(decode(with_(6, many_changes(CHANGES_MAX))).changes) == CHANGES_MAX == 256
    not_well_formed(with_(6, many_changes(CHANGES_MAX + 1)))
    not_well_formed(with_(6, []))


def test_65536_bytes_are_taken_and_65537_refused() -> None:
    spare = CHANGESET_BYTES_MAX - len(with_write(bytes(256), [])) + 256
    assert len(with_write(bytes(spare), [])) == CHANGESET_BYTES_MAX == 65_536
    decode(with_write(bytes(spare), []))
    not_well_formed(with_write(bytes(spare + 1), []))


@pytest.mark.parametrize("letter", ["k", "é", "\U0001f33e"])
def test_a_kind_has_1_to_32_bytes(letter: str) -> None:
    most = letter * (KIND_BYTES_MAX // len(letter.encode()))
    assert decode(with_changes([RECORD, most, {"f": [None, []]}]))
    not_well_formed(with_changes([RECORD, most + letter, {"f": [None, []]}]))
    not_well_formed(with_changes([RECORD, "", {"f": [None, []]}]))


@pytest.mark.parametrize("letter", ["f", "é", "\U0001f33e"])
def test_a_field_name_has_1_to_128_bytes(letter: str) -> None:
    most = letter * (FIELD_BYTES_MAX // len(letter.encode()))
    assert decode(with_fields({most: [None, []]}))
    not_well_formed(with_fields({most + letter: [None, []]}))
    not_well_formed(with_fields({"": [None, []]}))


def test_values_are_of_our_types_and_at_most_eight_deep() -> None:
    value: object = None
    for _ in range(8):
        value = [value]
    for taken in (value, INT_MIN, INT_MAX, True, None, "x", b"x", {"": 1}):
        decode(with_write(taken, []))
    for not_taken in ([value], INT_MAX + 1, 1.5, {1: 1}, {"b": 1, "a": 1}, msgpack.ExtType(1, b"")):
        with pytest.raises(NotCanonical):
            decode(with_write(not_taken, []))


# Order, and nothing twice


@pytest.mark.parametrize(
    "refs", [[REFS[1], REFS[0]], [REFS[0], REFS[0]], [REFS[0], "x"], [bytes(31)], [bytes(33)]]
)
def test_refs_ascend_and_none_comes_twice(refs: list[object]) -> None:
    refused(with_(5, refs))


def test_changes_ascend_by_record_then_kind_and_none_comes_twice() -> None:
    low, high = bytes(16), bytes(15) + b"\x01"
    fields: dict[str, object] = {"f": [None, []]}
    decode(with_changes([low, "a", fields], [low, "b", fields], [high, "a", fields]))
    for changes in (
        [[high, "a", fields], [low, "a", fields]],
        [[low, "b", fields], [low, "a", fields]],
        [[low, "a", fields], [low, "a", fields]],
    ):
        not_well_formed(with_changes(*changes))


@pytest.mark.parametrize("change", [[], [RECORD, "k"], [RECORD, "k", {"f": [None, []]}, None], {}, None, "x"])
def test_a_change_is_an_array_of_three(change: object) -> None:
    not_well_formed(with_changes(change))


@pytest.mark.parametrize("record", [bytes(15), bytes(17), "r" * 16, None])
def test_a_record_id_is_16_bytes(record: object) -> None:
    not_well_formed(with_changes([record, "k", {"f": [None, []]}]))


@pytest.mark.parametrize("fields", [{}, [], None, {1: [None, []]}, {b"f": [None, []]}])
def test_a_change_has_a_field_and_field_names_are_text(fields: object) -> None:
    refused(with_fields(fields))


def test_fields_ascend_and_none_comes_twice() -> None:
    decode(with_fields({"a": [1, []], "b": [1, []]}))
    with pytest.raises(NotCanonical):
        decode(with_fields({"b": [1, []], "a": [1, []]}))
    twice = with_fields({"a": [1, []]}).replace(b"\x81\xa1a\x92\x01\x90", b"\x82" + b"\xa1a\x92\x01\x90" * 2)
    with pytest.raises(NotCanonical):
        decode(twice)


@pytest.mark.parametrize("write", [[], ["x"], ["x", [], []], None, "x", {}])
def test_a_write_is_an_array_of_two(write: object) -> None:
    not_well_formed(with_fields({"f": write}))


@pytest.mark.parametrize(
    "indexes", [[4], [-1], [1, 0], [0, 0], [True], [None], [0, 1, 2, 3, 4], None, 0, {}, "", b"", False]
)
def test_ref_indexes_ascend_and_point_into_the_refs(indexes: object) -> None:
    not_well_formed(with_write("x", indexes))


def test_any_ref_may_be_superseded() -> None:
    decode(with_write("x", [0, 1, 2, 3]))
    decode(with_write("x", [3]))
    decode(with_write("x", []))


# The charter


def charter(**other: object) -> bytes:
    body: dict[str, object] = {"version": 1, "community": b"", "lane": AUTHORITY, "author": AUTHOR, "time": 0}
    body |= {"refs": [], "changes": [[RECORD, "charter", {"name": ["Valley", []]}]]} | other
    return packed(list(body.values()))


def test_only_a_charter_has_no_community() -> None:
    assert decode(charter()).is_charter
    fields = {"name": ["x", []]}
    for body in (
        charter(lane=PUBLIC),
        charter(refs=[REFS[0]]),
        charter(changes=[[RECORD, "grant", fields]]),
        charter(changes=[[RECORD, "charter", fields], [RECORD, "grant", fields]]),
    ):
        not_well_formed(body)


# Excerpts


@given(st.sets(st.integers(0, 9)))
def test_an_excerpt_is_the_changeset_with_the_changes_of_some_records_only(numbers: set[int]) -> None:
    changes = [
        [bytes([n]) * 16, kind, {"title": [f"{n}", [1]]}] for n in range(8) for kind in ("agent", "resource")
    ]
    body, records = with_changes(*changes), {bytes([n]) * 16 for n in numbers}
    whole, part = decode(body), excerpt(body, records)
    assert [list[object](change) for change in part.changes] == [
        list[object](change) for change in whole.changes if change[0] in records
    ]
    assert replace(part, changes=()) == replace(whole, changes=())


@pytest.mark.parametrize(
    "body", [b"", b"\xc0", packed(parts())[:-1], packed(parts()[:6]), packed([1, 2, 3, 4, 5, 6, 7])]
)
def test_no_excerpt_is_made_of_what_is_no_changeset(body: bytes) -> None:
    with pytest.raises(ValueError):
        excerpt(body, ())


# Id and signature


def test_the_signature_is_over_the_context_and_the_id() -> None:
    body = packed(parts())
    signed = sign(body, SEED)
    assert signed.id == changeset_id(body)
    assert CONTEXT == b"commonsnode/changeset/1"
    assert verify(AUTHOR, signed.id, signed.signature)


@given(st.integers(0, 63), st.integers(0, 7), st.integers(0, 31))
def test_any_flipped_bit_breaks_the_signature(in_signature: int, bit: int, in_id: int) -> None:
    signed = sign(packed(parts()), SEED)

    def flip(data: bytes, at: int) -> bytes:
        return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]

    assert not verify(AUTHOR, signed.id, flip(signed.signature, in_signature))
    assert not verify(AUTHOR, flip(signed.id, in_id), signed.signature)
    assert not verify(flip(AUTHOR, in_id), signed.id, signed.signature)


def test_a_signature_of_another_size_does_not_hold() -> None:
    signed = sign(packed(parts()), SEED)
    shifted = crypto_sign(b"\x00" + CONTEXT + signed.id, SEED + AUTHOR)[:64] + b"\x00"
    for signature in (b"", signed.signature[:-1], signed.signature + b"\x00", shifted):
        assert not verify(AUTHOR, signed.id, signature)
    for author in (b"", AUTHOR[:-1], AUTHOR + b"\x00"):
        assert not verify(author, signed.id, signed.signature)


# What every version begins with


@pytest.mark.parametrize("version", [0, 1, 2, 127])
def test_the_header_can_be_read_in_any_version(version: int) -> None:
    body = packed([version, COMMUNITY, PUBLIC, AUTHOR, "anything", 1.5, None, {2: 3}])
    read = header(body)
    assert (read.version, read.community, read.lane, read.author) == (version, COMMUNITY, PUBLIC, AUTHOR)
    assert header(packed([version, b"", AUTHORITY, AUTHOR, None])).community == b""


@given(st.integers(0, 200))
def test_a_header_that_is_cut_is_refused(length: int) -> None:
    body = packed(parts())
    end = 1 + 1 + 34 + 7 + 34  # array, version, community, lane, author
    if length < end:
        with pytest.raises(NotWellFormed):
            header(body[:length])
    else:
        assert header(body[:length]).author == AUTHOR


@pytest.mark.parametrize(
    "body",
    [
        packed([1, COMMUNITY, PUBLIC, AUTHOR]),
        packed([1, COMMUNITY, PUBLIC, AUTHOR, *range(12)]),  # 16 elements have another form
        packed([128, COMMUNITY, PUBLIC, AUTHOR, 0]),
        packed([-1, COMMUNITY, PUBLIC, AUTHOR, 0]),
        packed([1, COMMUNITY[:-1], PUBLIC, AUTHOR, 0]),
        packed([1, COMMUNITY, "drafts", AUTHOR, 0]),
        packed([1, COMMUNITY, PUBLIC.encode(), AUTHOR, 0]),
        packed([1, COMMUNITY, PUBLIC, AUTHOR[:-1], 0]),
        packed([2, b"", PUBLIC, AUTHOR, 0]),
        packed({"version": 1}),
    ],
)
def test_what_does_not_begin_like_a_changeset_is_refused(body: bytes) -> None:
    with pytest.raises(NotWellFormed):
        header(body)


@given(st.binary(max_size=120))
def test_any_bytes_are_refused_or_a_changeset_that_is_written_alike(body: bytes) -> None:
    for data in (body, packed(parts())[:-1] + body):
        try:
            changeset = decode(data)
        except (NotCanonical, NotWellFormed):
            continue
        assert canonical.pack([1, changeset.community, changeset.lane, changeset.author, changeset.time,
                               list(changeset.refs), changeset.changes]) == data  # fmt: skip
