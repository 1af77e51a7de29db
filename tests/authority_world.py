"""A community in one process: keys with names, nodes that hold, refuse and forget as the rules say, and meetings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from random import Random

from commonsnode_protocol.authority import Authority, Evaluator, evaluate, standing, writing
from commonsnode_protocol.authority.settings import Settings
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import (
    AUTHORITY,
    KNOWLEDGE,
    PUBLIC,
    Changeset,
    build,
    decode,
    public_key,
)

ROUNDS_MAX = 40  # of one meeting: each must bring something new
LANES = (PUBLIC, KNOWLEDGE)


@cache
def seed_of(name: str) -> bytes:
    return name.encode().ljust(32, b".")


@cache
def key_of(name: str) -> bytes:
    return public_key(seed_of(name))


_nonces = count(1)


def nonce() -> bytes:
    """Another one each time."""
    return next(_nonces).to_bytes(16, "big")


def begin() -> None:
    """Count nonces from 1 again, so that a universe is the same whenever it is run."""
    global _nonces
    _nonces = count(1)


def dated(draft: Draft, author: bytes, time: int = 1) -> Changeset:
    return decode(
        build(
            community=draft.community, lane=AUTHORITY, author=author, time=time,
            refs=draft.refs, changes=draft.changes,
        )
    )  # fmt: skip


def founded(founder: str = "F", settings: Settings | None = None) -> Changeset:
    key = key_of(founder)
    return dated(writing.charter(key, nonce(), "Valley", settings or Settings()), key)


def written(
    community: bytes, author: bytes, lane: str, refs: Iterable[bytes] = (), title: str = "Drill"
) -> Changeset:
    """Something in a data lane."""
    return decode(
        build(
            community=community, lane=lane, author=author, time=1, refs=sorted(set(refs)),
            changes=[(nonce(), "resource", {"title": (title, ())})],
        )
    )  # fmt: skip


@dataclass
class Node:
    """What one node holds: what stands, what stood once, and its own."""

    community: bytes
    lanes: Sequence[str] = LANES
    evaluator: Evaluator = field(init=False)
    data: dict[str, dict[bytes, Changeset]] = field(default_factory=dict)
    own: set[bytes] = field(default_factory=set)
    stood: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.evaluator = Evaluator(self.community)
        self.data = {lane: {} for lane in self.lanes}

    @property
    def authority(self) -> Authority:
        return self.evaluator.authority

    def write(self, changeset: Changeset) -> Changeset:
        """Written at this node: kept, whether it stands or not."""
        self.own.add(changeset.id)
        self.take(changeset.lane, [changeset])
        return changeset

    def take(self, lane: str, *batches: Sequence[Changeset]) -> None:
        """What comes in one meeting is judged together; then what never stood is forgotten."""
        if lane != AUTHORITY:
            if lane in self.data:
                for batch in batches:
                    self._take_data(lane, batch)
            return
        fresh: list[bytes] = []
        for batch in batches:
            fresh += [each.id for each in batch if self.evaluator.entry(each.id) is None]
            self._add(batch)
            self.stood |= self.evaluator.standing
        self.evaluator.forget(id_ for id_ in fresh if id_ not in self.own | self.stood)
        for of in self.lanes:
            self._take_data(of, ())

    def _add(self, batch: Sequence[Changeset]) -> None:
        """A step says all that it changed: what rose and fell, and whose writings are judged otherwise."""
        stood, data = frozenset(self.evaluator.standing), dict(self.authority.data)
        step = self.evaluator.add(batch)
        stands, now = frozenset(self.evaluator.standing), self.authority.data
        assert (step.rose, step.fell) == (stands - stood, stood - stands), "a step that hides what it did"
        changed = {key for key in data.keys() | now.keys() if data.get(key, ()) != now.get(key, ())}
        assert changed <= step.authors, "a step that hides whose writings it touches"

    def _take_data(self, lane: str, batch: Sequence[Changeset]) -> None:
        held = self.data[lane] | {each.id: each for each in batch}
        stands = standing_of(self.evaluator, held.values(), lane)
        self.stood |= stands
        self.data[lane] = {id_: each for id_, each in held.items() if id_ in self.stood | self.own}

    def standing(self, lane: str) -> frozenset[bytes]:
        if lane == AUTHORITY:
            return frozenset(self.evaluator.standing)
        return frozenset(standing_of(self.evaluator, self.data[lane].values(), lane))

    def changesets(self, lane: str, ids: Iterable[bytes]) -> list[Changeset]:
        if lane == AUTHORITY:
            return [entry.changeset for id_ in ids if (entry := self.evaluator.entry(id_)) is not None]
        return [self.data[lane][id_] for id_ in ids]

    def held(self) -> list[Changeset]:
        return [entry.changeset for entry in self.evaluator.entries()]

    def stands(self, id_: bytes) -> bool:
        return any(id_ in self.standing(lane) for lane in (AUTHORITY, *self.lanes))

    def standing_data(self) -> writing.Held:
        """By key and lane what stands here, with refs: what a revocation names its heads from."""
        found: dict[tuple[bytes, str], dict[bytes, Sequence[bytes]]] = {}
        for lane in self.lanes:
            for each in self.changesets(lane, self.standing(lane)):
                found.setdefault((each.author, lane), {})[each.id] = each.refs
        return found

    def add_thing(self, author: bytes, lane: str) -> Changeset:
        """Write something as an honest node does: it refs its own heads, and the grant that admitted it again."""
        own = {id_: each for id_, each in self.data[lane].items() if each.author == author}
        stands = self.standing(lane)
        own = {id_: each for id_, each in own.items() if id_ in stands} or own
        heads = own.keys() - {ref for each in own.values() for ref in each.refs}
        anew = writing.anew(self.evaluator, author, lane)
        return self.write(written(self.community, author, lane, {*heads, *anew}))


def standing_of(evaluator: Evaluator, changesets: Iterable[Changeset], lane: str) -> set[bytes]:
    by_author: dict[bytes, list[Changeset]] = {}
    for each in changesets:
        by_author.setdefault(each.author, []).append(each)
    found: set[bytes] = set()
    for author, every in by_author.items():
        found |= standing(evaluator.verdict(author, lane), *every)
    return found


def meet(
    a: Node, b: Node, order: Callable[[list[Changeset]], None] = lambda _: None, one_by_one: bool = False
) -> None:
    """One meeting: `authority` first, to equality; then each lane that both follow."""
    for lane in (AUTHORITY, *(lane for lane in a.lanes if lane in b.lanes)):
        for _ in range(ROUNDS_MAX):
            left, right = a.standing(lane), b.standing(lane)
            if left == right:
                break
            before = (left, right)
            _offer(a, b, lane, left - right, order, one_by_one)
            _offer(b, a, lane, right - left, order, one_by_one)
            assert (a.standing(lane), b.standing(lane)) != before, (
                f"{lane}: a meeting that brings nothing new"
            )
        assert a.standing(lane) == b.standing(lane), f"{lane}: not equal after {ROUNDS_MAX} rounds"


def _offer(
    giver: Node, taker: Node, lane: str, ids: Iterable[bytes],
    order: Callable[[list[Changeset]], None], one_by_one: bool,
) -> None:  # fmt: skip
    batch = sorted(giver.changesets(lane, ids), key=lambda each: each.id)
    order(batch)
    taker.take(lane, *([[each] for each in batch] if one_by_one else [batch]))


def check(node: Node, random: Random) -> None:
    """What a node says is a function of what it holds, in any order, and needs nothing that does not stand."""
    held = node.held()
    random.shuffle(held)
    anew = Evaluator(node.community)
    anew.add(held)
    assert anew.standing == node.evaluator.standing, "step by step is not all at once"
    assert _said(anew) == _said(node.evaluator), "step by step is not all at once"
    stands = [each for each in held if each.id in node.evaluator.standing]
    small = Evaluator(node.community)
    small.add(stands)
    assert small.standing == node.evaluator.standing, "what does not stand decides something"
    assert _said(small) == _said(node.evaluator), "what does not stand decides something"

    for key in node.authority.data:
        persons = {
            first: member
            for first, member in node.authority.people.items()
            if member.person is not None and key in member.person.keys
        }
        assert node.authority.persons_of(key) == tuple(sorted(persons)), (
            "whose key it is was not kept up to date"
        )
        assert node.authority.reads(key) == (key in node.evaluator.readers), "who reads is said in two ways"


def _said(held: Evaluator) -> tuple[object, ...]:
    authority = held.authority
    return (
        authority.table, authority.tables, authority.members, authority.data, authority.acts, authority.apart, authority.lost,
        authority.holders, authority.cut, held.readers, held.shut_out,
    )  # fmt: skip


def said(community: bytes, changesets: Iterable[Changeset]) -> Authority:
    return evaluate(community, changesets)


Fields = Mapping[str, Value]
