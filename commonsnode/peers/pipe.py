"""A pipe of byte messages over a WebSocket, with the counts of what went through it, and how long a way it is."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING

from commonsnode.peers.wire import Wire
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import NOISE_MESSAGE_BYTES_MAX

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse, web

STALL_S_MAX = 60.0  # in which at least so much has to get across while something waits to be sent:
PROGRESS_BYTES_MIN = (
    1_024  # a link slower than that, or a peer that takes less on purpose, is of no use to anyone
)
CLOSE_S_MAX = 2.0
HEARTBEAT_S = 60.0  # between pings; a peer from which nothing comes until the next one is gone
PING_BYTES = 8
HURRY_S = 8.0  # for the same where it is doubtful that the connection still is one
SOCKET_BYTES_MAX = (
    4 * NOISE_MESSAGE_BYTES_MAX
)  # a message over our own limit still gets a goodbye; beyond this, none


class Pipe:
    """An ordered pipe of messages. `receive` gives None once the other side has closed."""

    def __init__(
        self, socket: "ClientWebSocketResponse | web.WebSocketResponse", remote: str | None = None
    ) -> None:
        """remote: the host of a peer that dialled us."""
        self._socket = socket
        self.remote = remote
        self.bytes_sent = 0
        self.bytes_received = 0
        self.wire = Wire(_transport(socket), lambda: self.bytes_sent + self.bytes_received)
        self.delay_s: float | None = None  # there and back, by the last ping that was answered
        self._doubt = asyncio.Event()
        self._heard = 0  # messages that came in, pings and pongs too
        self._pings = 0
        self._pinged_at: float | None = None  # when the last ping went, until it is answered

    async def send(self, message: bytes) -> None:
        """Raises PeerError `too-slow` where the peer does not read, ConnectionError where it is gone."""
        await self._while_it_lasts(self._socket.send_bytes(message))
        self.bytes_sent += len(message) + _overhead(len(message))

    async def receive(self) -> bytes | None:
        from aiohttp import WSCloseCode, WSMsgType

        message = await self._socket.receive()
        while message.type in (WSMsgType.PING, WSMsgType.PONG):
            self._heard += 1
            if message.type is WSMsgType.PING:
                await self._while_it_lasts(self._socket.pong(message.data))
            else:
                self._answered(bytes(message.data))
            message = await self._socket.receive()
        self._heard += 1
        if message.type is WSMsgType.BINARY:
            data: bytes = message.data
            self.bytes_received += len(data) + _overhead(len(data))
            if len(data) > NOISE_MESSAGE_BYTES_MAX:
                raise PeerError(Reason.TOO_LARGE, f"a message of {len(data)} bytes")
            return data
        if message.type is WSMsgType.TEXT:
            raise PeerError(Reason.BAD_FRAME, "a text message")
        if (
            message.type is WSMsgType.ERROR
            and getattr(message.data, "code", None) == WSCloseCode.MESSAGE_TOO_BIG
        ):
            raise PeerError(Reason.TOO_LARGE, "a message over the limit")
        return None

    async def keep_alive(self) -> None:
        """Ping now and then, for ever. Raises ConnectionError where nothing comes any more, PeerError like `send`.

        A connection may be dead without a word: the other machine lost its power, or a router forgot it.
        """
        loop = asyncio.get_running_loop()
        while True:
            heard, moved, doubtful = self._heard, self.wire.moved(), self._doubt.is_set()
            self._doubt.clear()
            self._pings += 1
            self._pinged_at = loop.time()
            patience = HURRY_S if doubtful else HEARTBEAT_S
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._while_it_lasts(self._socket.ping(self._pings.to_bytes(PING_BYTES)))
                    await (asyncio.sleep(patience) if doubtful else self._doubt.wait())
            # On a slow link the answer may stand behind much else; in a hurry it is enough that anything got across.
            enough = 1 if doubtful else PROGRESS_BYTES_MIN
            over = doubtful or not self._doubt.is_set()
            if over and self._heard == heard and self.wire.moved() - moved < enough:
                raise ConnectionError(f"nothing came for {patience:.0f} s, not even the answer to a ping")

    def doubt(self) -> None:
        """Ping at once, and soon give up where nothing comes: this machine slept, or has another address."""
        self._doubt.set()

    def _answered(self, pong: bytes) -> None:
        """Of an earlier ping, or of none, it says nothing."""
        if self._pinged_at is not None and pong == self._pings.to_bytes(PING_BYTES):
            self.delay_s = asyncio.get_running_loop().time() - self._pinged_at
            self._pinged_at = None

    async def _while_it_lasts(self, sending: Awaitable[None]) -> None:
        task = asyncio.ensure_future(sending)
        try:
            while not task.done():
                moved = self.wire.moved()
                await asyncio.wait({task}, timeout=STALL_S_MAX)
                if not task.done() and self.wire.moved() - moved < PROGRESS_BYTES_MIN:
                    raise PeerError(Reason.TOO_SLOW, f"did not read for {STALL_S_MAX:.0f} s")
            task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S_MAX):
                await self._socket.close()
        except (TimeoutError, ConnectionError):
            return  # it is gone either way


def _transport(socket: "ClientWebSocketResponse | web.WebSocketResponse") -> asyncio.WriteTransport | None:
    """What carries a WebSocket; aiohttp shows it at its writer alone."""
    found = getattr(getattr(socket, "_writer", None), "transport", None)
    return found if isinstance(found, asyncio.WriteTransport) else None


def _overhead(length: int) -> int:
    """Bytes of a WebSocket header without the mask (RFC 6455, section 5.2)."""
    return 2 if length < 126 else 4 if length < 65_536 else 10
