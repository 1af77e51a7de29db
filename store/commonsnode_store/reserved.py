"""What is reserved of a thing, and in which state each reservation is: read from the changesets, as of one moment.

What stands decides. This node's own that waits for its author to be admitted is shown with it, and marked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from commonsnode_protocol.authority import Authority
from commonsnode_protocol.bookings import Acted, Ask, Booking, Rules, State, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Changeset
from commonsnode_protocol.commitments import ENDINGS, KIND, amount_of, of_thing, said
from commonsnode_protocol.custody import Custody, People, custody, keeper_writes, own_chain
from commonsnode_protocol.kinds.lending import AT_ONCE, rules_for
from commonsnode_protocol.record import RecordKey
from commonsnode_store import commitments, registers
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.schema import OVERLAY, STANDS, VOID
from commonsnode_store.standing import read_excerpt

THING = "resource"
OPEN = frozenset({State.ASKED, State.CONFIRMED, State.DISPLACED, State.OUT})

_TOUCHING = f"""
    select distinct changesets.no, changesets.id, standing, seen_ms, codec, body
    from records cross join touches on touches.record = records.no
    cross join changesets on changesets.no = touches.changeset
    where records.lane = ? and standing <> {VOID} and records.kind = (select no from kinds where name = ?)
        and records.id in ({{}})"""
_SHOWN = f"""
    select registers from records where lane = ? and id = ? and status <> {OVERLAY}
        and kind = (select no from kinds where name = ?)"""


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


def people_of(authority: Authority) -> People:
    """Whose key is whose, and who are the stewards."""
    person_of: dict[bytes, bytes] = {}
    for first in sorted(authority.people, reverse=True):
        member = authority.people[first]
        for key in member.person.keys if member.person is not None else ():
            person_of[key] = first
    return People(authority.stewards, lambda key: person_of.get(key, key))


def bookings(
    db: Connection,
    community: bytes,
    lanes: Sequence[Lane],
    authority: Authority,
    people: People,
    resource: bytes,
) -> ThingBookings:
    """What is reserved of one thing. lanes: those of its community that hold records. Raises Damaged."""
    lane, rules = _rules(db, lanes, authority, people, resource)
    asks: list[Ask] = []
    acts: list[Acted] = []
    facts: dict[bytes, tuple[str, int, bool]] = {}  # changeset → lane, when it was seen, whether it waits
    for of in lanes:
        changesets: dict[bytes, Changeset] = {}
        for changeset, standing, seen_ms in _touching(db, of, KIND, commitments.of_thing(db, of, resource)):
            changesets[changeset.id] = changeset
            facts[changeset.id] = of.name, seen_ms, standing != STANDS
        of_lane = of_thing(resource, map(said, changesets.values()), _times(changesets))
        asks += of_lane[0]
        acts += of_lane[1]
    reserved: list[Reserved] = []
    for booking in settle(asks, acts, rules):
        name, seen_ms, waits = facts[booking.ask.changeset]
        reserved.append(Reserved(name, booking, seen_ms, waits))
    acts.sort(key=lambda acted: (acted.effective_ms, acted.changeset))
    return ThingBookings(community, resource, lane, rules, tuple(reserved), tuple(acts))


def every(
    db: Connection,
    lanes: Sequence[Lane],
    view: Callable[[bytes], tuple[Authority, People]],
    askers: Sequence[bytes] | None,
) -> Iterator[ThingBookings]:
    """Of each thing that anybody asked for, or that one of these keys did. view: of a community. Raises Damaged."""
    of_community: dict[bytes, list[Lane]] = {}
    for lane in lanes:
        of_community.setdefault(lane.community, []).append(lane)
    for community, its_lanes in of_community.items():
        authority, people = view(community)
        for resource in sorted(set(commitments.things_in(db, its_lanes, askers))):
            yield bookings(db, community, its_lanes, authority, people, resource)


def _times(changesets: Mapping[bytes, Changeset]) -> Callable[[bytes], int]:
    return lambda id_: changesets[id_].time


def _rules(
    db: Connection, lanes: Sequence[Lane], authority: Authority, people: People, resource: bytes
) -> tuple[str | None, Rules]:
    """Of the lane in which the thing was created; else of the first in which there is something of it."""
    best: tuple[bool, Lane, bytes | None, list[Changeset]] | None = None
    for lane in lanes:
        changesets = [
            changeset
            for changeset, standing, _ in _touching(db, lane, THING, [resource])
            if standing == STANDS
        ]
        if not changesets:
            continue
        creator, _ = keeper_writes(RecordKey(resource, THING, lane.name), changesets)
        if best is None or (creator is not None and not best[0]):
            best = creator is not None, lane, creator, changesets
    if best is None:
        return None, Rules(Custody(None), people, lambda a, b: False)
    _, lane, creator, changesets = best
    precedes = own_chain(changesets)
    _, writes = keeper_writes(RecordKey(resource, THING, lane.name), changesets)
    values = _values(db, lane, resource)
    capacity = amount_of(values.get("amount")) or Decimal(1)
    lending, charter = values.get("lending"), authority.table.settings.lending if authority.table else {}
    at_once = rules_for(lending if isinstance(lending, dict) else None, charter)["confirm"] == AT_ONCE
    return lane.name, Rules(custody(creator, writes, people, precedes), people, precedes, at_once, capacity)


def _values(db: Connection, lane: Lane, resource: bytes) -> Mapping[str, Value]:
    row = db.execute(_SHOWN, (lane.no, resource, THING)).fetchone()
    return registers.shown(registers.load(resource, row[0])) if row is not None else {}


def _touching(
    db: Connection, lane: Lane, kind: str, records: Sequence[bytes]
) -> Iterator[tuple[Changeset, int, int]]:
    """What wrote to these records and is not void, with what it says of them: changeset, standing, when it was seen."""
    wanted = set(records)
    for _, id_, standing, seen_ms, codec, body in select_in(db, _TOUCHING, records, lane.no, kind):
        yield read_excerpt(db, id_, codec, body, wanted), standing, seen_ms
