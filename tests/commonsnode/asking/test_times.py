"""Times as people say them: which span is meant, in which zone, and what is no time."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode.asking.times import TimeSpan, clock, day_of, time_span
from commonsnode.errors import WrongField

QUITO, BERLIN = ZoneInfo("America/Guayaquil"), ZoneInfo("Europe/Berlin")
KATHMANDU, LORD_HOWE = ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")
SUNDAY = "2026-11-29T10:30"  # in the zone that is asked in


def at(text: str, zone: tzinfo = QUITO) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def asked(
    since: str | None, until: str | None = None, *, now: str = SUNDAY, zone: tzinfo = QUITO, days: int = 366
) -> TimeSpan:
    found = time_span(since, until, at(now, zone), zone, days_max=days)
    assert found is not None
    return found


def clocks(
    since: str | None, until: str | None = None, *, now: str = SUNDAY, zone: tzinfo = QUITO
) -> tuple[str, str]:
    found = asked(since, until, now=now, zone=zone)
    return clock(found.begin_ms, zone), clock(found.end_ms, zone)


def refused(since: str | None, until: str | None = None, *, zone: tzinfo = QUITO) -> tuple[str, str]:
    with pytest.raises(WrongField) as caught:
        asked(since, until, zone=zone)
    return caught.value.field, caught.value.detail


def test_nothing_said_is_no_span() -> None:
    assert time_span(None, None, 0, UTC, days_max=366) is None


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("today", None, ("2026-11-29 00:00", "2026-11-30 00:00")),
        ("tomorrow", None, ("2026-11-30 00:00", "2026-12-01 00:00")),
        ("sat", None, ("2026-12-05 00:00", "2026-12-06 00:00")),
        ("Saturday", "sun", ("2026-12-05 00:00", "2026-12-07 00:00")),
        ("sun", None, ("2026-11-29 00:00", "2026-11-30 00:00")),
        ("fri", "mon", ("2026-12-04 00:00", "2026-12-08 00:00")),
        ("2026-12-05", "2026-12-06", ("2026-12-05 00:00", "2026-12-07 00:00")),
        ("sat 9:00", "13:00", ("2026-12-05 09:00", "2026-12-05 13:00")),
        ("sat-9:00", "sat-13:00", ("2026-12-05 09:00", "2026-12-05 13:00")),
        ("  sat   09:00 ", "SUN 24:00", ("2026-12-05 09:00", "2026-12-07 00:00")),
        ("sat 9:00", None, ("2026-12-05 09:00", "2026-12-06 00:00")),
        ("2026-12-05T09:00", "2026-12-05 13:00:30", ("2026-12-05 09:00", "2026-12-05 13:00")),
        ("2026-12-05T09:00Z", "2026-12-05T16:00+02:00", ("2026-12-05 04:00", "2026-12-05 09:00")),
        ("2026-12-05T09:00-0500", "18:00", ("2026-12-05 09:00", "2026-12-05 18:00")),
        ("now", "tomorrow", ("2026-11-29 10:30", "2026-12-01 00:00")),
        (None, "tomorrow", ("2026-11-29 00:00", "2026-12-01 00:00")),
        (None, "18:00", ("2026-11-29 10:30", "2026-11-29 18:00")),
        ("2028-02-29", None, ("2028-02-29 00:00", "2028-03-01 00:00")),
    ],
)
def test_what_is_said_means_this_span(
    since: str | None, until: str | None, expected: tuple[str, str]
) -> None:
    assert clocks(since, until) == expected


def test_whole_days_are_known_from_times_of_the_clock() -> None:
    assert asked("sat", "sun").all_day
    assert asked("sat").by_day == (True, True)
    assert asked("sat", "sun 13:00").by_day == (True, False)
    assert asked("sat 9:00", "sun").by_day == (False, True)
    assert asked("sat 9:00", "13:00").by_day == (False, False)


def test_an_end_on_a_weekday_is_the_first_one_from_the_beginning_on() -> None:
    assert clocks("2026-12-12", "sun")[1] == "2026-12-14 00:00"
    assert clocks("2026-12-13", "sun")[1] == "2026-12-14 00:00"


@pytest.mark.parametrize(
    ("since", "until", "field", "words"),
    [
        ("2026-02-30", None, "from", "2026-02-30 is no date (day is out of range for month"),
        ("2027-02-29", None, "from", "no date"),
        ("sat", "2026-13-01", "until", "no date"),
        ("sat", "fri 25:00", "until", "25:00 is no time of day"),
        ("sat 9:60", None, "from", "9:60 is no time of day"),
        ("sat", "2026-11-30", "until", "2026-11-30 is before from, 2026-12-05"),
        ("sat 9:00", "sat 9:00", "until", "12-05 09:00 is the same moment as from, 2026-12-05 09:00"),
        ("tomorrow", "today", "until", "2026-11-29 is before from, 2026-11-30"),
        ("2026-12-01", "2028-12-01", "until", "more than 366 days after from"),
        ("soon", None, "from", "'soon' is no time; it must be a day as sat"),
        ("sat morning", None, "from", "is no time"),
        ("s", None, "from", "is no time"),
        ("", None, "from", "must be a day"),
        ("x" * 65, None, "from", "must be a day"),
        ("1066-10-14", None, "from", "the year 1066 is not from 1970"),
        ("9999-12-31", None, "from", "the year 9999"),
        ("2026-12-05x", None, "from", "is no time"),
        ("2026-12-05T09:00+25:00", None, "from", "is no time"),
        ("2026-12-05T9", None, "from", "'9' is no time of day"),
    ],
)
def test_what_is_no_time_is_refused_by_its_field(
    since: str, until: str | None, field: str, words: str
) -> None:
    found = refused(since, until)
    assert found[0] == field
    assert words in found[1]


def test_a_day_on_which_the_clock_changes_has_another_length() -> None:
    spring, autumn = asked("2027-03-28", zone=BERLIN), asked("2027-10-31", zone=BERLIN)
    assert (spring.end_ms - spring.begin_ms, autumn.end_ms - autumn.begin_ms) == (
        23 * 3_600_000,
        25 * 3_600_000,
    )
    half = asked("2027-04-04", zone=LORD_HOWE)
    assert half.end_ms - half.begin_ms == 24 * 3_600_000 + 1_800_000


def test_an_hour_that_is_left_out_and_one_that_comes_twice_mean_one_moment_each() -> None:
    assert asked("2027-03-28 02:30", zone=BERLIN).begin_ms == at("2027-03-28T01:30", UTC)
    assert asked("2027-10-31 02:30", zone=BERLIN).begin_ms == at("2027-10-31T00:30", UTC)


def test_today_is_the_day_of_the_zone_also_across_midnight_and_half_hours() -> None:
    late = at("2026-11-29T18:20", UTC)
    assert day_of(late, KATHMANDU) == date(2026, 11, 30)
    found = time_span("today", None, late, KATHMANDU, days_max=366)
    assert found is not None
    assert found.begin_ms == at("2026-11-29T18:15", UTC)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from([UTC, QUITO, BERLIN, KATHMANDU, LORD_HOWE]),
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
)
def test_a_weekday_is_within_the_next_seven_days_and_begins_at_midnight(
    now: datetime, zone: tzinfo, word: str
) -> None:
    now_ms = int(now.replace(tzinfo=UTC).timestamp() * 1000)
    found = time_span(word, None, now_ms, zone, days_max=366)
    assert found is not None
    day = day_of(found.begin_ms, zone)
    assert timedelta(0) <= day - day_of(now_ms, zone) < timedelta(7)
    assert day.strftime("%a").lower() == word
    assert clock(found.begin_ms, zone) == f"{day} 00:00"


@given(st.text(max_size=70))
def test_no_text_is_more_than_a_time_or_a_refusal(text: str) -> None:
    refusal: str | None = None
    found: TimeSpan | None = None
    try:
        found = time_span(text, None, 1_800_000_000_000, BERLIN, days_max=366)
    except WrongField as error:
        refusal = error.field
    assert refusal in ("from", "until") if found is None else found.begin_ms < found.end_ms
