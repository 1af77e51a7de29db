"""Who may do what in a community, as the documents that the API gives."""

from collections.abc import Iterable, Mapping
from typing import Any

from commonsnode import devices, trail
from commonsnode.governing import person_of, role_of
from commonsnode.http.documents import fields, moment
from commonsnode.invitations import Invitation, joins_of, listed, why_not
from commonsnode.stewards import Change, change_in, needed, to_propose_again
from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.authority.electing import candidacies
from commonsnode_protocol.authority.proposals import proposals
from commonsnode_store.store import Store


def removed(held: Evaluator, store: Store, own_key: bytes) -> list[dict[str, Any]]:
    """Who had a role and has none: when it was taken back and by whom, or when they left."""
    rows = []
    for key, member in held.people.items():
        if member.membership is not None:
            continue
        acts = [entry for id_ in (*member.revocations, *member.leaves) if (entry := held.entry(id_))]
        last = max(acts, key=lambda entry: (entry.changeset.time, entry.id), default=None)
        if last is None and held.chain is not None and key in held.chain.tenures:
            at = held.chain.tenures[key].removed
            last = held.chain.carriers[held.chain.tables[at].id] if at is not None else None
        if last is None:
            continue
        role = "removed" if member.revocations or not member.leaves else "left"
        seen = store.facts([last.id]).get(last.id)
        since = min(last.changeset.time, seen[2]) if seen is not None else last.changeset.time
        rows.append((since, key, role, last.changeset.author))
    return [
        {"id": key.hex(), "role": role, "since": moment(since), "by": by.hex(), "you": key == own_key}
        for since, key, role, by in sorted(rows)
    ]


def you(held: Evaluator, own_key: bytes, told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How this node stands in a community."""
    authority = held.authority
    person = person_of(authority, own_key)
    role = role_of(authority, own_key)
    member = held.members.get(person) if person is not None and role is not None else None
    past = held.member(own_key)
    kinds = {each.key: each.kind for each in devices.listed(held, person)} if person is not None else {}
    revoked = role is None and (
        person not in (None, own_key) or (past is not None and bool(past.revocations))
    )
    return {
        "id": own_key.hex(),
        "person": person.hex() if person is not None else None,
        "device": kinds.get(own_key),
        "role": member.role if member is not None else None,
        "since": moment(member.since) if member is not None else None,
        "revoked": revoked,
        "why": why_not(held, own_key) if role is None else None,
        "notices": [{"time": moment(said["time"]), "text": said["text"]} for said in told],
    }


def device_keys(held: Evaluator, person: bytes | None, own_key: bytes) -> dict[str, Any]:
    """The keys of the person whom this node writes as."""
    return {
        "person": person.hex() if person is not None else None,
        "keys": [
            {
                "id": each.key.hex(),
                "kind": each.kind,
                "revoked": each.revoked,
                "since": moment(each.since) if each.since is not None else None,
                "by": each.by.hex() if each.by is not None else None,
                "you": each.key == own_key,
            }
            for each in (devices.listed(held, person) if person is not None else ())
        ],
    }


def invitations(held: Evaluator, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every invitation that stands. names: by the id, as this node keeps them."""
    return [invitation(held, each, names) for each in listed(held)]


def invitation(held: Evaluator, found: Invitation, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": found.id.hex(),
        "role": found.role,
        "uses": found.uses,
        "used": found.used,
        "withdrawn": found.withdrawn,
        "by": found.by.hex(),
        "since": moment(found.entry.changeset.time),
        "name": names.get(found.id.hex()),
        "joins": [{"id": key.hex(), "confirmed": pinned} for key, pinned in joins_of(held, found.id)],
    }


def tables(held: Evaluator, own_key: bytes) -> dict[str, Any]:
    """The chain of tables, what is proposed on the current one, and what this node may propose again."""
    chain = held.chain
    if chain is None:
        return {"table": None, "stewards": [], "chain": [], "proposals": [], "elections": [], "lost": []}
    open_ones = []
    for found in proposals(held):
        change = change_in(chain.current, found, held.community)
        open_ones.append(
            {
                "id": found.table.hex(),
                "by": found.by.hex(),
                **_change(change),
                "signed": sorted(key.hex() for key in found.signatures),
                "needed": needed(chain.current, found.fields, held.community, found.signatures),
            }
        )
    return {
        "table": chain.current.id.hex(),
        "stewards": [_steward(held, key, own_key) for key in chain.current.stewards],
        "chain": [
            {
                "id": table.id.hex(),
                "name": table.name,
                "stewards": [key.hex() for key in table.stewards],
                "by": chain.carriers[table.id].changeset.author.hex(),
                "time": moment(chain.carriers[table.id].changeset.time),
            }
            for table in chain.tables
        ],
        "proposals": open_ones,
        "elections": [
            {
                "id": each.table.hex(),
                "by": each.by.hex(),
                "add": [key.hex() for key in each.add],
                "signed": [key.hex() for key in each.signatures],
                "needed": each.needed,
                "members": each.counted,
                "objected": [key.hex() for key in each.objected],
            }
            for each in candidacies(held)
        ],
        "lost": [{"id": table.hex(), **_change(change)} for table, change in to_propose_again(held, own_key)],
    }


def history(held: Evaluator, store: Store, limit: int) -> dict[str, Any]:
    """The audit trail of authority: the latest acts, the oldest of them first."""
    entries, total = trail.latest(held, limit)
    facts = store.facts([entry.changeset for entry in entries])
    rows = []
    for entry in entries:
        seen = facts[entry.changeset][2] if entry.changeset in facts else entry.time
        rows.append(
            {
                "changeset": entry.changeset.hex(),
                "author": entry.author.hex(),
                "time": moment(min(entry.time, seen)),
                "seen": moment(seen),
                "stands": entry.stands,
                "acts": [
                    {
                        "kind": act.kind,
                        "text": act.text,
                        "void": act.void.value if act.void is not None else None,
                        "why": act.why,
                    }
                    for act in entry.acts
                ],
            }
        )
    return {"history": rows, "total": total}


def _steward(held: Evaluator, key: bytes, own_key: bytes) -> dict[str, Any]:
    member = held.members[key]
    return {
        "id": key.hex(),
        "role": member.role,
        "since": moment(member.since),
        "by": member.by.hex(),
        "you": key == own_key,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "add": [key.hex() for key in change.add],
        "remove": [key.hex() for key in change.remove],
        "name": change.name,
        "settings": fields(change.settings),
        "text": trail.change_words(change),
    }
