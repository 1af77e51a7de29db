"""What this node signs: built on what its author has seen, and within the limits."""

from collections.abc import Sequence

import pytest

from commonsnode import communities, members
from commonsnode.authoring import Author, Entry, superseding
from commonsnode.errors import TooLarge, WrongField
from commonsnode.home import Home, read_seed
from commonsnode_protocol.changeset import PUBLIC, Changeset, build, decode, public_key, sign
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.limits import CHANGES_MAX, CHANGESET_BYTES_MAX, TIME_MS_MAX
from commonsnode_store.answers import Applied
from commonsnode_store.store import Store
from running_node import NOW

LANES = ("authority", "public", "knowledge")
OTHER_SEED = b"\x02" * 32
OTHER = public_key(OTHER_SEED)
R1, R2 = b"\x01" * 16, b"\x02" * 16


@pytest.fixture
def valley(author: Author) -> bytes:
    """A community that this node founded, and to which OTHER is admitted."""
    community = communities.create(author, "Valley", LANES)
    members.grant(author, community, OTHER.hex(), "member")
    return community


def entry(record: bytes, field: str, value: str, supersedes: Sequence[bytes] = ()) -> Entry:
    return record, "resource", {field: (value, supersedes)}


def standing(store: Store, community: bytes, ids: Sequence[bytes]) -> list[Changeset]:
    return [decode(signed.body) for signed in store.fetch(community, PUBLIC, ids)]


def by_other(
    store: Store, community: bytes, time: int, refs: Sequence[bytes], value: str, indexes: Sequence[int] = ()
) -> bytes:
    """A changeset of another author on R1 comes in."""
    body = build(
        community=community,
        lane=PUBLIC,
        author=OTHER,
        time=time,
        refs=refs,
        changes=[(R1, "resource", {"title": (value, indexes)})],
    )
    checked = Checked(decode(body), sign(body, OTHER_SEED))
    assert store.apply(community, PUBLIC, [checked], seen_ms=NOW).new == (checked.id,)
    return checked.id


def test_each_changeset_refs_the_own_head_before_it(author: Author, store: Store, valley: bytes) -> None:
    first = author.write(valley, PUBLIC, [entry(R1, "title", "drill")])
    second = author.write(valley, PUBLIC, [entry(R2, "title", "saw")])
    assert [c.refs for c in standing(store, valley, first.ids + second.ids)] == [(), first.ids]
    assert [i for i, _ in store.heads(valley, PUBLIC, author.key)] == list(second.ids)


def test_a_time_is_after_those_it_refers_to_but_follows_no_clock_in_2100(
    author: Author, store: Store, valley: bytes
) -> None:
    near = by_other(store, valley, NOW + 3_600_000, (), "drill")
    after_near = author.write(valley, PUBLIC, [entry(R1, "title", "Drill", [near])])
    far = by_other(store, valley, TIME_MS_MAX, after_near.ids, "DRILL", [0])
    after_far = author.write(valley, PUBLIC, [entry(R1, "title", "drill 2", [far])])
    first, second = standing(store, valley, after_near.ids + after_far.ids)
    assert first.time == NOW + 3_600_001
    assert second.time == NOW + 3_600_002
    view = store.records(valley, PUBLIC, "resource", [R1])[R1]
    assert view.values == {"title": "drill 2"}


def test_many_changes_become_as_many_changesets_as_the_limits_ask_for(
    author: Author, store: Store, valley: bytes
) -> None:
    small = [entry(n.to_bytes(16, "big"), "title", f"thing {n}") for n in range(1, 2 * CHANGES_MAX + 2)]
    written = author.write(valley, PUBLIC, small)
    changesets = standing(store, valley, written.ids)
    assert [len(c.changes) for c in changesets] == [CHANGES_MAX, CHANGES_MAX, 1]
    assert [c.refs for c in changesets[1:]] == [(changesets[0].id,), (changesets[1].id,)]
    assert len(store.heads(valley, PUBLIC, author.key)) == 1


