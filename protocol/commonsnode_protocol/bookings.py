"""Which reservations of a thing stand, and in which state each is.  SPEC.md, "Reservations" (rules 33 to 36).

A function of the asks and acts that stand (commitments.py), whatever the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum, StrEnum

from commonsnode_protocol.custody import Custody, People, Precedes
from commonsnode_protocol.idle import Busy, taken


class Act(StrEnum):
    """The fields by which the state of a reservation changes. CANCELLED is the asker's, the rest the keeper's."""

    CONFIRMED = "confirmed"  # true
    DECLINED = "declined"  # true
    CANCELLED = "cancelled"  # true
    HANDED_OVER = "handed_over"  # when, in ms
    RETURNED = "returned"  # when, in ms


class Rank(IntEnum):
    """Rule 33: the lower goes first."""

    HANDED_OVER = 0
    CONFIRMED = 1
    AT_ONCE = 2
    ASKED = 3


class State(StrEnum):
    ASKED = "asked"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    DISPLACED = "displaced"
    OUT = "out"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asked for. effective_ms: rule 34, before any confirmation."""

    changeset: bytes
    record: bytes
    author: bytes
    begin_ms: int
    end_ms: int
    effective_ms: int
    amount: Decimal = Decimal(1)
    refs: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Acted:
    """One act on an ask. at_ms: of a hand-over or a return, when it was."""

    changeset: bytes
    author: bytes
    ask: bytes
    act: Act
    effective_ms: int
    at_ms: int = 0
    refs: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """What the thing and its community say at present. at_once: an asker's own confirmation counts."""

    custody: Custody
    people: People
    precedes: Precedes
    at_once: bool = False
    capacity: Decimal = Decimal(1)

    def may_decide(self, acted: Acted) -> bool:
        """By a steward, by the keeper, or by who was keeper, before they handed the thing over."""
        if self.people.seniority(acted.author) is not None:
            return True
        if self.custody.keeper is not None and self.people.same(acted.author, self.custody.keeper):
            return True
        return any(
            term.ended_by is not None
            and self.people.same(acted.author, term.keeper)
            and (acted.changeset == term.ended_by or self.precedes(acted.changeset, term.ended_by))
            for term in self.custody.terms
        )


@dataclass(frozen=True, slots=True)
class Booking:
    """An ask and what came of it."""

    ask: Ask
    state: State
    rank: Rank
    effective_ms: int
    busy: tuple[int, int] | None = None  # what it takes of the thing's time
    displaced_by: tuple[bytes, ...] = ()  # asks
    waiting: int | None = None  # place in the waiting list, from 1; of who is displaced
    no_effect: tuple[Acted, ...] = ()  # written by somebody who may not

    def overdue(self, now_ms: int) -> bool:
        """Out longer than was asked for. Computed, never stored."""
        return self.state is State.OUT and now_ms > self.ask.end_ms


@dataclass(frozen=True, slots=True)
class _Case:
    """An ask with the acts that have effect, and the order in which it has its turn."""

    ask: Ask
    rank: Rank
    effective_ms: int
    acts: Mapping[Act, Sequence[Acted]]
    no_effect: tuple[Acted, ...]
    excused: frozenset[bytes]  # endings that the asker, or who confirmed, knew of

    @property
    def order(self) -> tuple[int, int, bytes]:
        return self.rank, self.effective_ms, self.ask.changeset

    @property
    def endings(self) -> frozenset[bytes]:
        return frozenset(
            acted.changeset for act in (Act.CANCELLED, Act.DECLINED) for acted in self.acts.get(act, ())
        )


@dataclass(frozen=True, slots=True)
class _Block:
    """A span that is taken, for all but those who know of one of the endings."""

    of: bytes
    busy: Busy
    endings: frozenset[bytes] = frozenset()


def settle(asks: Iterable[Ask], acts: Iterable[Acted], rules: Rules) -> list[Booking]:
    """What came of each ask of one thing, in the order of their turn."""
    by_ask: dict[bytes, list[Acted]] = {}
    for acted in acts:
        by_ask.setdefault(acted.ask, []).append(acted)
    cases = sorted(
        (
            _case(ask, by_ask.get(ask.changeset, []), rules)
            for ask in {ask.changeset: ask for ask in asks}.values()
        ),
        key=lambda case: case.order,
    )
    blocks: list[_Block] = []
    found: list[Booking] = []
    for case in cases:
        against = [block for block in blocks if _stops(block, case)]
        stands = not _overfull(against, case.ask, rules.capacity)
        if stands:
            blocks += _blocks(case)
        found.append(_booking(case, stands, [] if stands else against))
    return _in_line(found)


