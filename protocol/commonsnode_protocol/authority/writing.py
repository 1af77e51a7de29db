"""What a writer puts into an act: the fields, the refs, and the heads that it names.  SPEC.md, "Writing acts".

Pure: from what a node holds to drafts. Nonces and signatures are passed in; the time and the author's signature come after.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from commonsnode_protocol.authority import statements
from commonsnode_protocol.authority.acts import (
    ACK,
    ASSENT,
    CERTIFICATE,
    CHARTER,
    DEVICE,
    GRANT,
    INVITATION,
    JOIN,
    KEY_REVOCATION,
    LEAVE,
    MEMBER,
    OBJECTION,
    PROPOSAL,
    RECOVERY,
    REVOCATION,
    SUCCESSION,
    WITHDRAWAL,
    Ack,
    Certificate,
    Grant,
    certificate_of,
    table_id,
)
from commonsnode_protocol.authority.cuts import Cut, KeyLane, fields_of_cut
from commonsnode_protocol.authority.evaluator import Evaluator
from commonsnode_protocol.authority.members import revocations_of
from commonsnode_protocol.authority.settings import Settings, Table, fields_of
from commonsnode_protocol.authority.stand_ins import Link, Said, Signatures, value_of, value_of_proof
from commonsnode_protocol.authority.tables import enough, signers_of
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, CHARTER_COMMUNITY, Write
from commonsnode_protocol.limits import REFS_MAX
from commonsnode_protocol.record import typed_id

HEADS_MAX = 1_200  # ids in heads and `without` together: what a changeset holds beside the rest
Held: TypeAlias = Mapping[
    KeyLane, Mapping[bytes, Sequence[bytes]]
]  # what stands: key and lane → changeset → refs
DraftChange: TypeAlias = tuple[bytes, str, Mapping[str, Write]]


@dataclass(frozen=True, slots=True)
class Draft:
    """The changes and the refs of a changeset of lane `authority` that is still to be dated and signed."""

    changes: tuple[DraftChange, ...]
    refs: tuple[bytes, ...] = ()
    community: bytes = field(default=CHARTER_COMMUNITY)


class NotPossible(ValueError):
    """This act cannot be written now; the text says why, for people."""


def charter(author: bytes, nonce: bytes, name: str, settings: Settings) -> Draft:
    fields: dict[str, Value] = {"nonce": nonce, "name": name, "founder": author, **fields_of(settings)}
    return Draft((_change(CHARTER_COMMUNITY, author, nonce, CHARTER, fields),))


def grant(held: Evaluator, author: bytes, nonce: bytes, person: bytes, role: str) -> Draft:
    """Admit a person, or admit again: the grant refs the revocations and leaves that count."""
    fields: dict[str, Value] = {"person": person, "role": role, "table": _table(held).id}
    return _act(held, author, nonce, GRANT, fields, _to_overcome(held, person))


def pin(held: Evaluator, author: bytes, nonce: bytes, join: bytes) -> Draft:
    """Make a kept join last, whatever becomes of its invitation. It brings nobody back who was revoked."""
    entry = held.entry(join)
    if entry is None or entry.join is None:
        raise NotPossible("there is no such join here")
    role = _role_of_join(held, entry.join.invitation)
    person = entry.changeset.author
    fields: dict[str, Value] = {"person": person, "role": role, "table": _table(held).id, "join": join}
    member = held.member(person)
    leaves = member.leaves if member is not None else frozenset()
    return _act(held, author, nonce, GRANT, fields, leaves.intersection(entry.changeset.refs))


def revocation(
    held: Evaluator, author: bytes, nonce: bytes, person: bytes, data: Held, stands: Callable[[bytes], bool]
) -> Draft:
    """Take a role back. data: what of all the person's keys stands in the data lanes; stands: whether an id does, in any lane."""
    cut = cut_of_person(held, person, data, stands)
    fields = {"person": person, "table": _table(held).id, **fields_of_cut(cut)}
    return _act(held, author, nonce, REVOCATION, fields, _counting(held, person))


