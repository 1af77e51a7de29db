"""What holds for any set of changesets, whatever order they come in, and whatever the clocks and the attackers say."""

import hashlib
from collections.abc import Callable, Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol import canonical, lthash, negentropy
from commonsnode_protocol import session_events as events
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, Changeset, build, decode, public_key
from commonsnode_protocol.clock import plausible_now, writer_time
from commonsnode_protocol.frames import INITIATOR, Hello, Lanes, LaneState, encode, tag
from commonsnode_protocol.limits import CREDIT_BYTES, TIME_MS_MAX
from commonsnode_protocol.record import RecordKey, Standing, State, in_order, state
from commonsnode_protocol.session import Session

COMMUNITY = bytes([7]) * 32
AUTHORS = [public_key(bytes([n]) * 32) for n in range(1, 4)]
RECORDS = [bytes([n]) * 16 for n in range(2)]
KINDS, LANES, FIELDS = ["place", "resource"], [KNOWLEDGE, PUBLIC], ["deleted", "tag:garden", "title"]
VALUES: list[Value] = [None, True, False, 0, 1, "Drill", b"x", ["a", 1], {"lat": 1, "lon": 2}]

# Any order, repetition and partition


@st.composite
def universes(draw: st.DrawFn) -> list[Changeset]:
    """Changesets that ref any that were before them: also across lanes, and superseding what they do not write to."""
    made: list[Changeset] = []
    for _ in range(draw(st.integers(1, 8))):
        chosen = draw(st.sets(st.integers(0, len(made) - 1), max_size=3)) if made else set()
        refs = sorted({made[i].id for i in chosen})
        indexes = st.sets(st.integers(0, len(refs) - 1)).map(sorted) if refs else st.just([])
        fields = st.dictionaries(
            st.sampled_from(FIELDS), st.tuples(st.sampled_from(VALUES), indexes), min_size=1, max_size=2
        )
        keys = st.tuples(st.sampled_from(RECORDS), st.sampled_from(KINDS))
        changes = draw(st.dictionaries(keys, fields, min_size=1, max_size=2))
        body = build(
            community=COMMUNITY,
            lane=draw(st.sampled_from(LANES)),
            author=draw(st.sampled_from(AUTHORS)),
            time=draw(st.integers(0, 3) | st.just(TIME_MS_MAX)),
            refs=refs,
            changes=[(record, kind, writes) for (record, kind), writes in changes.items()],
        )
        made.append(decode(body))
    return made


def as_bytes(of: State) -> bytes:
    """The whole state, in the order of its keys."""
    rows: list[Value] = [
        [
            key.record, key.kind, key.lane, field,
            [[write.time, write.changeset, write.author, write.value] for write in writes],
        ]
        for key, fields in sorted(of.items())
        for field, writes in sorted(fields.items())
    ]  # fmt: skip
    return canonical.encode(rows, depth_max=16)


class Register:
    """The same rule kept up to date, one write at a time: what a store does."""

    def __init__(self) -> None:
        self.writes: dict[bytes, Standing] = {}
        self.superseded: set[bytes] = set()

    def take(self, write: Standing, supersedes: Iterable[bytes]) -> None:
        self.superseded.update(supersedes)
        self.writes[write.changeset] = write
        for changeset_id in self.superseded & self.writes.keys():
            del self.writes[changeset_id]


def one_by_one(changesets: Iterable[Changeset]) -> State:
    registers: dict[tuple[RecordKey, str], Register] = {}
    for changeset in changesets:
        for record, kind, fields in changeset.changes:
            for field, (value, indexes) in fields.items():
                register = registers.setdefault((RecordKey(record, kind, changeset.lane), field), Register())
                write = Standing(changeset.time, changeset.id, changeset.author, value)
                register.take(write, [changeset.refs[i] for i in indexes])
    result: State = {}
    for (key, field), register in registers.items():
        result.setdefault(key, {})[field] = in_order(register.writes.values())
    return result


