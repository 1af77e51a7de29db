"""Dictionaries that small bodies are packed with.

The small bodies of a lane have most of their bytes in common: ids of community and authors, names of fields, words. Where
Zstandard alone saves nothing on a body of 416 bytes, with a dictionary trained from others of the lane it takes 160. A
dictionary never changes; a further one is trained when there is much more to learn from. Every body that was packed with
one needs it, so it is kept twice.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import zstandard

from commonsnode_store.connections import Connection
from commonsnode_store.errors import Damaged

FIRST_DICTIONARY = 16  # numbers below are codecs without one
LEVEL = 3
SMALL_BYTES_MAX = 2_048  # of a body; a larger one has enough in common with itself
DICTIONARY_BYTES = 8_192
SAMPLES_MIN = 128
SAMPLES_MAX = 512
TRAINED_AT = 256  # changesets of a lane from which on it has a dictionary
TRAINED_AGAIN = 16  # times as many: then another one
PATIENCE = 64  # changesets from one attempt to the next where there were too few samples


class Dictionary(NamedTuple):
    """What a lane's small bodies are packed with at present."""

    no: int
    trained_at: int  # how many changesets the lane had
    compressor: zstandard.ZstdCompressor


class Dictionaries:
    """The dictionaries in use, inside of write transactions of one connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._of_lane: dict[int, Dictionary | None] = {}
        self._not_before: dict[int, int] = {}

    def forget(self) -> None:
        self._of_lane.clear()
        self._db.decompressors.clear()

    def of_lane(self, lane: int, held: int, bodies: Sequence[bytes]) -> Dictionary | None:
        """The dictionary for these small bodies of a lane that holds `held` changesets besides, if it has one."""
        if lane not in self._of_lane:
            self._of_lane[lane] = self._latest(lane)
        current = self._of_lane[lane]
        count = held + len(bodies)
        due = TRAINED_AT if current is None else TRAINED_AGAIN * current.trained_at
        if count >= max(due, self._not_before.get(lane, 0)):
            trained = self._train(lane, count, bodies)
            if trained is None:
                self._not_before[lane] = count + PATIENCE
            else:
                current = self._of_lane[lane] = trained
        return current

    def _latest(self, lane: int) -> Dictionary | None:
        row = self._db.execute(
            "select no, trained_at from dictionaries where lane = ? order by no desc limit 1", (lane,)
        ).fetchone()
        return _dictionary(row[0], row[1], read(self._db, row[0])) if row is not None else None

    def _train(self, lane: int, count: int, bodies: Sequence[bytes]) -> Dictionary | None:
        samples: list[bytes | bytearray | memoryview] = list(bodies[-SAMPLES_MAX:])
        if len(samples) < SAMPLES_MAX:
            samples += self._recent(lane, SAMPLES_MAX - len(samples))
        if len(samples) < SAMPLES_MIN:
            return None
        try:
            content = zstandard.train_dictionary(DICTIONARY_BYTES, samples).as_bytes()
        except zstandard.ZstdError:
            return None  # there is nothing in common in these
        row = self._db.execute(
            "insert into dictionaries (lane, trained_at, crc, content, copy) values (?, ?, ?, ?, ?) returning no",
            (lane, count, crc32(content), content, content),
        ).fetchone()
        return _dictionary(row[0], count, content)

    def _recent(self, lane: int, count: int) -> list[bytes]:
        rows = self._db.execute(
            "select codec, body from (select no, lane, codec, body from changesets order by no desc limit ?)"
            " where lane = ? and length(body) <= ?",
            (count, lane, SMALL_BYTES_MAX),
        ).fetchall()
        return [
            decompressor(self._db, codec).decompress(kept) if codec else kept
            for codec, kept in rows
            if not codec or 0 <= zstandard.frame_content_size(kept) <= SMALL_BYTES_MAX
        ]


def decompressor(db: Connection, codec: int) -> zstandard.ZstdDecompressor:
    """What unpacks bodies of this codec. Raises Damaged where its dictionary is lost."""
    found = db.decompressors.get(codec)
    if found is None:
        if codec < FIRST_DICTIONARY:
            found = zstandard.ZstdDecompressor()
        else:
            found = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(read(db, codec)))
        db.decompressors[codec] = found
    return found


def read(db: sqlite3.Connection, no: int) -> bytes:
    """The dictionary with this number, from whichever of its copies is whole. Raises Damaged where neither is."""
    row = db.execute("select crc, content, copy from dictionaries where no = ?", (no,)).fetchone()
    for content in row[1:] if row is not None else ():
        if isinstance(content, bytes) and crc32(content) == row[0]:
            return content
    raise Damaged("dictionaries", f"number {no} is not what was written, and neither is its copy")


def _dictionary(no: int, trained_at: int, content: bytes) -> Dictionary:
    # The number of the dictionary lies in column `codec`, and not in each body once more.
    compressor = zstandard.ZstdCompressor(
        level=LEVEL, write_dict_id=False, dict_data=zstandard.ZstdCompressionDict(content)
    )
    return Dictionary(no, trained_at, compressor)