def demotion(
    held: Evaluator, author: bytes, nonces: tuple[bytes, bytes], person: bytes, role: str, data: Held,
    stands: Callable[[bytes], bool],
) -> Draft:  # fmt: skip
    """A revocation and a grant of a lesser role in one changeset (rule 19)."""
    first = revocation(held, author, nonces[0], person, data, stands)
    second = grant(held, author, nonces[1], person, role)
    refs = tuple(sorted({*first.refs, *second.refs}))
    return Draft((*first.changes, *second.changes), refs, held.community)


def invitation(held: Evaluator, author: bytes, nonce: bytes, key: bytes, role: str, uses: int) -> Draft:
    """key: the public half of a fresh key, whose seed goes into the link."""
    fields: dict[str, Value] = {"key": key, "role": role, "uses": uses, "table": _table(held).id}
    return _act(held, author, nonce, INVITATION, fields)


def withdrawal(held: Evaluator, author: bytes, nonce: bytes, invitation_key: bytes) -> Draft:
    """Nobody joins by this invitation any more; the joins that stand here are named, so they stay (rule 21)."""
    joins: list[Value] = [*sorted(held.joins.kept.get(invitation_key, ()))[:HEADS_MAX]]
    fields: dict[str, Value] = {"invitation": invitation_key, "joins": joins, "table": _table(held).id}
    return _act(held, author, nonce, WITHDRAWAL, fields)


def join(
    community: bytes, author: bytes, nonce: bytes, invitation_seed: bytes, invitation_key: bytes
) -> Draft:
    """What a newcomer writes; nothing needs to be held but the link."""
    signature = statements.state(statements.JOIN, community + author, invitation_seed)
    fields: dict[str, Value] = {"invitation": invitation_key, "signature": signature}
    return Draft((_change(community, author, nonce, JOIN, {"nonce": nonce, **fields}),), (), community)


def key_agreement(community: bytes, person: bytes, seed: bytes, *, recovery: bool = False) -> bytes:
    """The new key's signature that it is this person's."""
    context = statements.RECOVERY if recovery else statements.DEVICE
    return statements.state(context, community + person, seed)


def key_added(
    held: Evaluator, author: bytes, nonce: bytes, person: bytes, key: bytes, agreement: bytes, *,
    recovery: bool = False, node: bool = False, stands_in: bytes | None = None,
) -> Draft:  # fmt: skip
    """Add a device, or a recovery key, to a person; node: a node's key, for acks, pins, epochs and confirmations only.

    stands_in: the author's statement that the key signs tables for the person, from `stand_ins.let`.
    """
    fields: dict[str, Value] = {"person": person, "key": key, "signature": agreement}
    if stands_in is not None:
        fields["stands_in"] = stands_in
    if node:
        fields["only"] = "node"
    return _act(held, author, nonce, RECOVERY if recovery else DEVICE, fields)


def key_revocation(
    held: Evaluator, author: bytes, nonce: bytes, person: bytes, key: bytes, data: Held,
    stands: Callable[[bytes], bool],
) -> Draft:  # fmt: skip
    """Cut one key of a person: a lost device."""
    cut = cut_of_keys(held, (key,), data, stands)
    fields = {"person": person, "key": key, "table": _table(held).id, **fields_of_cut(cut)}
    acts = held.acts
    before = acts.keys_revoked.get(person, {}) if acts is not None else {}
    refs = [id_ for id_, (_, said) in before.items() if any(act.key == key for act in said)]
    return _act(held, author, nonce, KEY_REVOCATION, fields, refs)


def leave(held: Evaluator, author: bytes, nonce: bytes, person: bytes) -> Draft:
    return _act(held, author, nonce, LEAVE, {"person": person})


def next_table(
    held: Evaluator, *, name: str | None = None, settings: Settings | None = None, add: Sequence[bytes] = (),
    remove: Sequence[bytes] = (), data: Held | None = None, stands: Callable[[bytes], bool] = lambda _: True,
) -> dict[str, Value]:  # fmt: skip
    """The fields of a certificate that follows the current table; without signatures.

    data: what stands of all keys of those who are removed. Raises NotPossible.
    """
    table = _table(held)
    stewards = [steward for steward in table.stewards if steward not in remove]
    stewards += [steward for steward in add if steward not in stewards]
    if not stewards:
        raise NotPossible("at least one steward remains")
    keys = [key for first in remove for key in _keys_of(held, first)]
    cut = cut_of_keys(held, keys, data or {}, stands)
    return {
        "parent": table.id,
        "name": table.name if name is None else name,
        "stewards": [*stewards],
        **fields_of(table.settings if settings is None else settings),
        **fields_of_cut(cut),
    }


