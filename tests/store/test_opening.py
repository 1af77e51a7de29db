"""What is opened, what is made, and what is refused."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_store import schema
from commonsnode_store.asked import FindQuery
from commonsnode_store.errors import Damaged, NewerFormat, NotANode
from commonsnode_store.store import Store
from store_people import CHARTER, COMMUNITY, FOUNDER, NOW, record_id

ROOT = Path(__file__).parents[2]
FIRST_FORMAT = ROOT / "tests" / "data" / "store" / "v1.sqlite3"
THIRD_FORMAT = ROOT / "tests" / "data" / "store" / "v3.sqlite3"
FIFTH_FORMAT = ROOT / "tests" / "data" / "store" / "v5.sqlite3"
ELEVENTH_FORMAT = ROOT / "tests" / "data" / "store" / "v11.sqlite3"
SEVENTH_FORMAT = ROOT / "tests" / "data" / "store" / "v7.sqlite3"
TENTH_FORMAT = ROOT / "tests" / "data" / "store" / "v10.sqlite3"
SIXTH_FORMAT = ROOT / "tests" / "data" / "store" / "v6.sqlite3"


def test_a_new_file_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite3"
    with pytest.raises(NotANode):
        Store.open(path)
    assert not path.exists()
    with closing(Store.open(path, create=True)) as store:
        assert store.communities() == []
        assert store.check() == []
    assert [file.name for file in tmp_path.iterdir()] == ["node.sqlite3"]
    Store.open(path).close()
    Store.open(path, create=True).close()


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite3"
    with closing(Store.open(path, create=True)) as store:
        store.follow(COMMUNITY, [PUBLIC])
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_what_a_stop_left_of_making_a_file_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "node.sqlite3").touch()
    (tmp_path / "node.sqlite3.creating").write_bytes(b"half a file")
    with pytest.raises(NotANode):
        Store.open(tmp_path / "node.sqlite3")
    Store.open(tmp_path / "node.sqlite3", create=True).close()


@pytest.mark.parametrize(
    "content", [b"", b"title,description\ndrill,heavy\n", b"SQLite format 3\0" + bytes(84)]
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "inventory"
    path.write_bytes(content)
    with pytest.raises(NotANode):
        Store.open(path)
    with pytest.raises(NotANode):
        Store.check_file(path)
    with pytest.raises(NotANode):
        Store.rebuild_file(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table records (id)")
    before = path.read_bytes()
    with pytest.raises(NotANode):
        Store.open(path, create=True)
    assert path.read_bytes() == before
    with pytest.raises(NotANode):
        Store.open(tmp_path)


def test_a_file_of_a_later_version_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"pragma user_version = {schema.FORMAT + 1}")
        db.execute("pragma wal_checkpoint(truncate)")
    for open_it in (Store.open, Store.check_file, Store.rebuild_file):
        with pytest.raises(NewerFormat) as refused:
            open_it(path)
        assert (refused.value.found, refused.value.known) == (schema.FORMAT + 1, schema.FORMAT)


def filled(store: Store, path: Path) -> None:
    things = [FOUNDER.add(COMMUNITY, record_id(n), title=f"Thing {n}", time=NOW + n) for n in range(300)]
    store.apply(COMMUNITY, PUBLIC, things, seen_ms=NOW)
    store.close()


def test_a_file_that_is_cut_off_is_not_served(store: Store, path: Path) -> None:
    filled(store, path)
    whole = path.read_bytes()
    for length in (60, 4096, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises((Damaged, NotANode)):
            Store.open(path)


def test_sets_that_do_not_agree_with_their_summaries_are_not_served(store: Store, path: Path) -> None:
    filled(store, path)
    for damage in (
        "update buckets set count = count - 1 where count > 0",
        "update lanes set changesets = changesets + 1",
        "update changesets set standing = 0 where no = 20",
        "update lanes set digest = x'00'",
        "update buckets set sum = zeroblob(32)",
        "delete from buckets",
    ):
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            kept = path.read_bytes()
            db.execute(damage)
        with pytest.raises(Damaged):
            Store.open(path)
        path.write_bytes(kept)
    Store.open(path).close()


def test_after_a_stop_that_was_not_clean_every_page_is_looked_at(store: Store, path: Path) -> None:
    filled(store, path)
    with closing(sqlite3.connect(path)) as db:
        pages = db.execute(
            "select pageno from dbstat where name = 'records_by_id' and pagetype = 'leaf'"
        ).fetchall()
        page_bytes: int = db.execute("pragma page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((pages[0][0] - 1) * page_bytes)
        file.write(b"\xa5" * page_bytes)
    Store.open(path).close()  # after a clean stop, it is found when it is read
    path.with_name(f"{path.name}-wal").write_bytes(b"\0" * 32)
    with pytest.raises(Damaged):
        Store.open(path)


def test_opening_imports_nothing_that_only_a_migration_needs(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from commonsnode_store.store import Store;"
        "Store.open(Path(sys.argv[1])).close(); print('sqlite_utils' in sys.modules)"
    )
    folders = f"{ROOT / 'protocol'}:{ROOT / 'store'}"
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={"PYTHONPATH": folders},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "False\n"


def test_a_file_of_the_first_format_is_rebuilt_as_one_of_this(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(FIRST_FORMAT.read_bytes())
    assert Store.check_file(path) == []
    assert Store.rebuild_file(path) == []
    with closing(Store.open(path)) as store:
        assert (store.communities()[0].records, store.communities()[0].waiting) == (180, 1)
        assert store.check() == []


def test_the_first_format_is_read_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(FIRST_FORMAT.read_bytes())
    with closing(Store.open(path)) as store:
        assert store.check() == []
        assert [(info.name, info.records, info.changesets, info.waiting) for info in store.communities()] == [
            ("Upper valley", 180, 148, 1)
        ]
        assert store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW).known == (COMMUNITY,)
        (drill,) = store.page(community=COMMUNITY, text="ben dri").records
        assert (drill.title, drill.waiting) == ("Ben's drill", True)
        (drill,) = (view for view in store.export(COMMUNITY) if view.record == record_id(0))
        assert (drill.title, len(drill.conflicts)) == ("Große Bohrmaschine", 1)
        assert len(store.page(community=COMMUNITY, kind="design", deleted=True).records) == 1
        new = FOUNDER.add(COMMUNITY, record_id(10_000), title="Saw")
        assert store.apply(COMMUNITY, PUBLIC, [new], seen_ms=NOW).new == (new.id,)
        assert store.check() == []


@pytest.mark.parametrize("rebuilt", [False, True])
def test_who_followed_all_lanes_follows_the_sealed_ones_from_their_format_on(
    tmp_path: Path, rebuilt: bool
) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(THIRD_FORMAT.read_bytes())
    assert Store.check_file(path) == []
    if rebuilt:
        assert Store.rebuild_file(path) == []
    with closing(Store.open(path)) as store:
        (info,) = store.communities()
        assert info.lanes == (AUTHORITY, "keys", "knowledge", "members", PUBLIC)
        assert (info.records, info.changesets, info.waiting) == (2, 3, 1)
        assert store.imported(COMMUNITY, PUBLIC, "resource", "list") == {record_id(1)}
        assert store.check() == []


@pytest.mark.parametrize("rebuilt", [False, True])
def test_of_a_table_of_a_former_format_it_is_not_known_which_tags_it_set(
    tmp_path: Path, rebuilt: bool
) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(TENTH_FORMAT.read_bytes())
    assert Store.check_file(path) == []
    if rebuilt:
        assert Store.rebuild_file(path) == []
    place = COMMUNITY, PUBLIC, "resource", "list"
    with closing(Store.open(path)) as store:
        assert store.imported(*place) == {record_id(1)}
        assert store.imported_tags(*place) == {}
        store.note_imported_tags(*place, {record_id(1): ("tag:wood",)})
        assert store.imported_tags(*place) == {record_id(1): ["tag:wood"]}
        assert store.check() == []


def test_what_tables_set_is_kept_when_all_is_computed_anew(store: Store, path: Path) -> None:
    place = COMMUNITY, PUBLIC, "resource", "list"
    assert store.imported_tags(*place) == {}
    store.note_import(*place, [record_id(1)])
    store.note_imported_tags(*place, {record_id(1): ("tag:wood", "tag:old")})
    assert store.rebuild() == []
    assert store.imported_tags(*place) == {record_id(1): ["tag:wood", "tag:old"]}
    store.note_imported_tags(*place, {})
    assert store.imported_tags(*place) == {}
    store.note_imported_tags(*place, {record_id(1): ("tag:wood",)})
    store.leave(COMMUNITY)
    assert store.imported_tags(*place) == {}


@pytest.mark.parametrize("former", [FIFTH_FORMAT, SEVENTH_FORMAT, ELEVENTH_FORMAT])
@pytest.mark.parametrize("rebuilt", [False, True])
def test_reservations_of_former_formats_are_found(tmp_path: Path, former: Path, rebuilt: bool) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(former.read_bytes())
    assert Store.check_file(path) == []
    if rebuilt:
        assert Store.rebuild_file(path) == []
    with closing(Store.open(path)) as store:
        found = {(each.booking.state.value, each.waits) for _, each in store.reservations(COMMUNITY)}
        assert found == {("confirmed", False), ("displaced", False), ("asked", True)}
        busy = store._writer.execute("select amount from busy").fetchall()
        assert busy == [("1",)]
        assert store.check() == []


@pytest.mark.parametrize("rebuilt", [False, True])
def test_things_of_former_formats_are_found_by_where_they_are(tmp_path: Path, rebuilt: bool) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(SIXTH_FORMAT.read_bytes())
    assert Store.check_file(path) == []
    if rebuilt:
        assert Store.rebuild_file(path) == []
    with closing(Store.open(path)) as store:
        drills = store.find_things(FindQuery(text="drill", near=(-3_500_000, -781_200_000))).hits
        assert [hit.title for hit in drills] == [
            "cordless drill",
            "waiting drill",
            "drill press",
            "song about a drill",
        ]
        assert store.check() == []
