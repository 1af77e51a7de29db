"""The writer thread: in order, after the commit, and at the end nothing accepted is lost."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from commonsnode import communities, members, writing
from commonsnode.authoring import Author
from commonsnode.errors import Busy, Stopping
from commonsnode.writing import Landed, Writer
from commonsnode_protocol.authority import writing as acts
from commonsnode_protocol.changeset import PUBLIC, build, decode, public_key, sign
from commonsnode_protocol.intake import Checked
from commonsnode_store.answers import Applied
from commonsnode_store.errors import UnknownCommunity
from commonsnode_store.store import Store
from running_node import NOW

OTHER_SEED = b"\x02" * 32
LANES = ("authority", "public", "knowledge")


@pytest.fixture
def valley(author: Author) -> bytes:
    community = communities.create(author, "Valley", LANES)
    members.grant(author, community, public_key(OTHER_SEED).hex(), "member")
    return community


@pytest.fixture
async def writer(store: Store) -> AsyncIterator[Writer]:
    made = Writer(store, lambda: NOW)
    yield made
    await made.stop()


def changeset(community: bytes, number: int, seed: bytes = OTHER_SEED, lane: str = PUBLIC) -> Checked:
    body = build(
        community=community,
        lane=lane,
        author=public_key(seed),
        time=NOW + number,
        refs=(),
        changes=[(number.to_bytes(16, "big"), "resource", {"title": (f"thing {number}", ())})],
    )
    return Checked(decode(body), sign(body, seed))


def held_up(writer: Writer) -> tuple[asyncio.Task[None], threading.Event]:
    """Keep the writer thread busy until the event is set."""
    go_on = threading.Event()

    def wait(_: Store) -> None:
        assert go_on.wait(10)

    return asyncio.ensure_future(writer.run(wait)), go_on


async def test_jobs_are_carried_out_in_the_order_in_which_they_came(writer: Writer) -> None:
    order: list[int] = []

    def job(number: int) -> Callable[[Store], int]:
        def carry_out(_: Store) -> int:
            order.append(number)
            return number

        return carry_out

    results = await asyncio.gather(*(writer.run(job(n)) for n in range(200)))  # more than may queue
    assert results == order == list(range(200))


async def test_an_error_comes_to_its_caller_and_the_thread_goes_on(writer: Writer, valley: bytes) -> None:
    with pytest.raises(ZeroDivisionError):
        await writer.run(lambda store: 1 // 0)
    with pytest.raises(UnknownCommunity):
        await writer.apply(b"\x00" * 32, PUBLIC, [changeset(b"\x00" * 32, 1)], None)
    assert (await writer.apply(valley, PUBLIC, [changeset(valley, 1)], None)).new


async def test_what_peers_queue_up_for_one_lane_is_one_transaction(
    writer: Writer, store: Store, valley: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    applies: list[int] = []
    real = store.apply

    def counting(
        community: bytes, lane: str, batch: list[Checked], *, seen_ms: int, own: bool = False
    ) -> Applied:
        applies.append(len(batch))
        return real(community, lane, batch, seen_ms=seen_ms, own=own)

    monkeypatch.setattr(store, "apply", counting)
    landed: list[Landed] = []
    writer.subscribe(landed.append)
    busy, go_on = held_up(writer)
    stranger = changeset(valley, 9, b"\x07" * 32)
    brought = [
        [changeset(valley, 1), changeset(valley, 2)],
        [changeset(valley, 2), stranger, changeset(valley, 3)],
        [changeset(valley, 3)],
    ]
    jobs = [
        asyncio.ensure_future(writer.apply(valley, PUBLIC, batch, f"peer {n}"))
        for n, batch in enumerate(brought)
    ]
    other = asyncio.ensure_future(
        writer.apply(valley, "knowledge", [changeset(valley, 4, lane="knowledge")], "peer 0")
    )
    await asyncio.sleep(0)
    go_on.set()
    await busy
    first, second, third = await asyncio.gather(*jobs)
    await other
    assert applies == [6, 1]
    one, two, three = (changeset(valley, n).id for n in (1, 2, 3))
    assert first == Applied(new=(one, two))
    assert second == Applied(new=(three,), refused=(stranger.id,), known=(two,))
    assert third == Applied(known=(three,))
    assert [(event.via, event.lane, event.ids) for event in landed] == [
        ("peer 0", PUBLIC, (one, two)),
        ("peer 1", PUBLIC, (three,)),
        ("peer 0", "knowledge", (changeset(valley, 4, lane="knowledge").id,)),
    ]


async def test_a_group_stays_within_its_limits(
    writer: Writer, store: Store, valley: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "GROUP_CHANGESETS_MAX", 2)
    sizes: list[int] = []
    real = store.apply

    def counting(community: bytes, lane: str, batch: list[Checked], *, seen_ms: int) -> Applied:
        sizes.append(len(batch))
        return real(community, lane, batch, seen_ms=seen_ms)

    monkeypatch.setattr(store, "apply", counting)
    busy, go_on = held_up(writer)
    jobs = [
        asyncio.ensure_future(writer.apply(valley, PUBLIC, [changeset(valley, n)], None)) for n in range(5)
    ]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(busy, *jobs)
    assert sizes == [2, 2, 1]


async def test_what_rises_by_a_grant_is_told_as_landed(writer: Writer, store: Store, author: Author) -> None:
    landed: list[Landed] = []
    unsubscribe = writer.subscribe(landed.append)
    member = Author(store, OTHER_SEED, NOW, writer.publish)

    def before_the_grant(_: Store) -> tuple[bytes, bytes]:
        community = communities.create(author, "Valley", LANES)
        written = member.write(community, PUBLIC, [(b"\x01" * 16, "resource", {"title": ("drill", ())})])
        assert written.waiting
        return community, written.ids[0]

    community, waited = await writer.run(before_the_grant)
    assert landed == []
    founder = Author(store, author._seed, NOW, writer.publish)
    grant = await writer.run(lambda _: members.grant(founder, community, member.key.hex(), "member"))
    assert grant.changeset is not None
    assert landed == [
        Landed(community, "authority", (grant.changeset,), None, True),
        Landed(community, PUBLIC, (waited,), None, False),
    ]
    unsubscribe()
    await writer.apply(community, PUBLIC, [changeset(community, 5)], None)
    assert len(landed) == 2


async def test_what_falls_by_a_revocation_is_told_as_a_lane_that_is_another_one(
    writer: Writer, store: Store, author: Author, valley: bytes
) -> None:
    await writer.apply(valley, PUBLIC, [changeset(valley, 1)], None)
    landed: list[Landed] = []
    writer.subscribe(landed.append)

    def revoke(_: Store) -> bytes:
        steward = Author(store, author._seed, NOW, writer.publish)
        held, person = store.evaluator(valley), public_key(OTHER_SEED)
        draft = acts.revocation(held, steward.key, b"\x01" * 16, person, {}, lambda _: True)
        return steward.act(valley, draft).ids[0]

    revocation = await writer.run(revoke)
    assert landed == [
        Landed(valley, "authority", (revocation,), None, True),
        Landed(valley, PUBLIC, (), None, False),
    ]


async def test_a_stop_carries_out_the_accepted_commands_and_gives_back_the_peers_batches(
    store: Store, valley: bytes
) -> None:
    writer = Writer(store, lambda: NOW)
    busy, go_on = held_up(writer)
    commands = [asyncio.ensure_future(writer.run(lambda s, n=n: s.save_time(n + 1))) for n in range(5)]  # type: ignore[misc]
    batch = asyncio.ensure_future(writer.apply(valley, PUBLIC, [changeset(valley, 1)], None))
    waiting = [asyncio.ensure_future(writer.run(lambda s: s.save_time(99))) for _ in range(100)]
    await asyncio.sleep(0)
    stopped = asyncio.ensure_future(writer.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopped
    await asyncio.gather(busy, *commands)
    with pytest.raises(Stopping):
        await batch
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    accepted = [outcome for outcome in outcomes if outcome is None]
    assert len(accepted) == writing.WRITES_QUEUED_MAX - 7  # as many as there was room for
    assert all(isinstance(outcome, Stopping) for outcome in outcomes if outcome is not None)
    assert store.saved_time() == 99
    for refused in (writer.run(lambda s: None), writer.read(lambda s: None)):
        with pytest.raises(Stopping):
            await refused


async def test_a_command_whose_caller_went_away_is_carried_out_all_the_same(
    writer: Writer, store: Store
) -> None:
    busy, go_on = held_up(writer)
    command = asyncio.ensure_future(writer.run(lambda s: s.save_time(7)))
    await asyncio.sleep(0)
    command.cancel()
    go_on.set()
    await busy
    await writer.run(lambda s: None)
    assert store.saved_time() == 7


async def test_a_stream_is_read_no_further_ahead_than_it_is_taken(writer: Writer) -> None:
    made = 0

    def numbers(_: Store) -> Iterator[int]:
        nonlocal made
        for number in range(100_000):
            made = number + 1
            yield number

    taken: list[int] = []
    async with writer.stream(numbers) as chunks:
        async for chunk in chunks:
            taken += chunk
            ahead = (writing.STREAM_CHUNKS_MAX + 2) * writing.STREAM_CHUNK_ITEMS
            assert made <= len(taken) + ahead
            if len(taken) > 10_000:
                break
    assert taken == list(range(len(taken)))
    assert made < 20_000


async def test_a_stream_gives_all_and_then_its_error(writer: Writer) -> None:
    def broken(_: Store) -> Iterator[int]:
        yield from range(1_000)
        raise ZeroDivisionError

    taken: list[int] = []

    async def take() -> None:
        async with writer.stream(broken) as chunks:
            async for chunk in chunks:
                taken.extend(chunk)

    with pytest.raises(ZeroDivisionError):
        await take()
    assert len(taken) >= 1_000 - writing.STREAM_CHUNK_ITEMS
    assert taken == list(range(len(taken)))


async def test_so_many_streams_at_a_time_and_a_stop_ends_them(store: Store) -> None:
    writer = Writer(store, lambda: NOW)

    def endless(_: Store) -> Iterator[int]:
        while True:
            yield 1

    opened = [writer.stream(endless) for _ in range(writing.STREAMS_MAX)]
    for stream in opened:
        await anext(await stream.__aenter__())
    with pytest.raises(Busy):
        async with writer.stream(endless):
            pass
    await writer.stop()
    for stream in opened:
        await stream.__aexit__(None, None, None)
