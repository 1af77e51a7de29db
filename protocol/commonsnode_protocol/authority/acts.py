"""Acts: what the changes of lane `authority` say, read once.  SPEC.md, "Acts".

A change of another kind, or not of the form that its kind asks for, says nothing: it has no effect, its neighbours have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, TypeAlias

from commonsnode_protocol import canonical
from commonsnode_protocol.authority import stand_ins, statements
from commonsnode_protocol.authority.cuts import Cut, cut_of
from commonsnode_protocol.authority.settings import STEWARDS_MAX, Settings, name_of, settings_of
from commonsnode_protocol.authority.stand_ins import Said, Signers, StoodIn
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import ID_BYTES, KEY_BYTES, SIGNATURE_BYTES, Change, Changeset
from commonsnode_protocol.errors import NotCanonical

CHARTER, GRANT, REVOCATION = "charter", "grant", "revocation"
CERTIFICATE, SUCCESSION, ACK, OBJECTION = "certificate", "succession", "ack", "objection"
PROPOSAL, ASSENT = "proposal", "assent"
INVITATION, WITHDRAWAL, JOIN = "invitation", "withdrawal", "join"
DEVICE, RECOVERY, KEY_REVOCATION, LEAVE = "device", "recovery", "key-revocation", "leave"
TABLE_KINDS: Final = frozenset({CERTIFICATE, SUCCESSION, ACK, OBJECTION})  # each alone in its changeset

STEWARD, MEMBER, MIRROR = "steward", "member", "mirror"
GRANTED_ROLES: Final = (MEMBER, MIRROR)  # stewards are made by certificates only
USES_MAX = 10_000  # of one invitation
ROLL_MAX = 2_048  # changesets that a succession names: 64 KiB of ids

TABLE_CONTEXT = "commonsnode/table/1"


@dataclass(frozen=True, slots=True)
class Grant:
    person: bytes
    role: str
    table: bytes  # the basis: the table it was written under; empty where it names none
    join: bytes | None = None  # the join that it pins; such a grant brings nobody back


@dataclass(frozen=True, slots=True)
class Revocation:
    person: bytes
    table: bytes
    cut: Cut


@dataclass(frozen=True, slots=True)
class Invitation:
    key: bytes  # whoever holds its secret half joins
    role: str
    uses: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    invitation: bytes
    joins: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Join:
    invitation: bytes
    signature: bytes  # by the invitation's key, over who joins


@dataclass(frozen=True, slots=True)
class KeyAdded:
    """A further key of a person: a device, or a recovery key."""

    person: bytes
    key: bytes
    recovery: bool
    node: bool  # it may ack, pin, make epochs and confirm by rule, and act in nothing else
    signature: bytes
    stands_in: bytes | None = None  # its adder's statement that it signs tables for the person


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    person: bytes
    key: bytes
    cut: Cut


@dataclass(frozen=True, slots=True)
class Leave:
    person: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """One carrier of a table: what it says of the next table, and who signed that."""

    id: bytes  # of the table: the hash of all that is signed
    parent: bytes
    name: str
    stewards: tuple[bytes, ...]
    settings: Settings
    cut: Cut
    roll: frozenset[bytes] | None  # of a succession; none in a certificate of stewards
    signed: Signers  # whose signatures hold

    @property
    def signers(self) -> frozenset[bytes]:
        """The persons who signed, each once: with their first keys, or by who stands in for them."""
        return self.signed.persons


@dataclass(frozen=True, slots=True)
class Ack:
    parent: bytes
    child: bytes
    by: bytes  # the steward: its author, or who gave the author a warrant, or for whom the author stands in


@dataclass(frozen=True, slots=True)
class Objection:
    parent: bytes
    child: bytes
    by: bytes  # the steward: its author, or for whom the author stands in


@dataclass(frozen=True, slots=True)
class Assent:
    """A single signature under a proposal."""

    table: bytes
    by: bytes | None  # for whom its author stands in; none: its author
    said: Said


PersonAct: TypeAlias = Grant | Revocation | Invitation | Withdrawal | KeyAdded | KeyRevoked | Leave
TableAct: TypeAlias = Certificate | Ack | Objection
NO_ACTS: tuple[PersonAct, ...] = ()


@dataclass(slots=True)
class Entry:
    """A changeset of lane `authority` with what it says."""

    changeset: Changeset
    acts: tuple[PersonAct, ...] = NO_ACTS
    of_table: TableAct | None = None
    join: Join | None = None  # of its author
    names: tuple[bytes, ...] = field(default=())  # refs, and the tables that it names as its basis
    on_keys: bool = False  # among its acts is one about the keys of a person, or a leave
    cuts_key: bool = False  # among these is one that revokes a key
    on_proposals: bool = False  # it proposes a table, or signs one that is proposed

    @property
    def id(self) -> bytes:
        return self.changeset.id


def entry(community: bytes, changeset: Changeset) -> Entry:
    """Read a well-formed, signed changeset of lane `authority`; inner signatures of acts are checked where they count."""
    changes = changeset.changes
    if len(changes) == 1:
        kind = changes[0][1]
        if kind in TABLE_KINDS:
            return _table_entry(community, changeset, kind, values_of(changes[0]))
        if kind == JOIN:
            join = _join(values_of(changes[0]))
            return Entry(changeset, join=join, names=changeset.refs)
    acts: list[PersonAct] = []
    tables: list[bytes] = []
    on_keys = cuts_key = on_proposals = False
    for change in changes:
        on_proposals = on_proposals or change[1] in (PROPOSAL, ASSENT)
        write = change[2].get("table")
        if write is not None and type(write[0]) is bytes:
            tables.append(write[0])
        act = act_of(change)
        if act is not None:
            acts.append(act)
            on_keys = on_keys or isinstance(act, KeyAdded | KeyRevoked | Leave)
            cuts_key = cuts_key or isinstance(act, KeyRevoked)
    return Entry(
        changeset,
        tuple(acts),
        names=(*changeset.refs, *tables),
        on_keys=on_keys,
        cuts_key=cuts_key,
        on_proposals=on_proposals,
    )


def act_of(change: Change) -> PersonAct | None:
    """What one change that need not stand alone says."""
    read = _READERS.get(change[1])
    return read(values_of(change)) if read is not None else None


def values_of(change: Change) -> dict[str, Value]:
    """The bare values of a change, without what they supersede."""
    return {name: write[0] for name, write in change[2].items()}


def table_id(community: bytes, values: Mapping[str, Value]) -> bytes:
    """The id of the table that a certificate's fields describe: over all of them but the signatures. Raises NotCanonical."""
    said: dict[str, Value] = {name: value for name, value in values.items() if name != "signatures"}
    # Pairs, not a map: the values may be as deep as they may be in a changeset.
    pairs: list[Value] = [[name, said[name]] for name in sorted(said)]
    return blake2b(
        canonical.pack([TABLE_CONTEXT, community, canonical.ordered(pairs)]), digest_size=ID_BYTES
    ).digest()


