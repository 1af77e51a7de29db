"""Power cuts, full disks and transactions that fail: what was acknowledged is there, and memory says what the file says."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.negentropy import fingerprint
from commonsnode_store import merging
from commonsnode_store.errors import DiskFull, ReadOnly, StoreError
from commonsnode_store.store import Store
from store_people import ANA, CHARTER, COMMUNITY, FOUNDER, NOW, record_id

ROOT = Path(__file__).parents[2]

# What the child process of the power cuts does: apply one batch after the other, and say so of each.
WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_store.store import Store
from store_people import COMMUNITY, FOUNDER, NOW, record_id

store = Store.open(Path(sys.argv[1]))
for n in range(10_000):
    batch = [
        FOUNDER.add(COMMUNITY, record_id(n % 50), title=f"Thing {n}", description="x" * 300, time=NOW + n)
        for n in range(10 * n, 10 * n + 10)
    ]
    store.apply(COMMUNITY, PUBLIC, batch, seen_ms=NOW)
    print(batch[-1].id.hex(), flush=True)
"""


def small(n: int) -> Checked:
    return FOUNDER.add(COMMUNITY, record_id(n), title=f"Thing {n}", time=NOW + n)


def large(n: int) -> Checked:
    return FOUNDER.add(COMMUNITY, record_id(n), title=f"Large {n}", note=os.urandom(30_000), time=NOW + n)


def memory_is_as_the_file(store: Store, path: Path) -> bool:
    """What is said from memory, against what another opening of a copy of the file finds."""
    state = store.lane_state(COMMUNITY, PUBLIC)
    with store.reconciliation(COMMUNITY, PUBLIC) as items:
        said = fingerprint(items.id_sum(0, items.size()), items.size())
        counted = len(items.items(0, items.size()))
    copy = path.with_name("copy.sqlite3")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with closing(Store.open(copy)) as other:
        there = other.lane_state(COMMUNITY, PUBLIC)
        authority = other.authority(COMMUNITY)
    copy.unlink()
    return (
        state == there
        and said == state.fingerprint
        and counted == state.count
        and authority == store.authority(COMMUNITY)
    )


@pytest.mark.parametrize("seed", range(4))
def test_after_a_kill_at_any_moment_the_file_is_whole_and_holds_all_that_was_acknowledged(
    store: Store, path: Path, seed: int
) -> None:
    store.close()
    folders = [str(ROOT / part) for part in ("protocol", "store", "tests")]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), *folders], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline() for _ in range(Random(seed).randint(3, 12))]
        timer = threading.Timer(Random(seed).random() / 50, child.send_signal, [signal.SIGKILL])
        timer.start()
        acknowledged += list(child.stdout)
        timer.join()
    with closing(Store.open(path)) as after:
        ids = [bytes.fromhex(line.strip()) for line in acknowledged if line.endswith("\n")]
        assert ids
        assert after.missing(COMMUNITY, PUBLIC, ids) == []
        assert after.lane_state(COMMUNITY, PUBLIC).count % 10 == 0
        assert after.check() == []


