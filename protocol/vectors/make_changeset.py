"""Write changeset.json, the vectors of SPEC.md, "Changesets" and "Intake":  python protocol/vectors/make_changeset.py"""

from collections.abc import Callable
from typing import Any

import msgpack

from commonsnode_protocol.changeset import PUBLIC, Signed, changeset_id, sign
from commonsnode_protocol.limits import CHANGESET_BYTES_MAX, INT_MAX, TIME_MS_MAX
from commonsnode_protocol.record import typed_id
from vectors.shown import Json, show, text_of, write
from vectors.world import (
    ANA,
    ANA_SEED,
    CHARTER,
    COMMUNITY,
    FOUNDER,
    FOUNDER_SEED,
    NONCE,
    TIME,
    grant_body,
    signed,
    thing_body,
)

ABOUT = """\
Vectors of SPEC.md, "Changesets" and "Intake". How bytes are shown says SPEC.md, "Vectors".

changesets: a changeset, `signature` and `body`, comes for `lane` of `community`. `expect` is
`accepted`: it is taken; `id` is its id;
`other-version`: it does not stand and blames nobody; `id` is its id;
`stops-community`: the same, and the community cannot be valued by this version;
`wrong-community`, `bad-signature`: refused with this reason;
`not-canonical`, `not-well-formed`: refused with the reason `bad-changeset`, since its bytes are no canonical MessagePack,
or since it is not what a changeset must be.

Each vector that is refused is right but for one thing. The signatures of those that are not canonical or not well-formed
hold. The seed of the author of most is 02…02, of the charters 01…01.
"""

Parts = list[Any]
RECORD = typed_id(COMMUNITY, ANA, NONCE)
REFS = [bytes([n]) * 32 for n in range(1, 5)]


def parts(**other: Any) -> Parts:
    """The elements of a correct body, some of them replaced."""
    body = {
        "version": 1,
        "community": COMMUNITY,
        "lane": PUBLIC,
        "author": ANA,
        "time": TIME,
        "refs": REFS[:2],
    }
    body["changes"] = [[RECORD, "resource", {"nonce": [NONCE, []], "title": ["Drill", []]}]]
    return list((body | other).values())


def packed(body: Any) -> bytes:
    data: bytes = msgpack.packb(body, use_bin_type=True)
    return data


def with_fields(fields: Any) -> bytes:
    return packed(parts(changes=[[RECORD, "resource", fields]]))


def with_write(*write_: Any) -> bytes:
    return with_fields({"title": list(write_)})


