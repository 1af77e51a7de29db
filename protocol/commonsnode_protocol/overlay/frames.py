"""The frames of the overlay: what each one is, to the byte.  SPEC.md, "Overlay".

They have numbers of their own from 32 on, and go only to peers whose hello says that they speak them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import NotCanonical, PeerError, Reason
from commonsnode_protocol.limits import (
    CONTACTS_MAX,
    HOPS_MAX,
    IHAVE_IDS_MAX,
    LANES_MAX,
    RECORD_BYTES_MAX,
    WALK_HOPS_MAX,
)

NONCE_BYTES = 8
KEY_BYTES = ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Contact:
    """A node, and how it is reached as it said itself; an empty record: it cannot be dialled."""

    key: bytes
    record: bytes


@dataclass(frozen=True, slots=True)
class Join:
    """[32, n, contact]: I know nobody else: be my neighbour, and tell others of me."""

    contact: Contact


@dataclass(frozen=True, slots=True)
class Walk:
    """[33, n, nonce, ttl, contact]: HyParView's FORWARDJOIN: this node looks for neighbours."""

    nonce: bytes
    ttl: int
    contact: Contact


@dataclass(frozen=True, slots=True)
class Place:
    """[34, n, nonce, contact]: the answer to a walk, back along it: this node has a place for who joins."""

    nonce: bytes
    contact: Contact


@dataclass(frozen=True, slots=True)
class Shuffle:
    """[35, n, nonce, ttl, contacts]: HyParView's SHUFFLE; the first contact is who began it."""

    nonce: bytes
    ttl: int
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Shuffled:
    """[36, n, nonce, contacts]: HyParView's SHUFFLEREPLY, back along the walk."""

    nonce: bytes
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """[37, n, urgent, contact]: HyParView's NEIGHBOUR: be mine; urgent 1: I have no other."""

    urgent: bool
    contact: Contact


@dataclass(frozen=True, slots=True)
class Answer:
    """[38, n, taken]: to `join` and `neighbour`: 1 we are neighbours now, 0 there is no place."""

    taken: bool


@dataclass(frozen=True, slots=True)
class Part:
    """[39, n]: HyParView's DISCONNECT: we are neighbours no more."""


@dataclass(frozen=True, slots=True)
class News:
    """[40, n, hops, ids]: `ihave` that also says over how many links they came: Plumtree's IHAVE in full."""

    hops: int
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Eager:
    """[41, n]: a `graft` that asks for nothing: push to me from now on."""


MembershipFrame: TypeAlias = Join | Walk | Place | Shuffle | Shuffled | Neighbour | Answer | Part
TreeFrame: TypeAlias = News | Eager
OverlayFrame: TypeAlias = MembershipFrame | TreeFrame


def encode(lane: int, frame: OverlayFrame) -> bytes:
    """The bytes of a frame that names the sender's lane of that number."""
    return canonical.pack(_value(lane, frame))


def _value(lane: int, frame: OverlayFrame) -> list[object]:
    match frame:
        case Join(contact):
            return [32, lane, _shown(contact)]
        case Walk(nonce, ttl, contact):
            return [33, lane, nonce, ttl, _shown(contact)]
        case Place(nonce, contact):
            return [34, lane, nonce, _shown(contact)]
        case Shuffle(nonce, ttl, contacts):
            return [35, lane, nonce, ttl, [_shown(each) for each in contacts]]
        case Shuffled(nonce, contacts):
            return [36, lane, nonce, [_shown(each) for each in contacts]]
        case Neighbour(urgent, contact):
            return [37, lane, int(urgent), _shown(contact)]
        case Answer(taken):
            return [38, lane, int(taken)]
        case Part():
            return [39, lane]
        case News(hops, ids):
            return [40, lane, hops, list(ids)]
        case Eager():
            return [41, lane]


def _shown(contact: Contact) -> list[object]:
    return [contact.key, contact.record]


def decode(data: bytes) -> tuple[int, OverlayFrame]:
    """The sender's lane number and the frame. Raises PeerError `bad-frame` or `too-large`."""
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
    return _int(value[1], LANES_MAX - 1), read(value)


def _int(value: Value, most: int) -> int:
    if type(value) is not int or value < 0:
        raise PeerError(Reason.BAD_FRAME, "a number is missing")
    if value > most:
        raise PeerError(Reason.TOO_LARGE, f"{value}; {most} at most")
    return value


def _bytes(value: Value, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise PeerError(Reason.BAD_FRAME, f"not {length} bytes")
    return value


def _contact(value: Value) -> Contact:
    if not isinstance(value, list) or len(value) != 2:
        raise PeerError(Reason.BAD_FRAME, "a contact that is not [key, record]")
    key, record = _bytes(value[0], KEY_BYTES), value[1]
    if type(record) is not bytes:
        raise PeerError(Reason.BAD_FRAME, "a contact without a record")
    if len(record) > RECORD_BYTES_MAX:
        raise PeerError(Reason.TOO_LARGE, f"a record of {len(record)} bytes")
    return Contact(key, record)


def _contacts(value: Value, least: int) -> tuple[Contact, ...]:
    if not isinstance(value, list) or len(value) < least:
        raise PeerError(Reason.BAD_FRAME, "no list of contacts")
    if len(value) > CONTACTS_MAX:
        raise PeerError(Reason.TOO_LARGE, f"{len(value)} contacts; {CONTACTS_MAX} at most")
    contacts = tuple(map(_contact, value))
    if len({each.key for each in contacts}) != len(contacts):
        raise PeerError(Reason.BAD_FRAME, "a contact twice")
    return contacts


def _ids(value: Value) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not value:
        raise PeerError(Reason.BAD_FRAME, "no list of ids")
    if len(value) > IHAVE_IDS_MAX:
        raise PeerError(Reason.TOO_LARGE, f"{len(value)} ids; {IHAVE_IDS_MAX} at most")
    ids = tuple(_bytes(each, ID_BYTES) for each in value)
    if len(set(ids)) != len(ids):
        raise PeerError(Reason.BAD_FRAME, "an id twice")
    return ids


_READERS: dict[int, tuple[int, Callable[[list[Value]], OverlayFrame]]] = {
    32: (3, lambda v: Join(_contact(v[2]))),
    33: (5, lambda v: Walk(_bytes(v[2], NONCE_BYTES), _int(v[3], WALK_HOPS_MAX), _contact(v[4]))),
    34: (4, lambda v: Place(_bytes(v[2], NONCE_BYTES), _contact(v[3]))),
    35: (5, lambda v: Shuffle(_bytes(v[2], NONCE_BYTES), _int(v[3], WALK_HOPS_MAX), _contacts(v[4], 1))),
    36: (4, lambda v: Shuffled(_bytes(v[2], NONCE_BYTES), _contacts(v[3], 0))),
    37: (4, lambda v: Neighbour(bool(_int(v[2], 1)), _contact(v[3]))),
    38: (3, lambda v: Answer(bool(_int(v[2], 1)))),
    39: (2, lambda _: Part()),
    40: (4, lambda v: News(_int(v[2], HOPS_MAX), _ids(v[3]))),
    41: (2, lambda _: Eager()),
}
