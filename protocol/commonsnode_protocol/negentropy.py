"""Find out in few bytes which of two sets lacks what: Negentropy protocol v1.  SPEC.md, "Reconciliation".

A message cuts the whole order of (time, id) into ranges and says of each: nothing (skip), a fingerprint of
what the sender holds in it, or the ids that it holds. A fingerprint that is not ours is answered by finer
ones or by our ids; ids are answered by ours; where the initiator has seen the responder's ids, that range
is settled. The initiator has finished when it has nothing more to say.

The format is the published one, byte for byte. Where to cut is free, and ours: see below.

Source: Doug Hoyte, docs/negentropy-protocol-v1.md in github.com/hoytech/negentropy, and "Range-Based Set
Reconciliation", logperiodic.com/rbsr.html.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Protocol

from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import TIME_MS_MAX
from commonsnode_protocol.negentropy_wire import (
    FINGERPRINT_BYTES,
    FRAME_MAX,
    ID_BYTES,
    INFINITY,
    VERSION,
    ZERO,
    Bound,
    Mode,
    Range,
    Writer,
    decode,
    encode_varint,
    version,
)

Item = tuple[int, bytes]  # time in ms, id of 32 bytes

_WINDOW_PER_RANGE = 200  # so many items are fetched by one call sooner than sought and summed by two
_WINDOW_MAX = 12_800  # items fetched at once: 2 MB
_RUN_MAX = _WINDOW_MAX // _WINDOW_PER_RANGE  # ranges looked at together


# --- What we hold -------------------------------------------------------------------------------------------


class Storage(Protocol):
    """A set of items in ascending order, that does not change during one call of the functions below.

    Indexes lie within 0 and size(), and begin <= end. Ranges are mostly asked about in ascending order,
    with at most two places in use at a time: the beginning and the end of a range.
    """

    def size(self) -> int: ...

    def item(self, index: int) -> Item: ...

    def lower_bound(self, time: int, id_prefix: bytes) -> int:
        """The index of the first item not less than (time, id_prefix). time: at most TIME_MS_MAX."""
        ...

    def items(self, begin: int, end: int) -> Sequence[Item]: ...

    def id_sum(self, begin: int, end: int) -> int:
        """The sum mod 2**256 of the ids from begin to before end, as little-endian integers."""
        ...


class _Items:
    """Neighbouring items of a set, in memory, that answer for their part of it."""

    def __init__(self, items: Sequence[Item], begin: int = 0) -> None:
        self._items = items
        self._begin = begin  # the index of the first
        self._sums = list(accumulate((int.from_bytes(id_, "little") for _, id_ in items), initial=0))

    def size(self) -> int:
        return self._begin + len(self._items)

    def item(self, index: int) -> Item:
        return self._items[index - self._begin]

    def lower_bound(self, time: int, id_prefix: bytes) -> int:
        return self._begin + bisect_left(self._items, (time, id_prefix))

    def items(self, begin: int, end: int) -> Sequence[Item]:
        return self._items[begin - self._begin : end - self._begin]

    def id_sum(self, begin: int, end: int) -> int:
        return (self._sums[end - self._begin] - self._sums[begin - self._begin]) % 2**256


class VectorStorage(_Items):
    """A set held in memory, for small sets, tests and simulations. About 250 bytes an item."""

    def __init__(self, items: Iterable[Item]) -> None:
        """items: in any order. Raises ValueError if an id comes twice, or a time or id is out of range."""
        ascending = sorted(items)
        for time, id_ in ascending:
            if not 0 <= time <= TIME_MS_MAX or len(id_) != ID_BYTES:
                raise ValueError(f"no item: time {time}, id of {len(id_)} bytes")
        if len({id_ for _, id_ in ascending}) != len(ascending):
            raise ValueError("an id comes twice")
        super().__init__(ascending)


def fingerprint(id_sum: int, count: int) -> bytes:
    """16 bytes for `count` ids of this sum mod 2**256. Whoever may choose ids can forge it: see lthash.py."""
    summed = id_sum.to_bytes(ID_BYTES, "little") + encode_varint(count)
    return hashlib.sha256(summed).digest()[:FINGERPRINT_BYTES]


# --- The three steps ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """What the initiator has learnt from one message, and what it says to it.

    Where messages were full, ids that an earlier step named may be named again.
    """

    reply: bytes | None  # None: finished
    have: list[bytes]  # ids that the responder lacks
    need: list[
        bytes
    ]  # ids that the initiator lacks in that range; a liar may name some that it has elsewhere


def initiate(storage: Storage, frame_max: int = FRAME_MAX) -> bytes:
    """The initiator's first message: a fingerprint of the older half, of the older half of the rest, ….

    About 20 bytes for each doubling of the set: 340 for 100,000 items, 7 for none.
    """
    everything = _Part(ZERO, INFINITY, 0, storage.size())
    return _write(storage, [(everything, storage, _lean_cuts(storage, everything))], frame_max)


def list_ids(storage: Storage, begin: int) -> tuple[bytes, int | None]:
    """The initiator's message that names its items from `begin` on, and where the next such message begins.

    For sets whose fingerprints are equal though something else tells that they are not (rule 28): sums of ids can be
    forged, ids cannot. What lies before is skipped; the last message reaches to infinity, and nothing comes after it.
    """
    size = storage.size()
    end = min(begin + _LISTED_AT_ONCE, size)
    first = max(begin - 1, 0)
    view = _Items(storage.items(first, min(end + 1, size)), first)
    writer = Writer(FRAME_MAX)
    writer.skip_to(_bound_before(view, begin) if begin else ZERO)
    bound = INFINITY if end == size else _bound_before(view, end)
    writer.ids(bound, [id_ for _, id_ in view.items(begin, end)])
    return writer.message(), None if end == size else end


def respond(storage: Storage, message: bytes, frame_max: int = FRAME_MAX) -> bytes:
    """The responder's answer to any message, at most `frame_max` bytes long (FRAME_MIN to FRAME_MAX).

    A message of another protocol version is answered by one byte: the version that we speak.
    Raises PeerError (`bad-frame`, `too-large`) at a message not of the form.
    """
    if version(message) != VERSION:
        return bytes([VERSION])
    parts = _compare(storage, decode(message))
    return _write(storage, _responder_plan(storage, parts), frame_max)


def reconcile(storage: Storage, message: bytes, frame_max: int = FRAME_MAX) -> Step:
    """The initiator's step: what the responder's message settles, and the next, of at most `frame_max` bytes.

    Every message of an honest responder settles or cuts finer the first range that is still open, so this
    ends: mostly after one to four round trips, and about three more for each full frame. A hostile
    responder can go on for ever, by answering ids with fingerprints, so the session must bound the rounds.
    A message costs at most a few calls of the storage for each of its ranges, and each item fetched twice.
    Raises PeerError (`bad-version`, `bad-frame`, `too-large`).
    """
    if (theirs := version(message)) != VERSION:
        raise PeerError(Reason.BAD_VERSION, f"negentropy version byte {theirs:#04x}")
    have: list[bytes] = []
    need: list[bytes] = []
    parts = _compare(storage, decode(message))
    for part in parts:
        if part.theirs is not None:
            ours = [id_ for _, id_ in storage.items(part.lower, part.upper)]
            have += _without(ours, part.theirs)
            need += _without(part.theirs, ours)
    reply = _write(storage, _initiator_plan(storage, parts), frame_max)
    return Step(reply if len(reply) > 1 else None, have, need)


def _without(ids: Sequence[bytes], others: Sequence[bytes]) -> list[bytes]:
    known = frozenset(others)
    return [id_ for id_ in ids if id_ not in known]


# --- Where to cut -------------------------------------------------------------------------------------------
#
# What differs is mostly new. So a stretch that reaches our newest item is cut in halves, quarters, eighths
# … toward it, and what comes after it is asked for with an empty list: new items on one side cost one round
# trip.
#
# Elsewhere ranges are cut evenly, down a ladder of sizes. Its steps are such that up to some hundred
# differences scattered over 100,000 items are found in three round trips. At its end the responder lists
# what it holds, since that settles the range; the initiator, who needs an answer whatever it says, cuts
# once more: five fingerprints cost less than ten ids.

_LADDER = (2, 10, 60, 600, 10_000)  # items in a range after each cut
_LADDER_FOR_RESPONDER = _LADDER[1:]
_FAN_MIN = 3  # a cut makes at least so many ranges, if the ladder has a step for it
_FAN_MAX = 256  # and at most so many
_SPREAD = 4  # ranges for each difference expected
_NEWEST = 8  # halving ends at so many items
_LISTED_AT_ONCE = 4_096  # in a message that only lists: half a frame, so that the answer has room for more
_LIST_MAX = 16  # the responder lists a range that holds so many of its items
_LIST_NEWEST_MAX = 256  # and all together in ranges that differ from here to the newest item


@dataclass(frozen=True, slots=True)
class _Cut:
    """A range of an answer: from the cut before, up to here."""

    upper: int  # the index of the first item that is not in the range
    bound: Bound | None  # None: just below that item
    listed: bool  # say ids, not a fingerprint


_Plan = Iterable[tuple["_Part", Storage, Iterable[_Cut]]]


def _responder_plan(storage: Storage, parts: Sequence["_Part"]) -> _Plan:
    """The responder: list ranges of few items, and what is new; cut the others."""
    size = storage.size()
    listed_from = _newest_to_list(parts)
    for index, (part, range_size) in enumerate(zip(parts, _range_sizes(parts), strict=True)):
        if not part.differs:
            continue
        if part.theirs is not None or part.count <= _LIST_MAX or index >= listed_from:
            yield part, storage, [_Cut(part.upper, part.bound, listed=True)]
        elif part.upper == size:
            yield part, storage, _lean_cuts(storage, part)
        else:
            yield _even_cuts(storage, part, _LADDER_FOR_RESPONDER, range_size)


def _initiator_plan(storage: Storage, parts: Sequence["_Part"]) -> _Plan:
    """The initiator: cut whatever can be cut, since the answer to a list would be a list as well."""
    size = storage.size()
    for part, range_size in zip(parts, _range_sizes(parts), strict=True):
        if not part.differs or part.theirs is not None:
            continue
        if part.count <= 1:
            yield part, storage, [_Cut(part.upper, part.bound, listed=True)]
        elif part.upper == size and part.count > _LIST_MAX:
            yield part, storage, _lean_cuts(storage, part)
        else:
            yield _even_cuts(storage, part, _LADDER, range_size)


def _lean_cuts(storage: Storage, part: "_Part") -> Iterator[_Cut]:
    """Halves, quarters, eighths … toward our newest item, and an empty list after it."""
    cut = part.lower
    while part.upper - cut > _NEWEST:
        cut += (part.upper - cut + 1) // 2
        yield _Cut(cut, None, listed=False)
    if part.count:
        after_newest = (storage.item(part.upper - 1)[0] + 1, b"")
        if after_newest >= part.bound:
            yield _Cut(part.upper, part.bound, listed=False)
            return
        yield _Cut(part.upper, after_newest, listed=False)
    yield _Cut(part.upper, part.bound, listed=True)


def _even_cuts(
    storage: Storage, part: "_Part", ladder: Sequence[int], range_size: int
) -> tuple["_Part", Storage, list[_Cut]]:
    """At least two ranges of `range_size` items each, or of the ladder's next step if that is less."""
    count = part.count
    step = next((step for step in reversed(ladder) if step * _FAN_MIN <= count), ladder[0])
    ranges = min(max(2, -(-count // min(step, max(range_size, ladder[0])))), _FAN_MAX, count)
    cuts = [_Cut(part.lower + count * number // ranges, None, listed=False) for number in range(1, ranges)]
    cuts.append(_Cut(part.upper, part.bound, listed=False))
    return part, _view(storage, part.lower, part.upper, ranges), cuts


def _range_sizes(parts: Sequence["_Part"]) -> list[int]:
    """For each part, how many items a range of it should have, as far as the other parts tell.

    Differences scattered evenly touch the halves, quarters, eighths … of a first message down to the one that
    holds about one. So each further one that differs doubles the number we expect in the first.
    """
    sizes: list[int] = []
    chain_end = 0
    for index, part in enumerate(parts):
        if index < chain_end:
            sizes.append(sizes[-1])
            continue
        chain_end = index + 1
        while chain_end < len(parts) and parts[chain_end].halves(parts[chain_end - 1]):
            chain_end += 1
        expected = 2 ** min(chain_end - index, 8)
        sizes.append(part.count // min(expected * _SPREAD, _FAN_MAX // 2))
    return sizes


def _newest_to_list(parts: Sequence["_Part"]) -> int:
    """The index of the first part of those that differ without a gap up to the newest, and are small.

    Where they have something newer than all of ours, ours may be known to them, and nothing is listed.
    """
    total = 0
    bound = INFINITY
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        total += part.count
        if part.count == 0 and part.differs and part.theirs is None:
            return len(parts)
        agreed = part.count > 0 and not part.differs  # what is empty on both sides makes no gap
        if agreed or part.bound != bound or total > _LIST_NEWEST_MAX:
            return index + 1
        bound = part.start
    return 0


# --- Comparing a message with what we hold ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A range of the other side, beside what we hold in it."""

    start: Bound
    bound: Bound
    lower: int  # our items in it: from lower to before upper
    upper: int
    theirs: tuple[bytes, ...] | None = None  # the ids they listed
    differs: bool = True  # from what they said

    @property
    def count(self) -> int:
        return self.upper - self.lower

    def halves(self, older: "_Part") -> bool:
        """Both differ, and this one comes next, with about half as many items, as in a first message."""
        return (
            self.differs
            and older.differs
            and older.bound == self.start
            and 0 < self.count <= older.count * 3 // 4
        )


def _compare(storage: Storage, ranges: Sequence[Range]) -> list[_Part]:
    """Our side of all ranges that are not skipped."""
    parts: list[_Part] = []
    start = ZERO
    for skipped, neighbours in groupby(ranges, key=lambda range_: range_.mode == Mode.SKIP):
        run = list(neighbours)
        if not skipped:
            lower = _index(storage, start)
            for first in range(0, len(run), _RUN_MAX):
                parts += _compare_run(storage, start, lower, run[first : first + _RUN_MAX])
                start, lower = parts[-1].bound, parts[-1].upper
        start = run[-1].bound
    return parts


def _compare_run(storage: Storage, start: Bound, lower: int, run: Sequence[Range]) -> Iterator[_Part]:
    """Ranges without gap, the first of which begins at `start`, where our item `lower` is."""
    end = _index(storage, run[-1].bound)
    view = _view(storage, lower, end, len(run))
    for range_ in run:
        upper = end if range_ is run[-1] else _index(view, range_.bound)
        if range_.mode == Mode.IDS:
            differs = upper - lower != len(range_.ids) or set(range_.ids) != {
                id_ for _, id_ in view.items(lower, upper)
            }
            yield _Part(start, range_.bound, lower, upper, range_.ids, differs)
        else:
            differs = _fingerprint_between(view, lower, upper) != range_.fingerprint
            yield _Part(start, range_.bound, lower, upper, None, differs)
        lower, start = upper, range_.bound


def _view(storage: Storage, begin: int, end: int, ranges: int) -> Storage:
    """These items, fetched by one call where that is less work than to find and sum so many ranges."""
    if end - begin <= min(_WINDOW_PER_RANGE * ranges, _WINDOW_MAX):
        return _Items(storage.items(begin, end), begin)
    return storage


def _index(view: Storage, bound: Bound) -> int:
    if bound == ZERO:
        return 0
    return view.lower_bound(*bound) if bound[0] <= TIME_MS_MAX else view.size()


def _fingerprint_between(view: Storage, lower: int, upper: int) -> bytes:
    return fingerprint(view.id_sum(lower, upper) if lower < upper else 0, upper - lower)


def _bound_before(view: Storage, index: int) -> Bound:
    """The shortest bound between the item at `index` and the one before it."""
    (time_before, id_before), (time, id_) = view.items(index - 1, index + 1)
    if time_before != time:
        return time, b""
    shared = next(at for at in range(ID_BYTES) if id_[at] != id_before[at])
    return time, id_[: shared + 1]


# --- Saying it ----------------------------------------------------------------------------------------------


def _write(storage: Storage, plan: _Plan, frame_max: int) -> bytes:
    """The message that says what was planned. A full one ends with a fingerprint of all that remains."""
    writer = Writer(frame_max)
    for part, view, cuts in plan:
        writer.skip_to(part.start)
        lower = part.lower
        for cut in cuts:
            fits = min(cut.upper, lower + writer.ids_room()) if cut.listed else cut.upper
            if not writer.has_room() or lower == fits < cut.upper:
                return _close(storage, writer, lower)
            if cut.listed:
                ids = [id_ for _, id_ in view.items(lower, fits)]
                writer.ids(_bound_of(view, cut, fits), ids)
            else:
                value = _fingerprint_between(view, lower, fits)
                writer.fingerprint(_bound_of(view, cut, fits), value)
            if fits < cut.upper:
                return _close(storage, writer, fits)
            lower = cut.upper
    return writer.message()


def _bound_of(view: Storage, cut: _Cut, upper: int) -> Bound:
    """Where the range that was to reach to the cut ends, when it reaches to our item `upper`."""
    return _bound_before(view, upper) if cut.bound is None or upper < cut.upper else cut.bound


def _close(storage: Storage, writer: Writer, lower: int) -> bytes:
    writer.fingerprint(INFINITY, _fingerprint_between(storage, lower, storage.size()))
    return writer.message()
