"""What members alone read of a thing: it adds to what everybody reads, and is no thing of its own."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from authority_world import key_of, nonce
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KEYS, MEMBERS, PUBLIC, build, decode
from commonsnode_protocol.epochs import commitment_of
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.sealing import seal
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.asked import FindQuery
from commonsnode_store.store import Store
from store_acts import CHARTER_OF_F, VALLEY, signed, take

RED = b"r" * 32
DRILL = b"drill".ljust(16, b".")
REF = RecordRef(VALLEY, PUBLIC, "resource", DRILL)
NEAR: Value = {"lat": 10, "lon": 20, "grid": 1_000}
EXACT: Value = {"lat": 11, "lon": 22, "name": "Calle Bolívar 12"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(valley(tmp_path / "a.sqlite3")) as opened:
        yield opened


def valley(path: Path) -> Store:
    store = Store.open(path, create=True)
    store.follow(VALLEY, [PUBLIC, MEMBERS, KEYS])
    take(store, signed(CHARTER_OF_F))
    store.learn(VALLEY, {commitment_of(RED): RED})
    return store


def public(**fields: Value) -> Checked:
    change = (DRILL, "resource", {name: (value, ()) for name, value in sorted(fields.items())})
    body = build(community=VALLEY, lane=PUBLIC, author=key_of("F"), time=1, refs=[], changes=[change])
    return signed(decode(body))


def half(over: Checked | None = None, /, **fields: Value) -> Checked:
    """over: what it supersedes, in all its fields."""
    at = (0,) if over is not None else ()
    box = seal(
        [(DRILL, "resource", {name: (value, at) for name, value in sorted(fields.items())})],
        community=VALLEY, author=key_of("F"), key=RED, nonce=nonce().ljust(24, b"n"),
    )  # fmt: skip
    refs = [over.id] if over is not None else []
    body = build(community=VALLEY, lane=MEMBERS, author=key_of("F"), time=1, refs=refs, changes=[box])
    return signed(decode(body))


def whole(store: Store) -> RecordView:
    view = store.whole(REF)
    assert view is not None
    return view


def listed(store: Store, text: str = "") -> list[Mapping[str, Value]]:
    return [view.values for view in store.page(community=VALLEY, text=text).records]


def test_members_see_one_thing_and_their_value_goes_before(store: Store) -> None:
    take(store, public(title="Drill", place=NEAR))
    take(store, half(beside=PUBLIC, place=EXACT, phone="12 34"))
    assert whole(store).values == {"title": "Drill", "place": EXACT, "phone": "12 34"}
    assert whole(store).members_only == {"place", "phone"}
    assert listed(store) == [whole(store).values]
    assert store.communities()[0].records == 1
    assert store.page(community=VALLEY).total == 1


def test_who_may_not_look_into_the_lane_sees_what_everybody_reads(store: Store) -> None:
    take(store, public(title="Drill", place=NEAR))
    take(store, half(beside=PUBLIC, place=EXACT))

    def everybody(community: bytes, lane: str) -> bool:
        return lane == PUBLIC

    seen = store.whole(REF, among=everybody)
    assert seen is not None
    assert seen.values == {"title": "Drill", "place": NEAR}
    assert [view.values for view in store.page(community=VALLEY, among=everybody).records] == [seen.values]
    exported = store.export(VALLEY, among=everybody, whole=True)
    assert [view.values for view in exported] == [seen.values]
    assert store.half(REF, among=everybody) is None


def test_in_any_order_it_comes_to_the_same(tmp_path: Path) -> None:
    first = half(beside=PUBLIC, place=EXACT)
    arrivals = [public(title="Drill", place=NEAR), first, half(first, place={"lat": 12, "lon": 23})]
    shown = []
    for n, order in enumerate(permutations(arrivals)):
        with closing(valley(tmp_path / f"{n}.sqlite3")) as store:
            for each in order:
                take(store, each)
            assert store.check() == []
            shown.append((whole(store).values, listed(store), store.communities()[0].records))
            assert store.rebuild() == []
            assert (whole(store).values, listed(store), store.communities()[0].records) == shown[-1]
    assert all(each == shown[0] for each in shown)
    assert shown[0][0]["place"] == {"lat": 12, "lon": 23}


def test_a_half_alone_is_in_no_list_and_no_search(store: Store) -> None:
    take(store, half(beside=PUBLIC, place=EXACT, note="behind the mill"))
    assert listed(store) == listed(store, "mill") == []
    assert list(store.export(VALLEY, whole=True)) == []
    assert store.communities()[0].records == 0
    assert store.check() == []


def test_words_of_a_half_find_the_thing_for_members_and_for_nobody_else(store: Store) -> None:
    take(store, public(title="Drill", place=NEAR))
    take(store, half(beside=PUBLIC, place=EXACT, note="behind the mill"))

    def everybody(community: bytes, lane: str) -> bool:
        return lane == PUBLIC

    for words, members, others in (
        ("mill", 1, 0),  # in the half alone
        ("bolivar behi", 1, 0),
        ("drill mill", 1, 0),  # one in each
        ("drill", 1, 1),
        ("drill saw", 0, 0),
        ("saw mill", 0, 0),
        ("public", 0, 0),  # what the half says of itself
    ):
        page = store.page(community=VALLEY, text=words)
        assert [view.values for view in page.records] == [whole(store).values] * members
        assert page.total == members
        assert store.page(community=VALLEY, text=words, among=everybody).total == others
        for near, within in ((None, None), ((0, 0), None), ((0, 0), 5_000)):
            query = FindQuery(text=words, near=near, within_m=within)
            assert [hit.title for hit in store.find_things(query).hits] == ["Drill"] * members
            assert store.count_things(query).total == members
            assert len(store.find_things(query, among=everybody).hits) == others
            assert store.count_things(query, among=everybody).total == others


def test_words_of_halves_and_of_things_find_many_together(tmp_path: Path) -> None:
    """More than are looked up one by one, some without a place; each once, over all pages."""
    ids = [b"%16d" % n for n in range(300)]
    with closing(valley(tmp_path / "many.sqlite3")) as store:
        for n, id_ in enumerate(ids):
            title = "drill" if n % 4 else "saw"
            fields: dict[str, tuple[Value, tuple[int, ...]]] = {"title": (f"{title} {n}", ())}
            if n % 3:
                fields = {"place": ({"lat": n * 100, "lon": 0}, ()), **fields}
            body = build(
                community=VALLEY, lane=PUBLIC, author=key_of("F"), time=1, refs=[],
                changes=[(id_, "resource", fields)],
            )  # fmt: skip
            take(store, signed(decode(body)))
            if n % 2:
                box = seal(
                    [(id_, "resource", {"beside": (PUBLIC, ()), "note": ("drill at the mill", ())})],
                    community=VALLEY, author=key_of("F"), key=RED, nonce=nonce().ljust(24, b"n"),
                )  # fmt: skip
                body = build(
                    community=VALLEY, lane=MEMBERS, author=key_of("F"), time=1, refs=[], changes=[box]
                )
                take(store, signed(decode(body)))
        assert store.check() == []
        for words, expected in (
            ("mill", [n for n in range(300) if n % 2]),
            ("drill", [n for n in range(300) if n % 2 or n % 4]),
            ("saw mill", []),
            ("mill drill", [n for n in range(300) if n % 2]),
        ):
            for near in (None, (0, 0)):
                query = FindQuery(text=words, near=near, limit=7)
                found = list[int]()
                while True:
                    page = store.find_things(query)
                    found += [int(hit.ref.record) for hit in page.hits]
                    if page.cursor is None:
                        break
                    query = replace(query, cursor=page.cursor)
                assert sorted(found) == expected
                assert store.count_things(query).total == len(expected)
            assert store.page(community=VALLEY, text=words).total == len(expected)


def test_words_go_with_the_half_and_come_back_with_the_key(tmp_path: Path) -> None:
    with closing(valley(tmp_path / "a.sqlite3")) as store:
        take(store, public(title="Drill"))
        first = half(beside=PUBLIC, note="behind the mill")
        take(store, first)
        take(store, half(first, beside=PUBLIC, note="in the cellar"))
        assert listed(store, "mill") == []
        assert listed(store, "cellar") == [whole(store).values]
        assert store.rebuild() == []
        assert listed(store, "cellar") == [whole(store).values]
        assert store.check() == []


def test_a_half_becomes_a_record_when_its_mark_goes_and_back(store: Store) -> None:
    first = half(beside=PUBLIC, note="behind the mill")
    take(store, first)
    second = half(first, beside=None, note="behind the mill")
    take(store, second)
    assert listed(store, "mill") == [{"note": "behind the mill"}]
    assert store.check() == []
    take(store, half(second, beside=PUBLIC, note="behind the mill"))
    assert listed(store, "mill") == []
    assert store.check() == []


def test_what_members_cleared_shows_what_everybody_reads(store: Store) -> None:
    take(store, public(title="Drill", place=NEAR))
    first = half(beside=PUBLIC, place=EXACT)
    take(store, first)
    take(store, half(first, beside=PUBLIC, place=None))
    assert whole(store).values["place"] == NEAR
    assert whole(store).members_only == frozenset()


def test_the_same_record_in_both_lanes_without_the_mark_is_one_thing_too(store: Store) -> None:
    take(store, public(title="Drill", condition="good"))
    take(store, half(title="Rosa's drill"))
    assert whole(store).values == {"title": "Rosa's drill", "condition": "good"}
    assert listed(store) == [whole(store).values]
    assert [view.values for view in store.export(VALLEY, whole=True)] == [whole(store).values]


def test_a_removal_by_everybody_s_half_removes_the_thing_and_one_in_the_other_does_not(store: Store) -> None:
    take(store, public(title="Drill"))
    take(store, half(beside=PUBLIC, deleted=True, place=EXACT))
    assert not whole(store).deleted
    assert "deleted" not in whole(store).values


def test_an_export_of_both_lanes_stays_apart(store: Store) -> None:
    """What goes in again comes to the same state."""
    take(store, public(title="Drill", place=NEAR))
    take(store, half(beside=PUBLIC, place=EXACT))
    assert [(view.lane, view.values) for view in store.export(VALLEY)] == [
        (MEMBERS, {"beside": PUBLIC, "place": EXACT}),
        (PUBLIC, {"title": "Drill", "place": NEAR}),
    ]


def test_a_community_is_left_with_its_halves(store: Store) -> None:
    take(store, public(title="Drill", place=NEAR))
    take(store, half(beside=PUBLIC, note="behind the mill"))
    store.leave(VALLEY)
    assert store.check() == []


@pytest.mark.parametrize(("within", "is_found"), [(None, True), (1_300, True), (1_100, False), (0, False)])
def test_members_find_it_where_it_is_and_others_where_it_is_shown(
    store: Store, within: int | None, is_found: bool
) -> None:
    """Shown 900 m north of the market, kept 1,200 m north of it."""
    market, metre = (0, 0), 90
    take(store, public(title="Drill", place={"lat": 900 * metre, "lon": 0, "grid": 1_000}))
    take(store, half(beside=PUBLIC, place={"lat": 1_200 * metre, "lon": 0}))
    query = FindQuery(text="drill", near=market, within_m=within)
    found = [(hit.lat, hit.distance_m) for hit in store.find_things(query).hits]
    assert found == ([(1_200 * metre, 1_201)] if is_found else [])

    def everybody(community: bytes, lane: str) -> bool:
        return lane == PUBLIC

    others = [hit.distance_m for hit in store.find_things(query, among=everybody).hits]
    assert others == ([901] if within != 0 else [])


def test_what_is_near_but_shown_far_off_is_found_by_members(store: Store) -> None:
    take(store, public(title="Drill", place={"lat": 1_200 * 90, "lon": 0, "grid": 1_000}))
    take(store, half(beside=PUBLIC, place={"lat": 900 * 90, "lon": 0}))
    found = store.find_things(FindQuery(near=(0, 0), within_m=1_000)).hits
    assert [(hit.title, hit.distance_m) for hit in found] == [("Drill", 901)]
    assert found[0].values["place"] == {"lat": 900 * 90, "lon": 0}


def test_a_mark_in_the_lane_that_everybody_reads_makes_nothing_vanish(store: Store) -> None:
    take(store, public(title="Drill", beside=PUBLIC))
    assert [values["title"] for values in listed(store, "drill")] == ["Drill"]
    assert store.communities()[0].records == 1
    assert store.check() == []
    store.leave(VALLEY)
    assert store.check() == []
