"""Plumtree: the links over which changes go become a tree, which mends itself."""

from commonsnode_protocol.limits import ANNOUNCED_MAX
from commonsnode_protocol.overlay.events import Graft, Prune, Push, Say
from commonsnode_protocol.overlay.frames import Eager, News
from commonsnode_protocol.overlay.tree import GRAFT_AGAIN_MS, GRAFT_MS, SHORTCUT_EVERY_MS, SHORTCUT_HOPS, Tree

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32


def id_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


ONE, TWO = id_of(1), id_of(2)


def tree(*peers: bytes) -> Tree:
    made = Tree()
    for peer in peers:
        made.gained(peer)
    return made


def test_what_is_new_goes_on_to_all_but_whom_it_came_from() -> None:
    node = tree(A, B, C)
    assert node.arrived(A, [ONE], 3, 0) == []
    assert node.landed((ONE,), 3, A) == [Push((B, C), (ONE,), 4)]


def test_who_brings_what_is_here_is_pruned_once_and_told_the_news_from_then_on() -> None:
    node = tree(A, B)
    node.arrived(A, [ONE], 1, 0)
    node.landed((ONE,), 1, A)
    assert node.arrived(B, [ONE], 2, 0) == [Prune(B)]
    assert node.arrived(B, [ONE], 2, 0) == []
    assert node.landed((TWO,), 0, None) == [Push((A,), (TWO,), 1), Say(B, News(1, (TWO,)))]


def test_a_push_with_anything_new_in_it_is_no_reason_to_prune() -> None:
    node = tree(A, B)
    node.arrived(A, [ONE], 1, 0)
    assert node.arrived(B, [ONE, TWO], 1, 0) == []


def test_what_comes_in_time_is_not_grafted() -> None:
    node = tree(A, B)
    node.announced(B, 1, [ONE], 0)
    assert node.next_wake() == GRAFT_MS
    node.arrived(A, [ONE], 2, 0)
    assert node.next_wake() is None
    assert node.wake(GRAFT_MS) == []


def test_what_does_not_come_is_grafted_from_who_announced_it_then_from_the_next_then_left() -> None:
    node = tree(A, B, C)
    node.pruned(B)
    node.announced(B, 1, [ONE], 0)
    node.announced(C, 1, [ONE], 10)
    assert node.wake(GRAFT_MS - 1) == []
    assert node.wake(GRAFT_MS) == [Graft(B, (ONE,))]
    assert B in node.eager
    assert node.wake(GRAFT_MS + GRAFT_AGAIN_MS) == [Graft(C, (ONE,))]
    assert node.wake(GRAFT_MS + 2 * GRAFT_AGAIN_MS) == []
    assert node.next_wake() is None


def test_who_announces_and_does_not_send_is_asked_last_after_that() -> None:
    node = tree(A, B)
    node.announced(A, 1, [ONE], 0)
    assert node.wake(GRAFT_MS) == [Graft(A, (ONE,))]
    node.announced(A, 1, [TWO], GRAFT_MS)
    node.announced(B, 1, [TWO], GRAFT_MS)
    assert Graft(B, (TWO,)) in node.wake(2 * GRAFT_MS)


def test_a_peer_that_leaves_takes_its_announcements_along() -> None:
    node = tree(A, B)
    node.announced(A, 1, [ONE], 0)
    node.announced(B, 1, [ONE, TWO], 0)
    node.lost(B)
    assert node.wake(GRAFT_MS) == [Graft(A, (ONE,))]
    assert node.landed((TWO,), 0, None) == [Push((A,), (TWO,), 1)]


def test_a_graft_makes_eager_and_brings_what_was_asked() -> None:
    node = tree(A, B)
    node.pruned(B)
    node.arrived(A, [ONE], 5, 0)
    assert node.grafted(B, (ONE,)) == [Push((B,), (ONE,), 6)]
    assert node.grafted(B, ()) == []
    assert node.landed((TWO,), 0, None) == [Push((A, B), (TWO,), 1)]


def test_a_much_shorter_way_takes_the_place_of_a_long_one_one_at_a_time() -> None:
    node = tree(A, B, C)
    for peer in (B, C):
        node.pruned(peer)
    node.arrived(A, [ONE, TWO], 9, 0)
    assert node.announced(B, 9 - SHORTCUT_HOPS + 1, [ONE], 1_000) == []
    assert node.announced(B, 9 - SHORTCUT_HOPS, [ONE], 1_000) == [Say(B, Eager()), Prune(A)]
    assert list(node.eager) == [B]
    node.grafted(A, ())
    assert node.announced(C, 1, [TWO], 1_000) == []
    assert node.announced(C, 1, [TWO], 1_000 + SHORTCUT_EVERY_MS) == [Say(C, Eager()), Prune(A)]


def test_news_that_came_before_what_it_is_about_came_a_shorter_way() -> None:
    node = tree(A, B, C)
    node.pruned(B)
    node.pruned(C)
    node.announced(B, 9 - SHORTCUT_HOPS, [ONE], 0)
    node.announced(C, 9, [ONE], 0)
    assert node.arrived(A, [ONE], 9, 1) == [Say(B, Eager()), Prune(A)]


def test_who_announced_a_change_is_not_sent_it() -> None:
    node = tree(A, B, C)
    node.announced(B, 1, [ONE], 0)
    node.arrived(A, [ONE, TWO], 2, 0)
    assert node.landed((ONE,), 2, A) == [Push((C,), (ONE,), 3)]
    assert node.landed((ONE, TWO), 2, A) == [Push((B, C), (ONE, TWO), 3)]


def test_one_peer_announces_only_so_much_and_strangers_nothing() -> None:
    node = tree(A, B)
    node.announced(A, 1, map(id_of, range(2 * ANNOUNCED_MAX)), 0)
    node.announced(C, 1, [id_of(99_999)], 0)
    (graft,) = node.wake(GRAFT_MS)
    assert isinstance(graft, Graft)
    assert len(graft.ids) == ANNOUNCED_MAX
    node.announced(B, 1, [id_of(2 * ANNOUNCED_MAX)], 0)
    assert Graft(B, (id_of(2 * ANNOUNCED_MAX),)) in node.wake(2 * GRAFT_MS)
