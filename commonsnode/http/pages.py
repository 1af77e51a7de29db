"""The pages of a node: what it is, its communities, its things with a search box; and one page for each thing.

Everybody may read them, they need no script, and whatever people wrote is shown as text. The templates only place what
`page_texts` says.
"""

import asyncio
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from commonsnode import __version__, care, communities, halves, inventory
from commonsnode.errors import Unknown
from commonsnode.http import documents, page_texts
from commonsnode.http.calls import NODE, Malformed, read_query
from commonsnode.http.reservation_documents import Documents
from commonsnode.http.reservation_words import on_page
from commonsnode.http.schema import Schema
from commonsnode.lending import THING
from commonsnode.names import OF_PEOPLE
from commonsnode.node import Node
from commonsnode.reservations import is_open
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store

if TYPE_CHECKING:
    from jinja2 import Environment

THINGS_PER_PAGE = 30
HISTORY_SHOWN_MAX = 200
RESERVED_SHOWN_MAX = 20
STATIC_S = 3_600  # how long a browser may keep a file without asking

_FOLDER = Path(__file__).parent
_STATIC = {"commonsnode.css": "text/css", "commonsnode.svg": "image/svg+xml"}
_TEXT: Schema = {"type": "string", "maxLength": 512}
_LIST: Mapping[str, Schema] = {"q": {"type": "string", "maxLength": 256}, "community": _TEXT, "cursor": _TEXT}
_THING: Mapping[str, Schema] = {"community": _TEXT, "kind": _TEXT, "lane": _TEXT}


def register(router: web.UrlDispatcher) -> None:
    router.add_get("/", home)
    router.add_get("/things/{id}", thing)
    router.add_get("/static/{name}", static)


async def home(request: web.Request) -> web.StreamResponse:
    """What this node is, and the list of things."""
    node = request.app[NODE]
    query = read_query(request, _LIST)
    addresses = node.addresses()
    name, text = query.get("community", ""), query.get("q", "").strip()

    def read(store: Store) -> dict[str, Any]:
        chosen = communities.resolve(store, name) if name else None
        try:
            page = store.page(
                community=chosen.id if chosen else None,
                text=text,
                cursor=query.get("cursor"),
                limit=THINGS_PER_PAGE,
                without=OF_PEOPLE,
                beside=documents.ABOUT_THINGS,
            )
        except ValueError as error:
            raise Malformed(f"cursor: {error}") from error
        names = {id_: called or "" for id_, called in store.names().items()}
        return {
            "communities": documents.communities(store, addresses),
            "chosen": chosen.id.hex() if chosen else "",
            "things": [page_texts.thing_row(view, names) for view in page.records],
            "next": page.cursor,
        }

    found = await node.writer.read(read)
    in_step = page_texts.in_step(node.peers.status())
    for community in found["communities"]:
        community["in_step"] = in_step.get(community["id"], page_texts.NOBODY)
    return await _page(node, "home.html", {**found, "q": text, "later": "cursor" in query})


async def thing(request: web.Request) -> web.StreamResponse:
    """One thing: its fields, other values of them, and who wrote what."""
    node = request.app[NODE]
    query = read_query(request, _THING)
    now_ms = node.clock.now_ms()

    def read(store: Store) -> dict[str, Any]:
        name = query.get("community")
        ref = inventory.resolve(
            store,
            request.match_info["id"],
            community=communities.resolve(store, name).id if name else None,
            kind=query.get("kind"),
            lane=query.get("lane"),
        )
        view = store.whole(ref)
        if view is None:
            raise Unknown(f"no record {ref.record.hex()} here")
        info = store.community(ref.community)
        history = halves.whole_history(store, ref)
        return {
            "reserved": _reserved(store, ref, now_ms),
            "thing": page_texts.thing_full(view, documents.record_full(store, view), node.id),
            "care": page_texts.care(care.standing(store, view, now_ms), node.id)
            if view.kind == THING
            else None,
            "community": {"id": info.id.hex(), "name": info.name or info.id.hex()[:8]},
            "history": [page_texts.entry(entry, node.id) for entry in history[-HISTORY_SHOWN_MAX:]][::-1],
            "left_out": max(0, len(history) - HISTORY_SHOWN_MAX),
        }

    return await _page(node, "thing.html", await node.writer.read(read))


def _reserved(store: Store, ref: RecordRef, now_ms: int) -> list[dict[str, Any]]:
    """What is reserved of a thing from now on, what begins first, first."""
    if ref.kind != THING:
        return []
    held = store.bookings(ref.community, ref.record)
    found = [(held, each) for each in held.reserved if is_open(each, now_ms)]
    found.sort(key=lambda both: both[1].booking.ask.begin_ms)
    rows = Documents(store, None, now_ms).rows(found[:RESERVED_SHOWN_MAX])
    return [on_page(row) for row in rows]


async def static(request: web.Request) -> web.StreamResponse:
    """One of the few files that the pages load."""
    name = request.match_info["name"]
    if name not in _STATIC:
        raise web.HTTPNotFound
    body = await asyncio.to_thread(_static, name)
    return web.Response(
        body=body,
        content_type=_STATIC[name],
        charset="utf-8",
        headers={"Cache-Control": f"public, max-age={STATIC_S}"},
    )


async def problem(found: Mapping[str, Any]) -> web.StreamResponse:
    """A problem as a page."""
    html = await asyncio.to_thread(lambda: _environment().get_template("problem.html").render(problem=found))
    return web.Response(status=found["status"], text=html, content_type="text/html")


async def _page(node: Node, template: str, values: Mapping[str, Any]) -> web.Response:
    # Off the event loop: a page takes some milliseconds, the first one that many tens, to load Jinja and the templates.
    def render() -> str:
        return (
            _environment()
            .get_template(template)
            .render(name=node.config.name, id=node.id.hex(), version=__version__, **values)
        )

    html = await asyncio.to_thread(render)
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-cache"})


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _static(name: str) -> bytes:
    return (_FOLDER / "static" / name).read_bytes()
