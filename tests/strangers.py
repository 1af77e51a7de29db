"""A peer made of the protocol's parts that says whatever a test wants it to say, over a real WebSocket."""

import asyncio
import os
from types import TracebackType
from typing import Self

import aiohttp

from commonsnode_protocol import frames
from commonsnode_protocol.changeset import Signed
from commonsnode_protocol.channel import Channel, Handshake

ANSWER_S_MAX = 20


class Stranger:
    """`async with Stranger(address) as stranger`: dialled, and the handshake done."""

    def __init__(self, address: str, seed: bytes | None = None) -> None:
        self.address = address
        self.seed = seed or os.urandom(32)
        self.http = aiohttp.ClientSession()
        self.channel: Channel | None = None

    async def __aenter__(self) -> Self:
        await self.dial()
        await self.shake_hands()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def dial(self) -> None:
        self.socket = await self.http.ws_connect(self.address, max_msg_size=0)

    async def shake_hands(self) -> None:
        hello = frames.Hello((frames.SESSION_VERSION,), 4 * 2**20, 0, "stranger")
        handshake = Handshake(
            initiator=True,
            node_seed=self.seed,
            static_private=os.urandom(32),
            ephemeral_private=os.urandom(32),
            hello=frames.hello_value(hello),
        )
        await self.socket.send_bytes(handshake.start())
        answer = handshake.receive(await self.message())
        assert answer is not None
        await self.socket.send_bytes(answer)
        self.channel = handshake.channel

    async def message(self) -> bytes:
        async with asyncio.timeout(ANSWER_S_MAX):
            data: bytes = await self.socket.receive_bytes()
        return data

    async def say(self, *said: frames.Frame) -> None:
        for frame in said:
            await self.say_bytes(frames.encode(frame))

    async def say_bytes(self, frame: bytes) -> None:
        assert self.channel is not None
        for message in self.channel.seal(frame):
            await self.socket.send_bytes(message)

    async def hear(self) -> frames.Frame | None:
        """The next frame; None when the other side has closed."""
        assert self.channel is not None
        while True:
            async with asyncio.timeout(ANSWER_S_MAX):
                message = await self.socket.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                return None
            frame = self.channel.open(message.data)
            if frame is not None:
                return frames.decode(frame)

    async def reason(self) -> str:
        """Why the other side ends it: the reason of its goodbye, or `closed` where it said none."""
        while True:
            frame = await self.hear()
            if frame is None:
                return "closed"
            if isinstance(frame, frames.Bye):
                return frame.reason

    async def announce(self, community: bytes, *lanes: str) -> None:
        """Say that we follow these lanes, all empty."""
        assert self.channel is not None
        entries = tuple(
            (frames.tag(self.channel.channel_hash, frames.INITIATOR, community, lane), EMPTY)
            for lane in lanes
        )
        await self.say(frames.Lanes(entries))

    async def shared(self, community: bytes, *lanes: str) -> dict[str, int]:
        """The other side's numbers of these lanes, by its announcement."""
        assert self.channel is not None
        frame = await self.hear()
        assert isinstance(frame, frames.Lanes)
        tags = [tag for tag, _ in frame.entries]
        return {
            lane: tags.index(tag)
            for lane in lanes
            if (tag := frames.tag(self.channel.channel_hash, frames.RESPONDER, community, lane)) in tags
        }


EMPTY = frames.LaneState(bytes(16), bytes(32))


def batch_of(*signed: Signed) -> tuple[int, bytes]:
    from commonsnode_protocol import batch

    return batch.pack(signed)