def certificate_of(community: bytes, values: Mapping[str, Value], *, succession: bool) -> Certificate | None:
    """Read a certificate or the fields of a proposal; signatures that do not hold are passed over."""
    parent, name, cut = values.get("parent"), name_of(values), cut_of(values)
    stewards = _keys(values.get("stewards"))
    if not _is_id(parent) or name is None or cut is None or not stewards:
        return None
    if len(stewards) > STEWARDS_MAX or len(set(stewards)) < len(stewards):
        return None
    roll = _id_set(values.get("roll")) if succession else None
    if succession and (not roll or len(roll) > ROLL_MAX):
        return None
    try:
        of = table_id(community, values)
    except NotCanonical:
        return None
    assert isinstance(parent, bytes)
    signed = stand_ins.signers_of(community, of, values.get("signatures"))
    return Certificate(of, parent, name, stewards, settings_of(values), cut, roll, signed)


def assent_of(values: Mapping[str, Value]) -> Assent | None:
    table, signature, by = values.get("table"), values.get("signature"), values.get("by")
    if not isinstance(table, bytes) or not isinstance(signature, bytes):
        return None
    if not _is_id(table) or not _is_signature(signature):
        return None
    if by is None:
        return Assent(table, None, signature)
    proof = stand_ins.proof_in(values.get("proof"))
    if not isinstance(by, bytes) or not _is_key(by) or proof is None:
        return None
    return Assent(table, by, StoodIn(signature, proof))


def _table_entry(community: bytes, changeset: Changeset, kind: str, values: Mapping[str, Value]) -> Entry:
    act: TableAct | None = None
    if kind in (CERTIFICATE, SUCCESSION):
        act = certificate_of(community, values, succession=kind == SUCCESSION)
        # Only one of the signers carries it: else anybody could wrap the same signatures a thousand times.
        if act is not None and not act.signed.of(changeset.author):
            act = None
    else:
        parent, child = values.get("parent"), values.get("child")
        if isinstance(parent, bytes) and isinstance(child, bytes) and _is_id(parent) and _is_id(child):
            by = _speaker(community, changeset.author, values, warranted=kind == ACK)
            if by is not None:
                act = Objection(parent, child, by) if kind == OBJECTION else Ack(parent, child, by)
    return Entry(changeset, of_table=act, names=changeset.refs)


