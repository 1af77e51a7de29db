"""The shapes of feeds, in the words of OpenAPI; part of `shapes.SCHEMAS`."""

from collections.abc import Mapping

from commonsnode.calendar_links import LABEL_CHARS_MAX
from commonsnode.http.schema import Schema, ref

_LINK: dict[str, Schema] = {
    "id": {"type": "string", "description": "names the link, and does not open it"},
    "label": {"type": "string"},
    "created": {"type": "string", "format": "date-time"},
}


def _closed(properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


FEED_SHAPES: Mapping[str, Schema] = {
    "Events": {
        "type": "string",
        "description": (
            "Each event has a name and a line of JSON. `ready`: nothing was missed. `landed` {community, lane, records: [{kind, id}],"
            " more}: these records changed; `more`: and others. In lane `authority` it has no records, and may change what"
            " stands anywhere in the community; in lane `keys` it may open records of lane `members`. `fallen` {community, lane}: less stands than before. `reset` {why}: read anew what"
            " you show. `dropped` {why}: the last one. `id` is that of the last changeset; a comment comes where nothing lands"
        ),
    },
    "Calendar": {"type": "string", "description": "iCalendar, RFC 5545"},
    "CalendarLinking": _closed(
        {
            "label": {
                "type": "string",
                "maxLength": LABEL_CHARS_MAX,
                "description": "where it is used, to know it by",
            }
        },
        [],
    ),
    "CalendarLink": _closed(_LINK),
    "CalendarLinkMade": _closed(
        {
            **_LINK,
            "path": {"type": "string", "description": "told once: the secret address, at this node's host"},
        }
    ),
    "CalendarLinks": _closed({"links": {"type": "array", "items": ref("CalendarLink")}}),
}
