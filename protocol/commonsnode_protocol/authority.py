"""Who may write: the authority function of a community.  SPEC.md, "Authority" (rules 4, 5, 8, 15, 18, 19, 24).

Pure and deterministic: from the set of changesets of lane `authority` to the table of stewards and the admitted keys, in
layers (tables; acts of stewards; data), each of which depends only on those above it. This version knows table 0, the
charter, and first grants.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KEY_BYTES, Change, Changeset
from commonsnode_protocol.record import NONCE_BYTES, typed_id

NAME_BYTES_MAX = 256
CHARTER, GRANT = "charter", "grant"
STEWARD, MEMBER, MIRROR = "steward", "member", "mirror"
GRANTED_ROLES = (MEMBER, MIRROR)  # stewards are made by certificates only


@dataclass(frozen=True, slots=True)
class Table:
    """The ordered stewards with the charter's settings (rule 8). Table 0 is the charter."""

    id: bytes
    name: str
    stewards: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """Why a key is admitted: the role, the steward who gave it, in which changeset, and when by that author's clock."""

    role: str
    by: bytes
    changeset: bytes
    since: int


@dataclass(frozen=True, slots=True)
class Authority:
    """What a set of authority changesets says."""

    table: Table | None = None  # none while the charter is not here
    members: Mapping[bytes, Membership] = field(default_factory=dict)  # person key → role; stewards included

    def writes(self, author: bytes) -> bool:
        """Whether changesets of this author stand, in any lane (rules 15 and 24; a mirror writes nothing)."""
        member = self.members.get(author)
        return member is not None and member.role != MIRROR

    def stands(self, changeset: Changeset) -> bool:
        """Whether a changeset of this community stands; its form and signature were checked before."""
        if changeset.is_charter:
            return self.table is not None and changeset.id == self.table.id
        return self.writes(changeset.author)


def charter_table(charter: Changeset) -> Table | None:
    """Table 0, or None where the charter breaks its rules: then nothing can ever stand in that community."""
    if not charter.is_charter:
        return None
    record, kind, writes = charter.changes[0]
    values = values_of((record, kind, writes))
    nonce, name, founder = values.get("nonce"), values.get("name"), values.get("founder")
    if (
        type(nonce) is not bytes
        or len(nonce) != NONCE_BYTES
        or record != typed_id(b"", charter.author, nonce)
    ):
        return None
    if type(name) is not str or not 1 <= len(name.encode()) <= NAME_BYTES_MAX or founder != charter.author:
        return None
    return Table(charter.id, name, (charter.author,))


def evaluate(community: bytes, changesets: Iterable[Changeset]) -> Authority:
    """Value a set of well-formed, signed changesets of lane `authority`; the order in which they come is no matter."""
    held = list(changesets)
    charter = next((c for c in held if c.is_charter and c.id == community), None)
    table = charter_table(charter) if charter is not None else None
    if table is None or charter is None:
        return Authority()
    members = {key: Membership(STEWARD, key, charter.id, charter.time) for key in table.stewards}
    grants = sorted(
        (changeset.time, changeset.id, changeset.author, person, role)
        for changeset in held
        if changeset.community == community
        and changeset.lane == AUTHORITY
        and changeset.author in table.stewards
        for person, role in _grants(changeset)
    )
    # A person with a grant as member and one as mirror is a member: being admitted to more is the later intent or
    # was never taken back, since taking back is a revocation.
    for role in GRANTED_ROLES:
        for time, changeset_id, author, person, granted in grants:
            if granted == role and person not in members:
                members[person] = Membership(role, author, changeset_id, time)
    return Authority(table, members)


def values_of(change: Change) -> dict[str, Value]:
    """The bare values of a change, without what they supersede."""
    return {name: write[0] for name, write in change[2].items()}


def _grants(changeset: Changeset) -> Iterable[tuple[bytes, str]]:
    for change in changeset.changes:
        if change[1] != GRANT:
            continue
        values = values_of(change)
        person, role = values.get("person"), values.get("role")
        if type(person) is bytes and len(person) == KEY_BYTES and type(role) is str and role in GRANTED_ROLES:
            yield person, role