def test_a_file_that_may_not_grow_takes_nothing_and_loses_nothing(store: Store, path: Path) -> None:
    store.apply(COMMUNITY, PUBLIC, [small(1)], seen_ms=NOW)
    pages = store._writer.execute("pragma page_count").fetchone()[0]
    store._writer.execute(f"pragma max_page_count = {pages + 5}")
    with pytest.raises(DiskFull):
        store.apply(COMMUNITY, PUBLIC, [small(2), *(large(n) for n in range(3, 9))], seen_ms=NOW)
    assert memory_is_as_the_file(store, path)
    assert store.lane_state(COMMUNITY, PUBLIC).count == 1
    assert store.apply(COMMUNITY, PUBLIC, [small(2)], seen_ms=NOW).new == (small(2).id,)
    store._writer.execute("pragma max_page_count = 1000000")
    assert len(store.apply(COMMUNITY, PUBLIC, [large(n) for n in range(3, 9)], seen_ms=NOW).new) == 6
    assert store.check() == []
    assert memory_is_as_the_file(store, path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount a file system to fill")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_harms_nothing_and_the_store_goes_on_when_there_is_space(
    store: Store, path: Path, small_disk: Path
) -> None:
    store.close()
    there = small_disk / "node.sqlite3"
    shutil.copy(path, there)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    with closing(Store.open(there)) as full:
        taken: list[bytes] = []
        with pytest.raises(DiskFull):  # noqa: PT012  # which of them is the first without room is not the point
            for n in range(200):
                taken += full.apply(COMMUNITY, PUBLIC, [large(n)], seen_ms=NOW).new
        assert taken
        assert full.missing(COMMUNITY, PUBLIC, taken) == []
        assert len(full.page(community=COMMUNITY).records) == min(50, len(taken))
        with pytest.raises(DiskFull):
            full.apply(COMMUNITY, PUBLIC, [large(n) for n in range(300, 340)], seen_ms=NOW)
        ballast.unlink()
        assert full.apply(COMMUNITY, PUBLIC, [large(400)], seen_ms=NOW).new
        assert full.check() == []
    with closing(Store.open(there)) as again:
        assert again.lane_state(COMMUNITY, PUBLIC).count == len(taken) + 1


def test_what_became_read_only_is_still_read(store: Store) -> None:
    store.apply(COMMUNITY, PUBLIC, [small(1)], seen_ms=NOW)
    store._writer.execute(
        "pragma query_only = on"
    )  # the same error as from a file system mounted so meanwhile
    with pytest.raises(ReadOnly):
        store.apply(COMMUNITY, PUBLIC, [small(2)], seen_ms=NOW)
    assert [view.title for view in store.page(community=COMMUNITY).records] == ["Thing 1"]
    store._writer.execute("pragma query_only = off")
    assert store.apply(COMMUNITY, PUBLIC, [small(2)], seen_ms=NOW).new


def test_a_file_on_a_read_only_file_system_is_not_opened_and_says_why(
    store: Store, path: Path, small_disk: Path
) -> None:
    store.close()
    there = small_disk / "node.sqlite3"
    shutil.copy(path, there)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(ReadOnly):
        Store.open(there)
    with pytest.raises(ReadOnly):
        Store.open(small_disk / "new.sqlite3", create=True)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    Store.open(there).close()


def test_a_transaction_that_breaks_off_leaves_no_trace_in_memory(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.apply(COMMUNITY, PUBLIC, [small(n) for n in range(1, 5)], seen_ms=NOW)
    before = store.lane_state(COMMUNITY, PUBLIC), store.lane_state(COMMUNITY, AUTHORITY)

    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr(merging.RowWriter, "finish", broken)
        with pytest.raises(RuntimeError):
            store.apply(COMMUNITY, PUBLIC, [small(n) for n in range(3, 400)], seen_ms=NOW)
    assert (store.lane_state(COMMUNITY, PUBLIC), store.lane_state(COMMUNITY, AUTHORITY)) == before
    assert memory_is_as_the_file(store, path)
    waiting = ANA.add(COMMUNITY, record_id(9), title="Saw")
    store.apply(COMMUNITY, PUBLIC, [waiting], seen_ms=NOW, own=True)
    with monkeypatch.context() as patch:
        patch.setattr("commonsnode_store.rising._settle", broken)
        with pytest.raises(RuntimeError):
            store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, ANA.key)], seen_ms=NOW)
    assert not store.authority(COMMUNITY).writes(ANA.key)
    assert memory_is_as_the_file(store, path)
    store.apply(COMMUNITY, PUBLIC, [small(n) for n in range(3, 400)], seen_ms=NOW)
    store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, ANA.key)], seen_ms=NOW)
    assert store.check() == []
    assert memory_is_as_the_file(store, path)


