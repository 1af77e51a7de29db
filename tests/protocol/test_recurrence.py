"""On which days a rule falls: as RFC 5545 has it, and as python-dateutil computes it."""

from datetime import date, datetime, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.recurrence import BadRule, read_rule

MONDAY = date(2024, 1, 1)


def days(text: str, first: date | None = MONDAY, *, until: date) -> list[date]:
    rule, start = read_rule(text, first), first or MONDAY
    each = (start + timedelta(days=n) for n in range((until - start).days + 1))
    return [day for day in each if rule.falls_on(day)]


def test_each_saturday() -> None:
    assert days("FREQ=WEEKLY;BYDAY=SA", until=date(2024, 1, 14)) == [date(2024, 1, 6), date(2024, 1, 13)]


def test_the_last_working_day_of_a_month() -> None:
    rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"
    assert days(rule, until=date(2024, 3, 31)) == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 29)]


def test_a_leap_day_comes_in_leap_years() -> None:
    found = days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", until=date(2030, 1, 1))
    assert found == [date(2024, 2, 29), date(2028, 2, 29)]


def test_a_count_ends_the_rule() -> None:
    assert days("FREQ=DAILY;COUNT=2", until=date(2024, 2, 1)) == [MONDAY, date(2024, 1, 2)]


def test_a_day_that_never_comes_costs_nothing_and_never_comes() -> None:
    assert days("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", until=date(2026, 1, 1)) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("FREQ=SECONDLY", "a rule says days"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "a rule says days"),
        ("FREQ=SOMETIMES", "FREQ"),
        ("BYDAY=SA", "FREQ"),
        ("FREQ=WEEKLY;BYDAY=1SA", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
        ("FREQ=WEEKLY;BYWEEKNO=3;BYDAY=SA", "BYWEEKNO"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=99999999999", "INTERVAL"),
        ("FREQ=DAILY;COUNT=4000000", "COUNT"),
        ("FREQ=YEARLY;COUNT=50", "COUNT"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20250101", "COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=20250231", "UNTIL"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ comes twice"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYSETPOS=1;BYDAY=SA", "BYSETPOS"),
        ("nonsense", "NONSENSE"),
        ("FREQ=DAILY;" * 40, "longer than"),
    ],
)
def test_what_is_no_rule_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(BadRule, match=part):
        read_rule(text, MONDAY)


def test_what_counts_from_a_first_day_needs_one() -> None:
    with pytest.raises(BadRule, match="first day"):
        read_rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", None)
    assert read_rule("FREQ=WEEKLY;BYDAY=SA", None).falls_on(date(2024, 1, 6))


_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}"]
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(_WEEKDAYS))}")

    def some(name: str, values: st.SearchStrategy[int]) -> bool:
        chosen = draw(st.lists(values, max_size=3, unique=True)) if draw(st.integers(0, 2)) == 0 else []
        if chosen:
            parts.append(f"{name}={','.join(map(str, chosen))}")
        return bool(chosen)

    signed = st.integers(1, 31) | st.integers(-31, -1)
    some("BYMONTH", st.integers(1, 12))
    named = frequency != "WEEKLY" and some("BYMONTHDAY", signed)
    if frequency == "YEARLY":
        named |= some("BYYEARDAY", st.integers(1, 366) | st.integers(-366, -1))
    weekdays = draw(st.lists(st.sampled_from(_WEEKDAYS), max_size=3, unique=True))
    if weekdays:
        # All by number or none: dateutil lets days through that are both, where RFC 5545 has either.
        numbered = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())
        nth = st.sampled_from(["1", "2", "-1", "5"] if numbered else [""])
        parts.append("BYDAY=" + ",".join(draw(nth) + each for each in weekdays))
        named = True
    if named and frequency in ("MONTHLY", "YEARLY"):
        some("BYSETPOS", st.integers(1, 4) | st.integers(-4, -1))
    if draw(st.booleans()):
        parts.append("UNTIL=20250820")
    return ";".join(parts)


@given(rules(), st.dates(date(2023, 1, 1), date(2024, 12, 31)))
def test_days_are_those_of_dateutil(text: str, first: date) -> None:
    end = date(2027, 3, 1)
    found = days(text, first, until=end)
    start = datetime(first.year, first.month, first.day)
    # Taking no more than there must be keeps dateutil from walking to the year 9999 after the last.
    expected = [each.date() for each in islice(rrulestr(text, dtstart=start), len(found))]
    assert found == expected


@given(
    rules(), st.dates(date(2023, 1, 1), date(2024, 12, 31)), st.dates(date(2023, 1, 1), date(2026, 12, 31))
)
def test_a_rule_counts_as_often_as_it_fell(text: str, first: date, until: date) -> None:
    text = text.removesuffix(";UNTIL=20250820")
    found = days(text, first, until=until)
    if found:
        assert days(f"{text};COUNT={len(found)}", first, until=date(2027, 3, 1)) == found
