"""What is followed, in memory: communities and lanes, and what is said of their sets without asking the disk.

Nothing here ever changes. A transaction makes a new `Lane` by a `LaneEdit`; it takes the place of the old one when the
transaction is committed, so a transaction that fails leaves nothing behind.
"""

import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from commonsnode_protocol.changeset import AUTHORITY, KEYS, LANES
from commonsnode_protocol.lthash import LtHash, authority_digest
from commonsnode_protocol.negentropy import Item, fingerprint
from commonsnode_store import fingerprints
from commonsnode_store.answers import Following, LaneState
from commonsnode_store.errors import Damaged, LaneNotFollowed, UnknownCommunity
from commonsnode_store.fingerprints import Directory, DirectoryEdit
from commonsnode_store.id_digests import IdDigests

COUNTED_MAX = (
    200_000  # of a larger set, only some buckets are compared with the table when the file is opened
)
SAMPLED_BUCKETS = 16


@dataclass(frozen=True, slots=True)
class Community:
    """A community that is followed."""

    no: int
    id: bytes
    name: str | None
    stopped: str | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of one community, as the last transaction left it."""

    no: int
    community_no: int
    community: bytes
    name: str
    digest: bytes  # column `digest`
    directory: Directory
    state: LaneState


_BY_NAME = sorted(LANES)


@dataclass(frozen=True, slots=True)
class Followed:
    """All that is followed: communities by id, lanes by community and name."""

    communities: Mapping[bytes, Community]
    lanes: Mapping[tuple[bytes, str], Lane]

    def community(self, community: bytes) -> Community:
        """Raises UnknownCommunity."""
        found = self.communities.get(community)
        if found is None:
            raise UnknownCommunity(community)
        return found

    def lane(self, community: bytes, name: str) -> Lane:
        """Raises UnknownCommunity or LaneNotFollowed."""
        found = self.lanes.get((community, name))
        if found is None:
            self.community(community)
            raise LaneNotFollowed(community, name)
        return found

    def following(self, community: Community) -> Following:
        names = (name for name in LANES if (community.id, name) in self.lanes)
        return Following(tuple(sorted(names)), community.stopped)

    def lanes_of(self, community: bytes) -> list[Lane]:
        """In the order of their names. Raises UnknownCommunity."""
        self.community(community)
        # By their names: a node may follow thousands of communities, and this is asked for each of them.
        found = (self.lanes.get((community, name)) for name in _BY_NAME)
        return [lane for lane in found if lane is not None]

    def data_lanes(self, community: bytes) -> list[Lane]:
        """All but `authority`. Raises UnknownCommunity."""
        return [lane for lane in self.lanes_of(community) if lane.name != AUTHORITY]

    def record_lanes(self, community: bytes | None) -> list[Lane]:
        """The lanes that hold records: not `authority`, which the authority function values instead, nor `keys`."""
        lanes = self.lanes.values() if community is None else self.lanes_of(community)
        return [lane for lane in lanes if lane.name not in (AUTHORITY, KEYS)]


def empty_digest(name: str) -> bytes:
    """Column `digest` of a lane in which nothing stands."""
    return authority_digest(()) if name == AUTHORITY else LtHash().state()


def load(db: sqlite3.Connection) -> Followed:
    """All that is followed, as the tables have it. Raises Damaged where a lane's count is not that of its buckets."""
    communities = {
        id_: Community(no, id_, name, stopped)
        for no, id_, name, stopped in db.execute("select no, id, name, stopped from communities order by no")
    }
    rows = db.execute(
        "select lanes.no, community, communities.id, lanes.name, changesets, digest"
        " from lanes join communities on communities.no = community"
    ).fetchall()
    found: dict[tuple[bytes, str], Lane] = {}
    for no, community_no, community, name, count, digest in rows:
        directory = fingerprints.load(db, no)
        if directory.size != count:
            raise Damaged("buckets", f"lane {no} has {count} changesets, {directory.size} of them in buckets")
        found[community, name] = Lane(
            no, community_no, community, name, digest, directory, _state(name, directory, digest)
        )
    return Followed(communities, found)


def compare_with_table(db: sqlite3.Connection, lanes: Iterable[Lane]) -> None:
    """Compare the directories with what stands, as far as this is quick. Raises Damaged.

    All is counted in sets up to COUNTED_MAX; in larger ones the newest bucket and some others are.
    """
    for lane in lanes:
        keys, counts = lane.directory.keys, lane.directory.counts
        if lane.directory.size <= COUNTED_MAX:
            held: int = db.execute(
                "select count(*) from changesets where standing = 1 and lane = ?", (lane.no,)
            ).fetchone()[0]
            if held != lane.directory.size:
                raise Damaged("buckets", f"lane {lane.no} counts {lane.directory.size} for {held} changesets")
        chosen = {len(keys) - 1, *random.sample(range(len(keys)), min(SAMPLED_BUCKETS, len(keys)))}
        for at in chosen if lane.directory.size > COUNTED_MAX else {len(keys) - 1}:
            end = keys[at + 1] if at + 1 < len(keys) else None
            items = fingerprints.items_between(db, lane.no, keys[at], end)
            if len(items) != counts[at] or fingerprints.sum_of(items) != lane.directory.sums[at]:
                raise Damaged("buckets", f"one of lane {lane.no} does not agree with its changesets")


class LaneEdit:
    """A lane in the making, inside of a write transaction."""

    def __init__(self, db: sqlite3.Connection, id_digests: IdDigests, before: Lane) -> None:
        self.before = before
        self.count = before.directory.size
        self.records = self.deleted = 0  # how many more are shown than before, as such
        self._db, self._id_digests = db, id_digests
        self._moved = False  # whether another set stands than before
        self._directory = DirectoryEdit(db, before.no, before.directory)
        self._digest = LtHash.from_state(before.digest) if before.name != AUTHORITY else None

    def add(self, items: Sequence[Item]) -> None:
        """Add changesets that stand now; their rows are in the table already."""
        self._directory.add(items)
        self.count += len(items)
        self._moved = self._moved or bool(items)
        if self._digest is not None:
            self._digest.add(id_ for _, id_ in items)
        else:
            self._id_digests.change(self.before.no, (id_ for _, id_ in items), stand=True)

    def remove(self, items: Sequence[Item]) -> None:
        """Take out changesets that stood; in the table they stand no more."""
        self._directory.remove(items)
        self.count -= len(items)
        self._moved = True
        if self._digest is not None:
            self._digest.remove(id_ for _, id_ in items)
        else:
            self._id_digests.change(self.before.no, (id_ for _, id_ in items), stand=False)

    def finish(self) -> Lane:
        """Write the lane's row; what it is when the transaction is committed."""
        before = self.before
        directory = self._directory.done()
        digest = before.digest
        if self._moved:
            of_ids = self._id_digests.of
            digest = self._digest.state() if self._digest is not None else of_ids(self._db, before.no)
        self._db.execute(
            "update lanes set changesets = ?, digest = ?, records = records + ?, deleted = deleted + ? where no = ?",
            (directory.size, digest, self.records, self.deleted, before.no),
        )
        return replace(
            before, digest=digest, directory=directory, state=_state(before.name, directory, digest)
        )


def _state(name: str, directory: Directory, digest: bytes) -> LaneState:
    try:
        shown = digest if name == AUTHORITY else LtHash.from_state(digest).digest()
    except ValueError as error:
        raise Damaged("lanes", f"a digest in lane {name}: {error}") from error
    return LaneState(directory.size, fingerprint(directory.id_sum, directory.size), shown)
