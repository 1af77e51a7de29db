"""What a set of authority changesets says: tables, roles, keys, and for any author what of theirs stands.  SPEC.md, "Authority"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

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
    apart: frozenset[bytes] = (
        frozenset()
    )  # changesets of `authority` of the evaluated set that stand for a reason of their own

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
        return tuple(
            sorted(
                first
                for first, member in self.people.items()
                if member.person is not None and key in member.person.keys
            )
        )

    @property
    def stewards(self) -> tuple[bytes, ...]:
        return self.table.stewards if self.table is not None else ()


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
