"""How asks and acts become changesets: what they name of what was written before, so that it is not in their way.  SPEC.md, "Reservations"."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from commonsnode.authoring import SUPERSEDED_MAX, Author, Entry, superseding
from commonsnode.booked import Found
from commonsnode_protocol.bookings import Act, Acted, State
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.clock import writer_time
from commonsnode_protocol.commitments import KIND
from commonsnode_store.reserved import ThingBookings

ENDINGS_MAX = SUPERSEDED_MAX // 4  # of others, that one ask or confirmation refs; the latest of more
NOTHING: Mapping[str, Value] = MappingProxyType({})

Written: TypeAlias = tuple[bytes, str, dict[str, tuple[Value, list[bytes]]]]

ENDED = {State.CANCELLED: Act.CANCELLED, State.DECLINED: Act.DECLINED, State.RETURNED: Act.RETURNED}
_RAISING = (Act.CONFIRMED, Act.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act. changed: whether there was anything to do. why: it is held, since it cannot be sealed yet."""

    changed: bool = False
    why: str | None = None
    displaces: tuple[bytes, ...] = ()  # reservations of others that stood, and do not any more


def write_act(
    author: Author, of: Sequence[Found], act: Act, value: Value, more: Mapping[str, Value] = NOTHING
) -> Done:
    """Write the same act to some reservations of one lane, in one changeset. more: written beside it to the first."""
    if not of:
        return Done()
    entries: list[Entry] = []
    for n, each in enumerate(of):
        ref, ask = each.ref, each.ask
        view = author.store.record(ref)
        fields = {act.value: value, **(more if n == 0 else NOTHING)}
        seen = [
            (ref.record, KIND, name, view.fields.get(name, ()) if view is not None else ()) for name in fields
        ]
        superseded = superseding(author.store, ref.community, ref.lane, seen)
        named = [ask.changeset]
        if act in _RAISING:
            named += endings(each.held, ref.lane, ask.begin_ms, ask.end_ms, max(1, ENDINGS_MAX // len(of)))
        written = entry(ref.record, fields, named)
        for name, ids in zip(fields, superseded, strict=True):
            value_of, refs = written[2][name]
            written[2][name] = value_of, [*ids, *refs]
        entries.append(written)
    done = author.write(of[0].ref.community, of[0].ref.lane, entries)
    return Done(True, done.why)


def entry(record: bytes, fields: Mapping[str, Value], refs: Sequence[bytes]) -> Written:
    """The writes to a reservation. What is to be in the refs stands as superseded, spread over the fields: no write of it is in
    these registers, so nothing else follows from that (SPEC.md, "State")."""
    writes: dict[str, tuple[Value, list[bytes]]] = {name: (value, []) for name, value in fields.items()}
    names = list(fields)
    for n, ref in enumerate(dict.fromkeys(refs)):
        writes[names[n % len(names)]][1].append(ref)
    return record, KIND, writes


def next_time(author: Author, community: bytes, lane: str, refs: Collection[bytes]) -> int:
    """The time that the next changeset of this author has which names these."""
    times = [time for _, time in author.store.heads(community, lane, author.key)]
    times += [time for _, time, _ in author.store.facts(list(refs)).values()]
    return writer_time(author.now_ms, times)


def endings(
    held: ThingBookings, lane: str, begin_ms: int, end_ms: int, most: int = ENDINGS_MAX
) -> list[bytes]:
    """What ended of others in this span: an ask, a confirmation, a hand-over refs it, so that it is not in their way (rule 35).

    Nothing of another lane is named (rule 1).
    """
    ended = {
        each.booking.ask.changeset: each.booking
        for each in held.reserved
        if each.booking.state in ENDED
        and each.lane == lane
        and each.booking.ask.begin_ms < end_ms
        and begin_ms < each.booking.ask.end_ms
    }
    by_ask: dict[bytes, Acted] = {}
    for acted in held.acts:
        booking = ended.get(acted.ask)
        if booking is not None and acted.act is ENDED[booking.state] and acted not in booking.no_effect:
            by_ask.setdefault(acted.ask, acted)
    latest = sorted(by_ask.values(), key=lambda acted: acted.effective_ms, reverse=True)
    return [acted.changeset for acted in latest[:most]]
