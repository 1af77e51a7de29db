"""What the services and the HTTP API have in hand while a node runs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from commonsnode import speaking
from commonsnode.addresses import Addresses
from commonsnode.authoring import Author
from commonsnode.calendar_links import CalendarLinks
from commonsnode.clock import Clock
from commonsnode.concerns import Concerns
from commonsnode.config import Config
from commonsnode.events import Events
from commonsnode.home import Home
from commonsnode.logs import Log
from commonsnode.notices import Notices
from commonsnode.peers import Peers
from commonsnode.peers.lan import Lan
from commonsnode.people import People
from commonsnode.speaking import Who
from commonsnode.writing import Writer

T = TypeVar("T")

IMPORTS_MAX = 2  # at the same time


@dataclass(frozen=True, slots=True)
class Node:
    """One running node. id: the public key (32 bytes) that it signs with. seed: the secret of that, never shown."""

    home: Home
    config: Config
    id: bytes
    seed: bytes = field(repr=False)
    writer: Writer
    clock: Clock
    peers: Peers
    addresses: Addresses
    notices: Notices
    people: People
    concerns: Concerns
    log: Log
    events: Events
    calendar_links: CalendarLinks
    lan: Lan | None  # None where nobody else's machine can reach this node, or its operator does not want it
    imports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IMPORTS_MAX))
    checking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign(self, fn: Callable[[Author], T]) -> T:
        """Carry out `fn` in the writer thread, with this node's hand. Its errors come to the caller."""
        return await self.sign_as(self.seed, fn)

    async def sign_as(self, seed: bytes, fn: Callable[[Author], T], who: Who = speaking.NODE) -> T:
        """The same with another key, whose seed is held for this one act. who: is spoken of where that is refused."""
        return await self.writer.run(
            lambda store: fn(Author(store, seed, self.clock.now_ms(), self.writer.publish, who))
        )
