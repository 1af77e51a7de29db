"""The bytes of Negentropy protocol v1: messages of ranges, to and fro.  SPEC.md, "Reconciliation".

Knows nothing of sets: what to say about which range is decided in negentropy.py.

Source: Doug Hoyte, docs/negentropy-protocol-v1.md in github.com/hoytech/negentropy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import RECONCILE_BYTES_MAX

VERSION = 0x61  # protocol version 1
VERSIONS = range(0x60, 0x70)  # what may be a version byte at all
ID_BYTES = 32
FINGERPRINT_BYTES = 16
FRAME_MAX = RECONCILE_BYTES_MAX  # bytes in a message, ours and theirs, and so at most 8,191 ids
FRAME_MIN = (
    256  # the least limit we can be told to keep: a skip, one id and the closing fingerprint fit with ease
)
RANGES_MAX = 16_384  # in one message: 13,797 fingerprints with the shortest bounds fill a frame

Bound = tuple[
    int, bytes
]  # time, id prefix without trailing zero bytes: so it compares with items as it should
ZERO: Bound = (0, b"")
INFINITY: Bound = (2**64 - 1, b"")

_BOUND_BYTES = 10 + 1 + ID_BYTES  # the most that a bound takes
_RANGE_BYTES = _BOUND_BYTES + 1 + FINGERPRINT_BYTES  # the most that a range takes, but for listed ids
_CLOSING_BYTES = _BOUND_BYTES + 1 + 2 + 1 + FINGERPRINT_BYTES  # kept free for a skip, and all that remains


class Mode(IntEnum):
    """What is said of a range."""

    SKIP = 0
    FINGERPRINT = 1
    IDS = 2


@dataclass(frozen=True, slots=True)
class Range:
    """From the bound of the range before, or zero, to before `bound`."""

    bound: Bound
    mode: Mode
    fingerprint: bytes = b""
    ids: tuple[bytes, ...] = ()


def version(message: bytes) -> int:
    """The version byte. Raises PeerError if there is none."""
    if not message or message[0] not in VERSIONS:
        raise _bad("no version byte")
    return message[0]


def decode(message: bytes) -> list[Range]:
    """The ranges of a message of VERSION, in ascending order.

    Raises PeerError: `too-large` over FRAME_MAX or RANGES_MAX, `bad-frame` at anything else not of the form.
    """
    if len(message) > FRAME_MAX:
        raise PeerError(Reason.TOO_LARGE, f"negentropy: a message of {len(message)} bytes")
    ranges: list[Range] = []
    bound = ZERO
    at = 1
    while at < len(message):
        if len(ranges) == RANGES_MAX:
            raise PeerError(Reason.TOO_LARGE, f"negentropy: more than {RANGES_MAX} ranges")
        before = bound
        bound, at = _decode_bound(message, at, before)
        if bound <= before:
            raise _bad("bounds do not ascend")
        mode, at = _decode_varint(message, at)
        if mode == Mode.SKIP:
            ranges.append(Range(bound, Mode.SKIP))
        elif mode == Mode.FINGERPRINT:
            value, at = _decode_bytes(message, at, FINGERPRINT_BYTES)
            ranges.append(Range(bound, Mode.FINGERPRINT, fingerprint=value))
        elif mode == Mode.IDS:
            count, at = _decode_varint(message, at)
            joined, at = _decode_bytes(message, at, count * ID_BYTES)
            ids = tuple(joined[i : i + ID_BYTES] for i in range(0, len(joined), ID_BYTES))
            ranges.append(Range(bound, Mode.IDS, ids=ids))
        else:
            raise _bad(f"unknown mode {mode}")
    if len({id_ for range_ in ranges for id_ in range_.ids}) != sum(len(range_.ids) for range_ in ranges):
        raise _bad("an id is listed twice")
    return ranges


def _decode_bound(message: bytes, at: int, before: Bound) -> tuple[Bound, int]:
    offset, at = _decode_varint(message, at)
    length, at = _decode_varint(message, at)
    if length > ID_BYTES:
        raise _bad(f"an id prefix of {length} bytes")
    prefix, at = _decode_bytes(message, at, length)
    if offset == 0:
        if prefix:
            raise _bad("an id prefix at infinity")
        return INFINITY, at
    time = before[0] + offset - 1
    if time >= INFINITY[0]:
        raise _bad("a time at or past infinity")
    return (time, prefix.rstrip(b"\0")), at


def _decode_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position in range(at, min(at + 10, len(message))):
        byte = message[position]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            if value >= 2**64:
                raise _bad("a varint over 64 bits")
            return value, position + 1
        if value == 0:
            raise _bad("a varint with leading zeros")
    raise _bad("a varint over 64 bits" if at + 10 <= len(message) else "a varint without end")


def _decode_bytes(message: bytes, at: int, length: int) -> tuple[bytes, int]:
    if length > len(message) - at:
        raise _bad("the message ends too early")
    return message[at : at + length], at + length


def _bad(detail: str) -> PeerError:
    return PeerError(Reason.BAD_FRAME, f"negentropy: {detail}")


def encode_varint(value: int) -> bytes:
    """Base 128, most significant digit first, in as few bytes as possible."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))


