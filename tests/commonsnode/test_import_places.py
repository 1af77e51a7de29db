"""Places in imports: somebody's home is blurred, a list of wells is not, and what is here already stays as it is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from commonsnode import communities, inventory
from commonsnode.authoring import Author
from commonsnode.errors import WrongField
from commonsnode.import_rows import Head
from commonsnode.importing import Import, Result
from commonsnode_protocol.blurring import blurred_place
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_protocol.record import imported_id
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store

LANES = ("authority", "public", "members", "keys")
COLUMNS = ("title", "place", "keeper_name")
EXACT: Value = {"lat": 3_012_345, "lon": -782_654_321, "name": "Calle Bolívar 12"}
NEAR = blurred_place(EXACT, 1_000)


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def row(key: str, **fields: Any) -> dict[str, Any]:
    kind = fields.pop("kind", "resource")
    return {"line": 2, "key": key, "kind": kind, "fields": {"title": key, **fields}}


def run(
    author: Author, community: bytes, rows: Sequence[dict[str, Any]], exact: bool | None = None
) -> Result:
    work = Import(community, Head("tools", columns=COLUMNS, exact_places=exact), author.key, Path("/tmp"))
    try:
        work.take(author.store, [json.dumps(each).encode() for each in rows])
        while work.step(author):
            pass
        work.finish(author)
        return work.result
    finally:
        work.close()


def ref(community: bytes, key: str, kind: str = "resource") -> RecordRef:
    return RecordRef(community, PUBLIC, kind, imported_id(community, kind, "tools", key))


def places(store: Store, which: RecordRef) -> tuple[Value, Value]:
    """What everybody sees, and what members do."""
    public, whole = store.record(which), store.whole(which)
    assert public is not None
    assert whole is not None
    return public.values.get("place"), whole.values.get("place")


@pytest.mark.parametrize(
    ("fields", "is_blurred"),
    [
        ({}, False),
        ({"keeper_name": "Rosa"}, True),
        ({"kind": "agent"}, True),
        ({"kind": "agent", "type": "person"}, True),
        ({"kind": "agent", "type": "co-operative"}, False),
        ({"kind": "place", "keeper_name": "Rosa"}, False),
    ],
)
def test_with_nothing_said_a_new_place_is_blurred_where_it_is_somebody_s_home(
    author: Author, store: Store, valley: bytes, fields: dict[str, Any], is_blurred: bool
) -> None:
    result = run(author, valley, [row("Drill", place=EXACT, **fields)])
    seen = places(store, ref(valley, "Drill", fields.get("kind", "resource")))
    assert seen == (NEAR if is_blurred else EXACT, EXACT)
    assert result.places.blurred == is_blurred
    assert any("exact for members alone" in notice for notice in result.notices) == is_blurred


@pytest.mark.parametrize("exact", [True, False])
def test_who_says_how_has_it_so_for_every_row(
    author: Author, store: Store, valley: bytes, exact: bool
) -> None:
    run(author, valley, [row("Drill", place=EXACT), row("Saw", place=EXACT, keeper_name="Rosa")], exact)
    for key in ("Drill", "Saw"):
        assert places(store, ref(valley, key)) == (EXACT if exact else NEAR, EXACT)


def test_the_same_file_again_changes_nothing_and_a_corrected_one_what_differs(
    author: Author, store: Store, valley: bytes
) -> None:
    rows = [row("Drill", place=EXACT), row("Saw", place=EXACT, keeper_name="Rosa")]
    run(author, valley, rows)
    again = run(author, valley, rows)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    # In the same cell: nobody but members learns of it.
    moved = {**EXACT, "lat": 3_009_999}  # type: ignore[dict-item]
    rows[1]["fields"]["place"] = moved
    assert run(author, valley, rows).changed == 1
    assert places(store, ref(valley, "Saw")) == (NEAR, moved)
    del rows[1]["fields"]["place"]
    assert run(author, valley, rows).changed == 1
    assert places(store, ref(valley, "Saw")) == (None, None)


def test_what_is_here_is_not_rewritten_unless_somebody_says_so(
    author: Author, store: Store, valley: bytes
) -> None:
    kept = [row("Drill", place=EXACT, keeper_name="Rosa"), row("Saw", place=EXACT)]
    run(author, valley, [kept[0]], exact=True)
    run(author, valley, [kept[1]], exact=False)
    again = run(author, valley, kept)
    assert (again.changed, again.unchanged) == (0, 2)
    assert places(store, ref(valley, "Drill")) == (EXACT, EXACT)
    assert places(store, ref(valley, "Saw")) == (NEAR, EXACT)
    assert run(author, valley, kept, exact=False).changed == 1
    assert places(store, ref(valley, "Drill")) == (NEAR, EXACT)
    assert run(author, valley, kept, exact=True).changed == 2
    assert places(store, ref(valley, "Saw")) == (EXACT, EXACT)
    whole = store.whole(ref(valley, "Saw"))
    assert whole is not None
    assert whole.members_only == frozenset()


def test_an_export_of_both_lanes_goes_in_again_as_it_was(author: Author, store: Store, valley: bytes) -> None:
    saw = ref(valley, "Saw")
    run(author, valley, [row("Saw", place=EXACT, keeper_name="Rosa")])
    rows = [
        {
            "line": n,
            "record": view.record.hex(),
            "kind": view.kind,
            "lane": view.lane,
            "fields": view.values,
        }
        for n, view in enumerate(store.export(valley), start=1)
    ]
    assert [each["lane"] for each in rows] == ["members", "public"]
    again = run(author, valley, rows, exact=None)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    assert places(store, saw) == (NEAR, EXACT)


def test_a_removed_thing_stays_removed(author: Author, store: Store, valley: bytes) -> None:
    rows = [row("Saw", place=EXACT, keeper_name="Rosa")]
    run(author, valley, rows)
    inventory.remove(author, ref(valley, "Saw"))
    rows[0]["fields"]["place"] = {"lat": 1, "lon": 2}
    again = run(author, valley, rows)
    assert (again.unchanged, again.removed) == (1, 1)
    view = store.record(ref(valley, "Saw"))
    assert view is not None
    assert view.values["place"] == NEAR


def test_a_node_without_the_sealed_lane_refuses_and_writes_nothing(author: Author, store: Store) -> None:
    valley = communities.create(author, "Valley", ("authority", "public"))
    many = [row(f"Drill {n}") for n in range(3_000)]  # more than go into one transaction
    saw = row("Saw", place=EXACT, keeper_name="Rosa")
    with pytest.raises(WrongField, match="--exact-places"):
        run(author, valley, [*many, saw])
    assert store.page(community=valley).records == []
    run(author, valley, [saw], exact=True)
    assert run(author, valley, [saw]).places.exact == 1  # what is here stays as it is
