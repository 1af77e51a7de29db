"""Every changeset: its id, signature and form, its columns, and whether it stands. What it says is spooled for the rest."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import msgpack

from commonsnode_protocol import commitments
from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.authority.view import ALWAYS, NEVER
from commonsnode_protocol.changeset import AUTHORITY, MEMBERS, Changeset, Signed, changeset_id
from commonsnode_protocol.errors import PeerError
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.intake import check as take_in
from commonsnode_store import bodies, events
from commonsnode_store.checking.findings import Findings
from commonsnode_store.connections import Connection
from commonsnode_store.errors import Damaged
from commonsnode_store.said import RECORD_LANES, said, unopened
from commonsnode_store.schema import STANDS, VOID, WAITS
from commonsnode_store.walks import Walked, walk

# What the changesets say. fields: MessagePack of {field: [value, [ids of what it supersedes]]}.
_SPOOLS = """
create temp table refs (ref blob, changeset integer);
create temp table writes (lane integer, id blob, kind text, changeset integer, standing integer, fields blob);
create temp table unopened (commitment blob, changeset integer);
create temp table commitments (
    lane integer, resource blob, begin_ms integer, end_ms integer, record blob, asker blob
);
create temp table events (lane integer, resource blob, record blob);
create temp table unreadable (no integer primary key);
"""
_ROWS = (
    "select changesets.no, changesets.id, lane, key, time, standing, codec, signature, body"
    " from changesets left join authors on authors.no = author"
)
_Row = tuple[int, bytes, int, bytes | None, int, int, int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class CheckedLane:
    """A lane as its row has it, and who may write in its community."""

    no: int
    community: bytes
    name: str
    changesets: int
    records: int
    deleted: int
    digest: bytes
    evaluator: Evaluator


def read_changesets(db: Connection, findings: Findings) -> list[CheckedLane]:
    """Check every changeset, and spool what it says to `temp.refs` and `temp.writes`."""
    for statement in _SPOOLS.split(";"):
        db.execute(statement)
    lanes = _lanes(db, findings)
    by_no = {lane.no: lane for lane in lanes}
    packer = msgpack.Packer(use_bin_type=True, autoreset=True)
    standings = _Standings(findings)
    for row in db.execute(f"{_ROWS} order by changesets.no"):
        findings.step()
        lane = by_no.get(row[2])
        checked = _check(db, row, lane, findings) if lane is not None else None
        if checked is None or lane is None:
            db.execute("insert into temp.unreadable values (?)", (row[0],))
        else:
            standings.add(lane, row[5], checked.changeset)
            _spool(db, packer, row, checked.changeset)
    standings.finish()
    db.execute("create index temp.refs_by_ref on refs (ref)")
    return lanes


def _lanes(db: Connection, findings: Findings) -> list[CheckedLane]:
    communities = {}
    for no, id_, name in db.execute("select no, id, name from communities"):
        evaluator = Evaluator(id_)
        evaluator.add(_authority_changesets(db, no))
        communities[no] = (id_, evaluator)
        of_table = evaluator.chain.current.name if evaluator.chain is not None else None
        if name != of_table:
            findings.add("communities", f"{id_.hex()} is called {of_table!r} by its table, here {name!r}")
    rows = db.execute(
        "select no, community, name, changesets, records, deleted, digest from lanes"
    ).fetchall()
    return [
        CheckedLane(
            no,
            communities[community][0],
            name,
            changesets,
            records,
            deleted,
            digest,
            communities[community][1],
        )
        for no, community, name, changesets, records, deleted, digest in rows
        if community in communities
    ]


def _authority_changesets(db: Connection, community: int) -> Iterator[Changeset]:
    rows = db.execute(
        "select changesets.id, communities.id, codec, signature, body from changesets"
        " join lanes on lanes.no = lane join communities on communities.no = lanes.community"
        " where lanes.community = ? and lanes.name = ?",
        (community, AUTHORITY),
    )
    for id_, of, codec, signature, body in rows:
        try:
            checked = taken_in(db, of, AUTHORITY, id_, codec, signature, body)
        except Damaged:
            continue  # named when its row is checked; it says nothing
        yield checked.changeset


def taken_in(
    db: Connection, community: bytes, lane: str, id_: bytes, codec: int, signature: bytes, kept: bytes
) -> Checked:
    """A row of the table, checked as if a peer had sent it. Raises Damaged."""
    body = bodies.unpack(db, codec, kept)
    if changeset_id(body) != id_:
        raise Damaged("changesets", f"the body of {id_.hex()} is not what was written")
    try:
        checked = take_in(community, lane, Signed(signature, body))
    except PeerError as error:
        raise Damaged("changesets", f"{id_.hex()}: {error}") from error
    if not isinstance(checked, Checked):
        raise Damaged("changesets", f"{id_.hex()} is of a version that is not known here")
    return checked


def _check(db: Connection, row: _Row, lane: CheckedLane, findings: Findings) -> Checked | None:
    _, id_, _, author, time, _, codec, signature, body = row
    try:
        checked = taken_in(db, lane.community, lane.name, id_, codec, signature, body)
    except Damaged as error:
        findings.add(error.what, error.detail)
        return None
    changeset = checked.changeset
    if (author, time) != (changeset.author, changeset.time):
        findings.add("changesets", f"the author or time of {id_.hex()} is not the one in its body")
    return checked


class _Standings:
    """Compares what is said to stand with what does. Of authors who were cut, once all that is held of them was seen."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._walks: dict[tuple[int, bytes], Walked] = {}
        self._walked: dict[tuple[int, bytes], list[tuple[bytes, int]]] = defaultdict(list)

    def add(self, lane: CheckedLane, standing: int, changeset: Changeset) -> None:
        """standing: as its row has it."""
        verdict = lane.evaluator.verdict(changeset.author, lane.name)
        if lane.name == AUTHORITY:
            self._compare(changeset.id, standing, changeset.id in lane.evaluator.standing)
        elif verdict in (ALWAYS, NEVER):
            self._compare(changeset.id, standing, verdict == ALWAYS)
        else:
            key = (lane.no, changeset.author)
            if key not in self._walks:
                self._walks[key] = walk(changeset.author, lane.name, verdict, ())
            self._walks[key].add(changeset.id, changeset.refs)
            self._walked[key].append((changeset.id, standing))

    def finish(self) -> None:
        for key, rows in self._walked.items():
            for id_, standing in rows:
                self._compare(id_, standing, id_ in self._walks[key].standing)

    def _compare(self, id_: bytes, standing: int, stands: bool) -> None:
        # Whether what does not stand did so once, nothing else in the file tells.
        if standing not in (STANDS, WAITS, VOID) or (standing == STANDS) != stands:
            does = "it stands" if stands else "it does not stand"
            self._findings.add("changesets", f"the standing of {id_.hex()} is {standing}, and {does}")


