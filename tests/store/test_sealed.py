"""The sealed lane in the store: what opens is shown, what does not waits for its key; in any order it comes to the same."""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority_world import key_of, nonce
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KEYS, MEMBERS, PUBLIC, Write, build, decode
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.epochs import commitment_of
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import typed_id
from commonsnode_protocol.sealing import SEALED, seal
from commonsnode_store.answers import RecordRef
from commonsnode_store.errors import LaneNotFollowed
from commonsnode_store.store import Store
from store_acts import CHARTER_OF_F, NOW, VALLEY, act, draft_revocation, grant, signed, take

RED, BLUE = b"r" * 32, b"b" * 32
KEYRING = {commitment_of(key): key for key in (RED, BLUE)}
ROSA = b"rosa".ljust(16, b".")
_numbers = count()

Inner = tuple[bytes, str, dict[str, Write]]


@pytest.fixture
def valley(tmp_path: Path) -> Callable[[], Store]:
    """Makes stores that follow all lanes of a community with a member M."""

    def made() -> Store:
        store = Store.open(tmp_path / f"{next(_numbers)}.sqlite3", create=True)
        store.follow(VALLEY, [PUBLIC, MEMBERS, KEYS])
        take(store, signed(CHARTER_OF_F))
        return store

    return made


def with_member(store: Store) -> Store:
    grant(store, "M")
    return store


def boxes(
    author: str, *inner: tuple[bytes, Sequence[Inner]], refs: Sequence[Checked] = (), time: int = 1
) -> Checked:
    """A changeset of lane `members` with one box for each (key, changes)."""
    changes = [
        seal(changes, community=VALLEY, author=key_of(author), key=key, nonce=nonce().ljust(24, b"n"))
        for key, changes in inner
    ]
    every = sorted(each.id for each in refs)
    return signed(
        decode(
            build(
                community=VALLEY, lane=MEMBERS, author=key_of(author), time=time, refs=every, changes=changes
            )
        )
    )


def phone(number: str, over: Sequence[int] = ()) -> Inner:
    return ROSA, "agent", {"phone": (number, over)}


def shown(store: Store) -> object:
    view = store.record(RecordRef(VALLEY, MEMBERS, "agent", ROSA))
    return view.values.get("phone") if view is not None else None


def test_what_does_not_open_is_not_shown_and_opens_when_its_key_comes(valley: Callable[[], Store]) -> None:
    with closing(with_member(valley())) as store:
        wrote = boxes("M", (RED, [phone("12 34")]))
        assert take(store, wrote).new == (wrote.id,)
        assert store.lane_state(VALLEY, MEMBERS).count == 1
        assert store.page(community=VALLEY).records == []
        assert store.check() == []
        assert store.learn(VALLEY, {commitment_of(RED): RED}) == 1
        assert shown(store) == "12 34"
        assert [entry.fields for entry in store.history(RecordRef(VALLEY, MEMBERS, "agent", ROSA))] == [
            {"phone": "12 34"}
        ]
        assert store.check() == []
        assert store.rebuild() == []
        assert shown(store) == "12 34"
        assert store.learn(VALLEY, KEYRING) == 0
        assert store.check() == []


def test_garbage_has_no_effect_and_blames_nobody(valley: Callable[[], Store]) -> None:
    """Attack 21: a box of garbage, a box under another's name, a change that is not sealed, two keys for one commitment."""
    with closing(with_member(valley())) as store:
        store.learn(VALLEY, KEYRING)
        record, kind, fields = seal(
            [phone("99")], community=VALLEY, author=key_of("F"), key=RED, nonce=b"n" * 24
        )
        garbage: list[Inner] = [
            (record, kind, fields),  # authenticated for another author
            (b"g" * 16, SEALED, {"box": (b"x" * 90, ()), "epoch": (commitment_of(RED), ())}),
            (b"h" * 16, SEALED, {"box": (b"x", ()), "epoch": ("no commitment", ())}),
            (ROSA, "agent", {"phone": ("in the clear", ())}),
        ]
        body = build(
            community=VALLEY, lane=MEMBERS, author=key_of("M"), time=1, refs=[],
            changes=sorted(garbage, key=lambda change: change[:2]),
        )  # fmt: skip
        wrote = signed(decode(body))
        assert take(store, wrote).new == (wrote.id,)
        assert shown(store) is None
        with pytest.raises(ValueError, match="not of its commitment"):
            store.learn(VALLEY, {commitment_of(RED): BLUE})
        good = boxes("M", (BLUE, [phone("12 34")]), refs=[wrote])
        take(store, good)
        assert shown(store) == "12 34"
        assert store.check() == []


