"""Who is a neighbour of whom in one community: HyParView, hardened.  SPEC.md, "Overlay".

Leitão, Pereira, Rodrigues 2007, "HyParView". A state machine without I/O, clock or chance: events go in with the time, effects
come out. What differs from the paper, so that strangers can neither surround a node nor aim it at others:

- A node chooses some neighbours itself, from what it knows (`chosen`), and has places for others who ask. Who asks can only take
  the place of somebody who asked. So a node keeps neighbours of its own choice, however many come.
- Nobody dials because of a walk. The answer to `walk` and `shuffle` goes back the way that it came, and who joins dials. So no
  message makes many nodes dial one address, and nodes behind NAT join like all others.
- Dials, walks and lost places are counted (`Bucket`), and views are balanced over ranges of addresses.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import (
    ALL_NEIGHBOURS_BELOW,
    CONTACTS_MAX,
    DIAL_EVERY_MS,
    DIALS_BURST,
    EVICT_EVERY_MS,
    ROUTE_MS_MAX,
    ROUTES_MAX,
    WALK_EVERY_MS,
    WALK_HOPS_MAX,
    WALKS_BURST,
)
from commonsnode_protocol.overlay.bucket import Bucket
from commonsnode_protocol.overlay.events import Dial, Gained, Lost, MembershipEffect, Release, Say
from commonsnode_protocol.overlay.frames import (
    NONCE_BYTES,
    Answer,
    Contact,
    Join,
    MembershipFrame,
    Neighbour,
    Part,
    Place,
    Shuffle,
    Shuffled,
    Walk,
)
from commonsnode_protocol.overlay.views import Chance, PassiveView, ReadRecord, most_crowded, one_of, some_of

ANSWER_MS_MAX = 10_000  # how long an answer to `join` or `neighbour` is waited for
DIAL_MS_MAX = 30_000  # how long a dial may take
PROBE_ROUNDS = 8  # in one of so many shuffle rounds another neighbour is sought, and then one is let go
SMALL_PAUSES = 4  # where few nodes are known there is little to learn: shuffles are so much rarer
OFFERED_MAX = 16  # who answered that they have a place, and are asked first


@dataclass(frozen=True, slots=True)
class Shape:
    """How wide the views are and how far walks go. All nodes of a community need not agree."""

    chosen: int = 3  # neighbours that a node looks for itself
    accepted_max: int = 6  # neighbours that asked for it
    passive_max: int = 48
    join_hops: int = 6  # HyParView's ARWL
    passive_hops: int = 3  # PRWL: whom a walk passes there is noted
    shuffle_hops: int = 4
    shuffle_ms: int = 30_000
    shuffle_active: int = 3  # of the contacts in a shuffle, beside oneself; the rest is of the passive view


@dataclass(slots=True)
class Linked:
    """A session with a peer that shares the community."""

    range: bytes
    dialled: bool
    walks: Bucket


@dataclass(frozen=True, slots=True)
class Active:
    """A neighbour. `chosen`: we asked for it."""

    range: bytes
    chosen: bool
    contact: Contact | None


@dataclass(slots=True)
class Route:
    """Whom answers to a walk are brought back to; None where it is ours."""

    peer: bytes | None
    answers: int
    until_ms: int


class Membership:
    """See the module. `me` is what others are told of this node."""

    def __init__(
        self, me: Contact, chance: Chance, read: ReadRecord, now_ms: int, shape: Shape | None = None
    ) -> None:
        self.me = me
        self.shape = shape or Shape()
        self.passive = PassiveView(self.shape.passive_max, chance, read)
        self.active: dict[bytes, Active] = {}
        self._chance = chance
        self._links: dict[bytes, Linked] = {}
        self._asked: dict[bytes, int] = {}  # whom we asked, and until when we wait
        self._joining: dict[
            bytes, Route
        ] = {}  # whom we sent `join`, and how many places we still take from it
        self._dialling: dict[bytes, tuple[Contact, int]] = {}
        self._offered: deque[bytes] = deque(maxlen=OFFERED_MAX)
        self._routes: OrderedDict[bytes, Route] = OrderedDict()
        self._dials = Bucket(DIALS_BURST, DIAL_EVERY_MS)
        # Who comes from where no neighbour is does not wait for those who come again and again from where many are.
        self._evictions = {diverse: Bucket(1, EVICT_EVERY_MS) for diverse in (False, True)}
        self._shuffle_at = now_ms + 1 + chance(self.shape.shuffle_ms)
        self._effects: list[MembershipEffect] = []

    # What is so

    @property
    def small(self) -> bool:
        """Whether so few nodes are known that all are neighbours."""
        if len(self.passive) >= ALL_NEIGHBOURS_BELOW:
            return False
        return len({*self.passive.keys(), *self._links, *self._dialling}) < ALL_NEIGHBOURS_BELOW

    def _chosen(self) -> int:
        return sum(each.chosen for each in self.active.values())

    def _wanted(self) -> int:
        return ALL_NEIGHBOURS_BELOW if self.small else self.shape.chosen

    def _accepted_max(self) -> int:
        return ALL_NEIGHBOURS_BELOW if self.small else self.shape.accepted_max

    def _lacks(self) -> bool:
        return self._chosen() + len(self._asked) + len(self._dialling) < self._wanted()

    def _busy_with(self) -> set[bytes]:
        return {*self.active, *self._asked, *self._dialling}

    def next_wake(self) -> int:
        """When `wake` is to be called, if nothing happens before."""
        times = [self._shuffle_at, *self._asked.values()]
        times += [until for _, until in self._dialling.values()]
        times += [joining.until_ms for joining in self._joining.values()]
        if self._lacks() and (retry := self.passive.next_retry(self._busy_with())) is not None:
            times.append(max(retry, self._dials.ready_at()))
        return min(times)

    # Events

    def learned(self, contacts: Iterable[Contact], now_ms: int) -> list[MembershipEffect]:
        """Nodes that this one was told of by hand, by an invitation or on its LAN."""
        self._effects = []
        for contact in contacts:
            self._note(contact)
        self._fill(now_ms)
        return self._effects

    def linked(self, peer: bytes, range_: bytes, *, dialled: bool, now_ms: int) -> list[MembershipEffect]:
        """A session with a peer that speaks of this community began; `dialled` by us."""
        self._effects = []
        self._links[peer] = Linked(range_, dialled, Bucket(WALKS_BURST, WALK_EVERY_MS))
        dialling = self._dialling.pop(peer, None)
        if dialled:
            known = self.passive.get(peer)
            if known is not None:
                known.proven, known.failures = True, 0
            elif dialling is not None and dialling[0].record:
                self.passive.add(dialling[0], proven=True)
        if dialling is not None:
            self._ask(peer, now_ms)
        self._fill(now_ms)
        return self._effects

    def unlinked(self, peer: bytes, now_ms: int) -> list[MembershipEffect]:
        """The session ended, whoever ended it."""
        self._effects = []
        self._links.pop(peer, None)
        self._asked.pop(peer, None)
        self._joining.pop(peer, None)
        self._lose(peer, now_ms, failures=1)
        self._fill(now_ms)
        return self._effects

    def failed(self, peer: bytes, now_ms: int) -> list[MembershipEffect]:
        """A dial came to nothing."""
        self._effects = []
        self._dialling.pop(peer, None)
        self.passive.failed(peer, now_ms, keep=not self.active)
        self._fill(now_ms)
        return self._effects

    def wake(self, now_ms: int) -> list[MembershipEffect]:
        self._effects = []
        for peer in [peer for peer, until in self._asked.items() if until <= now_ms]:
            self._refused(peer, now_ms)
        for peer in [peer for peer, (_, until) in self._dialling.items() if until <= now_ms]:
            del self._dialling[peer]
            self.passive.failed(peer, now_ms, keep=not self.active)
        for peer in [peer for peer, joining in self._joining.items() if joining.until_ms <= now_ms]:
            del self._joining[peer]
            if peer not in self.active and peer not in self._asked:
                self._effects.append(Release(peer))
        while self._routes and next(iter(self._routes.values())).until_ms <= now_ms:
            self._routes.popitem(last=False)
        if self._shuffle_at <= now_ms:
            # Spread over the time, so that nodes which began together do not go on together.
            pause = self.shape.shuffle_ms * (SMALL_PAUSES if self.small else 1)
            self._shuffle_at = now_ms + pause * 3 // 4 + self._chance(pause // 2)
            self._trim(now_ms)
            self._shuffle(now_ms)
            ranges = [each.range for each in self.active.values() if each.chosen]
            if self._chance(PROBE_ROUNDS) == 0 or len(set(ranges)) < len(ranges):
                self._ask_one(now_ms)
        self._fill(now_ms)
        return self._effects

    def received(self, peer: bytes, frame: MembershipFrame, now_ms: int) -> list[MembershipEffect]:
        """A frame of a linked peer."""
        self._effects = []
        link = self._links.get(peer)
        if link is None:
            return self._effects
        match frame:
            case Neighbour(urgent, contact):
                self._asked_by(peer, link, contact, urgent, now_ms)
            case Answer(taken):
                self._answered(peer, link, taken, now_ms)
            case Part():
                self._lose(peer, now_ms)
            case Place(nonce, contact):
                self._place(peer, nonce, contact, now_ms)
            case Shuffled(nonce, contacts):
                self._shuffled(peer, nonce, contacts)
            case Join(contact):
                self._asked_by(peer, link, contact, True, now_ms)
                # Its walks go on also where there is no place here: that is how it finds one elsewhere.
                if link.walks.take(now_ms):
                    self._send_walks(peer, contact, now_ms)
            case Walk() | Shuffle():
                # More than a peer may send is not carried on; it is not told so.
                if link.walks.take(now_ms):
                    self._walk(peer, frame, now_ms)
                return self._effects  # nobody is dialled for these
        self._fill(now_ms)
        return self._effects

    # Neighbours

    def _note(self, contact: Contact) -> None:
        if contact.record and contact.key != self.me.key and contact.key not in self.active:
            self.passive.add(contact)

    def _fill(self, now_ms: int) -> None:
        """Ask more nodes, until as many neighbours were chosen as are wanted."""
        while self._lacks() and self._ask_one(now_ms):
            pass

    def _ask_one(self, now_ms: int) -> bool:
        """Ask one more node, where there is one and it may be dialled now.

        Also done now and then where there are enough. Two parts of a community that lost one another (a network was cut, or
        chance would have it) each have all the neighbours they want, but still know of each other: so they find together.
        """
        leave_out = self._busy_with()
        ranges = {each.range for each in self.active.values() if each.chosen}
        known = None
        while self._offered and known is None:
            key = self._offered.popleft()
            known = self.passive.get(key) if key not in leave_out else None
            if known is not None and known.range in ranges:
                known = None  # no hurry: it is in the passive view
        if known is None:
            known = self.passive.candidate(now_ms, leave_out, ranges)
        if known is None:
            return False
        peer = known.contact.key
        if peer in self._links:
            self._ask(peer, now_ms)
            return True
        if not self._dials.take(now_ms):
            return False
        self._dialling[peer] = known.contact, now_ms + DIAL_MS_MAX
        self._effects.append(Dial(known.contact))
        return True

    def _ask(self, peer: bytes, now_ms: int) -> None:
        if peer in self.active:
            return
        self._asked[peer] = now_ms + ANSWER_MS_MAX
        if self.active:
            self._effects.append(Say(peer, Neighbour(False, self.me)))
        else:
            places = self.shape.chosen + self.shape.accepted_max
            self._joining[peer] = Route(None, places, now_ms + ROUTE_MS_MAX)
            self._effects.append(Say(peer, Join(self.me)))

    def _answered(self, peer: bytes, link: Linked, taken: bool, now_ms: int) -> None:
        if self._asked.pop(peer, None) is None:
            return  # too late, or not asked
        if not taken:
            self._refused(peer, now_ms)
        elif peer not in self.active:
            known = self.passive.remove(peer)
            self._gain(peer, Active(link.range, True, known.contact if known is not None else None))

    def _refused(self, peer: bytes, now_ms: int) -> None:
        self._asked.pop(peer, None)
        self.passive.later(peer, now_ms)
        if peer not in self._joining:  # else its neighbours' answers are still to come
            self._effects.append(Release(peer))

    def _asked_by(self, peer: bytes, link: Linked, contact: Contact, urgent: bool, now_ms: int) -> None:
        """Take the peer as a neighbour, where there is a place or one may be made."""
        if contact.key != peer:
            raise PeerError(Reason.BAD_FRAME, "a peer that asks for another node")
        taken = peer in self.active or peer in self._asked or self._make_place(link.range, urgent, now_ms)
        if taken and peer not in self.active:
            chosen = self._asked.pop(peer, None) is not None
            self.passive.remove(peer)
            self._gain(peer, Active(link.range, chosen, contact if contact.record else None))
        self._effects.append(Say(peer, Answer(taken)))
        if not taken:
            self._note(contact)

    def _make_place(self, range_: bytes, urgent: bool, now_ms: int) -> bool:
        accepted = {key: each.range for key, each in self.active.items() if not each.chosen}
        if len(accepted) < self._accepted_max():
            return True
        crowded = most_crowded([*accepted.values(), range_])
        diverse = range_ not in accepted.values() and range_ not in crowded
        if not (urgent or diverse) or not self._evictions[diverse].take(now_ms):
            return False
        pool = [key for key, each in accepted.items() if each in crowded] or list(accepted)
        self._part(one_of(self._chance, pool), now_ms)
        return True

    def _trim(self, now_ms: int) -> None:
        """Of more chosen than are wanted one goes at a time, of the range with most: so many in one hand are not all there is."""
        chosen = {key: each.range for key, each in self.active.items() if each.chosen}
        if len(chosen) > self._wanted():
            crowded = most_crowded(chosen.values())
            self._part(one_of(self._chance, [key for key, each in chosen.items() if each in crowded]), now_ms)

    def _part(self, peer: bytes, now_ms: int) -> None:
        self._effects.append(Say(peer, Part()))
        self._lose(peer, now_ms)
        self._effects.append(Release(peer))

    def _gain(self, peer: bytes, active: Active) -> None:
        self.active[peer] = active
        self._effects.append(Gained(peer))

    def _lose(self, peer: bytes, now_ms: int, failures: int = 0) -> None:
        active = self.active.pop(peer, None)
        if active is None:
            return
        if active.contact is not None:
            self.passive.add(active.contact, proven=active.chosen, failures=failures)
            self.passive.later(peer, now_ms)  # others first
        self._effects.append(Lost(peer))

    # Walks

    def _nonce(self) -> bytes:
        return self._chance(1 << 8 * NONCE_BYTES).to_bytes(NONCE_BYTES, "big")

    def _others(self, peer: bytes) -> list[bytes]:
        return [each for each in self.active if each != peer]

    def _remember(self, nonce: bytes, peer: bytes | None, answers: int, now_ms: int) -> None:
        if nonce not in self._routes:
            self._routes[nonce] = Route(peer, answers, now_ms + ROUTE_MS_MAX)
            if len(self._routes) > ROUTES_MAX:
                self._routes.popitem(last=False)

    def _back(self, peer: bytes, nonce: bytes) -> Route | None:
        """The way back of an answer that came, each as often as it may be answered."""
        route = self._routes.get(nonce)
        if route is None or route.answers == 0 or route.peer == peer:
            return None
        route.answers -= 1
        return route

    def _send_walks(self, joining: bytes, contact: Contact, now_ms: int) -> None:
        others = self._others(joining)
        nonce = self._nonce()
        self._remember(nonce, joining, len(others), now_ms)
        for other in others:
            self._effects.append(Say(other, Walk(nonce, self.shape.join_hops, contact)))

    def _walk(self, peer: bytes, frame: Walk | Shuffle, now_ms: int) -> None:
        others = self._others(peer)
        if frame.ttl > 0 and others and frame.nonce not in self._routes:
            self._remember(frame.nonce, peer, 1, now_ms)
            ttl = min(frame.ttl, WALK_HOPS_MAX) - 1
            onward: MembershipFrame
            if isinstance(frame, Walk):
                onward = Walk(frame.nonce, ttl, frame.contact)
                if frame.ttl == self.shape.passive_hops:
                    self._note(frame.contact)
            else:
                onward = Shuffle(frame.nonce, ttl, frame.contacts)
            self._effects.append(Say(one_of(self._chance, others), onward))
        elif isinstance(frame, Walk):
            self._effects.append(Say(peer, Place(frame.nonce, self.me)))
        else:
            answer = self.passive.sample(len(frame.contacts), {each.key for each in frame.contacts})
            self._effects.append(Say(peer, Shuffled(frame.nonce, tuple(answer))))
            for contact in frame.contacts:
                self._note(contact)

    def _place(self, peer: bytes, nonce: bytes, contact: Contact, now_ms: int) -> None:
        route = self._back(peer, nonce)
        if route is not None and route.peer is not None:
            if route.peer in self._links:
                self._effects.append(Say(route.peer, Place(nonce, contact)))
            return
        joining = self._joining.get(peer)
        if joining is not None and joining.answers and now_ms < joining.until_ms:
            joining.answers -= 1
            self._note(contact)
            self._offered.append(contact.key)

    def _shuffle(self, now_ms: int) -> None:
        if not self.active:
            return
        peer = one_of(self._chance, list(self.active))
        near = [each.contact for key, each in self.active.items() if each.contact is not None and key != peer]
        contacts = [self.me, *some_of(self._chance, near, self.shape.shuffle_active)]
        contacts += self.passive.sample(
            CONTACTS_MAX - len(contacts), {peer, *(each.key for each in contacts)}
        )
        nonce = self._nonce()
        self._remember(nonce, None, 1, now_ms)
        self._effects.append(Say(peer, Shuffle(nonce, self.shape.shuffle_hops, tuple(contacts))))

    def _shuffled(self, peer: bytes, nonce: bytes, contacts: tuple[Contact, ...]) -> None:
        route = self._back(peer, nonce)
        if route is None:
            return
        if route.peer is None:
            for contact in contacts:
                self._note(contact)
        elif route.peer in self._links:
            self._effects.append(Say(route.peer, Shuffled(nonce, contacts)))
