"""Which bytes are one lossy WebP picture and nothing else."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from commonsnode.photos.webp import bare_size


def webp(
    width: int, height: int, *, tag: int = 0x10, body: bytes = b"\0" * 6, kind: bytes = b"VP8 "
) -> bytes:
    frame = bytes([tag, 0, 0]) + b"\x9d\x01\x2a" + struct.pack("<HH", width, height) + body
    chunk = kind + struct.pack("<I", len(frame)) + frame + b"\0" * (len(frame) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def test_one_picture_alone_has_a_size() -> None:
    assert bare_size(webp(1600, 900)) == (1600, 900)
    assert bare_size(webp(1, 16383, body=b"\0" * 7)) == (1, 16383)
    assert bare_size(webp(0xC000 | 20, 0x4000 | 30)) == (
        20,
        30,
    )  # the two bits above say how to scale it when shown


def test_what_holds_more_than_that_has_none() -> None:
    good = webp(16, 16)
    assert bare_size(good + b"<script>") is None
    more = good + b"EXIF" + struct.pack("<I", 4) + b"GPS!"
    assert bare_size(more[:4] + struct.pack("<I", len(more) - 8) + more[8:]) is None
    assert bare_size(webp(16, 16, kind=b"VP8X")) is None
    assert bare_size(webp(16, 16, kind=b"VP8L")) is None
    assert bare_size(webp(16, 16, tag=0x11)) is None


@given(st.integers(0, 200))
def test_what_is_cut_off_has_none(length: int) -> None:
    good = webp(16, 16, body=b"\0" * 190)
    assert bare_size(good[:length]) is None


@given(st.binary(max_size=64))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    assert bare_size(data) is None
    bare_size(b"RIFF" + data)
