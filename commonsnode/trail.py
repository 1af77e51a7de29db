"""The audit trail of a community: who did what in lane `authority`, in plain words, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commonsnode.stewards import Change, change_of
from commonsnode_protocol.authority import Evaluator, values_of
from commonsnode_protocol.authority import acts as said
from commonsnode_protocol.authority.achieving import Void, outcomes
from commonsnode_protocol.authority.acts import Certificate, Entry, certificate_of
from commonsnode_protocol.canonical import Value

SHORT_KEY_DIGITS = 8

WHY: Mapping[Void, str] = {
    Void.NOT_UNDERSTOOD: "this version does not understand it",
    Void.NOT_ALONE: "it may only stand alone in its changeset",
    Void.NO_CHARTER: "the charter is not here yet",
    Void.NOT_A_STEWARD: "its author was no steward",
    Void.NOT_A_MEMBER: "its author was never a member",
    Void.CUT: "its author was removed before, as far as anybody else knows",
    Void.NODE_KEY: "a node's own key may not do this",
    Void.STEWARDS_BY_CERTIFICATE: "stewards are made and removed only by steward propose and approve",
    Void.REVOKED: "it was written without knowing that the role had been taken back",
    Void.SUPERSEDED: "a later revocation takes its place",
    Void.NO_INVITATION: "what it rests on (an invitation, a person) is not here, or has no effect",
    Void.INVITATION_DID_NOT_SIGN: "the invitation's key did not sign it",
    Void.WITHDRAWN: "the invitation was withdrawn",
    Void.USED_UP: "the invitation was used up by others",
    Void.KEY_DID_NOT_SIGN: "the new key did not sign it",
    Void.NOT_OF_THIS_PERSON: "that is not its author's own key",
    Void.PARENT_NOT_FOLLOWED: "it builds on a table that is not followed",
    Void.TOO_FEW_SIGNATURES: "too few stewards signed it",
    Void.ORDER_OF_STEWARDS: "it changes the order of stewards",
    Void.LOST: "another change of the same table is followed; its author may propose it again",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One act. void and why, the same in words: the reason why it has no effect now; none where it has."""

    kind: str
    text: str
    void: Void | None
    why: str | None


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One changeset of lane `authority`."""

    changeset: bytes
    author: bytes
    time: int  # ms, as its author had it
    stands: bool
    acts: Sequence[Act]


def latest(held: Evaluator, count: int) -> tuple[list[TrailEntry], int]:
    """The last `count` changesets of lane `authority` that are held, the oldest of them first; and how many there are."""
    entries = sorted(held.entries(), key=lambda entry: (entry.changeset.time, entry.id))
    return [_entry(held, entry) for entry in entries[-count:]], len(entries)


def change_words(change: Change) -> str:
    """What a table changes, in words."""
    parts = []
    if change.add:
        parts.append(f"add as steward {_keys(change.add)}")
    if change.remove:
        parts.append(f"remove as steward {_keys(change.remove)}")
    if change.name is not None:
        parts.append(f"call the community {change.name!r}")
    if change.settings:
        parts.append(f"set {', '.join(change.settings)}")
    return "; ".join(parts) or "change nothing"


def _entry(held: Evaluator, entry: Entry) -> TrailEntry:
    acts = [
        Act(kind, _words(held, kind, values_of(change)), outcome.void, _why(kind, outcome.void))
        for change, outcome in zip(entry.changeset.changes, outcomes(held, entry.id), strict=False)
        for kind in (change[1],)
    ]
    return TrailEntry(entry.id, entry.changeset.author, entry.changeset.time, entry.id in held.standing, acts)


def _why(kind: str, void: Void | None) -> str | None:
    if void is None:
        return None
    if void == Void.STEWARDS_BY_CERTIFICATE and kind == said.GRANT:
        return "they are a steward now, which is more"
    return WHY[void]


def _words(held: Evaluator, kind: str, values: Mapping[str, Value]) -> str:
    person, key = _short(values.get("person")), _short(values.get("key"))
    by_kind = {
        said.CHARTER: f"founded the community {values.get('name')!r}",
        said.REVOCATION: f"took the role of {person} back",
        said.INVITATION: f"made invitation {key} for {_plain(values.get('uses'))} to join as {_plain(values.get('role'))}",
        said.WITHDRAWAL: f"withdrew invitation {_short(values.get('invitation'))}",
        said.JOIN: f"joined by invitation {_short(values.get('invitation'))}",
        said.ACK: f"follows table {_short(values.get('child'))}",
        said.OBJECTION: f"objected to table {_short(values.get('child'))}",
        said.ASSENT: f"signed the proposed table {_short(values.get('table'))}",
        said.DEVICE: f"added the key {key} to {person}",
        said.RECOVERY: f"added the recovery key {key} to {person}",
        said.KEY_REVOCATION: f"revoked the key {key} of {person}",
        said.LEAVE: "left the community",
    }
    if kind == said.GRANT:
        role = _plain(values.get("role"))
        if isinstance(values.get("join"), bytes):
            return f"confirmed that {person} joined as {role}"
        return f"admitted {person} as {role}"
    if kind in (said.CERTIFICATE, said.SUCCESSION, said.PROPOSAL):
        return _table_words(held, kind, values)
    return by_kind.get(kind, f"did something of the kind {kind[:32]!r}")


def _table_words(held: Evaluator, kind: str, values: Mapping[str, Value]) -> str:
    bare = {name: value for name, value in values.items() if name != "nonce"}
    elects = kind == said.SUCCESSION or "roll" in bare
    child = certificate_of(held.community, bare, succession=elects)
    begin = {
        said.PROPOSAL: "proposed an election, to" if elects else "proposed to",
        said.CERTIFICATE: "decided to",
        said.SUCCESSION: "members elected, to",
    }
    if child is None:
        return f"{begin[kind]} change the table, in a form that is not understood"
    signed = f", signed by {_keys(sorted(child.signers))}" if child.signers else ""
    return f"{begin[kind]} {_change(held, child)}{signed} (table {_short(child.id)})"


def _change(held: Evaluator, child: Certificate) -> str:
    if held.chain is None or child.parent not in held.chain.index:
        return f"have the stewards {_keys(child.stewards)}"
    parent = held.chain.tables[held.chain.index[child.parent]]
    return change_words(change_of(parent, child.stewards, child.name, child.settings))


def _keys(keys: Sequence[bytes]) -> str:
    return ", ".join(_short(key) for key in keys)


def _plain(value: Value) -> str:
    return str(value) if isinstance(value, str | int) else "?"


def _short(value: Value) -> str:
    return value.hex()[:SHORT_KEY_DIGITS] if isinstance(value, bytes) else "?"
