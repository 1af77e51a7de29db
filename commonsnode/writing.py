"""The one thread that writes to the store, and the few that read it: the event loop never waits for the disk.

Jobs are carried out in the order in which they were accepted. What peers bring for one lane, and queues up, is applied in one
transaction. A result is given back after its commit, never before.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from commonsnode.errors import Busy, Stopping
from commonsnode.logs import Log
from commonsnode_protocol.intake import Checked
from commonsnode_store.answers import Applied
from commonsnode_store.store import Store

T = TypeVar("T")

WRITES_QUEUED_MAX = 64  # jobs; who comes later waits for a place
READERS_MAX = 3  # threads for short reads
STREAMS_MAX = 3  # threads for exports and checks, so that these never hold up a page
STREAM_CHUNK_ITEMS = 128
STREAM_CHUNKS_MAX = 4  # read ahead of who takes them
GROUP_CHANGESETS_MAX = 4_096  # in one transaction
GROUP_BYTES_MAX = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Landed:
    """What came to stand in one lane by one apply. via: who brought it, None for this node itself. No ids: only less stands."""

    community: bytes
    lane: str
    ids: tuple[bytes, ...]
    via: object | None
    authority_changed: bool


@dataclass(slots=True)
class _Work(Generic[T]):
    fn: Callable[[Store], T]
    done: asyncio.Future[T]


@dataclass(slots=True)
class _Batch:
    community: bytes
    lane: str
    changesets: Sequence[Checked]
    via: object
    done: asyncio.Future[Applied]

    @property
    def size(self) -> int:
        return sum(len(checked.signed.body) for checked in self.changesets)


class Writer:
    """Carries out writes and reads of one store, off the event loop.

    Made and used in the event loop, except `publish`. `stop` has to be awaited before the store is closed.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        """now_ms: the time to note as the moment at which changesets were first seen here."""
        self._store = store
        self._now_ms = now_ms
        self._loop = asyncio.get_running_loop()
        self._places = asyncio.Semaphore(WRITES_QUEUED_MAX)
        self._jobs: deque[_Work[Any] | _Batch] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self.carried_out = 0  # jobs, since the start
        self._subscribers: list[Callable[[Landed], None]] = []
        self._readers = ThreadPoolExecutor(READERS_MAX, "reader")
        self._streams = ThreadPoolExecutor(STREAMS_MAX, "stream")
        self._handoffs: set[_Handoff[Any]] = set()
        self._log = Log("writing")
        self._thread = threading.Thread(target=self._write, name="writer")
        self._thread.start()

    async def run(self, fn: Callable[[Store], T]) -> T:
        """Carry out `fn` in the writer thread and give back what it gives; its errors come to the caller.

        Once begun with, it is carried out to its end, also when the caller is cancelled. Raises Stopping.
        """
        done: asyncio.Future[T] = self._loop.create_future()
        await self._accept(_Work(fn, done))
        return await done

    async def apply(self, community: bytes, lane: str, batch: Sequence[Checked], via: object) -> Applied:
        """Apply changesets that a peer brought; `via` goes to the subscribers. Raises Stopping and the store's errors."""
        done: asyncio.Future[Applied] = self._loop.create_future()
        await self._accept(_Batch(community, lane, batch, via, done))
        return await done

    async def read(self, fn: Callable[[Store], T]) -> T:
        """Carry out `fn`, which only reads, in one of the reader threads."""
        if self._stopping:
            raise Stopping
        return await self._loop.run_in_executor(self._readers, fn, self._store)

    @asynccontextmanager
    async def stream(self, fn: Callable[[Store], Iterator[T]]) -> AsyncIterator[AsyncIterator[list[T]]]:
        """Read something long bit by bit: lists of items, made no faster than they are taken.

        Raises Busy when STREAMS_MAX of these are under way, and where it is read, what `fn` raises.
        """
        if self._stopping:
            raise Stopping
        if len(self._handoffs) >= STREAMS_MAX:
            raise Busy(f"this node does {STREAMS_MAX} exports and checks at a time; ask again in a while")
        handoff: _Handoff[T] = _Handoff(self._loop)
        self._handoffs.add(handoff)
        thread = self._loop.run_in_executor(self._streams, handoff.fill, fn, self._store)
        thread.add_done_callback(lambda _: self._handoffs.discard(handoff))
        try:
            yield handoff.take()
        finally:
            handoff.close()

    def subscribe(self, callback: Callable[[Landed], None]) -> Callable[[], None]:
        """Call `callback` in the event loop after each apply by which something came to stand; returns how to end it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def publish(self, community: bytes, lane: str, applied: Applied, via: object | None) -> None:
        """Tell the subscribers what an apply brought. From any thread; who applies in `run` calls it."""
        landed = []
        if applied.new or applied.authority_changed:
            landed.append(Landed(community, lane, applied.new, via, applied.authority_changed))
        # Of what fell nothing is passed on, but that the lane is another one now.
        moved = {**dict.fromkeys(applied.fallen, ()), **applied.risen}
        landed += [
            Landed(community, of, ids, None, False)
            for of, ids in moved.items()
            if ids or applied.fallen.get(of)
        ]
        if landed:
            self._loop.call_soon_threadsafe(self._tell, landed)

    async def stop(self) -> None:
        """Carry out the accepted commands, give back the peers' batches (they come again), end all threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        for handoff in self._handoffs:
            handoff.close()
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._readers.shutdown, True, cancel_futures=True)
        await asyncio.to_thread(self._streams.shutdown, True, cancel_futures=True)

    async def _accept(self, job: _Work[Any] | _Batch) -> None:
        await self._places.acquire()
        with self._changed:
            if self._stopping:
                self._places.release()
                raise Stopping
            self._jobs.append(job)
            self._changed.notify()

    def _tell(self, landed: list[Landed]) -> None:
        for event in landed:
            for callback in tuple(self._subscribers):
                callback(event)

    # What follows runs in the writer thread.

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._jobs and not self._stopping:
                    self._changed.wait()
                if not self._jobs:
                    return
                job = self._jobs.popleft()
                group = self._queued_up_with(job) if isinstance(job, _Batch) else []
                stopping = self._stopping
            if isinstance(job, _Work):
                self._carry_out(job)
            elif stopping:
                for batch in group:
                    self._give_back(batch.done, error=Stopping())
            else:
                self._apply(group)

    def _queued_up_with(self, first: _Batch) -> list[_Batch]:
        group, count, size = [first], len(first.changesets), first.size
        while self._jobs:
            batch = self._jobs[0]
            if not isinstance(batch, _Batch) or (batch.community, batch.lane) != (
                first.community,
                first.lane,
            ):
                break
            count, size = count + len(batch.changesets), size + batch.size
            if count > GROUP_CHANGESETS_MAX or size > GROUP_BYTES_MAX:
                break
            group.append(batch)
            self._jobs.popleft()
        return group

    def _carry_out(self, work: _Work[Any]) -> None:
        try:
            result = work.fn(self._store)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            self._give_back(work.done, error=error)
        else:
            self._give_back(work.done, result=result)

    def _apply(self, group: list[_Batch]) -> None:
        first = group[0]
        changesets = [checked for batch in group for checked in batch.changesets]
        try:
            applied = self._store.apply(first.community, first.lane, changesets, seen_ms=self._now_ms())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            for batch in group:
                self._give_back(batch.done, error=error)
            return
        for batch, part in zip(group, _shares(group, applied), strict=True):
            self.publish(batch.community, batch.lane, part, batch.via)
            self._give_back(batch.done, result=part)

    def _give_back(
        self, done: asyncio.Future[Any], *, result: object = None, error: BaseException | None = None
    ) -> None:
        def settle() -> None:
            self._places.release()
            self.carried_out += 1
            if done.cancelled():
                if error is not None and not isinstance(error, Stopping):
                    self._log.error("write-failed-unheard", cause=error)
            elif error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)

        self._loop.call_soon_threadsafe(settle)


