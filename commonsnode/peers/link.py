"""One link to one peer: drives the session of the protocol over a pipe, and does its effects on the store."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from commonsnode.peers.outbox import Outbox
from commonsnode.peers.pace import Pace
from commonsnode.peers.pipe import PROGRESS_BYTES_MIN, Pipe
from commonsnode_protocol import batch as batches
from commonsnode_protocol import changeset as changesets
from commonsnode_protocol import frames, intake, negentropy
from commonsnode_protocol import session_events as events
from commonsnode_protocol.changeset import AUTHORITY, Signed
from commonsnode_protocol.channel import Channel, Handshake
from commonsnode_protocol.errors import MisuseError, NotWellFormed, PeerError, Reason
from commonsnode_protocol.intake import Checked, OfUnknownVersion
from commonsnode_protocol.limits import BATCH_BYTES_MAX, LIVE_BYTES_MAX, SHOW_BYTES_MAX
from commonsnode_protocol.session import Session
from commonsnode_protocol.session_events import LaneKey

if TYPE_CHECKING:
    from commonsnode.writing import Writer
    from commonsnode_store.store import Store

HANDSHAKE_S_MAX = 45.0  # three messages at 2 kbit/s and 2 s of delay, some of them twice
GOODBYE_S_MAX = 1.0
INBOX_BYTES_MAX = 8 * 1024 * 1024  # received and not yet applied; beyond it we stop reading
PROGRESS_LOOK_S = 15.0
FETCH_STEP = 64  # changesets read from the store at once while a batch is filled
CHECK_STEP = 256  # changesets whose signatures one thread checks in one go


@dataclass(frozen=True, slots=True)
class Via:
    """Where a batch came from: the link that needs not be told of it, and how far it has come."""

    link: "Link"
    hops: int


async def shake_hands(pipe: Pipe, handshake: Handshake, *, initiator: bool) -> Channel:
    """Run the three messages. Raises PeerError, ConnectionError, or TimeoutError after HANDSHAKE_S_MAX."""
    async with asyncio.timeout(HANDSHAKE_S_MAX):
        if initiator:
            await pipe.send(handshake.start())
        while handshake.channel is None:
            message = await pipe.receive()
            if message is None:
                raise ConnectionError("the peer closed before the handshake was done")
            answer = handshake.receive(message)
            if answer is not None:
                await pipe.send(answer)
        return handshake.channel


class Link:
    """A link after its handshake. `run` returns when it is over, with the reason; nothing is left running then. `say_goodbye` must follow."""

    def __init__(
        self,
        pipe: Pipe,
        channel: Channel,
        *,
        address: str | None,
        writer: "Writer",
        store: "Store",
        checkers: Executor,
        wall_ms: Callable[[], int],
        on_stop: Callable[[bytes, int], None],
        on_compared: Callable[[], None],
        on_shown: "Callable[[Link, events.Shown], Awaitable[None]]",
    ) -> None:
        """address: what we dialled, or None for a peer that dialled us. on_stop: a charter's version is unknown.

        on_shown: the peer shows why some community admits it.
        """
        self.node = channel.peer_key
        self.hello = frames.parse_hello(channel.peer_hello)
        self.initiator = channel.initiator
        self.ended = asyncio.Event()
        self.address = address
        self.pipe = pipe
        self.since_ms = wall_ms()
        self.last_in_step_ms: int | None = None
        self.session = Session(
            initiator=channel.initiator, channel_hash=channel.channel_hash, peer_hello=self.hello
        )
        self._channel = channel
        self._writer = writer
        self._store = store
        self._checkers = checkers
        self._wall_ms = wall_ms
        self._on_stop = on_stop
        self._on_compared = on_compared
        self._on_shown = on_shown
        self._showing = asyncio.Lock()  # one at a time, and beside all other work of the link
        self._outbox = Outbox()
        self._leaving = 0  # bytes of the frame that is being sent
        self._read_ahead = 0  # bytes read from the store for the peer, and not in the outbox yet
        self._bulk = asyncio.Lock()  # one large transfer after the other, a part of each
        self._pace = Pace(lambda: self._read_ahead + self._outbox.bytes + self._leaving + pipe.wire.waiting())
        self._inbox: asyncio.Queue[events.Event] = asyncio.Queue()
        self._applies: asyncio.Queue[events.Apply] = asyncio.Queue()
        self._unapplied = 0  # bytes received and not yet applied
        self._room = asyncio.Event()
        self._in_step_at: dict[LaneKey, float] = {}
        self._closing: PeerError | None = None
        self._task: asyncio.Task[object] | None = None

    # From outside

    def post(self, event: events.Event) -> None:
        """Tell the session something; also before `run`."""
        self._inbox.put_nowait(event)

    @property
    def congested(self) -> bool:
        return self._outbox.congested

    def close(self, reason: Reason, detail: str = "") -> None:
        """End the link from outside, with a goodbye."""
        self._closing = PeerError(reason, detail)
        if self._task is not None:
            self._task.cancel()

    def in_step(self, since: float | None = None) -> dict[bytes, bool]:
        """Shared communities → whether all their shared lanes are equal (and, if given, were found so after `since`)."""
        result: dict[bytes, bool] = {}
        for key, equal in self.session.shared().items():
            fresh = since is None or self._in_step_at.get(key, -1.0) >= since
            result[key[0]] = result.get(key[0], True) and equal and fresh
        return result

    async def run(self, lanes: Sequence[tuple[LaneKey, frames.LaneState]]) -> PeerError:
        """Speak with the peer until one side ends it; returns why. `lanes`: what this node follows now."""
        self._task = asyncio.current_task()
        ended = self._closing
        if ended is None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._read())
                    group.create_task(self._send())
                    group.create_task(self.pipe.keep_alive())
                    group.create_task(self._watch())
                    group.create_task(self._apply())
                    group.create_task(self._drive(group, events.Follow(tuple(lanes))))
            except asyncio.CancelledError:
                if self._closing is None or self._task is None or self._task.uncancel():
                    await self.say_goodbye(Reason.DONE)
                    raise
                return self._closing
            except BaseExceptionGroup as errors:
                ended = _why(errors)
        assert ended is not None  # the group never ends by itself
        return ended

    async def hear_first(self) -> None:
        """Before `run`: wait for the peer's first frame, and keep it for the session.

        Raises PeerError where it is a goodbye or breaks the rules, ConnectionError, or TimeoutError.
        """
        async with asyncio.timeout(HANDSHAKE_S_MAX):
            while True:
                message = await self.pipe.receive()
                if message is None:
                    raise ConnectionError("the peer closed the connection")
                frame = self._channel.open(message)
                if frame is not None:
                    break
        if isinstance(goodbye := frames.decode(frame), frames.Bye):
            raise PeerError(Reason.DONE, f"the peer ended it: {_known(goodbye.reason)}")
        self._unapplied += len(frame)
        self.post(events.Received(frame))

    async def say_goodbye(self, reason: Reason) -> None:
        """After `run`, or instead of it: tell the peer why, and close. Never raises, never takes long."""
        try:
            async with asyncio.timeout(GOODBYE_S_MAX):
                for message in self._channel.seal(frames.encode(frames.Bye(reason.value))):
                    await self.pipe.send(message)
        except (PeerError, MisuseError, ConnectionError, OSError, TimeoutError):
            pass  # a peer that is gone needs no goodbye
        await self.pipe.close()

    # The tasks of a link

    async def _read(self) -> None:
        while True:
            while self._unapplied > INBOX_BYTES_MAX:
                self._room.clear()
                await self._room.wait()
            message = await self.pipe.receive()
            if message is None:
                raise PeerError(Reason.DONE, "the peer closed the connection")
            frame = self._channel.open(message)
            if frame is not None:
                self._unapplied += len(frame)
                self.post(events.Received(frame))

    async def _send(self) -> None:
        while True:
            frame = await self._outbox.take()
            self._leaving = len(frame)
            for message in self._channel.seal(frame):
                await self.pipe.send(message)
                self._leaving = max(0, self._leaving - len(message))
            self._leaving = 0

    async def _watch(self) -> None:
        """Tell the session when the connection carries something, however slowly."""
        before = self.pipe.wire.moved()
        while True:
            await asyncio.sleep(PROGRESS_LOOK_S)
            if (moved := self.pipe.wire.moved()) - before >= PROGRESS_BYTES_MIN:
                before = moved
                self.post(events.Moved())

    async def _apply(self) -> None:
        """Check batches one after the other; each is applied while the next one is checked."""
        applying: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as group:
            while True:
                effect = await self._applies.get()
                checked, ids = await self._check(effect)
                if applying is not None:
                    await applying
                applying = group.create_task(self._apply_checked(effect, checked, ids))

    async def _drive(self, group: asyncio.TaskGroup, first: events.Event) -> None:
        loop = asyncio.get_running_loop()
        timer: float | None = None
        event = first
        while True:
            compared, heard = False, self.session.heard
            for effect in self.session.handle(event, int(loop.time() * 1000)):
                match effect:
                    case events.SetTimer(at_ms):
                        timer = at_ms / 1000
                    case events.InStep(key):
                        self._in_step_at[key] = loop.time()
                        compared = True
                    case events.Behind(_):
                        compared = True
                    case _:
                        self._do(effect, group)
            if compared or heard != self.session.heard:
                if compared and all(self.session.shared().values()):
                    self.last_in_step_ms = self._wall_ms()
                self._on_compared()
            if isinstance(event, events.Received):
                self._applied_bytes(len(event.data))
            elif isinstance(event, events.Fetched) and event.use is not events.Use.LIVE:
                self._read_ahead -= len(event.packed)  # it is in the outbox now, if it is to go at all
            try:
                async with asyncio.timeout_at(timer):
                    event = await self._inbox.get()
            except TimeoutError:
                event, timer = events.TimerFired(), None

    # Effects

    def _do(self, effect: events.Effect, group: asyncio.TaskGroup) -> None:
        match effect:
            case events.Send(data, rank):
                self._outbox.put(rank, data)
            case events.Apply():
                self._unapplied += len(effect.packed)
                self._applies.put_nowait(effect)
            case events.Fetch():
                group.create_task(self._fetch(effect))
            case events.AskReconciliation():
                group.create_task(self._ask(effect))
            case events.AnswerReconciliation(key, message, turn):
                group.create_task(self._answer(key, message, turn))
            case events.Order(key, ids):
                group.create_task(self._order(key, ids))
            case events.FindMissing(key, ids):
                group.create_task(self._find_missing(key, ids))
            case events.Shown():
                group.create_task(self._shown(effect))
            case events.Ended(reason):
                raise PeerError(Reason.DONE, f"the peer ended it: {_known(reason)}")

    async def _shown(self, shown: events.Shown) -> None:
        async with self._showing:
            await self._on_shown(self, shown)

    def door_tag(self, door: bytes) -> bytes:
        """What the peer calls this door on this link."""
        role = frames.RESPONDER if self.initiator else frames.INITIATOR
        return frames.door_tag(self._channel.channel_hash, role, door)

    async def check_shown(self, shown: events.Shown) -> list[Checked]:
        """Check what was shown, all of the one community that the first is of; nothing of it where any is wrong.

        The same is done whether the door is known here or not, and nobody is blamed: else it would tell which it is.
        """
        loop = asyncio.get_running_loop()
        try:
            signed = await loop.run_in_executor(
                self._checkers, lambda: batches.unpack(shown.size, shown.packed, size_max=SHOW_BYTES_MAX)
            )
            first = changesets.header(signed[0].body).community or signed[0].id
            results = await loop.run_in_executor(self._checkers, _check_all, (first, AUTHORITY), signed)
        except (PeerError, NotWellFormed):
            return []
        return [result for result in results if isinstance(result, Checked)]

    def _applied_bytes(self, count: int) -> None:
        self._unapplied -= count
        self._room.set()

    async def _check(self, effect: events.Apply) -> tuple[list[Checked], tuple[bytes, ...]]:
        """Unpack a batch and check every changeset of it, off the event loop; one bad one refuses all."""
        loop = asyncio.get_running_loop()
        size_max = BATCH_BYTES_MAX if effect.hops is None else LIVE_BYTES_MAX
        first, parts = await loop.run_in_executor(self._checkers, _open_batch, effect, size_max)
        rest = await asyncio.gather(
            *(loop.run_in_executor(self._checkers, _check_all, effect.key, part) for part in parts)
        )
        checked: list[Checked] = []
        ids: list[bytes] = []
        for result in chain(first, *rest):
            ids.append(result.id)
            if isinstance(result, Checked):
                checked.append(result)
            elif result.stops_community:
                self._on_stop(effect.key[0], result.version)
        return checked, tuple(ids)

    async def _apply_checked(
        self, effect: events.Apply, checked: list[Checked], ids: tuple[bytes, ...]
    ) -> None:
        from commonsnode_store.errors import UnknownCommunity

        community, lane = effect.key
        refused = 0
        if checked:
            try:
                applied = await self._writer.apply(community, lane, checked, via=Via(self, effect.hops or 0))
                refused = len(applied.refused)
            except UnknownCommunity:
                refused = 0  # left while the batch was on its way
        self._applied_bytes(len(effect.packed))
        state = lane_state(self._store, effect.key)
        if state is not None:
            self.post(events.Applied(effect.key, state, ids, refused, effect.credit, effect.turn))

    async def _fetch(self, effect: events.Fetch) -> None:
        if effect.use is events.Use.LIVE:
            self.post(await self._writer.read(lambda store: _collect(store, effect, effect.budget)))
            return
        async with self._bulk:
            part = await self._pace.turn()
            fetched = await self._writer.read(lambda store: _collect(store, effect, part))
            self._read_ahead += len(fetched.packed)
            self.post(fetched)

    async def _ask(self, effect: events.AskReconciliation) -> None:
        key, message, list_from, turn = effect.key, effect.message, effect.list_from, effect.turn

        def work(store: "Store") -> events.Reconciled:
            cut = key[1] != AUTHORITY and bool(store.authority(key[0]).cut)
            with store.reconciliation(*key) as storage:
                if message is not None:
                    step = negentropy.reconcile(storage, message)
                    return events.Reconciled(
                        key, step.reply, tuple(step.have), tuple(step.need), newest_first=cut, turn=turn
                    )
                if list_from is not None:
                    listing, list_next = negentropy.list_ids(storage, list_from)
                    return events.Reconciled(key, listing, (), (), list_next, turn=turn)
                return events.Reconciled(key, negentropy.initiate(storage), (), (), turn=turn)

        await self._read_for_peer(key, work)

    async def _answer(self, key: LaneKey, message: bytes, turn: int) -> None:
        def work(store: "Store") -> events.Answered:
            with store.reconciliation(*key) as storage:
                return events.Answered(key, negentropy.respond(storage, message), turn)

        await self._read_for_peer(key, work)

    async def _order(self, key: LaneKey, ids: tuple[bytes, ...]) -> None:
        await self._read_for_peer(
            key, lambda store: events.Ordered(key, ids, tuple(store.sending_order(*key, ids)))
        )

    async def _find_missing(self, key: LaneKey, ids: tuple[bytes, ...]) -> None:
        await self._read_for_peer(key, lambda store: events.Missing(key, tuple(store.missing(*key, ids))))

    async def _read_for_peer(self, key: LaneKey, work: "Callable[[Store], events.Event]") -> None:
        from commonsnode_store.errors import UnknownCommunity

        try:
            self.post(await self._writer.read(work))
        except UnknownCommunity:
            return  # left meanwhile; the session hears of it by Leave


def lane_state(store: "Store", key: LaneKey) -> frames.LaneState | None:
    """Both fingerprints of a lane, or None where it is not followed (any more)."""
    from commonsnode_store.errors import UnknownCommunity

    try:
        state = store.lane_state(*key)
    except UnknownCommunity:
        return None
    return frames.LaneState(state.fingerprint, state.digest)


def _known(reason: str) -> str:
    return reason if reason in {each.value for each in Reason} else "an unknown reason"


def _open_batch(
    effect: events.Apply, size_max: int
) -> tuple[list[Checked | OfUnknownVersion], list[list[Signed]]]:
    """Unpack, and check at once what one thread does in a moment; of more, the parts that several may check."""
    signed = batches.unpack(effect.size, effect.packed, size_max=size_max)
    if len(signed) <= CHECK_STEP:
        return _check_all(effect.key, signed), []
    return [], [signed[at : at + CHECK_STEP] for at in range(0, len(signed), CHECK_STEP)]


def _check_all(key: LaneKey, part: Sequence[Signed]) -> list[Checked | OfUnknownVersion]:
    return [intake.check(*key, signed) for signed in part]


def _collect(store: "Store", effect: events.Fetch, part: int) -> events.Fetched:
    """Fill a batch from the front of the ids until the budget is used up, or so many bytes; one fits in any case."""
    from commonsnode_store.errors import UnknownCommunity

    chosen: list[Signed] = []
    taken: list[bytes] = []
    gone: list[bytes] = []
    left, used = effect.budget - 8, 8  # the head of the array
    for begin in range(0, len(effect.ids), FETCH_STEP):
        step = effect.ids[begin : begin + FETCH_STEP]
        try:
            found: Mapping[bytes, Signed] = {signed.id: signed for signed in store.fetch(*effect.key, step)}
        except UnknownCommunity:
            found = {}
        for changeset_id in step:
            signed = found.get(changeset_id)
            if signed is None:
                gone.append(changeset_id)
            elif batches.cost(signed) > left or (chosen and used + batches.cost(signed) > part):
                return _packed(effect, chosen, taken, gone)
            else:
                left -= batches.cost(signed)
                used += batches.cost(signed)
                chosen.append(signed)
            taken.append(changeset_id)
    return _packed(effect, chosen, taken, gone)


def _packed(
    effect: events.Fetch, chosen: list[Signed], taken: list[bytes], gone: list[bytes]
) -> events.Fetched:
    size, packed = batches.pack(chosen) if chosen else (0, b"")
    return events.Fetched(
        effect.key, effect.use, effect.budget, size, packed, tuple(taken), tuple(gone), effect.turn
    )


def _why(group: BaseExceptionGroup[BaseException]) -> PeerError:
    """The reason that ended a link, as far as it is one; an error of our own code is raised on."""
    from commonsnode.errors import Stopping
    from commonsnode_store.errors import StoreError

    leaves = list(_leaves(group))
    for error in leaves:
        if isinstance(error, PeerError):
            return error
    for error in leaves:
        if isinstance(error, ConnectionError | OSError):
            return PeerError(Reason.DONE, f"the connection is gone: {error}")
        if isinstance(error, Stopping):
            return PeerError(Reason.DONE, "this node is stopping")
        if isinstance(error, StoreError):
            return PeerError(Reason.INTERNAL, f"our own store: {error}")
    raise group


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
