"""Where the steward is gone, the charter's share of the members names a new one; a steward who is there stops it."""

import pytest

from commonsnode import communities, devices, duties, members, recovery, stewards, succession, trail
from commonsnode.authoring import Author
from commonsnode.config import SERVED_LANES
from commonsnode.errors import Conflict, WrongField
from commonsnode.recovery_words import seed_of
from commonsnode_protocol.authority import writing
from commonsnode_protocol.authority.electing import candidacies
from commonsnode_protocol.authority.proposals import proposals

LANES = SERVED_LANES


def hand(author: Author, n: int) -> Author:
    return Author(author.store, bytes([n]) * 32, author.now_ms + n, lambda *_: None)


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


@pytest.fixture
def three(author: Author, valley: bytes) -> list[Author]:
    """Three members beside the steward."""
    hands = [hand(author, n) for n in (41, 42, 43)]
    for each in hands:
        members.grant(author, valley, each.key.hex(), "member")
    return hands


def seats(author: Author, valley: bytes) -> list[bytes]:
    return list(author.store.authority(valley).stewards)


def test_two_of_three_members_elect_one_of_them(author: Author, valley: bytes, three: list[Author]) -> None:
    first, second, _ = three
    asked = succession.propose(first, valley, [second.key.hex()])
    assert (asked.done, asked.signed, asked.needed) == (False, (first.key,), 2)
    held = author.store.evaluator(valley)
    (found,) = candidacies(held)
    assert (found.add, found.counted, found.written, found.complete) == ((second.key,), 3, False, False)
    assert proposals(held) == []
    done = succession.approve(second, valley, asked.table.hex()[:8])
    assert done is not None
    assert done.done
    assert seats(author, valley) == [author.key, second.key]
    assert candidacies(held) == []
    entries, _ = trail.latest(held, 10)
    (asking, electing) = [act for entry in entries for act in entry.acts][-2:]
    assert (asking.text.split(",")[0], asking.void) == ("proposed an election", None)
    assert electing.text.startswith(f"members elected, to add as steward {second.key.hex()[:8]}, signed by")


def test_the_same_election_by_another_member_is_a_signature(
    author: Author, valley: bytes, three: list[Author]
) -> None:
    first, second, third = three
    assert not succession.propose(first, valley, [third.key.hex()]).done
    assert succession.propose(second, valley, [third.key.hex()]).done
    assert seats(author, valley) == [author.key, third.key]


def test_a_steward_who_is_there_stops_it(author: Author, valley: bytes, three: list[Author]) -> None:
    first, second, third = three
    asked = succession.propose(first, valley, [second.key.hex()])
    table, changeset = succession.object_to(author, valley, asked.table.hex()[:8])
    assert (table, changeset is not None) == (asked.table, True)
    assert succession.object_to(author, valley, asked.table.hex()) == (asked.table, None)
    with pytest.raises(Conflict, match="objects to it"):
        succession.approve(second, valley, asked.table.hex())
    with pytest.raises(Conflict, match="only a steward"):
        succession.object_to(third, valley, asked.table.hex())
    assert seats(author, valley) == [author.key]


def test_signatures_that_met_apart_are_completed_by_whoever_signed(
    author: Author, valley: bytes, three: list[Author]
) -> None:
    first, second, third = three
    asked = succession.propose(first, valley, [third.key.hex()])
    held = author.store.evaluator(valley)
    (found,) = candidacies(held)
    second.act(
        valley, writing.assent(held, second.key, b"\x01" * 16, asked.table, second.agree(held, found.fields))
    )
    assert duties.do_duties(third, valley) == 0
    assert duties.do_duties(first, valley) == 1
    assert duties.do_duties(second, valley) == 0
    assert seats(author, valley) == [author.key, third.key]


