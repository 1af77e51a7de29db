"""All peers of this node: dial them, take those who dial, keep one link to each, and pass on what lands here."""

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commonsnode.peers.backoff import Backoff
from commonsnode.peers.link import Link, Via, lane_state, shake_hands
from commonsnode.peers.pipe import SOCKET_BYTES_MAX, Pipe
from commonsnode_protocol import batch as batches
from commonsnode_protocol import frames
from commonsnode_protocol import session_events as events
from commonsnode_protocol.changeset import LANES, public_key
from commonsnode_protocol.channel import Handshake
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import CREDIT_BYTES, LIVE_BYTES_MAX
from commonsnode_protocol.link import is_address

if TYPE_CHECKING:
    from aiohttp import ClientSession, web

    from commonsnode.logs import Log
    from commonsnode.writing import Landed, Writer
    from commonsnode_store.store import Store

CONNECT_S_MAX = 10.0
HEARTBEAT_S = 60.0
HANDSHAKES_MAX = 64  # of peers that dialled us and have not proved a key yet
ADDRESSES_MAX = 256  # that this node dials
CHECKERS_MAX = 2  # threads that check signatures
PUSHED_IDS_MAX = 256  # a change of more changesets is not pushed but reconciled
LANDED_MAX = 4_096  # changes waiting to be passed on; what is dropped is found by reconciliation


@dataclass(frozen=True, slots=True)
class SyncResult:
    """in_step: every peer that answered is equal to us, and at least one did. reason: why not, for people."""

    in_step: bool
    reason: str