def next_by_succession(held: Evaluator, add: Sequence[bytes]) -> dict[str, Value]:
    """The fields of a succession of the current table, with the roll as it is here. Raises NotPossible."""
    table, acts = _table(held), held.acts
    if acts is None:
        raise NotPossible("there is no charter here")
    roll: set[bytes] = set()
    for person, grants in acts.grants.items():
        if any(grant.role == MEMBER for _, said in grants.values() for grant in said):
            roll |= grants.keys() | acts.revocations.get(person, {}).keys()
    for id_ in {*roll}:
        roll |= _grounds(held, id_)
    fields = next_table(held, add=add)
    return {**fields, "roll": [*sorted(roll)], "parent": table.id}


def sign_table(held: Evaluator, fields: Mapping[str, Value], seed: bytes) -> bytes:
    """A steward's (or, for a succession, a member's) signature under a table."""
    return statements.state(statements.CERTIFICATE, table_id(held.community, fields), seed)


def certificate(
    held: Evaluator,
    author: bytes,
    nonce: bytes,
    fields: Mapping[str, Value],
    signatures: Signatures,
) -> Draft:
    """The certificate itself. author: one of the keys that signed. Raises NotPossible where signatures are missing."""
    said = {**fields, "signatures": value_of(signatures)}
    succession = "roll" in fields
    read = certificate_of(held.community, said, succession=succession)
    if read is None or not read.signed.of(author):
        raise NotPossible("the author has not signed")
    table = _table(held)
    if not succession and read.parent == table.id and not enough(table, read, signers_of(table, read)):
        raise NotPossible("more stewards must sign")
    kind = SUCCESSION if succession else CERTIFICATE
    change = _change(held.community, author, nonce, kind, said)
    return Draft((change,), _own_heads(held, author), held.community)


def proposal(
    held: Evaluator, author: bytes, nonce: bytes, fields: Mapping[str, Value], said: Said,
    person: bytes | None = None,
) -> Draft:  # fmt: skip
    """A table for others to sign, with the proposer's own signature. person: for whom the author stands in, if for anybody."""
    signatures = value_of({person if person is not None else author: said})
    return _act(held, author, nonce, PROPOSAL, {**fields, "signatures": signatures})


def assent(
    held: Evaluator, author: bytes, nonce: bytes, table: bytes, said: Said, person: bytes | None = None
) -> Draft:
    """A signature under a table that another proposed. person: as in a proposal."""
    if isinstance(said, bytes):
        return _act(held, author, nonce, ASSENT, {"table": table, "signature": said})
    fields: dict[str, Value] = {"table": table, "signature": said.signature}
    assert person is not None
    return _act(held, author, nonce, ASSENT, fields | _for(person, said.proof))


def ack(
    held: Evaluator, author: bytes, nonce: bytes, parent: bytes, child: bytes,
    warrant: tuple[bytes, bytes] | None = None, stands_in: tuple[bytes, Sequence[Link]] | None = None,
) -> Draft:  # fmt: skip
    """warrant: for a node's key, the steward and the steward's signature that this key acks for them.

    stands_in: the steward for whom the author stands in, with the proof.
    """
    fields: dict[str, Value] = {"parent": parent, "child": child}
    if warrant is not None:
        fields |= {"by": warrant[0], "warrant": warrant[1]}
    elif stands_in is not None:
        fields |= _for(*stands_in)
    return _act(held, author, nonce, ACK, fields)


def objection(
    held: Evaluator, author: bytes, nonce: bytes, parent: bytes, child: bytes,
    stands_in: tuple[bytes, Sequence[Link]] | None = None,
) -> Draft:  # fmt: skip
    """A steward of the parent is there, and does not agree to this succession. stands_in: as in an ack."""
    fields: dict[str, Value] = {"parent": parent, "child": child}
    if stands_in is not None:
        fields |= _for(*stands_in)
    return _act(held, author, nonce, OBJECTION, fields)


