"""Each frame has one form; whatever else comes in is refused with a reason, at the first thing that is wrong in it."""

from collections.abc import Callable

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.frames import (
    INITIATOR,
    RESPONDER,
    Bye,
    Changesets,
    Credit,
    Drop,
    Frame,
    Graft,
    Hello,
    IHave,
    Lanes,
    LaneState,
    Prune,
    Push,
    Reconcile,
    Show,
    State,
    Want,
    decode,
    encode,
    hello_value,
    parse_hello,
    tag,
)
from commonsnode_protocol.limits import (
    BATCH_BYTES_MAX,
    CREDIT_BYTES_MAX,
    HELLO_AGENT_BYTES_MAX,
    HELLO_VERSIONS_MAX,
    HOPS_MAX,
    IHAVE_IDS_MAX,
    INT_MAX,
    LANES_MAX,
    LIVE_BYTES_MAX,
    PACKED_BYTES_MAX,
    REASON_BYTES_MAX,
    RECONCILE_BYTES_MAX,
    SHOW_BYTES_MAX,
    TIME_MS_MAX,
    WANT_IDS_MAX,
)

A, B = b"a" * 32, b"b" * 32
TAG, STATE = b"t" * 16, LaneState(b"f" * 16, b"d" * 32)

lanes = st.integers(0, LANES_MAX - 1)
ids = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=8, unique=True).map(tuple)
states = st.builds(LaneState, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
packed = st.binary(min_size=1, max_size=40)
frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Bye, st.sampled_from([reason.value for reason in Reason])),
    st.builds(Lanes, st.lists(st.tuples(st.binary(min_size=16, max_size=16), states), max_size=4).map(tuple)),
    st.builds(State, lanes, states, st.integers(0, 2)),
    st.builds(Reconcile, lanes, st.binary(max_size=40)),
    st.builds(Want, lanes, ids),
    st.builds(Changesets, lanes, st.integers(1, BATCH_BYTES_MAX), packed, st.just(()) | ids),
    st.builds(Changesets, lanes, st.just(0), st.just(b""), ids),
    st.builds(Credit, st.integers(0, CREDIT_BYTES_MAX)),
    st.builds(Push, lanes, st.integers(0, HOPS_MAX), st.integers(1, LIVE_BYTES_MAX), packed),
    st.builds(IHave, lanes, ids),
    st.builds(Graft, lanes, ids),
    st.builds(Prune, lanes),
    st.builds(Drop, lanes),
    st.builds(Show, st.binary(min_size=16, max_size=16), st.integers(1, SHOW_BYTES_MAX), packed),
)


def refusal(value: object) -> Reason:
    with pytest.raises(PeerError) as caught:
        decode(value if isinstance(value, bytes) else msgpack.packb(value))
    return caught.value.reason


@given(frames)
def test_a_frame_that_is_written_reads_as_the_same(frame: Frame) -> None:
    assert decode(encode(frame)) == frame
    assert canonical.encode(canonical.decode(encode(frame))) == encode(frame)


