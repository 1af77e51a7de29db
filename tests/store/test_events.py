"""Which events name a thing, and which things have rules of care: kept as changesets come, in any order and from older files."""

from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC
from commonsnode_protocol.intake import Checked
from commonsnode_store.store import Store
from store_people import ANA, CHARTER, COMMUNITY, FOUNDER, NOW, record_id

DRILL, SAW, OILED, OTHER = map(record_id, range(4))
EIGHTH_FORMAT = Path(__file__).parents[1] / "data" / "store" / "v8.sqlite3"


def wrote(record: bytes, kind: str, over: Checked | None = None, **fields: Value) -> Checked:
    ids = [over.id] if over is not None else []
    return FOUNDER.write(COMMUNITY, {(record, kind): {name: (value, ids) for name, value in fields.items()}})


def take(store: Store, *batch: Checked) -> None:
    store.apply(COMMUNITY, PUBLIC, batch, seen_ms=NOW)


def notes(store: Store, thing: bytes) -> set[Value]:
    return {view.values.get("note") for view in store.events(COMMUNITY, thing)}


def test_a_thing_has_the_events_that_name_it(store: Store) -> None:
    take(
        store,
        wrote(DRILL, "resource", title="Drill"),
        wrote(OILED, "event", action="modify", resource=DRILL, note="oiled"),
        wrote(OTHER, "event", action="modify", resource=SAW, note="sharpened"),
        wrote(record_id(5), "event", action="modify", note="names nothing"),
        wrote(record_id(6), "event", action="modify", resource="the drill", note="names it by a text"),
        wrote(record_id(7), "intent", resource=DRILL, title="is no event"),
    )
    assert notes(store, DRILL) == {"oiled"}
    assert notes(store, SAW) == {"sharpened"}
    assert notes(store, record_id(9)) == set()
    assert store.check() == []


def test_one_that_names_another_thing_now_or_was_removed_is_none_of_it(store: Store) -> None:
    first = wrote(OILED, "event", resource=DRILL, note="oiled")
    take(store, first, wrote(OILED, "event", first, resource=SAW, note="oiled"))
    assert (notes(store, DRILL), notes(store, SAW)) == (set(), {"oiled"})
    take(store, wrote(OILED, "event", deleted=True))
    assert notes(store, SAW) == set()
    assert store.check() == []


def test_things_with_rules_of_care_are_found(store: Store) -> None:
    first = wrote(DRILL, "resource", title="Drill", care={"oil": {"days": 90}})
    take(store, first, wrote(SAW, "resource", title="Saw"), wrote(OTHER, "agent", care={"oil": {"days": 1}}))
    assert [view.title for view in store.cared_for(COMMUNITY)] == ["Drill"]
    assert [view.title for view in store.cared_for(None)] == ["Drill"]
    assert store.cared_for(None, among=lambda community, lane: False) == []
    take(store, wrote(DRILL, "resource", first, care=None))
    assert store.cared_for(COMMUNITY) == []
    assert store.check() == []


def test_in_any_order_and_rebuilt_it_is_the_same(tmp_path: Path) -> None:
    first = wrote(DRILL, "resource", title="Drill", care={"oil": {"days": 90}})
    arrivals = [
        first,
        wrote(OILED, "event", resource=DRILL, note="oiled"),
        wrote(DRILL, "resource", care=None),
    ]
    for n, order in enumerate(permutations(arrivals)):
        with closing(Store.open(tmp_path / f"{n}.sqlite3", create=True)) as store:
            store.follow(COMMUNITY, [PUBLIC])
            store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
            for each in order:
                take(store, each)
            assert notes(store, DRILL) == {"oiled"}
            assert store.check() == []
            assert store.rebuild() == []
            assert notes(store, DRILL) == {"oiled"}
            assert store.check() == []


def test_own_events_that_wait_are_shown_here(store: Store) -> None:
    waits = ANA.write(COMMUNITY, {(OILED, "event"): {"resource": (DRILL, ()), "note": ("oiled", ())}})
    store.apply(COMMUNITY, PUBLIC, [waits], seen_ms=NOW, own=True)
    assert notes(store, DRILL) == {"oiled"}
    assert store.check() == []


def test_nothing_is_left_of_a_community_that_is_left(store: Store) -> None:
    take(store, wrote(OILED, "event", resource=DRILL, note="oiled"))
    store.leave(COMMUNITY)
    assert store.check() == []


@pytest.mark.parametrize("rebuilt", [False, True])
def test_events_of_the_format_before_are_found(tmp_path: Path, rebuilt: bool) -> None:
    path = tmp_path / "node.sqlite3"
    path.write_bytes(EIGHTH_FORMAT.read_bytes())
    assert Store.check_file(path) == []
    if rebuilt:
        assert Store.rebuild_file(path) == []
    with closing(Store.open(path)) as store:
        assert (notes(store, DRILL), notes(store, SAW)) == ({"oiled"}, {"sharpened"})
        assert [view.title for view in store.cared_for(COMMUNITY)] == ["Drill"]
        assert store.check() == []
