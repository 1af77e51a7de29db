"""WebP files that hold one picture and nothing else: no metadata, no profile, nothing behind the end."""

import struct

_HEADER = struct.Struct("<4sI4s4sI")  # RIFF, bytes that follow, WEBP, name of the chunk, its bytes
_KEY_FRAME = struct.Struct("<3s3sHH")  # RFC 6386, 9.1: tag, start code, width and height of 14 bits
_START_CODE = b"\x9d\x01\x2a"
_SIDE_BITS = 0x3FFF


def bare_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of the picture; None where this is not one lossy picture alone."""
    if len(data) < _HEADER.size + _KEY_FRAME.size:
        return None
    riff, following, webp, chunk, length = _HEADER.unpack_from(data)
    if (riff, webp, chunk) != (b"RIFF", b"WEBP", b"VP8 "):
        return None
    if following != len(data) - 8 or _HEADER.size + length + length % 2 != len(data):
        return None
    tag, start, width, height = _KEY_FRAME.unpack_from(data, _HEADER.size)
    if tag[0] & 1 or start != _START_CODE:
        return None
    return width & _SIDE_BITS, height & _SIDE_BITS
