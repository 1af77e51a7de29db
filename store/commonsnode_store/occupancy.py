"""What of things is lent or promised: tables `busy`, `booked` and `deciders`, brought up to date in the transaction that changes it.

While a transaction goes on, it is noted which things it concerns; each of these is settled once, at its end, from all that
stands of it. A change of authority concerns the things on which the keys it is about have a say: table `deciders`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from commonsnode_protocol.authority import Authority
from commonsnode_protocol.authority.evaluator import Step
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Changeset
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.idle import Span
from commonsnode_protocol.limits import TIME_MS_MAX
from commonsnode_store import commitments
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Community, Followed, Lane
from commonsnode_store.reserved import THING, Settled, ThingBookings, Where, bookings, people_of, settled
from commonsnode_store.standing import read_changes

_DECIDED = "select distinct resource from deciders where community = ? and author in (select no from authors where key in ({}))"

_BUSY = """
    select begin_ms, end_ms, amount from busy
    where community = ? and resource = ? and begin_ms >= ? and begin_ms < ?"""
_FREE = """
    delete from busy where community = ? and resource = ? and begin_ms = ? and end_ms = ? and amount = ?"""
_TAKE = "insert into busy (community, resource, begin_ms, end_ms, amount) values (?, ?, ?, ?, ?)"
_BOOK = """
    insert into booked values (?, ?, ?)
    on conflict do update set keeper = excluded.keeper where keeper is not excluded.keeper"""
_EVER: Span = (0, TIME_MS_MAX + 1)


@dataclass(slots=True)
class Concerned:
    """What a transaction writes to that may change what is lent."""

    db: Connection
    records: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))  # reservations
    things: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    _has_any: dict[int, bool] = field(default_factory=dict)

    def changes(self, lane: Lane, changesets: Iterable[Changeset]) -> None:
        """What is added of these, with what they say here."""
        kinds = (KIND, THING) if self._has_bookings(lane.community_no) else (KIND,)
        for changeset in changesets:
            for record, kind, _ in changeset.changes:
                # Whatever it says: that there is something of a thing in another lane may be of consequence, too.
                if kind in kinds:
                    self.write(lane, kind, record)

    def write(self, lane: Lane, kind: str, record: bytes) -> None:
        """Something that this record says rose, fell, was added or opened."""
        if kind == KIND:
            self.records[lane.community].add(record)
        elif kind == THING and self._has_bookings(lane.community_no):
            self.things[lane.community].add(record)

    def times(self, lane: Lane, changesets: Collection[int]) -> None:
        """These changesets (their numbers) count from another time."""
        if not changesets or not self._has_bookings(lane.community_no):
            return
        sql = "select id, codec, body from changesets where no in ({})"
        for id_, codec, body in select_in(self.db, sql, sorted(changesets)):
            for record, kind, _ in read_changes(self.db, id_, codec, body):
                self.write(lane, kind, record)

    def authority(
        self,
        community: Community,
        before: Authority,
        after: Authority,
        step: Step,
    ) -> None:
        """Something else is said of people, of stewards, or by the charter."""
        if not self._has_bookings(community.no):
            return
        if _lending(before) != _lending(after):
            self.things[community.id].update(all_of(self.db, community.no))
            return
        # Who has a role of their own from now on is nobody's second key.
        keys = {*step.authors, *(before.people.keys() ^ after.people.keys())}
        if before.stewards != after.stewards:
            keys.update(before.stewards, after.stewards)
        if step.moved:
            # Whoever is somebody else's by now, with the same right to write, is not among `authors`.
            for first in before.people.keys() | after.people.keys():
                if _nodes(before, first) != _nodes(after, first):
                    keys |= _keys(before, first) | _keys(after, first)
        # Of whom one key is another's now, all keys are: each may stand for the other.
        concerned = set(keys)
        for said in (before, after):
            for first, member in said.people.items():
                if first in keys or (member.person is not None and not keys.isdisjoint(member.person.keys)):
                    concerned |= _keys(said, first)
        self.things[community.id].update(
            resource for (resource,) in select_in(self.db, _DECIDED, sorted(concerned), community.no)
        )

    def of(self, community: bytes, lanes: Sequence[Lane]) -> dict[bytes, set[Span] | None]:
        """The things of a community that anybody ever asked for, and that are concerned: the spans of asks, or None for all."""
        found: dict[bytes, set[Span] | None] = {}
        found.update(commitments.spans_of(self.db, lanes, sorted(self.records[community])))
        sql = "select distinct resource from commitments where lane = ? and resource in ({})"
        for lane in lanes:
            rows = select_in(self.db, sql, sorted(self.things[community]), lane.no)
            found.update((resource, None) for (resource,) in rows)
        return found

    def forget(self) -> None:
        """All is made anew afterwards."""
        self.records.clear()
        self.things.clear()

    def _has_bookings(self, community_no: int) -> bool:
        """Whether anything there was asked for before this transaction; what is within it is concerned anyway."""
        found = self._has_any.get(community_no)
        if found is None:
            sql = "select 1 from booked where community = ? limit 1"
            found = self.db.execute(sql, (community_no,)).fetchone() is not None
            self._has_any[community_no] = found
        return found


def all_of(db: Connection, community_no: int) -> list[bytes]:
    """The things of a community that anybody ever asked for."""
    rows = db.execute("select resource from booked where community = ?", (community_no,))
    return [resource for (resource,) in rows]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which things are looked at: see Store.reservations."""

    askers: Collection[bytes] | None = None
    keepers: Collection[bytes] | None = None
    concerning: Collection[bytes] | None = None
    unkept: bool = False


