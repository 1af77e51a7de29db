"""On which days a recurrence rule falls (RFC 5545, section 3.3.10), asked day by day, so that the asker bounds the work.

Whether a day is one of a rule's is answered from the day and the rule alone. A library that walks from the first day on
can be given a rule that never falls, and walks to the year 9999. Only whole days recur here; the hours of a day are said
beside the rule.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

RULE_TEXT_MAX = 200  # characters of a rule
INTERVAL_MAX = 1000
COUNT_DAYS_MAX = 3660  # a rule that counts its days has had them all within ten years
SETPOS_SETS_MAX = 256  # sets of a month or a year that are kept

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TOO_FINE = ("HOURLY", "MINUTELY", "SECONDLY", "BYHOUR", "BYMINUTE", "BYSECOND")


class BadRule(ValueError):
    """A text that is no recurrence rule, or one that is not taken here. Its words say which part, and what to write."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it was read; `first` is its first possible day (DTSTART)."""

    frequency: str
    first: date
    last: date | None = None
    interval: int = 1
    week_start: int = 0  # Monday is 0
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()  # 1 to 31, or from the end −1 to −31
    year_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()  # weekday, and which of the month or year; 0: each
    positions: frozenset[int] = frozenset()

    def falls_on(self, day: date) -> bool:
        """Whether this day is one of the rule's."""
        if day < self.first or (self.last is not None and day > self.last):
            return False
        if not self._in_turn(day) or not self._matches(day):
            return False
        return not self.positions or day in _chosen(self, *self._period(day))

    def _in_turn(self, day: date) -> bool:
        """Whether the day's period is one that the interval does not pass over."""
        if self.interval == 1:
            return True
        first = self.first
        match self.frequency:
            case "DAILY":
                passed = (day - first).days
            case "WEEKLY":
                week = first.toordinal() - (first.weekday() - self.week_start) % 7
                passed = (day.toordinal() - week) // 7
            case "MONTHLY":
                passed = (day.year - first.year) * 12 + day.month - first.month
            case _:
                passed = day.year - first.year
        return passed % self.interval == 0

    def _matches(self, day: date) -> bool:
        return (
            (not self.months or day.month in self.months)
            and (not self.month_days or self._is_month_day(day))
            and (not self.year_days or self._is_year_day(day))
            and (not self.weekdays or any(self._is_weekday(day, *each) for each in self.weekdays))
        )

    def _is_month_day(self, day: date) -> bool:
        return day.day in self.month_days or day.day - _month_length(day) - 1 in self.month_days

    def _is_year_day(self, day: date) -> bool:
        of_year = day.timetuple().tm_yday
        return of_year in self.year_days or of_year - _year_length(day) - 1 in self.year_days

    def _is_weekday(self, day: date, weekday: int, nth: int) -> bool:
        if day.weekday() != weekday:
            return False
        if nth == 0:
            return True
        if self.frequency == "MONTHLY" or self.months:
            of, length = day.day, _month_length(day)
        else:
            of, length = day.timetuple().tm_yday, _year_length(day)
        return nth == ((of - 1) // 7 + 1 if nth > 0 else -((length - of) // 7 + 1))

    def _period(self, day: date) -> tuple[date, int]:
        """First day and number of days of the month or year of which positions are counted."""
        if self.frequency == "MONTHLY":
            return day.replace(day=1), _month_length(day)
        return day.replace(month=1, day=1), _year_length(day)


@lru_cache(maxsize=SETPOS_SETS_MAX)
def _chosen(rule: Rule, begin: date, length: int) -> frozenset[date]:
    """The days of one period at the rule's positions."""
    days = [day for n in range(length) if rule._matches(day := date.fromordinal(begin.toordinal() + n))]
    return frozenset(
        days[position - 1 if position > 0 else position]
        for position in rule.positions
        if abs(position) <= len(days)
    )


def read_rule(text: str, first: date | None) -> Rule:
    """Read a rule, as in `FREQ=WEEKLY;BYDAY=MO,SA`. Raises BadRule.

    first: the day from which intervals and COUNT are counted, and what a rule falls on that names no day.
    """
    return _read_rule(text, first)


@lru_cache(maxsize=512)
def _read_rule(text: str, first: date | None) -> Rule:
    parts = _parts(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise BadRule(f"FREQ must be one of {', '.join(_FREQUENCIES)}")
    interval = _number("INTERVAL", parts.pop("INTERVAL", "1"), 1, INTERVAL_MAX)
    count = parts.pop("COUNT", None)
    last = parts.pop("UNTIL", None)
    if count is not None and last is not None:
        raise BadRule("COUNT and UNTIL exclude one another")
    week_start = parts.pop("WKST", "MO")
    if week_start not in _WEEKDAYS:
        raise BadRule(f"WKST must be one of {', '.join(_WEEKDAYS)}")
    months = _numbers(parts, "BYMONTH", 12, signed=False)
    month_days = _numbers(parts, "BYMONTHDAY", 31)
    year_days = _numbers(parts, "BYYEARDAY", 366)
    positions = _numbers(parts, "BYSETPOS", 366)
    weekdays = _weekdays(parts.pop("BYDAY", None), frequency)
    if parts:
        raise BadRule(f"{next(iter(parts))} is not known here")
    names_days = bool(month_days or year_days or weekdays)
    if first is None and (interval > 1 or count is not None or not (names_days or frequency == "DAILY")):
        raise BadRule(
            "needs a first day (`from`): INTERVAL and COUNT count from it, and so does a rule without days"
        )
    if positions and (frequency not in ("MONTHLY", "YEARLY") or not names_days):
        raise BadRule("BYSETPOS goes with MONTHLY or YEARLY and with days to choose from")
    start = first or date.min
    if not names_days:
        match frequency:
            case "WEEKLY":
                weekdays = frozenset({(start.weekday(), 0)})
            case "MONTHLY":
                month_days = frozenset({start.day})
            case "YEARLY":
                month_days, months = frozenset({start.day}), months or frozenset({start.month})
    rule = Rule(
        frequency, start, None if last is None else _date(last), interval, _WEEKDAYS.index(week_start),
        months, month_days, year_days, weekdays, positions,
    )  # fmt: skip
    return rule if count is None else _counted(rule, _number("COUNT", count, 1, COUNT_DAYS_MAX))


def _counted(rule: Rule, count: int) -> Rule:
    """The rule with the day on which its count is full as its last."""
    day = rule.first
    for _ in range(COUNT_DAYS_MAX):
        count -= rule.falls_on(day)
        if count == 0:
            return replace(rule, last=day)
        if day == date.max:
            break
        day += timedelta(days=1)
    raise BadRule(f"COUNT is not reached within {COUNT_DAYS_MAX} days: write UNTIL instead")


def _parts(text: str) -> dict[str, str]:
    if len(text) > RULE_TEXT_MAX:
        raise BadRule(f"longer than {RULE_TEXT_MAX} characters")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise BadRule(f"{part!r} is not NAME=value, as in FREQ=WEEKLY;BYDAY=SA")
        if name in _TOO_FINE or value in _TOO_FINE:
            raise BadRule("a rule says days, at most one opening each; say the hours in `start` and `end`")
        if name in parts:
            raise BadRule(f"{name} comes twice")
        parts[name] = value
    return parts


def _number(name: str, text: str, least: int, most: int) -> int:
    digits = text.removeprefix("+") if least >= 0 else text.lstrip("+-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and least <= int(text) <= most):
        raise BadRule(f"{name} must be a number from {least} to {most}, not {text!r}")
    return int(text)


def _numbers(parts: dict[str, str], name: str, most: int, *, signed: bool = True) -> frozenset[int]:
    text = parts.pop(name, None)
    if text is None:
        return frozenset()
    numbers = frozenset(_number(name, each, -most if signed else 1, most) for each in text.split(","))
    if 0 in numbers:
        raise BadRule(f"{name} counts from 1, or from the end from -1")
    return numbers


def _weekdays(text: str | None, frequency: str) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for each in text.split(",") if text is not None else ():
        if each[-2:] not in _WEEKDAYS:
            raise BadRule(
                f"BYDAY has {each!r}: write {', '.join(_WEEKDAYS)}, as in 1SA for the first Saturday"
            )
        nth = _number("BYDAY", each[:-2], -53, 53) if each[:-2] else 0
        if each[:-2] and (nth == 0 or frequency not in ("MONTHLY", "YEARLY")):
            raise BadRule(f"BYDAY has {each!r}: which one of the month or year goes with MONTHLY or YEARLY")
        found.add((_WEEKDAYS.index(each[-2:]), nth))
    return frozenset(found)


def _date(text: str) -> date:
    """UNTIL: a date, or a time, of which the date counts."""
    digits = text[:8]
    try:
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise BadRule(f"UNTIL must be a date like 20261231, not {text!r}") from None


def _month_length(day: date) -> int:
    length = _MONTH_LENGTHS[day.month - 1]
    return length + (day.month == 2 and _year_length(day) == 366)


_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _year_length(day: date) -> int:
    year = day.year
    return 366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365
