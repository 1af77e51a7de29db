"""What changesets say of reservations: what is asked for, and acts on that.  SPEC.md, "Reservations" (rules 33 and 34).

A reservation is a record of kind `commitment`. What was asked is what its creator wrote with the nonce, and nothing
later changes that; so it is named by the changeset that wrote it, the *ask*. Everything after is an *act*: a field
written to the record by a changeset that refs the ask.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import TypeGuard

from commonsnode_protocol.bookings import Act, Acted, Ask
from commonsnode_protocol.changeset import RECORD_BYTES, Changeset
from commonsnode_protocol.custody import NONCE, creates
from commonsnode_protocol.limits import TIME_MS_MAX

KIND = "commitment"
ACTION, USE, RESOURCE, FROM, UNTIL, AMOUNT = "action", "use", "resource", "from", "until", "amount"
AMOUNT_CHARS_MAX = 20
LENGTH_MS_MAX = 1100 * 24 * 3_600_000  # of one reservation

ENDINGS = frozenset({Act.CANCELLED, Act.DECLINED, Act.RETURNED})
_AS_MOMENTS = frozenset({Act.HANDED_OVER, Act.RETURNED})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a changeset asks for by one record. own_word: its author confirms it in the same breath."""

    record: bytes
    resource: bytes
    begin_ms: int
    end_ms: int
    amount: Decimal
    own_word: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """What a changeset does to a record that is a reservation, if it refs the ask. at_ms: 0 where the act has no moment."""

    record: bytes
    act: Act
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """All that one changeset says of reservations, whatever else it says."""

    changeset: bytes
    author: bytes
    refs: frozenset[bytes]
    wishes: tuple[Wish, ...] = ()
    deeds: tuple[Deed, ...] = ()


def said(changeset: Changeset) -> Said:
    """What it says of reservations: by its own content alone."""
    wishes: list[Wish] = []
    deeds: list[Deed] = []
    for record, kind, fields in changeset.changes:
        if kind != KIND:
            continue
        values = {name: write[0] for name, write in fields.items()}
        if NONCE in values and creates(changeset, record, values[NONCE]):
            wish = _wish(record, values)
            if wish is not None:
                wishes.append(wish)
        else:
            deeds += [Deed(record, act, at_ms) for act, at_ms in _deeds(values)]
    return Said(changeset.id, changeset.author, frozenset(changeset.refs), tuple(wishes), tuple(deeds))


def of_thing(
    resource: bytes, every: Iterable[Said], chain_time: Callable[[bytes], int]
) -> tuple[list[Ask], list[Acted]]:
    """The asks of one thing and the acts on them, of all that changesets of one lane say that stand.

    every: at least of those that wrote to a commitment of this thing.
    """
    held = {each.changeset: each for each in every}
    wished: dict[bytes, list[tuple[Said, Wish]]] = defaultdict(list)
    for each in held.values():
        for wish in each.wishes:
            if wish.resource == resource:
                # One ask of a thing by one changeset, which names it: that of the least record.
                wished[wish.record].append((each, wish))
                break
    spans = {
        by.changeset: (wish.begin_ms, wish.end_ms) for of_record in wished.values() for by, wish in of_record
    }
    acts = [
        Acted(by.changeset, by.author, ask.changeset, deed.act, chain_time(by.changeset), deed.at_ms, by.refs)
        for by in held.values()
        for deed in by.deeds
        for ask, _ in wished.get(deed.record, ())
        if ask.changeset in by.refs
    ]
    ended: dict[bytes, list[tuple[int, int]]] = defaultdict(
        list
    )  # changeset → the spans of asks that it ended
    for acted in acts:
        if acted.act in ENDINGS:
            ended[acted.changeset].append(spans[acted.ask])
    ends = {changeset: _Ended(chain_time(changeset), of) for changeset, of in ended.items()}
    asks: list[Ask] = []
    for of_record in wished.values():
        for by, wish in of_record:
            at = chain_time(by.changeset)
            if wish.own_word:
                acts.append(Acted(by.changeset, by.author, by.changeset, Act.CONFIRMED, at, 0, by.refs))
            known = max(
                (
                    ends[ref].at + 1
                    for ref in by.refs & ends.keys()
                    if ends[ref].overlaps(wish.begin_ms, wish.end_ms)
                ),
                default=0,
            )
            effective = min(max(at, known), TIME_MS_MAX)
            asks.append(
                Ask(
                    by.changeset,
                    wish.record,
                    by.author,
                    wish.begin_ms,
                    wish.end_ms,
                    effective,
                    wish.amount,
                    by.refs,
                )
            )
    return asks, acts


