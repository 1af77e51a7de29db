"""What people do with single things: add, edit, remove, restore. For the writer thread, on an Author.

A write carries only what differs from what is shown, so that two people who edit different fields apart never conflict.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from commonsnode import halves
from commonsnode.authoring import Author, Seen, Written, check_fields, check_kind, superseding
from commonsnode.errors import Ambiguous, Unknown, WrongField
from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KNOWLEDGE, MEMBERS, PUBLIC
from commonsnode_protocol.kinds import BadField, as_stored, check_typed
from commonsnode_protocol.record import NONCE_BYTES, conflicts, typed_id
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.halves import joined
from commonsnode_store.shown import BESIDE
from commonsnode_store.store import Store

KIND = "resource"  # what a thing is, where nobody says otherwise
WRITTEN_LANES = (PUBLIC, KNOWLEDGE, MEMBERS)
NONCE, DELETED, TITLE = "nonce", "deleted", "title"
SHORT_ID_CHARS_MIN = 8


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did to one record. changeset: None where there was nothing to do."""

    record: bytes
    changeset: bytes | None
    waiting: bool
    changed: tuple[str, ...]
    why: str | None = None  # it is held here, since it cannot be sealed yet
    blurred_m: int | None = None  # to how many metres everybody else may know its place


def resolve(
    store: Store,
    prefix: str,
    *,
    community: bytes | None = None,
    kind: str | None = None,
    lane: str | None = None,
    void: bool = False,
) -> RecordRef:
    """The record whose id begins so. Raises Unknown, or Ambiguous with what would tell them apart.

    void: where there is none, also one of which nothing stands any more.
    """
    prefix = prefix.lower()
    if not 1 <= len(prefix) <= 32 or not set(prefix) <= set("0123456789abcdef"):
        raise Unknown(
            f"{prefix[:40]!r} is no id of a record: an id is 32 hexadecimal digits, or their beginning"
        )
    found = [r for r in store.find(prefix, community=community, kind=kind) if lane in (None, r.lane)]
    if not found:
        found = [
            write.ref
            for write in store.held_writes(community)
            if write.record.hex().startswith(prefix)
            and kind in (None, write.kind)
            and lane in (None, MEMBERS)
        ]
    if not found and void:
        every = store.find(prefix, community=community, kind=kind, void=True)
        found = [r for r in every if lane in (None, r.lane)]
    if not found:
        raise Unknown(f"no record here has an id that begins with {prefix}")
    if lane is None:
        found = _without_halves(found)
    if len(found) > 1:
        raise Ambiguous(
            f"more than one record has an id that begins with {prefix}",
            [f"{r.record.hex()} ({r.kind}, {r.lane}, community {r.community.hex()[:8]})" for r in found],
        )
    return found[0]


