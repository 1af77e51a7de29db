"""Keys of the sealed lane: epochs, copies of their keys, and which of them a writer uses.  SPEC.md, "Epochs" (rules 37 to 39).

Pure: from the standing changesets of lane `keys` and what the authority says. Everything random is passed in. An epoch says by
a digest exactly which revocations it knows, so its size does not grow with a community's past.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_box,
    crypto_box_open,
    crypto_scalarmult_base,
    crypto_sign_ed25519_pk_to_curve25519,
    crypto_sign_ed25519_sk_to_curve25519,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import CryptoError

from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.authority.acts import values_of
from commonsnode_protocol.canonical import Value, pack
from commonsnode_protocol.changeset import KEY_BYTES, KEYS, Changeset, Write

EPOCH, KEY_COPY = "epoch", "key-copy"
EPOCH_KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16
SEALED_KEY_BYTES = 32 + EPOCH_KEY_BYTES + TAG_BYTES  # as crypto_box_seal writes it
EARLIER_BYTES = NONCE_BYTES + EPOCH_KEY_BYTES + TAG_BYTES
FOLLOWED_MAX = 256  # epochs that one follows
_COMMITMENT = b"commonsnode/epoch/1"
_KNOWN = "commonsnode/known/1"
_EARLIER = b"commonsnode/earlier/1"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch: who made it, and what it says of itself."""

    id: bytes  # of its changeset
    author: bytes
    commitment: bytes
    known: bytes  # the digest of the revocations that it knows
    follows: Mapping[
        bytes, bytes
    ]  # earlier epoch's commitment → its key, sealed under this one's; empty if not for newcomers


@dataclass(slots=True)
class Epochs:
    """The standing epochs and copies of lane `keys`."""

    epochs: dict[bytes, Epoch] = field(default_factory=dict)  # changeset → epoch
    copies: dict[bytes, dict[bytes, list[bytes]]] = field(
        default_factory=dict
    )  # commitment → recipient → sealed keys

    def add(self, changesets: Iterable[Changeset]) -> None:
        """More that stands, each once; in whatever order they come."""
        for changeset in changesets:
            if changeset.lane != KEYS:
                continue
            for change in changeset.changes:
                values = values_of(change)
                if change[1] == EPOCH:
                    epoch = _epoch(changeset, values)
                    if epoch is not None:
                        # Two in one changeset: the lesser record's, which comes first.
                        self.epochs.setdefault(changeset.id, epoch)
                elif change[1] == KEY_COPY:
                    _copy(self, values)

    def of(self, commitment: bytes) -> list[Epoch]:
        return [epoch for epoch in self.epochs.values() if epoch.commitment == commitment]


def commitment_of(key: bytes) -> bytes:
    """What names a key without showing it: BLAKE2b-256(context || key)."""
    return blake2b(_COMMITMENT + key, digest_size=32).digest()


def read(changesets: Iterable[Changeset]) -> Epochs:
    """Read what stands in lane `keys`; what has another form says nothing."""
    found = Epochs()
    found.add(changesets)
    return found


@lru_cache(maxsize=8)  # asked again for each write until somebody else is shut out
def digest_known(ids: frozenset[bytes]) -> bytes:
    return blake2b(pack([_KNOWN, sorted(ids)]), digest_size=32).digest()


def good(epochs: Epochs, held: Evaluator) -> list[Epoch]:
    """The epochs under which may be written now, by id (rule 38)."""
    if held.chain is None:
        return []
    stewards = keys_of_stewards(held)
    known = digest_known(held.shut_out)
    return sorted(
        (
            epoch
            for epoch in epochs.epochs.values()
            if epoch.author in stewards
            and epoch.known == known
            and epochs.copies.get(epoch.commitment, {}).keys() <= held.readers
        ),
        key=lambda epoch: epoch.id,
    )


def to_write_under(epochs: Epochs, held: Evaluator, keys: Mapping[bytes, bytes]) -> Epoch | None:
    """The epoch a writer uses: of the good ones whose key it has, the one of least id. None: a steward's node makes one first,

    a member's holds what is sealed until there is one. keys: commitment → key, from `opened`.
    """
    return next((epoch for epoch in good(epochs, held) if epoch.commitment in keys), None)


def copies_to_write(
    epochs: Epochs, held: Evaluator, keys: Mapping[bytes, bytes]
) -> list[tuple[bytes, bytes]]:
    """(commitment, recipient) of each copy that is lacking and that this node may write: of good epochs only (rule 39)."""
    return [
        (epoch.commitment, recipient)
        for epoch in good(epochs, held)
        if epoch.commitment in keys
        for recipient in sorted(held.readers - epochs.copies.get(epoch.commitment, {}).keys())
    ]


def opened(epochs: Epochs, seed: bytes) -> dict[bytes, bytes]:
    """Every epoch's key that this key (by its 32 bytes seed) can have: by its own copies, and from each those before it."""
    recipient, _ = crypto_sign_seed_keypair(seed)
    keys: dict[bytes, bytes] = {}
    todo: list[tuple[bytes, bytes]] = []
    for commitment, by_recipient in epochs.copies.items():
        for sealed in by_recipient.get(bytes(recipient), ()):
            key = open_copy(sealed, seed)
            if key is not None and commitment_of(key) == commitment:
                todo.append((commitment, key))
    by_commitment: dict[bytes, list[Epoch]] = {}
    for epoch in epochs.epochs.values():
        by_commitment.setdefault(epoch.commitment, []).append(epoch)
    while todo:
        commitment, key = todo.pop()
        if commitment in keys:
            continue
        keys[commitment] = key
        for epoch in by_commitment.get(commitment, ()):
            for earlier, sealed in epoch.follows.items():
                found = _open_earlier(key, earlier, sealed)
                if found is not None and commitment_of(found) == earlier:
                    todo.append((earlier, found))
    return keys


