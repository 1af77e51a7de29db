"""Whether things are free for a span: rules of many things judged once, and reservations of the few that are candidates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.commitments import amount_of
from commonsnode_protocol.idle import BadHours, Busy, Loan, fits, idle_spans, zone_of
from commonsnode_protocol.kinds.lending import rules_for
from commonsnode_store.asked import WantedSpan
from commonsnode_store.connections import Connection
from commonsnode_store.indexed import ALWAYS_OPEN, said_of

CACHED = 8_192
ANSWERS_MAX = 64  # spans whose open rules are remembered
RULES_AT_ONCE = 2_000  # with more, each candidate is judged when it is met
NOW_STEP_MS = 60_000  # the answer may be as old as this

_NOTHING: bytes = canonical.encode([None, None, None, True])
_ONE = Decimal(1)
_NO_LENDING: bytes = canonical.encode({})


@dataclass(frozen=True, slots=True)
class Customs:
    """What a community's charter says for things that say nothing."""

    lending: bytes = _NO_LENDING  # canonical
    zone: str | None = None

    @classmethod
    def of(cls, lending: Mapping[str, Value], zone: str | None) -> "Customs":
        """As the settings of its table have them."""
        return cls(canonical.encode(dict(lending)), zone or None)


NO_CUSTOMS = Customs()


@dataclass(frozen=True, slots=True)
class _Rules:
    """All that says when one thing could be had, but for reservations."""

    hours: Mapping[str, object]
    lending: Mapping[str, Value]
    out: int | bool | None
    works: bool


class OpenRules:
    """Which of the rules in table `hours` are open for a span: those of one file, remembered. For any thread."""

    def __init__(self) -> None:
        self._answers: dict[tuple[WantedSpan, Customs], tuple[int, tuple[int, ...]]] = {}

    def numbers(self, db: Connection, span: WantedSpan, customs: Sequence[Customs]) -> list[list[int]] | None:
        """By customs: the numbers of rules by which a thing could be had. None where there are too many to judge them all."""
        last: int = db.execute("select coalesce(max(no), 0) from hours").fetchone()[0]
        if last * len(customs) > RULES_AT_ONCE:
            return None
        return [self._numbers(db, span, each, last) for each in customs]

    def _numbers(self, db: Connection, span: WantedSpan, customs: Customs, last: int) -> list[int]:
        before, found = self._answers.get((span, customs), (-1, ()))
        if before < last:
            if before < 0:
                found = (ALWAYS_OPEN,) if could_be_had(_NOTHING, span, customs) else ()
            # A number never comes to mean another rule, so only what is new is judged.
            rules = db.execute("select no, rule from hours where no > ? order by no", (max(before, 0),))
            found += tuple(no for no, rule in rules if could_be_had(rule, span, customs))
            if len(self._answers) >= ANSWERS_MAX:
                self._answers.clear()
            self._answers[span, customs] = last, found
        return list(found)


def stepped(span: WantedSpan) -> WantedSpan:
    """The same as of the last minute, so that what was judged is known for a while."""
    return replace(span, now_ms=span.now_ms - span.now_ms % NOW_STEP_MS)


def could_be_had(rule: bytes, span: WantedSpan, customs: Customs) -> bool:
    """Whether a thing of this rule could, if nobody else had it. One whose rule cannot be followed could not.

    By a rule as it is in table `hours`, one that has a model could wherever its own rules let it.
    """
    lead_ms = _lead_ms(rule, customs.lending)
    if lead_ms is None:
        return False
    if span.now_ms + lead_ms <= span.begin_ms:
        span = replace(span, now_ms=0)  # early enough, now and always: the answer is the same
    return _could_be_had(rule, span, customs)


def free_spans(
    db: Connection,
    community: int,
    record: bytes,
    values: Mapping[str, Value],
    model: Mapping[str, Value],
    span: WantedSpan,
    customs: Customs,
    *,
    amount: Decimal = _ONE,
) -> list[tuple[int, int]] | None:
    """The free spans inside of what is wanted, where so much of it is free for all of that; else None.

    model: the rules of lending of the thing's model.
    """
    rule = _rule(values, model)
    rules = _rules(rule, customs.lending)
    try:
        buffer = Loan.read(rules.lending).buffer_ms
        rows = db.execute(
            "select begin_ms, end_ms, amount from busy"
            " where community = ? and resource = ? and end_ms > ? and begin_ms < ?",
            (community, record, span.begin_ms - buffer, span.end_ms + buffer),
        )
        busy = [Busy(begin, end, Decimal(amount)) for begin, end, amount in rows]
        capacity = amount_of(values.get("amount")) or _ONE
        if not busy and amount <= capacity:
            return _all_free(rule, span, customs)
        if not _free(rules, busy, capacity, span, customs, amount):
            return None
        return _idle(rules, busy, capacity, span, customs, amount)
    except BadHours:
        return None


