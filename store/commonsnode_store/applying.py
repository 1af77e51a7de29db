"""The only way in: from a batch of checked changesets to rows, in one transaction.

In any order, however often, in whatever batches: the same set gives the same rows. A changeset may come after those that
name it; what these supersede of it is found by the table `missing_refs`, and has no effect when it comes.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from commonsnode_protocol.authority import Evaluator, Table, charter_table
from commonsnode_protocol.authority.evaluator import NOTHING
from commonsnode_protocol.authority.settings import KNOWN_VERSIONS
from commonsnode_protocol.authority.view import ALWAYS, NEVER, Verdict
from commonsnode_protocol.changeset import AUTHORITY, MEMBERS, Changeset
from commonsnode_protocol.intake import Checked
from commonsnode_store import chains, commitments, events, occupancy, standing, stopping
from commonsnode_store.answers import Applied
from commonsnode_store.connections import select_in
from commonsnode_store.errors import CommunityStopped
from commonsnode_store.lanes import Community, Lane, LaneEdit
from commonsnode_store.merging import Dead, Entry, Key, LaneRecords
from commonsnode_store.ordering import in_order_of_refs
from commonsnode_store.rejudging import Moved, follow_acts, follow_authority, reached
from commonsnode_store.reserved import Where
from commonsnode_store.said import RECORD_LANES, said, unopened
from commonsnode_store.schema import STANDS, VOID, WAITS
from commonsnode_store.transaction import Transaction
from commonsnode_store.walks import Walked

CHANGES_AT_ONCE = 8_192  # changes and refs that are held in memory at once, whatever the size of the batch
_NOT_HELD = 0  # the number of no changeset
_AWAITED = (_NOT_HELD, True)
INVALID_CHARTER = "its charter is not valid"

Late = Mapping[
    bytes, Sequence[tuple[Changeset, bool]]
]  # id → those that name it and were first, and whether they stand


def apply(
    transaction: Transaction,
    evaluator: Evaluator,
    lane_name: str,
    batch: Sequence[Checked],
    *,
    seen_ms: int,
    own: bool,
) -> Applied:
    """Take in changesets of one lane; see Store.apply. The evaluator takes in those of lane `authority`, too."""
    follows, community = transaction.before, evaluator.community
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
    taking = Taking(transaction, evaluator, lane, seen_ms, own)
    applied = taking.acts(followed, new) if lane.name == AUTHORITY else taking.data(new)
    follow_bookings(transaction, evaluator)
    return replace(applied, known=known)


def follow_bookings(transaction: Transaction, evaluator: Evaluator) -> None:
    """Settle anew what is reserved of the things that this transaction concerns. Raises Damaged."""
    community, lanes = evaluator.community, transaction.before.record_lanes(evaluator.community)
    things = transaction.concerned.of(community, lanes)
    if things:
        authority = evaluator.authority
        people = transaction.persons.of(community, authority)
        at = Where(community, lanes, authority, people)
        occupancy.follow(transaction.db, at, transaction.before.community(community).no, things)


class Taking:
    """What becomes of the new changesets of a batch, and of what is held because of them."""

    def __init__(
        self, transaction: Transaction, evaluator: Evaluator, lane: Lane, seen_ms: int, own: bool
    ) -> None:
        self._transaction, self._evaluator, self._lane = transaction, evaluator, lane
        self._seen_ms, self._own = seen_ms, own

    def acts(self, community: Community, new: Mapping[bytes, Checked]) -> Applied:
        """Of lane `authority`: data of those about whom something else is said now is judged anew."""
        transaction, evaluator = self._transaction, self._evaluator
        if any(c.changeset.is_charter and charter_table(c.changeset) is None for c in new.values()):
            transaction.stop(community, INVALID_CHARTER)
            return Applied(refused=tuple(new))
        before = evaluator.authority
        step = evaluator.add(checked.changeset for checked in new.values())
        applied = self._keep(new, evaluator.standing)
        if not self._own:
            evaluator.forget(applied.refused)
        rose = step.rose - new.keys()
        moved = Moved()
        moved.add(self._lane, sorted(rose), sorted(step.fell))
        follow_acts(transaction, evaluator, rose, step.fell)
        follow_authority(transaction, evaluator, step.authors, moved)
        changed = step != NOTHING and evaluator.authority is not before
        if changed:
            after = transaction.authorities[community.id] = evaluator.authority
            transaction.concerned.authority(community, before, after, step)
        if step.moved and evaluator.chain is not None:
            self._follow_table(community, evaluator.chain.current)
        return replace(applied, risen=moved.risen, fallen=moved.fallen, authority_changed=changed)

    def data(self, new: Mapping[bytes, Checked]) -> Applied:
        """Of a data lane: what stands of each author is decided by authority alone."""
        by_author: dict[bytes, list[Changeset]] = defaultdict(list)
        for checked in new.values():
            by_author[checked.changeset.author].append(checked.changeset)
        stand: set[bytes] = set()
        reach: list[tuple[int, Walked, set[bytes]]] = []
        for key, changesets in by_author.items():
            verdict = self._evaluator.verdict(key, self._lane.name)
            if verdict == ALWAYS:
                stand.update(changeset.id for changeset in changesets)
            elif verdict != NEVER:
                author, walked, rose = self._walk(key, verdict, changesets)
                stand.update(changeset.id for changeset in changesets if changeset.id in walked.standing)
                if rose := rose - new.keys():
                    reach.append((author, walked, rose))
        applied = self._keep(new, stand)
        moved = Moved()
        for author, walked, rose in reach:
            reached(self._transaction, self._lane, author, walked, rose)
            moved.add(self._lane, sorted(rose))
        return replace(applied, risen=moved.risen)

    def _walk(
        self, key: bytes, verdict: Verdict, changesets: Sequence[Changeset]
    ) -> tuple[int, Walked, set[bytes]]:
        """The batch is judged together with all that is held of its author (rule 25)."""
        author = self._transaction.numbers.author(key)
        walked = self._transaction.walks.of(self._transaction.db, self._lane, author, key, verdict)
        rose = {id_ for changeset in changesets for id_ in walked.add(changeset.id, changeset.refs)}
        if not self._own:
            walked.forget(c.id for c in changesets if c.id not in walked.standing)
        return author, walked, rose

    def _keep(self, new: Mapping[bytes, Checked], standing: Collection[bytes]) -> Applied:
        stand = [checked for checked in new.values() if checked.id in standing]
        rest = [checked for checked in new.values() if checked.id not in standing]
        edit = self._transaction.lane(self._lane)
        add(self._transaction, edit, _in_order(stand), seen_ms=self._seen_ms, standing=STANDS)
        if self._own:
            add(self._transaction, edit, _in_order(rest), seen_ms=self._seen_ms, standing=WAITS)
        return Applied(
            new=tuple(checked.id for checked in stand),
            waiting=tuple(checked.id for checked in rest) if self._own else (),
            refused=() if self._own else tuple(checked.id for checked in rest),
        )

    def _follow_table(self, community: Community, table: Table) -> None:
        if table.name != community.name:
            self._transaction.rename(community, table.name)
        if table.settings.version not in KNOWN_VERSIONS:
            self._transaction.stop(community, stopping.by_table(table.settings.version))


def held_ids(db: sqlite3.Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these changesets that are held, standing or not."""
    return {id_ for (id_,) in select_in(db, "select id from changesets where id in ({})", ids)}


