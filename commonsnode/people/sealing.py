"""A person's seed under a passphrase: Argon2id makes the key, XChaCha20-Poly1305 seals.  Sources: RFC 9106; libsodium.

The box names the person in its associated data, so that one account's box under another's name does not open.
"""

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from commonsnode.errors import Busy

SEED_BYTES = 32
SALT_BYTES = argon2id.SALTBYTES
NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
BOX_BYTES = SEED_BYTES + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
CONTEXT = b"commonsnode/account/1"

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs. passes: Argon2's t. memory: bytes."""

    passes: int
    memory: int


MODERATE = Cost(
    argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE
)  # 256 MiB, some 1 s on a small machine
PASSES_MAX = 16  # in a file from elsewhere; more would be an attack on this node
MEMORY_MAX = MODERATE.memory


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seed that opens with the passphrase alone."""

    cost: Cost
    salt: bytes
    nonce: bytes
    box: bytes = field(repr=False)


def seal(
    seed: bytes, passphrase: str, person: bytes, cost: Cost = MODERATE, random_bytes: RandomBytes = os.urandom
) -> Sealed:
    """Takes a second and cost.memory. Raises Busy where that memory is not there."""
    salt, nonce = random_bytes(SALT_BYTES), random_bytes(NONCE_BYTES)
    box = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        seed, CONTEXT + person, nonce, _key(passphrase, salt, cost)
    )
    return Sealed(cost, salt, nonce, box)


def unseal(sealed: Sealed, passphrase: str, person: bytes) -> bytes | None:
    """The seed; none where the passphrase is another. Takes as long either way. Raises Busy."""
    key = _key(passphrase, sealed.salt, sealed.cost)
    try:
        return bytes(
            bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed.box, CONTEXT + person, sealed.nonce, key
            )
        )
    except CryptoError:
        return None


def nobody(cost: Cost = MODERATE, random_bytes: RandomBytes = os.urandom) -> Sealed:
    """What opens with no passphrase: the answer for an unknown name takes as long as for a known one."""
    return Sealed(cost, random_bytes(SALT_BYTES), random_bytes(NONCE_BYTES), random_bytes(BOX_BYTES))


def _key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    typed = unicodedata.normalize("NFKC", passphrase).encode()  # keyboards differ in how they make an accent
    try:
        return argon2id.kdf(32, typed, salt, opslimit=cost.passes, memlimit=cost.memory)
    except (MemoryError, RuntimeError) as error:  # PyNaCl's own RuntimeError is one of Python's
        raise Busy("this node has too little free memory for that now; ask again in a while") from error
