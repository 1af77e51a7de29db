"""What a session (session.py) remembers of one lane."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from commonsnode_protocol.frames import LaneState
from commonsnode_protocol.session_events import LaneKey, Use


class Phase(Enum):
    """What the initiator is doing with a lane; the responder only answers."""

    IDLE = auto()
    RECONCILING = auto()  # finding out what differs
    TRANSFERRING = auto()  # wanting and supplying
    SETTLING = auto()  # asked the peer for its fingerprints after that


@dataclass(frozen=True, slots=True)
class Standing:
    """How far apart both sides of a lane are, as far as comparing them has shown."""

    in_step: bool
    to_get: int  # changesets that the peer has and we lack
    to_give: int  # that we have, and it lacks or asked for


@dataclass(slots=True)
class Lane:
    """A lane that this node follows; `shared` where the peer follows it too."""

    key: LaneKey
    number: int  # ours
    turn: int  # how often we had announced it before
    mine: LaneState
    said: LaneState | None  # what the peer was told last; none: nothing since it dropped the lane
    theirs: LaneState | None = None  # None: the peer does not follow it
    in_step: bool = False
    phase: Phase = Phase.IDLE
    tried: bool = False  # reconciled at least once since the last change of authority
    retry_ms: int = 0
    retry_at: int | None = None
    last_try: int | None = None
    settled_at: tuple[LaneState, LaneState] | None = None  # both sides after the last attempt
    rounds: int = 0
    list_next: int | None = None  # where the next message that lists our ids begins
    answering: bool = False  # a Negentropy answer of ours is being worked out
    named: set[bytes] = field(default_factory=set)  # ids that this reconciliation has named so far
    need: deque[bytes] = field(default_factory=deque)
    outstanding: set[bytes] = field(default_factory=set)  # wanted, and not here yet
    supply: deque[bytes] = field(default_factory=deque)  # what the peer lacks
    wanted: deque[bytes] = field(default_factory=deque)  # what the peer asked for
    newest_first: bool = False  # ask for the last of `need` first
    in_order: dict[Use, int] = field(
        default_factory=dict
    )  # how many at the front of a queue were put in order
    ordering: tuple[Use, tuple[bytes, ...]] | None = None  # what is being put in order
    fetching: bool = False
    applying: int = 0
    owes_answer: bool = False
    say_at: int | None = None  # when to say our new fingerprints
    leave_at: int | None = None  # when to leave it, if it is not in step before
    deadline: int | None = None  # until when the peer owes us something
    eager: bool = True  # Plumtree: push to this peer, rather than `ihave`

    @property
    def shared(self) -> bool:
        return self.theirs is not None

    @property
    def standing(self) -> Standing:
        getting, giving = len(self.need) + len(self.outstanding), len(self.supply) + len(self.wanted)
        return Standing(self.in_step, getting, giving)

    def queue(self, use: Use) -> deque[bytes]:
        return self.wanted if use is Use.WANTED else self.supply

    def needs_order(self, use: Use) -> bool:
        """Whether a queue is to be put in order anew: where much came, against what is left in order.

        So ids that come one by one are not each a reason to look at all others again.
        """
        in_order = self.in_order.get(use, 0)
        return 2 * (len(self.queue(use)) - in_order) > in_order

    def take_first(self, use: Use, ids: Iterable[bytes]) -> None:
        """These went, from the front of a queue; unless the peer dropped the lane meanwhile, and the queue with it."""
        queue = self.queue(use)
        for changeset_id in ids:
            if queue and queue[0] == changeset_id:
                queue.popleft()
                self.in_order[use] = max(0, self.in_order.get(use, 0) - 1)

    def put_in_order(self, use: Use, asked: Sequence[bytes], ids: Sequence[bytes]) -> None:
        """ids: the first of a queue, `asked`, in another order; what was asked twice may be there once."""
        queue = self.queue(use)
        for _ in asked:
            queue.popleft()
        queue.extendleft(reversed(ids))
        self.in_order[use] = len(ids)

    def next_wanted(self, count_max: int) -> tuple[bytes, ...]:
        """Take the next ids out of `need`: the first ones, or the last ones; always by (time, id)."""
        count = min(count_max, len(self.need))
        if self.newest_first:
            return tuple(self.need.pop() for _ in range(count))[::-1]
        return tuple(self.need.popleft() for _ in range(count))
