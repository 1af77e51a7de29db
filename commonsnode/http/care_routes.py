"""The routes of care; part of `routes.ROUTES`."""

from collections.abc import Mapping

from commonsnode.http.answers import WITHIN_DAYS_MAX
from commonsnode.http.calls import Route
from commonsnode.http.handlers import on_care
from commonsnode.http.schema import Schema

_COMMUNITY: Mapping[str, Schema] = {
    "community": {
        "type": "string",
        "maxLength": 256,
        "description": "a community: id, beginning of one, or name",
    }
}
_ONE = "/records/{id}/care"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        _ONE,
        on_care.shown,
        "What was done to a thing, and what is due",
        "Care",
        True,
        query=_COMMUNITY,
    ),
    Route(
        "POST",
        _ONE,
        on_care.tell,
        "Note what was done to a thing, how it is now, and whether it is out for maintenance",
        "Cared",
        status=201,
        query=_COMMUNITY,
        body="Caring",
        person=True,
    ),
    Route(
        "POST",
        _ONE + "/rules",
        on_care.set_rule,
        "Say what a thing needs again, after so many days or uses",
        "Cared",
        query=_COMMUNITY,
        body="CareRule",
        person=True,
    ),
    Route(
        "GET",
        "/care",
        on_care.due,
        "What is due, of the things of one community or of all",
        "CaresDue",
        person=True,
        query={
            **_COMMUNITY,
            "within_days": {
                "type": "integer",
                "minimum": 0,
                "maximum": WITHIN_DAYS_MAX,
                "description": "also what is due by then",
            },
        },
    ),
)
