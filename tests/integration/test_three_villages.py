"""Any order, any repetition, any path: villages that hold the same changesets show the same inventory.

Three nodes with real stores and the daemon's own sessions edit, part, meet, crash, come back from old backups, follow
different lanes and have wrong clocks; at the end all meet, and nothing that anybody wrote is missing.
"""

import shutil
import tempfile
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from commonsnode import RELEASED_MS
from commonsnode.authoring import Author, Entry, superseding
from commonsnode_protocol import changeset as changesets
from commonsnode_protocol import frames, intake, negentropy, record
from commonsnode_protocol.canonical import Value, encode
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, Signed, public_key
from commonsnode_protocol.clock import plausible_now
from commonsnode_protocol.intake import Checked
from commonsnode_store.answers import RecordView
from commonsnode_store.store import Store
from session_world import CHARTER, COMMUNITY, FOUNDER, Node, World

NAMES = ("alta", "media", "baja")
SEEDS = (FOUNDER, bytes([2]) * 32, bytes([3]) * 32)
CLOCKS = (0, RELEASED_MS, RELEASED_MS + 1_000, RELEASED_MS + 90 * 86_400_000, 4_102_444_800_000, 2**53 - 1)
ALL_LANES = (AUTHORITY, PUBLIC, KNOWLEDGE)


class Village(Node):
    """A node with a real store in a folder of its own."""

    def __init__(self, folder: Path, seed: bytes, lanes: tuple[str, ...]) -> None:
        super().__init__()
        self.folder, self.seed, self.lanes = folder, seed, lanes
        folder.mkdir()
        self.store = Store.open(folder / "node.sqlite3", create=True)
        self.store.follow(COMMUNITY, lanes)
        self.clock_ms = RELEASED_MS

    def remove_files(self) -> None:
        for path in self.folder.glob("node.sqlite3*"):
            path.unlink()

    # What the simulated sessions ask of it

    def take(self, lane: str, batch_: Iterable[Signed]) -> tuple[list[bytes], int]:
        if lane not in self.lanes:
            return [], 0
        checked = [c for c in (intake.check(COMMUNITY, lane, s) for s in batch_) if isinstance(c, Checked)]
        applied = self.store.apply(COMMUNITY, lane, checked, seen_ms=self.clock_ms)
        return list(applied.new), len(applied.refused)

    def state(self, lane: str) -> frames.LaneState:
        state = self.store.lane_state(COMMUNITY, lane)
        return frames.LaneState(state.fingerprint, state.digest)

    def begin(self, lane: str) -> bytes:
        with self.store.reconciliation(COMMUNITY, lane) as storage:
            return negentropy.initiate(storage)

    def list_ids(self, lane: str, begin: int) -> tuple[bytes, int | None]:
        with self.store.reconciliation(COMMUNITY, lane) as storage:
            return negentropy.list_ids(storage, begin)

    def reconcile(self, lane: str, message: bytes) -> negentropy.Step:
        with self.store.reconciliation(COMMUNITY, lane) as storage:
            return negentropy.reconcile(storage, message)

    def respond(self, lane: str, message: bytes) -> bytes:
        with self.store.reconciliation(COMMUNITY, lane) as storage:
            return negentropy.respond(storage, message)

    def missing(self, lane: str, ids: Iterable[bytes]) -> tuple[bytes, ...]:
        return tuple(self.store.missing(COMMUNITY, lane, list(ids)))

    def fetch(self, lane: str, ids: Iterable[bytes]) -> dict[bytes, Signed]:
        return {signed.id: signed for signed in self.store.fetch(COMMUNITY, lane, list(ids))}

    # What a person does there

    @property
    def author(self) -> Author:
        now_ms = plausible_now(self.clock_ms, RELEASED_MS, 0)
        return Author(self.store, self.seed, now_ms, lambda *_: None)

    def shown(self, lane: str) -> dict[bytes, RecordView]:
        return {view.record: view for view in self.store.export(COMMUNITY) if view.lane == lane}

    def standing(self, lane: str) -> dict[bytes, Signed]:
        with self.store.reconciliation(COMMUNITY, lane) as storage:
            ids = [changeset_id for _, changeset_id in storage.items(0, storage.size())]
        return self.fetch(lane, ids)


