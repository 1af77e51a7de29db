"""Successions: the members name a new steward where the stewards are gone.  SPEC.md, "Succession" (rule 23).

A succession carries its roll: the changesets of stewards from which its members are counted. By its own roll it is valid or
not, so whether it is kept changes with nothing else; whether it is followed depends on all that stewards up to its parent
did, and on nothing that comes after, so a new steward cannot undo the votes that made it one.
"""

from collections.abc import Mapping, Sequence

from commonsnode_protocol.authority.acts import MEMBER, Certificate, Entry
from commonsnode_protocol.authority.joins import Joins
from commonsnode_protocol.authority.members import member_of
from commonsnode_protocol.authority.persons import Pool
from commonsnode_protocol.authority.stewardship import Stewardship
from commonsnode_protocol.authority.tables import Chain, Election, in_order

NONE_KEPT = Election(None, False, frozenset())


def elect(
    chain: Chain,
    candidates: Sequence[Entry],
    objected: frozenset[bytes],
    held: Mapping[bytes, Entry],
    pool: Pool,
) -> Election:
    """Which succession of the last table is kept, and whether the members' share of today is behind it."""
    best: tuple[int, bytes] | None = None
    kept: tuple[Entry, frozenset[bytes], frozenset[bytes], list[Entry]] | None = None
    for entry in candidates:
        act = entry.of_table
        assert isinstance(act, Certificate)
        roll = _roll(act, held)
        if act.id in objected or roll is None or not _only_adds(chain, act):
            continue
        counted = members_on(chain, roll, pool.community)
        voters = act.signers & counted
        rank = (-len(voters), entry.id)
        if is_share(chain, len(voters), len(counted)) and (best is None or rank < best):
            best, kept = rank, (entry, counted, voters, roll)
    if kept is None:
        return NONE_KEPT
    entry, counted, voters, roll = kept
    acts = Stewardship(chain, pool)
    among_keys = frozenset(id_ for person in acts.persons.values() for id_ in person.kept)
    return Election(entry, _is_followed(acts, counted, voters, roll), among_keys)


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
    others = {
        person
        for person, grants in acts.grants.items()
        if any(grant.role == MEMBER for _, said in grants.values() for grant in said)
    }
    everyone = (counted | others) - (of_roll.revocations.keys() - counted) - frozenset(chain.current.stewards)
    named = {
        person
        for person, revocations in acts.revocations.items()
        if not revocations.keys() <= of_roll.revocations.get(person, {}).keys()
    }
    return is_share(chain, len(voters - named), len(everyone))


def _roll(act: Certificate, held: Mapping[bytes, Entry]) -> list[Entry] | None:
    """The changesets of the roll, if all are here."""
    if act.roll is None or not act.roll <= held.keys():
        return None
    return [held[id_] for id_ in sorted(act.roll)]


def _only_adds(chain: Chain, act: Certificate) -> bool:
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