def _speaker(
    community: bytes, author: bytes, values: Mapping[str, Value], *, warranted: bool
) -> bytes | None:
    """Who acks or objects: the author, or for whom the author proves to stand in; an ack also who gave a warrant."""
    by, warrant, proof_value = values.get("by"), values.get("warrant"), values.get("proof")
    if (by is None and warrant is None) or (proof_value is None and not warranted):
        return author
    if not isinstance(by, bytes):
        return None
    if proof_value is not None:
        proof = stand_ins.proof_in(proof_value)
        proven = proof is not None and proof[-1].key == author and stand_ins.is_proven(community, by, proof)
        return by if proven else None
    if not isinstance(warrant, bytes):
        return None
    return by if statements.holds(statements.WARRANT, community + author, by, warrant) else None


def _grant(values: Mapping[str, Value]) -> Grant | None:
    person, role, table = values.get("person"), values.get("role"), values.get("table")
    if isinstance(person, bytes) and _is_key(person) and isinstance(role, str) and role in GRANTED_ROLES:
        join = values.get("join")
        return Grant(
            person,
            role,
            table if isinstance(table, bytes) else b"",
            join if isinstance(join, bytes) else None,
        )
    return None


def _revocation(values: Mapping[str, Value]) -> Revocation | None:
    person, table, cut = values.get("person"), values.get("table"), cut_of(values)
    if isinstance(person, bytes) and _is_key(person) and cut is not None:
        return Revocation(person, table if isinstance(table, bytes) else b"", cut)
    return None


def _invitation(values: Mapping[str, Value]) -> Invitation | None:
    key, role, uses = values.get("key"), values.get("role"), values.get("uses")
    if not isinstance(key, bytes) or not _is_key(key) or type(uses) is not int or not 1 <= uses <= USES_MAX:
        return None
    return Invitation(key, role, uses) if isinstance(role, str) and role in GRANTED_ROLES else None


def _withdrawal(values: Mapping[str, Value]) -> Withdrawal | None:
    invitation, joins = values.get("invitation"), _id_set(values.get("joins"))
    if isinstance(invitation, bytes) and _is_key(invitation) and joins is not None:
        return Withdrawal(invitation, joins)
    return None


def _join(values: Mapping[str, Value]) -> Join | None:
    invitation, signature = values.get("invitation"), values.get("signature")
    if isinstance(invitation, bytes) and isinstance(signature, bytes) and _is_signature(signature):
        return Join(invitation, signature) if _is_key(invitation) else None
    return None


def _device(values: Mapping[str, Value]) -> KeyAdded | None:
    return _key_added(values, recovery=False)


def _recovery(values: Mapping[str, Value]) -> KeyAdded | None:
    return _key_added(values, recovery=True)


def _key_added(values: Mapping[str, Value], *, recovery: bool) -> KeyAdded | None:
    person, key, signature = values.get("person"), values.get("key"), values.get("signature")
    only, stands_in = values.get("only"), values.get("stands_in")
    if not isinstance(person, bytes) or not isinstance(key, bytes) or not isinstance(signature, bytes):
        return None
    if not (_is_key(person) and _is_key(key) and _is_signature(signature)) or person == key:
        return None
    # A limit that this version does not know is read as the strictest.
    node = only is not None and not recovery
    return KeyAdded(
        person, key, recovery, node, signature, stands_in if isinstance(stands_in, bytes) else None
    )


def _key_revoked(values: Mapping[str, Value]) -> KeyRevoked | None:
    person, key, cut = values.get("person"), values.get("key"), cut_of(values)
    if isinstance(person, bytes) and isinstance(key, bytes) and _is_key(person) and _is_key(key):
        return KeyRevoked(person, key, cut) if cut is not None else None
    return None


def _leave(values: Mapping[str, Value]) -> Leave | None:
    person = values.get("person")
    return Leave(person) if isinstance(person, bytes) and _is_key(person) else None


_READERS: Final[Mapping[str, Callable[[Mapping[str, Value]], PersonAct | None]]] = {
    GRANT: _grant,
    REVOCATION: _revocation,
    INVITATION: _invitation,
    WITHDRAWAL: _withdrawal,
    DEVICE: _device,
    RECOVERY: _recovery,
    KEY_REVOCATION: _key_revoked,
    LEAVE: _leave,
}


def _is_key(value: Value) -> bool:
    return type(value) is bytes and len(value) == KEY_BYTES


def _is_id(value: Value) -> bool:
    return type(value) is bytes and len(value) == ID_BYTES


def _is_signature(value: Value) -> bool:
    return type(value) is bytes and len(value) == SIGNATURE_BYTES


def _keys(value: Value) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        return ()
    keys = tuple(item for item in value if isinstance(item, bytes) and len(item) == KEY_BYTES)
    return keys if len(keys) == len(value) else ()


def _id_set(value: Value) -> frozenset[bytes] | None:
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        return None
    ids = frozenset(item for item in value if isinstance(item, bytes) and len(item) == ID_BYTES)
    return ids if len(ids) == len(value) else None
