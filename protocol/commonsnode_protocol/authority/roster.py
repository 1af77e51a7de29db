"""Who is admitted and what of each key stands: kept person by person, and given to readers as maps that never change.

A step of the authority function changes few entries, so what readers get costs a copy of the maps that changed, and no
more than that: nothing is valued again for it. Where nothing changed, it is the same `Authority` as before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from commonsnode_protocol.authority.members import Member, Membership
from commonsnode_protocol.authority.tables import Chain
from commonsnode_protocol.authority.view import ALWAYS, NEVER, Authority, Verdict

V = TypeVar("V")


@dataclass(slots=True)
class Kept(Generic[V]):
    """A map that changes, and the copy of it that readers have."""

    live: dict[bytes, V] = field(default_factory=dict)
    _given: Mapping[bytes, V] | None = None  # none: not since it changed

    def put(self, key: bytes, value: V | None) -> bool:
        """Whether the map says something else now. value: none, to take the entry out."""
        if self.live.get(key) == value:
            return False
        if value is None:
            del self.live[key]
        else:
            self.live[key] = value
        self._given = None
        return True

    def give(self) -> Mapping[bytes, V]:
        if self._given is None:
            self._given = dict(self.live)
        return self._given


@dataclass(slots=True)
class Roster:
    """See the module. What an entry is worth is decided by the evaluator."""

    people: Kept[Member] = field(default_factory=Kept)
    members: Kept[Membership] = field(default_factory=Kept)
    data: Kept[Verdict] = field(default_factory=Kept)  # without those of whom nothing stands
    acts: Kept[Verdict] = field(default_factory=Kept)  # likewise
    _apart: set[bytes] = field(default_factory=set)
    _given_apart: frozenset[bytes] | None = frozenset()  # none: not since it changed
    _given: Authority = field(default_factory=Authority)

    def put_person(self, first: bytes, member: Member | None) -> None:
        self.people.put(first, member)
        self.members.put(first, member.membership if member is not None else None)

    def put_data(self, key: bytes, verdict: Verdict) -> None:
        self.data.put(key, verdict if verdict != NEVER else None)

    def put_acts(self, key: bytes, verdict: Verdict) -> bool:
        """Whether it is another thing now if all that this key signs stands in lane `authority`."""
        all_stood = self.acts.live.get(key) == ALWAYS
        self.acts.put(key, verdict if verdict != NEVER else None)
        return all_stood != (verdict == ALWAYS)

    def stood(self, id_: bytes, author: bytes) -> None:
        """A changeset of lane `authority` stands: for a reason of its own, where not all of its author stands."""
        if self.acts.live.get(author) == ALWAYS:
            self.fell(id_)
        elif id_ not in self._apart:
            self._apart.add(id_)
            self._given_apart = None

    def fell(self, id_: bytes) -> None:
        if id_ in self._apart:
            self._apart.discard(id_)
            self._given_apart = None

    def authority(self, chain: Chain) -> Authority:
        """All of it, with this chain of tables."""
        if self._given_apart is None:
            self._given_apart = frozenset(self._apart)
        maps = self.people.give(), self.members.give(), self.data.give(), self.acts.give(), self._given_apart
        given = self._given
        before = given.people, given.members, given.data, given.acts, given.apart
        same = all(now is then for now, then in zip(maps, before, strict=True))
        if not same or (chain.tables, chain.lost) != (given.tables, given.lost):
            people, members, data, acts, apart = maps
            self._given = Authority(
                chain.current, members, chain.tables, chain.lost, people, data, acts, apart
            )
        return self._given
