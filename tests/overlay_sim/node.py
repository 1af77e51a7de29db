"""An honest node of the simulation: the real machines, driven as a daemon would drive them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from commonsnode_protocol.overlay.events import (
    Dial,
    Gained,
    Graft,
    Lost,
    MembershipEffect,
    Prune,
    Push,
    Release,
    Say,
    TreeEffect,
)
from commonsnode_protocol.overlay.frames import Contact, Eager, News, Shuffle, Walk, decode, encode
from commonsnode_protocol.overlay.membership import Membership, Shape
from commonsnode_protocol.overlay.tree import Tree
from overlay_sim.net import Net, Session

RECONCILE_MS = 30_000  # how often a node compares with one neighbour, where there is reconciliation


def contact(key: bytes) -> Contact:
    """As in this simulation: the first two bytes of a key are its range."""
    return Contact(key, key[:2])


def read(contact: Contact) -> tuple[bytes, int]:
    return contact.record, 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as its bytes."""

    data: bytes


@dataclass(slots=True)
class Counts:
    """What is measured, over all nodes."""

    copies: dict[bytes, int] = field(default_factory=dict)  # id → how often it was received in full by gossip
    hops: dict[bytes, list[int]] = field(default_factory=dict)  # id → over how many links each first had it
    messages: int = 0


