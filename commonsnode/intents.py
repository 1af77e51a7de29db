"""What somebody offers or needs: a record of its own, found like things are."""

from collections.abc import Mapping

from commonsnode import inventory
from commonsnode.asking.times import time_span
from commonsnode.asking.zones import zone_of
from commonsnode.authoring import Author
from commonsnode.errors import WrongField
from commonsnode.governing import person_of
from commonsnode.inventory import Done
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC

KIND = "intent"
OFFER, NEED = "offer", "need"
SPAN_DAYS_MAX = 3_660
DIRECTION, BY, TITLE, FROM, UNTIL = "direction", "by", "title", "from", "until"


def say(
    author: Author,
    community: bytes,
    direction: str,
    fields: Mapping[str, Value],
    *,
    since: str | None = None,
    until: str | None = None,
    lane: str = PUBLIC,
    exact_place: bool = False,
) -> Done:
    """Offer something, or say that it is needed. since, until: as people say it, in the community's time zone.

    Raises WrongField and the store's errors.
    """
    title = fields.get(TITLE)
    if not isinstance(title, str) or not title.strip():
        raise WrongField(TITLE, "says what is offered or needed")
    for name in (DIRECTION, BY, FROM, UNTIL):
        if name in fields:
            raise WrongField(name, "is said beside the fields")
    authority = author.store.authority(community)
    zone = zone_of([authority.table.settings if authority.table is not None else None])
    span = time_span(since, until, author.now_ms, zone, days_max=SPAN_DAYS_MAX)
    said: dict[str, Value] = {
        **fields,
        DIRECTION: direction,
        BY: person_of(authority, author.key) or author.key,
    }
    if span is not None:
        said |= {FROM: span.begin_ms, UNTIL: span.end_ms}
    return inventory.add(author, community, said, kind=KIND, lane=lane, exact_place=exact_place)
