"""What goes into a session and what comes out of it (session.py): events and effects.

turn: of the lane that an effect is about; its outcome is told with the same. A lane that was left and followed again has
another one, so that what was asked for before is told apart.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from commonsnode_protocol.frames import LaneState

LaneKey: TypeAlias = tuple[bytes, str]  # community id, lane


class Use(Enum):
    """What fetched changesets are for."""

    WANTED = auto()  # the peer asked for them
    SUPPLY = auto()  # reconciliation showed that the peer lacks them
    LIVE = auto()  # grafted


class Rank(Enum):
    """How a frame queues behind others that are not sent yet: it keeps its place, but LIVE goes before trailing BULK."""

    NORMAL = auto()
    BULK = auto()
    LIVE = auto()


# Events


@dataclass(frozen=True, slots=True)
class Received:
    """A frame came in."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Follow:
    """This node follows these lanes: all at the beginning (first event, also where there are none), more later."""

    entries: tuple[tuple[LaneKey, LaneState], ...]


@dataclass(frozen=True, slots=True)
class FollowQuietly:
    """This node follows these lanes, and says so only to a peer that says it first; ended by Follow and Leave."""

    entries: tuple[tuple[LaneKey, LaneState], ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """This node follows the lane no more, or not with this peer.

    grace_ms: where the lane is shared and not in step, it stays for so long, or until soon after it is in step.
    """

    key: LaneKey
    grace_ms: int = 0


@dataclass(frozen=True, slots=True)
class Introduce:
    """Show changesets of lane `authority` at a door of a community, unless the peer has announced that lane by itself."""

    community: bytes
    door: bytes
    size: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class Changed:
    """Our set changed by something else than this peer's batches.

    packed: the new changesets (of which `ids` are the ids) as a batch; empty where they are too many to push.
    hops: how many links they have come over when this peer has them.
    """

    key: LaneKey
    state: LaneState
    ids: tuple[bytes, ...]
    size: int
    packed: bytes
    hops: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The outcome of AskReconciliation; message None: the difference is known, as far as the message went."""

    key: LaneKey
    message: bytes | None
    have: tuple[bytes, ...]
    need: tuple[bytes, ...]
    list_next: int | None = None  # of a message that lists ids: where the next one begins
    newest_first: bool = False  # some author was cut here, so that later changesets decide on earlier ones
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Ordered:
    """The outcome of Order: the same ids, as they are to be sent."""

    key: LaneKey
    asked: tuple[bytes, ...]
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The outcome of AnswerReconciliation."""

    key: LaneKey
    message: bytes
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """A batch of this peer was applied; `credit` bytes of it count against the credit we gave."""

    key: LaneKey
    state: LaneState
    ids: tuple[bytes, ...]  # all that were in the batch
    refused: int  # of them, those that do not stand here
    credit: int
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """The outcome of Fetch: `taken`, the first of the ids asked for, are in `packed` or `gone`."""

    key: LaneKey
    use: Use
    budget: int  # as it was asked
    size: int
    packed: bytes
    taken: tuple[bytes, ...]
    gone: tuple[bytes, ...]
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """The outcome of FindMissing: those that are not here."""

    key: LaneKey
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Refresh:
    """Compare every shared lane anew."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The connection carried 1,024 bytes more, of whatever frame: what is owed may be on its way."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time set by SetTimer has come."""


Event: TypeAlias = (
    Received
    | Follow
    | FollowQuietly
    | Leave
    | Introduce
    | Changed
    | Reconciled
    | Ordered
    | Answered
    | Applied
    | Fetched
    | Missing
    | Refresh
    | Moved
    | TimerFired
)

# Effects


@dataclass(frozen=True, slots=True)
class Send:
    """Put a frame on the wire."""

    data: bytes
    rank: Rank


@dataclass(frozen=True, slots=True)
class AskReconciliation:
    """As initiator: begin (None), or take the peer's answer; tell Reconciled.

    list_from: begin by naming our items from here on, instead of fingerprints of ranges.
    """

    key: LaneKey
    message: bytes | None
    list_from: int | None = None
    turn: int = 0


@dataclass(frozen=True, slots=True)
class AnswerReconciliation:
    """As responder: work out the answer; tell Answered."""

    key: LaneKey
    message: bytes
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """Put the ids of changesets to be sent in an order in which the peer can judge them one batch after the other; tell Ordered."""

    key: LaneKey
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """Unpack, check and apply a batch; tell Applied. hops: the links that a push came over; None for a transfer."""

    key: LaneKey
    size: int
    packed: bytes
    credit: int
    hops: int | None
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read changesets in this order until `budget` bytes; tell Fetched."""

    key: LaneKey
    ids: tuple[bytes, ...]
    budget: int
    use: Use
    turn: int = 0


@dataclass(frozen=True, slots=True)
class FindMissing:
    """Find those that are not here; tell Missing."""

    key: LaneKey
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The peer shows changesets at a door, which we may know by this tag. Nothing is to be told, whatever they are."""

    tag: bytes
    size: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class InStep:
    """Both sets of the lane are equal now."""

    key: LaneKey


@dataclass(frozen=True, slots=True)
class Behind:
    """They were equal, and are not any more."""

    key: LaneKey


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Tell TimerFired then; replaces an earlier timer."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer said goodbye; its reason is untrusted text."""

    reason: str


Effect: TypeAlias = (
    Send
    | AskReconciliation
    | AnswerReconciliation
    | Order
    | Apply
    | Fetch
    | FindMissing
    | Shown
    | InStep
    | Behind
    | SetTimer
    | Ended
)
