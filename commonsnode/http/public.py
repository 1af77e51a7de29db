"""What one may see of a store who is not its operator: a community that only members read, and the sealed lanes of any, are
not there for others.

The TCP site reads through this: as nobody, or as the person who is signed in.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, TypeVar, cast

from commonsnode.governing import role_of
from commonsnode.node import Node
from commonsnode.writing import Landed, Writer
from commonsnode_protocol.admission import SEALED_LANES
from commonsnode_protocol.authority import MEMBER, STEWARD, Authority
from commonsnode_store.answers import Applied, CommunityInfo, HeldWrite, Page, RecordRef, RecordView
from commonsnode_store.asked import Facets, FindPage, FindQuery
from commonsnode_store.errors import UnknownCommunity
from commonsnode_store.news import News
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

T = TypeVar("T")


class SeenStore:
    """A store without what this person may not read. Everything is found by name, id or list, and all these leave it out."""

    def __init__(self, store: Store, person: bytes | None) -> None:
        """person: none for everyone."""
        self._store = store
        self._person = person

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def communities(self) -> list[CommunityInfo]:
        return [self._plain(info) for info in self._store.communities() if self._is_seen(info.id)]

    def community(self, community: bytes) -> CommunityInfo:
        if not self._is_seen(community):
            raise UnknownCommunity(community)
        return self._plain(self._store.community(community))

    def names(self) -> dict[bytes, str | None]:
        return {
            community: name for community, name in self._store.names().items() if self._is_seen(community)
        }

    def count_things(self, query: FindQuery) -> Facets:
        return self._store.count_things(query, among=self._among())

    def community_ids(self) -> list[bytes]:
        return [community for community in self._store.community_ids() if self._is_seen(community)]

    def find(self, prefix: str, **which: Any) -> list[RecordRef]:
        return self._store.find(prefix, among=self._among(), **which)

    def page(self, **which: Any) -> Page:
        return self._store.page(among=self._among(), **which)

    def records(
        self, community: bytes, lane: str, kind: str, ids: Sequence[bytes]
    ) -> dict[bytes, RecordView]:
        return self._store.records(community, lane, kind, ids) if self._among()(community, lane) else {}

    def find_things(self, query: FindQuery, **which: Any) -> FindPage:
        return self._store.find_things(query, among=self._among(), **which)

    def whole(self, ref: RecordRef) -> RecordView | None:
        return self._store.whole(ref, among=self._among())

    def events(self, community: bytes, resource: bytes) -> list[RecordView]:
        return self._store.events(community, resource, among=self._among())

    def cared_for(self, community: bytes | None) -> list[RecordView]:
        return self._store.cared_for(community, among=self._among())

    def half(self, ref: RecordRef) -> RecordRef | None:
        return self._store.half(ref, among=self._among())

    def count(self, community: bytes, lane: str, kinds: Collection[str]) -> int:
        return self._store.count(community, lane, kinds) if self._among()(community, lane) else 0

    def export(self, community: bytes, *, whole: bool = False) -> Iterator[RecordView]:
        return self._store.export(community, among=self._among(), whole=whole)

    def bookings(self, community: bytes, resource: bytes) -> ThingBookings:
        if not self._is_seen(community):
            raise UnknownCommunity(community)
        return self._open(self._store.bookings(community, resource))

    def reservation(self, community: bytes, record: bytes) -> tuple[ThingBookings, Reserved] | None:
        found = self._store.reservation(community, record)
        if found is None or not self._among()(community, found[1].lane):
            return None
        return self._open(found[0]), found[1]

    def reserved_together(self, community: bytes, ask: bytes) -> list[tuple[ThingBookings, Reserved]]:
        among = self._among()
        return [
            (self._open(held), each)
            for held, each in self._store.reserved_together(community, ask)
            if among(community, each.lane)
        ]

    def reservations(
        self, community: bytes | None = None, **which: Any
    ) -> list[tuple[ThingBookings, Reserved]]:
        among, opened = self._among(), dict[bytes, ThingBookings]()
        return [
            (opened.setdefault(held.resource, self._open(held)), reserved)
            for held, reserved in self._store.reservations(community, **which)
            if among(held.community, reserved.lane)
        ]

    def news(self, community: bytes, lane: str, ids: Sequence[bytes]) -> News | None:
        return self._store.news(community, lane, ids) if self.sees(community, lane) else None

    def news_after(self, last: bytes) -> list[News] | None:
        return self._store.news_after(last, among=self._among())

    def newest(self) -> bytes | None:
        return self._store.newest(among=self._among())

    def sees(self, community: bytes, lane: str) -> bool:
        """Whether this person may know what is in a lane. Raises UnknownCommunity."""
        return self._is_seen(community) and (lane not in SEALED_LANES or self._is_opened(community))

    def held_writes(self, community: bytes | None = None) -> list[HeldWrite]:
        return [held for held in self._store.held_writes(community) if held.author == self._person]

    def _among(self) -> Callable[[bytes, str], bool]:
        seen = set(self.community_ids())
        opened = {community for community in seen if self._is_opened(community)}
        return lambda community, lane: community in (opened if lane in SEALED_LANES else seen)

    def _open(self, held: ThingBookings) -> ThingBookings:
        """What is reserved of a thing, without what is asked for in lanes that are not seen."""
        among = self._among()
        return replace(
            held, reserved=tuple(each for each in held.reserved if among(held.community, each.lane))
        )

    def _plain(self, info: CommunityInfo) -> CommunityInfo:
        if self._is_opened(info.id):
            return info
        sealed = [lane for lane in info.lanes if lane in SEALED_LANES]
        changesets = info.changesets - sum(self._store.lane_state(info.id, lane).count for lane in sealed)
        lanes = tuple(lane for lane in info.lanes if lane not in SEALED_LANES)
        return replace(info, lanes=lanes, records=info.records - info.sealed, changesets=changesets, sealed=0)

    def _is_opened(self, community: bytes) -> bool:
        authority = self._store.authority(community)
        return self._person is not None and role_of(authority, self._person) in (MEMBER, STEWARD)

    def _is_seen(self, community: bytes) -> bool:
        return may_read(self._store.authority(community), self._person)


class SeenWriter:
    """A writer over SeenStore. Who may write through it is decided before, by the route."""

    def __init__(self, writer: Writer, person: bytes | None) -> None:
        self._writer = writer
        self._person = person

    def publish(self, community: bytes, lane: str, applied: Applied, via: object | None) -> None:
        self._writer.publish(community, lane, applied, via)

    def subscribe(self, callback: Callable[[Landed], None]) -> Callable[[], None]:
        return self._writer.subscribe(callback)

    async def run(self, fn: Callable[[Store], T]) -> T:
        return await self._writer.run(lambda store: fn(self._seen(store)))

    async def read(self, fn: Callable[[Store], T]) -> T:
        return await self._writer.read(lambda store: fn(self._seen(store)))

    def stream(
        self, fn: Callable[[Store], Iterator[T]]
    ) -> AbstractAsyncContextManager[AsyncIterator[list[T]]]:
        return self._writer.stream(lambda store: fn(self._seen(store)))

    def _seen(self, store: Store) -> Store:
        return cast(Store, SeenStore(store, self._person))


def may_read(authority: Authority, person: bytes | None) -> bool:
    """Whether this person, or everyone, may read a community."""
    table = authority.table
    if table is None or not table.settings.members_only:
        return True
    return person is not None and role_of(authority, person) is not None


def seen_by(node: Node, person: bytes) -> Node:
    """The node as this person may read it."""
    return replace(node, writer=cast(Writer, SeenWriter(node.writer, person)))


def public(node: Node) -> Node:
    """The node as everyone may read it."""
    return replace(node, writer=cast(Writer, SeenWriter(node.writer, None)))
