"""Where things are, as numbers that sort: what is near lies together in table `places`, and shares words in table `search`.

The earth is cut into cells, 16,384 each way: 1.2 km from south to north, at most 2.4 km from west to east. Interleaving
the bits of row and column (Morton order) keeps neighbours together; the number of the record makes a key of it. What has
no place comes after all cells. The search index has a word for the fine region that a thing is in, another for the
coarse one, and a third for what has no place: so that words and place together are one question to it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

CELL_BITS = 14  # each way
NO_BITS = 28
NO_MAX = (1 << NO_BITS) - 1  # the greatest record number that a key has room for
CELLS = 1 << CELL_BITS
NOWHERE = 1 << (2 * CELL_BITS + NO_BITS)  # the first key of what has no place
LAT_MAX, LON_MAX = 900_000_000, 1_800_000_000  # 1e-7 degrees
FINE_BITS, COARSE_BITS = 9, 6  # each way: 39 by 78 km, 313 by 626 km at most
REGIONS_CACHED = 1_024
REGIONS_MAX = 24  # words that stand for a place in one query
# Characters for private use: letters to the tokenizer, and nobody types them.
FINE_MARK, COARSE_MARK, PLACELESS_WORD = "\ue000", "\ue001", "\ue002"

Range: TypeAlias = tuple[int, int]  # keys, both included
Box: TypeAlias = tuple[int, int, int, int]  # south, west, north, east in 1e-7 degrees; west <= east

_SPREAD = tuple(sum((n >> bit & 1) << 2 * bit for bit in range(7)) for n in range(128))


def is_place(lat: int | None, lon: int | None) -> bool:
    """Whether this is somewhere on the earth."""
    return lat is not None and lon is not None and abs(lat) <= LAT_MAX and abs(lon) <= LON_MAX


def key_of(lat: int | None, lon: int | None, no: int) -> int:
    """The key of record number `no` at this place, or without one."""
    if lat is None or lon is None or abs(lat) > LAT_MAX or abs(lon) > LON_MAX:
        return NOWHERE | no
    # As _morton(_column(lon), _row(lat)), written out: it is done for every record.
    x, y = (lon + LON_MAX) * CELLS // (2 * LON_MAX), (lat + LAT_MAX) * CELLS // (2 * LAT_MAX)
    x, y = x if x < CELLS else CELLS - 1, y if y < CELLS else CELLS - 1
    spread = _SPREAD
    cell = spread[x & 127] | spread[x >> 7] << 14 | spread[y & 127] << 1 | spread[y >> 7] << 15
    return cell << NO_BITS | no


def no_of(key: int) -> int:
    """The record number in a key."""
    return key & NO_MAX


def words_of(key: int) -> str:
    """What the search index says of where a thing is."""
    return PLACELESS_WORD if key >= NOWHERE else _region_words(key >> NO_BITS + 2 * (CELL_BITS - FINE_BITS))


@lru_cache(maxsize=REGIONS_CACHED)
def _region_words(fine: int) -> str:
    return f"{FINE_MARK}{fine:x} {COARSE_MARK}{fine >> 2 * (FINE_BITS - COARSE_BITS):x}"


def words_for(boxes: Sequence[Box]) -> list[str] | None:
    """The words of which all things in these boxes have one, as do others; None where so many are none."""
    for bits, mark in ((FINE_BITS, FINE_MARK), (COARSE_BITS, COARSE_MARK)):
        squares = [_squares(box, CELL_BITS - bits) for box in boxes]
        if sum(len(columns) * len(rows) for columns, rows in squares) <= REGIONS_MAX:
            regions = {_morton(x, y) for columns, rows in squares for x in columns for y in rows}
            return [f"{mark}{region:x}" for region in sorted(regions)]
    return None


def cell_of(lat: int, lon: int) -> Range:
    """The keys of the cell that a place is in."""
    low = _morton(_column(lon), _row(lat)) << NO_BITS
    return low, low | NO_MAX


def cover(boxes: Sequence[Box], ranges_max: int) -> list[Range]:
    """Ranges of keys, ascending and apart, in which all places of these boxes are; others, too, where few ranges may be."""
    wanted = [(_column(west), _row(south), _column(east), _row(north)) for south, west, north, east in boxes]
    whole: list[Range] = []
    partly = [_enclosing(*wanted[0]) if len(wanted) == 1 else (0, 0, CELL_BITS)]
    while partly and partly[0][2] > 0 and len(whole) + 4 * len(partly) <= 4 * ranges_max + 16:
        finer = []
        for x, y, level in partly:
            half = 1 << level - 1
            for left, low in ((x, y), (x + half, y), (x, y + half), (x + half, y + half)):
                right, top = left + half - 1, low + half - 1
                touched = inside = False
                for x0, y0, x1, y1 in wanted:
                    if left <= x1 and right >= x0 and low <= y1 and top >= y0:
                        touched = True
                        inside = inside or (x0 <= left and right <= x1 and y0 <= low and top <= y1)
                if inside:
                    whole.append(_square(left, low, level - 1))
                elif touched:
                    finer.append((left, low, level - 1))
        partly = finer
    return _joined(sorted(whole + [_square(*square) for square in partly]), ranges_max)


def split(
    boxes: Sequence[Box], is_inside: Callable[[Box], bool], squares_max: int
) -> tuple[list[Range], list[Range]]:
    """Ranges in which all places of these boxes are: first those all of which is inside, then the others."""
    whole: list[Range] = []
    partly = [(0, 0, CELL_BITS)]
    while partly and len(partly) <= squares_max and partly[0][2] > 0:
        finer = []
        for x, y, level in partly:
            half = 1 << level - 1
            for left, low in ((x, y), (x + half, y), (x, y + half), (x + half, y + half)):
                square = (left, low, level - 1)
                around = _around(*square)
                if not common(boxes, [around]):
                    continue
                if is_inside(around):
                    whole.append(_square(*square))
                else:
                    finer.append(square)
        partly = finer
    rest = sorted(_square(*square) for square in partly)
    return _joined(sorted(whole), len(whole) + 1), _joined(rest, len(rest) + 1)


def _around(x: int, y: int, level: int) -> Box:
    """A box that holds all of a square, and hardly more."""
    size = 1 << level
    return (
        max(y * 2 * LAT_MAX // CELLS - LAT_MAX, -LAT_MAX),
        max(x * 2 * LON_MAX // CELLS - LON_MAX, -LON_MAX),
        min((y + size) * 2 * LAT_MAX // CELLS + 1 - LAT_MAX, LAT_MAX),
        min((x + size) * 2 * LON_MAX // CELLS + 1 - LON_MAX, LON_MAX),
    )


def common(some: Sequence[Box], others: Sequence[Box]) -> list[Box]:
    """What is in one of some boxes and in one of others, too."""
    found = []
    for south, west, north, east in some:
        for low, left, high, right in others:
            box = (max(south, low), max(west, left), min(north, high), min(east, right))
            if box[0] <= box[2] and box[1] <= box[3]:
                found.append(box)
    return found


def _squares(box: Box, shift: int) -> tuple[range, range]:
    south, west, north, east = box
    return (
        range(_column(west) >> shift, (_column(east) >> shift) + 1),
        range(_row(south) >> shift, (_row(north) >> shift) + 1),
    )


def _enclosing(x0: int, y0: int, x1: int, y1: int) -> tuple[int, int, int]:
    """The smallest square of Morton order that holds these columns and rows."""
    level = (x0 ^ x1 | y0 ^ y1).bit_length()
    return x0 >> level << level, y0 >> level << level, level


def _square(x: int, y: int, level: int) -> Range:
    first = _morton(x, y)
    return first << NO_BITS, ((first + (1 << 2 * level)) << NO_BITS) - 1


def _joined(ranges: list[Range], ranges_max: int) -> list[Range]:
    """The same with what touches as one, and with the narrowest gaps closed until there are few enough."""
    gaps = sorted((ranges[n + 1][0] - ranges[n][1] for n in range(len(ranges) - 1)), reverse=True)
    widest = max(gaps[ranges_max - 1], 1) if len(gaps) >= ranges_max else 1
    found: list[Range] = []
    for low, high in ranges:
        if found and low - found[-1][1] <= widest:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def _column(lon: int) -> int:
    return min(max((lon + LON_MAX) * CELLS // (2 * LON_MAX), 0), CELLS - 1)


def _row(lat: int) -> int:
    return min(max((lat + LAT_MAX) * CELLS // (2 * LAT_MAX), 0), CELLS - 1)


def _morton(x: int, y: int) -> int:
    return _SPREAD[x & 127] | _SPREAD[x >> 7] << 14 | (_SPREAD[y & 127] | _SPREAD[y >> 7] << 14) << 1
