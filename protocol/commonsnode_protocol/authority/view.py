"""What a set of authority changesets says: tables, roles, keys, and for any author what of theirs stands.  SPEC.md, "Authority"."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from commonsnode_protocol.authority.acts import MIRROR
from commonsnode_protocol.authority.cuts import Conditions, Walk
from commonsnode_protocol.authority.members import Member, Membership
from commonsnode_protocol.authority.settings import KNOWN_VERSIONS, Table
from commonsnode_protocol.changeset import AUTHORITY, Changeset

Verdict: TypeAlias = tuple[Conditions, ...]
"""Ways for an author's changesets to stand: by meeting all the conditions of any one. () never; ((),) always."""

NEVER: Verdict = ()
ALWAYS: Verdict = ((),)


@dataclass(frozen=True, slots=True)
class Authority:
    """What a set of authority changesets says."""

    table: Table | None = None  # the current one; none while the charter is not here
    members: Mapping[bytes, Membership] = field(default_factory=dict)  # person → role; stewards included
    tables: tuple[Table, ...] = ()  # the chain, from table 0
    lost: frozenset[bytes] = frozenset()  # tables that nobody follows, though valid
    people: Mapping[bytes, Member] = field(default_factory=dict)  # all who are or were admitted
    data: Mapping[bytes, Verdict] = field(default_factory=dict)  # author → in the data lanes
    acts: Mapping[bytes, Verdict] = field(default_factory=dict)  # author → in lane `authority`
    apart: Collection[bytes] = (
        frozenset()
    )  # changesets of `authority` of the evaluated set that stand for a reason of their own
    holders: Mapping[bytes, tuple[bytes, ...]] = field(
        default_factory=dict
    )  # key → persons, in order, where that is more or other than the person whose first key it is
    cut: Collection[bytes] = frozenset()  # authors of whom some stands in the data lanes, and not all

    @property
    def stopped(self) -> int | None:
        """The version that the current table asks for, where this software does not know it (rule 5)."""
        if self.table is None or self.table.settings.version in KNOWN_VERSIONS:
            return None
        return self.table.settings.version

    def verdict(self, author: bytes, lane: str) -> Verdict:
        """In which ways changesets of this author stand in this lane."""
        return (self.acts if lane == AUTHORITY else self.data).get(author, NEVER)

    def writes(self, author: bytes) -> bool:
        """Whether what this author writes now stands in the data lanes, if it names the grant that admits them again."""
        verdict = self.data.get(author, NEVER)
        return any(all(condition.anew for condition in way) for way in verdict)

    def stands(self, changeset: Changeset) -> bool:
        """Whether a changeset of this community stands; its form and signature were checked before.

        Where its author was cut this answers for changesets of `authority` that were evaluated, and for what the cuts and
        new grants name directly; `standing` walks to ancestors.
        """
        if changeset.is_charter:
            return bool(self.tables) and changeset.id == self.tables[0].id
        if changeset.lane == AUTHORITY and changeset.id in self.apart:
            return True
        return bool(standing(self.verdict(changeset.author, changeset.lane), changeset))

    def persons_of(self, key: bytes) -> tuple[bytes, ...]:
        """Whose key this is: the first keys of those persons, in order. Most often one."""
        found = self.holders.get(key)
        if found is not None:
            return found
        member = self.people.get(key)
        return (key,) if member is not None and member.person is not None else ()

    def reads(self, key: bytes) -> bool:
        """Whether this is a key of a member or steward, who may read what is sealed."""
        return any(reads(self.people[first], key) for first in self.persons_of(key))

    def admits(self, key: bytes) -> bool:
        """Whether the node with this key may keep copies: one that reads, or a mirror."""
        membership = self.members.get(key)
        return (membership is not None and membership.role == MIRROR) or self.reads(key)

    @property
    def stewards(self) -> tuple[bytes, ...]:
        return self.table.stewards if self.table is not None else ()


def reads(member: Member, key: bytes) -> bool:
    """Whether this key of a person may read what is sealed.

    A person's cut is overcome by a new grant, a key's is for good. A mirror has no keys but its first, and reads nothing.
    """
    person, membership = member.person, member.membership
    if person is None or membership is None or membership.role == MIRROR or key not in person.keys:
        return False
    return all(condition.anew for condition in person.keys[key].conditions)


def standing(verdict: Verdict, *changesets: Changeset) -> set[bytes]:
    """The ids of those that stand, of changesets of one author and one data lane: all that are held, or one on its own."""
    if verdict == ALWAYS:
        return {changeset.id for changeset in changesets}
    found: set[bytes] = set()
    for conditions in verdict:
        if not changesets:
            break
        walk = Walk(changesets[0].author, changesets[0].lane, conditions)
        for changeset in changesets:
            walk.add(changeset.id, changeset.refs)
        found |= walk.standing
    return found
