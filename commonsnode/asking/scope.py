"""In which communities a question is asked, and what their charters say for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from commonsnode import communities
from commonsnode.asking.zones import zone_of
from commonsnode.governing import role_of
from commonsnode_protocol.authority import MEMBER, STEWARD, Settings
from commonsnode_store.store import Store


@dataclass(frozen=True, slots=True)
class Charter:
    """Of one community. name, settings: as its current table has them; none, and the defaults, where it is not here yet."""

    community: bytes
    name: str | None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Scope:
    """The communities that are asked. chosen: they were named, and are not just all there are."""

    charters: Mapping[bytes, Charter]
    chosen: bool

    @property
    def zone(self) -> tzinfo:
        """In which days and clocks are read."""
        return zone_of(charter.settings for charter in self.charters.values())

    @property
    def searched(self) -> Sequence[bytes | None]:
        """What is looked through one by one: the chosen ones, or all at once."""
        return list(self.charters) if self.chosen else [None]


def scope_of(store: Store, names: Sequence[str]) -> Scope:
    """names: as `communities.resolve` takes them; none for all that may be seen. Raises Unknown, Ambiguous."""
    ids = [communities.resolve(store, name).id for name in names] if names else store.community_ids()
    return Scope({id_: _charter(store, id_) for id_ in ids}, bool(names))


def is_member(store: Store, community: bytes, key: bytes) -> bool:
    """key: of somebody, or empty for nobody known."""
    return bool(key) and role_of(store.authority(community), key) in (MEMBER, STEWARD)


def _charter(store: Store, community: bytes) -> Charter:
    table = store.authority(community).table
    return (
        Charter(community, None, Settings())
        if table is None
        else Charter(community, table.name, table.settings)
    )
