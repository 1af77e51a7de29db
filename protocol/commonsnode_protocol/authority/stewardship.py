"""What the stewards did: which of their acts stand, by what these are about.  SPEC.md, "Acts of stewards" (rule 15).

Depends on the chain of tables and on the stewards' own keys only. So no steward alone, by revoking another as a person,
undoes what that other did as a steward.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from commonsnode_protocol.authority.acts import (
    MEMBER,
    Entry,
    Grant,
    Invitation,
    KeyRevoked,
    Revocation,
    Withdrawal,
)
from commonsnode_protocol.authority.cuts import Condition, Conditions
from commonsnode_protocol.authority.persons import Person, Pool, person_of
from commonsnode_protocol.authority.tables import Chain

A = TypeVar("A")
Found = dict[bytes, dict[bytes, tuple[Entry, list[A]]]]  # what it is about → changeset → entry and its acts


NOBODY = Person(b"", {}, frozenset(), {}, frozenset())


@dataclass(slots=True)
class Touched:
    """What has to be valued anew."""

    persons: set[bytes] = field(default_factory=set)
    invitations: set[bytes] = field(default_factory=set)
    pinned: set[bytes] = field(default_factory=set)  # joins that grants name
    changesets: set[bytes] = field(default_factory=set)  # may stand now and did not, or the reverse
    keys: set[bytes] = field(default_factory=set)  # of which something else stands as a steward's


@dataclass(slots=True)
class Stewardship:
    """The standing acts of all who are stewards in some table of the chain."""

    chain: Chain
    pool: Pool
    cutting: bool = True  # false: as a succession's roll is counted, where nothing later cuts
    among_keys: bool = (
        True  # false: what a steward's keys cut of one another counts too, as against a succession
    )
    persons: dict[bytes, Person] = field(default_factory=dict)
    by_key: dict[bytes, set[bytes]] = field(default_factory=dict)  # key → first keys of those whose it is
    claims: dict[bytes, set[bytes]] = field(default_factory=dict)  # the same of the keys that they claim
    kept: dict[bytes, set[bytes]] = field(
        default_factory=dict
    )  # changeset → the persons whose keys it is about
    grants: Found[Grant] = field(default_factory=dict)
    granted_members: set[bytes] = field(default_factory=set)  # persons whom a grant names as member
    revocations: Found[Revocation] = field(default_factory=dict)
    invitations: Found[Invitation] = field(default_factory=dict)
    withdrawals: Found[Withdrawal] = field(default_factory=dict)
    keys_revoked: Found[KeyRevoked] = field(default_factory=dict)  # by person
    indexed: set[bytes] = field(default_factory=set)
    shut_out: set[bytes] = field(default_factory=set)  # the revocations and withdrawals, by changeset

    def __post_init__(self) -> None:
        for first in self.chain.tenures:
            self._put(first, self._valued(first))
        for key in self.by_key:
            for entry in self.pool.by_author.get(key, {}).values():
                if self.counts(entry):
                    self.index(entry, None)

    def stands(self, entry: Entry) -> bool:
        """Whether this changeset stands as an act of a steward."""
        return self.counts(entry) or bool(self.kept.get(entry.id))

    def counts(self, entry: Entry) -> bool:
        """Whether it also has effect."""
        holders = self.by_key.get(entry.changeset.author)
        return holders is not None and any(self.persons[first].counts(entry) for first in holders)

    def node_only(self, entry: Entry) -> bool:
        """Whether its author is a node's key only: its grants count where they pin a join, its other acts do not."""
        author = entry.changeset.author
        for first in self.by_key.get(author, ()):
            person = self.persons[first]
            if not person.keys[author].node and person.counts(entry):
                return False
        return True

    def add(self, entries: Iterable[Entry], touched: Touched) -> None:
        """Take in more changesets, which are in the pool already."""
        to_refresh: set[bytes] = set()
        for entry in entries:
            for first in self.claims.get(entry.changeset.author, ()):
                if self.persons[first].adds(entry):
                    self.index(entry, touched)
                else:
                    to_refresh.add(first)
        for first in to_refresh:
            self._refresh(first, touched)
        for entry in entries:
            if self.counts(entry):
                self.index(entry, touched)

    def follow(self, chain: Chain, touched: Touched) -> None:
        """Go on to a chain that begins with the one so far."""
        before, self.chain = self.chain, chain
        for first, tenure in chain.tenures.items():
            touched.persons.add(first)
            if before.tenures.get(first) != tenure:
                self._refresh(first, touched)

    def _refresh(self, first: bytes, touched: Touched) -> None:
        before, after = self.persons.get(first, NOBODY), self._valued(first)
        differing = changed_keys(before, after)
        touched.keys |= differing
        changed = differing | before.walks.keys() | after.walks.keys()
        concerned = [entry for key in changed for entry in self.pool.by_author.get(key, {}).values()]
        for entry in concerned:
            self._unindex(entry, touched)
        self._put(first, after, before)
        for entry in concerned:
            touched.changesets.add(entry.id)
            if self.counts(entry):
                self.index(entry, touched)
        touched.changesets |= before.kept ^ after.kept

    def _valued(self, first: bytes) -> Person:
        conditions = steward_conditions(self.chain, first) if self.cutting else ()
        return person_of(first, self.pool, conditions, {})

    def _put(self, first: bytes, person: Person, before: Person = NOBODY) -> None:
        for key in before.keys:
            self.by_key[key].discard(first)
        for key in before.claimed:
            self.claims[key].discard(first)
        for id_ in before.kept:
            self.kept[id_].discard(first)
        self.persons[first] = person
        for key in person.keys:
            self.by_key.setdefault(key, set()).add(first)
        for key in person.claimed:
            self.claims.setdefault(key, set()).add(first)
        for id_ in person.kept:
            self.kept.setdefault(id_, set()).add(first)

    def index(self, entry: Entry, touched: Touched | None) -> None:
        """Let the acts of a changeset count."""
        if entry.id in self.indexed:
            return
        self.indexed.add(entry.id)
        node = bool(entry.acts) and self.node_only(entry)
        for act in entry.acts:
            if isinstance(act, Grant):
                _with(self.grants, act.person, entry, act)
                if act.role == MEMBER:
                    self.granted_members.add(act.person)
            elif node:
                continue
            elif isinstance(act, Revocation):
                _with(self.revocations, act.person, entry, act)
                self.shut_out.add(entry.id)
            elif isinstance(act, Invitation):
                _with(self.invitations, act.key, entry, act)
            elif isinstance(act, Withdrawal):
                _with(self.withdrawals, act.invitation, entry, act)
                self.shut_out.add(entry.id)
            elif isinstance(act, KeyRevoked):
                _with(self.keys_revoked, act.person, entry, act)
        if touched is not None:
            _touch(entry, touched)

    def _unindex(self, entry: Entry, touched: Touched) -> None:
        if entry.id not in self.indexed:
            return
        self.indexed.discard(entry.id)
        self.shut_out.discard(entry.id)
        for act in entry.acts:
            if isinstance(act, Grant):
                _without(self.grants, act.person, entry.id)
                others = self.grants.get(act.person, {}).values()
                if not any(grant.role == MEMBER for _, said in others for grant in said):
                    self.granted_members.discard(act.person)
            elif isinstance(act, Revocation):
                _without(self.revocations, act.person, entry.id)
            elif isinstance(act, Invitation):
                _without(self.invitations, act.key, entry.id)
            elif isinstance(act, Withdrawal):
                _without(self.withdrawals, act.invitation, entry.id)
            elif isinstance(act, KeyRevoked):
                _without(self.keys_revoked, act.person, entry.id)
        _touch(entry, touched)


