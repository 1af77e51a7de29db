"""The links of this node, one to each other node: made by a handshake, kept, ended."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from commonsnode.peers.link import Link, shake_hands
from commonsnode.peers.pipe import Pipe
from commonsnode.peers.sharing import Sharing
from commonsnode_protocol import frames
from commonsnode_protocol import session_events as events
from commonsnode_protocol.changeset import public_key
from commonsnode_protocol.channel import Handshake
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import CREDIT_BYTES

if TYPE_CHECKING:
    from commonsnode.logs import Log
    from commonsnode.writing import Writer
    from commonsnode_store.store import Store

CHECKERS_MAX = 2  # threads that check signatures


class Links:
    """All links after their handshake, by the other node's key. Used in the event loop."""

    def __init__(
        self,
        *,
        writer: "Writer",
        store: "Store",
        seed: bytes,
        agent: str,
        clock: Callable[[], int],
        log: "Log",
        links_max: int,
        on_unknown_version: Callable[[bytes, int], None],
    ) -> None:
        """on_unknown_version: a community's charter has a version (the second argument) that we do not know."""
        self.by_node: dict[bytes, Link] = {}
        self.changed = asyncio.Event()  # set whenever a link came, went, or compared its sets
        self._writer = writer
        self._store = store
        self._seed = seed
        self._me = public_key(seed)
        # A fresh Noise key each start: every handshake binds it to the node key.
        self._static = os.urandom(32)
        self._agent = agent
        self._clock = clock
        self._log = log
        self._links_max = links_max
        self._on_unknown_version = on_unknown_version
        self._checkers = ThreadPoolExecutor(CHECKERS_MAX, "checker")
        self._stopping = False
        self.sharing = Sharing(writer, store, self._me, log)

    def tell(self, event: events.Event) -> None:
        """Tell all sessions."""
        for link in self.by_node.values():
            link.post(event)

    async def stop(self) -> None:
        """Say goodbye to all; no link begins after this."""
        self._stopping = True
        links = list(self.by_node.values())
        for link in links:
            link.close(Reason.DONE, "this node is stopping")
        await asyncio.gather(*(link.ended.wait() for link in links))

    def close(self) -> None:
        """After `stop`: end the threads."""
        self._checkers.shutdown(wait=True, cancel_futures=True)

    async def establish(self, pipe: Pipe, address: str | None) -> tuple[Link | None, str]:
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
                on_compared=self.changed.set,
                on_shown=self.sharing.shown,
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
            if len(self.by_node) >= self._links_max and link.node not in self.by_node:
                await link.say_goodbye(Reason.BUSY)
                return None, "this node has as many peers as it serves"
            return link, ""
        return None, problem

    async def serve(self, link: Link) -> PeerError:
        """Run a link, unless there is a better one to the same node."""
        refused = await self._refused_for_another(link)
        if refused is not None:
            await link.say_goodbye(refused.reason)
            return refused
        self.by_node[link.node] = link
        self._log.info("peer-connected", peer=_short(link), dialled=link.initiator, agent=link.hello.agent)
        try:
            ended = await link.run(await self.sharing.begin(link))
        except Exception as error:  # noqa: BLE001 - a fault of ours ends this session, not the daemon; the log has it
            self._log.error("session-failed", cause=error, peer=_short(link))
            ended = PeerError(Reason.INTERNAL, type(error).__name__)
        finally:
            self.sharing.end(link)
            if self.by_node.get(link.node) is link:
                del self.by_node[link.node]
            self.changed.set()
            link.ended.set()
        self._log_end(link, ended)
        await link.say_goodbye(ended.reason)
        return ended

    async def _refused_for_another(self, link: Link) -> PeerError | None:
        """Settle which of two links to one node stays: None where `link` does, and is the only one now.

        Who dialled twice keeps the first, and says so at once. Who was dialled twice cannot tell a second address from a
        restart of the peer, so it waits for the first frame: anything but a goodbye means that the old link is dead.
        """
        other = self.by_node.get(link.node)
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
        return PeerError(Reason.DUPLICATE) if link.node in self.by_node else None

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


def _short(link: Link) -> str:
    return link.node.hex()[:8]
