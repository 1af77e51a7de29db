"""When a thing is idle: opening hours by the clock of a zone, less what is lent, under the rules of lending."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.idle import (
    WINDOW_DAYS_MAX,
    BadHours,
    Busy,
    Misfit,
    Span,
    fits,
    idle_spans,
    merged,
    spans,
    taken,
    without,
    zone_of,
)

QUITO, BERLIN = ZoneInfo("America/Guayaquil"), ZoneInfo("Europe/Berlin")
KATHMANDU, LORD_HOWE = ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")
HOUR = 3_600_000
DAY = 24 * HOUR


def at(text: str, zone: tzinfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def opened(hours: Mapping[str, object], begin: str, end: str, zone: tzinfo = UTC) -> list[tuple[str, str]]:
    """Spans by the clock of the zone, as people read them."""
    return [(_clock(a, zone), _clock(b, zone)) for a, b in spans(hours, at(begin, zone), at(end, zone), zone)]


def _clock(ms: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(ms / 1000, zone).strftime("%m-%d %H:%M")


def rule(rrule: str, start: str = "09:00", end: str = "13:00", **more: object) -> dict[str, object]:
    return {"rules": [{"rrule": rrule, "start": start, "end": end, **more}]}


SATURDAYS = rule("FREQ=WEEKLY;BYDAY=SA")


# Opening hours


def test_a_thing_that_says_nothing_is_always_open() -> None:
    assert spans({}, 5, 70, UTC) == [(5, 70)]
    assert spans({"rules": []}, 5, 70, UTC) == [(5, 70)]


def test_it_opens_by_the_clock_of_its_zone() -> None:
    expected = [(at("2026-05-02T14:00"), at("2026-05-02T18:00"))]
    assert spans(SATURDAYS, at("2026-05-01T00:00"), at("2026-05-08T00:00"), QUITO) == expected


def test_only_what_lies_in_the_window_is_told() -> None:
    assert opened(SATURDAYS, "2026-05-02T10:00", "2026-05-02T11:00") == [("05-02 10:00", "05-02 11:00")]
    assert opened(SATURDAYS, "2026-05-02T13:00", "2026-05-02T14:00") == []
    assert opened(SATURDAYS, "2026-05-02T14:00", "2026-05-02T10:00") == []


def test_an_opening_goes_on_after_midnight() -> None:
    hours = rule("FREQ=WEEKLY;BYDAY=SA", "20:00", "02:00")
    assert opened(hours, "2026-05-03T00:00", "2026-05-04T00:00") == [("05-03 00:00", "05-03 02:00")]


def test_openings_that_touch_are_one() -> None:
    hours = rule("FREQ=DAILY", "00:00", "24:00")
    assert opened(hours, "2026-05-01T00:00", "2026-05-04T00:00") == [("05-01 00:00", "05-04 00:00")]


def test_an_opening_of_minutes_lasts_so_long() -> None:
    hours = {"rules": [{"rrule": "FREQ=WEEKLY;BYDAY=SA", "start": "18:00", "minutes": 40 * 60}]}
    assert opened(hours, "2026-05-01T00:00", "2026-05-08T00:00") == [("05-02 18:00", "05-04 10:00")]


def test_closed_days_are_closed_from_midnight_to_midnight() -> None:
    hours = rule("FREQ=DAILY", "20:00", "02:00") | {"closed": ["2026-05-02", ["2026-05-04", "2026-05-05"]]}
    assert opened(hours, "2026-05-01T12:00", "2026-05-06T12:00") == [
        ("05-01 20:00", "05-02 00:00"),
        ("05-03 00:00", "05-03 02:00"),
        ("05-03 20:00", "05-04 00:00"),
        ("05-06 00:00", "05-06 02:00"),
    ]


def test_closed_days_count_where_it_is_otherwise_always_open() -> None:
    found = opened({"closed": ["2026-05-02"]}, "2026-05-02T12:00", "2026-05-03T12:00")
    assert found == [("05-03 00:00", "05-03 12:00")]


def test_the_first_day_of_a_rule_is_where_every_second_week_counts_from() -> None:
    hours = rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", **{"from": "2026-05-02"})
    begins = [begin for begin, _ in opened(hours, "2026-04-01T00:00", "2026-06-01T00:00")]
    assert begins == ["05-02 09:00", "05-16 09:00", "05-30 09:00"]


def test_a_leap_day_is_a_day() -> None:
    hours = rule("FREQ=MONTHLY;BYMONTHDAY=-1")
    assert opened(hours, "2028-02-28T00:00", "2028-03-02T00:00") == [("02-29 09:00", "02-29 13:00")]


# Summer time


def test_hours_are_those_of_the_clock_on_both_sides_of_a_change() -> None:
    hours = rule("FREQ=DAILY")
    found = spans(hours, at("2026-03-28T00:00", BERLIN), at("2026-03-30T00:00", BERLIN), BERLIN)
    assert found == [
        (at("2026-03-28T08:00"), at("2026-03-28T12:00")),
        (at("2026-03-29T07:00"), at("2026-03-29T11:00")),
    ]


def test_a_night_is_an_hour_shorter_or_longer() -> None:
    hours = rule("FREQ=DAILY", "22:00", "06:00")

    def night(begin: str, end: str) -> int:
        found = spans(hours, at(begin, BERLIN), at(end, BERLIN), BERLIN)
        return sum(b - a for a, b in found) // HOUR

    assert night("2026-03-28T12:00", "2026-03-29T12:00") == 7
    assert night("2026-10-24T12:00", "2026-10-25T12:00") == 9


def test_a_clock_time_that_does_not_come_is_read_with_the_offset_before() -> None:
    hours = rule("FREQ=DAILY", "02:30", "05:00")
    found = opened(hours, "2026-03-29T00:00", "2026-03-30T00:00", BERLIN)
    assert found == [("03-29 03:30", "03-29 05:00")]


def test_of_a_clock_time_that_comes_twice_the_first_counts() -> None:
    hours = rule("FREQ=DAILY", "02:30", "05:00")
    ((begin, end),) = spans(hours, at("2026-10-25T00:00", BERLIN), at("2026-10-26T00:00", BERLIN), BERLIN)
    assert (end - begin) / HOUR == 3.5


def test_zones_with_half_and_quarter_hours() -> None:
    found = spans(SATURDAYS, at("2026-05-01T00:00"), at("2026-05-08T00:00"), KATHMANDU)
    assert found == [(at("2026-05-02T03:15"), at("2026-05-02T07:15"))]
    # Lord Howe moves its clock by half an hour.
    hours = rule("FREQ=DAILY", "00:00", "24:00")
    day = spans(hours, at("2026-04-05T00:00", LORD_HOWE), at("2026-04-06T00:00", LORD_HOWE), LORD_HOWE)
    assert sum(b - a for a, b in day) == 24.5 * HOUR


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=MONTHLY;BYDAY=-1FR"]),
            st.integers(0, 23),
            st.integers(1, 24),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([UTC, QUITO, BERLIN, KATHMANDU, LORD_HOWE]),
    st.integers(0, 400 * 24),
    st.lists(st.integers(0, 20 * 24), min_size=1, max_size=3),
)
def test_a_window_tells_the_same_in_parts_as_at_once(
    rules: Sequence[tuple[str, int, int]], zone: tzinfo, begin_hour: int, lengths: Sequence[int]
) -> None:
    hours = {"rules": [{"rrule": r, "start": f"{a:02}:00", "end": f"{b:02}:00"} for r, a, b in rules]}
    begin = at("2026-01-01T00:00") + begin_hour * HOUR
    parts: list[Span] = []
    to = begin
    for length in lengths:
        parts += spans(hours, to, to + length * HOUR, zone)
        to += length * HOUR
    whole = spans(hours, begin, to, zone)
    assert merged(parts) == whole
    assert all(a < b for a, b in whole)
    assert all(b < c for (_, b), (c, _) in pairwise(whole))


# What is refused


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        (rule("FREQ=SECONDLY"), "hours.rules.0.rrule"),
        ({"rules": [{"start": "09:00"}]}, "hours.rules.0.rrule"),
        (rule("FREQ=DAILY", start="25:00"), "hours.rules.0.start"),
        (rule("FREQ=DAILY", start="9:00"), "hours.rules.0.start"),
        (rule("FREQ=DAILY", end="noon"), "hours.rules.0.end"),
        (rule("FREQ=DAILY", minutes=5), "hours.rules.0.minutes"),
        ({"rules": [{"rrule": "FREQ=DAILY", "minutes": 10**9}]}, "hours.rules.0.minutes"),
        (rule("FREQ=DAILY", **{"from": "2026-02-30"}), "hours.rules.0.from"),
        ({"rules": "FREQ=DAILY"}, "hours.rules"),
        ({"rules": [rule("FREQ=DAILY")] * 33}, "hours.rules"),
        ({"closed": ["2026-02-30"]}, "hours.closed.0"),
        ({"closed": [["2026-05-02", "2026-05-01"]]}, "hours.closed.0"),
        ({"closed": [7]}, "hours.closed.0"),
    ],
)
def test_hours_that_cannot_be_followed_are_refused_by_field(hours: Mapping[str, object], field: str) -> None:
    with pytest.raises(BadHours) as raised:
        spans(hours, 0, DAY, UTC)
    assert raised.value.field == field


def test_a_window_is_bounded() -> None:
    with pytest.raises(ValueError, match="days"):
        spans({}, 0, (WINDOW_DAYS_MAX + 1) * DAY, UTC)


@pytest.mark.parametrize("ms", [-(2**53), 2**53 - DAY])
def test_the_ends_of_time_do_no_harm(ms: int) -> None:
    assert spans(SATURDAYS, ms, ms + DAY, BERLIN) == []


def test_a_zone_is_a_name() -> None:
    assert zone_of({"zone": "Asia/Kathmandu"}) == "Asia/Kathmandu"
    assert zone_of({}) is None
    with pytest.raises(BadHours, match=r"hours\.zone"):
        zone_of({"zone": 5})


# Idle


def idle(
    begin: str,
    end: str,
    *busy: tuple[str, str],
    hours: Mapping[str, object] | None = None,
    lending: Mapping[str, object] | None = None,
    out: int | bool | None = None,
    now: str = "2026-01-01T00:00",
) -> list[tuple[str, str]]:
    lent = [Busy(at(a), at(b)) for a, b in busy]
    found = idle_spans(hours or {}, lending or {}, lent, out, at(begin), at(end), at(now), UTC)
    return [(_clock(a, UTC), _clock(b, UTC)) for a, b in found]


MONDAY, TUESDAY = "2026-05-04T00:00", "2026-05-05T00:00"


def test_what_is_not_lent_is_idle() -> None:
    found = idle(MONDAY, TUESDAY, ("2026-05-04T09:00", "2026-05-04T12:00"))
    assert found == [("05-04 00:00", "05-04 09:00"), ("05-04 12:00", "05-05 00:00")]


def test_a_buffer_lies_on_both_sides_of_a_loan() -> None:
    found = idle(MONDAY, TUESDAY, ("2026-05-04T09:00", "2026-05-04T12:00"), lending={"buffer_minutes": 60})
    assert found == [("05-04 00:00", "05-04 08:00"), ("05-04 13:00", "05-05 00:00")]


def test_the_buffer_of_a_loan_beyond_the_window_reaches_into_it() -> None:
    found = idle(MONDAY, TUESDAY, (TUESDAY, "2026-05-06T00:00"), lending={"buffer_minutes": 60})
    assert found == [("05-04 00:00", "05-04 23:00")]


def test_lead_time_counts_from_now() -> None:
    found = idle(MONDAY, TUESDAY, lending={"lead_minutes": 120}, now="2026-05-04T10:00")
    assert found == [("05-04 12:00", "05-05 00:00")]


def test_a_gap_shorter_than_the_shortest_loan_is_no_use() -> None:
    found = idle(
        MONDAY,
        TUESDAY,
        (MONDAY, "2026-05-04T09:00"),
        ("2026-05-04T10:00", "2026-05-04T12:00"),
        lending={"shortest_minutes": 120},
    )
    assert found == [("05-04 12:00", "05-05 00:00")]


def test_out_for_maintenance() -> None:
    assert idle(MONDAY, TUESDAY, out=True) == []
    assert idle(MONDAY, TUESDAY, out=at("2026-05-04T20:00")) == [("05-04 20:00", "05-05 00:00")]


def test_what_is_not_lent_to_anybody_is_never_idle() -> None:
    assert idle(MONDAY, TUESDAY, lending={"to": "nobody"}) == []


def test_a_loan_crosses_the_days_on_which_the_pick_up_point_is_shut() -> None:
    """Open one hour a week: fetched on one Saturday, brought back on the next."""
    hours = rule("FREQ=WEEKLY;BYDAY=SA", "10:00", "11:00")
    found = idle("2026-05-01T00:00", "2026-05-12T00:00", hours=hours)
    assert found == [("05-02 10:00", "05-09 11:00")]


def test_several_alike_are_idle_until_the_last_is_lent() -> None:
    lent = [Busy(0, 10, Decimal(2)), Busy(5, 15, Decimal(1)), Busy(8, 9, Decimal(2))]

    def free(amount: int) -> list[Span]:
        return idle_spans({}, {}, lent, None, 0, 20, 0, UTC, amount=Decimal(amount), capacity=Decimal(5))

    assert free(1) == [(0, 8), (9, 20)]
    assert free(3) == [(0, 5), (10, 20)]
    assert free(5) == [(15, 20)]
    assert free(6) == []


# Whether a loan fits


def misfit(
    begin: str,
    end: str,
    *busy: tuple[str, str],
    hours: Mapping[str, object] | None = None,
    lending: Mapping[str, object] | None = None,
    out: int | bool | None = None,
    now: str = "2026-01-01T00:00",
    all_day: bool = False,
    zone: tzinfo = UTC,
) -> Misfit | None:
    lent = [Busy(at(a), at(b)) for a, b in busy]
    return fits(
        hours or {}, lending or {}, lent, out, at(begin, zone), at(end, zone), at(now), zone, all_day=all_day
    )


def test_a_loan_begins_and_ends_while_open() -> None:
    assert misfit("2026-05-02T09:00", "2026-05-09T13:00", hours=SATURDAYS) is None
    assert misfit("2026-05-02T08:59", "2026-05-02T12:00", hours=SATURDAYS) is Misfit.CLOSED_AT_BEGIN
    assert misfit("2026-05-02T13:00", "2026-05-09T12:00", hours=SATURDAYS) is Misfit.CLOSED_AT_BEGIN
    assert misfit("2026-05-02T12:00", "2026-05-03T12:00", hours=SATURDAYS) is Misfit.CLOSED_AT_END
    assert misfit("2026-05-02T12:00", "2026-05-09T09:00", hours=SATURDAYS) is Misfit.CLOSED_AT_END


def test_whole_days_need_an_opening_on_the_first_and_on_the_last() -> None:
    assert misfit("2026-05-02T00:00", "2026-05-10T00:00", hours=SATURDAYS, all_day=True) is None
    assert (
        misfit("2026-05-02T00:00", "2026-05-04T00:00", hours=SATURDAYS, all_day=True) is Misfit.CLOSED_AT_END
    )
    begins_on_a_friday = misfit("2026-05-01T00:00", "2026-05-03T00:00", hours=SATURDAYS, all_day=True)
    assert begins_on_a_friday is Misfit.CLOSED_AT_BEGIN


def test_today_can_still_be_had_by_the_whole_day() -> None:
    assert misfit(MONDAY, TUESDAY, now="2026-05-04T10:00", all_day=True) is None
    assert misfit(MONDAY, TUESDAY, now="2026-05-04T10:00") is Misfit.TOO_SOON


def test_the_other_reasons() -> None:
    lending = {"shortest_minutes": 60, "longest_minutes": 1440, "lead_minutes": 60}
    assert misfit(MONDAY, "2026-05-04T00:30", lending=lending) is Misfit.TOO_SHORT
    assert misfit(MONDAY, "2026-05-06T00:00", lending=lending) is Misfit.TOO_LONG
    assert misfit(MONDAY, TUESDAY, lending=lending, now="2026-05-03T23:30") is Misfit.TOO_SOON
    assert misfit(MONDAY, TUESDAY, lending={"to": "nobody"}) is Misfit.NOT_LENT
    assert misfit(MONDAY, TUESDAY, out=True) is Misfit.OUT_FOR_MAINTENANCE
    assert misfit(MONDAY, TUESDAY, (MONDAY, "2026-05-04T01:00")) is Misfit.TAKEN
    assert misfit(MONDAY, TUESDAY, (TUESDAY, "2026-05-06T00:00")) is None


@pytest.mark.parametrize(
    ("lending", "field"),
    [
        ({"lead_minutes": -1}, "lending.lead_minutes"),
        ({"buffer_minutes": True}, "lending.buffer_minutes"),
        ({"longest_minutes": "7"}, "lending.longest_minutes"),
        ({"longest_minutes": 5, "shortest_minutes": 6}, "lending.longest_minutes"),
    ],
)
def test_rules_of_lending_that_cannot_be_followed_are_refused(
    lending: Mapping[str, object], field: str
) -> None:
    with pytest.raises(BadHours) as raised:
        idle_spans({}, lending, [], None, 0, DAY, 0, UTC)
    assert raised.value.field == field


_SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda each: (each[0], each[0] + each[1])),
    max_size=6,
)


@given(_SPANS, _SPANS)
def test_what_is_without_is_every_moment_that_is_in_none_of_the_others(a: list[Span], b: list[Span]) -> None:
    def moments(of: Sequence[Span]) -> set[int]:
        return {moment for begin, end in of for moment in range(begin, end)}

    left = without(merged(a), merged(b))
    assert moments(left) == moments(a) - moments(b)
    assert left == merged(left)


@given(_SPANS, st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
def test_it_is_taken_in_every_moment_in_which_too_little_is_left(
    lent: list[Span], amount: int, capacity: int, buffer: int
) -> None:
    found = taken([Busy(a, b) for a, b in lent], buffer, Decimal(amount), Decimal(capacity))
    for moment in range(-5, 60):
        out = sum(a - buffer <= moment < b + buffer for a, b in lent)
        if amount <= capacity:
            assert any(a <= moment < b for a, b in found) == (capacity - out < amount)
