"""Cuts: what of an author stands after a removal or a revocation.  SPEC.md, "Heads" (rules 16 to 18).

A cut names, per key and lane, the heads of what stood, and the ids at which the walk to their ancestors stops. A walk goes
on only from what stands itself. So whether something stands never depends on what is hidden in one node's history, and
two nodes that hold the same standing set have walked alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import ID_BYTES, KEY_BYTES, LANES

KeyLane: TypeAlias = tuple[bytes, str]
Conditions: TypeAlias = tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """What one removal or revocation lets stand."""

    heads: Mapping[KeyLane, frozenset[bytes]]
    without: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Condition:
    """Stands what any of these cuts reaches, and what names one of `anew`: a new grant, or a table that has the author again."""

    cuts: tuple[Cut, ...]
    anew: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Walk:
    """What of one key stands in one lane under all of some conditions. Changesets may be added in any order."""

    key: bytes
    lane: str
    conditions: Conditions
    standing: set[bytes] = field(default_factory=set)
    _refs: dict[bytes, Sequence[bytes]] = field(default_factory=dict)  # of each that was added
    _anew: dict[bytes, int] = field(default_factory=dict)  # bit per condition that it meets by naming
    _reached: dict[bytes, int] = field(default_factory=dict)  # bit per cut that reaches it; held or not
    _masks: list[int] = field(default_factory=list)  # the bits of the cuts of each condition
    _stops: dict[bytes, int] = field(
        default_factory=dict
    )  # where a walk ends → the bits of the cuts that say so

    def __post_init__(self) -> None:
        bit = 1
        for condition in self.conditions:
            mask = 0
            for cut in condition.cuts:
                mask |= bit
                for id_ in cut.without:
                    self._stops[id_] = self._stops.get(id_, 0) | bit
                for head in cut.heads.get((self.key, self.lane), ()):
                    if head not in cut.without:
                        self._reached[head] = self._reached.get(head, 0) | bit
                bit <<= 1
            self._masks.append(mask)

    def add(self, id_: bytes, refs: Sequence[bytes], names: Iterable[bytes] | None = None) -> list[bytes]:
        """Take in a changeset of this key and lane; names: refs, and in `authority` the tables that it names.

        Returns what stands now and did not before: it, and what it refs.
        """
        if id_ in self._refs:
            return []
        self._refs[id_] = refs
        met = 0
        for n, condition in enumerate(self.conditions):
            if condition.anew and not condition.anew.isdisjoint(refs if names is None else names):
                met |= 1 << n
        self._anew[id_] = met
        return self._settle(id_)

    def forget(self, ids: Iterable[bytes]) -> None:
        """Let go of what does not stand and is not kept: nothing that stands was reached through it."""
        for id_ in ids:
            if id_ not in self.standing and self._refs.pop(id_, None) is not None:
                del self._anew[id_]

    def way_to(self, id_: bytes) -> set[bytes]:
        """It, and all that stands and from which the walk came to it: without these nobody else would find it."""
        referrers: dict[bytes, list[bytes]] = {}
        for of in self.standing:
            if self._reached.get(of):
                for ref in self._refs[of]:
                    referrers.setdefault(ref, []).append(of)
        found, todo = {id_}, [id_]
        while todo:
            for of in referrers.get(todo.pop(), ()):
                if of not in found:
                    found.add(of)
                    todo.append(of)
        return found

    def _stands(self, id_: bytes) -> bool:
        reached, met = self._reached.get(id_, 0), self._anew[id_]
        return all(reached & mask or met >> n & 1 for n, mask in enumerate(self._masks))

    def _settle(self, first: bytes) -> list[bytes]:
        new: list[bytes] = []
        todo = [first]
        while todo:
            id_ = todo.pop()
            if id_ not in self._refs or not self._stands(id_):
                continue
            if id_ not in self.standing:
                self.standing.add(id_)
                new.append(id_)
            reached = self._reached.get(id_, 0)
            if not reached:
                continue
            for ref in self._refs[id_]:
                before = self._reached.get(ref, 0)
                after = before | reached & ~self._stops.get(ref, 0)
                if after != before:
                    self._reached[ref] = after
                    todo.append(ref)
        return new


def may_stand(conditions: Conditions, key: bytes, lane: str) -> bool:
    """Whether anything of a key in a lane can meet all of these: for each, a cut names heads there, or a changeset may name `anew`."""
    return all(
        condition.anew or any(cut.heads.get((key, lane)) for cut in condition.cuts)
        for condition in conditions
    )


def cut_of(values: Mapping[str, Value]) -> Cut | None:
    """Read `heads` ([[key, lane, [id …]] …]) and `without` ([id …]); left out: none. None where they have another form."""
    heads_value, without_value = values.get("heads"), values.get("without")
    without = _ids([] if without_value is None else without_value)
    if without is None or not (heads_value is None or isinstance(heads_value, list)):
        return None
    heads: dict[KeyLane, frozenset[bytes]] = {}
    for item in heads_value or ():
        if not isinstance(item, list) or len(item) != 3:
            return None
        key, lane, ids = item
        found = _ids(ids)
        if type(key) is not bytes or len(key) != KEY_BYTES or type(lane) is not str or found is None:
            return None
        if lane in LANES:
            heads[key, lane] = heads.get((key, lane), frozenset()) | found
    return Cut(heads, without)


def fields_of_cut(cut: Cut) -> dict[str, Value]:
    """The fields that say a cut, in the one order in which they are written."""
    return {
        "heads": [
            [key, lane, [*sorted(cut.heads[key, lane])]]
            for key, lane in sorted(cut.heads)
            if cut.heads[key, lane]
        ],
        "without": [*sorted(cut.without)],
    }


def _ids(value: Value) -> frozenset[bytes] | None:
    if not isinstance(value, list):
        return None
    ids = [item for item in value if type(item) is bytes and len(item) == ID_BYTES]
    return frozenset(ids) if len(ids) == len(value) else None
