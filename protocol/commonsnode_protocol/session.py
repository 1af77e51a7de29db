"""One session with one peer: announce lanes, reconcile, transfer, push.  SPEC.md, "Sessions".

A state machine without I/O or clock: events go in with the time, effects come out in order. A refused event raises and
the session is over. Theory of operation:

- Both sides announce the lanes that they follow, with fingerprints. What both follow is *shared*; equal means in step.
- Only the initiator (who dialled) reconciles; then it asks for what it lacks and supplies what the peer lacks. The receiver
  sets the pace by credit. The lane `authority` of a community comes before its other lanes, since it decides what stands.
- Whenever a side's set changes it says its new fingerprints (`state`), so that both know whether they are in step, and the
  initiator reconciles again where they stay apart. So nothing that a push missed stays missing.
- Small changes are pushed at once (Plumtree's eager push; Leitão et al. 2007, "Epidemic Broadcast Trees").
"""

from collections.abc import Iterable

from commonsnode_protocol import frames
from commonsnode_protocol.announcements import Announcements
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.frames import ANSWER, INITIATOR, NEWS, QUESTION, RESPONDER, Hello, LaneState
from commonsnode_protocol.limits import (
    BATCH_BYTES_MAX,
    BATCH_COUNT_MAX,
    CHANGESET_BYTES_MAX,
    CREDIT_BYTES,
    CREDIT_BYTES_MAX,
    HOPS_MAX,
    IHAVE_IDS_MAX,
    LANES_AT_ONCE_MAX,
    LINGER_MS,
    RECONCILE_ROUNDS_MAX,
    REFUSED_MAX,
    RETRY_MS_MAX,
    RETRY_MS_MIN,
    SHOWS_MAX,
    STATE_DELAY_MS,
    UNSETTLED_MS_MAX,
    WANT_IDS_MAX,
    WANTED_IDS_MAX,
)
from commonsnode_protocol.session_events import (
    Answered,
    AnswerReconciliation,
    Applied,
    Apply,
    AskReconciliation,
    Behind,
    Changed,
    Effect,
    Ended,
    Event,
    Fetch,
    Fetched,
    FindMissing,
    Follow,
    FollowQuietly,
    InStep,
    Introduce,
    LaneKey,
    Leave,
    Missing,
    Moved,
    Order,
    Ordered,
    Rank,
    Received,
    Reconciled,
    Refresh,
    Send,
    SetTimer,
    Shown,
    TimerFired,
    Use,
)
from commonsnode_protocol.session_lane import Lane, Phase, Standing

WANTED_AT_ONCE = WANTED_IDS_MAX // LANES_AT_ONCE_MAX  # of one lane
ONE_CHANGESET_BYTES = CHANGESET_BYTES_MAX + 128  # what the largest one takes in a batch


