"""Records: how their ids are made, and their state as multi-value registers.  SPEC.md, "Records" (rules 29 to 31).

The value of a field is every write to it that no other write supersedes: a function of the set of changesets, whatever the
order in which they came. Source: multi-value register, Shapiro et al. 2011, "A comprehensive study of Convergent and
Commutative Replicated Data Types", section 3.2.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES, Changeset

NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """Where a record's registers live; the same id in another lane or kind is another record (rule 29)."""

    record: bytes
    kind: str
    lane: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One write that nothing supersedes."""

    time: int  # ms since 1970, as its author had it
    changeset: bytes
    author: bytes
    value: Value


State: TypeAlias = dict[RecordKey, dict[str, list[Standing]]]  # the writes of a field: the shown one first


def typed_id(community: bytes, author: bytes, nonce: bytes) -> bytes:
    """The id of what a person types; `nonce` (16 random bytes) is also the field `nonce` of the first write."""
    return _record_id(["record/typed/1", community, author, nonce])


def imported_id(community: bytes, kind: str, source: str, key: str) -> bytes:
    """The id of a row of a file: the same at every node that imports the same row."""
    return _record_id(["record/imported/1", community, kind, source, key])


def contact_id(community: bytes, person: bytes) -> bytes:
    """The id of a person's one record of contact details, whichever of their keys writes it."""
    return _record_id(["record/contact/1", community, person])


def _record_id(parts: list[Value]) -> bytes:
    return blake2b(canonical.pack(parts), digest_size=RECORD_BYTES).digest()


def state(changesets: Iterable[Changeset]) -> State:
    """The state of a set of changesets of one community, all at once: the definition that stores are checked against."""
    written: dict[tuple[RecordKey, str], dict[bytes, Standing]] = {}
    superseded: dict[tuple[RecordKey, str], set[bytes]] = {}
    for changeset in changesets:
        for record, kind, fields in changeset.changes:
            key = RecordKey(record, kind, changeset.lane)
            for field, (value, supersedes) in fields.items():
                write = Standing(changeset.time, changeset.id, changeset.author, value)
                written.setdefault((key, field), {})[changeset.id] = write
                superseded.setdefault((key, field), set()).update(changeset.refs[i] for i in supersedes)
    result: State = {}
    for (key, field), writes in written.items():
        live = [write for of, write in writes.items() if of not in superseded[key, field]]
        result.setdefault(key, {})[field] = in_order(live)
    return result


def in_order(writes: Iterable[Standing]) -> list[Standing]:
    """Greatest (time, id) first: the first is what is shown, the others are its conflicts."""
    return sorted(writes, key=lambda write: (write.time, write.changeset), reverse=True)


def conflicts(writes: list[Standing]) -> list[Standing]:
    """The writes beside the shown one that say something else; equal concurrent values are one value (rule 30)."""
    seen = [writes[0].value] if writes else []
    others = []
    for write in writes[1:]:
        if not any(_same(write.value, value) for value in seen):
            seen.append(write.value)
            others.append(write)
    return others


def _same(a: Value, b: Value) -> bool:
    # Python holds True == 1; the wire does not.
    return a == b and canonical.pack(a) == canonical.pack(b)