class Node:
    """See the module. `bytes_`: frames travel as bytes, else as they are, which is faster."""

    def __init__(
        self,
        net: Net,
        key: bytes,
        counts: Counts,
        *,
        shape: Shape | None = None,
        bytes_: bool = True,
        reconciles: bool = False,
    ) -> None:
        self.key = key
        self.alive = True
        self.held: dict[bytes, None] = {}
        self.reconciles = reconciles
        self.membership = Membership(contact(key), net.random.randrange, read, net.now_ms, shape)
        self.tree = Tree()
        self._net = net
        self._counts = counts
        self._bytes = bytes_
        self._wake_at = 1 << 62
        net.add(self)
        self._schedule()
        if reconciles:
            self.reconcile_from_now_on()

    def knows(self, keys: Iterable[bytes]) -> None:
        self._membership(self.membership.learned(map(contact, keys), self._net.now_ms))

    def write(self, id_: bytes) -> None:
        """Something new of one's own."""
        self.held[id_] = None
        self._counts.copies[id_] = 0
        self._counts.hops[id_] = [0]
        self._tree(self.tree.landed((id_,), 0, None))

    # What the network says

    def opened(self, session: Session, *, dialled: bool) -> None:
        peer = session.other(self).key
        if self.reconciles and dialled:
            self._net.at(self._net.now_ms + 2 * session.delay_ms, self._compare, session)
        self._membership(self.membership.linked(peer, peer[:2], dialled=dialled, now_ms=self._net.now_ms))

    def closed(self, session: Session) -> None:
        self._membership(self.membership.unlinked(session.other(self).key, self._net.now_ms))

    def failed(self, key: bytes) -> None:
        self._membership(self.membership.failed(key, self._net.now_ms))

    def takes(self, session: Session, message: Any) -> None:
        peer = session.other(self).key
        self._counts.messages += 1
        if isinstance(message, Frame):
            _, message = decode(message.data)
        match message:
            case Push(_, ids, hops):
                self._pushed(peer, ids, hops)
            case News(hops, ids):
                self._tree(self.tree.announced(peer, hops, ids, self._net.now_ms))
            case Graft(_, ids):
                self._tree(self.tree.grafted(peer, tuple(id_ for id_ in ids if id_ in self.held)))
            case Eager():
                self._tree(self.tree.grafted(peer, ()))
            case Prune():
                self.tree.pruned(peer)
            case Walk() | Shuffle():  # these change nothing about when to wake
                for effect in self.membership.received(peer, message, self._net.now_ms):
                    if isinstance(effect, Say):
                        self._send(
                            effect.peer, Frame(encode(0, effect.frame)) if self._bytes else effect.frame
                        )
            case _:
                self._membership(self.membership.received(peer, message, self._net.now_ms))

    def _pushed(self, peer: bytes, ids: tuple[bytes, ...], hops: int) -> None:
        fresh = []
        for id_ in ids:
            self._counts.copies[id_] += 1
            if id_ not in self.held:
                self.held[id_] = None
                self._counts.hops[id_].append(hops)
                fresh.append(id_)
        effects = self.tree.arrived(peer, ids, hops, self._net.now_ms)
        if fresh:
            effects = effects + self.tree.landed(tuple(fresh), hops, peer)
        self._tree(effects)

    # Reconciliation, as what it does

    def reconcile_from_now_on(self) -> None:
        self.reconciles = True
        self._net.at(self._net.now_ms + self._net.random.randrange(RECONCILE_MS), self._reconcile)

    def _reconcile(self) -> None:
        if not self.alive:
            return
        sessions = list(self._net.sessions[self.key].values())
        if sessions:
            session = self._net.random.choice(sessions)
            self._net.at(self._net.now_ms + 2 * session.delay_ms, self._compare, session)
        self._net.at(self._net.now_ms + RECONCILE_MS, self._reconcile)

    def _compare(self, session: Session) -> None:
        one, other = session.ends
        if session.open and one.alive and other.alive and isinstance(one, Node) and isinstance(other, Node):
            ours, theirs = list(one.held), list(other.held)
            one.reconciled([id_ for id_ in theirs if id_ not in one.held], other.key)
            other.reconciled([id_ for id_ in ours if id_ not in other.held], one.key)

    def reconciled(self, ids: list[bytes], peer: bytes) -> None:
        if ids:
            self.held.update(dict.fromkeys(ids))
            self._tree(self.tree.landed(tuple(ids), 0, peer))

    # What the machines want

    def _membership(self, effects: list[MembershipEffect]) -> None:
        for effect in effects:
            match effect:
                case Say(peer, frame):
                    self._send(peer, Frame(encode(0, frame)) if self._bytes else frame)
                case Dial(to):
                    self._net.dial(self, to.key)
                case Gained(peer):
                    self.tree.gained(peer)
                case Lost(peer):
                    self.tree.lost(peer)
                case Release(peer):
                    session = self._net.sessions[self.key].get(peer)
                    if session is not None:
                        self._net.close(session, self)
        self._schedule()

    def _tree(self, effects: list[TreeEffect]) -> None:
        for effect in effects:
            match effect:
                case Say(peer, frame):
                    self._send(peer, Frame(encode(0, frame)) if self._bytes else frame)
                case Push(peers):
                    for peer in peers:
                        self._send(peer, effect)
                case Graft(peer) | Prune(peer):
                    self._send(peer, effect)
        due = self.tree.next_wake() if self.tree.waiting else None
        if due is not None and due < self._wake_at:
            self._wake_at = due
            self._net.at(due, self._wake, due)

    def _send(self, peer: bytes, message: Any) -> None:
        session = self._net.sessions[self.key].get(peer)
        if session is not None:
            self._net.send(session, self, message)

    def _schedule(self) -> None:
        at = max(self.membership.next_wake(), self._net.now_ms)
        if at < self._wake_at:
            self._wake_at = at
            self._net.at(at, self._wake, at)

    def _wake(self, at: int) -> None:
        if at != self._wake_at or not self.alive:
            return
        self._wake_at = 1 << 62
        now = self._net.now_ms
        if self.membership.next_wake() <= now:
            self._membership(self.membership.wake(now))
        else:
            self._schedule()
        due = self.tree.next_wake()
        if due is not None and due <= now:
            self._tree(self.tree.wake(now))
        elif due is not None and due < self._wake_at:
            self._wake_at = due
            self._net.at(due, self._wake, due)
