"""What everyone may see of a store: a community that only members read is not there at all, nor are the sealed lanes of any.

The TCP site reads through this. Members read such a community at the socket of their own node; signing in comes later.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, TypeVar, cast

from commonsnode.node import Node
from commonsnode.writing import Writer
from commonsnode_protocol.admission import SEALED_LANES
from commonsnode_store.answers import CommunityInfo, Page, RecordRef, RecordView
from commonsnode_store.store import Store

T = TypeVar("T")


class PublicStore:
    """A store without what only members read. Everything is found by name, id or list, and all these leave it out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def communities(self) -> list[CommunityInfo]:
        return [self._plain(info) for info in self._store.communities() if self._is_public(info.id)]

    def find(self, prefix: str, **which: Any) -> list[RecordRef]:
        return self._store.find(prefix, among=self._among(), **which)

    def page(self, **which: Any) -> Page:
        return self._store.page(among=self._among(), **which)

    def export(self, community: bytes) -> Iterator[RecordView]:
        return self._store.export(community, among=self._among())

    def _among(self) -> Callable[[bytes, str], bool]:
        public = {info.id for info in self._store.communities() if self._is_public(info.id)}
        return lambda community, lane: community in public and lane not in SEALED_LANES

    def _plain(self, info: CommunityInfo) -> CommunityInfo:
        sealed = [lane for lane in info.lanes if lane in SEALED_LANES]
        changesets = info.changesets - sum(self._store.lane_state(info.id, lane).count for lane in sealed)
        lanes = tuple(lane for lane in info.lanes if lane not in SEALED_LANES)
        return replace(info, lanes=lanes, records=info.records - info.sealed, changesets=changesets, sealed=0)

    def _is_public(self, community: bytes) -> bool:
        table = self._store.authority(community).table
        return table is None or not table.settings.members_only


class PublicWriter:
    """The reading half of a writer, over PublicStore."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def read(self, fn: Callable[[Store], T]) -> T:
        return await self._writer.read(lambda store: fn(cast(Store, PublicStore(store))))

    def stream(
        self, fn: Callable[[Store], Iterator[T]]
    ) -> AbstractAsyncContextManager[AsyncIterator[list[T]]]:
        return self._writer.stream(lambda store: fn(cast(Store, PublicStore(store))))


def public(node: Node) -> Node:
    """The node as everyone on TCP may read it; it can write nothing."""
    return replace(node, writer=cast(Writer, PublicWriter(node.writer)))
