"""Words in what members alone read of a thing: which things have all that was asked for because of them.

A half is in the search index under its own number, with a mark, and no word of it stands under that of its thing: so who
may not look into lane `members` learns nothing. Who may is given, beside what has all words for everybody, the things of
which a half has some of the words, and the thing itself the others.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from json import dumps

from commonsnode_store.connections import Connection, select_in
from commonsnode_store.indexed import HALF_MARK
from commonsnode_store.lanes import Lane
from commonsnode_store.schema import BENEATH
from commonsnode_store.search import all_of
from commonsnode_store.shown import HALVES_OF

SOME = 256  # records that have a word: of these halves are told by their lanes, which costs less than by their mark
FEW = 64  # things that are looked up one by one among all that have a word

_OF = ", ".join(f"'{name}'" for name in HALVES_OF)
_THINGS = f"""
select thing.no from records as half
cross join lanes as sealed on sealed.no = half.lane
cross join lanes as own on own.community = sealed.community and own.name in ({_OF})
cross join records as thing on thing.lane = own.no and thing.id = half.id and thing.kind = half.kind
where half.lane in ({{sealed}}) and half.status <> {BENEATH} and thing.status <> {BENEATH} and half.no in ({{{{}}}})
"""
_HAVING = "select rowid from search where search match ? and rowid in ({})"
_HAVING_OF_MANY = (
    "select rowid from search where search match ? and +rowid in (select value from json_each(?))"
)


def things(db: Connection, sealed: Sequence[Lane], terms: Sequence[str]) -> list[int]:
    """The numbers of the things that have all terms, some of them in their halves; ascending.

    sealed: the lanes `members` that may be looked into. terms: each a query for FTS5.
    """
    if not sealed:
        return []
    said: dict[int, set[int]] = defaultdict(set)  # thing → which of the terms its half has
    for at, term in enumerate(terms):
        for thing in _with(db, sealed, term):
            said[thing].add(at)
    by_missing: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for thing, has in said.items():
        by_missing[tuple(at for at in range(len(terms)) if at not in has)].append(thing)
    found = set(by_missing.pop((), ()))
    for missing, some in by_missing.items():
        found.update(_having(db, all_of([terms[at] for at in missing]), some))
    return sorted(found)


def not_halves(words: str) -> str:
    """The same FTS5 query, of what is a record of its own."""
    return f'({words}) NOT "{HALF_MARK}"'


def _with(db: Connection, sealed: Sequence[Lane], term: str) -> Iterator[int]:
    sql = "select rowid from search where search match ? limit ?"
    halves = [no for (no,) in db.execute(sql, (term, SOME + 1))]
    if len(halves) > SOME:
        halves = [no for (no,) in db.execute(sql, (f'({term}) AND "{HALF_MARK}"', -1))]
    of_these = _THINGS.format(sealed=",".join(str(lane.no) for lane in sealed))
    return (no for (no,) in select_in(db, of_these, halves))


def _having(db: Connection, words: str, things: Sequence[int]) -> Iterator[int]:
    if len(things) <= FEW:
        rows = select_in(db, _HAVING, things, words)
    else:
        rows = db.execute(_HAVING_OF_MANY, (words, dumps(things)))
    return (no for (no,) in rows)