def add(
    author: Author,
    community: bytes,
    fields: Mapping[str, Value],
    *,
    kind: str = KIND,
    lane: str = PUBLIC,
    exact_place: bool = False,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Done:
    """A new record, of which this node is the creator. random_bytes: where its nonce comes from.

    exact_place: everybody may know where it is exactly.
    Raises WrongField, TooLarge and the store's errors.
    """
    check_kind(kind)
    if lane not in WRITTEN_LANES:
        raise WrongField("lane", f"one of {', '.join(WRITTEN_LANES)}")
    _check_editable(fields)
    _check_meaning(kind, fields, {})
    said = {name: value for name, value in as_stored(kind, fields).items() if value is not None}
    if not said:
        raise WrongField("fields", "at least one field with a value")
    nonce = random_bytes(NONCE_BYTES)
    ref = RecordRef(community, lane, kind, typed_id(community, author.key, nonce))
    if lane == MEMBERS:
        written = _first(author, ref, {**said, NONCE: nonce})
        return Done(ref.record, written.last, written.waiting, tuple(said), written.why)
    grid_m = 0 if exact_place else halves.grid_of(author.store, community)
    part = halves.parted(kind, said, grid_m, {})
    why = None
    if part.members:
        # First: a half alone shows nothing, but without it the exact place would be lost.
        halves.check_kept(author.store, community)
        why = _first(author, halves.half_of(ref), halves.begun(ref, part.members)).why
    written = _first(author, ref, {**part.everybody, NONCE: nonce})
    return Done(ref.record, written.last, written.waiting, tuple(said), why, part.blurred_m)


def edit(
    author: Author,
    ref: RecordRef,
    fields: Mapping[str, Value],
    *,
    lane: str | None = None,
    exact_place: bool = False,
) -> Done:
    """Write those fields that differ from what is shown, and those that have a conflict, which this resolves.

    fields: None clears. lane: `members` for what only members are to read of a thing that everybody reads.
    exact_place: everybody may know where it is exactly. Raises WrongField, Unknown, TooLarge and the store's errors.
    """
    _check_editable(fields)
    fields = as_stored(ref.kind, fields)
    if lane not in (None, ref.lane, MEMBERS):
        raise WrongField("lane", f"this record is in lane {ref.lane}: an edit is for that, or for members")
    view = author.store.record(ref)
    half, shown = halves.half_shown(author.store, ref, author.key) if ref.lane != MEMBERS else (None, {})
    if view is not None:
        whole = joined(view, half)
        _check_meaning(ref.kind, {n: v for n, v in fields.items() if differs(whole, n, v)}, whole.values)
    if ref.lane == MEMBERS:
        return _write(author, ref, view, fields)
    if lane == MEMBERS:
        return _write_half(author, ref, half, fields)
    grid_m = 0 if exact_place else halves.grid_of(author.store, ref.community)
    part = halves.parted(ref.kind, fields, grid_m, shown)
    done = Done(ref.record, None, False, ())
    if part.members:
        done = _write_half(author, ref, half, part.members)
    if part.everybody:
        public = _write(author, ref, view, part.everybody)
        changed = tuple(dict.fromkeys((*done.changed, *public.changed)))
        done = Done(ref.record, public.changeset or done.changeset, public.waiting, changed, done.why)
    return replace(done, blurred_m=part.blurred_m)


def remove(author: Author, ref: RecordRef) -> Done:
    """Mark a record as removed. It keeps its fields and its history, and can be restored."""
    return _write(author, ref, author.store.record(ref), {DELETED: True})


def restore(author: Author, ref: RecordRef) -> Done:
    """Take back a removal."""
    return _write(author, ref, author.store.record(ref), {DELETED: None})


def shown(store: Store, ref: RecordRef) -> RecordView:
    """A record with its half, as it stands. Raises Unknown where nothing of it does."""
    view = store.whole(ref)
    if view is None:
        raise Unknown(f"nothing of {ref.record.hex()[:8]} stands here yet")
    return view


def held_values(store: Store, ref: RecordRef) -> Mapping[str, Value] | None:
    """What is held of a record until it can be sealed; none where nothing is."""
    if ref.lane != MEMBERS:
        return None
    return next((write.values for write in store.held_writes(ref.community) if write.ref == ref), None)


def same(a: Value, b: Value) -> bool:
    """Whether two values are one on the wire; Python also holds True == 1."""
    if type(a) is not type(b) or a != b:
        return False
    return not isinstance(a, list | dict) or canonical.encode(a) == canonical.encode(b)


def differs(view: RecordView, name: str, value: Value) -> bool:
    """Whether `value` is something else than what is shown in a field; a field without a value shows None."""
    standing = view.fields.get(name)
    return not same(value, standing[0].value if standing else None)


def _check_editable(fields: Mapping[str, Value]) -> None:
    check_fields(fields)
    if NONCE in fields:
        raise WrongField(NONCE, "names the creator of a record, and is never edited")
    if BESIDE in fields:
        raise WrongField(BESIDE, "says of what a half is a half, and is never edited")
    if DELETED in fields:
        raise WrongField(DELETED, "is set by removing a record, and cleared by restoring it")


def _check_meaning(kind: str, typed: Mapping[str, Value], standing: Mapping[str, Value]) -> None:
    """What already stands is not judged: it may be a peer's, of a version that means something else by it."""
    try:
        check_typed(kind, typed, standing)
    except BadField as error:
        raise WrongField(error.field, error.problem) from error


def _without_halves(found: Sequence[RecordRef]) -> list[RecordRef]:
    """A half is not another record than the one that it adds to."""
    whole = {halves.half_of(ref) for ref in found if ref.lane != MEMBERS}
    return [ref for ref in found if ref not in whole]


def _first(author: Author, ref: RecordRef, fields: Mapping[str, Value]) -> Written:
    """The first write of a record."""
    writes = {name: (value, ()) for name, value in fields.items() if value is not None}
    return author.write(ref.community, ref.lane, [(ref.record, ref.kind, writes)])


def _write_half(author: Author, ref: RecordRef, half: RecordView | None, fields: Mapping[str, Value]) -> Done:
    """What members alone are to read of a record."""
    half_ref = halves.half_of(ref)
    if half is not None or held_values(author.store, half_ref) is not None:
        return _write(author, half_ref, half, fields)
    halves.check_kept(author.store, ref.community)
    said = {name: value for name, value in fields.items() if value is not None}
    if not said:
        return Done(ref.record, None, False, ())
    written = _first(author, half_ref, halves.begun(ref, said))
    return Done(ref.record, written.last, written.waiting, tuple(said), written.why)


def _unsent(author: Author, view: RecordView) -> set[str]:
    """The fields that show what this node wrote while it had no role, where it has one again: nobody else gets that."""
    if not view.waiting or not author.store.authority(view.community).writes(author.key):
        return set()
    shown = {name: writes[0].changeset for name, writes in view.fields.items()}
    standing = author.store.standing(list(shown.values()))
    return {name for name, changeset in shown.items() if changeset not in standing}


def _write(author: Author, ref: RecordRef, view: RecordView | None, fields: Mapping[str, Value]) -> Done:
    held = held_values(author.store, ref)
    if view is None and held is None:
        raise Unknown(f"no record {ref.record.hex()} here")
    if view is None:
        view = RecordView(ref.community, ref.lane, ref.kind, ref.record, {}, False, True, author.now_ms)
    unsent = _unsent(author, view) | (held or {}).keys()
    changed = {
        name: value
        for name, value in fields.items()
        if name in unsent or differs(view, name, value) or conflicts(list(view.fields.get(name, ())))
    }
    if not changed:
        return Done(ref.record, None, view.waiting, ())
    seen: list[Seen] = [(ref.record, ref.kind, name, view.fields.get(name, ())) for name in changed]
    superseded = superseding(author.store, ref.community, ref.lane, seen)
    writes = {name: (value, ids) for (name, value), ids in zip(changed.items(), superseded, strict=True)}
    written = author.write(ref.community, ref.lane, [(ref.record, ref.kind, writes)])
    return Done(ref.record, written.last, written.waiting, tuple(changed), written.why)
