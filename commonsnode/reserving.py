"""Ask for a thing, and for more time with it: for the writer thread, on an Author.  SPEC.md, "Reservations".

What the thing's hours and rules do not allow is refused; where it is not free, the ask waits in the list.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from commonsnode.authoring import Author, Entry
from commonsnode.booked import Found, busy_of, extensions, keeps, whole_of
from commonsnode.errors import Conflict, NotAllowed, WrongField
from commonsnode.governing import role_of
from commonsnode.lending import PERSON, THING, TYPE, Lent, Span, lent, type_said
from commonsnode.reservation_changes import ENDINGS_MAX, endings, entry, next_time
from commonsnode_protocol.authority import MEMBER, STEWARD
from commonsnode_protocol.bookings import Act, Acted, Ask, Booking, State, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.commitments import (
    ACTION,
    AMOUNT,
    FROM,
    LENGTH_MS_MAX,
    RESOURCE,
    UNTIL,
    USE,
    amount_of,
)
from commonsnode_protocol.kinds import Applying
from commonsnode_protocol.kinds.lending import ASK
from commonsnode_protocol.kits import parts_of
from commonsnode_protocol.record import NONCE_BYTES, typed_id
from commonsnode_store.answers import RecordRef
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

NOTE_CHARS_MAX = 4_096
NONCE, BY, ALL_DAY, ZONE, NOTE, PART_OF = "nonce", "by", "all_day", "zone", "note", "part_of"

_NOT_YET = b"\xff" * 32  # stands for the changeset that is not written yet


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
class _Wish:
    """One thing that an ask is for. of: how it is lent; none where it is not here. refs: what the ask names."""

    thing: RecordRef
    held: ThingBookings
    span: Span
    of: Lent | None
    refs: tuple[bytes, ...] = ()
    whose: str = ""  # before what is wrong with a part


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
    """Ask for a thing, and for the parts of a kit; where rules say so and it is free, or who asks keeps it, confirm it at once.

    zone: of which the whole days are. Where it is not free, the ask waits in the list.
    Raises WrongField, Unknown, Conflict, and the store's errors.
    """
    store = author.store
    of = lent(store, thing)
    wishes = [_Wish(thing, store.bookings(thing.community, thing.record), span, of), *_parts(store, of, span)]
    terms = [_terms(author, wish, agent_type) for wish in wishes]
    free = _are_free(wishes, span, (), author.now_ms)
    more: dict[str, Value] = {}
    if zone is not None and span.all_day:
        more |= {ALL_DAY: True, ZONE: zone}
    if agent_type != PERSON:
        more[TYPE] = agent_type
    told = {NOTE: checked_text("note", note)} if note is not None else {}
    return _ask(author, wishes, terms, free, more, told, random_bytes)


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
    as_asker(author, of, "ask for more time")
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
    view = author.store.record(of.ref)
    said = view.values if view is not None else {}
    agent_type = type_said(said)
    wishes = [
        _Wish(
            each.thing,
            each.held,
            Span(end_ms, until_ms, each.ask.amount),
            lent(author.store, each.thing) if each.held.lane is not None else None,
            (each.ask.changeset,),
        )
        for each in whole_of(author.store, of)
        if each.booking.state is not State.CANCELLED
    ]
    terms = [_terms(author, wish, agent_type) for wish in wishes]
    own = [ask.changeset, *(each.booking.ask.changeset for each in longer)]
    # The loan has begun or will, whatever the lead time; what counts is its whole length.
    whole = Span(ask.begin_ms, until_ms, all_day=said.get(ALL_DAY) is True)
    began_ms = min(author.now_ms, ask.begin_ms - LENGTH_MS_MAX)
    free = _are_free(wishes, whole, own, began_ms)
    more = {name: said[name] for name in (TYPE, ALL_DAY, ZONE) if name in said}
    if not by_day:
        more.pop(ALL_DAY, None)
    return _ask(author, wishes, terms, free, more, {}, random_bytes)


def _parts(store: Store, of: Lent, span: Span) -> list[_Wish]:
    """What a kit takes of its parts; nothing where it is no kit. A part of which nothing is here is asked for all the same."""
    community, found = of.ref.community, list[_Wish]()
    for part, amount in parts_of(of.view.values).items():
        held = store.bookings(community, part)
        thing = RecordRef(community, held.lane or of.ref.lane, THING, part)
        is_here = bool(store.records(community, thing.lane, THING, [part]))
        wanted = replace(span, amount=span.amount * amount)
        its = lent(store, thing) if is_here else None
        whose = f"{its.view.title}, a part of it: " if its is not None else ""
        found.append(_Wish(thing, held, wanted, its, (), whose))
    return found


def _terms(author: Author, wish: _Wish, agent_type: str) -> Applying | None:
    """Raises WrongField where it is not lent to who asks; None of what is not here."""
    if wish.of is None:
        return None
    terms = wish.of.terms(agent_type, is_member(author, wish.thing.community, author.key))
    if not terms.lent:
        raise WrongField("resource", f"{wish.whose}{terms.why}")
    return terms


def _are_free(wishes: Sequence[_Wish], span: Span, without: Collection[bytes], now_ms: int) -> bool:
    """Whether all are free for a span, but for some asks. Raises WrongField where one is not lent so at all."""
    free = True
    for wish in wishes:
        if wish.of is None:
            continue
        wanted, busy = replace(span, amount=wish.span.amount), busy_of(wish.held, without)
        try:
            free = wish.of.check(wanted, busy, wish.held.rules.capacity, now_ms) and free
        except WrongField as error:
            if not wish.whose:
                raise
            raise WrongField(error.field, f"{wish.whose}{error.problem}") from error
    return free


def _asked(author: Author, wish: _Wish, nonce: bytes) -> dict[str, Value]:
    span = wish.span
    if not 0 < span.end_ms - span.begin_ms <= LENGTH_MS_MAX:
        raise WrongField(
            "until", f"is more than {LENGTH_MS_MAX // 86_400_000} days after the beginning, or before it"
        )
    fields: dict[str, Value] = {
        ACTION: USE,
        RESOURCE: wish.thing.record,
        FROM: span.begin_ms,
        UNTIL: span.end_ms,
        BY: author.key,
        NONCE: nonce,
    }
    if span.amount != 1:
        text = f"{span.amount.normalize():f}"
        amount_in(text)
        fields[AMOUNT] = text
    return fields


def _ask(
    author: Author,
    wishes: Sequence[_Wish],
    terms: Sequence[Applying | None],
    free: bool,
    more: Mapping[str, Value],
    told: Mapping[str, Value],
    random_bytes: Callable[[int], bytes],
) -> Asked:
    """Write the asks in one changeset: for a thing, or a kit and its parts. told: with the first of them alone."""
    first, lane = wishes[0], wishes[0].thing.lane
    entries: list[Entry] = []
    for wish, its in zip(wishes, terms, strict=True):
        nonce = random_bytes(NONCE_BYTES)
        of_kit: Mapping[str, Value] = {PART_OF: entries[0][0]} if entries else told
        fields = {**_asked(author, wish, nonce), **more, **of_kit}
        at_once = wish.held.rules.at_once and its is not None and its.use != ASK
        most = max(1, ENDINGS_MAX // len(wishes))
        named = [*wish.refs, *endings(wish.held, lane, wish.span.begin_ms, wish.span.end_ms, most)]
        record = typed_id(first.thing.community, author.key, nonce)
        own_word = free and (at_once or keeps(wish.held, author.key))
        # Not where somebody's ask would have to go for it: that is for its keeper to say, who is told whose.
        if own_word and not _displaces(
            wish.held, _expected(author, wish, lane, record, named, own_word=True)
        ):
            fields[Act.CONFIRMED.value] = True
        entries.append(entry(record, fields, named))
    record, _, writes = entries[0]
    written = author.write(first.thing.community, lane, entries)
    both = author.store.reservation(first.thing.community, record)
    if both is None:  # held: it is in no lane yet
        refs = [ref for _, ids in writes.values() for ref in ids]
        after = _expected(author, first, lane, record, refs, own_word=Act.CONFIRMED.value in writes)
        booking = next(each for each in after if each.ask.record == record)
        both = first.held, Reserved(lane, booking, author.now_ms, True)
    assert terms[0] is not None
    return Asked(*both, terms[0], written.why)


def _expected(
    author: Author, wish: _Wish, lane: str, record: bytes, refs: Sequence[bytes], *, own_word: bool
) -> list[Booking]:
    """What comes of all asks for a thing with a new one, as far as is known here. own_word: its asker confirms it."""
    held, span, named = wish.held, wish.span, frozenset(refs)
    at_ms = next_time(author, wish.thing.community, lane, refs)
    ask = Ask(_NOT_YET, record, author.key, span.begin_ms, span.end_ms, at_ms, span.amount, named)
    word = [Acted(_NOT_YET, author.key, _NOT_YET, Act.CONFIRMED, at_ms, 0, named)] if own_word else []
    asks = [each.booking.ask for each in held.reserved]
    return settle([*asks, ask], [*held.acts, *word], held.rules)


def _displaces(held: ThingBookings, after: Sequence[Booking]) -> bool:
    """Whether somebody's ask that stands does not stand any more."""
    stood = {
        each.booking.ask.changeset for each in held.reserved if each.booking.state is not State.DISPLACED
    }
    return any(each.state is State.DISPLACED and each.ask.changeset in stood for each in after)


def is_member(author: Author, community: bytes, key: bytes) -> bool:
    return role_of(author.store.authority(community), key) in (MEMBER, STEWARD)


def as_asker(author: Author, of: Found, doing: str) -> None:
    if not of.held.rules.people.same(author.key, of.ask.author):
        raise NotAllowed(f"only who asked for it can {doing}: {of.ask.author.hex()}")


def checked_text(field: str, text: str) -> str:
    if len(text) > NOTE_CHARS_MAX:
        raise WrongField(field, f"has at most {NOTE_CHARS_MAX} characters")
    return text


def amount_in(text: str | None) -> Decimal:
    """An amount as it is typed. Raises WrongField."""
    amount = amount_of(text)
    if amount is None:
        raise WrongField("amount", "is a number above zero, with a point, as 2 or 0.5")
    return amount
