"""A small world for sessions: nodes with sets of changesets, wires between them, a seed that decides who is next.

The session machines are the daemon's own; store, wire and clock are simulated here, in the simplest way that is right.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable

from commonsnode_protocol import batch, frames, intake, lthash, negentropy
from commonsnode_protocol import session_events as events
from commonsnode_protocol.authority import Authority, evaluate
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Signed, build, public_key, sign
from commonsnode_protocol.errors import PeerError
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import typed_id
from commonsnode_protocol.session import Session

FOUNDER, MEMBER, STRANGER = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32  # seeds
CHANNEL = bytes(64)
LANES = (AUTHORITY, PUBLIC)


def signed(
    seed: bytes,
    community: bytes,
    lane: str,
    kind: str,
    time: int,
    values: dict[str, object],
    refs: Iterable[bytes] = (),
) -> Signed:
    author = public_key(seed)
    nonce = (time % 2**128).to_bytes(16, "big")
    fields = {name: (value, ()) for name, value in {"nonce": nonce, **values}.items()}
    body = build(
        community=community,
        lane=lane,
        author=author,
        time=time,
        refs=sorted(refs),
        changes=[(typed_id(community, author, nonce), kind, fields)],  # type: ignore[list-item]
    )
    return sign(body, seed)


def charter(time: int = 1) -> Signed:
    return signed(
        FOUNDER, b"", AUTHORITY, "charter", time, {"name": "Valley", "founder": public_key(FOUNDER)}
    )


CHARTER = charter()
COMMUNITY = CHARTER.id


def grant(seed: bytes, time: int) -> Signed:
    return signed(
        FOUNDER,
        COMMUNITY,
        AUTHORITY,
        "grant",
        time,
        {"person": public_key(seed), "role": "member", "table": COMMUNITY},
        [COMMUNITY],
    )


def thing(seed: bytes, time: int, title: str = "Drill") -> Signed:
    return signed(seed, COMMUNITY, PUBLIC, "resource", time, {"title": title})


class Node:
    """A store in memory: what stands, by the rules."""

    lanes: tuple[str, ...] = LANES
    community = COMMUNITY

    def __init__(self) -> None:
        self.held: dict[str, dict[bytes, Checked]] = {lane: {} for lane in LANES}
        self.authority = Authority()
        self.waiting: list[Signed] = []

    def take(self, lane: str, batch_: Iterable[Signed]) -> tuple[list[bytes], int]:
        """Returns the ids that are new, and how many were refused."""
        checked = [
            c for c in (intake.check(self.community, lane, s) for s in batch_) if isinstance(c, Checked)
        ]
        fresh = [c for c in checked if c.id not in self.held[lane]]
        if lane == AUTHORITY:
            held = [c.changeset for c in self.held[lane].values()]
            self.authority = evaluate(self.community, held + [c.changeset for c in fresh])
        standing = [c for c in fresh if self.authority.stands(c.changeset)]
        self.held[lane].update((c.id, c) for c in standing)
        return [c.id for c in standing], len(fresh) - len(standing)

    def storage(self, lane: str) -> negentropy.VectorStorage:
        return negentropy.VectorStorage((c.changeset.time, c.id) for c in self.held[lane].values())

    def state(self, lane: str) -> frames.LaneState:
        storage, ids = self.storage(lane), list(self.held[lane])
        fingerprint = negentropy.fingerprint(storage.id_sum(0, storage.size()), storage.size())
        if lane == AUTHORITY:
            return frames.LaneState(fingerprint, lthash.authority_digest(ids))
        sums = lthash.LtHash()
        sums.add(ids)
        return frames.LaneState(fingerprint, sums.digest())

    def begin(self, lane: str) -> bytes:
        return negentropy.initiate(self.storage(lane))

    def list_ids(self, lane: str, begin: int) -> tuple[bytes, int | None]:
        return negentropy.list_ids(self.storage(lane), begin)

    def reconcile(self, lane: str, message: bytes) -> negentropy.Step:
        return negentropy.reconcile(self.storage(lane), message)

    def respond(self, lane: str, message: bytes) -> bytes:
        return negentropy.respond(self.storage(lane), message)

    def sending_order(self, lane: str, ids: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """As it is where no author was cut."""
        return ids

    def missing(self, lane: str, ids: Iterable[bytes]) -> tuple[bytes, ...]:
        return tuple(i for i in ids if i not in self.held[lane])

    def fetch(self, lane: str, ids: Iterable[bytes]) -> dict[bytes, Signed]:
        return {i: self.held[lane][i].signed for i in ids if i in self.held[lane]}

    def fill(self, effect: events.Fetch) -> events.Fetched:
        """A batch of the first of these that are here, as far as the budget goes."""
        chosen: list[Signed] = []
        taken: list[bytes] = []
        gone: list[bytes] = []
        left = effect.budget - 8
        found = self.fetch(effect.key[1], effect.ids)
        for changeset_id in effect.ids:
            signed = found.get(changeset_id)
            if signed is None:
                gone.append(changeset_id)
            elif batch.cost(signed) > left:
                break
            else:
                left -= batch.cost(signed)
                chosen.append(signed)
            taken.append(changeset_id)
        size, packed = batch.pack(chosen) if chosen else (0, b"")
        return events.Fetched(
            effect.key, effect.use, effect.budget, size, packed, tuple(taken), tuple(gone), effect.turn
        )


class World:
    """Nodes, and the sessions between them. Wires keep the order of frames; effects of a node's store may take long."""

    def __init__(self, seed: int, count: int = 2) -> None:
        self.random = random.Random(seed)
        self.now_ms = 0
        self.nodes: list[Node] = [Node() for _ in range(count)]
        self.ends: list[End] = []
        self.frames_sent: list[tuple[int, frames.Frame, int]] = []  # who, what, bytes

    def connect(self, a: int, b: int) -> None:
        hello = frames.Hello((1,), 4 * 1024 * 1024, 0, "test")
        first, second = (
            End(self, node, Session(initiator=initiator, channel_hash=CHANNEL, peer_hello=hello))
            for node, initiator in ((a, True), (b, False))
        )
        first.other, second.other = second, first
        self.ends += [first, second]
        for end in (first, second):
            end.events.append(self.first(end))

    def first(self, end: "End") -> events.Event:
        """What a session is told first."""
        node = self.nodes[end.node]
        return events.Follow(tuple(((node.community, lane), node.state(lane)) for lane in node.lanes))

    def write(
        self, node: int, lane: str, *changesets: Signed, via: "End | None" = None, hops: int = 1
    ) -> int:
        """Something comes to stand at a node: by its own hand, or from one of its links. Returns how much was refused."""
        holder = self.nodes[node]
        before = {of: holder.state(of) for of in holder.lanes}
        new, refused = holder.take(lane, changesets)
        ends = [end for end in self.ends if end.node == node]
        if new:
            by_id = {s.id: s for s in changesets}
            size, packed = batch.pack([by_id[i] for i in new])
            landed = events.Changed(
                (holder.community, lane), holder.state(lane), tuple(new), size, packed, hops
            )
            for end in ends:
                if end is not via:
                    end.events.append(landed)
        for of in holder.lanes:  # what waited here for a change of authority, and stands by it now
            if of != lane and holder.state(of) != before[of]:
                risen = events.Changed((holder.community, of), holder.state(of), (), 0, b"", 1)
                for end in ends:
                    end.events.append(risen)
        return refused

    def saw(self, end: "End", effect: events.Effect) -> None:
        """For worlds that do more with an effect, or note it."""

    def run(self, until: Callable[[], bool] | None = None, steps_max: int = 20_000) -> None:
        """Until nothing is left to do (or `until` holds); time passes only when all wait for it."""
        for _ in range(steps_max):
            if until is not None and until():
                return
            busy = [end for end in self.ends if end.events or end.pending or end.wire]
            if busy:
                self.random.choice(busy).step()
                continue
            timers = [end.timer for end in self.ends if end.timer is not None]
            if not timers:
                return
            self.now_ms = max(self.now_ms, min(timers))
            for end in self.ends:
                if end.timer is not None and end.timer <= self.now_ms:
                    end.timer = None
                    end.events.append(events.TimerFired())
        raise AssertionError("the world does not come to rest")

    def equal(self) -> bool:
        return all(self.nodes[0].state(lane) == node.state(lane) for node in self.nodes for lane in LANES)


