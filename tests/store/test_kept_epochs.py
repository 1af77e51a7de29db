"""The copies in lane `keys` as they are kept: always those that stand, and read again only where adding is not enough."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from authority_world import key_of
from commonsnode_protocol import epochs
from commonsnode_protocol.changeset import KEYS, Changeset, build, decode
from commonsnode_protocol.epochs import EPOCH_KEY_BYTES, KEY_COPY, SEALED_KEY_BYTES, Epochs
from commonsnode_protocol.intake import Checked
from commonsnode_store.connections import Connection
from commonsnode_store.errors import StoreError
from commonsnode_store.standing import read_changeset
from commonsnode_store.store import Store
from store_acts import CHARTER_OF_F, VALLEY, grant, revoke, signed, take


@pytest.fixture
def valley(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(tmp_path / "node.sqlite3", create=True)) as store:
        store.follow(VALLEY, [KEYS])
        take(store, signed(CHARTER_OF_F))
        grant(store, "M")
        yield store


def copy_of(author: str, n: int) -> Checked:
    """A copy of a key, for somebody."""
    number = n.to_bytes(8, "big")
    fields = {
        "epoch": (bytes(EPOCH_KEY_BYTES), ()),
        "for": (number * 4, ()),
        "sealed": (number * (SEALED_KEY_BYTES // 8), ()),
    }
    body = build(
        community=VALLEY, lane=KEYS, author=key_of(author), time=n, refs=(),
        changes=[(number * 2, KEY_COPY, fields)],
    )  # fmt: skip
    return signed(decode(body))


def standing(store: Store) -> Epochs:
    """Read from all that stands."""
    with store.reconciliation(VALLEY, KEYS) as storage:
        ids = [id_ for _, id_ in storage.items(0, storage.size())]
    return epochs.read(decode(each.body) for each in store.fetch(VALLEY, KEYS, ids))


def test_they_are_what_stands_whatever_comes_falls_and_rises(valley: Store) -> None:
    mine = [copy_of("M", n) for n in range(1, 6)]
    steps: list[Callable[[], object]] = [
        lambda: take(valley, *mine[:2]),
        lambda: take(valley, copy_of("F", 10)),
        lambda: take(valley, copy_of("N", 11), own=True),  # waits
        lambda: revoke(valley, "M"),
        lambda: take(valley, mine[4]),  # refused
        lambda: grant(valley, "N"),  # what waited stands
        lambda: take(valley, copy_of("F", 12), copy_of("N", 13)),
    ]
    for step in steps:
        step()
        assert valley.epochs(VALLEY).copies == standing(valley).copies
    assert len(valley.epochs(VALLEY).copies[bytes(EPOCH_KEY_BYTES)]) == 6


def test_what_comes_is_added_without_reading_all_again(
    valley: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(valley, *(copy_of("M", n) for n in range(1, 50)))
    valley.epochs(VALLEY)
    read: list[bytes] = []

    def counted(db: Connection, id_: bytes, codec: int, body: bytes) -> Changeset:
        read.append(id_)
        return read_changeset(db, id_, codec, body)

    monkeypatch.setattr("commonsnode_store.kept_epochs.read_changeset", counted)
    one = copy_of("F", 50)
    take(valley, one)
    assert len(valley.epochs(VALLEY).copies[bytes(EPOCH_KEY_BYTES)]) == 50
    assert read == [one.id]
    valley.epochs(VALLEY)
    assert read == [one.id]


def test_they_are_none_of_what_a_failed_transaction_had_added(
    valley: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(valley, copy_of("M", 1))
    valley.epochs(VALLEY)
    with monkeypatch.context() as patch:
        patch.setattr("commonsnode_store.transaction.Transaction.finish", _broken)
        with pytest.raises(StoreError):
            take(valley, copy_of("M", 2))
    take(valley, copy_of("M", 3))
    assert valley.epochs(VALLEY).copies == standing(valley).copies


def _broken(_: object) -> None:
    raise StoreError("out of luck")