@settings(max_examples=50, deadline=None)
@given(universes(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_state_byte_for_byte(
    changesets: list[Changeset], random: Random
) -> None:
    shuffled = [*changesets, *random.choices(changesets, k=3)]
    random.shuffle(shuffled)
    assert as_bytes(state(shuffled)) == as_bytes(state(changesets))


@settings(max_examples=50, deadline=None)
@given(universes(), st.randoms(use_true_random=False))
def test_what_is_kept_one_by_one_is_what_the_whole_set_says(
    changesets: list[Changeset], random: Random
) -> None:
    shuffled = [*changesets, *random.choices(changesets, k=3)]
    random.shuffle(shuffled)
    assert as_bytes(one_by_one(shuffled)) == as_bytes(state(changesets))


@settings(max_examples=50, deadline=None)
@given(universes(), st.data())
def test_any_partition_that_heals_gives_the_same_state_byte_for_byte(
    changesets: list[Changeset], data: st.DataObject
) -> None:
    """Three nodes hold any parts of the set, meet two by two, and each takes what it lacks in an order of its own."""
    part = st.lists(st.sampled_from(changesets), unique_by=lambda each: each.id)
    held = [data.draw(part) for _ in range(3)]
    for a, b in ((0, 1), (1, 2), (2, 0), (0, 1)):
        for to, of in ((a, b), (b, a)):
            lacking = [each for each in held[of] if each not in held[to]]
            held[to] = held[to] + data.draw(st.permutations(lacking))
    together = {each.id: each for each in held[0] + held[1] + held[2]}
    expected = as_bytes(state(together.values()))
    assert [as_bytes(one_by_one(each)) for each in held] == [expected] * 3


@settings(max_examples=50, deadline=None)
@given(universes(), st.sampled_from(LANES))
def test_a_lane_is_the_same_whatever_other_lanes_are_held(changesets: list[Changeset], lane: str) -> None:
    """Refs into a lane that is not followed have no effect, so they have none where it is followed either."""
    whole = state(changesets)
    alone = state(each for each in changesets if each.lane == lane)
    assert alone == {key: fields for key, fields in whole.items() if key.lane == lane}


@settings(max_examples=50, deadline=None)
@given(universes())
def test_no_write_is_lost_that_nothing_supersedes(changesets: list[Changeset]) -> None:
    whole = state(changesets)
    named = {changeset.refs[i] for changeset in changesets for _, _, fields in changeset.changes
             for _, indexes in fields.values() for i in indexes}  # fmt: skip
    for changeset in changesets:
        for record, kind, fields in changeset.changes:
            for field in fields:
                standing = {
                    write.changeset for write in whole[RecordKey(record, kind, changeset.lane)][field]
                }
                assert changeset.id in standing or changeset.id in named


# Attack 17: clocks

NOW, DAY = 1_764_000_000_000, 86_400_000
RELEASED = NOW - 200 * DAY
YEAR_2100 = 4_102_444_800_000
CLOCKS: dict[str, Callable[[int], int]] = {
    "2^53-1": lambda now: TIME_MS_MAX,
    "2100": lambda now: YEAR_2100 + now - NOW,
    "1970": lambda now: now - NOW,
    "0": lambda now: 0,
}
OLD = [(NOW - 100 * DAY + n * 300_000, hashlib.sha256(b"old %d" % n).digest()) for n in range(25_000)]


class Week:
    """A week of edits by 40 authors on 50 records, of whom the first has this clock; all see one another at once."""

    def __init__(self, clock: Callable[[int], int], edits: int = 2_000) -> None:
        random = Random(17)
        self.by_others: list[tuple[int, int]] = []  # time they gave, and the right time
        self.last: dict[bytes, Value] = {}  # what was written last to each record
        self.made: list[Changeset] = []
        authors = [n.to_bytes(32, "big") for n in range(40)]
        heads: dict[bytes, Changeset] = {}
        shown: dict[bytes, Changeset] = {}
        for edit in range(edits):
            now = NOW + edit * 7 * DAY // edits
            # The last hundred are by others: it is their newest that must be cheap.
            author = random.choice(authors if edit < edits - 100 else authors[1:])
            record = random.randrange(50).to_bytes(16, "big")
            wall = clock(now) if author == authors[0] else now
            seen = shown.get(record)
            refs = {each.id: each.time for each in (heads.get(author), seen) if each is not None}
            time = writer_time(plausible_now(wall, RELEASED, 0), refs.values())
            ordered = sorted(refs)
            supersedes = [ordered.index(seen.id)] if seen is not None else []
            writes = {"title": (edit, supersedes)}
            body = build(
                community=COMMUNITY, lane=PUBLIC, author=author, time=time, refs=ordered,
                changes=[(record, "resource", writes)],
            )  # fmt: skip
            heads[author] = shown[record] = decode(body)
            self.made.append(shown[record])
            self.last[record] = edit
            if author != authors[0]:
                self.by_others.append((time, now))


@pytest.fixture(scope="module", params=CLOCKS)
def week(request: pytest.FixtureRequest) -> Week:
    return Week(CLOCKS[request.param])


def test_attack_17_nobody_elses_time_leaves_the_present(week: Week) -> None:
    assert all(0 <= time - now < 1_000 for time, now in week.by_others)


def test_attack_17_records_stay_editable(week: Week) -> None:
    """What was written last is shown, and alone, whatever time it has."""
    for key, fields in state(week.made).items():
        assert [write.value for write in fields["title"]] == [week.last[key.record]]


@pytest.mark.parametrize("asks", ["the one who lacks them", "the one who has them"])
def test_attack_17_the_newest_100_still_cost_4_kilobytes(week: Week, asks: str) -> None:
    """Of which 3,200 bytes are the ids themselves, where it is the responder who has them."""
    items = OLD + [(each.time, each.id) for each in week.made]
    all_, before = negentropy.VectorStorage(items), negentropy.VectorStorage(items[:-100])
    initiator, responder = (before, all_) if asks == "the one who lacks them" else (all_, before)
    found: list[bytes] = []
    rounds = total = 0
    message: bytes | None = negentropy.initiate(initiator)
    while message is not None:
        answer = negentropy.respond(responder, message)
        step = negentropy.reconcile(initiator, answer)
        found += step.have + step.need
        rounds, total, message = rounds + 1, total + len(message) + len(answer), step.reply
    assert sorted(found) == sorted(each.id for each in week.made[-100:])
    assert rounds <= 2
    assert total < 4_500


# Attack 23: two sets with equal sums of ids

HELLO = Hello((1,), CREDIT_BYTES, 0, "test")


def lane_state(ids: list[bytes], lane: str) -> LaneState:
    storage = negentropy.VectorStorage((NOW, each) for each in ids)
    fingerprint = negentropy.fingerprint(storage.id_sum(0, storage.size()), storage.size())
    if lane == AUTHORITY:
        return LaneState(fingerprint, lthash.authority_digest(ids))
    sums = lthash.LtHash()
    sums.add(ids)
    return LaneState(fingerprint, sums.digest())


def said_in_step(ours: LaneState, theirs: LaneState, lane: str) -> bool:
    """Whether a session says "in step" to the peer's announcement."""
    session = Session(initiator=False, channel_hash=bytes(64), peer_hello=HELLO)
    session.handle(events.Follow((((COMMUNITY, lane), ours),)), 0)
    announced = encode(Lanes(((tag(bytes(64), INITIATOR, COMMUNITY, lane), theirs),)))
    return events.InStep((COMMUNITY, lane)) in session.handle(events.Received(announced), 0)


@settings(max_examples=30)
@given(
    st.integers(1, 2**250),
    st.integers(1, 2**250),
    st.integers(1, 2**200),
    st.sampled_from([AUTHORITY, PUBLIC]),
)
def test_attack_23_sets_with_equal_sums_of_ids_are_not_in_step(a: int, b: int, moved: int, lane: str) -> None:
    """Who may choose ids shifts one up and one down: the Negentropy fingerprint is the same, the second digest is not."""
    one, other = (
        [n.to_bytes(32, "little") for n in (a, b + moved)],
        [n.to_bytes(32, "little") for n in (a + moved, b)],
    )
    if a == b or len(set(one)) < 2 or len(set(other)) < 2 or set(one) == set(other):
        return
    ours, forged = lane_state(one, lane), lane_state(other, lane)
    assert ours.fingerprint == forged.fingerprint
    assert ours.digest != forged.digest
    assert not said_in_step(ours, forged, lane)
    assert said_in_step(ours, ours, lane)