def epoch_change(
    held: Evaluator,
    record: bytes,
    key: bytes,
    earlier: Mapping[bytes, bytes],
    nonces: Sequence[bytes],
) -> tuple[bytes, str, dict[str, Write]]:
    """The change that makes an epoch. earlier: commitment → key of those it follows; nonces: 24 bytes for each of these.

    Where the charter says that newcomers do not read the past, no earlier key goes with it.
    """
    shares = held.chain is None or held.chain.current.settings.newcomers_read_past
    pairs = sorted(earlier.items())[:FOLLOWED_MAX] if shares else []
    follows: Value = [
        [commitment, _seal_earlier(key, commitment, old, nonce)]
        for (commitment, old), nonce in zip(pairs, nonces, strict=False)
    ]
    fields: dict[str, Write] = {
        "commitment": (commitment_of(key), ()),
        "known": (digest_known(held.shut_out), ()),
        "follows": (follows, ()),
    }
    return record, EPOCH, fields


def copy_change(
    record: bytes, recipient: bytes, key: bytes, seed: bytes
) -> tuple[bytes, str, dict[str, Write]]:
    """The change that is a copy of an epoch's key. seed: 32 fresh random bytes. Raises ValueError where the recipient is no key."""
    fields: dict[str, Write] = {
        "epoch": (commitment_of(key), ()),
        "for": (recipient, ()),
        "sealed": (seal_copy(key, recipient, seed), ()),
    }
    return record, KEY_COPY, fields


def seal_copy(key: bytes, recipient: bytes, seed: bytes) -> bytes:
    """A sealed box (libsodium's crypto_box_seal) for an Ed25519 key, with the ephemeral secret passed in.

    Source: libsodium, "Sealed boxes": ephemeral key || box under nonce BLAKE2b-192(ephemeral key || recipient).
    """
    try:
        to = bytes(crypto_sign_ed25519_pk_to_curve25519(recipient))
    except (CryptoError, RuntimeError) as error:
        raise ValueError("not a key that can be sealed to") from error
    ephemeral = bytes(crypto_scalarmult_base(seed))
    nonce = blake2b(ephemeral + to, digest_size=NONCE_BYTES).digest()
    return ephemeral + bytes(crypto_box(key, nonce, to, seed))


def open_copy(sealed: bytes, seed: bytes) -> bytes | None:
    """The key in a copy, or None where it is not for the key of this seed."""
    if len(sealed) != SEALED_KEY_BYTES:
        return None
    public, secret = crypto_sign_seed_keypair(seed)
    to = bytes(crypto_sign_ed25519_pk_to_curve25519(public))
    ephemeral = sealed[:32]
    nonce = blake2b(ephemeral + to, digest_size=NONCE_BYTES).digest()
    try:
        return bytes(
            crypto_box_open(sealed[32:], nonce, ephemeral, crypto_sign_ed25519_sk_to_curve25519(secret))
        )
    except (CryptoError, RuntimeError):
        return None


def keys_of_stewards(held: Evaluator) -> set[bytes]:
    """The keys of the stewards of the current table, not those that were revoked."""
    found: set[bytes] = set()
    if held.chain is None:
        return found
    for first in held.chain.current.stewards:
        member = held.member(first)
        if member is not None and member.person is not None:
            found |= {
                key
                for key, of in member.person.keys.items()
                if all(condition.anew for condition in of.conditions)
            }
    return found


def _epoch(changeset: Changeset, values: Mapping[str, Value]) -> Epoch | None:
    commitment, known, follows = values.get("commitment"), values.get("known"), values.get("follows")
    if type(commitment) is not bytes or type(known) is not bytes or len(commitment) != 32 or len(known) != 32:
        return None
    if not isinstance(follows, list) or len(follows) > FOLLOWED_MAX:
        return None
    earlier: dict[bytes, bytes] = {}
    for item in follows:
        if not isinstance(item, list) or len(item) != 2:
            return None
        of, sealed = item
        if type(of) is not bytes or type(sealed) is not bytes or len(sealed) != EARLIER_BYTES:
            return None
        earlier[of] = sealed
    return Epoch(changeset.id, changeset.author, commitment, known, earlier)


def _copy(found: Epochs, values: Mapping[str, Value]) -> None:
    commitment, recipient, sealed = values.get("epoch"), values.get("for"), values.get("sealed")
    if type(commitment) is not bytes or type(recipient) is not bytes or type(sealed) is not bytes:
        return
    if len(recipient) == KEY_BYTES and len(sealed) == SEALED_KEY_BYTES:
        found.copies.setdefault(commitment, {}).setdefault(recipient, []).append(sealed)


def _seal_earlier(key: bytes, commitment: bytes, earlier: bytes, nonce: bytes) -> bytes:
    return nonce + bytes(
        crypto_aead_xchacha20poly1305_ietf_encrypt(earlier, _EARLIER + commitment, nonce, key)
    )


def _open_earlier(key: bytes, commitment: bytes, sealed: bytes) -> bytes | None:
    nonce, box = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return bytes(crypto_aead_xchacha20poly1305_ietf_decrypt(box, _EARLIER + commitment, nonce, key))
    except CryptoError:
        return None
