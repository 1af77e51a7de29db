"""What is idle near me: the query, compared with what a slow reader of all things would say."""

import datetime
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.kinds import category_range
from commonsnode_store import candidates, facets, finding
from commonsnode_store.areas import HALF_ROUND_M, Polygons, distance_m
from commonsnode_store.asked import LIMIT_MAX, SPAN_DAYS_MAX, TAGS_MAX, Asker, FindQuery, WantedSpan
from commonsnode_store.cells import LAT_MAX, LON_MAX
from commonsnode_store.idleness import Customs
from commonsnode_store.scope import Scopes
from commonsnode_store.store import Store
from store_bookings import act, ask
from store_people import CHARTER, COMMUNITY, FOUNDER, NOW, record_id

HOUR = 3_600_000
SATURDAY = int(datetime.datetime(2026, 12, 5, 9, tzinfo=datetime.UTC).timestamp() * 1000)
MORNING = WantedSpan(SATURDAY, SATURDAY + 4 * HOUR, SATURDAY - 48 * HOUR)
HERE = (-3_500_000, -781_200_000)


def put(store: Store, *things: dict[str, Value], kind: str = "resource", begin: int = 0) -> None:
    changesets = [
        FOUNDER.write(
            COMMUNITY, {(record_id(begin + n), kind): {name: (value, ()) for name, value in each.items()}}
        )
        for n, each in enumerate(things)
    ]
    store.apply(COMMUNITY, PUBLIC, changesets, seen_ms=NOW)


def thing(title: str, north_m: int = 0, **more: Value) -> dict[str, Value]:
    """Some metres north of HERE."""
    return {"title": title, "place": {"lat": HERE[0] + round(north_m * 89.932), "lon": HERE[1]}, **more}


def thing_at(n: int, lat: int, lon: int) -> dict[str, Value]:
    return {"title": f"thing {n}", "place": {"lat": lat, "lon": lon}}


def titles(store: Store, query: FindQuery) -> list[str]:
    return [hit.title for hit in store.find_things(query).hits]


def test_what_is_near_comes_first_and_what_has_no_place_last(store: Store) -> None:
    put(store, {"title": "a song"}, thing("far saw", 30_000), thing("near saw", 10), thing("saw", 2_000))
    assert titles(store, FindQuery(near=HERE)) == ["near saw", "saw", "far saw", "a song"]
    assert titles(store, FindQuery(near=HERE, within_m=2_500)) == ["near saw", "saw"]
    assert [hit.distance_m for hit in store.find_things(FindQuery(near=HERE)).hits[:2]] == [10, 2_000]


def test_words_count_from_their_third_letter_and_without_accents(store: Store) -> None:
    put(store, thing("Árbol drill"), thing("cement mixer", 5))
    for text, expected in (
        ("arb", ["Árbol drill"]),
        ("DRI árb", ["Árbol drill"]),
        ("dr", []),
        ("mixer cem", ["cement mixer"]),
    ):
        assert titles(store, FindQuery(text=text, near=HERE)) == expected, text


def test_what_is_lent_closed_or_broken_is_not_idle(store: Store) -> None:
    hours: Value = {"rules": [{"rrule": "FREQ=WEEKLY;BYDAY=SU", "start": "09:00", "end": "18:00"}]}
    put(
        store,
        thing("free"),
        thing("lent", 1),
        thing("only on sundays", 2, hours=hours),
        thing("broken", 3, condition="broken"),
        thing("away", 4, out_for_maintenance=True),
        thing("two of them", 5, amount="2"),
    )
    begin = (SATURDAY - NOW) // HOUR + 1
    asks = [ask(FOUNDER, begin, begin + 1, of=record_id(n)) for n in (1, 5)]
    store.apply(COMMUNITY, PUBLIC, asks, seen_ms=NOW)
    page = store.find_things(FindQuery(near=HERE, span=MORNING))
    assert [hit.title for hit in page.hits] == ["free", "two of them"]
    assert list(page.hits[0].idle) == [(MORNING.begin_ms, MORNING.end_ms)]
    store.apply(COMMUNITY, PUBLIC, [act(FOUNDER, asks[0], "cancelled")], seen_ms=NOW)
    assert "lent" in titles(store, FindQuery(near=HERE, span=MORNING))


