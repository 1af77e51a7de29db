"""Which row of a table holds the headings, if any: rows above it are skipped, and a first row that looks like data is data."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from commonsnode.tables import headings as words
from commonsnode.tables.numbers import is_number

ROWS_MAX = 100  # looked at
PREAMBLE_ROWS_MAX = 20  # above the headings
SENTENCE_CHARS = 30  # with a full stop at its end
PARAGRAPH_CHARS = 200
HEADING_CHARS_MAX = 80  # longer is rarely a heading
CONTRAST_SHARE = (
    0.8  # of the cells of a column that are numbers or dates: then a text above them is a heading
)

Numbered = tuple[int, list[str]]  # line, cells without blanks around them

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?:[T ].*)?|\d{1,2}:\d{2}(?::\d{2})?"
    r"|(?:[A-Z][a-z]+ \d{1,2},? \d{4})|(?:\d{1,2}\.? [A-Z][a-zäé]+ \d{4})"
)
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|[^@\s]+@[^@\s]+\.\w+")
_PAIR = re.compile(r"[\[(]?\s*[-+]?\d{1,3}\.\d+\s*[,;]\s*[-+]?\d{1,3}\.\d+\s*[\])]?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_IDENTIFIER = re.compile(r"[^\W\d]\w*_\w+|[a-z]|[a-z]+[A-Z]\w*")


@dataclass(frozen=True, slots=True)
class Header:
    """start: the index of the first row of data. headings: None where there are none. skipped: lines left out above."""

    start: int
    headings: list[str] | None
    skipped: tuple[int, ...] = ()


def is_typed(cell: str) -> bool:
    """Whether a cell is a number, date, time, URL, e-mail or pair of coordinates: never a heading."""
    return bool(is_number(cell) or _DATE.fullmatch(cell) or _ADDRESS.match(cell) or _PAIR.fullmatch(cell))


def find_header(rows: Sequence[Numbered]) -> Header:
    """rows: the first of the table that are not empty, at most ROWS_MAX are looked at."""
    rows = rows[:ROWS_MAX]
    comments = 0
    while comments < len(rows) - 1 and _is_comment(rows[comments][1], rows[comments + 1 :]):
        comments += 1
    commented = tuple(line for line, _ in rows[:comments])
    if comments == len(rows):
        return Header(comments, None, commented)
    candidate = comments + preamble(rows[comments:])
    if looks_like_headings(rows[candidate][1], [cells for _, cells in rows[candidate + 1 :]]):
        return Header(candidate + 1, rows[candidate][1], tuple(line for line, _ in rows[:candidate]))
    return Header(comments, None, commented)


def _is_comment(cells: list[str], below: Sequence[Numbered]) -> bool:
    first = cells[0] if cells else ""
    if (
        len(first) < 2
        or not first.startswith("#")
        or "#" in "".join(row[1][0] for row in below[-1:] if row[1])[:1]
    ):
        return False
    return filled(cells) == 1 or first.startswith("# ")


def filled(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell)


def preamble(rows: Sequence[Numbered]) -> int:
    """How many rows of titles and remarks lie above the first that is about as wide as the table."""
    counts = [filled(cells) for _, cells in rows]
    usual = sorted(counts)[len(counts) // 2]
    enough = 2 if usual >= 2 else 1
    if usual >= 4:
        enough = (usual + 1) // 2
    for index, count in enumerate(counts[:PREAMBLE_ROWS_MAX]):
        if count >= enough:
            return index
    return 0


def looks_like_headings(cells: list[str], below: Sequence[list[str]]) -> bool:
    """Weigh what speaks for headings (known words, another type than the column) and for data."""
    texts = [(i, cell) for i, cell in enumerate(cells) if cell]
    if not texts:
        return False
    typed = [cell for _, cell in texts if is_typed(cell)]
    years = sum(1 for cell in typed if _YEAR.fullmatch(cell))
    if len(typed) > years or (years and (years == len(texts) or years != len(set(typed)))):
        return len(typed) - years <= 0.1 * len(texts) and _known(texts) >= 0.6 * len(texts)
    known = contrast = 0.0
    against = 0.0
    folded_row = [words.fold(cell) for _, cell in texts]
    if len(texts) > 1:
        against += (len(folded_row) - len(set(folded_row))) * 0.5
    values = words.value_words("VALUE_WORDS")
    for index, cell in texts:
        column = [row[index] for row in below if index < len(row) and row[index]]
        recurs = cell in column and not _repeated_row(cells, below)
        sentence = len(cell) > SENTENCE_CHARS and (cell.endswith(".") or len(cell) > PARAGRAPH_CHARS)
        against += 1.0 * recurs + 1.0 * sentence + 1.0 * (words.fold(cell) in values)
        against += 0.4 * (len(cell) > HEADING_CHARS_MAX)
        if recurs or sentence:
            continue
        if _YEAR.fullmatch(cell):
            years_below = sum(1 for below_it in column if _YEAR.fullmatch(below_it))
            against += 1.0 * (2 * years_below > len(column))
            continue
        known += words.is_known(cell)
        if column and sum(map(is_typed, column)) >= CONTRAST_SHARE * len(column):
            contrast += 1
        elif _IDENTIFIER.fullmatch(cell):
            contrast += 0.5
    if not below:
        return len(texts) > 1 and known >= 0.6 * len(texts)
    if known + contrast == 0 and against == 0:
        return len(texts) > 1
    return known + contrast >= against


def _known(texts: Sequence[tuple[int, str]]) -> float:
    return sum(words.is_known(cell) for _, cell in texts)


def _repeated_row(cells: list[str], below: Sequence[list[str]]) -> bool:
    return any(row == cells for row in below)
