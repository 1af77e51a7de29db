"""The digest of lane `authority` is that of its ids, whatever came and went before, and after a transaction that failed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.lthash import authority_digest
from commonsnode_store.id_digests import ONE_BY_ONE_MAX, STEP_IDS, IdDigests, SortedIds
from commonsnode_store.store import Store
from store_people import ANA, COMMUNITY, FOUNDER, NOW, record_id

unhurried = settings(deadline=None, max_examples=40)
LANE = 7


def ids(count: int, of: int = 0) -> list[bytes]:
    return [blake2b(b"%d %d" % (of, n), digest_size=32).digest() for n in range(count)]


EVERY = ids(4 * STEP_IDS)
# A few, which are put in one by one; or more, which are sorted anew; and as many as end at a state of the hash.
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**32), st.sampled_from((0, 1, 3, ONE_BY_ONE_MAX + 1, STEP_IDS)), st.booleans()),
    max_size=8,
)


@unhurried
@given(CHANGES, st.booleans())
def test_it_is_the_digest_of_what_stands(changes: list[tuple[int, int, bool]], asked_meanwhile: bool) -> None:
    kept, expected = SortedIds(), set[bytes]()
    for seed, count, stand in changes:
        changed = Random(seed).sample(EVERY, count)
        kept.change(changed, stand=stand)
        expected = expected.union(changed) if stand else expected.difference(changed)
        if asked_meanwhile:
            assert kept.digest() == authority_digest(expected)
    assert kept.digest() == authority_digest(expected)
    assert len(kept) == len(expected)


@pytest.fixture
def table() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("create table changesets (id blob, standing integer, lane integer)")
        yield db


def put(db: sqlite3.Connection, *new: bytes, standing: int = 1, lane: int = LANE) -> None:
    db.executemany("insert into changesets values (?, ?, ?)", [(id_, standing, lane) for id_ in new])


def test_it_begins_with_what_stands_in_the_table(table: sqlite3.Connection) -> None:
    first, void, other = ids(3)
    put(table, first)
    put(table, void, standing=2)
    put(table, other, lane=LANE + 1)
    digests = IdDigests()
    digests.change(LANE, [void], stand=False)  # not kept yet: the table will say it
    assert digests.of(table, LANE) == authority_digest([first])
    assert digests.of(table, LANE + 1) == authority_digest([other])


def test_what_is_kept_is_not_read_again(table: sqlite3.Connection) -> None:
    first, second = ids(2)
    put(table, first)
    digests = IdDigests()
    digests.of(table, LANE)
    digests.change(LANE, [second], stand=True)
    assert digests.of(table, LANE) == authority_digest([first, second])


def test_what_a_failed_transaction_left_is_forgotten(table: sqlite3.Connection) -> None:
    first, second = ids(2)
    put(table, first)
    digests = IdDigests()
    digests.of(table, LANE)
    digests.change(LANE, [second], stand=True)
    digests.forget()
    assert digests.of(table, LANE) == authority_digest([first])


def test_a_store_forgets_with_its_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, b"p" * 32)], seen_ms=NOW)
    waiting = ANA.add(COMMUNITY, record_id(1), title="Saw")
    store.apply(COMMUNITY, PUBLIC, [waiting], seen_ms=NOW, own=True)
    grant = FOUNDER.grant(COMMUNITY, ANA.key)

    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr("commonsnode_store.rising._settle", broken)
        with pytest.raises(RuntimeError):
            store.apply(COMMUNITY, AUTHORITY, [grant], seen_ms=NOW)
    store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, b"q" * 32)], seen_ms=NOW)
    assert store.standing([grant.id]) == set()
    assert store.check() == []
