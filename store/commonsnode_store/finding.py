"""The query: what is near, with these words, free from then until then.  Nearest first.

What the indexes can tell comes from `candidates.py`; what follows from the whole record (reservations, terms, keeper,
tags) is looked at last, of the nearest candidates only.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import NotCanonical
from commonsnode_protocol.kinds.lending import ASK, terms_for
from commonsnode_store import idleness, kits, registers, shown
from commonsnode_store.answers import RecordRef
from commonsnode_store.asked import LIMIT_MAX, SPAN_DAYS_MAX, TAGS_MAX, FindPage, FindQuery, Hit, WantedSpan
from commonsnode_store.candidates import NO_DISTANCE, START, Candidates, Conditions, Found, Mark, Where
from commonsnode_store.cells import NO_MAX, NOWHERE
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.idleness import NO_CUSTOMS, Customs, OpenRules
from commonsnode_store.indexed import category_word, condition_number
from commonsnode_store.lanes import Followed, Lane
from commonsnode_store.models import Models
from commonsnode_store.scope import CustomsOf, Scope
from commonsnode_store.true_places import ByTruePlace

LOOKED_AT_ONCE = 32
LOOKED_AT_MAX = 10_000  # for one page: a tenth of a second
TIED_MAX = 128  # at the same distance, that are sorted by when they are free
NEVER = 2**40  # hours
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the store can answer it. words: for FTS5. customs: where the question is about lending.

    blurred_m: how far from where everybody is told it is a thing may be that members know better. beside: the numbers of
    the things that have the words where members alone read them.
    """

    query: FindQuery
    words: str | None
    scope: Scope
    customs: CustomsOf
    blurred_m: int = 0
    beside: Collection[int] = ()


def find(db: Connection, followed: Followed, asked: Asked, open_rules: OpenRules) -> FindPage:
    """See Store.find_things."""
    return _Search(db, followed, asked, open_rules).page(asked.query.cursor)


def check(query: FindQuery) -> None:
    """Raises ValueError, with words for people, where a question goes beyond the limits in asked.py."""
    if not 1 <= query.limit <= LIMIT_MAX:
        raise ValueError(f"a page has 1 to {LIMIT_MAX} things")
    if len(query.tags) > TAGS_MAX:
        raise ValueError(f"at most {TAGS_MAX} tags can be asked for at once")
    if query.within_m is not None and (query.within_m < 0 or query.near is None):
        raise ValueError("a distance is not below zero, and is from a point that is given")
    span = query.span
    if span is not None and not 0 < span.end_ms - span.begin_ms <= SPAN_DAYS_MAX * DAY_MS:
        raise ValueError(f"a span ends after it begins, and has at most {SPAN_DAYS_MAX} days")


def conditions_of(db: Connection, asked: Asked, open_rules: OpenRules) -> Conditions:
    """What columns of `places` must be for this question."""
    query, sql, given = asked.query, "", list[object]()
    lanes: Collection[Lane] = asked.scope.lanes.values()
    if query.communities or not asked.scope.every:
        lanes = [lane for lane in lanes if not query.communities or lane.community in query.communities]
        sql += f" and lane in ({_numbers(lane.no for lane in lanes)})"
    if query.kinds:
        sql += f" and kind in (select no from kinds where name in ({','.join('?' * len(query.kinds))}))"
        given += query.kinds
    if query.categories is not None:
        sql += f" and category between {int(query.categories[0])} and {int(query.categories[1])}"
    if query.conditions:
        sql += f" and condition in ({_numbers(condition_number(name) or -1 for name in query.conditions)})"
    if query.span is not None:
        sql += _open(db, lanes, query.span, asked.customs, open_rules)
    return Conditions(sql, tuple(given))


def words_of(asked: Asked) -> str | None:
    """For FTS5: the words that were asked for, and that of the category, which makes them fewer."""
    if asked.words is None or asked.query.categories is None:
        return asked.words
    category = category_word(asked.query.categories)
    return asked.words if category is None else f'{asked.words} AND "{category}"'


