"""Kits: when all parts of a thing are free with it, and what was asked for together.  SPEC.md, "Kits"."""

from collections.abc import Iterator, Mapping, Sequence

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_protocol.commitments import said as wishes_in
from commonsnode_protocol.kits import parts_of
from commonsnode_store import idleness, registers, shown
from commonsnode_store.asked import WantedSpan
from commonsnode_store.connections import Connection
from commonsnode_store.idleness import Customs
from commonsnode_store.models import Models
from commonsnode_store.reserved import THING, Reserved, ThingBookings, Where, bookings
from commonsnode_store.said import said
from commonsnode_store.schema import BENEATH, VOID
from commonsnode_store.standing import read_changeset

_Spans = Sequence[tuple[int, int]]

_SHOWN = f"""
    select registers, lanes.name from records cross join lanes on lanes.no = records.lane
    where community = ? and id = ? and status <> {BENEATH} and kind = (select no from kinds where name = '{THING}')
    order by lanes.name = 'members'"""
_ASKED = f"select id, codec, body from changesets where id = ? and lane = ? and standing <> {VOID}"


def free_spans(
    db: Connection,
    community: int,
    record: bytes,
    lane: str,
    values: Mapping[str, Value],
    models: Models,
    span: WantedSpan,
    customs: Customs,
) -> _Spans | None:
    """The free spans of a thing of this lane, and of all its parts with it, inside of what is wanted; None where not all are free for it.

    A part of which nothing is here says nothing; so it is open always, and lent when it is reserved.
    """
    found: _Spans | None = idleness.free_spans(
        db, community, record, values, models.lending(community, lane, values), span, customs
    )
    for part, amount in parts_of(values).items():
        if found is None:
            return None
        its, of_lane = _values(db, community, part)
        if shown.is_deleted(its):
            return None
        model = models.lending(community, of_lane, its)
        free = idleness.free_spans(db, community, part, its, model, span, customs, amount=amount)
        found = list(_in_both(found, free)) if free is not None else None
    return found


def together(db: Connection, at: Where, ask: bytes) -> Iterator[tuple[ThingBookings, Reserved]]:
    """What one changeset asked for, by the ids of its records: a kit and its parts, or one thing alone. Raises Damaged."""
    for lane in at.lanes:
        for id_, codec, body in db.execute(_ASKED, (ask, lane.no)):
            wishes = wishes_in(said(db, read_changeset(db, id_, codec, body))).wishes
            for resource in dict.fromkeys(wish.resource for wish in wishes):
                thing = bookings(db, at, resource)
                yield from ((thing, each) for each in thing.reserved if each.booking.ask.changeset == ask)


def _values(db: Connection, community: int, thing: bytes) -> tuple[dict[str, Value], str]:
    """What is shown of a thing here, with what members alone read of it; and the lane that it is in for most."""
    values: dict[str, Value] = {}
    lanes: list[str] = []
    for blob, lane in db.execute(_SHOWN, (community, thing)):
        values.update(registers.shown(registers.load(thing, blob)))
        lanes.append(lane)
    return values, lanes[0] if lanes else PUBLIC


def _in_both(some: _Spans, others: _Spans) -> Iterator[tuple[int, int]]:
    for begin, end in some:
        for other_begin, other_end in others:
            if other_begin < end and begin < other_end:
                yield max(begin, other_begin), min(end, other_end)
