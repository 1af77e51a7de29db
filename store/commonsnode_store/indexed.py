"""What the search index has of a record: its words, where it is, its category and condition, and by which rule it is open.

Entries hold what these functions said when the row was written. Where RULES, or the ORDER of the categories, are others than
those in the file, the index is made anew when it is opened (`remake`).
"""

import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES
from commonsnode_protocol.kinds import category_number, category_of, condition_of, works
from commonsnode_protocol.kinds.categories import CATEGORIES, ORDER
from commonsnode_protocol.kinds.declared import CONDITIONS
from commonsnode_store import registers, shown
from commonsnode_store.cells import NO_MAX, key_of, words_of
from commonsnode_store.errors import StoreError
from commonsnode_store.schema import BENEATH

ROWS_AT_ONCE = 2_048
CACHED = 16_384
ALWAYS_OPEN = 0  # the number of no rule: a thing that says nothing
RULES = 4  # of what is in the index: raise it with every change here, in shown.text_of and in cells.py
MARK = "search_index"  # in `meta`
CATEGORY_MARK, HALF_MARK = "\ue003", "\ue004"  # beside those in cells.py

INSERT = "insert into places values (?, ?, ?, ?, ?, ?, ?, ?)"
NOT_FOUND = ("commitment", "event")  # kinds that nobody looks for by place: they are about things
_MADE_BY = f"{RULES} {ORDER}"
_OUT_OF_ORDER = canonical.encode([None, None, None, False])  # what is broken, and says nothing else
_NO_CONDITION = (0, works(None))
_CONDITION_NO = {name: no for no, name in enumerate(CONDITIONS, start=1)}


IndexRow: TypeAlias = tuple[int, int | None, int | None, int, int, int, int, int]  # of `places`


class Place(NamedTuple):
    """What `places` has of a record, beside its lane and kind."""

    key: int
    lat: int | None
    lon: int | None
    category: int
    condition: int
    rule: bytes | None  # when it is open and how it is lent: canonical; none where it says nothing


def place_of(values: Mapping[str, Value], no: int) -> Place:
    """From the shown values of record number `no`. Raises StoreError where keys have no room for so many."""
    if no > NO_MAX:
        raise StoreError(f"the search index has no room for more than {NO_MAX:,} records")
    get = values.get
    said = get("condition")
    condition, in_order = _by_condition(said) if type(said) is str else _NO_CONDITION
    rule = None
    says_how = "hours" in values or "lending" in values or "out_for_maintenance" in values
    if says_how or "specification" in values:
        rule = rule_of(values)
    elif not in_order:
        rule = _OUT_OF_ORDER
    lat, lon = shown.place_of(values)
    category = _category(get("category"), get("title"))
    return Place(key_of(lat, lon, no), lat, lon, category, condition, rule)


def text_of(values: Mapping[str, Value]) -> str:
    """What the full-text index is given: all text that a person could look for, and words for where and what the thing is."""
    return text_at(values, place_of(values, 0))


def text_at(values: Mapping[str, Value], place: Place) -> str:
    """The same, where the place is known."""
    return f"{shown.text_of(values)} {words_of(place.key)}{_CATEGORY_WORDS[place.category]}"


def half_text(values: Mapping[str, Value]) -> str | None:
    """The same of a half: what it says of its thing, and a word that says what it is; None where that is no text."""
    own = {name: value for name, value in values.items() if name not in shown.OF_A_HALF}
    text = shown.text_of(own)
    return f"{text} {HALF_MARK}" if text.strip() else None


def category_word(categories: tuple[int, int]) -> str | None:
    """The word that all things in this range of categories have, and no others; None where there is none."""
    first, last = categories
    known = any((each.number, each.last) == categories for each in CATEGORIES.values())
    return f"{CATEGORY_MARK}{first:x}" if known and first <= last else None


def rule_of(values: Mapping[str, Value]) -> bytes | None:
    """All that says when a thing could be had, but for reservations; None where it says nothing of that.

    Of what its model says there is only that there is one: this may change without the thing.
    """
    said = said_of(values)
    if model_named(values) is not None:
        said.append(True)
    return canonical.encode(said) if said != [None, None, None, True] else None


