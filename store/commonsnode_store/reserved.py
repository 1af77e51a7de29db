"""What is reserved of a thing, and in which state each reservation is: read from the changesets, as of one moment.

What stands decides. This node's own that waits for its author to be admitted is shown with it, and marked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from commonsnode_protocol.authority import Authority
from commonsnode_protocol.bookings import Acted, Ask, Booking, Rules, State, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Changeset
from commonsnode_protocol.commitments import ENDINGS, KIND, Said, amount_of, of_thing, said
from commonsnode_protocol.custody import Custody, KeeperWrite, People, custody, keeper_writes
from commonsnode_protocol.idle import Span
from commonsnode_protocol.kinds.lending import AT_ONCE, rules_for
from commonsnode_protocol.record import RecordKey
from commonsnode_store import commitments, registers
from commonsnode_store.chains import Ancestry
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.said import RECORD_LANES
from commonsnode_store.schema import OVERLAY, STANDS, VOID
from commonsnode_store.standing import read_excerpt

THING = "resource"
OPEN = frozenset({State.ASKED, State.CONFIRMED, State.DISPLACED, State.OUT})

_TOUCHING = f"""
    select distinct changesets.no, changesets.id, standing, seen_ms, coalesce(at_ms, time), codec, body
    from records cross join touches on touches.record = records.no
    cross join changesets on changesets.no = touches.changeset
    left join chain_times on chain_times.changeset = changesets.no
    where records.lane = ? and standing <> {VOID} and records.kind = (select no from kinds where name = ?)
        and records.id in ({{}})"""
_SHOWN = f"""
    select registers from records where lane = ? and id = ? and status <> {OVERLAY}
        and kind = (select no from kinds where name = ?)"""


@dataclass(frozen=True, slots=True)
class Where:
    """A community, as what is reserved there depends on it."""

    community: bytes
    lanes: Sequence[Lane]  # that hold records
    authority: Authority
    people: People


@dataclass(frozen=True, slots=True)
class Reserved:
    """One reservation as this node has it. waits: it is this node's own, and does not stand yet."""

    lane: str
    booking: Booking
    seen_ms: int  # when the ask was first held here
    waits: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it may still become or remain somebody's: neither ended nor brought back."""
        return self.booking.state in OPEN


