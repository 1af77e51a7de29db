"""The API on what can be used near a place, from when until when: as JSON, GeoJSON or CSV, by what is accepted."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from commonsnode.asking import gazetteer
from commonsnode.asking.question import Understood, understand
from commonsnode.asking.swapped import check_order
from commonsnode.errors import Refusal, WrongField
from commonsnode.http import resource_documents
from commonsnode.http.answers import CSV_TYPE, GEOJSON_TYPE
from commonsnode.http.calls import JSON_TYPE, Call, json_bytes
from commonsnode.http.resource_documents import Telling
from commonsnode_store.asked import FindPage
from commonsnode_store.store import Store

TYPES = (JSON_TYPE, GEOJSON_TYPE, CSV_TYPE)
ACCEPT_CHARS_MAX = 1_024


class NotAcceptable(Refusal):
    """None of the forms that are asked for is there."""

    status = 406
    title = "Not acceptable"


async def found(call: Call) -> web.StreamResponse:
    """What the question of the query finds."""
    return await _answered(call, call.query)


async def searched(call: Call) -> web.StreamResponse:
    """What the question of the body finds."""
    return await _answered(call, call.body)


async def counted(call: Call) -> Mapping[str, Any]:
    """How many there are of each sort, for the question of the query."""
    return await _counted(call, call.query)


async def counted_within(call: Call) -> Mapping[str, Any]:
    """The same for the question of the body."""
    return await _counted(call, call.body)


async def _counted(call: Call, said: Mapping[str, Any]) -> Mapping[str, Any]:
    now_ms, key = call.node.clock.now_ms(), _key(call)

    def read(store: Store) -> Mapping[str, Any]:
        understood = understand(store, said, now_ms, key, gazetteer.installed())
        return resource_documents.facets(understood, store.count_things(understood.query))

    return await call.node.writer.read(read)


async def _answered(call: Call, said: Mapping[str, Any]) -> web.StreamResponse:
    kind = _accepted(call.request)
    now_ms, key = call.node.clock.now_ms(), _key(call)

    def read(store: Store) -> tuple[FindPage, bytes]:
        understood = understand(store, said, now_ms, key, gazetteer.installed())
        try:
            page = store.find_things(understood.query)
        except ValueError as error:
            raise WrongField("cursor", str(error)) from error
        check_order(store, understood.near, page)
        return page, _FORMS[kind](Telling(store, understood, key), understood, page)

    page, body = await call.node.writer.read(read)
    charset = "utf-8" if kind == CSV_TYPE else None
    answer = web.Response(body=body, content_type=kind, charset=charset, headers={"Vary": "Accept"})
    if page.cursor is not None and call.request.method == "GET":
        following = call.request.rel_url.update_query(cursor=page.cursor)
        answer.headers["Link"] = f'<{following}>; rel="next"'
    return answer


def _key(call: Call) -> bytes:
    """Whose membership counts: nobody's where somebody on TCP has not signed in."""
    return call.key if call.by_operator or call.session is not None else b""


def _json(telling: Telling, understood: Understood, page: FindPage) -> bytes:
    return json_bytes(resource_documents.page(telling, understood, page))


def _geojson(telling: Telling, understood: Understood, page: FindPage) -> bytes:
    return json_bytes(resource_documents.geojson(telling, understood, page))


def _csv(telling: Telling, understood: Understood, page: FindPage) -> bytes:
    return resource_documents.table(telling, page).encode(errors="replace")


_FORMS: Mapping[str, Callable[[Telling, Understood, FindPage], bytes]] = {
    JSON_TYPE: _json,
    GEOJSON_TYPE: _geojson,
    CSV_TYPE: _csv,
}


def _accepted(request: web.Request) -> str:
    """The form that is liked best (RFC 9110, section 12.5.1); JSON where nothing is said. Raises NotAcceptable."""
    said = ",".join(request.headers.getall("Accept", []))[:ACCEPT_CHARS_MAX]
    if not said.strip():
        return JSON_TYPE
    weights = {kind: _weight(kind, said) for kind in TYPES}
    best = max(TYPES, key=lambda kind: weights[kind])
    if weights[best] <= 0:
        raise NotAcceptable(f"there is {', '.join(TYPES)}")
    return best


def _weight(kind: str, said: str) -> float:
    """By the most specific of the ranges that hold this type."""
    best: tuple[int, float] = (-1, 0.0)
    for item in said.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        ranges = (f"{kind.partition('/')[0]}/*", kind)
        specific = 0 if name == "*/*" else ranges.index(name) + 1 if name in ranges else -1
        if specific < 0:
            continue
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _quality(parameter.removeprefix("q="))
        best = max(best, (specific, weight))
    return best[1]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