def _spool(db: Connection, packer: msgpack.Packer, row: _Row, changeset: Changeset) -> None:
    no, _, lane, _, _, standing, _, _, _ = row
    refs = changeset.refs
    db.executemany("insert into temp.refs values (?, ?)", [(ref, no) for ref in refs])
    if changeset.lane == MEMBERS:
        db.executemany("insert into temp.unopened values (?, ?)", unopened(db, [(no, changeset)]))
    if changeset.lane in RECORD_LANES:
        what = said(db, changeset)
        db.executemany(
            "insert into temp.commitments values (?, ?, ?, ?, ?, ?)",
            [
                (lane, wish.resource, wish.begin_ms, wish.end_ms, wish.record, changeset.author)
                for wish in commitments.said(what).wishes
            ],
        )
        db.executemany(
            "insert into temp.events values (?, ?, ?)", [(lane, *pair) for pair in events.pairs(what)]
        )
        db.executemany(
            "insert into temp.writes values (?, ?, ?, ?, ?, ?)",
            [
                (
                    lane,
                    record,
                    kind,
                    no,
                    standing,
                    packer.pack(
                        {
                            field: [value, [refs[index] for index in supersedes]]
                            for field, (value, supersedes) in fields.items()
                        }
                    ),
                )
                for record, kind, fields in what.changes
            ],
        )
