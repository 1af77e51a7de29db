"""Sealed changes of lane `members`.  SPEC.md, "Sealed changes" (rules 7 and 40).

What is inside is never judged: a box that does not open, or holds something else than changes, is a change without effect and
blames nobody. The key is named by its commitment, which is authenticated with the ciphertext, and a key is only ever looked up by
its commitment: so one ciphertext cannot be made to read two ways.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import cast

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from commonsnode_protocol import canonical
from commonsnode_protocol.authority.acts import values_of
from commonsnode_protocol.changeset import MEMBERS, RECORD_BYTES, Change, Changeset, Write, check_changes
from commonsnode_protocol.epochs import NONCE_BYTES, commitment_of
from commonsnode_protocol.errors import NotCanonical, NotWellFormed

SEALED = "sealed"
COMMITMENT_BYTES = 32
_CONTEXT = "commonsnode/sealed/1"


def seal(
    changes: Sequence[tuple[bytes, str, Mapping[str, Write]]],
    *,
    community: bytes,
    author: bytes,
    key: bytes,
    nonce: bytes,
) -> tuple[bytes, str, dict[str, Write]]:
    """Seal changes into the one change that carries them; their ref indexes go on pointing into the changeset's refs.

    key: of the epoch, 32 bytes. nonce: 24 fresh random bytes.
    """
    rows = [
        [
            record,
            kind,
            {name: [canonical.ordered(fields[name][0]), [*fields[name][1]]] for name in sorted(fields)},
        ]
        for record, kind, fields in sorted(changes, key=lambda change: (change[0], change[1]))
    ]
    plain = canonical.pack(rows)
    commitment = commitment_of(key)
    box = nonce + bytes(
        crypto_aead_xchacha20poly1305_ietf_encrypt(plain, _header(community, author, commitment), nonce, key)
    )
    record = blake2b(box, digest_size=RECORD_BYTES).digest()
    return record, SEALED, {"box": (box, ()), "epoch": (commitment, ())}


def sealed_under(changeset: Changeset) -> set[bytes]:
    """The commitments that the boxes of a changeset of lane `members` name."""
    found: set[bytes] = set()
    for change in changeset.changes:
        commitment = values_of(change).get("epoch") if change[1] == SEALED else None
        if type(commitment) is bytes and len(commitment) == COMMITMENT_BYTES:
            found.add(commitment)
    return found


def unseal(changeset: Changeset, keys: Mapping[bytes, bytes]) -> list[Change]:
    """The changes inside a changeset of lane `members`, of all boxes that these keys (commitment → key) open.

    Of two for one record and kind the first counts.
    """
    found: dict[tuple[bytes, str], Change] = {}
    if changeset.lane != MEMBERS:
        return []
    for change in changeset.changes:
        values = values_of(change)
        box, commitment = values.get("box"), values.get("epoch")
        if change[1] != SEALED or type(box) is not bytes or type(commitment) is not bytes:
            continue
        key = keys.get(commitment)
        if key is None or commitment_of(key) != commitment or len(box) < NONCE_BYTES:
            continue
        header = _header(changeset.community, changeset.author, commitment)
        try:
            plain = bytes(
                crypto_aead_xchacha20poly1305_ietf_decrypt(box[NONCE_BYTES:], header, box[:NONCE_BYTES], key)
            )
            inner = canonical.unpack(plain)
            check_changes(inner, len(changeset.refs))
        except (CryptoError, NotCanonical, NotWellFormed):
            continue
        for each in cast(list[Change], inner):
            found.setdefault((each[0], each[1]), each)
    return list(found.values())


def _header(community: bytes, author: bytes, commitment: bytes) -> bytes:
    return canonical.pack([_CONTEXT, community, MEMBERS, author, commitment])
