"""What each act achieved, or why it did not: for people, who want to know what became of what they did.

Decides nothing. It looks at the layers of an evaluator and says in which of them an act ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from commonsnode_protocol.authority import acts as said
from commonsnode_protocol.authority.acts import (
    Certificate,
    Entry,
    Grant,
    Invitation,
    KeyAdded,
    KeyRevoked,
    Leave,
    PersonAct,
    Revocation,
    Withdrawal,
)
from commonsnode_protocol.authority.evaluator import Evaluator
from commonsnode_protocol.authority.joins import is_pinned, terms
from commonsnode_protocol.authority.members import revocations_of
from commonsnode_protocol.authority.stewardship import Stewardship
from commonsnode_protocol.authority.tables import in_order, valid


class Void(StrEnum):
    """Why an act has no effect now; most may have it later, when more has come."""

    NOT_UNDERSTOOD = "not-understood"  # another kind, or another form: perhaps a newer version wrote it
    NOT_ALONE = "not-alone"  # certificates, acks, objections and joins stand alone in their changeset
    NO_CHARTER = "no-charter"
    NOT_A_STEWARD = "not-a-steward"
    NOT_A_MEMBER = "not-a-member"
    CUT = "cut"  # its author was removed or revoked, and it is not among what was named
    NODE_KEY = "node-key"  # a node's key may pin joins and ack, and nothing else
    STEWARDS_BY_CERTIFICATE = (
        "stewards-by-certificate"  # who is a steward is neither granted to nor revoked as a person
    )
    REVOKED = "revoked"  # the grant does not know a revocation or a leave that counts
    SUPERSEDED = "superseded"  # another revocation that knows it takes its place
    NO_INVITATION = "no-invitation"
    INVITATION_DID_NOT_SIGN = "invitation-did-not-sign"
    WITHDRAWN = "withdrawn"
    USED_UP = "used-up"
    KEY_DID_NOT_SIGN = "key-did-not-sign"
    NOT_OF_THIS_PERSON = (
        "not-of-this-person"  # only the first key and recovery keys add keys; only own keys revoke
    )
    PARENT_NOT_FOLLOWED = "parent-not-followed"
    TOO_FEW_SIGNATURES = "too-few-signatures"
    ORDER_OF_STEWARDS = "order-of-stewards"
    LOST = "lost"  # another child of the same table is followed: propose it again


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change of a changeset; void: none where it has its effect."""

    record: bytes
    kind: str
    void: Void | None


def outcomes(held: Evaluator, changeset: bytes) -> list[Outcome]:
    """What each change of a held changeset of lane `authority` came to."""
    entry = held.entry(changeset)
    if entry is None:
        return []
    every = entry.changeset.changes
    if held.acts is None:
        return [Outcome(record, kind, Void.NO_CHARTER) for record, kind, _ in every]
    if len(every) == 1 and (every[0][1] in said.TABLE_KINDS or every[0][1] in (said.JOIN, said.CHARTER)):
        record, kind, _ = every[0]
        return [Outcome(record, kind, _alone(held, held.acts, entry, kind))]
    return [*_ordinary(held, held.acts, entry)]


def _alone(held: Evaluator, acts: Stewardship, entry: Entry, kind: str) -> Void | None:
    if kind == said.CHARTER:
        return None if entry.changeset.is_charter else Void.NOT_UNDERSTOOD
    if kind == said.JOIN:
        return _join(held, acts, entry)
    act = entry.of_table
    if act is None:
        return Void.NOT_UNDERSTOOD
    chain = acts.chain
    if act.parent not in chain.index:
        return Void.PARENT_NOT_FOLLOWED
    parent = chain.tables[chain.index[act.parent]]
    if not isinstance(act, Certificate):
        return None if act.by in parent.stewards else Void.NOT_A_STEWARD
    if act.id in chain.index:
        return None
    if not in_order(parent, act):
        return Void.ORDER_OF_STEWARDS
    return Void.LOST if act.roll is None and valid(parent, act) else Void.TOO_FEW_SIGNATURES


