"""Reservations as a calendar that other programs subscribe to (RFC 5545): what stands as events, and when a thing is taken.

The same reservations give the same bytes, so that who asks again need not be sent them again. The library `icalendar` folds lines
and escapes text; what people wrote is cut to a length and has no control characters before it gets there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby

from commonsnode.asking.times import day_of
from commonsnode.asking.zones import zone_called
from commonsnode.booked import busy_of, keeps
from commonsnode.lending import THING
from commonsnode.reservations import Both
from commonsnode.reserving import ALL_DAY, NOTE, ZONE
from commonsnode_protocol.bookings import State
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.idle import Span, merged, taken
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

PRODUCT = "-//Commons Node//commonsnode//EN"
STANDING = (State.ASKED, State.CONFIRMED, State.OUT)
EVENTS_MAX = 1_000  # the next ones; of a thing as many spans that are taken
PAST_DAYS = 30  # so long after its end a reservation is still in the calendar
TEXT_CHARS_MAX = 1_000
KEPT_MAX = 16  # calendars that were written lately
REFRESH = timedelta(hours=1)  # how often programs are asked to look again
DAY_MS = 86_400_000
LAST_MS = 253_370_764_800_000  # the year 9999: calendars have no later days

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_E7 = 10_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One reservation. begin, end: days where it is for whole days, the end not included; else moments."""

    uid: str
    changed: datetime
    begin: date | datetime
    end: date | datetime
    title: str
    about: str
    where: str | None
    at: tuple[float, float] | None
    certain: bool


def entries(store: Store, found: Iterable[Both], now_ms: int, reader: bytes | None = None) -> list[Entry]:
    """Those of these reservations that stand and are not long past, the earliest first. reader: whose calendar it is."""
    since = _since(now_ms)
    standing = [
        (held, each)
        for held, each in {each.booking.ask.changeset: (held, each) for held, each in found}.values()
        if each.booking.state in STANDING
        and (each.booking.ask.end_ms > since or each.booking.state is State.OUT)
        and 0 <= each.booking.ask.begin_ms < each.booking.ask.end_ms <= LAST_MS
    ]
    standing.sort(key=lambda both: (both[1].booking.ask.begin_ms, both[1].booking.ask.changeset))
    del standing[EVENTS_MAX:]
    asks, things = _asks(store, standing), _things(store, standing)
    return [
        _entry(held, each, asks.get(_ask(held, each)), things.get((held.community, held.resource)), reader)
        for held, each in standing
    ]


def spans_taken(held: ThingBookings, now_ms: int) -> list[Span]:
    """When nothing of a thing is left, from some time ago on."""
    rules, since = held.rules, _since(now_ms)
    least = min((busy.amount for busy in busy_of(held)), default=rules.capacity)
    spans = merged(taken(busy_of(held), 0, min(least, rules.capacity), rules.capacity))
    return [(max(begin, 0), end) for begin, end in spans if end > since and end <= LAST_MS][:EVENTS_MAX]


def written(name: str, found: Sequence[Entry], thing: tuple[str, Sequence[Span]] | None = None) -> bytes:
    """The calendar. thing: of one thing its id, and when it is taken."""
    return _written(name, tuple(found), None if thing is None else (thing[0], tuple(thing[1])))


# The library takes 0.2 ms for an event, and programs ask again and again for what has not changed.
@lru_cache(maxsize=KEPT_MAX)
def _written(name: str, found: tuple[Entry, ...], thing: tuple[str, tuple[Span, ...]] | None) -> bytes:
    from icalendar import (  # a tenth of a second, at the first calendar that is asked for
        Calendar,
        Event,
        FreeBusy,
        vText,
    )

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    for property_ in ("name", "x-wr-calname"):  # the library knows of neither that it is text
        calendar.add(property_, vText(line(name)))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in found:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", entry.changed)
        event.add("last-modified", entry.changed)
        event.add("dtstart", entry.begin)
        event.add("dtend", entry.end)
        event.add("summary", entry.title)
        event.add("description", entry.about)
        event.add("status", "CONFIRMED" if entry.certain else "TENTATIVE")
        if entry.where is not None:
            event.add("location", entry.where)
        if entry.at is not None:
            event.add("geo", entry.at)
        calendar.add_component(event)
    if thing is not None:
        id_, spans = thing
        busy = FreeBusy()
        busy.add("uid", f"taken-{id_}@commonsnode")
        busy.add("dtstamp", max((entry.changed for entry in found), default=_EPOCH))
        for begin, end in spans:
            busy.add("freebusy", (_moment(begin), _moment(end)), parameters={"FBTYPE": "BUSY"})
        calendar.add_component(busy)
    return bytes(calendar.to_ical())


