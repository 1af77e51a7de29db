"""What a node does by itself for the things that its people keep: where their rules confirm at once, it confirms what it sees.

Only a keeper's word protects a reservation from what is written later and dated earlier (rule 36), so it is given as soon as an ask
comes in: with the node's own hand, for its own person and for those who named it, and with those of people who are signed in. What people must be told goes to the log, too.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from commonsnode.authoring import Author
from commonsnode.deciding import confirm_at_once, waits_for_keeper
from commonsnode.errors import Refusal, Stopping
from commonsnode.governing import named_by
from commonsnode.node import Node
from commonsnode.reservations import Both, News, asked_of, news
from commonsnode.writing import Landed
from commonsnode_protocol.changeset import KEYS
from commonsnode_store.errors import StoreError
from commonsnode_store.store import Store

ACTS_AT_ONCE = 64  # in one job of the writer thread; what is left comes with the next
PAUSE_S = 0.2  # after it was done, so that a stream of changes costs little
PAUSE_FACTOR = 3  # and so many times what it took
PAUSE_S_MAX = 30.0
LOOK_S = 600.0  # how often it looks when nothing comes in: what becomes overdue does so by itself
TOLD_MAX = 4_096  # matters that are remembered as logged


class ReservationDuty:
    """The duty of one node. `start` in the event loop, `stop` before the writer is stopped."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._due: set[bytes] | None = None  # communities; none: all
        self._wake = asyncio.Event()
        self._told: dict[tuple[bytes, str], None] = {}
        self._unsubscribe: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._node.concerns.start()
        self._unsubscribe = [
            self._node.writer.subscribe(self._on_landed),
            self._node.people.subscribe(self._on_hand),
        ]
        self._wake.set()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._report)

    async def stop(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._node.concerns.stop()

    def _report(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._node.log.error("reservation-duty-failed", cause=error)

    def _on_landed(self, landed: Landed) -> None:
        if landed.lane == KEYS:
            return
        if self._due is not None:
            self._due.add(landed.community)
        self._wake.set()

    def _on_hand(self) -> None:
        self._due = None
        self._wake.set()

    async def _run(self) -> None:
        while True:
            # Not wait_for, which forgets to be cancelled where what it waits for comes at that moment (Python 3.11).
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()
            began = time.monotonic()
            due, self._due = self._due, set()
            try:
                await self._confirm_of(self._node.id, self._node.seed, await self._node.concerns.every())
                for key, seed in {each.person: each.seed for each in self._node.people.sessions}.items():
                    await self._confirm_of(key, seed, await self._node.writer.read(partial(_asked, due, key)))
                await self._confirm_for_those_away(due)
                self._log(await self._node.concerns.every())
            except (Refusal, StoreError) as error:
                self._node.log.warning("reservation-duty-not-done", problem=str(error))
                self._due = None
            except Stopping:
                return
            took = time.monotonic() - began
            await asyncio.sleep(min(max(PAUSE_S, PAUSE_FACTOR * took), PAUSE_S_MAX))

    async def _confirm_of(self, key: bytes, seed: bytes, every: Iterable[Both]) -> None:
        """For one person, of whom this key is, with their hand or that of the node which they named."""
        now_ms = self._node.clock.now_ms()
        things = dict.fromkeys(
            (held.community, held.resource)
            for held, each in every
            if waits_for_keeper(held, each, key, now_ms)
        )
        for community, resource in things:
            if await self._node.sign_as(seed, partial(_confirm, community, resource, key)) == ACTS_AT_ONCE:
                self._on_hand()

    async def _confirm_for_those_away(self, due: set[bytes] | None) -> None:
        """With the node's own hand for those who named it, and are not locked out here."""
        node = self._node
        locked = {account.id for account in node.people.accounts if account.locked}
        named = await node.writer.read(partial(_by_whom_named, due, node.id))
        for community, person in named:
            if person not in locked:
                every = await node.writer.read(partial(_asked, {community}, person))
                await self._confirm_of(person, node.seed, every)

    def _log(self, concerning: list[Both]) -> None:
        for each in news(concerning, self._node.id, self._node.clock.now_ms()):
            named = each.booking.ask.record, each.matter.value
            if named not in self._told:
                self._told[named] = None
                self._node.log.info("reservation-notice", **_named(each))
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]


def _confirm(community: bytes, resource: bytes, keeper: bytes, author: Author) -> int:
    return confirm_at_once(author, author.store.bookings(community, resource), ACTS_AT_ONCE, keeper)


def _named(each: News) -> dict[str, str]:
    return {
        "matter": each.matter.value,
        "reservation": each.booking.ask.record.hex(),
        "resource": each.held.resource.hex(),
        "community": each.held.community.hex(),
    }


def _asked(due: set[bytes] | None, key: bytes, store: Store) -> list[Both]:
    return asked_of(store, [each for each in store.community_ids() if due is None or each in due], key)


def _by_whom_named(due: set[bytes] | None, node_key: bytes, store: Store) -> list[tuple[bytes, bytes]]:
    """(community, person) of all who named this node."""
    communities = [each for each in store.community_ids() if due is None or each in due]
    return [
        (community, each)
        for community in communities
        for each in named_by(store.authority(community), node_key)
    ]
