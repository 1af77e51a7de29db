"""Noise_XX_25519_ChaChaPoly_BLAKE2b, and nothing else of Noise.  SPEC.md, "Channel".

The objects and steps are those of The Noise Protocol Framework, revision 34, and carry its names: CipherState (section
5.1), SymmetricState (5.2), HandshakeState (5.3) for the one pattern XX (7.5). The primitives are of sections 12.1
(25519), 12.3 (ChaChaPoly) and 12.8 (BLAKE2b), and HKDF of 4.3.

Pure: the caller brings the private keys, the ephemeral one too. A message that is refused changes nothing.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import Enum, auto

from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_scalarmult,
    crypto_scalarmult_base,
)
from nacl.exceptions import CryptoError

from commonsnode_protocol.errors import MisuseError
from commonsnode_protocol.limits import NOISE_MESSAGE_BYTES_MAX

PROTOCOL_NAME = b"Noise_XX_25519_ChaChaPoly_BLAKE2b"
DH_SIZE = 32  # bytes of a public or private key, and of what two of them share
HASH_SIZE = 64
KEY_SIZE = 32
TAG_SIZE = 16
NONCE_RESERVED = 2**64 - 1  # never used for a message (section 5.1)


class NoiseError(ValueError):
    """The other side sent what is no message of this handshake or channel."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """A Curve25519 key pair: 32 bytes each. Its repr does not show the private key."""

    private: bytes
    public: bytes

    @classmethod
    def of(cls, private: bytes) -> "KeyPair":
        """The pair of 32 private bytes; they need not be clamped (RFC 7748, section 5, does that)."""
        if len(private) != DH_SIZE:
            raise MisuseError(f"a private key has {DH_SIZE} bytes, not {len(private)}")
        return cls(private, crypto_scalarmult_base(private))

    def shared_with(self, public: bytes) -> bytes:
        """DH(self, public), 32 bytes.

        Raises NoiseError when the result would be all zero: then `public` is one of the few points of small order, and
        the "secret" would be known to everybody (section 12.1 leaves the check open; libsodium makes it, and so do we).
        """
        try:
            return crypto_scalarmult(self.private, public)
        except CryptoError as error:
            raise NoiseError("a public key of small order") from error


def hkdf(chaining_key: bytes, input_key_material: bytes) -> tuple[bytes, bytes]:
    """HKDF with two outputs of 64 bytes (section 4.3), on HMAC (RFC 2104) with the 128-byte blocks of BLAKE2b."""
    temp_key = hmac.digest(chaining_key, input_key_material, hashlib.blake2b)
    output_1 = hmac.digest(temp_key, b"\x01", hashlib.blake2b)
    output_2 = hmac.digest(temp_key, output_1 + b"\x02", hashlib.blake2b)
    return output_1, output_2


@dataclass(slots=True, repr=False)
class CipherState:
    """A key and a counter of messages (section 5.1).

    key: 32 bytes, or None before there is one: then bytes pass through as they are. n: number of the next message.
    """

    key: bytes | None = None
    n: int = 0

    def encrypt_with_ad(self, ad: bytes, plaintext: bytes) -> bytes:
        """The ciphertext and its tag of 16 bytes."""
        if self.key is None:
            return plaintext
        ciphertext = crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, ad, self._nonce(), self.key)
        self.n += 1
        return ciphertext

    def decrypt_with_ad(self, ad: bytes, ciphertext: bytes) -> bytes:
        """The plaintext. Raises NoiseError, and changes nothing, when the tag does not fit."""
        if self.key is None:
            return ciphertext
        if len(ciphertext) < TAG_SIZE:  # the binding would ask for a buffer of negative size
            raise NoiseError(f"{len(ciphertext)} bytes cannot hold a tag")
        try:
            plaintext = crypto_aead_chacha20poly1305_ietf_decrypt(ciphertext, ad, self._nonce(), self.key)
        except CryptoError as error:
            raise NoiseError(f"message {self.n} does not decrypt") from error
        self.n += 1
        return plaintext

    def _nonce(self) -> bytes:
        if self.n == NONCE_RESERVED:
            raise MisuseError("this key has sealed all the messages it may")
        return struct.pack("<4xQ", self.n)


@dataclass(slots=True, repr=False)
class SymmetricState:
    """The chaining key, the hash of all that was said, and the cipher that follows from them (section 5.2)."""

    ck: bytes
    h: bytes
    cipher: CipherState

    @classmethod
    def initialize(cls) -> "SymmetricState":
        """InitializeSymmetric: the name of the suite is shorter than a hash, and so padded rather than hashed."""
        h = PROTOCOL_NAME.ljust(HASH_SIZE, b"\x00")
        return cls(ck=h, h=h, cipher=CipherState())

    def copy(self) -> "SymmetricState":
        """A second state that goes on from here by itself."""
        return SymmetricState(self.ck, self.h, CipherState(self.cipher.key, self.cipher.n))

    def mix_key(self, input_key_material: bytes) -> None:
        self.ck, temp_key = hkdf(self.ck, input_key_material)
        self.cipher = CipherState(temp_key[:KEY_SIZE])

    def mix_hash(self, data: bytes) -> None:
        self.h = hashlib.blake2b(self.h + data).digest()

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        ciphertext = self.cipher.encrypt_with_ad(self.h, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """The plaintext. Raises NoiseError, and changes nothing, when the tag does not fit."""
        plaintext = self.cipher.decrypt_with_ad(self.h, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState]:
        """The ciphers for what the initiator sends, and for what the responder sends."""
        temp_key_1, temp_key_2 = hkdf(self.ck, b"")
        return CipherState(temp_key_1[:KEY_SIZE]), CipherState(temp_key_2[:KEY_SIZE])


class Token(Enum):
    """A step in a message: send a key, or mix in what two keys share (section 7)."""

    E = auto()
    S = auto()
    EE = auto()
    ES = auto()
    SE = auto()


XX = (
    (Token.E,),  # →
    (Token.E, Token.EE, Token.S, Token.ES),  # ←
    (Token.S, Token.SE),  # →
)


class HandshakeState:
    """One side of the pattern XX (section 5.3).

    The initiator writes, reads, writes; the responder reads, writes, reads. Then `split` gives the two ciphers.
    """

    __slots__ = (
        "_ephemeral",
        "_static",
        "_symmetric",
        "initiator",
        "remote_ephemeral",
        "remote_static",
        "step",
    )

    def __init__(self, *, initiator: bool, prologue: bytes, static: KeyPair, ephemeral: KeyPair) -> None:
        """prologue: bytes that both sides must agree on. ephemeral: fresh, never used for another handshake."""
        self.initiator = initiator
        self.remote_ephemeral: bytes | None = None
        self.remote_static: bytes | None = None
        self.step = 0  # messages written and read so far
        self._static = static
        self._ephemeral = ephemeral
        self._symmetric = SymmetricState.initialize()
        self._symmetric.mix_hash(prologue)

    @property
    def finished(self) -> bool:
        """Whether all three messages have passed."""
        return self.step == len(XX)

    @property
    def handshake_hash(self) -> bytes:
        """h: 64 bytes; when finished, the same on both sides and different in each handshake (section 11.2)."""
        return self._symmetric.h

    def write_message(self, payload: bytes) -> bytes:
        """The next message, with the payload sealed as far as there is a key. Raises MisuseError out of turn."""
        self._expect_turn(writing=True)
        symmetric = self._symmetric.copy()
        parts: list[bytes] = []
        for token in XX[self.step]:
            match token:
                case Token.E:
                    parts.append(self._ephemeral.public)
                    symmetric.mix_hash(self._ephemeral.public)
                case Token.S:
                    parts.append(symmetric.encrypt_and_hash(self._static.public))
                case _:
                    symmetric.mix_key(self._shared(token, self.remote_ephemeral, self.remote_static))
        parts.append(symmetric.encrypt_and_hash(payload))
        message = b"".join(parts)
        if len(message) > NOISE_MESSAGE_BYTES_MAX:
            raise MisuseError(f"a Noise message of {len(message)} bytes")
        self._symmetric = symmetric
        self.step += 1
        return message

    def read_message(self, message: bytes) -> bytes:
        """The payload of the next message.

        Raises NoiseError, and changes nothing, when the message is too short or long, does not decrypt, or brings a
        key of small order; MisuseError out of turn.
        """
        self._expect_turn(writing=False)
        if len(message) > NOISE_MESSAGE_BYTES_MAX:
            raise NoiseError(f"a Noise message of {len(message)} bytes")
        symmetric, ephemeral, static = self._symmetric.copy(), self.remote_ephemeral, self.remote_static
        rest = message
        for token in XX[self.step]:
            match token:
                case Token.E:
                    ephemeral, rest = _take(rest, DH_SIZE)
                    symmetric.mix_hash(ephemeral)
                case Token.S:
                    sealed, rest = _take(rest, DH_SIZE + TAG_SIZE)
                    static = symmetric.decrypt_and_hash(sealed)
                case _:
                    symmetric.mix_key(self._shared(token, ephemeral, static))
        payload = symmetric.decrypt_and_hash(rest)
        self._symmetric, self.remote_ephemeral, self.remote_static = symmetric, ephemeral, static
        self.step += 1
        return payload

    def split(self) -> tuple[CipherState, CipherState]:
        """The ciphers to send and to receive with. Raises MisuseError before the third message."""
        if not self.finished:
            raise MisuseError("split before the handshake has ended")
        of_initiator, of_responder = self._symmetric.split()
        return (of_initiator, of_responder) if self.initiator else (of_responder, of_initiator)

    def _expect_turn(self, *, writing: bool) -> None:
        if self.finished or writing != (self.initiator == (self.step % 2 == 0)):
            raise MisuseError(f"{'write' if writing else 'read'} at step {self.step} is not this side's turn")

    def _shared(self, token: Token, ephemeral: bytes | None, static: bytes | None) -> bytes:
        """DH of the keys that the token names: the initiator's first, then the responder's."""
        of_initiator, of_responder = token.name[0], token.name[1]
        ours, theirs = (of_initiator, of_responder) if self.initiator else (of_responder, of_initiator)
        pair = self._ephemeral if ours == "E" else self._static
        public = ephemeral if theirs == "E" else static
        assert public is not None, "XX sends every key before it is mixed in"
        return pair.shared_with(public)


def _take(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise NoiseError(f"the message ends where {size} bytes of a key must come")
    return data[:size], data[size:]
