"""The routes by which others are told what is here and what lands; part of `routes.ROUTES`."""

from commonsnode.http.answers import CALENDAR_TYPE, EVENTS_TYPE
from commonsnode.http.calls import Route
from commonsnode.http.handlers import on_calendars, on_events

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/events",
        on_events.events,
        "What lands from now on, as server-sent events; with the header Last-Event-ID, first what landed since that one",
        "Events",
        True,
        query={
            "after": {
                "type": "string",
                "maxLength": 64,
                "description": "as the header Last-Event-ID, for who cannot send it",
            }
        },
        media=EVENTS_TYPE,
    ),
    Route(
        "GET",
        "/communities/{community}/calendar.ics",
        on_calendars.of_community,
        "What is reserved in a community, for programs that subscribe to calendars (RFC 5545)",
        "Calendar",
        True,
        media=CALENDAR_TYPE,
    ),
    Route(
        "GET",
        "/communities/{community}/members/{key}/calendar.ics",
        on_calendars.of_member,
        "What one person has reserved in a community, as far as who asks may read it",
        "Calendar",
        True,
        media=CALENDAR_TYPE,
    ),
    Route(
        "GET",
        "/records/{id}/calendar.ics",
        on_calendars.of_thing,
        "What is reserved of a thing, and when nothing of it is left",
        "Calendar",
        True,
        query={"community": {"type": "string", "maxLength": 256}},
        media=CALENDAR_TYPE,
    ),
    Route(
        "GET",
        "/calendars/{link}/reservations.ics",
        on_calendars.own,
        "One's own reservations, and those of what one keeps, by a secret link",
        "Calendar",
        True,
        media=CALENDAR_TYPE,
    ),
    Route(
        "GET",
        "/calendars",
        on_calendars.links,
        "The secret links to one's own calendar that were not withdrawn",
        "CalendarLinks",
        person=True,
    ),
    Route(
        "POST",
        "/calendars",
        on_calendars.make_link,
        "Make a secret link to one's own calendar: whoever has it reads that, until it is withdrawn",
        "CalendarLinkMade",
        status=201,
        body="CalendarLinking",
        person=True,
    ),
    Route(
        "DELETE",
        "/calendars/{id}",
        on_calendars.withdraw_link,
        "Withdraw a secret link",
        "CalendarLink",
        person=True,
    ),
)
