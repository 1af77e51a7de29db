"""The published vectors: each file is what its script makes, and this implementation does what each vector says."""

import json
import runpy
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commonsnode_protocol import batch, canonical, frames, intake, lan, limits, lthash, negentropy
from commonsnode_protocol.authority import evaluate
from commonsnode_protocol.blurring import blurred, blurred_place, shown_distance_m
from commonsnode_protocol.bookings import Rules, State, settle
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Changeset, Signed, changeset_id, decode, verify
from commonsnode_protocol.clock import plausible_now, writer_time
from commonsnode_protocol.commitments import read as read_bookings
from commonsnode_protocol.custody import People, custody, keeper_writes, own_chain
from commonsnode_protocol.errors import NotCanonical, NotWellFormed, PeerError, Reason
from commonsnode_protocol.frames import INITIATOR, RESPONDER, LaneState
from commonsnode_protocol.kits import parts_of, whole
from commonsnode_protocol.limits import BATCH_BYTES_MAX
from commonsnode_protocol.link import parse
from commonsnode_protocol.overlay import frames as overlay_frames
from commonsnode_protocol.overlay.ranges import range_of_host
from commonsnode_protocol.record import (
    RecordKey,
    Standing,
    conflicts,
    contact_id,
    imported_id,
    state,
    typed_id,
)
from vectors.shown import read, read_value, show_value

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
FILES = [
    "canonical",
    "signature",
    "changeset",
    "record_id",
    "state",
    "bookings",
    "blurring",
    "authority",
    "time",
    "link",
    "lan",
    "frames",
    "batch",
    "session",
    "overlay",
]
Json = dict[str, Any]
LOADED: dict[str, Json] = {
    name: json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8")) for name in FILES
}


def each(file: str, group: str) -> pytest.MarkDecorator:
    vectors = LOADED[file][group]
    assert len({vector["name"] for vector in vectors}) == len(vectors)
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_script_makes(name: str) -> None:
    text: Callable[[], str] = runpy.run_path(str(VECTORS / f"make_{name}.py"))["text"]
    assert (VECTORS / f"{name}.json").read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("name", FILES)
def test_every_group_of_vectors_is_run_here(name: str) -> None:
    groups = {key for key, value in LOADED[name].items() if isinstance(value, list) and key != "about"}
    assert groups == {group for file, group in RUN if file == name}


RUN = {
    ("canonical", "values"), ("signature", "signatures"), ("changeset", "changesets"), ("record_id", "typed"),
    ("record_id", "imported"), ("record_id", "contact"), ("state", "states"), ("bookings", "bookings"), ("bookings", "kits"), ("bookings", "wholes"), ("blurring", "positions"), ("blurring", "places"), ("blurring", "distances"), ("authority", "authorities"), ("time", "times"), ("link", "links"), ("lan", "tags"), ("lan", "announcements"),
    ("frames", "hellos"), ("frames", "tags"), ("frames", "doors"), ("frames", "frames"),
    ("batch", "batches"), ("session", "sessions"),
    ("overlay", "frames"), ("overlay", "ranges"),
}  # fmt: skip


