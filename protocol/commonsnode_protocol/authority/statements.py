"""Signatures inside acts: what a key says besides the changeset that carries it.  SPEC.md, "Statements".

signature = Ed25519(key, context || payload), by the same rule as the signature of a changeset. Each statement has a
context of its own, and no payload is as long as a changeset's id under the same context, so none can be taken for another.
"""

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from commonsnode_protocol.changeset import KEY_BYTES, SIGNATURE_BYTES

CERTIFICATE = b"commonsnode/certificate/1"  # payload: the table's id
JOIN = b"commonsnode/join/1"  # by the invitation's key; payload: community || joiner
DEVICE = b"commonsnode/device/1"  # by the new key; payload: community || person
RECOVERY = b"commonsnode/recovery/1"  # by the new key; payload: community || person
WARRANT = b"commonsnode/warrant/1"  # by a steward; payload: community || the node's key that may ack for them

STAND_IN = (
    b"commonsnode/stand-in/1"  # by who lets it; payload: community || person || key || whether it passes on
)


def state(context: bytes, payload: bytes, seed: bytes) -> bytes:
    """The statement's signature (64 bytes) by the key of `seed` (32 bytes)."""
    _, secret = crypto_sign_seed_keypair(seed)
    return bytes(crypto_sign(context + payload, secret)[:SIGNATURE_BYTES])


def holds(context: bytes, payload: bytes, key: bytes, signature: bytes) -> bool:
    """Whether `signature` is the key's for this statement."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + context + payload, key)
    except (BadSignatureError, ValueError):
        return False
    return True
