"""Find out in which encoding a text file is written: UTF-8, UTF-16, Windows-1252 (and Latin-1), or Mac Roman.

UTF-8 and UTF-16 show themselves. Between the 8-bit encodings no byte decides alone: each is tried on the words that
have such bytes, and the one that makes the likelier English, Spanish, Portuguese, French or German wins.
"""

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from commonsnode.tables.model import TableError

SAMPLE_BYTES = 65_536
WORDS_MAX = 20_000
CHUNK_BYTES = 1 << 20
BROKEN_SHARE_MAX = 0.1  # of the non-ASCII sequences: with more it is no UTF-8
CONTROL_SHARE_MAX = 0.02  # of the bytes of a text
CR_BONUS = 0.5  # a word, for Mac Roman where all line ends are CR; a wrongly read word loses 7
LETTERS_MIN = 8  # non-ASCII characters: with fewer, nothing is said about another language
MIXED_SHARE_MAX = 0.1  # of words with letters of two alphabets: more means a wrong guess
LIKELY_MIN = 0.3  # mean score of a letter: below, none of our encodings reads well

_LETTERS = "áàâäãåéèêëíìîïóòôöõøúùûüñçæœß"
_GOOD = frozenset(_LETTERS + _LETTERS.upper() + "Ÿ")
_ALONE = frozenset("àáéèóòúíÀÁÉÈÓaeoy")
_AFTER_LETTER = re.compile(
    r"(?:^|[^a-zà-ü])(?:[ldjmtnscLDJMTNSC]|[Qq]u|jusqu|lorsqu|aujourd)$", re.IGNORECASE
)
_BEFORE_ENDING = re.compile(r"^(?:s|t|re|ll|ve|d|m)\b", re.IGNORECASE)
_TOKEN = re.compile(rb'[^\s,;|"]*[\x80-\xff][^\s,;|"]*')
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1a\x1b"))
_KNOWN_BINARY = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program"),
    (b"PAR1", "a Parquet file"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """codec: for `open`. errors: `strict`, or `surrogateescape` where single rows have broken bytes. name: for people."""

    codec: str
    errors: str
    name: str


def find_encoding(data: bytes) -> Encoding:
    """The encoding of a text. Raises TableError where the bytes are no text."""
    for bom, codec, name in (
        (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
        (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
        (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
    ):
        if data.startswith(bom):
            if codec != "utf-8-sig" and not _decodes(data, codec):
                raise TableError(f"begins as {name} but is damaged: it cannot be read to its end")
            return Encoding(codec, "surrogateescape" if codec == "utf-8-sig" else "strict", name)
    known = next((what for magic, what in _KNOWN_BINARY if data.startswith(magic)), None)
    if known:
        raise TableError(f"is {known}, not a table")
    if b"\0" in data:
        return _without_bom(data)
    sample = data[:SAMPLE_BYTES]
    if len(sample) - len(sample.translate(None, _CONTROL)) > CONTROL_SHARE_MAX * len(sample):
        raise TableError("is no text: it is full of control bytes")
    if data.isascii() or _decodes(data, "utf-8"):
        return Encoding("utf-8", "strict", "UTF-8")
    if _mostly_utf8(data):
        return Encoding("utf-8", "surrogateescape", "UTF-8 with broken bytes")
    return _eight_bit(data)


def _decodes(data: bytes, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for start in range(0, len(data), CHUNK_BYTES):
            decoder.decode(data[start : start + CHUNK_BYTES], start + CHUNK_BYTES >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def _without_bom(data: bytes) -> Encoding:
    """UTF-16 shows in a text by its zero bytes, which all lie at odd (LE) or all at even (BE) places."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    codec = "utf-16-le" if odd > even else "utf-16-be"
    if min(even, odd) * 20 <= max(even, odd) and len(data) % 2 == 0 and _decodes(data, codec):
        text = data[:SAMPLE_BYTES].decode(codec, errors="ignore")
        odd_ones = sum(not (c.isprintable() or c in "\t\r\n\f\x1a") for c in text)
        if odd_ones <= CONTROL_SHARE_MAX * len(text):
            return Encoding(codec, "strict", "UTF-16")
    raise TableError("is no text: it has zero bytes")


def _mostly_utf8(data: bytes) -> bool:
    """Some rows with broken bytes among good UTF-8, as when files were joined, or cut at a byte."""
    good = sum(len(m) for m in _UTF8_SEQUENCE.findall(data))
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    return good > 0 and (high - good) <= BROKEN_SHARE_MAX * high


def _eight_bit(data: bytes) -> Encoding:
    words = Counter(m.group() for m, _ in zip(_TOKEN.finditer(data), range(WORDS_MAX), strict=False))
    cr_only = data.count(b"\r") > 0 and data.count(b"\n") == 0
    weight = sum(words.values())
    windows, letters = _score(words, "cp1252")
    mac, _ = _score(words, "mac_roman")
    windows += 0.5
    if cr_only:
        mac += 2 + CR_BONUS * weight
    if letters >= LETTERS_MIN and max(windows, mac) < LIKELY_MIN * letters:
        other = None if cr_only else _other(data, words)
        if other or cr_only:
            return other or Encoding("mac_roman", "strict", "Mac Roman")
    if mac > windows:
        return Encoding("mac_roman", "strict", "Mac Roman")
    if _decodes(data, "cp1252"):
        return Encoding("cp1252", "strict", "Windows-1252")
    return Encoding("latin-1", "strict", "Latin-1")


def _other(data: bytes, words: Counter[bytes]) -> Encoding | None:
    """None of ours reads well: ask charset-normalizer, and believe it where words become of one script (Cyrillic, Greek, ...)."""
    from charset_normalizer import from_bytes

    lines = b"\n".join(line for line in data[: 16 * SAMPLE_BYTES].splitlines() if not line.isascii())
    best = from_bytes(lines[:SAMPLE_BYTES]).best()
    if best is None or best.encoding in ("utf_8", "ascii") or not _decodes(data, best.encoding):
        return None
    mixed = sum(
        times for word, times in words.items() if _is_mixed(word.decode(best.encoding, errors="replace"))
    )
    if mixed > MIXED_SHARE_MAX * words.total():
        return None
    return Encoding(best.encoding, "strict", best.encoding.replace("_", "-"))


def _is_mixed(word: str) -> bool:
    """Whether ASCII letters and those of another alphabet stand in one word, or no letters at all."""
    letters = [c for c in word if c.isalpha()]
    foreign = sum(c > "\u024f" for c in letters)
    return not letters or 0 < foreign < len(letters)


def _score(words: Counter[bytes], codec: str) -> tuple[float, int]:
    """How likely the words are in this encoding, and how many non-ASCII characters they have."""
    total, count = 0.0, 0
    for word, times in words.items():
        text = word.decode(codec, errors="replace")
        score = 0.0
        for i, char in enumerate(text):
            if char > "\x7f":
                score += (
                    _letter(text, i, char) if char.isalpha() and char not in "ªºµ" else _sign(text, i, char)
                )
                count += times
        total += score * times
    return total, count


def _letter(text: str, i: int, char: str) -> float:
    if char not in _GOOD:
        return -3.0
    before, after = text[i - 1 : i] if i else "", text[i + 1 : i + 2]
    if char.isupper() and (before.islower() or (after and not before and not after.isalpha())):
        return -4.0
    if before.isupper() and (after.isupper() if char.islower() else after.islower()):
        return -2.0
    if char in "œŒ" and after in "uU":
        return 4.0
    if before.isalpha() or after.isalpha():
        return 3.0
    return 2.0 if char in _ALONE else -1.0


def _sign(text: str, i: int, char: str) -> float:
    before, after = text[i - 1 : i] if i else "", text[i + 1 : i + 2]
    inside = before.isalpha() and after.isalpha()
    if char in "’‘":
        if not inside:
            return 1.0
        return 3.0 if _AFTER_LETTER.search(text[:i]) or _BEFORE_ENDING.match(text[i + 1 :]) else 0.5
    if char in "“«„¿¡":
        return 1.0 if not before.isalpha() and after != "" else -2.0
    if char in "”»…":
        return 1.0 if not after.isalpha() and before != "" else -2.0
    if char in "–—":
        return -1.5 if inside else 1.0
    if char in "°ºª²³":
        return (
            2.0 if before.isalnum() or before in (".", "°") or (not before and after in ("C", "F")) else -1.0
        )
    if char in "€£":
        return 1.0 if not before.isalpha() and not after.isalpha() else -2.0
    if char in "½¼¾×±µ®©™§•·ø\xa0´":
        return -1.0 if inside else 0.5
    return -3.0
