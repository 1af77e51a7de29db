"""The frames of the overlay are what SPEC.md says, to the byte."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol import frames as session_frames
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import CONTACTS_MAX, HOPS_MAX, LANES_MAX, RECORD_BYTES_MAX, WALK_HOPS_MAX
from commonsnode_protocol.overlay.frames import (
    Answer,
    Contact,
    Eager,
    Join,
    Neighbour,
    News,
    OverlayFrame,
    Part,
    Place,
    Shuffle,
    Shuffled,
    Walk,
    decode,
    encode,
)

SPEC = (Path(__file__).parents[3] / "protocol" / "SPEC.md").read_text(encoding="utf-8")

nonces = st.binary(min_size=8, max_size=8)
contacts = st.builds(Contact, st.binary(min_size=32, max_size=32), st.binary(max_size=40))
ttls = st.integers(0, WALK_HOPS_MAX)
ids = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=8, unique=True).map(tuple)


def lists(least: int) -> Any:
    return st.lists(contacts, min_size=least, max_size=CONTACTS_MAX, unique_by=lambda each: each.key).map(
        tuple
    )


frames: st.SearchStrategy[OverlayFrame] = st.one_of(
    st.builds(Join, contacts),
    st.builds(Walk, nonces, ttls, contacts),
    st.builds(Place, nonces, contacts),
    st.builds(Shuffle, nonces, ttls, lists(1)),
    st.builds(Shuffled, nonces, lists(0)),
    st.builds(Neighbour, st.booleans(), contacts),
    st.builds(Answer, st.booleans()),
    st.just(Part()),
    st.builds(News, st.integers(0, HOPS_MAX), ids),
    st.just(Eager()),
)


@given(st.integers(0, LANES_MAX - 1), frames)
def test_a_frame_that_is_written_reads_as_the_same(lane: int, frame: OverlayFrame) -> None:
    assert decode(encode(lane, frame)) == (lane, frame)


@given(st.integers(0, LANES_MAX - 1), frames)
def test_a_node_that_does_not_speak_of_the_overlay_refuses_its_frames(lane: int, frame: OverlayFrame) -> None:
    with pytest.raises(PeerError) as caught:
        session_frames.decode(encode(lane, frame))
    assert caught.value.reason is Reason.BAD_FRAME


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    with suppress(PeerError):
        assert encode(*decode(data)) == data


def test_the_examples_of_the_specification_are_what_is_written() -> None:
    key, nonce = b"a" * 32, b"n" * 8
    for frame in (
        Join(Contact(key, b"ws://a")),
        Walk(nonce, 5, Contact(key, b"ws://a")),
        Answer(True),
        Part(),
        News(3, (key,)),
        Eager(),
    ):
        assert json.dumps(encode(0, frame).hex())[1:-1] in SPEC.replace(" ", "").replace("<key>", key.hex())


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("contacts in a `shuffle`, in a `shuffled`", CONTACTS_MAX),
        ("record in a contact", RECORD_BYTES_MAX),
        ("hops of a `walk`, of a `shuffle`", WALK_HOPS_MAX),
    ],
)
def test_the_limits_of_the_specification_are_those_of_the_code(what: str, limit: int) -> None:
    row = next(line for line in SPEC.splitlines() if line.startswith(f"| {what} |"))
    assert f"{limit:,}" in row.split()
