"""Which reservations stand: by rank, then by time along the asker's chain; a cancellation displaces nobody (rules 33 to 36)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol import bookings
from commonsnode_protocol.bookings import (
    Act,
    Acted,
    Ask,
    Booking,
    Rank,
    Rules,
    State,
    settle,
)
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, Changeset, build, decode, public_key
from commonsnode_protocol.commitments import amount_of, read
from commonsnode_protocol.custody import TERMS_MAX, Custody, People, Term
from commonsnode_protocol.record import typed_id

COMMUNITY = bytes([7]) * 32
STEWARD, KEEPER, ANA, BEN, CAT = (public_key(bytes([n]) * 32) for n in range(1, 6))
DRILL = bytes([9]) * 16
PEOPLE = People((STEWARD,))
KEPT = Rules(Custody(KEEPER, (Term(KEEPER),)), PEOPLE, lambda a, b: False)
AT_ONCE = replace(KEPT, at_once=True)


def wrote(
    author: bytes, record: bytes, fields: Mapping[str, Value], time: int, refs: Sequence[Changeset] = ()
) -> Changeset:
    changes = [(record, "commitment", {name: (value, ()) for name, value in sorted(fields.items())})]
    ids = sorted({each.id for each in refs})
    return decode(
        build(community=COMMUNITY, lane=PUBLIC, author=author, time=time, refs=ids, changes=changes)
    )


def ask(
    author: bytes, begin: int, end: int, time: int, *refs: Changeset, nonce: int = 0, **more: Value
) -> Changeset:
    said: dict[str, Value] = {"action": "use", "resource": DRILL, "from": begin, "until": end}
    key = bytes([nonce]) * 16
    return wrote(author, typed_id(COMMUNITY, author, key), {**said, "nonce": key, **more}, time, refs)


def act(
    author: bytes, of: Changeset, field: str, time: int, *refs: Changeset, value: Value = True
) -> Changeset:
    return wrote(author, of.changes[0][0], {field: value}, time, (of, *refs))


def settled(*changesets: Changeset, rules: Rules = KEPT) -> dict[bytes, Booking]:
    return {booking.ask.changeset: booking for booking in settle(*read(DRILL, changesets), rules)}


def states(asks: Sequence[Changeset], *acts: Changeset, rules: Rules = KEPT) -> list[str]:
    found = settled(*asks, *acts, rules=rules)
    return [found[each.id].state.value for each in asks]


# Ranks


def test_the_earlier_of_two_asks_stands_and_the_later_waits() -> None:
    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6)
    found = settled(first, second)
    assert found[first.id].state is State.ASKED
    assert found[second.id].state is State.DISPLACED
    assert found[second.id].displaced_by == (first.id,)
    assert found[second.id].waiting == 1


def test_spans_that_only_touch_do_not_overlap() -> None:
    assert states([ask(ANA, 10, 20, 5), ask(BEN, 20, 25, 6)]) == ["asked", "asked"]


def test_what_the_keeper_confirmed_goes_before_what_was_asked_earlier() -> None:
    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6)
    for who in (KEEPER, STEWARD):
        assert states([first, second], act(who, second, "confirmed", 7)) == ["displaced", "confirmed"]


def test_what_is_handed_over_goes_before_all() -> None:
    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6)
    confirmed, out = act(KEEPER, first, "confirmed", 7), act(STEWARD, second, "handed_over", 9, value=15)
    assert states([first, second], confirmed, out) == ["displaced", "out"]


def test_ones_own_confirmation_counts_only_where_the_rules_confirm_at_once() -> None:
    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6, confirmed=True)
    assert states([first, second]) == ["asked", "displaced"]
    assert states([first, second], rules=AT_ONCE) == ["displaced", "confirmed"]
    assert states([first, second], act(KEEPER, first, "confirmed", 9), rules=AT_ONCE) == [
        "confirmed",
        "displaced",
    ]


def test_what_somebody_sets_who_may_not_has_no_effect_and_is_listed() -> None:
    one = ask(ANA, 10, 20, 5)
    wrong = [act(CAT, one, field, 6) for field in ("confirmed", "declined", "cancelled")]
    wrong += [act(CAT, one, "handed_over", 6, value=7), act(KEEPER, one, "cancelled", 8)]
    found = settled(one, *wrong)[one.id]
    assert found.state is State.ASKED
    assert {each.changeset for each in found.no_effect} == {each.id for each in wrong}


def test_a_node_confirms_for_who_named_it_and_does_nothing_else_for_them() -> None:
    def named(*persons: bytes, at_once: bool = False) -> Rules:
        of = {CAT: frozenset(persons)}
        people = replace(PEOPLE, named_by=lambda key: of.get(key, frozenset()))
        return replace(AT_ONCE if at_once else KEPT, people=people)

    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6)
    confirmed = act(CAT, second, "confirmed", 7)
    for persons in ((KEEPER,), (STEWARD,), (ANA, KEEPER)):
        assert states([first, second], confirmed, rules=named(*persons)) == ["displaced", "confirmed"]
    assert states([first, second], confirmed, rules=named(ANA)) == ["asked", "displaced"]
    others = [act(CAT, second, "declined", 7), act(CAT, first, "handed_over", 7, value=8)]
    found = settled(first, second, *others, rules=named(KEEPER, STEWARD))
    assert [found[each.id].state.value for each in (first, second)] == ["asked", "displaced"]
    assert sum(len(each.no_effect) for each in found.values()) == 2
    assert states([first], act(CAT, first, "cancelled", 7), rules=named(ANA)) == ["asked"]
    # What the keeper asks is no more than their own word, also where their node says it.
    own, other = ask(KEEPER, 10, 20, 6), ask(BEN, 15, 25, 5)
    both = [act(CAT, own, "confirmed", 7), act(STEWARD, other, "confirmed", 8)]
    assert states([own, other], *both, rules=named(KEEPER)) == ["displaced", "confirmed"]
    assert settled(own, both[0], rules=named(KEEPER))[own.id].rank is Rank.AT_ONCE
    # But a node that is itself a steward's confirms as that.
    assert settled(own, act(STEWARD, own, "confirmed", 7), rules=named())[own.id].rank is Rank.CONFIRMED


def test_who_was_keeper_decided_until_they_handed_it_over() -> None:
    one = ask(ANA, 10, 20, 5)
    before, after = act(BEN, one, "confirmed", 6), act(BEN, one, "declined", 9)
    ending = bytes(32)
    kept = replace(
        KEPT,
        custody=Custody(KEEPER, (Term(BEN, ending), Term(KEEPER))),
        precedes=lambda a, b: (a, b) == (before.id, ending),
    )
    assert states([one], before, after, rules=kept) == ["confirmed"]


def test_of_a_keepers_former_terms_the_last_ones_count() -> None:
    one = ask(ANA, 10, 20, 5)
    before = act(BEN, one, "confirmed", 6)
    ends = [bytes([n]) * 32 for n in range(TERMS_MAX + 1)]
    terms = (*(Term(BEN, end) for end in ends), Term(KEEPER))
    assert [states([one], before, rules=_preceding(before.id, end, terms)) for end in ends[:2]] == [
        ["asked"],
        ["confirmed"],
    ]


def _preceding(act: bytes, end: bytes, terms: tuple[Term, ...]) -> Rules:
    """Of KEEPER's thing, where one act precedes one end alone."""
    return replace(KEPT, custody=Custody(KEEPER, terms), precedes=lambda a, b: (a, b) == (act, end))


