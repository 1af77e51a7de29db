"""What is reserved of a thing, as a store answers it: from what stands, and from what waits here, marked."""

import pytest

from commonsnode_protocol.authority import Settings, writing
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.bookings import State
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, build, sign
from commonsnode_protocol.intake import Checked, check
from commonsnode_store.store import Store
from store_bookings import CAT, DRILL, GRANTS, act, ask, hand, thing, writes
from store_people import ANA, BEN, COMMUNITY, FOUNDER, NOW, STRANGER, Author, checked


@pytest.fixture(autouse=True)
def people(store: Store) -> None:
    store.apply(COMMUNITY, AUTHORITY, GRANTS, seen_ms=NOW)


def put(store: Store, *changesets: Checked, own: bool = False) -> None:
    store.apply(COMMUNITY, PUBLIC, changesets, seen_ms=NOW, own=own)


def put_act(store: Store, author: Author, draft: Draft) -> None:
    """An act of lane `authority`."""
    body = build(
        community=draft.community,
        lane=AUTHORITY,
        author=author.key,
        time=NOW + 9,
        refs=draft.refs,
        changes=draft.changes,
    )
    act_ = checked(check(COMMUNITY, AUTHORITY, sign(body, author.seed)))
    assert store.apply(COMMUNITY, AUTHORITY, [act_], seen_ms=NOW).new == (act_.id,)


def states(store: Store, *asks: Checked) -> list[str]:
    found = {each.booking.ask.changeset: each for each in store.bookings(COMMUNITY, DRILL).reserved}
    assert store.check() == []
    return [found[one.id].booking.state.value for one in asks]


def test_a_thing_that_nobody_asked_for_has_a_keeper_and_no_reservations(store: Store) -> None:
    put(store, thing())
    found = store.bookings(COMMUNITY, DRILL)
    assert (found.custody.keeper, found.lane, found.reserved) == (ANA.key, PUBLIC, ())


def test_asks_stand_in_their_turn_and_the_keeper_decides(store: Store) -> None:
    first, second = ask(BEN, 10, 20), ask(CAT, 15, 25, time=NOW + 1)
    put(store, thing(), first, second)
    assert states(store, first, second) == ["asked", "displaced"]
    put(store, act(ANA, second, "confirmed"))
    assert states(store, first, second) == ["displaced", "confirmed"]
    put(store, act(CAT, first, "declined"))
    assert states(store, first, second) == ["displaced", "confirmed"]
    (waits,) = [each.booking for each in store.bookings(COMMUNITY, DRILL).of(first.changeset.changes[0][0])]
    assert (waits.waiting, [one.author for one in waits.no_effect]) == (1, [CAT.key])


def test_acts_and_asks_may_come_before_what_they_are_about(store: Store) -> None:
    one = ask(BEN, 10, 20)
    put(store, act(ANA, one, "confirmed"))
    put(store, one)
    put(store, thing())
    assert states(store, one) == ["confirmed"]


def test_who_the_thing_was_handed_to_decides(store: Store) -> None:
    drill, one = thing(), ask(CAT, 10, 20)
    put(store, drill, one, hand(ANA, BEN, drill), act(BEN, one, "confirmed"))
    assert store.bookings(COMMUNITY, DRILL).custody.keeper == BEN.key
    assert states(store, one) == ["confirmed"]


def test_where_the_rules_confirm_at_once_ones_own_word_does(store: Store) -> None:
    one = ask(BEN, 10, 20, confirmed=True)
    put(store, thing(lending={"confirm": "at-once"}), one)
    assert states(store, one) == ["confirmed"]


def test_of_several_alike_as_many_are_lent_as_there_are(store: Store) -> None:
    asks = [ask(BEN, 10, 20, name=str(n), time=NOW + n) for n in range(3)]
    put(store, thing(amount="2"), *asks)
    assert states(store, *asks) == ["asked", "asked", "displaced"]