def steward_conditions(chain: Chain, first: bytes) -> Conditions:
    """What the tables let stand of someone who is or was a steward: the last that removed them decides."""
    tenure = chain.tenures[first]
    if tenure.removed is None:
        return ()
    return (Condition((chain.cuts[tenure.removed],), tenure.returned),)


def changed_keys(before: Person | None, after: Person | None) -> set[bytes]:
    """The keys of which something else stands now."""
    old = before.keys if before is not None else {}
    new = after.keys if after is not None else {}
    return {
        key
        for key in old.keys() | new.keys()
        if key not in old
        or key not in new
        or old[key].conditions != new[key].conditions
        or old[key].node != new[key].node
    }


def counting(found: Mapping[bytes, tuple[Entry, A]]) -> dict[bytes, tuple[Entry, A]]:
    """Those that no other one refs (rule 17)."""
    if len(found) < 2:
        return dict(found)
    named = {ref for entry, _ in found.values() for ref in entry.changeset.refs}
    return {id_: pair for id_, pair in found.items() if id_ not in named}


def _touch(entry: Entry, touched: Touched) -> None:
    for act in entry.acts:
        if isinstance(act, Grant | Revocation | KeyRevoked):
            touched.persons.add(act.person)
        if isinstance(act, Grant):
            if act.join is not None:
                touched.pinned.add(act.join)
        elif isinstance(act, Invitation):
            touched.invitations.add(act.key)
        elif isinstance(act, Withdrawal):
            touched.invitations.add(act.invitation)


def _with(found: Found[A], about: bytes, entry: Entry, act: A) -> None:
    found.setdefault(about, {}).setdefault(entry.id, (entry, []))[1].append(act)


def _without(found: Found[A], about: bytes, id_: bytes) -> None:
    of = found.get(about)
    if of is not None:
        of.pop(id_, None)
        if not of:
            del found[about]
