"""Take the rows of a file into a community: each thing once, wherever and however often the file is imported (rule 31).

First every row is checked and laid by, in memory or in a temporary file, so that an import that must be refused leaves
nothing behind. Then the rows are written, some thousands in a transaction, with other writes in between.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import msgpack

from commonsnode import halves
from commonsnode.authoring import Author, Entry, Seen, check_kind, superseding
from commonsnode.errors import Conflict, TooLarge, WrongField
from commonsnode.import_places import Fields, Places
from commonsnode.import_rows import Bad, Head, Row, read_row
from commonsnode.import_tags import Tags
from commonsnode.inventory import DELETED, KIND, NONCE, WRITTEN_LANES, differs
from commonsnode.tables.json_form import JsonFormError
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_protocol.limits import CHANGESET_BYTES_MAX
from commonsnode_protocol.record import imported_id
from commonsnode_store.answers import RecordView
from commonsnode_store.shown import BESIDE, PLACE, title_of
from commonsnode_store.store import Store

ROWS_MAX = 1_000_000  # in one import
SPOOL_BYTES_MAX = 512 * 1024 * 1024
SPOOL_MEMORY_BYTES_MAX = 4 * 1024 * 1024  # above this the rows lie on the disk
REJECTED_MAX = 10_000  # bad rows; with more the file is not what it is taken for
GONE_SHOWN = 5  # titles in the notice; the document has all
STEP_ROWS_MAX = 2_560  # in one transaction: ten changesets of 256
STEP_BYTES_MAX = 10 * CHANGESET_BYTES_MAX
KNOWN_KINDS = (  # where a row's earlier record may be, the last first; not every kind that somebody made up
    KIND,
    "agent",
    "specification",
    "intent",
    "commitment",
    "event",
    "agreement",
    "place",
    "plan",
    "proposal",
    "vote",
    "design",
)


class Laid(NamedTuple):
    """A row laid by, with the record that it is about."""

    line: int
    target: bytes
    kind: str
    lane: str
    own: bool
    fields: dict[str, Value]


@dataclass(slots=True)
class Result:
    """What an import did, or would do. rejected: rows that were not taken."""

    places: Places
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    waiting: bool = False
    rejected: list[Bad] = field(default_factory=list)
    removed: int = 0  # rows whose thing was removed here: it stays removed
    gone: list[RecordView] = field(
        default_factory=list
    )  # came from this table before, and are not in it any more

    @property
    def notices(self) -> list[str]:
        """What a person should know beside the numbers."""
        notices = []
        if self.removed:
            notices.append(
                f"{self.removed} of the unchanged things were removed here before, and stay removed"
            )
        if self.gone:
            titles = ", ".join(view.title for view in self.gone[:GONE_SHOWN])
            more = f" and {len(self.gone) - GONE_SHOWN} more" if len(self.gone) > GONE_SHOWN else ""
            notices.append(
                f"{len(self.gone)} things came from this table before and are not in it any more: {titles}{more}."
                " They stay; `commonsnode remove ID` takes one out"
            )
        return notices + self.places.notices


class Import:
    """One import: `take` the lines of the file as they come, then `step` (or `compare`) until that says False."""

    def __init__(self, community: bytes, head: Head, own_key: bytes, folder: Path) -> None:
        """own_key: that this node signs with. folder: where rows lie that are too many for memory. Raises WrongField."""
        if head.kind is not None:
            check_kind(head.kind)
        if head.lane not in WRITTEN_LANES:
            raise WrongField("lane", f"one of {', '.join(WRITTEN_LANES)}")
        self.result = Result(Places(community, head.exact_places, PLACE in head.columns))
        self.rows = 0  # laid by
        self.done = 0  # written, or compared
        self._community = community
        self._head = head
        self._own_key = own_key
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by `close`
            SPOOL_MEMORY_BYTES_MAX, dir=str(folder)
        )
        self._packer = msgpack.Packer()
        self._size = 0
        self._lines: dict[tuple[bytes, str, str], tuple[int, int]] = {}  # record → line, hash of its row
        self._present: dict[tuple[str, str], set[bytes]] = defaultdict(
            set
        )  # kind, lane → what the table names
        self._tags = Tags(community, head.source, head.columns)
        self._names: set[str] = set()
        self._other_kinds: tuple[str, ...] | None = None
        self._laid: msgpack.Unpacker | None = None

    def close(self) -> None:
        """Throw away what was laid by."""
        self._spool.close()

    def take(self, store: Store, lines: Iterable[bytes]) -> None:
        """Check some lines of JSON and lay the rows by. In a reader thread.

        Raises TooLarge; WrongField where a line is no row; Conflict where rows would write over things of another author.
        """
        rows = []
        for text in lines:
            try:
                row = read_row(text, self._head, self._names)
            except JsonFormError as error:
                raise WrongField("rows", str(error)) from error
            if isinstance(row, Row):
                rows.append(row)
            else:
                self._reject(row)
        targets = self._targets(store, rows)
        if not halves.is_kept(store, self._community):
            self._check_places(store, targets)
        for laid, row in zip(targets, rows, strict=True):
            self._lay_by(laid, row)

    def _check_places(self, store: Store, rows: Sequence[Laid]) -> None:
        """Refuse a place that cannot be kept for members while nothing is written yet. Raises WrongField."""
        for (kind, lane), group in _groups(rows).items():
            here = store.records(self._community, lane, kind, [row.target for row in group])
            self._parts(store, kind, lane, group, here)
        self.result.places.begin_anew()

    def step(self, author: Author) -> bool:
        """Write the next rows in one transaction; False when all are done. In the writer thread.

        Raises the store's errors; what earlier steps wrote stays, and importing the file again goes on from there.
        """
        rows = self._next()
        for (kind, lane), group in _groups(rows).items():
            entries, for_members = self._entries(author.store, kind, lane, group)
            if for_members:  # first: without it an exact place would be lost
                author.write(self._community, MEMBERS, for_members)
            if entries:
                self.result.waiting |= author.write(self._community, lane, entries).waiting
        return self._advance(rows)

    def compare(self, store: Store) -> bool:
        """As `step`, but nothing is written: for a dry run. In a reader thread."""
        rows = self._next()
        for (kind, lane), group in _groups(rows).items():
            self._entries(store, kind, lane, group)
        return self._advance(rows)

    def finish(self, author: Author) -> None:
        """After the last step: say what is gone from the table, and keep what it names. In the writer thread."""
        for (kind, lane), present in self._present.items():
            gone = self._gone(author.store, kind, lane, present)
            author.store.note_import(self._community, lane, kind, self._head.source, present | gone)
            self._tags.keep(author.store, kind, lane, gone)

    def find_gone(self, store: Store) -> None:
        """As `finish`, but nothing is kept: for a dry run. In a reader thread."""
        for (kind, lane), present in self._present.items():
            self._gone(store, kind, lane, present)

    def _gone(self, store: Store, kind: str, lane: str, present: set[bytes]) -> set[bytes]:
        before = store.imported(self._community, lane, kind, self._head.source) - present
        here = store.records(self._community, lane, kind, sorted(before))
        gone = sorted((view for view in here.values() if not view.deleted), key=lambda view: view.title)
        self.result.gone += gone
        return {view.record for view in gone}

    def _reject(self, bad: Bad) -> None:
        self.result.rejected.append(bad)
        if len(self.result.rejected) > REJECTED_MAX:
            raise Conflict(f"more than {REJECTED_MAX} rows cannot be taken; nothing was written")

    def _targets(self, store: Store, rows: Sequence[Row]) -> list[Laid]:
        laid = [self._target(row) for row in rows]
        if self._head.kind is None:
            self._find_other_kinds(store, rows, laid)
        own: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            if row.record is not None:
                own[row.kind, row.lane].append(index)
        for (kind, lane), indexes in own.items():
            here = store.records(self._community, lane, kind, [rows[i].record or b"" for i in indexes])
            for i in indexes:
                record = rows[i].record
                if record is not None and record in here:
                    laid[i] = laid[i]._replace(target=record)
        if not self._head.source_given:
            self._refuse_other_titles(store, [one for one in laid if not one.own])
        return laid

    def _target(self, row: Row) -> Laid:
        target = imported_id(self._community, row.kind, self._head.source, row.key)
        return Laid(row.line, target, row.kind, row.lane, row.record is not None, row.fields)

    def _find_other_kinds(self, store: Store, rows: Sequence[Row], laid: list[Laid]) -> None:
        """A row that was imported here as another kind before stays of that kind."""
        if self._other_kinds is None:
            here = store.kinds()
            self._other_kinds = tuple(kind for kind in KNOWN_KINDS if kind in here)
        for kind in self._other_kinds:
            at = {
                imported_id(self._community, kind, self._head.source, row.key): index
                for index, row in enumerate(rows)
                if row.record is None and not (kind == row.kind == KIND)
            }
            if not at:
                continue
            for target in store.records(self._community, self._head.lane, kind, list(at)):
                laid[at[target]] = laid[at[target]]._replace(target=target, kind=kind)

    def _refuse_other_titles(self, store: Store, laid: Sequence[Laid]) -> None:
        for (kind, lane), group in _groups(laid).items():
            here = store.records(self._community, lane, kind, [one.target for one in group])
            for one in group:
                view = here.get(one.target)
                title = title_of(one.fields)
                if view is None or title is None or self._last_author(view) == self._own_key:
                    continue
                if title != view.title:
                    raise Conflict(
                        f"line {one.line} ({title!r}) would write over {view.title!r}, which somebody else imported from"
                        f" a table called {self._head.source!r}. Name yours with --source, or say"
                        f" --source {self._head.source!r} if it is the same one"
                    )

    @staticmethod
    def _last_author(view: RecordView) -> bytes:
        writes = [write for standing in view.fields.values() for write in standing]
        return max(writes, key=lambda write: (write.time, write.changeset)).author

    def _lay_by(self, laid: Laid, row: Row) -> None:
        name = (laid.target, laid.kind, laid.lane)
        before = self._lines.get(name)
        row_hash = hash(row.packed)
        if before is not None:
            if before[1] == row_hash:
                self.result.unchanged += 1
            else:
                self._reject(Bad(laid.line, f"has the same key as line {before[0]}: {row.key[:80]!r}"))
            return
        self._lines[name] = (laid.line, row_hash)
        if not laid.own:
            self._present[laid.kind, laid.lane].add(laid.target)
            self._tags.note(laid.kind, laid.lane, laid.target, row.fields)
        packed = self._packer.pack(laid[:-1]) + row.packed
        self._size += len(packed)
        if len(self._lines) > ROWS_MAX or self._size > SPOOL_BYTES_MAX:
            raise TooLarge(
                f"an import has at most {ROWS_MAX} rows and {SPOOL_BYTES_MAX >> 20} MiB; nothing was written"
            )
        self._spool.write(packed)
        self.rows += 1

    def _next(self) -> list[Laid]:
        if self._laid is None:
            self._lines.clear()
            self._spool.seek(0)
            self._laid = msgpack.Unpacker(self._spool, max_buffer_size=SPOOL_BYTES_MAX)
        rows = []
        end = self._laid.tell() + STEP_BYTES_MAX
        for line, target, kind, lane, own in self._laid:
            rows.append(Laid(line, target, kind, lane, own, self._laid.unpack()))
            if len(rows) == STEP_ROWS_MAX or self._laid.tell() > end:
                break
        return rows

    def _advance(self, rows: Sequence[Laid]) -> bool:
        self.done += len(rows)
        return bool(rows)

    def _entries(
        self, store: Store, kind: str, lane: str, rows: Sequence[Laid]
    ) -> tuple[list[Entry], list[Entry]]:
        """What has to be written so that these records show what the file says: to the lane, and to lane `members`.

        Counts on the way.
        """
        here = store.records(self._community, lane, kind, [row.target for row in rows])
        parts = self._parts(store, kind, lane, rows, here)
        entries, touched = self._differing(store, kind, lane, [(row, part[0]) for row, part in parts], here)
        for_members: list[Entry] = []
        with_half = [(row, part[1]) for row, part in parts if part[1] and not self._stays_removed(row, here)]
        if with_half:
            there = store.records(self._community, MEMBERS, kind, [row.target for row, _ in with_half])
            begun = [
                (row, fields if row.target in there else {BESIDE: lane, **fields})
                for row, fields in with_half
                if row.target in there or any(value is not None for value in fields.values())
            ]
            for_members, in_half = self._differing(store, kind, MEMBERS, begun, there)
            touched |= in_half
        for row in rows:
            if row.target not in here:
                self.result.added += 1
            elif row.target in touched:
                self.result.changed += 1
            else:
                self.result.unchanged += 1
                self.result.removed += self._stays_removed(row, here)
        return entries, for_members

    @staticmethod
    def _stays_removed(row: Laid, here: Mapping[bytes, RecordView]) -> bool:
        return row.target in here and here[row.target].deleted and DELETED not in row.fields

    def _parts(
        self, store: Store, kind: str, lane: str, rows: Sequence[Laid], here: Mapping[bytes, RecordView]
    ) -> list[tuple[Laid, tuple[Fields, Fields]]]:
        """Each row with its fields for everybody and those for members; what comes in our own form stays as it is."""
        read = [row for row in rows if not row.own]
        parted = iter(
            self.result.places.part(store, kind, lane, [(row.fields, here.get(row.target)) for row in read])
        )
        return [(row, (row.fields, {}) if row.own else next(parted)) for row in rows]

    def _differing(
        self,
        store: Store,
        kind: str,
        lane: str,
        rows: Sequence[tuple[Laid, Fields]],
        here: Mapping[bytes, RecordView],
    ) -> tuple[list[Entry], set[bytes]]:
        """The writes that are due in one lane, and which records that are here they change."""
        entries: list[Entry] = []
        seen: list[Seen] = []
        edits: list[tuple[bytes, Fields]] = []
        for row, fields in rows:
            view = here.get(row.target)
            if view is None:
                writes = {name: (value, ()) for name, value in fields.items() if value is not None}
                entries.append((row.target, kind, writes))
            elif changes := self._changes(
                view, fields, self._clearable(store, row) if lane == row.lane else ()
            ):
                edits.append((row.target, changes))
                seen += [(row.target, kind, name, view.fields.get(name, ())) for name in changes]
        superseded = iter(superseding(store, self._community, lane, seen)) if seen else iter(())
        for target, changes in edits:
            entries.append(
                (target, kind, {name: (value, next(superseded)) for name, value in changes.items()})
            )
        return entries, {target for target, _ in edits}

    def _clearable(self, store: Store, row: Laid) -> Sequence[str]:
        """What this row can set, and so clears where it does not name it."""
        columns = self._head.columns
        gone = self._tags.gone(store, row.kind, row.lane, row.target) if not row.own else []
        return (*columns, *gone) if gone else columns

    @staticmethod
    def _changes(view: RecordView, fields: Fields, columns: Sequence[str]) -> Fields:
        """columns: what the fields can set, and so clear."""
        if view.deleted and DELETED not in fields:
            return {}
        changes = {
            name: value for name, value in fields.items() if name != NONCE and differs(view, name, value)
        }
        for name in columns:
            if name not in fields and name != NONCE and differs(view, name, None):
                changes[name] = None
        return changes


def _groups(rows: Iterable[Laid]) -> dict[tuple[str, str], list[Laid]]:
    groups: dict[tuple[str, str], list[Laid]] = defaultdict(list)
    for row in rows:
        groups[row.kind, row.lane].append(row)
    return groups
