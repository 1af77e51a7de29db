"""Reconciliation finds exactly what differs, in few bytes, whatever the sets; and no peer can do it harm."""

import json
import random
import runpy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol import negentropy
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import TIME_MS_MAX
from commonsnode_protocol.negentropy import Item, Storage, VectorStorage, initiate, reconcile, respond
from commonsnode_protocol.negentropy_wire import (
    FRAME_MAX,
    FRAME_MIN,
    INFINITY,
    RANGES_MAX,
    Mode,
    Range,
    Writer,
    decode,
    encode_varint,
)

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
unhurried = settings(deadline=None)  # the machine may be busy with something else
NEGENTROPY_JSON = json.loads((VECTORS / "negentropy.json").read_text(encoding="utf-8"))

ROUNDS_MAX = 5_000  # that a test waits for an end


@dataclass(frozen=True, slots=True)
class Talk:
    """What came of one reconciliation."""

    have: set[bytes] = field(default_factory=set)
    need: set[bytes] = field(default_factory=set)
    sizes: list[int] = field(default_factory=list)  # of all messages, in order

    @property
    def round_trips(self) -> int:
        return len(self.sizes) // 2


def talk(initiator: Storage, responder: Storage, frame_max: int = FRAME_MAX) -> Talk:
    done = Talk()
    message: bytes | None = initiate(initiator, frame_max)
    while message is not None:
        answer = respond(responder, message, frame_max)
        step = reconcile(initiator, answer, frame_max)
        done.have.update(step.have)
        done.need.update(step.need)
        done.sizes.extend((len(message), len(answer)))
        assert done.round_trips < ROUNDS_MAX
        message = step.reply
    return done


def ids(items: Iterable[Item]) -> set[bytes]:
    return {id_ for _, id_ in items}


def assert_finds_the_difference(ours: Sequence[Item], theirs: Sequence[Item], frame_max: int) -> None:
    done = talk(VectorStorage(ours), VectorStorage(theirs), frame_max)
    assert done.have == ids(ours) - ids(theirs)
    assert done.need == ids(theirs) - ids(ours)
    assert max(done.sizes) <= frame_max


# Exactly the difference

TIMES = {
    "all the same": st.just(7),
    "few": st.integers(0, 3),
    "at the ends": st.sampled_from([0, 1, TIME_MS_MAX - 1, TIME_MS_MAX]),
    "any": st.integers(0, TIME_MS_MAX),
}
PREFIXES = st.sampled_from([b"", bytes(20), bytes([255]) * 20, bytes([1, 0, 0])])
SIDES = {
    "mixed": ["both", "both", "ours", "theirs"],
    "only ours": ["ours"],
    "only theirs": ["theirs"],
    "disjoint": ["ours", "theirs"],
    "equal": ["both"],
}
FRAMES = st.sampled_from([FRAME_MIN, 300, 1_000, 4_096, FRAME_MAX])


@st.composite
def two_sets(draw: st.DrawFn, size_max: int = 60) -> tuple[list[Item], list[Item]]:
    """Two sets, with ids that are distinct, and may share their first bytes."""
    times = TIMES[draw(st.sampled_from(sorted(TIMES)))]
    prefix = draw(PREFIXES)
    sides = st.sampled_from(SIDES[draw(st.sampled_from(sorted(SIDES)))])
    size = draw(st.integers(0, size_max))
    tails = draw(st.lists(st.binary(min_size=12, max_size=12), unique=True, min_size=size, max_size=size))
    ours: list[Item] = []
    theirs: list[Item] = []
    for tail in tails:
        item = draw(times), (prefix + tail * 3)[:32]
        side = draw(sides)
        if side != "theirs":
            ours.append(item)
        if side != "ours":
            theirs.append(item)
    return ours, theirs


@given(two_sets(), FRAMES)
@unhurried
def test_two_sets_learn_exactly_their_difference(sets: tuple[list[Item], list[Item]], frame_max: int) -> None:
    assert_finds_the_difference(*sets, frame_max)