class Writer:
    """Puts ranges in ascending order into one message of at most `frame_max` bytes.

    Ask whether there is room before each range. There always is for one skip and a fingerprint to infinity.
    """

    def __init__(self, frame_max: int) -> None:
        if not FRAME_MIN <= frame_max <= FRAME_MAX:
            raise ValueError(f"frame_max is {FRAME_MIN} to {FRAME_MAX}, not {frame_max}")
        self._limit = frame_max - _CLOSING_BYTES
        self._message = bytearray([VERSION])
        self._ranges = 0
        self._time = 0  # of the bound before
        self._bound = ZERO  # where the next range begins
        self._listed: list[bytes] | None = None  # an id list that ends at _bound, and may yet grow

    def has_room(self) -> bool:
        """For one more range of any form."""
        return self._room() >= 0

    def ids_room(self) -> int:
        """How many ids can be listed now. Has meaning only where there is room for a range."""
        return (self._room() + (0 if self._listed is None else _RANGE_BYTES)) // ID_BYTES

    def skip_to(self, bound: Bound) -> None:
        """Say nothing of what lies before this bound, if anything does."""
        if bound > self._bound:
            self._put(bound, Mode.SKIP)

    def fingerprint(self, bound: Bound, value: bytes) -> None:
        self._put(bound, Mode.FINGERPRINT, value)

    def ids(self, bound: Bound, ids: Sequence[bytes]) -> None:
        """Say which ids there are. Lists that touch become one."""
        if self._listed is None:
            self._listed = []
        self._listed += ids
        self._bound = bound

    def message(self) -> bytes:
        self._end_list()
        return bytes(self._message)

    def _room(self) -> int:
        if self._ranges >= RANGES_MAX - 3:
            return -1
        listed = 0 if self._listed is None else _RANGE_BYTES + ID_BYTES * len(self._listed)
        return self._limit - len(self._message) - listed - _RANGE_BYTES

    def _put(self, bound: Bound, mode: Mode, payload: bytes = b"") -> None:
        self._end_list()
        self._append(bound, mode, payload)

    def _end_list(self) -> None:
        if self._listed is not None:
            self._append(self._bound, Mode.IDS, encode_varint(len(self._listed)) + b"".join(self._listed))
            self._listed = None

    def _append(self, bound: Bound, mode: Mode, payload: bytes) -> None:
        time, prefix = bound
        offset = 0 if bound == INFINITY else time - self._time + 1
        self._message += (
            encode_varint(offset) + encode_varint(len(prefix)) + prefix + encode_varint(mode) + payload
        )
        self._time, self._bound = time, bound
        self._ranges += 1
