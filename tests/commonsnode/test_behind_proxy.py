"""A node behind a reverse proxy, under a path of its host."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from commonsnode import home
from running_node import serving


@dataclass
class Proxy:
    """Hands on what comes for /commons/… to /… at a port of this machine."""

    port: int = 0
    upstream: int = 0
    handed_on: int = 0

    async def handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"GET /commons/")
        self.handed_on += 1
        answers, requests = await asyncio.open_connection("127.0.0.1", self.upstream)
        requests.write(head.replace(b" /commons/", b" /", 1))
        try:
            await asyncio.gather(_pump(reader, requests), _pump(answers, writer))
        finally:
            writer.close()


async def _pump(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    it = Proxy()
    server = await asyncio.start_server(it.handle, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()


async def test_who_gets_its_link_meets_it_through_the_proxy(tmp_path: Path) -> None:
    async with proxy() as before:
        url = f"http://127.0.0.1:{before.port}/commons"
        async with (
            serving(home.init(tmp_path / "behind"), public_url=url) as behind,
            serving(home.init(tmp_path / "outside")) as outside,
        ):
            before.upstream = behind.node.addresses.port
            community = await behind.community()
            await behind.add(community, title="Ladder")
            link = (await behind("GET", f"/communities/{community}"))["link"]
            first = re.sub(r"(at=[^&]*)(&at=[^&]*)*", r"\1", link)  # as from outside of its network
            assert (await outside("POST", "/communities/follow", {"link": first})).status == 200
            assert (await outside("POST", "/sync", {"wait": True, "timeout": 20}))["in_step"]
            [peer] = (await outside("GET", "/peers"))["peers"]
            assert peer["address"] == f"ws://127.0.0.1:{before.port}/commons/peer"
            assert peer["dialled"]
            assert before.handed_on == 1
