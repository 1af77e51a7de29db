"""What a question may see: lanes and communities by number, and the customs of communities.  Remembered between questions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from commonsnode_protocol.authority import Authority
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store.errors import StoreError
from commonsnode_store.idleness import Customs
from commonsnode_store.lanes import Followed, Lane

Among: TypeAlias = Callable[[bytes, str], bool]
CustomsOf: TypeAlias = Mapping[bytes, Customs]  # community → what its charter says, where it says something


@dataclass(frozen=True, slots=True)
class Scope:
    """lanes: those that may be seen, by number. every: whether these are all that hold records.

    sealed: those of them in which members alone say something.
    """

    lanes: Mapping[int, Lane]
    every: bool
    sealed: Sequence[Lane]

    @classmethod
    def over(cls, lanes: Mapping[int, Lane], every: bool) -> "Scope":
        return cls(lanes, every, sealed_among(lanes.values()))


def sealed_among(lanes: Iterable[Lane]) -> list[Lane]:
    """Those in which members alone say something."""
    return [lane for lane in lanes if lane.name == MEMBERS and lane.state.count]


class Scopes:
    """Those of one store. For any thread."""

    def __init__(self, authority: Callable[[bytes], Authority]) -> None:
        self._authority = authority
        self._scope: tuple[Followed | None, Scope] = (None, Scope({}, True, ()))
        self._customs: tuple[Followed | None, CustomsOf] = (None, {})

    def of(self, followed: Followed, among: Among | None) -> Scope:
        """among: as in Store.find."""
        before, scope = self._scope
        if before is not followed:
            scope = Scope.over({lane.no: lane for lane in followed.record_lanes(None)}, True)
            self._scope = (followed, scope)
        if among is None:
            return scope
        lanes = {no: lane for no, lane in scope.lanes.items() if among(lane.community, lane.name)}
        return Scope.over(lanes, len(lanes) == len(scope.lanes))

    def grid_m(self, scope: Scope) -> int:
        """The greatest grid by which places are blurred that members know exactly."""
        grids = [0]
        for lane in scope.sealed:
            with suppress(StoreError):  # left a moment ago
                table = self._authority(lane.community).table
                grids.append(table.settings.grid_m if table is not None else 0)
        return max(grids)

    def customs(self, followed: Followed) -> CustomsOf:
        """Of all communities. Not inside of a snapshot: it takes some of its own."""
        before, customs = self._customs
        if before is not followed:
            found: dict[bytes, Customs] = {}
            for community in followed.communities:
                with suppress(StoreError):  # left a moment ago
                    table = self._authority(community).table
                    if table is not None and (table.settings.lending or table.settings.zone):
                        found[community] = Customs.of(table.settings.lending, table.settings.zone)
            customs = found
            self._customs = (followed, customs)
        return customs
