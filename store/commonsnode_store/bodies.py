"""How the body of a changeset lies on the disk: plain, as a Zstandard frame (RFC 8878), or as one with a dictionary."""

from collections.abc import Sequence

import zstandard

from commonsnode_protocol.limits import CHANGESET_BYTES_MAX
from commonsnode_store.connections import Connection
from commonsnode_store.dictionaries import (
    FIRST_DICTIONARY,
    LEVEL,
    SMALL_BYTES_MAX,
    Dictionaries,
    decompressor,
)
from commonsnode_store.errors import Damaged

PLAIN, ZSTD = 0, 1  # column `codec`; from FIRST_DICTIONARY on it is the number of a dictionary


class Packer:
    """Packs bodies, inside of write transactions of one connection."""

    def __init__(self, db: Connection) -> None:
        self._plain = zstandard.ZstdCompressor(level=LEVEL)
        self._dictionaries = Dictionaries(db)

    def forget(self) -> None:
        """After a transaction that failed, or when lanes are gone."""
        self._dictionaries.forget()

    def pack(self, lane: int, held: int, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Of each body, the codec and the bytes to keep: the shorter form. held: changesets that the lane has."""
        small = [body for body in bodies if len(body) <= SMALL_BYTES_MAX]
        dictionary = self._dictionaries.of_lane(lane, held, small) if small else None
        packed: list[tuple[int, bytes]] = []
        for body in bodies:
            if dictionary is not None and len(body) <= SMALL_BYTES_MAX:
                codec, kept = dictionary.no, dictionary.compressor.compress(body)
            else:
                codec, kept = ZSTD, self._plain.compress(body)
            packed.append((codec, kept) if len(kept) < len(body) else (PLAIN, body))
        return packed


def unpack(db: Connection, codec: int, kept: bytes) -> bytes:
    """The body, at most CHANGESET_BYTES_MAX. Raises Damaged; whether it is the right body only its id can tell."""
    if codec == PLAIN:
        return kept
    if codec != ZSTD and codec < FIRST_DICTIONARY:
        raise Damaged("changesets", f"a body of unknown codec {codec!r}")
    try:
        size = zstandard.frame_content_size(kept)
        # Before anything is allocated: the header decides how much the library would take.
        if not 0 <= size <= CHANGESET_BYTES_MAX:
            raise Damaged("changesets", f"a body that says it has {size} bytes")
        return decompressor(db, codec).decompress(kept, max_output_size=CHANGESET_BYTES_MAX)
    except zstandard.ZstdError as error:
        raise Damaged("changesets", f"a body that cannot be unpacked: {error}") from error
