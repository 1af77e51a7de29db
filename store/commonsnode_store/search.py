"""Full-text search: from what a person typed to a query that SQLite's FTS5 cannot refuse.

The index keeps no positions, so it refuses phrases: each word of a query must be one word to its tokenizer too. The same
tokenizer therefore takes the question apart, in a table in memory; nothing of what was typed is read as an operator.
"""

import sqlite3
import threading
from collections.abc import Sequence

QUERY_CHARS_MAX = 400
WORDS_MAX = 12
EXPANDED_MAX = 256  # words that one beginning stands for; with more, FTS5 looks for them
BEGINNING_CHARS_MIN = (
    3  # shorter words match as beginnings only where they are the last, which may not be typed out
)
_TOKENIZER = "unicode61 remove_diacritics 2"  # as of table `search`


class Words:
    """Takes queries apart. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def query(self, text: str) -> list[str]:
        """An FTS5 query for each word that a record must have, as a word's beginning."""
        words = self._words(text[:QUERY_CHARS_MAX])[:WORDS_MAX]
        return [
            f'"{word}"*' if len(word) >= BEGINNING_CHARS_MIN or at == len(words) - 1 else f'"{word}"'
            for at, word in enumerate(words)
        ]

    def finding(self, text: str | None, tags: Sequence[str]) -> list[tuple[str, bool]]:
        """The words of a query for things, and whether each may be a beginning. Tags have their words whole."""
        typed = self._words((text or "")[:QUERY_CHARS_MAX])[:WORDS_MAX]
        found = [(word, len(word) >= BEGINNING_CHARS_MIN) for word in typed]
        for tag in tags:
            found += [(word, False) for word in self._words(tag[:QUERY_CHARS_MAX])[:WORDS_MAX]]
        return found

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _words(self, text: str) -> list[str]:
        text = text.encode(errors="replace").decode().casefold()  # a lone surrogate is no text to SQLite
        with self._lock:
            if self._db is None:
                self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                self._db.execute(
                    f"create virtual table typed using fts5 (text, content='', tokenize='{_TOKENIZER}')"
                )
                self._db.execute("create virtual table words using fts5vocab (typed, 'instance')")
            try:
                self._db.execute("insert into typed (rowid, text) values (1, ?)", (text,))
                rows = self._db.execute("select distinct term from words order by offset").fetchall()
            finally:
                self._db.execute("insert into typed (typed) values ('delete-all')")
        return [word for (word,) in rows]


def all_of(terms: Sequence[str]) -> str:
    """An FTS5 query for records that have all of these."""
    return " AND ".join(terms)


def expand(db: sqlite3.Connection, words: Sequence[tuple[str, bool]]) -> list[str]:
    """An FTS5 query for each of these words.

    A beginning is replaced by the words that have it: the index has no lists of beginnings, and FTS5 would put one together
    anew for each question. The word itself is not looked up, since that goes through all records that have it.
    """
    terms: list[str] = []
    for word, may_begin in words:
        if not may_begin:
            terms.append(f'"{word}"')
            continue
        sql = "select term from words where term >= ? and term < ? limit ?"
        longer = db.execute(sql, (word + "\x01", word + "\U0010ffff", EXPANDED_MAX + 1))
        begun = [word, *(term for (term,) in longer)]
        if len(begun) > EXPANDED_MAX:
            terms.append(f'"{word}"*')
        else:
            quoted = " OR ".join(f'"{term}"' for term in begun)
            terms.append(f"({quoted})")
    return terms