def nested(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


def ids(count: int, length: int) -> list[bytes]:
    return [n.to_bytes(length, "big") for n in range(1, count + 1)]


def replaced(old: bytes, new: bytes) -> bytes:
    """The correct body with the first occurrence of some of its bytes replaced."""
    whole = packed(parts())
    if old not in whole:
        raise ValueError(f"{old.hex()} is not in it")
    return whole.replace(old, new, 1)


FIELD: dict[str, Any] = {"f": [None, []]}
LOW, HIGH = bytes(16), bytes(15) + b"\x01"
SPARE = CHANGESET_BYTES_MAX - len(with_write(bytes(256), [])) + 256

TAKEN: dict[str, bytes] = {
    "one_thing": packed(parts()),
    "no_refs": packed(parts(refs=[])),
    "time_0": packed(parts(time=0)),
    "time_greatest": packed(parts(time=TIME_MS_MAX)),
    "refs_1024": packed(parts(refs=ids(1024, 32))),
    "changes_256": packed(parts(changes=[[record, "k", FIELD] for record in ids(256, 16)])),
    "changes_of_one_record_and_two_kinds": packed(parts(changes=[[LOW, "a", FIELD], [LOW, "b", FIELD]])),
    "body_65536_bytes": with_write(bytes(SPARE), []),
    "kind_32_bytes": packed(parts(changes=[[RECORD, "é" * 16, FIELD]])),
    "kind_unknown": packed(parts(changes=[[RECORD, "something-new", FIELD]])),
    "field_128_bytes": with_fields({"é" * 64: [None, []]}),
    "value_nil": with_write(None, []),
    "value_false": with_write(False, []),
    "value_greatest_int": with_write(INT_MAX, []),
    "value_eight_deep": with_write(nested(8), []),
    "value_map": with_write({"lat": 381234567, "lon": -91234567}, []),
    "supersedes_first_ref": with_write("Drill", [0]),
    "supersedes_all_refs": with_write("Drill", [0, 1]),
    "record_id_of_nobody": packed(parts(changes=[[bytes(16), "resource", FIELD]])),
}

NOT_CANONICAL: dict[str, bytes] = {
    "trailing_byte": packed(parts()) + b"\xc0",
    "last_byte_missing": packed(parts())[:-1],
    "time_in_a_longer_form": replaced(packed(TIME), b"\xd3" + TIME.to_bytes(8, "big")),
    "refs_in_a_longer_form": replaced(b"\x92\xc4\x20" + REFS[0], b"\xdc\x00\x02\xc4\x20" + REFS[0]),
    "record_in_a_longer_form": replaced(b"\xc4\x10" + RECORD, b"\xc5\x00\x10" + RECORD),
    "kind_in_a_longer_form": replaced(b"\xa8resource", b"\xd9\x08resource"),
    "kind_not_utf8": replaced(b"\xa8resource", b"\xa8resourc\xff"),
    "value_float": with_write(1.0, []),
    "value_nan": with_write(float("nan"), []),
    "value_extension": with_write(msgpack.ExtType(1, b"x"), []),
    "value_int_over_the_greatest": with_write(INT_MAX + 1, []),
    "value_nine_deep": with_write(nested(9), []),
    "value_map_out_of_order": with_write({"lon": 1, "lat": 2}, []),
    "value_map_with_integer_key": with_write({1: 1}, []),
    "value_lone_surrogate": replaced(b"\xa5Drill", b"\xa5\xed\xa0\x80ll"),
    "fields_out_of_order": with_fields({"title": ["Drill", []], "nonce": [NONCE, []]}),
    "field_twice": packed(parts()).replace(b"\x82\xa5nonce", b"\x83\xa5nonce\x92\xc0\x90\xa5nonce"),
    "field_name_bytes": with_fields({b"title": ["Drill", []]}),
}

NOT_WELL_FORMED: dict[str, bytes] = {
    "elements_6": packed(parts()[:6]),
    "elements_8": packed([*parts(), None]),
    "time_minus_1": packed(parts(time=-1)),
    "time_2_53": packed(parts(time=TIME_MS_MAX + 1)),
    "time_nil": packed(parts(time=None)),
    "time_true": packed(parts(time=True)),
    "time_text": packed(parts(time="now")),
    "refs_nil": packed(parts(refs=None)),
    "refs_1025": packed(parts(refs=ids(1025, 32))),
    "refs_descend": packed(parts(refs=[REFS[1], REFS[0]])),
    "refs_twice": packed(parts(refs=[REFS[0], REFS[0]])),
    "ref_31_bytes": packed(parts(refs=[REFS[0][:31]])),
    "ref_33_bytes": packed(parts(refs=[REFS[0] + b"\x00"])),
    "ref_text": packed(parts(refs=["r" * 32])),
    "changes_none": packed(parts(changes=[])),
    "changes_nil": packed(parts(changes=None)),
    "changes_a_map": packed(parts(changes={"a": 1})),
    "changes_257": packed(parts(changes=[[record, "k", FIELD] for record in ids(257, 16)])),
    "changes_records_descend": packed(parts(changes=[[HIGH, "k", FIELD], [LOW, "k", FIELD]])),
    "changes_kinds_descend": packed(parts(changes=[[LOW, "b", FIELD], [LOW, "a", FIELD]])),
    "changes_twice": packed(parts(changes=[[LOW, "a", FIELD], [LOW, "a", FIELD]])),
    "change_of_two": packed(parts(changes=[[RECORD, "resource"]])),
    "change_of_four": packed(parts(changes=[[RECORD, "resource", FIELD, None]])),
    "record_15_bytes": packed(parts(changes=[[RECORD[:15], "resource", FIELD]])),
    "record_17_bytes": packed(parts(changes=[[RECORD + b"\x00", "resource", FIELD]])),
    "record_text": packed(parts(changes=[["r" * 16, "resource", FIELD]])),
    "kind_empty": packed(parts(changes=[[RECORD, "", FIELD]])),
    "kind_33_bytes": packed(parts(changes=[[RECORD, "é" * 16 + "x", FIELD]])),
    "kind_bytes": packed(parts(changes=[[RECORD, b"resource", FIELD]])),
    "fields_none": with_fields({}),
    "fields_an_array": with_fields(["title", "Drill"]),
    "field_empty": with_fields({"": [None, []]}),
    "field_129_bytes": with_fields({"é" * 64 + "x": [None, []]}),
    "write_not_an_array": with_fields({"title": "Drill"}),
    "write_of_one": with_write("Drill"),
    "write_of_three": with_write("Drill", [], []),
    "supersedes_nil": with_write("Drill", None),
    "supersedes_past_the_refs": with_write("Drill", [2]),
    "supersedes_minus_1": with_write("Drill", [-1]),
    "supersedes_descend": with_write("Drill", [1, 0]),
    "supersedes_twice": with_write("Drill", [0, 0]),
    "supersedes_true": with_write("Drill", [True]),
    "supersedes_an_id": with_write("Drill", [REFS[0]]),
    "body_65537_bytes": with_write(bytes(SPARE + 1), []),
    "body_empty": b"",
    "body_cut_in_the_author": packed(parts())[:60],
    "body_a_map": packed({"version": 1}),
    "version_128": packed(parts(version=128)),
    "version_minus_1": packed(parts(version=-1)),
    "version_true": packed(parts(version=True)),
    "lane_unknown": packed(parts(lane="drafts")),
    "lane_bytes": packed(parts(lane=b"public")),
    "community_31_bytes": packed(parts(community=COMMUNITY[:31])),
    "community_nil": packed(parts(community=None)),
    "author_31_bytes": packed(parts(author=ANA[:31])),
    "elements_16": packed([*parts(), *range(9)]),
}


def charter_parts(**other: Any) -> Parts:
    fields = {"founder": [FOUNDER, []], "name": ["Valley", []], "nonce": [NONCE, []]}
    body: dict[str, Any] = {
        "version": 1,
        "community": b"",
        "lane": "authority",
        "author": FOUNDER,
        "time": TIME,
    }
    body |= {"refs": [], "changes": [[typed_id(b"", FOUNDER, NONCE), "charter", fields]]}
    return list((body | other).values())


def bad_charters() -> dict[str, bytes]:
    change = charter_parts()[6][0]
    return {
        "charter_in_lane_public": packed(charter_parts(lane=PUBLIC)),
        "charter_with_a_ref": packed(charter_parts(refs=REFS[:1])),
        "charter_of_another_kind": packed(charter_parts(changes=[[change[0], "grant", change[2]]])),
        "charter_with_a_second_change": packed(
            charter_parts(changes=[change, [b"\xff" * 16, "grant", FIELD]])
        ),
    }


def text() -> str:
    """The content of changeset.json."""
    vectors: list[Json] = []

    def case(name: str, of: Signed, expect: str, community: bytes = COMMUNITY, lane: str = PUBLIC) -> None:
        shown: Json = {"name": name, "community": community.hex(), "lane": lane}
        shown |= {"signature": show(of.signature), "body": show(of.body), "expect": expect}
        if expect in ("accepted", "other-version", "stops-community"):
            shown["id"] = of.id.hex()
        vectors.append(shown)

    def each(group: dict[str, bytes], expect: str, name: Callable[[str], str] = str) -> None:
        for key, body in group.items():
            case(name(key), sign(body, ANA_SEED), expect)

    each(TAKEN, "accepted")
    case("charter", signed(CHARTER, FOUNDER), "accepted", COMMUNITY, "authority")
    case("grant", signed(grant_body(ANA), FOUNDER), "accepted", COMMUNITY, "authority")
    for lane in ("knowledge", "members", "keys"):
        case(f"lane_{lane}", sign(packed(parts(lane=lane)), ANA_SEED), "accepted", lane=lane)

    each(NOT_CANONICAL, "not-canonical")
    each(NOT_WELL_FORMED, "not-well-formed")
    for name, body in bad_charters().items():
        lane = PUBLIC if name == "charter_in_lane_public" else "authority"
        case(name, sign(body, FOUNDER_SEED), "not-well-formed", changeset_id(body), lane)
    good = signed(thing_body(ANA), ANA)
    case("signature_63_bytes", Signed(good.signature[:63], good.body), "not-well-formed")
    case("signature_65_bytes", Signed(good.signature + b"\x00", good.body), "not-well-formed")

    case("signature_of_somebody_else", sign(good.body, FOUNDER_SEED), "bad-signature")
    case("signature_zero", Signed(bytes(64), good.body), "bad-signature")
    case("signature_of_another_changeset", Signed(good.signature, packed(parts())), "bad-signature")

    case("of_another_community", sign(packed(parts(community=bytes(32))), ANA_SEED), "wrong-community")
    case("of_another_lane", sign(packed(parts(lane="knowledge")), ANA_SEED), "wrong-community")
    case("charter_of_another_community", signed(CHARTER, FOUNDER), "wrong-community", bytes(32), "authority")

    for version in (0, 2, 127):
        case(f"version_{version}", sign(packed(parts(version=version)), ANA_SEED), "other-version")
    strange = packed(
        [2, COMMUNITY, PUBLIC, ANA, 1.5, {2: None, 1: None}, msgpack.ExtType(5, b""), "more", b"", 0]
    )
    case("version_2_with_anything_behind_its_header", sign(strange, ANA_SEED), "other-version")
    later = packed(charter_parts(version=2))
    case(
        "charter_of_version_2", sign(later, FOUNDER_SEED), "stops-community", changeset_id(later), "authority"
    )
    case(
        "version_2_of_another_community",
        sign(packed(parts(version=2, community=bytes(32))), ANA_SEED),
        "wrong-community",
    )
    case("version_2_signature_zero", Signed(bytes(64), packed(parts(version=2))), "bad-signature")
    return text_of(ABOUT, {"changesets": vectors})


if __name__ == "__main__":
    write(__file__, text())
