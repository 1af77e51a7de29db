"""When a thing is idle: its opening hours, less what is lent, under the rules of lending.  SPEC.md, "Idle times".

Opening hours say when a thing is handed out and taken back. A loan begins and ends while open; between, it may cross
nights and days off. Spans are milliseconds UTC, half open, ascending, and never touch. A thing that says nothing is lent,
always open, in working order.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from commonsnode_protocol.recurrence import BadRule, read_rule

RULES_MAX = 32  # openings that recur, of one thing
CLOSED_MAX = 400  # days, or spans of days, on which it is closed
OPENING_MINUTES_MAX = 7 * 24 * 60
WINDOW_DAYS_MAX = 1100  # how long a span may be asked for at once: three years
LENDING_MINUTES_MAX = 10 * 366 * 24 * 60

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS

Span: TypeAlias = tuple[int, int]


class BadHours(ValueError):
    """Opening hours, or rules of lending, that cannot be followed.

    field: which part, as in `hours.rules.0.rrule`. problem: what is wrong, and what to write.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Busy:
    """A span in which some of a thing is lent, or promised."""

    begin_ms: int
    end_ms: int
    amount: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Loan:
    """The rules of lending that concern time, in milliseconds."""

    lent: bool = True
    lead_ms: int = 0  # a loan is asked for this long before it begins
    shortest_ms: int = 0
    longest_ms: int | None = None
    buffer_ms: int = 0  # between two loans

    @classmethod
    def read(cls, lending: Mapping[str, object]) -> "Loan":
        """What a thing's `lending` says. Raises BadHours."""

        def minutes(name: str) -> int | None:
            value = lending.get(name)
            if value is None:
                return None
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LENDING_MINUTES_MAX:
                raise BadHours(f"lending.{name}", f"must be minutes, from 0 to {LENDING_MINUTES_MAX}")
            return value * MINUTE_MS

        shortest, longest = minutes("shortest_minutes") or 0, minutes("longest_minutes")
        if longest is not None and longest < shortest:
            raise BadHours("lending.longest_minutes", "is less than lending.shortest_minutes")
        return cls(
            lending.get("to") != "nobody",
            minutes("lead_minutes") or 0,
            shortest,
            longest,
            minutes("buffer_minutes") or 0,
        )


class Misfit(StrEnum):
    """Why a loan does not fit."""

    NOT_LENT = "not-lent"
    TOO_SOON = "too-soon"  # less than the lead time from now
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    CLOSED_AT_BEGIN = "closed-at-begin"
    CLOSED_AT_END = "closed-at-end"
    OUT_FOR_MAINTENANCE = "out-for-maintenance"
    TAKEN = "taken"


def zone_of(hours: Mapping[str, object]) -> str | None:
    """The IANA name of the zone that the hours are in; none: the community's. Raises BadHours."""
    zone = hours.get("zone")
    if zone is not None and not isinstance(zone, str):
        raise BadHours("hours.zone", "must be the name of a time zone, like America/Guayaquil")
    return zone


def spans(hours: Mapping[str, object], begin_ms: int, end_ms: int, tz: tzinfo) -> list[Span]:
    """When it is open within a window. Raises BadHours; ValueError for a window above WINDOW_DAYS_MAX.

    A closed day is closed from midnight to midnight of its zone, also for an opening that began the evening before.
    Hours of the clock that a change of summer time leaves out are read with the offset before it; of those that come
    twice, the first.
    """
    if begin_ms >= end_ms:
        return []
    if end_ms - begin_ms > WINDOW_DAYS_MAX * DAY_MS:
        raise ValueError(f"a window of more than {WINDOW_DAYS_MAX} days")
    rules, closed = hours.get("rules"), _closed(hours.get("closed"), tz)
    if rules is None or rules == []:
        opened = [(begin_ms, end_ms)]
    else:
        opened = merged(_openings(rules, begin_ms, end_ms, tz))
    return clipped(without(opened, closed), begin_ms, end_ms)


def idle_spans(
    hours: Mapping[str, object],
    lending: Mapping[str, object],
    busy: Iterable[Busy],
    out_for_maintenance: int | bool | None,
    begin_ms: int,
    end_ms: int,
    now_ms: int,
    tz: tzinfo,
    *,
    amount: Decimal = Decimal(1),
    capacity: Decimal = Decimal(1),
) -> list[Span]:
    """The longest spans inside of a window in which a loan of this amount can be had. Raises BadHours.

    Each begins and ends while open, is free in all its length, and is no shorter than the shortest loan. A loan fits
    if it lies in one of these, begins and ends while open, and is no longer than the longest.
    """
    loan = Loan.read(lending)
    if not loan.lent:
        return []
    blocked = taken(busy, loan.buffer_ms, amount, capacity)
    free = without([(max(begin_ms, now_ms + loan.lead_ms, _back(out_for_maintenance)), end_ms)], blocked)
    opened = spans(hours, begin_ms, end_ms, tz)
    found: list[Span] = []
    for begin, end in free:
        inside = clipped(opened, begin, end)
        if inside and inside[-1][1] - inside[0][0] >= loan.shortest_ms:
            found.append((inside[0][0], inside[-1][1]))
    return found


