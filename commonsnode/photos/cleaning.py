"""From what a camera wrote to what a community may see: upright, small, in sRGB, and nothing in it but the picture."""

import os
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from commonsnode.errors import Busy, Refusal, TooLarge
from commonsnode.photos.limits import (
    ANSWER_BYTES_MAX,
    BYTES_MAX,
    LENGTHS,
    MEDIA_TYPE,
    MEMORY_BYTES_MAX,
    PIXELS_MAX,
    SECONDS_MAX,
    SIDE_MAX,
    THUMBNAIL_SIDE_MAX,
    TURN_S_MAX,
    Outcome,
)
from commonsnode.photos.webp import bare_size

LIBRARY = "PIL"
WORKER = "commonsnode.photos.worker"

_MIB = 1024 * 1024
_STOPPED = (-signal.SIGXCPU, -signal.SIGKILL)  # at a bound on time, or by a system that has no memory left
_turn = threading.Lock()  # one at a time: on a small machine two would take all memory


class BadPhoto(Refusal):
    """This file becomes no picture here."""

    status = 422
    title = "Not a usable picture"


class PhotosMissing(Refusal):
    """This node was installed without what opens pictures."""

    status = 501
    title = "Photos are not installed"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A picture, and the same small for lists. width, height: of the picture, in pixels."""

    picture: bytes
    thumbnail: bytes
    media_type: str
    width: int
    height: int


def clean(photo: Path | bytes) -> Cleaned:
    """A JPEG, PNG, WebP or HEIC made safe: its first frame, and the same bytes each time with the same libraries.

    For any thread but that of the event loop: it waits for its turn, then for another process.
    Raises BadPhoto, TooLarge, PhotosMissing, Busy; OSError where the file or the process cannot be had.
    """
    if find_spec(LIBRARY) is None:
        raise PhotosMissing(
            "this node cannot open pictures; install the extra: pip install 'commonsnode[photos]'"
        )
    with _source(photo) as source, tempfile.TemporaryFile() as answer:
        if not _turn.acquire(timeout=TURN_S_MAX):
            raise Busy("other photos are being prepared here; try again in a moment")
        try:
            status = _run(source, answer)
        finally:
            _turn.release()
        if status != Outcome.CLEAN:
            raise _refusal(status)
        answer.seek(0)
        return _checked(answer.read(ANSWER_BYTES_MAX + 1))


@contextmanager
def _source(photo: Path | bytes) -> Iterator[IO[bytes]]:
    """A file with these bytes, once they are known to be few enough; one on disk is read where it lies."""
    if isinstance(photo, bytes):
        _check_length(len(photo))
        with tempfile.TemporaryFile() as file:
            file.write(photo)
            file.seek(0)
            yield file
        return
    if not stat.S_ISREG(photo.stat().st_mode):
        raise BadPhoto(f"{photo.name} is not a file")
    with photo.open("rb") as file:
        _check_length(os.fstat(file.fileno()).st_size)
        yield file


def _check_length(length: int) -> None:
    if length > BYTES_MAX:
        raise TooLarge(
            f"the photo has {length / _MIB:.1f} MiB, more than {BYTES_MAX // _MIB} MiB; make it smaller"
        )


def _run(source: IO[bytes], answer: IO[bytes]) -> int:
    """The exit status of the process that opened it. It sees the modules of this one, and else nothing of its environment."""
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", WORKER],
        stdin=source,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # so Ctrl-C at the terminal is for the node alone, which sees to the end of this
    )
    try:
        return process.wait(SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU
    finally:
        process.kill()
        process.wait()


def _refusal(status: int) -> Exception:
    """What is said of a photo whose process ended so."""
    if status in _STOPPED:
        return TooLarge("the picture takes too long to open; make it smaller, or save it anew as JPEG")
    if status < 0 or status == Outcome.BROKEN:  # a decoder that crashed did so over what it read
        return BadPhoto("the picture is damaged or cut off, so it cannot be opened; send the original again")
    if status == Outcome.NO_PICTURE:
        return BadPhoto("this is not a picture that this node can open; allowed: JPEG, PNG, WebP, HEIC")
    if status == Outcome.NO_HEIC:
        return BadPhoto(
            "this is a HEIC picture, which this node cannot open; send a JPEG, or install the extra on the node: "
            "pip install 'commonsnode[heic]'"
        )
    if status == Outcome.TOO_MANY_PIXELS:
        return TooLarge(
            f"the picture has more than {PIXELS_MAX // 1_000_000} million pixels; make it smaller"
        )
    if status == Outcome.TOO_MUCH_MEMORY:
        return TooLarge(
            f"the picture takes more than {MEMORY_BYTES_MAX // _MIB} MiB of memory to open; make it smaller"
        )
    return ChildProcessError(f"{WORKER} ended with status {status}")


def _checked(answer: bytes) -> Cleaned:
    """What the process answered, which may have been led astray by what it read: two bare pictures of the sizes agreed."""
    begin = struct.calcsize(LENGTHS)
    if begin <= len(answer) <= ANSWER_BYTES_MAX:
        length, thumbnail_length = struct.unpack_from(LENGTHS, answer)
        picture, thumbnail = answer[begin : begin + length], answer[begin + length :]
        size, thumbnail_size = bare_size(picture), bare_size(thumbnail)
        if (
            len(thumbnail) == thumbnail_length
            and size is not None
            and thumbnail_size is not None
            and 1 <= min(size) <= max(size) <= SIDE_MAX
            and 1 <= min(thumbnail_size) <= max(thumbnail_size) <= THUMBNAIL_SIDE_MAX
        ):
            return Cleaned(picture, thumbnail, MEDIA_TYPE, *size)
    raise BadPhoto("the picture could not be made safe, and nothing of it was kept; save it anew as JPEG")
