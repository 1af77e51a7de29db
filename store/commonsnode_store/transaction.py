"""One write transaction: what it changes of what is kept in memory, to be published when it is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from commonsnode_protocol.authority import Authority
from commonsnode_store.bodies import Packer
from commonsnode_store.connections import Connection
from commonsnode_store.id_digests import IdDigests
from commonsnode_store.lanes import Community, Followed, Lane, LaneEdit
from commonsnode_store.numbers import Numbers
from commonsnode_store.occupancy import Concerned
from commonsnode_store.reserved import Persons
from commonsnode_store.walks import Walks


@dataclass(slots=True)
class Transaction:
    """Between `begin` and `commit`."""

    db: Connection
    numbers: Numbers
    packer: Packer
    before: Followed
    walks: Walks
    id_digests: IdDigests
    persons: Persons
    authorities: dict[bytes, Authority] = field(default_factory=dict)  # those that are others now
    concerned: Concerned = field(init=False)
    _edits: dict[tuple[bytes, str], LaneEdit] = field(default_factory=dict)
    _communities: dict[bytes, Community] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.concerned = Concerned(self.db)

    def lane(self, lane: Lane) -> LaneEdit:
        """What this transaction makes of a lane."""
        edit = self._edits.get((lane.community, lane.name))
        if edit is None:
            edit = self._edits[lane.community, lane.name] = LaneEdit(self.db, self.id_digests, lane)
        return edit

    def rename(self, community: Community, name: str) -> None:
        """As its charter has it."""
        self._replace(replace(self._now(community), name=name))

    def stop(self, community: Community, reason: str) -> None:
        self._replace(replace(self._now(community), stopped=reason))

    def finish(self) -> Followed:
        """Write what is left to write; what is followed once this is committed."""
        lanes = {key: edit.finish() for key, edit in self._edits.items()}
        return Followed(
            _updated(self.before.communities, self._communities), _updated(self.before.lanes, lanes)
        )

    def _now(self, community: Community) -> Community:
        return self._communities.get(community.id, community)

    def _replace(self, community: Community) -> None:
        self._communities[community.id] = community
        self.db.execute(
            "update communities set name = ?, stopped = ? where no = ?",
            (community.name, community.stopped, community.no),
        )


K = TypeVar("K")
V = TypeVar("V")


def _updated(before: Mapping[K, V], changed: Mapping[K, V]) -> Mapping[K, V]:
    return {**before, **changed} if changed else before
