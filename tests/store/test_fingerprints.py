"""The directory answers what the plain set would: counts, places, sums of any range, however the set came about."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.lthash import LtHash, authority_digest
from commonsnode_protocol.negentropy import VectorStorage, fingerprint
from commonsnode_store import fingerprints
from commonsnode_store.connections import Connection
from commonsnode_store.fingerprints import EMPTY, Directory, DirectoryEdit, LaneItems
from commonsnode_store.store import Store
from store_people import ANA, CHARTER, COMMUNITY, FOUNDER, NOW, record_id

# A table with the columns that a directory is computed from, and nothing else.
TABLES = """
create table changesets (lane integer, time integer, id blob, standing integer);
create index changesets_in_order on changesets (lane, time, id) where standing = 1;
create table buckets (lane integer, time integer, id blob, count integer, sum blob, primary key (lane, time, id))
    without rowid;
"""


def some_items(random: Random) -> list[tuple[int, bytes]]:
    """In any order; many with the same time, or neighbouring ids."""
    latest = random.choice((0, 3, 2**53 - 1))
    return [
        (random.randint(0, latest), (random.choice((b"", bytes(28))) + random.randbytes(32))[:32])
        for _ in range(random.randint(0, 250))
    ]


def memory() -> Connection:
    db = Connection(":memory:", isolation_level=None)
    db.executescript(TABLES)
    return db


def added(db: Connection, directory: Directory, items: list[tuple[int, bytes]]) -> Directory:
    db.executemany("insert into changesets values (1, ?, ?, 1)", items)
    edit = DirectoryEdit(db, 1, directory)
    edit.add(items)
    return edit.done()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_set_in_any_batches_answers_like_the_plain_set(seed: int) -> None:
    random = Random(seed)
    items = [(time, id_) for id_, time in {id_: time for time, id_ in some_items(random)}.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprints, "BUCKET_MAX", 8)
        patch.setattr(fingerprints, "BUCKET_FILL", 6)
        db = memory()
        directory = EMPTY
        bounds = sorted(
            {0, len(items), *(random.randint(0, len(items)) for _ in range(random.randint(0, 5)))}
        )
        for begin, end in pairwise(bounds):
            directory = added(db, directory, items[begin:end])
        again = fingerprints.load(db, 1)
        assert [list(part) for part in (again.keys, again.counts, again.sums)] == [
            list(part) for part in (directory.keys, directory.counts, directory.sums)
        ]
        assert all(count <= 8 for count in directory.counts)
        found, plain = LaneItems(db, 1, directory), VectorStorage(items)
        size = found.size()
        assert size == plain.size() == len(items)
        assert [found.item(index) for index in range(size)] == [plain.item(index) for index in range(size)]
        for _ in range(20):
            begin = random.randint(0, size)
            end = random.randint(begin, size)
            assert found.items(begin, end) == plain.items(begin, end)
            assert found.id_sum(begin, end) == plain.id_sum(begin, end)
        for time, id_ in [*items, (0, b""), (2**53, b""), (2, b"\x80"), (1, b"")]:
            for prefix in (id_, id_[:1], id_[:5]):
                assert found.lower_bound(time, prefix) == plain.lower_bound(time, prefix)


def test_a_set_larger_than_some_buckets_keeps_them_small(store: Store) -> None:
    first = [FOUNDER.add(COMMUNITY, record_id(n), title=str(n), time=NOW + 10 * n) for n in range(1_200)]
    between = [FOUNDER.add(COMMUNITY, record_id(n), note=str(n), time=NOW + 3 * n) for n in range(1_200)]
    store.apply(COMMUNITY, PUBLIC, first, seen_ms=NOW)
    store.apply(COMMUNITY, PUBLIC, between, seen_ms=NOW)
    everything = sorted((c.changeset.time, c.id) for c in (*first, *between))
    with store.reconciliation(COMMUNITY, PUBLIC) as found:
        assert found.items(0, 2_400) == everything
        assert found.id_sum(700, 1_900) == VectorStorage(everything).id_sum(700, 1_900)
    counts = [count for (count,) in store._writer.execute("select count from buckets where lane > 1")]
    assert sum(counts) == 2_400
    assert max(counts) <= fingerprints.BUCKET_MAX
    assert len(counts) < 12
    assert store.check() == []


def test_what_is_said_of_a_lane_is_computed_from_what_stands_in_it(store: Store) -> None:
    grant = FOUNDER.grant(COMMUNITY, ANA.key)
    things = [ANA.add(COMMUNITY, record_id(n), title=str(n), time=NOW - n) for n in range(5)]
    store.apply(COMMUNITY, PUBLIC, things, seen_ms=NOW, own=True)
    empty = store.lane_state(COMMUNITY, PUBLIC)
    assert (empty.count, empty.fingerprint, empty.digest) == (0, fingerprint(0, 0), LtHash().digest())
    store.apply(COMMUNITY, AUTHORITY, [grant], seen_ms=NOW)
    state = store.lane_state(COMMUNITY, PUBLIC)
    digest = LtHash()
    digest.add(thing.id for thing in things)
    total = sum(int.from_bytes(thing.id, "little") for thing in things) % 2**256
    assert (state.count, state.fingerprint, state.digest) == (5, fingerprint(total, 5), digest.digest())
    said = store.lane_state(COMMUNITY, AUTHORITY)
    assert (said.count, said.digest) == (2, authority_digest([CHARTER.id, grant.id]))
