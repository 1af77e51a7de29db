"""Write session.json, transcripts of SPEC.md, "Sessions":  python protocol/vectors/make_session.py

Two session machines talk, in turns, over wires that keep the order; store and clock are the simplest that are right.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from commonsnode_protocol import batch, frames, intake, lthash, negentropy
from commonsnode_protocol import session_events as events
from commonsnode_protocol.authority import evaluate
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Signed
from commonsnode_protocol.frames import Hello, LaneState
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.limits import BATCH_BYTES_MAX, CREDIT_BYTES
from commonsnode_protocol.session import Session
from vectors.packed import pack
from vectors.shown import Json, show, text_of, write
from vectors.world import ANA, BEN, CHARTER, COMMUNITY, EVE, FOUNDER, TIME, grant_body, signed, thing_body

ABOUT = """\
Transcripts of SPEC.md, "Sessions". How bytes are shown says SPEC.md, "Vectors".

changesets: those that occur here, by id, as [signature, body].

sessions: two sides that both follow the lanes `authority` and `public` of `community` meet on a channel of the hash
`channel_hash`; both said a credit of 4,194,304 in their hello. (In `nothing_in_common` the responder follows the community
00…00 instead.) `initiator` and `responder` are the ids of what stands at each of them before, by lane; `after` is the same
afterwards. `frames` are all frames between them, before they are sealed, in one possible order: `from` "i" is the
initiator, "r" the responder; `what` is the name of the frame. Where `written` is given, this changeset is written at the
side `by` when so many frames have gone by.

