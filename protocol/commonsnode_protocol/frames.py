"""The frames of a session: what each one is, to the byte.  SPEC.md, "Frames".

A frame is a canonical MessagePack array whose first element is its type. Every reference to a lane, `n`, is the number
that the *sender* gave to the lane: its place, from 0, among all that the sender has announced in this session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import NotCanonical, PeerError, Reason
from commonsnode_protocol.limits import (
    BATCH_BYTES_MAX,
    CREDIT_BYTES_MAX,
    HELLO_AGENT_BYTES_MAX,
    HELLO_VERSIONS_MAX,
    HOPS_MAX,
    IHAVE_IDS_MAX,
    LANES_MAX,
    LIVE_BYTES_MAX,
    PACKED_BYTES_MAX,
    REASON_BYTES_MAX,
    RECONCILE_BYTES_MAX,
    SHOW_BYTES_MAX,
    SHOW_PACKED_BYTES_MAX,
    TIME_MS_MAX,
    WANT_IDS_MAX,
)

SESSION_VERSION = 1
TAG_BYTES = 16
FINGERPRINT_BYTES = 16
DIGEST_BYTES = 32
INITIATOR, RESPONDER = b"i", b"r"
NEWS, QUESTION, ANSWER = 0, 1, 2
ASK_MAX = ANSWER


@dataclass(frozen=True, slots=True)
class LaneState:
    """Both fingerprints of a lane's standing set (rule 28)."""

    fingerprint: bytes  # 16 bytes, Negentropy
    digest: bytes  # 32 bytes, which cannot be forged as sums of ids can


@dataclass(frozen=True, slots=True)
class Hello:
    """What each side says of itself, inside the handshake. Keys that are not known are passed over."""

    versions: tuple[int, ...]
    credit: int  # bytes of batches that the peer may send before the first `credit`
    time: int  # ms since 1970, for information only
    agent: str


@dataclass(frozen=True, slots=True)
class Bye:
    """[0, reason]: this session ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """[1, [[tag, fingerprint, digest], …]]: lanes that the sender follows."""

    entries: tuple[tuple[bytes, LaneState], ...]


@dataclass(frozen=True, slots=True)
class State:
    """[2, n, fingerprint, digest, ask]: the lane's fingerprints now; ask: 0 news, 1 a question, 2 the answer to one."""

    lane: int
    state: LaneState
    ask: int = 0


@dataclass(frozen=True, slots=True)
class Reconcile:
    """[3, n, message]: a Negentropy message; from the initiator of the session a question, else an answer."""

    lane: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Want:
    """[4, n, ids]: send these."""

    lane: int
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Changesets:
    """[5, n, size, packed, gone]: wanted ones and such as the peer lacks; `gone`: wanted, but not here any more."""

    lane: int
    size: int
    packed: bytes  # empty where size is 0
    gone: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """[6, bytes]: the receiver of batches may take so many more."""

    amount: int


@dataclass(frozen=True, slots=True)
class Push:
    """[7, n, hops, size, packed]: Plumtree's GOSSIP, eager."""

    lane: int
    hops: int
    size: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class IHave:
    """[8, n, ids]: Plumtree's IHAVE, lazy."""

    lane: int
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Graft:
    """[9, n, ids]: Plumtree's GRAFT: push to me from now on, and these at once."""

    lane: int
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prune:
    """[10, n]: Plumtree's PRUNE: only `ihave` to me from now on."""

    lane: int


@dataclass(frozen=True, slots=True)
class Drop:
    """[11, n]: the sender follows this lane no more; whatever is open on it is void."""

    lane: int


@dataclass(frozen=True, slots=True)
class Show:
    """[12, tag, size, packed]: changesets of a lane `authority` that the receiver may know by this tag of a door."""

    tag: bytes
    size: int
    packed: bytes


Frame: TypeAlias = (
    Bye | Lanes | State | Reconcile | Want | Changesets | Credit | Push | IHave | Graft | Prune | Drop | Show
)


def tag(channel_hash: bytes, role: bytes, community: bytes, lane: str) -> bytes:
    """What a side calls a lane before it knows whether the other follows it; role: of the side that says it (rule 42)."""
    return blake2b(channel_hash + role + community + lane.encode(), digest_size=TAG_BYTES).digest()


