"""Joins by invitation: which are kept.  SPEC.md, "Invitations" (rules 20 and 21).

Depends on the standing acts of stewards only. Time plays no part. What is not kept is not stored, so a link of one use
costs nobody more than one join, however many are made with it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from commonsnode_protocol.authority import statements
from commonsnode_protocol.authority.acts import Entry, Invitation, Withdrawal
from commonsnode_protocol.authority.stewardship import Stewardship


@dataclass(frozen=True, slots=True)
class Moved:
    """What is to be valued anew once the joins of an invitation were chosen."""

    joins: frozenset[bytes]  # kept now and not before, or the reverse
    persons: frozenset[bytes]  # who made these; where the invitation is another one now, all who came by it


NOTHING_MOVED = Moved(frozenset(), frozenset())


@dataclass(slots=True)
class Chosen:
    """The joins of one invitation that are kept, and by what they were chosen."""

    by: tuple[bytes | None, frozenset[bytes]]  # the changesets of the invitation and of its withdrawals
    uses: int
    named: frozenset[bytes] | None  # the joins that withdrawals name; none: there are no withdrawals
    pinned: set[bytes]
    authors: set[bytes]


@dataclass(slots=True)
class Joins:
    """The joins that were made with each invitation's key, and those of them that are kept."""

    community: bytes
    made: dict[bytes, dict[bytes, Entry]] = field(
        default_factory=dict
    )  # invitation → changeset → entry; signed
    invitation_of: dict[bytes, bytes] = field(default_factory=dict)  # join → invitation
    kept: dict[bytes, set[bytes]] = field(default_factory=dict)  # invitation → joins
    of_person: dict[bytes, set[bytes]] = field(default_factory=dict)  # author → kept joins
    _chosen: dict[bytes, Chosen] = field(default_factory=dict)
    _new: dict[bytes, list[Entry]] = field(default_factory=dict)  # invitation → joins not valued yet

    def add(self, entry: Entry) -> bytes | None:
        """Take in a join; the invitation to value anew, or None where the invitation's key did not sign it."""
        assert entry.join is not None
        invitation = entry.join.invitation
        payload = self.community + entry.changeset.author
        if not statements.holds(statements.JOIN, payload, invitation, entry.join.signature):
            return None
        self.made.setdefault(invitation, {})[entry.id] = entry
        self.invitation_of[entry.id] = invitation
        self._new.setdefault(invitation, []).append(entry)
        return invitation

    def remove(self, entry: Entry) -> None:
        invitation = self.invitation_of.pop(entry.id, None)
        if invitation is not None:
            del self.made[invitation][entry.id]

    def unpinned(self) -> Iterator[Entry]:
        """The kept joins that no grant names."""
        for invitation, kept in self.kept.items():
            made = self.made.get(invitation, {})
            for id_ in kept - self._chosen[invitation].pinned:
                yield made[id_]

    def value_all(self, acts: Stewardship) -> None:
        """Choose anew which joins of every invitation are kept."""
        self.kept, self.of_person, self._chosen, self._new = {}, {}, {}, {}
        for invitation in self.made:
            self._choose_anew(invitation, acts)

    def value(self, invitation: bytes, acts: Stewardship, touched: Collection[bytes] = ()) -> Moved:
        """Choose which joins of this invitation are kept, after a step. touched: joins that may be pinned now, or no more.

        A link may have thousands of uses, so what changes few of them is settled without looking at all.
        """
        new = self._new.pop(invitation, [])
        before = self._chosen.get(invitation)
        if before is None or before.by != _by(invitation, acts):
            stayed = {*self.kept.get(invitation, ())}
            joins = self._choose_anew(invitation, acts)
            return self._moved(invitation, joins, stayed | joins)
        added: set[bytes] = set()
        if self._follow(invitation, before, acts, new, touched, added):
            joins = added
        else:
            joins = added | self._choose_anew(invitation, acts)
        return self._moved(invitation, joins, joins) if joins else NOTHING_MOVED

    def _moved(self, invitation: bytes, joins: set[bytes], by: set[bytes]) -> Moved:
        made = self.made.get(invitation, {})
        authors = frozenset(made[id_].changeset.author for id_ in by if id_ in made)
        return Moved(frozenset(joins), authors)

    def _follow(
        self,
        invitation: bytes,
        chosen: Chosen,
        acts: Stewardship,
        new: Iterable[Entry],
        touched: Collection[bytes],
        added: set[bytes],
    ) -> bool:
        """Go on from what is chosen; False where others may have to give way, so that all are chosen anew."""
        made, kept = self.made.get(invitation, {}), self.kept[invitation]
        for id_ in touched:
            if id_ in made and is_pinned(made[id_], acts) != (id_ in chosen.pinned):
                if id_ in chosen.pinned or id_ not in kept:
                    return False
                chosen.pinned.add(id_)  # it keeps the place that it has
        for entry in sorted(new, key=lambda entry: entry.id):
            author = entry.changeset.author
            if entry.id in kept:
                continue
            if is_pinned(entry, acts):
                return False
            if chosen.named is not None and entry.id not in chosen.named:
                continue
            if author in chosen.authors:
                own = self.of_person[author] & kept
                if own.isdisjoint(chosen.pinned) and entry.id < min(own):
                    return False
            elif len(chosen.authors) < chosen.uses:
                self._keep(invitation, entry)
                chosen.authors.add(author)
                added.add(entry.id)
            elif any(entry.id < other for other in kept - chosen.pinned):
                return False
        return True

    def _choose_anew(self, invitation: bytes, acts: Stewardship) -> set[bytes]:
        """Returns those that are kept now and were not, and the reverse."""
        made = self.made.get(invitation, {})
        before, after = self.kept.get(invitation, set()), _choose(made, invitation, acts)
        found = terms(invitation, acts)
        withdrawals = acts.withdrawals.get(invitation)
        self._chosen[invitation] = Chosen(
            _by(invitation, acts),
            found[1].uses if found is not None else 0,
            _named(withdrawals) if withdrawals else None,
            {id_ for id_ in after if is_pinned(made[id_], acts)},
            {made[id_].changeset.author for id_ in after},
        )
        for id_ in before - after:
            self.of_person[made[id_].changeset.author].discard(id_)
        self.kept[invitation] = before & after
        for id_ in after - before:
            self._keep(invitation, made[id_])
        return before ^ after

    def _keep(self, invitation: bytes, entry: Entry) -> None:
        self.kept[invitation].add(entry.id)
        self.of_person.setdefault(entry.changeset.author, set()).add(entry.id)