def _for(person: bytes, proof: Sequence[Link]) -> dict[str, Value]:
    return {"by": person, "proof": value_of_proof(proof)}


def to_ack(held: Evaluator, steward: bytes) -> list[tuple[bytes, bytes]]:
    """The (parent, child) pairs that this steward follows and has said nothing about: neither ack nor signature (rule 10)."""
    chain = held.chain
    if chain is None:
        return []
    said = {
        act.parent
        for entry in held.table_acts()
        if isinstance(act := entry.of_table, Ack | Certificate)
        and (act.by == steward if isinstance(act, Ack) else steward in act.signers)
    }
    return [
        (parent.id, child.id)
        for parent, child in zip(chain.tables, chain.tables[1:], strict=False)
        if steward in parent.stewards and parent.id not in said
    ]


def anew(held: Evaluator, author: bytes, lane: str) -> set[bytes]:
    """What an author who was cut and admitted again refs in each changeset, so that it stands; else nothing."""
    return {
        id_ for way in held.verdict(author, lane) for condition in way for id_ in sorted(condition.anew)[:1]
    }


def to_pin(held: Evaluator) -> list[bytes]:
    """Kept joins that no steward's grant names yet; of who was revoked none."""
    acts = held.acts
    if acts is None:
        return []
    return sorted(
        entry.id for entry in held.joins.unpinned() if not revocations_of(entry.changeset.author, acts)
    )


def cut_of_person(held: Evaluator, person: bytes, data: Held, stands: Callable[[bytes], bool]) -> Cut:
    """Names all that stands of all keys of a person."""
    return cut_of_keys(held, _keys_of(held, person), data, stands)


def cut_of_keys(held: Evaluator, keys: Iterable[bytes], data: Held, stands: Callable[[bytes], bool]) -> Cut:
    """Names all that stands of these keys, in `authority` as it is held, in the data lanes as `data` says."""
    every: dict[KeyLane, Mapping[bytes, Sequence[bytes]]] = {}
    for key in keys:
        own = held.pool.by_author.get(key, {})
        every[key, AUTHORITY] = {
            id_: entry.changeset.refs for id_, entry in own.items() if id_ in held.standing
        }
        every |= {of: standing for of, standing in data.items() if of[0] == key}
    return cut_naming(every, lambda id_: id_ in held.standing or stands(id_))


def cut_naming(held: Held, stands: Callable[[bytes], bool]) -> Cut:
    """The heads of what stands, and the refs at which a walk stops (rule 16).

    Where a hostile author's refs to nothing, or forks without end, would not fit into a changeset, those changesets are
    left out that need the most room: they stand no more, stay in history, and may be adopted by a later revocation.
    """
    heads: dict[KeyLane, set[bytes]] = {}
    without: set[bytes] = set()
    for of, standing in held.items():
        named = {ref for refs in standing.values() for ref in refs}
        heads[of] = standing.keys() - named
        without |= {ref for ref in named - standing.keys() if not stands(ref)}
    if sum(map(len, heads.values())) + len(without) <= HEADS_MAX:
        return _cut(heads, without)
    return _cut(*_within_limit(held, stands))


def _within_limit(
    held: Held, stands: Callable[[bytes], bool]
) -> tuple[dict[KeyLane, set[bytes]], set[bytes]]:
    # Whoever refs what is not there is stopped at as a whole: one id instead of up to a thousand.
    heads: dict[KeyLane, set[bytes]] = {}
    without: set[bytes] = set()
    room = HEADS_MAX
    for of, standing in held.items():
        odd = {
            id_
            for id_, refs in standing.items()
            if any(ref not in standing and not stands(ref) for ref in refs)
        }
        whole = {id_: refs for id_, refs in standing.items() if id_ not in odd}
        named = {ref for refs in whole.values() for ref in refs}
        candidates = whole.keys() - named
        if len(odd & named) > room // 2:
            # Too many even so: what builds on one of them goes with it.
            whole = _without_descendants(whole, odd)
            candidates = whole.keys() - {ref for refs in whole.values() for ref in refs}
            odd = set()
        # A head with a past carries more than one that stands alone.
        by_weight = sorted(candidates, key=lambda id_: (not any(ref in whole for ref in whole[id_]), id_))
        chosen = by_weight[: max(room - len(odd & named), 0)]
        heads[of] = set(chosen)
        without |= odd & named
        room -= len(chosen) + len(odd & named)
    return heads, without


