"""The only way in: from a batch of checked changesets to rows, in one transaction.

In any order, however often, in whatever batches: the same set gives the same rows. A changeset may come after those that
name it; what these supersede of it is found by the table `missing_refs`, and has no effect when it comes.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from commonsnode_protocol.authority import Authority
from commonsnode_protocol.changeset import AUTHORITY, Changeset
from commonsnode_protocol.intake import Checked
from commonsnode_store import rising, standing
from commonsnode_store.answers import Applied
from commonsnode_store.connections import select_in
from commonsnode_store.errors import CommunityStopped
from commonsnode_store.lanes import LaneEdit
from commonsnode_store.merging import Dead, Entry, Key, LaneRecords
from commonsnode_store.ordering import in_order_of_refs
from commonsnode_store.schema import STANDS, WAITS
from commonsnode_store.transaction import Transaction

CHANGES_AT_ONCE = 8_192  # changes and refs that are held in memory at once, whatever the size of the batch
_NOT_HELD = 0  # the number of no changeset

Late = Mapping[
    bytes, Sequence[tuple[Changeset, bool]]
]  # id → those that name it and were first, and whether they stand


def apply(
    transaction: Transaction,
    before: Authority,
    community: bytes,
    lane_name: str,
    batch: Sequence[Checked],
    *,
    seen_ms: int,
    own: bool,
) -> Applied:
    """Take in changesets of one lane; see Store.apply."""
    follows = transaction.before
    followed, lane = follows.community(community), follows.lane(community, lane_name)
    if followed.stopped is not None and own:
        raise CommunityStopped(community, followed.stopped)
    known_ids = held_ids(transaction.db, [checked.id for checked in batch])
    known = tuple(checked.id for checked in batch if checked.id in known_ids)
    new = {checked.id: checked for checked in batch if checked.id not in known_ids}
    for checked in new.values():
        _expect(checked.changeset, community, lane_name)
    if followed.stopped is not None:
        return Applied(refused=tuple(new), known=known)
    after = standing.judge(
        transaction, followed, lane, before, [checked.changeset for checked in new.values()]
    )
    stand = [checked for checked in new.values() if after.stands(checked.changeset)]
    rest = [checked for checked in new.values() if not after.stands(checked.changeset)]
    edit = transaction.lane(lane)
    add(transaction, edit, _in_order(stand), seen_ms=seen_ms, stands=True)
    if own:
        add(transaction, edit, _in_order(rest), seen_ms=seen_ms, stands=False)
    return Applied(
        new=tuple(checked.id for checked in stand),
        waiting=tuple(checked.id for checked in rest) if own else (),
        refused=() if own else tuple(checked.id for checked in rest),
        known=known,
        risen=rising.rise(transaction, community, after) if after != before else {},
        authority_changed=after != before,
    )


def held_ids(db: sqlite3.Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these changesets that are held, standing or not."""
    return {id_ for (id_,) in select_in(db, "select id from changesets where id in ({})", ids)}


def add(
    transaction: Transaction, edit: LaneEdit, ordered: Sequence[Checked], *, seen_ms: int, stands: bool
) -> None:
    """Add changesets of one lane that are not held, each after those of them that it refs."""
    for chunk in _chunks(ordered):
        transaction.numbers.begin()
        nos = transaction.numbers.changesets(len(chunk))
        Addition(transaction, edit, chunk, nos, stands).write([seen_ms] * len(chunk))