def _shares(group: list[_Batch], applied: Applied) -> list[Applied]:
    """What the apply of a whole group did, batch by batch: an id that two of them brought is new by the first."""
    if len(group) == 1:
        return [applied]
    new, refused = set(applied.new), set(applied.refused)
    parts: list[Applied] = []
    for batch in group:
        ids = list(dict.fromkeys(checked.id for checked in batch.changesets))
        fresh = tuple(i for i in ids if i in new)
        new.difference_update(fresh)
        gone = tuple(i for i in ids if i in refused)
        known = tuple(i for i in ids if i not in refused and i not in fresh)
        first = not parts
        parts.append(
            Applied(
                new=fresh,
                waiting=(),
                refused=gone,
                known=known,
                risen=applied.risen if first else {},
                fallen=applied.fallen if first else {},
                authority_changed=applied.authority_changed and first,
            )
        )
    return parts


class _Handoff(Generic[T]):
    """A few chunks between a thread that makes items and the event loop that takes them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._chunks: deque[list[T]] = deque()
        self._changed = threading.Condition()
        self._arrived = asyncio.Event()
        self._closed = False
        self._done = False
        self._error: BaseException | None = None

    def fill(self, fn: Callable[[Store], Iterator[T]], store: Store) -> None:
        """In the thread: make chunks until the end, an error, or until nobody takes them any more."""
        try:
            items = fn(store)
            while not self._closed and (chunk := list(islice(items, STREAM_CHUNK_ITEMS))):
                with self._changed:
                    while len(self._chunks) >= STREAM_CHUNKS_MAX and not self._closed:
                        self._changed.wait()
                    self._chunks.append(chunk)
                self._loop.call_soon_threadsafe(self._arrived.set)
            close = getattr(items, "close", None)
            if close is not None:
                close()  # ends the snapshot now, in the thread that holds it
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            self._error = error
        self._done = True
        self._loop.call_soon_threadsafe(self._arrived.set)

    async def take(self) -> AsyncIterator[list[T]]:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            ended = self._done  # read before the chunks: what came before the end is taken first
            while self._chunks:
                with self._changed:
                    chunk = self._chunks.popleft()
                    self._changed.notify()
                yield chunk
            if ended:
                if self._error is not None:
                    raise self._error
                return

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
