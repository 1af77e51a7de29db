"""Who is the keeper of a thing: a chain of custody, a function of the writes that stand.  SPEC.md, "Keepers" (rule 32)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from commonsnode_protocol.changeset import KEY_BYTES, Changeset
from commonsnode_protocol.record import RecordKey, typed_id

KEEPER = "keeper"
NONCE = "nonce"
CANDIDATES_MAX = 64  # hand-overs from one value; with more of them it is a fork
TERMS_MAX = 16  # of one person: what they decided before the end of an earlier one has no effect any more

Precedes: TypeAlias = Callable[[bytes, bytes], bool]
"""Whether the first changeset is among the ancestors of the second, by refs of one author in one lane."""


@dataclass(frozen=True, slots=True)
class KeeperWrite:
    """One write to the field `keeper` that stands. value: the new keeper's key; None: nobody."""

    changeset: bytes
    author: bytes
    value: bytes | None
    supersedes: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Term:
    """Somebody's time as keeper, and the write that ended it."""

    keeper: bytes
    ended_by: bytes | None = None


@dataclass(frozen=True, slots=True)
class Custody:
    """keeper: None where nobody is. forked: hand-overs apart, so a steward has to decide."""

    keeper: bytes | None
    terms: tuple[Term, ...] = ()
    forked: bool = False
    no_effect: frozenset[bytes] = frozenset()  # writes by somebody who could not hand it over


@dataclass(frozen=True, slots=True)
class People:
    """Whose key is whose, and who are the stewards of the current table."""

    stewards: tuple[bytes, ...] = ()  # first keys, by seniority
    person_of: Callable[[bytes], bytes] = lambda key: key  # the first key of whose key this is
    named_by: Callable[[bytes], frozenset[bytes]] = lambda _: frozenset()
    """The persons whose node's key this is: it confirms for them, and is theirs in nothing else here."""

    def same(self, a: bytes, b: bytes) -> bool:
        return a == b or self.person_of(a) == self.person_of(b)

    def seniority(self, key: bytes) -> int | None:
        """0 for the most senior steward; None for who is none."""
        person = self.person_of(key)
        return self.stewards.index(person) if person in self.stewards else None


def custody(
    creator: bytes | None, writes: Iterable[KeeperWrite], people: People, precedes: Precedes
) -> Custody:
    """Follow the hand-overs from the steward's write that goes before all others, or from the creator."""
    every = {write.changeset: write for write in writes}
    by_stewards = {id_ for id_, write in every.items() if people.seniority(write.author) is not None}
    at = _base(every, by_stewards, people)
    effective: set[bytes] = set(by_stewards)
    keeper = creator if at is None else every[at].value
    following_on: dict[bytes | None, list[KeeperWrite]] = {}
    for id_, write in every.items():
        if id_ not in by_stewards:
            for before in write.supersedes or (None,):
                following_on.setdefault(before, []).append(write)
    terms: list[Term] = []
    while keeper is not None:
        candidates = [write for write in following_on.get(at, ()) if people.same(write.author, keeper)]
        effective.update(write.changeset for write in candidates)
        if not candidates:
            terms.append(Term(keeper))
            break
        following = _first(candidates, precedes)
        if following is None:
            return Custody(None, (*terms, Term(keeper)), True, frozenset(every) - effective)
        terms.append(Term(keeper, following.changeset))
        at, keeper = following.changeset, following.value
    return Custody(keeper, tuple(terms), False, frozenset(every) - effective)


def _base(every: Mapping[bytes, KeeperWrite], by_stewards: set[bytes], people: People) -> bytes | None:
    """The steward's write that no other of them supersedes, also by way of others' writes."""
    superseded: set[bytes] = set()
    for id_ in by_stewards:
        unseen = list(every[id_].supersedes)
        seen: set[bytes] = set()
        while unseen:
            each = unseen.pop()
            if each not in seen:
                seen.add(each)
                unseen += every[each].supersedes if each in every else ()
        superseded |= seen

    def order(id_: bytes) -> tuple[int, bytes]:
        seniority = people.seniority(every[id_].author)
        return (len(people.stewards) if seniority is None else seniority, id_)

    return min(by_stewards - superseded, key=order, default=None)


def _first(candidates: Sequence[KeeperWrite], precedes: Precedes) -> KeeperWrite | None:
    """The one that all others have among their own-lane ancestors."""
    if len(candidates) > CANDIDATES_MAX:
        return None
    one = candidates[0]
    for other in candidates[1:]:
        # If any of them precedes all, it is never let go again.
        if precedes(other.changeset, one.changeset):
            one = other
    others = (other for other in candidates if other is not one)
    return one if all(precedes(one.changeset, other.changeset) for other in others) else None


def keeper_writes(key: RecordKey, changesets: Iterable[Changeset]) -> tuple[bytes | None, list[KeeperWrite]]:
    """The creator of a record, and its keeper writes. A value that is neither a key nor nil is no such write."""
    creator: bytes | None = None
    found: list[KeeperWrite] = []
    for changeset in changesets:
        if changeset.lane != key.lane:
            continue
        for record, kind, fields in changeset.changes:
            if (record, kind) != (key.record, key.kind):
                continue
            if NONCE in fields and creates(changeset, record, fields[NONCE][0]):
                creator = changeset.author
            if KEEPER not in fields:
                continue
            value, supersedes = fields[KEEPER]
            if value is None or (isinstance(value, bytes) and len(value) == KEY_BYTES):
                named = frozenset(changeset.refs[index] for index in supersedes)
                found.append(KeeperWrite(changeset.id, changeset.author, value, named))
    return creator, found


def creates(changeset: Changeset, record: bytes, nonce: object) -> bool:
    """Whether this nonce makes the author of the changeset the creator of the record."""
    return isinstance(nonce, bytes) and typed_id(changeset.community, changeset.author, nonce) == record


def own_chain(changesets: Iterable[Changeset]) -> Precedes:
    """Ancestry by refs of one author in one lane, among these changesets."""
    by_id = {changeset.id: changeset for changeset in changesets}

    def precedes(earlier: bytes, later: bytes) -> bool:
        if earlier not in by_id or later not in by_id:
            return False
        of, unseen, seen = by_id[later], [later], {later}
        while unseen:
            for ref in by_id[unseen.pop()].refs:
                each = by_id.get(ref)
                if each is None or ref in seen or each.author != of.author or each.lane != of.lane:
                    continue
                if ref == earlier:
                    return True
                seen.add(ref)
                unseen.append(ref)
        return False

    return precedes
