"""Changesets: the unit of signing, atomicity, transfer and history.  SPEC.md, "Changesets".

body      = [version, community, lane, author, time, refs, changes]   canonical MessagePack
id        = BLAKE2b-256(body)
signature = Ed25519(author, "commonsnode/changeset/1" || id)
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from typing import TypeAlias, cast

import msgpack
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import NotCanonical, NotWellFormed
from commonsnode_protocol.limits import (
    CHANGES_MAX,
    CHANGESET_BYTES_MAX,
    FIELD_BYTES_MAX,
    INT_MAX,
    KIND_BYTES_MAX,
    REFS_MAX,
    TIME_MS_MAX,
)

VERSION = 1
CONTEXT = b"commonsnode/changeset/1"
ID_BYTES = 32
KEY_BYTES = 32
SIGNATURE_BYTES = 64
RECORD_BYTES = 16
CHARTER_COMMUNITY = b""  # a charter's id is the community's id, so it cannot name it

AUTHORITY, PUBLIC, KNOWLEDGE, MEMBERS, KEYS = "authority", "public", "knowledge", "members", "keys"
LANES = (AUTHORITY, PUBLIC, KNOWLEDGE, MEMBERS, KEYS)
DATA_LANES = (PUBLIC, KNOWLEDGE, MEMBERS, KEYS)

Write: TypeAlias = tuple[
    Value, Sequence[int]
]  # the value, and which refs' values of this field it supersedes
Change: TypeAlias = tuple[bytes, str, dict[str, Write]]  # record id, kind, field → write

_record_and_kind = itemgetter(0, 1)
_PLAIN = frozenset({type(None), bool, str, bytes})
_LANE_BYTES = {lane.encode(): lane for lane in LANES}


@dataclass(frozen=True, slots=True)
class Signed:
    """A body and its signature, as they travel and as they are kept. Nothing is checked yet."""

    signature: bytes
    body: bytes

    @property
    def id(self) -> bytes:
        return changeset_id(self.body)


@dataclass(frozen=True, slots=True)
class Header:
    """What every version of the body begins with, so that an unknown version can still be told apart."""

    version: int
    community: bytes  # 32 bytes, or none in a charter
    lane: str
    author: bytes


@dataclass(frozen=True, slots=True)
class Changeset:
    """A decoded, well-formed body with its id. Whether its signature holds and whether it stands are other questions."""

    id: bytes
    community: bytes
    lane: str
    author: bytes
    time: int
    refs: tuple[bytes, ...]
    changes: Sequence[Change]

    @property
    def is_charter(self) -> bool:
        return self.community == CHARTER_COMMUNITY


def changeset_id(body: bytes) -> bytes:
    return blake2b(body, digest_size=ID_BYTES).digest()


def public_key(seed: bytes) -> bytes:
    """The Ed25519 public key (32 bytes) of a seed (32 bytes)."""
    return bytes(crypto_sign_seed_keypair(seed)[0])


def sign(body: bytes, seed: bytes) -> Signed:
    """Sign a body with the author's seed (32 bytes)."""
    _, secret = crypto_sign_seed_keypair(seed)
    return Signed(bytes(crypto_sign(CONTEXT + changeset_id(body), secret)[:SIGNATURE_BYTES]), body)


def verify(author: bytes, changeset: bytes, signature: bytes) -> bool:
    """Whether `signature` is the author's for this changeset id.

    The rule is libsodium's: S canonical, A and R not of small order, equation without cofactor (SPEC.md, "Keys and signatures").
    """
    # The library looks at no lengths: it would read on past the end of a short key.
    if len(author) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + CONTEXT + changeset, author)
    except (BadSignatureError, ValueError):
        return False
    return True


