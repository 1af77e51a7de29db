"""How much of a thing is taken at each moment, and by what: a tree over all moments at which anything begins or ends.

With 10,000 reservations of one thing each is looked at in a few dozen steps, so that nobody stops a node by asking often.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence


class Occupied:
    """Spans with amounts. Only moments that were named at the beginning may be given."""

    def __init__(self, moments: Iterable[int]) -> None:
        self._moments: Sequence[int] = sorted(set(moments))
        self._slots = max(len(self._moments) - 1, 1)
        size = 1 << (self._slots - 1).bit_length()
        self._most = [0] * (2 * size)  # within the node, less what lies on all of it and of those above
        self._on_all = [0] * (2 * size)
        self._spans: list[list[int] | None] = [None] * (2 * size)  # that take the node's whole time
        self._within = [0] * (2 * size)  # how many spans were put here or below
        self._size = size

    def put(self, span: int, begin: int, end: int, amount: int) -> None:
        """A span, by a number of its own: it takes so much from then until then."""
        self._add(1, 0, self._size, *self._between(begin, end), amount, span)

    def change(self, begin: int, end: int, amount: int) -> None:
        """So much more, or less, is taken from then until then."""
        self._add(1, 0, self._size, *self._between(begin, end), amount, None)

    def most(self, begin: int, end: int) -> int:
        """The most that is taken at any moment from then until then."""
        return self._most_of(1, 0, self._size, *self._between(begin, end))

    def spans(self, begin: int, end: int, wanted: Callable[[int], bool], limit: int) -> list[int]:
        """The numbers of spans that take some of that time and are wanted: ascending, `limit` of them at most."""
        found: set[int] = set()
        self._collect(1, 0, self._size, *self._between(begin, end), wanted, limit, found)
        return sorted(found)

    def _between(self, begin: int, end: int) -> tuple[int, int]:
        return bisect_left(self._moments, begin), bisect_left(self._moments, end)

    def _add(
        self, node: int, low: int, high: int, first: int, last: int, amount: int, span: int | None
    ) -> None:
        if span is not None:
            self._within[node] += 1
        if first <= low and high <= last:
            self._on_all[node] += amount
            if span is not None:
                spans = self._spans[node]
                if spans is None:
                    self._spans[node] = [span]
                else:
                    spans.append(span)
            return
        middle, left = (low + high) // 2, 2 * node
        if first < middle:
            self._add(left, low, middle, first, last, amount, span)
        if last > middle:
            self._add(left + 1, middle, high, first, last, amount, span)
        self._most[node] = max(
            self._most[left] + self._on_all[left], self._most[left + 1] + self._on_all[left + 1]
        )

    def _most_of(self, node: int, low: int, high: int, first: int, last: int) -> int:
        if first <= low and high <= last:
            return self._most[node] + self._on_all[node]
        middle, found = (low + high) // 2, 0
        if first < middle:
            found = self._most_of(2 * node, low, middle, first, last)
        if last > middle:
            found = max(found, self._most_of(2 * node + 1, middle, high, first, last))
        return found + self._on_all[node]

    def _collect(
        self,
        node: int,
        low: int,
        high: int,
        first: int,
        last: int,
        wanted: Callable[[int], bool],
        limit: int,
        found: set[int],
    ) -> None:
        for span in self._spans[node] or ():
            if len(found) >= limit:
                return
            if wanted(span):
                found.add(span)
        if high - low == 1 or not self._within[node] or len(found) >= limit:
            return
        middle = (low + high) // 2
        if first < middle:
            self._collect(2 * node, low, middle, first, last, wanted, limit, found)
        if last > middle:
            self._collect(2 * node + 1, middle, high, first, last, wanted, limit, found)


class Overlapping:
    """Counts how many of some spans overlap another one."""

    def __init__(self, moments: Iterable[int]) -> None:
        self._moments: Sequence[int] = sorted(set(moments))
        self._begun = [0] * (len(self._moments) + 1)
        self._ended = [0] * (len(self._moments) + 1)

    def add(self, begin: int, end: int) -> None:
        for counts, moment in ((self._begun, begin), (self._ended, end)):
            at = bisect_left(self._moments, moment) + 1
            while at < len(counts):
                counts[at] += 1
                at += at & -at

    def count(self, begin: int, end: int) -> int:
        """Of those added: which begin before its end, less those that end no later than it begins."""
        return self._until(self._begun, bisect_left(self._moments, end)) - self._until(
            self._ended, bisect_left(self._moments, begin) + 1
        )

    @staticmethod
    def _until(counts: Sequence[int], at: int) -> int:
        found = 0
        while at > 0:
            found += counts[at]
            at -= at & -at
        return found
