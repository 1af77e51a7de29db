"""What follows from the shown values of a record: its title, place, deletion, place in lists, and the text that is searched.

Columns, lists and the search index hold what these functions said when the row was written, and an index entry can only
be taken out by the exact text that was put in. So a change to any of them needs a migration that computes the file anew.
(What they use of Unicode, case folding and decomposition, is promised never to change for a character that exists.)
"""

import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KNOWLEDGE, MEMBERS, PUBLIC

TITLE, PLACE, DELETED, NONCE = "title", "place", "deleted", "nonce"
BESIDE = "beside"  # of a half in lane `members`: the lane of the thing that it adds to
HEADING_PREFIX = "x:"  # cells of an import whose heading means nothing to us
TAG_PREFIX = "tag:"  # an element of a set: the name says it, the value is true
TITLE_CHARS_MAX = 200  # of the column; the field may be longer
KEY_CHARS_MAX = 48  # titles that agree so far are ordered by when they came
SHORT_ID_DIGITS = 8
HALVES_OF = (PUBLIC, KNOWLEDGE)
OF_A_HALF = (BESIDE, NONCE, DELETED)  # what a half says of itself alone
_UNTITLED = "\U0010ffff"  # sorts after every title


def short_id(record: bytes) -> str:
    return record.hex()[:SHORT_ID_DIGITS]


def title_of(values: Mapping[str, Value]) -> str | None:
    """The field `title`; else the first text in the order of field names, `nonce` and headings of imports last.

    Without white space around it; None where there is no text.
    """
    title = values.get(TITLE)
    if type(title) is str and (title := title.strip()):
        return title
    for name in sorted(values, key=lambda name: (name == NONCE or name.startswith(HEADING_PREFIX), name)):
        value = values[name]
        if type(value) is str and (value := value.strip()):
            return value
    return None


def place_of(values: Mapping[str, Value]) -> tuple[int | None, int | None]:
    """Latitude and longitude in 1e-7 degrees, where the field `place` is a map that holds both as integers."""
    place = values.get(PLACE)
    if type(place) is dict:
        lat, lon = place.get("lat"), place.get("lon")
        if type(lat) is int and type(lon) is int:
            return lat, lon
    return None, None


def is_half(values: Mapping[str, Value]) -> bool:
    """Whether a record of lane `members` is no thing of its own, but what members alone read of one: in no list, and not
    where things are by place. The search index has its words, marked.

    In another lane a field of that name means nothing: else who writes it would make a thing vanish.
    """
    return values.get(BESIDE) in HALVES_OF


def holds_halves(db: sqlite3.Connection, lane: int) -> bool:
    """Whether a record of this lane can be a half. lane: its number."""
    row = db.execute("select name from lanes where no = ?", (lane,)).fetchone()
    return bool(row is not None and row[0] == MEMBERS)


def lanes_of_halves(db: sqlite3.Connection) -> frozenset[int]:
    """The numbers of the lanes in which a record can be a half."""
    return frozenset(no for (no,) in db.execute("select no from lanes where name = ?", (MEMBERS,)))


def is_deleted(values: Mapping[str, Value]) -> bool:
    return values.get(DELETED) is True


def listing_key(title: str | None, record: bytes) -> str:
    """What lists are sorted by, as code points: the title without case and accents; what has none comes last."""
    if title is None:
        return _UNTITLED + short_id(record)
    return _folded(title[:KEY_CHARS_MAX])


def text_of(values: Mapping[str, Value]) -> str:
    """All text that a person could look for: text values, also within arrays and maps, and the tags that are set."""
    # SQLite's tokenizer folds case and accents of single letters; this folds ß to ss and the like.
    parts: list[str] = []
    for name, value in values.items():
        kind = type(value)
        if kind is str:
            parts.append(value)  # type: ignore[arg-type]
        elif kind is list:
            _gather(value, parts)  # type: ignore[arg-type]
        elif kind is dict:
            _gather(value.values(), parts)  # type: ignore[union-attr]
        elif value is True and name.startswith(TAG_PREFIX):
            parts.append(name[len(TAG_PREFIX) :])
    text = " ".join(parts)
    return text if text.isascii() else text.casefold()


def _gather(values: Iterable[Value], parts: list[str]) -> None:
    for value in values:
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, list):
            _gather(value, parts)
        elif isinstance(value, dict):
            _gather(value.values(), parts)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
