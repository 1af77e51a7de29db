"""Successions that members propose and sign one by one, until one of them can write it.  SPEC.md, "Succession" (rule 23).

For people and for their nodes: nothing here decides what stands. What does is succession.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from commonsnode_protocol.authority.acts import (
    ASSENT,
    MEMBER,
    PROPOSAL,
    Certificate,
    Objection,
    assent_of,
    certificate_of,
    values_of,
)
from commonsnode_protocol.authority.evaluator import Evaluator
from commonsnode_protocol.authority.proposals import add_signature
from commonsnode_protocol.authority.stand_ins import Said, Signatures, signatures_in
from commonsnode_protocol.authority.succession import is_share, members_on, only_adds, roll_of
from commonsnode_protocol.canonical import Value


@dataclass(frozen=True, slots=True)
class Candidacy:
    """A succession of the current table that some member proposed, or that is written and not followed."""

    table: bytes
    by: bytes
    add: tuple[bytes, ...]
    fields: Mapping[str, Value]  # of the succession, without signatures
    signatures: Signatures  # by members on its roll; those that hold
    counted: int  # members on its roll
    needed: int  # signatures, by the charter's share
    objected: tuple[bytes, ...]  # stewards of the current table who object to it by name
    written: bool  # the succession itself is held

    @property
    def complete(self) -> bool:
        """Whether whoever signed may write the succession."""
        return len(self.signatures) >= self.needed and not self.objected


def candidacies(held: Evaluator) -> list[Candidacy]:
    """What members propose on the current table, by id, with the signatures that came since."""
    if held.chain is None:
        return []
    table = held.chain.current
    found: dict[bytes, tuple[bytes, bytes, dict[str, Value], Certificate]] = {}
    signed: dict[bytes, dict[bytes, Said]] = {}
    written: set[bytes] = set()
    for changeset, author, kind, values in _by_members(held):
        if kind == ASSENT:
            assent = assent_of(values)
            if assent is not None:
                person = assent.by if assent.by is not None else author
                add_signature(held, signed, assent.table, person, assent.said)
            continue
        read = certificate_of(held.community, values, succession=True)
        if read is None or read.parent != table.id or not only_adds(held.chain, read):
            continue
        fields = {name: value for name, value in values.items() if name != "signatures"}
        if read.id not in found or changeset < found[read.id][0]:
            found[read.id] = (changeset, author, fields, read)
        for person, said in signatures_in(values.get("signatures")):
            add_signature(held, signed, read.id, person, said)
    for entry in held.table_acts():
        act = entry.of_table
        if isinstance(act, Certificate) and act.roll is not None and act.parent == table.id:
            written.add(act.id)
            values = values_of(entry.changeset.changes[0])
            for person, said in signatures_in(values.get("signatures")):
                add_signature(held, signed, act.id, person, said)
            if act.id not in found and entry.id in held.standing:
                fields = {name: value for name, value in values.items() if name != "signatures"}
                found[act.id] = (entry.id, entry.changeset.author, fields, act)
    each = (_candidacy(held, found[of], signed.get(of, {}), of in written) for of in sorted(found))
    return [one for one in each if one is not None]


def _candidacy(
    held: Evaluator,
    found: tuple[bytes, bytes, dict[str, Value], Certificate],
    signatures: Signatures,
    written: bool,
) -> Candidacy | None:
    """None where its roll is not all here."""
    chain = held.chain
    assert chain is not None
    _, by, fields, read = found
    roll = roll_of(read, held.entry)
    if roll is None:
        return None
    counted = members_on(chain, roll, held.community)
    good = {person: signatures[person] for person in sorted(signatures) if person in counted}
    objected = {
        entry.of_table.by
        for entry in held.table_acts()
        if isinstance(entry.of_table, Objection)
        and entry.of_table.child == read.id
        and entry.id in held.standing
        and entry.of_table.by in chain.current.stewards
    }
    needed = next(
        (n for n in range(1, len(counted) + 1) if is_share(chain, n, len(counted))), len(counted) + 1
    )
    add = tuple(key for key in read.stewards if key not in chain.current.stewards)
    return Candidacy(read.id, by, add, fields, good, len(counted), needed, tuple(sorted(objected)), written)


def _by_members(held: Evaluator) -> Iterator[tuple[bytes, bytes, str, dict[str, Value]]]:
    for key, entries in held.pool.on_proposals.items():
        persons = (held.members.get(person) for person in held.persons_of(key))
        if all(membership is None or membership.role != MEMBER for membership in persons):
            continue
        for entry in entries.values():
            if entry.id not in held.standing:
                continue
            for change in entry.changeset.changes:
                if change[1] in (PROPOSAL, ASSENT):
                    values = values_of(change)
                    values.pop("nonce", None)  # it belongs to the record, and is no part of the table
                    yield entry.id, key, change[1], values
