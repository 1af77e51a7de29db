"""Ask for a thing, and for more time with it: for the writer thread, on an Author.  SPEC.md, "Reservations".

What the thing's hours and rules do not allow is refused; where it is not free, the ask waits in the list.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from commonsnode.authoring import Author
from commonsnode.booked import Found, busy_of, extensions, keeps
from commonsnode.errors import Conflict, NotAllowed, WrongField
from commonsnode.governing import role_of
from commonsnode.lending import PERSON, TYPE, Span, lent, type_said
from commonsnode.reservation_changes import endings, entry, next_time
from commonsnode_protocol.authority import MEMBER, STEWARD
from commonsnode_protocol.bookings import Act, Acted, Ask, State, settle
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
from commonsnode_protocol.record import NONCE_BYTES, typed_id
from commonsnode_store.answers import RecordRef
from commonsnode_store.reserved import Reserved, ThingBookings

NOTE_CHARS_MAX = 4_096
NONCE, BY, ALL_DAY, ZONE, NOTE = "nonce", "by", "all_day", "zone", "note"

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
    terms = of.terms(agent_type, is_member(author, thing.community, author.key))
    if not terms.lent:
        raise WrongField("resource", terms.why)
    free = of.check(span, busy_of(held), held.rules.capacity, author.now_ms)
    own_word = free and (keeps(held, author.key) or (held.rules.at_once and terms.use != ASK))
    fields = _asked(author, thing, span, random_bytes(NONCE_BYTES))
    if zone is not None and span.all_day:
        fields |= {ALL_DAY: True, ZONE: zone}
    if agent_type != PERSON:
        fields[TYPE] = agent_type
    if note is not None:
        fields[NOTE] = checked_text("note", note)
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
    thing = of.thing
    lending = lent(author.store, thing)
    view = author.store.record(of.ref)
    said = view.values if view is not None else {}
    terms = lending.terms(type_said(said), is_member(author, thing.community, author.key))
    if not terms.lent:
        raise WrongField("resource", terms.why)
    own = [ask.changeset, *(each.booking.ask.changeset for each in longer)]
    whole = Span(ask.begin_ms, until_ms, ask.amount)
    # The loan has begun or will, whatever the lead time; what counts is its whole length.
    began_ms = min(author.now_ms, ask.begin_ms - LENGTH_MS_MAX)
    free = lending.check(whole, busy_of(of.held, own), of.held.rules.capacity, began_ms)
    span = Span(end_ms, until_ms, ask.amount)
    fields = _asked(author, thing, span, random_bytes(NONCE_BYTES))
    if by_day and said.get(ALL_DAY) is True:
        fields |= {name: said[name] for name in (ALL_DAY, ZONE) if name in said}
    if TYPE in said:
        fields[TYPE] = type_said(said)
    if free and (keeps(of.held, author.key) or (of.held.rules.at_once and terms.use != ASK)):
        fields[Act.CONFIRMED.value] = True
    return _ask(author, thing, of.held, span, fields, (of.ask.changeset,), terms)


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
    named = [*refs, *endings(held, thing.lane, span.begin_ms, span.end_ms)]
    written = author.write(thing.community, thing.lane, [entry(record, fields, named)])
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
    at_ms = next_time(author, thing.community, thing.lane, refs)
    ask = Ask(_NOT_YET, record, author.key, span.begin_ms, span.end_ms, at_ms, span.amount, named)
    acts = list(held.acts)
    if Act.CONFIRMED.value in fields:
        acts.append(Acted(_NOT_YET, author.key, _NOT_YET, Act.CONFIRMED, at_ms, 0, named))
    asks = [each.booking.ask for each in held.reserved]
    booking = next(each for each in settle([*asks, ask], acts, held.rules) if each.ask is ask)
    reserved = Reserved(thing.lane, booking, now_ms, True)
    return replace(held, reserved=(*held.reserved, reserved)), reserved


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