What a side must send, and what it may do otherwise (where to cut ranges, how to pack a batch, when to say its state), says
SPEC.md. `expect` is `in-step` where both sides know at the end that all lanes they share are equal, and `nothing-shared`
where they follow nothing in common.
"""

CHANNEL_HASH = bytes(range(64))
LANES = (AUTHORITY, PUBLIC)
Sets = dict[str, list[Signed]]


class Side:
    """One side: what stands at it, its session, and what waits to be done, in order."""

    def __init__(self, role: str, sets: Sets, community: bytes) -> None:
        self.role = role
        self.community = community
        self.session = Session(
            initiator=role == "i", channel_hash=CHANNEL_HASH, peer_hello=Hello((1,), CREDIT_BYTES, TIME, "")
        )
        self.held: dict[str, dict[bytes, Checked]] = {lane: {} for lane in LANES}
        for lane in LANES:
            self.take(lane, sets[lane])
        self.todo: deque[Callable[[], events.Event]] = deque()
        self.timer: int | None = None
        follow = events.Follow(tuple(((community, lane), self.state(lane)) for lane in LANES))
        self.todo.append(lambda: follow)

    def take(self, lane: str, batch_: Iterable[Signed]) -> list[bytes]:
        """Keep what stands; returns the ids that are new."""
        checked = [
            c for c in (intake.check(self.community, lane, s) for s in batch_) if isinstance(c, Checked)
        ]
        known = [c.changeset for c in self.held[AUTHORITY].values()]
        if lane == AUTHORITY:
            known += [c.changeset for c in checked]
        authority = evaluate(self.community, known)
        new = [c for c in checked if c.id not in self.held[lane] and authority.stands(c.changeset)]
        self.held[lane].update((c.id, c) for c in new)
        return [c.id for c in new]

    def storage(self, lane: str) -> negentropy.VectorStorage:
        return negentropy.VectorStorage((c.changeset.time, c.id) for c in self.held[lane].values())

    def state(self, lane: str) -> LaneState:
        storage, ids = self.storage(lane), list(self.held[lane])
        fingerprint = negentropy.fingerprint(storage.id_sum(0, storage.size()), storage.size())
        if lane == AUTHORITY:
            return LaneState(fingerprint, lthash.authority_digest(ids))
        sums = lthash.LtHash()
        sums.add(ids)
        return LaneState(fingerprint, sums.digest())

    # What the session wants done

    def do(self, effect: events.Effect) -> bytes | None:
        """A frame to send, or work for later."""
        match effect:
            case events.Send(data, _):
                return data
            case events.SetTimer(at_ms):
                self.timer = at_ms
            case events.Apply():
                self.todo.append(lambda: self.apply(effect))
            case events.Fetch():
                self.todo.append(lambda: self.fetch(effect))
            case events.AskReconciliation(key, message):
                self.todo.append(lambda: self.ask(key, message))
            case events.Order(key, ids):
                self.todo.append(lambda: events.Ordered(key, ids, ids))
            case events.AnswerReconciliation(key, message):
                self.todo.append(
                    lambda: events.Answered(key, negentropy.respond(self.storage(key[1]), message))
                )
            case events.FindMissing(key, ids):
                self.todo.append(
                    lambda: events.Missing(key, tuple(i for i in ids if i not in self.held[key[1]]))
                )
        return None

    def apply(self, effect: events.Apply) -> events.Applied:
        lane = effect.key[1]
        changesets = batch.unpack(effect.size, effect.packed, size_max=BATCH_BYTES_MAX)
        known = set(self.held[lane])
        new = self.take(lane, changesets)
        ids = tuple(s.id for s in changesets)
        refused = len(set(ids) - known - set(new))
        return events.Applied(effect.key, self.state(lane), ids, refused, effect.credit)

    def fetch(self, effect: events.Fetch) -> events.Fetched:
        held = self.held[effect.key[1]]
        size, packed = pack([held[i].signed for i in effect.ids if i in held])
        gone = tuple(i for i in effect.ids if i not in held)
        return events.Fetched(effect.key, effect.use, effect.budget, size, packed, effect.ids, gone)

    def ask(self, key: events.LaneKey, message: bytes | None) -> events.Reconciled:
        if message is None:
            return events.Reconciled(key, negentropy.initiate(self.storage(key[1])), (), ())
        step = negentropy.reconcile(self.storage(key[1]), message)
        return events.Reconciled(key, step.reply, tuple(step.have), tuple(step.need))

    def write(self, lane: str, changeset: Signed) -> None:
        """Something is written here, or comes from elsewhere."""
        ids = self.take(lane, [changeset])
        size, packed = pack([changeset])
        changed = events.Changed((self.community, lane), self.state(lane), tuple(ids), size, packed, hops=1)
        self.todo.append(lambda: changed)


class Talk:
    """Both sides take turns; time passes only where both wait for it."""

    def __init__(self, initiator: Side, responder: Side) -> None:
        self.sides = (initiator, responder)
        self.wires: dict[str, deque[bytes]] = {"i": deque(), "r": deque()}  # by receiver
        self.frames: list[Json] = []
        self.now_ms = 0

    def run(self) -> None:
        """Until nothing is left to do."""
        while any(side.todo or self.wires[side.role] or side.timer is not None for side in self.sides):
            for side, other in (self.sides, self.sides[::-1]):
                if side.todo:
                    self.handle(side, other, side.todo.popleft()())
                elif self.wires[side.role]:
                    self.handle(side, other, events.Received(self.wires[side.role].popleft()))
            if not any(side.todo or self.wires[side.role] for side in self.sides):
                self.pass_time()

    def pass_time(self) -> None:
        timers = [side.timer for side in self.sides if side.timer is not None]
        self.now_ms = max(self.now_ms, min(timers, default=0))
        for side in self.sides:
            if side.timer is not None and side.timer <= self.now_ms:
                side.timer = None
                side.todo.append(events.TimerFired)

    def say(self, side: Side, other: Side, data: bytes) -> None:
        self.wires[other.role].append(data)
        self.frames.append(
            {"from": side.role, "what": type(frames.decode(data)).__name__.lower(), "frame": show(data)}
        )

    def handle(self, side: Side, other: Side, event: events.Event) -> None:
        for effect in side.session.handle(event, self.now_ms):
            data = side.do(effect)
            if data is not None:
                self.say(side, other, data)


def shown_sets(sets: Sets) -> Json:
    return {lane: [each.id.hex() for each in sets[lane]] for lane in LANES}


def ids(side: Side) -> Json:
    return {lane: sorted(each.hex() for each in side.held[lane]) for lane in LANES}


AUTHORITIES = [
    signed(CHARTER, FOUNDER),
    signed(grant_body(ANA), FOUNDER),
    signed(grant_body(BEN, time=TIME + 2), FOUNDER),
]


def things(author: bytes, first: int, count: int) -> list[Signed]:
    return [
        signed(thing_body(author, f"Thing {n}", time=TIME + 1000 * n, nonce=n.to_bytes(16, "big")), author)
        for n in range(first, first + count)
    ]


def sets(authority: Sequence[Signed] = (), public: Sequence[Signed] = ()) -> Sets:
    return {AUTHORITY: list(authority), PUBLIC: list(public)}


def transcript(
    name: str,
    one: Sets,
    other: Sets,
    written: tuple[str, str, Signed] | None = None,
    *,
    apart: bool = False,
    pruned: bool = False,
    dropped: bool = False,
    again: bool = False,
) -> Json:
    """Let two sides that hold these meet; then what is written, at which side and in which lane."""
    initiator = Side("i", one, COMMUNITY)
    responder = Side("r", sets() if apart else other, bytes(32) if apart else COMMUNITY)
    talk = Talk(initiator, responder)
    talk.run()
    shown: Json = {"name": name, "initiator": shown_sets(one), "responder": shown_sets(other)}
    if pruned:
        talk.say(responder, initiator, frames.encode(frames.Prune(LANES.index(PUBLIC))))
        talk.run()
    if dropped:
        leave = events.Leave((COMMUNITY, PUBLIC))
        responder.todo.append(lambda: leave)
        if again:
            follow = events.Follow((((COMMUNITY, PUBLIC), responder.state(PUBLIC)),))
            responder.todo.append(lambda: follow)
        talk.run()
    if written is not None:
        role, lane, changeset = written
        shown["written"] = {"after": len(talk.frames), "by": role, "lane": lane, "id": changeset.id.hex()}
        (initiator if role == "i" else responder).write(lane, changeset)
        talk.run()
    shared = [side.session.shared() for side in (initiator, responder)]
    if not all(
        all(each.values()) and len(each) == 2 - 2 * apart - (dropped and not again) for each in shared
    ):
        raise AssertionError(f"{name}: {shared}")
    shown |= {"frames": talk.frames, "after": {"initiator": ids(initiator), "responder": ids(responder)}}
    return shown | {"expect": "nothing-shared" if apart else "in-step"}


def text() -> str:
    """The content of session.json."""
    sessions: list[Json] = []
    known: dict[bytes, Signed] = {}

    def case(
        name: str, one: Sets, other: Sets, written: tuple[str, str, Signed] | None = None, **how: bool
    ) -> None:
        every = [
            *one[AUTHORITY],
            *one[PUBLIC],
            *other[AUTHORITY],
            *other[PUBLIC],
            *([written[2]] if written else []),
        ]
        known.update({each.id: each for each in every})
        sessions.append(transcript(name, one, other, written, **how))

    ten = things(ANA, 0, 10)
    full = sets(AUTHORITIES, ten)
    case("nothing_new", full, full)
    case("both_empty", sets(), sets())
    case("initiator_empty", sets(), full)
    case("responder_empty", full, sets())
    case("initiator_lacks_one", sets(AUTHORITIES, ten[:-1]), full)
    case("responder_lacks_one", full, sets(AUTHORITIES, ten[:-1]))
    case("both_lack_some", sets(AUTHORITIES, ten[:7]), sets(AUTHORITIES, ten[:4] + things(BEN, 20, 3)))
    case("a_hundred_and_fifty_things_some_apart", *many())
    case("a_grant_comes_first", sets(AUTHORITIES[:2], ten), sets(AUTHORITIES, things(BEN, 20, 3)))
    case("one_push", full, full, ("i", PUBLIC, things(BEN, 30, 1)[0]))
    case("one_push_from_the_responder", full, full, ("r", PUBLIC, things(BEN, 30, 1)[0]))
    case("a_grant_pushed", full, full, ("r", AUTHORITY, signed(grant_body(EVE, time=TIME + 9), FOUNDER)))
    case("one_push_to_a_side_that_pruned", full, full, ("i", PUBLIC, things(BEN, 30, 1)[0]), pruned=True)
    case("one_push_after_a_lane_was_dropped", full, full, ("i", PUBLIC, things(BEN, 30, 1)[0]), dropped=True)
    one_more = ("i", PUBLIC, things(BEN, 30, 1)[0])
    case("one_push_after_a_lane_was_left_and_followed_again", full, full, one_more, dropped=True, again=True)
    case("nothing_in_common", full, full, apart=True)
    shown = {each.id.hex(): [each.signature.hex(), each.body.hex()] for each in known.values()}
    head = {"community": COMMUNITY.hex(), "channel_hash": CHANNEL_HASH.hex(), "changesets": shown}
    return text_of(ABOUT, {**head, "sessions": sessions})


def many() -> tuple[Sets, Sets]:
    """Both hold most of 150; each lacks some, scattered, of the other's."""
    all_ = things(ANA, 0, 150)
    return (
        sets(AUTHORITIES, [each for n, each in enumerate(all_) if n % 50 != 7]),
        sets(AUTHORITIES, [each for n, each in enumerate(all_) if n % 60 != 20]),
    )


if __name__ == "__main__":
    write(__file__, text())
