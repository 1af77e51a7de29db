"""The shapes of feeds, in the words of OpenAPI; part of `shapes.SCHEMAS`."""

from collections.abc import Mapping

from commonsnode.http.schema import Schema

FEED_SHAPES: Mapping[str, Schema] = {
    "Events": {
        "type": "string",
        "description": (
            "Each event has a name and a line of JSON. `ready`: nothing was missed. `landed` {community, lane, records: [{kind, id}],"
            " more}: these records changed; `more`: and others. In lane `authority` it has no records, and may change what"
            " stands anywhere in the community. `fallen` {community, lane}: less stands than before. `reset` {why}: read anew what"
            " you show. `dropped` {why}: the last one. `id` is that of the last changeset; a comment comes where nothing lands"
        ),
    },
}
