"""Two of the daemon's own links over two real stores in one process, so that every frame can be told apart and weighed."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import cast

from commonsnode.peers.link import Link, lane_state, shake_hands
from commonsnode.peers.pipe import Pipe
from commonsnode.peers.wire import Wire
from commonsnode.writing import Writer
from commonsnode_protocol import frames
from commonsnode_protocol.channel import Channel, Handshake
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import CREDIT_BYTES
from commonsnode_protocol.session_events import Shown
from commonsnode_store.store import Store

SETTLE_S_MAX = 120.0
QUIET_S = 0.3  # after both are in step: what they still say then belongs to it


@dataclass(slots=True)
class Traffic:
    """What went over the wire after the handshake, sealed and with WebSocket headers, by type of frame."""

    bytes: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    order: list[tuple[bool, str]] = field(default_factory=list)  # from the side that dialled?, type

    @property
    def total(self) -> int:
        return sum(self.bytes.values())

    def rounds(self, kind: str) -> int:
        """How often the side that dialled sent this type: for `Reconcile`, the round trips of reconciliation."""
        return sum(up and of == kind for up, of in self.order)

    def round_trips(self) -> int:
        """How often one side could have waited for the other, over all frames: runs of one direction, halved."""
        return (len(list(groupby(up for up, _ in self.order))) + 1) // 2


class _MemoryPipe(Pipe):
    def __init__(self) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0
        self.wire = Wire(None, lambda: 0)
        self._messages: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.other: _MemoryPipe | None = None

    async def send(self, message: bytes) -> None:
        assert self.other is not None
        self.other._messages.put_nowait(message)

    async def receive(self) -> bytes | None:
        return await self._messages.get()

    async def keep_alive(self) -> None:
        await asyncio.Event().wait()  # nobody can go away

    async def close(self) -> None:
        assert self.other is not None
        self.other._messages.put_nowait(None)
        self._messages.put_nowait(None)


class _WeighedChannel:
    """A channel that notes what it seals."""

    def __init__(self, channel: Channel, traffic: Traffic) -> None:
        self._channel = channel
        self._traffic = traffic
        self.peer_key = channel.peer_key
        self.peer_hello = channel.peer_hello
        self.channel_hash = channel.channel_hash
        self.initiator = channel.initiator
        self.open = channel.open

    def seal(self, frame: bytes) -> list[bytes]:
        sealed = self._channel.seal(frame)
        kind = type(frames.decode(frame)).__name__
        mask = 4 if self.initiator else 0  # the side that dialled masks (RFC 6455, section 5.3)
        self._traffic.frames[kind] += 1
        self._traffic.bytes[kind] += sum(len(each) + _header_bytes(len(each)) + mask for each in sealed)
        self._traffic.order.append((self.initiator, kind))
        return sealed


def run(dialling: Store, dialled: Store) -> Traffic:
    """Let two nodes meet once, until both sets of all lanes are equal; what they said. Raises TimeoutError."""
    return asyncio.run(_run(dialling, dialled))


async def _shown(link: Link, shown: Shown) -> None:
    """Nobody here has to show anything: the community is public."""


async def _run(dialling: Store, dialled: Store) -> Traffic:
    traffic = Traffic()
    compared = asyncio.Event()
    near, far = _MemoryPipe(), _MemoryPipe()
    near.other, far.other = far, near
    writers = [Writer(store, _now_ms) for store in (dialling, dialled)]
    checkers = ThreadPoolExecutor(2)
    try:
        channels = await asyncio.gather(_shaken(near, initiator=True), _shaken(far, initiator=False))
        links = [
            Link(
                pipe,
                cast(Channel, _WeighedChannel(channel, traffic)),
                address="ws://bench/peer" if channel.initiator else None,
                writer=writer,
                store=store,
                checkers=checkers,
                wall_ms=_now_ms,
                on_stop=lambda community, version: None,
                on_compared=compared.set,
                on_shown=_shown,
            )
            for pipe, channel, writer, store in zip(
                (near, far), channels, writers, (dialling, dialled), strict=True
            )
        ]
        running = [
            asyncio.create_task(_served(link, store))
            for link, store in zip(links, (dialling, dialled), strict=True)
        ]
        try:
            await _until(links, running, compared)
            weighed = Traffic(Counter(traffic.bytes), Counter(traffic.frames), list(traffic.order))
        finally:
            links[0].close(Reason.DONE)
            await asyncio.gather(*running)
    finally:
        for writer in writers:
            await writer.stop()
        checkers.shutdown()
    return weighed


async def _served(link: Link, store: Store) -> PeerError:
    ended = await link.run(_lanes(store))
    await link.say_goodbye(ended.reason)
    return ended


async def _until(
    links: list[Link], running: Sequence["asyncio.Task[PeerError]"], compared: asyncio.Event
) -> None:
    async with asyncio.timeout(SETTLE_S_MAX):
        while not all(link.session.shared() and all(link.session.shared().values()) for link in links):
            compared.clear()
            waiting = asyncio.create_task(compared.wait())
            done, _ = await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            for task in done & set(running):
                raise ConnectionError(f"a link ended: {task.result()}")
    await asyncio.sleep(QUIET_S)


async def _shaken(pipe: Pipe, *, initiator: bool) -> Channel:
    hello = frames.Hello((frames.SESSION_VERSION,), CREDIT_BYTES, _now_ms(), "bench")
    handshake = Handshake(
        initiator=initiator,
        node_seed=os.urandom(32),
        static_private=os.urandom(32),
        ephemeral_private=os.urandom(32),
        hello=frames.hello_value(hello),
    )
    return await shake_hands(pipe, handshake, initiator=initiator)


def _lanes(store: Store) -> list[tuple[tuple[bytes, str], frames.LaneState]]:
    entries = []
    for info in store.communities():
        for lane in info.lanes:
            state = lane_state(store, (info.id, lane))
            assert state is not None
            entries.append(((info.id, lane), state))
    return entries


def _header_bytes(length: int) -> int:
    return 2 if length < 126 else 4 if length < 65_536 else 10


def _now_ms() -> int:
    return int(time.time() * 1000)