def test_an_act_is_on_the_ask_that_it_names() -> None:
    one = ask(ANA, 10, 20, 5)
    unnamed = wrote(KEEPER, one.changes[0][0], {"confirmed": True}, 6)
    assert states([one], unnamed) == ["asked"]


def test_what_was_asked_is_never_changed_afterwards() -> None:
    one = ask(ANA, 10, 20, 5)
    longer = wrote(ANA, one.changes[0][0], {"until": 100}, 6, [one])
    assert settled(one, longer)[one.id].busy == (10, 20)


# The way of a loan


def test_a_loan_goes_out_and_comes_back() -> None:
    one = ask(ANA, 10, 20, 5)
    confirmed = act(KEEPER, one, "confirmed", 6)
    out = act(KEEPER, one, "handed_over", 10, value=10)
    back = act(KEEPER, one, "returned", 14, value=14)
    assert states([one], confirmed, out) == ["out"]
    assert settled(one, confirmed, out)[one.id].overdue(21)
    assert not settled(one, confirmed, out)[one.id].overdue(20)
    found = settled(one, confirmed, out, back)[one.id]
    assert (found.state, found.busy, found.overdue(99)) == (State.RETURNED, (10, 14), False)


def test_a_return_frees_the_rest_for_who_knows_of_it_and_brings_nobody_back() -> None:
    one, waits = ask(ANA, 10, 20, 5), ask(BEN, 12, 18, 6)
    out, back = act(KEEPER, one, "handed_over", 10, value=10), act(KEEPER, one, "returned", 13, value=13)
    anew = ask(CAT, 14, 20, 15, back)
    assert states([one, waits, anew], out, back) == ["returned", "displaced", "asked"]


