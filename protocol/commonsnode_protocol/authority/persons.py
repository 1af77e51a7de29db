"""The keys of a person: which there are, what is cut of each, and which acts of theirs stand.  SPEC.md, "Persons" (rule 22).

Only a person's first key and recovery keys add keys: so a stolen device makes no further ones. Keys of one person can only
cut one another deeper, never bring back what another of them cut, so no accomplice's revocation helps a thief. In three
levels, each above the next: a steward; a recovery key; the devices, the first key among them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from commonsnode_protocol.authority import statements
from commonsnode_protocol.authority.acts import Entry, KeyAdded, KeyRevoked
from commonsnode_protocol.authority.cuts import Condition, Conditions, Walk
from commonsnode_protocol.changeset import AUTHORITY

NO_IDS: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Pool:
    """The changesets of lane `authority` by author; also apart, since they are few, those about keys and about tables."""

    community: bytes
    by_author: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    on_keys: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    on_proposals: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    on_tables: dict[bytes, Entry] = field(default_factory=dict)  # certificates, successions, acks, objections
    signatures: dict[tuple[bytes, bytes, bytes], bool] = field(
        default_factory=dict
    )  # what was verified already

    def add(self, entry: Entry) -> None:
        author = entry.changeset.author
        self.by_author.setdefault(author, {})[entry.id] = entry
        if entry.on_keys:
            self.on_keys.setdefault(author, {})[entry.id] = entry
        if entry.on_proposals:
            self.on_proposals.setdefault(author, {})[entry.id] = entry
        if entry.of_table is not None:
            self.on_tables[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        author = entry.changeset.author
        del self.by_author[author][entry.id]
        self.on_keys.get(author, {}).pop(entry.id, None)
        self.on_proposals.get(author, {}).pop(entry.id, None)
        self.on_tables.pop(entry.id, None)

    def agrees(self, act: KeyAdded) -> bool:
        """Whether the new key signed that it is this person's."""
        known = (act.person, act.key, act.signature)
        if known not in self.signatures:
            context = statements.RECOVERY if act.recovery else statements.DEVICE
            payload = self.community + act.person
            self.signatures[known] = statements.holds(context, payload, act.key, act.signature)
        return self.signatures[known]


@dataclass(slots=True)
class Key:
    """One key of a person."""

    recovery: bool = False
    node: bool = False
    conditions: Conditions = ()  # none: all that it signed stands
    adds: dict[tuple[bytes, bool, bool], bytes] = field(default_factory=dict)
    """Who added it, as a recovery key or not, for a node's acts only or not → the changeset of least id; none: the first key."""


@dataclass(frozen=True, slots=True)
class Person:
    """What a person's own acts come to, under what others cut."""

    first: bytes
    keys: Mapping[bytes, Key]
    kept: frozenset[
        bytes
    ]  # stand though their author is cut: revocations among the keys, and how their authors came to be keys
    walks: Mapping[bytes, Walk]  # of the keys that are cut, in lane `authority`
    claimed: frozenset[bytes]  # its keys, and those that would be if its keys cut nothing of one another

    def stands(self, entry: Entry) -> bool:
        """Whether this changeset is in the set because of this person."""
        return self.counts(entry) or entry.id in self.kept

    def counts(self, entry: Entry) -> bool:
        """Whether it also has effect: what is kept of a cut author is kept for its revocation of a key only."""
        author = entry.changeset.author
        if author not in self.keys:
            return False
        walk = self.walks.get(author)
        return walk is None or entry.id in walk.standing

    def adds(self, entry: Entry) -> bool:
        """Whether a further changeset by one of the claimed keys stands, and changes nothing else of this person."""
        return not entry.on_keys and not self.walks and entry.changeset.author in self.keys


