"""What a peer can do wrong: that session ends with a named reason, the log has one line, nothing of it is stored, all others go on."""

import os
from collections.abc import Callable

import pytest

from commonsnode_protocol import canonical, changeset, frames
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Signed, build, public_key, sign
from commonsnode_protocol.record import typed_id
from running_process import Running
from strangers import Stranger, batch_of

SEED = bytes([7]) * 32
NONCE = bytes(16)


def thing(community: bytes, lane: str = PUBLIC, seed: bytes = SEED, title: str = "Planted") -> Signed:
    author = public_key(seed)
    body = build(
        community=community,
        lane=lane,
        author=author,
        time=1_800_000_000_000,
        refs=(),
        changes=[
            (typed_id(community, author, NONCE), "resource", {"nonce": (NONCE, ()), "title": (title, ())})
        ],
    )
    return sign(body, seed)


def wrong_signature(community: bytes) -> Signed:
    return Signed(bytes(64), thing(community).body)


def not_canonical(community: bytes) -> Signed:
    body = bytearray(thing(community).body)
    assert body[1] == 1
    body[1:2] = b"\xcc\x01"  # the version, in a form that is longer than it need be
    header_broken = bytes(body)
    return sign(header_broken, SEED)


def unsorted_keys(community: bytes) -> Signed:
    good = thing(community).body
    swapped = good.replace(b"\xa5nonce", b"\xa5zonce")
    assert swapped != good
    return sign(swapped, SEED)


def of_another_community(community: bytes) -> Signed:
    return thing(bytes([9]) * 32)


def of_another_lane(community: bytes) -> Signed:
    return thing(community, lane="knowledge")


CHANGESETS: list[tuple[Callable[[bytes], Signed], str]] = [
    (wrong_signature, "bad-signature"),
    (not_canonical, "bad-changeset"),
    (unsorted_keys, "bad-changeset"),
    (of_another_community, "wrong-community"),
    (of_another_lane, "wrong-community"),
]


def unharmed(node: Running) -> None:
    """Nothing of it is here, and the node answers as before."""
    status, page = node.api("GET", "/records")
    assert status == 200
    assert page["records"] == []
    assert node.entry()["changesets"] == 2  # the charter, and its founder's recovery key


async def goes_on(node: Running) -> None:
    """All others go on: the other node's link is there and in step."""
    status, outcome = node.api("POST", "/sync", b'{"wait": true, "timeout": 30}')
    assert (status, outcome["in_step"]) == (200, True)


async def introduced(stranger: Stranger, node: Running) -> tuple[bytes, int]:
    """The community's id, and our number of its lane `public`, which both follow now."""
    community = bytes.fromhex(node.entry()["id"])
    await stranger.announce(community, AUTHORITY, PUBLIC)
    assert set(await stranger.shared(community, AUTHORITY, PUBLIC)) == {AUTHORITY, PUBLIC}
    return community, 1


@pytest.mark.parametrize(("make", "reason"), CHANGESETS)
@pytest.mark.parametrize("pushed", [True, False], ids=["pushed", "transferred"])
async def test_a_bad_changeset_ends_the_session_with_its_reason(
    shared_pair: tuple[Running, Running], make: Callable[[bytes], Signed], reason: str, pushed: bool
) -> None:
    a, b = shared_pair
    async with Stranger(a.address) as stranger:
        community, number = await introduced(stranger, a)
        size, packed = batch_of(make(community))
        frame = (
            frames.Push(number, 1, size, packed) if pushed else frames.Changesets(number, size, packed, ())
        )
        await stranger.say(frame)
        assert await stranger.reason() == reason
        name = public_key(stranger.seed).hex()[:8]
    ends = [line for line in a.log.splitlines() if name in line and "ended" in line]
    assert len(ends) == 1
    assert reason in ends[0]
    unharmed(a)
    await goes_on(b)


async def test_a_stranger_s_good_changeset_is_not_stored_and_ends_nothing(
    shared_pair: tuple[Running, Running],
) -> None:
    a, _ = shared_pair
    async with Stranger(a.address) as stranger:
        community, number = await introduced(stranger, a)
        size, packed = batch_of(thing(community))
        await stranger.say(frames.Push(number, 1, size, packed))
        await stranger.say(frames.State(number, frames.LaneState(bytes(16), bytes(32)), frames.QUESTION))
        while not (isinstance(frame := await stranger.hear(), frames.State) and frame.ask == frames.ANSWER):
            assert frame is not None
            assert not isinstance(frame, frames.Bye)
    unharmed(a)


FRAMES: list[tuple[str, bytes, str]] = [
    ("garbage", b"\xc1", "bad-frame"),
    ("unknown type", canonical.encode([99, 1]), "bad-frame"),
    ("a float", b"\x92\x06\xcb\x00\x00\x00\x00\x00\x00\x00\x00", "bad-frame"),
    ("a lane not announced", frames.encode(frames.Prune(77)), "out-of-order"),
    ("too many ids", canonical.encode([4, 1, [n.to_bytes(32, "big") for n in range(4097)]]), "too-large"),
    ("an id twice", canonical.encode([4, 1, [bytes(32), bytes(32)]]), "bad-frame"),
    ("gone, never wanted", frames.encode(frames.Changesets(1, 0, b"", (bytes(32),))), "not-asked-for"),
    ("a batch that is none", frames.encode(frames.Changesets(1, 100, b"not zstandard", ())), "bad-frame"),
    ("a broken negentropy message", frames.encode(frames.Reconcile(1, b"\x61\xff\xff")), "bad-frame"),
]


