"""Fingerprints of ranges of a lane in O(log n): a directory of buckets over the changesets that stand.

The changesets of a lane that stand, in the order (time, id), are cut into buckets; of each the first (time, id) that
falls into it, the number of changesets and the sum of their ids are kept, in table `buckets` and in memory. So a range
is answered from sums of whole buckets, and from the table's index for the two at its edges: an order-statistics tree of
two levels, with some 2,600 buckets for a million changesets.

A directory never changes: a transaction edits a copy, which is published when it is committed.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from commonsnode_protocol.negentropy import Item
from commonsnode_store.errors import Damaged

BUCKET_MAX = 512  # changesets; a bucket with more is cut
BUCKET_FILL = 384  # how full new buckets at the end are left, where most of what comes is added
CACHED_BUCKETS = 3  # by who reads: two places in use, and a step ahead
SUM_BYTES = 32
_MODULUS = 1 << (8 * SUM_BYTES)
_FIRST: Item = (0, b"")  # where the first bucket begins

_ITEMS_FROM = "select time, id from changesets where standing = 1 and lane = ? and (time, id) >= (?, ?) order by time, id"
_ITEMS_BETWEEN = (
    "select time, id from changesets"
    " where standing = 1 and lane = ? and (time, id) >= (?, ?) and (time, id) < (?, ?) order by time, id"
)


@dataclass(frozen=True)
class Directory:
    """The buckets of one lane: where each begins, how many it holds, and the sum of their ids mod 2^256."""

    keys: Sequence[Item]
    counts: Sequence[int]
    sums: Sequence[int]

    @cached_property
    def size(self) -> int:
        return sum(self.counts)

    @cached_property
    def id_sum(self) -> int:
        return sum(self.sums) % _MODULUS

    @cached_property
    def starts(self) -> Sequence[int]:
        """The index of each bucket's first item; and the size, at the end."""
        return list(accumulate(self.counts, initial=0))

    @cached_property
    def sums_before(self) -> Sequence[int]:
        """The sum of all ids before each bucket, not reduced."""
        return list(accumulate(self.sums, initial=0))


EMPTY = Directory((_FIRST,), (0,), (0,))


def load(db: sqlite3.Connection, lane: int) -> Directory:
    """The directory of a lane (its number) as the table has it."""
    rows = db.execute(
        "select time, id, count, sum from buckets where lane = ? order by time, id", (lane,)
    ).fetchall()
    if not rows:
        return EMPTY
    if (rows[0][0], rows[0][1]) != _FIRST:
        raise Damaged("buckets", f"the first bucket of lane {lane} does not begin at the beginning")
    return Directory(
        [(time, id_) for time, id_, _, _ in rows],
        [count for _, _, count, _ in rows],
        [int.from_bytes(sum_, "little") for _, _, _, sum_ in rows],
    )


def items_between(db: sqlite3.Connection, lane: int, begin: Item, end: Item | None) -> list[Item]:
    """The changesets of a lane that stand, from `begin` to before `end`, in order."""
    if end is None:
        return db.execute(_ITEMS_FROM, (lane, *begin)).fetchall()
    return db.execute(_ITEMS_BETWEEN, (lane, *begin, *end)).fetchall()


