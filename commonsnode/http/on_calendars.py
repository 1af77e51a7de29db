"""The API for calendars: of a thing, of a community, of a person; and the links to one's own."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from aiohttp import web

from commonsnode import calendars, communities, inventory
from commonsnode.calendar_links import Link
from commonsnode.errors import Unknown
from commonsnode.governing import one_of
from commonsnode.http.answers import CALENDAR_TYPE
from commonsnode.http.calls import WHOLE_NODE, Call
from commonsnode.http.documents import moment
from commonsnode.http.public import seen_by
from commonsnode.lending import THING
from commonsnode.reservations import asked_by, asked_of
from commonsnode_store.store import Store

ETAG_BYTES = 16


async def of_community(call: Call) -> web.StreamResponse:
    """All reservations of a community that who asks may know of."""
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> bytes:
        info = communities.resolve(store, call.path["community"])
        found = calendars.entries(store, store.reservations(info.id), now_ms)
        return calendars.written(info.name or info.id.hex()[:8], found)

    return _answered(call, await call.node.writer.read(read))


async def of_member(call: Call) -> web.StreamResponse:
    """What one person asked for in a community, as far as who asks may know of it."""
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> bytes:
        info = communities.resolve(store, call.path["community"])
        person = one_of(store.authority(info.id).people.keys(), call.path["key"], "member")
        found = calendars.entries(store, asked_by(store, [info.id], person), now_ms)
        return calendars.written(f"{info.name or info.id.hex()[:8]}: {person.hex()[:8]}", found)

    return _answered(call, await call.node.writer.read(read))


async def of_thing(call: Call) -> web.StreamResponse:
    """The reservations of a thing, and when nothing of it is left."""
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> bytes:
        name = call.query.get("community")
        community = communities.resolve(store, name).id if name is not None else None
        ref = inventory.resolve(store, call.path["id"], community=community, kind=THING)
        held, view = store.bookings(ref.community, ref.record), store.record(ref)
        found = calendars.entries(store, [(held, each) for each in held.reserved], now_ms)
        title = view.title if view is not None else ref.record.hex()[:8]
        return calendars.written(title, found, (ref.record.hex(), calendars.spans_taken(held, now_ms)))

    return _answered(call, await call.node.writer.read(read))


async def own(call: Call) -> web.StreamResponse:
    """By a secret link: what its person asked for, and what is asked of them, as they may know of it."""
    whole = call.request.app[WHOLE_NODE]
    link = whole.calendar_links.find(call.path["link"])
    name = None
    if link.person != whole.id:
        account = next((each for each in whole.people.accounts if each.id == link.person), None)
        if account is None or account.locked:
            raise Unknown("no calendar has this link; it may have been withdrawn")
        name = account.name
    now_ms = whole.clock.now_ms()

    def read(store: Store) -> bytes:
        here = store.community_ids()
        both = [*asked_by(store, here, link.person), *asked_of(store, here, link.person)]
        return calendars.written(
            name or whole.config.name, calendars.entries(store, both, now_ms, link.person)
        )

    return _answered(call, await seen_by(whole, link.person).writer.read(read))


async def links(call: Call) -> Mapping[str, Any]:
    return {"links": [_document(link) for link in call.node.calendar_links.of(call.key)]}


async def make_link(call: Call) -> Mapping[str, Any]:
    label = calendars.line(call.body.get("label", ""))
    link, secret = await call.node.calendar_links.make(call.key, label, call.node.clock.now_ms())
    call.node.log.info("calendar-link-made", person=link.person.hex(), link=link.id)
    return {**_document(link), "path": f"{call.request.path}/{secret}/reservations.ics"}


async def withdraw_link(call: Call) -> Mapping[str, Any]:
    link = await call.node.calendar_links.withdraw(call.key, call.path["id"])
    call.node.log.info("calendar-link-withdrawn", person=link.person.hex(), link=link.id)
    return _document(link)


def _document(link: Link) -> dict[str, Any]:
    return {"id": link.id, "label": link.label, "created": moment(link.created_ms)}


def _answered(call: Call, body: bytes) -> web.StreamResponse:
    """Who has this already is told only that."""
    etag = blake2b(body, digest_size=ETAG_BYTES).hexdigest()
    headers = {"Cache-Control": "private, no-cache"}
    said = call.request.if_none_match
    if said is not None and any(each.value in (etag, "*") for each in said):
        response = web.Response(status=304, headers=headers)
    else:
        response = web.Response(body=body, content_type=CALENDAR_TYPE, charset="utf-8", headers=headers)
    response.etag = etag
    return response
