"""The routes of reservations; part of `routes.ROUTES`."""

from collections.abc import Mapping

from commonsnode.http.answers import PAGE_RESERVATIONS_MAX
from commonsnode.http.calls import Route
from commonsnode.http.handlers import on_reservations
from commonsnode.http.schema import Schema

_COMMUNITY: Mapping[str, Schema] = {
    "community": {
        "type": "string",
        "maxLength": 256,
        "description": "a community: id, beginning of one, or name",
    }
}
_ONE = "/reservations/{id}"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/reservations",
        on_reservations.listed,
        "What is reserved, by when it begins; for who is not signed in, of one thing",
        "Reservations",
        True,
        query={
            **_COMMUNITY,
            "of": {
                "type": "string",
                "maxLength": 32,
                "description": "only of this thing: its id, or a beginning",
            },
            "mine": {"type": "boolean", "description": "only what who asks here asked for"},
            "asked_of_me": {
                "type": "boolean",
                "description": "only of the things that who asks here keeps; a steward, also of those that nobody keeps",
            },
            "open": {"type": "boolean", "description": "only what has not ended, and is not past"},
            "cursor": {"type": "string", "maxLength": 128, "description": "the `cursor` of the page before"},
            "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_RESERVATIONS_MAX},
        },
    ),
    Route(
        "POST",
        "/reservations",
        on_reservations.reserve,
        "Ask for a thing from one time until another; where it is not free, in the waiting list",
        "Reserved",
        status=201,
        body="Reserving",
        person=True,
    ),
    Route("GET", _ONE, on_reservations.shown, "One reservation", "Reservation", True, query=_COMMUNITY),
    Route(
        "POST",
        _ONE + "/confirm",
        on_reservations.confirm,
        "As keeper: promise it",
        "ReservationActed",
        query=_COMMUNITY,
        body="ReservationNothing",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/decline",
        on_reservations.decline,
        "As keeper: say no",
        "ReservationActed",
        query=_COMMUNITY,
        body="ReservationReason",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/cancel",
        on_reservations.cancel,
        "As who asked: take it back",
        "ReservationActed",
        query=_COMMUNITY,
        body="ReservationReason",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/extend",
        on_reservations.extend,
        "As who asked: ask for the time after it as well, which is a reservation of its own",
        "Reserved",
        status=201,
        query=_COMMUNITY,
        body="ReservationExtending",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/hand-over",
        on_reservations.hand_over,
        "As keeper: say that it was handed over",
        "ReservationActed",
        query=_COMMUNITY,
        body="ReservationMoment",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/return",
        on_reservations.take_back,
        "As keeper: say that it came back",
        "ReservationActed",
        query=_COMMUNITY,
        body="ReservationMoment",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/damage",
        on_reservations.report_damage,
        "Tell that it was damaged while it was lent",
        "ReservationDamaged",
        status=201,
        query=_COMMUNITY,
        body="ReservationDamage",
        person=True,
    ),
)
