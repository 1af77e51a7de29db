"""Members: who is admitted, since when and by whom, and what of theirs stands.  SPEC.md, "Members" (rules 17 to 19, 22, 24).

Depends on the tables, the standing acts of stewards and the kept joins; and each person on nobody else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from commonsnode_protocol.authority.acts import (
    GRANTED_ROLES,
    MEMBER,
    STEWARD,
    Entry,
    Grant,
    KeyRevoked,
    Leave,
    Revocation,
)
from commonsnode_protocol.authority.cuts import Condition, Conditions, Cut
from commonsnode_protocol.authority.joins import Joins, terms
from commonsnode_protocol.authority.persons import Person, Pool, person_of
from commonsnode_protocol.authority.stewardship import Stewardship, counting, steward_conditions


@dataclass(frozen=True, slots=True)
class Membership:
    """Why a key is admitted: the role, the steward who gave it, in which changeset, and when by that author's clock."""

    role: str
    by: bytes
    changeset: bytes
    since: int


@dataclass(frozen=True, slots=True)
class Admission:
    """One grant or kept join of a person."""

    role: str
    by: bytes
    entry: Entry
    basis: int  # the table of the chain that it names; −1: none. A join names none
    by_join: bool  # a kept join, or the grant that pins one

    def names_all(self, ids: frozenset[bytes]) -> bool:
        """Whether it was written knowing all of these; what stands in the same changeset is known to it."""
        return all(id_ == self.entry.id or id_ in self.entry.changeset.refs for id_ in ids)


@dataclass(frozen=True, slots=True)
class Member:
    """A person who is or was admitted."""

    membership: Membership | None  # none: not any more
    person: Person | None  # none: never more than a mirror, so nothing of theirs stands
    revocations: frozenset[bytes]  # those that count
    leaves: frozenset[bytes]


def member_of(first: bytes, pool: Pool, acts: Stewardship, joins: Joins) -> Member | None:
    """Value one person; None where nothing ever admitted them."""
    tenure = acts.chain.tenures.get(first)
    admissions = [*_admissions(first, acts, joins)]
    if tenure is None and not admissions:
        return None
    revoked = revocations_of(first, acts)
    ids = frozenset(revoked)
    again = [each for each in admissions if _readmits(each, ids, acts, first)]
    anew = frozenset(each.entry.id for each in again if each.role == MEMBER and not each.by_join)
    conditions: Conditions = ()
    if tenure is not None and (tenure.now or not revoked):
        conditions = steward_conditions(acts.chain, first)
        if conditions and not tenure.now:
            conditions = (Condition(conditions[0].cuts, conditions[0].anew | anew),)
    elif revoked:
        cuts = tuple(act.cut for id_ in sorted(revoked) for act in revoked[id_][1])
        conditions = (Condition(cuts, anew),)
    if tenure is None and all(each.role != MEMBER for each in admissions):
        return Member(_membership(again), None, ids, frozenset())
    by_stewards = _key_conditions(first, acts) if tenure is None else {}
    person = person_of(first, pool, conditions, by_stewards)
    leaves = frozenset(_leaves(person, pool))
    if tenure is not None and tenure.now:
        membership: Membership | None = _stewardship(first, acts)
    else:
        membership = _membership([each for each in again if each.names_all(leaves)])
    return Member(membership, person, ids, leaves)


def revocations_of(first: bytes, acts: Stewardship) -> dict[bytes, tuple[Entry, list[Revocation]]]:
    """The revocations of a person that count. A steward is removed by certificates only, and what was before is behind."""
    found = acts.revocations.get(first, {})
    tenure = acts.chain.tenures.get(first)
    if tenure is not None and found:
        if tenure.now or tenure.removed is None:
            return {}
        found = {
            id_: (entry, said)
            for id_, (entry, every) in found.items()
            if (said := [act for act in every if _after(acts, act.table, first, tenure.removed)])
        }
    return counting(found)


def _after(acts: Stewardship, table: bytes, first: bytes, removed: int) -> bool:
    basis = acts.chain.basis(table)
    return basis >= removed and first not in acts.chain.tables[basis].stewards


def _admissions(first: bytes, acts: Stewardship, joins: Joins) -> Iterator[Admission]:
    for entry, grants in acts.grants.get(first, {}).values():
        node = acts.node_only(entry)
        for grant in grants:
            if not node or _pins(grant, acts, joins):
                basis = acts.chain.basis(grant.table)
                yield Admission(grant.role, entry.changeset.author, entry, basis, grant.join is not None)
    for id_ in joins.of_person.get(first, ()):
        invitation = joins.invitation_of[id_]
        found = terms(invitation, acts)
        if found is not None:
            by, said = found
            yield Admission(said.role, by.changeset.author, joins.made[invitation][id_], -1, True)


def _pins(grant: Grant, acts: Stewardship, joins: Joins) -> bool:
    """Whether this grant, by a node's key, says of a join no more than its invitation does."""
    if grant.join is None or (invitation := joins.invitation_of.get(grant.join)) is None:
        return False
    found = terms(invitation, acts)
    author = joins.made[invitation][grant.join].changeset.author
    return found is not None and author == grant.person and found[1].role == grant.role


def _readmits(admission: Admission, revoked: frozenset[bytes], acts: Stewardship, first: bytes) -> bool:
    tenure = acts.chain.tenures.get(first)
    if admission.by_join:
        # Who was revoked, or removed as a steward, does not come back by a link: a steward decides.
        return not revoked and tenure is None
    if tenure is not None and tenure.removed is not None and admission.basis < tenure.removed:
        return False
    return admission.names_all(revoked)


def _membership(admissions: list[Admission]) -> Membership | None:
    # A person with a grant as member and one as mirror is a member: being admitted to more is the later intent or
    # was never taken back, since taking back is a revocation.
    if not admissions:
        return None
    best = min(
        admissions,
        key=lambda each: (
            GRANTED_ROLES.index(each.role),
            each.entry.changeset.time,
            each.entry.id,
            each.by,
        ),
    )
    return Membership(best.role, best.by, best.entry.id, best.entry.changeset.time)


def _stewardship(first: bytes, acts: Stewardship) -> Membership:
    tables = acts.chain.tables
    at = len(tables) - 1
    while at > 0 and first in tables[at - 1].stewards:
        at -= 1
    carrier = acts.chain.carriers[tables[at].id].changeset
    return Membership(STEWARD, carrier.author, carrier.id, carrier.time)


def _key_conditions(first: bytes, acts: Stewardship) -> dict[bytes, Condition]:
    """What stewards let stand of single keys of a person."""
    found = acts.keys_revoked.get(first, {})
    by_key: dict[bytes, dict[bytes, tuple[Entry, list[KeyRevoked]]]] = {}
    for id_, (entry, said) in found.items():
        for act in said:
            by_key.setdefault(act.key, {}).setdefault(id_, (entry, []))[1].append(act)
    conditions: dict[bytes, Condition] = {}
    for key, of in by_key.items():
        cuts: list[Cut] = [act.cut for id_, (_, said) in sorted(counting(of).items()) for act in said]
        conditions[key] = Condition(tuple(cuts))
    return conditions


def _leaves(person: Person, pool: Pool) -> Iterator[bytes]:
    for key, of in person.keys.items():
        if of.node:
            continue
        for entry in pool.on_keys.get(key, {}).values():
            leaves = any(isinstance(act, Leave) and act.person == person.first for act in entry.acts)
            if leaves and person.counts(entry):
                yield entry.id
