"""One meeting is enough for what authors who were cut have written, whoever dials and whatever their clocks said (rule 25)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from authority_world import key_of
from bench import linked
from commonsnode_protocol.authority.writing import anew
from commonsnode_protocol.changeset import PUBLIC, build, decode
from commonsnode_protocol.intake import Checked
from commonsnode_store.answers import Applied
from commonsnode_store.store import Store
from store_acts import CHARTER_OF_F, VALLEY, act, grant, naming, revoke, signed, states, take

LANES = (PUBLIC,)
BATCH_BYTES = 66_000  # of one `changesets` frame in these tests: some 200 changesets
COUNT = 1_000
Clock = Callable[[int], int]
CLOCKS: dict[str, Clock] = {
    "rising": lambda n: 1_000 + n,
    "falling": lambda n: 9_000 - n,
    "stopped": lambda n: 1,
    "any": lambda n: Random(n).randrange(1, 9_000),
}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonsnode_protocol.session.BATCH_BYTES_MAX", BATCH_BYTES)


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A node of the valley with the members M and N, and a newcomer."""
    with (
        closing(Store.open(tmp_path / "valley.sqlite3", create=True)) as valley,
        closing(Store.open(tmp_path / "newcomer.sqlite3", create=True)) as newcomer,
    ):
        for store in (valley, newcomer):
            store.follow(VALLEY, LANES)
            take(store, signed(CHARTER_OF_F))
        for name in ("M", "N"):
            grant(valley, name)
        yield valley, newcomer


def things(author: str, count: int, clock: Clock, refs: tuple[bytes, ...] = ()) -> list[Checked]:
    """Each refs the one before; and these, too."""
    found: list[Checked] = []
    for n in range(count):
        named = {*refs, *(each.id for each in found[-1:])}
        record = author.encode().ljust(8, b".") + (n + 10_000 * len(refs)).to_bytes(8, "big")
        body = build(
            community=VALLEY, lane=PUBLIC, author=key_of(author), time=clock(n), refs=sorted(named),
            changes=[(record, "resource", {"title": (f"Thing {n}", ())})],
        )  # fmt: skip
        found.append(signed(decode(body)))
    return found


def refusals(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many changesets each batch brought from now on that do not stand."""
    refused: list[int] = []
    apply: Callable[..., Applied] = store.apply

    def watched(*args: object, **named: object) -> Applied:
        applied = apply(*args, **named)
        refused.append(len(applied.refused))
        return applied

    monkeypatch.setattr(store, "apply", watched)
    return refused


@pytest.mark.parametrize("newcomer_dials", [True, False])
@pytest.mark.parametrize("clock", [*CLOCKS])
def test_attack_11_a_newcomer_gets_the_long_chain_of_a_revoked_author(
    nodes: tuple[Store, Store], clock: str, newcomer_dials: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    valley, newcomer = nodes
    long = things("M", COUNT + 100, CLOCKS[clock])
    take(valley, *long, *things("N", 300, CLOCKS["any"]))
    act(valley, "F", naming(valley, long[:COUNT]))
    assert valley.lane_state(VALLEY, PUBLIC).count == COUNT + 300
    refused = refusals(newcomer, monkeypatch)
    linked.run(*((newcomer, valley) if newcomer_dials else (valley, newcomer)))
    assert states(newcomer, LANES) == states(valley, LANES)
    assert len(refused) > 4  # it took several batches
    assert sum(refused) == 0


@pytest.mark.parametrize("newcomer_dials", [True, False])
def test_attack_31_who_was_revoked_and_granted_again_writes_on(
    nodes: tuple[Store, Store], newcomer_dials: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    valley, newcomer = nodes
    take(valley, *things("M", COUNT, CLOCKS["falling"]))
    linked.run(valley, newcomer)
    revoke(valley, "M")
    grant(valley, "M")
    again = anew(valley.evaluator(VALLEY), key_of("M"), PUBLIC)
    take(valley, *things("M", 100, CLOCKS["falling"], tuple(again)))
    assert valley.lane_state(VALLEY, PUBLIC).count == COUNT + 100
    refused = refusals(newcomer, monkeypatch)
    linked.run(*((newcomer, valley) if newcomer_dials else (valley, newcomer)))
    assert states(newcomer, LANES) == states(valley, LANES)
    assert sum(refused) == 0


def test_a_chain_longer_than_what_is_wanted_at_once_is_asked_for_from_its_end(
    nodes: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    valley, newcomer = nodes
    long = things("M", COUNT, CLOCKS["rising"])
    take(valley, *long)
    act(valley, "F", naming(valley, long))
    monkeypatch.setattr("commonsnode_protocol.session.WANTED_AT_ONCE", 300)
    monkeypatch.setattr("commonsnode_protocol.session.WANT_IDS_MAX", 100)
    refused = refusals(newcomer, monkeypatch)
    linked.run(newcomer, valley)
    assert states(newcomer, LANES) == states(valley, LANES)
    assert sum(refused) == 0