def door_tag(channel_hash: bytes, role: bytes, door: bytes) -> bytes:
    """What a side that shows why it is admitted calls the community (rule 42); role: of the side that says it.

    door: an invitation's public key, or `door_of_key`.
    """
    return blake2b(channel_hash + role + door, digest_size=TAG_BYTES).digest()


def door_of_key(community: bytes, key: bytes) -> bytes:
    """The door by which a node with this key shows itself to a community that does not know it yet."""
    return community + key


def hello_value(hello: Hello) -> dict[str, Value]:
    return {
        "agent": hello.agent,
        "credit": hello.credit,
        "time": hello.time,
        "versions": list[Value](hello.versions),
    }


def parse_hello(value: object) -> Hello:
    """Raises PeerError `bad-handshake` for another form, `bad-version` where no version is in common."""
    if not isinstance(value, dict):
        raise PeerError(Reason.BAD_HANDSHAKE, "hello is no map")
    versions, credit, time, agent = (value.get(key) for key in ("versions", "credit", "time", "agent"))
    if (
        not isinstance(versions, list)
        or not 1 <= len(versions) <= HELLO_VERSIONS_MAX
        or not all(type(version) is int and version >= 0 for version in versions)
        or type(credit) is not int
        or not 0 <= credit <= CREDIT_BYTES_MAX
        or type(time) is not int
        or not 0 <= time <= TIME_MS_MAX
        or type(agent) is not str
        or len(agent.encode()) > HELLO_AGENT_BYTES_MAX
    ):
        raise PeerError(Reason.BAD_HANDSHAKE, "hello is not in its form")
    if SESSION_VERSION not in versions:
        raise PeerError(Reason.BAD_VERSION, f"the peer speaks {versions}, we speak {SESSION_VERSION}")
    return Hello(tuple(versions), credit, time, agent)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return canonical.pack(_value(frame))


def _value(frame: Frame) -> list[object]:
    match frame:
        case Bye(reason):
            return [0, reason]
        case Lanes(entries):
            return [1, [[tag_, state.fingerprint, state.digest] for tag_, state in entries]]
        case State(lane, state, ask):
            return [2, lane, state.fingerprint, state.digest, ask]
        case Reconcile(lane, message):
            return [3, lane, message]
        case Want(lane, ids):
            return [4, lane, list(ids)]
        case Changesets(lane, size, packed, gone):
            return [5, lane, size, packed, list(gone)]
        case Credit(amount):
            return [6, amount]
        case Push(lane, hops, size, packed):
            return [7, lane, hops, size, packed]
        case IHave(lane, ids):
            return [8, lane, list(ids)]
        case Graft(lane, ids):
            return [9, lane, list(ids)]
        case Prune(lane):
            return [10, lane]
        case Drop(lane):
            return [11, lane]
        case Show(tag_, size, packed):
            return [12, tag_, size, packed]


def decode(data: bytes) -> Frame:
    """Read a frame. Raises PeerError `bad-frame` or `too-large`; a type that is not known is a bad frame."""
    try:
        value = canonical.decode(data)
    except NotCanonical as error:
        raise PeerError(Reason.BAD_FRAME, str(error)) from error
    if not isinstance(value, list) or not value or type(value[0]) is not int:
        raise PeerError(Reason.BAD_FRAME, "not an array with a type")
    reader = _READERS.get(value[0])
    if reader is None:
        raise PeerError(Reason.BAD_FRAME, f"a frame of type {value[0]}")
    length, read = reader
    if len(value) != length:
        raise PeerError(Reason.BAD_FRAME, f"a frame of type {value[0]} with {len(value)} elements")
    return read(value)


def _int(value: Value, most: int) -> int:
    if type(value) is not int or value < 0:
        raise PeerError(Reason.BAD_FRAME, "a number is missing")
    if value > most:
        raise PeerError(Reason.TOO_LARGE, f"{value}; {most} at most")
    return value


def _lane(value: Value) -> int:
    return _int(value, LANES_MAX - 1)