def terms(invitation: bytes, acts: Stewardship) -> tuple[Entry, Invitation] | None:
    """The standing invitation with this key: of several, the one of least changeset id; none, if it does not stand."""
    standing = acts.invitations.get(invitation)
    if not standing:
        return None
    entry, said = standing[min(standing)]
    return entry, said[0]


def is_pinned(join: Entry, acts: Stewardship) -> bool:
    """Whether a standing grant of a steward for who joined names this join."""
    grants = acts.grants.get(join.changeset.author)
    return grants is not None and any(grant.join == join.id for _, said in grants.values() for grant in said)


def _choose(made: Mapping[bytes, Entry], invitation: bytes, acts: Stewardship) -> frozenset[bytes]:
    found = terms(invitation, acts)
    if found is None:
        return frozenset()
    _, said = found
    pinned = {id_ for id_, entry in made.items() if is_pinned(entry, acts)}
    admitted = {made[id_].changeset.author for id_ in pinned}
    withdrawals = acts.withdrawals.get(invitation, {})
    named = _named(withdrawals)
    others: list[bytes] = []
    for id_ in sorted(made):
        if len(admitted) >= said.uses:
            break
        author = made[id_].changeset.author
        if author in admitted or (withdrawals and id_ not in named):
            continue
        admitted.add(author)
        others.append(id_)
    return frozenset((*pinned, *others))


def _named(withdrawals: Mapping[bytes, tuple[Entry, list[Withdrawal]]]) -> frozenset[bytes]:
    return frozenset(id_ for _, said in withdrawals.values() for act in said for id_ in act.joins)


def _by(invitation: bytes, acts: Stewardship) -> tuple[bytes | None, frozenset[bytes]]:
    found = terms(invitation, acts)
    by = found[0].id if found is not None else None
    return by, frozenset(acts.withdrawals.get(invitation, ()))
