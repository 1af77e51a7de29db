"""Records whose writes rose or fell, or were opened, are computed anew, each from all that touches it.

What falls is kept apart, in `void_touches`; a record of which nothing else is held has no row any more.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from commonsnode_protocol.changeset import Write
from commonsnode_store import registers
from commonsnode_store.connections import select_in
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Lane
from commonsnode_store.merging import Key, Row, RowWriter, load_rows
from commonsnode_store.schema import BENEATH, OVERLAY, PLAIN
from commonsnode_store.standing import read_changes, read_excerpt
from commonsnode_store.transaction import Transaction

RECORDS_AT_ONCE = 1_024  # few enough that what lives meanwhile is young when it goes

Said = tuple[int, bytes, Sequence[bytes], Mapping[str, Write]]  # a changeset's number, id, refs and writes


@dataclass(slots=True)
class _Record:
    """One record while it is computed anew: which changesets touch it, by how they stand."""

    standing: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    rose: set[int] = field(default_factory=set)
    fell: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)  # waiting, and read here from now on
    base: Row | None = None
    overlay: Row | None = None
    said: list[Said] = field(default_factory=list)
    moments: dict[int, int] = field(
        default_factory=dict
    )  # changeset → when it was written, or seen before that


def settle(
    transaction: Transaction,
    lane: Lane,
    rose: Sequence[int],
    fell: Sequence[int],
    opened: Sequence[int] = (),
) -> None:
    """Bring the records of a lane up to date after these changesets (their numbers) rose and fell.

    opened: such as wait, and of which more can be read than before. What stands, and is opened, is as if it rose.
    """
    db, pending = transaction.db, _Pending({}, set(fell), set(opened))
    for no, id_, codec, body in select_in(
        db, "select no, id, codec, body from changesets where no in ({})", [*rose, *fell, *opened]
    ):
        for record, kind, _ in read_changes(db, id_, codec, body):
            pending.add((kind, record), no)
            transaction.concerned.write(lane, kind, record)
        if len(pending.records) >= RECORDS_AT_ONCE:
            _Settling(transaction, lane, pending.records).run()
            pending.records = {}
    _Settling(transaction, lane, pending.records).run()


@dataclass(slots=True)
class _Pending:
    records: dict[Key, _Record]
    fell: set[int]
    opened: set[int]

    def add(self, key: Key, no: int) -> None:
        record = self.records.get(key)
        if record is None:
            record = self.records[key] = _Record()
        of = record.fell if no in self.fell else record.opened if no in self.opened else record.rose
        of.add(no)


class _Settling:
    """Some records that are computed anew together."""

    def __init__(self, transaction: Transaction, lane: Lane, records: dict[Key, _Record]) -> None:
        self._db, self._numbers = transaction.db, transaction.numbers
        self._lane, self._edit, self._records = lane, transaction.lane(lane), records
        self._kinds = {kind: self._numbers.kind(kind) for kind, _ in records}

    def run(self) -> None:
        self._load()
        self._read()
        self._move_touches()
        self._write()

    def _load(self) -> None:
        ids: dict[str, list[bytes]] = defaultdict(list)
        for kind, id_ in self._records:
            ids[kind].append(id_)
        row_of: dict[int, tuple[_Record, bool]] = {}
        for kind, wanted in ids.items():
            for row in load_rows(self._db, self._lane.no, self._kinds[kind], wanted):
                record = self._records[kind, row.record]
                if row.status == OVERLAY:
                    record.overlay = row
                else:
                    record.base = row
                row_of[row.no] = (record, row.status == OVERLAY)
        for no, changeset in select_in(
            self._db, "select record, changeset from touches where record in ({})", [*row_of]
        ):
            record, waits = row_of[no]
            (record.waiting if waits else record.standing).add(changeset)
        for record in self._records.values():
            record.standing = (record.standing - record.fell) | record.rose
            record.waiting = (record.waiting - record.rose - record.fell) | record.opened

    def _read(self) -> None:
        """What all changesets say that stand or wait, of these records; each is read once."""
        touching: dict[int, dict[bytes, None]] = defaultdict(dict)
        for (_, id_), record in self._records.items():
            for no in record.standing | record.waiting:
                touching[no][id_] = None
        rows = select_in(
            self._db,
            "select no, id, min(time, seen_ms), codec, body from changesets where no in ({})",
            sorted(touching),
        )
        for no, id_, moment, codec, body in rows:
            changeset = read_excerpt(self._db, id_, codec, body, touching[no])
            for of, kind, writes in changeset.changes:
                found = self._records.get((kind, of))
                if found is not None and (no in found.standing or no in found.waiting):
                    found.said.append((no, id_, changeset.refs, writes))
                    found.moments[no] = moment

    def _move_touches(self) -> None:
        """Before the rows: one that goes must have none."""
        gone: list[tuple[int, int]] = []
        void: list[tuple[int, bytes, int, int]] = []
        no_more_void: list[tuple[int, bytes, int, int]] = []
        for (kind, id_), record in self._records.items():
            place = (self._lane.no, id_, self._kinds[kind])
            void += [(*place, no) for no in record.fell]
            no_more_void += [(*place, no) for no in record.rose]
            for row in (record.base, record.overlay):
                if row is not None:
                    gone += [(row.no, no) for no in record.fell | record.rose | record.opened]
        many = self._db.executemany
        many("delete from touches where record = ? and changeset = ?", sorted(gone))
        many("insert or ignore into void_touches values (?, ?, ?, ?)", sorted(void))
        many(
            "delete from void_touches where lane = ? and id = ? and kind = ? and changeset = ?",
            sorted(no_more_void),
        )

    def _write(self) -> None:
        kept: list[Row] = []
        gone: list[Row] = []
        touches: list[tuple[int, int]] = []
        for key, record in self._records.items():
            base = self._row(key, record.base, record.standing, BENEATH if record.waiting else PLAIN)
            overlay = self._row(key, record.overlay, record.waiting, OVERLAY)
            if base is not None:
                self._fill(base, record, record.standing)
                touches += [(base.no, no) for no in record.rose]
            if overlay is not None:
                self._fill(overlay, record, record.standing | record.waiting)
                touches += [(overlay.no, no) for no in record.opened]
            kept += [row for row in (base, overlay) if row is not None]
            gone += [
                row
                for row, now in ((record.base, base), (record.overlay, overlay))
                if row is not None and now is None
            ]
        self._numbers.know_order({no for row in kept if len(row.live) > 1 for no in row.live})
        writer = RowWriter(self._db, self._lane.no)
        for row in sorted(gone, key=lambda row: row.no):
            writer.remove(row)
        for row in sorted(kept, key=lambda row: row.no):
            writer.put(row, self._numbers.order)
        writer.finish(self._edit)
        self._db.executemany("insert into touches values (?, ?)", touches)

    def _row(self, key: Key, before: Row | None, touching: set[int], status: int) -> Row | None:
        if not touching:
            return None
        row = before or Row(self._numbers.record(), key[1], self._kinds[key[0]], status)
        row.status = status
        return row

    @staticmethod
    def _fill(row: Row, record: _Record, touching: set[int]) -> None:
        said = [each for each in record.said if each[0] in touching]
        if len(said) != len(touching):
            raise Damaged("touches", f"record {row.record.hex()} is touched by what does not write to it")
        row.live = registers.from_scratch(said)
        row.changed_ms = max(record.moments[no] for no in touching)
