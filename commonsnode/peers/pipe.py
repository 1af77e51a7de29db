"""A pipe of byte messages over a WebSocket, with the counts of what went through it."""

import asyncio
from typing import TYPE_CHECKING

from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import NOISE_MESSAGE_BYTES_MAX

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse, web

SEND_S_MAX = 60.0  # for one message of at most 64 KiB: a link slower than that is of no use to anyone
CLOSE_S_MAX = 2.0
HEARTBEAT_S = 60.0  # between pings; a peer that does not answer one is gone
SOCKET_BYTES_MAX = (
    4 * NOISE_MESSAGE_BYTES_MAX
)  # a message over our own limit still gets a goodbye; beyond this, none


class Pipe:
    """An ordered pipe of messages. `receive` gives None once the other side has closed."""

    def __init__(self, socket: "ClientWebSocketResponse | web.WebSocketResponse") -> None:
        self._socket = socket
        self.bytes_sent = 0
        self.bytes_received = 0

    async def send(self, message: bytes) -> None:
        """Raises PeerError `too-slow` where the peer does not read, ConnectionError where it is gone."""
        try:
            async with asyncio.timeout(SEND_S_MAX):
                await self._socket.send_bytes(message)
        except TimeoutError:
            raise PeerError(Reason.TOO_SLOW, f"did not read for {SEND_S_MAX:.0f} s") from None
        self.bytes_sent += len(message) + _overhead(len(message))

    async def receive(self) -> bytes | None:
        from aiohttp import WSCloseCode, WSMsgType

        message = await self._socket.receive()
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

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S_MAX):
                await self._socket.close()
        except (TimeoutError, ConnectionError):
            return  # it is gone either way


def _overhead(length: int) -> int:
    """Bytes of a WebSocket header without the mask (RFC 6455, section 5.2)."""
    return 2 if length < 126 else 4 if length < 65_536 else 10
