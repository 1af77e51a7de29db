"""What a node does by itself whenever the authority of a community has changed.

A steward's node pins joins (rule 20), acks the tables that it follows (rule 10), and writes the certificate of its own
proposal once enough have signed. A member's node writes the election that it signed, once enough have (rule 23). The same for
the people of this node who are signed in, with their hand; and acks and pins with the node's own key for those who named it for
that. Every node notices when its own role has changed, and when the table that it followed is followed no more (rule 14), and
keeps that in words.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from commonsnode.authoring import Author
from commonsnode.errors import Refusal, Stopping
from commonsnode.governing import hand_of, role_of, steward_of
from commonsnode.invitations import void_of, why_not
from commonsnode.node import Node
from commonsnode.people.trusting import do_for
from commonsnode.stewards import complete_own, to_propose_again
from commonsnode.succession import complete as complete_election
from commonsnode.trail import change_words
from commonsnode.writing import Landed
from commonsnode_protocol.authority import MEMBER, STEWARD, Authority, writing
from commonsnode_protocol.authority.achieving import Void
from commonsnode_protocol.authority.writing import NotPossible
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.record import NONCE_BYTES
from commonsnode_store.errors import StoreError, UnknownCommunity
from commonsnode_store.store import Store

ACTS_AT_ONCE = 64  # in one job of the writer thread; what is left comes with the next

RandomBytes = Callable[[int], bytes]


class Duties:
    """The duties of one node. `start` in the event loop, `stop` before the writer is stopped."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._due: set[bytes] = set()
        self._all_due = False
        self._wake = asyncio.Event()
        self._unsubscribe: list[Callable[[], None]] = []
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
            self._node.log.error("duties-failed", cause=error)

    def _on_landed(self, landed: Landed) -> None:
        if landed.lane == AUTHORITY or landed.authority_changed:
            self._due.add(landed.community)
            self._wake.set()

    def _on_hand(self) -> None:
        self._all_due = True
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._find_all_due()
            except StoreError as error:
                self._node.log.warning("duties-not-done", problem=str(error))
            except Stopping:
                return
            while self._due:
                community = self._due.pop()
                try:
                    await self._do(community)
                except (Refusal, NotPossible, StoreError) as error:
                    self._node.log.warning("duties-not-done", community=community.hex(), problem=str(error))
                except Stopping:
                    return

    async def _find_all_due(self) -> None:
        if self._all_due:
            self._all_due = False
            self._due.update(await self._node.writer.read(lambda store: store.community_ids()))

    async def _do(self, community: bytes) -> None:
        node = self._node
        with suppress(UnknownCommunity):  # left in the meantime
            authority = await node.writer.read(lambda store: store.authority(community))
            await self._notice(community, authority)
            role = role_of(authority, node.id)
            if role in (STEWARD, MEMBER):
                done = await node.sign(lambda author: do_duties(author, community))
                if done == ACTS_AT_ONCE:
                    self._due.add(community)
            if await self._do_for_people(community, authority):
                self._due.add(community)
            if role == STEWARD:
                lost = await node.writer.run(lambda store: _lost(store, community, node.id))
                await self._tell(community, lost)
            elif role is None:
                await self._tell(
                    community, await node.writer.run(lambda store: _failed(store, community, node.id))
                )

    async def _do_for_people(self, community: bytes, authority: Authority) -> bool:
        """Whether there is more to do."""
        node, more = self._node, False
        signed_in = {session.person: session.seed for session in node.people.sessions}
        for person, seed in signed_in.items():
            if role_of(authority, person) in (STEWARD, MEMBER):
                done = await node.sign_as(seed, lambda author: do_duties(author, community))
                more = more or done == ACTS_AT_ONCE
        for account in node.people.accounts:
            warrant = account.warrants.get(community)
            if warrant is None or account.locked or account.id not in authority.stewards:
                continue
            done = await node.sign(partial(_do_for, community, account.id, warrant))
            more = more or done == ACTS_AT_ONCE
        return more

    async def _notice(self, community: bytes, authority: Authority) -> None:
        told = self._node.notices.of(community)
        table = authority.table.id.hex() if authority.table is not None else None
        role = role_of(authority, self._node.id)
        if (table, role) == (told.table, told.role):
            return
        name = authority.table.name if authority.table is not None else community.hex()[:8]
        texts = []
        if told.table is not None and told.table not in {each.id.hex() for each in authority.tables}:
            texts.append(
                f"{name}: the stewards' table {told.table[:8]}, which this node followed, is followed no more;"
                f" {table[:8] if table is not None else 'another'} is in its place. Nothing was deleted. Talk to the others: a former"
                " sole steward may have signed a second history"
            )
        if told.role != role and (told.table is not None or role != STEWARD):  # who founds it knows
            texts.append(f"{name}: {_role_words(told.role, role)}")
        told.table, told.role = table, role
        await self._tell(community, texts, save=True)

    async def _tell(self, community: bytes, texts: list[str], *, save: bool = False) -> None:
        notices = self._node.notices
        known = {each["text"] for each in notices.of(community).notices}
        for text in texts:
            if save or text not in known:
                self._node.log.warning("notice", community=community.hex(), text=text)
                notices.tell(community, self._node.clock.now_ms(), text)
                save = True
        if save:
            await notices.save()


def do_duties(author: Author, community: bytes, random_bytes: RandomBytes = os.urandom) -> int:
    """Write the acks, pins and certificates that are due of a steward; of a device of theirs that signs no tables, the pins; of a
    member who signed an election, that election once enough have. Returns how many."""
    held = author.store.evaluator(community)
    if held.chain is None or steward_of(held, author.key) is None:
        return int(complete_election(author, held, random_bytes))
    done = 0
    hand = hand_of(held, author.key, held.chain.current.stewards)
    if hand is not None:
        for parent, child in writing.to_ack(held, hand.person)[:ACTS_AT_ONCE]:
            nonce = random_bytes(NONCE_BYTES)
            draft = writing.ack(held, author.key, nonce, parent, child, stands_in=hand.stands_in)
            author.act(community, draft)
            done += 1
    for join in writing.to_pin(held)[: ACTS_AT_ONCE - done]:
        author.act(community, writing.pin(held, author.key, random_bytes(NONCE_BYTES), join))
        done += 1
    if done < ACTS_AT_ONCE and complete_own(author, held, random_bytes):
        done += 1
    return done


def _do_for(community: bytes, person: bytes, warrant: bytes, author: Author) -> int:
    return do_for(author, community, person, warrant, ACTS_AT_ONCE)


def _lost(store: Store, community: bytes, key: bytes) -> list[str]:
    return [
        f"your change of table {table.hex()[:8]} ({change_words(change)}) is not followed, since another change of the same table"
        " is; propose it again: commonsnode steward propose"
        for table, change in to_propose_again(store.evaluator(community), key)
    ]


def _failed(store: Store, community: bytes, key: bytes) -> list[str]:
    held = store.evaluator(community)
    if void_of(held, key) not in (Void.USED_UP, Void.WITHDRAWN):
        return []
    return [f"this node could not join: {why_not(held, key)}"]


def _role_words(before: str | None, after: str | None) -> str:
    if after is None:
        return (
            f"this node is no {before} any more: what it writes from now on waits here, and nobody else takes it, until a"
            " steward admits it again"
        )
    if before is None:
        return f"this node is a {after} now"
    if before == STEWARD:
        return f"this node is no steward any more, but a {after}"
    return f"this node is a {after} now, and was a {before}"
