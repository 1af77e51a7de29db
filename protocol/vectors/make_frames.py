"""Write frames.json, the vectors of SPEC.md, "Hello", "Tags" and "Frames":  python protocol/vectors/make_frames.py"""

from typing import Any

import msgpack

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import Reason
from commonsnode_protocol.frames import INITIATOR, RESPONDER, door_of_key, door_tag, tag
from commonsnode_protocol.limits import (
    BATCH_BYTES_MAX,
    CREDIT_BYTES_MAX,
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
    SHOW_PACKED_BYTES_MAX,
    TIME_MS_MAX,
    WANT_IDS_MAX,
)
from vectors.shown import Json, show, show_parts, text_of, write
from vectors.world import COMMUNITY

ABOUT = """\
Vectors of SPEC.md, "Hello", "Tags" and "Frames". How bytes are shown says SPEC.md, "Vectors".

hellos: `hello` is the third element of a binding. `expect` is `hello`, or the reason with which it is refused.
tags: `tag` is how the side `role` ("i" for the initiator, "r" for the responder) names `lane` of `community` on the
channel `channel_hash`.
doors: `tag` is how the side `role` names a community on that channel by `door`.
frames: `frame` is a frame, by its bytes alone. `expect` is the name of what it is, or the reason with which it is refused,
whatever the state of the session. What a batch in it holds is not looked at.
"""

A, B = b"a" * 32, b"b" * 32
TAG, FINGERPRINT, DIGEST = b"t" * 16, b"f" * 16, b"d" * 32
HELLO: dict[str, Any] = {
    "agent": "commonsnode/0.1",
    "credit": 4_194_304,
    "time": 1_764_000_000_000,
    "versions": [1],
}
Parts = tuple[bytes | tuple[bytes, int] | range, ...]


def packed(value: Any) -> bytes:
    data: bytes = msgpack.packb(value, use_bin_type=True)
    return data


def array(length: int) -> bytes:
    """The beginning of an array of this length."""
    return packed([None] * length)[:-length]


def blob(length: int) -> tuple[bytes, tuple[bytes, int]]:
    return packed(bytes(length))[: -length or None], (b"\x00", length)


def many_ids(kind: int, count: int) -> Parts:
    return (b"\x93" + bytes([kind]) + b"\x00" + array(count), range(count))


ANY_IDS: dict[str, Any] = {
    "none": [],
    "twice": [A, A],
    "of_31_bytes": [A[:31]],
    "of_33_bytes": [A + b"\x00"],
    "text": ["a" * 32],
    "nil": None,
}

