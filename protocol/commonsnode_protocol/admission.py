"""Which nodes a lane is served to.  SPEC.md, "Who is served" (rules 41 and 42).

A community whose current table says `reading: members` is served to admitted nodes only; the lanes `members` and `keys` in
every community. Admitted is a key of a person who has any role now, also as a mirror.
"""

from dataclasses import dataclass

from commonsnode_protocol.authority.acts import Entry, KeyAdded, values_of
from commonsnode_protocol.authority.evaluator import Evaluator
from commonsnode_protocol.authority.view import Authority
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KEYS, MEMBERS, Changeset
from commonsnode_protocol.frames import door_of_key
from commonsnode_protocol.record import typed_id

KNOCK = "knock"
SEALED_LANES = frozenset({MEMBERS, KEYS})


@dataclass(frozen=True, slots=True)
class Readers:
    """Who is served in one community, by one state of its authority."""

    authority: Authority

    @property
    def known(self) -> bool:
        """Whether the charter is here; before that nobody can tell who may read."""
        return self.authority.table is not None

    @property
    def members_only(self) -> bool:
        table = self.authority.table
        return table is not None and table.settings.members_only

    def may_read(self, lane: str, key: bytes) -> bool:
        """Whether the node with this key may be sent the tag of this lane; by no means before the charter is here."""
        if not self.known:
            return False
        return self.authority.admits(key) or not (self.members_only or lane in SEALED_LANES)


@dataclass(frozen=True, slots=True)
class Proof:
    """Changesets of lane `authority` that show why a key is admitted, and the door to show them at."""

    door: bytes
    ids: tuple[bytes, ...]  # by (time, id)


def doors(held: Evaluator) -> frozenset[bytes]:
    """What a newcomer may knock with: the public keys of the invitations that stand, and of people's words."""
    return frozenset(held.acts.invitations) | doors_of_words(held) if held.acts is not None else frozenset()


def doors_of_words(held: Evaluator) -> frozenset[bytes]:
    """The recovery keys of people who are admitted, as far as they were not revoked."""
    added = (
        act.key
        for entries in held.pool.on_keys.values()
        for entry in entries.values()
        for act in entry.acts
        if isinstance(act, KeyAdded) and act.recovery
    )
    return frozenset(key for key in added if key in held.readers)


def knock(community: bytes, words: bytes, nonce: bytes, key: bytes) -> Draft:
    """What the recovery key `words` says at its door: that the node with this key has it. It is shown, and never kept."""
    fields: dict[str, Value] = {"nonce": nonce, "key": key}
    change = typed_id(community, words, nonce), KNOCK, {name: (value, ()) for name, value in fields.items()}
    return Draft((change,), (), community)


def knocks_for(changeset: Changeset, key: bytes) -> bool:
    """Whether this is a knock for the node with this key."""
    changes = changeset.changes
    return len(changes) == 1 and changes[0][1] == KNOCK and values_of(changes[0]).get("key") == key


def proof_of_join(held: Evaluator, key: bytes) -> list[Proof]:
    """A joiner's own joins, each at the door of its invitation; for where the charter is not here."""
    own = held.pool.by_author.get(key, {}).values()
    return [Proof(each.join.invitation, (each.id,)) for each in own if each.join is not None]


def proof_of_member(held: Evaluator, key: bytes) -> Proof | None:
    """What admits this key, with all that it rests on, at the door of the key; None where nothing does.

    That is: the grants of its persons, their joins with their invitations, the tables of the chain that followed the
    charter, and what added keys to these persons and to those who signed the grants.
    """
    chain, acts = held.chain, held.acts
    if chain is None or acts is None:
        return None
    firsts = {key, *held.authority.persons_of(key), *acts.by_key.get(key, ())} & held.members.keys()
    if not firsts:
        return None
    found: dict[bytes, Entry] = {table: chain.carriers[table] for table in chain.carriers}
    grounds: list[Entry] = []
    for first in firsts:
        grounds += [entry for entry, _ in acts.grants.get(first, {}).values()]
        for join in held.joins.of_person.get(first, ()):
            invitation = held.joins.invitation_of[join]
            grounds.append(held.joins.made[invitation][join])
            grounds += [entry for entry, _ in acts.invitations.get(invitation, {}).values()]
    authors = {entry.changeset.author for entry in (*grounds, *found.values())}
    persons = firsts.union(*(acts.by_key.get(author, set()) for author in authors))
    for person in persons:
        valued = held.person(person)
        for each in valued.keys if valued is not None else (person,):
            grounds += [
                entry for id_, entry in held.pool.on_keys.get(each, {}).items() if id_ in held.standing
            ]
    chosen = {entry.id: entry for entry in (*found.values(), *grounds) if not entry.changeset.is_charter}
    ordered = sorted(chosen.values(), key=lambda entry: (entry.changeset.time, entry.id))
    return Proof(door_of_key(held.community, key), tuple(entry.id for entry in ordered)) if ordered else None


def shut_out_by(held: Evaluator, key: bytes) -> frozenset[bytes]:
    """What a key is admitted no more by, and all that this rests on but what it knew before.

    That is: the tables that followed the charter; the revocations of its persons, and of the key; their own leaves; and
    the withdrawals of the invitations by which they joined.
    """
    chain, acts = held.chain, held.acts
    if chain is None or acts is None:
        return frozenset()
    found = {entry.id for entry in chain.carriers.values()}
    for first in {key, *held.authority.persons_of(key), *acts.by_key.get(key, ())}:
        member = held.member(first)
        if member is not None:
            found |= member.revocations | member.leaves
            found |= member.person.kept if member.person is not None else frozenset()
        found |= acts.keys_revoked.get(first, {}).keys()
        for entry in held.pool.by_author.get(first, {}).values():
            if entry.join is not None:
                found |= acts.withdrawals.get(entry.join.invitation, {}).keys()
    return frozenset(found & held.standing)
