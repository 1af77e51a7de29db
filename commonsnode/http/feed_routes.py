"""The routes by which others are told what is here and what lands; part of `routes.ROUTES`."""

from commonsnode.http import on_events
from commonsnode.http.calls import Route

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
        media=on_events.EVENTS_TYPE,
    ),
)