class _Dialler:
    """One address that this node keeps dialling."""

    def __init__(self, address: str, node: bytes | None) -> None:
        self.address = address
        self.node = node  # whom we met there last
        self.state = "waiting"
        self.problem = ""
        self.attempts = 0  # finished ones
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


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
        self._store = store
        self._seed = seed
        self._me = public_key(seed)
        self._static = os.urandom(
            32
        )  # a fresh Noise key each start: it is bound to the node key in each handshake
        self._agent = agent
        self._clock = clock
        self._log = log
        self._peers_max = peers_max
        self._reconcile_s = reconcile_minutes * 60
        self._links: dict[bytes, Link] = {}
        self._diallers: dict[str, _Dialler] = {}
        self._handshakes = 0
        self._landed: asyncio.Queue[Landed] = asyncio.Queue(LANDED_MAX)
        self._compared_set = asyncio.Event()
        self._checkers = ThreadPoolExecutor(CHECKERS_MAX, "checker")
        self._http: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    # Life

    async def start(self) -> None:
        """Begin to dial all known addresses, and to pass on what lands."""
        self._writer.subscribe(self._on_landed)
        self._own(self._pass_on_all())
        self._own(self._refresh_now_and_then())
        for known in await self._writer.read(lambda store: store.peers()):
            self._dial(known.address, known.node)

    async def stop(self) -> None:
        """Say goodbye to all, and end every task."""
        self._stopping = True
        for link in list(self._links.values()):
            link.close(Reason.DONE, "this node is stopping")
        await asyncio.gather(*(link.ended.wait() for link in list(self._links.values())))
        tasks = [*self._tasks, *(d.task for d in self._diallers.values() if d.task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
        self._checkers.shutdown(wait=True, cancel_futures=True)

    def _own(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

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
        self._diallers[address].wake.set()

    async def remove(self, address: str) -> bool:
        """Forget an address and end the link to who is there. False where it was not known."""
        dialler = self._diallers.pop(address, None)
        if dialler is not None and dialler.task is not None:
            link = self._links.get(dialler.node) if dialler.node is not None else None
            if link is not None and link.address == address:
                link.close(Reason.DONE, "removed by the operator")
                await link.ended.wait()
            dialler.task.cancel()
            await asyncio.gather(dialler.task, return_exceptions=True)
        forgotten: bool = await self._writer.run(lambda store: store.forget_peer(address))
        return forgotten or dialler is not None

    def followed(self, community: bytes) -> None:
        """A community is followed now, or more lanes of it: tell everybody."""
        self._own(self._announce(community))
        for dialler in self._diallers.values():
            dialler.wake.set()

    async def _announce(self, community: bytes) -> None:
        entries = await self._writer.read(lambda store: _lanes(store, community))
        for link in self._links.values():
            link.post(events.Follow(entries))

    def left(self, community: bytes) -> None:
        """A community is followed no more."""
        for link in self._links.values():
            for lane in LANES:
                link.post(events.Leave((community, lane)))

    def status(self) -> list[dict[str, Any]]:
        """The `peers` of `status --json`: whom this node knows and how it stands with each."""
        rows = [self._link_row(link) for link in self._links.values()]
        linked = {row["address"] for row in rows} | {
            d.address for d in self._diallers.values() if d.node in self._links
        }
        for dialler in self._diallers.values():
            if dialler.address not in linked:
                rows.append(
                    {
                        "id": dialler.node.hex() if dialler.node is not None else None,
                        "address": dialler.address,
                        "state": dialler.state,
                        "in_step": {},
                        "last_in_step": None,
                        "problem": dialler.problem,
                    }
                )
        return rows

    def _link_row(self, link: Link) -> dict[str, Any]:
        address = link.address or next(
            (d.address for d in self._diallers.values() if d.node == link.node), None
        )
        return {
            "id": link.node.hex(),
            "address": address,
            "state": "connected",
            "in_step": {community.hex(): equal for community, equal in link.in_step().items()},
            "last_in_step": _moment(link.last_in_step_ms),
            "since": _moment(link.since_ms),
            "dialled": link.initiator,
            "agent": link.hello.agent,
            "bytes_sent": link.pipe.bytes_sent,
            "bytes_received": link.pipe.bytes_received,
        }

    async def sync(self, timeout_s: float) -> SyncResult:
        """Dial every known address now, compare all lanes anew, and wait until all who answer are equal to us."""
        began = asyncio.get_running_loop().time()
        attempts = {dialler: dialler.attempts for dialler in self._diallers.values()}
        refreshed: set[Link] = set()
        for dialler in attempts:
            dialler.wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self._compared_set.clear()
                    for link in set(self._links.values()) - refreshed:
                        refreshed.add(link)
                        link.post(events.Refresh())
                    dialled = all(
                        dialler.attempts > before or dialler.node in self._links
                        for dialler, before in attempts.items()
                        if dialler.address in self._diallers
                    )
                    if dialled and self._unsettled(began) is None:
                        break
                    await self._compared_set.wait()
        except TimeoutError:
            return SyncResult(False, self._unsettled(began) or "some addresses did not answer in time")
        return await self._result()

    def _unsettled(self, began: float) -> str | None:
        for link in self._links.values():
            if not link.session.heard:
                return f"{link.node.hex()[:8]} has not said what it follows"
            behind = [community for community, fresh in link.in_step(began).items() if not fresh]
            if behind:
                return f"not in step with {link.node.hex()[:8]} on community {behind[0].hex()[:8]}"
        return None

    async def _result(self) -> SyncResult:
        shared: set[bytes] = set()
        for link in self._links.values():
            shared |= link.in_step().keys()
        if not self._links:
            return SyncResult(False, "no peer answered")
        if not shared:
            return SyncResult(False, "no peer that answered follows any of this node's communities")
        for info in await self._writer.read(lambda store: store.communities()):
            if info.name is None and not info.stopped:
                return SyncResult(False, f"nobody who answered has community {info.id.hex()[:8]}")
        return SyncResult(True, "")

    # Dialling

    def _dial(self, address: str, node: bytes | None) -> None:
        if address not in self._diallers:
            dialler = self._diallers[address] = _Dialler(address, node)
            dialler.task = asyncio.create_task(self._keep_dialling(dialler))
            dialler.task.add_done_callback(self._finished)

    async def _keep_dialling(self, dialler: _Dialler) -> None:
        backoff = Backoff(random.random)
        while True:
            link = self._links.get(dialler.node) if dialler.node is not None else None
            if link is not None:
                dialler.state = "connected"
                await link.ended.wait()
                backoff.succeeded()
                pause = backoff.pause()
            else:
                dialler.state, dialler.problem = "dialling", ""
                dialler.wake.clear()
                problem = await self._dial_once(dialler)
                dialler.problem = problem
                dialler.attempts += 1
                self._notify()
                if not problem:
                    backoff.succeeded()
                pause = backoff.pause()
            dialler.state = "waiting"
            try:
                async with asyncio.timeout(pause):
                    await dialler.wake.wait()
            except TimeoutError:
                continue

    async def _dial_once(self, dialler: _Dialler) -> str:
        """Dial, and stay until the link is over. Returns what went wrong; empty where a link was there."""
        import aiohttp

        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            )
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                socket = await self._http.ws_connect(
                    dialler.address,
                    max_msg_size=SOCKET_BYTES_MAX,
                    heartbeat=HEARTBEAT_S,
                    autoclose=True,
                )
        except TimeoutError:
            return "no answer"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return str(error) or type(error).__name__
        pipe = Pipe(socket)
        link, problem = await self._establish(pipe, dialler.address)
        if link is None:
            await pipe.close()
            return problem
        dialler.node, dialler.state = link.node, "connected"
        dialler.attempts += 1
        await self._remember(dialler)
        ended = await self._serve(link)
        return "" if ended.reason in (Reason.DONE, Reason.DUPLICATE) else str(ended)

    async def _remember(self, dialler: _Dialler) -> None:
        from commonsnode.errors import Stopping
        from commonsnode_store.errors import StoreError

        address, node, now = dialler.address, dialler.node, self._clock()
        try:
            await self._writer.run(lambda store: store.remember_peer(address, node=node, seen_ms=now))
        except (StoreError, Stopping) as error:
            self._log.warning("peer-not-remembered", address=address, problem=str(error))

    async def accept(self, request: "web.Request") -> "web.WebSocketResponse":
        """The handler of `/peer`: a peer dials us."""
        from aiohttp import web

        socket = web.WebSocketResponse(
            max_msg_size=SOCKET_BYTES_MAX, heartbeat=HEARTBEAT_S, compress=False, timeout=2.0
        )
        if self._stopping or self._handshakes >= HANDSHAKES_MAX:
            raise web.HTTPServiceUnavailable(text="as many handshakes as this node takes at once")
        await socket.prepare(request)
        pipe = Pipe(socket)
        self._handshakes += 1
        try:
            link, problem = await self._establish(pipe, None)
        finally:
            self._handshakes -= 1
        if link is None:
            self._log.info("peer-refused", remote=request.remote, reason=problem)
            await pipe.close()
        else:
            await self._serve(link)
        return socket

    async def _establish(self, pipe: Pipe, address: str | None) -> tuple[Link | None, str]:
        """Shake hands; returns the link, or what went wrong."""
        hello = frames.Hello((frames.SESSION_VERSION,), CREDIT_BYTES, max(self._clock(), 0), self._agent)
        handshake = Handshake(
            initiator=address is not None,
            node_seed=self._seed,
            static_private=self._static,
            ephemeral_private=os.urandom(32),
            hello=frames.hello_value(hello),
        )
        try:
            channel = await shake_hands(pipe, handshake, initiator=address is not None)
            link = Link(
                pipe,
                channel,
                address=address,
                writer=self._writer,
                store=self._store,
                checkers=self._checkers,
                wall_ms=self._clock,
                on_stop=self._on_unknown_version,
                on_compared=self._notify,
            )
        except TimeoutError:
            problem = "no handshake in time"
        except PeerError as error:
            problem = str(error)
        except (ConnectionError, OSError) as error:
            problem = str(error) or "the connection is gone"
        else:
            if link.node == self._me:
                await link.say_goodbye(Reason.SELF)
                return None, "that is this node itself"
            if len(self._links) >= self._peers_max and link.node not in self._links:
                await link.say_goodbye(Reason.BUSY)
                return None, "this node has as many peers as it serves"
            return link, ""
        return None, problem

    # Links

    async def _serve(self, link: Link) -> PeerError:
        """Run a link, unless there is a better one to the same node."""
        refused = await self._refused_for_another(link)
        if refused is not None:
            await link.say_goodbye(refused.reason)
            return refused
        self._links[link.node] = link
        self._log.info("peer-connected", peer=_short(link), dialled=link.initiator, agent=link.hello.agent)
        try:
            ended = await link.run(await self._writer.read(lambda store: _lanes(store, None)))
        except Exception as error:  # noqa: BLE001 - a fault of ours ends this session, not the daemon; the log has it
            self._log.error("session-failed", cause=error, peer=_short(link))
            ended = PeerError(Reason.INTERNAL, type(error).__name__)
        finally:
            if self._links.get(link.node) is link:
                del self._links[link.node]
            self._notify()
            link.ended.set()
        self._log_end(link, ended)
        await link.say_goodbye(ended.reason)
        return ended

    async def _refused_for_another(self, link: Link) -> PeerError | None:
        """Settle which of two links to one node stays: None where `link` does, and is the only one now.

        Who dialled twice keeps the first, and says so at once. Who was dialled twice cannot tell a second address from a
        restart of the peer, so it waits for the first frame: anything but a goodbye means that the old link is dead.
        """
        other = self._links.get(link.node)
        if other is not None:
            if other.initiator != link.initiator:
                keep_other = self._prefers(other)
            elif link.initiator:
                keep_other = True
            else:
                try:
                    await link.hear_first()
                except PeerError as error:
                    return error
                except (ConnectionError, OSError, TimeoutError) as error:
                    return PeerError(Reason.DONE, str(error))
                keep_other = False
            if keep_other:
                return PeerError(Reason.DUPLICATE)
            other.close(Reason.DUPLICATE)
            await other.ended.wait()
        if self._stopping:
            return PeerError(Reason.DONE)
        return PeerError(Reason.DUPLICATE) if link.node in self._links else None

    def _log_end(self, link: Link, ended: PeerError) -> None:
        fields = {"peer": _short(link), "reason": ended.reason.value, "detail": ended.detail}
        if ended.reason in (Reason.DONE, Reason.DUPLICATE):
            self._log.info("peer-left", **fields)
        else:
            self._log.warning("session-ended", **fields)

    def _prefers(self, link: Link) -> bool:
        """Of two links dialled from both sides at once, both nodes keep the one that the lesser key dialled."""
        dialled_by = self._me if link.initiator else link.node
        return dialled_by == min(self._me, link.node)

    def _on_unknown_version(self, community: bytes, version: int) -> None:
        self._own(self._stop_community(community, version))

    async def _stop_community(self, community: bytes, version: int) -> None:
        reason = f"its charter is of version {version}: this node needs a newer version of Commons Node"
        await self._writer.run(lambda store: store.stop(community, reason))
        self._log.warning("community-stopped", community=community.hex()[:8], version=version)
        self.left(community)

    # What lands here is passed on

    def _on_landed(self, landed: "Landed") -> None:
        if not self._landed.full():
            self._landed.put_nowait(landed)

    async def _pass_on_all(self) -> None:
        while True:
            await self._pass_on(await self._landed.get())

    async def _pass_on(self, landed: "Landed") -> None:
        key = (landed.community, landed.lane)
        via = landed.via if isinstance(landed.via, Via) else None
        links = [link for link in self._links.values() if via is None or link is not via.link]
        if not links:
            return
        size, packed = 0, b""
        if landed.ids and len(landed.ids) <= PUSHED_IDS_MAX:
            size, packed = await self._writer.read(lambda store: _pack(store, key, landed.ids))
        state = lane_state(self._store, key)
        if state is None:
            return
        hops = via.hops + 1 if via is not None else 1
        for link in links:
            small = packed and not link.congested
            link.post(
                events.Changed(key, state, landed.ids if small else (), size, packed if small else b"", hops)
            )

    async def _refresh_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._reconcile_s * (0.75 + 0.5 * random.random()))
            for link in self._links.values():
                link.post(events.Refresh())

    def _notify(self) -> None:
        self._compared_set.set()


def _lanes(store: "Store", community: bytes | None) -> tuple[tuple[events.LaneKey, frames.LaneState], ...]:
    """The lanes followed here, of one community or of all, with their fingerprints."""
    entries = []
    for info in store.communities():
        if info.stopped or community not in (None, info.id):
            continue
        for lane in info.lanes:
            state = lane_state(store, (info.id, lane))
            if state is not None:
                entries.append(((info.id, lane), state))
    return tuple(entries)


def _pack(store: "Store", key: events.LaneKey, ids: tuple[bytes, ...]) -> tuple[int, bytes]:
    """The changesets as a batch to push, or nothing where they are too many bytes."""
    from commonsnode_store.errors import UnknownCommunity

    try:
        signed = store.fetch(*key, ids)
    except UnknownCommunity:
        return 0, b""
    if not signed or sum(map(batches.cost, signed)) + 8 > LIVE_BYTES_MAX // 4:
        return 0, b""
    return batches.pack(signed)


def _short(link: Link) -> str:
    return link.node.hex()[:8]


def _moment(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
