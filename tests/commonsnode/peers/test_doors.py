"""Attack 24: a former member asks for a private community, and is answered as one who asks for what there is not."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from commonsnode_protocol import frames, intake
from commonsnode_protocol.changeset import (
    AUTHORITY,
    KNOWLEDGE,
    PUBLIC,
    Signed,
    build,
    public_key,
    sign,
)
from commonsnode_protocol.record import typed_id
from running_node import Api
from strangers import EMPTY, Stranger, batch_of

FORMER, INVITATION = bytes([7]) * 32, bytes([8]) * 32  # seeds
DONE_S_MAX = 20


@pytest.fixture
async def private(api: Api) -> bytes:
    """A community for members only, which FORMER was a member of."""
    created = await api("POST", "/communities", {"name": "Valley", "reading": "members"})
    community = str(created["id"])
    former = public_key(FORMER).hex()
    granted = await api("POST", f"/communities/{community}/members", {"id": former, "role": "member"})
    assert granted.status in (200, 201), granted.body
    revoked = await api("DELETE", f"/communities/{community}/members/{former}")
    assert revoked.status == 200, revoked.body
    return bytes.fromhex(community)


@pytest.fixture
async def open_to_all(api: Api) -> bytes:
    return bytes.fromhex(await api.community("Open"))


def acts(community: bytes, count: int) -> list[Signed]:
    """Well-formed and signed; of no effect."""
    author = public_key(FORMER)
    return [
        sign(
            build(
                community=community, lane=AUTHORITY, author=author, time=1, refs=(),
                changes=[(typed_id(community, author, nonce), "note", {"nonce": (nonce, ())})],
            ),
            FORMER,
        )
        for nonce in (n.to_bytes(16, "big") for n in range(count))
    ]  # fmt: skip


def dialled(api: Api) -> Stranger:
    return Stranger(f"{api.base.replace('http', 'ws')}/peer", seed=FORMER)


def shows(stranger: Stranger, community: bytes, count: int) -> list[frames.Show]:
    """What a former member can show: at the door of its own key, and at that of an invitation that it knew."""
    assert stranger.channel is not None
    doors = (frames.door_of_key(community, public_key(FORMER)), public_key(INVITATION))
    size, packed = batch_of(*acts(community, count))
    tags = (frames.door_tag(stranger.channel.channel_hash, frames.INITIATOR, door) for door in doors)
    return [frames.Show(tag, size, packed) for tag in tags]


async def answers(api: Api, community: bytes) -> list[frames.Frame]:
    """All that is said to who announces a community, shows something at its doors, and asks about it."""
    heard = []
    async with dialled(api) as stranger:
        await stranger.announce(community, AUTHORITY, PUBLIC, KNOWLEDGE)
        await stranger.say(*shows(stranger, community, 3), frames.State(0, EMPTY, frames.QUESTION))
        while (frame := await stranger.hear()) is not None:
            heard.append(frame)
    return heard


@asynccontextmanager
async def counting(count: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Ends when so many changesets were checked."""
    loop, check, done = asyncio.get_running_loop(), intake.check, asyncio.Event()
    checked: list[bytes] = []

    def counted(community: bytes, lane: str, signed: Signed) -> intake.Checked | intake.OfUnknownVersion:
        checked.append(signed.id)
        if len(checked) == count:
            loop.call_soon_threadsafe(done.set)
        return check(community, lane, signed)

    with monkeypatch.context() as patch:
        patch.setattr(intake, "check", counted)
        yield
        async with asyncio.timeout(DONE_S_MAX):
            await done.wait()
        assert len(checked) == count


async def test_attack_24_the_frames_are_those_for_an_id_that_somebody_made_up(
    api: Api, private: bytes
) -> None:
    heard = [await answers(api, community) for community in (private, os.urandom(32))]
    assert heard[0] == heard[1]
    assert heard[0] == [frames.Lanes(()), frames.Bye("out-of-order")]


async def test_attack_24_what_is_shown_is_checked_alike_at_a_door_that_is_known_and_at_any_other(
    api: Api, private: bytes, open_to_all: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signatures of a batch take long enough to be heard in the answer to something else."""
    for community in (private, os.urandom(32)):
        async with dialled(api) as stranger, counting(2 * 40, monkeypatch):
            await stranger.announce(open_to_all, AUTHORITY)
            await stranger.say(*shows(stranger, community, 40))
    assert (await api("GET", f"/communities/{private.hex()}/members"))["members"] != []