def header(body: bytes) -> Header:
    """The first four elements, which have the same form in every version. Raises NotWellFormed."""
    try:
        if (
            body[0] & 0xF0 != 0x90
            or body[0] & 0x0F < 5
            or body[1] > 0x7F
            or body[2] != 0xC4
            or body[3] not in (0, 32)
        ):
            raise NotWellFormed("not the beginning of a changeset")
        lane_at = 4 + body[3]
        lane_bytes = body[lane_at] & 0x1F
        author_at = lane_at + 1 + lane_bytes
        lane = _LANE_BYTES.get(body[lane_at + 1 : author_at])
        if body[lane_at] & 0xE0 != 0xA0 or lane is None or body[author_at : author_at + 2] != b"\xc4\x20":
            raise NotWellFormed("no known lane, or no author")
        author = body[author_at + 2 : author_at + 34]
        if len(author) != KEY_BYTES:
            raise NotWellFormed("cut off")
        if lane_at == 4 and lane != AUTHORITY:
            raise NotWellFormed("no community, and no charter")
    except IndexError:
        raise NotWellFormed("cut off") from None
    return Header(body[1], body[4:lane_at], lane, author)


def decode(body: bytes) -> Changeset:
    """Read a body of version 1 and check its form and limits.

    Raises NotCanonical (the bytes) or NotWellFormed (what they say). The signature is `verify`'s part.
    """
    _check_size(body)
    return _understood(canonical.unpack(body), body)


def _check_size(body: bytes) -> None:
    if len(body) > CHANGESET_BYTES_MAX:
        raise NotWellFormed(f"{len(body)} bytes; {CHANGESET_BYTES_MAX} at most")


def _understood(value: object, body: bytes) -> Changeset:
    """The changeset that `value` is, which `body` says in its shortest form. Raises NotCanonical or NotWellFormed."""
    if not isinstance(value, list) or len(value) != 7:
        raise NotWellFormed("not an array of seven")
    version, community, lane, author, time, refs, changes = value
    if version != VERSION or type(version) is not int:
        raise NotWellFormed(f"version {version!r}")
    if type(community) is not bytes or len(community) not in (0, ID_BYTES):
        raise NotWellFormed("the community is no id")
    if type(lane) is not str or lane not in LANES:
        raise NotWellFormed("no known lane")
    if type(author) is not bytes or len(author) != KEY_BYTES:
        raise NotWellFormed("the author is no key")
    if type(time) is not int or not 0 <= time <= TIME_MS_MAX:
        raise NotWellFormed("a time outside of 0 to 2^53−1")
    _check_refs(refs)
    check_changes(changes, len(refs))
    if not community and (lane != AUTHORITY or refs or len(changes) != 1 or changes[0][1] != "charter"):
        raise NotWellFormed("no community, and no charter")
    return Changeset(
        changeset_id(body), community, lane, author, time, tuple(refs), cast(Sequence[Change], changes)
    )


def excerpt(body: bytes, records: Collection[bytes]) -> Changeset:
    """As `decode`, but with the changes of these records only, and unchecked: for a body that was checked before.

    What is passed over costs next to nothing, so that one record of an import is read in a twentieth of the time.
    Raises ValueError for what `decode` would refuse, as far as it is noticed.
    """
    reader = msgpack.Unpacker(raw=False, strict_map_key=True, max_buffer_size=CHANGESET_BYTES_MAX)
    try:
        reader.feed(body)
        reader.read_array_header()
        _, community, lane, author, time, refs = (reader.unpack() for _ in range(6))
        changes: list[Change] = []
        for _ in range(reader.read_array_header()):
            reader.read_array_header()
            record = reader.unpack()
            if record in records:
                changes.append((record, reader.unpack(), reader.unpack()))
            else:
                reader.skip()
                reader.skip()
    except (msgpack.UnpackException, TypeError) as error:
        raise ValueError(f"no changeset: {error}") from error
    return Changeset(changeset_id(body), community, lane, author, time, tuple(refs), changes)


def build(
    *,
    community: bytes,
    lane: str,
    author: bytes,
    time: int,
    refs: Sequence[bytes],
    changes: Sequence[tuple[bytes, str, Mapping[str, Write]]],
) -> bytes:
    """The body of a changeset: refs must ascend already (indexes point into them); changes are put in order here.

    Raises NotCanonical or NotWellFormed when the result would not be accepted by others.
    """
    return compose(community=community, lane=lane, author=author, time=time, refs=refs, changes=changes)[0]


