"""How many things there are of each sort, for a question: counted from the indexes, before reservations, terms and keepers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from json import dumps
from typing import Any

from commonsnode_protocol.kinds.categories import CATEGORIES
from commonsnode_protocol.kinds.declared import CONDITIONS
from commonsnode_store import registers, shown
from commonsnode_store.areas import HALF_ROUND_M, Distance, Flat, Point, circle_boxes, flat
from commonsnode_store.asked import Facets, FindQuery
from commonsnode_store.candidates import EVERYWHERE, PLACELESS, START, Candidates, Conditions, Where
from commonsnode_store.cells import NO_MAX, NOWHERE, Box, Range, common, cover, split, words_for
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.finding import Asked, conditions_of, words_of
from commonsnode_store.idleness import OpenRules

TAGGED_MAX = 200  # of the nearest ones, whose tags are counted
SOME_HITS = 12_000  # records with the words that are looked up one by one
RANGES_MAX = 64
SQUARES_MAX = 256  # at the edge of a circle; what is in these is measured one by one
_QUARTER_ROUND_M = HALF_ROUND_M // 2

_KIND_SHIFT = 20
_LISTED = "select value from json_each(?)"
_SORT = f"(kind << {_KIND_SHIFT}) | (category << 4) | condition"
_CATEGORY_IDS = {each.number: each.id for each in CATEGORIES.values()}


def count(db: Connection, asked: Asked, open_rules: OpenRules) -> Facets:
    """See Store.count_things."""
    conditions = conditions_of(db, asked, open_rules)
    counted = _Count(db, asked, conditions)
    counted.run()
    return _named(db, asked, counted, _tags(db, asked, conditions))


class _Count:
    def __init__(self, db: Connection, asked: Asked, conditions: Conditions) -> None:
        self._db, self._conditions, self._words = db, conditions, words_of(asked)
        self._query, self._beside = asked.query, list(asked.beside)
        self.lanes, self.sorts = Counter[int](), Counter[int]()  # how many in each lane, and of each _SORT
        self._boxes = _boxes(asked.query)
        near, within = asked.query.near, asked.query.within_m
        self._is_near = Distance(near).within(within) if near is not None and within is not None else None

    def run(self) -> None:
        few = self._few()
        if few is not None:
            self._measure(few)
            return
        inside, edge = self._ranges()
        self._add(inside)
        circle = self._flat()
        if circle is not None:
            square = "((lat - ?) * (lat - ?) + (lon - ?) * (lon - ?) * ?)"
            lat, lon = self._query.near or (0, 0)
            centre = (lat, lat, lon, lon, circle.stretch)
            self._add(edge, f" and {square} < ?", (*centre, circle.inside))
            unsure = (*centre, circle.inside, circle.outside)
            self._measure(
                self._read(f"lane, {_SORT}, key, lat, lon", edge, f" and {square} between ? and ?", unsure)
            )
        else:
            self._measure(self._read(f"lane, {_SORT}, key, lat, lon", edge))

    def _add(self, ranges: Sequence[Range], more: str = "", given: Sequence[object] = ()) -> None:
        """All of these, read as one text: hardly more than half the time of as many rows."""
        for lanes, sorts in self._read(f"group_concat(lane), group_concat({_SORT})", ranges, more, given):
            if lanes is not None:
                self.lanes.update(_tally(lanes))
                self.sorts.update(_tally(sorts))

    def _flat(self) -> Flat | None:
        near, within, area = self._query.near, self._query.within_m, self._query.area
        return flat(near, within) if near is not None and within is not None and area is None else None

    def _measure(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for lane, sort, *at in rows:
            if self._holds(*at):
                self.lanes[lane] += 1
                self.sorts[sort] += 1

    def _few(self) -> list[tuple[Any, ...]] | None:
        """The rows of all that have the words there; None where there are many, or no words."""
        if self._words is None:
            return None
        sql = "select rowid from search where search match ? limit ?"
        hits = self._db.execute(sql, (self._match(self._words), SOME_HITS + 1)).fetchall()
        if len(hits) > SOME_HITS:
            return None
        nos = list(dict.fromkeys([*(no for (no,) in hits), *self._beside]))
        sql = f"select lane, {_SORT}, key, lat, lon from places where 1{self._conditions.sql} and key & {NO_MAX} in ({{}})"
        return list(dict.fromkeys(select_in(self._db, sql, nos, *self._conditions.given)))

    def _read(
        self, columns: str, ranges: Sequence[Range], more: str = "", more_given: Sequence[object] = ()
    ) -> Iterable[tuple[Any, ...]]:
        if not ranges:
            return ()
        spans = ",".join(["(?, ?)"] * len(ranges))
        sql = f"with spans (low, high) as (values {spans}) select {columns} from spans cross join places"
        sql += f" on key between low and high where 1{self._conditions.sql}{more}"
        given: list[object] = [*chain.from_iterable(ranges), *self._conditions.given, *more_given]
        if self._words is not None:
            sql += (
                f" and key & {NO_MAX} in (select rowid from search where search match ? union all {_LISTED})"
            )
            given += (self._match(self._words), dumps(self._beside))
        return self._db.execute(sql, given)

    def _ranges(self) -> tuple[list[Range], list[Range]]:
        """Those of which all is asked for, and those of which some may be."""
        near, within, area = self._query.near, self._query.within_m, self._query.area
        if self._boxes is None:
            return [EVERYWHERE, PLACELESS], []
        if near is None or within is None or area is not None:
            return [], cover(self._boxes, RANGES_MAX)
        return split(self._boxes, _in_circle(near, within), SQUARES_MAX)

    def _holds(self, key: int, lat: int | None, lon: int | None) -> bool:
        if self._boxes is None:
            return True
        if key >= NOWHERE or lat is None or lon is None:
            return False
        if self._is_near is not None and not self._is_near(lat, lon):
            return False
        area = self._query.area
        return area is None or area.holds(lat, lon)

    def _match(self, words: str) -> str:
        regions = words_for(self._boxes) if self._boxes else None
        if regions is None:
            return words
        either = " OR ".join(f'"{region}"' for region in regions)
        return f"({words}) AND ({either})"


def _boxes(query: FindQuery) -> list[Box] | None:
    """What holds all that is asked for; None where that may be anywhere, or nowhere."""
    circle = None
    if query.near is not None and query.within_m is not None:
        circle = circle_boxes(query.near, min(query.within_m, HALF_ROUND_M))
    area = query.area.boxes() if query.area is not None else None
    return common(circle, area) if circle is not None and area is not None else circle or area


def _in_circle(near: Point, radius_m: int) -> Callable[[Box], bool]:
    """Whether all of a box is: where its corners are, if the circle bulges outwards everywhere."""
    distance = Distance(near)

    def holds(box: Box) -> bool:
        south, west, north, east = box
        corners = ((lat, lon) for lat in (south, north) for lon in (west, east))
        return radius_m < _QUARTER_ROUND_M and all(distance(*corner) <= radius_m for corner in corners)

    return holds


def _tags(db: Connection, asked: Asked, conditions: Conditions) -> Counter[str]:
    """Of the nearest ones."""
    where = Where(asked.query.near, asked.query.within_m, asked.query.area)
    candidates = Candidates(db, conditions, where, words_of(asked), asked.beside)
    found = chain.from_iterable(candidates.after(START))
    nos = [key & NO_MAX for _, key, _, _ in islice(found, TAGGED_MAX)]
    tags: Counter[str] = Counter()
    for record, blob in select_in(
        db, "select id, registers from records where no in ({})", list(dict.fromkeys(nos))
    ):
        tags.update(_tags_of(registers.load(record, blob)))
    return tags


def _tags_of(ordered: registers.Ordered) -> Iterable[str]:
    prefix = shown.TAG_PREFIX
    return (
        name[len(prefix) :]
        for name, value in registers.shown(ordered).items()
        if value is True and name.startswith(prefix)
    )


def _tally(numbers: str) -> dict[int, int]:
    return {int(number): many for number, many in Counter(numbers.split(",")).items()}


def _named(db: Connection, asked: Asked, counted: _Count, tags: Counter[str]) -> Facets:
    kinds, categories, conditions = Counter[int](), Counter[int](), Counter[int]()
    for sort, many in counted.sorts.items():
        kinds[sort >> _KIND_SHIFT] += many
        categories[sort >> 4 & 0xFFFF] += many
        conditions[sort & 0xF] += many
    kind_names = dict(db.execute("select no, name from kinds"))
    communities = Counter[bytes]()
    for lane, many in counted.lanes.items():
        communities[asked.scope.lanes[lane].community] += many
    return Facets(
        counted.lanes.total(),
        {kind_names[no]: many for no, many in kinds.items()},
        {_CATEGORY_IDS[no]: many for no, many in categories.items() if no in _CATEGORY_IDS},
        {CONDITIONS[no - 1]: many for no, many in conditions.items() if no},
        communities,
        tags,
    )
