"""All peers of this node: dial them, take those who dial, keep one link to each, and pass on what lands here."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commonsnode.addresses import interfaces
from commonsnode.peers.dialling import Dialler
from commonsnode.peers.link import Link
from commonsnode.peers.links import Links
from commonsnode.peers.pipe import SOCKET_BYTES_MAX, Pipe
from commonsnode.peers.spreading import Spreading
from commonsnode.peers.waking import Waking
from commonsnode_protocol import session_events as events
from commonsnode_protocol.changeset import Signed
from commonsnode_protocol.errors import Reason
from commonsnode_protocol.link import is_address

if TYPE_CHECKING:
    from aiohttp import ClientSession, web

    from commonsnode.logs import Log
    from commonsnode.writing import Writer
    from commonsnode_store.store import Store

HANDSHAKES_MAX = 64  # of peers that dialled us and have not proved a key yet
HANDSHAKES_PER_HOST_MAX = 16  # of them; a proxy on this machine is not counted so
ADDRESSES_MAX = 256  # that this node dials


@dataclass(frozen=True, slots=True)
class SyncResult:
    """in_step: every peer that answered is equal to us, and at least one did. reason: why not, for people."""

    in_step: bool
    reason: str


class Peers:
    """See the module. Made and used in the event loop; `start` before anything else, `stop` at the end."""

    def __init__(
        self,
        *,
        writer: "Writer",
        store: "Store",
        seed: bytes,
        agent: str,
        clock: Callable[[], int],
        log: "Log",
        peers_max: int = 64,
        reconcile_minutes: float = 5.0,
    ) -> None:
        """seed: of the node key. clock: milliseconds since 1970. peers_max: links at the same time."""
        self._writer = writer
        self._clock = clock
        self._log = log
        self._reconcile_s = reconcile_minutes * 60
        self._links = Links(
            writer=writer,
            store=store,
            seed=seed,
            agent=agent,
            clock=clock,
            log=log,
            links_max=peers_max,
            on_unknown_version=self._on_unknown_version,
        )
        self._spreading = Spreading(writer, store, self._links)
        self._diallers: dict[str, tuple[Dialler, asyncio.Task[None]]] = {}
        self._near: dict[str, tuple[Dialler, asyncio.Task[None]]] = {}  # heard on the local network
        self._handshakes: Counter[str] = Counter()  # by host
        self._http: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # Life

    async def start(self) -> None:
        """Begin to dial all known addresses, and to pass on what lands."""
        self._writer.subscribe(self._spreading.landed)
        self._own(self._spreading.run())
        self._own(self._refresh_now_and_then())
        self._own(Waking(_own_addresses).run(self._woken, self._log))
        for known in await self._writer.read(lambda store: store.peers()):
            self._dial(known.address, known.node)

    async def stop(self) -> None:
        """Say goodbye to all, and end every task."""
        await self._links.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
        self._links.close()

    def _own(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _woken(self) -> None:
        """Find out at once which links are still there, and dial where there is none."""
        for link in self._links.by_node.values():
            link.pipe.doubt()
        for dialler in self._dialled():
            dialler.wake()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("peers-failed", cause=error)

    # What the rest of the daemon says

    async def add(self, address: str, *, source: str = "operator") -> None:
        """Remember an address and dial it from now on. Raises ValueError for what is no address, or too many."""
        if not is_address(address):
            raise ValueError(f"{address} is no address of the form ws://host:port/path")
        if address not in self._diallers and len(self._diallers) >= ADDRESSES_MAX:
            raise ValueError(f"this node dials {ADDRESSES_MAX} addresses already; remove one first")
        await self._writer.run(lambda store: store.remember_peer(address, source=source))
        self._dial(address, None)
        self._diallers[address][0].wake()

    async def remove(self, address: str) -> bool:
        """Forget an address and end the link to who is there. False where it was not known."""
        dialler, task = self._diallers.pop(address, (None, None))
        if dialler is not None and task is not None:
            link = self._links.by_node.get(dialler.node) if dialler.node is not None else None
            if link is not None and link.address == address:
                link.close(Reason.DONE, "removed by the operator")
                await link.ended.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        forgotten: bool = await self._writer.run(lambda store: store.forget_peer(address))
        return forgotten or dialler is not None

    def followed(self, community: bytes) -> None:
        """A community is followed now, or more lanes of it, or by a join: tell whom it concerns."""
        self._own(self._announce(community))
        for dialler in self._dialled():
            dialler.wake()

    def near(self, nodes: Mapping[bytes, Sequence[str]]) -> None:
        """Dial these nodes of the local network, at these addresses, and none that was there before and is not now.

        Links that are up stay so.
        """
        wanted = {address: node for node, addresses in nodes.items() for address in addresses}
        for address in self._near.keys() - wanted.keys():
            dialler, task = self._near.pop(address)
            dialler.last = True
            if dialler.state != "connected":
                task.cancel()
        for address, node in wanted.items():
            if address not in self._near and address not in self._diallers:
                dialler = self._dialler(address, node, remembered=False)
                self._near[address] = (dialler, self._own(dialler.run()))

    def _dialled(self) -> list[Dialler]:
        return [dialler for dialler, _ in (*self._diallers.values(), *self._near.values())]

    def knocking(self, community: bytes, door: bytes, knock: Signed) -> AbstractContextManager[None]:
        """Meanwhile show peers this at the door of a recovery key."""
        return self._links.sharing.knocking(community, door, knock)

    async def _announce(self, community: bytes) -> None:
        await self._links.sharing.decide(community)

    def left(self, community: bytes) -> None:
        """A community is followed no more."""
        self._links.sharing.left(community)

    async def handed_on(self, community: bytes, timeout_s: float) -> bool:
        """Wait until some peer holds all that this node holds of a community. False where none does in time, or none is linked."""
        began = asyncio.get_running_loop().time()
        asked: set[Link] = set()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while links := set(self._links.by_node.values()):
                    self._links.changed.clear()
                    # Who speaks of it no more has taken in that this node is a reader no more.
                    if any(community not in link.in_step() for link in asked & links):
                        return True
                    for link in links - asked:
                        if community in link.in_step():
                            asked.add(link)
                            link.post(events.Refresh())
                    if any(link.in_step(began).get(community) for link in asked):
                        return True
                    await self._links.changed.wait()
        return False

    def status(self) -> list[dict[str, Any]]:
        """The `peers` of `status --json`: whom this node knows and how it stands with each."""
        rows = [self._link_row(link) for link in self._links.by_node.values()]
        linked = {row["address"] for row in rows} | {
            dialler.address for dialler in self._dialled() if dialler.node in self._links.by_node
        }
        for dialler in self._dialled():
            if dialler.address not in linked:
                rows.append(
                    {
                        "id": dialler.node.hex() if dialler.node is not None else None,
                        "address": dialler.address,
                        "state": dialler.state,
                        "found": "given" if dialler.remembered else "lan",
                        "in_step": {},
                        "last_in_step": None,
                        "problem": dialler.problem,
                    }
                )
        return rows

    def _link_row(self, link: Link) -> dict[str, Any]:
        address = link.address or next((d.address for d in self._dialled() if d.node == link.node), None)
        return {
            "id": link.node.hex(),
            "address": address,
            "state": "connected",
            "found": self._found(link, address),
            "in_step": {community.hex(): equal for community, equal in link.in_step().items()},
            "last_in_step": _moment(link.last_in_step_ms),
            "since": _moment(link.since_ms),
            "dialled": link.initiator,
            "remote": link.pipe.remote,
            "agent": link.hello.agent,
            "bytes_sent": link.pipe.bytes_sent,
            "bytes_received": link.pipe.bytes_received,
            "delay_ms": round(link.pipe.delay_s * 1000, 1) if link.pipe.delay_s is not None else None,
            "lanes": [
                {
                    "community": community.hex(),
                    "lane": lane,
                    "in_step": found.in_step,
                    "to_get": found.to_get,
                    "to_give": found.to_give,
                }
                for (community, lane), found in link.session.standing().items()
            ],
        }

    def _found(self, link: Link, address: str | None) -> str:
        """How this node came by a peer: by its address, on the local network, or it came by itself."""
        if address in self._diallers:
            return "given"
        near = any(dialler.node == link.node for dialler, _ in self._near.values())
        return "lan" if near else "came"

    async def sync(self, timeout_s: float) -> SyncResult:
        """Dial every known address now, compare all lanes anew, and wait until all who answer are equal to us."""
        began = asyncio.get_running_loop().time()
        refreshed: set[Link] = set()
        for dialler in self._dialled():
            dialler.wake()
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self._links.changed.clear()
                    for link in set(self._links.by_node.values()) - refreshed:
                        refreshed.add(link)
                        link.post(events.Refresh())
                    dialled = all(
                        dialler.answered_at >= began or dialler.node in self._links.by_node
                        for dialler in self._dialled()
                    )
                    if dialled and self._unsettled(began) is None:
                        break
                    await self._links.changed.wait()
        except TimeoutError:
            return SyncResult(False, self._unsettled(began) or "some addresses did not answer in time")
        return await self._result()

    def _unsettled(self, began: float) -> str | None:
        for link in self._links.by_node.values():
            if not link.session.heard:
                return f"{link.node.hex()[:8]} has not said what it follows"
            behind = [community for community, fresh in link.in_step(began).items() if not fresh]
            if behind:
                return f"not in step with {link.node.hex()[:8]} on community {behind[0].hex()[:8]}"
        return None

    async def _result(self) -> SyncResult:
        shared: set[bytes] = set()
        for link in self._links.by_node.values():
            shared |= link.in_step().keys()
        if not self._links.by_node:
            return SyncResult(False, "no peer answered")
        if not shared:
            return SyncResult(False, "no peer that answered follows any of this node's communities")
        for info in await self._writer.read(lambda store: store.communities()):
            if info.name is None and not info.stopped:
                return SyncResult(False, f"nobody who answered has community {info.id.hex()[:8]}")
        return SyncResult(True, "")

    # Dialling and being dialled

    def _dial(self, address: str, node: bytes | None) -> None:
        if address not in self._diallers:
            dialler = self._dialler(address, node, remembered=True)
            self._diallers[address] = (dialler, self._own(dialler.run()))

    def _dialler(self, address: str, node: bytes | None, *, remembered: bool) -> Dialler:
        return Dialler(
            address,
            node,
            links=self._links,
            writer=self._writer if remembered else None,
            clock=self._clock,
            log=self._log,
            http=self._http_session,
        )

    def _http_session(self) -> "ClientSession":
        import aiohttp

        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
            )
        return self._http

    async def accept(self, request: "web.Request") -> "web.WebSocketResponse":
        """The handler of `/peer`: a peer dials us."""
        from aiohttp import web

        socket = web.WebSocketResponse(
            max_msg_size=SOCKET_BYTES_MAX, autoping=False, compress=False, timeout=2.0
        )
        host = request.remote or ""
        of_host = self._handshakes[host] if host not in ("127.0.0.1", "::1") else 0
        if self._handshakes.total() >= HANDSHAKES_MAX or of_host >= HANDSHAKES_PER_HOST_MAX:
            raise web.HTTPServiceUnavailable(text="as many handshakes as this node takes at once")
        self._handshakes[host] += 1
        try:
            await socket.prepare(request)
            pipe = Pipe(socket, request.remote)
            link, problem = await self._links.establish(pipe, None)
        finally:
            self._handshakes[host] -= 1
            self._handshakes = +self._handshakes  # without those of whom there is none
        if link is None:
            self._log.info("peer-refused", remote=request.remote, reason=problem)
            await pipe.close()
        else:
            await self._links.serve(link)
        return socket

    def _on_unknown_version(self, community: bytes, version: int) -> None:
        self._own(self._stop_community(community, version))

    async def _stop_community(self, community: bytes, version: int) -> None:
        from commonsnode_store import stopping

        await self._writer.run(lambda store: store.stop(community, stopping.by_charter(version)))
        self._log.warning("community-stopped", community=community.hex()[:8], version=version)
        self.left(community)

    async def _refresh_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._reconcile_s * (0.75 + 0.5 * random.random()))
            self._links.tell(events.Refresh())


def _own_addresses() -> list[str]:
    """Of this machine, by which others may have reached it."""
    found = (each.address for each in interfaces())
    return [str(address) for address in found if not (address.is_loopback or address.is_link_local)]


def _moment(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
