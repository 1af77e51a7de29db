"""Sets of changesets: counts, digests, buckets, heads, and what is ref'd and missing."""

import sqlite3
from collections.abc import Iterable

from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.lthash import LtHash, authority_digest
from commonsnode_store.checking.changesets import CheckedLane
from commonsnode_store.checking.findings import Findings
from commonsnode_store.fingerprints import items_between, load, sum_of

_HEADS = """
    select lane, author, no from changesets where standing <> 2 and not exists (
        select 1 from temp.refs cross join changesets later on later.no = refs.changeset
        where refs.ref = changesets.id and later.lane = changesets.lane and later.author = changesets.author
            and later.standing <> 2
    )"""
_MISSING = """
    select ref, changeset from temp.refs left join changesets on id = ref where standing is null or standing = 0"""
# A changeset that cannot be read refs what nobody can tell; its rows are not compared.
_READABLE = "changeset not in (select no from temp.unreadable)"


def check_sets(db: sqlite3.Connection, lanes: Iterable[CheckedLane], findings: Findings) -> None:
    """Compare what is kept of sets with the changesets that stand."""
    for lane in lanes:
        with findings.guarded("buckets"):
            _check_lane(db, lane, findings)
    unreadable: int = db.execute("select count(*) from temp.unreadable").fetchone()[0]
    if not unreadable:
        compare(db, _HEADS, "select lane, author, changeset from heads", "heads", findings)
    compare(
        db, _MISSING, f"select ref, changeset from missing_refs where {_READABLE}", "missing_refs", findings
    )
    if db.execute("select 1 from sqlite_schema where name = 'unopened'").fetchone():
        expected = "select commitment, changeset from temp.unopened"
        found = f"select commitment, changeset from main.unopened where {_READABLE}"
        compare(db, expected, found, "unopened", findings)


def compare(db: sqlite3.Connection, expected: str, found: str, table: str, findings: Findings) -> None:
    """Compare the rows of two queries as sets."""
    for one, other, how in ((expected, found, "lacks"), (found, expected, "should not have")):
        for row in db.execute(f"{one} except {other}"):
            findings.add(table, f"{how} {_told(row)}")


def _check_lane(db: sqlite3.Connection, lane: CheckedLane, findings: Findings) -> None:
    directory = load(db, lane.no)
    keys = directory.keys
    digest = LtHash()
    ids: list[bytes] = []
    count = 0
    for at, key in enumerate(keys):
        items = items_between(db, lane.no, key, keys[at + 1] if at + 1 < len(keys) else None)
        count += len(items)
        if lane.name == AUTHORITY:
            ids += [id_ for _, id_ in items]
        else:
            digest.add(id_ for _, id_ in items)
        if len(items) != directory.counts[at] or sum_of(items) != directory.sums[at]:
            findings.add(
                "buckets", f"the one of lane {lane.no} from {_told(key)} is not what its changesets say"
            )
        for _ in items:
            findings.step()
    if count != lane.changesets:
        findings.add("lanes", f"lane {lane.no} counts {lane.changesets} changesets; {count} stand")
    if lane.digest != (authority_digest(ids) if lane.name == AUTHORITY else digest.state()):
        findings.add("lanes", f"the digest of lane {lane.no} is not that of what stands")


def _told(row: Iterable[object]) -> str:
    return ", ".join(value.hex() if isinstance(value, bytes) else str(value) for value in row)
