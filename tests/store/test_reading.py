"""What a person sees: pages by title, search, single records, histories, exports."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC
from commonsnode_protocol.intake import Checked
from commonsnode_store import paging
from commonsnode_store.answers import RecordRef
from commonsnode_store.errors import LaneNotFollowed
from commonsnode_store.search import Words
from commonsnode_store.store import Store
from store_people import ANA, CHARTER, COMMUNITY, FOUNDER, NOW, record_id

OTHER_CHARTER = ANA.charter("Lower valley")
OTHER = OTHER_CHARTER.id


def add(store: Store, *titles: str, community: bytes = COMMUNITY, begin: int = 0) -> list[Checked]:
    author = FOUNDER if community == COMMUNITY else ANA
    things = [
        author.add(community, record_id(begin + n), title=title, time=NOW + n)
        for n, title in enumerate(titles)
    ]
    store.apply(community, PUBLIC, things, seen_ms=NOW)
    return things


def put(
    store: Store,
    n: int,
    *,
    kind: str = "resource",
    lane: str = PUBLIC,
    more: Mapping[str, Value] | None = None,
    **fields: Value,
) -> Checked:
    """more: fields whose names are none in Python."""
    values = {**fields, **(more or {})}
    thing = FOUNDER.write(
        COMMUNITY, {(record_id(n), kind): {name: (value, ()) for name, value in values.items()}}, lane=lane
    )
    store.apply(COMMUNITY, lane, [thing], seen_ms=NOW)
    return thing


def follow_other(store: Store) -> None:
    store.follow(OTHER, [PUBLIC])
    store.apply(OTHER, AUTHORITY, [OTHER_CHARTER], seen_ms=NOW)


def found(store: Store, text: str) -> list[str]:
    return [view.title for view in store.page(community=COMMUNITY, text=text).records]


def all_pages(store: Store, limit: int, **asked: str | bool) -> list[str]:
    titles: list[str] = []
    cursor = None
    while True:
        page = store.page(community=COMMUNITY, cursor=cursor, limit=limit, **asked)  # type: ignore[arg-type]
        titles += [view.title for view in page.records]
        cursor = page.cursor
        if cursor is None:
            return titles


def test_a_page_is_in_the_order_of_titles_whatever_their_case_and_accents(store: Store) -> None:
    add(store, "zither", "Árbol", "äpfel", "Bohrer", "anvil", "Éclair", "ecluse")
    assert all_pages(store, 3) == ["anvil", "äpfel", "Árbol", "Bohrer", "Éclair", "ecluse", "zither"]
    assert store.page(community=COMMUNITY, limit=2).total == 7


def test_a_cursor_goes_on_where_it_was_whatever_is_written_meanwhile(store: Store) -> None:
    things = add(store, "b", "d", "f", "h", "h", "h")
    first = store.page(community=COMMUNITY, limit=3)
    assert first.cursor is not None
    add(store, "a", "c", "g", begin=50)
    edit = FOUNDER.edit(COMMUNITY, record_id(2), things[2], title="z", time=NOW + 9)
    store.apply(COMMUNITY, PUBLIC, [edit], seen_ms=NOW)
    rest = store.page(community=COMMUNITY, cursor=first.cursor, limit=9)
    assert [view.title for view in rest.records] == ["g", "h", "h", "h", "z"]
    assert rest.cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "gqFh", "ñ", "kqFhAQ==extra", "kqNhYmM"])
def test_a_cursor_of_something_else_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        store.page(community=COMMUNITY, cursor=cursor)
    for limit in (0, paging.LIMIT_MAX + 1):
        with pytest.raises(ValueError, match="records"):
            store.page(community=COMMUNITY, limit=limit)


def test_pages_are_of_one_community_or_of_all_and_of_one_kind_or_of_all(store: Store) -> None:
    follow_other(store)
    add(store, "drill", "saw")
    add(store, "anvil", community=OTHER, begin=10)
    put(store, 20, kind="place", title="barn")
    put(store, 21, lane=KNOWLEDGE, title="How to weld")

    def titles(community: bytes | None, kind: str | None = None) -> list[str]:
        page = store.page(community=community, kind=kind)
        assert page.total == len(page.records)
        return [view.title for view in page.records]

    assert titles(COMMUNITY) == ["barn", "drill", "How to weld", "saw"]
    assert titles(OTHER) == ["anvil"]
    assert titles(None) == ["anvil", "barn", "drill", "How to weld", "saw"]
    assert titles(None, "place") == ["barn"]
    assert titles(COMMUNITY, "design") == []


def test_what_is_deleted_is_on_pages_of_its_own_until_it_is_restored(store: Store) -> None:
    drill, _ = add(store, "drill", "saw")
    removal = FOUNDER.write(COMMUNITY, {(record_id(0), "resource"): {"deleted": (True, ())}}, refs=[drill.id])
    store.apply(COMMUNITY, PUBLIC, [removal], seen_ms=NOW)
    assert all_pages(store, 5) == ["saw"]
    assert all_pages(store, 5, deleted=True) == ["drill"]
    assert found(store, "drill") == []
    assert all_pages(store, 5, deleted=True, text="drill") == ["drill"]
    assert (store.page(community=COMMUNITY).total, store.communities()[0].records) == (1, 1)
    restored = FOUNDER.edit(COMMUNITY, record_id(0), removal, deleted=None, time=NOW + 5)
    store.apply(COMMUNITY, PUBLIC, [restored], seen_ms=NOW)
    assert all_pages(store, 5) == ["drill", "saw"]
    assert all_pages(store, 5, deleted=True) == []


def test_search_finds_words_by_their_beginnings_in_all_text_without_accents(store: Store) -> None:
    put(store, 1, title="Große Bohrmaschine", description="für Beton", place={"name": "Zürich"})
    put(store, 2, more={"tag:jardín": True, "tag:taller": False}, title="Taladro eléctrico")
    put(store, 3, more={"x:Serial No": "AB-17/4"}, title="Drill", photos=["red handle", ["deep inside"]])
    assert found(store, "bohr") == ["Große Bohrmaschine"]
    assert found(store, "GROSSE") == ["Große Bohrmaschine"]
    assert found(store, "große") == ["Große Bohrmaschine"]
    assert found(store, "BETON zuri") == ["Große Bohrmaschine"]
    assert found(store, "electrico") == ["Taladro eléctrico"]
    assert found(store, "jardin") == ["Taladro eléctrico"]
    assert found(store, "taller") == []
    assert found(store, "ab-17/4") == ["Drill"]
    assert found(store, "inside handle") == ["Drill"]
    assert found(store, "drill beton") == []
    assert found(store, "rill") == []
    assert found(store, "d") == ["Drill"]
    assert found(store, "--") == []
    assert found(store, "  ") == ["Drill", "Große Bohrmaschine", "Taladro eléctrico"]


def test_words_that_many_have_are_served_in_the_order_of_titles_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *(f"ladder {n:03}" for n in range(60)), *(f"saw {n:03}" for n in range(5)))
    want = [f"ladder {n:03}" for n in range(60)]
    assert all_pages(store, 7, text="ladd") == want
    assert store.page(community=COMMUNITY, text="ladd").total == 60
    monkeypatch.setattr(paging, "FEW", 20)
    assert all_pages(store, 7, text="ladd") == want
    assert store.page(community=COMMUNITY, text="ladd").total is None
    assert all_pages(store, 7, text="ladd 05", kind="resource") == [f"ladder {n:03}" for n in range(50, 60)]
    assert all_pages(store, 7, text="ladd", kind="place") == []


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=30)
    | st.sampled_from(['"', "a OR b", "NEAR(a b)", "a*", "^a", "-a", "{x} : y", "\0a"])
)
def test_no_query_is_refused(search: Store, text: str) -> None:
    search.page(community=COMMUNITY, text=text)
    search.page(community=None, text=text + " drill'--")


@pytest.fixture(scope="module")
def search(folder: Path, followed_file: Path) -> Iterator[Store]:
    path = folder / "search.sqlite3"
    shutil.copy(followed_file, path)
    with closing(Store.open(path)) as store:
        store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
        add(store, "drill")
        yield store


def test_a_query_is_one_word_for_the_index_where_it_is_one_for_the_tokenizer() -> None:
    words = Words()
    assert words.query("Äpfel") == ['"apfel"*']
    assert words.query("t-shirt to") == ['"t"', '"shirt"*', '"to"*']
    assert words.query("la échelle") == ['"la"', '"echelle"*']
    assert words.query("x " * 1_000) == ['"x"*']
    assert words.query('"') == []


def test_a_record_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    follow_other(store)
    put(store, 1, title="drill")
    put(store, 1, kind="place", title="barn")
    add(store, "anvil", community=OTHER, begin=2)
    digits = record_id(1).hex()
    place = RecordRef(COMMUNITY, PUBLIC, "place", record_id(1))
    thing = RecordRef(COMMUNITY, PUBLIC, "resource", record_id(1))
    assert sorted(store.find(digits[:7])) == sorted([place, thing])
    assert store.find(digits.upper(), kind="place") == [place]
    assert store.find(digits, community=OTHER) == []
    assert store.find(record_id(2).hex()[:6]) == [RecordRef(OTHER, PUBLIC, "resource", record_id(2))]
    for nothing in ("", "xyz", digits + "0", "-1", "٣"):
        assert store.find(nothing) == []
    for n in range(100, 400):
        put(store, n, title=str(n)) if record_id(n).hex()[0] == "a" else None
    assert len(store.find("a")) == 10


def test_a_single_record_and_many_at_once(store: Store) -> None:
    put(store, 1, title="drill", amount="2")
    put(store, 2, title="saw")
    ref = RecordRef(COMMUNITY, PUBLIC, "resource", record_id(1))
    view = store.record(ref)
    assert view is not None
    assert (view.ref, view.title, view.values) == (ref, "drill", {"amount": "2", "title": "drill"})
    assert store.record(RecordRef(COMMUNITY, PUBLIC, "place", record_id(1))) is None
    assert store.record(RecordRef(COMMUNITY, KNOWLEDGE, "resource", record_id(1))) is None
    with pytest.raises(LaneNotFollowed):
        store.record(RecordRef(COMMUNITY, "members", "resource", record_id(1)))
    many = store.records(COMMUNITY, PUBLIC, "resource", [record_id(n) for n in range(1_500)])
    assert {record: view.title for record, view in many.items()} == {
        record_id(1): "drill",
        record_id(2): "saw",
    }
    assert store.records(COMMUNITY, PUBLIC, "unheard of", [record_id(1)]) == {}


def test_a_conflict_is_shown_kept_and_resolved_by_the_next_write(store: Store) -> None:
    first = put(store, 1, title="drill", amount="1")
    here = FOUNDER.edit(COMMUNITY, record_id(1), first, title="Drill", amount="3", time=NOW + 1)
    there = FOUNDER.edit(COMMUNITY, record_id(1), first, title="Big drill", amount="3", time=NOW + 2)
    store.apply(COMMUNITY, PUBLIC, [there, here, first], seen_ms=NOW + 3)
    (view,) = store.page(community=COMMUNITY).records
    assert view.title == "Big drill"
    assert {name: [write.value for write in writes] for name, writes in view.conflicts.items()} == {
        "title": ["Drill"]
    }
    assert (view.changed_ms, view.deleted, view.waiting) == (NOW + 2, False, False)
    settle = FOUNDER.write(
        COMMUNITY, {(record_id(1), "resource"): {"title": ("The drill", (here.id, there.id))}}, time=NOW
    )
    store.apply(COMMUNITY, PUBLIC, [settle], seen_ms=NOW + 4)
    (view,) = store.page(community=COMMUNITY).records
    assert (view.title, view.conflicts) == ("The drill", {})


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"title": "  Drill \n", "a": "b"}, "Drill"),
        ({"title": " ", "description": "a heavy one", "zone": "b"}, "a heavy one"),
        ({"x:A": "first cell", "zone": "barn"}, "barn"),
        ({"nonce": bytes(16), "x:B": "second", "x:A": "first"}, "first"),
        ({"amount": 3, "deleted": False}, record_id(1).hex()[:8]),
    ],
)
def test_what_is_shown_as_title_where_there_is_none(
    store: Store, fields: dict[str, Value], title: str
) -> None:
    put(store, 1, more=fields)
    (view,) = store.page(community=COMMUNITY).records
    assert view.title == title


def test_what_has_no_text_at_all_comes_last(store: Store) -> None:
    put(store, 1, amount=3)
    add(store, "zzz", "🔧 spanner", begin=50)
    assert all_pages(store, 2) == ["zzz", "🔧 spanner", record_id(1).hex()[:8]]


def test_history_tells_every_write_after_what_it_builds_on_whatever_the_clocks_said(store: Store) -> None:
    first = put(store, 1, title="drill", amount="1")
    edit = FOUNDER.edit(COMMUNITY, record_id(1), first, title="Drill", time=NOW - 10**9)
    waits = ANA.edit(COMMUNITY, record_id(1), edit, title="My drill", time=NOW + 5)
    store.apply(COMMUNITY, PUBLIC, [edit], seen_ms=NOW + 7)
    store.apply(COMMUNITY, PUBLIC, [waits], seen_ms=NOW + 8, own=True)
    history = store.history(RecordRef(COMMUNITY, PUBLIC, "resource", record_id(1)))
    assert [(entry.changeset, entry.fields, entry.waiting) for entry in history] == [
        (first.id, {"amount": "1", "title": "drill"}, False),
        (edit.id, {"title": "Drill"}, False),
        (waits.id, {"title": "My drill"}, True),
    ]
    assert [(entry.author, entry.time, entry.seen_ms) for entry in history[1:]] == [
        (FOUNDER.key, NOW - 10**9, NOW + 7),
        (ANA.key, NOW + 5, NOW + 8),
    ]
    assert store.history(RecordRef(COMMUNITY, PUBLIC, "place", record_id(1))) == []


def test_an_export_is_what_stands_by_record_id_kind_and_lane(store: Store) -> None:
    first = put(store, 1, title="drill")
    put(store, 1, kind="place", title="barn")
    put(store, 1, lane=KNOWLEDGE, title="how to drill")
    for n in range(2, 40):
        put(store, n, title=str(n))
    waits = ANA.edit(COMMUNITY, record_id(1), first, title="My drill")
    store.apply(COMMUNITY, PUBLIC, [waits], seen_ms=NOW, own=True)
    order = [(view.record, view.kind, view.lane, view.title) for view in store.export(COMMUNITY)]
    assert [key[:3] for key in order] == sorted(key[:3] for key in order)
    assert len(order) == 41
    assert "My drill" not in [title for *_, title in order]


def test_the_file_explains_itself_to_who_opens_it_with_another_program(store: Store) -> None:
    put(store, 1, title="drill", place={"lat": 471234567, "lon": 81234567})
    (thing,) = store._writer.execute(
        "select id, kind, title, latitude, longitude, community, lane from things"
    )
    assert thing == (record_id(1).hex(), "resource", "drill", 47.1234567, 8.1234567, "Upper valley", "public")
    (entry,) = store._writer.execute("select id, author, standing from history where title = 'drill'")
    assert entry == (record_id(1).hex(), FOUNDER.key.hex(), 1)
