"""Whom a node knows of but does not talk to: HyParView's passive view, which no stranger can fill with his own.

A view that is full loses an entry of its most crowded range: who brings many addresses of few ranges displaces his own.
Entries that this node has reached itself (proven) are only lost where they are more than half.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from commonsnode_protocol.overlay.frames import Contact

RETRY_MS = 30_000  # before who refused, or did not answer, is asked again; twice as long each time
FAILURES_MAX = 3  # of who was reached before; who never was is forgotten at the first
RETRY_DOUBLINGS_MAX = 6

Chance: TypeAlias = Callable[[int], int]
"""A whole number from 0 to n − 1, each as likely. Given from outside: the protocol has no randomness of its own."""

ReadRecord: TypeAlias = Callable[[Contact], tuple[bytes, int]]
"""The range that a contact counts to, and when its record was made."""

T = TypeVar("T")


def one_of(chance: Chance, items: Sequence[T]) -> T:
    return items[chance(len(items))]


def some_of(chance: Chance, items: Iterable[T], count: int) -> list[T]:
    """So many of the items, in any order; all where they are fewer."""
    pool = list(items)
    for place in range(min(count, len(pool))):
        other = place + chance(len(pool) - place)
        pool[place], pool[other] = pool[other], pool[place]
    return pool[:count]


def most_crowded(ranges: Iterable[bytes]) -> set[bytes]:
    """The ranges that occur most often."""
    counts = Counter(ranges)
    most = max(counts.values())
    return {each for each, count in counts.items() if count == most}


@dataclass(slots=True)
class Known:
    """One entry: where it counts to, and how it went with it."""

    contact: Contact
    range: bytes
    made: int
    proven: bool = False
    failures: int = 0
    retry_ms: int = 0


class PassiveView:
    """See the module."""

    def __init__(self, size_max: int, chance: Chance, read: ReadRecord) -> None:
        self._size_max = size_max
        self._read = read
        self._chance = chance
        self._known: dict[bytes, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def keys(self) -> Collection[bytes]:
        return self._known.keys()

    def get(self, key: bytes) -> Known | None:
        return self._known.get(key)

    def remove(self, key: bytes) -> Known | None:
        return self._known.pop(key, None)

    def add(self, contact: Contact, *, proven: bool = False, failures: int = 0) -> None:
        """Take in an entry. Of one that is known already a later record counts, and what was proven stays."""
        range_, made = self._read(contact)
        known = self._known.get(contact.key)
        if known is not None:
            known.proven = known.proven or proven
            if made > known.made:
                known.contact, known.range, known.made = contact, range_, made
            return
        self._known[contact.key] = Known(contact, range_, made, proven, failures)
        if len(self._known) > self._size_max:
            self._lose_one()

    def _lose_one(self) -> None:
        entries = list(self._known.values())
        unproven = [each for each in entries if not each.proven]
        pool = unproven if 2 * len(unproven) >= len(entries) else entries
        crowded = most_crowded(each.range for each in pool)
        del self._known[one_of(self._chance, [each.contact.key for each in pool if each.range in crowded])]

    def sample(self, count: int, leave_out: Collection[bytes] = ()) -> list[Contact]:
        pool = [each.contact for key, each in self._known.items() if key not in leave_out]
        return some_of(self._chance, pool, count)

    def candidate(self, now_ms: int, leave_out: Collection[bytes], ranges: Collection[bytes]) -> Known | None:
        """Whom to ask next: a range by chance, then one of it; of ranges other than these where there are such."""
        by_range: dict[bytes, list[Known]] = {}
        for key, each in self._known.items():
            if each.retry_ms <= now_ms and key not in leave_out:
                by_range.setdefault(each.range, []).append(each)
        if not by_range:
            return None
        fresh = [each for each in by_range if each not in ranges] or list(by_range)
        return one_of(self._chance, by_range[one_of(self._chance, fresh)])

    def failed(self, key: bytes, now_ms: int, *, keep: bool) -> None:
        """It was not reached. `keep`: do not forget it, since it may be this node that cannot reach anybody."""
        known = self._known.get(key)
        if known is None:
            return
        known.failures += 1
        if not keep and known.failures >= (FAILURES_MAX if known.proven else 1):
            del self._known[key]
        else:
            self.later(key, now_ms)

    def later(self, key: bytes, now_ms: int) -> None:
        known = self._known.get(key)
        if known is not None:
            known.retry_ms = now_ms + (RETRY_MS << min(known.failures, RETRY_DOUBLINGS_MAX))

    def next_retry(self, leave_out: Collection[bytes]) -> int | None:
        """When one of the others may be asked."""
        return min((each.retry_ms for key, each in self._known.items() if key not in leave_out), default=None)
