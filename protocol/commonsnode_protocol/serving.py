"""Which lanes one link is told of, decided anew whenever authority changes.  SPEC.md, "Who is served" (rules 41 and 42)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from commonsnode_protocol.admission import Readers
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.limits import FAREWELL_MS_MAX, UNSETTLED_MS_MAX
from commonsnode_protocol.session_events import LaneKey


@dataclass(frozen=True, slots=True)
class Followed:
    """A community as it is followed here."""

    lanes: tuple[str, ...]
    readers: Readers


@dataclass(frozen=True, slots=True)
class Decision:
    """What to tell a session, in this order: Follow, FollowQuietly, Leave."""

    follow: tuple[LaneKey, ...] = ()
    quiet: tuple[LaneKey, ...] = ()
    leave: tuple[tuple[LaneKey, int], ...] = ()  # with the ms of grace
    dismissed: bool = False  # the peer was served, and is no more


@dataclass(slots=True)
class Told:
    """What one link was told so far, so that a decision says only what is different."""

    peer: bytes  # its node key
    loud: set[LaneKey] = field(default_factory=set)
    quiet: set[LaneKey] = field(default_factory=set)  # only in answer to the peer
    words: dict[bytes, bytes] = field(default_factory=dict)  # community → recovery key that the peer has

    def begin(self, followed: Mapping[bytes, Followed]) -> tuple[LaneKey, ...]:
        """What the first `lanes` announces; `decide` for each community says the rest."""
        keys = [(community, lane) for community, of in followed.items() for lane in of.lanes]
        new = tuple(key for key in keys if followed[key[0]].readers.may_read(key[1], self.peer))
        self.loud.update(new)
        return new

    def decide(self, community: bytes, followed: Followed) -> Decision:
        """What is different now in one community."""
        readers = followed.readers
        if not readers.known:
            return self._wait(community)
        follow: list[LaneKey] = []
        leave: list[tuple[LaneKey, int]] = []
        dismissed = False
        # Authority last: the peer is to learn why before it hears no more.
        for lane in sorted(followed.lanes, key=lambda lane: lane == AUTHORITY):
            key = (community, lane)
            if self._may_read(community, lane, readers):
                if key not in self.loud:
                    self.forget(key)
                    self.loud.add(key)
                    follow.append(key)
            elif key in self.loud:
                dismissed = True
                leave.append((key, FAREWELL_MS_MAX if lane == AUTHORITY else 0))
            elif key in self.quiet:
                # What admits the peer may be among what it has still to send.
                leave.append((key, UNSETTLED_MS_MAX))
        for key, _ in leave:
            self.forget(key)
        return Decision(follow=tuple(follow), leave=tuple(leave), dismissed=dismissed)

    def _may_read(self, community: bytes, lane: str, readers: Readers) -> bool:
        words = self.words.get(community)
        return readers.may_read(lane, self.peer) or (words is not None and readers.may_read(lane, words))

    def forget(self, key: LaneKey) -> None:
        self.loud.discard(key)
        self.quiet.discard(key)

    def _wait(self, community: bytes) -> Decision:
        """Before the charter is here nobody can tell who may hear of it: so the peer has to say the tag first."""
        key = (community, AUTHORITY)
        if key in self.quiet:
            return Decision()
        self.quiet.add(key)
        return Decision(quiet=(key,))


def introduces_itself(me: bytes, peer: bytes, readers: Readers) -> bool:
    """Whether a node with key `me` shows this peer why it is admitted, where the peer does not speak of the community."""
    if not readers.known:
        return True  # if it joined by an invitation
    admits = readers.authority.admits
    return readers.members_only and admits(me) and admits(peer)
