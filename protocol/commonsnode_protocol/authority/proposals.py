"""Tables that are proposed and not signed enough yet; and what lost and may be proposed again.  SPEC.md, "Tables" (rule 12).

For people and for their nodes: nothing here decides what stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from commonsnode_protocol.authority.acts import (
    ASSENT,
    PROPOSAL,
    Certificate,
    assent_of,
    certificate_of,
    values_of,
)
from commonsnode_protocol.authority.evaluator import Evaluator
from commonsnode_protocol.authority.stand_ins import Said, Signatures, holds, signatures_in, value_of
from commonsnode_protocol.authority.tables import enough, in_order, signers_of
from commonsnode_protocol.canonical import Value


@dataclass(frozen=True, slots=True)
class Proposal:
    """A child of the current table that some steward proposed."""

    table: bytes
    by: bytes  # the proposal's author
    changeset: bytes  # the proposal of least id, of several for one table
    fields: Mapping[str, Value]  # of the certificate, without signatures
    signatures: Signatures  # by stewards of the current table; those that hold
    complete: bool  # enough of them: whoever signed may write the certificate


def proposals(held: Evaluator) -> list[Proposal]:
    """What is proposed on the current table, by id, with the signatures that came since."""
    if held.chain is None:
        return []
    table = held.chain.current
    found: dict[bytes, tuple[bytes, bytes, dict[str, Value]]] = {}
    signed: dict[bytes, dict[bytes, Said]] = {}
    for changeset, author, kind, values in _by_stewards(held):
        if kind == ASSENT:
            assent = assent_of(values)
            if assent is not None:
                person = assent.by if assent.by is not None else author
                add_signature(held, signed, assent.table, person, assent.said)
            continue
        read = certificate_of(held.community, values, succession=False)
        if read is None or read.parent != table.id or not in_order(table, read):
            continue
        fields = {name: value for name, value in values.items() if name != "signatures"}
        if read.id not in found or changeset < found[read.id][0]:
            found[read.id] = (changeset, author, fields)
        for person, said in signatures_in(values.get("signatures")):
            add_signature(held, signed, read.id, person, said)
    return [
        _proposal(held, of, *found[of], signed.get(of, {}))
        for of in sorted(found)
        if of not in held.chain.index
    ]


def lost(held: Evaluator, steward: bytes) -> list[Certificate]:
    """Certificates of this steward that nobody follows, since another child of their parent is followed: to be proposed again."""
    if held.chain is None:
        return []
    return [
        entry.of_table
        for entry in held.table_acts()
        if isinstance(entry.of_table, Certificate)
        and entry.of_table.id in held.chain.lost
        and entry.changeset.author == steward
    ]


def _proposal(
    held: Evaluator,
    of: bytes,
    changeset: bytes,
    by: bytes,
    fields: Mapping[str, Value],
    signatures: Signatures,
) -> Proposal:
    assert held.chain is not None
    table = held.chain.current
    good = {person: said for person, said in signatures.items() if person in table.stewards}
    signed: Value = value_of(good)
    read = certificate_of(held.community, {**fields, "signatures": signed}, succession=False)
    complete = read is not None and enough(table, read, signers_of(table, read))
    return Proposal(of, by, changeset, fields, good, complete)


def _by_stewards(held: Evaluator) -> Iterator[tuple[bytes, bytes, str, dict[str, Value]]]:
    assert held.chain is not None
    people = [held.person(steward) for steward in held.chain.current.stewards]
    keys = {key for person in people if person is not None for key in person.keys}
    for key in sorted(keys):
        for entry in held.pool.on_proposals.get(key, {}).values():
            if entry.id not in held.standing:
                continue
            for change in entry.changeset.changes:
                # What was carried in another form (a nonce) is no part of the certificate.
                if change[1] in (PROPOSAL, ASSENT):
                    values = values_of(change)
                    values.pop("nonce", None)
                    yield entry.id, key, change[1], values


def add_signature(
    held: Evaluator, signed: dict[bytes, dict[bytes, Said]], table: bytes, person: bytes, said: Said
) -> None:
    """Add a person's signature under a table, if it holds and there is none by the first key yet."""
    of = signed.setdefault(table, {})
    if not isinstance(of.get(person), bytes) and holds(held.community, table, person, said):
        of[person] = said
