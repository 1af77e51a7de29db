"""How the body of a changeset lies on the disk: plain, or as one Zstandard frame (RFC 8878) where that is shorter."""

import threading

import zstandard

from commonsnode_protocol.limits import CHANGESET_BYTES_MAX
from commonsnode_store.errors import Damaged

PLAIN, ZSTD = 0, 1  # column `codec`
LEVEL = 3


class _Codecs(threading.local):
    """One pair a thread: each serves one at a time, and is dear to make."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_codecs = _Codecs()


def pack(body: bytes) -> tuple[int, bytes]:
    """The codec and the bytes to keep."""
    packed = _codecs.compressor.compress(body)
    return (ZSTD, packed) if len(packed) < len(body) else (PLAIN, body)


def unpack(codec: int, kept: bytes) -> bytes:
    """The body, at most CHANGESET_BYTES_MAX. Raises Damaged; whether it is the right body only its id can tell."""
    if codec == PLAIN:
        return kept
    if codec != ZSTD:
        raise Damaged("changesets", f"a body of unknown codec {codec!r}")
    try:
        size = zstandard.frame_content_size(kept)
        # Before anything is allocated: the header decides how much the library would take.
        if not 0 <= size <= CHANGESET_BYTES_MAX:
            raise Damaged("changesets", f"a body that says it has {size} bytes")
        return _codecs.decompressor.decompress(kept, max_output_size=CHANGESET_BYTES_MAX)
    except zstandard.ZstdError as error:
        raise Damaged("changesets", f"a body that cannot be unpacked: {error}") from error