class Session:
    """See the module. `handle` never blocks and never keeps a reference to what it returned."""

    def __init__(self, *, initiator: bool, channel_hash: bytes, peer_hello: Hello) -> None:
        self.initiator = initiator
        self.heard = False  # whether the peer has said what it follows
        self._channel_hash = channel_hash
        self._role = INITIATOR if initiator else RESPONDER
        self._announcements = Announcements(channel_hash, initiator)
        self._lanes: dict[LaneKey, Lane] = {}
        self._begun = False  # whether we have said what we follow, or that it is nothing
        self._quiet: dict[LaneKey, LaneState] = {}  # followed, and not said before the peer says it
        self._introductions: list[Introduce] = []  # for when the peer has said what it follows
        self._shows_sent = self._shows_received = 0
        self._credit_out = peer_hello.credit
        self._credit_in = CREDIT_BYTES
        self._credit_owed = 0
        self._refused = 0
        self._timer: int | None = None
        self._effects: list[Effect] = []

    def shared(self) -> dict[LaneKey, bool]:
        """The lanes that both follow, and whether they were equal when last compared."""
        return {key: lane.in_step for key, lane in self._lanes.items() if lane.shared}

    def standing(self) -> dict[LaneKey, Standing]:
        """The lanes that both follow, and how far apart they are."""
        return {key: lane.standing for key, lane in self._lanes.items() if lane.shared}

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; returns what is to be done, in order. Raises PeerError when the peer broke the rules."""
        self._effects = []
        match event:
            case Received(data):
                self._received(frames.decode(data), now_ms)
            case Follow(entries):
                self._follow(entries, now_ms)
            case FollowQuietly(entries):
                self._quiet.update((key, state) for key, state in entries if key not in self._lanes)
                self._answer_tags(now_ms)
            case Leave(key, grace_ms):
                self._leave(key, grace_ms, now_ms)
            case Introduce():
                self._introductions.append(event)
                self._introduce()
            case Refresh():
                for lane in self._lanes.values():
                    if lane.shared:
                        lane.retry_ms = RETRY_MS_MIN
                        self._say_state(lane, QUESTION)
            case Moved():
                for lane in self._lanes.values():
                    if lane.deadline is not None:
                        lane.deadline = now_ms + UNSETTLED_MS_MAX
            case TimerFired():
                self._timer = None
            case _:
                self._account(event)
                lane_or_none = self._lanes.get(event.key)
                if lane_or_none is not None:
                    self._lane_event(lane_or_none, event, now_ms)
                elif event.key in self._quiet and isinstance(event, Changed):
                    self._quiet[event.key] = event.state
        self._due(now_ms)
        effects, self._effects = self._effects, []
        return effects

    # What the driver tells us

    def _follow(self, entries: Iterable[tuple[LaneKey, LaneState]], now_ms: int) -> None:
        new: list[tuple[bytes, LaneState]] = []
        keys: list[LaneKey] = []
        for key, state in entries:
            self._quiet.pop(key, None)
            if key in self._lanes:
                self._lanes[key].leave_at = None
            elif (announced := self._announcements.say(key)) is not None:
                self._lanes[key] = Lane(key, announced.number, announced.turn, state, state)
                new.append((announced.tag, state))
                keys.append(key)
        if new or not self._begun:
            self._begun = True
            self._send(frames.Lanes(tuple(new)))
        for key in keys:
            self._meet(key, now_ms)

    def _meet(self, key: LaneKey, now_ms: int) -> None:
        """Share a lane that both follow, at the same turn; who is behind announces it anew."""
        lane = self._lanes[key]
        heard = self._announcements.of_peer(key)
        while heard is not None and lane.turn < heard[0].turn:
            announced = self._announcements.say(key)
            if announced is None:
                return
            self._send(frames.Drop(lane.number))
            leave_at, mine = lane.leave_at, lane.mine
            lane = self._lanes[key] = Lane(
                key, announced.number, announced.turn, mine, mine, leave_at=leave_at
            )
            self._send(frames.Lanes(((announced.tag, mine),)))
        if heard is not None and lane.turn == heard[0].turn:
            lane.theirs, lane.retry_ms = heard[1], 0
            self._compare(lane, now_ms, 0)

    def _answer_tags(self, now_ms: int) -> None:
        """Announce what was kept quiet, where the peer has announced it."""
        answers = [
            (key, state) for key, state in self._quiet.items() if self._announcements.of_peer(key) is not None
        ]
        if answers:
            self._follow(answers, now_ms)

    def _introduce(self) -> None:
        if not self.heard:
            return
        for each in self._introductions:
            announced = self._announcements.of_peer((each.community, AUTHORITY)) is not None
            if not announced and self._shows_sent < SHOWS_MAX:
                self._shows_sent += 1
                door = frames.door_tag(self._channel_hash, self._role, each.door)
                self._send(frames.Show(door, each.size, each.packed))
        self._introductions.clear()

    def _leave(self, key: LaneKey, grace_ms: int, now_ms: int) -> None:
        self._quiet.pop(key, None)
        lane = self._lanes.get(key)
        if lane is None:
            return
        if grace_ms and lane.shared and not lane.in_step:
            lane.leave_at = now_ms + grace_ms
            return
        del self._lanes[key]
        self._send(frames.Drop(lane.number))

    def _lane_event(
        self,
        lane: Lane,
        event: Changed | Reconciled | Ordered | Answered | Applied | Fetched | Missing,
        now_ms: int,
    ) -> None:
        match event:
            case Changed(_, state, ids, size, packed, hops):
                lane.mine = state
                if lane.shared:
                    self._pass_on(lane, ids, size, packed, hops)
                    self._compare(lane, now_ms, RETRY_MS_MIN)
                if lane.key[1] == AUTHORITY:
                    self._authority_changed(lane)
            case Applied():
                self._applied(lane, event, now_ms)
            case Reconciled() | Answered() | Fetched() if event.turn != lane.turn:
                pass  # asked for when the lane was followed before
            case Reconciled():
                self._reconciled(lane, event, now_ms)
            case Ordered():
                self._ordered(lane, event)
            case Answered(_, message):
                lane.answering = False
                if lane.shared:
                    self._send(frames.Reconcile(lane.number, message))
            case Fetched():
                self._fetched(lane, event, now_ms)
            case Missing(_, ids):
                if ids and lane.shared:
                    self._send(frames.Graft(lane.number, ids))

    def _account(
        self, event: Changed | Reconciled | Ordered | Answered | Applied | Fetched | Missing
    ) -> None:
        """Credit is of the session, so it counts also where the lane was left meanwhile."""
        if isinstance(event, Applied):
            self._owe_credit(event.credit)
        elif isinstance(event, Fetched) and event.use is not Use.LIVE:
            self._credit_out += event.budget - event.size

    def _owe_credit(self, amount: int) -> None:
        self._credit_owed += amount
        if self._credit_owed >= CREDIT_BYTES // 4:
            self._credit_in += self._credit_owed
            self._send(frames.Credit(self._credit_owed))
            self._credit_owed = 0

    def _pass_on(self, lane: Lane, ids: tuple[bytes, ...], size: int, packed: bytes, hops: int) -> None:
        if packed and lane.eager:
            self._send(frames.Push(lane.number, min(hops, HOPS_MAX), size, packed), Rank.LIVE)
        elif ids and not lane.eager:
            for begin in range(0, len(ids), IHAVE_IDS_MAX):
                self._send(frames.IHave(lane.number, ids[begin : begin + IHAVE_IDS_MAX]), Rank.LIVE)

    def _applied(self, lane: Lane, event: Applied, now_ms: int) -> None:
        if event.turn == lane.turn:
            lane.applying -= 1
            lane.outstanding.difference_update(event.ids)
        changed = lane.mine != event.state
        lane.mine = event.state
        self._refused += event.refused
        if self._refused > REFUSED_MAX:
            raise PeerError(Reason.FLOOD, f"{self._refused} changesets that do not stand")
        if changed and lane.key[1] == AUTHORITY:
            self._authority_changed(lane)
        if not lane.shared:
            return
        if not lane.applying and lane.owes_answer:
            self._say_state(lane, ANSWER)
        self._compare(lane, now_ms, RETRY_MS_MIN)
        self._go_on(lane, now_ms)

    def _fetched(self, lane: Lane, event: Fetched, now_ms: int) -> None:
        if event.use is Use.LIVE:
            if event.packed and lane.shared:
                self._send(frames.Push(lane.number, 1, event.size, event.packed), Rank.LIVE)
            return
        lane.fetching = False
        lane.take_first(event.use, event.taken)
        gone = event.gone if event.use is Use.WANTED else ()
        if lane.shared and (event.packed or gone):
            self._send(frames.Changesets(lane.number, event.size, event.packed, gone), Rank.BULK)
        self._go_on(lane, now_ms)

    def _reconciled(self, lane: Lane, event: Reconciled, now_ms: int) -> None:
        if not lane.shared or lane.phase is not Phase.RECONCILING:
            return
        # After a message that was full, the next one may name an id again.
        for ids, queue in ((event.have, lane.supply), (event.need, lane.need)):
            for changeset_id in ids:
                if changeset_id not in lane.named:
                    lane.named.add(changeset_id)
                    queue.append(changeset_id)
        lane.newest_first = event.newest_first
        if event.list_next is not None:
            lane.list_next = event.list_next
        if event.message is not None:
            self._send(frames.Reconcile(lane.number, event.message))
            lane.deadline = now_ms + UNSETTLED_MS_MAX
        elif lane.list_next is not None:
            self._effects.append(AskReconciliation(lane.key, None, lane.list_next, lane.turn))
            lane.list_next = None
        else:
            lane.phase = Phase.TRANSFERRING
            lane.named.clear()
            self._go_on(lane, now_ms)

    # What the peer tells us

    def _received(self, frame: frames.Frame, now_ms: int) -> None:
        match frame:
            case frames.Bye(reason):
                self._effects.append(Ended(reason))
            case frames.Lanes(entries):
                self._announced_by_peer(entries, now_ms)
            case frames.Show(tag, size, packed):
                # As many as come are counted, known here or not: so nothing tells the peer which they are.
                self._shows_received += 1
                if self._shows_received > SHOWS_MAX:
                    raise PeerError(Reason.FLOOD, f"more than {SHOWS_MAX} times shown something")
                self._effects.append(Shown(tag, size, packed))
            case frames.Drop(number):
                self._dropped(number)
            case frames.Credit(amount):
                self._credit_out += amount
                if self._credit_out > CREDIT_BYTES_MAX:
                    raise PeerError(Reason.FLOOD, "more credit than can be given")
                for lane in list(self._lanes.values()):
                    self._serve(lane)
            case _:
                shared = self._lane_of(frame.lane)
                if isinstance(frame, frames.Changesets):
                    self._spend_credit(frame.size, wasted=shared is None)
                if shared is not None:
                    self._received_on(shared, frame, now_ms)

    def _spend_credit(self, size: int, *, wasted: bool) -> None:
        self._credit_in -= size
        if self._credit_in < 0:
            raise PeerError(Reason.NOT_ASKED_FOR, "more than the credit given")
        if wasted:
            self._owe_credit(size)

    def _announced_by_peer(self, entries: Iterable[tuple[bytes, LaneState]], now_ms: int) -> None:
        self.heard = True
        expected = {self._announcements.peer_tag(key): key for key in self._lanes}
        for tag, state in entries:
            self._announcements.hear(tag, state)
            if tag in expected:
                self._meet(expected[tag], now_ms)
        self._answer_tags(now_ms)
        self._introduce()

    def _lane_of(self, number: int) -> Lane | None:
        """The lane of a peer's number; None where its turn is over, so that the frame is passed over. Raises PeerError."""
        key, turn = self._announcements.named(number)
        lane = self._lanes.get(key)
        return lane if lane is not None and lane.shared and lane.turn == turn else None

    def _received_on(
        self,
        lane: Lane,
        frame: frames.State
        | frames.Reconcile
        | frames.Want
        | frames.Changesets
        | frames.Push
        | frames.IHave
        | frames.Graft
        | frames.Prune,
        now_ms: int,
    ) -> None:
        match frame:
            case frames.State(_, state, ask):
                self._state(lane, state, ask, now_ms)
            case frames.Reconcile(_, message):
                self._reconcile(lane, message)
            case frames.Want(_, ids):
                if sum(len(each.wanted) for each in self._lanes.values()) + len(ids) > WANTED_IDS_MAX:
                    raise PeerError(Reason.FLOOD, "too much wanted at once")
                lane.wanted.extend(ids)
                self._serve(lane)
            case frames.Changesets():
                self._changesets(lane, frame, now_ms)
            case frames.Push(_, hops, size, packed):
                lane.applying += 1
                self._effects.append(Apply(lane.key, size, packed, 0, hops, lane.turn))
            case frames.IHave(_, ids):
                self._effects.append(FindMissing(lane.key, ids))
            case frames.Graft(_, ids):
                lane.eager = True
                self._effects.append(Fetch(lane.key, ids, BATCH_BYTES_MAX, Use.LIVE, lane.turn))
            case frames.Prune():
                lane.eager = False

    def _state(self, lane: Lane, state: LaneState, ask: int, now_ms: int) -> None:
        if state != lane.theirs or ask == QUESTION:
            lane.retry_ms = min(lane.retry_ms, RETRY_MS_MIN)
        if state != lane.theirs:
            lane.tried = False
        lane.theirs = state
        if ask == QUESTION:
            if lane.applying:
                lane.owes_answer = True
            else:
                self._say_state(lane, ANSWER)
        if ask == ANSWER and lane.phase is Phase.SETTLING:
            lane.phase, lane.deadline, lane.tried = Phase.IDLE, None, True
            # Longer pauses only where the last attempt changed nothing on either side.
            again = lane.settled_at == (lane.mine, state)
            lane.settled_at = (lane.mine, state)
            lane.retry_ms = min(2 * max(lane.retry_ms, RETRY_MS_MIN), RETRY_MS_MAX) if again else RETRY_MS_MIN
            self._compare(lane, now_ms, lane.retry_ms)
            return
        self._compare(lane, now_ms, RETRY_MS_MIN if ask == NEWS else 0)

    def _reconcile(self, lane: Lane, message: bytes) -> None:
        if not self.initiator:
            if lane.answering:
                raise PeerError(Reason.OUT_OF_ORDER, "a second question before the answer to the first")
            lane.answering = True
            self._effects.append(AnswerReconciliation(lane.key, message, lane.turn))
            return
        if lane.phase is not Phase.RECONCILING or lane.deadline is None:
            raise PeerError(Reason.OUT_OF_ORDER, "an answer to no question")
        lane.rounds += 1
        if lane.rounds > RECONCILE_ROUNDS_MAX:
            raise PeerError(Reason.FLOOD, "a reconciliation that does not end")
        lane.deadline = None
        self._effects.append(AskReconciliation(lane.key, message, turn=lane.turn))

    def _changesets(self, lane: Lane, frame: frames.Changesets, now_ms: int) -> None:
        if not lane.outstanding.issuperset(frame.gone):
            raise PeerError(Reason.NOT_ASKED_FOR, "gone, but never wanted")
        lane.outstanding.difference_update(frame.gone)
        if frame.packed:
            lane.applying += 1
            self._effects.append(Apply(lane.key, frame.size, frame.packed, frame.size, None, lane.turn))
        self._go_on(lane, now_ms)

    def _dropped(self, number: int) -> None:
        """The peer follows a lane no more, shared or not."""
        dropped = self._announcements.hear_drop(number)
        lane = self._lanes.get(dropped[0]) if dropped is not None else None
        if dropped is not None and lane is not None and lane.turn == dropped[1]:
            self._unshare(lane)

    @staticmethod
    def _unshare(lane: Lane) -> None:
        lane.said = None
        lane.theirs, lane.phase, lane.deadline, lane.retry_at, lane.say_at = (
            None,
            Phase.IDLE,
            None,
            None,
            None,
        )
        lane.in_step = lane.owes_answer = False
        for queue in (lane.need, lane.supply, lane.wanted):
            queue.clear()
        lane.outstanding.clear()
        lane.in_order.clear()
        lane.ordering = None

    # What follows from it

    def _compare(self, lane: Lane, now_ms: int, delay_ms: int) -> None:
        """Note whether both sets are equal; where not, plan to reconcile, no sooner than `delay_ms` from now."""
        if not lane.shared:
            return
        equal = lane.mine == lane.theirs
        if equal:
            lane.retry_at, lane.retry_ms, lane.tried = None, RETRY_MS_MIN, True
            self._effects.append(InStep(lane.key))
            if lane.leave_at is not None:
                lane.leave_at = min(lane.leave_at, now_ms + LINGER_MS)
            if lane.key[1] == AUTHORITY and not lane.in_step:
                for other in self._data_lanes(lane):
                    if other.retry_at is not None:
                        other.retry_at = now_ms
        elif lane.in_step:
            self._effects.append(Behind(lane.key))
        lane.in_step = equal
        if not equal and self.initiator and lane.phase is Phase.IDLE:
            at = max(now_ms + delay_ms, (lane.last_try or -RETRY_MS_MIN) + max(RETRY_MS_MIN, lane.retry_ms))
            lane.retry_at = at if lane.retry_at is None else min(at, lane.retry_at)

    def _authority_changed(self, authority: Lane) -> None:
        self._refused = 0
        authority.tried = False
        for lane in self._data_lanes(authority):
            lane.tried, lane.retry_ms = False, RETRY_MS_MIN
            if lane.retry_at is not None and lane.last_try is not None:
                lane.retry_at = min(lane.retry_at, lane.last_try + RETRY_MS_MIN)

    def _data_lanes(self, authority: Lane) -> list[Lane]:
        community = authority.key[0]
        return [lane for key, lane in self._lanes.items() if key[0] == community and lane is not authority]

    def _go_on(self, lane: Lane, now_ms: int) -> None:
        """Ask for more, serve more, and settle when all of it is done."""
        if not lane.shared:
            return
        while lane.need and len(lane.outstanding) <= WANTED_AT_ONCE - WANT_IDS_MAX:
            ids = lane.next_wanted(WANT_IDS_MAX)
            lane.outstanding.update(ids)
            self._send(frames.Want(lane.number, ids))
        self._serve(lane)
        if lane.phase is not Phase.TRANSFERRING:
            return
        # The peer owes us what we want, and credit for what it lacks; a slow disk of our own is no fault of it.
        lane.deadline = now_ms + UNSETTLED_MS_MAX if lane.outstanding or lane.supply else None
        if not (lane.need or lane.outstanding or lane.supply or lane.fetching or lane.applying):
            lane.phase, lane.deadline = Phase.SETTLING, now_ms + UNSETTLED_MS_MAX
            self._say_state(lane, QUESTION)

    def _serve(self, lane: Lane) -> None:
        # What the peer lacks is sent when all of it is known.
        found = lane.supply if lane.phase is Phase.TRANSFERRING else None
        if not lane.shared or lane.fetching or lane.ordering or not (lane.wanted or found):
            return
        budget = min(self._credit_out, BATCH_BYTES_MAX)
        if budget < ONE_CHANGESET_BYTES:
            return
        use = Use.WANTED if lane.wanted else Use.SUPPLY
        queue = lane.queue(use)
        count = len(queue)
        if lane.key[1] != AUTHORITY:  # that is sent as it was found
            if lane.needs_order(use):
                lane.ordering = use, tuple(queue)
                self._effects.append(Order(lane.key, lane.ordering[1]))
                return
            count = lane.in_order[use]
        ids = tuple(queue[i] for i in range(min(count, BATCH_COUNT_MAX)))
        lane.fetching = True
        self._credit_out -= budget
        self._effects.append(Fetch(lane.key, ids, budget, use, lane.turn))

    def _ordered(self, lane: Lane, event: Ordered) -> None:
        if lane.ordering is None or lane.ordering[1] != event.asked:
            return  # the peer dropped the lane meanwhile
        lane.put_in_order(lane.ordering[0], event.asked, event.ids)
        lane.ordering = None
        self._serve(lane)

    def _say_state(self, lane: Lane, ask: int) -> None:
        lane.say_at, lane.said = None, lane.mine
        if ask == ANSWER:
            lane.owes_answer = False
        self._send(frames.State(lane.number, lane.mine, ask))

    def _send(self, frame: frames.Frame, rank: Rank = Rank.NORMAL) -> None:
        self._effects.append(Send(frames.encode(frame), rank))

    def _may_start(self, lane: Lane) -> bool:
        authority = self._lanes.get((lane.key[0], AUTHORITY))
        if authority is None or authority is lane:
            return True
        return authority.shared and authority.phase is Phase.IDLE and (authority.in_step or authority.tried)

    def _start(self, lane: Lane, now_ms: int) -> None:
        lane.phase, lane.retry_at, lane.last_try, lane.rounds = Phase.RECONCILING, None, now_ms, 0
        lane.named.clear()
        lane.list_next = None
        # Equal fingerprints of sets that differ are forged sums: only the ids themselves can tell (rule 28).
        forged = lane.theirs is not None and lane.mine.fingerprint == lane.theirs.fingerprint
        self._effects.append(AskReconciliation(lane.key, None, 0 if forged else None, lane.turn))

    def _due(self, now_ms: int) -> None:
        """Do what the time has come for, and say when to look again."""
        for lane in list(self._lanes.values()):
            if lane.leave_at is not None and (not lane.shared or lane.leave_at <= now_ms):
                self._leave(lane.key, 0, now_ms)
        active = sum(lane.phase is not Phase.IDLE for lane in self._lanes.values())
        next_at: int | None = None
        for lane in self._lanes.values():
            if lane.deadline is not None and lane.deadline <= now_ms:
                raise PeerError(Reason.TOO_SLOW, f"no answer on {lane.key[1]} within {UNSETTLED_MS_MAX} ms")
            if lane.say_at is not None and lane.say_at <= now_ms:
                self._say_state(lane, NEWS)
            elif lane.shared and lane.mine != lane.said and lane.say_at is None and lane.phase is Phase.IDLE:
                lane.say_at = now_ms + STATE_DELAY_MS
            if (
                lane.retry_at is not None
                and lane.retry_at <= now_ms
                and active < LANES_AT_ONCE_MAX
                and self._may_start(lane)
            ):
                active += 1
                self._start(lane, now_ms)
            for at in (lane.deadline, lane.say_at, lane.retry_at, lane.leave_at):
                if at is not None and at > now_ms and (next_at is None or at < next_at):
                    next_at = at
        if next_at is not None and (self._timer is None or next_at < self._timer):
            self._timer = next_at
            self._effects.append(SetTimer(next_at))
