"""What goes to whom when a thing is added or edited: as its author writes it, on one node's own store."""

from typing import Any

import pytest

from commonsnode import communities, inventory
from commonsnode.authoring import Author
from commonsnode.errors import WrongField
from commonsnode.halves import parted
from commonsnode_protocol.blurring import blurred_place
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS, PUBLIC
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store
from running_node import NOW, Api

LANES = ("authority", "public", "members", "keys")
EXACT: Value = {"lat": 3_012_345, "lon": -782_654_321, "name": "Calle Bolívar 12"}
NEAR = blurred_place(EXACT, 1_000)


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def add(author: Author, community: bytes, kind: str = "resource", **fields: Value) -> RecordRef:
    done = inventory.add(author, community, {"title": "Drill", **fields}, kind=kind)
    return RecordRef(community, PUBLIC, kind, done.record)


def seen(store: Store, ref: RecordRef, name: str = "place") -> tuple[Value, Value]:
    """What everybody sees of a field, and what members do."""
    public, whole = store.record(ref), store.whole(ref)
    assert public is not None
    assert whole is not None
    return public.values.get(name), whole.values.get(name)


@pytest.mark.parametrize(
    ("kind", "place", "everybody"),
    [
        ("resource", EXACT, NEAR),
        ("agent", EXACT, NEAR),
        ("place", EXACT, EXACT),
        ("wheelbarrow", EXACT, EXACT),
        ("resource", "by the mill", "by the mill"),
        ("resource", {"name": "by the mill"}, {"name": "by the mill"}),
    ],
)
def test_a_place_goes_blurred_to_everybody_where_it_says_a_position(
    author: Author, store: Store, valley: bytes, kind: str, place: Value, everybody: Value
) -> None:
    assert seen(store, add(author, valley, kind, place=place)) == (everybody, place)


def test_a_middle_that_lost_its_grid_on_the_way_is_no_exact_place(
    author: Author, store: Store, valley: bytes
) -> None:
    assert isinstance(NEAR, dict)
    bare: Value = {"lat": NEAR["lat"], "lon": NEAR["lon"]}
    for place in (NEAR, bare):
        ref = add(author, valley, place=place)
        assert seen(store, ref) == (NEAR, NEAR)
        assert store.record(RecordRef(valley, MEMBERS, ref.kind, ref.record)) is None


def test_a_place_that_was_read_blurred_and_moved_is_exact(
    author: Author, store: Store, valley: bytes
) -> None:
    assert isinstance(NEAR, dict)
    ref = add(author, valley, place={**NEAR, "lat": 3_012_345, "lon": -782_654_321})
    assert seen(store, ref) == (NEAR, {"lat": 3_012_345, "lon": -782_654_321})


def test_clearing_a_place_clears_both(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, place=EXACT)
    inventory.edit(author, ref, {"place": None})
    assert seen(store, ref) == (None, None)
    assert inventory.edit(author, ref, {"place": None}).changed == ()


def test_an_edit_within_the_cell_tells_everybody_nothing(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, place=EXACT)
    before = store.lane_state(valley, PUBLIC).count
    moved: Value = {"lat": 3_009_999, "lon": -782_654_321}
    assert inventory.edit(author, ref, {"place": moved}).changed == ("place",)
    assert store.lane_state(valley, PUBLIC).count == before
    assert seen(store, ref) == (NEAR, moved)
    assert inventory.edit(author, ref, {"place": moved}).changed == ()


def test_a_field_for_members_goes_on_so_and_is_cleared_for_all(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, phone="old")
    inventory.edit(author, ref, {"phone": "12 34"}, lane=MEMBERS)
    assert seen(store, ref, "phone") == ("old", "12 34")
    inventory.edit(author, ref, {"phone": "56 78", "condition": "good"})
    assert seen(store, ref, "phone") == ("old", "56 78")
    assert seen(store, ref, "condition") == ("good", "good")
    inventory.edit(author, ref, {"phone": None})
    assert seen(store, ref, "phone") == (None, None)


def test_what_says_that_a_half_is_one_is_never_typed(author: Author, valley: bytes) -> None:
    with pytest.raises(WrongField, match="beside"):
        inventory.add(author, valley, {"title": "Drill", "beside": "public"})
    with pytest.raises(WrongField, match="lane"):
        inventory.edit(author, add(author, valley), {"title": "Saw"}, lane="knowledge")


def test_a_half_and_its_other_are_one_by_its_id(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, place=EXACT)
    assert inventory.resolve(store, ref.record.hex()[:12]) == ref
    assert inventory.resolve(store, ref.record.hex()[:12], lane=MEMBERS).lane == MEMBERS


def test_who_is_no_member_learns_nothing_by_guessing(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, place=EXACT, phone="old")
    inventory.edit(author, ref, {"phone": "12 34"}, lane=MEMBERS)
    stranger = Author(store, b"\x07" * 32, NOW, lambda *_: None)
    right = inventory.edit(stranger, ref, {"place": EXACT, "phone": "12 34"})
    assert set(right.changed) == {"place", "phone"}
    other = add(author, valley, place=EXACT, phone="old")
    inventory.edit(author, other, {"phone": "12 34"}, lane=MEMBERS)
    wrong = inventory.edit(stranger, other, {"place": {**EXACT, "name": "elsewhere"}, "phone": "99"})  # type: ignore[dict-item]
    assert set(wrong.changed) == set(right.changed)


def test_fields_are_parted_by_what_members_have_already() -> None:
    part = parted(
        "resource", {"phone": "1", "title": "Drill", "place": EXACT}, 0, {"phone": "0", "place": EXACT}
    )
    assert part.everybody == {"title": "Drill", "place": EXACT}
    assert part.members == {"phone": "1", "place": None}
    assert part.blurred_m is None


async def test_only_members_write_what_only_they_read(api: Api) -> None:
    valley = await api.community()
    drill = await api.add(valley, title="Drill")
    _, token = await api.person("Eve")
    for path, body in (
        (f"/records/{drill}", {"fields": {"phone": "1"}, "lane": "members"}),
        (
            f"/communities/{valley}/intents",
            {"direction": "need", "lane": "members", "fields": {"title": "Saw"}},
        ),
    ):
        method = "PATCH" if "records" in path else "POST"
        answer: Any = await api(method, path, body, token=token)
        assert answer.status == 403, answer.body