def _join(held: Evaluator, acts: Stewardship, entry: Entry) -> Void | None:
    if entry.join is None:
        return Void.NOT_UNDERSTOOD
    invitation = entry.join.invitation
    if terms(invitation, acts) is None:
        return Void.NO_INVITATION
    if entry.id not in held.joins.invitation_of:
        return Void.INVITATION_DID_NOT_SIGN
    if entry.id in held.joins.kept.get(invitation, ()):
        revoked = revocations_of(entry.changeset.author, acts)
        return Void.REVOKED if revoked else None
    withdrawals = acts.withdrawals.get(invitation, {}).values()
    named = any(entry.id in act.joins for _, every in withdrawals for act in every)
    return Void.WITHDRAWN if withdrawals and not named and not is_pinned(entry, acts) else Void.USED_UP


def _ordinary(held: Evaluator, acts: Stewardship, entry: Entry) -> Iterator[Outcome]:
    for change in entry.changeset.changes:
        record, kind, _ = change
        if kind in said.TABLE_KINDS or kind in (said.JOIN, said.CHARTER):
            yield Outcome(record, kind, Void.NOT_ALONE)
        elif (act := said.act_of(change)) is None:
            known = kind in (said.PROPOSAL, said.ASSENT)
            election = kind == said.ASSENT or "roll" in change[2]
            yield Outcome(
                record, kind, _signed(held, acts, entry, election) if known else Void.NOT_UNDERSTOOD
            )
        else:
            yield Outcome(record, kind, _act(held, acts, entry, act))


def _act(held: Evaluator, acts: Stewardship, entry: Entry, act: PersonAct) -> Void | None:
    if isinstance(act, KeyAdded | Leave):
        return _on_own_keys(held, entry, act)
    if isinstance(act, KeyRevoked):
        own = _on_own_keys(held, entry, act)
        steward = _by_steward(acts, entry)
        if own is None or steward is not None:
            return own
        return Void.STEWARDS_BY_CERTIFICATE if act.person in acts.chain.tenures else None
    if (void := _by_steward(acts, entry)) is not None:
        return void
    if isinstance(act, Grant):
        return _grant(held, acts, entry, act)
    if acts.node_only(entry):
        return Void.NODE_KEY
    if isinstance(act, Revocation):
        if entry.id in revocations_of(act.person, acts):
            return None
        tenure = acts.chain.tenures.get(act.person)
        return Void.SUPERSEDED if tenure is None else Void.STEWARDS_BY_CERTIFICATE
    assert isinstance(act, Invitation | Withdrawal)
    return None


def _grant(held: Evaluator, acts: Stewardship, entry: Entry, act: Grant) -> Void | None:
    member = held.member(act.person)
    if acts.node_only(entry) and act.join is None:
        return Void.NODE_KEY
    if act.person in acts.chain.current.stewards:
        return Void.STEWARDS_BY_CERTIFICATE
    if member is None:
        return Void.NO_INVITATION
    unknown = (member.revocations | member.leaves) - {entry.id, *entry.changeset.refs}
    if unknown or (act.join is not None and member.revocations):
        return Void.REVOKED
    tenure = acts.chain.tenures.get(act.person)
    if tenure is not None and tenure.removed is not None and acts.chain.basis(act.table) < tenure.removed:
        return Void.REVOKED
    return None


def _signed(held: Evaluator, acts: Stewardship, entry: Entry, election: bool) -> Void | None:
    """Of a proposal or an assent: by a steward, or by a member in an election."""
    by_steward = _by_steward(acts, entry)
    persons = held.persons_of(entry.changeset.author) if election else ()
    if any((member := held.members.get(of)) is not None and member.role == said.MEMBER for of in persons):
        return None if entry.id in held.standing else Void.CUT
    return by_steward


def _by_steward(acts: Stewardship, entry: Entry) -> Void | None:
    if acts.counts(entry):
        return None
    return Void.CUT if acts.claims.get(entry.changeset.author) else Void.NOT_A_STEWARD


def _on_own_keys(held: Evaluator, entry: Entry, act: KeyAdded | KeyRevoked | Leave) -> Void | None:
    member, steward = held.member(act.person), held.person(act.person)
    persons = [person for person in (steward, member.person if member is not None else None) if person]
    if not persons:
        return Void.NOT_A_MEMBER
    author = entry.changeset.author
    if not any(author in person.claimed for person in persons):
        return Void.NOT_OF_THIS_PERSON
    if isinstance(act, KeyAdded):
        adders = [person.keys.get(author) for person in persons]
        if author != act.person and not any(key is not None and key.recovery for key in adders):
            return Void.NOT_OF_THIS_PERSON
        if not held.pool.agrees(act):
            return Void.KEY_DID_NOT_SIGN
    return None if any(person.stands(entry) for person in persons) else Void.CUT