class DirectoryEdit:
    """A directory in the making, inside of a write transaction."""

    def __init__(self, db: sqlite3.Connection, lane: int, before: Directory) -> None:
        self._db, self._lane = db, lane
        self._keys, self._counts, self._sums = list(before.keys), list(before.counts), list(before.sums)

    def remove(self, items: Iterable[Item]) -> None:
        """Take changesets out; in the table their rows stand no more. A bucket that is empty stays: few ever are."""
        changed: set[int] = set()
        for item in items:
            at = bisect_right(self._keys, item) - 1
            self._counts[at] -= 1
            self._sums[at] -= int.from_bytes(item[1], "little")
            changed.add(at)
        for at in changed:
            self._sums[at] %= _MODULUS
        self._db.executemany(
            "insert or replace into buckets values (?, ?, ?, ?, ?)", [self._row(at) for at in sorted(changed)]
        )

    def add(self, items: Iterable[Item]) -> None:
        """Add changesets; their rows are in the table already, and stand."""
        keys, counts, sums = self._keys, self._counts, self._sums
        changed: set[int] = set()
        for item in items:
            at = bisect_right(keys, item) - 1
            counts[at] += 1
            sums[at] += int.from_bytes(item[1], "little")
            changed.add(at)
        rows: list[tuple[int, int, bytes, int, bytes]] = []
        for at in sorted(changed, reverse=True):  # from the end, since cutting moves what comes after
            if counts[at] > BUCKET_MAX:
                rows += self._cut(at)
            else:
                sums[at] %= _MODULUS
                rows.append(self._row(at))
        self._db.executemany("insert or replace into buckets values (?, ?, ?, ?, ?)", rows)

    def done(self) -> Directory:
        return Directory(tuple(self._keys), tuple(self._counts), tuple(self._sums))

    def _cut(self, at: int) -> list[tuple[int, int, bytes, int, bytes]]:
        last = at == len(self._keys) - 1
        items = items_between(self._db, self._lane, self._keys[at], None if last else self._keys[at + 1])
        if len(items) != self._counts[at]:
            raise Damaged("buckets", f"one of lane {self._lane} counts {self._counts[at]} for {len(items)}")
        if last:
            width = BUCKET_FILL
        else:
            pieces = -(-len(items) // BUCKET_FILL)
            width = -(-len(items) // pieces)
        parts = [items[begin : begin + width] for begin in range(0, len(items), width)]
        self._keys[at : at + 1] = [self._keys[at], *(part[0] for part in parts[1:])]
        self._counts[at : at + 1] = [len(part) for part in parts]
        self._sums[at : at + 1] = [sum_of(part) for part in parts]
        return [self._row(at + offset) for offset in range(len(parts))]

    def _row(self, at: int) -> tuple[int, int, bytes, int, bytes]:
        time, id_ = self._keys[at]
        return self._lane, time, id_, self._counts[at], self._sums[at].to_bytes(SUM_BYTES, "little")


class LaneItems:
    """What stands in a lane, as Negentropy asks for it (negentropy.Storage). Within one read transaction."""

    def __init__(self, db: sqlite3.Connection, lane: int, directory: Directory) -> None:
        self._db, self._lane, self._directory = db, lane, directory
        self._cached: dict[int, list[Item]] = {}

    def size(self) -> int:
        return self._directory.size

    def item(self, index: int) -> Item:
        at = self._bucket_of(index)
        return self._bucket(at)[index - self._directory.starts[at]]

    def lower_bound(self, time: int, id_prefix: bytes) -> int:
        bound = (time, id_prefix)
        at = bisect_right(self._directory.keys, bound) - 1
        return self._directory.starts[at] + bisect_left(self._bucket(at), bound)

    def items(self, begin: int, end: int) -> list[Item]:
        if begin >= end:
            return []
        starts = self._directory.starts
        first, last = self._bucket_of(begin), self._bucket_of(end - 1)
        found: list[Item] = []
        for at in range(first, last + 1):
            found += self._bucket(at)[max(begin - starts[at], 0) : end - starts[at]]
        return found

    def id_sum(self, begin: int, end: int) -> int:
        if begin >= end:
            return 0
        starts, sums = self._directory.starts, self._directory.sums_before
        first, last = self._bucket_of(begin), self._bucket_of(end - 1)
        if first == last and end - begin < self._directory.counts[first]:
            return sum_of(self._bucket(first)[begin - starts[first] : end - starts[first]])
        total = sums[last + 1] - sums[first]
        if begin > starts[first]:
            total -= sum_of(self._bucket(first)[: begin - starts[first]])
        if end < starts[last + 1]:
            total -= sum_of(self._bucket(last)[end - starts[last] :])
        return total % _MODULUS

    def _bucket_of(self, index: int) -> int:
        if not 0 <= index < self._directory.size:
            raise IndexError(index)
        return bisect_right(self._directory.starts, index) - 1

    def _bucket(self, at: int) -> list[Item]:
        # Ranges are asked for one after the other, with a place at each end.
        found = self._cached.get(at)
        if found is None:
            keys = self._directory.keys
            found = items_between(
                self._db, self._lane, keys[at], keys[at + 1] if at + 1 < len(keys) else None
            )
            if len(found) != self._directory.counts[at]:
                raise Damaged(
                    "buckets",
                    f"one of lane {self._lane} counts {self._directory.counts[at]} for {len(found)}",
                )
            if len(self._cached) >= CACHED_BUCKETS:
                del self._cached[next(iter(self._cached))]
            self._cached[at] = found
        return found


def sum_of(items: Iterable[Item]) -> int:
    return sum(int.from_bytes(id_, "little") for _, id_ in items) % _MODULUS
