"""Members get what is near by where it is, page after page, whatever is written of where it is not."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from authority_world import key_of
from commonsnode_protocol.blurring import blurred_place
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KEYS, MEMBERS, PUBLIC, build, decode
from commonsnode_protocol.epochs import commitment_of
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.sealing import seal
from commonsnode_store.areas import Point, Polygons, distance_m
from commonsnode_store.asked import FindQuery
from commonsnode_store.store import Store
from store_acts import CHARTER_OF_F, VALLEY, signed, take

RED = b"r" * 32
MARKET: Point = (3_000_000, -782_600_000)
GRID_M = 1_000
THINGS = 150


def record(n: int) -> bytes:
    return b"%16d" % n


def public(n: int, fields: Mapping[str, Value]) -> Checked:
    change = (record(n), "resource", {name: (value, ()) for name, value in sorted(fields.items())})
    return signed(
        decode(build(community=VALLEY, lane=PUBLIC, author=key_of("F"), time=1, refs=[], changes=[change]))
    )


def half(n: int, fields: Mapping[str, Value]) -> Checked:
    box = seal(
        [(record(n), "resource", {name: (value, ()) for name, value in sorted(fields.items())})],
        community=VALLEY, author=key_of("F"), key=RED, nonce=b"%24d" % n,
    )  # fmt: skip
    return signed(
        decode(build(community=VALLEY, lane=MEMBERS, author=key_of("F"), time=1, refs=[], changes=[box]))
    )


def somewhere(chance: Random, reach: int) -> Point:
    return MARKET[0] + chance.randint(-reach, reach), MARKET[1] + chance.randint(-reach, reach)


def put(store: Store, n: int, shown: Value, true: Point | None) -> None:
    take(store, public(n, {"title": f"thing {n}", "place": shown}))
    if true is not None:
        take(store, half(n, {"beside": PUBLIC, "place": {"lat": true[0], "lon": true[1]}}))


@pytest.fixture(scope="module")
def village(folder: Path) -> Iterator[tuple[Store, dict[str, Point]]]:
    """Most things are blurred, some are exact for all; by title where they are."""
    chance, places = Random(5), dict[str, Point]()
    with closing(Store.open(folder / "village.sqlite3", create=True)) as store:
        store.follow(VALLEY, [PUBLIC, MEMBERS, KEYS])
        take(store, signed(CHARTER_OF_F))
        store.learn(VALLEY, {commitment_of(RED): RED})
        for n in range(THINGS):
            true = somewhere(chance, 300_000)
            exact: dict[str, Value] = {"lat": true[0], "lon": true[1]}
            if n % 5 == 0:
                put(store, n, exact, None)
            else:
                put(store, n, blurred_place(exact, GRID_M), true)
            places[f"thing {n}"] = true
        yield store, places


def pages(store: Store, query: FindQuery) -> Iterator[Sequence[tuple[str, int | None]]]:
    cursor: str | None = None
    while True:
        page = store.find_things(replace(query, cursor=cursor))
        yield [(hit.title, hit.distance_m) for hit in page.hits]
        cursor = page.cursor
        if cursor is None:
            return


@pytest.mark.parametrize("within_m", [None, 2_500, 400])
@pytest.mark.parametrize("limit", [7, 40, 200])
def test_pages_together_are_all_things_by_their_true_distance(
    village: tuple[Store, dict[str, Point]], within_m: int | None, limit: int
) -> None:
    store, places = village
    chance = Random(limit)
    for text in (None, "thing"):
        near = somewhere(chance, 200_000)
        expected = sorted((distance_m(near, at), title) for title, at in places.items())
        if within_m is not None:
            expected = [each for each in expected if each[0] <= within_m]
        query = FindQuery(text=text, near=near, within_m=within_m, limit=limit)
        found = list(pages(store, query))
        assert [distance for page in found for _, distance in page] == [distance for distance, _ in expected]
        assert {title for page in found for title, _ in page} == {title for _, title in expected}
        assert all(len(page) == limit for page in found[:-1])


@pytest.mark.parametrize("near", [None, MARKET])
@pytest.mark.parametrize("limit", [5, 200])
def test_what_is_in_an_area_is_there_by_its_true_place(
    village: tuple[Store, dict[str, Point]], near: Point | None, limit: int
) -> None:
    store, places = village
    lat, lon = MARKET
    outer = [(lat - 90_000, lon - 90_000), (lat - 90_000, lon + 200_000), (lat + 150_000, lon - 30_000)]
    hole = [(lat - 30_000, lon - 30_000), (lat - 30_000, lon + 30_000), (lat + 40_000, lon)]
    area = Polygons([[[*outer, outer[0]], [*hole, hole[0]]]])
    expected = {title for title, at in places.items() if area.holds(*at)}
    assert 5 < len(expected) < THINGS / 2
    found = [hit for page in pages(store, FindQuery(near=near, area=area, limit=limit)) for hit in page]
    assert sorted(title for title, _ in found) == sorted(expected)
    if near is not None:
        distances = [distance for _, distance in found if distance is not None]
        assert distances == sorted(distance_m(near, places[title]) for title in expected)


def test_a_half_that_says_a_place_far_away_is_neither_lost_nor_there_twice(folder: Path) -> None:
    chance = Random(9)
    with closing(Store.open(folder / "odd.sqlite3", create=True)) as store:
        store.follow(VALLEY, [PUBLIC, MEMBERS, KEYS])
        take(store, signed(CHARTER_OF_F))
        store.learn(VALLEY, {commitment_of(RED): RED})
        for n in range(60):
            shown, true = somewhere(chance, 400_000), somewhere(chance, 400_000)
            put(store, n, {"lat": shown[0], "lon": shown[1], "grid": GRID_M}, true)
        for limit in (4, 13):
            found = [hit for page in pages(store, FindQuery(near=MARKET, limit=limit)) for hit in page]
            assert sorted(title for title, _ in found) == sorted(f"thing {n}" for n in range(60))
