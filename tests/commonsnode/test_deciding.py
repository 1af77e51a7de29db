"""Asks and what is done with them, on a real store: what is refused, what becomes of the rest, what people are told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode import booked, communities, damage, deciding, inventory, members, reserving
from commonsnode.authoring import Author
from commonsnode.booked import Found
from commonsnode.errors import Conflict, NotAllowed, Refusal, WrongField
from commonsnode.home import init
from commonsnode.lending import Span
from commonsnode.reservations import Matter, asked_by, asked_of, news
from commonsnode_protocol.bookings import State
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import public_key
from commonsnode_protocol.commitments import KIND
from commonsnode_store.answers import RecordRef
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store
from running_node import NOW

LANES = ("authority", "public", "knowledge", "members", "keys")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
KEEPER, ROSA, INES = range(3)


class Village:
    """A store, a thing, its keeper who is the one steward, and two members; each writes when told to."""

    def __init__(self, store: Store, **fields: Value) -> None:
        self.store, self.now = store, NOW
        self.community = communities.create(self.author(KEEPER), "Valley", LANES)
        for who in (ROSA, INES):
            members.grant(self.author(KEEPER), self.community, self.author(who).key.hex(), "member")
        done = inventory.add(self.author(KEEPER), self.community, {"title": "Drill", **fields})
        self.thing = RecordRef(self.community, "public", "resource", done.record)

    def author(self, who: int) -> Author:
        return Author(self.store, bytes([who + 1]) * 32, self.now, lambda *_: None)

    def reserve(self, who: int, begin: int, end: int) -> bytes:
        """From so many days from NOW until so many; the record. A second after what was before."""
        self.now += 1_000
        span = Span(NOW + begin * DAY_MS, NOW + end * DAY_MS)
        asked = reserving.reserve(self.author(who), self.thing, span)
        return asked.reserved.booking.ask.record

    def found(self, record: bytes) -> Found:
        return booked.found(self.store, RecordRef(self.community, "public", KIND, record))

    def state(self, record: bytes) -> State:
        return self.found(record).booking.state

    def states(self) -> dict[bytes, State]:
        held = self.store.bookings(self.community, self.thing.record)
        return {each.booking.ask.record: each.booking.state for each in held.reserved}

    def told(self, who: int) -> set[tuple[Matter, bytes]]:
        key = public_key(bytes([who + 1]) * 32)
        every: list[tuple[ThingBookings, Reserved]] = [
            *asked_by(self.store, [self.community], key),
            *asked_of(self.store, [self.community], key),
        ]
        return {(each.matter, each.booking.ask.record) for each in news(every, key, self.now)}


@pytest.fixture
def village(store: Store) -> Village:
    return Village(store)


def test_only_who_may_decides_and_only_on_what_is_to_be_decided(village: Village) -> None:
    one = village.reserve(ROSA, 1, 2)
    for act in (deciding.confirm, deciding.decline, deciding.hand_over, deciding.take_back):
        for who in (ROSA, INES):
            with pytest.raises(NotAllowed):
                act(village.author(who), village.found(one))
    with pytest.raises(NotAllowed):
        deciding.cancel(village.author(KEEPER), village.found(one))
    with pytest.raises(Conflict, match="was not handed over"):
        deciding.take_back(village.author(KEEPER), village.found(one))
    deciding.cancel(village.author(ROSA), village.found(one))
    for act in (deciding.confirm, deciding.decline, deciding.hand_over, deciding.take_back):
        with pytest.raises(Conflict, match="cancelled"):
            act(village.author(KEEPER), village.found(one))


def test_a_keeper_prefers_who_asked_later_by_confirming_that(village: Village) -> None:
    first, second = village.reserve(ROSA, 1, 3), village.reserve(INES, 2, 4)
    assert village.states() == {first: State.ASKED, second: State.DISPLACED}
    done = deciding.confirm(village.author(KEEPER), village.found(second))
    assert done.displaces == (first,)
    assert village.states() == {first: State.DISPLACED, second: State.CONFIRMED}
    with pytest.raises(Conflict, match="has to be declined"):
        deciding.confirm(village.author(KEEPER), village.found(first))
    assert village.told(ROSA) == {(Matter.DISPLACED, first)}
    assert village.told(INES) == {(Matter.CONFIRMED, second)}


def test_a_cancellation_gives_nobody_what_they_wait_for_until_they_ask_anew(village: Village) -> None:
    first, second = village.reserve(KEEPER, 1, 3), village.reserve(ROSA, 2, 4)
    deciding.cancel(village.author(KEEPER), village.found(first))
    assert village.state(second) is State.DISPLACED
    assert village.told(ROSA) == {(Matter.FREE_AGAIN, second)}
    third = village.reserve(INES, 2, 3)
    assert village.state(third) is State.ASKED
    assert village.told(ROSA) == {(Matter.DISPLACED, second)}  # somebody else was faster
    deciding.decline(village.author(KEEPER), village.found(third), "the drill rests")
    deciding.confirm(village.author(KEEPER), village.found(second))  # the keeper knows of both endings
    assert village.state(second) is State.CONFIRMED
    assert village.told(INES) == {(Matter.DECLINED, third)}


def test_a_keepers_own_ask_that_waits_is_asked_anew(village: Village) -> None:
    first, own = village.reserve(ROSA, 1, 3), village.reserve(KEEPER, 1, 3)
    deciding.confirm(village.author(KEEPER), village.found(first))
    deciding.cancel(village.author(ROSA), village.found(first))
    with pytest.raises(Conflict, match="reserve it anew"):
        deciding.confirm(village.author(KEEPER), village.found(own))
    assert village.state(village.reserve(KEEPER, 1, 3)) is State.CONFIRMED


def test_a_word_of_ones_own_never_takes_what_somebody_asked_for_who_does_not_know_of_a_cancellation(
    store: Store,
) -> None:
    village = Village(store, amount="2")
    own, theirs = village.reserve(KEEPER, 1, 2), village.reserve(ROSA, 1, 2)
    deciding.cancel(village.author(KEEPER), village.found(own))
    anew = village.reserve(KEEPER, 1, 2)
    assert village.states() == {own: State.CANCELLED, theirs: State.ASKED, anew: State.ASKED}
    deciding.confirm(village.author(KEEPER), village.found(theirs))  # now its refs know of it, too
    deciding.confirm(village.author(KEEPER), village.found(anew))
    assert village.states() == {own: State.CANCELLED, theirs: State.CONFIRMED, anew: State.CONFIRMED}


def test_what_is_out_too_long_is_overdue_for_both_unless_more_time_was_promised(village: Village) -> None:
    one = village.reserve(ROSA, 1, 2)
    village.now = NOW + DAY_MS
    deciding.hand_over(village.author(KEEPER), village.found(one))
    village.now = NOW + 2 * DAY_MS + 1
    assert village.told(ROSA) == village.told(KEEPER) == {(Matter.OVERDUE, one)}
    asked = reserving.extend(village.author(ROSA), village.found(one), NOW + 3 * DAY_MS)
    longer = asked.reserved.booking.ask.record
    assert village.told(ROSA) == {(Matter.OVERDUE, one)}
    deciding.confirm(village.author(KEEPER), village.found(longer))
    assert village.told(ROSA) == {(Matter.CONFIRMED, longer)}
    assert village.told(KEEPER) == set()
    with pytest.raises(WrongField, match="is before it was handed over"):
        deciding.take_back(village.author(KEEPER), village.found(one), NOW)
    deciding.take_back(village.author(KEEPER), village.found(one))
    assert village.states() == {one: State.RETURNED, longer: State.RETURNED}
    assert village.told(ROSA) == village.told(KEEPER) == set()


def test_a_loan_is_no_longer_than_its_rules_allow_also_bit_by_bit(store: Store) -> None:
    village = Village(
        store, lending={"longest_minutes": 2 * 24 * 60, "buffer_minutes": 60, "lead_minutes": 60}
    )
    one = village.reserve(ROSA, 1, 2)
    with pytest.raises(WrongField, match="2 days at most"):
        reserving.extend(village.author(ROSA), village.found(one), NOW + 4 * DAY_MS)
    reserving.extend(village.author(ROSA), village.found(one), NOW + 3 * DAY_MS)
    with pytest.raises(WrongField, match="2 days at most"):
        reserving.extend(village.author(ROSA), village.found(one), NOW + 4 * DAY_MS)
    with pytest.raises(WrongField, match="1 hour must lie between two loans"):
        village.reserve(INES, 3, 4)
    assert village.state(village.reserve(INES, 4, 5)) is State.ASKED


def test_damage_is_told_by_who_had_it_of_what_was_lent(village: Village) -> None:
    one = village.reserve(ROSA, 1, 2)
    with pytest.raises(Conflict, match="was not handed over"):
        damage.report(village.author(ROSA), village.found(one), "bent")
    deciding.hand_over(village.author(KEEPER), village.found(one))
    with pytest.raises(NotAllowed):
        damage.report(village.author(INES), village.found(one), "bent")
    with pytest.raises(WrongField, match="note"):
        damage.report(village.author(ROSA), village.found(one), "  ")
    told = damage.report(village.author(ROSA), village.found(one), "bent", "broken")
    event = village.store.record(RecordRef(village.community, "public", "event", told.event))
    thing = village.store.record(village.thing)
    assert event is not None
    assert thing is not None
    assert event.values["fulfills"] == one
    assert (event.values["condition"], thing.values["condition"]) == ("broken", "broken")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as made:
        yield Path(made)


ACTS: dict[str, Callable[[Author, Found], object]] = {
    "confirm": deciding.confirm,
    "decline": deciding.decline,
    "cancel": deciding.cancel,
    "hand over": deciding.hand_over,
    "take back": deciding.take_back,
    "extend": lambda author, of: reserving.extend(author, of, of.ask.end_ms + DAY_MS),
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.sampled_from(range(3)), st.integers(1, 6), st.integers(1, 4)),
        st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(range(3)), st.integers(0, 9), st.just(0)),
    ),
    min_size=3,
    max_size=20,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, at_once=st.booleans(), amount=st.sampled_from(["1", "2"]))
def test_whatever_people_do_no_more_is_promised_than_there_is_and_nobody_is_surprised(
    folder: Path, steps: list[tuple[str, int, int, int]], at_once: bool, amount: str
) -> None:
    with TemporaryDirectory(dir=folder) as home:
        store = Store.open(init(Path(home) / "node").database_path)
        try:
            village = Village(store, amount=amount, lending={"confirm": "at-once" if at_once else "keeper"})
            made: list[bytes] = []
            for what, who, which, length in steps:
                before = village.states()
                village.now += 1_000
                try:
                    if what == "reserve":
                        made.append(village.reserve(who, which, which + length))
                        displaced: tuple[bytes, ...] = ()
                    elif made:
                        done = ACTS[what](village.author(who), village.found(made[which % len(made)]))
                        displaced = getattr(done, "displaces", ())
                    else:
                        continue
                except Refusal:
                    assert village.states() == before
                    continue
                after = village.states()
                made += [record for record in after if record not in made]
                fallen = {
                    record
                    for record, state in after.items()
                    if state is State.DISPLACED and before.get(record, state) is not State.DISPLACED
                }
                assert fallen == set(displaced)
                held = store.bookings(village.community, village.thing.record)
                promised = [
                    each.booking.busy
                    for each in held.reserved
                    if each.booking.busy is not None and each.booking.state in (State.CONFIRMED, State.OUT)
                ]
                for begin, _ in promised:
                    assert sum(b <= begin < e for b, e in promised) <= int(amount)
                for someone in range(3):
                    village.told(someone)
            assert not store.check()
        finally:
            store.close()
