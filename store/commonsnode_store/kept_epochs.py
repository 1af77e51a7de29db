"""The epochs and copies of lanes `keys`, kept by the one who writes: what comes to stand is added to them.

A community of thousands has as many copies of each key, and each newcomer brings one more. What was read once is read again
only where something fell, or stands that was held before; the digest of the lane tells. After a transaction that failed,
all of it is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commonsnode_protocol.changeset import Changeset
from commonsnode_protocol.epochs import Epochs
from commonsnode_protocol.lthash import LtHash
from commonsnode_store.connections import Connection
from commonsnode_store.lanes import Lane
from commonsnode_store.standing import read_changeset

_BEGINNING = 0  # before the number of every changeset


@dataclass(slots=True)
class _Read:
    lane: Lane  # as it was then
    last: int  # the greatest number of what was read
    epochs: Epochs


class KeptEpochs:
    """See the module; by community."""

    def __init__(self) -> None:
        self._read: dict[bytes, _Read] = {}

    def forget(self) -> None:
        self._read.clear()

    def of(self, db: Connection, lane: Lane) -> Epochs:
        """What stands in this lane, as it is now. Not to be changed. Raises Damaged."""
        found = self._read.get(lane.community)
        if found is None or not _follow(db, found, lane):
            found = self._read[lane.community] = _Read(lane, _BEGINNING, Epochs())
            _add(found, _standing(db, lane, _BEGINNING))
        return found.epochs


def _follow(db: Connection, found: _Read, lane: Lane) -> bool:
    """Go on from what was read; False where that is not all that is different."""
    if found.lane is lane:
        return True
    new = _standing(db, lane, found.last)
    digest = LtHash.from_state(found.lane.digest)
    digest.add(changeset.id for _, changeset in new)
    if digest.state() != lane.digest:
        return False
    found.lane = lane
    _add(found, new)
    return True


def _add(found: _Read, new: Sequence[tuple[int, Changeset]]) -> None:
    found.epochs.add(changeset for _, changeset in new)
    found.last = max((no for no, _ in new), default=found.last)


def _standing(db: Connection, lane: Lane, after: int) -> list[tuple[int, Changeset]]:
    return [
        (no, read_changeset(db, id_, codec, body))
        for no, id_, codec, body in db.execute(
            "select no, id, codec, body from changesets where no > ? and lane = ? and standing = 1 order by no",
            (after, lane.no),
        )
    ]
