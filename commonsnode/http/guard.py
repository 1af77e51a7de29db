"""Who may connect on TCP: so many at once, so many of one other machine, and nobody who does not ask for anything."""

import asyncio
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

CONNECTIONS_MAX = 256  # beside those of peers
CONNECTIONS_PER_HOST_MAX = 64  # a proxy on this machine is not counted so
IDLE_S_MAX = 20.0  # from the connection, or the last answer, to the next whole request
SWEEP_S = 5.0


class Guard:
    """Stands between the listening sockets and the HTTP server."""

    def __init__(
        self,
        server: web.Server,
        peers_max: int,
        *,
        idle_s_max: float = IDLE_S_MAX,
        per_host_max: int = CONNECTIONS_PER_HOST_MAX,
    ) -> None:
        self._server = server
        self._connections_max = CONNECTIONS_MAX + peers_max
        self._per_host_max = per_host_max
        self._idle_s_max = idle_s_max
        self._hosts: dict[RequestHandler, str] = {}
        self._idle_since: dict[RequestHandler, float] = {}  # those that are not being answered
        self._loop = asyncio.get_running_loop()

    def gate(self) -> asyncio.Protocol:
        """The protocol of a new connection: lets it in to the server, or ends it."""
        return _Gate(self)

    def begins(self, request: web.Request) -> None:
        """A whole request is here."""
        self._idle_since.pop(request.protocol, None)

    def ends(self, request: web.Request) -> None:
        """It was answered."""
        if request.protocol in self._hosts:
            self._idle_since[request.protocol] = self._loop.time()

    async def sweep(self) -> None:
        """End idle connections, now and then, for ever."""
        while True:
            await asyncio.sleep(min(SWEEP_S, self._idle_s_max))
            self.end_idle()

    def end_idle(self) -> None:
        """End the connections that have been idle for too long."""
        live = set(self._server.connections)
        for gone in self._hosts.keys() - live:
            del self._hosts[gone]
            self._idle_since.pop(gone, None)
        for handler, since in self._idle_since.items():
            if self._loop.time() - since > self._idle_s_max and handler.transport is not None:
                handler.transport.abort()

    def admit(self, transport: asyncio.Transport) -> RequestHandler | None:
        """The server's side of a new connection; None where there are too many."""
        peer = transport.get_extra_info("peername")
        host = peer[0] if isinstance(peer, tuple) else ""
        live = self._server.connections
        if len(live) >= self._connections_max:
            return None
        of_host = sum(self._hosts.get(handler) == host for handler in live)
        if host not in ("127.0.0.1", "::1") and of_host >= self._per_host_max:
            return None
        handler = self._server()
        self._hosts[handler] = host
        self._idle_since[handler] = self._loop.time()
        return handler


class _Gate(asyncio.Protocol):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = cast(asyncio.Transport, transport)
        handler = self._guard.admit(connection)
        if handler is None:
            connection.abort()
            return
        connection.set_protocol(handler)
        handler.connection_made(connection)
