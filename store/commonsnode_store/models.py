"""The rules of lending that a thing has from its model: of the `specification` that it names, as far as it is here."""

from collections.abc import Mapping

from commonsnode_protocol.canonical import Value
from commonsnode_store import registers
from commonsnode_store.connections import Connection
from commonsnode_store.indexed import model_named
from commonsnode_store.schema import BENEATH

_SHOWN = f"""
    select registers from lanes cross join records on records.lane = lanes.no
    where community = ? and lanes.name in (?, 'public') and records.id = ? and status <> {BENEATH}
    and kind = (select no from kinds where name = 'specification') order by lanes.name <> ?"""
_NOTHING: Mapping[str, Value] = {}


class Models:
    """Those that one question meets, each read once."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._lending: dict[tuple[int, str, bytes], Mapping[str, Value]] = {}

    def lending(self, community: int, lane: str, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """What holds for a thing of this lane where it says nothing itself. The model is looked for there, then in `public`."""
        model = model_named(values)
        if model is None:
            return _NOTHING
        of = (community, lane, model)
        if of not in self._lending:
            row = self._db.execute(_SHOWN, (community, lane, model, lane)).fetchone()
            said = registers.shown(registers.load(model, row[0])).get("lending") if row is not None else None
            self._lending[of] = said if isinstance(said, dict) else _NOTHING
        return self._lending[of]