def free_first(
    db: Connection,
    community: int,
    record: bytes,
    values: Mapping[str, Value],
    model: Mapping[str, Value],
    window: WantedSpan,
    customs: Customs,
) -> int | None:
    """From when on it is free for the first time inside of a window; None where it is not. Its parts are not looked at."""
    rule = _rule(values, model)
    sql = "select begin_ms, end_ms, amount from busy where community = ? and resource = ? and end_ms > ? and begin_ms < ?"
    rows = db.execute(sql, (community, record, window.begin_ms, window.end_ms)).fetchall()
    if not rows:
        return _first(rule, window, customs)
    busy = [Busy(begin, end, Decimal(amount)) for begin, end, amount in rows]
    rules = _rules(rule, customs.lending)
    try:
        capacity = amount_of(values.get("amount")) or _ONE
        return (
            next(iter(_idle(rules, busy, capacity, window, customs, _ONE)), (None,))[0]
            if rules.works
            else None
        )
    except BadHours:
        return None


@lru_cache(maxsize=CACHED)
def _first(rule: bytes, window: WantedSpan, customs: Customs) -> int | None:
    """The same of a thing of this rule that nobody has."""
    rules = _rules(rule, customs.lending)
    if not rules.works:
        return None
    try:
        return next(iter(_idle(rules, (), _ONE, window, customs, _ONE)), (None,))[0]
    except BadHours:
        return None


def replace_busy(
    db: Connection, community: int, record: bytes, spans: Iterable[tuple[int, int, Decimal]]
) -> None:
    """Inside of a write transaction: all spans in which a thing is lent or promised, with how much of it."""
    db.execute("delete from busy where community = ? and resource = ?", (community, record))
    db.executemany(
        "insert or ignore into busy values (?, ?, ?, ?, ?)",
        [(community, record, begin, end, str(amount)) for begin, end, amount in spans],
    )


@lru_cache(maxsize=CACHED)
def _could_be_had(rule: bytes, span: WantedSpan, customs: Customs) -> bool:
    return _free(_rules(rule, customs.lending), (), _ONE, span, customs, _ONE)


@lru_cache(maxsize=CACHED)
def _all_free(rule: bytes, span: WantedSpan, customs: Customs) -> list[tuple[int, int]] | None:
    """The free spans of a thing of this rule that nobody has; None where it could not be had."""
    if not could_be_had(rule, span, customs):
        return None
    return _idle(_rules(rule, customs.lending), (), _ONE, span, customs, _ONE)


def _idle(
    rules: _Rules,
    busy: Sequence[Busy],
    capacity: Decimal,
    span: WantedSpan,
    customs: Customs,
    amount: Decimal,
) -> list[tuple[int, int]]:
    """Raises BadHours."""
    zone = _zone(rules.hours, span, customs)
    begin, end, now = span.begin_ms, span.end_ms, span.now_ms
    return idle_spans(
        rules.hours, rules.lending, busy, rules.out, begin, end, now, zone, amount=amount, capacity=capacity
    )


@lru_cache(maxsize=CACHED)
def _lead_ms(rule: bytes, lending: bytes) -> int | None:
    try:
        return Loan.read(_rules(rule, lending).lending).lead_ms
    except BadHours:
        return None


def _free(
    rules: _Rules,
    busy: Sequence[Busy],
    capacity: Decimal,
    span: WantedSpan,
    customs: Customs,
    amount: Decimal,
) -> bool:
    if not rules.works:
        return False
    try:
        misfit = fits(
            rules.hours,
            rules.lending,
            busy,
            rules.out,
            span.begin_ms,
            span.end_ms,
            span.now_ms,
            _zone(rules.hours, span, customs),
            all_day=span.all_day,
            amount=amount,
            capacity=capacity,
        )
    except BadHours:
        return False
    return misfit is None


def _rule(values: Mapping[str, Value], model: Mapping[str, Value]) -> bytes:
    """All that says when it could be had, but for reservations and the charter."""
    said = said_of(values)
    return canonical.encode([*said, dict(model)] if model else said)


@lru_cache(maxsize=CACHED)
def _rules(rule: bytes, lending: bytes) -> _Rules:
    hours, own, out, works, *models = cast(list[Value], canonical.decode(rule))
    layers = [own, *models, canonical.decode(lending)]
    if models == [True]:  # what it says goes before the charter: it is looked at when the thing is
        layers = [own]
    return _Rules(
        hours if isinstance(hours, dict) else {},
        rules_for(*(layer if isinstance(layer, dict) else None for layer in layers)),
        out if isinstance(out, int) else None,
        works is True,
    )


def _zone(hours: Mapping[str, object], span: WantedSpan, customs: Customs) -> tzinfo:
    name = zone_of(hours) or customs.zone
    if name is None:
        return span.zone
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise BadHours("hours.zone", f"no such time zone: {name!r:.40}") from error