def fits(
    hours: Mapping[str, object],
    lending: Mapping[str, object],
    busy: Iterable[Busy],
    out_for_maintenance: int | bool | None,
    begin_ms: int,
    end_ms: int,
    now_ms: int,
    tz: tzinfo,
    *,
    all_day: bool = False,
    amount: Decimal = Decimal(1),
    capacity: Decimal = Decimal(1),
) -> Misfit | None:
    """Why a loan from begin to end does not fit; None if it does. Raises BadHours.

    A loan by whole days (`all_day`) fits if the thing is open at some time of the first day and of the last one.
    """
    loan = Loan.read(lending)
    if not loan.lent:
        return Misfit.NOT_LENT
    latest_begin = begin_ms if not all_day else _end_of_day(begin_ms, tz)
    if latest_begin < now_ms + loan.lead_ms:
        return Misfit.TOO_SOON
    if end_ms - begin_ms < loan.shortest_ms:
        return Misfit.TOO_SHORT
    if loan.longest_ms is not None and end_ms - begin_ms > loan.longest_ms:
        return Misfit.TOO_LONG
    if begin_ms < _back(out_for_maintenance):
        return Misfit.OUT_FOR_MAINTENANCE
    if all_day:
        first, last = (
            (begin_ms, min(latest_begin, end_ms)),
            (max(_start_of_day(end_ms - 1, tz), begin_ms), end_ms),
        )
    else:
        first, last = (begin_ms, begin_ms + 1), (end_ms - 1, end_ms)
    if not spans(hours, *first, tz):
        return Misfit.CLOSED_AT_BEGIN
    if not spans(hours, *last, tz):
        return Misfit.CLOSED_AT_END
    if clipped(taken(busy, loan.buffer_ms, amount, capacity), begin_ms, end_ms):
        return Misfit.TAKEN
    return None


def taken(busy: Iterable[Busy], buffer_ms: int, amount: Decimal, capacity: Decimal) -> list[Span]:
    """When less than `amount` is left, with the buffer on both sides of what is lent."""
    if amount > capacity:
        return [(_FIRST_MS, _LAST_MS)]
    edges: list[tuple[int, Decimal]] = []
    for each in busy:
        if each.begin_ms < each.end_ms:
            edges += [(each.begin_ms - buffer_ms, each.amount), (each.end_ms + buffer_ms, -each.amount)]
    edges.sort(key=lambda edge: edge[0])
    found: list[Span] = []
    lent, since = Decimal(0), None
    for n, (at, change) in enumerate(edges):
        lent += change
        if n + 1 < len(edges) and edges[n + 1][0] == at:
            continue
        if capacity - lent < amount:
            since = at if since is None else since
        elif since is not None:
            found.append((since, at))
            since = None
    return found


