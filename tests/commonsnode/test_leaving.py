"""Who leaves says so where it means something; a community is never left without a steward by mistake."""

import pytest

from commonsnode import communities, devices, leaving, members, stewards
from commonsnode.authoring import Author
from commonsnode.config import SERVED_LANES
from commonsnode.errors import Conflict
from commonsnode_protocol.authority import STEWARD
from running_node import Api

LANES = SERVED_LANES


def hand(author: Author, n: int) -> Author:
    return Author(author.store, bytes([n]) * 32, author.now_ms + n, lambda *_: None)


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def test_a_member_leaves_and_what_they_wrote_stays(author: Author, valley: bytes) -> None:
    member = hand(author, 51)
    members.grant(author, valley, member.key.hex(), "member")
    written = member.write(valley, "public", [(b"\x01" * 16, "resource", {"title": ("saw", ())})]).ids
    assert leaving.give_up(member, valley) == leaving.LEFT
    assert member.key not in author.store.authority(valley).members
    assert author.store.standing(written) == set(written)
    assert leaving.give_up(member, valley) is None
    members.grant(author, valley, member.key.hex(), "member")
    assert member.key in author.store.authority(valley).members


def test_who_has_nothing_to_say_says_nothing(author: Author, valley: bytes) -> None:
    member, mirror, device, stranger = (hand(author, n) for n in (51, 52, 53, 54))
    members.grant(author, valley, member.key.hex(), "member")
    members.grant(author, valley, mirror.key.hex(), "mirror")
    devices.add(author, devices.code_for(valley, author.key, bytes([53]) * 32))
    assert [leaving.give_up(each, valley) for each in (mirror, device, stranger)] == [None] * 3
    assert leaving.give_up(member, valley, keep_role=True) is None
    assert set(author.store.authority(valley).members) == {author.key, member.key, mirror.key}


def test_the_only_steward_passes_the_office_on_first(author: Author, valley: bytes) -> None:
    for keep_role in (False, True):
        with pytest.raises(Conflict, match="pass the office on first"):
            leaving.give_up(author, valley, keep_role=keep_role)
    second = hand(author, 51)
    stewards.propose(author, valley, [second.key.hex()], [], {})
    assert leaving.give_up(author, valley) == leaving.RESIGNED
    assert author.store.authority(valley).stewards == (second.key,)


def test_of_three_stewards_one_waits_for_another_to_let_them_go(author: Author, valley: bytes) -> None:
    second, third = hand(author, 51), hand(author, 52)
    stewards.propose(author, valley, [second.key.hex()], [], {})
    stewards.approve(second, valley, stewards.propose(author, valley, [third.key.hex()], [], {}).table.hex())
    for _ in range(2):
        with pytest.raises(Conflict, match="other stewards must sign") as waits:
            leaving.give_up(third, valley)
    held = author.store.evaluator(valley)
    acts = len([*held.entries()])
    with pytest.raises(Conflict):
        leaving.give_up(third, valley)
    assert len([*held.entries()]) == acts
    stewards.approve(author, valley, waits.value.detail.split("approve ")[1][:8])
    assert author.store.authority(valley).stewards == (author.key, second.key)
    assert leaving.give_up(third, valley) is None


async def test_what_was_refused_removes_nothing_and_force_removes_all(api: Api) -> None:
    valley = await api.community()
    refused = await api("DELETE", f"/communities/{valley}")
    assert (refused.status, "only steward" in refused["detail"]) == (409, True)
    you = await api("GET", f"/communities/{valley}/you")
    assert you["role"] == STEWARD
    left = await api("DELETE", f"/communities/{valley}", force="true")
    assert left.body == {"id": valley, "said": None, "heard": None}
    assert (await api("GET", "/communities"))["communities"] == []