def test_who_knew_of_the_return_keeps_the_rest_also_when_it_is_cancelled_as_well() -> None:
    one = ask(ANA, 10, 20, 5)
    out, back = act(KEEPER, one, "handed_over", 10, value=10), act(KEEPER, one, "returned", 13, value=13)
    anew, cancelled = ask(CAT, 14, 20, 15, back), act(ANA, one, "cancelled", 16)
    assert states([one, anew], out, back, cancelled) == ["cancelled", "asked"]


def test_a_waiting_list_counts_who_waits_for_the_same_time() -> None:
    asks = [ask(each, 10, 20, 5 + n) for n, each in enumerate((ANA, BEN, CAT))]
    asks.append(ask(BEN, 30, 40, 9, nonce=1))
    found = settled(*asks)
    assert [found[each.id].waiting for each in asks] == [None, 1, 2, None]


def test_of_several_alike_as_many_stand_as_there_are() -> None:
    rules = replace(KEPT, capacity=Decimal(3))
    asks = [ask(ANA, 10, 20, 5, amount="2"), ask(BEN, 15, 25, 6, amount="1"), ask(CAT, 18, 30, 7)]
    assert states(asks, rules=rules) == ["asked", "asked", "displaced"]
    assert states([ask(ANA, 10, 20, 5, amount="4")], rules=rules) == ["displaced"]


def test_what_is_not_well_said_is_no_ask() -> None:
    for wrong in (ask(ANA, 20, 10, 5), ask(ANA, 10, 10, 5), ask(ANA, 10, 20, 5, amount="-1")):
        assert settled(wrong) == {}
    assert settled(ask(ANA, 10, 20, 5, resource=bytes(16))) == {}
    assert [amount_of(each) for each in ("1e9", "٣", "0", ".", "1.", "", True)] == [None] * 7
    assert amount_of("0.75") == Decimal("0.75")


# Cancellations


def test_a_cancelled_ask_gives_way_to_those_who_know_of_it() -> None:
    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6)
    cancelled = act(ANA, first, "cancelled", 7)
    anew = ask(BEN, 15, 25, 8, cancelled, nonce=1)
    assert states([first, second], cancelled) == ["cancelled", "displaced"]
    assert states([first, second, anew], cancelled) == ["cancelled", "displaced", "asked"]


def test_a_confirmation_that_knows_of_the_cancellation_lets_who_waited_stand() -> None:
    first, second = ask(ANA, 10, 20, 5), ask(BEN, 15, 25, 6)
    confirmed_first = act(KEEPER, first, "confirmed", 7)
    cancelled = act(ANA, first, "cancelled", 8)
    blind, knowing = act(KEEPER, second, "confirmed", 9), act(KEEPER, second, "confirmed", 9, cancelled)
    assert states([first, second], confirmed_first, cancelled, blind) == ["cancelled", "displaced"]
    assert states([first, second], confirmed_first, cancelled, knowing) == ["cancelled", "confirmed"]


def test_a_declined_ask_gives_way_like_a_cancelled_one() -> None:
    first, declined = (one := ask(ANA, 10, 20, 5)), act(KEEPER, one, "declined", 6)
    assert states([first, ask(BEN, 10, 20, 7, declined)], declined) == ["declined", "asked"]


# Attack 18