def _without_descendants(
    standing: Mapping[bytes, Sequence[bytes]], odd: set[bytes]
) -> dict[bytes, Sequence[bytes]]:
    followers: dict[bytes, list[bytes]] = {}
    for id_, refs in standing.items():
        for ref in refs:
            followers.setdefault(ref, []).append(id_)
    gone, todo = {*odd}, [*odd]
    while todo:
        for id_ in followers.get(todo.pop(), ()):
            if id_ not in gone:
                gone.add(id_)
                todo.append(id_)
    return {id_: refs for id_, refs in standing.items() if id_ not in gone}


def _cut(heads: Mapping[KeyLane, set[bytes]], without: set[bytes]) -> Cut:
    return Cut({of: frozenset(ids) for of, ids in heads.items() if ids}, frozenset(without))


def _table(held: Evaluator) -> Table:
    if held.chain is None:
        raise NotPossible("there is no charter here")
    return held.chain.current


def _keys_of(held: Evaluator, first: bytes) -> set[bytes]:
    keys = {first}
    member = held.member(first)
    for person in (held.person(first), member.person if member is not None else None):
        keys |= person.keys.keys() if person is not None else set()
    return keys


def _counting(held: Evaluator, person: bytes) -> set[bytes]:
    return {*revocations_of(person, held.acts)} if held.acts is not None else set()


def _to_overcome(held: Evaluator, person: bytes) -> set[bytes]:
    member = held.member(person)
    return _counting(held, person) | (member.leaves if member is not None else frozenset())


def _role_of_join(held: Evaluator, invitation_key: bytes) -> str:
    standing = held.acts.invitations.get(invitation_key) if held.acts is not None else None
    if not standing:
        raise NotPossible("its invitation does not stand")
    return standing[min(standing)][1][0].role


def _grounds(held: Evaluator, id_: bytes) -> set[bytes]:
    """What makes a changeset count on a roll: how its author's key came to be a steward's, and what a node's pin rests on."""
    entry, acts = held.entry(id_), held.acts
    if entry is None or acts is None:
        return set()
    found: set[bytes] = set()
    for first in acts.by_key.get(entry.changeset.author, ()):
        keys = acts.persons[first].keys
        seen, todo = {entry.changeset.author}, [entry.changeset.author]
        while todo:  # a device may have come by a recovery key, and that by the first key
            for (adder, _, _), changeset in keys[todo.pop()].adds.items():
                found.add(changeset)
                if adder not in seen:
                    seen.add(adder)
                    todo.append(adder)
    for act in entry.acts:
        join_id = act.join if isinstance(act, Grant) else None
        invitation_key = held.joins.invitation_of.get(join_id) if join_id is not None else None
        if join_id is not None and invitation_key is not None:
            found |= {join_id, *acts.invitations.get(invitation_key, {})}
    return found


def _own_heads(held: Evaluator, author: bytes) -> tuple[bytes, ...]:
    """What an author's next changeset refs of its own (rules 2 and 18): the heads of what stands; if nothing does, of all."""
    own = held.pool.by_author.get(author, {})
    standing = {id_: entry for id_, entry in own.items() if id_ in held.standing} or dict(own)
    named = {ref for entry in standing.values() for ref in entry.changeset.refs}
    heads = sorted(standing.keys() - named, key=lambda id_: (-standing[id_].changeset.time, id_))
    return tuple(sorted(heads[: REFS_MAX // 2]))


def _act(
    held: Evaluator,
    author: bytes,
    nonce: bytes,
    kind: str,
    fields: Mapping[str, Value],
    refs: Iterable[bytes] = (),
) -> Draft:
    every = tuple(sorted({*_own_heads(held, author), *anew(held, author, AUTHORITY), *refs}))
    change = _change(held.community, author, nonce, kind, {"nonce": nonce, **fields})
    return Draft((change,), every, held.community)


def _change(
    community: bytes, author: bytes, nonce: bytes, kind: str, fields: Mapping[str, Value]
) -> DraftChange:
    return typed_id(community, author, nonce), kind, {name: (value, ()) for name, value in fields.items()}
