"""Which places of an import only members know exactly: decided for each row, and said when it is done.

A place of which somebody is named as keeper is somebody's home; a city's list of wells is not. So with nothing said a new row
is blurred where it names a keeper or is a person, and a thing that is here already stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commonsnode import halves
from commonsnode_protocol.blurring import BLURRED_KINDS, is_blurred, position_of
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store.answers import RecordView
from commonsnode_store.shown import PLACE
from commonsnode_store.store import Store

Fields = dict[str, Value]


@dataclass(slots=True)
class Places:
    """What becomes of the places of one import. blurred, exact: how many, for everybody else than members."""

    community: bytes
    asked: bool | None  # exact for everybody, blurred, or each as it is
    cleared: bool = False  # a row that says no place has none
    blurred: int = 0
    exact: int = 0
    _grid_m: int | None = None

    def part(
        self, store: Store, kind: str, lane: str, rows: Sequence[tuple[Fields, RecordView | None]]
    ) -> list[tuple[Fields, Fields]]:
        """Each row's fields for everybody, and those for members. rows: with what stands of each already.

        Raises WrongField where a place is to be blurred, and this node cannot keep the exact one.
        """
        if self._grid_m is None:
            self._grid_m = halves.grid_of(store, self.community)
        if lane == MEMBERS or kind not in BLURRED_KINDS or not self._grid_m:
            return [(fields, {}) for fields, _ in rows]
        return [self._parted(store, kind, fields, view) for fields, view in rows]

    def begin_anew(self) -> None:
        """Count from the beginning."""
        self.blurred = self.exact = 0

    @property
    def notices(self) -> list[str]:
        """What a person should know of it."""
        found = []
        if self.blurred:
            found.append(
                f"{_so_many(self.blurred)} exact for members alone; everybody else sees {_them(self.blurred)} to"
                f" {self._grid_m} m"
                + ("" if self.asked is False else " (--exact-places: exact for everybody)")
            )
        if self.exact and self.asked is None:
            found.append(
                f"{_so_many(self.exact)} exact for everybody (--blurred-places: only for members; others see"
                f" {_them(self.exact)} to {self._grid_m} m)"
            )
        return found

    def _parted(
        self, store: Store, kind: str, fields: Fields, view: RecordView | None
    ) -> tuple[Fields, Fields]:
        place = fields.get(PLACE)
        before = view.fields[PLACE][0].value if view is not None and PLACE in view.fields else None
        if position_of(place) is None:
            # Without the position that it had, what members have of it goes as well.
            gone = is_blurred(before) and (PLACE in fields or self.cleared)
            return fields, {PLACE: None} if gone else {}
        if not self._is_to_be_blurred(kind, fields, before):
            self.exact += 1
            return fields, {PLACE: None} if is_blurred(before) else {}
        halves.check_kept(store, self.community)
        self.blurred += 1
        part = halves.parted(kind, {PLACE: place}, self._grid_m or 0, {})
        return {**fields, **part.everybody}, part.members

    def _is_to_be_blurred(self, kind: str, fields: Mapping[str, Value], before: Value) -> bool:
        if self.asked is not None:
            return not self.asked
        if position_of(before) is not None:
            return is_blurred(before)
        return halves.is_home(kind, fields)


def _so_many(places: int) -> str:
    return "1 place is" if places == 1 else f"{places} places are"


def _them(places: int) -> str:
    return "it" if places == 1 else "them"
