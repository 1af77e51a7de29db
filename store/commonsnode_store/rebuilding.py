"""Everything computed anew from the changesets, in a new file that takes the place of the old one.

Of the old file only the tables `changesets`, `dictionaries`, `communities`, `lanes`, `epoch_keys`, `held_writes`,
`peers`, `imports` and `meta` are read, and of `changesets` all that can be: a page that is lost costs what was on it. A changeset whose id, signature or form does not hold is left
out and named; peers bring it again. One that does not stand any more (since a grant was lost) is kept, and waits.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.authority.view import ALWAYS, NEVER
from commonsnode_protocol.changeset import AUTHORITY, KEYS, KNOWLEDGE, MEMBERS, PUBLIC, Header, header
from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.intake import Checked
from commonsnode_store import bodies, following, lanes, occupancy, opening
from commonsnode_store.answers import Problem
from commonsnode_store.applying import CHANGES_AT_ONCE, Addition, held_ids
from commonsnode_store.checking.changesets import taken_in
from commonsnode_store.connections import Connection, open_writer, reported_with_files
from commonsnode_store.errors import Damaged, NewerFormat
from commonsnode_store.id_digests import IdDigests
from commonsnode_store.numbers import Numbers
from commonsnode_store.ordering import in_order_of_refs
from commonsnode_store.reserved import Persons
from commonsnode_store.schema import FORMAT, SEALED_FROM, STANDS, VOID, WAITS
from commonsnode_store.transaction import Transaction
from commonsnode_store.walks import Walked, Walks, walk

ROWS_AT_ONCE = 64
STEP = 256  # rows between two calls of progress
NO_MAX = 2**48  # no changeset has a greater number

Progress: TypeAlias = Callable[[int, int], None]
_LaneOfAuthor: TypeAlias = tuple[bytes, str, bytes]  # community, lane, key
_COLUMNS = "select no, id, seen_ms, standing, codec, signature, body from changesets not indexed"
_COPIED = {
    "meta": "insert or replace into meta (name, value) values (?, ?)",
    "peers": "insert into peers (address, node, source, seen_ms) values (?, ?, ?, ?)",
    "epoch_keys": "insert into epoch_keys (community, commitment, key) values (?, ?, ?)",
    "held_writes": "insert into held_writes (community, author, record, kind, writes) values (?, ?, ?, ?, ?)",
    "imported_tags": "insert into imported_tags (community, lane, kind, source, tags) values (?, ?, ?, ?, ?)",
    "imports": "insert into imports (no, community, lane, kind, source, records) values (?, ?, ?, ?, ?, ?)",
}


class _Row(NamedTuple):
    no: int
    id: bytes
    seen_ms: int
    standing: int
    codec: int
    signature: bytes
    body: bytes


class _Kept(NamedTuple):
    """A changeset that holds, when it was first seen, and whether it was void."""

    checked: Checked
    seen_ms: int
    void: bool

    def standing(self, stands: bool) -> int:
        """What stood before a grant was lost waits for it; what was void stays in history."""
        return STANDS if stands else VOID if self.void else WAITS


def build(old: Connection, path: Path, progress: Progress | None = None) -> list[Problem]:
    """Make a new file at `path`, closed and without a log, from an old one that is open.

    Returns what was left out. Raises sqlite3.Error or OSError where the new file cannot be written.
    """
    opening.remove(path)
    new = opening.new_file(path)
    try:
        # Until it is whole a power cut may have it, and it is made anew.
        new.execute("pragma journal_mode = off")
        new.execute("pragma synchronous = off")
        problems = _Build(old, new, progress).run()
        new.execute("pragma synchronous = full")
        new.execute("pragma journal_mode = wal")
        new.close()
    except BaseException:
        new.close()
        opening.remove(path)
        raise
    return problems


def rebuild_closed(path: Path, progress: Progress | None = None) -> list[Problem]:
    """Put a new file in the place of one that no one has open. Raises NotANode, NewerFormat, Damaged, DiskFull."""
    opening.finish_replacing(path)
    opening.recognise(path)
    rebuilt = opening.making_of(path, "rebuilding")
    with reported_with_files(path):
        old = open_writer(path)
        try:
            found: int = old.execute("pragma user_version").fetchone()[0]
            if found > FORMAT:
                raise NewerFormat(found, FORMAT)
            problems = build(old, rebuilt, progress)
        finally:
            old.close()
        opening.replace_file(path, rebuilt)
    return problems


def _cuts(evaluator: Evaluator) -> bool:
    return bool(evaluator.authority.cut)


class _Build:
    def __init__(self, old: Connection, new: Connection, progress: Progress | None) -> None:
        self._old, self._new, self._progress = old, new, progress
        self._problems: list[Problem] = []
        self._told: set[int] = set()  # numbers that were named as problems
        self._done = self._total = 0

    def run(self) -> list[Problem]:
        self._new.execute("begin immediate")
        self._copy_rest()
        kept = self._read_authority()
        transaction = Transaction(
            self._new,
            Numbers(self._new),
            bodies.Packer(self._new),
            lanes.load(self._new),
            Walks(),
            IdDigests(),
            Persons(),
        )
        evaluators = {
            community: self._add_authority(transaction, community, kept[community]) for community in kept
        }
        self._add_data(transaction, evaluators, self._walk_over_cut(evaluators))
        transaction.finish()
        occupancy.fill(self._new, transaction.before, lambda community: evaluators[community].authority)
        self._new.execute("commit")
        return self._problems

    def _copy_rest(self) -> None:
        # A file of a former format lacks what came later.
        there = {name for (name,) in self._read("database", "select name from sqlite_master")}
        for table, sql in _COPIED.items():
            if table in there:
                self._new.executemany(sql, self._read(table, f"select * from {table}"))
        followed = self._read(
            "lanes",
            "select communities.id, lanes.name from communities left join lanes on community = communities.no",
        )
        for community, name in followed:
            following.follow(self._new, community, [name] if name is not None else [])
        ((found,),) = self._old.execute("pragma user_version")
        if found < SEALED_FROM:
            every = {(community, name) for community, name in followed}
            for community in {of for of, name in every if name == KNOWLEDGE} & {
                of for of, name in every if name == PUBLIC
            }:
                following.follow(self._new, community, [MEMBERS, KEYS])
        stopped = self._read("communities", "select stopped, id from communities where stopped is not null")
        self._new.executemany("update communities set stopped = ? where id = ?", stopped)
        for (count,) in self._read("changesets", "select count(*) from changesets"):
            self._total = 2 * count

    def _read(self, table: str, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self._old.execute(sql).fetchall()
        except sqlite3.DatabaseError as error:
            self._problems.append(Problem(table, f"cannot be read: {error}"))
            return []

    def _read_authority(self) -> dict[bytes, list[_Kept]]:
        """The changesets of lane `authority` by community; and every lane that there are changesets of is followed."""
        kept: dict[bytes, list[_Kept]] = defaultdict(list)
        seen: dict[tuple[bytes, str], None] = {}
        for row, head in self._rows():
            community = head.community or row.id
            seen[community, head.lane] = None
            if head.lane == AUTHORITY and (found := self._kept(row, community, head.lane)) is not None:
                kept[community].append(found)
        for community, lane in seen:
            following.follow(self._new, community, [lane])
            kept.setdefault(community, [])
        return kept

    def _add_authority(self, transaction: Transaction, community: bytes, kept: Sequence[_Kept]) -> Evaluator:
        evaluator = Evaluator(community)
        evaluator.add(one.checked.changeset for one in kept)
        for standing in (STANDS, WAITS, VOID):
            ones = [one for one in kept if one.standing(one.checked.id in evaluator.standing) == standing]
            self._add(transaction, community, AUTHORITY, ones, standing)
        if evaluator.chain is not None:
            transaction.rename(transaction.before.community(community), evaluator.chain.current.name)
        return evaluator

    def _walk_over_cut(self, evaluators: Mapping[bytes, Evaluator]) -> Mapping[_LaneOfAuthor, Walked]:
        """Of authors who were cut, what of all that is held stands: another pass, where there are any."""
        walked: dict[_LaneOfAuthor, Walked] = {}
        if not any(_cuts(evaluator) for evaluator in evaluators.values()):
            return walked
        for row, head in self._rows():
            verdict = evaluators[head.community or row.id].verdict(head.author, head.lane)
            if head.lane == AUTHORITY or verdict in (ALWAYS, NEVER):
                continue
            found = self._kept(row, head.community, head.lane)
            if found is not None:
                of = (head.community, head.lane, head.author)
                if of not in walked:
                    walked[of] = walk(head.author, head.lane, verdict, ())
                walked[of].add(found.checked.id, found.checked.changeset.refs)
        return walked

    def _add_data(
        self,
        transaction: Transaction,
        evaluators: Mapping[bytes, Evaluator],
        walked: Mapping[_LaneOfAuthor, Walked],
    ) -> None:
        pending: dict[tuple[bytes, str, int], list[_Kept]] = defaultdict(list)
        weight = 0
        for row, head in self._rows():
            if head.lane == AUTHORITY or (found := self._kept(row, head.community, head.lane)) is None:
                continue
            changeset = found.checked.changeset
            walk_of = walked.get((head.community, head.lane, head.author))
            if walk_of is not None:
                stands = changeset.id in walk_of.standing
            else:
                stands = evaluators[head.community].verdict(head.author, head.lane) == ALWAYS
            pending[head.community, head.lane, found.standing(stands)].append(found)
            weight += len(changeset.changes) + len(changeset.refs)
            if weight >= CHANGES_AT_ONCE:
                self._flush(transaction, pending)
                weight = 0
        self._flush(transaction, pending)

    def _flush(self, transaction: Transaction, pending: dict[tuple[bytes, str, int], list[_Kept]]) -> None:
        for (community, lane, standing), kept in pending.items():
            self._add(transaction, community, lane, kept, standing)
        pending.clear()

    def _add(
        self, transaction: Transaction, community: bytes, lane: str, kept: Sequence[_Kept], standing: int
    ) -> None:
        there = held_ids(self._new, [one.checked.id for one in kept])
        by_id = {one.checked.id: one for one in kept if one.checked.id not in there}
        ordered = [by_id[c.id] for c in in_order_of_refs([one.checked.changeset for one in by_id.values()])]
        if ordered:
            transaction.numbers.begin()
            nos = transaction.numbers.changesets(len(ordered))
            edit = transaction.lane(transaction.before.lane(community, lane))
            chunk = [one.checked for one in ordered]
            Addition(transaction, edit, chunk, nos, standing).write([one.seen_ms for one in ordered])
            transaction.concerned.forget()

    def _kept(self, row: _Row, community: bytes, lane: str) -> _Kept | None:
        try:
            checked = taken_in(self._old, community, lane, row.id, row.codec, row.signature, row.body)
        except Damaged as error:
            self._tell(row.no, error.detail)
            return None
        plausible = type(row.seen_ms) is int and row.seen_ms >= 0
        seen_ms = row.seen_ms if plausible else checked.changeset.time
        return _Kept(checked, seen_ms, row.standing == VOID)

    def _rows(self) -> Iterator[tuple[_Row, Header]]:
        """Every row that can be read, with what its body begins with."""
        for row in self._readable():
            self._done += 1
            if self._progress is not None and self._done % STEP == 0:
                self._progress(self._done, max(self._done, self._total))
            try:
                yield row, header(bodies.unpack(self._old, row.codec, row.body))
            except (Damaged, NotWellFormed, TypeError) as error:
                self._tell(row.no, f"the one with number {row.no} is not one: {error}")

    def _readable(self) -> Iterator[_Row]:
        last = 0
        while True:
            sql = f"{_COLUMNS} where no > ? order by no limit {ROWS_AT_ONCE}"
            try:
                rows = [_Row(*row) for row in self._old.execute(sql, (last,))]
            except sqlite3.DatabaseError:
                last, rows = self._beyond(last)
            else:
                last = rows[-1].no if rows else NO_MAX
            yield from rows
            if last >= NO_MAX:
                return

    def _beyond(self, last: int) -> tuple[int, list[_Row]]:
        """What can be read one by one after `last`, up to the number that is returned, after which reading goes on."""
        step = 1
        while True:
            try:
                found = self._one(f"{_COLUMNS} where no >= ? order by no limit 1", last + step)
                break
            except sqlite3.DatabaseError:
                step *= 2
            if last + step >= NO_MAX:
                self._tell(last + 1, f"those after number {last} cannot be read")
                return NO_MAX, []
        rows = []
        for no in range(last + 1, last + step):
            try:
                row = self._one(f"{_COLUMNS} where no = ?", no)
            except sqlite3.DatabaseError:
                self._tell(no, f"number {no} cannot be read")
            else:
                rows += [row] if row is not None else []
        return (found.no, [*rows, found]) if found is not None else (NO_MAX, rows)

    def _one(self, sql: str, no: int) -> _Row | None:
        row = self._old.execute(sql, (no,)).fetchone()
        return _Row(*row) if row is not None else None

    def _tell(self, no: int, detail: str) -> None:
        if no not in self._told:
            self._told.add(no)
            self._problems.append(Problem("changesets", detail))
