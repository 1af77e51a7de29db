"""Successions: the members name a new steward where the stewards are gone.  SPEC.md, "Succession" (rule 23).

A succession carries its roll: the changesets of stewards from which its members are counted. By its own roll it is valid or
not, so whether it is kept changes with nothing else; whether it is followed depends on all that stewards up to its parent
did, and on nothing that comes after, so a new steward cannot undo the votes that made it one.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field

from commonsnode_protocol.authority.acts import MEMBER, Certificate, Entry
from commonsnode_protocol.authority.joins import Joins
from commonsnode_protocol.authority.members import member_of
from commonsnode_protocol.authority.persons import Pool
from commonsnode_protocol.authority.stewardship import Stewardship, Touched
from commonsnode_protocol.authority.tables import Chain, Election, in_order

NONE_KEPT = Election(None, False, frozenset())


@dataclass(slots=True)
class Elections:
    """Judges successions, and remembers what does not change: who is on a roll, and the acts of stewards up to a table."""

    pool: Pool
    held: Mapping[bytes, Entry]
    _counted: dict[bytes, frozenset[bytes]] = field(
        default_factory=dict
    )  # succession → the members on its roll
    _acts: dict[bytes, Stewardship] = field(default_factory=dict)  # table → acts of the stewards up to it

    def add(self, entries: Sequence[Entry]) -> None:
        """Take in more changesets, which are held and in the pool already."""
        for acts in self._acts.values():
            acts.add(entries, Touched())

    def forget(self, entry: Entry) -> None:
        """Let go of a changeset that stands nowhere now."""
        self._counted.pop(entry.id, None)
        for table, acts in [*self._acts.items()]:
            if acts.counts(entry) or entry.changeset.author in acts.claims:
                del self._acts[table]

    def keep(self, tables: Container[bytes]) -> None:
        """Remember only what is about these tables."""
        self._acts = {table: acts for table, acts in self._acts.items() if table in tables}

    def elect(self, chain: Chain, candidates: Sequence[Entry], objected: frozenset[bytes]) -> Election:
        """Which succession of the last table is kept, and whether the members' share of today is behind it."""
        best: tuple[int, bytes] | None = None
        kept: tuple[Entry, frozenset[bytes], list[Entry]] | None = None
        for entry in candidates:
            act = entry.of_table
            assert isinstance(act, Certificate)
            roll = roll_of(act, self.held.get)
            if act.id in objected or roll is None or not only_adds(chain, act):
                continue
            if entry.id not in self._counted:
                self._counted[entry.id] = members_on(chain, roll, self.pool.community)
            counted = self._counted[entry.id]
            rank = (-len(act.signers & counted), entry.id)
            if is_share(chain, -rank[0], len(counted)) and (best is None or rank < best):
                best, kept = rank, (entry, counted, roll)
        if kept is None:
            return NONE_KEPT
        entry, counted, roll = kept
        assert isinstance(entry.of_table, Certificate)
        if chain.current.id not in self._acts:
            self._acts[chain.current.id] = Stewardship(chain, self.pool)
        acts = self._acts[chain.current.id]
        among_keys = frozenset(id_ for person in acts.persons.values() for id_ in person.kept)
        followed = _is_followed(acts, counted, entry.of_table.signers & counted, roll)
        return Election(entry, followed, among_keys)


def members_on(chain: Chain, roll: Sequence[Entry], community: bytes) -> frozenset[bytes]:
    """The members whom these changesets of stewards make, counted by nothing else; stewards of the last table left out."""
    pool, joins = Pool(community), Joins(community)
    for entry in roll:
        pool.add(entry)
        if entry.join is not None:
            joins.add(entry)
    acts = Stewardship(chain, pool, cutting=False)
    return frozenset(person for person in acts.grants if _is_member(person, pool, acts, joins)) - frozenset(
        chain.current.stewards
    )


def is_share(chain: Chain, part: int, whole: int) -> bool:
    numerator, denominator = chain.current.settings.share
    return part > 0 and part * denominator >= numerator * whole


def _is_followed(
    acts: Stewardship, counted: frozenset[bytes], voters: frozenset[bytes], roll: Sequence[Entry]
) -> bool:
    """Whether the voters whom no standing revocation names are the share of all, the later admitted among them.

    What is not on the roll only ever speaks against it. So an act that the new table cuts, and which only some nodes have in
    their history, cannot be what it stands on.
    """
    chain = acts.chain
    of_roll = Stewardship(chain, _pool_of(roll, acts.pool.community), cutting=False)
    stewards = frozenset(chain.current.stewards)
    everyone = (acts.granted_members | counted) - (of_roll.revocations.keys() - counted) - stewards
    named = {
        person
        for person in voters
        if not acts.revocations.get(person, {}).keys() <= of_roll.revocations.get(person, {}).keys()
    }
    return is_share(chain, len(voters - named), len(everyone))


def roll_of(act: Certificate, entry: Callable[[bytes], Entry | None]) -> list[Entry] | None:
    """The changesets of the roll, if all are here. entry: what is held, by id."""
    if act.roll is None:
        return None
    found = [entry(id_) for id_ in sorted(act.roll)]
    here = [each for each in found if each is not None]
    return here if len(here) == len(found) else None


def only_adds(chain: Chain, act: Certificate) -> bool:
    """Whether it adds stewards to the last table and changes nothing else."""
    parent = chain.current
    return (
        len(act.stewards) > len(parent.stewards)
        and act.stewards[: len(parent.stewards)] == parent.stewards
        and in_order(parent, act)
        and act.name == parent.name
        and act.settings == parent.settings
    )


def _pool_of(roll: Sequence[Entry], community: bytes) -> Pool:
    pool = Pool(community)
    for entry in roll:
        pool.add(entry)
    return pool


def _is_member(person: bytes, pool: Pool, acts: Stewardship, joins: Joins) -> bool:
    member = member_of(person, pool, acts, joins)
    return member is not None and member.membership is not None and member.membership.role == MEMBER
