"""A pipe knows how long the way to the peer is, and notices when nobody is there any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from commonsnode.peers import pipe as pipes
from commonsnode.peers.pipe import Pipe
from commonsnode_protocol.errors import PeerError, Reason

PIECES, PIECE = 100, bytes(60_000)


async def send_much(pipe: Pipe, pieces: int = PIECES) -> None:
    for _ in range(pieces):
        await pipe.send(PIECE)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Pipe, Pipe]]:
    """Both ends of a real WebSocket; nobody reads unless the test does."""
    accepted: asyncio.Future[Pipe] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def accept(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        accepted.set_result(Pipe(socket, request.remote))
        await over.wait()
        return socket

    app = web.Application()
    app.router.add_get("/", accept)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(server.make_url("/"), autoping=False)
        theirs = await accepted
        try:
            yield Pipe(socket), theirs
        finally:
            over.set()
            await socket.close()


async def test_the_answer_to_a_ping_tells_the_delay_and_is_no_message() -> None:
    async with connected() as (ours, theirs), asyncio.TaskGroup() as group, asyncio.timeout(10):
        pinging = group.create_task(ours.keep_alive())
        await asyncio.sleep(0)  # the ping is the first to go
        await ours.send(b"hello")
        assert await theirs.receive() == b"hello"
        await theirs.send(b"and back")
        assert ours.delay_s is None
        assert await ours.receive() == b"and back"
        assert ours.delay_s is not None
        assert 0 <= ours.delay_s < 10
        pinging.cancel()


async def test_what_gets_across_is_seen() -> None:
    async with connected() as (ours, theirs), asyncio.TaskGroup() as group, asyncio.timeout(20):
        before = theirs.wire.moved()
        sending = group.create_task(send_much(ours))
        for _ in range(PIECES):
            assert await theirs.receive() == PIECE
        await sending
        assert theirs.wire.moved() - before >= PIECES * len(PIECE)


async def test_a_peer_that_reads_nothing_is_given_up_and_one_that_reads_slowly_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipes, "STALL_S_MAX", 0.1)
    async with connected() as (ours, _), asyncio.timeout(20):
        with pytest.raises(PeerError) as raised:
            await send_much(ours, 1_000)
        assert raised.value.reason is Reason.TOO_SLOW
        assert ours.wire.waiting() > len(PIECE)
    async with connected() as (ours, theirs), asyncio.TaskGroup() as group, asyncio.timeout(20):
        moved = iter(range(0, 10**9, pipes.PROGRESS_BYTES_MIN))
        monkeypatch.setattr(ours.wire, "moved", lambda: next(moved))  # as over a line of 80 kbit/s
        monkeypatch.setattr(pipes, "STALL_S_MAX", 0.001)
        sending = group.create_task(send_much(ours, 300))
        for _ in range(300):
            await theirs.receive()
        await sending


async def test_in_doubt_a_dead_connection_is_given_up_soon_and_a_live_one_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipes, "HURRY_S", 0.05)
    async with connected() as (ours, _), asyncio.timeout(10):
        ours.doubt()
        monkeypatch.setattr(ours.wire, "moved", lambda: 0)  # as where a cable was pulled
        with pytest.raises(ConnectionError, match="nothing came"):
            await ours.keep_alive()
    async with connected() as (ours, theirs), asyncio.TaskGroup() as group, asyncio.timeout(10):
        pinging = group.create_task(ours.keep_alive())
        await asyncio.sleep(0)  # in the middle of the long pause
        ours.doubt()
        answering, hearing = group.create_task(theirs.receive()), group.create_task(ours.receive())
        await asyncio.wait({pinging}, timeout=0.2)
        assert not pinging.done()
        for task in (pinging, answering, hearing):
            task.cancel()


async def test_who_says_nothing_any_more_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "HEARTBEAT_S", 0.02)
    async with connected() as (ours, _), asyncio.timeout(10):
        with pytest.raises(ConnectionError, match="not even the answer to a ping"):
            await ours.keep_alive()  # the other end never reads, as one that lost its power
