"""Which reservations concern who runs this node: kept in memory, read again where something came in, so that asking costs little."""

import asyncio
from collections.abc import Callable

from commonsnode.reservations import Both, concerning
from commonsnode.writing import Landed, Writer
from commonsnode_store.errors import UnknownCommunity
from commonsnode_store.store import Store


class Concerns:
    """What the node's own person asked for, and what is asked of them. `start` and `stop` in the event loop."""

    def __init__(self, writer: Writer, key: bytes) -> None:
        self._writer = writer
        self._key = key
        self._of: dict[bytes, list[Both]] = {}
        self._stale: set[bytes] | None = None  # none: all
        self._reading = asyncio.Lock()
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        self._unsubscribe = self._writer.subscribe(self._on_landed)

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    async def every(self) -> list[Both]:
        """As of now, of all communities. Raises Stopping and the store's errors."""
        async with self._reading:
            stale, self._stale = self._stale, set()
            try:
                read = await self._writer.read(lambda store: self._read(store, stale))
            except BaseException:
                self._stale = None
                raise
            followed, found = read
            kept = {**self._of, **found}
            self._of = {community: kept[community] for community in followed if community in kept}
            return [both for of in self._of.values() for both in of]

    def _on_landed(self, landed: Landed) -> None:
        if self._stale is not None:
            self._stale.add(landed.community)

    def _read(self, store: Store, stale: set[bytes] | None) -> tuple[list[bytes], dict[bytes, list[Both]]]:
        followed = store.community_ids()
        found: dict[bytes, list[Both]] = {}
        for community in followed:
            if stale is None or community in stale or community not in self._of:
                try:
                    found[community] = concerning(store, [community], self._key)
                except UnknownCommunity:  # left at this moment
                    continue
        return followed, found