def test_an_ask_backdated_by_a_year_does_not_go_before_a_confirmed_one() -> None:
    year = 365 * 24 * 3_600_000
    honest = ask(ANA, year + 10, year + 20, year, confirmed=True)
    backdated = ask(BEN, year + 10, year + 20, 0, confirmed=True)
    confirmed = act(KEEPER, honest, "confirmed", year + 1)
    assert states([honest, backdated], confirmed, rules=AT_ONCE) == ["confirmed", "displaced"]


def test_an_ask_is_never_earlier_than_what_its_author_wrote_before() -> None:
    honest = ask(ANA, 10, 20, 50)
    earlier = wrote(BEN, bytes(16), {"note": "seen at 60"}, 60)
    assert states([honest, ask(BEN, 10, 20, 0, earlier)], earlier) == ["asked", "displaced"]
    found = settled(earlier, late := ask(BEN, 10, 20, 0, earlier))
    assert found[late.id].effective_ms == 61


def test_a_fork_of_the_own_chain_changes_no_rank() -> None:
    first = ask(BEN, 10, 20, 50)
    fork = ask(BEN, 10, 20, 0, nonce=1)
    honest = ask(ANA, 10, 20, 40)
    confirmed = act(KEEPER, honest, "confirmed", 45)
    assert states([first, fork, honest], confirmed) == ["displaced", "displaced", "confirmed"]


def test_attack_30_the_confirmation_that_was_first_stands() -> None:
    """Two nodes of one keeper confirm overlapping asks apart, one of them backdated."""
    honest, backdated = ask(ANA, 10, 20, 50), ask(BEN, 15, 25, 0)
    confirmations = act(KEEPER, honest, "confirmed", 60), act(KEEPER, backdated, "confirmed", 70)
    assert states([honest, backdated], *confirmations) == ["confirmed", "displaced"]


_PEOPLE = (ANA, BEN, CAT)
SEVERAL = replace(KEPT, capacity=Decimal("2.5"))


@st.composite
def universes(draw: st.DrawFn) -> tuple[list[Ask], list[Acted]]:
    """Asks that overlap in every way, with acts by the keeper, and endings that some later asks and acts know of."""
    asks: list[Ask] = []
    acts: list[Acted] = []
    for n in range(draw(st.integers(1, 7))):
        begin = draw(st.integers(0, 8))
        ended = [each.changeset for each in acts if each.act in (Act.CANCELLED, Act.DECLINED, Act.RETURNED)]
        known = draw(st.sets(st.sampled_from(ended))) if ended else set()
        id_ = bytes([draw(st.integers(0, 255)), n]) + bytes(30)
        one = Ask(
            id_,
            bytes([n]) * 16,
            draw(st.sampled_from(_PEOPLE)),
            begin,
            begin + draw(st.integers(1, 6)),
            draw(st.integers(0, 20)),
            draw(st.sampled_from([Decimal(1), Decimal(1), Decimal("0.5"), Decimal("2.25")])),
            refs=frozenset(known),
        )
        asks.append(one)
        for act_ in draw(st.sets(st.sampled_from(list(Act)), max_size=3)):
            author = one.author if act_ is Act.CANCELLED else draw(st.sampled_from([KEEPER, one.author]))
            also = draw(st.sets(st.sampled_from(ended))) if ended else set()
            acts.append(
                Acted(
                    bytes([n, len(acts)]) + b"\1" * 30,
                    author,
                    id_,
                    act_,
                    draw(st.integers(0, 30)),
                    draw(st.integers(0, 14)),
                    frozenset({id_, *also}),
                )
            )
    return asks, acts


def _standing(of: Sequence[Booking]) -> set[bytes]:
    ended = (State.DISPLACED, State.CANCELLED, State.DECLINED)
    return {booking.ask.changeset for booking in of if booking.state not in ended}


