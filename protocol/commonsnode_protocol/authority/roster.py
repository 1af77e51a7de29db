"""Who is admitted and what of each key stands: kept person by person, and given to readers as maps that never change.

A step of the authority function changes few entries, so nothing else is valued again for what readers get, and little of
it copied. Where nothing changed, it is the same `Authority` as before.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from commonsnode_protocol.authority.members import Member, Membership
from commonsnode_protocol.authority.shared_map import SharedMap
from commonsnode_protocol.authority.tables import Chain
from commonsnode_protocol.authority.view import ALWAYS, NEVER, Authority, Verdict, reads

V = TypeVar("V")


@dataclass(slots=True)
class Kept(Generic[V]):
    """A map that changes, and what readers have of it."""

    live: dict[bytes, V] = field(default_factory=dict)
    _given: SharedMap[V] = field(default_factory=SharedMap)
    _changed: set[bytes] = field(default_factory=set)  # since then

    def put(self, key: bytes, value: V | None) -> None:
        """value: none, to take the entry out."""
        if self.live.get(key) == value:
            return
        if value is None:
            del self.live[key]
        else:
            self.live[key] = value
        self._changed.add(key)

    def give(self) -> SharedMap[V]:
        if self._changed:
            self._given = self._given.changed(self.live, self._changed)
            self._changed.clear()
        return self._given


@dataclass(slots=True)
class Roster:
    """See the module. What an entry is worth is decided by the evaluator."""

    people: Kept[Member] = field(default_factory=Kept)
    members: Kept[Membership] = field(default_factory=Kept)
    data: Kept[Verdict] = field(default_factory=Kept)  # without those of whom nothing stands
    acts: Kept[Verdict] = field(default_factory=Kept)  # likewise
    holders: Kept[tuple[bytes, ...]] = field(
        default_factory=Kept
    )  # without those whose key is only their own first
    readers: set[bytes] = field(default_factory=set)
    leaves: Counter[bytes] = field(default_factory=Counter)  # of persons, by changeset
    key_cuts: set[bytes] = field(default_factory=set)  # changesets that stand and revoke a key
    _cut: Kept[bool] = field(default_factory=Kept)
    _apart: Kept[bool] = field(default_factory=Kept)
    _given: Authority = field(default_factory=Authority)

    def put_person(self, first: bytes, member: Member | None) -> None:
        before = self.people.live.get(first)
        self.leaves.subtract(before.leaves if before is not None else ())
        self.leaves.update(member.leaves if member is not None else ())
        self.people.put(first, member)
        self.members.put(first, member.membership if member is not None else None)

    def put_data(self, key: bytes, verdict: Verdict) -> None:
        self.data.put(key, verdict if verdict != NEVER else None)
        self._cut.put(key, True if verdict not in (ALWAYS, NEVER) else None)

    def put_acts(self, key: bytes, verdict: Verdict) -> bool:
        """Whether it is another thing now if all that this key signs stands in lane `authority`."""
        all_stood = self.acts.live.get(key) == ALWAYS
        self.acts.put(key, verdict if verdict != NEVER else None)
        return all_stood != (verdict == ALWAYS)

    def put_key(self, key: bytes, persons: Collection[bytes]) -> None:
        """persons: those whose key it is."""
        self.holders.put(key, tuple(sorted(persons)) if persons and {*persons} != {key} else None)
        if any(reads(self.people.live[first], key) for first in persons):
            self.readers.add(key)
        else:
            self.readers.discard(key)

    def stood(self, id_: bytes, author: bytes) -> None:
        """A changeset of lane `authority` stands: for a reason of its own, where not all of its author stands."""
        self._apart.put(id_, True if self.acts.live.get(author) != ALWAYS else None)

    def put_key_cut(self, id_: bytes, *, stands: bool) -> None:
        (self.key_cuts.add if stands else self.key_cuts.discard)(id_)

    def fell(self, id_: bytes) -> None:
        self._apart.put(id_, None)

    def authority(self, chain: Chain) -> Authority:
        """All of it, with this chain of tables."""
        now = Authority(
            chain.current,
            self.members.give(),
            chain.tables,
            chain.lost,
            self.people.give(),
            self.data.give(),
            self.acts.give(),
            self._apart.give(),
            self.holders.give(),
            self._cut.give(),
        )
        if not _same(now, self._given):
            self._given = now
        return self._given


def _same(now: Authority, given: Authority) -> bool:
    """Whether both say the same: what did not change is the same copy."""
    return (
        now.members is given.members
        and now.people is given.people
        and now.data is given.data
        and now.acts is given.acts
        and now.apart is given.apart
        and now.holders is given.holders
        and (now.tables, now.lost) == (given.tables, given.lost)
    )
