"""People who write changesets for the tests of the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from commonsnode_protocol.authority import MEMBER
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, build, public_key, sign
from commonsnode_protocol.intake import Checked, check
from commonsnode_protocol.record import typed_id

NOW = 1_700_000_000_000
Write = tuple[Value, Sequence[bytes]]  # a value, and the ids of what it supersedes


@dataclass(frozen=True, slots=True)
class Author:
    """Someone with a key, who builds and signs changesets; each comes out checked as if a peer had sent it."""

    name: str

    @property
    def seed(self) -> bytes:
        return blake2b(self.name.encode(), digest_size=32).digest()

    @property
    def key(self) -> bytes:
        return _key(self.seed)

    def charter(self, name: str = "Upper valley", time: int = NOW) -> Checked:
        nonce = blake2b(name.encode(), digest_size=16).digest()
        fields: dict[str, tuple[Value, Sequence[int]]] = {
            "founder": (self.key, []),
            "name": (name, []),
            "nonce": (nonce, []),
        }
        body = build(
            community=b"",
            lane=AUTHORITY,
            author=self.key,
            time=time,
            refs=[],
            changes=[(typed_id(b"", self.key, nonce), "charter", fields)],
        )
        signed = sign(body, self.seed)
        return checked(check(signed.id, AUTHORITY, signed))

    def write(
        self,
        community: bytes,
        changes: Mapping[tuple[bytes, str], Mapping[str, Write]],
        *,
        lane: str = PUBLIC,
        time: int = NOW,
        refs: Sequence[bytes] = (),
    ) -> Checked:
        """changes: by (record id, kind) and field, the value and what it supersedes; refs: what it refs besides."""
        superseded = {id_ for fields in changes.values() for _, ids in fields.values() for id_ in ids}
        all_refs = sorted({*refs, *superseded})
        body = build(
            community=community,
            lane=lane,
            author=self.key,
            time=time,
            refs=all_refs,
            changes=[
                (
                    record,
                    kind,
                    {
                        field: (value, sorted(all_refs.index(id_) for id_ in set(ids)))
                        for field, (value, ids) in fields.items()
                    },
                )
                for (record, kind), fields in changes.items()
            ],
        )
        return checked(check(community, lane, sign(body, self.seed)))

    def add(
        self, community: bytes, record: bytes, time: int = NOW, refs: Sequence[bytes] = (), **fields: Value
    ) -> Checked:
        """A resource in lane `public`."""
        return self.write(
            community,
            {(record, "resource"): {f: (v, ()) for f, v in fields.items()}},
            time=time,
            refs=refs,
        )

    def edit(
        self, community: bytes, record: bytes, before: Checked, time: int = NOW + 1, **fields: Value
    ) -> Checked:
        """The same resource again; each value supersedes what `before` wrote."""
        return self.write(
            community,
            {(record, "resource"): {f: (v, (before.id,)) for f, v in fields.items()}},
            time=time,
        )

    def grant(self, community: bytes, person: bytes, role: str = MEMBER, time: int = NOW + 1) -> Checked:
        record = blake2b(person + role.encode(), digest_size=16).digest()
        return self.write(
            community,
            {(record, "grant"): {"person": (person, ()), "role": (role, ())}},
            lane=AUTHORITY,
            time=time,
        )


@cache
def _key(seed: bytes) -> bytes:
    return public_key(seed)


def checked(result: object) -> Checked:
    assert isinstance(result, Checked)
    return result


def record_id(n: int) -> bytes:
    return blake2b(str(n).encode(), digest_size=16).digest()


FOUNDER, ANA, BEN, STRANGER = Author("founder"), Author("ana"), Author("ben"), Author("stranger")
CHARTER = FOUNDER.charter()
COMMUNITY = CHARTER.id