def _by_definition(of: Sequence[Booking], acts: Sequence[Acted], rules: Rules) -> set[bytes]:
    """Which asks stand, moment by moment, by SPEC.md; of, for the order of their turn and what has no effect."""
    without = {id(acted) for booking in of for acted in booking.no_effect}
    blocks: list[tuple[int, int, Decimal, frozenset[bytes]]] = []
    standing: set[bytes] = set()
    for booking in of:
        ask = booking.ask
        mine = [each for each in acts if each.ask == ask.changeset and id(each) not in without]
        given = [e for e in mine if e.act in (Act.CONFIRMED, Act.HANDED_OVER) and e.author != ask.author]
        knew = ask.refs.union(*(each.refs for each in given))
        taken = [
            sum(
                (amount for begin, end, amount, endings in blocks if begin <= t < end and not endings & knew),
                Decimal(0),
            )
            for t in range(ask.begin_ms, ask.end_ms)
        ]
        if any(already + ask.amount > rules.capacity for already in taken):
            continue
        standing.add(ask.changeset)
        ended = frozenset(e.changeset for e in mine if e.act in (Act.CANCELLED, Act.DECLINED))
        returns = [each for each in mine if each.act is Act.RETURNED]
        back = min((each.at_ms for each in returns), default=ask.end_ms)
        back = min(max(back, ask.begin_ms), ask.end_ms)
        blocks.append((ask.begin_ms, back, ask.amount, ended))
        blocks.append((back, ask.end_ms, ask.amount, ended | {each.changeset for each in returns}))
    return standing


@settings(max_examples=400)
@given(universes(), st.sampled_from([KEPT, AT_ONCE, SEVERAL]), st.sampled_from([0, 64]))
def test_who_stands_is_as_the_definition_says(
    universe: tuple[list[Ask], list[Acted]], rules: Rules, changed_max: int
) -> None:
    asks, acts = universe
    with patch.object(bookings, "_CHANGED_MAX", changed_max):
        found = settle(asks, acts, rules)
    stand = _by_definition(found, acts, rules)
    assert _standing(found) <= stand
    assert {each.ask.changeset for each in found if each.state is State.DISPLACED}.isdisjoint(stand)
    waits = [each for each in found if each.state is State.DISPLACED]
    for n, each in enumerate(waits):
        overlapping = [
            other
            for other in waits[:n]
            if other.ask.begin_ms < each.ask.end_ms and each.ask.begin_ms < other.ask.end_ms
        ]
        assert each.waiting == len(overlapping) + 1


@settings(max_examples=400)
@given(universes(), st.sampled_from([KEPT, AT_ONCE, SEVERAL]), st.data())
def test_no_cancellation_displaces_anybody_or_brings_anybody_back(
    universe: tuple[list[Ask], list[Acted]], rules: Rules, data: st.DataObject
) -> None:
    asks, acts = universe
    one = data.draw(st.sampled_from(asks))
    before = _standing(settle(asks, acts, rules))
    cancelled = Acted(
        bytes([255]) * 32, one.author, one.changeset, Act.CANCELLED, data.draw(st.integers(0, 99))
    )
    assert _standing(settle(asks, [*acts, cancelled], rules)) == before - {one.changeset}


@settings(max_examples=200)
@given(universes(), st.sampled_from([KEPT, AT_ONCE]), st.randoms(use_true_random=False))
def test_the_order_of_arrival_is_nothing(
    universe: tuple[list[Ask], list[Acted]], rules: Rules, random: object
) -> None:
    asks, acts = universe
    shuffled, acted = list(asks), [*acts, *acts]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    random.shuffle(acted)  # type: ignore[attr-defined]
    once = [
        replace(each, no_effect=tuple(dict.fromkeys(each.no_effect)))
        for each in settle(shuffled, acted, rules)
    ]
    assert once == settle(asks, acts, rules)


@settings(max_examples=200)
@given(universes(), st.sampled_from([KEPT, AT_ONCE, SEVERAL]))
def test_no_more_of_a_thing_is_promised_than_there_is(
    universe: tuple[list[Ask], list[Acted]], rules: Rules
) -> None:
    taken = [(each.busy, each.ask.amount) for each in settle(*universe, rules) if each.busy is not None]
    for t in range(16):
        assert sum(amount for (begin, end), amount in taken if begin <= t < end) <= rules.capacity


@settings(max_examples=200)
@given(universes(), st.sampled_from([KEPT, AT_ONCE]))
def test_ranks_come_in_order(universe: tuple[list[Ask], list[Acted]], rules: Rules) -> None:
    found = [(each.rank, each.effective_ms, each.ask.changeset) for each in settle(*universe, rules)]
    assert found == sorted(found)
    assert all(isinstance(rank, Rank) for rank, _, _ in found)
