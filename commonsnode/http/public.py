"""What everyone may see of a store: a community that only members read is not there at all.

The TCP site reads through this. Members read such a community at the socket of their own node; signing in comes later.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, TypeVar, cast

from commonsnode.node import Node
from commonsnode.writing import Writer
from commonsnode_store.answers import CommunityInfo, Page, RecordRef
from commonsnode_store.store import Store

T = TypeVar("T")


class PublicStore:
    """A store without what only members read. Everything is found by name, id or list, and all these leave it out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def communities(self) -> list[CommunityInfo]:
        return [info for info in self._store.communities() if self._is_public(info.id)]

    def find(self, prefix: str, **which: Any) -> list[RecordRef]:
        return [ref for ref in self._store.find(prefix, **which) if self._is_public(ref.community)]

    def page(self, **which: Any) -> Page:
        page = self._store.page(**which)
        records = [view for view in page.records if self._is_public(view.community)]
        # How many there are in all would tell of those left out.
        return page if len(records) == len(page.records) else replace(page, records=records, total=None)

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
