"""Text files with one row a line: find the separator and the quoting, and read rows with their line numbers.

RFC 4180, and what is about: other separators, CR or LF line ends, backslash before quotes, blanks before quotes, quotes that
are never closed.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from commonsnode.tables.encoding import Encoding
from commonsnode.tables.model import CELL_BYTES_MAX, COLUMNS_MAX, Rejected, TableError

SAMPLE_CHARS = 65_536
SAMPLE_ROWS = 100
PARSE_CHARS_MAX = 1 << 20  # a quoted cell longer than this was never closed
NOT_CLOSED = "a quoted cell begins in this line and is not closed properly"
NO_SEPARATOR = "\x1f"

WEIGHTS = {"\t": 1.04, ";": 1.03, "|": 0.98, "^": 0.95, ",": 1.0, ":": 0.45}
"""How much we believe a separator that divides the lines evenly: a colon or comma is in many a text, a tab in none."""

SEPARATOR_NAMES = {"\t": "tab", ";": "semicolon", "|": "pipe", "^": "caret", ",": "comma", ":": "colon"}

_SEP_LINE = re.compile(r'"?sep=(.)"?[\r\n]+', re.IGNORECASE)
_BACKSLASH_QUOTE = re.compile(r'(?<!\\)((?:\\\\)*)\\"')


@dataclass(frozen=True, slots=True)
class Form:
    """How the rows are written. skip_lines: before the table, as Excel's `sep=;`."""

    separator: str
    backslash: bool = False
    blanks_before_quotes: bool = False
    skip_lines: int = 0


def sample_text(data: bytes, encoding: Encoding) -> str:
    """The beginning of the text, up to a line end."""
    with io.TextIOWrapper(io.BytesIO(data), encoding.codec, errors=encoding.errors, newline="") as text:
        sample = text.read(SAMPLE_CHARS)
        if not text.read(1):
            return sample
    end = max(sample.rfind("\n"), sample.rfind("\r"))
    return sample[: end + 1] if end > 0 else sample


def find_form(sample: str, suffix: str) -> Form:
    """How a text is divided into cells. suffix: of the file's name, in lower case (`.tsv` says something)."""
    told = _SEP_LINE.match(sample)
    if told:
        return _quoting(sample[told.end() :], told[1], skip_lines=1)
    best, best_score = NO_SEPARATOR, 0.34
    for separator, weight in WEIGHTS.items():
        score = _evenness(sample, separator) * weight
        if separator == "\t" and suffix in (".tsv", ".tab"):
            score *= 2
        if score > best_score:
            best, best_score = separator, score
    return _quoting(sample, best, skip_lines=0)


def _evenness(sample: str, separator: str) -> float:
    """How evenly a separator divides the lines: the share with the usual number of cells, and more for many cells."""
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, skipinitialspace=True)
    widths: Counter[int] = Counter()
    try:
        for row in rows:
            if len(row) > 1 or any(row):
                widths[len(row)] += 1
            if widths.total() >= SAMPLE_ROWS:
                break
    except csv.Error:
        return 0.0
    several = {width: times for width, times in widths.items() if width > 1}
    if not several:
        return 0.0
    usual = max(several, key=lambda width: (several[width], width))
    mark = re.escape(separator)
    quoted = len(re.findall(rf'"{mark}"|"{mark}\d|\d{mark}"', sample))
    bonus = 0.2 if quoted >= widths.total() else 0.0
    return several[usual] / widths.total() + min(0.3, 0.02 * (usual - 2)) + bonus


def _quoting(sample: str, separator: str, skip_lines: int) -> Form:
    mark = re.escape(separator)
    ends = rf"(?=\s*(?:{mark}|[\r\n]|$))"
    backslash = re.search(rf'(?<!\\)\\"(?!"|\s*(?:{mark}|[\r\n]|$))', sample) or re.search(
        rf'(?:^|{mark})"[^"\r\n]*[^"\\\r\n]\\""{ends}', sample, re.MULTILINE
    )
    blanks = re.search(rf'(?:^|{mark}|\n) +"[^"]*"{ends}', sample)
    return Form(separator, backslash is not None, blanks is not None, skip_lines)


def read_records(data: bytes, encoding: Encoding, form: Form) -> Iterator[tuple[int, list[str]] | Rejected]:
    """The rows of a text, each with the line (1-based) where it begins; empty lines are left out.

    A quoted cell that is not closed costs the row that it begins in, not those after it.
    """
    with io.TextIOWrapper(io.BytesIO(data), encoding.codec, errors=encoding.errors, newline="") as text:
        limit = csv.field_size_limit(PARSE_CHARS_MAX)  # the default is the whole process's: put it back
        try:
            yield from _Records(text, form).read()
        except UnicodeDecodeError as error:
            raise TableError(f"cannot be read as {encoding.name} (byte {error.start})") from None
        finally:
            csv.field_size_limit(limit)


class _Records:
    def __init__(self, text: Iterator[str], form: Form) -> None:
        self.text = text
        self.form = form
        self.held: list[str] = []  # the lines of the row being read
        self.again: list[str] = []  # lines to be read anew, the last first
        self.line = 1 + form.skip_lines
        for _ in range(form.skip_lines):
            next(self.text, None)

    def lines(self) -> Iterator[str]:
        held, backslash = self.held, self.form.backslash
        while self.again:
            line = self.again.pop()
            held.append(line)
            yield line
        for line in self.text:
            if backslash and '\\"' in line:
                line = _BACKSLASH_QUOTE.sub(r'\1""', line)
            held.append(line)
            yield line

    def read(self) -> Iterator[tuple[int, list[str]] | Rejected]:
        while True:
            reader = self.reader(self.lines(), strict=False)
            broken = ""
            try:
                for cells in reader:
                    if len(self.held) > 1 and not self.closes():
                        broken = NOT_CLOSED
                        break
                    if len(cells) > COLUMNS_MAX:
                        raise TableError(f"line {self.line} has more than {COLUMNS_MAX} columns")
                    if cells:
                        yield self.line, cells
                    self.line += len(self.held)
                    self.held.clear()
            except csv.Error:  # more than PARSE_CHARS_MAX in one cell
                broken = NOT_CLOSED if len(self.held) > 1 else f"a cell is larger than {CELL_BYTES_MAX} bytes"
            if not broken:
                return
            yield Rejected(self.line, broken)
            self.again.extend(reversed(self.held[1:]))
            self.held.clear()
            self.line += 1

    def reader(self, lines: Iterator[str], strict: bool) -> "Iterator[list[str]]":
        return csv.reader(
            lines,
            delimiter=self.form.separator,
            skipinitialspace=self.form.blanks_before_quotes,
            strict=strict,
        )

    def closes(self) -> bool:
        """Whether the quotes of a row of several lines are well-formed."""
        try:
            return len(list(self.reader(iter(self.held), strict=True))) == 1
        except csv.Error:
            return False
