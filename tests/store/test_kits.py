"""Kits: idle when all their parts are, asked for in one changeset, and settled part by part."""

from collections.abc import Mapping

import pytest

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.kits import whole
from commonsnode_protocol.record import typed_id
from commonsnode_store.asked import FindQuery, WantedSpan
from commonsnode_store.store import Store
from store_bookings import CAT, GRANTS, HOUR, act, ask, thing, writes
from store_people import ANA, BEN, COMMUNITY, NOW, Author

N = [bytes([n]) * 16 for n in range(4)]
KIT, TENT, STOVE = typed_id(COMMUNITY, ANA.key, N[0]), typed_id(COMMUNITY, ANA.key, N[1]), bytes([9]) * 16
CHAIRS = typed_id(COMMUNITY, BEN.key, N[3])
SPAN = WantedSpan(NOW + 10 * HOUR, NOW + 20 * HOUR, NOW)


@pytest.fixture(autouse=True)
def camping(store: Store) -> None:
    """Ana's kit of her tent, six of Ben's ten chairs, and a stove of which nothing is known here."""
    store.apply(COMMUNITY, AUTHORITY, GRANTS, seen_ms=NOW)
    parts: dict[str, Value] = {
        f"part:{TENT.hex()}": True,
        f"part:{CHAIRS.hex()}": "6",
        f"part:{STOVE.hex()}": True,
    }
    put(
        store,
        thing(ANA, N[0], PUBLIC, title="Camping kit", **parts),
        thing(ANA, N[1], title="Tent"),
        thing(BEN, N[3], title="Chairs", amount="10"),
    )


def put(store: Store, *changesets: Checked) -> None:
    store.apply(COMMUNITY, PUBLIC, changesets, seen_ms=NOW)
    assert store.check() == []


def idle(store: Store) -> set[str]:
    return {hit.title for hit in store.find_things(FindQuery(span=SPAN)).hits}


def ask_for_kit(begin: int, end: int) -> Checked:
    """As Cat: for the kit, and for each part as much as the kit takes of it."""
    amounts: Mapping[bytes, str | None] = {KIT: None, TENT: None, CHAIRS: "6", STOVE: None}
    changes: dict[tuple[bytes, str], dict[str, tuple[Value, tuple[bytes, ...]]]] = {}
    for n, (resource, amount) in enumerate(amounts.items()):
        nonce = bytes([100 + n]) * 16
        said: dict[str, Value] = {"action": "use", "resource": resource, "nonce": nonce}
        said |= {"from": NOW + begin * HOUR, "until": NOW + end * HOUR}
        said |= {"amount": amount} if amount is not None else {}
        record = typed_id(COMMUNITY, CAT.key, nonce)
        changes[record, KIND] = {name: (value, ()) for name, value in said.items()}
    return CAT.write(COMMUNITY, changes)


def states(store: Store, kit: Checked) -> dict[bytes, str]:
    found = store.reserved_together(COMMUNITY, kit.id)
    return {held.resource: each.booking.state.value for held, each in found}


def test_a_kit_is_idle_when_all_its_parts_are(store: Store) -> None:
    assert idle(store) == {"Camping kit", "Tent", "Chairs"}
    one = ask(BEN, 12, 13, of=TENT)
    put(store, one)
    assert idle(store) == {"Chairs"}
    put(store, act(BEN, one, "cancelled"))
    assert idle(store) == {"Camping kit", "Tent", "Chairs"}


def test_of_several_alike_enough_are_to_be_left_for_the_kit(store: Store) -> None:
    put(store, ask(ANA, 12, 13, of=CHAIRS, amount="4"))
    assert "Camping kit" in idle(store)
    put(store, ask(ANA, 13, 14, of=CHAIRS, amount="5"))
    assert idle(store) == {"Tent", "Chairs"}


def test_a_part_that_is_not_here_is_missing_from_its_kit_when_it_is_reserved(store: Store) -> None:
    put(store, ask(BEN, 12, 13, of=STOVE))
    assert idle(store) == {"Tent", "Chairs"}


def test_a_part_that_is_deleted_or_broken_is_missing_from_its_kit(store: Store) -> None:
    put(store, writes(ANA, TENT, "resource", {"condition": "broken"}))
    assert idle(store) == {"Chairs"}
    put(store, writes(ANA, TENT, "resource", {"condition": None, "deleted": True}, time=NOW + 1))
    assert idle(store) == {"Chairs"}


def test_a_kit_takes_its_parts(store: Store) -> None:
    kit = ask_for_kit(12, 13)
    put(store, kit)
    assert states(store, kit) == dict.fromkeys((KIT, TENT, CHAIRS, STOVE), "asked")
    assert idle(store) == {"Chairs"}
    alone, five = (
        ask(BEN, 12, 13, of=TENT, time=NOW + 1),
        ask(ANA, 12, 13, of=CHAIRS, time=NOW + 1, amount="5"),
    )
    put(store, alone, five)
    assert {store.bookings(COMMUNITY, of).reserved[-1].booking.state.value for of in (TENT, CHAIRS)} == {
        "displaced"
    }


def test_each_keeper_decides_about_their_own_part_and_the_whole_follows(store: Store) -> None:
    kit = ask_for_kit(12, 13)
    put(store, kit)
    parts = {
        held.resource: each.booking.ask.record for held, each in store.reserved_together(COMMUNITY, kit.id)
    }

    def confirmed(author: Author, *of: bytes) -> Checked:
        changes = {(parts[each], KIND): {"confirmed": (True, ())} for each in of}
        return author.write(COMMUNITY, changes, refs=[kit.id], time=NOW + 1)

    def of_whole() -> str:
        found = store.reserved_together(COMMUNITY, kit.id)
        own = next(each.booking.state for held, each in found if held.resource == KIT)
        return whole(own, [each.booking.state for held, each in found if held.resource != KIT]).value

    put(store, confirmed(ANA, KIT, TENT, CHAIRS))
    assert states(store, kit) == {KIT: "confirmed", TENT: "confirmed", CHAIRS: "asked", STOVE: "asked"}
    assert of_whole() == "asked"
    put(store, confirmed(BEN, CHAIRS, STOVE))
    assert states(store, kit)[CHAIRS] == "confirmed"
    earlier = ask(BEN, 12, 13, of=STOVE, time=NOW - 1)
    put(store, earlier)
    assert of_whole() == "displaced"
