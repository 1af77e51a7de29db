"""Joins by invitation: which are kept.  SPEC.md, "Invitations" (rules 20 and 21).

Depends on the standing acts of stewards only. Time plays no part. What is not kept is not stored, so a link of one use
costs nobody more than one join, however many are made with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from commonsnode_protocol.authority import statements
from commonsnode_protocol.authority.acts import Entry, Invitation
from commonsnode_protocol.authority.stewardship import Stewardship


@dataclass(slots=True)
class Joins:
    """The joins that were made with each invitation's key, and those of them that are kept."""

    community: bytes
    made: dict[bytes, dict[bytes, Entry]] = field(
        default_factory=dict
    )  # invitation → changeset → entry; signed
    invitation_of: dict[bytes, bytes] = field(default_factory=dict)  # join → invitation
    kept: dict[bytes, frozenset[bytes]] = field(default_factory=dict)  # invitation → joins
    of_person: dict[bytes, set[bytes]] = field(default_factory=dict)  # author → kept joins

    def add(self, entry: Entry) -> bytes | None:
        """Take in a join; the invitation to value anew, or None where the invitation's key did not sign it."""
        assert entry.join is not None
        invitation = entry.join.invitation
        payload = self.community + entry.changeset.author
        if not statements.holds(statements.JOIN, payload, invitation, entry.join.signature):
            return None
        self.made.setdefault(invitation, {})[entry.id] = entry
        self.invitation_of[entry.id] = invitation
        return invitation

    def remove(self, entry: Entry) -> None:
        invitation = self.invitation_of.pop(entry.id, None)
        if invitation is not None:
            del self.made[invitation][entry.id]

    def value(self, invitation: bytes, acts: Stewardship) -> tuple[set[bytes], set[bytes]]:
        """Choose anew which joins are kept; returns those that are and those that are no more, beside before."""
        before = self.kept.get(invitation, frozenset())
        after = _choose(self.made.get(invitation, {}), invitation, acts)
        self.kept[invitation] = after
        made = self.made.get(invitation, {})
        for id_ in after - before:
            self.of_person.setdefault(made[id_].changeset.author, set()).add(id_)
        for id_ in before - after:
            self.of_person[made[id_].changeset.author].discard(id_)
        return {*after - before}, {*before - after}


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
    named = {id_ for _, withdrawn in withdrawals.values() for act in withdrawn for id_ in act.joins}
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
