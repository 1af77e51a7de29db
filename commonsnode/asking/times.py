"""From when until when, as people say it: `sat`, `tomorrow`, `2026-12-05`, `sat 9:00`; in a time zone.

A day as the end means to its end. A time of the clock that a change of summer time leaves out is read with the offset
before it; of one that comes twice the first is meant (SPEC.md, "Idle times").
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from commonsnode.errors import WrongField

TIME_CHARS_MAX = 64
YEAR_MIN, YEAR_MAX = 1970, 9_000
FORMS = "a day as sat, today, tomorrow or 2026-12-05; a time as sat 9:00 or 2026-12-05T09:00; or now"

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_BEGINNING_CHARS_MIN = 3
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET = re.compile(r"(?:[zZ]|[+-][0-9]{2}:?[0-9]{2})$")
_MIDNIGHT_AT_THE_END = ("24:00", "24:00:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """One end of a span: a whole day, or a moment. day: as the zone has it."""

    day: date
    at_ms: int | None = None  # none: the whole day

    @property
    def is_day(self) -> bool:
        return self.at_ms is None


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From when until when, half open. by_day: whether the beginning, and the end, were said as days."""

    begin_ms: int
    end_ms: int
    by_day: tuple[bool, bool]

    @property
    def all_day(self) -> bool:
        """Whole days of the zone, from the first to the last."""
        return all(self.by_day)


def time_span(
    since: str | None,
    until: str | None,
    now_ms: int,
    zone: tzinfo,
    *,
    days_max: int,
    names: tuple[str, str] = ("from", "until"),
) -> TimeSpan | None:
    """What two texts say; None where both are left out. Without an end the day is meant, without a beginning today.

    A weekday is the next one, which may be today; as an end the first one from the beginning on, and a clock time alone is
    on the day of the beginning. names: of the fields. Raises WrongField.
    """
    if since is None and until is None:
        return None
    today = day_of(now_ms, zone)
    begin = Said(today) if since is None else read(names[0], since, now_ms, zone)
    end = Said(begin.day) if until is None else read(names[1], until, now_ms, zone, after=begin.day)
    if since is None and not end.is_day:
        begin = Said(today, now_ms)
    span = TimeSpan(_begin(begin, zone), _end(end, zone), (begin.is_day, end.is_day))
    if span.end_ms <= span.begin_ms:
        what = "is the same moment as" if begin.at_ms == end.at_ms is not None else "is before"
        raise WrongField(names[1], f"{_words(end, zone)} {what} {names[0]}, {_words(begin, zone)}")
    if span.end_ms - span.begin_ms > days_max * 86_400_000:
        raise WrongField(names[1], f"is more than {days_max} days after {names[0]}")
    return span


def read(field: str, text: str, now_ms: int, zone: tzinfo, *, after: date | None = None) -> Said:
    """One time. after: the day from which on weekdays count, and on which a clock time alone is. Raises WrongField."""
    said = " ".join(text.split()).lower()
    if not 1 <= len(said) <= TIME_CHARS_MAX:
        raise WrongField(field, f"must be {FORMS}")
    if said == "now":
        return Said(day_of(now_ms, zone), now_ms)
    first = after or day_of(now_ms, zone)
    if _CLOCK.fullmatch(said):
        return _at(field, first, said, zone)
    if _ISO.match(said):
        return _iso(field, said, zone)
    word, clock_said = _parts(said)
    day = _day(word, first, day_of(now_ms, zone))
    if day is None or (clock_said is not None and not _CLOCK.fullmatch(clock_said)):
        raise WrongField(field, f"{text[:TIME_CHARS_MAX]!r} is no time; it must be {FORMS}")
    return Said(day) if clock_said is None else _at(field, day, clock_said, zone)


def day_of(at_ms: int, zone: tzinfo) -> date:
    """The day that a zone has at a moment."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).date()


def clock(at_ms: int, zone: tzinfo) -> str:
    """A moment as the clock of a zone shows it."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _words(said: Said, zone: tzinfo) -> str:
    return said.day.isoformat() if said.at_ms is None else clock(said.at_ms, zone)


def _parts(said: str) -> tuple[str, str | None]:
    """`sat 9:00`, `sat-9:00`, `sat` as a word and a time of the clock."""
    word, separator, rest = said.partition(" ")
    if not separator:
        word, separator, rest = said.partition("-")
    return word, rest if separator else None


def _day(word: str, first: date, today: date) -> date | None:
    if word == "today":
        return today
    if word == "tomorrow":
        return today + timedelta(days=1)
    if len(word) < _DAY_BEGINNING_CHARS_MIN:
        return None
    for number, name in enumerate(_DAYS):
        if name.startswith(word):
            return first + timedelta(days=(number - first.weekday()) % 7)
    return None


def _iso(field: str, said: str, zone: tzinfo) -> Said:
    """ISO 8601, section 5.4: a date, or a date and a time, with its zone or without."""
    try:
        day = date.fromisoformat(said[:10])
    except ValueError as error:
        raise WrongField(field, f"{said[:10]} is no date ({error})") from None
    _check_year(field, day)
    rest = said[10:]
    if not rest:
        return Said(day)
    if rest[0] not in "t ":
        raise WrongField(field, f"{said!r} is no time; it must be {FORMS}")
    rest = rest[1:]
    offset = _OFFSET.search(rest)
    if offset is None:
        return _at(field, day, rest, zone)
    try:
        at = datetime.fromisoformat(f"{day.isoformat()}T{rest[: offset.start()].strip()}{offset[0].upper()}")
    except ValueError as error:
        raise WrongField(field, f"{said!r} is no time ({error})") from None
    at_ms = _ms(at)
    return Said(day_of(at_ms, zone), at_ms)


def _at(field: str, day: date, clock_said: str, zone: tzinfo) -> Said:
    _check_year(field, day)
    if not _CLOCK.fullmatch(clock_said):
        raise WrongField(field, f"{clock_said!r} is no time of day; write it as 9:00 or 14:30")
    if clock_said in _MIDNIGHT_AT_THE_END:
        return Said(day, _ms(datetime.combine(day + timedelta(days=1), time(), zone)))
    try:
        said = time.fromisoformat(clock_said if clock_said[2] == ":" else f"0{clock_said}")
    except ValueError:
        raise WrongField(field, f"{clock_said} is no time of day: 0:00 to 24:00") from None
    return Said(day, _ms(datetime.combine(day, said, zone)))


def _check_year(field: str, day: date) -> None:
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise WrongField(field, f"the year {day.year} is not from {YEAR_MIN} to {YEAR_MAX}")


def _begin(said: Said, zone: tzinfo) -> int:
    return said.at_ms if said.at_ms is not None else _ms(datetime.combine(said.day, time(), zone))


def _end(said: Said, zone: tzinfo) -> int:
    if said.at_ms is not None:
        return said.at_ms
    return _ms(datetime.combine(said.day + timedelta(days=1), time(), zone))


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
