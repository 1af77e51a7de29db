"""What stood and does no more: kept in history, shown nowhere else, offered to nobody, and tried again after each change."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from authority_world import key_of, nonce, seed_of
from commonsnode_protocol.authority import writing
from commonsnode_protocol.authority.achieving import Void
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC
from commonsnode_protocol.intake import Checked, check
from commonsnode_store import rejudging
from commonsnode_store.answers import RecordRef
from commonsnode_store.errors import StoreError
from commonsnode_store.store import Store
from commonsnode_store.transaction import Transaction
from store_acts import (
    CHARTER_OF_F,
    VALLEY,
    act,
    chain,
    copy,
    draft_revocation,
    grant,
    naming,
    revoke,
    signed,
    states,
    take,
    thing,
    written,
)
from store_people import record_id

LANES = (PUBLIC, KNOWLEDGE)
DRILL = record_id(0)
REF = RecordRef(VALLEY, PUBLIC, "resource", DRILL)
Opener = Callable[..., Store]


@pytest.fixture
def open_store(empty_file: Path, tmp_path: Path) -> Iterator[Opener]:
    """Opens nodes of one valley, each with a file of its own."""
    opened: list[Store] = []

    def open_(*lanes: str, of: Store | None = None) -> Store:
        path = tmp_path / f"{len(opened)}.sqlite3"
        shutil.copy(empty_file, path)
        store = Store.open(path)
        opened.append(store)
        store.follow(VALLEY, lanes or LANES)
        take(store, signed(CHARTER_OF_F))
        if of is not None:
            copy(of, store)
        return store

    yield open_
    for store in opened:
        assert store.check() == []
        store.close()


@pytest.fixture
def valley(open_store: Opener) -> Store:
    """A node of a valley with members M and N."""
    store = open_store()
    grant(store, "M")
    grant(store, "N")
    return store


def title(store: Store, ref: RecordRef = REF) -> object:
    view = store.record(ref)
    return view.title if view is not None else None


def test_what_a_revocation_does_not_name_leaves_every_view_but_history(valley: Store) -> None:
    known, late = thing("M", DRILL, "Drill"), thing("M", record_id(1), "Saw")
    take(valley, known)
    revocation = draft_revocation(valley, "M")
    take(valley, late)
    before = valley.lane_state(VALLEY, PUBLIC)
    act(valley, "F", revocation)
    saw = RecordRef(VALLEY, PUBLIC, "resource", record_id(1))
    assert title(valley) == "Drill"
    assert title(valley, saw) is None
    assert [view.title for view in valley.export(VALLEY)] == ["Drill"]
    assert valley.page(community=VALLEY, text="saw").records == []
    assert valley.communities()[0].records == 1
    assert valley.lane_state(VALLEY, PUBLIC).count == before.count - 1
    assert valley.fetch(VALLEY, PUBLIC, [late.id]) == []
    assert valley.missing(VALLEY, PUBLIC, [late.id]) == []
    assert [(entry.changeset, entry.void) for entry in valley.history(saw)] == [(late.id, True)]
    assert valley.find(record_id(1).hex()[:8]) == []
    assert valley.find(record_id(1).hex()[:8], void=True) == [saw]
    ((write,),) = valley.void(saw).values()
    assert (write.value, write.author, write.why) == ("Saw", key_of("M"), Void.CUT)


def test_what_a_void_write_superseded_is_shown_again(valley: Store) -> None:
    first = thing("N", DRILL, "Drill")
    take(valley, first)
    revocation = draft_revocation(valley, "M")
    edit = thing("M", DRILL, "Mine", over=[first])
    take(valley, edit)
    assert title(valley) == "Mine"
    applied = take(valley, written(revocation))
    assert applied.fallen == {PUBLIC: (edit.id,)}
    assert title(valley) == "Drill"
    assert [(entry.changeset, entry.void) for entry in valley.history(REF)] == [
        (first.id, False),
        (edit.id, True),
    ]
    later = thing("N", DRILL, "Big drill", over=[first, edit])
    take(valley, later)
    assert title(valley) == "Big drill"
    assert valley.record(REF).conflicts == {}  # type: ignore[union-attr]


def test_void_writes_stand_again_when_a_later_revocation_names_them(valley: Store) -> None:
    things = chain("M", 6)
    take(valley, *things[:2])
    first = draft_revocation(valley, "M")
    take(valley, *things[2:])
    everything = valley.lane_state(VALLEY, PUBLIC)
    act(valley, "F", first)
    assert valley.lane_state(VALLEY, PUBLIC).count == 2
    applied = take(valley, written(naming(valley, things)))
    assert set(applied.risen[PUBLIC]) == {each.id for each in things[2:]}
    assert valley.lane_state(VALLEY, PUBLIC) == everything
    assert valley.void(RecordRef(VALLEY, PUBLIC, "resource", things[5].changeset.changes[0][0])) == {}


def test_what_is_void_stands_again_when_what_comes_later_leads_to_it(
    open_store: Opener, valley: Store
) -> None:
    """Of two revocations apart, one knew of more, which was never here."""
    things = chain("M", 5)
    take(valley, *things[:2])
    other = open_store(of=valley)
    take(other, *things[2:])
    knows_more = written(draft_revocation(other, "M"))
    take(valley, things[2])
    act(valley, "F", naming(valley, things[:2]))
    take(valley, knows_more)
    assert valley.lane_state(VALLEY, PUBLIC).count == 2
    applied = take(valley, *things[3:])
    assert set(applied.new) == {things[3].id, things[4].id}
    assert applied.risen == {PUBLIC: (things[2].id,)}


def test_a_newcomer_takes_the_long_chain_of_a_revoked_author_in_one_meeting(
    open_store: Opener, valley: Store
) -> None:
    """Attack 11."""
    things, others = chain("M", 200), chain("N", 20)
    take(valley, *things, *others)
    act(valley, "F", naming(valley, things[:150]))
    newcomer = open_store()
    copy_authority(valley, newcomer)
    with valley.reconciliation(VALLEY, PUBLIC) as storage:
        ids = [id_ for _, id_ in storage.items(0, storage.size())]
    order = valley.sending_order(VALLEY, PUBLIC, ids)
    assert sorted(order) == sorted(ids)
    assert order[:20] == [id_ for id_ in ids if id_ in {each.id for each in others}]
    for at in range(0, len(order), 7):
        batch = [check(VALLEY, PUBLIC, each) for each in valley.fetch(VALLEY, PUBLIC, order[at : at + 7])]
        assert (
            newcomer.apply(VALLEY, PUBLIC, [c for c in batch if isinstance(c, Checked)], seen_ms=1).refused
            == ()
        )
    assert states(newcomer, LANES) == states(valley, LANES)


def test_what_was_refused_leads_to_nothing(open_store: Opener, valley: Store) -> None:
    things = chain("M", 4)
    take(valley, *things)
    revoke(valley, "M")
    newcomer = open_store()
    copy_authority(valley, newcomer)
    assert take(newcomer, things[0]).refused == (things[0].id,)
    assert take(newcomer, things[3]).new == (things[3].id,)
    assert take(newcomer, things[2], things[1]).risen == {}
    assert newcomer.missing(VALLEY, PUBLIC, [things[0].id]) == [things[0].id]
    assert newcomer.standing([each.id for each in things]) == {each.id for each in things[1:]}


def copy_authority(one: Store, other: Store) -> None:
    with one.reconciliation(VALLEY, AUTHORITY) as storage:
        ids = [id_ for _, id_ in storage.items(0, storage.size())]
    for each in one.fetch(VALLEY, AUTHORITY, other.missing(VALLEY, AUTHORITY, ids)):
        found = check(VALLEY, AUTHORITY, each)
        assert isinstance(found, Checked)
        take(other, found)


def test_a_node_of_one_lane_agrees_on_it_with_a_node_of_both(open_store: Opener, valley: Store) -> None:
    """Attack 9."""
    public, knowledge = chain("M", 4), chain("M", 4, lane=KNOWLEDGE)
    take(valley, *public[:3])
    take(valley, *knowledge[:2])
    revocation = draft_revocation(valley, "M")
    take(valley, *public[3:])
    take(valley, *knowledge[2:])
    small = open_store(PUBLIC, of=valley)
    act(valley, "F", revocation)
    take(small, written(revocation))
    assert states(small, [PUBLIC]) == states(valley, [PUBLIC])
    assert small.lane_state(VALLEY, PUBLIC).count == 3
    fresh = open_store(KNOWLEDGE, of=valley)
    assert states(fresh, [KNOWLEDGE]) == states(valley, [KNOWLEDGE])
    assert fresh.lane_state(VALLEY, KNOWLEDGE).count == 2


def test_what_the_last_standing_one_named_ahead_is_refused(valley: Store) -> None:
    """Attack 10."""
    hidden = thing("M", record_id(5), "Hidden")
    last = thing("M", DRILL, "Drill", refs=[hidden])
    take(valley, last)
    revoke(valley, "M")
    assert take(valley, hidden).refused == (hidden.id,)
    assert valley.missing(VALLEY, PUBLIC, [hidden.id]) == [hidden.id]
    assert valley.standing([last.id, hidden.id]) == {last.id}


def test_changes_that_have_no_effect_do_not_move_the_set(open_store: Opener, valley: Store) -> None:
    """Attack 12."""
    other = open_store(of=valley)
    mine = thing("N", DRILL)
    take(valley, mine)
    take(other, mine)
    forbidden = draft_revocation(valley, "N", by="M")
    unknown = (record_id(9), "of-tomorrow", {"field": (True, ())})
    act_of_member = written(Draft((*forbidden.changes, unknown), forbidden.refs, VALLEY), "M")
    allowed = draft_revocation(valley, "M")
    act_of_steward = written(Draft((*allowed.changes, unknown), allowed.refs, VALLEY))
    for store, order in ((valley, 1), (other, -1)):
        for each in (act_of_member, act_of_steward)[::order]:
            take(store, each)
        take(store, act_of_member)
    assert valley.standing([mine.id]) == {mine.id}
    assert key_of("M") not in valley.authority(VALLEY).members
    assert valley.standing([act_of_steward.id]) == {act_of_steward.id}
    assert states(valley, LANES) == states(other, LANES)


def test_who_is_admitted_again_stands_with_what_names_the_grant_and_nobody_elses_writes_do(
    valley: Store,
) -> None:
    """Attack 13."""
    before = chain("M", 2)
    take(valley, *before)
    revoke(valley, "M")
    between = chain("M", 2, first=2, before=before[-1:])
    take(valley, *between, own=True)
    again = grant(valley, "M")
    assert valley.communities()[0].waiting == 2
    after = chain("M", 2, first=4, before=[*before[-1:], again])
    after[1] = thing("M", after[1].changeset.changes[0][0], "Thing 5", refs=[after[0], again])
    assert set(take(valley, *after).new) == {each.id for each in after}
    for who in ("M", "X"):
        stranger = thing(who, record_id(7), "Saw", refs=[*between, *([again] if who == "X" else [])])
        assert take(valley, stranger).refused == (stranger.id,)
    assert valley.standing([each.id for each in (*before, *between, *after)]) == {
        each.id for each in (*before, *after)
    }


def test_heads_are_of_what_stands_or_waits(valley: Store) -> None:
    things = chain("M", 4)
    take(valley, *things)
    act(valley, "F", naming(valley, things[:2]))
    assert [id_ for id_, _ in valley.heads(VALLEY, PUBLIC, key_of("M"))] == [things[1].id]
    waiting = thing("M", DRILL, refs=[things[1]])
    take(valley, waiting, own=True)
    assert [id_ for id_, _ in valley.heads(VALLEY, PUBLIC, key_of("M"))] == [waiting.id]
    act(valley, "F", naming(valley, things))
    assert {id_ for id_, _ in valley.heads(VALLEY, PUBLIC, key_of("M"))} == {waiting.id, things[3].id}


def test_what_waits_over_what_fell_is_shown_without_it(valley: Store) -> None:
    first = thing("M", DRILL, "Drill")
    take(valley, first)
    own = thing("X", DRILL, "Saw", over=[first])
    take(valley, own, own=True)
    act(valley, "F", naming(valley, []))
    view = valley.record(REF)
    assert view is not None
    assert (view.title, view.waiting) == ("Saw", True)
    assert list(valley.export(VALLEY)) == []
    grant(valley, "X")
    assert [view.title for view in valley.export(VALLEY)] == ["Saw"]


def test_a_revocation_names_what_stands_of_the_persons_keys_in_all_lanes(valley: Store) -> None:
    public, knowledge = chain("M", 2), chain("M", 1, lane=KNOWLEDGE)
    take(valley, *public)
    take(valley, *knowledge)
    assert valley.held(VALLEY, [key_of("M"), key_of("X")]) == {
        (key_of("M"), PUBLIC): {each.id: each.changeset.refs for each in public},
        (key_of("M"), KNOWLEDGE): {each.id: () for each in knowledge},
    }
    act(valley, "F", naming(valley, public[:1]))
    assert [*valley.held(VALLEY, [key_of("M")])] == [(key_of("M"), PUBLIC)]


def test_after_a_failed_transaction_authority_is_what_the_file_has(
    valley: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = chain("M", 3)
    take(valley, *things)
    revocation = written(naming(valley, things[:1]))
    before, standing = states(valley, LANES), frozenset(valley.evaluator(VALLEY).standing)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(rejudging, "settle", full)
        with pytest.raises(StoreError):
            take(valley, revocation)
    assert states(valley, LANES) == before
    assert valley.evaluator(VALLEY).entry(revocation.id) is None
    assert valley.evaluator(VALLEY).standing == standing
    assert key_of("M") in valley.authority(VALLEY).members
    assert take(valley, revocation).fallen == {PUBLIC: tuple(each.id for each in things[1:])}


def test_after_a_failed_transaction_a_walk_begins_anew(
    valley: Store, open_store: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = chain("M", 4)
    take(valley, *things[:2])
    other = open_store(of=valley)
    take(other, *things[2:])
    knows_more = written(draft_revocation(other, "M"))
    act(valley, "F", naming(valley, []))
    take(valley, knows_more)
    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "finish", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(valley, *things[2:])
    assert set(take(valley, *things[2:]).risen[PUBLIC]) == {each.id for each in things[:2]}


def test_what_is_void_outlives_a_restart_and_a_rebuild(valley: Store) -> None:
    things = chain("M", 3)
    take(valley, *things)
    act(valley, "F", naming(valley, things[:1]))
    gone = RecordRef(VALLEY, PUBLIC, "resource", things[2].changeset.changes[0][0])
    assert valley.rebuild() == []
    assert [entry.void for entry in valley.history(gone)] == [True]
    assert valley.authority(VALLEY).members.keys() == {key_of("F"), key_of("N")}
    assert valley.missing(VALLEY, PUBLIC, [each.id for each in things]) == []
    assert set(take(valley, written(naming(valley, things))).risen[PUBLIC]) == {
        each.id for each in things[1:]
    }


DAMAGES = {
    "a touch that is gone": (
        "void_touches",
        "delete from void_touches where changeset = (select max(changeset) from void_touches)",
    ),
    "a touch too many": (
        "void_touches",
        "insert into void_touches select lane, zeroblob(16), kind, changeset from void_touches limit 1",
    ),
    "a void one that is said to stand": (
        "changesets",
        "update changesets set standing = 1 where standing = 2",
    ),
    "a standing one that is said to be void": (
        "changesets",
        "update changesets set standing = 2 where no = (select min(changesets.no) from changesets join lanes on lanes.no = lane where name = 'public')",
    ),
    "a head that is void": (
        "heads",
        "insert into heads select lane, author, no from changesets where standing = 2",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_what_is_said_of_void_ones_is_found_and_mended(
    valley: Store, tmp_path: Path, damage: str
) -> None:
    things = chain("M", 4)
    take(valley, *things)
    act(valley, "F", naming(valley, things[:2]))
    before = states(valley, LANES)
    what, sql = DAMAGES[damage]
    with closing(sqlite3.connect(tmp_path / "0.sqlite3")) as db, db:
        assert db.execute(sql).rowcount > 0
    assert what in {problem.what for problem in valley.check()}
    assert valley.rebuild() == []
    assert valley.check() == []
    assert states(valley, LANES) == before


def test_the_public_view_of_history_has_what_is_void(valley: Store, tmp_path: Path) -> None:
    things = chain("M", 2)
    take(valley, *things)
    act(valley, "F", naming(valley, things[:1]))
    with closing(sqlite3.connect(tmp_path / "0.sqlite3")) as db:
        rows = db.execute("select changeset, title, standing from history order by standing").fetchall()
    assert rows == [(things[0].id.hex(), "Thing 0", 1), (things[1].id.hex(), None, 2)]


def test_leaving_a_community_leaves_nothing_of_what_is_void(valley: Store, tmp_path: Path) -> None:
    take(valley, *chain("M", 3))
    act(valley, "F", naming(valley, []))
    valley.leave(VALLEY)
    with closing(sqlite3.connect(tmp_path / "0.sqlite3")) as db:
        for table in ("void_touches", "changesets", "authors", "kinds", "records"):
            assert db.execute(f"select count(*) from {table}").fetchone() == (0,), table


def test_a_table_of_an_unknown_version_stops_the_community(valley: Store) -> None:
    fields = {**writing.next_table(valley.evaluator(VALLEY), name="Hill"), "version": 9}
    signature = writing.sign_table(valley.evaluator(VALLEY), fields, seed_of("F"))
    held, author = valley.evaluator(VALLEY), key_of("F")
    act(valley, "F", writing.certificate(held, author, nonce(), fields, {author: signature}))
    (info,) = valley.communities()
    assert (info.name, info.stopped) == ("Hill", "it asks for version 9, which this software does not know")
    assert take(valley, thing("F", DRILL)).refused
