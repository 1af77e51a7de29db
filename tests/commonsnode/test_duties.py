"""What a node does and says by itself when the authority of a community has changed."""

import asyncio
from typing import Any

from commonsnode import communities, invitations
from commonsnode.authoring import Author
from commonsnode.duties import Duties, do_duties
from commonsnode.notices import NOTICES_MAX, Notices
from commonsnode_protocol.authority import writing
from commonsnode_protocol.changeset import public_key
from running_node import Api

SEED = b"\x05" * 32


async def told(api: Api, community: str) -> list[str]:
    found: list[dict[str, Any]] = (await api("GET", f"/communities/{community}/you"))["notices"]
    return [one["text"] for one in found]


async def test_a_join_is_confirmed_without_anybody_asking(api: Api) -> None:
    valley = bytes.fromhex(await api.community())
    invited = await api("POST", f"/communities/{valley.hex()}/invitations", {"name": "Rosa"})
    assert invited["name"] == "Rosa"
    landed: asyncio.Queue[Any] = asyncio.Queue()
    api.node.writer.subscribe(landed.put_nowait)
    seed = bytes.fromhex(invited["link"].partition("invite=")[2][:64])

    def join(store: Any) -> None:
        author = Author(store, SEED, api.node.clock.now_ms(), api.node.writer.publish)
        invitation = bytes.fromhex(invited["id"])
        author.act(valley, writing.join(valley, author.key, b"\x01" * 16, seed, invitation))

    await api.node.writer.run(join)
    acts = 0
    while acts < 2:  # the join, and the grant that confirms it; keys of the sealed lane come between
        acts += (await landed.get()).lane == "authority"
    (found,) = (await api("GET", f"/communities/{valley.hex()}/invitations"))["invitations"]
    assert found["joins"] == [{"id": public_key(SEED).hex(), "confirmed": True}]
    assert found["name"] == "Rosa"


async def test_a_table_that_was_followed_and_is_no_more_is_told_in_words_and_kept(api: Api) -> None:
    """Also where the change came while the node did not run: it remembers which table it followed."""
    valley = await api.community()
    community = bytes.fromhex(valley)
    watching = Duties(api.node)
    await watching._do(community)
    assert await told(api, valley) == []
    api.node.notices.of(community).table = "ab" * 32
    await watching._do(community)
    (text,) = await told(api, valley)
    assert "abababab, which this node followed, is followed no more" in text
    assert "Nothing was deleted" in text
    await watching._do(community)
    assert await told(api, valley) == [text]
    again = Notices(api.node.home.notices_path)
    assert [one["text"] for one in again.of(community).notices] == [text]


async def test_what_is_told_is_bounded_and_goes_with_the_community(api: Api) -> None:
    valley = await api.community()
    community, notices = bytes.fromhex(valley), api.node.notices
    for n in range(NOTICES_MAX + 1):
        notices.tell(community, n, f"{n}")
    assert len(notices.of(community).notices) == NOTICES_MAX
    await api("DELETE", f"/communities/{valley}", force="true")
    assert notices.of(community).notices == []
    assert oct(api.node.home.notices_path.stat().st_mode & 0o777) == "0o600"


async def test_who_came_too_late_is_told(api: Api) -> None:
    """The same node is the founder's in one community, and in the other somebody whose link others have used up."""
    seeds = [b"\x06" * 32, b"\x07" * 32]

    def other_community(store: Any) -> bytes:
        founder, early = (
            Author(store, seed, api.node.clock.now_ms(), api.node.writer.publish) for seed in seeds
        )
        valley = communities.create(founder, "Other valley", ("authority",))
        invited = invitations.invite(founder, valley, "member", 1)
        for author in (early, Author(store, api.node.seed, founder.now_ms, api.node.writer.publish)):
            author.act(valley, writing.join(valley, author.key, author.key[:16], invited.seed, invited.id))
            do_duties(founder, valley)
        return valley

    valley = await api.node.writer.run(other_community)
    await Duties(api.node)._do(valley)
    (text,) = await told(api, valley.hex())
    assert "could not join: the invitation is used up" in text
    assert (await api("GET", f"/communities/{valley.hex()}/you"))["role"] is None
