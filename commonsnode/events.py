"""What landed, told to those who listen: looked up once for all of them, and to each only what they may know of.

Nothing is looked up while nobody listens. Who takes what is told more slowly than it comes, is told so and let go; they come
back with the id of the last event that they had.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from commonsnode.errors import Busy, Stopping
from commonsnode.logs import Log
from commonsnode.writing import Landed, Writer
from commonsnode_store.errors import StoreError, UnknownCommunity
from commonsnode_store.news import News
from commonsnode_store.store import Store

LISTENERS_MAX = 128
STRANGERS_MAX = 96  # of these, who speak for nobody: the rest are places for people of this node
TOLD_MAX = 256  # events that wait for one listener
LANDED_MAX = 1_024  # that wait to be looked up
LOOKED_UP_MAX = 64  # at once

Sees: TypeAlias = Callable[[Store, bytes, str], bool]  # of who listens: whether they may know of this lane


@dataclass(frozen=True, slots=True)
class Fallen:
    """Less stands in a lane than before: what was shown of it is to be read anew."""

    community: bytes
    lane: str


@dataclass(frozen=True, slots=True)
class Lost:
    """So much landed at once that it is not told one by one: all that was shown is to be read anew."""


Event: TypeAlias = News | Fallen | Lost


class Listener:
    """One who listens. `next` gives what comes, and raises as said there."""

    def __init__(self, who: object, sees: Sees) -> None:
        self.who = who
        self.sees = sees
        self._waiting: asyncio.Queue[Event | None] = asyncio.Queue(TOLD_MAX + 1)
        self._ended: type[Busy | Stopping] | None = None

    async def next(self, within_s: float) -> Event | None:
        """The next event; none where there was none for so long. Raises Busy for who was too slow, Stopping at the end."""
        if self._ended is not None and self._waiting.empty():
            raise self._reason()
        try:
            async with asyncio.timeout(within_s):
                event = await self._waiting.get()
        except TimeoutError:
            return None
        if event is None:
            raise self._reason()
        return event

    def tell(self, event: Event) -> None:
        if self._ended is not None:
            return
        if self._waiting.qsize() >= TOLD_MAX:
            self.end(Busy)
        else:
            self._waiting.put_nowait(event)

    def end(self, why: type[Busy] | type[Stopping]) -> None:
        """After what waits already, `next` raises this."""
        if self._ended is None:
            self._ended = why
            self._waiting.put_nowait(None)

    def _reason(self) -> Exception:
        if self._ended is Busy:
            return Busy(f"more than {TOLD_MAX} events wait to be taken; connect again with the last id")
        return Stopping()


class Events:
    """The listeners of one node. `start` in the event loop, `stop` before the writer is stopped."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._listeners: list[Listener] = []
        self._landed: asyncio.Queue[Landed] = asyncio.Queue(LANDED_MAX)
        self._lost = False  # whether there was no place for something that landed
        self._unsubscribe: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._log = Log("events")

    async def start(self) -> None:
        self._unsubscribe = self._writer.subscribe(self._on_landed)
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._report)

    async def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for listener in self._listeners:
            listener.end(Stopping)

    @contextmanager
    def listen(self, who: object, sees: Sees) -> Iterator[Listener]:
        """Listen while this block lasts. who: the same for all who see the same; none for strangers. Raises Busy, Stopping."""
        if self._task is None or self._task.done():
            raise Stopping
        strangers = sum(listener.who is None for listener in self._listeners)
        if len(self._listeners) >= LISTENERS_MAX or (who is None and strangers >= STRANGERS_MAX):
            raise Busy(
                "this node tells as many as it can at a time what lands; ask again in a while, or read now and then"
            )
        listener = Listener(who, sees)
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)

    def _on_landed(self, landed: Landed) -> None:
        if not self._listeners:
            return
        try:
            self._landed.put_nowait(landed)
        except asyncio.QueueFull:
            self._lost = True

    async def _run(self) -> None:
        while True:
            landed = [await self._landed.get()]
            while len(landed) < LOOKED_UP_MAX and not self._landed.empty():
                landed.append(self._landed.get_nowait())
            listeners = list(self._listeners)
            sees = {listener.who: listener.sees for listener in listeners}
            try:
                found = await self._writer.read(lambda store, what=landed, by=sees: look_up(store, what, by))  # type: ignore[misc]
            except StoreError as error:
                self._log.warning("events-not-told", problem=str(error))
                self._lost = True
                found = []
            except Stopping:
                return
            for event, by in found:
                for listener in listeners:
                    if listener.who in by:
                        listener.tell(event)
            if self._lost:
                self._lost = False
                for listener in listeners:
                    listener.tell(Lost())

    def _report(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("events-failed", cause=error)
            for listener in self._listeners:
                listener.end(Stopping)


def look_up(
    store: Store, landed: Sequence[Landed], sees: Mapping[object, Sees]
) -> list[tuple[Event, set[object]]]:
    """What landed, with who may know of it. In a reader thread. Raises the store's errors."""
    found: list[tuple[Event, set[object]]] = []
    for each in landed:
        try:
            by = {who for who, may in sees.items() if may(store, each.community, each.lane)}
            event: Event | None = None
            if by:
                event = store.news(each.community, each.lane, each.ids)
                if event is None:  # nothing came to stand, or it fell in the meantime
                    event = Fallen(each.community, each.lane)
        except UnknownCommunity:  # left in the meantime
            continue
        if event is not None:
            found.append((event, by))
    return found
