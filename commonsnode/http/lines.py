"""JSON Lines over HTTP: long bodies taken in, and long answers given out, at the pace of the slower side."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar
from typing import Any

from aiohttp import web

from commonsnode.errors import TooLarge

LINE_BYTES_MAX = 512 * 1024
PART_BYTES = 256 * 1024  # of a body, handed on at once
WRITE_S_MAX = 30.0  # for the other side to take what was written

LIMIT: ContextVar[asyncio.Timeout | None] = ContextVar("limit", default=None)
"""Of the whole answer that this task makes; a stream lifts it, and has limits of its own."""

CONTENT_TYPE = "application/jsonl"


class Lines:
    """An answer of JSON Lines. The other side gone, or too slow, raises ConnectionError."""

    def __init__(self, request: web.Request, content_type: str = CONTENT_TYPE) -> None:
        """content_type: of other lines than JSON."""
        self._request = request
        self.response = web.StreamResponse(headers={"Content-Type": f"{content_type}; charset=utf-8"})

    async def begin(self) -> None:
        limit = LIMIT.get()
        if limit is not None:
            limit.reschedule(None)
        await self.response.prepare(self._request)

    async def write(self, *documents: Any) -> None:
        await self.write_text([json.dumps(document, ensure_ascii=False) for document in documents])

    async def write_text(self, lines: Iterable[str]) -> None:
        """Write lines that are JSON already, or whatever the content type says."""
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            async with asyncio.timeout(WRITE_S_MAX):
                await self.response.write(data)
        except TimeoutError:
            self.abort()
            raise ConnectionResetError("the other side does not read") from None

    async def end(self) -> web.StreamResponse:
        await self.response.write_eof()
        return self.response

    def abort(self) -> None:
        """Cut the answer off, so that the other side cannot take it for whole."""
        cut_off(self._request)


def cut_off(request: web.Request) -> None:
    """End a connection at once, and throw away what the other side has not taken; a mere close would keep that for hours."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def parts(request: web.Request) -> AsyncIterator[list[bytes]]:
    """The lines of a body, some at a time, without their ends; empty ones are left out. Raises TooLarge."""
    rest = b""
    pending: list[bytes] = []
    size = 0
    async for data in request.content.iter_any():
        *whole, rest = (rest + data).split(b"\n")
        if len(rest) > LINE_BYTES_MAX or any(len(line) > LINE_BYTES_MAX for line in whole):
            raise TooLarge(f"a line has at most {LINE_BYTES_MAX} bytes")
        pending += [line for line in whole if line.strip()]
        size += len(data)
        if size >= PART_BYTES and pending:
            yield pending
            pending, size = [], 0
    if rest.strip():
        pending.append(rest)
    if pending:
        yield pending