SPEC = (VECTORS.parent / "SPEC.md").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of the table in a section of SPEC.md, without its head."""
    text = SPEC.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ][2:]


def test_the_reasons_of_the_specification_are_those_of_the_code() -> None:
    assert [row[0].strip("`") for row in rows("Reasons")] == [reason.value for reason in Reason]


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("body of a changeset", limits.CHANGESET_BYTES_MAX),
        ("changes in a changeset", limits.CHANGES_MAX),
        ("refs in a changeset", limits.REFS_MAX),
        ("kind", limits.KIND_BYTES_MAX),
        ("name of a field", limits.FIELD_BYTES_MAX),
        ("link", limits.LINK_BYTES_MAX),
        ("addresses in a link", limits.LINK_ADDRESSES_MAX),
        ("message of the pipe", limits.NOISE_MESSAGE_BYTES_MAX),
        ("handshake message", limits.HANDSHAKE_MESSAGE_BYTES_MAX),
        ("frame", limits.FRAME_BYTES_MAX),
        ("versions in a hello", limits.HELLO_VERSIONS_MAX),
        ("agent in a hello", limits.HELLO_AGENT_BYTES_MAX),
        ("reason in a `bye`", limits.REASON_BYTES_MAX),
        ("lanes that one side announces in a session", limits.LANES_MAX),
        ("message of reconciliation", limits.RECONCILE_BYTES_MAX),
        ("answers in one reconciliation of a lane", limits.RECONCILE_ROUNDS_MAX),
        ("ids in a `want`, in `gone`, in an `ihave`, in a `graft`", limits.WANT_IDS_MAX),
        ("ids in a `want`, in `gone`, in an `ihave`, in a `graft`", limits.IHAVE_IDS_MAX),
        ("ids wanted and not answered, in a session", limits.WANTED_IDS_MAX),
        ("batch, unpacked (`changesets`, `push`)", limits.BATCH_BYTES_MAX),
        ("batch, unpacked (`changesets`, `push`)", limits.LIVE_BYTES_MAX),
        ("batch, packed", limits.PACKED_BYTES_MAX),
        ("changesets in a batch", limits.BATCH_COUNT_MAX),
        ("credit open at one time", limits.CREDIT_BYTES_MAX),
        ("hops", limits.HOPS_MAX),
        (
            "changesets that do not stand, from one peer between two changes of `authority`",
            limits.REFUSED_MAX,
        ),
        ("what the responder may owe the initiator", limits.UNSETTLED_MS_MAX // 1000),
    ],
)
def test_the_limits_of_the_specification_are_those_of_the_code(what: str, limit: int) -> None:
    said = dict(rows("Limits"))[what]
    assert f"{limit:,}" in said.split()


@each("canonical", "values")
def test_canonical(vector: Json) -> None:
    data = read(vector["data"])
    match vector["expect"]:
        case "canonical":
            value = canonical.decode(data)
            assert show_value(value) == vector["value"]
            assert canonical.encode(read_value(vector["value"])) == data
        case "not-canonical":
            with pytest.raises(NotCanonical):
                canonical.decode(data)
        case other:
            pytest.fail(f"an unknown expectation: {other}")


@each("signature", "signatures")
def test_signature(vector: Json) -> None:
    holds = {"holds": True, "bad-signature": False}[vector["expect"]]
    author, changeset, signature = (bytes.fromhex(vector[name]) for name in ("author", "id", "signature"))
    assert verify(author, changeset, signature) is holds


def refusal(error: PeerError) -> str:
    """The reason, or for a bad changeset the layer that refused it."""
    match error.reason.value, error.__cause__:
        case "bad-changeset", NotCanonical():
            return "not-canonical"
        case "bad-changeset", NotWellFormed() | None:
            return "not-well-formed"
        case reason, _:
            return reason


@each("changeset", "changesets")
def test_changeset(vector: Json) -> None:
    signed = Signed(read(vector["signature"]), read(vector["body"]))
    community, lane = bytes.fromhex(vector["community"]), vector["lane"]
    match vector["expect"]:
        case "accepted":
            checked = intake.check(community, lane, signed)
            assert isinstance(checked, intake.Checked)
            assert checked.id.hex() == vector["id"]
        case "other-version" | "stops-community" as expected:
            unknown = intake.check(community, lane, signed)
            assert isinstance(unknown, intake.OfUnknownVersion)
            assert unknown.id.hex() == vector["id"]
            assert unknown.stops_community is (expected == "stops-community")
        case "not-canonical" | "not-well-formed" | "bad-signature" | "wrong-community" as expected:
            with pytest.raises(PeerError) as caught:
                intake.check(community, lane, signed)
            assert refusal(caught.value) == expected
        case other:
            pytest.fail(f"an unknown expectation: {other}")


@each("blurring", "positions")
def test_blurred_position(vector: Json) -> None:
    assert vector["expect"] == "middle"
    assert [*blurred(vector["lat"], vector["lon"], vector["grid"])] == vector["middle"]


@each("blurring", "places")
def test_blurred_place(vector: Json) -> None:
    assert vector["expect"] == "public"
    found = blurred_place(read_value(vector["place"]), vector["grid"])
    assert show_value(found) == vector["public"]


@each("blurring", "distances")
def test_rounded_distance(vector: Json) -> None:
    assert vector["expect"] == "shown"
    assert shown_distance_m(vector["distance"], vector["grid"]) == vector["shown"]


@each("lan", "tags")
def test_tag_on_the_local_network(vector: Json) -> None:
    assert vector["expect"] == "tag"
    salt, community = bytes.fromhex(vector["salt"]), bytes.fromhex(vector["community"])
    assert lan.tag(salt, community).hex() == vector["tag"]


@each("lan", "announcements")
def test_announcement_on_the_local_network(vector: Json) -> None:
    strings = {key.encode(): bytes.fromhex(each) for key, each in vector["strings"].items()}
    match vector["expect"]:
        case "said":
            said = lan.read(strings)
            assert (said.node.hex(), said.port, said.salt.hex()) == (
                vector["node"],
                vector["port"],
                vector["salt"],
            )
            assert sorted(each.hex() for each in said.tags) == vector["tags"]
        case "refused":
            with pytest.raises(NotWellFormed):
                lan.read(strings)
        case other:
            pytest.fail(f"an unknown expectation: {other}")


@each("record_id", "typed")
def test_typed_record_id(vector: Json) -> None:
    parts = [bytes.fromhex(vector[name]) for name in ("community", "creator", "nonce")]
    assert canonical.encode(["record/typed/1", *parts]).hex() == vector["hashed"]
    assert typed_id(*parts).hex() == vector["record"]


@each("record_id", "imported")
def test_imported_record_id(vector: Json) -> None:
    community = bytes.fromhex(vector["community"])
    texts = [vector[name] for name in ("kind", "source", "key")]
    assert canonical.encode(["record/imported/1", community, *texts]).hex() == vector["hashed"]
    assert imported_id(community, *texts).hex() == vector["record"]


@each("record_id", "contact")
def test_contact_record_id(vector: Json) -> None:
    community, person = (bytes.fromhex(vector[name]) for name in ("community", "person"))
    assert canonical.encode(["record/contact/1", community, person]).hex() == vector["hashed"]
    assert contact_id(community, person).hex() == vector["record"]


def shown_write(write: Standing) -> Json:
    shown = {"time": write.time, "changeset": write.changeset.hex(), "author": write.author.hex()}
    return {**shown, "value": show_value(write.value)}


@each("state", "states")
def test_state(vector: Json) -> None:
    assert vector["expect"] == "state"
    held = [decode(bytes.fromhex(body)) for body in vector["changesets"]]
    for changesets in (held, held[::-1]):
        shown = [
            {
                "record": key.record.hex(),
                "kind": key.kind,
                "lane": key.lane,
                "fields": [
                    {
                        "field": field,
                        "writes": [shown_write(write) for write in writes],
                        "others": [show_value(write.value) for write in conflicts(writes)],
                    }
                    for field, writes in sorted(fields.items())
                ],
            }
            for key, fields in sorted(state(changesets).items())
        ]
        assert shown == vector["state"]


@each("bookings", "bookings")
def test_bookings(vector: Json) -> None:
    assert vector["expect"] == "bookings"
    held = [decode(bytes.fromhex(body)) for body in vector["changesets"]]
    thing = bytes.fromhex(vector["thing"])
    named = {bytes.fromhex(key): persons for key, persons in vector.get("named", {}).items()}
    people = People(
        (bytes.fromhex(vector["steward"]),),
        named_by=lambda key: frozenset(map(bytes.fromhex, named.get(key, ()))),
    )
    for changesets in (held, held[::-1]):
        precedes = own_chain(changesets)
        kept = custody(*keeper_writes(RecordKey(thing, "resource", PUBLIC), changesets), people, precedes)
        assert (kept.keeper.hex() if kept.keeper is not None else None) == vector["keeper"]
        assert sorted(each.hex() for each in kept.no_effect) == vector["keeper_no_effect"]
        rules = Rules(kept, people, precedes, vector["at_once"], Decimal(vector["amount"]))
        shown = [
            {
                "ask": each.ask.changeset.hex(),
                "rank": each.rank,
                "effective": each.effective_ms,
                "state": each.state,
                "takes": list(each.busy) if each.busy is not None else None,
                "displaced_by": [of.hex() for of in each.displaced_by],
                "waiting": each.waiting,
                "no_effect": sorted(acted.changeset.hex() for acted in each.no_effect),
            }
            for each in settle(*read_bookings(thing, changesets), rules)
        ]
        assert shown == vector["asks"]


@each("bookings", "kits")
def test_kits(vector: Json) -> None:
    assert vector["expect"] == "parts"
    found = parts_of(vector["values"])
    assert {part.hex(): str(amount) for part, amount in found.items()} == vector["parts"]


@each("bookings", "wholes")
def test_wholes(vector: Json) -> None:
    assert vector["expect"] == "state"
    assert whole(State(vector["kit"]), [State(part) for part in vector["parts"]]).value == vector["state"]


@each("authority", "authorities")
def test_authority(vector: Json) -> None:
    assert vector["expect"] == "authority"
    held = [decode(bytes.fromhex(body)) for body in vector["held"]]
    for changesets in (held, held[::-1]):
        authority = evaluate(bytes.fromhex(vector["community"]), changesets)
        table = authority.table
        assert (table is None) is (vector["table"] is None)
        if table is not None:
            stewards = [key.hex() for key in table.stewards]
            assert {"id": table.id.hex(), "name": table.name, "stewards": stewards} == vector["table"]
        assert {key.hex(): member.role for key, member in authority.members.items()} == vector["members"]
        for body, stands in vector["stands"]:
            assert authority.stands(decode(bytes.fromhex(body))) is stands


@each("time", "times")
def test_time(vector: Json) -> None:
    assert vector["expect"] == "time"
    now = plausible_now(vector["wall"], vector["released"], vector["saved"])
    assert now == vector["now"]
    assert writer_time(now, vector["refs"]) == vector["time"]


@each("link", "links")
def test_link(vector: Json) -> None:
    match vector["expect"]:
        case "link":
            for text in (vector["text"], vector["written"]):
                link = parse(text)
                assert link.community.hex() == vector["community"]
                assert (link.table and link.table.hex()) == vector["table"]
                assert list(link.addresses) == vector["addresses"]
                assert str(link) == vector["written"]
        case "not-well-formed":
            with pytest.raises(NotWellFormed):
                parse(vector["text"])
        case other:
            pytest.fail(f"an unknown expectation: {other}")


@each("frames", "hellos")
def test_hello(vector: Json) -> None:
    value = canonical.decode(bytes.fromhex(vector["hello"]))
    match vector["expect"]:
        case "hello":
            frames.parse_hello(value)
        case "bad-handshake" | "bad-version" as expected:
            with pytest.raises(PeerError) as caught:
                frames.parse_hello(value)
            assert caught.value.reason == expected
        case other:
            pytest.fail(f"an unknown expectation: {other}")


@each("frames", "tags")
def test_tag(vector: Json) -> None:
    channel_hash, community = (bytes.fromhex(vector[name]) for name in ("channel_hash", "community"))
    assert frames.tag(channel_hash, vector["role"].encode(), community, vector["lane"]).hex() == vector["tag"]


@each("frames", "doors")
def test_door(vector: Json) -> None:
    channel_hash, door = (bytes.fromhex(vector[name]) for name in ("channel_hash", "door"))
    assert frames.door_tag(channel_hash, vector["role"].encode(), door).hex() == vector["tag"]


NAMES = {
    "bye",
    "lanes",
    "state",
    "reconcile",
    "want",
    "changesets",
    "credit",
    "push",
    "ihave",
    "graft",
    "prune",
    "drop",
    "show",
}


@each("frames", "frames")
def test_frame(vector: Json) -> None:
    data = read(vector["frame"])
    match vector["expect"]:
        case "bad-frame" | "too-large" as expected:
            with pytest.raises(PeerError) as caught:
                frames.decode(data)
            assert caught.value.reason == expected
        case name if name in NAMES:
            frame = frames.decode(data)
            assert type(frame).__name__.lower() == name
            assert frames.encode(frame) == data
        case other:
            pytest.fail(f"an unknown expectation: {other}")


@each("overlay", "frames")
def test_overlay_frame(vector: Json) -> None:
    data = read(vector["frame"])
    match vector["expect"]:
        case "bad-frame" | "too-large" as expected:
            with pytest.raises(PeerError) as caught:
                overlay_frames.decode(data)
            assert caught.value.reason == expected
        case name:
            lane, frame = overlay_frames.decode(data)
            assert type(frame).__name__.lower() == name
            assert overlay_frames.encode(lane, frame) == data


@each("overlay", "ranges")
def test_range(vector: Json) -> None:
    assert range_of_host(vector["host"]).hex() == vector["range"]


@each("batch", "batches")
def test_batch(vector: Json) -> None:
    size, packed = vector["size"], read(vector["packed"])
    match vector["expect"]:
        case "unpacked":
            unpacked = batch.unpack(size, packed, size_max=BATCH_BYTES_MAX)
            if "changesets" in vector:
                assert unpacked == [Signed(read(one), read(other)) for one, other in vector["changesets"]]
        case "bad-frame" | "too-large" | "bad-changeset" as expected:
            with pytest.raises(PeerError) as caught:
                batch.unpack(size, packed, size_max=BATCH_BYTES_MAX)
            assert caught.value.reason == expected
        case other:
            pytest.fail(f"an unknown expectation: {other}")


# Transcripts: that the machines of this implementation said them is checked by the script that makes them; here they are
# checked by what SPEC.md says of them.

SESSIONS = LOADED["session"]
COMMUNITY, CHANNEL_HASH = (bytes.fromhex(SESSIONS[name]) for name in ("community", "channel_hash"))
LANES = ["authority", "public"]


def signed(changeset: str) -> Signed:
    return Signed(*map(bytes.fromhex, SESSIONS["changesets"][changeset]))


def changeset(of: str) -> Changeset:
    return decode(signed(of).body)


def lane_state(lane: str, ids: list[str]) -> LaneState:
    storage = negentropy.VectorStorage((changeset(each_).time, bytes.fromhex(each_)) for each_ in ids)
    fingerprint = negentropy.fingerprint(storage.id_sum(0, storage.size()), storage.size())
    raw = [bytes.fromhex(each_) for each_ in ids]
    if lane == AUTHORITY:
        return LaneState(fingerprint, lthash.authority_digest(raw))
    sums = lthash.LtHash()
    sums.add(raw)
    return LaneState(fingerprint, sums.digest())


def test_the_changesets_of_the_transcripts_are_named_by_their_ids() -> None:
    for each_ in SESSIONS["changesets"]:
        assert changeset_id(signed(each_).body).hex() == each_


@each("session", "sessions")
def test_a_transcript_begins_with_what_each_side_follows(vector: Json) -> None:
    for role, side, who in ((INITIATOR, "initiator", "i"), (RESPONDER, "responder", "r")):
        first = next(frame for frame in vector["frames"] if frame["from"] == who)
        announced = frames.decode(read(first["frame"]))
        community = bytes(32) if vector["expect"] == "nothing-shared" and who == "r" else COMMUNITY
        held = {lane: [] for lane in LANES} if community != COMMUNITY else vector[side]
        expected = tuple(
            (frames.tag(CHANNEL_HASH, role, community, lane), lane_state(lane, held[lane])) for lane in LANES
        )
        assert announced == frames.Lanes(expected)


@each("session", "sessions")
def test_the_changesets_in_a_transcript_make_one_set_of_the_other(vector: Json) -> None:
    """What a side has afterwards is what it had, what it was sent and what it wrote; both have the same where in step."""
    held = {
        who: {lane: set(vector[side][lane]) for lane in LANES}
        for who, side in (("i", "initiator"), ("r", "responder"))
    }
    said: dict[tuple[str, str], LaneState] = defaultdict(lambda: LaneState(b"", b""))
    names: dict[str, list[str]] = {"i": [], "r": []}  # of what each side announced, by number
    followed = {"i": set(LANES), "r": set(LANES)}
    written = vector.get("written", {"after": -1})
    for number, shown in enumerate([*vector["frames"], None]):
        if number == written["after"]:
            held[written["by"]][written["lane"]].add(written["id"])
        if shown is None:
            break
        frame = frames.decode(read(shown["frame"]))
        assert type(frame).__name__.lower() == shown["what"]
        if isinstance(frame, frames.Lanes):
            role = INITIATOR if shown["from"] == "i" else RESPONDER
            lanes = {frames.tag(CHANNEL_HASH, role, COMMUNITY, lane): lane for lane in LANES}
            names[shown["from"]] += [lanes.get(tag, "") for tag, _ in frame.entries]
            followed[shown["from"]].update(names[shown["from"]])
        if isinstance(frame, frames.Drop):
            followed[shown["from"]].discard(names[shown["from"]][frame.lane])
        if isinstance(frame, frames.Changesets | frames.Push):
            lane = names[shown["from"]][frame.lane]
            to = held["r" if shown["from"] == "i" else "i"][lane]
            for one in batch.unpack(frame.size, frame.packed, size_max=BATCH_BYTES_MAX):
                assert isinstance(intake.check(COMMUNITY, lane, one), intake.Checked)
                assert one.id.hex() in held[shown["from"]][lane]
                to.add(one.id.hex())
        if isinstance(frame, frames.State):
            said[shown["from"], names[shown["from"]][frame.lane]] = frame.state
    after = {"i": vector["after"]["initiator"], "r": vector["after"]["responder"]}
    apart = vector["expect"] == "nothing-shared"
    assert vector["expect"] in ("in-step", "nothing-shared")
    for who in ("i", "r"):
        if not (apart and who == "r"):
            assert {lane: sorted(ids) for lane, ids in held[who].items()} == after[who]
    for (_, lane), lane_said in said.items():
        assert lane_said == lane_state(lane, after["i"][lane])
    shared = [] if apart else followed["i"] & followed["r"]
    assert all(after["i"][lane] == after["r"][lane] for lane in shared)