@pytest.mark.parametrize(
    ("frame", "hexadecimal"),
    [
        (Bye("done"), "92 00 a4 646f6e65"),
        (Lanes(()), "92 01 90"),
        (Lanes(((TAG, STATE),)), f"92 01 91 93 c410{'74' * 16} c410{'66' * 16} c420{'64' * 32}"),
        (State(5, STATE, 1), f"95 02 05 c410{'66' * 16} c420{'64' * 32} 01"),
        (Reconcile(0, b"\x61"), "93 03 00 c40161"),
        (Want(0, (A,)), f"93 04 00 91 c420{'61' * 32}"),
        (Changesets(0, 7, b"z", (A,)), f"95 05 00 07 c4017a 91 c420{'61' * 32}"),
        (Changesets(0, 0, b"", (A,)), f"95 05 00 00 c400 91 c420{'61' * 32}"),
        (Credit(1_048_576), "92 06 ce00100000"),
        (Push(0, 1, 7, b"z"), "95 07 00 01 07 c4017a"),
        (IHave(0, (A,)), f"93 08 00 91 c420{'61' * 32}"),
        (Graft(0, (A,)), f"93 09 00 91 c420{'61' * 32}"),
        (Prune(8191), "92 0a cd1fff"),
        (Drop(0), "92 0b 00"),
        (Show(TAG, 7, b"z"), f"94 0c c410{'74' * 16} 07 c4017a"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_the_bytes_of_each_frame(frame: Frame, hexadecimal: str) -> None:
    assert encode(frame) == bytes.fromhex(hexadecimal)


@pytest.mark.parametrize("kind", [-1, 13, 14, 127, 2**40, True, None, "0", b"\x00", [0]])
def test_a_frame_of_no_known_type_is_refused(kind: object) -> None:
    assert refusal([kind, 0]) is Reason.BAD_FRAME


@pytest.mark.parametrize("value", [b"", b"\xc0", b"\x90", b"\x92\x00", b"\x81\xa1a\x00", b"\xc1"])
def test_what_is_no_array_with_a_type_is_refused(value: bytes) -> None:
    assert refusal(value) is Reason.BAD_FRAME


@given(frames, st.data())
def test_a_frame_of_another_length_is_refused(frame: Frame, data: st.DataObject) -> None:
    value = canonical.decode(encode(frame))
    assert isinstance(value, list)
    assert refusal([*value, None]) is Reason.BAD_FRAME
    assert refusal(value[:-1]) is Reason.BAD_FRAME
    written = encode(frame)
    assert refusal(written + b"\xc0") is Reason.BAD_FRAME
    assert refusal(written[: data.draw(st.integers(0, len(written) - 1))]) is Reason.BAD_FRAME


def test_a_frame_that_is_not_canonical_is_refused() -> None:
    for other in (
        b"\x92\x00\xd9\x04done",
        b"\x92\xcc\x00\xa4done",
        b"\xdc\x00\x02\x00\xa4done",
        b"\x92\x00\xcb" + bytes(8),
    ):
        assert refusal(other) is Reason.BAD_FRAME


@given(frames, st.data())
def test_an_element_of_another_type_is_refused(frame: Frame, data: st.DataObject) -> None:
    value = canonical.decode(encode(frame))
    assert isinstance(value, list)
    at = data.draw(st.integers(1, len(value) - 1))
    other: object = data.draw(
        st.sampled_from([None, True, -1, {}, 1.5]).filter(
            lambda other: type(other) is not type(value[at]) or other == -1
        )
    )
    assert refusal([*value[:at], other, *value[at + 1 :]]) is Reason.BAD_FRAME


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_refused_with_a_reason(data: bytes) -> None:
    try:
        frame = decode(data)
    except PeerError as error:
        reason = error.reason
    else:
        assert encode(frame) == data
        return
    assert reason in (Reason.BAD_FRAME, Reason.TOO_LARGE)


# Limits, at both sides


def many(count: int) -> list[bytes]:
    return [n.to_bytes(32, "big") for n in range(count)]


Make = Callable[[int], list[object]]
LIMITS: list[tuple[str, Make, int]] = [
    ("reason", lambda n: [0, "x" * n], REASON_BYTES_MAX),
    ("lanes", lambda n: [1, [[TAG, STATE.fingerprint, STATE.digest]] * n], LANES_MAX),
    ("lane", lambda n: [2, n, STATE.fingerprint, STATE.digest, 0], LANES_MAX - 1),
    ("ask", lambda n: [2, 0, STATE.fingerprint, STATE.digest, n], 2),
    ("reconcile", lambda n: [3, 0, bytes(n)], RECONCILE_BYTES_MAX),
    ("want", lambda n: [4, 0, many(n)], WANT_IDS_MAX),
    ("size", lambda n: [5, 0, n, b"z", []], BATCH_BYTES_MAX),
    ("packed", lambda n: [5, 0, 1, bytes(n), []], PACKED_BYTES_MAX),
    ("gone", lambda n: [5, 0, 0, b"", many(n)], WANT_IDS_MAX),
    ("credit", lambda n: [6, n], CREDIT_BYTES_MAX),
    ("hops", lambda n: [7, 0, n, 1, b"z"], HOPS_MAX),
    ("pushed", lambda n: [7, 0, 1, n, b"z"], LIVE_BYTES_MAX),
    ("pushed packed", lambda n: [7, 0, 1, 1, bytes(n)], PACKED_BYTES_MAX),
    ("ihave", lambda n: [8, 0, many(n)], IHAVE_IDS_MAX),
    ("graft", lambda n: [9, 0, many(n)], IHAVE_IDS_MAX),
    ("prune", lambda n: [10, n], LANES_MAX - 1),
    ("drop", lambda n: [11, n], LANES_MAX - 1),
]


@pytest.mark.parametrize(("make", "most"), [each[1:] for each in LIMITS], ids=[each[0] for each in LIMITS])
def test_the_most_is_taken_and_one_more_is_refused(make: Make, most: int) -> None:
    assert decode(msgpack.packb(make(most)))
    # A reason is text for the log; all else is an amount.
    assert refusal(make(most + 1)) is (Reason.BAD_FRAME if make(0)[0] == 0 else Reason.TOO_LARGE)


def test_the_greatest_numbers_are_refused_like_any_other() -> None:
    for value in ([6, INT_MAX], [10, INT_MAX], [5, INT_MAX, 0, b"", [A]]):
        assert refusal(value) is Reason.TOO_LARGE


# Rules of single frames


@pytest.mark.parametrize("kind", [4, 8, 9])
def test_a_list_of_ids_has_one_at_least_none_twice_and_each_of_32_bytes(kind: int) -> None:
    for bad in ([], [A, A], [A[:-1]], [A + b"x"], ["a" * 32], [None], [A, None]):
        assert refusal([kind, 0, bad]) is Reason.BAD_FRAME


def test_a_list_of_ids_keeps_its_order() -> None:
    assert decode(encode(Want(0, (B, A)))) == Want(0, (B, A))


def test_a_batch_with_neither_changesets_nor_gone_ids_is_refused() -> None:
    assert refusal([5, 0, 0, b"", []]) is Reason.BAD_FRAME
    assert refusal([5, 0, 1, b"", [A]]) is Reason.BAD_FRAME
    assert refusal([5, 0, 0, b"z", [A]]) is Reason.BAD_FRAME


@pytest.mark.parametrize("entry", [None, [], [TAG, b"f" * 16], [TAG, b"f" * 16, b"d" * 32, 0], [TAG[1:], b"f" * 16, b"d" * 32],
                                   [TAG, b"f" * 15, b"d" * 32], [TAG, b"f" * 16, b"d" * 31], [None, b"f" * 16, b"d" * 32]])  # fmt: skip
def test_a_lane_is_announced_with_tag_fingerprint_and_digest(entry: object) -> None:
    assert refusal([1, [entry]]) is Reason.BAD_FRAME


# Tags


def test_a_tag_is_the_hash_of_channel_role_community_and_lane() -> None:
    """As `b2sum -l 128` says of the same 64 + 1 + 32 + 6 bytes."""
    assert tag(bytes(64), INITIATOR, A, "public").hex() == "1ead111060ba7dc01c2b677bb2c3c2de"


def test_a_tag_tells_channels_sides_communities_and_lanes_apart() -> None:
    """So an echo of our own tag proves nothing, and nobody can carry a tag to another channel (rule 42)."""
    tags = {
        tag(channel, role, community, lane)
        for channel in (bytes(64), b"c" * 64)
        for role in (INITIATOR, RESPONDER)
        for community in (A, B)
        for lane in ("public", "authority")
    }
    assert len(tags) == 16


# Hello

HELLO: dict[str, Value] = {
    "versions": [1],
    "credit": 4_194_304,
    "time": 1_764_000_000_000,
    "agent": "commonsnode/0.1",
}


def hello_refusal(value: object) -> Reason:
    with pytest.raises(PeerError) as caught:
        parse_hello(value)
    return caught.value.reason


@given(
    st.builds(
        Hello,
        st.lists(st.integers(0, INT_MAX), max_size=HELLO_VERSIONS_MAX - 1).map(lambda more: (*more, 1)),
        st.integers(0, CREDIT_BYTES_MAX),
        st.integers(0, TIME_MS_MAX),
        st.text(st.characters(codec="ascii"), max_size=HELLO_AGENT_BYTES_MAX),
    )
)
def test_a_hello_that_is_written_reads_as_the_same(hello: Hello) -> None:
    assert parse_hello(canonical.decode(canonical.encode(hello_value(hello)))) == hello


def test_what_a_later_hello_says_besides_is_passed_over() -> None:
    assert parse_hello({**HELLO, "relay": True}) == parse_hello(HELLO)


@pytest.mark.parametrize("key", HELLO)
def test_a_hello_says_all_four(key: str) -> None:
    assert (
        hello_refusal({name: value for name, value in HELLO.items() if name != key}) is Reason.BAD_HANDSHAKE
    )
    others: list[object] = [None, -1, {}, True, 1.5]
    for other in others:
        assert hello_refusal({**HELLO, key: other}) is Reason.BAD_HANDSHAKE


def test_the_limits_of_a_hello() -> None:
    for key, most, beyond in (
        ("versions", [1] * HELLO_VERSIONS_MAX, [1] * (HELLO_VERSIONS_MAX + 1)),
        ("credit", CREDIT_BYTES_MAX, CREDIT_BYTES_MAX + 1),
        ("time", TIME_MS_MAX, TIME_MS_MAX + 1),
        ("agent", "é" * 32, "é" * 32 + "x"),
    ):
        assert parse_hello({**HELLO, key: most})
        assert hello_refusal({**HELLO, key: beyond}) is Reason.BAD_HANDSHAKE
    for versions in ([], [True], [-1], ["1"], [1, None]):
        assert hello_refusal({**HELLO, "versions": versions}) is Reason.BAD_HANDSHAKE
    assert hello_refusal([HELLO]) is Reason.BAD_HANDSHAKE


def test_two_sides_need_a_version_in_common() -> None:
    assert parse_hello({**HELLO, "versions": [7, 1, 3]}).versions == (7, 1, 3)
    assert hello_refusal({**HELLO, "versions": [2, 3]}) is Reason.BAD_VERSION