@pytest.mark.parametrize(
    ("data", "reason"), [(d, r) for _, d, r in FRAMES], ids=[name for name, _, _ in FRAMES]
)
async def test_a_bad_frame_ends_the_session_with_its_reason(
    shared_pair: tuple[Running, Running], data: bytes, reason: str
) -> None:
    a, _ = shared_pair
    async with Stranger(a.address) as stranger:
        await introduced(stranger, a)
        await stranger.say_bytes(data)
        assert await stranger.reason() == reason


async def test_a_frame_over_the_limit_ends_the_session(shared_pair: tuple[Running, Running]) -> None:
    a, _ = shared_pair
    async with Stranger(a.address) as stranger:
        await introduced(stranger, a)
        assert stranger.channel is not None
        piece = b"\x01" + bytes(65_518)
        for _ in range(33):
            await stranger.socket.send_bytes(stranger.channel._sender.encrypt_with_ad(b"", piece))
        assert await stranger.reason() == "too-large"


@pytest.mark.parametrize(("size", "reason"), [(65_536, "too-large"), (1_000_000, "closed")])
async def test_a_message_over_the_limit_ends_the_session(
    shared_pair: tuple[Running, Running], size: int, reason: str
) -> None:
    a, _ = shared_pair
    async with Stranger(a.address) as stranger:
        await introduced(stranger, a)
        await stranger.socket.send_bytes(bytes(size))
        assert await stranger.reason() == reason
        name = public_key(stranger.seed).hex()[:8]
    while not (ends := [line for line in a.log.splitlines() if name in line and "ended" in line]):
        await goes_on(a)  # the library closed the socket before the node could say why: its log comes after
    assert "too-large" in ends[0]


async def test_an_altered_message_ends_the_session(shared_pair: tuple[Running, Running]) -> None:
    a, _ = shared_pair
    async with Stranger(a.address) as stranger:
        await introduced(stranger, a)
        assert stranger.channel is not None
        message = bytearray(stranger.channel.seal(frames.encode(frames.Credit(1)))[0])
        message[3] ^= 1
        await stranger.socket.send_bytes(bytes(message))
        assert await stranger.reason() == "bad-seal"


@pytest.mark.parametrize(
    "garbage", [b"", b"GET / HTTP/1.1", os.urandom(32), os.urandom(4096), os.urandom(60_000)]
)
async def test_garbage_before_the_handshake_is_shut_out(
    shared_pair: tuple[Running, Running], garbage: bytes
) -> None:
    a, b = shared_pair
    before = a.log.count("peer-refused")
    stranger = Stranger(a.address)
    await stranger.dial()
    await stranger.socket.send_bytes(garbage)
    if len(garbage) == 32:  # a possible first message; what follows it is not
        await stranger.message()
        await stranger.socket.send_bytes(garbage)
    assert (await stranger.socket.receive()).data != b""
    assert stranger.socket.closed or stranger.socket.close_code is not None
    await stranger.http.close()
    assert a.log.count("peer-refused") == before + 1
    await goes_on(b)


async def test_a_text_message_ends_the_session(shared_pair: tuple[Running, Running]) -> None:
    a, _ = shared_pair
    async with Stranger(a.address) as stranger:
        await introduced(stranger, a)
        await stranger.socket.send_str("hello")
        assert await stranger.reason() == "bad-frame"


async def test_a_node_that_dials_itself_says_so_and_goes_on(pair: tuple[Running, Running]) -> None:
    a, b = pair
    a.do("peer", "add", a.address)
    a.shell.run("sync", "--wait", "--timeout", "10")
    await goes_on(b)
    assert all(
        peer["id"] != a.do("id")["id"] for peer in a.do("status")["peers"] if peer["state"] == "connected"
    )


async def test_a_charter_of_an_unknown_version_stops_the_community_and_not_the_session(
    pair: tuple[Running, Running],
) -> None:
    a, b = pair
    known = bytes.fromhex(a.entry()["id"])
    author = public_key(SEED)
    body = build(
        community=b"",
        lane=AUTHORITY,
        author=author,
        time=1,
        refs=(),
        changes=[
            (
                typed_id(b"", author, NONCE),
                "charter",
                {"nonce": (NONCE, ()), "name": ("Tomorrow", ()), "founder": (author, ())},
            )
        ],
    )
    later = sign(bytes([body[0], 2]) + body[2:], SEED)
    assert changeset.header(later.body).version == 2
    a.do("community", "follow", f"commons:{later.id.hex()}")
    async with Stranger(a.address) as stranger:
        await stranger.announce(later.id, AUTHORITY)
        await stranger.shared(later.id, AUTHORITY)
        size, packed = batch_of(later)
        await stranger.say(frames.Push(0, 1, size, packed))
        while not isinstance(frame := await stranger.hear(), frames.Drop):
            assert frame is not None
            assert not isinstance(frame, frames.Bye)
    stopped = {c["id"]: c["stopped"] for c in a.do("status")["communities"]}
    assert stopped[known.hex()] is None
    assert "version 2" in stopped[later.id.hex()]
    a.do("add", "Goes on", "--community", known.hex())
    await goes_on(b)
    assert b.titles() == {"Goes on"}
