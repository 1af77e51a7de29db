"""What keeper and asker do with a reservation: confirm, decline, cancel, hand over, take back. For the writer thread, on an Author.

Before it is signed, what would come of it is computed by the function by which every node settles it: so who may not, or what
cannot stand, is refused with words here. What others write is never refused, and only has no effect.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NoReturn

from commonsnode.authoring import Author
from commonsnode.booked import Found, busy_of, extensions, is_asked, whole_of
from commonsnode.errors import Conflict, NotAllowed, Refusal, WrongField
from commonsnode.lending import THING, Span, lent, type_said
from commonsnode.reservation_changes import ENDED, Done, endings, next_time, write_act
from commonsnode.reserving import ALL_DAY, as_asker, checked_text, is_member
from commonsnode_protocol.bookings import Act, Acted, Booking, Rank, State, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.kinds.lending import ASK
from commonsnode_store.answers import RecordRef
from commonsnode_store.reserved import Reserved, ThingBookings

WHY = "why"

_OPEN = (State.ASKED, State.CONFIRMED, State.DISPLACED)

_NOT_YET = b"\xff" * 32  # stands for the changeset that is not written yet
_DECIDED = {
    Act.CONFIRMED: "confirm it",
    Act.DECLINED: "decline it",
    Act.HANDED_OVER: "hand it over",
    Act.RETURNED: "take it back",
}


def cancel(author: Author, of: Found, why: str | None = None) -> Done:
    """Take an ask back, by who asked; of a kit with its parts. Raises NotAllowed, Conflict, WrongField."""
    as_asker(author, of, "cancel it")
    if of.booking.state in (State.OUT, State.RETURNED):
        raise Conflict(f"it is {of.booking.state.value}, so it cannot be cancelled any more")
    return write_act(author, _those_in(author, of, (*_OPEN, State.DECLINED)), Act.CANCELLED, True, _why(why))


def decline(author: Author, of: Found, why: str | None = None) -> Done:
    """Say no, also to what was confirmed, by keeper or steward. Raises NotAllowed, Conflict, WrongField."""
    _as_decider(author, of, Act.DECLINED)
    if of.booking.state in (State.OUT, State.RETURNED, State.CANCELLED):
        raise Conflict(f"it is {of.booking.state.value}, so there is nothing to decline")
    return write_act(author, _decided_in(author, of, _OPEN), Act.DECLINED, True, _why(why))


def confirm(author: Author, of: Found) -> Done:
    """Promise it, by keeper or steward; who keeps it confirms an own ask likewise. Raises NotAllowed, Conflict."""
    _as_decider(author, of, Act.CONFIRMED)
    if of.booking.state not in _OPEN:
        raise Conflict(f"it is {of.booking.state.value}, so there is nothing to confirm")
    own = of.held.rules.people.same(author.key, of.ask.author)
    reached = Rank.AT_ONCE if own else Rank.CONFIRMED
    return _raised(
        author,
        [
            each
            for each in _decided_in(author, of, _OPEN)
            if each.booking.state is not State.CONFIRMED or each.booking.rank > reached
        ],
        Act.CONFIRMED,
        True,
    )


def hand_over(author: Author, of: Found, at_ms: int | None = None) -> Done:
    """Say that it was handed over, by keeper or steward. at_ms: when; now, if left out. Raises NotAllowed, Conflict, WrongField."""
    _as_decider(author, of, Act.HANDED_OVER)
    if of.booking.state not in (*_OPEN, State.OUT):
        raise Conflict(f"it is {of.booking.state.value}, so there is nothing to hand over")
    return _raised(author, _decided_in(author, of, _OPEN), Act.HANDED_OVER, _past(author, at_ms))


def take_back(author: Author, of: Found, at_ms: int | None = None) -> Done:
    """Say that it came back, by keeper or steward; what it was extended by ends with it. Raises as `hand_over`."""
    _as_decider(author, of, Act.RETURNED)
    if of.booking.state not in (State.OUT, State.RETURNED):
        raise Conflict(
            f"it is {of.booking.state.value}, and was not handed over: commonsnode reservation hand-over"
        )
    at = _past(author, at_ms)
    back = _decided_in(author, of, (State.OUT,))
    if any(at < handed for each in back for handed in _handed_over(each)[:1]):
        raise WrongField("at", "is before it was handed over")
    longer = [
        Found(RecordRef(of.ref.community, more.lane, KIND, more.booking.ask.record), each.held, more)
        for each in back
        for more in extensions(each.held, each.ask)
        if more.lane == of.ref.lane and more.booking.state is not State.RETURNED
    ]
    return write_act(author, [*back, *longer], Act.RETURNED, at)


def waits_for_keeper(held: ThingBookings, reserved: Reserved, key: bytes, now_ms: int) -> bool:
    """Whether the node of whom one asks for this thing should confirm this, since its rules confirm at once."""
    booking = reserved.booking
    return (
        held.rules.at_once
        and booking.rank > Rank.CONFIRMED
        and booking.state in (State.ASKED, State.CONFIRMED)
        and booking.ask.end_ms > now_ms
        and not reserved.waits
        and is_asked(held, key)
        and not held.rules.people.same(booking.ask.author, key)
    )


def confirm_at_once(author: Author, held: ThingBookings, most: int, keeper: bytes | None = None) -> int:
    """As keeper of a thing whose rules confirm at once, confirm what stands, so that nothing written later goes before it.

    keeper: who named this node to confirm for them; none: the author. What the rules would not have given at once waits for the
    keeper's own word. Returns how many it confirmed, at most `most`.
    """
    if held.lane is None:
        return 0
    thing = RecordRef(held.community, held.lane, THING, held.resource)
    done = 0
    for each in held.reserved:
        if done == most:
            break
        booking = each.booking
        if not waits_for_keeper(held, each, keeper or author.key, author.now_ms):
            continue
        ref = RecordRef(held.community, each.lane, KIND, booking.ask.record)
        try:
            if booking.rank is Rank.ASKED and not _given_at_once(author, thing, held, ref, booking):
                continue
            _raised(author, [Found(ref, held, each)], Act.CONFIRMED, True)
        except Refusal:  # it was removed, or cannot be followed: its keeper decides
            continue
        done += 1
    return done


def _those_in(author: Author, of: Found, states: Collection[State]) -> list[Found]:
    """A reservation, and of a kit those of its parts, as far as they are in one of these states."""
    return [each for each in whole_of(author.store, of) if each.booking.state in states]


def _decided_in(author: Author, of: Found, states: Collection[State]) -> list[Found]:
    """Those of them on which this author decides: the parts of a kit may have other keepers."""
    return [each for each in _those_in(author, of, states) if each.held.may_decide(author.key)]


def _handed_over(of: Found) -> list[int]:
    """When it was, the earliest first."""
    return sorted(
        acted.at_ms
        for acted in of.held.acts_on(of.ask.changeset)
        if acted.act is Act.HANDED_OVER and acted not in of.booking.no_effect
    )


def _raised(author: Author, every: Sequence[Found], act: Act, value: Value) -> Done:
    """Confirm or hand over these, which then stand. Raises Conflict where one would not, for others that go before it."""
    displaced = [record for of in every for record in _displaced_by(author, of, act)]
    return replace(write_act(author, every, act, value), displaces=tuple(displaced))


def _displaced_by(author: Author, of: Found, act: Act) -> list[bytes]:
    """The reservations that stand now, and would not stand beside this one with that act. Raises Conflict."""
    held, ask = of.held, of.ask
    refs = frozenset((ask.changeset, *endings(held, of.ref.lane, ask.begin_ms, ask.end_ms)))
    at_ms = next_time(author, of.ref.community, of.ref.lane, refs)
    acted = Acted(_NOT_YET, author.key, ask.changeset, act, at_ms, author.now_ms, refs)
    before = {each.booking.ask.changeset: each.booking for each in held.reserved}
    asks = [booking.ask for booking in before.values()]
    after = {each.ask.changeset: each for each in settle(asks, [*held.acts, acted], held.rules)}
    would = after[ask.changeset]
    if would.state is State.DISPLACED:
        _cannot_stand([before[id_] for id_ in would.displaced_by if id_ in before])
    return [
        booking.ask.record
        for id_, booking in after.items()
        if booking.state is State.DISPLACED and before[id_].state is not State.DISPLACED
    ]


def _cannot_stand(before_it: Sequence[Booking]) -> NoReturn:
    """Raises Conflict."""
    named = ", ".join(f"{each.ask.record.hex()[:8]} ({each.state.value})" for each in before_it)
    if before_it and all(each.state in ENDED for each in before_it):
        raise Conflict(
            f"it was asked for before {named} ended, so that still goes before it: reserve it anew"
        )
    raise Conflict(
        f"it cannot stand then: {named or 'what is asked for is more than there is'} goes before it; that has to be"
        " declined, cancelled or brought back first"
    )


def _given_at_once(
    author: Author, thing: RecordRef, held: ThingBookings, ref: RecordRef, booking: Booking
) -> bool:
    """Whether an ask that its asker did not confirm would be given at once. Raises Refusal where it would not be given at all."""
    of = lent(author.store, thing)
    ask, view = booking.ask, author.store.record(ref)
    said = view.values if view is not None else {}
    terms = of.terms(type_said(said), is_member(author, thing.community, ask.author))
    span = Span(ask.begin_ms, ask.end_ms, ask.amount, said.get(ALL_DAY) is True)
    asked_ms = min(ask.effective_ms, author.now_ms)
    free = of.check(span, busy_of(held, [ask.changeset]), held.rules.capacity, asked_ms)
    return free and terms.lent and terms.use != ASK


def _as_decider(author: Author, of: Found, act: Act) -> None:
    if of.held.may_decide(author.key):
        return
    keeper = of.held.custody.keeper
    if keeper is not None:
        whose = f"its keeper {keeper.hex()}"
    else:
        whose = "a keeper, and nobody keeps it: a steward names one (edit ID keeper=KEY)"
    raise NotAllowed(f"only a steward can {_DECIDED[act]}, or {whose}")


def _past(author: Author, at_ms: int | None) -> int:
    if at_ms is None:
        return author.now_ms
    if at_ms > author.now_ms:
        raise WrongField("at", "is in the future")
    return at_ms


def _why(why: str | None) -> dict[str, Value]:
    return {WHY: checked_text(WHY, why)} if why else {}
