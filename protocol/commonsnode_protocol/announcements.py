"""Which lanes the two sides of a session have announced, by number and by turn.  SPEC.md, "What both follow".

A lane may be left and announced again. The first announcement of one side belongs to the first of the other, the second to
the second: their *turn*. So whatever is still on its way for a turn that is over cannot be taken for anything of the next.
"""

from dataclasses import dataclass, field

from commonsnode_protocol import frames
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.frames import INITIATOR, RESPONDER, LaneState
from commonsnode_protocol.limits import LANES_MAX
from commonsnode_protocol.session_events import LaneKey


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement. turn: how often its side had announced the lane before."""

    number: int
    turn: int
    tag: bytes


@dataclass(slots=True)
class _Heard:
    announced: Announced
    state: LaneState


@dataclass(slots=True)
class Announcements:
    """See the module. initiator: whether this side is."""

    channel_hash: bytes
    initiator: bool
    said: int = 0  # how many entries this side has announced
    _turns: dict[LaneKey, int] = field(default_factory=dict)  # how often this side announced each
    _keys: dict[bytes, LaneKey] = field(
        default_factory=dict
    )  # by the peer's tag, of what this side announced
    _heard: list[_Heard] = field(default_factory=list)  # by the peer's number
    _peer_turns: dict[bytes, int] = field(default_factory=dict)  # how often the peer announced each, by tag
    _live: dict[bytes, int] = field(
        default_factory=dict
    )  # the peer's tag → its number, of what it follows now

    def say(self, key: LaneKey) -> Announced | None:
        """This side announces a lane; None where it has announced as many as may be."""
        if self.said >= LANES_MAX:
            return None
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        self._keys[self.peer_tag(key)] = key
        self.said += 1
        role = INITIATOR if self.initiator else RESPONDER
        return Announced(self.said - 1, turn, frames.tag(self.channel_hash, role, *key))

    def hear(self, tag: bytes, state: LaneState) -> None:
        """The peer announces a lane. Raises PeerError."""
        number = len(self._heard)
        if number >= LANES_MAX:
            raise PeerError(Reason.TOO_LARGE, f"more than {LANES_MAX} lanes")
        if tag in self._live:
            raise PeerError(Reason.OUT_OF_ORDER, "a lane announced twice")
        turn = self._peer_turns.get(tag, 0)
        self._peer_turns[tag] = turn + 1
        self._heard.append(_Heard(Announced(number, turn, tag), state))
        self._live[tag] = number

    def hear_drop(self, number: int) -> tuple[LaneKey, int] | None:
        """The peer follows this one no more: of what lane and turn, where we know it. Raises PeerError where it never did."""
        announced = self._by_number(number)
        if self._live.get(announced.tag) == number:
            del self._live[announced.tag]
        key = self._keys.get(announced.tag)
        return (key, announced.turn) if key is not None else None

    def of_peer(self, key: LaneKey) -> tuple[Announced, LaneState] | None:
        """What the peer says of a lane, where it follows it now."""
        number = self._live.get(self.peer_tag(key))
        if number is None:
            return None
        heard = self._heard[number]
        return heard.announced, heard.state

    def named(self, number: int) -> tuple[LaneKey, int]:
        """The lane and the turn of a peer's number in a frame; that turn may be over. Raises PeerError where it cannot be shared."""
        announced = self._by_number(number)
        key = self._keys.get(announced.tag)
        if key is None or announced.turn >= self._turns[key]:
            raise PeerError(Reason.OUT_OF_ORDER, f"lane {number} is not shared")
        return key, announced.turn

    def peer_tag(self, key: LaneKey) -> bytes:
        """What the peer calls a lane."""
        return frames.tag(self.channel_hash, RESPONDER if self.initiator else INITIATOR, *key)

    def _by_number(self, number: int) -> Announced:
        if number >= len(self._heard):
            raise PeerError(Reason.OUT_OF_ORDER, f"lane {number} was not announced")
        return self._heard[number].announced