def test_a_word_about_a_thing_in_the_lane_that_goes_first_changes_by_which_rules_it_is_lent(
    store: Store,
) -> None:
    """It was imported to `knowledge`, where there are two of it; nobody created it."""
    song, asks = (
        bytes([8]) * 16,
        [ask(BEN, 10, 20, name=str(n), time=NOW + n, of=bytes([8]) * 16) for n in (0, 1)],
    )
    two = writes(ANA, song, "resource", {"amount": "2"}, lane=KNOWLEDGE)
    store.apply(COMMUNITY, KNOWLEDGE, [two], seen_ms=NOW)
    put(store, *asks)
    assert [each.booking.state.value for each in store.bookings(COMMUNITY, song).reserved] == ["asked"] * 2
    put(store, writes(ANA, song, "resource", {"title": "Song"}))
    assert [each.booking.state.value for each in store.bookings(COMMUNITY, song).reserved] == [
        "asked",
        "displaced",
    ]
    assert store.check() == []


def test_one_reservation_is_found_by_the_id_of_its_record(store: Store) -> None:
    one = ask(BEN, 10, 20)
    put(store, thing(), one)
    record = one.changeset.changes[0][0]
    found = store.reservation(COMMUNITY, record)
    assert found is not None
    whole, its = found
    assert (whole.resource, its.booking.ask.record, its.seen_ms, its.lane) == (DRILL, record, NOW, PUBLIC)
    assert store.reservation(COMMUNITY, bytes(16)) is None


def test_reservations_are_listed_by_who_asked_and_by_who_keeps_the_thing(store: Store) -> None:
    bens, cats = ask(BEN, 10, 20), ask(CAT, 30, 40)
    other = thing(BEN, nonce=bytes([1]) * 16)
    of_ben = ask(CAT, 1, 2, of=other.changeset.changes[0][0])
    put(store, thing(), other, bens, cats, of_ben)

    def listed(unkept: bool = False, **which: list[bytes]) -> set[bytes]:
        found = store.reservations(COMMUNITY, unkept=unkept, **which)
        return {each.booking.ask.changeset for _, each in found}

    assert listed() == {bens.id, cats.id, of_ben.id}
    assert listed(askers=[CAT.key]) == {cats.id, of_ben.id}
    assert listed(keepers=[BEN.key]) == {of_ben.id}
    assert listed(askers=[BEN.key], keepers=[ANA.key]) == {bens.id}
    assert listed(askers=[]) == set()
    assert listed(concerning=[BEN.key]) == {bens.id, cats.id, of_ben.id}
    assert listed(concerning=[CAT.key], keepers=[BEN.key]) == {of_ben.id}
    nobodys = ask(CAT, 1, 2, of=bytes(16))
    put(store, nobodys)
    assert listed(keepers=[BEN.key]) == {of_ben.id}
    assert listed(unkept=True, keepers=[BEN.key]) == {of_ben.id, nobodys.id}
    assert listed(unkept=True, concerning=[]) == {nobodys.id}


def test_an_ask_and_a_confirmation_are_to_name_what_ended_in_their_span(store: Store) -> None:
    one, far = ask(BEN, 10, 20), ask(BEN, 50, 60)
    cancelled, away = act(BEN, one, "cancelled"), act(BEN, far, "cancelled")
    put(store, thing(), one, far, cancelled, away)
    begin, end = NOW + 15 * 3_600_000, NOW + 25 * 3_600_000
    assert store.bookings(COMMUNITY, DRILL).endings(begin, end) == [cancelled.id]
    anew = ask(CAT, 15, 25, cancelled, time=NOW + 2)
    put(store, anew)
    assert states(store, one, anew) == ["cancelled", "asked"]


def test_what_waits_to_stand_is_shown_here_and_marked(store: Store) -> None:
    one = ask(STRANGER, 10, 20)
    put(store, thing())
    put(store, one, own=True)
    (its,) = store.bookings(COMMUNITY, DRILL).reserved
    assert (its.waits, its.booking.state) == (True, State.ASKED)
    store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, STRANGER.key)], seen_ms=NOW)
    (its,) = store.bookings(COMMUNITY, DRILL).reserved
    assert (its.waits, its.booking.state) == (False, State.ASKED)
    assert store.check() == []


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("commitments", "delete from commitments"),
        ("commitments", "update commitments set end_ms = end_ms + 1"),
        ("chain_times", "delete from chain_times"),
        ("busy", "update busy set begin_ms = begin_ms - 1"),
        ("booked", "update booked set keeper = null"),
        ("deciders", "delete from deciders"),
    ],
)
def test_what_is_kept_of_reservations_is_checked_and_made_anew(store: Store, table: str, damage: str) -> None:
    later = writes(BEN, bytes([5]) * 16, "place", {"title": "Depot"}, time=NOW + 50)
    one = ask(BEN, 10, 20, later)
    put(store, thing(), later, one)
    assert store.check() == []
    store._writer.execute(damage)
    assert table in {problem.what for problem in store.check()}
    assert store.rebuild() == []
    assert states(store, one) == ["asked"]


