"""What does not stand costs no disk, however much of it comes; nor does the memory of it grow (rule 26, attack 15)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from authority_world import dated, key_of, nonce, seed_of
from commonsnode_protocol.authority import MEMBER, writing
from commonsnode_protocol.changeset import PUBLIC, build, decode, public_key, sign
from commonsnode_protocol.intake import Checked
from commonsnode_store.store import Store
from store_acts import CHARTER_OF_F, NOW, VALLEY, act, chain, grant, naming, signed, take, thing
from store_people import record_id

COUNT = 1_000
LONG = "x" * 2_000
AT_ONCE = 250

Batch = Callable[[Store], Sequence[Checked]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.sqlite3"


@pytest.fixture
def valley(path: Path) -> Iterator[Store]:
    """With a member; and a former one, of whose chain the first half stands."""
    with closing(Store.open(path, create=True)) as store:
        store.follow(VALLEY, [PUBLIC])
        take(store, signed(CHARTER_OF_F))
        for name in "MN":
            grant(store, name)
        take(store, thing("N", record_id(1)))
        things = chain("M", 10)
        take(store, *things)
        act(store, "F", naming(store, things[:5]))
        yield store


def joins(invitation: str) -> list[Checked]:
    """By so many keys, as who has a link can make them."""
    found = []
    for n in range(COUNT):
        seed = n.to_bytes(32, "big")
        draft = writing.join(VALLEY, public_key(seed), nonce(), seed_of(invitation), key_of(invitation))
        changeset = dated(draft, public_key(seed))
        body = build(
            community=VALLEY, lane=changeset.lane, author=changeset.author, time=1, refs=(), changes=draft.changes
        )  # fmt: skip
        found.append(Checked(changeset, sign(body, seed)))
    return found


def things_of(seed: bytes) -> list[Checked]:
    found = []
    for n in range(COUNT):
        body = build(
            community=VALLEY, lane=PUBLIC, author=public_key(seed), time=n + 1, refs=(),
            changes=[(n.to_bytes(16, "big"), "resource", {"title": (LONG, ())})],
        )  # fmt: skip
        found.append(Checked(decode(body), sign(body, seed)))
    return found


def of_strangers(_: Store) -> Sequence[Checked]:
    return things_of(bytes([99]) * 32)


def of_a_former_member(_: Store) -> Sequence[Checked]:
    return things_of(seed_of("M"))


def acts_of_a_former_member(store: Store) -> Sequence[Checked]:
    """Grants, which are a steward's."""
    held = store.evaluator(VALLEY)
    drafts = (writing.grant(held, key_of("F"), nonce(), n.to_bytes(32, "big"), MEMBER) for n in range(COUNT))
    return [signed(dated(writing.Draft(draft.changes, (), VALLEY), key_of("M"))) for draft in drafts]


def joins_by_no_invitation(_: Store) -> Sequence[Checked]:
    return joins("J")


def joins_by_a_link_that_is_used_up(store: Store) -> Sequence[Checked]:
    act(store, "F", writing.invitation(store.evaluator(VALLEY), key_of("F"), nonce(), key_of("I"), MEMBER, 1))
    honest = take(
        store,
        signed(dated(writing.join(VALLEY, key_of("X"), nonce(), seed_of("I"), key_of("I")), key_of("X"))),
    )
    act(store, "F", writing.pin(store.evaluator(VALLEY), key_of("F"), nonce(), honest.new[0]))
    return joins("I")


@pytest.mark.parametrize(
    "make",
    [
        of_strangers,
        of_a_former_member,
        acts_of_a_former_member,
        joins_by_no_invitation,
        joins_by_a_link_that_is_used_up,
    ],
)
def test_what_does_not_stand_costs_no_disk_and_no_memory(valley: Store, path: Path, make: Batch) -> None:
    batch = make(valley)
    valley.tidy()
    before, held = path.stat().st_size, len([*valley.evaluator(VALLEY).entries()])
    states = [valley.lane_state(VALLEY, lane) for lane in ("authority", PUBLIC)]
    for at in range(0, COUNT, AT_ONCE):
        applied = valley.apply(VALLEY, batch[0].changeset.lane, batch[at : at + AT_ONCE], seen_ms=NOW)
        assert len(applied.refused) == AT_ONCE
    valley.tidy()
    assert path.stat().st_size == before
    assert len([*valley.evaluator(VALLEY).entries()]) == held
    assert [valley.lane_state(VALLEY, lane) for lane in ("authority", PUBLIC)] == states
    assert valley.check() == []
