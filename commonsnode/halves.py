"""What of a thing everybody reads and what members alone, decided before it is written.  SPEC.md, "Blurred places" and "Halves".

A place that only members may know exactly is written twice: the middle of its cell for everybody, the place itself into the
thing's half in lane `members`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import merge

from commonsnode.errors import WrongField
from commonsnode.governing import role_of
from commonsnode_protocol.authority import MEMBER, STEWARD
from commonsnode_protocol.authority.settings import GRID_M
from commonsnode_protocol.blurring import BLURRED_KINDS, GRID, blurred_place, is_blurred, position_of
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store.answers import HistoryEntry, RecordRef, RecordView
from commonsnode_store.errors import LaneNotFollowed
from commonsnode_store.shown import BESIDE, PLACE
from commonsnode_store.store import Store

AGENT, PERSON = "agent", "person"
KEEPERS = ("keeper_name", "keeper")


@dataclass(frozen=True, slots=True)
class Parted:
    """Fields by who reads them. blurred_m: the grid, where a place is blurred by it."""

    everybody: dict[str, Value]
    members: dict[str, Value]
    blurred_m: int | None = None


def grid_of(store: Store, community: bytes) -> int:
    """The grid of a community's charter, in metres."""
    table = store.authority(community).table
    return table.settings.grid_m if table is not None else GRID_M


def parted(kind: str, fields: Mapping[str, Value], grid_m: int, half: Mapping[str, Value]) -> Parted:
    """grid_m: 0 where places are to be exact for everybody. half: what the half of the record shows already.

    What members alone read of a thing goes on so when it is edited; to clear such a field clears it for all.
    """
    everybody: dict[str, Value] = {}
    members: dict[str, Value] = {}
    blurred_m = None
    for name, value in fields.items():
        if name == PLACE and kind in BLURRED_KINDS:
            exact = _without_grid(value, grid_m)
            everybody[name] = blurred_place(exact, grid_m)
            if everybody[name] != exact and not _says_no_more(exact, everybody[name]):
                members[name], blurred_m = exact, grid_m
            elif half.get(name) is not None:
                members[name] = None
        elif half.get(name) is not None:
            members[name] = value
            if value is None:
                everybody[name] = None
        else:
            everybody[name] = value
    return Parted(everybody, members, blurred_m)


def is_home(kind: str, fields: Mapping[str, Value]) -> bool:
    """Whether a place is likely somebody's home: of a thing that names its keeper, or of a person."""
    if kind == AGENT:
        return fields.get("type", PERSON) == PERSON
    return any(fields.get(name) is not None for name in KEEPERS)


def exposed(store: Store, community: bytes) -> list[RecordView]:
    """The things whose place is somebody's home, and is exact for everybody all the same."""
    if not grid_of(store, community):
        return []
    return [
        view
        for view in store.export(community)
        if view.lane != MEMBERS
        and view.kind in BLURRED_KINDS
        and not view.deleted
        and position_of(place := view.values.get(PLACE)) is not None
        and not is_blurred(place)
        and is_home(view.kind, view.values)
    ]


def half_of(ref: RecordRef) -> RecordRef:
    """What members alone read of a record."""
    return RecordRef(ref.community, MEMBERS, ref.kind, ref.record)


def half_shown(store: Store, ref: RecordRef, key: bytes) -> tuple[RecordView | None, Mapping[str, Value]]:
    """The half of a record as who writes with this key may read it, and what it shows with what they have held until it
    can be sealed.

    Who is no member learns nothing of a half, not even whether a guess is right.
    """
    half = half_of(ref)
    view = None
    if role_of(store.authority(ref.community), key) in (MEMBER, STEWARD):
        with suppress(LaneNotFollowed):
            view = store.record(half)
    held = next(
        (
            write.values
            for write in store.held_writes(ref.community)
            if write.ref == half and write.author == key
        ),
        {},
    )
    return view, {**(view.values if view is not None else {}), **held}


def held(store: Store, views: Sequence[RecordView]) -> dict[RecordRef, Mapping[str, Value]]:
    """Of these records: what is held of their halves here until it can be sealed."""
    waiting = {write.ref: write.values for write in store.held_writes()}
    if not waiting:
        return {}
    refs = [view.ref for view in views if view.lane != MEMBERS]
    return {ref: waiting[half_of(ref)] for ref in refs if half_of(ref) in waiting}


def whole_history(store: Store, ref: RecordRef) -> list[HistoryEntry]:
    """What was written to a record and, where that may be read, to its half."""
    half = store.half(ref)
    if half is None:
        return store.history(ref)
    entries = merge(store.history(ref), store.history(half), key=lambda entry: min(entry.time, entry.seen_ms))
    return [
        replace(entry, fields={n: v for n, v in entry.fields.items() if n != BESIDE}) for entry in entries
    ]


def begun(ref: RecordRef, fields: Mapping[str, Value]) -> dict[str, Value]:
    """The first write of a half."""
    return {BESIDE: ref.lane, **{name: value for name, value in fields.items() if value is not None}}


def is_kept(store: Store, community: bytes) -> bool:
    """Whether this node keeps what members alone read."""
    try:
        store.lane_state(community, MEMBERS)
    except LaneNotFollowed:
        return False
    return True


def check_kept(store: Store, community: bytes) -> None:
    """Raise WrongField where this node has no place for what members alone read."""
    if not is_kept(store, community):
        raise WrongField(
            PLACE,
            "this node does not follow the lane `members`, where the exact place would be kept. Follow it (community follow"
            " LINK --lanes members), or let everybody know the place (--exact-place, of an import --exact-places)",
        )


def _says_no_more(place: Value, middle: Value) -> bool:
    """Whether a place is the bare middle of its cell: read where it was blurred, and lost what says so on its way."""
    return isinstance(middle, dict) and place == {name: at for name, at in middle.items() if name != GRID}


def _without_grid(place: Value, grid_m: int) -> Value:
    """A place as it was typed. One that was read blurred and moved is not the middle of a cell any more."""
    if not isinstance(place, dict) or GRID not in place:
        return place
    if grid_m and blurred_place(place, grid_m) == place:
        return place
    return {name: value for name, value in place.items() if name != GRID}
