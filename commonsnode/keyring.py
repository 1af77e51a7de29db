"""Keeps the keys of the sealed lane in order by itself, whenever authority or lane `keys` has changed.  Rules 38 and 39.

A steward's node makes an epoch where it has none that is good, and writes copies for who lacks one at once. A member's node writes
such copies too, so that a newcomer need not wait for a steward; after a random pause, in which another may have done it. The
same is done with the hands of people who are signed in; so what is held for them is sealed at their sign-in at the latest.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from commonsnode.errors import Refusal, Stopping
from commonsnode.governing import role_of
from commonsnode.node import Node
from commonsnode.sealing import keep_up
from commonsnode.writing import Landed
from commonsnode_protocol.authority import MEMBER, STEWARD
from commonsnode_protocol.changeset import AUTHORITY, KEYS
from commonsnode_store.errors import StoreError, UnknownCommunity
from commonsnode_store.store import Store

PAUSE_S_MAX = 2.0  # before a member's node hands a key on


class Keyring:
    """The keys of one node. `start` in the event loop, `stop` before the writer is stopped."""

    def __init__(
        self, node: Node, pause: Callable[[], float] = lambda: random.uniform(0, PAUSE_S_MAX)
    ) -> None:
        self._node = node
        self._pause = pause
        self._due: set[bytes] = set()
        self._later: dict[bytes, float] = {}  # community → when this node hands on what still lacks then
        self._wake = asyncio.Event()
        self._unsubscribe: list[Callable[[], None]] = []
        self._all_due = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._unsubscribe = [
            self._node.writer.subscribe(self._on_landed),
            self._node.people.subscribe(self._on_hand),
        ]
        self._on_hand()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._report)

    async def stop(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _report(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._node.log.error("keyring-failed", cause=error)

    def _on_landed(self, landed: Landed) -> None:
        if landed.lane in (AUTHORITY, KEYS) or landed.authority_changed:
            self._due.add(landed.community)
            self._wake.set()

    def _on_hand(self) -> None:
        self._all_due = True
        self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(self._later.values(), default=None)):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._find_all_due()
            except StoreError as error:
                self._node.log.warning("keys-not-kept", problem=str(error))
            except Stopping:
                return
            now = loop.time()
            ripe = {community for community, at in self._later.items() if at <= now}
            for community in {*self._due, *ripe}:
                self._due.discard(community)
                try:
                    await self._do(community, hand_on=community in ripe)
                except (Refusal, StoreError) as error:
                    self._node.log.warning("keys-not-kept", community=community.hex(), problem=str(error))
                except Stopping:
                    return

    async def _with_work(self, community: bytes, people: set[bytes]) -> list[bytes]:
        """Those of these people for whom something is held, who are stewards, or whose node reads nothing by itself."""

        def look(store: Store) -> list[bytes]:
            authority = store.authority(community)
            if role_of(authority, self._node.id) not in (STEWARD, MEMBER):
                return sorted(people & authority.members.keys())
            held = {write.author for write in store.held_writes(community)}
            return sorted(people & {*authority.stewards, *held})

        return await self._node.writer.read(look)

    async def _find_all_due(self) -> None:
        if self._all_due:
            self._all_due = False
            self._due.update(await self._node.writer.read(lambda store: store.community_ids()))

    async def _do(self, community: bytes, *, hand_on: bool) -> None:
        if hand_on:
            self._later.pop(community, None)
        node = self._node
        with suppress(UnknownCommunity):  # left in the meantime
            every = [await node.sign(lambda author: keep_up(author, community, hand_on=hand_on))]
            signed_in = {each.person for each in node.people.sessions}
            for person in await self._with_work(community, signed_in) if signed_in else ():
                # Who has signed out since is away.
                seed = next((each.seed for each in node.people.sessions if each.person == person), None)
                if seed is not None:
                    every.append(
                        await node.sign_as(seed, lambda author: keep_up(author, community, hand_on=hand_on))
                    )
            if any(kept.more for kept in every):
                self._due.add(community)
                self._wake.set()
            if not any(kept.copies_lack for kept in every):
                self._later.pop(community, None)
            elif community not in self._later:
                self._later[community] = asyncio.get_running_loop().time() + self._pause()
