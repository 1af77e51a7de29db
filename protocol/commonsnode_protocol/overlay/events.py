"""What the machines of the overlay ask to be done."""

from dataclasses import dataclass
from typing import TypeAlias

from commonsnode_protocol.overlay.frames import Contact, OverlayFrame


@dataclass(frozen=True, slots=True)
class Say:
    """Send this frame to this peer, which has a session with us."""

    peer: bytes
    frame: OverlayFrame


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a session with this node; then say `linked`, or `failed`."""

    contact: Contact


@dataclass(frozen=True, slots=True)
class Gained:
    """A neighbour more: pass on to it."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """A neighbour less."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Release:
    """This session is not needed by this community; close it where nothing else needs it."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Push:
    """Send these changesets in full, by `push` with these hops."""

    peers: tuple[bytes, ...]
    ids: tuple[bytes, ...]
    hops: int


@dataclass(frozen=True, slots=True)
class Graft:
    """Ask for these by `graft`."""

    peer: bytes
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prune:
    """Say `prune`."""

    peer: bytes


MembershipEffect: TypeAlias = Say | Dial | Gained | Lost | Release
TreeEffect: TypeAlias = Say | Push | Graft | Prune