def _open(
    db: Connection, lanes: Collection[Lane], span: WantedSpan, customs: CustomsOf, open_rules: OpenRules
) -> str:
    by_customs: dict[Customs, list[int]] = {NO_CUSTOMS: []}
    if customs:
        for lane in lanes:
            by_customs.setdefault(customs.get(lane.community, NO_CUSTOMS), []).append(lane.no)
    rules = open_rules.numbers(db, idleness.stepped(span), list(by_customs))
    if rules is None:
        return ""
    ways = [f"hours in ({_numbers(each)})" for each in rules]
    if len(ways) == 1:
        return f" and {ways[0]}"
    ways = [f"lane in ({_numbers(of)}) and {way}" for of, way in zip(by_customs.values(), ways, strict=True)]
    return f" and ({' or '.join(ways)})"


class _Search:
    def __init__(self, db: Connection, followed: Followed, asked: Asked, open_rules: OpenRules) -> None:
        self._db, self._followed, self._query = db, followed, asked.query
        self._models = Models(db)
        self._lanes, self._customs = asked.scope.lanes, asked.customs
        self._span = idleness.stepped(asked.query.span) if asked.query.span is not None else None
        conditions = conditions_of(db, asked, open_rules)
        where = Where(asked.query.near, asked.query.within_m, asked.query.area)
        candidates = Candidates(db, conditions, where, words_of(asked), asked.beside)
        self._candidates: Candidates | ByTruePlace = candidates
        if asked.blurred_m and asked.query.near is not None:
            near, within = asked.query.near, asked.query.within_m
            within = within - asked.blurred_m if within is not None else None
            sealed = asked.scope.sealed
            self._candidates = ByTruePlace(db, candidates, near, within, sealed, asked.blurred_m)

    def page(self, cursor: str | None) -> FindPage:
        at = _at(cursor) if cursor is not None else _At(START)
        hits: list[Hit] = []
        ends: list[_At] = []
        left, limit = LOOKED_AT_MAX, self._query.limit
        for tied, some in self._chunks(at):
            for hit, end in self._sooner_first(some, at) if tied else self._looked_at(some, at):
                hits.append(hit)
                ends.append(end)
                if len(hits) > limit:
                    return FindPage(hits[:limit], _cursor(ends[limit - 1]))
            left -= len(some)
            if left <= 0:  # most are not what is wanted: who goes on asks again
                return FindPage(hits, _cursor(_At(some[-1][0])))
        return FindPage(hits, None)

    def _sooner_first(self, some: Sequence[Found], at: "_At") -> Iterator[tuple[Hit, "_At"]]:
        """Those at one distance."""
        looked = [(self._free_first(hit), end.mark, hit) for hit, end in self._looked_at(some, None)]
        for first, mark, hit in sorted(looked, key=lambda each: each[:2]):
            if mark[0] != at.mark[0] or at.first is None or (first, mark) > (at.first, at.mark):
                yield hit, _At(mark, first)

    def _free_first(self, hit: Hit) -> int:
        """The hour in which it is free first, so that it stays what it is while pages are read; 0 for now."""
        window = self._query.soonest
        assert window is not None
        community, customs = hit.ref.community, self._customs.get(hit.ref.community, NO_CUSTOMS)
        no = self._followed.community(community).no
        hourly = replace(
            window, begin_ms=window.begin_ms // HOUR_MS * HOUR_MS, now_ms=window.now_ms // HOUR_MS * HOUR_MS
        )
        model = self._models.lending(no, hit.ref.lane, hit.values)
        first = idleness.free_first(self._db, no, hit.ref.record, hit.values, model, hourly, customs)
        if first is None:
            return NEVER
        return 0 if first <= window.now_ms else first // HOUR_MS

    def _chunks(self, at: "_At") -> Iterator[tuple[bool, list[Found]]]:
        """Few at a time. First of each: whether it is all that is at one distance, and to be sorted by when it is free."""
        query = self._query
        sorts = query.soonest is not None and query.span is None and query.near is not None
        found = (each for batch in self._candidates.after(at.before) for each in batch)
        chunk: list[Found] = []
        for away, same in groupby(found, key=lambda each: each[0][0]):
            # A page that ended among too many to be sorted goes on as it began.
            if sorts and away < NO_DISTANCE and not (at.first is None and away == at.mark[0]):
                tied = list(same)
                if 1 < len(tied) <= TIED_MAX:
                    if chunk:
                        yield False, chunk
                        chunk = []
                    yield True, tied
                    continue
                same = iter(tied)
            for each in same:
                chunk.append(each)
                if len(chunk) == LOOKED_AT_ONCE:
                    yield False, chunk
                    chunk = []
        if chunk:
            yield False, chunk

    def _looked_at(self, some: Sequence[Found], at: "_At | None") -> Iterator[tuple[Hit, "_At"]]:
        """Those of these that are what is wanted. at: where the page before ended; what is not after it is left out."""
        rows = {
            row[0]: row[1:]
            for row in select_in(
                self._db,
                "select records.no, records.id, lane, kinds.name, registers from records"
                " cross join kinds on kinds.no = kind where records.no in ({})",
                [key & NO_MAX for _, key, _, _ in some],
            )
        }
        for mark, key, lat, lon in some:
            if at is not None and mark <= at.mark:
                continue
            record, lane_no, kind, blob = rows[key & NO_MAX]
            lane = self._lanes[lane_no]
            values = registers.shown(registers.load(record, blob))
            customs = self._customs.get(lane.community, NO_CUSTOMS)
            if not (self._is_wanted(values) and self._is_lent(lane, values, customs)):
                continue
            idle: Sequence[tuple[int, int]] = ()
            if self._span is not None:
                community = self._followed.community(lane.community).no
                free = kits.free_spans(
                    self._db, community, record, lane.name, values, self._models, self._span, customs
                )
                if free is None:
                    continue
                idle = free
            placed = key < NOWHERE
            hit = Hit(
                RecordRef(lane.community, lane.name, kind, record),
                shown.title_of(values) or shown.short_id(record),
                lat if placed else None,
                lon if placed else None,
                mark[0] if placed and self._query.near is not None else None,
                idle,
                values,
            )
            yield hit, _At(mark)

    def _is_lent(self, lane: Lane, values: Mapping[str, Value], customs: Customs) -> bool:
        asker = self._query.asker
        if asker is None:
            return True
        lending, common = values.get("lending"), canonical.decode(customs.lending)
        terms = terms_for(
            lending if isinstance(lending, dict) else None,
            common if isinstance(common, dict) else None,
            asker.agent_type,
            lane.community in asker.member_of,
            model=self._models.lending(self._followed.community(lane.community).no, lane.name, values),
        )
        return terms.lent and (asker.agent_type is None or terms.use != ASK)

    def _is_wanted(self, values: Mapping[str, Value]) -> bool:
        query = self._query
        if any(values.get(shown.TAG_PREFIX + tag) is not True for tag in query.tags):
            return False
        if query.keeper is None:
            return True
        wanted = query.keeper.strip().casefold()
        keepers = (values.get("keeper"), values.get("keeper_name"))
        said = [each.hex() if isinstance(each, bytes) else each for each in keepers]
        return any(isinstance(each, str) and each.strip().casefold() == wanted for each in said)


def _numbers(of: Iterable[int]) -> str:
    return ",".join(map(str, of))


@dataclass(frozen=True, slots=True)
class _At:
    """Where a page ends. first: of what is equally far, the hour in which it is free first."""

    mark: Mark
    first: int | None = None

    @property
    def before(self) -> Mark:
        """What all that follows is after: what is equally far is sorted anew."""
        return self.mark if self.first is None else (self.mark[0], -1)


def _cursor(at: _At) -> str:
    said = [*at.mark] if at.first is None else [*at.mark, at.first]
    return urlsafe_b64encode(canonical.encode(list[Value](said))).decode().rstrip("=")


def _at(cursor: str) -> _At:
    try:
        value = canonical.decode(b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (ValueError, NotCanonical) as error:
        raise ValueError("not a cursor of a search") from error
    if isinstance(value, list) and 2 <= len(value) <= 3:
        away, key, *first = value
        if type(away) is int and type(key) is int and away >= -1 and -1 <= key < 2 * NOWHERE:
            if not first:
                return _At((away, key))
            if type(first[0]) is int and 0 <= first[0] <= NEVER:
                return _At((away, key), first[0])
    raise ValueError("not a cursor of a search")
