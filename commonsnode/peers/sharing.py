"""Which lanes this node speaks of on which link, decided anew whenever authority changes.  SPEC.md, "Who is served".

The decisions come from snapshots that are read off the event loop; one lock keeps them in order. What a link was told is
remembered on the link, so a decision posts only what is different.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from commonsnode.peers.link import Link, lane_state
from commonsnode_protocol import admission, frames
from commonsnode_protocol import batch as batches
from commonsnode_protocol import session_events as events
from commonsnode_protocol.admission import Proof, Readers
from commonsnode_protocol.changeset import AUTHORITY, LANES, Signed
from commonsnode_protocol.limits import SHOW_BYTES_MAX
from commonsnode_protocol.serving import Decision, Followed, Told, introduces_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonsnode.logs import Log
    from commonsnode.writing import Writer
    from commonsnode_protocol.authority import Authority
    from commonsnode_protocol.intake import Checked
    from commonsnode_store.store import Store

SHOWN_KEPT_BYTES_MAX = 256 * 1024  # of one peer: what it showed at doors that are not known here yet


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a peer showed at a door, checked."""

    tag: bytes
    size: int
    community: bytes  # what it is of
    changesets: "Sequence[Checked]"


@dataclass(slots=True)
class _OfLink:
    """What one link was told, and what its peer showed."""

    told: Told
    introduced: set[tuple[bytes, bytes]] = field(default_factory=set)  # door, packed
    shown: deque[_Shown] = field(default_factory=deque)  # at doors that are not known here yet


