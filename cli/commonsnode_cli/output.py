"""What a command prints: one JSON document, or lines and tables for people.

Results go to stdout, talk to stderr. On a terminal Rich sets tables and colours (NO_COLOR and TERM are its to read); in a
pipe a table is plain lines with tabs between the cells, whole and without a heading, and Rich is never imported.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from commonsnode_cli.failures import ReaderGone, Refused

if TYPE_CHECKING:
    from rich.console import Console

# Control characters (C0, DEL, C1), line and paragraph separators, marks that turn the direction of text, lone
# surrogates: what a name could use to take over a terminal or to look like another name.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_HOSTILE_IN_JSON = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

Styled = str | tuple[str, str]  # a text, or a text and the Rich style it has on a terminal


def plain(text: str) -> str:
    """`text` on one line, with everything written out that a terminal would obey: `\\x1b`, `\\n`, `\\u202e`."""
    return _HOSTILE.sub(lambda match: _escape(ord(match[0])), text)


def document_text(document: Any) -> str:
    """JSON on one line, readable, and as safe on a terminal as in a program."""
    text = json.dumps(document, ensure_ascii=False)
    return _HOSTILE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def fail_line(text: str, items: Iterable[str] = ()) -> None:
    """The one line of a command that failed; below it the items, where there are any."""
    _write_error(f"commonsnode: {plain(text)}\n" + "".join(f"  {plain(item)}\n" for item in items))


def _escape(code: int) -> str:
    named = {9: "\\t", 10: "\\n", 13: "\\r"}
    return named.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


class Output:
    """The two streams of one command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.terminal = sys.stdout.isatty()
        self._console: Console | None = None

    def document(self, document: Any) -> None:
        """The result for a program: exactly one JSON document."""
        self.raw(document_text(document).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        """Bytes of a result, as they are."""
        with _stdout_may_fail():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def line(self, *parts: Styled) -> None:
        """A line of the result for people; parts are joined as they are."""
        if self.terminal:
            from rich.text import Text

            safe = [plain(p) if isinstance(p, str) else (plain(p[0]), p[1]) for p in parts]
            self._print(Text.assemble(*safe))
        else:
            self.raw(_joined(parts).encode(errors="backslashreplace") + b"\n")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows of equal length. A heading that begins with `>` sets its column to the right; the ids are never cut."""
        if not self.terminal:
            text = "".join("\t".join(map(plain, row)) + "\n" for row in rows)
            self.raw(text.encode(errors="backslashreplace"))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for heading in headings:
            justify: Literal["left", "right"] = "right" if heading.startswith(">") else "left"
            table.add_column(heading.lstrip(">"), justify=justify, no_wrap=heading == "id", overflow="fold")
        for row in rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        self._print(table)

    def say(self, text: str) -> None:
        """Talk: on stderr, for people only."""
        if not self.as_json:
            _write_error(plain(text) + "\n")

    def _print(self, what: Any) -> None:
        if self._console is None:
            from rich.console import Console

            self._console = Console(highlight=False, markup=False, emoji=False)
        with _stdout_may_fail():
            self._console.print(what, soft_wrap=not hasattr(what, "add_row"))


@contextmanager
def _stdout_may_fail() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise Refused(f"the result cannot be written to stdout: {error.strerror}") from error


def _joined(parts: Iterable[Styled]) -> str:
    return "".join(plain(part if isinstance(part, str) else part[0]) for part in parts)


def _write_error(text: str) -> None:
    # stderr may be closed, or go to a disk that is full: there is nowhere left to say it.
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return
