"""Reserve a thing, and act on a reservation: for the writer thread, on an Author.  SPEC.md, "Reservations".

Before anything is signed, what would come of it is computed by the function by which every node settles it: so who may not, or
what cannot stand, is refused with words here. What others write is never refused, and only has no effect.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from commonsnode.authoring import SUPERSEDED_MAX, Author, Entry, superseding
from commonsnode.errors import Conflict, NotAllowed, Refusal, Unknown, WrongField
from commonsnode.governing import role_of
from commonsnode.lending import PERSON, THING, Span, lent
from commonsnode_protocol.authority import MEMBER, STEWARD
from commonsnode_protocol.bookings import Act, Acted, Ask, Booking, Rank, State, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.commitments import (
    ACTION,
    AMOUNT,
    FROM,
    KIND,
    LENGTH_MS_MAX,
    RESOURCE,
    UNTIL,
    USE,
    amount_of,
)
from commonsnode_protocol.idle import Busy
from commonsnode_protocol.kinds import Applying
from commonsnode_protocol.kinds.lending import ASK
from commonsnode_protocol.record import NONCE_BYTES, typed_id
from commonsnode_store.answers import RecordRef
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

ENDINGS_MAX = SUPERSEDED_MAX // 4  # of others, that one ask or confirmation refs; the latest of more
NOTE_CHARS_MAX = 4_096
NONCE, BY, ALL_DAY, ZONE, NOTE, WHY = "nonce", "by", "all_day", "zone", "note", "why"

_DONE = b"\xff" * 32  # stands for the changeset that is not written yet
_ENDED = {State.CANCELLED: Act.CANCELLED, State.DECLINED: Act.DECLINED, State.RETURNED: Act.RETURNED}
_DECIDED = {
    Act.CONFIRMED: "confirm it",
    Act.DECLINED: "decline it",
    Act.HANDED_OVER: "hand it over",
    Act.RETURNED: "take it back",
}
_RAISING = (Act.CONFIRMED, Act.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Found:
    """One reservation, with all that is reserved of its thing."""

    ref: RecordRef
    held: ThingBookings
    reserved: Reserved

    @property
    def booking(self) -> Booking:
        return self.reserved.booking

    @property
    def ask(self) -> Ask:
        return self.reserved.booking.ask

    @property
    def thing(self) -> RecordRef:
        return RecordRef(self.ref.community, self.held.lane or self.ref.lane, THING, self.held.resource)


@dataclass(frozen=True, slots=True)
class Asked:
    """A new reservation, with all that is reserved of its thing now. why: it is held here, since it cannot be sealed yet.

    terms: that apply to who asked.
    """

    held: ThingBookings
    reserved: Reserved
    terms: Applying
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act. changed: whether there was anything to do. why: it is held, since it cannot be sealed yet."""

    changed: bool = False
    why: str | None = None
    displaces: tuple[bytes, ...] = ()  # reservations of others that stood, and do not any more


def found(store: Store, ref: RecordRef) -> Found:
    """Raises Unknown where there is no such reservation."""
    both = store.reservation(ref.community, ref.record)
    if both is None:
        raise Unknown(f"{ref.record.hex()[:8]} is no reservation: nothing that it says asks for a thing")
    held, reserved = both
    return Found(replace(ref, lane=reserved.lane), held, reserved)


def busy_of(held: ThingBookings, without: Iterable[bytes] = ()) -> list[Busy]:
    """What is taken of a thing, but for some asks."""
    left_out = set(without)
    return [
        Busy(*booking.busy, booking.ask.amount)
        for booking in (each.booking for each in held.reserved)
        if booking.busy is not None and booking.ask.changeset not in left_out
    ]


def may_decide(held: ThingBookings, key: bytes) -> bool:
    """Whether what this key writes now as keeper has effect: it is a steward's, or the keeper's."""
    people, keeper = held.rules.people, held.custody.keeper
    return people.seniority(key) is not None or (keeper is not None and people.same(key, keeper))


def keeps(held: ThingBookings, key: bytes) -> bool:
    keeper = held.custody.keeper
    return keeper is not None and held.rules.people.same(key, keeper)


