"""Stewards: how many must sign, what is proposed, approved, followed, and what lost."""

import pytest

from commonsnode import communities, duties, stewards, trail
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode_protocol.authority import writing
from commonsnode_protocol.authority.achieving import Void
from commonsnode_protocol.authority.writing import certificate, next_table
from commonsnode_store.store import Store

LANES = ("authority", "public", "knowledge", "members", "keys")


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def steward(author: Author, n: int) -> Author:
    return Author(author.store, bytes([n]) * 32, author.now_ms + n, lambda *_: None)


@pytest.fixture
def three(author: Author, valley: bytes) -> list[Author]:
    """Three stewards, all on this node."""
    second, third = steward(author, 21), steward(author, 22)
    assert stewards.propose(author, valley, [second.key.hex()], [], {}).done
    asked = stewards.propose(author, valley, [third.key.hex()], [], {})
    assert (asked.done, asked.needed) == (False, 2)
    assert stewards.approve(second, valley, asked.table.hex()[:8]).done
    return [author, second, third]


def seats(author: Author, valley: bytes) -> list[bytes]:
    return list(author.store.authority(valley).stewards)


def texts(author: Author, valley: bytes) -> list[tuple[str, Void | None]]:
    entries, _ = trail.latest(author.store.evaluator(valley), 100)
    return [(act.text, act.void) for entry in entries for act in entry.acts]


def test_of_three_two_decide_and_the_order_is_by_seniority(valley: bytes, three: list[Author]) -> None:
    first, second, third = three
    assert seats(first, valley) == [first.key, second.key, third.key]
    asked = stewards.propose(third, valley, [], [], {"licence": "CC0-1.0"})
    assert not asked.done
    done = stewards.approve(second, valley, asked.table.hex())
    assert (done.done, set(done.signed)) == (True, {second.key, third.key})
    table = first.store.authority(valley).table
    assert table is not None
    assert table.settings.licence == "CC0-1.0"
    with pytest.raises(Conflict, match="done already"):
        stewards.approve(first, valley, asked.table.hex())


def test_the_same_proposal_by_another_is_an_approval(valley: bytes, three: list[Author]) -> None:
    first, second, _ = three
    assert not stewards.propose(first, valley, [], [], {"quorum": 3}).done
    assert stewards.propose(second, valley, [], [], {"quorum": 3}).done


def test_a_signature_counts_once(valley: bytes, three: list[Author]) -> None:
    asked = stewards.propose(three[0], valley, [], [], {"quorum": 1})
    with pytest.raises(Conflict, match="signed that already; 1 more must sign"):
        stewards.approve(three[0], valley, asked.table.hex())


def test_who_is_removed_has_no_role_and_what_they_wrote_stays(valley: bytes, three: list[Author]) -> None:
    first, second, third = three
    written = third.write(valley, "public", [(b"\x01" * 16, "resource", {"title": ("saw", ())})]).ids
    asked = stewards.propose(first, valley, [], [third.key.hex()[:8]], {})
    stewards.approve(second, valley, asked.table.hex())
    assert seats(first, valley) == [first.key, second.key]
    authority = first.store.authority(valley)
    assert third.key not in authority.members
    assert first.store.standing(written) == set(written)
    assert third.write(valley, "public", [(b"\x02" * 16, "resource", {"title": ("axe", ())})]).waiting


def test_the_last_steward_stays_and_nothing_is_no_proposal(author: Author, valley: bytes) -> None:
    with pytest.raises(Conflict, match="at least one steward remains"):
        stewards.propose(author, valley, [], [author.key.hex()], {})
    with pytest.raises(WrongField, match="nothing would change"):
        stewards.propose(author, valley, [], [], {"licence": ""})
    with pytest.raises(Conflict, match="is a steward already"):
        stewards.propose(author, valley, [author.key.hex()], [], {})
    with pytest.raises(Unknown, match="no steward here"):
        stewards.propose(author, valley, [], ["ab" * 32], {})
    with pytest.raises(WrongField, match="64 hexadecimal"):
        stewards.propose(author, valley, ["ab"], [], {})
    with pytest.raises(Unknown, match="no open proposal"):
        stewards.approve(author, valley, "ab" * 32)
    with pytest.raises(Conflict, match="only a steward can"):
        stewards.propose(steward(author, 23), valley, [], [], {"quorum": 1})


def test_what_lost_is_offered_again_in_words(author: Author, valley: bytes) -> None:
    """Two certificates of one parent: one is followed, and the other's author is told what would be left to do."""
    held = author.store.evaluator(valley)
    tables = [next_table(held, add=[bytes([n]) * 32]) for n in (31, 32)]
    drafts = [
        certificate(held, author.key, bytes([n]) * 16, fields, {author.key: author.agree(held, fields)})
        for n, fields in enumerate(tables)
    ]
    for draft in drafts:
        author.act(valley, draft)
    ((_, change),) = stewards.to_propose_again(held, author.key)
    followed = {*seats(author, valley)} - {author.key}
    assert {*change.add} | followed == {bytes([31]) * 32, bytes([32]) * 32}
    assert [void for text, void in texts(author, valley) if text.startswith("decided")].count(Void.LOST) == 1


def test_a_node_acks_what_it_follows_once(valley: bytes, three: list[Author]) -> None:
    first, second, third = three
    acks = [duties.do_duties(by, valley) for by in (first, second, third)]
    # The first signed both tables, the second the later one, and the third came with it.
    assert acks == [0, 0, 0]
    asked = stewards.propose(second, valley, [], [], {"licence": "CC0-1.0"})
    stewards.approve(third, valley, asked.table.hex())
    assert [duties.do_duties(by, valley) for by in (first, second, third)] == [1, 0, 0]
    assert duties.do_duties(first, valley) == 0
    assert [text.startswith("follows table") for text, _ in texts(first, valley)].count(True) == 1


def test_the_trail_says_who_did_what_and_what_had_no_effect(
    author: Author, valley: bytes, store: Store
) -> None:
    stranger = steward(author, 24)
    held = store.evaluator(valley)
    stranger.act(valley, writing.grant(held, stranger.key, b"\x01" * 16, b"\x0a" * 32, "member"))
    assert texts(author, valley) == [
        ("founded the community 'Valley'", None),
        ("admitted 0a0a0a0a as member", Void.NOT_A_STEWARD),
    ]
