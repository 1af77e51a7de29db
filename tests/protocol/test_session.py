"""Sessions: whatever two nodes hold, and however slow wire and disk are, they end with equal sets and know it."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol import batch, frames, negentropy
from commonsnode_protocol import session_events as events
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Signed
from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.limits import (
    CREDIT_BYTES,
    REFUSED_MAX,
    RETRY_MS_MIN,
    UNSETTLED_MS_MAX,
    WANT_IDS_MAX,
    WANTED_IDS_MAX,
)
from commonsnode_protocol.session import Session
from session_world import (
    CHANNEL,
    CHARTER,
    COMMUNITY,
    FOUNDER,
    LANES,
    MEMBER,
    STRANGER,
    Node,
    World,
    grant,
    thing,
)

seeds = st.integers(0, 2**32)
subsets = st.lists(st.integers(0, 39), max_size=30)
THINGS = [thing(FOUNDER, 1000 + n // 3, f"Thing {n}") for n in range(40)]
HELLO = frames.Hello((1,), CREDIT_BYTES, 0, "test")
PUBLIC_LANE, AUTHORITY_LANE = (COMMUNITY, PUBLIC), (COMMUNITY, AUTHORITY)


def world_of(seed: int, *holdings: list[Signed]) -> World:
    world = World(seed, len(holdings))
    for node, things in zip(world.nodes, holdings, strict=True):
        node.take(AUTHORITY, [CHARTER])
        node.take(PUBLIC, things)
    return world


def all_in_step(world: World) -> bool:
    return all(len(end.session.shared()) == 2 and all(end.session.shared().values()) for end in world.ends)


@settings(max_examples=60, deadline=None)
@given(seeds, subsets, subsets)
def test_two_nodes_end_with_the_union_and_both_know_that_they_are_in_step(
    seed: int, a: list[int], b: list[int]
) -> None:
    world = world_of(seed, [THINGS[n] for n in a], [THINGS[n] for n in b])
    world.connect(0, 1)
    world.run()
    assert set(world.nodes[0].held[PUBLIC]) == {THINGS[n].id for n in {*a, *b}}
    assert world.equal()
    assert all_in_step(world)


@settings(max_examples=40, deadline=None)
@given(seeds, st.lists(st.tuples(st.integers(0, 2), st.integers(0, 39)), max_size=20))
def test_what_three_nodes_in_a_row_write_while_linked_reaches_all_of_them(
    seed: int, writes: list[tuple[int, int]]
) -> None:
    world = world_of(seed, [], [], [])
    world.connect(0, 1)
    world.connect(1, 2)
    for node, number in writes:
        for _ in range(world.random.randrange(6)):
            busy = [end for end in world.ends if end.events or end.pending or end.wire]
            if busy:
                world.random.choice(busy).step()
        world.write(node, PUBLIC, THINGS[number])
    world.run()
    assert world.equal()
    assert all_in_step(world)
    assert set(world.nodes[0].held[PUBLIC]) == {THINGS[n].id for _, n in writes}


def test_a_newcomer_takes_authority_before_data_so_that_nothing_is_refused() -> None:
    world = world_of(7, [THINGS[0]], [])
    world.nodes[0].take(AUTHORITY, [grant(MEMBER, 5)])
    world.nodes[0].take(PUBLIC, [thing(MEMBER, 2000)])
    world.nodes[1] = Node()
    world.connect(1, 0)
    world.run()
    assert world.equal()
    assert len(world.nodes[1].held[PUBLIC]) == 2
    kinds = [
        (frame.lane, type(frame)) for who, frame, _ in world.frames_sent if isinstance(frame, frames.Want)
    ]
    assert [lane for lane, _ in kinds] == [LANES.index(AUTHORITY), LANES.index(PUBLIC)]


def test_a_grant_that_arrives_live_lets_the_data_follow_that_was_refused_before() -> None:
    world = world_of(3, [], [])
    world.connect(0, 1)
    world.run()
    world.nodes[0].take(AUTHORITY, [grant(MEMBER, 5)])  # written while the link was asleep: not passed on
    world.write(0, PUBLIC, thing(MEMBER, 2000))
    world.run(lambda: world.now_ms > 10)
    assert len(world.nodes[1].held[PUBLIC]) == 0
    state = world.nodes[0].state(AUTHORITY)
    world.ends[0].events.append(events.Changed(AUTHORITY_LANE, state, (), 0, b"", 1))
    world.run()
    assert world.equal()
    assert len(world.nodes[1].held[PUBLIC]) == 1


def test_nothing_new_costs_one_frame_each_way_and_under_800_bytes() -> None:
    world = world_of(1, THINGS, THINGS)
    world.connect(0, 1)
    world.run()
    assert [type(frame) for _, frame, _ in world.frames_sent] == [frames.Lanes, frames.Lanes]
    assert sum(size for _, _, size in world.frames_sent) + 2 * 17 <= 800
    assert all_in_step(world)


@settings(max_examples=30, deadline=None)
@given(seeds, subsets, subsets)
def test_sets_whose_fingerprints_are_forged_alike_are_compared_by_their_ids(
    seed: int, a: list[int], b: list[int]
) -> None:
    """Attack 23: with sums of ids that agree, nothing is found by fingerprints; the digest tells, and ids settle it."""
    world = world_of(seed, [THINGS[n] for n in a], [THINGS[n] for n in b])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(negentropy, "fingerprint", lambda id_sum, count: bytes(16))
        world.connect(0, 1)
        world.run()
        assert set(world.nodes[0].held[PUBLIC]) == {THINGS[n].id for n in {*a, *b}}
        assert all_in_step(world)


def test_more_ids_than_one_message_lists_are_compared_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negentropy, "_LISTED_AT_ONCE", 7)
    monkeypatch.setattr(negentropy, "fingerprint", lambda id_sum, count: bytes(16))
    world = world_of(3, THINGS[::2], THINGS[1::3])
    world.connect(0, 1)
    world.run()
    assert world.equal()
    assert set(world.nodes[0].held[PUBLIC]) == {thing.id for thing in {*THINGS[::2], *THINGS[1::3]}}


def test_a_push_arrives_without_a_question_and_both_sides_say_their_new_fingerprints() -> None:
    world = world_of(1, [], [])
    world.connect(0, 1)
    world.run()
    world.frames_sent.clear()
    world.write(1, PUBLIC, THINGS[0])
    world.run()
    kinds = [(who, type(frame)) for who, frame, _ in world.frames_sent]
    assert kinds[0] == (1, frames.Push)
    assert sorted(kinds[1:], key=str) == sorted([(0, frames.State), (1, frames.State)], key=str)
    assert all_in_step(world)
    assert world.now_ms < RETRY_MS_MIN


def test_a_pruned_link_is_told_what_there_is_and_grafts_what_it_lacks() -> None:
    world = world_of(1, [], [])
    world.connect(0, 1)
    world.run()
    world.ends[1].wire.append(frames.encode(frames.Prune(LANES.index(PUBLIC))))
    world.run()
    world.frames_sent.clear()
    world.write(1, PUBLIC, THINGS[0])
    world.run()
    kinds = [type(frame) for _, frame, _ in world.frames_sent if not isinstance(frame, frames.State)]
    assert kinds == [frames.IHave, frames.Graft, frames.Push]
    assert world.equal()


def test_a_dropped_lane_leaves_the_session_and_its_other_lanes_alone() -> None:
    world = world_of(5, THINGS[:20], THINGS[20:])
    world.connect(0, 1)
    world.run(lambda: any(isinstance(frame, frames.Want) for _, frame, _ in world.frames_sent))
    world.ends[1].events.appendleft(events.Leave(PUBLIC_LANE))
    world.run()
    assert [end.error for end in world.ends] == [None, None]
    assert PUBLIC_LANE not in world.ends[0].session.shared()
    assert world.ends[0].session.shared()[AUTHORITY_LANE]


def test_a_lane_that_is_left_and_followed_again_goes_on() -> None:
    world = world_of(5, THINGS[:20], THINGS[20:])
    world.connect(0, 1)
    world.run(lambda: any(isinstance(frame, frames.Want) for _, frame, _ in world.frames_sent))
    world.ends[1].events.append(events.Leave(PUBLIC_LANE))
    world.ends[1].events.append(events.Follow(((PUBLIC_LANE, world.nodes[1].state(PUBLIC)),)))
    world.run()
    assert [end.error for end in world.ends] == [None, None]
    assert world.equal()
    assert all_in_step(world)


@settings(max_examples=60, deadline=None)
@given(
    seeds,
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(LANES), st.booleans(), st.integers(0, 12)), max_size=8
    ),
)
def test_lanes_may_be_left_and_followed_again_at_any_moment(
    seed: int, leaves: list[tuple[int, str, bool, int]]
) -> None:
    """Whatever is still on its way then is taken for no answer to what is asked afterwards."""
    world = world_of(seed, THINGS[:25], THINGS[15:])
    world.connect(0, 1)
    for who, lane, at_once, steps in leaves:
        for _ in range(steps):
            busy = [end for end in world.ends if end.events or end.pending or end.wire]
            if busy:
                world.random.choice(busy).step()
        world.ends[who].events.append(events.Leave((COMMUNITY, lane)))
        if at_once:
            world.ends[who].events.append(follow(world, who, lane))
    for who in (0, 1):
        world.ends[who].events.append(follow(world, who, *LANES))
    world.run()
    assert [end.error for end in world.ends] == [None, None]
    assert world.equal()
    assert all_in_step(world)


def follow(world: World, who: int, *lanes: str) -> events.Follow:
    return events.Follow(tuple(((COMMUNITY, lane), world.nodes[who].state(lane)) for lane in lanes))


def test_who_is_behind_announces_a_lane_anew_and_late_frames_are_passed_over() -> None:
    session, state = begun(initiator=True)
    number_of_theirs, tag = 1, frames.tag(CHANNEL, frames.RESPONDER, COMMUNITY, PUBLIC)
    late = frames.Reconcile(number_of_theirs, b"an answer to nothing")
    session.handle(events.Leave(PUBLIC_LANE), 0)
    session.handle(events.Follow(((PUBLIC_LANE, state),)), 0)
    assert session.handle(received(late), 0) == []
    assert PUBLIC_LANE not in session.shared()
    session.handle(received(frames.Drop(number_of_theirs)), 0)
    session.handle(received(frames.Lanes(((tag, state),))), 0)
    assert PUBLIC_LANE in session.shared()
    assert session.handle(received(late), 0) == []
    # The peer leaves and follows again, once more than we.
    session.handle(received(frames.Drop(2)), 0)
    sent = session.handle(received(frames.Lanes(((tag, state),))), 0)
    said = [frames.decode(effect.data) for effect in sent if isinstance(effect, events.Send)]
    mine = frames.tag(CHANNEL, frames.INITIATOR, COMMUNITY, PUBLIC)
    assert said == [frames.Drop(2), frames.Lanes(((mine, state),))]
    assert PUBLIC_LANE in session.shared()


def received(frame: frames.Frame) -> events.Received:
    return events.Received(frames.encode(frame))


def test_a_lane_that_the_other_side_does_not_know_may_be_dropped() -> None:
    """As when a node leaves a community of which its peer knows nothing."""
    session, state = begun()
    session.handle(received(frames.Lanes(((bytes(16), state),))), 0)
    assert session.handle(received(frames.Drop(2)), 0) == []
    with pytest.raises(PeerError) as caught:
        session.handle(received(frames.Drop(3)), 0)
    assert caught.value.reason is Reason.OUT_OF_ORDER


def test_a_community_that_only_one_side_follows_is_not_revealed() -> None:
    world = World(0)
    world.connect(0, 1)
    world.ends[1].events.clear()
    world.ends[1].events.append(events.Follow(()))
    world.run()
    assert world.ends[1].session.shared() == {}
    sent = b"".join(frames.encode(frame) for _, frame, _ in world.frames_sent)
    assert COMMUNITY not in sent


def test_both_sides_say_different_tags_for_the_same_lane_so_that_an_echo_proves_nothing() -> None:
    session = Session(initiator=True, channel_hash=CHANNEL, peer_hello=HELLO)
    node = Node()
    effects = session.handle(events.Follow(((PUBLIC_LANE, node.state(PUBLIC)),)), 0)
    assert isinstance(effects[0], events.Send)
    session.handle(events.Received(effects[0].data), 0)
    assert session.shared() == {}


# What a peer can do wrong


def begun(initiator: bool = False) -> tuple[Session, frames.LaneState]:
    """A session that shares both lanes with its peer, all empty."""
    session = Session(initiator=initiator, channel_hash=CHANNEL, peer_hello=HELLO)
    node = Node()
    session.handle(events.Follow(tuple(((COMMUNITY, lane), node.state(lane)) for lane in LANES)), 0)
    role = frames.RESPONDER if initiator else frames.INITIATOR
    entries = tuple((frames.tag(CHANNEL, role, COMMUNITY, lane), node.state(lane)) for lane in LANES)
    session.handle(events.Received(frames.encode(frames.Lanes(entries))), 0)
    assert session.shared() == {AUTHORITY_LANE: True, PUBLIC_LANE: True}
    assert session.heard
    return session, node.state(PUBLIC)


def refuses(session: Session, frame: frames.Frame, reason: Reason, now_ms: int = 0) -> None:
    with pytest.raises(PeerError) as raised:
        session.handle(events.Received(frames.encode(frame)), now_ms)
    assert raised.value.reason is reason


def test_a_frame_about_a_lane_that_was_not_announced_is_out_of_order() -> None:
    session, state = begun()
    refuses(session, frames.State(2, state), Reason.OUT_OF_ORDER)


def test_a_frame_about_a_lane_that_is_not_shared_is_out_of_order() -> None:
    session, state = begun()
    session.handle(events.Received(frames.encode(frames.Lanes(((bytes(16), state),)))), 0)
    refuses(session, frames.State(2, state), Reason.OUT_OF_ORDER)


def test_the_same_lane_announced_twice_is_out_of_order() -> None:
    session, state = begun()
    entry = (frames.tag(CHANNEL, frames.INITIATOR, COMMUNITY, PUBLIC), state)
    refuses(session, frames.Lanes((entry,)), Reason.OUT_OF_ORDER)


def test_an_answer_of_reconciliation_that_nobody_asked_for_is_out_of_order() -> None:
    session, _ = begun(initiator=True)
    refuses(session, frames.Reconcile(1, b"a"), Reason.OUT_OF_ORDER)


def test_a_second_question_before_the_first_is_answered_is_out_of_order() -> None:
    session, _ = begun()
    session.handle(events.Received(frames.encode(frames.Reconcile(1, b"a"))), 0)
    refuses(session, frames.Reconcile(1, b"a"), Reason.OUT_OF_ORDER)


def test_more_batches_than_the_credit_are_not_asked_for() -> None:
    session, _ = begun()
    size, packed = batch.pack([THINGS[0]])
    for _ in range(4):
        session.handle(events.Received(frames.encode(frames.Changesets(1, 2**20, packed, ()))), 0)
    refuses(session, frames.Changesets(1, size, packed, ()), Reason.NOT_ASKED_FOR)


def test_credit_comes_back_as_batches_are_applied() -> None:
    session, state = begun()
    _, packed = batch.pack([THINGS[0]])
    sent = []
    for _ in range(40):
        session.handle(events.Received(frames.encode(frames.Changesets(1, 2**20, packed, ()))), 0)
        sent += session.handle(events.Applied(PUBLIC_LANE, state, (THINGS[0].id,), 0, 2**20), 0)
    given = [frames.decode(effect.data) for effect in sent if isinstance(effect, events.Send)]
    assert sum(frame.amount for frame in given if isinstance(frame, frames.Credit)) == 40 * 2**20


def test_gone_for_what_was_never_wanted_is_not_asked_for() -> None:
    session, _ = begun()
    refuses(session, frames.Changesets(1, 0, b"", (THINGS[0].id,)), Reason.NOT_ASKED_FOR)


def test_too_much_wanted_at_once_is_a_flood() -> None:
    session, _ = begun()
    for number in range(WANTED_IDS_MAX // WANT_IDS_MAX):
        ids = tuple((number * WANT_IDS_MAX + n).to_bytes(32, "big") for n in range(WANT_IDS_MAX))
        session.handle(events.Received(frames.encode(frames.Want(1, ids))), 0)
    refuses(session, frames.Want(1, (b"\xff" * 32,)), Reason.FLOOD)


def test_ids_that_are_wanted_one_by_one_are_no_reason_to_look_at_all_others_again() -> None:
    """Each order may read what thousands of changesets ref; a frame of one id is to cost no more than itself."""
    session, _ = begun()
    wanted = [n.to_bytes(32, "big") for n in range(120)]
    orders = 0
    for ids in (wanted[:100], *([each] for each in wanted[100:])):
        for effect in session.handle(received(frames.Want(1, tuple(ids))), 0):
            if isinstance(effect, events.Order):
                orders += 1
                session.handle(events.Ordered(effect.key, effect.ids, effect.ids[::-1]), 0)
    assert orders == 1


def test_what_is_wanted_is_put_in_order_and_only_what_is_in_order_is_sent() -> None:
    session, _ = begun()
    wanted = [n.to_bytes(32, "big") for n in range(12)]
    (order,) = session.handle(received(frames.Want(1, tuple(wanted[:8]))), 0)
    assert order == events.Order(PUBLIC_LANE, tuple(wanted[:8]))
    assert session.handle(received(frames.Want(1, (wanted[8],))), 0) == []
    fetch = session.handle(events.Ordered(PUBLIC_LANE, tuple(wanted[:8]), tuple(wanted[7::-1])), 0)[0]
    assert isinstance(fetch, events.Fetch)
    assert fetch.ids == tuple(wanted[7::-1])
    taken = tuple(wanted[7:1:-1])
    fetched = events.Fetched(PUBLIC_LANE, events.Use.WANTED, fetch.budget, 9, b"packed", taken, ())
    effects = session.handle(fetched, 0)
    # Two are left in order, and one more has come, which is not more than half of them: it waits.
    assert next(each for each in effects if isinstance(each, events.Fetch)).ids == (wanted[1], wanted[0])


def test_data_waits_for_authority_that_changed_at_the_peer() -> None:
    """Else what somebody was revoked for would be sent to who knows of it already, refused, and at last called a flood."""
    session, state = begun(initiator=True)
    tag = frames.tag(CHANNEL, frames.RESPONDER, COMMUNITY, AUTHORITY)
    session.handle(events.Leave(AUTHORITY_LANE), 0)  # so that it comes after the other in every list
    session.handle(events.Follow(((AUTHORITY_LANE, state),)), 0)
    for frame in (frames.Drop(0), frames.Lanes(((tag, state),))):
        session.handle(received(frame), 0)
    other = frames.LaneState(bytes(16), bytes(32))
    for lane in (1, 2):
        session.handle(received(frames.State(lane, other, frames.NEWS)), 0)
    effects = session.handle(events.TimerFired(), 2 * RETRY_MS_MIN)
    asked = [effect.key for effect in effects if isinstance(effect, events.AskReconciliation)]
    assert asked == [AUTHORITY_LANE]


def test_a_stranger_who_pours_in_what_does_not_stand_is_a_flood() -> None:
    session, state = begun()
    session.handle(events.Applied(PUBLIC_LANE, state, (), REFUSED_MAX, 0), 0)
    with pytest.raises(PeerError) as raised:
        session.handle(events.Applied(PUBLIC_LANE, state, (), 1, 0), 0)
    assert raised.value.reason is Reason.FLOOD


def test_an_initiator_that_gets_no_answer_ends_the_session_in_time() -> None:
    session, state = begun(initiator=True)
    other = frames.LaneState(b"\1" * 16, state.digest)
    session.handle(events.Received(frames.encode(frames.State(1, other))), 0)
    effects = session.handle(events.TimerFired(), RETRY_MS_MIN)
    assert events.AskReconciliation(PUBLIC_LANE, None) in effects
    session.handle(events.Reconciled(PUBLIC_LANE, b"a", (), ()), RETRY_MS_MIN)
    with pytest.raises(PeerError) as raised:
        session.handle(events.TimerFired(), RETRY_MS_MIN + UNSETTLED_MS_MAX)
    assert raised.value.reason is Reason.TOO_SLOW


def test_an_answer_that_takes_long_over_a_slow_link_is_waited_for_while_something_comes() -> None:
    session, state = begun(initiator=True)
    other = frames.LaneState(b"\1" * 16, state.digest)
    session.handle(events.Received(frames.encode(frames.State(1, other))), 0)
    session.handle(events.TimerFired(), RETRY_MS_MIN)
    session.handle(events.Reconciled(PUBLIC_LANE, b"a", (), ()), RETRY_MS_MIN)
    now = RETRY_MS_MIN
    for _ in range(20):  # half an hour
        now += UNSETTLED_MS_MAX - 1
        session.handle(events.Moved(), now)
        session.handle(events.TimerFired(), now)
    with pytest.raises(PeerError) as raised:
        session.handle(events.TimerFired(), now + UNSETTLED_MS_MAX)
    assert raised.value.reason is Reason.TOO_SLOW


def test_an_id_that_reconciliation_names_twice_is_wanted_once() -> None:
    session, state = begun(initiator=True)
    session.handle(
        events.Received(frames.encode(frames.State(1, frames.LaneState(b"\1" * 16, state.digest)))), 0
    )
    session.handle(events.TimerFired(), RETRY_MS_MIN)
    named = THINGS[0].id
    session.handle(events.Reconciled(PUBLIC_LANE, b"a", (), (named,)), RETRY_MS_MIN)
    session.handle(events.Received(frames.encode(frames.Reconcile(1, b"a"))), RETRY_MS_MIN)
    effects = session.handle(events.Reconciled(PUBLIC_LANE, None, (), (named,)), RETRY_MS_MIN)
    wanted = [frames.decode(effect.data) for effect in effects if isinstance(effect, events.Send)]
    assert wanted == [frames.Want(1, (named,))]


def test_sets_that_never_become_equal_are_tried_less_and_less_often() -> None:
    world = world_of(1, [], [])
    world.nodes[0].take(AUTHORITY, [grant(STRANGER, 5)])
    world.nodes[0].take(PUBLIC, [thing(STRANGER, 2000)])
    world.nodes[0].held[AUTHORITY] = {CHARTER.id: world.nodes[1].held[AUTHORITY][CHARTER.id]}
    world.connect(0, 1)
    world.run(lambda: world.now_ms > 600_000)
    tries = sum(isinstance(frame, frames.Reconcile) and who == 0 for who, frame, _ in world.frames_sent)
    assert 5 <= tries <= 60
    assert [end.error for end in world.ends] == [None, None]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_at_all_either_are_a_frame_or_end_the_session_with_a_reason(data: bytes) -> None:
    session, _ = begun()
    with contextlib.suppress(PeerError):
        session.handle(events.Received(data), 0)
    assert session.shared().keys() <= {AUTHORITY_LANE, PUBLIC_LANE}


def test_a_hostile_negentropy_answer_ends_with_a_reason() -> None:
    with pytest.raises(PeerError) as raised:
        negentropy.reconcile(Node().storage(PUBLIC), b"\x61\x00\x00\x09")
    assert raised.value.reason is Reason.BAD_FRAME