def _bytes(value: Value, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise PeerError(Reason.BAD_FRAME, f"not {length} bytes")
    return value


def _blob(value: Value, most: int) -> bytes:
    if type(value) is not bytes:
        raise PeerError(Reason.BAD_FRAME, "not bytes")
    if len(value) > most:
        raise PeerError(Reason.TOO_LARGE, f"{len(value)} bytes; {most} at most")
    return value


def _ids(value: Value, most: int, least: int = 1) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) < least:
        raise PeerError(Reason.BAD_FRAME, "no list of ids")
    if len(value) > most:
        raise PeerError(Reason.TOO_LARGE, f"{len(value)} ids; {most} at most")
    ids = tuple(_bytes(item, 32) for item in value)
    if len(set(ids)) != len(ids):
        raise PeerError(Reason.BAD_FRAME, "an id twice")
    return ids


def _state(fingerprint: Value, digest: Value) -> LaneState:
    return LaneState(_bytes(fingerprint, FINGERPRINT_BYTES), _bytes(digest, DIGEST_BYTES))


def _read_bye(value: list[Value]) -> Bye:
    if type(value[1]) is not str or len(value[1].encode()) > REASON_BYTES_MAX:
        raise PeerError(Reason.BAD_FRAME, "no reason")
    return Bye(value[1])


def _read_lanes(value: list[Value]) -> Lanes:
    entries = value[1]
    if not isinstance(entries, list):
        raise PeerError(Reason.BAD_FRAME, "no list of lanes")
    if len(entries) > LANES_MAX:
        raise PeerError(Reason.TOO_LARGE, f"{len(entries)} lanes; {LANES_MAX} at most")
    read = []
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 3:
            raise PeerError(Reason.BAD_FRAME, "a lane that is not [tag, fingerprint, digest]")
        read.append((_bytes(entry[0], TAG_BYTES), _state(entry[1], entry[2])))
    return Lanes(tuple(read))


def _read_changesets(value: list[Value]) -> Changesets:
    frame = Changesets(
        _lane(value[1]),
        _int(value[2], BATCH_BYTES_MAX),
        _blob(value[3], PACKED_BYTES_MAX),
        _ids(value[4], WANT_IDS_MAX, 0),
    )
    if bool(frame.size) != bool(frame.packed) or not (frame.packed or frame.gone):
        raise PeerError(Reason.BAD_FRAME, "a batch without content")
    return frame


def _read_show(value: list[Value]) -> Show:
    frame = Show(
        _bytes(value[1], TAG_BYTES),
        _int(value[2], SHOW_BYTES_MAX),
        _blob(value[3], SHOW_PACKED_BYTES_MAX),
    )
    if not frame.size or not frame.packed:
        raise PeerError(Reason.BAD_FRAME, "a batch without content")
    return frame


_READERS: dict[int, tuple[int, Callable[[list[Value]], Frame]]] = {
    0: (2, _read_bye),
    1: (2, _read_lanes),
    2: (5, lambda v: State(_lane(v[1]), _state(v[2], v[3]), _int(v[4], ASK_MAX))),
    3: (3, lambda v: Reconcile(_lane(v[1]), _blob(v[2], RECONCILE_BYTES_MAX))),
    4: (3, lambda v: Want(_lane(v[1]), _ids(v[2], WANT_IDS_MAX))),
    5: (5, _read_changesets),
    6: (2, lambda v: Credit(_int(v[1], CREDIT_BYTES_MAX))),
    7: (
        5,
        lambda v: Push(
            _lane(v[1]), _int(v[2], HOPS_MAX), _int(v[3], LIVE_BYTES_MAX), _blob(v[4], PACKED_BYTES_MAX)
        ),
    ),
    8: (3, lambda v: IHave(_lane(v[1]), _ids(v[2], IHAVE_IDS_MAX))),
    9: (3, lambda v: Graft(_lane(v[1]), _ids(v[2], IHAVE_IDS_MAX))),
    10: (2, lambda v: Prune(_lane(v[1]))),
    11: (2, lambda v: Drop(_lane(v[1]))),
    12: (4, _read_show),
}