def test_another_program_that_holds_the_file_is_an_error_and_no_harm(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._writer.execute("pragma busy_timeout = 1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="locked"):
            store.apply(COMMUNITY, PUBLIC, [small(1)], seen_ms=NOW)
        other.execute("rollback")
    assert store.apply(COMMUNITY, PUBLIC, [small(1)], seen_ms=NOW).new


def test_readers_beside_a_writer_always_see_one_moment(store: Store) -> None:
    """The directory in memory and the rows of the file belong to the same transaction, however they interleave."""
    batches = [[small(n) for n in range(begin, begin + 40)] for begin in range(0, 1_600, 40)]
    wrong: list[str] = []
    done = threading.Event()

    def read(seed: int) -> None:
        try:
            while not done.is_set():
                look(Random(seed))
        except (StoreError, IndexError) as error:
            wrong.append(repr(error))

    def look(random: Random) -> None:
        with store.reconciliation(COMMUNITY, PUBLIC) as items:
            size = items.size()
            begin = random.randint(0, size)
            end = random.randint(begin, size)
            some = items.items(begin, end)
            if len(items.items(0, size)) != size or size % 40:
                wrong.append(f"{size} items")
            if sum(int.from_bytes(id_, "little") for _, id_ in some) % 2**256 != items.id_sum(begin, end):
                wrong.append(f"the sum of {begin} to {end}")
        views = list(store.export(COMMUNITY))
        if len(views) % 40:
            wrong.append(f"{len(views)} records")

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for reader in readers:
        reader.start()
    try:
        for batch in batches:
            store.apply(COMMUNITY, PUBLIC, batch, seen_ms=NOW)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert store.check() == []


def test_rebuilding_beside_readers_leaves_them_their_moment(store: Store) -> None:
    store.apply(COMMUNITY, PUBLIC, [small(n) for n in range(1_000)], seen_ms=NOW)
    views = store.export(COMMUNITY)
    first = next(views)
    assert store.rebuild() == []
    store.apply(COMMUNITY, PUBLIC, [small(n) for n in range(1_000, 1_010)], seen_ms=NOW)
    assert len([first, *views]) == 1_000
    assert len(list(store.export(COMMUNITY))) == 1_010
    assert store.check() == []


def test_a_replacement_that_was_interrupted_is_finished_when_the_file_is_opened(
    store: Store, path: Path
) -> None:
    store.apply(COMMUNITY, PUBLIC, [small(n) for n in range(10)], seen_ms=NOW)
    store.close()
    ready = path.with_name(f"{path.name}.rebuilt")
    shutil.copy(path, ready)
    path.write_bytes(b"what is left of the old file")
    path.with_name(f"{path.name}-wal").write_bytes(b"and of its log")
    with closing(Store.open(path)) as again:
        assert again.lane_state(COMMUNITY, PUBLIC).count == 10
        assert again.check() == []
    assert not ready.exists()


def test_a_rebuild_for_which_there_is_no_room_leaves_the_file_as_it_was(
    store: Store, path: Path, small_disk: Path
) -> None:
    store.apply(COMMUNITY, PUBLIC, [large(n) for n in range(22)], seen_ms=NOW)
    store.close()
    there = small_disk / "node.sqlite3"
    shutil.copy(path, there)
    with closing(Store.open(there)) as full:
        with pytest.raises(DiskFull):
            full.rebuild()
        assert full.lane_state(COMMUNITY, PUBLIC).count == 22
        assert len(full.page(community=COMMUNITY).records) == 22
        assert full.apply(COMMUNITY, PUBLIC, [small(50)], seen_ms=NOW).new
    assert [file.name for file in small_disk.iterdir()] == ["node.sqlite3"]
    assert Store.check_file(there) == []


def test_a_closed_store_says_so(store: Store) -> None:
    assert CHARTER.id == COMMUNITY
    store.close()
    with pytest.raises(StoreError):
        store.page(community=COMMUNITY)
    with pytest.raises(StoreError):
        store.apply(COMMUNITY, PUBLIC, [small(1)], seen_ms=NOW)
