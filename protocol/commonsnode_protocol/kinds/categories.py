"""The category tree: numbers so that a category with all below it is one range, and the category that words mean."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.category_table import ORDER, TABLE

LANGUAGES = ("en", "es", "pt", "fr")
TEXT_CHARS_MAX = 160  # of a title or category that is looked at
CACHED_TEXTS = 16_384

__all__ = [
    "CATEGORIES",
    "LANGUAGES",
    "ORDER",
    "Category",
    "category_number",
    "category_of",
    "category_range",
    "category_words",
]

_NO_LETTER = re.compile(r"[^a-z0-9]+")
_ID = re.compile(r"[a-z0-9\-]+(\.[a-z0-9\-]+)*")
_KEPT_APART = str.maketrans({"ß": "ss", "ø": "o", "œ": "oe", "æ": "ae", "₂": "2"})


@dataclass(frozen=True, slots=True)
class Category:
    """One node of the tree. labels: by language. process: of a machine, as Open Know-Where names it; else empty."""

    id: str
    number: int
    last: int  # the number of the last one below it
    labels: Mapping[str, str]
    process: str


def category_words(text: str) -> list[str]:
    """The words of a text, small and without accents, as the tree knows them."""
    text = text[:TEXT_CHARS_MAX].lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_KEPT_APART))
        text = "".join(c for c in text if not unicodedata.combining(c))
    return [word for word in _NO_LETTER.split(text) if word]


def _read() -> tuple[dict[str, Category], dict[str, str]]:
    rows = [line.split("|") for line in TABLE.strip().splitlines()]
    ids = [row[0] for row in rows]
    found: dict[str, Category] = {}
    words: dict[str, str] = {}
    for number, (id_, en, es, pt, fr, process, known) in enumerate(rows, start=1):
        last = number + sum(other.startswith(id_ + ".") for other in ids)
        labels = MappingProxyType(dict(zip(LANGUAGES, (en, es, pt, fr), strict=True)))
        found[id_] = Category(id_, number, last, labels, process)
        own = (" ".join(category_words(phrase.replace("_", " "))) for phrase in known.split())
        for phrase in (*own, *(" ".join(category_words(label)) for label in (en, es, pt, fr, process))):
            if phrase:
                words.setdefault(phrase, id_)
    return found, words


_READ = _read()
CATEGORIES: Mapping[str, Category] = MappingProxyType(_READ[0])
_BY_WORDS = _READ[1]
_LENGTHS: dict[str, int] = {}  # the first word of a phrase → words of the longest phrase that begins with it
for _phrase in _BY_WORDS:
    _first, _length = _phrase.partition(" ")[0], _phrase.count(" ") + 1
    _LENGTHS[_first] = max(_LENGTHS.get(_first, 0), _length)


def category_number(id_: str) -> int | None:
    """The number of a category, 1 and up; of one that is not in the tree that of the nearest above it; else None."""
    while id_:
        known = CATEGORIES.get(id_)
        if known is not None:
            return known.number
        id_ = id_.rpartition(".")[0]
    return None


def category_range(id_: str) -> tuple[int, int] | None:
    """The first and the last number of a category with all below it; None where the tree has no such."""
    known = CATEGORIES.get(id_)
    return (known.number, known.last) if known is not None else None


def category_of(category: Value, title: Value = None) -> str | None:
    """The category of a thing: as `category` says by id or in words, else as its title tells; None where neither does."""
    if isinstance(category, str) and category:
        if _ID.fullmatch(category) and category_number(category) is not None:
            return category
        found = _in_words(category)
        if found is not None:
            return found
    return _in_words(title) if isinstance(title, str) else None


@lru_cache(maxsize=CACHED_TEXTS)
def _in_words(text: str) -> str | None:
    """What the longest known phrase of a text means; of several equally long the last, which names the thing.

    In English, German and so on the last noun is the thing (`garden table`); in Spanish, Portuguese and French the first
    (`mesa de jardín`), so there the text before `de`, `para` and the like is tried first.
    """
    words = category_words(text)
    if not any(map(_reach, words)):
        return None
    for index, word in enumerate(words):
        if word in _OF and index:
            head = _longest(words[:index], first=True)
            if head is not None and not _known(words):
                return head
    return _longest(words, first=False)


_OF = frozenset(("de", "del", "da", "do", "para", "a", "con", "com", "avec", "pour", "with", "for"))


def _known(words: list[str]) -> bool:
    return " ".join(words) in _BY_WORDS


def _longest(words: list[str], *, first: bool) -> str | None:
    reach = [(start, _reach(word)) for start, word in enumerate(words)]
    begins = [(start, longest) for start, longest in (reach if first else reversed(reach)) if longest]
    for length in range(max((longest for _, longest in begins), default=0), 0, -1):
        for start, longest in begins:
            if longest < length or start + length > len(words):
                continue
            phrase = words[start : start + length]
            found = _BY_WORDS.get(" ".join(phrase)) or _singular(phrase)
            if found is not None:
                return found
    return None


def _reach(word: str) -> int:
    """Words of the longest known phrase that begins with this one: of most words none does.

    One that is a phrase in the plural is known by what is left without its s.
    """
    return _LENGTHS.get(word) or (1 if word[-1] == "s" and word[:-1] in _BY_WORDS else 0)


def _singular(phrase: list[str]) -> str | None:
    last = phrase[-1]
    if len(last) > 3 and last.endswith("s"):
        return _BY_WORDS.get(" ".join((*phrase[:-1], last[:-1])))
    return None
