"""Reservations as the documents that the API gives."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from commonsnode.booked import by_begin, extensions, is_asked, overdue
from commonsnode.deciding import WHY
from commonsnode.governing import role_of
from commonsnode.http.documents import moment
from commonsnode.lending import THING, described, type_said
from commonsnode.reserving import ALL_DAY, NOTE, PART_OF, ZONE
from commonsnode_protocol.authority import MEMBER, STEWARD, Authority
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.kinds import Applying
from commonsnode_protocol.kits import parts_of, whole
from commonsnode_store.answers import RecordView
from commonsnode_store.reserved import Reserved, ThingBookings
from commonsnode_store.store import Store

NOT_HERE = Applying(False, "ask", "", "the thing is not here")


class Documents:
    """Documents of reservations for one reader. Reads each thing once."""

    def __init__(self, store: Store, reader: bytes | None, now_ms: int) -> None:
        """reader: the key of who reads; None for everyone."""
        self._store = store
        self._reader = reader
        self._now_ms = now_ms
        self._things: dict[tuple[bytes, bytes], RecordView | None] = {}
        self._authorities: dict[bytes, Authority] = {}
        self._indexes: dict[
            int, tuple[ThingBookings, tuple[dict[bytes, bytes], dict[int, list[Reserved]]]]
        ] = {}

    def rows(self, found: Sequence[tuple[ThingBookings, Reserved]]) -> list[dict[str, Any]]:
        """In the order given."""
        notes = self._read(found)
        return [self._row(held, each, notes) for held, each in found]

    def row(self, held: ThingBookings, reserved: Reserved) -> dict[str, Any]:
        return self.rows([(held, reserved)])[0]

    def _row(
        self,
        held: ThingBookings,
        reserved: Reserved,
        notes: dict[tuple[bytes, str, bytes], RecordView],
    ) -> dict[str, Any]:
        booking, people = reserved.booking, held.rules.people
        ask, keeper = booking.ask, held.custody.keeper
        view = notes.get((held.community, reserved.lane, ask.record))
        said = view.values if view is not None else {}
        thing = self._thing(held)
        lent = described(self._store, thing) if thing is not None else None
        records, begins = self._index(held)
        authority = self._authority(held.community)
        is_member = role_of(authority, ask.author) in (MEMBER, STEWARD)
        terms = lent.terms(type_said(said), is_member) if lent is not None else NOT_HERE
        parts = self._parts(held, reserved, thing)
        of_kit = said.get(PART_OF)
        places = [each.booking.waiting for _, each in parts]
        times = self._store.facts([ask.changeset, *(acted.changeset for acted in booking.no_effect)])
        return {
            "id": ask.record.hex(),
            "community": held.community.hex(),
            "lane": reserved.lane,
            "resource": held.resource.hex(),
            "title": self._title(held),
            "from": moment(ask.begin_ms),
            "until": moment(ask.end_ms),
            "all_day": said.get(ALL_DAY) is True,
            "zone": _text(said.get(ZONE)) or (lent.zone_name if lent is not None else "UTC"),
            "amount": f"{ask.amount:f}",
            "state": whole(booking.state, [each.booking.state for _, each in parts]).value,
            "rank": booking.rank.name.lower().replace("_", "-"),
            "by": people.person_of(ask.author).hex(),
            "type": type_said(said),
            "keeper": people.person_of(keeper).hex() if keeper is not None else None,
            "mine": self._reader is not None and people.same(ask.author, self._reader),
            "asked_of_me": self._reader is not None and is_asked(held, self._reader),
            "overdue": overdue(held, booking, self._now_ms),
            "waiting": max((w for w in (booking.waiting, *places) if w is not None), default=None),
            "displaced_by": [records[by].hex() for by in booking.displaced_by if by in records],
            "parts": [
                {
                    "id": each.booking.ask.record.hex(),
                    "resource": of.resource.hex(),
                    "title": self._title(of),
                    "amount": f"{each.booking.ask.amount:f}",
                    "state": each.booking.state.value,
                }
                for of, each in parts
            ],
            "part_of": of_kit.hex() if isinstance(of_kit, bytes) else None,
            "extended_by": [each.booking.ask.record.hex() for each in extensions(held, ask, begins)],
            "terms": terms_document(terms),
            "no_effect": [
                {
                    "act": acted.act.value,
                    "by": acted.author.hex(),
                    "time": moment(
                        times[acted.changeset][1] if acted.changeset in times else acted.effective_ms
                    ),
                }
                for acted in booking.no_effect
            ],
            "note": _text(said.get(NOTE)),
            "why": _text(said.get(WHY)),
            "asked": moment(times[ask.changeset][1] if ask.changeset in times else ask.effective_ms),
            "seen": moment(reserved.seen_ms),
            "unsent": reserved.waits,
        }

    def _read(
        self, found: Iterable[tuple[ThingBookings, Reserved]]
    ) -> dict[tuple[bytes, str, bytes], RecordView]:
        """What the records of these say beside the ask."""
        wanted: dict[tuple[bytes, str], set[bytes]] = {}
        for held, each in found:
            wanted.setdefault((held.community, each.lane), set()).add(each.booking.ask.record)
        return {
            (community, lane, record): view
            for (community, lane), records in wanted.items()
            for record, view in self._store.records(community, lane, KIND, sorted(records)).items()
        }

    def _index(self, held: ThingBookings) -> tuple[dict[bytes, bytes], dict[int, list[Reserved]]]:
        """The records of all asks for a thing, and these by when they begin; made once."""
        found = self._indexes.get(id(held))
        if found is None:
            records = {each.booking.ask.changeset: each.booking.ask.record for each in held.reserved}
            found = self._indexes[id(held)] = held, (records, by_begin(held))
        return found[1]

    def _parts(
        self, held: ThingBookings, reserved: Reserved, thing: RecordView | None
    ) -> list[tuple[ThingBookings, Reserved]]:
        """Of the reservation of a kit: those of its parts, which were asked for with it."""
        if thing is None or not parts_of(thing.values):
            return []
        together = self._store.reserved_together(held.community, reserved.booking.ask.changeset)
        return [(of, each) for of, each in together if of.resource != held.resource]

    def _title(self, held: ThingBookings) -> str:
        thing = self._thing(held)
        return thing.title if thing is not None else held.resource.hex()[:8]

    def _thing(self, held: ThingBookings) -> RecordView | None:
        key = held.community, held.resource
        if key not in self._things:
            views = (
                self._store.records(held.community, held.lane, THING, [held.resource])
                if held.lane is not None
                else {}
            )
            self._things[key] = views.get(held.resource)
        return self._things[key]

    def _authority(self, community: bytes) -> Authority:
        if community not in self._authorities:
            self._authorities[community] = self._store.authority(community)
        return self._authorities[community]


def terms_document(terms: Applying) -> dict[str, Any]:
    return {"lent": terms.lent, "use": terms.use, "fee": terms.fee, "why": terms.why}


def in_time_of(held: ThingBookings, of: Reserved, states: Collection[str]) -> list[Reserved]:
    """The reservations of others in the time of one, of these states."""
    ask = of.booking.ask
    return [
        each
        for each in held.reserved
        if each.booking.ask.changeset != ask.changeset
        and each.booking.ask.begin_ms < ask.end_ms
        and ask.begin_ms < each.booking.ask.end_ms
        and each.booking.state in states
    ]


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