@given(
    seed=st.integers(0, 2**32),
    size=st.integers(100, 1_500),
    shares=st.sampled_from([(1, 0.98), (0.98, 1), (0.9, 0.9), (0.5, 0.5), (0.02, 1), (1, 0.02)]),
    time_max=st.sampled_from([0, 30, 2**40]),
    frame_max=FRAMES,
)
@settings(deadline=None, max_examples=50)
def test_larger_sets_learn_exactly_their_difference(
    seed: int, size: int, shares: tuple[float, float], time_max: int, frame_max: int
) -> None:
    source = random.Random(seed)
    items = [(source.randint(0, time_max), source.randbytes(32)) for _ in range(size)]
    ours, theirs = ([item for item in items if source.random() < share] for share in shares)
    assert_finds_the_difference(ours, theirs, frame_max)


@given(two_sets())
@unhurried
def test_either_side_may_be_the_initiator(sets: tuple[list[Item], list[Item]]) -> None:
    ours, theirs = VectorStorage(sets[0]), VectorStorage(sets[1])
    forth, back = talk(ours, theirs), talk(theirs, ours)
    assert (forth.have, forth.need) == (back.need, back.have)


@given(st.data())
@unhurried
def test_a_set_that_grows_between_two_messages_is_no_harm(data: st.DataObject) -> None:
    ours, theirs = data.draw(two_sets())
    missing = [item for item in theirs if item not in ours]
    message: bytes | None = initiate(VectorStorage(ours), FRAME_MIN)
    need: set[bytes] = set()
    rounds = 0
    while message is not None:
        rounds += 1
        assert rounds < ROUNDS_MAX
        if missing:  # one arrives from somewhere else
            ours.append(missing.pop())
        step = reconcile(VectorStorage(ours), respond(VectorStorage(theirs), message, FRAME_MIN), FRAME_MIN)
        need.update(step.need)
        message = step.reply
    assert need <= ids(theirs)
    assert ids(theirs) - ids(ours) <= need


# How much it costs

SCENES = ("here", "there", "on either side")