def person_of(
    first: bytes,
    pool: Pool,
    conditions: Conditions,
    by_stewards: Mapping[bytes, Condition],
) -> Person:
    """Value the acts of a person's keys.

    conditions: of the person as a whole (a removal, revocations); they hold for every key.
    by_stewards: key → what stewards let stand of it.
    """
    if not conditions and not by_stewards and first not in pool.on_keys:
        return Person(first, {first: Key()}, NO_IDS, {}, frozenset((first,)))  # as most are
    above = {key: (condition,) for key, condition in by_stewards.items()}
    keys, walks = _reach(first, pool, conditions, above)
    claimed = frozenset(keys)
    kept: set[bytes] = set()
    for recovery in (True, False):
        decided = dict(above)
        found = _revocations(first, pool, keys, walks, recovery=recovery)
        if not found:
            continue
        for entry, act in found:
            kept |= _way_to(keys, walks, entry)
            target = keys.get(act.key)
            outranks = recovery or target is None or not target.recovery
            if act.key not in above and outranks:
                decided[act.key] = (*decided.get(act.key, ()), Condition((act.cut,)))
        above = decided
        keys, walks = _reach(first, pool, conditions, above)
    return Person(first, keys, frozenset(kept), walks, claimed)


def _reach(
    first: bytes, pool: Pool, conditions: Conditions, by_key: Mapping[bytes, Conditions]
) -> tuple[dict[bytes, Key], dict[bytes, Walk]]:
    """The keys that the first one and recovery keys added, as far as what they signed stands."""
    keys = {first: Key()}
    walks: dict[bytes, Walk] = {}
    todo = [first]
    while todo:
        key = todo.pop()
        of = keys[key]
        of.conditions = (*conditions, *by_key.get(key, ()))
        if of.conditions and key not in walks:
            walks[key] = _walked(key, of.conditions, pool.by_author.get(key, {}).values())
        if key != first and not of.recovery:
            continue
        for entry, act in _on_keys(key, pool, walks.get(key)):
            if not isinstance(act, KeyAdded) or act.person != first or not pool.agrees(act):
                continue
            known = keys.get(act.key)
            if known is None:
                keys[act.key] = known = Key(act.recovery, act.node)
                todo.append(act.key)
            elif act.recovery and not known.recovery:
                known.recovery = True
                todo.append(act.key)
            known.node = known.node and act.node
            known.adds.setdefault((key, act.recovery, act.node), entry.id)  # they come by id
    return keys, walks


def _walked(key: bytes, conditions: Conditions, entries: Iterable[Entry]) -> Walk:
    walk = Walk(key, AUTHORITY, conditions)
    for entry in entries:
        walk.add(entry.id, entry.changeset.refs, entry.names)
    return walk


def _on_keys(key: bytes, pool: Pool, walk: Walk | None) -> list[tuple[Entry, KeyAdded | KeyRevoked]]:
    """The acts about keys that this key signed and that stand, by id."""
    entries = pool.on_keys.get(key)
    if not entries:
        return []
    return [
        (entries[id_], act)
        for id_ in sorted(entries)
        if walk is None or id_ in walk.standing
        for act in entries[id_].acts
        if isinstance(act, KeyAdded | KeyRevoked)
    ]


def _revocations(
    first: bytes, pool: Pool, keys: Mapping[bytes, Key], walks: Mapping[bytes, Walk], *, recovery: bool
) -> list[tuple[Entry, KeyRevoked]]:
    """The revocations of one level that count: one per author and target, of least id."""
    found: list[tuple[Entry, KeyRevoked]] = []
    for key, of in keys.items():
        if of.recovery != recovery or of.node:
            continue
        targets: set[bytes] = set()
        for entry, act in _on_keys(key, pool, walks.get(key)):
            if isinstance(act, KeyRevoked) and act.person == first and act.key not in targets:
                targets.add(act.key)
                found.append((entry, act))
    return sorted(found, key=lambda pair: (pair[0].id, pair[1].key))


def _way_to(keys: Mapping[bytes, Key], walks: Mapping[bytes, Walk], entry: Entry) -> set[bytes]:
    """A revocation among keys with all by which everybody finds that it counts.

    How its author came to be one of the person's keys, back to the first key; and where these are cut as a person, the
    changesets by which the walk comes to each.
    """
    author = entry.changeset.author
    found = _walked_to(walks, author, entry.id)
    seen, todo = {author}, [author]
    while todo:
        for (adder, _, _), changeset in keys[todo.pop()].adds.items():
            found |= _walked_to(walks, adder, changeset)
            if adder not in seen:
                seen.add(adder)
                todo.append(adder)
    return found


def _walked_to(walks: Mapping[bytes, Walk], key: bytes, changeset: bytes) -> set[bytes]:
    walk = walks.get(key)
    return {changeset} if walk is None else walk.way_to(changeset)
