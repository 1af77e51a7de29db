"""What the indexes alone can tell: records that may be what is asked for, nearest first, a batch at a time.

Without words, circles grow until enough is found; each is a few ranges of `places`. With words, the full-text index is
asked for all that have them in a region: few are looked up one by one, many are met in the growing circles. Without a
point to be near to, what has the words comes by record number, and all else by place.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from math import pi, sqrt

from commonsnode_store.areas import HALF_ROUND_M, Distance, Polygons, circle_boxes
from commonsnode_store.cells import (
    LAT_MAX,
    LON_MAX,
    NO_MAX,
    NOWHERE,
    PLACELESS_WORD,
    Box,
    Range,
    cell_of,
    common,
    cover,
    words_for,
)
from commonsnode_store.connections import Connection, select_in

RANGES_MAX = 16
FEW_HITS, SOME_HITS = 400, 4_000  # few are looked up one by one; some are, if the first circle has not enough
STAGES_M = (25_000, 300_000)  # regions that are asked for words before the whole earth is
FIRST_RING_M, FIRST_RING_WITH_WORDS_M, RING_M_MIN = 3_000, 10_000, 100
RING_THINGS, RING_THINGS_WITH_WORDS = 40, 4_000  # as many as the first circle should hold
RING_THINGS_MAX = 20_000  # that are held in memory at once, unless they are all at the same distance
GROWTH = 2
CELL_KM2 = 3.0
BATCH = 256
NO_DISTANCE = HALF_ROUND_M + 1  # of what has no place: after all that has
START = (-1, -1)
EVERYWHERE: Range = (0, NOWHERE - 1)
PLACELESS: Range = (NOWHERE, 2 * NOWHERE - 1)
_EARTH: Box = (-LAT_MAX, -LON_MAX, LAT_MAX, LON_MAX)

Row = tuple[int, int | None, int | None]  # key, lat, lon
Mark = tuple[int, int]  # distance, and what sorts those at the same distance
Found = tuple[Mark, int, int | None, int | None]  # mark, key, lat, lon


@dataclass(frozen=True, slots=True)
class Conditions:
    """What columns of `places` must be, as SQL that begins with `and`."""

    sql: str
    given: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """near: what distances are from. within_m: no farther. area: nowhere else."""

    near: tuple[int, int] | None
    within_m: int | None
    area: Polygons | None


class Candidates:
    """Of one question. words: for FTS5. beside: numbers of records that have the words, though the index does not say so."""

    def __init__(
        self,
        db: Connection,
        conditions: Conditions,
        where: Where,
        words: str | None,
        beside: Collection[int] = (),
    ) -> None:
        self._beside = frozenset(beside)
        self._db, self._conditions, self._words, self._area = db, conditions, words, where.area
        self._near, self._within = where.near, where.within_m
        self._distance = Distance(where.near) if where.near is not None else None
        self._boxes = where.area.boxes() if where.area is not None else [_EARTH]

    def after(self, mark: Mark) -> Iterator[list[Found]]:
        """Each batch in order, and after the one before."""
        if self._near is not None:
            yield from self._by_distance(self._near, mark)
        elif self._words is not None:
            words = words_for(self._boxes) if self._area is not None else None
            yield from self._by_number(words, mark)
        else:
            ranges = [EVERYWHERE, PLACELESS] if self._area is None else cover(self._boxes, RANGES_MAX)
            yield from self._by_key(ranges, 0, mark)

    def _by_distance(self, near: tuple[int, int], mark: Mark) -> Iterator[list[Found]]:
        limit = HALF_ROUND_M if self._within is None else min(self._within, HALF_ROUND_M)
        if self._words is None:
            yield from self._rings(near, -1, limit, None, mark)
        else:
            inner = -1
            for stage in (*STAGES_M, limit):
                outer = min(stage, limit)
                if outer > inner and outer >= mark[0]:
                    boxes = common(circle_boxes(near, outer), self._boxes)
                    hits = self._hits(words_for(boxes)) if boxes else frozenset()
                    if len(hits) > SOME_HITS:
                        yield from self._rings(near, inner, outer, hits, mark)
                    elif hits:
                        if len(hits) > FEW_HITS:
                            first = min(self._first_ring(near), outer)
                            yield from self._rings(near, inner, first, hits, mark)
                            inner = max(inner, first)
                        yield self._sorted(self._numbered(sorted(hits)), inner, outer, mark)
                inner = max(inner, outer)
        if self._within is None and self._area is None:
            if self._words is None:
                yield from self._by_key([PLACELESS], NO_DISTANCE, mark)
            else:
                yield from self._by_number([PLACELESS_WORD], mark, NO_DISTANCE)

    def _rings(
        self, near: tuple[int, int], inner: int, outer: int, hits: AbstractSet[int] | None, mark: Mark
    ) -> Iterator[list[Found]]:
        """hits: the numbers of the records that have the words."""
        inner = max(inner, mark[0] - 1)
        radius = min(max(self._first_ring(near), GROWTH * inner), outer)
        while inner < outer:
            ranges = cover(common(circle_boxes(near, radius), self._boxes), RANGES_MAX)
            rows = (row for each in ranges for row in self._rows(each))
            if hits is not None:
                rows = (row for row in rows if row[0] & NO_MAX in hits)
            most = RING_THINGS_MAX if radius - inner > 1 else None
            found = self._sorted(rows, inner, radius, mark, most)
            if most is not None and len(found) > most:
                radius = (inner + radius + 1) // 2  # a city behind an empty plain: a narrower ring
                continue
            yield found
            inner, radius = radius, min(max(radius * GROWTH, RING_M_MIN), outer)

    def _first_ring(self, near: tuple[int, int]) -> int:
        """So that it holds about as many as are asked for: a city and a valley are not alike."""
        first, wanted = FIRST_RING_M, RING_THINGS
        if self._words is not None:
            first, wanted = FIRST_RING_WITH_WORDS_M, RING_THINGS_WITH_WORDS
        sql = "select count(*) from places where key between ? and ?"
        here: int = self._db.execute(sql, cell_of(*near)).fetchone()[0]
        if not here:
            return first
        return min(first, max(int(1_000 * sqrt(wanted * CELL_KM2 / (pi * here))), RING_M_MIN))

    def _by_key(self, ranges: Iterable[Range], away: int, mark: Mark) -> Iterator[list[Found]]:
        if mark[0] > away:
            return
        last = mark[1] if mark[0] == away else -1
        for low, high in ranges:
            if high <= last:
                continue
            sql = f"select key, lat, lon from places where key between ? and ?{self._conditions.sql} order by key"
            rows = self._db.execute(sql, (max(low, last + 1), high, *self._conditions.given))
            while batch := rows.fetchmany(BATCH):
                yield [((away, row[0]), *row) for row in batch if self._is_inside(row)]

    def _by_number(self, regions: Sequence[str] | None, mark: Mark, away: int = 0) -> Iterator[list[Found]]:
        if mark[0] > away:
            return
        last = mark[1] if mark[0] == away else -1
        sql = "select rowid from search where search match ? and rowid > ? order by rowid"
        hits: Iterator[int] = (no for (no,) in self._db.execute(sql, (self._match(regions), last)))
        if self._beside:
            beside = sorted(no for no in self._beside if no > last)
            hits = (no for no, _ in groupby(merge(hits, beside)))
        placeless = regions == [PLACELESS_WORD]
        while batch := list(islice(hits, BATCH)):
            rows = sorted((row[0] & NO_MAX, row) for row in self._numbered(batch))
            if placeless:
                rows = [each for each in rows if each[1][0] >= NOWHERE]
            yield [((away, no), *row) for no, row in rows if self._is_inside(row)]

    def _sorted(
        self, rows: Iterable[Row], inner: int, outer: int, mark: Mark, most: int | None = None
    ) -> list[Found]:
        """Those farther away than `inner`, not more than `outer`, after the mark; in order. One above `most` is one too many."""
        distance = self._distance
        assert distance is not None
        found: list[Found] = []
        for row in rows:
            key, lat, lon = row
            if lat is None or lon is None or key >= NOWHERE:
                continue
            away = distance(lat, lon)
            if inner < away <= outer and (away, key) > mark and self._is_inside(row):
                found.append(((away, key), key, lat, lon))
                if most is not None and len(found) > most:
                    break
        found.sort()
        return found

    def _is_inside(self, row: Row) -> bool:
        if self._area is None:
            return True
        key, lat, lon = row
        return key < NOWHERE and lat is not None and lon is not None and self._area.holds(lat, lon)

    def _rows(self, keys: Range) -> Iterable[Row]:
        sql = f"select key, lat, lon from places where key between ? and ?{self._conditions.sql}"
        return self._db.execute(sql, (*keys, *self._conditions.given))

    def _numbered(self, nos: Sequence[int]) -> list[Row]:
        """The rows of these records."""
        sql = f"select key, lat, lon from places where 1{self._conditions.sql} and key & {NO_MAX} in ({{}})"
        return list(dict.fromkeys(select_in(self._db, sql, nos, *self._conditions.given)))

    def _hits(self, regions: Sequence[str] | None) -> AbstractSet[int]:
        sql = "select rowid from search where search match ?"
        return self._beside.union(no for (no,) in self._db.execute(sql, (self._match(regions),)))

    def _match(self, regions: Sequence[str] | None) -> str:
        """regions: None for everywhere."""
        assert self._words is not None
        if regions is None:
            return self._words
        return f"({self._words}) AND ({' OR '.join(f'{chr(34)}{word}{chr(34)}' for word in regions)})"
