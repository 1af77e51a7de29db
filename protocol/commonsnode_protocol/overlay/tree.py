"""Which neighbours are sent a change in full, and which only the news of it: Plumtree, for one lane.  SPEC.md, "Overlay".

Leitão, Pereira, Rodrigues 2007, "Epidemic Broadcast Trees". A state machine without I/O or clock. All neighbours begin eager;
who brings what is here already is pruned, so that the eager links become a tree. What is announced and does not come in time is
grafted from who announced it, which mends the tree; and a link over which news came much earlier takes the place of a long way.

What is passed on is decided by the caller, who checks it first: `arrived` says what came, `landed` what stands.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from commonsnode_protocol.limits import ANNOUNCED_MAX, HOPS_MAX
from commonsnode_protocol.overlay.events import Graft, Prune, Push, Say, TreeEffect
from commonsnode_protocol.overlay.frames import Eager, News

GRAFT_MS = 1_000  # how long what was announced may be on its way before it is grafted
GRAFT_AGAIN_MS = 500  # before it is grafted from the next who announced it
SEEN_MAX = 8_192  # changesets whose way is remembered
ANNOUNCERS_MAX = 8  # remembered of one changeset
SHORTCUT_HOPS = 2  # by how many hops a way must be shorter to be changed for
SHORTCUT_EVERY_MS = 1_000


@dataclass(slots=True)
class Way:
    """How a changeset came: over how many links, and last from whom (None: it was written or reconciled here)."""

    hops: int
    peer: bytes | None
    had: Collection[bytes] = ()  # who announced it before: they are not sent it


class Tree:
    """See the module."""

    def __init__(self) -> None:
        self.eager: dict[bytes, None] = {}  # in the order in which they became it, for determinism
        self.lazy: dict[bytes, None] = {}
        self._seen: OrderedDict[bytes, Way] = OrderedDict()
        self._announced: dict[bytes, dict[bytes, int]] = {}  # id → who announced it, over how many hops
        self._due: dict[bytes, int] = {}  # id → when it is grafted
        self._announced_by: dict[bytes, int] = {}
        self._broken: dict[bytes, int] = {}  # how often a graft of theirs came to nothing
        self._shortcut_ms = 0

    def gained(self, peer: bytes) -> None:
        if peer not in self.lazy:
            self.eager[peer] = None

    def lost(self, peer: bytes) -> None:
        """The peer is a neighbour no more; what it announced is asked of others."""
        for each in (self.eager, self.lazy, self._announced_by, self._broken):
            each.pop(peer, None)
        for id_ in [id_ for id_, peers in self._announced.items() if peer in peers]:
            del self._announced[id_][peer]
            if not self._announced[id_]:
                self._forget(id_)

    @property
    def waiting(self) -> bool:
        """Whether anything that was announced is still to come."""
        return bool(self._due)

    def next_wake(self) -> int | None:
        return min(self._due.values(), default=None)

    def arrived(self, peer: bytes, ids: Iterable[bytes], hops: int, now_ms: int) -> list[TreeEffect]:
        """A `push` came. Where nothing in it is new the link is pruned, on both sides."""
        fresh, announced = False, dict[bytes, int]()
        for id_ in ids:
            if id_ not in self._seen:
                fresh = True
                announced |= self._announced.get(id_, {})
                self._see(id_, Way(hops, peer))
        if fresh:
            self._broken.pop(peer, None)
            self._make_eager(peer)
            if not announced:
                return []
            # News that came before what it is about came a shorter way.
            nearest = min(announced, key=lambda each: announced[each])
            return self._shortcut(nearest, announced[nearest], Way(hops, peer), now_ms)
        if peer not in self.eager:
            return []  # it was told already, or is no neighbour
        self._make_lazy(peer)
        return [Prune(peer)]

    def landed(self, ids: tuple[bytes, ...], hops: int, via: bytes | None) -> list[TreeEffect]:
        """These stand here now; `hops` over which they came, 0 where they were written here or reconciled."""
        for id_ in ids:
            if id_ not in self._seen:
                self._see(id_, Way(hops, via))
        onward = min(hops + 1, HOPS_MAX)
        effects: list[TreeEffect] = []
        ways = [self._seen[id_] for id_ in ids if id_ in self._seen]
        have = {peer for peer in (ways[0].had if ways else ()) if all(peer in way.had for way in ways)}
        eager = tuple(peer for peer in self.eager if peer != via and peer not in have)
        if eager:
            effects.append(Push(eager, ids, onward))
        effects += [Say(peer, News(onward, ids)) for peer in self.lazy if peer != via and peer not in have]
        return effects

    def announced(self, peer: bytes, hops: int, ids: Iterable[bytes], now_ms: int) -> list[TreeEffect]:
        """`news` or `ihave` of a neighbour (`hops` HOPS_MAX where it says none). More than it may announce is passed over."""
        if peer not in self.eager and peer not in self.lazy:
            return []
        effects: list[TreeEffect] = []
        for id_ in ids:
            way = self._seen.get(id_)
            if way is not None:
                effects += self._shortcut(peer, hops, way, now_ms)
            elif self._announced_by.get(peer, 0) < ANNOUNCED_MAX:
                peers = self._announced.setdefault(id_, {})
                if peer not in peers and len(peers) < ANNOUNCERS_MAX:
                    peers[peer] = hops
                    self._announced_by[peer] = self._announced_by.get(peer, 0) + 1
                self._due.setdefault(id_, now_ms + GRAFT_MS)
        return effects

    def wake(self, now_ms: int) -> list[TreeEffect]:
        """Graft what did not come in time, each from one who announced it, and rather from who kept their word before."""
        wanted: dict[bytes, list[bytes]] = {}
        for id_ in [id_ for id_, due in self._due.items() if due <= now_ms]:
            peers = self._announced[id_]
            if not peers:
                self._forget(id_)  # nobody is left: reconciliation finds it
                continue
            peer = min(peers, key=lambda each: self._broken.get(each, 0))
            self._unannounce(id_, peer)
            self._due[id_] = now_ms + GRAFT_AGAIN_MS
            wanted.setdefault(peer, []).append(id_)
        for peer in wanted:
            self._broken[peer] = self._broken.get(peer, 0) + 1  # until it comes
            self._make_eager(peer)
        return [Graft(peer, tuple(ids)) for peer, ids in wanted.items()]

    def grafted(self, peer: bytes, ids: tuple[bytes, ...]) -> list[TreeEffect]:
        """The peer asks for these, and to be pushed to; none where it said `eager`."""
        if peer in self.lazy:
            self._make_eager(peer)
        hops = max((way.hops for id_ in ids if (way := self._seen.get(id_)) is not None), default=0)
        return [Push((peer,), ids, min(hops + 1, HOPS_MAX))] if ids else []

    def pruned(self, peer: bytes) -> None:
        if peer in self.eager:
            self._make_lazy(peer)

    def _shortcut(self, peer: bytes, hops: int, way: Way, now_ms: int) -> list[TreeEffect]:
        """Plumtree's optimisation. One at a time: each changes the ways of all who come after."""
        if (
            way.peer is None
            or way.peer == peer
            or peer not in self.lazy
            or way.peer not in self.eager
            or hops + SHORTCUT_HOPS > way.hops
            or now_ms < self._shortcut_ms
        ):
            return []
        self._shortcut_ms = now_ms + SHORTCUT_EVERY_MS
        self._make_eager(peer)
        self._make_lazy(way.peer)
        return [Say(peer, Eager()), Prune(way.peer)]

    def _make_eager(self, peer: bytes) -> None:
        if peer in self.lazy:
            del self.lazy[peer]
            self.eager[peer] = None

    def _make_lazy(self, peer: bytes) -> None:
        self.eager.pop(peer, None)
        self.lazy[peer] = None

    def _see(self, id_: bytes, way: Way) -> None:
        way.had = tuple(self._announced.get(id_, ()))
        self._forget(id_)
        self._seen[id_] = way
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)

    def _unannounce(self, id_: bytes, peer: bytes) -> None:
        del self._announced[id_][peer]
        left = self._announced_by.get(peer, 0) - 1
        if left > 0:
            self._announced_by[peer] = left
        else:
            self._announced_by.pop(peer, None)

    def _forget(self, id_: bytes) -> None:
        self._due.pop(id_, None)
        for peer in list(self._announced.get(id_, ())):
            self._unannounce(id_, peer)
        self._announced.pop(id_, None)
