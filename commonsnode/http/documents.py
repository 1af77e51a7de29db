"""What the node holds, as the documents that the API gives."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from commonsnode import charters
from commonsnode.communities import link_of
from commonsnode.governing import person_of
from commonsnode.names import OF_PEOPLE
from commonsnode.tables.json_form import encode_value
from commonsnode_protocol.authority import GRANTED_ROLES, STEWARD
from commonsnode_protocol.authority.achieving import Void
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.care import EVENT
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_protocol.commitments import KIND as RESERVATION
from commonsnode_store.answers import CommunityInfo, HistoryEntry, RecordRef, RecordView
from commonsnode_store.errors import UnknownCommunity
from commonsnode_store.shown import BESIDE, is_half, text_of, title_of
from commonsnode_store.store import Store

ABOUT_THINGS = (RESERVATION, EVENT)  # kinds that are shown with things, and not among them
ROLES = (STEWARD, *GRANTED_ROLES)
VOID_WORDS: Mapping[Void, str] = {
    Void.CUT: "its author's role was taken back, and it was not among what then stood at the steward's node",
    Void.NOT_A_MEMBER: "its author is not admitted",
}
LISTED = ("id", "kind", "lane", "community", "title", "fields", "lanes", "deleted", "waiting", "changed")
YEAR_9999_MS = 253_402_300_799_999  # the last moment that a date can say


def moment(ms: int) -> str:
    """RFC 3339, UTC with milliseconds."""
    at = datetime.fromtimestamp(min(max(ms, 0), YEAR_9999_MS) / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fields(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: encode_value(values[name]) for name in sorted(values)}


def community(store: Store, info: CommunityInfo, addresses: list[str]) -> dict[str, Any]:
    """One community as in `status`."""
    return {
        "id": info.id.hex(),
        "name": info.name,
        "link": link_of(info.id, store.authority(info.id), addresses),
        "lanes": list(info.lanes),
        "records": info.records - (store.count(info.id, MEMBERS, OF_PEOPLE) if info.sealed else 0),
        "changesets": info.changesets,
        "waiting": info.waiting,
        "stopped": info.stopped,
        "fingerprint": {lane: store.lane_state(info.id, lane).digest.hex() for lane in info.lanes},
    }


def communities(store: Store, addresses: list[str]) -> list[dict[str, Any]]:
    """All communities followed here. One that is left at this moment is left out."""
    found = []
    for info in store.communities():
        try:
            found.append(community(store, info, addresses))
        except UnknownCommunity:
            continue
    return found


def community_full(store: Store, info: CommunityInfo, addresses: list[str], own_key: bytes) -> dict[str, Any]:
    """One community with its charter and its people."""
    authority = store.authority(info.id)
    table = authority.table
    people = members(store, info.id, own_key)
    found = community(store, info, addresses)
    about = sum(store.count(info.id, lane, ABOUT_THINGS) for lane in info.lanes)
    return {
        **found,
        "things": max(found["records"] - about, 0),  # what came between the two counts is no matter
        "founder": authority.tables[0].stewards[0].hex() if authority.tables else None,
        "stewards": [steward.hex() for steward in table.stewards] if table is not None else [],
        "table": table.id.hex() if table is not None else None,
        "members_count": len(authority.members),
        "settings": charters.document(table.settings) if table is not None else None,
        "roles": {role: sum(one["role"] == role for one in people) for role in ROLES},
        "people": people,
    }


def members(store: Store, community_id: bytes, own_key: bytes) -> list[dict[str, Any]]:
    """Who is admitted, in the order in which they were."""
    authority = store.authority(community_id)
    admitted, own_person = authority.members, person_of(authority, own_key)
    seen = {
        i: seen_ms for i, (_, _, seen_ms) in store.facts([m.changeset for m in admitted.values()]).items()
    }
    rows = [
        (min(member.since, seen.get(member.changeset, member.since)), key, member)
        for key, member in admitted.items()
    ]
    return [
        {
            "id": key.hex(),
            "role": member.role,
            "since": moment(since),
            "by": member.by.hex(),
            "you": key in (own_key, own_person),
        }
        for since, key, member in sorted(rows, key=lambda row: row[:2])
    ]


def record(view: RecordView) -> dict[str, Any]:
    """A record as in lists. lanes: of the fields that only members read, where others read the record."""
    return {
        "id": view.record.hex(),
        "kind": view.kind,
        "lane": view.lane,
        "community": view.community.hex(),
        "title": view.title,
        "fields": fields(view.values),
        "lanes": dict.fromkeys(sorted(view.members_only & view.values.keys()), MEMBERS),
        "deleted": view.deleted,
        "waiting": view.waiting,
        "changed": moment(view.changed_ms),
    }


def record_full(store: Store, view: RecordView) -> dict[str, Any]:
    """A record with its conflicts, and when it was made."""
    conflicts = view.conflicts
    seen = store.facts([write.changeset for others in conflicts.values() for write in others])
    first = next((entry for entry in store.history(view.ref) if not entry.void), None)
    return {
        **record(view),
        "conflicts": {
            name: [
                {
                    "value": encode_value(write.value),
                    "author": write.author.hex(),
                    "time": moment(min(write.time, seen[write.changeset][2])),
                }
                for write in others
                if write.changeset in seen
            ]
            for name, others in sorted(conflicts.items())
        },
        "void": void(store, view.ref),
        "created": moment(min(first.time, first.seen_ms) if first is not None else view.changed_ms),
    }


def record_void(store: Store, ref: RecordRef) -> dict[str, Any]:
    """A record of which nothing stands any more: what was written to it is in `void` alone."""
    entries = store.history(ref)
    found = store.void(ref)
    times = [min(entry.time, entry.seen_ms) for entry in entries] or [0]
    return {
        "id": ref.record.hex(),
        "kind": ref.kind,
        "lane": ref.lane,
        "community": ref.community.hex(),
        "title": title_of({name: writes[0].value for name, writes in found.items()}) or ref.record.hex()[:8],
        "fields": {},
        "lanes": {},
        "deleted": False,
        "waiting": False,
        "changed": moment(times[-1]),
        "conflicts": {},
        "void": void(store, ref),
        "created": moment(times[0]),
    }


def with_held(found: Mapping[str, Any], held: Mapping[str, Value]) -> dict[str, Any]:
    """A record with what this node holds of it until it can be sealed."""
    shown = {**found["fields"], **fields(held)}
    shown = {name: shown[name] for name in sorted(shown) if held.get(name, shown[name]) is not None}
    title = title_of(held) or found["title"]
    return {
        **found,
        "fields": shown,
        "title": title,
        "waiting": True,
        "deleted": shown.get("deleted") is True,
    }


def with_held_half(found: Mapping[str, Any], held: Mapping[str, Value]) -> dict[str, Any]:
    """A record that everybody reads, with what this node holds until it can be sealed for members."""
    over = fields({name: value for name, value in held.items() if name != BESIDE and value is not None})
    shown = {**found["fields"], **over}
    return {
        **found,
        "fields": {name: shown[name] for name in sorted(shown)},
        "lanes": dict.fromkeys(sorted({*found["lanes"], *over}), MEMBERS),
        "waiting": True,
    }


def held_only(store: Store, community_id: bytes | None, kind: str | None, text: str) -> list[dict[str, Any]]:
    """Records of which there is nothing but what is held here until it can be sealed."""
    rows = []
    for write in store.held_writes(community_id):
        if is_half(write.values):
            continue
        all_text = text_of(write.values).casefold()
        if kind not in (None, write.kind) or store.record(write.ref) is not None:
            continue
        if all(word in all_text for word in text.casefold().split()):
            whole = with_held(record_void(store, write.ref), write.values)
            rows.append({name: whole[name] for name in LISTED})
    return rows


def void(store: Store, ref: RecordRef) -> dict[str, list[dict[str, Any]]]:
    """Field → what was written there and has no effect, the latest first; and why."""
    half = store.half(ref)
    found = {**store.void(ref)}
    for name, more in (store.void(half) if half is not None else {}).items():
        found[name] = sorted([*found.get(name, ()), *more], key=lambda write: write.time, reverse=True)
    return {
        name: [
            {
                "value": encode_value(write.value),
                "author": write.author.hex(),
                "time": moment(write.time),
                "why": VOID_WORDS.get(write.why, write.why.value),
            }
            for write in writes
        ]
        for name, writes in sorted(found.items())
    }


def history(entries: Iterable[HistoryEntry]) -> list[dict[str, Any]]:
    """What was written to a record, oldest first."""
    return [
        {
            "changeset": entry.changeset.hex(),
            "author": entry.author.hex(),
            "time": moment(min(entry.time, entry.seen_ms)),
            "seen": moment(entry.seen_ms),
            "fields": fields(entry.fields),
            "waiting": entry.waiting,
            "void": entry.void,
        }
        for entry in entries
    ]


def peers(
    rows: Iterable[Mapping[str, Any]], communities: Collection[str], *, by_operator: bool
) -> list[dict[str, Any]]:
    """The peers of this node; to others than its operator not where they are, and only of these communities."""
    if by_operator:
        return [dict(row) for row in rows]
    public = ("id", "state", "last_in_step")
    return [
        {name: row[name] for name in public}
        | {"in_step": {of: equal for of, equal in row["in_step"].items() if of in communities}}
        for row in rows
    ]
