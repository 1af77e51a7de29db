"""What was written to a record: all of it in order, and what of it is void, with the reason.  Rule 26."""

from commonsnode_protocol.authority.achieving import Void
from commonsnode_protocol.authority.view import NEVER, Authority
from commonsnode_store.answers import HistoryEntry, VoidWrite
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Lane
from commonsnode_store.ordering import in_order_of_refs
from commonsnode_store.reading import kind_no
from commonsnode_store.schema import VOID, WAITS
from commonsnode_store.standing import read_excerpt

_TOUCHING = """
    select changesets.id, codec, body, seen_ms, standing from changesets where no in (
        select changeset from records join touches on touches.record = records.no
            where records.lane = ? and records.kind = ? and records.id = ?
        union all select changeset from void_touches where lane = ? and kind = ? and id = ?
    )"""


def history(db: Connection, lane: Lane, kind: str, record: bytes) -> list[HistoryEntry]:
    """All that was written to a record, void or not, each after what its author had seen of it."""
    of_kind = kind_no(db, kind)
    changesets, kept = [], {}
    for id_, codec, body, seen_ms, standing in db.execute(
        _TOUCHING, (lane.no, of_kind, record, lane.no, of_kind, record)
    ):
        changesets.append(read_excerpt(db, id_, codec, body, (record,)))
        kept[id_] = (seen_ms, standing)
    entries = []
    for changeset in in_order_of_refs(changesets):
        seen_ms, standing = kept[changeset.id]
        fields = next(
            (writes for of, other, writes in changeset.changes if of == record and other == kind), {}
        )
        values = {name: value for name, (value, _) in fields.items()}
        entries.append(
            HistoryEntry(
                changeset.id, changeset.author, changeset.time, seen_ms, values, standing == WAITS,
                standing == VOID,
            )
        )  # fmt: skip
    return entries


def void(
    db: Connection, lane: Lane, authority: Authority, kind: str, record: bytes
) -> dict[str, list[VoidWrite]]:
    """By field, what stood of a record and stands no more, latest first."""
    found: dict[str, list[VoidWrite]] = {}
    for entry in reversed(history(db, lane, kind, record)):
        if entry.void:
            never = authority.verdict(entry.author, lane.name) == NEVER
            why = Void.NOT_A_MEMBER if never else Void.CUT
            for field, value in entry.fields.items():
                write = VoidWrite(entry.time, entry.changeset, entry.author, value, why)
                found.setdefault(field, []).append(write)
    return {field: found[field] for field in sorted(found)}
