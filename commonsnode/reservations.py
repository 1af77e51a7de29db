"""Which reservations concern a person: what they asked for, what is asked of them, and what they must be told of it.

Computed from what stands, never stored: so it is there after a restart, and goes when it is dealt with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from typing import TypeAlias

from commonsnode.booked import is_asked, is_free, overdue
from commonsnode.governing import person_of
from commonsnode_protocol.authority import Authority
from commonsnode_protocol.bookings import Booking, Rank, State
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

Both: TypeAlias = tuple[ThingBookings, Reserved]

LOOKED_AT_MAX = 1_000  # reservations, those that begin first: somebody may have written very many
PAST_MS = 7 * 24 * 3_600_000  # so long after its end one is still told of what became of a reservation


class Matter(StrEnum):
    """What a person must be told."""

    ASKED_OF_YOU = "asked-of-you"  # it waits for the keeper's word
    CONFIRMED = "confirmed"  # yours
    DECLINED = "declined"  # yours
    DISPLACED = "displaced"  # yours
    FREE_AGAIN = "free-again"  # yours was displaced, by what has ended since
    CANCELLED = "cancelled"  # what you keep was reserved, and is not any more
    DOUBLE = (
        "double"  # two were promised what there is one of: to its keeper, and to whose reservation stands
    )
    OVERDUE = "overdue"  # yours, or of what you keep


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell one person. others: the reservations that it has to do with."""

    matter: Matter
    held: ThingBookings
    reserved: Reserved
    others: tuple[Booking, ...] = ()

    @property
    def booking(self) -> Booking:
        return self.reserved.booking


def keys_of(authority: Authority, key: bytes) -> set[bytes]:
    """All keys of the person whose key this is."""
    first = person_of(authority, key) or key
    valued = authority.people.get(first)
    return {key, first}.union(valued.person.keys if valued is not None and valued.person is not None else ())


def asked_by(store: Store, communities: Iterable[bytes], key: bytes) -> list[Both]:
    """What this person asked for."""
    return [
        both
        for community in communities
        for both in store.reservations(community, askers=keys_of(store.authority(community), key))
    ]


def asked_of(store: Store, communities: Iterable[bytes], key: bytes) -> list[Both]:
    """What is asked for of the things that this person keeps; of what nobody keeps, by a steward."""
    found: list[Both] = []
    for community in communities:
        keys = keys_of(store.authority(community), key)
        if not keys.isdisjoint(store.authority(community).stewards):
            found += store.reservations(community, keepers=keys, unkept=True)
        else:
            found += store.reservations(community, keepers=keys)
    return found


def concerning(store: Store, communities: Iterable[bytes], key: bytes) -> list[Both]:
    """Both of these, each once, in one pass."""
    return [
        (held, each)
        for community in communities
        for held, each in store.reservations(
            community, concerning=keys_of(store.authority(community), key), unkept=True
        )
        if is_asked(held, key) or held.rules.people.same(each.booking.ask.author, key)
    ]


def is_open(reserved: Reserved, now_ms: int) -> bool:
    """Whether it may still come to something: neither ended nor past."""
    booking = reserved.booking
    return reserved.is_open and (booking.state is State.OUT or booking.ask.end_ms > now_ms)


def news(every: Sequence[Both], key: bytes, now_ms: int) -> list[News]:
    """What this person must be told of these, those that begin first, first. every: what `concerning` finds, or more."""
    found: list[News] = []
    open_ones = {
        (each.booking.ask.begin_ms, each.booking.ask.record, each.booking.ask.changeset): (held, each)
        for held, each in every
        if each.booking.state is State.OUT or each.booking.ask.end_ms + PAST_MS > now_ms
    }
    for named in nsmallest(LOOKED_AT_MAX, open_ones):
        held, reserved = open_ones[named]
        if held.rules.people.same(reserved.booking.ask.author, key):
            found += _to_asker(held, reserved, now_ms)
        elif is_asked(held, key):
            found += _to_keeper(held, reserved, now_ms)
    return found


def _to_asker(held: ThingBookings, reserved: Reserved, now_ms: int) -> list[News]:
    booking = reserved.booking
    over = booking.ask.end_ms <= now_ms
    match booking.state:
        case State.DISPLACED if not over:
            before_it = tuple(each for each in _bookings(held) if _takes_of(each, booking))
            if any(held.rules.people.same(each.ask.author, booking.ask.author) for each in before_it):
                return []  # asked anew meanwhile
            matter = Matter.FREE_AGAIN if is_free(held, booking.ask) else Matter.DISPLACED
            return [News(matter, held, reserved, before_it)]
        case State.DECLINED if not over:
            return [News(Matter.DECLINED, held, reserved)]
        case State.CONFIRMED if not over:
            others = _promised_beside(held, booking)
            told = [News(Matter.CONFIRMED, held, reserved)] if booking.rank is Rank.CONFIRMED else []
            return [*told, News(Matter.DOUBLE, held, reserved, others)] if others else told
        case State.OUT if overdue(held, booking, now_ms):
            return [News(Matter.OVERDUE, held, reserved)]
        case _:
            return []


def _to_keeper(held: ThingBookings, reserved: Reserved, now_ms: int) -> list[News]:
    booking = reserved.booking
    over = booking.ask.end_ms <= now_ms
    match booking.state:
        case State.ASKED if not over:
            return [News(Matter.ASKED_OF_YOU, held, reserved)]
        case State.CANCELLED if not over and booking.rank <= Rank.AT_ONCE:
            return [News(Matter.CANCELLED, held, reserved)]
        case State.CONFIRMED if not over:
            others = _promised_beside(held, booking)
            return [News(Matter.DOUBLE, held, reserved, others)] if others else []
        case State.OUT:
            others = _promised_beside(held, booking)
            told = [News(Matter.OVERDUE, held, reserved)] if overdue(held, booking, now_ms) else []
            return [*told, News(Matter.DOUBLE, held, reserved, others)] if others and not over else told
        case _:
            return []


def _promised_beside(held: ThingBookings, booking: Booking) -> tuple[Booking, ...]:
    """Those that were promised as well, and that this one displaced."""
    return tuple(
        each
        for each in _bookings(held)
        if each.state is State.DISPLACED
        and each.rank <= Rank.AT_ONCE
        and booking.ask.changeset in each.displaced_by
    )


def _takes_of(each: Booking, booking: Booking) -> bool:
    """Whether it takes some of the time that the other is for."""
    return each.busy is not None and each.busy[0] < booking.ask.end_ms and booking.ask.begin_ms < each.busy[1]


def _bookings(held: ThingBookings) -> list[Booking]:
    return [each.booking for each in held.reserved]
