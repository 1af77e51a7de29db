"""Zstandard frames whose bytes are the same with every version of the library, for the scripts beside this file."""

from collections.abc import Sequence

from commonsnode_protocol import canonical
from commonsnode_protocol.changeset import Signed

MAGIC = bytes.fromhex("28b52ffd")
BLOCK_MAX = 131_072
RAW, RUN = 0, 1


def header(size: int) -> bytes:
    """A frame header with the content size, in a single segment, without checksum or dictionary."""
    if size < 256:
        return MAGIC + b"\x20" + size.to_bytes(1, "little")
    if size < 65_536 + 256:
        return MAGIC + b"\x60" + (size - 256).to_bytes(2, "little")
    return MAGIC + b"\xa0" + size.to_bytes(4, "little")


def block(kind: int, size: int, *, last: bool) -> bytes:
    """The header of a block."""
    return (size << 3 | kind << 1 | last).to_bytes(3, "little")


def raw_frame(plain: bytes) -> bytes:
    """A Zstandard frame (RFC 8878) that holds `plain` as it is, in raw blocks."""
    out = header(len(plain))
    for at in range(0, max(len(plain), 1), BLOCK_MAX):
        piece = plain[at : at + BLOCK_MAX]
        out += block(RAW, len(piece), last=at + BLOCK_MAX >= len(plain)) + piece
    return out


def pack(batch: Sequence[Signed]) -> tuple[int, bytes]:
    """Size and packed bytes of a batch, not compressed."""
    plain = canonical.pack([[signed.signature, signed.body] for signed in batch])
    return len(plain), raw_frame(plain)
