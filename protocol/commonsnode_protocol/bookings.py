"""Which reservations of a thing stand, and in which state each is.  SPEC.md, "Reservations" (rules 33 to 36).

A function of the asks and acts that stand (commitments.py), whatever the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from enum import IntEnum, StrEnum
from itertools import accumulate

from commonsnode_protocol.custody import TERMS_MAX, Custody, People, Precedes
from commonsnode_protocol.idle import Busy
from commonsnode_protocol.occupied import Occupied, Overlapping

DISPLACED_BY_MAX = 16  # asks that are named to one who is displaced
_PLACES = 20  # decimals that an amount may have
_EXACT = Context(prec=3 * _PLACES)
_CHANGED_MAX = (
    64  # blocks that are taken out for one ask, and put back; where more give way, all others are added up
)


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


class _Deciding:
    """Who may confirm, decline, hand over and take back."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._ends: dict[bytes, list[bytes]] = {}  # person → what ended their terms, the last first
        for term in reversed(rules.custody.terms):
            ends = self._ends.setdefault(rules.people.person_of(term.keeper), [])
            if term.ended_by is not None and len(ends) < TERMS_MAX:
                ends.append(term.ended_by)

    def may(self, acted: Acted) -> bool:
        """By a steward, by the keeper, or by who was keeper, before they handed the thing over; a confirmation also by their nodes."""
        return self.may_by(acted, acted.author) or any(
            self.may_by(acted, each) for each in self.for_whom(acted)
        )

    def may_by(self, acted: Acted, key: bytes) -> bool:
        """The same, as what this person says."""
        people, keeper = self._rules.people, self._rules.custody.keeper
        if people.seniority(key) is not None:
            return True
        if keeper is not None and people.same(key, keeper):
            return True
        return any(
            acted.changeset == ended_by or self._rules.precedes(acted.changeset, ended_by)
            for ended_by in self._ends.get(people.person_of(key), ())
        )

    def for_whom(self, acted: Acted) -> frozenset[bytes]:
        """The persons for whom a node confirms."""
        return self._rules.people.named_by(acted.author) if acted.act is Act.CONFIRMED else frozenset()

    def is_own_word(self, acted: Acted, asker: bytes) -> bool:
        """Whether a confirmation is the asker's: by their own key, or by their node where it has no word of its own."""
        people = self._rules.people
        return people.same(acted.author, asker) or (
            not self.may_by(acted, acted.author)
            and any(people.same(each, asker) for each in self.for_whom(acted))
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
    deciding = _Deciding(rules)
    cases = sorted(
        (
            _case(ask, by_ask.get(ask.changeset, []), rules, deciding)
            for ask in {ask.changeset: ask for ask in asks}.values()
        ),
        key=lambda case: case.order,
    )
    taken = _Taken(cases, rules.capacity)
    found: list[Booking] = []
    for case in cases:
        stands = taken.has_room(case)
        by = () if stands else taken.displacing(case)
        if stands:
            taken.add(case)
        found.append(_booking(case, stands, by))
    return _in_line(found)


class _Taken:
    """What is blocked by those that stand, while the asks have their turn."""

    def __init__(self, cases: Sequence[_Case], capacity: Decimal) -> None:
        self._capacity = _whole(capacity)
        self._blocks: list[_Block] = []
        self._ended_by: dict[bytes, list[int]] = {}  # an ending → the blocks that give way to who knows of it
        moments = {moment for case in cases for moment in (case.ask.begin_ms, case.ask.end_ms)}
        self._occupied = Occupied(moments | {back for case in cases if (back := _back(case)) is not None})

    def has_room(self, case: _Case) -> bool:
        ask = case.ask
        excused = self._excused(case)
        if len(excused) > _CHANGED_MAX:
            most = self._most_beside(case)
        else:
            self._change(excused, -1)
            most = self._occupied.most(ask.begin_ms, ask.end_ms)
            self._change(excused, 1)
        return most + _whole(ask.amount) <= self._capacity

    def displacing(self, case: _Case) -> tuple[bytes, ...]:
        """Some asks that do not let this one stand, in their order; at most DISPLACED_BY_MAX."""
        numbers = self._occupied.spans(
            case.ask.begin_ms,
            case.ask.end_ms,
            lambda number: not (self._blocks[number].endings & case.excused),
            DISPLACED_BY_MAX,
        )
        return tuple(dict.fromkeys(self._blocks[number].of for number in numbers))

    def add(self, case: _Case) -> None:
        for block in _blocks(case):
            busy, number = block.busy, len(self._blocks)
            if busy.begin_ms < busy.end_ms:
                self._blocks.append(block)
                self._occupied.put(number, busy.begin_ms, busy.end_ms, _whole(busy.amount))
                for ending in block.endings:
                    self._ended_by.setdefault(ending, []).append(number)

    def _change(self, blocks: Iterable[_Block], sign: int) -> None:
        for block in blocks:
            self._occupied.change(block.busy.begin_ms, block.busy.end_ms, sign * _whole(block.busy.amount))

    def _most_beside(self, case: _Case) -> int:
        """The most that is taken by those that do not give way to it."""
        edges: list[tuple[int, int]] = []
        for block in self._blocks:
            if _overlap(block, case.ask) and not (block.endings & case.excused):
                amount = _whole(block.busy.amount)
                edges += [(max(block.busy.begin_ms, case.ask.begin_ms), amount), (block.busy.end_ms, -amount)]
        # At one moment what ends goes before what begins.
        return max(accumulate((change for _, change in sorted(edges)), initial=0))

    def _excused(self, case: _Case) -> list[_Block]:
        """Those that overlap it and give way to it, since who asked or confirmed knew that they had ended."""
        numbers = {
            number for ending in self._ended_by.keys() & case.excused for number in self._ended_by[ending]
        }
        return [block for block in (self._blocks[number] for number in numbers) if _overlap(block, case.ask)]


def _overlap(block: _Block, ask: Ask) -> bool:
    return block.busy.begin_ms < ask.end_ms and ask.begin_ms < block.busy.end_ms


def _whole(amount: Decimal) -> int:
    """So many of the smallest part that an amount can have: sums of these are exact."""
    return int(amount.scaleb(_PLACES, _EXACT))


def _case(ask: Ask, acts: Sequence[Acted], rules: Rules, deciding: _Deciding) -> _Case:
    effective: dict[Act, list[Acted]] = {}
    without: list[Acted] = []
    own_word: list[Acted] = []
    for acted in sorted(acts, key=lambda each: (each.effective_ms, each.changeset)):
        if acted.act is Act.CANCELLED:
            allowed = rules.people.same(acted.author, ask.author)
        elif acted.act is Act.CONFIRMED and deciding.is_own_word(acted, ask.author):
            # One's own word is no keeper's word, even of who keeps the thing.
            allowed = False
            if rules.at_once or deciding.may(acted):
                own_word.append(acted)
                continue
        else:
            allowed = deciding.may(acted)
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


def _booking(case: _Case, stands: bool, displaced_by: tuple[bytes, ...]) -> Booking:
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
    by = displaced_by if state is State.DISPLACED else ()
    return Booking(ask, state, case.rank, case.effective_ms, busy, by, None, case.no_effect)


def _in_line(found: Sequence[Booking]) -> list[Booking]:
    """The displaced with their place in the waiting list: how many before them wait for a part of their span."""
    waits = [booking.ask for booking in found if booking.state is State.DISPLACED]
    before = Overlapping(moment for ask in waits for moment in (ask.begin_ms, ask.end_ms))
    result: list[Booking] = []
    for booking in found:
        if booking.state is State.DISPLACED:
            ask = booking.ask
            booking = replace(booking, waiting=before.count(ask.begin_ms, ask.end_ms) + 1)
            before.add(ask.begin_ms, ask.end_ms)
        result.append(booking)
    return result