class Counted:
    """A storage that counts the calls that a store on disk would have to answer."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.calls = 0
        self.rows = 0

    def size(self) -> int:
        return self._storage.size()

    def item(self, index: int) -> Item:
        self.calls += 1
        return self._storage.item(index)

    def lower_bound(self, time: int, id_prefix: bytes) -> int:
        self.calls += 1
        return self._storage.lower_bound(time, id_prefix)

    def items(self, begin: int, end: int) -> Sequence[Item]:
        self.calls += 1
        self.rows += end - begin
        return self._storage.items(begin, end)

    def id_sum(self, begin: int, end: int) -> int:
        self.calls += 1
        return self._storage.id_sum(begin, end)


def a_year_of(count: int, seed: int = 1) -> list[Item]:
    """Items with times in ms as people make them: in bursts with pauses between, some at the same time."""
    source = random.Random(seed)
    pause = 300_000 * 100_000 // count
    time = 1_700_000_000_000
    items: list[Item] = []
    for _ in range(count):
        time += round(source.expovariate(1 / source.choice([0.5, pause / 50, pause])))
        items.append((time, source.randbytes(32)))
    return sorted(items)


def halves(items: Sequence[Item], missing: Sequence[int], scene: str) -> tuple[VectorStorage, VectorStorage]:
    """The set of the initiator and that of the responder, where these items are missing as the scene says."""
    ours = {"here": missing, "there": [], "on either side": missing[::2]}[scene]
    theirs = [number for number in missing if number not in set(ours)]
    return without(items, ours), without(items, theirs)


def without(items: Sequence[Item], missing: Iterable[int]) -> VectorStorage:
    left_out = set(missing)
    return VectorStorage(item for number, item in enumerate(items) if number not in left_out)


@pytest.fixture(scope="module")
def items_100k() -> list[Item]:
    return a_year_of(100_000)


@pytest.mark.parametrize("scene", SCENES)
def test_the_newest_100_of_100000_cost_two_round_trips_and_4_kb(items_100k: list[Item], scene: str) -> None:
    missing = range(len(items_100k) - 100, len(items_100k))
    done = talk(*halves(items_100k, missing, scene))
    assert len(done.have) + len(done.need) == 100
    assert done.round_trips <= (2 if scene == "on either side" else 1)
    assert sum(done.sizes) <= (600 if scene == "there" else 3_800)


@pytest.mark.parametrize("scene", SCENES)
def test_100_of_100000_scattered_cost_three_round_trips_and_60_kb(items_100k: list[Item], scene: str) -> None:
    missing = random.Random(2).sample(range(len(items_100k)), 100)
    ours, theirs = (Counted(storage) for storage in halves(items_100k, missing, scene))
    done = talk(ours, theirs)
    assert len(done.have) + len(done.need) == 100
    assert done.round_trips == 3
    assert sum(done.sizes) <= 60_000
    assert max(ours.calls, theirs.calls) <= 2_000
    assert max(ours.rows, theirs.rows) <= 60_000


@pytest.mark.parametrize(
    ("size", "differences", "round_trips", "size_max"),
    [
        (1_000, 1, 2, 1_000),
        (1_000, 10, 3, 6_000),
        (10_000, 1, 3, 1_300),
        (10_000, 10, 3, 12_000),
        (10_000, 100, 3, 45_000),
    ],
)
def test_other_scattered_differences_cost_little_too(
    size: int, differences: int, round_trips: int, size_max: int
) -> None:
    items = a_year_of(size)
    for seed in range(5):
        missing = random.Random(seed).sample(range(size), differences)
        for scene in SCENES:
            done = talk(*halves(items, missing, scene))
            assert len(done.have) + len(done.need) == differences
            assert done.round_trips <= round_trips
            assert sum(done.sizes) <= size_max


@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 3_000),
    new=st.integers(1, 100),
    scene=st.sampled_from(SCENES),
)
@unhurried
def test_new_items_cost_two_round_trips_and_1_kb_beside_their_ids(
    seed: int, size: int, new: int, scene: str
) -> None:
    items = a_year_of(size, seed)
    done = talk(*halves(items, range(max(size - new, 0), size), scene))
    assert done.round_trips <= 2
    assert sum(done.sizes) <= 1_024 + 32 * new + (32 * 256 if scene == "on either side" else 32 * 2 * new)


def test_equal_sets_cost_one_round_trip(items_100k: list[Item]) -> None:
    storage = VectorStorage(items_100k)
    assert talk(storage, storage).sizes == [len(initiate(storage)), 1]
    assert len(initiate(storage)) <= 400


@pytest.mark.parametrize(("size", "round_trips"), [(1, 1), (455, 1), (8_000, 1), (20_000, 3)])
def test_who_has_nothing_gets_all_in_as_few_messages_as_can_hold_it(size: int, round_trips: int) -> None:
    empty, full = VectorStorage([]), VectorStorage(a_year_of(size))
    done = talk(empty, full)
    assert len(done.need) == size
    assert done.round_trips == round_trips
    assert sum(done.sizes) <= 32 * size + 100 * round_trips
    assert talk(full, empty).round_trips == 1
    assert talk(full, empty).sizes[1] <= 16


def test_who_has_the_older_part_gets_the_rest_in_as_few_messages_as_can_hold_it() -> None:
    items = a_year_of(40_000)
    done = talk(VectorStorage(items[:20_000]), VectorStorage(items))
    assert done.round_trips == 3
    assert sum(done.sizes) <= 32 * 20_000 + 1_000


def test_what_both_wrote_last_costs_one_round_trip() -> None:
    items = a_year_of(1_000)
    for new in (2, 10, 40, 100):
        done = talk(*halves(items, range(1_000 - new, 1_000), "on either side"))
        assert done.round_trips == 1


# Full messages


@given(two_sets(), st.sampled_from([FRAME_MIN, 300, 1_000]))
@unhurried
def test_a_full_message_ends_with_the_fingerprint_of_what_remains(
    sets: tuple[list[Item], list[Item]], frame_max: int
) -> None:
    theirs = VectorStorage(sets[1])
    asked = initiate(VectorStorage(sets[0]))
    answer = respond(theirs, asked, frame_max)
    if answer == respond(theirs, asked):
        return
    *_, before, last = decode(answer)
    begin = theirs.lower_bound(*before.bound)
    rest = negentropy.fingerprint(theirs.id_sum(begin, theirs.size()), theirs.size() - begin)
    assert last == Range(INFINITY, Mode.FINGERPRINT, fingerprint=rest)


def test_the_limit_is_kept_with_the_longest_bounds() -> None:
    """Where ids of one time differ in their last byte only, bounds need whole ids."""
    theirs = [
        (time, time.to_bytes(31, "little") + bytes([last]))
        for time in range(TIME_MS_MAX - 2**40, TIME_MS_MAX, 2**35)
        for last in range(7)
    ]
    some = [item for number, item in enumerate(theirs) if number % 9]
    for frame_max in range(FRAME_MIN, FRAME_MIN + 32):
        assert_finds_the_difference([], theirs, frame_max)
        assert_finds_the_difference(some, theirs, frame_max)


# Bad input


HELD = VectorStorage(a_year_of(300))


def refused(step: Callable[[Storage, bytes], object], storage: Storage, message: bytes) -> Reason | None:
    try:
        step(storage, message)
    except PeerError as error:
        return error.reason
    return None


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x61", b"\x61\x00\x00\x02", b"\x61\x05\x00\x01"]))
@unhurried
def test_garbage_ends_in_a_peer_error_or_in_an_answer(garbage: bytes, begin: bytes) -> None:
    assert refused(respond, HELD, begin + garbage) in (None, Reason.BAD_FRAME)
    assert refused(reconcile, HELD, begin + garbage) in (None, Reason.BAD_FRAME, Reason.BAD_VERSION)


@given(st.data())
@unhurried
def test_a_damaged_message_ends_in_a_peer_error_or_in_an_answer(data: st.DataObject) -> None:
    ours, theirs = (VectorStorage(items) for items in data.draw(two_sets()))
    asked = initiate(ours)
    message = data.draw(st.sampled_from([asked, respond(theirs, asked)]))
    at = data.draw(st.integers(0, len(message)))
    cut = data.draw(st.integers(0, 3))
    damaged = message[:at] + data.draw(st.binary(max_size=3)) + message[at + cut :]
    assert refused(respond, ours, damaged) in (None, Reason.BAD_FRAME)
    assert refused(reconcile, ours, damaged) in (None, Reason.BAD_FRAME, Reason.BAD_VERSION)


BOUNDS = st.tuples(
    st.one_of(st.sampled_from([time for time, _ in HELD.items(0, 300)]), st.integers(0, 2**64 - 2)),
    st.binary(max_size=32).map(lambda prefix: prefix.rstrip(b"\0")),
)
RANGES = st.tuples(
    BOUNDS,
    st.sampled_from([Mode.SKIP, Mode.FINGERPRINT, Mode.IDS]),
    st.binary(min_size=16, max_size=16),
    st.lists(st.binary(min_size=32, max_size=32), max_size=3),
)


@given(st.lists(RANGES, max_size=12, unique_by=lambda range_: range_[0]), FRAMES)
@unhurried
def test_any_well_formed_message_has_an_answer_within_the_limit(ranges: list[Any], frame_max: int) -> None:
    writer = Writer(FRAME_MAX)
    listed: set[bytes] = set()
    for bound, mode, value, some in sorted(ranges, key=lambda range_: range_[0]):
        if bound == (0, b""):
            continue
        if mode == Mode.FINGERPRINT:
            writer.fingerprint(bound, value)
        elif mode == Mode.IDS:
            fresh = [id_ for id_ in dict.fromkeys(some) if id_ not in listed]
            listed.update(fresh)
            writer.ids(bound, fresh)
        else:
            writer.skip_to(bound)
    message = writer.message()
    answer = respond(HELD, message, frame_max)
    assert len(answer) <= frame_max
    decode(answer)
    reply = reconcile(HELD, message, frame_max).reply
    assert reply is None or len(reply) <= frame_max


def test_an_answer_stays_within_the_range_that_was_asked_about() -> None:
    """Also where the range ends right after our newest item, within its time."""
    items = [(7, bytes([number]) * 32) for number in range(40)]
    ask = Writer(FRAME_MAX)
    ask.fingerprint((7, bytes([100])), bytes(16))
    for message in (
        respond(VectorStorage(items), ask.message()),
        reconcile(VectorStorage(items), ask.message()).reply,
    ):
        assert message is not None
        ranges = decode(message)
        assert len(ranges) > 1
        assert ranges[-1].bound == (7, bytes([100]))


@given(st.lists(RANGES, max_size=12, unique_by=lambda range_: range_[0]))
@unhurried
def test_what_is_written_is_read(ranges: list[Any]) -> None:
    written: list[Range] = []
    writer = Writer(FRAME_MAX)
    for bound, mode, value, _ in sorted(ranges, key=lambda range_: range_[0]):
        if bound == (0, b""):
            continue
        if mode == Mode.FINGERPRINT:
            writer.fingerprint(bound, value)
            written.append(Range(bound, mode, fingerprint=value))
        else:
            writer.skip_to(bound)
            written.append(Range(bound, Mode.SKIP))
    assert decode(writer.message()) == written


def test_a_full_message_costs_a_few_calls_a_range() -> None:
    storage = Counted(VectorStorage(a_year_of(60_000)))
    time = storage.item(0)[0]
    message = bytearray([0x61]) + encode_varint(time) + b"\0\1" + bytes(16)
    ranges = 1
    while len(message) < FRAME_MAX - 40:
        message += encode_varint(400_000) + b"\0\1" + bytes(16)
        ranges += 1
    storage.calls = 0
    answer = respond(storage, bytes(message))
    assert len(answer) <= FRAME_MAX
    assert storage.calls <= 5 * ranges
    assert storage.rows <= 3 * storage.size()


def test_the_answer_to_as_many_ranges_as_may_be_is_one_that_a_peer_takes() -> None:
    """Lists and skips in turn, as many ranges as a message may have: each list has to be answered."""
    message = b"\x61" + b"\2\0\2\0\2\0\0" * (RANGES_MAX // 2)
    answer = respond(VectorStorage([(time, time.to_bytes(32, "big")) for time in range(7_000)]), message)
    assert 6_000 < len(decode(answer)) <= RANGES_MAX
    assert refused(respond, HELD, message + b"\2\0\0") == Reason.TOO_LARGE


def test_a_message_is_full_before_it_has_more_ranges_than_a_peer_takes() -> None:
    writer = Writer(FRAME_MAX)
    time = 0
    while writer.has_room():
        writer.ids((time + 1, b""), [])
        time += 2
        writer.skip_to((time, b""))
    writer.skip_to((time + 1, b""))
    writer.fingerprint(INFINITY, bytes(16))
    assert RANGES_MAX - 3 <= len(decode(writer.message())) <= RANGES_MAX


def test_a_message_over_the_limit_is_too_large() -> None:
    fits = (
        b"\x61\0\0\2" + encode_varint(8_191) + b"".join(number.to_bytes(32, "big") for number in range(8_191))
    )
    assert len(reconcile(VectorStorage([]), fits).need) == 8_191
    long = fits + bytes(FRAME_MAX + 1 - len(fits))
    assert refused(respond, HELD, long) == Reason.TOO_LARGE
    assert refused(reconcile, HELD, long) == Reason.TOO_LARGE


def test_a_responder_answers_another_version_with_its_own() -> None:
    for other in (0x60, 0x62, 0x6F):
        assert respond(HELD, bytes([other]) + b"whatever it means there") == b"\x61"


def test_an_initiator_refuses_another_version() -> None:
    for other in (0x60, 0x62, 0x6F):
        assert refused(reconcile, HELD, bytes([other])) == Reason.BAD_VERSION


def test_a_limit_that_cannot_be_kept_is_a_mistake_of_ours() -> None:
    for limit in (FRAME_MIN - 1, FRAME_MAX + 1):
        with pytest.raises(ValueError, match="frame_max"):
            respond(HELD, b"\x61", limit)


@pytest.mark.parametrize(
    "items",
    [
        [(0, bytes(32)), (1, bytes(32))],
        [(0, bytes(31))],
        [(-1, bytes(32))],
        [(TIME_MS_MAX + 1, bytes(32))],
    ],
    ids=["id twice", "short id", "time below 0", "time too great"],
)
def test_a_storage_takes_only_items(items: list[Item]) -> None:
    with pytest.raises(ValueError, match=r"twice|no item"):
        VectorStorage(items)


# The published vectors


def as_bytes(shown: str | dict[str, Any]) -> bytes:
    if isinstance(shown, str):
        return bytes.fromhex(shown)
    return bytes.fromhex(shown["prefix"]) + bytes.fromhex(shown["run"]) * int(shown["count"])


def as_storage(shown: list[Any]) -> VectorStorage:
    item: Callable[[int], Item] = MAKE["item"]
    items: list[Item] = []
    for part in shown:
        if isinstance(part, dict):
            items.append((part["time"], bytes.fromhex(part["id"])))
        else:
            items += [item(number) for number in range(*part)]
    return VectorStorage(items)


MAKE = runpy.run_path(str(VECTORS / "make_reconciliation.py"))


def by_name(part: str) -> pytest.MarkDecorator:
    vectors = NEGENTROPY_JSON[part]
    assert len({vector["name"] for vector in vectors}) == len(vectors)
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


def test_the_vectors_are_what_their_script_makes() -> None:
    texts: Callable[[], dict[str, str]] = MAKE["texts"]
    for name, text in texts().items():
        assert (VECTORS / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("vector", NEGENTROPY_JSON["varints"], ids=lambda vector: vector["value"])
def test_varint_vector(vector: dict[str, Any]) -> None:
    assert encode_varint(int(vector["value"])).hex() == vector["form"]


@by_name("fingerprints")
def test_fingerprint_vector(vector: dict[str, Any]) -> None:
    storage = as_storage(vector["items"])
    id_sum = storage.id_sum(0, storage.size())
    assert negentropy.fingerprint(id_sum, storage.size()).hex() == vector["fingerprint"]


@by_name("messages")
def test_message_vector(vector: dict[str, Any]) -> None:
    message = as_bytes(vector["message"])
    if vector["expect"] == "ok":
        show: Callable[[Range], Any] = MAKE["show_range"]
        assert [show(range_) for range_ in decode(message)] == vector["ranges"]
        respond(HELD, message)
        return
    reason = Reason(vector["expect"])
    assert refused(respond, HELD, message) == reason
    assert refused(reconcile, HELD, message) == reason


@by_name("answers")
def test_answer_vector(vector: dict[str, Any]) -> None:
    answer = respond(as_storage(vector["items"]), as_bytes(vector["message"]))
    assert answer.hex() == vector["answer"]


@by_name("steps")
def test_step_vector(vector: dict[str, Any]) -> None:
    storage, message = as_storage(vector["items"]), as_bytes(vector["message"])
    if "expect" in vector:
        assert refused(reconcile, storage, message) == Reason(vector["expect"])
        return
    step = reconcile(storage, message)
    assert sorted(id_.hex() for id_ in step.have) == vector["have"]
    assert sorted(id_.hex() for id_ in step.need) == vector["need"]
    assert (step.reply is None) == vector["finished"]


@by_name("exchanges")
def test_exchange_vector(vector: dict[str, Any]) -> None:
    initiator, responder = as_storage(vector["initiator"]), as_storage(vector["responder"])
    messages = [bytes.fromhex(message) for message in vector["messages"]]
    have: set[bytes] = set()
    need: set[bytes] = set()
    for asked, answer, learnt in zip(messages[::2], messages[1::2], vector["learnt"], strict=True):
        respond(responder, asked)
        step = reconcile(initiator, answer)
        assert sorted(id_.hex() for id_ in step.have) == learnt["have"]
        assert sorted(id_.hex() for id_ in step.need) == learnt["need"]
        have.update(step.have)
        need.update(step.need)
    ours, theirs = (ids(storage.items(0, storage.size())) for storage in (initiator, responder))
    assert (have, need) == (ours - theirs, theirs - ours)
    assert reconcile(initiator, messages[-1]).reply is None