def test_large_changes_are_cut_by_their_bytes(author: Author, store: Store, valley: bytes) -> None:
    large = [entry(n.to_bytes(16, "big"), "description", "x" * 20_000) for n in range(1, 8)]
    written = author.write(valley, PUBLIC, large)
    bodies = [signed.body for signed in store.fetch(valley, PUBLIC, written.ids)]
    assert len(bodies) == 3  # three fit beside the room that is kept for refs
    assert all(len(body) <= CHANGESET_BYTES_MAX for body in bodies)
    assert len(store.records(valley, PUBLIC, "resource", [n.to_bytes(16, "big") for n in range(1, 8)])) == 7


def test_a_record_too_large_for_a_changeset_is_refused_and_nothing_is_written(
    author: Author, store: Store, valley: bytes
) -> None:
    with pytest.raises(TooLarge, match="at most"):
        author.write(valley, PUBLIC, [entry(R1, "a", "x"), entry(R2, "b", "x" * CHANGESET_BYTES_MAX)])
    assert store.records(valley, PUBLIC, "resource", [R1, R2]) == {}


def test_a_value_that_no_changeset_can_hold_is_refused(author: Author, valley: bytes) -> None:
    with pytest.raises(WrongField):
        author.write(valley, PUBLIC, [(R1, "resource", {"amount": (1.5, ())})])  # type: ignore[dict-item]


def test_a_write_supersedes_what_it_saw_and_what_that_superseded_of_another_author(
    author: Author, store: Store, valley: bytes
) -> None:
    (mine,) = author.write(valley, PUBLIC, [entry(R1, "title", "drill")]).ids
    theirs = by_other(store, valley, NOW + 1, [mine], "Drill", [0])
    seen = store.records(valley, PUBLIC, "resource", [R1])[R1].fields["title"]
    assert [write.changeset for write in seen] == [theirs]
    assert superseding(store, valley, PUBLIC, [(R1, "resource", "title", seen)]) == [[theirs, mine]]
    # What an author superseded of their own falls with them, so it is no part of it.
    again = by_other(store, valley, NOW + 2, [theirs], "DRILL", [0])
    seen = store.records(valley, PUBLIC, "resource", [R1])[R1].fields["title"]
    assert superseding(store, valley, PUBLIC, [(R1, "resource", "title", seen)]) == [[again]]


def test_refs_ascend_and_indexes_point_to_what_is_superseded(
    author: Author, store: Store, valley: bytes
) -> None:
    apart = [by_other(store, valley, NOW + n, (), f"drill {n}") for n in range(5)]
    head = author.write(valley, PUBLIC, [entry(R2, "title", "saw")]).ids
    (written,) = author.write(valley, PUBLIC, [entry(R1, "title", "Drill", apart)]).ids
    (changeset,) = standing(store, valley, [written])
    assert list(changeset.refs) == sorted([*apart, *head])
    _, indexes = changeset.changes[0][2]["title"]
    assert [changeset.refs[i] for i in indexes] == sorted(apart)


def test_a_fork_of_the_own_chain_is_joined_by_the_next_changeset(
    author: Author, home: Home, store: Store, valley: bytes
) -> None:
    (first,) = author.write(valley, PUBLIC, [entry(R1, "title", "drill")]).ids
    seed = read_seed(home)  # a copy of this node, restored from a backup, wrote this one
    body = build(
        community=valley,
        lane=PUBLIC,
        author=author.key,
        time=NOW,
        refs=(),
        changes=[(R2, "resource", {"title": ("saw", ())})],
    )
    fork = Checked(decode(body), sign(body, seed))
    store.apply(valley, PUBLIC, [fork], seen_ms=NOW)
    (joined,) = author.write(valley, PUBLIC, [entry(R1, "place", "hall")]).ids
    assert standing(store, valley, [joined])[0].refs == tuple(sorted([first, fork.id]))


def test_who_listens_is_told_after_the_commit(home: Home, store: Store, author: Author) -> None:
    told: list[tuple[bytes, str, tuple[bytes, ...]]] = []

    def publish(community: bytes, lane: str, applied: Applied, via: object) -> None:
        assert via is None
        assert store.fetch(community, lane, applied.new)
        told.append((community, lane, applied.new))

    hand = Author(store, read_seed(home), NOW, publish)
    community = communities.create(hand, "Valley", LANES)
    written = hand.write(community, PUBLIC, [entry(R1, "title", "drill")])
    assert told == [(community, "authority", (community,)), (community, PUBLIC, written.ids)]