def _case(ask: Ask, acts: Sequence[Acted], rules: Rules) -> _Case:
    effective: dict[Act, list[Acted]] = {}
    without: list[Acted] = []
    own_word: list[Acted] = []
    for acted in sorted(acts, key=lambda each: (each.effective_ms, each.changeset)):
        by_asker = rules.people.same(acted.author, ask.author)
        if acted.act is Act.CANCELLED:
            allowed = by_asker
        elif acted.act is Act.CONFIRMED and by_asker:
            # One's own word is no keeper's word, even of who keeps the thing.
            allowed = False
            if rules.at_once or rules.may_decide(acted):
                own_word.append(acted)
                continue
        else:
            allowed = rules.may_decide(acted)
        if allowed:
            effective.setdefault(acted.act, []).append(acted)
        else:
            without.append(acted)
    rank, given = Rank.ASKED, own_word
    if effective.get(Act.HANDED_OVER):
        rank, given = Rank.HANDED_OVER, effective[Act.HANDED_OVER]
    elif effective.get(Act.CONFIRMED):
        rank, given = Rank.CONFIRMED, effective[Act.CONFIRMED]
    elif own_word:
        rank = Rank.AT_ONCE
    at = ask.effective_ms
    if rank in (Rank.HANDED_OVER, Rank.CONFIRMED):
        at = max(at, min(acted.effective_ms for acted in given))
    knew = [ask.refs]
    for act in (Act.CONFIRMED, Act.HANDED_OVER):
        knew += [acted.refs for acted in effective.get(act, ())]
    return _Case(ask, rank, at, effective, tuple(without), frozenset().union(*knew))


def _stops(block: _Block, case: _Case) -> bool:
    ask = case.ask
    return (
        block.busy.begin_ms < ask.end_ms
        and ask.begin_ms < block.busy.end_ms
        and not (block.endings & case.excused)
    )


def _overfull(against: Sequence[_Block], ask: Ask, capacity: Decimal) -> bool:
    if ask.amount > capacity:
        return True
    spans = taken((block.busy for block in against), 0, ask.amount, capacity)
    return any(begin < ask.end_ms and ask.begin_ms < end for begin, end in spans)


def _blocks(case: _Case) -> list[_Block]:
    """What one that stands takes. What it gave back by ending stays taken for those who knew nothing of that."""
    ask, back = case.ask, _back(case)
    if back is None:
        return [_Block(ask.changeset, Busy(ask.begin_ms, ask.end_ms, ask.amount), case.endings)]
    # Who knew of the return keeps the rest, also where it is cancelled as well.
    returns = frozenset(acted.changeset for acted in case.acts[Act.RETURNED])
    return [
        _Block(ask.changeset, Busy(ask.begin_ms, back, ask.amount), case.endings),
        _Block(ask.changeset, Busy(back, ask.end_ms, ask.amount), case.endings | returns),
    ]


def _back(case: _Case) -> int | None:
    """When it was brought back, within what was asked for; the earliest that anybody who may says."""
    if not case.acts.get(Act.RETURNED):
        return None
    at = min(acted.at_ms for acted in case.acts[Act.RETURNED])
    return min(max(at, case.ask.begin_ms), case.ask.end_ms)


def _booking(case: _Case, stands: bool, against: Sequence[_Block]) -> Booking:
    ask = case.ask
    busy: tuple[int, int] | None = (ask.begin_ms, ask.end_ms)
    if case.acts.get(Act.CANCELLED):
        state, busy = State.CANCELLED, None
    elif case.acts.get(Act.DECLINED):
        state, busy = State.DECLINED, None
    elif not stands:
        state, busy = State.DISPLACED, None
    elif (back := _back(case)) is not None:
        state, busy = State.RETURNED, (ask.begin_ms, back) if back > ask.begin_ms else None
    elif case.rank is Rank.HANDED_OVER:
        state = State.OUT
    elif case.rank is Rank.ASKED:
        state = State.ASKED
    else:
        state = State.CONFIRMED
    by = tuple(dict.fromkeys(block.of for block in against)) if state is State.DISPLACED else ()
    return Booking(ask, state, case.rank, case.effective_ms, busy, by, None, case.no_effect)


def _in_line(found: Sequence[Booking]) -> list[Booking]:
    """The displaced with their place in the waiting list: how many before them wait for a part of their span."""
    waiting: list[Ask] = []
    result: list[Booking] = []
    for booking in found:
        if booking.state is State.DISPLACED:
            ask = booking.ask
            before = sum(each.begin_ms < ask.end_ms and ask.begin_ms < each.end_ms for each in waiting)
            waiting.append(ask)
            booking = replace(booking, waiting=before + 1)
        result.append(booking)
    return result