def compose(
    *,
    community: bytes,
    lane: str,
    author: bytes,
    time: int,
    refs: Sequence[bytes],
    changes: Sequence[tuple[bytes, str, Mapping[str, Write]]],
) -> tuple[bytes, Changeset]:
    """As `build`, with the changeset that the body says: whoever writes and applies it need not read it again."""
    rows: list[object] = []
    nothing: list[object] = []  # one for all writes that supersede nothing: of an import these are millions
    for record, kind, fields in sorted(changes, key=_record_and_kind):
        row: dict[str, list[object]] = {}
        for field in sorted(fields):
            value, supersedes = fields[field]
            # Most are plain, and a call is dearer than a look.
            row[field] = [
                value if type(value) in _PLAIN else canonical.ordered(value),
                list(supersedes) if supersedes else nothing,
            ]
        rows.append([record, kind, row])
    whole = [VERSION, community, lane, author, time, list(refs), rows]
    # What was packed a moment ago is in its shortest form; all else that `decode` looks at is looked at here too.
    body = canonical.pack(whole)
    _check_size(body)
    return body, _understood(whole, body)


def _check_refs(refs: object) -> None:
    if type(refs) is not list or len(refs) > REFS_MAX:
        raise NotWellFormed(f"refs are no array of at most {REFS_MAX}")
    before = b""
    for ref in refs:
        if type(ref) is not bytes or len(ref) != ID_BYTES:
            raise NotWellFormed("a ref is no id")
        if ref <= before:
            raise NotWellFormed("refs do not ascend")
        before = ref


def check_changes(changes: object, ref_count: int) -> None:
    """Raise NotWellFormed or NotCanonical unless these are the changes of a changeset with so many refs."""
    if type(changes) is not list or not 1 <= len(changes) <= CHANGES_MAX:
        raise NotWellFormed(f"changes are no array of 1 to {CHANGES_MAX}")
    before: tuple[bytes, str] = (b"", "")
    for change in changes:
        if type(change) is not list or len(change) != 3:
            raise NotWellFormed("a change is no array of three")
        record, kind, fields = change
        if type(record) is not bytes or len(record) != RECORD_BYTES:
            raise NotWellFormed("a record id is not 16 bytes")
        if type(kind) is not str or not 1 <= len(kind.encode()) <= KIND_BYTES_MAX:
            raise NotWellFormed(f"a kind is no text of 1 to {KIND_BYTES_MAX} bytes")
        if (record, kind) <= before:
            raise NotWellFormed("changes do not ascend by record id and kind")
        before = (record, kind)
        if type(fields) is not dict or not fields:
            raise NotWellFormed("a change has no map of fields")
        _check_fields(fields, ref_count)


def _check_fields(fields: dict[object, object], ref_count: int) -> None:
    before = ""
    for field, write in fields.items():
        if type(field) is not str:
            raise NotCanonical("a map key that is not text")
        if not field:
            raise NotWellFormed("a field without a name")
        if field <= before:
            raise NotCanonical("map keys out of order")
        if len(field) > FIELD_BYTES_MAX or (not field.isascii() and len(field.encode()) > FIELD_BYTES_MAX):
            raise NotWellFormed(f"a field's name is over {FIELD_BYTES_MAX} bytes")
        before = field
        if type(write) is not list or len(write) != 2:
            raise NotWellFormed("a write is no array of two")
        value, supersedes = write
        kind = type(value)
        if kind not in _PLAIN and (kind is not int or value > INT_MAX):
            canonical.check(value)
        if supersedes:
            last = -1
            if type(supersedes) is not list:
                raise NotWellFormed("ref indexes are no array")
            for index in supersedes:
                if type(index) is not int or not last < index < ref_count:
                    raise NotWellFormed("ref indexes do not ascend, or point past the refs")
                last = index
        elif type(supersedes) is not list:
            raise NotWellFormed("ref indexes are no array")