def test_lane_keys_never_becomes_a_record_and_cuts_name_it(valley: Callable[[], Store]) -> None:
    with closing(with_member(valley())) as store:
        change: Inner = (b"k" * 16, "key-copy", {"for": (key_of("F"), ())})
        copy = signed(
            decode(build(community=VALLEY, lane=KEYS, author=key_of("M"), time=1, refs=[], changes=[change]))
        )
        take(store, copy)
        assert store.page(community=VALLEY).records == []
        assert store.find("6b" * 16) == []
        assert store.held(VALLEY, [key_of("M")]) == {(key_of("M"), KEYS): {copy.id: ()}}
        assert store.check() == []
        assert store.rebuild() == []


def test_what_is_void_stays_in_history_also_where_its_key_comes_later(valley: Callable[[], Store]) -> None:
    with closing(with_member(valley())) as store:
        early = boxes("M", (RED, [phone("1")]))
        take(store, early)
        cut = draft_revocation(store, "M")
        late = boxes("M", (RED, [phone("2", [0])]), refs=[early], time=2)
        take(store, late)
        act(store, "F", cut)
        store.learn(VALLEY, KEYRING)
        assert shown(store) == "1"
        void = store.void(RecordRef(VALLEY, MEMBERS, "agent", ROSA))
        assert [write.value for write in void["phone"]] == ["2"]
        assert store.check() == []
        assert store.rebuild() == []
        assert shown(store) == "1"


def test_own_that_waits_is_shown_once_it_opens_and_rises(valley: Callable[[], Store]) -> None:
    with closing(valley()) as store:
        take(store, boxes("M", (RED, [phone("1")])), own=True)
        assert shown(store) is None
        store.learn(VALLEY, KEYRING)
        view = store.record(RecordRef(VALLEY, MEMBERS, "agent", ROSA))
        assert view is not None
        assert view.waiting
        assert store.check() == []
        grant(store, "M")
        view = store.record(RecordRef(VALLEY, MEMBERS, "agent", ROSA))
        assert view is not None
        assert not view.waiting
        assert store.check() == []


def test_a_node_without_the_lane_keeps_keys_for_when_it_has_it(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path / "n.sqlite3", create=True)) as store:
        store.follow(VALLEY, [PUBLIC])
        take(store, signed(CHARTER_OF_F))
        assert store.learn(VALLEY, KEYRING) == 0
        assert store.epochs(VALLEY).epochs == {}
        with pytest.raises(LaneNotFollowed):
            store.lane_state(VALLEY, MEMBERS)
        store.follow(VALLEY, [MEMBERS])
        take(store, boxes("F", (RED, [phone("1")])))
        assert shown(store) == "1"
        store.leave(VALLEY)
        assert store.epoch_keys(VALLEY) == {}
        assert store.check() == []