def add(
    transaction: Transaction, edit: LaneEdit, ordered: Sequence[Checked], *, seen_ms: int, standing: int
) -> None:
    """Add changesets of one lane that are not held, each after those of them that it refs."""
    for chunk in _chunks(ordered):
        transaction.numbers.begin()
        nos = transaction.numbers.changesets(len(chunk))
        Addition(transaction, edit, chunk, nos, standing).write([seen_ms] * len(chunk))


class Addition:
    """Some changesets that are added together: few enough to be held in memory with all that they change."""

    def __init__(
        self,
        transaction: Transaction,
        edit: LaneEdit,
        chunk: Sequence[Checked],
        nos: Sequence[int],
        standing: int,
    ) -> None:
        self._db, self._numbers, self._packer = transaction.db, transaction.numbers, transaction.packer
        self._edit, self._lane = edit, edit.before
        self._chunk, self._nos, self._standing = chunk, nos, standing
        self._concerned = transaction.concerned
        self._authors = [self._numbers.author(checked.changeset.author) for checked in chunk]
        self._said = [said(self._db, checked.changeset) for checked in chunk]
        self._held: dict[
            bytes, tuple[int, int]
        ] = {}  # of what is ref'd and stands in this lane: author, time

    def write(self, seen_ms: Sequence[int]) -> None:
        """seen_ms: of each, when this node first held it."""
        refs = self._refs()
        self._insert(seen_ms)
        for no, checked in zip(self._nos, self._chunk, strict=True):
            self._numbers.order[no] = (checked.changeset.time, checked.id)
        if self._lane.name == MEMBERS:
            self._note_unopened()
        if self._lane.name in RECORD_LANES:
            commitments.note(self._db, self._lane.no, zip(self._authors, self._said, strict=True))
            events.note(self._db, self._lane.no, self._said)
        named_before = list(self._named_before())
        self._update_missing_refs(refs, named_before)
        if self._standing == VOID:
            self._touch_void()
            return
        counted = [row[:4] for row in named_before if row[4] != VOID]
        self._update_heads(refs, counted)
        if self._lane.name in RECORD_LANES:
            entries = self._entries(seen_ms, refs, self._late(counted))
            LaneRecords(self._db, self._numbers, self._edit).merge(entries, standing=self._standing == STANDS)
            self._concerned.changes(self._lane, self._said)
            if self._standing == STANDS:
                self._follow_chains(refs, named_before)
        if self._standing == STANDS:
            self._edit.add([(checked.changeset.time, checked.id) for checked in self._chunk])

    def _note_unopened(self) -> None:
        numbered = zip(self._nos, (checked.changeset for checked in self._chunk), strict=True)
        self._db.executemany("insert into unopened values (?, ?)", unopened(self._db, numbered))

    def _touch_void(self) -> None:
        if self._lane.name not in RECORD_LANES:
            return
        rows = [
            (self._lane.no, record, self._numbers.kind(kind), no)
            for no, changeset in zip(self._nos, self._said, strict=True)
            for record, kind, _ in changeset.changes
        ]
        self._db.executemany("insert into void_touches values (?, ?, ?, ?)", rows)

    def _refs(self) -> Mapping[bytes, tuple[int, bool]]:
        """Of each changeset that is ref'd and held: its number, and whether it waits."""
        waits = self._standing == WAITS
        found = {checked.id: (no, waits) for no, checked in zip(self._nos, self._chunk, strict=True)}
        wanted = {ref for checked in self._chunk for ref in checked.changeset.refs if ref not in found}
        for id_, no, stands, lane, author, time in select_in(
            self._db,
            "select id, no, standing, lane, author, time from changesets where id in ({})",
            list(wanted),
        ):
            found[id_] = (no, stands == WAITS)
            if lane == self._lane.no and stands == STANDS:
                self._held[id_] = (author, time)
        return found

    def _insert(self, seen_ms: Sequence[int]) -> None:
        rows = []
        packed = self._packer.pack(
            self._lane.no, self._edit.count, [checked.signed.body for checked in self._chunk]
        )
        for no, author, seen, checked, (codec, body) in zip(
            self._nos, self._authors, seen_ms, self._chunk, packed, strict=True
        ):
            time, signature = checked.changeset.time, checked.signed.signature
            rows.append(
                (no, checked.id, self._lane.no, author, time, seen, self._standing, codec, signature, body)
            )
        self._db.executemany("insert into changesets values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _named_before(self) -> Iterator[tuple[bytes, int, int, int, int]]:
        """Of what was held before and names one of these: id of the named one; number, lane, author and standing of who names."""
        return select_in(
            self._db,
            "select ref, no, lane, author, standing from missing_refs join changesets on no = changeset where ref in ({})",
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
                ref_no, _ = refs.get(ref, _AWAITED)
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
        self, refs: Mapping[bytes, tuple[int, bool]], named_before: Sequence[tuple[bytes, int, int, int, int]]
    ) -> None:
        if self._standing != WAITS and named_before:
            self._db.executemany(
                "delete from missing_refs where ref = ?", [(row[0],) for row in named_before]
            )
        missing = [
            (ref, no)
            for no, checked in zip(self._nos, self._chunk, strict=True)
            for ref in checked.changeset.refs
            if refs.get(ref, _AWAITED)[1]
        ]
        if missing:
            self._db.executemany("insert into missing_refs values (?, ?)", missing)

    def _follow_chains(
        self, refs: Mapping[bytes, tuple[int, bool]], named_before: Sequence[tuple[bytes, int, int, int, int]]
    ) -> None:
        """The times from which these count, and what their authors wrote that builds on them and came before."""
        first = self._nos[0]
        links, times = [], {}
        for no, author, checked in zip(self._nos, self._authors, self._chunk, strict=True):
            before: list[int] = []
            for ref in checked.changeset.refs:
                ref_no, _ = refs.get(ref, _AWAITED)
                if ref_no >= first:
                    own = self._authors[ref_no - first] == author
                else:
                    held = self._held.get(ref)
                    own = held is not None and held[0] == author
                    if held is not None and own:
                        times[ref_no] = held[1]
                if own:
                    before.append(ref_no)
            links.append(chains.Link(no, author, checked.changeset.time, before))
        at = chains.add(self._db, links, times)
        followers = [
            (no, at[refs[id_][0]])
            for id_, no, lane, author, standing in named_before
            if (lane, author, standing) == (self._lane.no, self._authors[refs[id_][0] - first], STANDS)
        ]
        for author in chains.overtaken(self._db, followers):
            self._concerned.times(self._lane, chains.renew(self._db, self._lane, author))

    def _late(self, named_before: Sequence[tuple[bytes, int, int, int]]) -> Late:
        """Of each of these that came after some that name it, in its lane: those, and whether they stand."""
        named: dict[int, list[bytes]] = defaultdict(list)
        for id_, no, lane, _ in named_before:
            if lane == self._lane.no:
                named[no].append(id_)
        changed = {changeset.id: [record for record, _, _ in changeset.changes] for changeset in self._said}
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
        for no, seen, changeset in zip(self._nos, seen_ms, self._said, strict=True):
            ref_nos = [refs.get(ref, _AWAITED)[0] for ref in changeset.refs]
            names = late.get(changeset.id)
            if names is None:
                entries.append(Entry(no, changeset, seen, ref_nos))
            else:
                standing_ones = [by for by, stands in names if stands]
                dead, dead_beside = (
                    _dead(changeset.id, standing_ones),
                    _dead(changeset.id, [by for by, _ in names]),
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
