"""The log: one line an event, whatever is in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from commonsnode.logs import Log, set_up


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield io.StringIO()
    root.handlers[:], root.level = before


def test_text_has_time_level_event_and_fields(stream: io.StringIO) -> None:
    set_up("text", "info", stream)
    Log("peers").info("peer-connected", peer="3f2a91c0", address="ws://[::1]:8450/peer", why="it dialled us")
    at, level, rest = stream.getvalue().split(maxsplit=2)
    assert at.endswith("Z")
    assert level == "info"
    assert rest == 'peer-connected peer=3f2a91c0 address=ws://[::1]:8450/peer why="it dialled us"\n'


def test_json_has_the_same_as_an_object(stream: io.StringIO) -> None:
    set_up("json", "info", stream)
    Log("peers").warning("session-ended", peer="3f2a91c0", bytes=12)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "event": "session-ended", "peer": "3f2a91c0", "bytes": 12}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_others_wrote_cannot_make_a_second_line_or_move_the_cursor(
    log_format: str, stream: io.StringIO
) -> None:
    set_up(log_format, "info", stream)
    Log("peers").info("peer-refused", detail="a\nb\r\u2028\x1b[2J\x85c")
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert written.endswith("\n")
    if log_format == "text":
        assert written[:-1].isprintable()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_stays_within_its_line(log_format: str, stream: io.StringIO) -> None:
    set_up(log_format, "info", stream)
    try:
        raise ZeroDivisionError("once")
    except ZeroDivisionError as error:
        Log("node").error("request-failed", cause=error, path="/")
    assert stream.getvalue().count("\n") == 1
    assert "ZeroDivisionError: once" in stream.getvalue()


def test_what_a_library_says_is_a_field(stream: io.StringIO) -> None:
    set_up("json", "info", stream)
    logging.getLogger("aiohttp.server").error("Error handling %s", "request")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["text"]) == ("aiohttp.server", "Error handling request")


def test_below_the_level_nothing_is_written(stream: io.StringIO) -> None:
    set_up("text", "warning", stream)
    Log("node").info("listening")
    assert stream.getvalue() == ""