class _Ended:
    """What one changeset ended, as to time."""

    def __init__(self, at: int, spans: Sequence[tuple[int, int]]) -> None:
        self.at = at
        ordered = sorted(spans)
        self._begins = [begin for begin, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def overlaps(self, begin_ms: int, end_ms: int) -> bool:
        """Whether any of it is within this span."""
        before = bisect_left(self._begins, end_ms)
        return before > 0 and self._ends[before - 1] > begin_ms


def read(resource: bytes, changesets: Iterable[Changeset]) -> tuple[list[Ask], list[Acted]]:
    """The same of changesets of one lane that stand: all that wrote to a commitment of this thing, and their chains."""
    every = {changeset.id: changeset for changeset in changesets}
    return of_thing(resource, map(said, every.values()), chain_times(every).__getitem__)


def chain_times(every: Mapping[bytes, Changeset]) -> dict[bytes, int]:
    """Of each changeset, no earlier than its time, nor than what its author wrote before in this lane (rule 34)."""
    known: dict[bytes, int] = {}
    for id_ in every:
        path = [id_]
        while path:
            changeset = every[path[-1]]
            own = [
                ref
                for ref in changeset.refs
                if ref in every
                and every[ref].author == changeset.author
                and every[ref].lane == changeset.lane
            ]
            unknown = [ref for ref in own if ref not in known]
            if unknown:
                path += unknown
                continue
            path.pop()
            known[changeset.id] = chain_time(changeset.time, (known[ref] for ref in own))
    return known


def chain_time(time: int, before: Iterable[int]) -> int:
    """before: the chain times of the author's changesets in the same lane that it refs."""
    return min(max(time, max(before, default=-1) + 1), TIME_MS_MAX)


def _wish(record: bytes, values: Mapping[str, object]) -> Wish | None:
    """None where it is not well said, and then it is no ask."""
    begin, end, of = values.get(FROM), values.get(UNTIL), values.get(RESOURCE)
    amount = amount_of(values.get(AMOUNT))
    if values.get(ACTION) != USE or amount is None:
        return None
    if not isinstance(of, bytes) or len(of) != RECORD_BYTES:
        return None
    if not is_time(begin) or not is_time(end) or not 0 < end - begin <= LENGTH_MS_MAX:
        return None
    # An asker may confirm in the same breath, where the thing's rules confirm at once.
    return Wish(record, of, begin, end, amount, values.get(Act.CONFIRMED) is True)


def _deeds(values: Mapping[str, object]) -> Sequence[tuple[Act, int]]:
    found: list[tuple[Act, int]] = []
    for act in Act:
        value = values.get(act)
        if act in _AS_MOMENTS:
            if is_time(value):
                found.append((act, value))
        elif value is True:
            found.append((act, 0))
    return found


def is_time(value: object) -> TypeGuard[int]:
    """Whether it is a moment as the wire has it."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= TIME_MS_MAX


def amount_of(value: object) -> Decimal | None:
    """An amount above zero, as text with `.`; without one it is 1. None: not well said."""
    if value is None:
        return Decimal(1)
    if not isinstance(value, str) or len(value) > AMOUNT_CHARS_MAX or not value.isascii():
        return None
    whole, _, part = value.partition(".")
    if not whole.isdigit() or ("." in value and not part.isdigit()):
        return None
    amount = Decimal(value)
    return amount if amount > 0 else None
