"""What landed: which records changesets are about, and what was stored after one that somebody knows of."""

from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC
from commonsnode_protocol.intake import Checked
from commonsnode_store import news
from commonsnode_store.store import Store
from store_people import CHARTER, COMMUNITY, FOUNDER, NOW, record_id


def put(store: Store, *numbers: int, lane: str = PUBLIC, kind: str = "resource") -> Checked:
    writes = {(record_id(n), kind): {"title": (f"Thing {n}", ())} for n in numbers}
    changeset = FOUNDER.write(COMMUNITY, writes, lane=lane)
    store.apply(COMMUNITY, lane, [changeset], seen_ms=NOW)
    return changeset


def test_news_names_the_records_and_the_last_changeset(store: Store) -> None:
    first, second = put(store, 1, 2), put(store, 3, kind="place")
    found = store.news(COMMUNITY, PUBLIC, [first.id, second.id])
    assert found is not None
    assert set(found.records) == {
        ("resource", record_id(1)),
        ("resource", record_id(2)),
        ("place", record_id(3)),
    }
    assert (found.last, found.more) == (second.id, False)


def test_a_changeset_of_lane_authority_names_no_records(store: Store) -> None:
    assert store.news(COMMUNITY, AUTHORITY, [CHARTER.id]) == news.News(COMMUNITY, AUTHORITY, CHARTER.id)


def test_what_does_not_stand_is_no_news(store: Store) -> None:
    assert store.news(COMMUNITY, PUBLIC, [b"\0" * 32]) is None
    assert store.news(COMMUNITY, PUBLIC, []) is None


def test_only_some_records_of_many_are_named_and_that_is_said(store: Store) -> None:
    many = [put(store, *range(n, n + 200)) for n in (0, 200)]
    found = store.news(COMMUNITY, PUBLIC, [changeset.id for changeset in many])
    assert found is not None
    assert (len(found.records), found.more) == (news.RECORDS_MAX, True)


def test_what_came_after_a_changeset_is_told_in_its_order(store: Store) -> None:
    known = put(store, 1)
    later = [put(store, 2), put(store, 3, lane=KNOWLEDGE)]
    found = store.news_after(known.id)
    assert found is not None
    assert [each.last for each in found] == [changeset.id for changeset in later]
    assert [each.lane for each in found] == [PUBLIC, KNOWLEDGE]
    assert store.news_after(later[-1].id) == []
    assert store.newest() == later[-1].id


def test_nothing_is_told_of_lanes_that_are_not_looked_at(store: Store) -> None:
    known = put(store, 1)
    hidden = put(store, 2, lane=KNOWLEDGE)
    shown = put(store, 3)

    def among(community: bytes, lane: str) -> bool:
        return lane != KNOWLEDGE

    found = store.news_after(known.id, among=among)
    assert found is not None
    assert [each.last for each in found] == [shown.id]
    assert store.news_after(hidden.id, among=among) is None, "not even that it is here"
    put(store, 4, lane=KNOWLEDGE)
    assert store.newest(among=among) == shown.id


def test_what_is_not_known_or_too_long_ago_cannot_be_told(store: Store) -> None:
    assert store.news_after(b"\0" * 32) is None
    begin = put(store, 0)
    last = [put(store, n) for n in range(1, news.AFTER_MAX + 2)]
    assert store.news_after(begin.id) is None
    assert len(store.news_after(last[0].id) or ()) == news.AFTER_MAX
