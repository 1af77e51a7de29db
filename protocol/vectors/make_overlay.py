"""Write overlay.json, the vectors of SPEC.md, "Overlay":  python protocol/vectors/make_overlay.py"""

from typing import Any

import msgpack

from commonsnode_protocol.errors import Reason
from commonsnode_protocol.limits import (
    CONTACTS_MAX,
    HOPS_MAX,
    IHAVE_IDS_MAX,
    LANES_MAX,
    RECORD_BYTES_MAX,
    WALK_HOPS_MAX,
)
from commonsnode_protocol.overlay.ranges import range_of_host
from vectors.shown import Json, show, show_parts, text_of, write

ABOUT = """\
Vectors of SPEC.md, "Overlay". How bytes are shown says SPEC.md, "Vectors".

frames: `frame` is a frame, by its bytes alone. `expect` is the name of what it is, or the reason with which it is refused.
ranges: `range` is what `host` counts to.
"""

NONCE, A, B = b"n" * 8, b"a" * 32, b"b" * 32
AT = b"ws://a"
CONTACT = [A, AT]
MANY = [[bytes([number]) * 32, AT] for number in range(CONTACTS_MAX + 1)]

TAKEN: dict[str, list[Any]] = {
    "join": [32, 0, CONTACT],
    "join_lane_8191": [32, LANES_MAX - 1, CONTACT],
    "join_not_to_be_dialled": [32, 0, [A, b""]],
    "join_record_1024_bytes": [32, 0, [A, bytes(RECORD_BYTES_MAX)]],
    "walk": [33, 0, NONCE, 5, CONTACT],
    "walk_ttl_0": [33, 0, NONCE, 0, CONTACT],
    "walk_ttl_6": [33, 0, NONCE, WALK_HOPS_MAX, CONTACT],
    "place": [34, 0, NONCE, CONTACT],
    "shuffle_one": [35, 0, NONCE, 4, [CONTACT]],
    "shuffle_8": [35, 0, NONCE, 4, MANY[:CONTACTS_MAX]],
    "shuffled_none": [36, 0, NONCE, []],
    "shuffled_8": [36, 0, NONCE, MANY[:CONTACTS_MAX]],
    "neighbour": [37, 0, 0, CONTACT],
    "neighbour_urgent": [37, 0, 1, CONTACT],
    "answer_no": [38, 0, 0],
    "answer_yes": [38, 0, 1],
    "part": [39, 0],
    "news": [40, 0, 3, [A, B]],
    "news_hops_255": [40, 0, HOPS_MAX, [B, A]],
    "eager": [41, 0],
}

TOO_LARGE: dict[str, list[Any]] = {
    "lane_8192": [39, LANES_MAX],
    "record_1025_bytes": [32, 0, [A, bytes(RECORD_BYTES_MAX + 1)]],
    "walk_ttl_7": [33, 0, NONCE, WALK_HOPS_MAX + 1, CONTACT],
    "shuffle_ttl_7": [35, 0, NONCE, WALK_HOPS_MAX + 1, [CONTACT]],
    "shuffle_9": [35, 0, NONCE, 4, MANY],
    "shuffled_9": [36, 0, NONCE, MANY],
    "urgent_2": [37, 0, 2, CONTACT],
    "answer_2": [38, 0, 2],
    "news_hops_256": [40, 0, HOPS_MAX + 1, [A]],
}

BAD: dict[str, Any] = {
    "no_array": 32,
    "empty": [],
    "type_31": [31, 0],
    "type_42": [42, 0],
    "type_true": [True, 0],
    "join_of_two": [32, 0],
    "join_with_more": [32, 0, CONTACT, 0],
    "lane_minus_1": [39, -1],
    "lane_nil": [39, None],
    "contact_nil": [32, 0, None],
    "contact_without_record": [32, 0, [A]],
    "contact_of_three": [32, 0, [A, AT, 0]],
    "key_31_bytes": [32, 0, [A[:31], AT]],
    "record_text": [32, 0, [A, "ws://a"]],
    "nonce_7_bytes": [33, 0, NONCE[:7], 5, CONTACT],
    "nonce_text": [34, 0, "n" * 8, CONTACT],
    "walk_ttl_minus_1": [33, 0, NONCE, -1, CONTACT],
    "shuffle_none": [35, 0, NONCE, 4, []],
    "shuffle_a_key_twice": [35, 0, NONCE, 4, [CONTACT, [A, b"ws://b"]]],
    "shuffled_nil": [36, 0, NONCE, None],
    "urgent_true": [37, 0, True, CONTACT],
    "answer_nil": [38, 0, None],
    "news_none": [40, 0, 3, []],
    "news_twice": [40, 0, 3, [A, A]],
    "news_31_bytes": [40, 0, 3, [A[:31]]],
    "eager_with_more": [41, 0, 0],
}

HOSTS = (
    ("ipv4", "93.184.216.34"),
    ("ipv4_of_the_same_range", "93.184.1.2"),
    ("ipv6", "2606:2800:220:1::1"),
    ("ipv6_in_brackets", "[2606:2800:ffff::2]"),
    ("ipv4_in_ipv6", "::ffff:93.184.216.34"),
    ("private", "10.0.0.7"),
    ("link_local_of_an_interface", "fe80::1%eth0"),
    ("name", "Node1.Example.org"),
    ("name_with_a_dot", "node2.example.org."),
    ("name_of_one_label", "shed"),
)


def packed(value: Any) -> bytes:
    data: bytes = msgpack.packb(value)
    return data


def frames() -> list[Json]:
    vectors: list[Json] = []

    def case(name: str, frame: Any, expect: str) -> None:
        vectors.append({"name": name, "frame": frame, "expect": expect})

    for name, value in TAKEN.items():
        case(name, show(packed(value)), name.partition("_")[0])
    for word, count in (("news", IHAVE_IDS_MAX), (Reason.TOO_LARGE.value, IHAVE_IDS_MAX + 1)):
        head = b"\x94\x28\x00\x03" + packed([None] * count)[:-count]
        case(f"news_{count}", show_parts(head, range(count)), word)
    for name, value in TOO_LARGE.items():
        case(name, show(packed(value)), Reason.TOO_LARGE.value)
    for name, value in BAD.items():
        case(name, show(packed(value)), Reason.BAD_FRAME.value)
    return vectors


def ranges() -> list[Json]:
    return [{"name": name, "host": host, "range": range_of_host(host).hex()} for name, host in HOSTS]


def text() -> str:
    """The content of overlay.json."""
    return text_of(ABOUT, {"frames": frames(), "ranges": ranges()})


if __name__ == "__main__":
    write(__file__, text())