def test_conditions_are_all_to_hold(store: Store) -> None:
    put(
        store,
        {**thing("oak table", condition="good", keeper_name="Rosa"), "tag:garden": True},
        thing("drill", 3, category="tools"),
    )
    put(store, thing("Rosa", 7), kind="agent", begin=50)
    tools = category_range("tools")
    for query, expected in (
        (FindQuery(kinds=("agent",)), ["Rosa"]),
        (FindQuery(conditions=("good",)), ["oak table"]),
        (FindQuery(tags=("garden",)), ["oak table"]),
        (FindQuery(keeper="rosa"), ["oak table"]),
        (FindQuery(categories=tools, text="drill"), ["drill"]),
        (FindQuery(communities=(bytes(32),)), []),
    ):
        assert titles(store, query) == expected, query


def test_things_are_counted_by_sort(store: Store) -> None:
    put(
        store,
        {**thing("oak table", condition="good", category="furniture"), "tag:garden": True},
        thing("drill", 3, category="tools"),
        thing("far drill", 30_000, category="tools"),
    )
    put(store, thing("Rosa", 7), kind="agent", begin=50)
    counted = store.count_things(FindQuery(near=HERE, within_m=1_000))
    assert counted.total == 3
    assert counted.kinds == {"resource": 2, "agent": 1}
    assert counted.conditions == {"good": 1}
    assert counted.communities == {COMMUNITY: 3}
    assert counted.categories["tools"] == 1
    assert counted.tags == {"garden": 1}
    assert store.count_things(FindQuery(text="drill")).total == 2
    assert store.count_things(FindQuery(text="drill", near=HERE, within_m=1_000)).categories == {"tools": 1}
    assert store.count_things(FindQuery(text="nothing of this")).total == 0


def test_what_is_removed_or_moved_is_found_no_more_where_it_was(store: Store) -> None:
    put(store, thing("saw"))
    view = store.record(store.find_things(FindQuery(near=HERE)).hits[0].ref)
    assert view is not None
    (write,) = view.fields["place"]
    elsewhere: Value = {"lat": 0, "lon": 0}
    edit = FOUNDER.write(
        COMMUNITY, {(record_id(0), "resource"): {"place": (elsewhere, [write.changeset])}}, time=NOW + 1
    )
    store.apply(COMMUNITY, PUBLIC, [edit], seen_ms=NOW)
    assert titles(store, FindQuery(near=HERE, within_m=1_000)) == []
    assert titles(store, FindQuery(near=(0, 0), within_m=0)) == ["saw"]
    put(store, {"deleted": True})
    assert titles(store, FindQuery(text="saw")) == []
    assert store.check() == []


def test_what_is_beyond_the_limits_is_refused(store: Store) -> None:
    for query in (
        FindQuery(cursor="x"),
        FindQuery(limit=0),
        FindQuery(limit=LIMIT_MAX + 1),
        FindQuery(tags=["t"] * (TAGS_MAX + 1)),
        FindQuery(within_m=5),
        FindQuery(near=HERE, within_m=-1),
        FindQuery(span=WantedSpan(SATURDAY, SATURDAY, 0)),
        FindQuery(span=WantedSpan(SATURDAY, SATURDAY + (SPAN_DAYS_MAX * 24 + 1) * HOUR, 0)),
    ):
        with pytest.raises(ValueError):
            store.find_things(query)


def test_lanes_that_are_not_to_be_seen_are_not_found(store: Store) -> None:
    put(store, thing("saw"))
    assert titles(store, FindQuery(near=HERE)) == ["saw"]
    assert store.find_things(FindQuery(near=HERE), among=lambda community, lane: lane != PUBLIC).hits == []


def test_what_is_for_members_is_found_by_members(store: Store) -> None:
    put(
        store,
        thing("open"),
        thing("ours", 1, lending={"to": "members"}),
        thing("for nobody", 2, lending={"to": "nobody"}),
    )
    assert titles(store, FindQuery(near=HERE, asker=Asker())) == ["open"]
    assert titles(store, FindQuery(near=HERE, asker=Asker("person", [COMMUNITY]))) == ["open", "ours"]