class Addition:
    """Some changesets that are added together: few enough to be held in memory with all that they change."""

    def __init__(
        self,
        transaction: Transaction,
        edit: LaneEdit,
        chunk: Sequence[Checked],
        nos: Sequence[int],
        stands: bool,
    ) -> None:
        self._db, self._numbers, self._packer = transaction.db, transaction.numbers, transaction.packer
        self._edit, self._lane = edit, edit.before
        self._chunk, self._nos, self._stands = chunk, nos, stands
        self._authors = [self._numbers.author(checked.changeset.author) for checked in chunk]

    def write(self, seen_ms: Sequence[int]) -> None:
        """seen_ms: of each, when this node first held it."""
        refs = self._refs()
        self._insert(seen_ms)
        for no, checked in zip(self._nos, self._chunk, strict=True):
            self._numbers.order[no] = (checked.changeset.time, checked.id)
        named_before = list(self._named_before())
        self._update_heads(refs, named_before)
        self._update_missing_refs(refs, named_before)
        if self._lane.name != AUTHORITY:
            entries = self._entries(seen_ms, refs, self._late(named_before))
            LaneRecords(self._db, self._numbers, self._edit).merge(entries, standing=self._stands)
        if self._stands:
            self._edit.add([(checked.changeset.time, checked.id) for checked in self._chunk])

    def _refs(self) -> Mapping[bytes, tuple[int, bool]]:
        """Of each changeset that is ref'd and held: its number, and whether it stands."""
        found = {checked.id: (no, self._stands) for no, checked in zip(self._nos, self._chunk, strict=True)}
        wanted = {ref for checked in self._chunk for ref in checked.changeset.refs if ref not in found}
        for id_, no, stands in select_in(
            self._db, "select id, no, standing from changesets where id in ({})", list(wanted)
        ):
            found[id_] = (no, stands == STANDS)
        return found

    def _insert(self, seen_ms: Sequence[int]) -> None:
        stands = STANDS if self._stands else WAITS
        rows = []
        packed = self._packer.pack(
            self._lane.no, self._edit.count, [checked.signed.body for checked in self._chunk]
        )
        for no, author, seen, checked, (codec, body) in zip(
            self._nos, self._authors, seen_ms, self._chunk, packed, strict=True
        ):
            time, signature = checked.changeset.time, checked.signed.signature
            rows.append((no, checked.id, self._lane.no, author, time, seen, stands, codec, signature, body))
        self._db.executemany("insert into changesets values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _named_before(self) -> Iterator[tuple[bytes, int, int, int]]:
        """Of what was held before and names one of these: id of the named one; number, lane and author of who names."""
        return select_in(
            self._db,
            "select ref, no, lane, author from missing_refs join changesets on no = changeset where ref in ({})",
            [checked.id for checked in self._chunk],
        )

    def _update_heads(
        self, refs: Mapping[bytes, tuple[int, bool]], named_before: Iterable[tuple[bytes, int, int, int]]
    ) -> None:
        authors = {checked.id: author for author, checked in zip(self._authors, self._chunk, strict=True)}
        followed = {
            id_ for id_, _, lane, author in named_before if lane == self._lane.no and author == authors[id_]
        }
        heads: dict[tuple[int, int], None] = {}
        former: list[tuple[int, int, int]] = []
        for no, author, checked in zip(self._nos, self._authors, self._chunk, strict=True):
            for ref in checked.changeset.refs:
                ref_no, _ = refs.get(ref, (_NOT_HELD, False))
                if (author, ref_no) in heads:
                    del heads[author, ref_no]
                elif ref_no != _NOT_HELD:
                    former.append((self._lane.no, author, ref_no))
            if checked.id not in followed:
                heads[author, no] = None
        self._db.executemany("delete from heads where lane = ? and author = ? and changeset = ?", former)
        self._db.executemany(
            "insert into heads values (?, ?, ?)", [(self._lane.no, author, no) for author, no in heads]
        )

    def _update_missing_refs(
        self, refs: Mapping[bytes, tuple[int, bool]], named_before: Sequence[tuple[bytes, int, int, int]]
    ) -> None:
        if self._stands and named_before:
            self._db.executemany(
                "delete from missing_refs where ref = ?", [(row[0],) for row in named_before]
            )
        missing = [
            (ref, no)
            for no, checked in zip(self._nos, self._chunk, strict=True)
            for ref in checked.changeset.refs
            if not refs.get(ref, (_NOT_HELD, False))[1]
        ]
        if missing:
            self._db.executemany("insert into missing_refs values (?, ?)", missing)

    def _late(self, named_before: Sequence[tuple[bytes, int, int, int]]) -> Late:
        """Of each of these that came after some that name it, in its lane: those, and whether they stand."""
        named: dict[int, list[bytes]] = defaultdict(list)
        for id_, no, lane, _ in named_before:
            if lane == self._lane.no:
                named[no].append(id_)
        changed = {
            checked.id: [record for record, _, _ in checked.changeset.changes] for checked in self._chunk
        }
        late: dict[bytes, list[tuple[Changeset, bool]]] = defaultdict(list)
        for no, id_, stands, codec, body in select_in(
            self._db, "select no, id, standing, codec, body from changesets where no in ({})", list(named)
        ):
            records = {record for ref in named[no] for record in changed[ref]}
            changeset = standing.read_excerpt(self._db, id_, codec, body, records)
            for ref in named[no]:
                late[ref].append((changeset, stands == STANDS))
        return late

    def _entries(
        self, seen_ms: Sequence[int], refs: Mapping[bytes, tuple[int, bool]], late: Late
    ) -> list[Entry]:
        entries = []
        for no, seen, checked in zip(self._nos, seen_ms, self._chunk, strict=True):
            changeset = checked.changeset
            ref_nos = [refs.get(ref, (_NOT_HELD, False))[0] for ref in changeset.refs]
            names = late.get(checked.id)
            if names is None:
                entries.append(Entry(no, changeset, seen, ref_nos))
            else:
                standing_ones = [by for by, stands in names if stands]
                dead, dead_beside = (
                    _dead(checked.id, standing_ones),
                    _dead(checked.id, [by for by, _ in names]),
                )
                entries.append(Entry(no, changeset, seen, ref_nos, dead, dead_beside))
        return entries


def _dead(id_: bytes, by: Iterable[Changeset]) -> Dead:
    """The fields, by record, in which one of `by` supersedes the changeset `id_`."""
    dead: dict[Key, set[str]] = defaultdict(set)
    for changeset in by:
        index = changeset.refs.index(id_)
        for record, kind, writes in changeset.changes:
            dead[kind, record].update(name for name, (_, supersedes) in writes.items() if index in supersedes)
    return dead


def _chunks(ordered: Sequence[Checked]) -> Iterator[Sequence[Checked]]:
    begin = weight = 0
    for at, checked in enumerate(ordered):
        weight += len(checked.changeset.changes) + len(checked.changeset.refs)
        if weight >= CHANGES_AT_ONCE:
            yield ordered[begin : at + 1]
            begin, weight = at + 1, 0
    if begin < len(ordered):
        yield ordered[begin:]


def _in_order(batch: Sequence[Checked]) -> list[Checked]:
    by_id = {checked.id: checked for checked in batch}
    return [by_id[changeset.id] for changeset in in_order_of_refs([c.changeset for c in batch])]


def _expect(changeset: Changeset, community: bytes, lane: str) -> None:
    of = changeset.id if changeset.is_charter else changeset.community
    if of != community or changeset.lane != lane:
        raise ValueError(f"a changeset of {of.hex()}/{changeset.lane} for {community.hex()}/{lane}")
