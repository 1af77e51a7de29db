"""The registers of one record: how writes are merged into them, and the blob that a row keeps of them.

In memory: the live writes (those that no other write supersedes), grouped by the changeset that wrote them. As a blob:
MessagePack of [[changeset no, {field: value}], …], the groups by (time, id) of their changesets with the greatest first,
then CRC-32 over record id and MessagePack. Fields that many records have are written by number (`NAMES`), which saves a
sixth; up to format 6 of the file they were not, and what is there from then stays good. So the shown value of a field is that of the first group that has the field.
Grouping by changeset rather than by field costs one number a changeset, where a number for each field cost a fifth of
the blob. The definition that this is checked against is `commonsnode_protocol.record.state` (rules 29 and 30).
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias, cast
from zlib import crc32

import msgpack

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Write
from commonsnode_store.errors import Damaged

Live: TypeAlias = dict[int, dict[str, Value]]  # changeset no → field → value
Ordered: TypeAlias = Sequence[tuple[int, Mapping[str, Value]]]  # the same, the shown ones first

CRC_BYTES = 4
# The number of a field is its place here. Blobs hold it: add at the end, and change nothing. No more than 128.
NAMES = (
    *("title", "description", "category", "place", "amount", "unit", "condition", "nonce", "deleted"),
    *("keeper", "keeper_name", "hours", "lending", "out_for_maintenance", "specification", "agreement"),
    *("licence", "licensor", "website", "zone", "type", "note", "resource", "from", "until", "all_day"),
    *("quantity", "confirmed", "declined", "cancelled", "handed_over", "returned", "fulfills", "action"),
    *("at", "by", "corrects", "direction", "terms", "language", "process", "repository", "version"),
    *("landuse", "tenure", "areas", "adopted_by", "beside"),
)
_NUMBERS: Mapping[str, int | str] = {name: number for number, name in enumerate(NAMES)}
_NOTHING: frozenset[str] = frozenset()


class _Packers(threading.local):
    """One packer a thread: it serves one at a time, and making one costs more than what it packs here."""

    def __init__(self) -> None:
        self.pack: Callable[[object], bytes] = msgpack.Packer(use_bin_type=True, autoreset=True).pack


_packers = _Packers()


def merge(
    live: Live,
    changeset: int,
    writes: Mapping[str, Write],
    ref_nos: Sequence[int],
    dead: Collection[str] = _NOTHING,
) -> None:
    """Merge what one changeset writes to this record.

    ref_nos: the number of each of the changeset's refs; any number that is not in `live` where it has none.
    dead: the fields in which a changeset that came earlier supersedes this one.
    """
    own: dict[str, Value] = {}
    for field, (value, supersedes) in writes.items():
        for index in supersedes:
            older = live.get(ref_nos[index])
            if older is not None and field in older:
                del older[field]
                if not older:
                    del live[ref_nos[index]]
        if field not in dead:
            own[field] = value
    if own:
        live[changeset] = own


def from_scratch(writes: Iterable[tuple[int, bytes, Sequence[bytes], Mapping[str, Write]]]) -> Live:
    """The live writes to one record out of all that were ever written to it, in any order.

    writes: for each changeset its number, id and refs, and what it writes to this record.
    """
    written: Live = {}
    ids: dict[int, bytes] = {}
    superseded: dict[str, set[bytes]] = defaultdict(set)
    for no, id_, refs, fields in writes:
        ids[no] = id_
        written[no] = {field: value for field, (value, _) in fields.items()}
        for field, (_, supersedes) in fields.items():
            superseded[field].update(refs[index] for index in supersedes)
    live = {
        no: {field: value for field, value in fields.items() if ids[no] not in superseded[field]}
        for no, fields in written.items()
    }
    return {no: fields for no, fields in live.items() if fields}


def dump(record: bytes, ordered: Ordered) -> bytes:
    """The blob of a row. `ordered` as said at the top of this module, fields ascending."""
    number = _NUMBERS.get
    if len(ordered) == 1:  # as of most records
        no, fields = ordered[0]
        return _sealed(record, ((no, {number(name, name): value for name, value in fields.items()}),))
    return _sealed(
        record, [(no, {number(name, name): value for name, value in of.items()}) for no, of in ordered]
    )


def dump_spelled(record: bytes, ordered: Ordered) -> bytes:
    """The blob as it was up to format 6."""
    return _sealed(record, ordered)


def _sealed(record: bytes, groups: object) -> bytes:
    packed = _packers.pack(groups)
    return packed + crc32(packed, crc32(record)).to_bytes(CRC_BYTES, "big")


def load(record: bytes, blob: bytes) -> list[tuple[int, dict[str, Value]]]:
    """What `dump` wrote, now or formerly. Raises Damaged when a bit is different."""
    packed = blob[:-CRC_BYTES]
    if crc32(packed, crc32(record)) != int.from_bytes(blob[-CRC_BYTES:], "big"):
        raise Damaged("records", f"the registers of record {record.hex()} are not what was written")
    groups = cast(
        list[tuple[int, dict[str | int, Value]]], msgpack.unpackb(packed, raw=False, strict_map_key=False)
    )
    return [
        (no, {name if type(name) is str else NAMES[name]: value for name, value in of.items()})  # type: ignore[index]
        for no, of in groups
    ]


def shown(ordered: Iterable[tuple[int, Mapping[str, Value]]]) -> Mapping[str, Value]:
    """The shown value of each field, fields ascending."""
    groups = list(ordered)
    if len(groups) == 1:
        return groups[0][1]
    values: dict[str, Value] = {}
    for _, fields in reversed(groups):
        values.update(fields)
    return {name: values[name] for name in sorted(values)}