def test_who_leaves_a_community_keeps_nothing_of_its_reservations(store: Store) -> None:
    put(store, thing(), ask(BEN, 10, 20))
    store.leave(COMMUNITY)
    assert store.reservations() == []
    assert store.check() == []


def test_what_a_former_keeper_said_before_the_hand_over_counts_and_what_they_said_after_it_does_not(
    store: Store,
) -> None:
    drill, one, two = thing(), ask(CAT, 10, 20), ask(CAT, 30, 40)
    before = act(ANA, one, "confirmed", drill)
    between = [
        writes(ANA, bytes([n]) * 16, "resource", {"title": "Saw"}, before, time=NOW + 2 + n) for n in range(3)
    ]
    handed = hand(ANA, BEN, *between, over=(), time=NOW + 9)
    after = act(ANA, two, "confirmed", handed, time=NOW + 10)
    put(store, drill, one, two, handed, after)
    assert states(store, one, two) == ["asked", "asked"]
    put(store, *between)
    put(store, before)  # by way of these it precedes the hand-over, whenever it comes
    assert states(store, one, two) == ["confirmed", "asked"]


def test_whose_device_a_key_is_decides_what_it_may_say(store: Store) -> None:
    """Ana hands a thing to a key of which nobody knows yet that it is hers."""
    drill, one = thing(), ask(CAT, 10, 20)
    handed = hand(ANA, STRANGER, drill)
    put(store, drill, one, handed, act(ANA, one, "confirmed", handed))
    assert states(store, one) == ["asked"]
    second = writing.key_added(
        store.evaluator(COMMUNITY),
        ANA.key,
        bytes([3]) * 16,
        ANA.key,
        STRANGER.key,
        writing.key_agreement(COMMUNITY, ANA.key, STRANGER.seed),
    )
    put_act(store, ANA, second)
    assert states(store, one) == ["confirmed"]


def test_who_becomes_a_steward_is_heard_also_in_what_they_said_before(store: Store) -> None:
    one = ask(CAT, 10, 20)
    put(store, thing(), one, act(BEN, one, "declined"))
    assert states(store, one) == ["asked"]
    held = store.evaluator(COMMUNITY)
    fields = writing.next_table(held, add=[BEN.key])
    signatures = {FOUNDER.key: writing.sign_table(held, fields, FOUNDER.seed)}
    put_act(store, FOUNDER, writing.certificate(held, FOUNDER.key, bytes([4]) * 16, fields, signatures))
    assert states(store, one) == ["declined"]


def test_where_the_charter_confirms_at_once_things_do_that_say_nothing_else(store: Store) -> None:
    one = ask(BEN, 10, 20, confirmed=True)
    put(store, thing(), one)
    assert states(store, one) == ["asked"]
    held = store.evaluator(COMMUNITY)
    fields = writing.next_table(held, settings=Settings(lending={"confirm": "at-once"}))
    signatures = {FOUNDER.key: writing.sign_table(held, fields, FOUNDER.seed)}
    put_act(store, FOUNDER, writing.certificate(held, FOUNDER.key, bytes([4]) * 16, fields, signatures))
    assert states(store, one) == ["confirmed"]


def test_a_changeset_that_comes_late_makes_later_what_builds_on_it(store: Store) -> None:
    root = writes(BEN, bytes([5]) * 16, "place", {"title": "Depot"}, time=NOW + 50)
    one, two = ask(BEN, 10, 20, root, time=NOW), ask(CAT, 15, 25, time=NOW + 5)
    put(store, thing(), one, two)
    assert states(store, one, two) == ["asked", "displaced"]
    put(store, root)
    assert states(store, one, two) == ["displaced", "asked"]
    (first, _) = store.bookings(COMMUNITY, DRILL).reserved
    assert first.booking.ask.changeset == two.id