class Sharing:
    """See the module. Used in the event loop."""

    def __init__(self, writer: "Writer", store: "Store", me: bytes, log: "Log") -> None:
        """me: this node's key."""
        self._writer = writer
        self._store = store
        self._me = me
        self._log = log
        self._lock = asyncio.Lock()
        self._links: dict[Link, _OfLink] = {}
        self._followed: dict[bytes, Followed] = {}
        self._packed: dict[
            bytes, tuple[Authority, list[tuple[Proof, int, bytes]]]
        ] = {}  # why this node is admitted
        self._knocks: dict[bytes, tuple[Proof, int, bytes]] = {}  # by recovery words that are being used here

    async def begin(self, link: Link) -> list[tuple[events.LaneKey, frames.LaneState]]:
        """What a new link is told first. What else is for it is posted to it; `end` has to follow."""
        async with self._lock:
            await self._look()
            of = self._links[link] = _OfLink(Told(link.node))
            first = of.told.begin(self._followed)
            for community in tuple(self._followed):
                self._decide(link, of.told, community)
                await self._introduce(link, community)
            return self._states(first)

    def end(self, link: Link) -> None:
        self._links.pop(link, None)

    async def decide(self, community: bytes) -> list[Link]:
        """Tell every link what is different for it now; returns those that are told farewell."""
        async with self._lock:
            await self._look()
            links = list(self._links)
            dismissed = [
                link for link, of in self._links.items() if self._decide(link, of.told, community).dismissed
            ]
            for link in links:
                await self._look_again(link)
                await self._introduce(link, community)
            return dismissed

    def left(self, community: bytes) -> None:
        """A community is followed no more."""
        self._followed.pop(community, None)
        self._packed.pop(community, None)
        for link, of in self._links.items():
            for lane in LANES:
                of.told.forget((community, lane))
                link.post(events.Leave((community, lane)))

    @contextmanager
    def knocking(self, community: bytes, door: bytes, knock: Signed) -> Iterator[None]:
        """Meanwhile show this at the door of a recovery key, to whoever does not speak of the community by itself."""
        self._knocks[community] = Proof(door, (knock.id,)), *batches.pack([knock])
        try:
            yield
        finally:
            self._knocks.pop(community, None)

    async def shown(self, link: Link, shown: events.Shown) -> None:
        """A peer shows why it is admitted. It is told nothing, and learns of it only where it is admitted now."""
        checked = await link.check_shown(shown)
        if not checked:
            return
        first = checked[0]
        it = _Shown(shown.tag, shown.size, first.changeset.community or first.id, checked)
        community, of = await self._take(link, it), self._links.get(link)
        if of is None:
            return
        if community is not None:
            async with self._lock:
                self._decide(link, of.told, community)
            return
        of.shown.append(it)
        while sum(each.size for each in of.shown) > SHOWN_KEPT_BYTES_MAX:
            of.shown.popleft()

    # What a link is told

    async def _look(self) -> None:
        self._followed = await self._writer.read(self._snapshot)

    def _snapshot(self, store: "Store") -> dict[bytes, Followed]:
        from commonsnode_store.errors import UnknownCommunity

        found: dict[bytes, Followed] = {}
        for community, following in store.followed().items():
            if following.stopped:
                continue
            try:
                authority = store.authority(community)
            except UnknownCommunity:
                continue  # left meanwhile
            found[community] = Followed(following.lanes, Readers(authority))
        return found

    def _states(self, keys: Iterable[events.LaneKey]) -> list[tuple[events.LaneKey, frames.LaneState]]:
        """Read in the event loop at the last moment, so that no change falls between this and what is posted next."""
        found = ((key, lane_state(self._store, key)) for key in keys)
        return [(key, state) for key, state in found if state is not None]

    def _decide(self, link: Link, told: Told, community: bytes) -> Decision:
        followed = self._followed.get(community)
        if followed is None:
            return Decision()
        decision = told.decide(community, followed)
        if decision.follow:
            link.post(events.Follow(tuple(self._states(decision.follow))))
        if decision.quiet:
            link.post(events.FollowQuietly(tuple(self._states(decision.quiet))))
        for key, grace_ms in decision.leave:
            link.post(events.Leave(key, grace_ms))
        return decision

    # Showing why this node is admitted

    async def _introduce(self, link: Link, community: bytes) -> None:
        followed, of = self._followed.get(community), self._links.get(link)
        if followed is None or of is None or not introduces_itself(self._me, link.node, followed.readers):
            return
        knock = self._knocks.get(community)
        proofs = [*await self._proofs(community), *([knock] if knock is not None else [])]
        for proof, size, packed in proofs:
            if (proof.door, packed) not in of.introduced:
                of.introduced.add((proof.door, packed))
                link.post(events.Introduce(community, proof.door, size, packed))

    async def _proofs(self, community: bytes) -> "list[tuple[Proof, int, bytes]]":
        """What shows why this node is admitted, packed; once for all links, until the authority is another one."""
        from commonsnode_store.errors import UnknownCommunity

        def collect(store: "Store") -> "list[tuple[Proof, int, bytes]]":
            held = store.evaluator(community)
            before = self._packed.get(community)
            if held.chain is not None and before is not None and before[0] is held.authority:
                return before[1]
            if held.chain is None:
                proofs: Sequence[Proof] = admission.proof_of_join(held, self._me)
            else:
                of_member = admission.proof_of_member(held, self._me)
                proofs = [of_member] if of_member is not None else []
            packed = []
            for proof in proofs:
                signed = store.fetch_with_waiting(community, AUTHORITY, proof.ids)
                if signed and sum(map(batches.cost, signed)) + 8 <= SHOW_BYTES_MAX:
                    packed.append((proof, *batches.pack(signed)))
            self._packed[community] = held.authority, packed
            return packed

        try:
            return await self._writer.run(collect)
        except UnknownCommunity:
            return []

    # What peers show

    async def _look_again(self, link: Link) -> None:
        of = self._links.get(link)
        for _ in range(len(of.shown) if of is not None else 0):
            if of is None or not of.shown:
                return
            shown = of.shown.popleft()
            community = await self._take(link, shown)
            if community is None:
                of.shown.append(shown)
            else:
                self._decide(link, of.told, community)

    async def _take(self, link: Link, shown: _Shown) -> bytes | None:
        """The community of the door; None where it is not known here."""
        from commonsnode_store.errors import StoreError, UnknownCommunity

        private = [id_ for id_, of in self._followed.items() if of.readers.known and of.readers.members_only]
        found = await self._writer.run(lambda store: _door(store, private, link, shown.tag))
        if found is None:
            return None
        community, door, of_words = found
        of = self._links.get(link)
        if of_words:
            if of is not None and any(
                each.changeset.author == door and admission.knocks_for(each.changeset, link.node)
                for each in shown.changesets
                if shown.community == community
            ):
                of.told.words[community] = door
        elif shown.community == community:
            try:
                # As by nobody: the session of this link is to hear of it, too, where it follows the lane.
                await self._writer.apply(community, AUTHORITY, shown.changesets, via=None)
            except UnknownCommunity:
                pass  # left meanwhile
            except StoreError as error:
                self._log.warning("shown-not-taken", problem=str(error))
        return community


def _door(
    store: "Store", private: Iterable[bytes], link: Link, tag: bytes
) -> tuple[bytes, bytes, bool] | None:
    """The community of which this is a door, the door, and whether it is that of words.

    It takes the same time whether one is found, or which.
    """
    from commonsnode_store.errors import UnknownCommunity

    found = None
    for community in private:
        try:
            held = store.evaluator(community)
        except UnknownCommunity:
            continue
        words = admission.doors_of_words(held)
        for door in (frames.door_of_key(community, link.node), *admission.doors(held)):
            if link.door_tag(door) == tag:
                found = community, door, door in words
    return found
