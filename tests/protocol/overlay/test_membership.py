"""HyParView, hardened: who becomes a neighbour, and that strangers can neither surround a node nor aim it at others."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import (
    ALL_NEIGHBOURS_BELOW,
    CONTACTS_MAX,
    DIAL_EVERY_MS,
    DIALS_BURST,
    EVICT_EVERY_MS,
    ROUTE_MS_MAX,
    ROUTES_MAX,
    WALKS_BURST,
)
from commonsnode_protocol.overlay.events import Dial, Gained, Lost, MembershipEffect, Release, Say
from commonsnode_protocol.overlay.frames import (
    Answer,
    Contact,
    Join,
    Neighbour,
    Part,
    Place,
    Shuffle,
    Shuffled,
    Walk,
)
from commonsnode_protocol.overlay.membership import ANSWER_MS_MAX, Membership, Shape

SHAPE = Shape()
NONCE = b"n" * 8


def contact(number: int) -> Contact:
    """Of a range of its own."""
    return Contact(number.to_bytes(32, "big"), b"%d" % number)


def read(contact: Contact) -> tuple[bytes, int]:
    return contact.record, 1


def key(number: int) -> bytes:
    return contact(number).key


def node(seed: int = 1) -> Membership:
    return Membership(contact(0), Random(seed).randrange, read, 0)


def dials(effects: Iterable[MembershipEffect]) -> list[Contact]:
    return [each.contact for each in effects if isinstance(each, Dial)]


def linked(made: Membership, number: int, *, dialled: bool, now_ms: int = 0) -> list[MembershipEffect]:
    return made.linked(key(number), b"%d" % number, dialled=dialled, now_ms=now_ms)


def accept(made: Membership, number: int, *, urgent: bool = False, now_ms: int = 0) -> list[MembershipEffect]:
    """This peer dials and asks to be a neighbour."""
    linked(made, number, dialled=False, now_ms=now_ms)
    return made.received(key(number), Neighbour(urgent, contact(number)), now_ms)


def settled(seed: int = 1, others: int = 30) -> Membership:
    """A node that knows many and has all the neighbours that it looks for."""
    made = node(seed)
    waiting = dials(made.learned(map(contact, range(1, others + 1)), 0))
    while waiting:
        chosen = waiting.pop()
        effects = made.linked(chosen.key, chosen.record, dialled=True, now_ms=0)
        effects += made.received(chosen.key, Answer(True), 0)
        waiting += dials(effects)
    assert [each.chosen for each in made.active.values()] == [True] * SHAPE.chosen
    return made


# Few nodes


def test_with_few_nodes_known_all_of_them_are_dialled_and_neighbours() -> None:
    made = node()
    few = [contact(number) for number in range(1, DIALS_BURST + 1)]
    assert sorted(each.key for each in dials(made.learned(few, 0))) == [each.key for each in few]
    for each in few:
        made.linked(each.key, each.record, dialled=True, now_ms=0)
        made.received(each.key, Answer(True), 0)
    assert set(made.active) == {each.key for each in few}
    assert made.small


def test_the_first_one_asked_is_asked_to_let_us_join_and_the_others_to_be_neighbours() -> None:
    made = node()
    made.learned([contact(1), contact(2)], 0)
    assert Say(key(1), Join(contact(0))) in linked(made, 1, dialled=True)
    assert made.received(key(1), Answer(True), 0) == [Gained(key(1))]
    assert Say(key(2), Neighbour(False, contact(0))) in linked(made, 2, dialled=True)


def test_neighbours_that_are_too_many_once_more_are_known_go_one_at_a_time() -> None:
    made = node()
    few = [contact(number) for number in range(1, 8)]
    made.learned(few, 0)
    for each in few:
        made.linked(each.key, each.record, dialled=True, now_ms=0)
        made.received(each.key, Answer(True), 0)
    made.learned(map(contact, range(20, 40)), 0)
    assert not made.small
    now = 0
    for left in range(6, SHAPE.chosen - 1, -1):
        now = max(now, made.next_wake())
        while len(made.active) > left:
            made.wake(now)
            now = made.next_wake()
        assert len(made.active) == left
    for _ in range(5):
        made.wake(now)
        now = made.next_wake()
    assert len(made.active) == SHAPE.chosen


# Being asked


def test_who_asks_has_a_place_until_all_are_taken() -> None:
    made = settled()
    for number in range(100, 100 + SHAPE.accepted_max):
        assert accept(made, number) == [Gained(key(number)), Say(key(number), Answer(True))]
    assert accept(made, 200) == [Say(key(200), Answer(False))]
    assert key(200) in made.passive


def test_who_has_no_other_neighbour_takes_the_place_of_one_who_asked_but_only_now_and_then() -> None:
    made = settled()
    for number in range(100, 100 + SHAPE.accepted_max):
        accept(made, number)
    effects = accept(made, 200, urgent=True)
    (lost,) = (each.peer for each in effects if isinstance(each, Lost))
    assert int.from_bytes(lost, "big") in range(100, 100 + SHAPE.accepted_max)
    assert effects[:3] == [Say(lost, Part()), Lost(lost), Release(lost)]
    assert Say(key(201), Answer(False)) in accept(made, 201, urgent=True)
    assert Say(key(202), Answer(True)) in accept(made, 202, urgent=True, now_ms=EVICT_EVERY_MS)


def test_who_asks_urgently_again_and_again_keeps_nobody_out_who_comes_from_elsewhere() -> None:
    made = settled()
    crowd = b"liars"

    def ask(number: int, range_: bytes, *, urgent: bool) -> list[MembershipEffect]:
        asking = Contact(key(number), range_)
        made.linked(asking.key, range_, dialled=False, now_ms=0)
        return made.received(asking.key, Neighbour(urgent, asking), 0)

    for number in range(100, 100 + SHAPE.accepted_max):
        ask(number, crowd, urgent=False)
    assert Say(key(200), Answer(True)) in ask(200, crowd, urgent=True)
    assert Say(key(201), Answer(False)) in ask(201, crowd, urgent=True)
    assert Say(key(300), Answer(True)) in ask(300, b"elsewhere", urgent=False)


def test_a_peer_speaks_for_no_other_node() -> None:
    made = settled()
    linked(made, 100, dialled=False)
    with pytest.raises(PeerError) as caught:
        made.received(key(100), Neighbour(False, contact(101)), 0)
    assert caught.value.reason is Reason.BAD_FRAME


def test_two_that_ask_one_another_are_neighbours_once() -> None:
    made = node()
    made.learned([contact(1)], 0)
    linked(made, 1, dialled=True)
    effects = made.received(key(1), Neighbour(False, contact(1)), 0)
    assert effects == [Gained(key(1)), Say(key(1), Answer(True))]
    assert made.received(key(1), Answer(True), 0) == []
    assert made.active[key(1)].chosen


# Asking


def test_a_neighbour_that_is_lost_is_replaced() -> None:
    made = settled()
    gone = next(iter(made.active))
    effects = made.unlinked(gone, 0)
    assert effects[0] == Lost(gone)
    (dialled,) = dials(effects)
    assert dialled.key != gone


def test_who_refuses_or_does_not_answer_is_let_go_and_another_is_asked() -> None:
    for late in (False, True):
        made = settled()
        made.unlinked(next(iter(made.active)), 0)
        (asked,) = [each for each, _ in made._dialling.values()]
        made.linked(asked.key, asked.record, dialled=True, now_ms=0)
        effects = made.wake(ANSWER_MS_MAX) if late else made.received(asked.key, Answer(False), 0)
        assert Release(asked.key) in effects
        assert len(dials(effects)) == 1
        assert asked.key in made.passive


def test_now_and_then_one_more_is_asked_so_that_parts_which_lost_one_another_find_together() -> None:
    made = settled()
    asked: list[Contact] = []
    while not asked:
        asked = dials(made.wake(made.next_wake()))
    (probe,) = asked
    made.linked(probe.key, probe.record, dialled=True, now_ms=made.next_wake())
    made.received(probe.key, Answer(True), made.next_wake())
    assert len(made.active) == SHAPE.chosen + 1
    while len(made.active) > SHAPE.chosen:
        made.wake(made.next_wake())


def test_who_joins_and_is_refused_hears_the_answers_to_its_walks_before_it_leaves() -> None:
    made = node()
    made.learned([contact(1)], 0)
    linked(made, 1, dialled=True)
    assert Release(key(1)) not in made.received(key(1), Answer(False), 0)
    assert dials(made.received(key(1), Place(NONCE, contact(2)), 1)) == [contact(2)]
    assert Release(key(1)) in made.wake(ROUTE_MS_MAX)


def test_neighbours_that_are_chosen_are_of_different_ranges_where_that_can_be() -> None:
    made = node()
    crowd = [Contact(key(number), b"one range") for number in range(1, 25)]
    waiting = dials(made.learned([*crowd, contact(50), contact(51)], 0))
    while waiting:
        chosen = waiting.pop()
        effects = made.linked(chosen.key, chosen.record, dialled=True, now_ms=0)
        waiting += dials(effects + made.received(chosen.key, Answer(True), 0))
    ranges = {each.range for each in made.active.values()}
    assert len(ranges) >= 2


# Walks


def test_who_joins_is_told_of_by_a_walk_to_each_neighbour_and_answers_come_back() -> None:
    made = settled()
    linked(made, 100, dialled=False)
    before = list(made.active)
    effects = made.received(key(100), Join(contact(100)), 0)
    walks = {
        each.peer: each.frame for each in effects if isinstance(each, Say) and isinstance(each.frame, Walk)
    }
    assert set(walks) == set(before)
    (nonce,) = {walk.nonce for walk in walks.values()}
    assert {walk.ttl for walk in walks.values()} == {SHAPE.join_hops}
    assert made.received(before[0], Place(nonce, contact(300)), 0) == [
        Say(key(100), Place(nonce, contact(300)))
    ]
    for _ in range(9):
        made.received(before[1], Place(nonce, contact(301)), 0)
    assert made.received(before[2], Place(nonce, contact(302)), 0) == []  # as many as there were walks


def test_who_joins_asks_first_those_that_answered() -> None:
    made = node()
    made.learned(map(contact, range(1, 40)), 0)
    first = next(iter(made._dialling))
    made.linked(first, b"", dialled=True, now_ms=0)
    made.received(first, Place(NONCE, contact(500)), 0)
    made.received(first, Answer(True), 0)
    effects = []
    for peer in list(made._dialling):
        effects += made.failed(peer, 0)
    assert contact(500) in dials(effects)


def test_an_offered_place_of_a_range_that_one_has_is_not_taken_before_others() -> None:
    made = node()
    made.learned(map(contact, range(1, 40)), 0)
    first = next(iter(made._dialling))
    made.linked(first, b"liars", dialled=True, now_ms=0)
    made.received(first, Answer(True), 0)
    offered = Contact(key(500), b"liars")
    made.received(first, Place(NONCE, offered), 0)
    effects = []
    for peer in list(made._dialling):
        effects += made.failed(peer, 0)
    assert dials(effects)
    assert offered not in dials(effects)
    assert offered.key in made.passive


def test_a_walk_goes_on_to_another_neighbour_and_ends_where_it_has_no_hops_left() -> None:
    made = settled()
    first, *others = list(made.active)
    (onward,) = made.received(first, Walk(NONCE, 3, contact(300)), 0)
    assert isinstance(onward, Say)
    assert onward.peer in others
    assert onward.frame == Walk(NONCE, 2, contact(300))
    assert made.received(onward.peer, Place(NONCE, contact(301)), 0) == [
        Say(first, Place(NONCE, contact(301)))
    ]
    end = made.received(first, Walk(b"m" * 8, 0, contact(300)), 0)
    assert end == [Say(first, Place(b"m" * 8, contact(0)))]


def test_nobody_is_dialled_because_of_a_walk_or_a_shuffle() -> None:
    made = settled()
    accept(made, 100)
    for number in range(1_000):
        now = number * 1_000
        nonce = number.to_bytes(8, "big")
        for frame in (
            Walk(nonce, number % 4, contact(7_000)),
            Shuffle(nonce[::-1], number % 3, (contact(7_000),)),
        ):
            assert dials(made.received(key(100), frame, now)) == []


def test_a_shuffle_brings_contacts_both_ways() -> None:
    made = settled()
    now = made.next_wake()
    (said,) = (each for each in made.wake(now) if isinstance(each, Say))
    assert isinstance(said.frame, Shuffle)
    assert said.frame.contacts[0] == contact(0)
    assert len(said.frame.contacts) == CONTACTS_MAX
    made.received(said.peer, Shuffled(said.frame.nonce, (contact(400),)), now)
    assert key(400) in made.passive
    made.received(said.peer, Shuffled(said.frame.nonce, (contact(401),)), now)
    assert key(401) not in made.passive  # answered already

    (answer,) = made.received(said.peer, Shuffle(NONCE, 0, (contact(500), contact(501))), now)
    assert isinstance(answer, Say)
    assert isinstance(answer.frame, Shuffled)
    assert len(answer.frame.contacts) == 2
    assert key(500) in made.passive
    assert key(501) in made.passive


def test_an_answer_that_nobody_waits_for_goes_nowhere() -> None:
    made = settled()
    _, peer, _ = made.active
    assert made.received(peer, Shuffled(NONCE, (contact(400),)), 0) == []
    assert made.received(peer, Place(NONCE, contact(400)), 0) == []
    assert key(400) not in made.passive


# Hostile peers


def test_more_walks_than_a_peer_may_send_are_not_carried_on() -> None:
    made = settled()
    peer = next(iter(made.active))
    carried = sum(
        len(made.received(peer, Walk(number.to_bytes(8, "big"), 3, contact(300)), 0)) for number in range(500)
    )
    assert carried == WALKS_BURST


def test_the_memory_for_ways_back_is_bounded() -> None:
    made = settled()
    for number in range(3 * ROUTES_MAX):
        peer = list(made.active)[number % 3]
        made.received(peer, Walk(number.to_bytes(8, "big"), 3, contact(300)), number * 1_000)
    assert len(made._routes) <= ROUTES_MAX


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_however_many_ask_a_node_keeps_the_neighbours_that_it_chose(seed: int, urgent: bool) -> None:
    made = settled(seed)
    chosen = set(made.active)
    for number in range(1_000, 1_200):
        accept(made, number, urgent=urgent, now_ms=number * EVICT_EVERY_MS)
    assert chosen <= set(made.active)
    assert len(made.active) == SHAPE.chosen + SHAPE.accepted_max


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_a_flood_of_addresses_that_cannot_be_reached_is_dialled_no_faster_than_the_limit(seed: int) -> None:
    """Every dial fails, at once: the worst that false addresses can do."""
    made = node(seed)
    dialled, now, span = 0, 0, 120_000
    effects = made.learned(map(contact, range(1, 40)), now)
    linked(made, 900, dialled=False)
    made.received(key(900), Neighbour(False, contact(900)), now)
    bad = 1_000
    while now < span:
        waiting = dials(effects)
        dialled += len(waiting)
        effects = [effect for each in waiting for effect in made.failed(each.key, now)]
        if not waiting:
            now = max(now + 100, min(made.next_wake(), now + 500))
            bad += CONTACTS_MAX
            made.received(
                key(900), Shuffle(bad.to_bytes(8, "big"), 0, tuple(map(contact, range(bad, bad + 8)))), now
            )
            effects = made.wake(now)
    assert dialled <= DIALS_BURST + span // DIAL_EVERY_MS + 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_whatever_happens_the_views_keep_their_bounds_and_their_meaning(
    seed: int, data: st.DataObject
) -> None:
    """Peers do what they like, in any order; a neighbour always has a session, and nobody is known twice."""
    chance = Random(seed)
    made = node(seed)
    now = 0
    made.learned(map(contact, range(1, 6)), now)
    here: set[bytes] = set()
    for _ in range(data.draw(st.integers(0, 120))):
        now += chance.randrange(5_000)
        other = contact(1 + chance.randrange(60))
        if other.key not in here:
            here.add(other.key)
            made.linked(other.key, other.record, dialled=chance.random() < 0.5, now_ms=now)
            continue
        nonce = chance.randrange(4).to_bytes(8, "big")
        match chance.randrange(8):
            case 0:
                here.discard(other.key)
                made.unlinked(other.key, now)
            case 1:
                made.wake(now)
                assert made.next_wake() > now  # nobody who waits for it wakes in vain
            case 2:
                made.received(other.key, Answer(chance.random() < 0.7), now)
            case 3:
                made.received(other.key, Join(other), now)
            case 4:
                made.received(other.key, Neighbour(chance.random() < 0.5, other), now)
            case 5:
                made.received(other.key, Shuffle(nonce, chance.randrange(5), (other, contact(99))), now)
            case 6:
                made.received(other.key, Part(), now)
            case 7:
                made.received(other.key, Walk(nonce, chance.randrange(5), contact(98)), now)
        assert set(made.active) <= here
        assert made.me.key not in made.passive
        assert not set(made.active) & set(made.passive.keys())
        assert len(made.passive) <= SHAPE.passive_max
        assert len(made.active) <= 2 * ALL_NEIGHBOURS_BELOW