def test_what_a_thing_does_not_say_its_model_says_before_the_charter(store: Store) -> None:
    models = {"trailer": record_id(90), "tent": record_id(91), "saw": record_id(92)}
    put(
        store,
        {"title": "Trailers", "lending": {"longest_minutes": 120}},
        {"title": "Tents", "lending": {"to": "nobody"}},
        {"title": "Saws", "lending": {"to": "members", "lead_minutes": 3 * 24 * 60}},
        kind="specification",
        begin=90,
    )
    put(
        store,
        thing("trailer", specification=models["trailer"]),
        thing("longer trailer", 1, specification=models["trailer"], lending={"longest_minutes": 600}),
        thing("tent", 2, specification=models["tent"]),
        thing("tent after all", 3, specification=models["tent"], lending={"to": "anyone"}),
        thing("saw", 4, specification=models["saw"]),
        thing("unknown", 5, specification=record_id(93)),
    )
    assert store.check() == []
    things = FindQuery(near=HERE, kinds=["resource"])
    fitting = ["longer trailer", "tent after all", "unknown"]
    assert titles(store, replace(things, span=MORNING)) == fitting
    early = replace(MORNING, end_ms=MORNING.begin_ms + HOUR, now_ms=MORNING.now_ms - 48 * HOUR)
    everything = ["trailer", "longer trailer", "tent after all", "saw", "unknown"]
    assert titles(store, replace(things, span=early)) == everything
    assert titles(store, replace(things, asker=Asker(member_of=[COMMUNITY]))) == everything
    assert "saw" not in titles(store, replace(things, asker=Asker()))


def test_a_model_may_lend_for_longer_than_the_charter_and_change_its_mind(store: Store) -> None:
    model = (record_id(90), "specification")
    first = FOUNDER.write(COMMUNITY, {model: {"lending": ({"longest_minutes": 600}, ())}})
    second = FOUNDER.write(COMMUNITY, {model: {"lending": ({"longest_minutes": 30}, (first.id,))}})
    put(store, thing("trailer", specification=record_id(90)), thing("saw", 1))
    query = FindQuery(near=HERE, span=MORNING, kinds=["resource"])
    customs = Customs.of({"longest_minutes": 60}, None)
    with patch.object(Scopes, "customs", lambda *_: {COMMUNITY: customs}):
        assert titles(store, query) == []
        store.apply(COMMUNITY, PUBLIC, [first], seen_ms=NOW)
        assert titles(store, query) == ["trailer"]
        store.apply(COMMUNITY, PUBLIC, [second], seen_ms=NOW)
        assert titles(store, query) == []


def test_asks_and_events_have_words_and_no_place(store: Store) -> None:
    put(store, thing("saw"))
    put(store, {"title": "saw on Saturday"}, kind="commitment", begin=20)
    assert titles(store, FindQuery(text="saw")) == ["saw"]
    assert {view.record for view in store.page(community=COMMUNITY, text="saw").records} == {
        record_id(0),
        record_id(20),
    }


def test_words_without_a_point_come_by_number_and_places_without_words_by_place(store: Store) -> None:
    put(store, *(thing(f"saw {n}", 10_000 * (5 - n)) for n in range(5)), {"title": "saw 5"})
    for query in (FindQuery(text="saw", limit=2), FindQuery(limit=2)):
        found: list[str] = []
        while True:
            page = store.find_things(query)
            found += [hit.title for hit in page.hits]
            if page.cursor is None:
                break
            query = replace(query, cursor=page.cursor)
        assert sorted(found) == [f"saw {n}" for n in range(6)]


@pytest.mark.parametrize("tied_max", [2, finding.TIED_MAX])
@pytest.mark.parametrize("limit", [1, 2, 20])
def test_what_is_equally_far_comes_by_when_it_is_free(store: Store, tied_max: int, limit: int) -> None:
    def on(day: str) -> Value:
        return {"rules": [{"rrule": f"FREQ=WEEKLY;BYDAY={day}", "start": "09:00", "end": "18:00"}]}

    put(store, thing("Wednesday", hours=on("WE")), thing("Monday", hours=on("MO")))
    put(store, thing("broken", condition="broken"), thing("now"), thing("farther", 500), begin=10)
    window = WantedSpan(SATURDAY, SATURDAY + 28 * 24 * HOUR, SATURDAY)
    query = FindQuery(near=HERE, soonest=window, limit=limit)
    found: list[str] = []
    with patch.object(finding, "TIED_MAX", tied_max):
        while True:
            page = store.find_things(query)
            found += [hit.title for hit in page.hits]
            if page.cursor is None:
                break
            query = replace(query, cursor=page.cursor)
    expected = ["now", "Monday", "Wednesday", "broken", "farther"]
    assert found == expected if tied_max > 2 else sorted(found) == sorted(expected)


