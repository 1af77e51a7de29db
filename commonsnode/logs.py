"""The log: one line an event on stderr, as text for people or as JSON for machines.

An event has a short name and fields: `log.info("peer-connected", node="3f2a91c0", address=…)`. Whoever writes to the log
names fields one by one; keys and seeds are never among them.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/[]@+%*")


class Log:
    """The log of one part of the daemon."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"commonsnode.{part}")

    def debug(self, event: str, **fields: object) -> None:
        self._logger.debug(event, extra={"fields": fields})

    def info(self, event: str, **fields: object) -> None:
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, **fields: object) -> None:
        self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, *, cause: BaseException | None = None, **fields: object) -> None:
        """An event that someone has to look at; `cause` adds the exception with its traceback."""
        self._logger.error(event, extra={"fields": fields}, exc_info=cause)


class _Formatter(logging.Formatter):
    def _parts(self, record: logging.LogRecord) -> tuple[str, str, dict[str, object]]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = dict(getattr(record, "fields", {}))
        event = record.getMessage()
        if not record.name.startswith("commonsnode."):  # a library: its text is a field, not a name
            fields = {"text": event, **fields}
            event = record.name
        if record.exc_info and record.exc_info[0] is not None:
            fields["traceback"] = self.formatException(record.exc_info)
        return at.replace("+00:00", "Z"), event, fields


class JsonFormatter(_Formatter):
    """One JSON object a line: time, level, event, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        at, event, fields = self._parts(record)
        line = {"time": at, "level": record.levelname.lower(), "event": event, **fields}
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(_Formatter):
    """`time level event key=value …`; a value that is no plain word is quoted, so that a line stays one line."""

    def format(self, record: logging.LogRecord) -> str:
        at, event, fields = self._parts(record)
        words = [at, f"{record.levelname.lower():<7}", event]
        words += [f"{key}={_word(value)}" for key, value in fields.items()]
        return " ".join(words)


def _word(value: object) -> str:
    text = str(value)
    if text and _PLAIN.issuperset(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # Escape sequences of a terminal, and line ends that JSON lets pass.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in quoted)


def set_up(log_format: str, log_level: str, stream: TextIO | None = None) -> None:
    """Send the log of this process, libraries included, to `stream` (stderr)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log_level.upper())
    logging.getLogger("asyncio").setLevel(max(logging.WARNING, root.level))