def extensions(held: ThingBookings, ask: Ask) -> list[Reserved]:
    """The asks by which this loan was made longer, each from the end of the one before."""
    result: list[Reserved] = []
    at, seen = ask, {ask.changeset}
    while True:
        following = [
            each
            for each in held.reserved
            if each.booking.ask.begin_ms == at.end_ms
            and at.changeset in each.booking.ask.refs
            and each.booking.ask.changeset not in seen
            and held.rules.people.same(each.booking.ask.author, at.author)
            and each.booking.state not in (State.CANCELLED, State.DECLINED)
        ]
        if not following:
            return result
        result.append(following[0])
        at = following[0].booking.ask
        seen.add(at.changeset)


def reserve(
    author: Author,
    thing: RecordRef,
    span: Span,
    *,
    zone: str | None = None,
    note: str | None = None,
    agent_type: str = PERSON,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Asked:
    """Ask for a thing; where its rules say so and it is free, or who asks keeps it, confirm that in the same breath.

    zone: of which the whole days are. Where it is not free, the ask waits in the list.
    Raises WrongField, Unknown, Conflict, and the store's errors.
    """
    store = author.store
    of = lent(store, thing)
    held = store.bookings(thing.community, thing.record)
    terms = of.terms(agent_type, _is_member(author, thing.community, author.key))
    if not terms.lent:
        raise WrongField("resource", terms.why)
    free = of.check(span, busy_of(held), held.rules.capacity, author.now_ms)
    own_word = free and (keeps(held, author.key) or (held.rules.at_once and terms.use != ASK))
    fields = _asked(author, thing, span, random_bytes(NONCE_BYTES))
    if zone is not None and span.all_day:
        fields |= {ALL_DAY: True, ZONE: zone}
    if note is not None:
        fields[NOTE] = _text("note", note)
    if own_word:
        fields[Act.CONFIRMED.value] = True
    return _ask(author, thing, held, span, fields, (), terms)


def extend(
    author: Author,
    of: Found,
    until_ms: int,
    *,
    by_day: bool = False,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Asked:
    """Ask for the time after a reservation, until then. by_day: that is the end of a day, as it was asked for.

    Raises as `reserve` does, and NotAllowed.
    """
    ask, state = of.ask, of.booking.state
    _as_asker(author, of, "ask for more time")
    if state in (State.CANCELLED, State.DECLINED, State.RETURNED, State.DISPLACED):
        raise Conflict(f"this reservation is {state.value}, so there is nothing to extend: reserve it anew")
    longer = extensions(of.held, ask)
    end_ms = longer[-1].booking.ask.end_ms if longer else ask.end_ms
    if until_ms <= end_ms:
        raise WrongField("until", "is not after the end of what was asked for already")
    if longer:
        last = longer[-1].booking
        of = Found(of.ref, of.held, longer[-1])
        if last.state is State.DISPLACED:
            raise Conflict(
                f"it was extended already, and that waits in the list: {last.ask.record.hex()[:8]}; cancel that first"
            )
    thing = of.thing
    lending = lent(author.store, thing)
    terms = lending.terms(PERSON, _is_member(author, thing.community, author.key))
    own = [ask.changeset, *(each.booking.ask.changeset for each in longer)]
    whole = Span(ask.begin_ms, until_ms, ask.amount)
    # The loan has begun or will, whatever the lead time; what counts is its whole length.
    began_ms = min(author.now_ms, ask.begin_ms - LENGTH_MS_MAX)
    free = lending.check(whole, busy_of(of.held, own), of.held.rules.capacity, began_ms)
    span = Span(end_ms, until_ms, ask.amount)
    fields = _asked(author, thing, span, random_bytes(NONCE_BYTES))
    view = author.store.record(of.ref)
    if by_day and view is not None and view.values.get(ALL_DAY) is True:
        fields |= {name: view.values[name] for name in (ALL_DAY, ZONE) if name in view.values}
    if free and (keeps(of.held, author.key) or (of.held.rules.at_once and terms.use != ASK)):
        fields[Act.CONFIRMED.value] = True
    return _ask(author, thing, of.held, span, fields, (of.ask.changeset,), terms)


def cancel(author: Author, of: Found, why: str | None = None) -> Done:
    """Take an ask back, by who asked. Raises NotAllowed, Conflict, WrongField."""
    _as_asker(author, of, "cancel it")
    state = of.booking.state
    if state is State.CANCELLED:
        return Done()
    if state in (State.OUT, State.RETURNED):
        raise Conflict(f"it is {state.value}, so it cannot be cancelled any more")
    return _act(author, [of], Act.CANCELLED, True, _why(why))


def decline(author: Author, of: Found, why: str | None = None) -> Done:
    """Say no, also to what was confirmed, by keeper or steward. Raises NotAllowed, Conflict, WrongField."""
    _as_decider(author, of, Act.DECLINED)
    state = of.booking.state
    if state is State.DECLINED:
        return Done()
    if state in (State.OUT, State.RETURNED, State.CANCELLED):
        raise Conflict(f"it is {state.value}, so there is nothing to decline")
    return _act(author, [of], Act.DECLINED, True, _why(why))


def confirm(author: Author, of: Found) -> Done:
    """Promise it, by keeper or steward; who keeps it confirms an own ask likewise. Raises NotAllowed, Conflict."""
    _as_decider(author, of, Act.CONFIRMED)
    booking = of.booking
    own = of.held.rules.people.same(author.key, of.ask.author)
    if booking.state is State.CONFIRMED and booking.rank <= (Rank.AT_ONCE if own else Rank.CONFIRMED):
        return Done()
    if booking.state not in (State.ASKED, State.CONFIRMED, State.DISPLACED):
        raise Conflict(f"it is {booking.state.value}, so there is nothing to confirm")
    return _raised(author, of, Act.CONFIRMED, True)


def hand_over(author: Author, of: Found, at_ms: int | None = None) -> Done:
    """Say that it was handed over, by keeper or steward. at_ms: when; now, if left out. Raises NotAllowed, Conflict, WrongField."""
    _as_decider(author, of, Act.HANDED_OVER)
    if of.booking.state is State.OUT:
        return Done()
    if of.booking.state not in (State.ASKED, State.CONFIRMED, State.DISPLACED):
        raise Conflict(f"it is {of.booking.state.value}, so there is nothing to hand over")
    return _raised(author, of, Act.HANDED_OVER, _past(author, at_ms))


def take_back(author: Author, of: Found, at_ms: int | None = None) -> Done:
    """Say that it came back, by keeper or steward; what it was extended by ends with it. Raises as `hand_over`."""
    _as_decider(author, of, Act.RETURNED)
    if of.booking.state is State.RETURNED:
        return Done()
    if of.booking.state is not State.OUT:
        raise Conflict(
            f"it is {of.booking.state.value}, and was not handed over: commonsnode reservation hand-over"
        )
    handed = [
        acted.at_ms
        for acted in of.held.acts_on(of.ask.changeset)
        if acted.act is Act.HANDED_OVER and acted not in of.booking.no_effect
    ]
    at = _past(author, at_ms)
    if handed and at < min(handed):
        raise WrongField("at", "is before it was handed over")
    longer = [
        Found(RecordRef(of.ref.community, each.lane, KIND, each.booking.ask.record), of.held, each)
        for each in extensions(of.held, of.ask)
        if each.lane == of.ref.lane and each.booking.state is not State.RETURNED
    ]
    return _act(author, [of, *longer], Act.RETURNED, at, {})


def _asked(author: Author, thing: RecordRef, span: Span, nonce: bytes) -> dict[str, Value]:
    if not 0 < span.end_ms - span.begin_ms <= LENGTH_MS_MAX:
        raise WrongField(
            "until", f"is more than {LENGTH_MS_MAX // 86_400_000} days after the beginning, or before it"
        )
    fields: dict[str, Value] = {
        ACTION: USE,
        RESOURCE: thing.record,
        FROM: span.begin_ms,
        UNTIL: span.end_ms,
        BY: author.key,
        NONCE: nonce,
    }
    if span.amount != 1:
        fields[AMOUNT] = f"{span.amount:f}"
    return fields


def _ask(
    author: Author,
    thing: RecordRef,
    held: ThingBookings,
    span: Span,
    fields: dict[str, Value],
    refs: Sequence[bytes],
    terms: Applying,
) -> Asked:
    nonce = fields[NONCE]
    assert isinstance(nonce, bytes)
    record = typed_id(thing.community, author.key, nonce)
    named = [*refs, *_endings(held, span.begin_ms, span.end_ms)]
    written = author.write(thing.community, thing.lane, [_entry(record, fields, named)])
    both = author.store.reservation(thing.community, record)
    if both is None:  # held: it is in no lane yet
        both = _expected(author, thing, held, span, record, fields, named)
    return Asked(*both, terms, written.why)


def _expected(
    author: Author,
    thing: RecordRef,
    held: ThingBookings,
    span: Span,
    record: bytes,
    fields: Mapping[str, Value],
    refs: Sequence[bytes],
) -> tuple[ThingBookings, Reserved]:
    """What an ask will be, as far as is known here."""
    now_ms, named = author.now_ms, frozenset(refs)
    ask = Ask(_DONE, record, author.key, span.begin_ms, span.end_ms, now_ms, span.amount, named)
    acts = list(held.acts)
    if Act.CONFIRMED.value in fields:
        acts.append(Acted(_DONE, author.key, _DONE, Act.CONFIRMED, now_ms, 0, named))
    asks = [each.booking.ask for each in held.reserved]
    booking = next(each for each in settle([*asks, ask], acts, held.rules) if each.ask is ask)
    reserved = Reserved(thing.lane, booking, now_ms, True)
    return replace(held, reserved=(*held.reserved, reserved)), reserved


def _raised(author: Author, of: Found, act: Act, value: Value) -> Done:
    """Confirm or hand over what then stands. Raises Conflict where it would not, for others that go before it."""
    held, ask = of.held, of.ask
    refs = frozenset((ask.changeset, *_endings(held, ask.begin_ms, ask.end_ms)))
    acted = Acted(_DONE, author.key, ask.changeset, act, author.now_ms, author.now_ms, refs)
    before = {each.booking.ask.changeset: each.booking for each in held.reserved}
    asks = [booking.ask for booking in before.values()]
    after = {each.ask.changeset: each for each in settle(asks, [*held.acts, acted], held.rules)}
    would = after[ask.changeset]
    if would.state is State.DISPLACED:
        by = ", ".join(
            f"{other.ask.record.hex()[:8]} ({other.state.value})"
            for other in (before[one] for one in would.displaced_by if one in before)
        )
        raise Conflict(
            f"it cannot stand then: {by or 'what is asked for is more than there is'} goes before it; that has to be"
            " declined, cancelled or brought back first"
        )
    displaced = tuple(
        booking.ask.record
        for id_, booking in after.items()
        if booking.state is State.DISPLACED and before[id_].state is not State.DISPLACED
    )
    return replace(_act(author, [of], act, value, {}), displaces=displaced)


def _act(author: Author, of: Sequence[Found], act: Act, value: Value, more: dict[str, Value]) -> Done:
    """Write the same act to some reservations of one lane, in one changeset."""
    entries: list[Entry] = []
    for each in of:
        ref, ask = each.ref, each.ask
        view = author.store.record(ref)
        fields = {act.value: value, **more}
        seen = [
            (ref.record, KIND, name, view.fields.get(name, ()) if view is not None else ()) for name in fields
        ]
        superseded = superseding(author.store, ref.community, ref.lane, seen)
        named = [ask.changeset]
        if act in _RAISING:
            named += _endings(each.held, ask.begin_ms, ask.end_ms)
        entry = _entry(ref.record, fields, named)
        for name, ids in zip(fields, superseded, strict=True):
            value_of, refs = entry[2][name]
            entry[2][name] = value_of, [*ids, *refs]
        entries.append(entry)
    written = author.write(of[0].ref.community, of[0].ref.lane, entries)
    return Done(True, written.why)


def _entry(
    record: bytes, fields: dict[str, Value], refs: Sequence[bytes]
) -> tuple[bytes, str, dict[str, tuple[Value, list[bytes]]]]:
    """The writes to a reservation. What is to be in the refs stands as superseded, spread over the fields: no write of it is in
    these registers, so nothing else follows from that (SPEC.md, "State")."""
    writes: dict[str, tuple[Value, list[bytes]]] = {name: (value, []) for name, value in fields.items()}
    names = list(fields)
    for n, ref in enumerate(dict.fromkeys(refs)):
        writes[names[n % len(names)]][1].append(ref)
    return record, KIND, writes


def _endings(held: ThingBookings, begin_ms: int, end_ms: int) -> list[bytes]:
    """What ended of others in this span: an ask, a confirmation, a hand-over refs it, so that it is not in their way (rule 35)."""
    ended = {
        each.booking.ask.changeset: each.booking
        for each in held.reserved
        if each.booking.state in _ENDED
        and each.booking.ask.begin_ms < end_ms
        and begin_ms < each.booking.ask.end_ms
    }
    by_ask: dict[bytes, Acted] = {}
    for acted in held.acts:
        booking = ended.get(acted.ask)
        if booking is not None and acted.act is _ENDED[booking.state] and acted not in booking.no_effect:
            by_ask.setdefault(acted.ask, acted)
    latest = sorted(by_ask.values(), key=lambda acted: acted.effective_ms, reverse=True)
    return [acted.changeset for acted in latest[:ENDINGS_MAX]]


def _is_member(author: Author, community: bytes, key: bytes) -> bool:
    return role_of(author.store.authority(community), key) in (MEMBER, STEWARD)


def _as_asker(author: Author, of: Found, doing: str) -> None:
    if not of.held.rules.people.same(author.key, of.ask.author):
        raise NotAllowed(f"only who asked for it can {doing}: {of.ask.author.hex()}")


def _as_decider(author: Author, of: Found, act: Act) -> None:
    if may_decide(of.held, author.key):
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
    return {WHY: _text(WHY, why)} if why else {}


def _text(field: str, text: str) -> str:
    if len(text) > NOTE_CHARS_MAX:
        raise WrongField(field, f"has at most {NOTE_CHARS_MAX} characters")
    return text


def amount_in(text: str | None) -> Decimal:
    """An amount as it is typed. Raises WrongField."""
    amount = amount_of(text)
    if amount is None:
        raise WrongField("amount", "is a number above zero, with a point, as 2 or 0.5")
    return amount


def overdue(held: ThingBookings, booking: Booking, now_ms: int) -> bool:
    """Whether it is out for longer than was asked for, and promised."""
    if not booking.overdue(now_ms):
        return False
    longer = [each.booking for each in extensions(held, booking.ask)]
    promised = [each for each in longer if each.state in (State.CONFIRMED, State.OUT)]
    return all(now_ms > each.ask.end_ms for each in promised)


def confirm_at_once(author: Author, held: ThingBookings, most: int) -> int:
    """As keeper of a thing whose rules confirm at once, confirm what stands, so that nothing written later goes before it.

    What the rules would not have given at once waits for the keeper's own word. Returns how many it confirmed, at most `most`.
    """
    if held.lane is None or not held.rules.at_once or not keeps(held, author.key):
        return 0
    thing = RecordRef(held.community, held.lane, THING, held.resource)
    done = 0
    for each in held.reserved:
        booking = each.booking
        if done == most:
            break
        if (
            booking.rank <= Rank.CONFIRMED
            or booking.state not in (State.ASKED, State.CONFIRMED)
            or booking.ask.end_ms <= author.now_ms
            or each.waits
            or held.rules.people.same(booking.ask.author, author.key)
        ):
            continue
        ref = RecordRef(held.community, each.lane, KIND, booking.ask.record)
        try:
            if booking.rank is Rank.ASKED and not _given_at_once(author, thing, held, ref, booking):
                continue
            _raised(author, Found(ref, held, each), Act.CONFIRMED, True)
        except Refusal:  # it was removed, or cannot be followed: its keeper decides
            continue
        done += 1
    return done


def _given_at_once(
    author: Author, thing: RecordRef, held: ThingBookings, ref: RecordRef, booking: Booking
) -> bool:
    """Whether an ask that its asker did not confirm would be given at once. Raises Refusal where it would not be given at all."""
    of = lent(author.store, thing)
    ask, view = booking.ask, author.store.record(ref)
    terms = of.terms(PERSON, _is_member(author, thing.community, ask.author))
    all_day = view is not None and view.values.get(ALL_DAY) is True
    span = Span(ask.begin_ms, ask.end_ms, ask.amount, all_day)
    asked_ms = min(ask.effective_ms, author.now_ms)
    free = of.check(span, busy_of(held, [ask.changeset]), held.rules.capacity, asked_ms)
    return free and terms.lent and terms.use != ASK
