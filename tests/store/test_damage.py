"""What `check` finds, and what `rebuild` mends: each damage is planted by hand in a real file."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_store.answers import RecordView
from commonsnode_store.cells import NOWHERE
from commonsnode_store.errors import Damaged
from commonsnode_store.store import Store
from store_people import ANA, CHARTER, COMMUNITY, FOUNDER, NOW, record_id

GRANT = FOUNDER.grant(COMMUNITY, ANA.key)
DRILL = ANA.add(COMMUNITY, record_id(0), title="Drill", place={"lat": 471234567, "lon": 81234567})
EDITED = FOUNDER.edit(COMMUNITY, record_id(0), DRILL, title="Big drill")
CONFLICT = ANA.edit(COMMUNITY, record_id(0), DRILL, time=NOW + 2, title="Old drill")
LADDERS = [
    FOUNDER.add(COMMUNITY, record_id(n), title=f"Ladder {n}", refs=[DRILL.id], time=NOW + n)
    for n in range(1, 300)
]


@pytest.fixture(scope="module")
def whole(folder: Path, followed_file: Path) -> Path:
    """A file with some history: an import of many small changesets, edits in conflict, and what waits."""
    path = folder / "whole.sqlite3"
    shutil.copy(followed_file, path)
    with closing(Store.open(path)) as store:
        store.apply(COMMUNITY, AUTHORITY, [CHARTER, GRANT], seen_ms=NOW)
        store.apply(COMMUNITY, PUBLIC, LADDERS, seen_ms=NOW)
        store.apply(COMMUNITY, PUBLIC, [EDITED, DRILL, CONFLICT], seen_ms=NOW)
        waiting = ANA_WITHOUT_GRANT.edit(COMMUNITY, record_id(0), EDITED, title="My drill")
        store.apply(COMMUNITY, PUBLIC, [waiting], seen_ms=NOW, own=True)
        store.remember_peer("ws://one.example:8450/peer", seen_ms=NOW)
        store.save_time(NOW)
        assert store.check() == []
    return path


ANA_WITHOUT_GRANT = type(ANA)("ana at another node")


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    path = tmp_path / "node.sqlite3"
    shutil.copy(whole, path)
    return path


def exported(path: Path) -> list[RecordView]:
    with closing(Store.open(path)) as store:
        return list(store.export(COMMUNITY))


def plant(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        changed = db.execute(sql).rowcount
        db.commit()
        assert changed != 0, "this damages nothing"
        db.execute("pragma wal_checkpoint(truncate)")


def flipped(column: str, at: int = 20) -> str:
    """The column with one byte replaced."""
    return f"substr({column}, 1, {at}) || x'fe' || substr({column}, {at + 2})"


COMPUTED = {
    "a record's registers": (
        "records",
        f"update records set registers = cast({flipped('registers')} as blob) where no = 7",
    ),
    "a record's title": ("records", "update records set title = 'Saw' where no = 7"),
    "a record's place": ("records", "update records set lat = lat + 1 where lat is not null"),
    "a record's deletion": ("records", "update records set deleted = 1 where no = 7"),
    "a record's time": ("records", "update records set changed_ms = changed_ms + 1 where no = 7"),
    "a record's status": ("records", "update records set status = 0 where status = 1"),
    "a record that is gone": ("records", "delete from records where no = 7"),
    "an overlay that is gone": ("records", "delete from records where status = 2"),
    "a touch that is gone": ("touches", "delete from touches where record = 7"),
    "a touch too many": ("touches", "insert into touches values (7, 1)"),
    "a head that is gone": (
        "heads",
        "delete from heads where changeset = (select max(changeset) from heads)",
    ),
    "a head too many": (
        "heads",
        f"insert into heads select lane, author, no from changesets where id = x'{DRILL.id.hex()}'",
    ),
    "a missing ref too many": ("missing_refs", "insert into missing_refs values (zeroblob(32), 3)"),
    "a place in the list that is gone": ("listing", "delete from listing where record = 7"),
    "a place in the list of another key": ("listing", "update listing set key = 'aaa' where record = 7"),
    "words that are gone": (
        "search",
        "insert into search (search, rowid, text) values ('delete', 7, 'Ladder 7')",
    ),
    "words too many": ("search", "insert into search (rowid, text) values (7, 'saw')"),
    "a place that is gone": ("places", f"delete from places where key = {NOWHERE | 7}"),
    "a place elsewhere": ("places", f"update places set category = 9999 where key = {NOWHERE | 7}"),
    "a bucket's sum": ("buckets", "update buckets set sum = zeroblob(32) where count > 0"),
    "a bucket's count": ("buckets", "update buckets set count = count + 1"),
    "a digest": ("lanes", "update lanes set digest = zeroblob(2048) where name = 'public'"),
    "a count of changesets": ("lanes", "update lanes set changesets = changesets + 1 where name = 'public'"),
    "a count of records": ("lanes", "update lanes set records = records + 1 where name = 'public'"),
    "a community's name": ("communities", "update communities set name = 'Lower valley'"),
    "a copy of a dictionary": ("dictionaries", "update dictionaries set copy = zeroblob(8192)"),
    "a standing": ("changesets", "update changesets set standing = 0 where no = 9"),
    "an author": ("changesets", f"update changesets set author = 1 where id = x'{DRILL.id.hex()}'"),
    "a time": ("changesets", "update changesets set time = time + 1 where no = 9"),
}


@pytest.mark.parametrize("damage", COMPUTED)
def test_a_damage_to_what_is_computed_is_found_and_mended(path: Path, damage: str) -> None:
    before = exported(path)
    what, sql = COMPUTED[damage]
    plant(path, sql)
    assert what in {problem.what for problem in Store.check_file(path)}
    assert Store.rebuild_file(path) == []
    assert Store.check_file(path) == []
    assert exported(path) == before


def damaged_body(path: Path) -> bytes:
    plant(
        path, f"update changesets set body = cast({flipped('body')} as blob) where id = x'{DRILL.id.hex()}'"
    )
    return DRILL.id


def damaged_signature(path: Path) -> bytes:
    plant(path, f"update changesets set signature = zeroblob(64) where id = x'{DRILL.id.hex()}'")
    return DRILL.id


def damaged_id(path: Path) -> bytes:
    plant(path, f"update changesets set id = zeroblob(32) where id = x'{DRILL.id.hex()}'")
    return bytes(32)


def unknown_codec(path: Path) -> bytes:
    plant(path, f"update changesets set codec = 9 where id = x'{DRILL.id.hex()}'")
    return DRILL.id


@pytest.mark.parametrize("damage", [damaged_body, damaged_signature, damaged_id, unknown_codec])
def test_a_damaged_changeset_is_named_set_aside_and_taken_again_from_peers(
    path: Path, damage: Callable[[Path], bytes]
) -> None:
    before = exported(path)
    damage(path)
    assert "changesets" in {problem.what for problem in Store.check_file(path)}
    set_aside = Store.rebuild_file(path)
    assert [problem.what for problem in set_aside] == ["changesets"]
    assert Store.check_file(path) == []
    with closing(Store.open(path)) as store:
        assert store.missing(COMMUNITY, PUBLIC, [DRILL.id, EDITED.id]) == [DRILL.id]
        assert store.apply(COMMUNITY, PUBLIC, [DRILL], seen_ms=NOW).new == (DRILL.id,)
        assert store.check() == []
    assert exported(path) == before


def test_a_lost_grant_leaves_what_it_admitted_waiting_until_it_comes_again(path: Path) -> None:
    before = exported(path)
    plant(path, f"update changesets set signature = zeroblob(64) where id = x'{GRANT.id.hex()}'")
    Store.rebuild_file(path)
    with closing(Store.open(path)) as store:
        assert store.check() == []
        assert store.communities()[0].waiting == 3  # two of Ana's, and what waited before
        store.apply(COMMUNITY, AUTHORITY, [GRANT], seen_ms=NOW)
        assert store.check() == []
    assert exported(path) == before


def test_a_flipped_bit_in_registers_is_never_shown(path: Path) -> None:
    plant(path, f"update records set registers = cast({flipped('registers')} as blob) where no = 7")
    with closing(Store.open(path)) as store, pytest.raises(Damaged):
        store.page(community=COMMUNITY, limit=1000)


def test_a_flipped_bit_in_a_body_is_never_sent(path: Path) -> None:
    damaged_body(path)
    with closing(Store.open(path)) as store, pytest.raises(Damaged):
        store.fetch(COMMUNITY, PUBLIC, [DRILL.id])


def test_a_lost_dictionary_is_read_from_its_copy(path: Path) -> None:
    plant(path, "update dictionaries set content = zeroblob(8192)")
    with closing(Store.open(path)) as store:
        assert len(store.fetch(COMMUNITY, PUBLIC, [ladder.id for ladder in LADDERS])) == len(LADDERS)
        assert [problem.what for problem in store.check()] == ["dictionaries"]


def test_rebuild_reads_the_changesets_of_a_file_whose_indexes_are_garbage(path: Path) -> None:
    before = exported(path)
    page_bytes, pages = pages_of(path, "records", "records_by_id", "listing", "search_data", "touches")
    overwrite(path, page_bytes, pages)
    assert Store.check_file(path) != []
    assert Store.rebuild_file(path) == []
    assert Store.check_file(path) == []
    assert exported(path) == before
    with closing(Store.open(path)) as store:
        assert [peer.address for peer in store.peers()] == ["ws://one.example:8450/peer"]
        assert store.saved_time() == NOW


def test_rebuild_keeps_all_changesets_but_those_on_a_lost_page(path: Path) -> None:
    page_bytes, pages = pages_of(path, "changesets")
    overwrite(path, page_bytes, pages[len(pages) // 2 :][:1])
    lost = Store.rebuild_file(path)
    assert lost
    assert {problem.what for problem in lost} == {"changesets"}
    assert Store.check_file(path) == []
    with closing(Store.open(path)) as store:
        count = store.communities()[0].changesets
        assert len(LADDERS) - 30 < count < len(LADDERS) + 5
        store.apply(COMMUNITY, AUTHORITY, [CHARTER, GRANT], seen_ms=NOW)
        store.apply(COMMUNITY, PUBLIC, [*LADDERS, DRILL, EDITED, CONFLICT], seen_ms=NOW)
        assert store.check() == []
        assert store.communities()[0].changesets == len(LADDERS) + 5


def pages_of(path: Path, *tables: str) -> tuple[int, list[int]]:
    """The size of a page, and the leaves of these tables and indexes."""
    with closing(sqlite3.connect(path)) as db:
        places = ",".join("?" * len(tables))
        try:
            rows = db.execute(
                f"select pageno from dbstat where name in ({places}) and pagetype = 'leaf'", tables
            ).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite was built without dbstat")
        return db.execute("pragma page_size").fetchone()[0], [page for (page,) in rows]


def overwrite(path: Path, page_bytes: int, pages: list[int]) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * page_bytes)
            file.write(b"\xa5" * page_bytes)
