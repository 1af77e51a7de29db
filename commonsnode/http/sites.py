"""The two places where the node answers: a unix socket for its operator, TCP for everyone.

On TCP there are only routes that read, those for who is signed in, the pages, and the path where peers connect. The headers of every answer forbid a page
to load anything from elsewhere; the name that a request gives to this host is used for nothing.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from commonsnode.addresses import PEER_PATH
from commonsnode.errors import ListenError
from commonsnode.http import metrics, pages, problems
from commonsnode.http.calls import BODY_BYTES_MAX, NODE, OPERATOR, WHOLE_NODE
from commonsnode.http.guard import Guard
from commonsnode.http.lines import LIMIT, cut_off
from commonsnode.http.public import public
from commonsnode.http.routes import API, ROUTES, register
from commonsnode.node import Node

ANSWER_S_MAX = 30.0  # to make and hand over an answer on TCP that is no stream
STOP_S_MAX = 0.5  # for answers that are under way when the node stops

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "commonsnode",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class _State:
    """What an application learns after it was frozen: the server is made later than its routes."""

    guard: Guard | None = None


STATE: web.AppKey[_State] = web.AppKey("state", _State)


class Sites:
    """`start`, then `close` to let nobody in any more, then `finish` to give the answers that are under way."""

    def __init__(self, node: Node, sockets: Sequence[socket.socket]) -> None:
        """sockets: of TCP, that listen already."""
        self._node = node
        self._sockets = sockets
        self._socket_path = node.home.socket_path
        self._public = _runner(node, operator=False)
        self._operator = _runner(node, operator=True)
        self._servers: list[asyncio.Server] = []
        self._made_socket = False
        self._sweep: asyncio.Task[None] | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        await self._public.setup()
        await self._operator.setup()
        assert self._public.server is not None
        assert self._operator.server is not None
        guard = Guard(self._public.server, self._node.config.peers_max)
        self._public.app[STATE].guard = guard
        for bound in self._sockets:
            self._servers.append(await loop.create_server(guard.gate, sock=bound))
        unix = _unix_socket(self._socket_path)
        self._made_socket = True
        self._servers.append(await loop.create_unix_server(self._operator.server, sock=unix))
        self._sweep = asyncio.create_task(guard.sweep())

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def finish(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.gather(self._sweep, return_exceptions=True)
        await asyncio.gather(self._public.cleanup(), self._operator.cleanup())
        if self._made_socket:
            self._socket_path.unlink(missing_ok=True)


def _runner(node: Node, *, operator: bool) -> web.AppRunner:
    return web.AppRunner(
        _application(node, operator=operator),
        access_log=None,
        auto_decompress=False,
        shutdown_timeout=STOP_S_MAX,
    )


def _application(node: Node, *, operator: bool) -> web.Application:
    """The routes of one site. operator: all of them, and no page."""
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_answered])
    app[NODE], app[OPERATOR], app[STATE] = node if operator else public(node), operator, _State()
    app[WHOLE_NODE] = node
    app.on_response_prepare.append(_add_headers)
    register(app.router, ROUTES if operator else [route for route in ROUTES if route.public or route.person])
    app.router.add_get(metrics.PATH, metrics.served, allow_head=False)
    if not operator:
        pages.register(app.router)
        app.router.add_get(PEER_PATH, node.peers.accept, allow_head=False)
    return app


def _unix_socket(path: Path) -> socket.socket:
    """Raises ListenError, where the file system knows no sockets, for example."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        # The node is locked, so a socket that lies here is one that a power cut left behind.
        path.unlink(missing_ok=True)
        bound.bind(os.fspath(path))
    except OSError as error:
        bound.close()
        raise ListenError(
            f"no socket can be made at {path}: {error.strerror}",
            "Use a --home on a disk of this machine; some shared and FAT disks have no sockets.",
        ) from error
    finally:
        os.umask(before)
    bound.setblocking(False)
    return bound


@web.middleware
async def _answered(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Every error becomes an answer, and on TCP every answer is over in time."""
    try:
        if request.app[OPERATOR]:
            return await _explained(request, handler)
        guard = request.app[STATE].guard
        assert guard is not None, "there are no requests before there is a server"
        guard.begins(request)
        try:
            return await (_explained if request.path == PEER_PATH else _in_time)(request, handler)
        finally:
            guard.ends(request)
    except (ConnectionError, TimeoutError) as error:
        request.app[NODE].log.debug("answer-not-taken", path=_pattern(request), problem=str(error))
        cut_off(request)
        return web.Response(status=503)  # for the server alone: there is nobody to send it to


async def _in_time(request: web.Request, handler: _Handler) -> web.StreamResponse:
    async with asyncio.timeout(ANSWER_S_MAX) as limit:
        LIMIT.set(limit)
        response = await _explained(request, handler)
        await response.prepare(request)
        await response.write_eof()
    return response


async def _explained(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001 - one request, not the daemon, ends with it
        found = problems.document(error)
        if problems.is_ours(found):
            request.app[NODE].log.error(
                "request-failed", method=request.method, path=_pattern(request), cause=error
            )
        if request.path.startswith(API) or request.app[OPERATOR]:
            return problems.response(found, error)
        return await pages.problem(found)


def _pattern(request: web.Request) -> str:
    """The path as its route has it: what stands in its place may be a secret, and logs are read by others."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "of no route"


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    if response.status != 101:
        response.headers.update(HEADERS)
