"""The digests of what stands in lanes `authority`, BLAKE2b over the sorted ids, without reading all of these for each change.

The ids of a lane are kept in one stretch of memory, with the state of the hash every so many ids: one id more or less is
hashed from the last state before it. All of it is a copy of what the table has, made when a lane first changes; after a
transaction that failed, it is forgotten.
"""

import hashlib
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable

from commonsnode_protocol.lthash import DIGEST_BYTES, ID_BYTES

STEP_IDS = 512  # between two states of the hash
ONE_BY_ONE_MAX = 256  # of more ids at once, all are sorted anew


class SortedIds:
    """A set of ids with its digest."""

    def __init__(self, ids: Iterable[bytes] = ()) -> None:
        self._sort(ids)

    def __len__(self) -> int:
        return len(self._ids) // ID_BYTES

    def change(self, ids: Iterable[bytes], *, stand: bool) -> None:
        """These stand now, or stand no more, whether they did before or not."""
        changed = list(ids)
        if len(changed) > ONE_BY_ONE_MAX:
            every = {self._at(n) for n in range(len(self))}
            self._sort(every.union(changed) if stand else every.difference(changed))
            return
        for id_ in changed:
            n = bisect_left(range(len(self)), id_, key=self._at)
            begin, end = n * ID_BYTES, (n + 1) * ID_BYTES
            if (self._ids[begin:end] == id_) == stand:
                continue
            if stand:
                self._ids[begin:begin] = id_
            else:
                del self._ids[begin:end]
            del self._states[n // STEP_IDS + 1 :]

    def digest(self) -> bytes:
        """`authority_digest` of the ids."""
        step = STEP_IDS * ID_BYTES
        state = self._states[-1].copy()
        for begin in range((len(self._states) - 1) * step, len(self._ids), step):
            state.update(self._ids[begin : begin + step])
            if begin + step <= len(self._ids):
                self._states.append(state.copy())
        return state.digest()

    def _sort(self, ids: Iterable[bytes]) -> None:
        self._ids = bytearray(b"".join(sorted(set(ids))))
        self._states = [hashlib.blake2b(digest_size=DIGEST_BYTES)]  # after 0, STEP_IDS, 2 * STEP_IDS … ids

    def _at(self, n: int) -> bytes:
        return bytes(self._ids[n * ID_BYTES : (n + 1) * ID_BYTES])


class IdDigests:
    """What the one who writes keeps, by the number of the lane."""

    def __init__(self) -> None:
        self._lanes: dict[int, SortedIds] = {}

    def forget(self) -> None:
        self._lanes.clear()

    def change(self, lane: int, ids: Iterable[bytes], *, stand: bool) -> None:
        """These stand now in a lane, or stand no more; the table says so already."""
        found = self._lanes.get(lane)
        if found is not None:
            found.change(ids, stand=stand)

    def of(self, db: sqlite3.Connection, lane: int) -> bytes:
        found = self._lanes.get(lane)
        if found is None:
            rows = db.execute("select id from changesets where standing = 1 and lane = ?", (lane,))
            found = self._lanes[lane] = SortedIds(id_ for (id_,) in rows)
        return found.digest()