def said_of(values: Mapping[str, Value]) -> list[Value]:
    """Its hours, its rules of lending, whether and until when it is out, and whether it works."""
    hours, lending, out = (values.get(name) for name in ("hours", "lending", "out_for_maintenance"))
    return [
        hours if isinstance(hours, dict) and hours else None,
        lending if isinstance(lending, dict) and lending else None,
        out if out is True or (type(out) is int and out > 0) else None,
        works(values.get("condition")),
    ]


def model_named(values: Mapping[str, Value]) -> bytes | None:
    """The record of the model that a thing names."""
    named = values.get("specification")
    return named if isinstance(named, bytes) and len(named) == RECORD_BYTES else None


def condition_number(name: str) -> int | None:
    """Of a known condition."""
    return _CONDITION_NO.get(name)


def _category_words() -> dict[int, str]:
    """By number: a word for the category and each above it."""
    found = {0: ""}
    for each in CATEGORIES.values():
        above = [other for other in CATEGORIES.values() if other.number <= each.number <= other.last]
        found[each.number] = "".join(f" {CATEGORY_MARK}{other.number:x}" for other in above)
    return found


_CATEGORY_WORDS = _category_words()


def _category(category: Value, title: Value) -> int:
    """The number of what `category_of` says, which need not look at the title where the category says enough."""
    found = _by_category(category) if type(category) is str else None
    if found is None:
        found = _number(category_of(None, title)) if type(title) is str else 0
    return found


@lru_cache(maxsize=CACHED)
def _by_category(category: str) -> int | None:
    """None where the category alone does not say."""
    known = category_of(category)
    return _number(known) if known is not None else None


def _number(known: str | None) -> int:
    return (category_number(known) or 0) if known is not None else 0


@lru_cache(maxsize=CACHED)
def _by_condition(condition: str) -> tuple[int, bool]:
    """Its number, and whether a thing in it works."""
    return _CONDITION_NO.get(condition_of(condition) or "", 0), works(condition)


class Rules:
    """The numbers of rules, given as they come. For one write transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[bytes, int] = {}

    def number(self, rule: bytes) -> int:
        """Of a rule, new or known."""
        no = self._known.get(rule)
        if no is None:
            self._db.execute("insert or ignore into hours (rule) values (?)", (rule,))
            no = self._db.execute("select no from hours where rule = ?", (rule,)).fetchone()[0]
            self._known[rule] = no
        return no


def remake(db: sqlite3.Connection) -> None:
    """Make `places` and `search` anew from the records, inside of a write transaction."""
    db.execute("delete from places")
    db.execute("insert into search (search) values ('delete-all')")
    rules, unplaced, with_halves = Rules(db), not_found(db), shown.lanes_of_halves(db)
    rows = db.execute(
        f"select no, id, lane, kind, deleted, registers from records where status <> {BENEATH} order by no"
    )
    while chunk := rows.fetchmany(ROWS_AT_ONCE):
        texts: list[tuple[int, str]] = []
        places: list[IndexRow] = []
        for no, record, lane, kind, deleted, blob in chunk:
            values = registers.shown(registers.load(record, blob))
            if lane in with_halves and shown.is_half(values):
                if (text := half_text(values)) is not None:
                    texts.append((no, text))
                continue
            place = place_of(values, no)
            texts.append((no, text_at(values, place)))
            if not deleted and kind not in unplaced:
                places.append(row(place, lane, kind, rules))
        db.executemany("insert into search (rowid, text) values (?, ?)", texts)
        db.executemany(INSERT, sorted(places, key=itemgetter(0)))
    db.execute("delete from meta where name = 'category_order'")  # the mark of RULES 1
    db.execute("insert or replace into meta values (?, ?)", (MARK, _MADE_BY))


def row(place: Place, lane: int, kind: int, rules: Rules) -> IndexRow:
    """The row of `places`."""
    key, lat, lon, category, condition, rule = place
    hours = ALWAYS_OPEN if rule is None else rules.number(rule)
    return (key, lat, lon, lane, kind, category, condition, hours)


def not_found(db: sqlite3.Connection) -> frozenset[int]:
    """The numbers of the kinds that `places` leaves out."""
    found = db.execute(f"select no from kinds where name in ({','.join('?' * len(NOT_FOUND))})", NOT_FOUND)
    return frozenset(no for (no,) in found)


def is_current(db: sqlite3.Connection) -> bool:
    """Whether the index was made by these rules, with the category numbers of now."""
    found = db.execute("select value from meta where name = ?", (MARK,)).fetchone()
    return found is not None and found[0] == _MADE_BY
