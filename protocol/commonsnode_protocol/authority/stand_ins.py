"""Who signs a table for a person: the first key, or a key that the person's own words let stand in for it.  SPEC.md, "Stand-ins".

A signature of the latter kind carries its proof: how each key let the next stand in, from the first key on. So a certificate is
still valid or not by itself, whatever else is here, and nothing that tables decide can decide who signed them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from commonsnode_protocol.authority import statements
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KEY_BYTES

LINKS_MAX = 4  # of one proof: words, words made by these, and so on, and the node that signs


@dataclass(frozen=True, slots=True)
class Link:
    """One key that the key before it lets stand in. passes_on: whether it may let a further one do so, as words may."""

    key: bytes
    passes_on: bool
    signature: bytes  # by the key before


@dataclass(frozen=True, slots=True)
class StoodIn:
    """A signature by the last key of a proof, in place of the person's first key."""

    signature: bytes
    proof: tuple[Link, ...]

    @property
    def key(self) -> bytes:
        return self.proof[-1].key


Said: TypeAlias = bytes | StoodIn  # the signature of the first key; or of who stands in for it
Signatures: TypeAlias = Mapping[bytes, Said]  # person → that


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose signatures hold under one table."""

    first: frozenset[bytes] = frozenset()  # persons who signed with their first keys
    stood_in: Mapping[bytes, frozenset[bytes]] = field(default_factory=dict)  # key → for whom

    @property
    def by_stand_in(self) -> frozenset[bytes]:
        return frozenset().union(*self.stood_in.values())

    @property
    def persons(self) -> frozenset[bytes]:
        """Each once, in whatever ways they signed."""
        return self.first | self.by_stand_in

    def of(self, key: bytes) -> frozenset[bytes]:
        """The persons for whom this key signed."""
        own = frozenset((key,)) if key in self.first else frozenset()
        return own | self.stood_in.get(key, frozenset())


def payload(community: bytes, person: bytes, key: bytes, *, passes_on: bool) -> bytes:
    """What the key before says, that `key` stands in for the person."""
    return community + person + key + (b"\x01" if passes_on else b"\x00")


def let(community: bytes, person: bytes, key: bytes, seed: bytes, *, passes_on: bool) -> bytes:
    """The signature of the key of `seed` that `key` stands in for the person."""
    return statements.state(statements.STAND_IN, payload(community, person, key, passes_on=passes_on), seed)


def is_proven(community: bytes, person: bytes, proof: Sequence[Link]) -> bool:
    """Whether each key of a proof was let stand in for the person by the one before, from the first key on."""
    if not 1 <= len(proof) <= LINKS_MAX or not all(link.passes_on for link in proof[:-1]):
        return False
    keys = [person, *(link.key for link in proof)]
    return len({*keys}) == len(keys) and all(
        statements.holds(
            statements.STAND_IN, payload(community, person, link.key, passes_on=link.passes_on), before, link.signature
        )
        for before, link in zip(keys, proof, strict=False)
    )  # fmt: skip


def holds(community: bytes, table: bytes, person: bytes, said: Said) -> bool:
    """Whether this is the person's signature under a table."""
    if isinstance(said, bytes):
        return statements.holds(statements.CERTIFICATE, table, person, said)
    return statements.holds(statements.CERTIFICATE, table, said.key, said.signature) and is_proven(
        community, person, said.proof
    )


def signers_of(community: bytes, table: bytes, value: Value) -> Signers:
    """Read a field `signatures`; those that do not hold are passed over."""
    first: set[bytes] = set()
    stood_in: dict[bytes, frozenset[bytes]] = {}
    for person, said in signatures_in(value):
        if not holds(community, table, person, said):
            continue
        if isinstance(said, bytes):
            first.add(person)
        else:
            stood_in[said.key] = stood_in.get(said.key, frozenset()) | {person}
    return Signers(frozenset(first), stood_in)


def signatures_in(value: Value) -> Iterator[tuple[bytes, Said]]:
    """(person, signature) of each entry of a field `signatures` that has the form of one, whether it holds or not."""
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, list) or not all(isinstance(part, bytes) for part in item[:2]):
            continue
        match item:
            case [bytes(person), bytes(signature)]:
                yield person, signature
            case [bytes(key), bytes(signature), bytes(person), proof_value]:
                proof = proof_in(proof_value)
                if proof is not None and proof[-1].key == key and len(person) == KEY_BYTES:
                    yield person, StoodIn(signature, proof)
            case _:
                pass


def proof_in(value: Value) -> tuple[Link, ...] | None:
    """Read a proof: [[key, passes_on, signature] …]; None where it has another form."""
    if not isinstance(value, list) or not 1 <= len(value) <= LINKS_MAX:
        return None
    links: list[Link] = []
    for item in value:
        match item:
            case [bytes(key), bool(passes_on), bytes(signature)] if len(key) == KEY_BYTES:
                links.append(Link(key, passes_on, signature))
            case _:
                return None
    return tuple(links)


def value_of(signatures: Signatures) -> list[Value]:
    """The field `signatures`, in order of the persons."""
    return [entry_of(person, signatures[person]) for person in sorted(signatures)]


def entry_of(person: bytes, said: Said) -> Value:
    if isinstance(said, bytes):
        return [person, said]
    return [said.key, said.signature, person, value_of_proof(said.proof)]


def value_of_proof(proof: Sequence[Link]) -> Value:
    return [[link.key, link.passes_on, link.signature] for link in proof]
