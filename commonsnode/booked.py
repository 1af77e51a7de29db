"""One reservation among all that is reserved of its thing: who decides on it, what is taken, by what it was made longer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from commonsnode.errors import Unknown
from commonsnode.lending import THING
from commonsnode_protocol.bookings import Ask, Booking, State
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.idle import Busy, taken
from commonsnode_protocol.kits import parts_of
from commonsnode_store.answers import RecordRef
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

EXTENSIONS_MAX = 256  # of one loan


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


def found(store: Store, ref: RecordRef) -> Found:
    """Raises Unknown where there is no such reservation."""
    both = store.reservation(ref.community, ref.record)
    if both is None:
        raise Unknown(f"{ref.record.hex()[:8]} is no reservation: nothing that it says asks for a thing")
    held, reserved = both
    return Found(replace(ref, lane=reserved.lane), held, reserved)


def whole_of(store: Store, of: Found) -> list[Found]:
    """A reservation; of a kit, also those of its parts, which were asked for with it."""
    values = store.records(of.thing.community, of.thing.lane, THING, [of.thing.record])
    if of.thing.record not in values or not parts_of(values[of.thing.record].values):
        return [of]
    return [
        of,
        *(
            Found(RecordRef(of.ref.community, each.lane, KIND, each.booking.ask.record), held, each)
            for held, each in store.reserved_together(of.ref.community, of.ask.changeset)
            if held.resource != of.held.resource
        ),
    ]


def busy_of(held: ThingBookings, without: Iterable[bytes] = ()) -> list[Busy]:
    """What is taken of a thing, but for some asks."""
    left_out = set(without)
    return [
        Busy(*booking.busy, booking.ask.amount)
        for booking in (each.booking for each in held.reserved)
        if booking.busy is not None and booking.ask.changeset not in left_out
    ]


def keeps(held: ThingBookings, key: bytes) -> bool:
    keeper = held.custody.keeper
    return keeper is not None and held.rules.people.same(key, keeper)


def is_asked(held: ThingBookings, key: bytes) -> bool:
    """Whether this is whom one asks for it: its keeper; of a thing that nobody keeps, as an import brings it, a steward."""
    if held.custody.keeper is None:
        return held.rules.people.seniority(key) is not None
    return keeps(held, key)


def is_free(held: ThingBookings, ask: Ask) -> bool:
    """Whether what is asked for could be had, as far as reservations of others go."""
    spans = taken(busy_of(held, [ask.changeset]), 0, ask.amount, held.rules.capacity)
    return not any(begin < ask.end_ms and ask.begin_ms < end for begin, end in spans)


def extensions(
    held: ThingBookings, ask: Ask, begins: Mapping[int, Sequence[Reserved]] | None = None
) -> list[Reserved]:
    """The asks by which this loan was made longer, each from the end of the one before. begins: by_begin, where it is known."""
    begins = by_begin(held) if begins is None else begins
    result: list[Reserved] = []
    at = ask
    while len(result) < EXTENSIONS_MAX:
        following = [
            each
            for each in begins.get(at.end_ms, ())
            if at.changeset in each.booking.ask.refs
            and held.rules.people.same(each.booking.ask.author, at.author)
            and each.booking.state not in (State.CANCELLED, State.DECLINED)
        ]
        if not following:
            break
        result.append(following[0])
        at = following[0].booking.ask
    return result


def by_begin(held: ThingBookings) -> dict[int, list[Reserved]]:
    """What is reserved of a thing, by when it begins."""
    found: dict[int, list[Reserved]] = {}
    for each in held.reserved:
        found.setdefault(each.booking.ask.begin_ms, []).append(each)
    return found


def overdue(held: ThingBookings, booking: Booking, now_ms: int) -> bool:
    """Whether it is out for longer than was asked for, and promised."""
    if not booking.overdue(now_ms):
        return False
    longer = [each.booking for each in extensions(held, booking.ask)]
    promised = [each for each in longer if each.state in (State.CONFIRMED, State.OUT)]
    return all(now_ms > each.ask.end_ms for each in promised)