def test_who_may_elect_and_be_elected(author: Author, valley: bytes, three: list[Author]) -> None:
    first, second, _ = three
    with pytest.raises(Conflict, match="where the stewards are gone"):
        succession.propose(author, valley, [first.key.hex()])
    with pytest.raises(Conflict, match="only a member's first node"):
        succession.propose(hand(author, 44), valley, [first.key.hex()])
    with pytest.raises(WrongField, match="is no member"):
        succession.propose(first, valley, ["ab" * 32])
    with pytest.raises(Conflict, match="steward already"):
        succession.propose(first, valley, [author.key.hex()])
    with pytest.raises(WrongField, match="nobody would be elected"):
        succession.propose(first, valley, [])
    asked = succession.propose(first, valley, [second.key.hex()])
    with pytest.raises(Conflict, match="signed that already; 1 more"):
        succession.approve(first, valley, asked.table.hex())
    assert succession.approve(second, valley, "ab" * 32) is None


def test_who_came_back_by_words_alone_hands_the_office_to_the_new_node(author: Author, valley: bytes) -> None:
    """The founder's node burns before anybody has joined: the node that words brought back signs tables for the steward."""
    made = recovery.make(author, [valley])
    device = hand(author, 45)
    words = Author(author.store, seed_of(" ".join(made.words)), author.now_ms, lambda *_: None)
    recovery._add_device(words, valley, author.key, bytes([45]) * 32)
    devices.revoke(words, valley, author.key.hex())
    with pytest.raises(Conflict, match="a steward decides by: steward propose"):
        succession.propose(device, valley, [device.key.hex()])
    assert stewards.propose(device, valley, [], [], {}, "Valle Alto").done
    assert seats(author, valley) == [author.key]
    assert stewards.propose(device, valley, [device.key.hex()], [author.key.hex()], {}).done
    assert seats(author, valley) == [device.key]
    assert author.store.authority(valley).members.keys() == {device.key}


def test_who_came_back_by_words_signs_as_the_steward_they_are(author: Author, valley: bytes) -> None:
    second, third, device, fourth = (hand(author, n) for n in (41, 42, 45, 47))
    stewards.propose(author, valley, [second.key.hex()], [], {})
    stewards.approve(second, valley, stewards.propose(author, valley, [third.key.hex()], [], {}).table.hex())
    made = recovery.make(author, [valley])
    words = Author(author.store, seed_of(" ".join(made.words)), author.now_ms, lambda *_: None)
    recovery._add_device(words, valley, author.key, bytes([45]) * 32)
    proposed = stewards.propose(second, valley, [], [], {}, "Hill")
    assert stewards.approve(device, valley, proposed.table.hex()).done
    waits = stewards.propose(device, valley, [fourth.key.hex()], [], {})
    assert (waits.done, waits.signed) == (False, (author.key,))
    for twice in (device, author):
        with pytest.raises(Conflict, match="signed that already"):
            stewards.approve(twice, valley, waits.table.hex())
    held = author.store.evaluator(valley)
    stewards.approve(third, valley, waits.table.hex())
    assert held.authority.table is not None
    assert held.authority.table.id == waits.table
    named = stewards.propose(second, valley, [], [], {}, "Vale")
    for each in (third, fourth):
        stewards.approve(each, valley, named.table.hex())
    assert duties.do_duties(device, valley) == 1  # the ack, which the first node need not write any more
    assert duties.do_duties(author, valley) == 0


def test_who_was_a_member_and_came_back_by_words_votes(author: Author, valley: bytes) -> None:
    second, third, device = (hand(author, n) for n in (41, 42, 45))
    for each in (second, third):
        if each.key not in author.store.authority(valley).members:
            members.grant(author, valley, each.key.hex(), "member")
    made = recovery.make(second, [valley])
    words = Author(author.store, seed_of(" ".join(made.words)), author.now_ms, lambda *_: None)
    recovery._add_device(words, valley, second.key, bytes([45]) * 32)
    begun = succession.propose(device, valley, [third.key.hex()])
    assert begun.signed == (second.key,)
    with pytest.raises(Conflict, match="signed that already"):
        succession.approve(second, valley, begun.table.hex())
