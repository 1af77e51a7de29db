"""What is kept of reservations: which there are of which thing, from when they count, and what of things is taken."""

from collections import defaultdict
from collections.abc import Iterable

from commonsnode_store import chains, lanes, occupancy, reservations
from commonsnode_store.checking.changesets import CheckedLane
from commonsnode_store.checking.findings import Findings
from commonsnode_store.checking.sets import compare
from commonsnode_store.connections import Connection
from commonsnode_store.reserved import Where, people_of, settled
from commonsnode_store.said import RECORD_LANES

_EXPECTED = """
create temp table expected_times (changeset integer, at_ms integer);
create temp table expected_busy (community integer, resource blob, begin_ms integer, end_ms integer, amount text);
create temp table expected_booked (community integer, resource blob, keeper blob);
create temp table expected_deciders (community integer, resource blob, author integer);
"""
_COMPARED = {
    "chain_times": "changeset, at_ms",
    "busy": "community, resource, begin_ms, end_ms, amount",
    "booked": "community, resource, keeper",
}
_EDGES = f"""
    from temp.refs cross join changesets later on later.no = temp.refs.changeset
    cross join changesets earlier on earlier.id = temp.refs.ref
    where later.standing = 1 and earlier.standing = 1 and later.lane = earlier.lane and later.author = earlier.author
        and later.lane in (select no from lanes where name in ({", ".join(f"'{lane}'" for lane in RECORD_LANES)}))"""
_IRREGULAR = f"select distinct later.lane, later.author {_EDGES} and later.time <= earlier.time"
_CHAIN = "select id, no, time from changesets where standing = 1 and lane = ? and author = ?"
_REFS = """
    select id, ref from temp.refs cross join changesets on no = changeset
    where standing = 1 and lane = ? and author = ?"""


def check_reservations(db: Connection, checked: Iterable[CheckedLane], findings: Findings) -> None:
    """Compare with what all changesets say; in a file that was made by earlier rules there is nothing to compare."""
    if not reservations.is_current(db) or db.execute("select 1 from temp.unreadable").fetchone():
        return
    of = "lane, resource, begin_ms, end_ms, record"
    found = f"select {of}, key from main.commitments left join authors on authors.no = asker"
    compare(db, f"select {of}, asker from temp.commitments", found, "commitments", findings)
    for statement in _EXPECTED.split(";"):
        db.execute(statement)
    _expect_times(db)
    _expect_occupancy(db, checked)
    for table, columns in _COMPARED.items():
        expected = f"expected_{table.removeprefix('chain_')}"
        compare(
            db, f"select {columns} from temp.{expected}", f"select {columns} from {table}", table, findings
        )
    # Who once had a say may be there for ever: they are heard once too often, and never too seldom.
    missing = (
        "select community, resource, author from temp.expected_deciders"
        " except select community, resource, author from deciders"
    )
    for community, resource, author in db.execute(missing):
        findings.add("deciders", f"lacks {community}, {resource.hex()}, {author}")


def _expect_times(db: Connection) -> None:
    """Of authors in whose chain something is not later than what it builds on; nobody else's are kept."""
    for lane, author in db.execute(_IRREGULAR).fetchall():
        refs: dict[bytes, list[bytes]] = defaultdict(list)
        for id_, ref in db.execute(_REFS, (lane, author)):
            refs[id_].append(ref)
        held = {id_: (no, time) for id_, no, time in db.execute(_CHAIN, (lane, author))}
        at = chains.in_chains({id_: time for id_, (_, time) in held.items()}, refs)
        db.executemany(
            "insert into temp.expected_times values (?, ?)",
            [(no, at[id_]) for id_, (no, time) in held.items() if at[id_] != time],
        )


def _expect_occupancy(db: Connection, checked: Iterable[CheckedLane]) -> None:
    authorities = {lane.community: lane.evaluator.authority for lane in checked}
    followed = lanes.load(db)
    for community in followed.communities.values():
        of = followed.record_lanes(community.id)
        authority = authorities[community.id]
        at = Where(community.id, of, authority, people_of(authority))
        things = {
            resource
            for lane in of
            for (resource,) in db.execute("select resource from temp.commitments where lane = ?", (lane.no,))
        }
        for resource in sorted(things):
            there = settled(db, at, resource, waiting=False)
            busy = occupancy.busy_of(there).items()
            db.executemany(
                "insert into temp.expected_busy values (?, ?, ?, ?, ?)",
                [(community.no, resource, begin, end, str(amount)) for (begin, end), amount in busy],
            )
            keeper = there.rules.custody.keeper
            db.execute("insert into temp.expected_booked values (?, ?, ?)", (community.no, resource, keeper))
            db.executemany(
                "insert into temp.expected_deciders select ?, ?, no from authors where key = ?",
                [(community.no, resource, key) for key in there.deciders],
            )