def merged(of: Iterable[Span]) -> list[Span]:
    """The same moments, ascending, what touches or overlaps as one."""
    found: list[Span] = []
    for begin, end in sorted(of):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(of: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What of some spans is in none of the others. Both merged."""
    found: list[Span] = []
    begins = [begin for begin, _ in others]
    for begin, end in of:
        at = max(bisect_right(begins, begin) - 1, 0)
        while begin < end and at < len(others) and others[at][0] < end:
            cut_begin, cut_end = others[at]
            if begin < cut_begin:
                found.append((begin, cut_begin))
            begin = max(begin, cut_end)
            at += 1
        if begin < end:
            found.append((begin, end))
    return found


def clipped(of: Iterable[Span], begin_ms: int, end_ms: int) -> list[Span]:
    """What of some spans lies in a window."""
    return [
        (max(begin, begin_ms), min(end, end_ms)) for begin, end in of if begin < end_ms and end > begin_ms
    ]


def _openings(rules: object, begin_ms: int, end_ms: int, tz: tzinfo) -> Iterator[Span]:
    if not isinstance(rules, Sequence) or isinstance(rules, str | bytes) or len(rules) > RULES_MAX:
        raise BadHours("hours.rules", f"must be a list of at most {RULES_MAX} rules")
    for n, rule in enumerate(rules):
        yield from _openings_of(f"hours.rules.{n}", rule, begin_ms, end_ms, tz)


def _openings_of(field: str, rule: object, begin_ms: int, end_ms: int, tz: tzinfo) -> Iterator[Span]:
    if not isinstance(rule, Mapping):
        raise BadHours(field, "must have rrule, start and end")
    text = rule.get("rrule")
    if not isinstance(text, str):
        raise BadHours(f"{field}.rrule", "must be a rule like FREQ=WEEKLY;BYDAY=SA")
    first = None if rule.get("from") is None else _day(f"{field}.from", rule["from"])
    try:
        days = read_rule(text, first)
    except BadRule as error:
        raise BadHours(f"{field}.rrule", str(error)) from None
    start = _clock(f"{field}.start", rule.get("start", "00:00"))
    minutes, until = rule.get("minutes"), None
    if minutes is None:
        until = _clock(f"{field}.end", rule.get("end", "24:00"))
        until += 24 * 60 if until <= start else 0
    elif rule.get("end") is not None:
        raise BadHours(f"{field}.minutes", "and `end` exclude one another")
    elif isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 < minutes <= OPENING_MINUTES_MAX:
        raise BadHours(f"{field}.minutes", f"must be a number from 1 to {OPENING_MINUTES_MAX}")
    reach = 3 * DAY_MS if minutes is None else minutes * MINUTE_MS + DAY_MS
    for day in _days(begin_ms - reach, end_ms + DAY_MS):
        if days.falls_on(day):
            begin = _moment(day, start, tz)
            yield begin, _moment(day, until, tz) if until is not None else begin + (minutes or 0) * MINUTE_MS


def _closed(closed: object, tz: tzinfo) -> list[Span]:
    if closed is None:
        return []
    if not isinstance(closed, Sequence) or isinstance(closed, str | bytes) or len(closed) > CLOSED_MAX:
        raise BadHours("hours.closed", f"must be a list of at most {CLOSED_MAX} days, or [first, last] days")
    found: list[Span] = []
    for n, each in enumerate(closed):
        field = f"hours.closed.{n}"
        pair = [each, each] if isinstance(each, str) else each
        if not isinstance(pair, Sequence) or isinstance(pair, bytes) or len(pair) != 2:
            raise BadHours(field, "must be a day, or [first, last] days")
        first, last = _day(field, pair[0]), _day(field, pair[1])
        if last < first:
            raise BadHours(field, "the last day is before the first")
        found.append((_moment(first, 0, tz), _moment(last, 24 * 60, tz)))
    return merged(found)


def _day(field: str, value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadHours(field, f"must be a day like 2026-05-01, not {value!r:.40}")


def _clock(field: str, value: object) -> int:
    """Minutes since midnight."""
    if isinstance(value, str) and len(value) == 5 and value[2] == ":":
        hours, minutes = value[:2], value[3:]
        if all(each.isascii() and each.isdigit() for each in (hours, minutes)) and int(minutes) < 60:
            total = int(hours) * 60 + int(minutes)
            if total <= 24 * 60:
                return total
    raise BadHours(field, f"must be a time of day like 09:30, at most 24:00, not {value!r:.40}")


def _days(begin_ms: int, end_ms: int) -> Iterator[date]:
    """Each day that lies, in some zone, between two moments."""
    first, last = _utc(begin_ms).date(), _utc(end_ms).date()
    for number in range(max(first.toordinal() - 1, 1), min(last.toordinal() + 1, date.max.toordinal()) + 1):
        yield date.fromordinal(number)


def _moment(day: date, minutes: int, tz: tzinfo) -> int:
    """A time of the clock in a zone, as milliseconds UTC."""
    over, within = divmod(minutes, 24 * 60)
    number = min(day.toordinal() + over, date.max.toordinal() - 1)
    local = datetime.combine(date.fromordinal(max(number, 2)), time(within // 60, within % 60), tz)
    return (local - _EPOCH) // timedelta(milliseconds=1)


def _start_of_day(at_ms: int, tz: tzinfo) -> int:
    return _moment(_utc(at_ms).astimezone(tz).date(), 0, tz)


def _end_of_day(at_ms: int, tz: tzinfo) -> int:
    return _moment(_utc(at_ms).astimezone(tz).date(), 24 * 60, tz)


def _utc(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=min(max(at_ms, _FIRST_MS), _LAST_MS))


def _back(out_for_maintenance: int | bool | None) -> int:
    """From when on it is in working order."""
    if out_for_maintenance is True:
        return _LAST_MS
    return out_for_maintenance or _FIRST_MS


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LAST_MS = (datetime(9998, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
