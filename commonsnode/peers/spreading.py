"""What lands in the store is passed on to every link that did not bring it (Plumtree's eager push, or the news of it)."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from commonsnode.peers.link import Via, lane_state
from commonsnode.peers.links import Links
from commonsnode_protocol import admission
from commonsnode_protocol import batch as batches
from commonsnode_protocol import session_events as events
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.limits import LIVE_BYTES_MAX

if TYPE_CHECKING:
    from commonsnode.writing import Landed, Writer
    from commonsnode_store.store import Store

PUSHED_IDS_MAX = 256  # a change of more changesets is not pushed but reconciled
PUSHED_BYTES_MAX = LIVE_BYTES_MAX // 4
LANDED_MAX = 4_096  # changes waiting to be passed on; what is dropped is found by reconciliation


class Spreading:
    """`landed` takes what came to stand, in the order of commits; `run` passes it on."""

    def __init__(self, writer: "Writer", store: "Store", links: Links) -> None:
        self._writer = writer
        self._store = store
        self._links = links
        self._landed: asyncio.Queue[Landed] = asyncio.Queue(LANDED_MAX)

    def landed(self, landed: "Landed") -> None:
        if not self._landed.full():
            self._landed.put_nowait(landed)

    async def run(self) -> None:
        while True:
            landed = await self._landed.get()
            await self._pass_on(landed)
            if landed.lane == AUTHORITY:
                await self._decide(landed)

    async def _pass_on(self, landed: "Landed") -> None:
        key = (landed.community, landed.lane)
        via = landed.via if isinstance(landed.via, Via) else None
        links = [link for link in self._links.by_node.values() if via is None or link is not via.link]
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
            # Authority is little, and who is about to be left learns why from it.
            small = packed and (landed.lane == AUTHORITY or not link.congested)
            link.post(
                events.Changed(key, state, landed.ids if small else (), size, packed if small else b"", hops)
            )

    async def _decide(self, landed: "Landed") -> None:
        dismissed = await self._links.sharing.decide(landed.community)
        if not dismissed or len(landed.ids) <= PUSHED_IDS_MAX:
            return
        key = (landed.community, AUTHORITY)
        for link in dismissed:
            # More than is pushed at once came with what shuts it out, so that alone goes.
            size, packed = await self._writer.run(partial(pack_farewell, landed=landed, node=link.node))
            state = lane_state(self._store, key)
            if state is not None and packed:
                link.post(events.Changed(key, state, (), size, packed, 1))


def pack_farewell(store: "Store", landed: "Landed", node: bytes) -> tuple[int, bytes]:
    """Of what landed, what tells this node why it is admitted no more, as a batch to push. In the writer thread."""
    from commonsnode_store.errors import UnknownCommunity

    try:
        shut_out = admission.shut_out_by(store.evaluator(landed.community), node)
    except UnknownCommunity:
        return 0, b""
    ids = tuple(id_ for id_ in landed.ids if id_ in shut_out)[:PUSHED_IDS_MAX]
    return _pack(store, (landed.community, AUTHORITY), ids)


def _pack(store: "Store", key: events.LaneKey, ids: tuple[bytes, ...]) -> tuple[int, bytes]:
    """The changesets as a batch to push, or nothing where they are too many bytes."""
    from commonsnode_store.errors import UnknownCommunity

    try:
        signed = store.fetch(*key, ids)
    except UnknownCommunity:
        return 0, b""
    if not signed or sum(map(batches.cost, signed)) + 8 > PUSHED_BYTES_MAX:
        return 0, b""
    return batches.pack(signed)
