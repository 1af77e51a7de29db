"""What can go wrong in the protocol, and whose move it is.  SPEC.md, "Reasons".

ProtocolError
  · PeerError      the other side broke SPEC.md: end this session with the reason, go on with the others
  · MisuseError    we called a machine in the wrong state: a bug of ours, let it crash the task
NotCanonical       these bytes mean something, but are not the one way to write it
NotWellFormed      canonical, but not a changeset (or a change, or a link) as SPEC.md has it
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a session ended: the whole set, as it goes on the wire (frame `bye`) and into the log."""

    DONE = "done"  # nothing wrong: one side is stopping, or has what it came for
    DUPLICATE = "duplicate"  # the two nodes have another session; this one is not needed
    SELF = "self"  # a node dialled its own address
    BAD_HANDSHAKE = "bad-handshake"  # garbage before or in the Noise handshake, or a wrong binding of keys
    BAD_VERSION = "bad-version"  # no protocol version in common
    BAD_SEAL = "bad-seal"  # a Noise message that does not decrypt: altered, repeated or out of order
    BAD_FRAME = "bad-frame"  # a frame that SPEC.md does not know, or not in that form
    TOO_LARGE = "too-large"  # a frame, batch or list over its limit
    OUT_OF_ORDER = "out-of-order"  # a well-formed frame that may not come now
    NOT_ASKED_FOR = "not-asked-for"  # an answer to nothing, or more than the credit given
    BAD_CHANGESET = "bad-changeset"  # not canonical, not well-formed, or over a limit
    BAD_SIGNATURE = "bad-signature"  # the signature does not hold
    WRONG_COMMUNITY = "wrong-community"  # a changeset of another community or lane than the frame says
    FLOOD = "flood"  # faster than the limits allow
    TOO_SLOW = "too-slow"  # the peer stopped reading, or owes an answer for too long
    BUSY = "busy"  # we have as many sessions as we can serve
    INTERNAL = "internal"  # our own fault; the log of that node says more


class ProtocolError(Exception):
    """The root of what the protocol raises about sessions."""


class PeerError(ProtocolError):
    """The other side broke the specification.

    reason: goes on the wire. detail: for our own log only; the peer is told nothing but the reason.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class MisuseError(ProtocolError):
    """A machine was called in a state that does not allow it: our bug."""


class NotCanonical(ValueError):
    """Bytes that are no canonical MessagePack (SPEC.md, "Canonical MessagePack")."""


class NotWellFormed(ValueError):
    """A canonical value that is not what SPEC.md says it must be."""
