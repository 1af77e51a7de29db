"""Communities: followed by id, stopped, left without a trace; who may write, and what waits."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commonsnode_protocol.authority import MEMBER, MIRROR
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, build, sign
from commonsnode_protocol.intake import check
from commonsnode_store import stopping
from commonsnode_store.answers import Following
from commonsnode_store.errors import CommunityStopped, LaneNotFollowed, UnknownCommunity
from commonsnode_store.store import Store
from store_people import ANA, BEN, CHARTER, COMMUNITY, FOUNDER, NOW, STRANGER, checked, record_id

OTHER_CHARTER = ANA.charter("Lower valley")
OTHER = OTHER_CHARTER.id


def test_a_community_is_followed_by_its_id_before_anything_of_it_is_here(
    empty_file: Path, path: Path
) -> None:
    path.write_bytes(empty_file.read_bytes())
    with closing(Store.open(path)) as store:
        store.follow(COMMUNITY, [PUBLIC])
        store.follow(COMMUNITY, [PUBLIC])
        (info,) = store.communities()
        assert (info.id, info.name, info.lanes) == (COMMUNITY, None, (AUTHORITY, PUBLIC))
        assert store.authority(COMMUNITY).table is None
        store.follow(COMMUNITY, [KNOWLEDGE])
        assert store.communities()[0].lanes == (AUTHORITY, KNOWLEDGE, PUBLIC)
        applied = store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
        assert applied.new == (COMMUNITY,)
        assert applied.authority_changed
        assert store.communities()[0].name == "Upper valley"
        assert store.authority(COMMUNITY).writes(FOUNDER.key)
    with closing(Store.open(path)) as store:
        assert store.communities()[0].name == "Upper valley"
        assert store.authority(COMMUNITY).writes(FOUNDER.key)


def test_what_is_not_followed_is_refused_by_an_error(store: Store) -> None:
    thing = FOUNDER.add(COMMUNITY, record_id(1), title="Drill")
    for ask in (
        lambda: store.apply(OTHER, AUTHORITY, [OTHER_CHARTER], seen_ms=NOW),
        lambda: store.lane_state(OTHER, PUBLIC),
        lambda: store.authority(OTHER),
        lambda: store.page(community=OTHER),
        lambda: store.export(OTHER),
        lambda: store.missing(OTHER, PUBLIC, []),
        lambda: store.leave(OTHER),
        lambda: store.stop(OTHER, "why not"),
    ):
        with pytest.raises(UnknownCommunity):
            ask()
    with pytest.raises(LaneNotFollowed):
        store.apply(COMMUNITY, "members", [thing], seen_ms=NOW)
    with pytest.raises(ValueError, match="no lanes"):
        store.follow(COMMUNITY, ["gossip"])
    with pytest.raises(ValueError, match="public"):
        store.apply(COMMUNITY, KNOWLEDGE, [thing], seen_ms=NOW)
    assert store.check() == []
    assert store.communities()[0].changesets == 1


def test_changesets_stand_by_who_wrote_them(store: Store) -> None:
    store.apply(
        COMMUNITY,
        AUTHORITY,
        [FOUNDER.grant(COMMUNITY, ANA.key), FOUNDER.grant(COMMUNITY, BEN.key, MIRROR)],
        seen_ms=NOW,
    )
    by = {
        author.name: author.add(COMMUNITY, record_id(1), title=author.name)
        for author in (FOUNDER, ANA, BEN, STRANGER)
    }
    applied = store.apply(COMMUNITY, PUBLIC, list(by.values()), seen_ms=NOW)
    assert set(applied.new) == {by["founder"].id, by["ana"].id}
    assert set(applied.refused) == {by["ben"].id, by["stranger"].id}
    again = store.apply(COMMUNITY, PUBLIC, list(by.values()), seen_ms=NOW)
    assert set(again.known) == set(applied.new)
    assert set(again.refused) == set(applied.refused)
    assert again.new == ()
    assert store.missing(COMMUNITY, PUBLIC, [c.id for c in by.values()]) == [by["ben"].id, by["stranger"].id]


def test_a_grant_by_one_who_is_no_steward_admits_nobody(store: Store) -> None:
    forged = STRANGER.grant(COMMUNITY, STRANGER.key)
    applied = store.apply(COMMUNITY, AUTHORITY, [forged], seen_ms=NOW)
    assert (applied.refused, applied.authority_changed) == ((forged.id,), False)
    store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, ANA.key)], seen_ms=NOW)
    by_member = ANA.grant(COMMUNITY, STRANGER.key)
    applied = store.apply(COMMUNITY, AUTHORITY, [by_member], seen_ms=NOW)
    assert (applied.new, applied.authority_changed) == ((by_member.id,), False)
    assert not store.authority(COMMUNITY).writes(STRANGER.key)


def test_own_changesets_wait_are_offered_to_nobody_and_rise(store: Store) -> None:
    early = ANA.add(COMMUNITY, record_id(1), title="Drill")
    later = ANA.edit(COMMUNITY, record_id(1), early, title="Big drill")
    act = ANA.grant(COMMUNITY, BEN.key)
    assert store.apply(COMMUNITY, PUBLIC, [early], seen_ms=NOW, own=True).waiting == (early.id,)
    assert store.apply(COMMUNITY, PUBLIC, [later], seen_ms=NOW + 5, own=True).waiting == (later.id,)
    assert store.apply(COMMUNITY, AUTHORITY, [act], seen_ms=NOW + 5, own=True).waiting == (act.id,)
    assert store.missing(COMMUNITY, PUBLIC, [early.id, later.id]) == []
    assert store.fetch(COMMUNITY, PUBLIC, [early.id, later.id]) == []
    assert store.lane_state(COMMUNITY, PUBLIC).count == 0
    assert list(store.export(COMMUNITY)) == []
    assert store.heads(COMMUNITY, PUBLIC, ANA.key) == [(later.id, later.changeset.time)]
    assert store.communities()[0].waiting == 3
    (view,) = store.page(community=COMMUNITY).records
    assert (view.title, view.waiting) == ("Big drill", True)
    applied = store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, ANA.key)], seen_ms=NOW + 9)
    assert applied.risen == {AUTHORITY: (act.id,), PUBLIC: (early.id, later.id)}
    assert store.fetch(COMMUNITY, PUBLIC, [later.id, early.id]) == [later.signed, early.signed]
    (view,) = store.export(COMMUNITY)
    assert (view.title, view.waiting) == ("Big drill", False)
    assert store.heads(COMMUNITY, PUBLIC, ANA.key) == [(later.id, later.changeset.time)]
    assert store.communities()[0].waiting == 0
    assert store.check() == []


def test_a_stopped_community_takes_nothing_more_and_stays_readable(store: Store) -> None:
    there = FOUNDER.add(COMMUNITY, record_id(1), title="Drill")
    store.apply(COMMUNITY, PUBLIC, [there], seen_ms=NOW)
    store.stop(COMMUNITY, "its charter is of version 2")
    new = FOUNDER.add(COMMUNITY, record_id(2), title="Saw")
    applied = store.apply(COMMUNITY, PUBLIC, [there, new], seen_ms=NOW)
    assert (applied.known, applied.refused, applied.new) == ((there.id,), (new.id,), ())
    with pytest.raises(CommunityStopped, match="version 2"):
        store.apply(COMMUNITY, PUBLIC, [new], seen_ms=NOW, own=True)
    assert [view.title for view in store.page(community=COMMUNITY).records] == ["Drill"]
    assert store.communities()[0].stopped == "its charter is of version 2"


@pytest.mark.parametrize("reason", [stopping.by_table(2), stopping.by_charter(2)])
def test_a_newer_software_goes_on_with_what_the_older_one_stopped(
    path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    with closing(Store.open(path)) as store:
        store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
        store.stop(COMMUNITY, reason)
    with closing(Store.open(path)) as same:
        assert same.communities()[0].stopped == reason
    monkeypatch.setattr(stopping, "KNOWN_VERSIONS", frozenset({1, 2}))
    with closing(Store.open(path)) as newer:
        assert newer.communities()[0].stopped is None
        new = FOUNDER.add(COMMUNITY, record_id(2), title="Saw")
        assert newer.apply(COMMUNITY, PUBLIC, [new], seen_ms=NOW).new == (new.id,)


def test_what_stopped_for_another_reason_stays_stopped(path: Path) -> None:
    with closing(Store.open(path)) as store:
        store.stop(COMMUNITY, "its charter is not valid")
    with closing(Store.open(path)) as again:
        assert again.communities()[0].stopped == "its charter is not valid"


def test_a_charter_that_breaks_its_rules_stops_its_community(empty_file: Path, path: Path) -> None:
    path.write_bytes(empty_file.read_bytes())
    fields: dict[str, tuple[Value, list[int]]] = {
        "name": ("", []),
        "founder": (FOUNDER.key, []),
        "nonce": (bytes(16), []),
    }
    body = build(
        community=b"",
        lane=AUTHORITY,
        author=FOUNDER.key,
        time=NOW,
        refs=[],
        changes=[(bytes(16), "charter", fields)],
    )
    signed = sign(body, FOUNDER.seed)
    charter = checked(check(signed.id, AUTHORITY, signed))
    with closing(Store.open(path)) as store:
        store.follow(signed.id, [PUBLIC])
        applied = store.apply(signed.id, AUTHORITY, [charter], seen_ms=NOW)
        assert applied.refused == (signed.id,)
        assert store.communities()[0].stopped == "its charter is not valid"
        assert store.communities()[0].changesets == 0
        assert store.check() == []


def test_leaving_removes_all_of_a_community_and_nothing_of_another(store: Store, path: Path) -> None:
    store.follow(OTHER, [PUBLIC])
    store.apply(OTHER, AUTHORITY, [OTHER_CHARTER], seen_ms=NOW)
    mine = ANA.add(OTHER, record_id(1), title="Lathe of the lower valley")
    store.apply(OTHER, PUBLIC, [mine], seen_ms=NOW)
    things = [FOUNDER.add(COMMUNITY, record_id(n), title=f"Upper {n}", time=NOW + n) for n in range(300)]
    things.append(FOUNDER.edit(COMMUNITY, record_id(0), things[0], title="Edited"))
    store.apply(COMMUNITY, PUBLIC, things, seen_ms=NOW)
    store.apply(COMMUNITY, PUBLIC, [BEN.add(COMMUNITY, record_id(5), title="Waits")], seen_ms=NOW, own=True)
    before = list(store.export(OTHER))
    store.leave(COMMUNITY)
    assert [info.id for info in store.communities()] == [OTHER]
    assert store.page(community=None, text="upper").records == []
    assert [view.title for view in store.page(community=None, text="valley").records] == [
        "Lathe of the lower valley"
    ]
    assert list(store.export(OTHER)) == before
    assert store.check() == []
    store.leave(OTHER)
    store.close()
    with closing(sqlite3.connect(path)) as db:
        for table in (
            "changesets",
            "records",
            "touches",
            "listing",
            "heads",
            "missing_refs",
            "buckets",
            "authors",
        ):
            assert db.execute(f"select count(*) from {table}").fetchone() == (0,), table
    with closing(Store.open(path)) as again:
        again.follow(COMMUNITY, [PUBLIC])
        again.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
        assert len(again.apply(COMMUNITY, PUBLIC, things, seen_ms=NOW).new) == len(things)
        assert again.check() == []
        again.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, ANA.key)], seen_ms=NOW)
        assert again.authority(COMMUNITY).members[ANA.key].role == MEMBER


def test_heads_are_an_authors_changesets_that_no_other_own_one_names(store: Store) -> None:
    store.apply(COMMUNITY, AUTHORITY, [FOUNDER.grant(COMMUNITY, ANA.key)], seen_ms=NOW)
    one = FOUNDER.add(COMMUNITY, record_id(1), title="1", time=NOW)
    two = FOUNDER.add(COMMUNITY, record_id(2), title="2", time=NOW + 1, refs=[one.id])
    fork = FOUNDER.add(COMMUNITY, record_id(3), title="3", time=NOW + 2, refs=[one.id])
    anas = ANA.edit(COMMUNITY, record_id(2), two, title="2 b", time=NOW + 3)
    join = FOUNDER.add(COMMUNITY, record_id(4), title="4", time=NOW + 4, refs=[two.id, fork.id])
    store.apply(COMMUNITY, PUBLIC, [two, anas], seen_ms=NOW)
    assert store.heads(COMMUNITY, PUBLIC, FOUNDER.key) == [(two.id, NOW + 1)]
    store.apply(COMMUNITY, PUBLIC, [one, fork], seen_ms=NOW)
    assert store.heads(COMMUNITY, PUBLIC, FOUNDER.key) == sorted([(two.id, NOW + 1), (fork.id, NOW + 2)])
    store.apply(COMMUNITY, PUBLIC, [join], seen_ms=NOW)
    assert store.heads(COMMUNITY, PUBLIC, FOUNDER.key) == [(join.id, NOW + 4)]
    assert store.heads(COMMUNITY, PUBLIC, ANA.key) == [(anas.id, NOW + 3)]
    assert store.heads(COMMUNITY, KNOWLEDGE, ANA.key) == []
    assert store.heads(COMMUNITY, PUBLIC, STRANGER.key) == []


def test_facts_tell_author_time_and_when_it_was_first_seen(store: Store) -> None:
    thing = FOUNDER.add(COMMUNITY, record_id(1), title="Drill", time=NOW - 7)
    store.apply(COMMUNITY, PUBLIC, [thing], seen_ms=NOW + 3)
    store.apply(COMMUNITY, PUBLIC, [thing], seen_ms=NOW + 99)
    assert store.facts([thing.id, bytes(32)]) == {thing.id: (FOUNDER.key, NOW - 7, NOW + 3)}


def test_small_bodies_come_out_as_they_went_in_with_any_dictionary(store: Store, path: Path) -> None:
    things = [
        FOUNDER.add(COMMUNITY, record_id(n), title=f"Ladder {n}", note="keep it dry", time=NOW + n)
        for n in range(700)
    ]
    for begin in range(0, 700, 70):
        store.apply(COMMUNITY, PUBLIC, things[begin : begin + 70], seen_ms=NOW)
    assert store.fetch(COMMUNITY, PUBLIC, [thing.id for thing in things]) == [
        thing.signed for thing in things
    ]
    codecs = {codec for (codec,) in store._writer.execute("select codec from changesets")}
    assert max(codecs) >= 16
    kept, plain = store._writer.execute(
        "select sum(length(body)), ? from changesets where codec >= 16",
        (sum(len(t.signed.body) for t in things),),
    ).fetchone()
    assert kept < plain / 2
    store.close()
    with closing(Store.open(path)) as again:
        assert again.fetch(COMMUNITY, PUBLIC, [things[650].id]) == [things[650].signed]
        assert again.check() == []


def test_peers_and_the_time_are_kept(store: Store, path: Path) -> None:
    store.remember_peer("ws://one.example/peer", source="link")
    store.remember_peer("ws://two.example/peer", node=ANA.key, seen_ms=NOW)
    store.remember_peer("ws://one.example/peer", node=BEN.key)
    assert store.saved_time() == 0
    store.save_time(NOW)
    store.save_time(NOW + 1)
    store.close()
    with closing(Store.open(path)) as again:
        assert [(p.address, p.node, p.source, p.seen_ms) for p in again.peers()] == [
            ("ws://one.example/peer", BEN.key, "link", None),
            ("ws://two.example/peer", ANA.key, "operator", NOW),
        ]
        assert again.saved_time() == NOW + 1
        assert again.forget_peer("ws://one.example/peer")
        assert not again.forget_peer("ws://one.example/peer")
        assert len(again.peers()) == 1


def test_what_is_followed_is_said_from_memory_as_it_is_read(store: Store) -> None:
    store.follow(bytes(32), [PUBLIC])
    store.stop(COMMUNITY, "its charter is not valid")
    described = {each.id: Following(each.lanes, each.stopped) for each in store.communities()}
    assert store.followed() == described
    assert store.following(COMMUNITY) == described[COMMUNITY]
    assert store.community_ids() == [*described]
    assert store.names() == {each.id: each.name for each in store.communities()}
    with pytest.raises(UnknownCommunity):
        store.following(b"?" * 32)


def test_one_community_is_described_as_among_all(store: Store) -> None:
    store.follow(bytes(32), [PUBLIC, KNOWLEDGE])
    assert [store.community(each.id) for each in store.communities()] == store.communities()
    with pytest.raises(UnknownCommunity):
        store.community(b"?" * 32)