@dataclass(frozen=True, slots=True)
class ThingBookings:
    """Everything that is reserved of a thing, in the order of its turn, and by what rules."""

    community: bytes
    resource: bytes
    lane: str | None  # where the thing is; none where it is not here
    rules: Rules
    reserved: tuple[Reserved, ...] = ()
    acts: tuple[Acted, ...] = ()  # all that was written, of effect or not, by (effective time, id)

    @property
    def custody(self) -> Custody:
        return self.rules.custody

    def may_decide(self, key: bytes) -> bool:
        """Whether what this key writes about a reservation now has effect: a steward's, or the keeper's."""
        people, keeper = self.rules.people, self.custody.keeper
        return people.seniority(key) is not None or (keeper is not None and people.same(key, keeper))

    def of(self, record: bytes) -> list[Reserved]:
        """The asks of one record, the first one first; more than one only where its author wrote it anew."""
        found = [each for each in self.reserved if each.booking.ask.record == record]
        return sorted(found, key=lambda each: (each.booking.ask.effective_ms, each.booking.ask.changeset))

    def acts_on(self, ask: bytes) -> list[Acted]:
        """What was written about one ask (its changeset), in order."""
        return [acted for acted in self.acts if acted.ask == ask]

    def endings(self, begin_ms: int, end_ms: int) -> list[bytes]:
        """The changesets that an ask for this span, and a confirmation of one, ref: what ended of others in it (rule 35)."""
        there = {
            each.booking.ask.changeset
            for each in self.reserved
            if each.booking.ask.begin_ms < end_ms and begin_ms < each.booking.ask.end_ms
        }
        return sorted({acted.changeset for acted in self.acts if acted.act in ENDINGS and acted.ask in there})


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of everything that was asked of a thing."""

    lane: str | None  # where the thing is
    rules: Rules
    bookings: Sequence[Booking]
    acts: Sequence[Acted]
    facts: Mapping[bytes, tuple[str, int, bool]]  # changeset → lane, when it was seen, whether it waits
    deciders: frozenset[bytes]  # keys whose person or office is of consequence here


class Persons:
    """Whose key is whose in each community: made once for each authority."""

    def __init__(self) -> None:
        self._made: dict[bytes, tuple[Authority, People]] = {}

    def of(self, community: bytes, authority: Authority) -> People:
        made = self._made.get(community)
        if made is None or made[0] is not authority:
            made = self._made[community] = authority, people_of(authority)
        return made[1]

    def forget(self) -> None:
        self._made.clear()


def people_of(authority: Authority) -> People:
    """Whose key is whose, and who are the stewards.

    Who has, or had, a role of their own is nobody else; and a node's key is its person's for confirmations only.
    """
    person_of: dict[bytes, bytes] = {}
    named_by: dict[bytes, set[bytes]] = {}
    for first in sorted(authority.people, reverse=True):
        member = authority.people[first]
        for key, of in member.person.keys.items() if member.person is not None else ():
            if of.node:
                named_by.setdefault(key, set()).add(first)
            else:
                person_of[key] = first
    person_of |= {first: first for first in authority.people}
    return People(
        authority.stewards,
        lambda key: person_of.get(key, key),
        lambda key: frozenset(named_by.get(key, ())),
    )


def bookings(db: Connection, at: Where, resource: bytes, *, waiting: bool = True) -> ThingBookings:
    """What is reserved of one thing. Raises Damaged."""
    found = settled(db, at, resource, waiting=waiting)
    reserved: list[Reserved] = []
    for booking in found.bookings:
        name, seen_ms, waits = found.facts[booking.ask.changeset]
        reserved.append(Reserved(name, booking, seen_ms, waits))
    acts = sorted(found.acts, key=lambda acted: (acted.effective_ms, acted.changeset))
    # What came before what is asked of the file, which is another one once this is answered.
    rules = replace(found.rules, precedes=_no_matter)
    return ThingBookings(at.community, resource, found.lane, rules, tuple(reserved), tuple(acts))


def settled(
    db: Connection, at: Where, resource: bytes, *, waiting: bool, within: Sequence[Span] | None = None
) -> Settled:
    """What came of everything that was asked of a thing. waiting: also of what waits here. Raises Damaged.

    within: of asks in these spans alone, each of which holds all that overlaps any of them.
    """
    lane, rules, writers = _rules(db, at, resource)
    asks: list[Ask] = []
    acts: list[Acted] = []
    facts: dict[bytes, tuple[str, int, bool]] = {}
    for of in at.lanes:
        said_of: list[Said] = []
        times: dict[bytes, int] = {}
        records = every = commitments.of_thing(db, of, resource)
        if within is not None:
            records = commitments.of_thing(db, of, resource, within)
        for changeset, standing, seen_ms, time in _touching(db, of, KIND, records, every):
            if standing == STANDS or waiting:
                said_of.append(said(changeset))
                times[changeset.id] = time
                facts[changeset.id] = of.name, seen_ms, standing != STANDS
        of_lane = of_thing(resource, said_of, times.__getitem__)
        # A changeset, or a record that was written anew, may ask for something elsewhere as well.
        asks += [ask for ask in of_lane[0] if within is None or any(a <= ask.begin_ms < b for a, b in within)]
        acts += of_lane[1]
    deciders = {*writers, *(ask.author for ask in asks), *(acted.author for acted in acts)}
    return Settled(lane, rules, settle(asks, acts, rules), acts, facts, frozenset(deciders))


def _rules(db: Connection, at: Where, resource: bytes) -> tuple[str | None, Rules, set[bytes]]:
    """Who keeps a thing, by what rules it is lent, and who wrote about its keeping.

    Of the lane in which it was created; else of the first of RECORD_LANES in which there is something of it.
    """
    best: tuple[Lane, bytes | None, list[KeeperWrite]] | None = None
    for lane in sorted(at.lanes, key=lambda lane: RECORD_LANES.index(lane.name)):
        touching = _touching(db, lane, THING, [resource])
        changesets = [changeset for changeset, standing, _, _ in touching if standing == STANDS]
        if changesets:
            creator, writes = keeper_writes(RecordKey(resource, THING, lane.name), changesets)
            if best is None or (creator is not None and best[1] is None):
                best = lane, creator, writes
    if best is None:
        return None, Rules(Custody(None), at.people, _no_matter), set()
    lane, creator, writes = best
    values, precedes = _values(db, lane, resource), Ancestry(db, lane)
    capacity = amount_of(values.get("amount")) or Decimal(1)
    lending, table = values.get("lending"), at.authority.table
    rules = rules_for(
        lending if isinstance(lending, dict) else None, table.settings.lending if table is not None else None
    )
    kept = custody(creator, writes, at.people, precedes)
    writers = {write.author for write in writes} | ({creator} if creator is not None else set())
    return lane.name, Rules(kept, at.people, precedes, rules["confirm"] == AT_ONCE, capacity), writers


def _no_matter(earlier: bytes, later: bytes) -> bool:
    return False


def _values(db: Connection, lane: Lane, resource: bytes) -> Mapping[str, Value]:
    row = db.execute(_SHOWN, (lane.no, resource, THING)).fetchone()
    return registers.shown(registers.load(resource, row[0])) if row is not None else {}


def _touching(
    db: Connection, lane: Lane, kind: str, records: Sequence[bytes], also: Iterable[bytes] = ()
) -> Iterator[tuple[Changeset, int, int, int]]:
    """What wrote to these records and is not void: changeset, standing, when seen, chain time.

    Each with what it says of these records, and of those in `also`.
    """
    wanted, seen = {*records, *also}, set()
    for no, id_, standing, seen_ms, time, codec, body in select_in(db, _TOUCHING, records, lane.no, kind):
        if no not in seen:
            seen.add(no)
            yield read_excerpt(db, id_, codec, body, wanted), standing, seen_ms, time
