"""The API for who wants to be told what lands: server-sent events (WHATWG HTML, section 9.2)."""

import json
from typing import Any, cast

from aiohttp import web

from commonsnode.errors import Busy, Stopping
from commonsnode.events import Event, Fallen, Listener, Lost
from commonsnode.http.answers import EVENTS_TYPE
from commonsnode.http.calls import Call, Malformed
from commonsnode.http.lines import Lines
from commonsnode.http.public import SeenStore
from commonsnode_protocol.changeset import ID_BYTES
from commonsnode_store.news import News
from commonsnode_store.store import Store

HEARTBEAT_S = 15.0  # after so much silence a comment is sent, so that both sides know that the other is there
RETRY_MS = 3_000  # what a browser waits before it comes back
LAST_EVENT_ID = "Last-Event-ID"

# The second is for nginx, which else keeps events back until it has 4 KiB of them.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_READ_ANEW = "what landed since then is not told one by one any more: read anew what you show"


async def events(call: Call) -> web.StreamResponse:
    """What lands from now on; with Last-Event-ID, first what landed since then, as far as that can be told."""
    last = _last(call)
    # Who does not speak for anybody sees the same as all such; the operator sees everything.
    person = call.session.person if call.session is not None else None
    who = "operator" if call.by_operator else person

    def sees(store: Store, community: bytes, lane: str) -> bool:
        return who == "operator" or SeenStore(store, person).sees(community, lane)

    with call.node.events.listen(who, sees) as listener:
        missed = [] if last is None else await call.node.writer.read(lambda store: store.news_after(last))
        newest = await call.node.writer.read(lambda store: store.newest())
        lines = Lines(call.request, EVENTS_TYPE)
        lines.response.headers.update(_HEADERS)
        await lines.begin()
        await lines.write_text([f"retry: {RETRY_MS}", ""])
        if missed is None:
            await _send(lines, "reset", {"why": _READ_ANEW}, newest)
        elif last is None:
            await _send(lines, "ready", {}, newest)
        for event in missed or ():
            await _tell(lines, event)
        await _follow(call, lines, listener, {event.last for event in missed or ()})
        return await lines.end()


async def _follow(call: Call, lines: Lines, listener: Listener, told: set[bytes]) -> None:
    """told: the last changesets of what was told already, and may come again now."""
    while True:
        try:
            event = await listener.next(HEARTBEAT_S)
        except Busy as error:
            return await _send(lines, "dropped", {"why": error.detail})
        except Stopping:
            return await _send(lines, "dropped", {"why": "this node stops"})
        if call.session is not None and not call.node.people.sessions.lives(call.session):
            return await _send(lines, "dropped", {"why": "the session is over; sign in again"})
        if event is None:
            await lines.write_text([":", ""])
        elif not isinstance(event, News) or event.last not in told:
            await _tell(lines, event)


async def _tell(lines: Lines, event: Event) -> None:
    match event:
        case News():
            records = [{"kind": kind, "id": record.hex()} for kind, record in event.records]
            said = {
                "community": event.community.hex(),
                "lane": event.lane,
                "records": records,
                "more": event.more,
            }
            await _send(lines, "landed", said, event.last)
        case Fallen():
            await _send(lines, "fallen", {"community": event.community.hex(), "lane": event.lane})
        case Lost():
            await _send(lines, "reset", {"why": _READ_ANEW})


async def _send(lines: Lines, name: str, data: dict[str, Any], last: bytes | None = None) -> None:
    id_ = [] if last is None else [f"id: {last.hex()}"]
    text = json.dumps(data, separators=(",", ":"))  # in ASCII, so no kind that somebody made up ends the line
    await lines.write_text([*id_, f"event: {name}", f"data: {text}", ""])


def _last(call: Call) -> bytes | None:
    """The id that the other side had last: of the header, which a browser sends by itself, or of the query."""
    said = call.request.headers.get(LAST_EVENT_ID) or cast(str | None, call.query.get("after"))
    if not said:
        return None
    try:
        last = bytes.fromhex(said)
    except ValueError:
        last = b""
    if len(last) != ID_BYTES:
        raise Malformed(f"{LAST_EVENT_ID} is the `id` of an event: {2 * ID_BYTES} hexadecimal digits")
    return last