TAKEN: dict[str, list[Any]] = {
    "bye_done": [0, "done"],
    "bye_unknown_reason": [0, "because"],
    "bye_empty_reason": [0, ""],
    "bye_reason_64_bytes": [0, "é" * (REASON_BYTES_MAX // 2)],
    "lanes_none": [1, []],
    "lanes_one": [1, [[TAG, FINGERPRINT, DIGEST]]],
    "state_news": [2, 0, FINGERPRINT, DIGEST, 0],
    "state_question": [2, 0, FINGERPRINT, DIGEST, 1],
    "state_answer": [2, 0, FINGERPRINT, DIGEST, 2],
    "state_lane_8191": [2, LANES_MAX - 1, FINGERPRINT, DIGEST, 0],
    "reconcile": [3, 0, b"\x61"],
    "reconcile_empty": [3, 0, b""],
    "want_one": [4, 0, [A]],
    "want_not_in_order": [4, 0, [B, A]],
    "changesets": [5, 0, 7, b"z", []],
    "changesets_and_gone": [5, 0, 7, b"z", [A]],
    "changesets_gone_only": [5, 0, 0, b"", [A]],
    "changesets_size_1048576": [5, 0, BATCH_BYTES_MAX, b"z", []],
    "credit": [6, 1_048_576],
    "credit_0": [6, 0],
    "credit_67108864": [6, CREDIT_BYTES_MAX],
    "push": [7, 0, 1, 7, b"z"],
    "push_hops_0": [7, 0, 0, 7, b"z"],
    "push_hops_255": [7, 0, HOPS_MAX, 7, b"z"],
    "push_size_1048576": [7, 0, 1, LIVE_BYTES_MAX, b"z"],
    "ihave": [8, 0, [A, B]],
    "graft": [9, 0, [A]],
    "prune": [10, 0],
    "drop": [11, 0],
    "show": [12, TAG, 7, b"z"],
    "show_size_262144": [12, TAG, SHOW_BYTES_MAX, b"z"],
}

LONG_TAKEN: dict[str, tuple[str, Parts]] = {
    "lanes_8192": (
        "lanes",
        (b"\x92\x01" + array(LANES_MAX), (packed([TAG, FINGERPRINT, DIGEST]), LANES_MAX)),
    ),
    "reconcile_262144_bytes": ("reconcile", (b"\x93\x03\x00", *blob(RECONCILE_BYTES_MAX))),
    "want_4096": ("want", many_ids(4, WANT_IDS_MAX)),
    "changesets_packed_1064960_bytes": (
        "changesets",
        (b"\x95\x05\x00\x01", *blob(PACKED_BYTES_MAX), b"\x90"),
    ),
    "changesets_gone_4096": (
        "changesets",
        (b"\x95\x05\x00\x00\xc4\x00" + array(WANT_IDS_MAX), range(WANT_IDS_MAX)),
    ),
    "ihave_4096": ("ihave", many_ids(8, IHAVE_IDS_MAX)),
    "graft_4096": ("graft", many_ids(9, IHAVE_IDS_MAX)),
    "show_packed_266240_bytes": ("show", (b"\x94\x0c\xc4\x10" + TAG + b"\x01", *blob(SHOW_PACKED_BYTES_MAX))),
}

TOO_LARGE: dict[str, list[Any]] = {
    "state_lane_8192": [2, LANES_MAX, FINGERPRINT, DIGEST, 0],
    "state_ask_3": [2, 0, FINGERPRINT, DIGEST, 3],
    "changesets_size_1048577": [5, 0, BATCH_BYTES_MAX + 1, b"z", []],
    "credit_67108865": [6, CREDIT_BYTES_MAX + 1],
    "credit_greatest_integer": [6, INT_MAX],
    "push_hops_256": [7, 0, HOPS_MAX + 1, 7, b"z"],
    "push_size_1048577": [7, 0, 1, LIVE_BYTES_MAX + 1, b"z"],
    "prune_lane_8192": [10, LANES_MAX],
    "show_size_262145": [12, TAG, SHOW_BYTES_MAX + 1, b"z"],
}

LONG_TOO_LARGE: dict[str, Parts] = {
    "lanes_8193": (b"\x92\x01" + array(LANES_MAX + 1), (packed([TAG, FINGERPRINT, DIGEST]), LANES_MAX + 1)),
    "reconcile_262145_bytes": (b"\x93\x03\x00", *blob(RECONCILE_BYTES_MAX + 1)),
    "want_4097": many_ids(4, WANT_IDS_MAX + 1),
    "changesets_packed_1064961_bytes": (b"\x95\x05\x00\x01", *blob(PACKED_BYTES_MAX + 1), b"\x90"),
    "changesets_gone_4097": (b"\x95\x05\x00\x00\xc4\x00" + array(WANT_IDS_MAX + 1), range(WANT_IDS_MAX + 1)),
    "push_packed_1064961_bytes": (b"\x95\x07\x00\x01\x01", *blob(PACKED_BYTES_MAX + 1)),
    "ihave_4097": many_ids(8, IHAVE_IDS_MAX + 1),
    "graft_4097": many_ids(9, IHAVE_IDS_MAX + 1),
    "show_packed_266241_bytes": (b"\x94\x0c\xc4\x10" + TAG + b"\x01", *blob(SHOW_PACKED_BYTES_MAX + 1)),
}

BAD: dict[str, bytes] = {
    "nothing": b"",
    "nil": packed(None),
    "empty_array": packed([]),
    "a_map": packed({"want": [A]}),
    "type_13": packed([13, 0]),
    "show_tag_15_bytes": packed([12, TAG[:15], 7, b"z"]),
    "show_size_0": packed([12, TAG, 0, b"z"]),
    "show_packed_empty": packed([12, TAG, 7, b""]),
    "show_with_more": packed([12, TAG, 7, b"z", 0]),
    "type_minus_1": packed([-1, 0]),
    "type_true": packed([True, 0]),
    "type_text": packed(["want", 0, [A]]),
    "trailing_byte": packed([10, 0]) + b"\xc0",
    "cut": packed([10, 0])[:-1],
    "longer_form_of_the_array": b"\xdc\x00\x02\x0a\x00",
    "longer_form_of_the_type": b"\x92\xcc\x0a\x00",
    "longer_form_of_the_lane": b"\x92\x0a\xcd\x00\x00",
    "nine_deep": packed([4, 0, [[[[[[[[A]]]]]]]]]),
    "bye_without_reason": packed([0]),
    "bye_with_more": packed([0, "done", 1]),
    "bye_reason_bytes": packed([0, b"done"]),
    "bye_reason_65_bytes": packed([0, "é" * 32 + "x"]),
    "bye_reason_not_utf8": b"\x92\x00\xa1\xff",
    "lanes_nil": packed([1, None]),
    "lanes_entry_of_two": packed([1, [[TAG, FINGERPRINT]]]),
    "lanes_entry_of_four": packed([1, [[TAG, FINGERPRINT, DIGEST, 0]]]),
    "lanes_tag_15_bytes": packed([1, [[TAG[:15], FINGERPRINT, DIGEST]]]),
    "lanes_fingerprint_17_bytes": packed([1, [[TAG, FINGERPRINT + b"f", DIGEST]]]),
    "lanes_digest_31_bytes": packed([1, [[TAG, FINGERPRINT, DIGEST[:31]]]]),
    "lanes_digest_text": packed([1, [[TAG, FINGERPRINT, "d" * 32]]]),
    "state_without_ask": packed([2, 0, FINGERPRINT, DIGEST]),
    "state_ask_true": packed([2, 0, FINGERPRINT, DIGEST, True]),
    "state_ask_minus_1": packed([2, 0, FINGERPRINT, DIGEST, -1]),
    "state_lane_minus_1": packed([2, -1, FINGERPRINT, DIGEST, 0]),
    "state_lane_nil": packed([2, None, FINGERPRINT, DIGEST, 0]),
    "reconcile_text": packed([3, 0, "a"]),
    "changesets_of_four": packed([5, 0, 7, b"z"]),
    "changesets_neither_batch_nor_gone": packed([5, 0, 0, b"", []]),
    "changesets_size_without_batch": packed([5, 0, 7, b"", [A]]),
    "changesets_batch_without_size": packed([5, 0, 0, b"z", [A]]),
    "changesets_gone_twice": packed([5, 0, 0, b"", [A, A]]),
    "changesets_gone_nil": packed([5, 0, 7, b"z", None]),
    "credit_minus_1": packed([6, -1]),
    "credit_nil": packed([6, None]),
    "credit_float": packed([6, 1.0]),
    "push_of_four": packed([7, 0, 1, 7]),
    "push_hops_minus_1": packed([7, 0, -1, 7, b"z"]),
    "push_packed_text": packed([7, 0, 1, 7, "z"]),
    "prune_with_more": packed([10, 0, 0]),
    "drop_without_lane": packed([11]),
}
for kind, word in ((4, "want"), (8, "ihave"), (9, "graft")):
    BAD |= {f"{word}_ids_{name}": packed([kind, 0, ids]) for name, ids in ANY_IDS.items()}

HELLOS: dict[str, tuple[str, Any]] = {
    "plain": ("hello", {}),
    "unknown_key": ("hello", {"relay": True}),
    "versions_several": ("hello", {"versions": [7, 1, 3]}),
    "versions_16": ("hello", {"versions": [1] * HELLO_VERSIONS_MAX}),
    "agent_empty": ("hello", {"agent": ""}),
    "agent_64_bytes": ("hello", {"agent": "é" * 32}),
    "credit_0": ("hello", {"credit": 0}),
    "credit_67108864": ("hello", {"credit": CREDIT_BYTES_MAX}),
    "time_0": ("hello", {"time": 0}),
    "time_greatest": ("hello", {"time": TIME_MS_MAX}),
    "versions_in_common_none": ("bad-version", {"versions": [0, 2, 3]}),
    "versions_empty": ("bad-handshake", {"versions": []}),
    "versions_17": ("bad-handshake", {"versions": [1] * (HELLO_VERSIONS_MAX + 1)}),
    "versions_minus_1": ("bad-handshake", {"versions": [1, -1]}),
    "versions_true": ("bad-handshake", {"versions": [True]}),
    "versions_number": ("bad-handshake", {"versions": 1}),
    "agent_65_bytes": ("bad-handshake", {"agent": "é" * 32 + "x"}),
    "agent_bytes": ("bad-handshake", {"agent": b"commonsnode"}),
    "credit_67108865": ("bad-handshake", {"credit": CREDIT_BYTES_MAX + 1}),
    "credit_minus_1": ("bad-handshake", {"credit": -1}),
    "credit_nil": ("bad-handshake", {"credit": None}),
    "time_2_53": ("bad-handshake", {"time": TIME_MS_MAX + 1}),
    "time_minus_1": ("bad-handshake", {"time": -1}),
}


def frames() -> list[Json]:
    vectors: list[Json] = []

    def case(name: str, frame: Any, expect: str) -> None:
        vectors.append({"name": name, "frame": frame, "expect": expect})

    for name, value in TAKEN.items():
        case(name, show(packed(value)), name.partition("_")[0])
    for name, (word, parts) in LONG_TAKEN.items():
        case(name, show_parts(*parts), word)
    for name, value in TOO_LARGE.items():
        case(name, show(packed(value)), Reason.TOO_LARGE.value)
    for name, parts in LONG_TOO_LARGE.items():
        case(name, show_parts(*parts), Reason.TOO_LARGE.value)
    for name, data in BAD.items():
        case(name, show(data), Reason.BAD_FRAME.value)
    return vectors


def hellos() -> list[Json]:
    vectors: list[Json] = []

    def case(name: str, value: dict[str, Value], expect: str) -> None:
        vectors.append({"name": name, "hello": canonical.encode(value).hex(), "expect": expect})

    for name, (expect, other) in HELLOS.items():
        case(name, HELLO | other, expect)
    for missing in HELLO:
        case(
            f"without_{missing}",
            {key: value for key, value in HELLO.items() if key != missing},
            "bad-handshake",
        )
    case("empty", {}, "bad-handshake")
    return vectors


def tags() -> list[Json]:
    vectors: list[Json] = []
    for side, role in (("initiator", INITIATOR), ("responder", RESPONDER)):
        for lane in ("authority", "public", "knowledge"):
            for channel, channel_hash in (("zero", bytes(64)), ("counting", bytes(range(64)))):
                shown = {
                    "name": f"{side}_{lane}_{channel}",
                    "channel_hash": channel_hash.hex(),
                    "role": role.decode(),
                }
                shown |= {"community": COMMUNITY.hex(), "lane": lane}
                vectors.append(shown | {"tag": tag(channel_hash, role, COMMUNITY, lane).hex()})
    return vectors


def doors() -> list[Json]:
    invitation, node = bytes(range(32)), bytes(range(32, 64))
    vectors: list[Json] = []
    for side, role in (("initiator", INITIATOR), ("responder", RESPONDER)):
        words = bytes(range(64, 96))
        for name, door in (
            ("invitation", invitation),
            ("node", door_of_key(COMMUNITY, node)),
            ("words", words),
        ):
            channel_hash = bytes(range(64))
            shown = {"name": f"{side}_{name}", "channel_hash": channel_hash.hex(), "role": role.decode()}
            vectors.append(shown | {"door": door.hex(), "tag": door_tag(channel_hash, role, door).hex()})
    return vectors


def text() -> str:
    """The content of frames.json."""
    return text_of(ABOUT, {"hellos": hellos(), "tags": tags(), "doors": doors(), "frames": frames()})


if __name__ == "__main__":
    write(__file__, text())