def things(db: Connection, at: Where, wanted: Wanted) -> Iterator[ThingBookings]:
    """What is reserved of each thing that is wanted. Raises Damaged."""
    if not at.lanes:
        return
    community = at.lanes[0].community_no
    found = set(commitments.things_in(db, at.lanes, wanted.askers))
    if found and wanted.keepers is not None:
        found &= _kept_by(db, community, wanted.keepers, wanted.unkept)
    if found and wanted.concerning is not None:
        kept = _kept_by(db, community, wanted.concerning, wanted.unkept)
        found &= kept.union(commitments.things_in(db, at.lanes, wanted.concerning))
    for resource in sorted(found):
        yield bookings(db, at, resource)


def _kept_by(db: Connection, community_no: int, keepers: Collection[bytes], unkept: bool) -> set[bytes]:
    """Of what was ever asked for, what one of these keys keeps; unkept: and what nobody does."""
    sql = "select resource from booked where community = ? and keeper in ({})"
    found = {resource for (resource,) in select_in(db, sql, sorted(keepers), community_no)}
    if unkept:
        rows = db.execute(
            "select resource from booked where community = ? and keeper is null", (community_no,)
        )
        found.update(resource for (resource,) in rows)
    return found


def follow(
    db: Connection, at: Where, community_no: int, things: Mapping[bytes, Collection[Span] | None]
) -> None:
    """Settle anew what was asked of things of a community in these spans (None: ever), and keep what came of it.

    With the spans goes all that overlaps them, and what overlaps that. Raises Damaged.
    """
    for resource in sorted(things):
        spans = things[resource]
        within = commitments.joined_to(db, at.lanes, resource, spans) if spans is not None else None
        found = settled(db, at, resource, waiting=False, within=within)
        _keep(db, community_no, resource, found, [_EVER] if within is None else within)


def fill(db: Connection, followed: Followed, authority: Callable[[bytes], Authority]) -> None:
    """Inside of a write transaction: keep of every thing what the changesets say, where nothing is kept yet."""
    for community in followed.communities.values():
        lanes = followed.record_lanes(community.id)
        things = sorted(set(commitments.things_in(db, lanes, None)))
        if things:
            of_it = authority(community.id)
            at = Where(community.id, lanes, of_it, people_of(of_it))
            follow(db, at, community.no, dict.fromkeys(things))


def busy_of(found: Settled) -> dict[tuple[int, int], Decimal]:
    """Begin and end of each span that is taken, and how much of the thing."""
    busy: dict[tuple[int, int], Decimal] = {}
    for booking in found.bookings:
        if booking.busy is not None:
            busy[booking.busy] = busy.get(booking.busy, Decimal(0)) + booking.ask.amount
    return busy


def _keep(db: Connection, community: int, resource: bytes, found: Settled, within: Sequence[Span]) -> None:
    of = (community, resource)
    rows = {(begin, end, str(amount)) for (begin, end), amount in busy_of(found).items()}
    there: set[tuple[int, int, str]] = set()
    for span in within:
        there.update(db.execute(_BUSY, (*of, *span)))
    db.executemany(_FREE, [(*of, *row) for row in there - rows])
    db.executemany(_TAKE, [(*of, *row) for row in rows - there])
    db.execute(_BOOK, (*of, found.rules.custody.keeper))
    numbers = select_in(db, "select no from authors where key in ({})", sorted(found.deciders))
    db.executemany("insert or ignore into deciders values (?, ?, ?)", [(*of, no) for (no,) in numbers])


def _lending(authority: Authority) -> object:
    lending: dict[str, Value] = {}
    if authority.table is not None:
        lending.update(authority.table.settings.lending)
    return lending.get("confirm")


def _keys(authority: Authority, first: bytes) -> set[bytes]:
    """All keys of a person, the first one among them."""
    member = authority.people.get(first)
    if member is None:
        return set()
    return {first, *(member.person.keys if member.person is not None else ())}


def _nodes(authority: Authority, first: bytes) -> dict[bytes, bool]:
    """Of each key of a person, whether it is only a node's."""
    member = authority.people.get(first)
    if member is None or member.person is None:
        return {}
    return {key: of.node for key, of in member.person.keys.items()}
