"""A thing that lies in two lanes, shown as one: what members alone read of it has the same id and kind in lane `members`.

Such a half (`shown.is_half`) adds to what everybody reads, and its value of a field goes before. They are merged when they
are read, and never kept so: who cannot read the one has to come to the same state of the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store import reading, shown
from commonsnode_store.answers import RecordView
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Lane

_ITS_OWN = (shown.BESIDE, shown.NONCE, shown.DELETED)  # what a half says of itself alone

_Of = tuple[bytes, str, bytes]  # community, kind, record id


def whole(db: Connection, lanes: Sequence[Lane], views: Sequence[RecordView]) -> list[RecordView]:
    """These records, each with its half; a record of lane `members` whose other half is here is left out.

    lanes: those that may be looked at.
    """
    in_members = _twins(db, [lane for lane in lanes if lane.name == MEMBERS], views)
    elsewhere = _twins(
        db,
        [lane for lane in lanes if lane.name in shown.HALVES_OF],
        [view for view in views if view.lane == MEMBERS],
    )
    return [
        joined(view, in_members.get(_of(view))) if view.lane != MEMBERS else view
        for view in views
        if view.lane != MEMBERS or _of(view) not in elsewhere
    ]


def joined(view: RecordView, half: RecordView | None) -> RecordView:
    """What everybody reads, with what members alone do over it. What these cleared shows what everybody reads."""
    if half is None:
        return view
    over = {
        name: writes
        for name, writes in half.fields.items()
        if name not in _ITS_OWN and (writes[0].value is not None or name not in view.fields)
    }
    return replace(
        view,
        fields={**view.fields, **over},
        waiting=view.waiting or half.waiting,
        changed_ms=max(view.changed_ms, half.changed_ms),
        members_only=frozenset(over),
    )


def each_whole(views: Iterable[RecordView]) -> Iterator[RecordView]:
    """The same of records of one community in the order of (id, kind)."""
    for _, group in groupby(views, _of):
        same = list(group)
        half = next((view for view in same if view.lane == MEMBERS), None)
        others = [view for view in same if view.lane != MEMBERS]
        if others:
            yield from (joined(view, half) for view in others)
        elif half is not None and not shown.is_half(half.values):
            yield half


def _twins(db: Connection, lanes: Iterable[Lane], views: Iterable[RecordView]) -> dict[_Of, RecordView]:
    """The records of these lanes that have the id and kind of one of the views."""
    wanted: dict[tuple[bytes, str], list[bytes]] = defaultdict(list)
    for view in views:
        wanted[view.community, view.kind].append(view.record)
    found: dict[_Of, RecordView] = {}
    for lane in lanes:
        for (community, kind), ids in wanted.items():
            if community == lane.community:
                found |= {_of(view): view for view in reading.bulk(db, lane, kind, ids).values()}
    return found


def _of(view: RecordView) -> _Of:
    return view.community, view.kind, view.record
