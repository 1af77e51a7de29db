"""Reservations as calendars: what stands is in them, who may not read it does not see it, and nothing that people wrote breaks them."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from commonsnode import calendar_links
from commonsnode.calendar_links import CalendarLinks
from commonsnode.calendars import LAST_MS, Entry, line, plain, written
from commonsnode.errors import HomeError
from commonsnode.home import Home
from commonsnode.http.feed_routes import ROUTES
from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
from running_node import API, Answer, Api, serving

NEVER = datetime(2027, 1, 1, tzinfo=UTC)


class Village:
    """A community whose operator keeps a drill, which Rosa may reserve."""

    def __init__(self, api: Api, community: str, drill: str, rosa: str, token: str) -> None:
        self.api, self.community, self.drill, self.rosa, self.token = api, community, drill, rosa, token

    async def reserve(self, since: str, until: str, **more: Any) -> str:
        body = {"resource": self.drill, "from": since, "until": until, **more}
        asked = await self.api("POST", "/reservations", body, token=self.token)
        assert asked.status == 201, asked.body
        return str(asked["id"])

    async def do(self, act: str, reservation: str) -> None:
        assert (await self.api("POST", f"/reservations/{reservation}/{act}", {})).status == 200

    async def link(self, **body: Any) -> Answer:
        made = await self.api("POST", "/calendars", body, tcp=True, token=self.token)
        assert made.status == 201, made.body
        assert list(problems(made.body, SCHEMAS["CalendarLinkMade"], SCHEMAS)) == []
        return made


@pytest.fixture
async def village(api: Api) -> Village:
    community = await api.community()
    rosa, token = await api.person()
    assert (await api("POST", f"/communities/{community}/members", {"id": rosa})).status == 200
    place = {"lat": 3_500_000, "lon": -781_200_000, "name": "The yard"}
    drill = await api.add(community, title='Drill; 1/2", big', place=place)
    return Village(api, community, drill, rosa, token)


def read(answer: Answer) -> Any:
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    for text in answer.body.encode().split(b"\r\n"):
        assert len(text) <= 75
        assert b"\n" not in text
    (calendar,) = Calendar.from_ical(answer.body, multiple=True)
    return calendar


def events(calendar: Any) -> list[tuple[str, Any, Any, str]]:
    return [
        (str(event["summary"]), event["dtstart"].dt, event["dtend"].dt, str(event["status"]))
        for event in calendar.walk("VEVENT")
    ]


async def test_the_calendar_of_a_thing_has_what_stands_and_when_it_is_taken(village: Village) -> None:
    path = f"/records/{village.drill}/calendar.ics"
    empty = read(await village.api("GET", path, tcp=True))
    assert (events(empty), str(empty["x-wr-calname"])) == ([], r'Drill\; 1/2"\, big')
    days = await village.reserve("2090-05-01", "2090-05-02")
    hours = await village.reserve("2090-06-01 09:00", "2090-06-01 13:00", note="for the fence")
    gone = await village.reserve("2090-07-01", "2090-07-02")
    for act, one in (("confirm", days), ("decline", gone)):
        await village.do(act, one)
    found = read(await village.api("GET", path, tcp=True))
    name = 'Drill; 1/2", big'
    first, second = events(found)
    assert first == (name, date(2090, 5, 1), date(2090, 5, 3), "CONFIRMED")
    assert (second[0], second[3]) == (f"{name} (asked for)", "TENTATIVE")
    assert (second[2] - second[1]).total_seconds() == 4 * 3_600
    (busy,) = found.walk("VFREEBUSY")
    assert len(busy["freebusy"]) == 2
    event = found.walk("VEVENT")[1]
    assert str(event["description"]) == "State: asked\nfor the fence"
    assert "location" not in event, "where exactly it is is for members"
    for_members = read(await village.api("GET", path, tcp=True, token=village.token)).walk("VEVENT")[1]
    assert (str(for_members["location"]), for_members["geo"].to_ical()) == ("The yard", "0.35;-78.12")
    await village.do("confirm", hours)
    assert [event[3] for event in events(read(await village.api("GET", path)))] == ["CONFIRMED"] * 2


async def test_the_page_of_a_thing_leads_to_its_calendar(village: Village) -> None:
    page = await village.api.page(f"/things/{village.drill}")
    (address,) = re.findall(r'href="([^"]*calendar\.ics[^"]*)"', page.body)
    async with village.api.public.get(village.api.base + address.replace("&amp;", "&")) as found:
        assert (found.status, found.content_type) == (200, "text/calendar")


async def test_who_has_the_calendar_already_is_told_only_that(village: Village) -> None:
    path = f"/communities/{village.community}/calendar.ics"
    await village.reserve("2090-05-01", "2090-05-02")
    first = await village.api("GET", path, tcp=True)
    assert len(events(read(first))) == 1
    url, told = f"{village.api.base}{API}{path}", {"If-None-Match": first.headers["ETag"]}
    async with village.api.public.get(url, headers=told) as same:
        assert (same.status, await same.read(), same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    await village.reserve("2090-06-01", "2090-06-02")
    async with village.api.public.get(url, headers=told) as other:
        assert other.status == 200


async def test_what_a_person_reserved_is_read_by_who_may_read_it(village: Village) -> None:
    await village.reserve("2090-05-01", "2090-05-02")
    path = f"/communities/{village.community}/members/{village.rosa[:8]}/calendar.ics"
    assert len(events(read(await village.api("GET", path, tcp=True)))) == 1
    nobody = f"/communities/{village.community}/members/{'ab' * 32}/calendar.ics"
    assert (await village.api("GET", nobody, tcp=True)).status == 404


async def test_a_community_for_members_shows_its_calendar_to_nobody_else(api: Api) -> None:
    refuge = str((await api("POST", "/communities", {"name": "Refuge", "reading": "members"}))["id"])
    key = await api.add(refuge, title="Shelter key")
    rosa, token = await api.person()
    await api("POST", f"/communities/{refuge}/members", {"id": rosa})
    for path in (f"/communities/{refuge}/calendar.ics", f"/records/{key}/calendar.ics"):
        assert (await api("GET", path, tcp=True)).status == 404
        assert (await api("GET", path, tcp=True, token=token)).status == 200


async def test_ones_own_calendar_is_read_by_a_link_that_is_told_once_and_can_be_withdrawn(
    village: Village,
) -> None:
    api = village.api
    await village.reserve("2090-05-01", "2090-05-02")
    made = await village.link(label="phone")
    path = made["path"].removeprefix(API)
    found = read(await api("GET", path, tcp=True))
    assert (str(found["x-wr-calname"]), len(events(found))) == ("Rosa", 1)
    listed = await api("GET", "/calendars", tcp=True, token=village.token)
    assert list(problems(listed.body, SCHEMAS["CalendarLinks"], SCHEMAS)) == []
    assert listed["links"] == [{key: made[key] for key in ("id", "label", "created")}]
    secret = path.split("/")[2]
    kept = api.node.home.calendars_path
    assert (secret not in kept.read_text(), kept.stat().st_mode & 0o777) == (True, 0o600)
    assert (await api("GET", "/calendars"))["links"] == [], "the operator has links of their own"
    assert (await api("DELETE", f"/calendars/{made['id']}")).status == 404, "and withdraws no other's"
    assert (await api("DELETE", f"/calendars/{made['id']}", tcp=True, token=village.token)).status == 200
    for gone in (path, "/calendars/never-was-one/reservations.ics"):
        answer = await api("GET", gone, tcp=True)
        assert (answer.status, "withdrawn" in answer["detail"]) == (404, True)


async def test_whose_account_is_locked_has_no_calendar_meanwhile(village: Village) -> None:
    path = (await village.link())["path"].removeprefix(API)
    for act, status in (("lock", 404), ("unlock", 200)):
        await village.api("POST", f"/persons/Rosa/{act}")
        assert (await village.api("GET", path, tcp=True)).status == status


async def test_the_operators_own_calendar_has_what_is_asked_of_what_they_keep(village: Village) -> None:
    made = await village.api("POST", "/calendars", {})
    await village.reserve("2090-05-01", "2090-05-02")
    (event,) = events(read(await village.api("GET", made["path"].removeprefix(API), tcp=True)))
    assert event[0].endswith("(asked of you)")


async def test_a_link_goes_on_after_a_restart(home: Home) -> None:
    async with serving(home) as api:
        path = (await api("POST", "/calendars", {}))["path"].removeprefix(API)
    async with serving(home) as api:
        assert (await api("GET", path, tcp=True)).status == 200


async def test_one_person_has_only_so_many_links(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_links, "LINKS_PER_PERSON_MAX", 1)
    await village.link()
    more = await village.api("POST", "/calendars", {}, tcp=True, token=village.token)
    assert (more.status, "withdraw one" in more["detail"]) == (409, True)


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2, "links": []}', '{"format": 1, "links": [{}]}'])
def test_a_file_of_links_that_is_none_is_never_written_over(home: Home, text: str) -> None:
    home.calendars_path.write_text(text)
    with pytest.raises(HomeError, match=r"calendars\.json"):
        CalendarLinks(home.calendars_path)
    assert home.calendars_path.read_text() == text


async def test_logs_do_not_have_the_secret(
    village: Village, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = (await village.link())["path"].removeprefix(API)

    def fails(*_: object) -> bytes:
        raise RuntimeError("made to fail")

    monkeypatch.setattr("commonsnode.calendars.written", fails)
    with caplog.at_level("DEBUG"):
        assert (await village.api("GET", path, tcp=True)).status == 500
    assert "request-failed" in caplog.text
    assert path.split("/")[2] not in caplog.text
    assert "/calendars/{link}/reservations.ics" in str([vars(record) for record in caplog.records])


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    place=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_text_of_any_sort_stays_text(text: str, place: str) -> None:
    entry = Entry(
        "uid", NEVER, NEVER, NEVER, line(text), plain(text), line(place) or None, (0.5, -78.0), True
    )
    body = written(text, [entry], ("ab", [(0, LAST_MS)]))
    assert all(len(part) <= 75 and b"\n" not in part for part in body.split(b"\r\n"))
    calendar: Any = Calendar.from_ical(body)
    (event,) = calendar.walk("VEVENT")
    assert [component.name for component in calendar.subcomponents] == ["VEVENT", "VFREEBUSY"]
    assert str(event["summary"]) == line(text)
    assert str(event["description"]) == plain(text)


def test_every_route_of_calendars_and_events_is_tested_here_or_in_test_events() -> None:
    assert {route.path.partition("{")[0] for route in ROUTES} == {
        "/events",
        "/communities/",
        "/records/",
        "/calendars/",
        "/calendars",
    }