class End:
    """One end of a link."""

    def __init__(self, world: World, node: int, session: Session) -> None:
        self.world, self.node, self.session = world, node, session
        self.other: End = self
        self.events: deque[events.Event] = deque()
        self.pending: deque[Callable[[], events.Event | None]] = (
            deque()
        )  # effects that the store has still to do
        self.wire: deque[bytes] = deque()  # frames on their way to here
        self.timer: int | None = None
        self.ended: str | None = None
        self.error: PeerError | None = None

    def step(self) -> None:
        choices = [queue for queue in (self.events, self.pending, self.wire) if queue]
        queue = self.world.random.choice(choices)
        item = queue.popleft()
        if isinstance(item, bytes):
            self.handle(events.Received(item))
        elif callable(item):
            event = item()
            if event is not None:
                self.events.append(event)
        else:
            self.handle(item)

    def handle(self, event: events.Event) -> None:
        if self.error is not None:
            return
        try:
            effects = self.session.handle(event, self.world.now_ms)
        except PeerError as error:
            self.error = error
            return
        for effect in effects:
            self.carry_out(effect)

    def carry_out(self, effect: events.Effect) -> None:
        node = self.world.nodes[self.node]
        self.world.saw(self, effect)
        match effect:
            case events.Send(data, _):
                self.world.frames_sent.append((self.node, frames.decode(data), len(data)))
                self.other.wire.append(data)
            case events.SetTimer(at_ms):
                self.timer = at_ms
            case events.Apply():
                self.pending.append(lambda: self.apply(effect))
            case events.Fetch():
                self.pending.append(lambda: node.fill(effect))
            case events.AskReconciliation():
                self.pending.append(lambda: self.ask(effect))
            case events.Order(key, ids):
                self.pending.append(lambda: events.Ordered(key, ids, node.sending_order(key[1], ids)))
            case events.AnswerReconciliation(key, message, turn):
                self.pending.append(lambda: events.Answered(key, node.respond(key[1], message), turn))
            case events.FindMissing(key, ids):
                self.pending.append(lambda: events.Missing(key, node.missing(key[1], ids)))
            case events.Ended(reason):
                self.ended = reason

    def ask(self, effect: events.AskReconciliation) -> events.Reconciled:
        node, key, turn = self.world.nodes[self.node], effect.key, effect.turn
        if effect.message is not None:
            step = node.reconcile(key[1], effect.message)
            return events.Reconciled(key, step.reply, tuple(step.have), tuple(step.need), turn=turn)
        if effect.list_from is not None:
            listing, list_next = node.list_ids(key[1], effect.list_from)
            return events.Reconciled(key, listing, (), (), list_next, turn=turn)
        return events.Reconciled(key, node.begin(key[1]), (), (), turn=turn)

    def apply(self, effect: events.Apply) -> events.Applied:
        changesets = batch.unpack(effect.size, effect.packed, size_max=2**20)
        hops = (effect.hops or 0) + 1
        refused = self.world.write(self.node, effect.key[1], *changesets, via=self, hops=hops)
        state = self.world.nodes[self.node].state(effect.key[1])
        ids = tuple(s.id for s in changesets)
        return events.Applied(effect.key, state, ids, refused, effect.credit, effect.turn)