def plain(text: str) -> str:
    """Text without control characters but for ends of lines, and no longer than a calendar shows."""
    kept = "".join(char if char.isprintable() or char == "\n" else " " for char in text[:TEXT_CHARS_MAX])
    return kept.strip()


def line(text: str) -> str:
    """As `plain`, in one line."""
    return " ".join(plain(text).split())


def _since(now_ms: int) -> int:
    """From the beginning of a day on, so that the same calendar is the same all day."""
    return now_ms - now_ms % DAY_MS - PAST_DAYS * DAY_MS


def _entry(
    held: ThingBookings,
    reserved: Reserved,
    ask: RecordView | None,
    thing: RecordView | None,
    reader: bytes | None,
) -> Entry:
    booking = reserved.booking
    said = ask.values if ask is not None else {}
    begin_ms, end_ms = booking.ask.begin_ms, booking.ask.end_ms
    title = line(thing.title) if thing is not None else held.resource.hex()[:8]
    if reader is not None and keeps(held, reader) and not held.rules.people.same(booking.ask.author, reader):
        title = (
            f"{title} (lent to somebody)" if booking.state is not State.ASKED else f"{title} (asked of you)"
        )
    elif booking.state is State.ASKED:
        title = f"{title} (asked for)"
    amount = f"\nAmount: {booking.ask.amount:f}" if booking.ask.amount != 1 else ""
    note = said.get(NOTE)
    about = f"State: {booking.state}{amount}" + (f"\n{plain(note)}" if isinstance(note, str) else "")
    zone = zone_called(str(said.get(ZONE))) if said.get(ALL_DAY) is True and said.get(ZONE) else None
    begin: date | datetime = _moment(begin_ms)
    end: date | datetime = _moment(end_ms)
    if zone is not None:
        begin, end = day_of(begin_ms, zone), day_of(end_ms - 1, zone) + timedelta(days=1)
    changed = [
        booking.ask.effective_ms,
        *(acted.effective_ms for acted in held.acts_on(booking.ask.changeset)),
    ]
    return Entry(
        uid=f"{booking.ask.changeset.hex()}@commonsnode",
        changed=_moment(min(max(changed), LAST_MS)),
        begin=begin,
        end=end,
        title=title,
        about=about,
        where=_where(thing),
        at=_at(thing),
        certain=booking.state is not State.ASKED,
    )


def _ask(held: ThingBookings, reserved: Reserved) -> tuple[bytes, str, bytes]:
    return held.community, reserved.lane, reserved.booking.ask.record


def _asks(store: Store, found: Sequence[Both]) -> dict[tuple[bytes, str, bytes], RecordView]:
    keys = sorted(_ask(held, each) for held, each in found)
    return {
        (community, lane, record): view
        for (community, lane), group in groupby(keys, key=lambda key: key[:2])
        for record, view in store.records(community, lane, KIND, [key[2] for key in group]).items()
    }


def _things(store: Store, found: Sequence[Both]) -> Mapping[tuple[bytes, bytes], RecordView]:
    things = {}
    for held in {(held.community, held.resource): held for held, _ in found}.values():
        if held.lane is not None:
            view = store.whole(RecordRef(held.community, held.lane, THING, held.resource))
            if view is not None:
                things[held.community, held.resource] = view
    return things


def _place(thing: RecordView | None) -> Mapping[str, Value]:
    place = thing.values.get("place") if thing is not None else None
    return place if isinstance(place, dict) else {}


def _where(thing: RecordView | None) -> str | None:
    name = _place(thing).get("name")
    return line(name) or None if isinstance(name, str) else None


def _at(thing: RecordView | None) -> tuple[float, float] | None:
    lat, lon = _place(thing).get("lat"), _place(thing).get("lon")
    return (lat / _E7, lon / _E7) if type(lat) is int and type(lon) is int else None


def _moment(at_ms: int) -> datetime:
    return _EPOCH + timedelta(seconds=at_ms // 1_000)