class Villages(RuleBasedStateMachine):
    """See the module."""

    @initialize(lanes=st.tuples(*[st.sampled_from([ALL_LANES, (AUTHORITY, PUBLIC)])] * 3))
    def three_villages(self, lanes: tuple[tuple[str, ...], ...]) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.villages = [
            Village(self.root / name, seed, (ALL_LANES, *lanes[1:])[n])
            for n, (name, seed) in enumerate(zip(NAMES, SEEDS, strict=True))
        ]
        self.villages[0].take(AUTHORITY, [CHARTER])
        self.written: dict[str, set[bytes]] = {lane: set() for lane in ALL_LANES}
        self.nonce = 0
        self.backups: dict[int, Path] = {}

    def teardown(self) -> None:
        if not hasattr(self, "villages"):
            return
        try:
            self.all_meet_at_the_end()
        finally:
            for village in self.villages:
                village.store.close()
            shutil.rmtree(self.root)

    who = st.integers(0, 2)

    @rule(
        who=who,
        lane=st.sampled_from([PUBLIC, KNOWLEDGE]),
        title=st.text(max_size=8),
        clock_ms=st.sampled_from(CLOCKS),
    )
    def add(self, who: int, lane: str, title: str, clock_ms: int) -> None:
        village = self.villages[who]
        if lane not in village.lanes or village.store.authority(COMMUNITY).table is None:
            return
        village.clock_ms = clock_ms
        self.nonce += 1
        nonce = self.nonce.to_bytes(16, "big")
        key = record.typed_id(COMMUNITY, public_key(village.seed), nonce)
        entry: Entry = (key, "resource", {"nonce": (nonce, ()), "title": (title, ())})
        self.written[lane].update(village.author.write(COMMUNITY, lane, [entry]).ids)

    @rule(
        who=who,
        lane=st.sampled_from([PUBLIC, KNOWLEDGE]),
        which=st.integers(0, 9),
        field=st.sampled_from(["title", "condition", "deleted"]),
        value=st.sampled_from([None, True, 1, "new", "worn", b"\0", ["a", {"b": -1}]]),
        clock_ms=st.sampled_from(CLOCKS),
    )
    def edit(self, who: int, lane: str, which: int, field: str, value: Value, clock_ms: int) -> None:
        village = self.villages[who]
        things = sorted(village.shown(lane).items()) if lane in village.lanes else []
        if not things:
            return
        village.clock_ms = clock_ms
        view = things[which % len(things)][1]
        seen = [(view.record, view.kind, field, view.fields.get(field, ()))]
        supersedes = superseding(village.store, COMMUNITY, lane, seen)[0]
        entry: Entry = (view.record, view.kind, {field: (value, supersedes)})
        self.written[lane].update(village.author.write(COMMUNITY, lane, [entry]).ids)

    @rule(who=st.integers(1, 2))
    def grant(self, who: int) -> None:
        founder, person = self.villages[0], public_key(self.villages[who].seed)
        nonce = bytes([who]) * 16
        key = record.typed_id(COMMUNITY, public_key(FOUNDER), nonce)
        values: dict[str, Value] = {"nonce": nonce, "person": person, "role": "member", "table": COMMUNITY}
        entry: Entry = (key, "grant", {name: (value, ()) for name, value in values.items()})
        founder.author.write(COMMUNITY, AUTHORITY, [entry])

    @rule(
        pair=st.sampled_from(list(combinations(range(3), 2))),
        seed=st.integers(0, 2**16),
        steps=st.integers(1, 200),
    )
    def meet_and_be_cut_off(self, pair: tuple[int, int], seed: int, steps: int) -> None:
        world = self.world(seed, pair)
        for _ in range(steps):
            busy = [end for end in world.ends if end.events or end.pending or end.wire]
            if not busy:
                break
            world.random.choice(busy).step()

    @rule(pair=st.sampled_from(list(combinations(range(3), 2))), seed=st.integers(0, 2**16))
    def meet(self, pair: tuple[int, int], seed: int) -> None:
        world = self.world(seed, pair)
        world.run()
        a, b = (self.villages[n] for n in pair)
        for lane in set(a.lanes) & set(b.lanes):
            assert a.state(lane) == b.state(lane)
        assert all(all(end.session.shared().values()) for end in world.ends)

    def world(self, seed: int, pair: tuple[int, int]) -> World:
        world = World(seed, 0)
        world.nodes = [self.villages[n] for n in pair]
        world.connect(0, 1)
        return world

    @rule(who=who)
    def power_cut(self, who: int) -> None:
        """The files as they are at this moment, without a clean close, are what the next start finds."""
        village = self.villages[who]
        for part in ("node.sqlite3", "node.sqlite3-wal"):
            if (village.folder / part).exists():
                shutil.copy(village.folder / part, self.root / part)
        village.store.close()
        village.remove_files()
        for part in ("node.sqlite3", "node.sqlite3-wal"):
            if (self.root / part).exists():
                shutil.move(self.root / part, village.folder / part)
        village.store = Store.open(village.folder / "node.sqlite3")

    @rule(who=who)
    def back_up(self, who: int) -> None:
        village = self.villages[who]
        village.store.close()
        self.backups[who] = self.root / f"backup-{who}.sqlite3"
        shutil.copy(village.folder / "node.sqlite3", self.backups[who])
        village.store = Store.open(village.folder / "node.sqlite3")

    @precondition(lambda self: self.backups)
    @rule(who=who)
    def come_back_from_an_old_backup(self, who: int) -> None:
        """As after a dead SD card: what was written since, and reached nobody, is gone; the author's chain forks."""
        if who not in self.backups:
            return
        village = self.villages[who]
        elsewhere = {
            lane: {
                i
                for other in self.villages
                if other is not village and lane in other.lanes
                for i in other.standing(lane)
            }
            for lane in ALL_LANES
        }
        village.store.close()
        village.remove_files()
        shutil.copy(self.backups[who], village.folder / "node.sqlite3")
        village.store = Store.open(village.folder / "node.sqlite3")
        for lane in village.lanes:
            held = elsewhere[lane] | set(self.all_ids(village, lane))
            self.written[lane] = {
                i for i in self.written[lane] if i in held or self.elsewhere_waiting(i, lane)
            }

    def all_ids(self, village: Village, lane: str) -> list[bytes]:
        missing = set(village.store.missing(COMMUNITY, lane, list(self.written[lane])))
        return [i for i in self.written[lane] if i not in missing]

    def elsewhere_waiting(self, changeset_id: bytes, lane: str) -> bool:
        return any(
            lane in village.lanes and not village.store.missing(COMMUNITY, lane, [changeset_id])
            for village in self.villages
        )

    @invariant()
    def same_set_same_state(self) -> None:
        if not hasattr(self, "villages"):
            return
        for a, b in combinations(self.villages, 2):
            for lane in set(a.lanes) & set(b.lanes) - {AUTHORITY}:
                if a.state(lane) == b.state(lane):
                    assert in_bytes(a.shown(lane)) == in_bytes(b.shown(lane))

    def all_meet_at_the_end(self) -> None:
        for who in (1, 2):
            self.villages[0].take(AUTHORITY, [CHARTER])
            self.grant_if_new(who)
        for pair in ((0, 1), (0, 2), (1, 2), (0, 1), (0, 2)):
            self.world(1, pair).run()
        for village in self.villages:
            assert village.store.check() == []
            for lane in set(village.lanes) - {AUTHORITY}:
                held = village.standing(lane)
                assert set(held) == self.written[lane]
                self.agrees_with_the_definition(village, lane, held)

    def grant_if_new(self, who: int) -> None:
        authority = self.villages[0].store.authority(COMMUNITY)
        if not authority.writes(public_key(self.villages[who].seed)):
            self.grant(who)

    def agrees_with_the_definition(self, village: Village, lane: str, held: dict[bytes, Signed]) -> None:
        state = record.state(changesets.decode(signed.body) for signed in held.values())
        expected = {
            key.record: {
                name: [(w.time, w.changeset, w.author, w.value) for w in writes]
                for name, writes in fields.items()
            }
            for key, fields in state.items()
        }
        shown = {
            i: {
                name: [(w.time, w.changeset, w.author, w.value) for w in writes]
                for name, writes in view.fields.items()
            }
            for i, view in village.shown(lane).items()
        }
        assert shown == expected


def in_bytes(shown: dict[bytes, RecordView]) -> bytes:
    """The whole state, byte for byte: a changed conflict would show as much as a changed value."""
    return encode(
        [
            [
                key,
                view.kind,
                {
                    name: [[w.time, w.changeset, w.author, w.value] for w in writes]
                    for name, writes in view.fields.items()
                },
            ]
            for key, view in sorted(shown.items())
        ],
        20,
    )


Villages.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestVillages = Villages.TestCase