_steps = st.lists(
    st.tuples(
        st.sampled_from(["M", "F"]),
        st.lists(st.tuples(st.sampled_from([RED, BLUE]), st.integers(0, 2)), min_size=1, max_size=2),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(steps=_steps, data=st.data())
@settings(max_examples=60, deadline=None)
def test_changesets_and_keys_in_any_order_come_to_the_same(
    folder: Path, steps: list[tuple[str, list[tuple[bytes, int]], bool]], data: st.DataObject
) -> None:
    wrote: list[Checked] = []
    for n, (author, held, builds) in enumerate(steps):
        refs = wrote[-1:] if builds else []
        over = [0] if refs else []
        inner: list[tuple[bytes, Sequence[Inner]]] = []
        for key, value in held:
            of: Inner = (b"o" * 16, "agent", {"n": (value, ())})
            inner.append((key, [phone(f"{n} {value}", over), of]))
        wrote.append(boxes(author, *inner, refs=refs, time=n + 1))
    things: list[Checked | bytes] = [*wrote, RED, BLUE]
    found = []
    orders: list[list[Checked | bytes]] = [things, [RED, BLUE, *wrote], data.draw(st.permutations(things))]
    for order in orders:
        path = folder / f"sealed{next(_numbers)}.sqlite3"
        with closing(Store.open(path, create=True)) as store:
            store.follow(VALLEY, [MEMBERS])
            take(store, signed(CHARTER_OF_F))
            grant_of_m(store)
            for each in order:
                if isinstance(each, bytes):
                    store.learn(VALLEY, {commitment_of(each): each})
                elif isinstance(each, Checked):
                    store.apply(VALLEY, MEMBERS, [each], seen_ms=NOW)
            assert store.check() == []
            found.append(sorted(store.export(VALLEY), key=lambda view: view.record))
            if order is things:
                assert store.rebuild() == []
                assert store.check() == []
    assert found[0] == found[1] == found[2]


def grant_of_m(store: Store) -> None:
    grant(store, "M")
    assert store.communities()[0].lanes == (AUTHORITY, MEMBERS)


def test_kinds_that_are_left_out_of_lane_members_leave_pages_and_totals_full(
    valley: Callable[[], Store],
) -> None:
    with closing(with_member(valley())) as store:
        kinds = ("contact", "agent", "contact", "agent", "contact", "agent")
        inner: list[Inner] = [
            (bytes([n]) * 16, kind, {"title": (f"Ana {n}", ())}) for n, kind in enumerate(kinds)
        ]
        take(store, boxes("M", *((RED, [each]) for each in inner)))
        store.learn(VALLEY, {commitment_of(RED): RED})
        for text in ("", "ana"):
            page = store.page(community=VALLEY, text=text, limit=2, without=("contact", "unheard"))
            rest = store.page(
                community=VALLEY, text=text, limit=2, without=("contact", "unheard"), cursor=page.cursor
            )
            titles = [view.title for each in (page, rest) for view in each.records]
            assert (titles, page.total, rest.cursor) == (["Ana 1", "Ana 3", "Ana 5"], 3, None)
        assert store.page(community=VALLEY).total == 6


def test_what_is_reserved_in_the_sealed_lane_counts_where_it_opens(valley: Callable[[], Store]) -> None:
    drill = typed_id(VALLEY, key_of("F"), bytes(16))
    thing = signed(
        decode(
            build(
                community=VALLEY,
                lane=PUBLIC,
                author=key_of("F"),
                time=1,
                refs=(),
                changes=[(drill, "resource", {"nonce": (bytes(16), ()), "title": ("Drill", ())})],
            )
        )
    )
    said: dict[str, Value] = {"action": "use", "resource": drill, "from": 10, "until": 20, "nonce": bytes(16)}
    record = typed_id(VALLEY, key_of("M"), bytes(16))
    asked = boxes("M", (RED, [(record, KIND, {name: (value, ()) for name, value in sorted(said.items())})]))
    confirmed = boxes("F", (RED, [(record, KIND, {"confirmed": (True, ())})]), refs=[asked], time=2)
    with closing(with_member(valley())) as store:
        take(store, thing)
        for each in (asked, confirmed):
            take(store, each)
        assert store.bookings(VALLEY, drill).reserved == ()
        assert store.check() == []
        store.learn(VALLEY, KEYRING)
        (found,) = store.bookings(VALLEY, drill).reserved
        assert (found.lane, found.booking.state.value, found.booking.busy) == (MEMBERS, "confirmed", (10, 20))
        assert store.check() == []
        act(store, "F", draft_revocation(store, "M"))
        assert len(store.bookings(VALLEY, drill).reserved) == 1  # what stood at the revocation stands
        assert store.check() == []
