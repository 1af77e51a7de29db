"""What is said of how a thing is lent: its hours, its rules before its model's and the charter's, and so who may have it when."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from types import MappingProxyType

from commonsnode.asking.times import clock
from commonsnode.asking.zones import zone_called, zone_of
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, RECORD_BYTES
from commonsnode_protocol.idle import BadHours, Busy, Loan, Misfit, fits
from commonsnode_protocol.kinds import Applying, rules_for, terms_for, works
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.errors import LaneNotFollowed
from commonsnode_store.store import Store

THING, MODEL = "resource", "specification"
TYPE = "type"
TYPE_CHARS_MAX = 64
PERSON = "person"  # the type of who asks, where nobody says another: keys are people's

_NOTHING: Mapping[str, Value] = MappingProxyType({})
_WORDS: Mapping[Misfit, tuple[str, str]] = {
    Misfit.NOT_LENT: ("resource", "it is lent to nobody"),
    Misfit.CLOSED_AT_BEGIN: ("from", "it is closed then: by its hours nobody hands it out"),
    Misfit.CLOSED_AT_END: ("until", "it is closed then: by its hours nobody takes it back"),
    Misfit.OUT_FOR_MAINTENANCE: ("from", "it is out for maintenance then"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """What somebody wants to have, and when. all_day: whole days of the zone, from the first to the last."""

    begin_ms: int
    end_ms: int
    amount: Decimal = Decimal(1)
    all_day: bool = False


@dataclass(frozen=True, slots=True)
class Lent:
    """A thing, and what holds for whoever wants it."""

    view: RecordView
    model: Mapping[str, Value]  # what its specification says
    charter: Mapping[str, Value]  # rules of lending for all things
    zone: tzinfo

    @property
    def ref(self) -> RecordRef:
        return self.view.ref

    @property
    def rules(self) -> dict[str, Value]:
        return rules_for(_map(self.view.values.get("lending")), _map(self.model.get("lending")), self.charter)

    @property
    def hours(self) -> Mapping[str, Value]:
        return _map(self.view.values.get("hours"))

    @property
    def zone_name(self) -> str:
        """As people and calendars call it; UTC where it has no name."""
        return getattr(self.zone, "key", None) or "UTC"

    def terms(self, agent_type: str, is_member: bool) -> Applying:
        """Whether, and on which terms, somebody of this type has it, and why."""
        own, model = _map(self.view.values.get("lending")), _map(self.model.get("lending"))
        return terms_for(own, self.charter, agent_type, is_member, model)

    def check(self, wanted: Span, busy: Iterable[Busy], capacity: Decimal, now_ms: int) -> bool:
        """Whether it is free for all of the span; else whoever asks has to wait. busy: what is taken of it.

        Raises WrongField, by the name of what was asked for, where it is not lent so at all; Conflict where its own hours
        cannot be followed.
        """
        if not works(self.view.values.get("condition")):
            raise WrongField("resource", f"is not in working order: {self.view.values['condition']!s:.80}")
        if wanted.amount > capacity:
            raise WrongField("amount", f"there are {capacity:f} of it")
        taken = list(busy)
        misfit = self._misfit(wanted, taken, capacity, now_ms, self.rules)
        if misfit is None:
            return True
        loan = Loan.read(self.rules)
        if misfit is Misfit.TAKEN:
            without = {**self.rules, "buffer_minutes": None}
            if self._misfit(wanted, taken, capacity, now_ms, without) is None:
                raise WrongField("from", f"{_length(loan.buffer_ms)} must lie between two loans of it")
            return False
        match misfit:
            case Misfit.TOO_SOON if loan.lead_ms:
                field, why = "from", f"it is asked for {_length(loan.lead_ms)} before, at the latest"
            case Misfit.TOO_SOON:
                field, why = "from", f"{clock(wanted.begin_ms, self.zone)} is past already"
            case Misfit.TOO_SHORT:
                field, why = "until", f"it is lent for {_length(loan.shortest_ms)} at least"
            case Misfit.TOO_LONG:
                field, why = "until", f"it is lent for {_length(loan.longest_ms or 0)} at most"
            case _:
                field, why = _WORDS[misfit]
        raise WrongField(field, why)

    def _misfit(
        self,
        wanted: Span,
        busy: Iterable[Busy],
        capacity: Decimal,
        now_ms: int,
        rules: Mapping[str, Value],
    ) -> Misfit | None:
        out = self.view.values.get("out_for_maintenance")
        try:
            return fits(
                self.hours,
                rules,
                busy,
                out if isinstance(out, int) else None,
                wanted.begin_ms,
                wanted.end_ms,
                now_ms,
                self.zone,
                all_day=wanted.all_day,
                amount=wanted.amount,
                capacity=capacity,
            )
        except BadHours as error:
            raise Conflict(f"its hours cannot be followed, so nobody can reserve it: {error}") from error


def lent(store: Store, ref: RecordRef) -> Lent:
    """A thing as it is lent. Raises Unknown; Conflict where it was removed, or is no thing."""
    view = store.record(ref)
    if view is None:
        raise Unknown(f"no record {ref.record.hex()} here")
    if ref.kind != THING:
        raise Conflict(f"only things are reserved, and {view.title} is of kind {ref.kind}")
    if view.deleted:
        raise Conflict(f"{view.title} was removed from the inventory")
    return described(store, view)


def described(store: Store, view: RecordView) -> Lent:
    """The same of a thing that was found, whether or not it can be reserved."""
    table = store.authority(view.community).table
    settings = table.settings if table is not None else None
    hours = view.values.get("hours")
    zone = hours.get("zone") if isinstance(hours, dict) else None
    own = zone_called(zone) if isinstance(zone, str) else None
    return Lent(
        view,
        model_of(store, view.ref, view.values),
        settings.lending if settings is not None else _NOTHING,
        own or zone_of([settings]),
    )


def model_of(store: Store, ref: RecordRef, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """What the specification that a thing names says; nothing where it names none that is here."""
    named = values.get(MODEL)
    if not isinstance(named, bytes) or len(named) != RECORD_BYTES:
        return _NOTHING
    for lane in dict.fromkeys((ref.lane, PUBLIC)):
        with suppress(LaneNotFollowed):
            if found := store.records(ref.community, lane, MODEL, [named]):
                return found[named].values
    return _NOTHING


def type_said(asked: Mapping[str, Value]) -> str:
    """The type of agent that a reservation names, for the terms; a person, where it names none."""
    said = asked.get(TYPE)
    return said if isinstance(said, str) and len(said) <= TYPE_CHARS_MAX else PERSON


def _map(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else _NOTHING


def _length(ms: int) -> str:
    """A length of time in its greatest whole unit."""
    minutes = ms // 60_000
    for unit, name in ((24 * 60, "day"), (60, "hour")):
        if minutes >= unit and minutes % unit == 0:
            return f"{minutes // unit} {name}{'s' if minutes != unit else ''}"
    return f"{minutes} minutes" if minutes != 1 else "1 minute"