@pytest.mark.parametrize("apart_m", [0, 1])
@pytest.mark.parametrize("tied_max", [20, finding.TIED_MAX])
def test_a_page_ends_where_much_was_looked_at_in_vain(store: Store, apart_m: int, tied_max: int) -> None:
    """Also where all is equally far, and sorted by when it is free."""
    things = (
        thing(f"saw {n}", n // 30 * 5 + n * apart_m, keeper_name="Rosa" if n == 90 else "Ana")
        for n in range(100)
    )
    put(store, *things)
    query = FindQuery(near=HERE, keeper="Rosa", soonest=MORNING)
    with patch.object(finding, "LOOKED_AT_MAX", 40), patch.object(finding, "TIED_MAX", tied_max):
        pages = [store.find_things(query)]
        while (cursor := pages[-1].cursor) is not None:
            pages.append(store.find_things(replace(query, cursor=cursor)))
            assert len(pages) < 5
    assert [hit.title for page in pages for hit in page.hits] == ["saw 90"]


lats = st.integers(-LAT_MAX, LAT_MAX) | st.sampled_from((-LAT_MAX, LAT_MAX, 0))
lons = st.integers(-LON_MAX, LON_MAX) | st.sampled_from((-LON_MAX, LON_MAX, 0, 5))
points = st.tuples(lats, lons)


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(points, min_size=1, max_size=12),
    near=points,
    within=st.none() | st.integers(0, 2 * HALF_ROUND_M) | st.just(0),
    text=st.sampled_from((None, "thing", "thi")),
    few=st.sampled_from((0, candidates.FEW_HITS)),
    ring=st.sampled_from((2, candidates.RING_THINGS_MAX)),
    limit=st.integers(1, 5),
)
def test_pages_are_all_within_the_radius_in_order_of_distance(
    followed_file: Path,
    places: list[tuple[int, int]],
    near: tuple[int, int],
    within: int | None,
    text: str | None,
    few: int,
    ring: int,
    limit: int,
) -> None:
    """few: how many records may have the words, for these to be looked up one by one. ring: how many are held at once."""
    some, held = patch.object(candidates, "SOME_HITS", few), patch.object(candidates, "RING_THINGS_MAX", ring)
    with (
        some,
        held,
        patch.object(candidates, "FEW_HITS", few),
        TemporaryDirectory(dir=followed_file.parent) as folder,
    ):
        path = Path(shutil.copy(followed_file, folder))
        with closing(Store.open(path)) as store:
            assert_found(store, places, near, within, text, limit)


def assert_found(
    store: Store,
    places: list[tuple[int, int]],
    near: tuple[int, int],
    within: int | None,
    text: str | None,
    limit: int,
) -> None:
    store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
    put(
        store,
        *(thing_at(n, *place) for n, place in enumerate(places)),
    )
    found: list[tuple[int, str]] = []
    cursor = None
    while True:
        page = store.find_things(FindQuery(text=text, near=near, within_m=within, limit=limit, cursor=cursor))
        found += [(hit.distance_m if hit.distance_m is not None else -1, hit.title) for hit in page.hits]
        cursor = page.cursor
        if cursor is None:
            break
    expected = [(distance_m(near, place), f"thing {n}") for n, place in enumerate(places)]
    assert sorted(found) == sorted(each for each in expected if within is None or each[0] <= within)
    assert [away for away, _ in found] == sorted(away for away, _ in found)
    for words in (text, None):
        for some in (0, facets.SOME_HITS):
            with patch.object(facets, "SOME_HITS", some):
                counted = store.count_things(FindQuery(text=words, near=near, within_m=within))
            assert counted.total == sum(within is None or away <= within for away, _ in expected)
    south, west = min(near[0], 0), min(near[1], 0)
    ring = [(south, west), (south, west + 9), (south + 9, west + 9), (south + 9, west), (south, west)]
    area = Polygons(
        [
            [
                [
                    (-LAT_MAX, -LON_MAX),
                    (-LAT_MAX, LON_MAX),
                    (LAT_MAX, LON_MAX),
                    (LAT_MAX, -LON_MAX),
                    (-LAT_MAX, -LON_MAX),
                ],
                ring,
            ]
        ]
    )
    for query in (
        FindQuery(area=area),
        FindQuery(area=area, near=near, text=text),
        FindQuery(area=area, text=text),
    ):
        inside = store.find_things(replace(query, limit=200)).hits
        assert sorted(hit.title for hit in inside) == sorted(
            f"thing {n}" for n, place in enumerate(places) if area.holds(*place)
        )
        assert store.count_things(query).total == len(inside)
