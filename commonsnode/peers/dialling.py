"""Dial one address, again and again, as long as no link to the node there is up."""

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from commonsnode.peers.backoff import Backoff
from commonsnode.peers.links import Links
from commonsnode.peers.pipe import SOCKET_BYTES_MAX, Pipe
from commonsnode_protocol.errors import Reason

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from commonsnode.logs import Log
    from commonsnode.writing import Writer

CONNECT_S_MAX = 45.0  # of TCP and the WebSocket, on the slowest links


class Dialler:
    """One address that this node keeps dialling; `run` does it."""

    def __init__(
        self,
        address: str,
        node: bytes | None,
        *,
        links: Links,
        writer: "Writer | None",
        clock: Callable[[], int],
        log: "Log",
        http: "Callable[[], ClientSession]",
    ) -> None:
        """node: whom we met there last. writer: None where nobody has to remember the address. http: gives the session to dial with, which is made when it is first needed."""
        self.address = address
        self.node = node
        self.state = "waiting"  # or `dialling`, `connected`
        self.problem = ""  # of the last attempt
        self.last = False  # no more attempts after this link
        self.answered_at = -1.0  # when that attempt began which ended last, by the loop's clock
        self._links = links
        self._writer = writer
        self._clock = clock
        self._log = log
        self._http = http
        self._wake = asyncio.Event()

    @property
    def remembered(self) -> bool:
        """Whether somebody gave this address, so that it is dialled for good."""
        return self._writer is not None

    def wake(self) -> None:
        """Dial at once, instead of at the end of a pause."""
        self._wake.set()

    async def run(self) -> None:
        backoff = Backoff(random.random)
        while not self.last:
            link = self._links.by_node.get(self.node) if self.node is not None else None
            if link is not None:
                self.state = "connected"
                await link.ended.wait()
                backoff.succeeded()
            else:
                self.state, self.problem = "dialling", ""
                self._wake.clear()
                self.problem = await self._dial()
                if not self.problem:
                    backoff.succeeded()
            self.state = "waiting"
            try:
                async with asyncio.timeout(backoff.pause()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _dial(self) -> str:
        """Dial, and stay until the link is over. Returns what went wrong; empty where a link was there."""
        import aiohttp

        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                socket = await self._http().ws_connect(
                    self.address, max_msg_size=SOCKET_BYTES_MAX, autoping=False, autoclose=True
                )
        except TimeoutError:
            return self._answered(began, "no answer")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._answered(began, str(error) or type(error).__name__)
        pipe = Pipe(socket)
        link, problem = await self._links.establish(pipe, self.address)
        if link is None:
            await pipe.close()
            return self._answered(began, problem)
        self.node, self.state = link.node, "connected"
        await self._remember()
        self.answered_at = began
        ended = await self._links.serve(link)
        self._links.changed.set()
        return "" if ended.reason in (Reason.DONE, Reason.DUPLICATE) else str(ended)

    def _answered(self, began: float, problem: str) -> str:
        self.answered_at = began
        self._links.changed.set()
        return problem

    async def _remember(self) -> None:
        from commonsnode.errors import Stopping
        from commonsnode_store.errors import StoreError

        address, node, now, writer = self.address, self.node, self._clock(), self._writer
        if writer is None:
            return
        try:
            await writer.run(lambda store: store.remember_peer(address, node=node, seen_ms=now))
        except (StoreError, Stopping) as error:
            self._log.warning("peer-not-remembered", address=address, problem=str(error))
