"""The sealed channel between two nodes: a handshake of three messages, then frames.  SPEC.md, "Channel".

A state machine without I/O: messages of the pipe go in, messages to send and whole frames come out. The pipe keeps the
order and the bounds of messages; it is trusted with nothing else.

    initiator                                    responder
    start()              ── message 1 ──▶        receive(message 1)
    receive(message 2)   ◀── message 2 ──
                         ── message 3 ──▶        receive(message 3)
    channel.seal(frame)  ── messages ──▶         channel.open(message), once for each
"""

from collections.abc import Mapping

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import MisuseError, NotCanonical, PeerError, Reason
from commonsnode_protocol.limits import (
    FRAME_BYTES_MAX,
    HANDSHAKE_MESSAGE_BYTES_MAX,
    NOISE_MESSAGE_BYTES_MAX,
)
from commonsnode_protocol.noise import DH_SIZE, TAG_SIZE, CipherState, HandshakeState, KeyPair, NoiseError

PROLOGUE = b"commonsnode/1"
BINDING_CONTEXT = b"commonsnode/noise-static/1"  # goes before the static key under the signature
NODE_KEY_SIZE = 32
SIGNATURE_SIZE = 64
PAYLOAD_MAX_2 = (
    HANDSHAKE_MESSAGE_BYTES_MAX - DH_SIZE - (DH_SIZE + TAG_SIZE) - TAG_SIZE
)  # 4,000: after e and s
PAYLOAD_MAX_3 = HANDSHAKE_MESSAGE_BYTES_MAX - (DH_SIZE + TAG_SIZE) - TAG_SIZE  # 4,032: after s

LAST = b"\x00"  # flags: this piece ends its frame
MORE = b"\x01"  # flags: more pieces of this frame follow
PIECE_MAX = NOISE_MESSAGE_BYTES_MAX - TAG_SIZE - len(LAST)  # 65,518: what fits beside the flags


class Channel:
    """An established channel. It seals frames into messages of the pipe, and opens messages into frames.

    peer_key: the peer's Ed25519 node key, 32 bytes; it has proved that it holds it. It may be our own.
    peer_hello: what the peer said of itself in the handshake: any map; its content is the session's to check.
    channel_hash: 64 bytes, the same on both sides and of no other channel.
    initiator: whether this side spoke first.
    """

    __slots__ = (
        "_broken",
        "_pieces",
        "_receiver",
        "_sender",
        "_size",
        "channel_hash",
        "initiator",
        "peer_hello",
        "peer_key",
    )

    def __init__(
        self,
        *,
        peer_key: bytes,
        peer_hello: Mapping[str, Value],
        channel_hash: bytes,
        initiator: bool,
        sender: CipherState,
        receiver: CipherState,
    ) -> None:
        self.peer_key = peer_key
        self.peer_hello = peer_hello
        self.channel_hash = channel_hash
        self.initiator = initiator
        self._sender = sender
        self._receiver = receiver
        self._pieces: list[memoryview] = []  # of the frame that is coming in, all but the last
        self._size = 0  # bytes in _pieces
        self._broken = False

    def seal(self, frame: bytes) -> list[bytes]:
        """The messages that carry a frame of 1 byte to 2 MiB, in order; each has at most 65,535 bytes.

        Raises MisuseError at any other size. Works after a failed `open` too, so that the peer can be told the reason.
        """
        if not 1 <= len(frame) <= FRAME_BYTES_MAX:
            raise MisuseError(f"a frame of {len(frame)} bytes")
        whole = memoryview(frame)
        messages: list[bytes] = []
        for start in range(0, len(frame), PIECE_MAX):
            end = start + PIECE_MAX
            plaintext = b"".join((MORE if end < len(frame) else LAST, whole[start:end]))
            messages.append(self._sender.encrypt_with_ad(b"", plaintext))
        return messages

    def open(self, message: bytes) -> bytes | None:
        """The frame that this message completes, or None while more of it is to come.

        Raises PeerError, and from then on MisuseError:
        TOO_LARGE   a message over 65,535 bytes, or a frame over 2 MiB, as soon as that shows
        BAD_SEAL    it does not decrypt: altered, repeated, out of order, or sent to somebody else
        BAD_FRAME   unknown flags, an empty piece, or a piece that is not full though more follows
        """
        if self._broken:
            raise MisuseError("open after a message was refused")
        try:
            return self._open(message)
        except PeerError:
            self._broken = True
            self._pieces.clear()
            raise

    def _open(self, message: bytes) -> bytes | None:
        if len(message) > NOISE_MESSAGE_BYTES_MAX:
            raise PeerError(Reason.TOO_LARGE, f"a message of {len(message)} bytes")
        try:
            plaintext = self._receiver.decrypt_with_ad(b"", message)
        except NoiseError as error:
            raise PeerError(Reason.BAD_SEAL, str(error)) from error
        flags, piece = plaintext[:1], memoryview(plaintext)[1:]
        if flags not in (LAST, MORE):
            raise PeerError(Reason.BAD_FRAME, f"flags {flags.hex() or 'missing'}")
        if not piece:
            raise PeerError(Reason.BAD_FRAME, "an empty piece")
        if flags == MORE and len(piece) != PIECE_MAX:  # or else a million tiny pieces could be heaped upon us
            raise PeerError(Reason.BAD_FRAME, f"a piece of {len(piece)} bytes though more follows")
        if self._size + len(piece) > FRAME_BYTES_MAX:
            raise PeerError(Reason.TOO_LARGE, f"a frame of more than {FRAME_BYTES_MAX} bytes")
        if flags == MORE:
            self._pieces.append(piece)
            self._size += len(piece)
            return None
        frame = b"".join((*self._pieces, piece))
        self._pieces.clear()
        self._size = 0
        return frame


class Handshake:
    """One side of the three messages that make a channel. `channel` is None until this side has it."""

    __slots__ = ("_binding", "_noise", "channel")

    def __init__(
        self,
        *,
        initiator: bool,
        node_seed: bytes,
        static_private: bytes,
        ephemeral_private: bytes,
        hello: Mapping[str, Value],
    ) -> None:
        """node_seed: of the node's Ed25519 key. The two private keys: Curve25519. Each has 32 bytes.

        ephemeral_private MUST be fresh random bytes for each handshake. hello: what this node says of itself, at most
        7 deep. Raises MisuseError when a key has another size, or the hello leaves no room for the rest of its message
        (4,096 bytes in all); NotCanonical when it is no value.
        """
        if len(node_seed) != NODE_KEY_SIZE:
            raise MisuseError(f"a seed has {NODE_KEY_SIZE} bytes, not {len(node_seed)}")
        static = KeyPair.of(static_private)
        self._binding = bind(node_seed, static.public, hello)
        if len(self._binding) > (PAYLOAD_MAX_3 if initiator else PAYLOAD_MAX_2):
            raise MisuseError(f"with this hello the payload has {len(self._binding)} bytes")
        ephemeral = KeyPair.of(ephemeral_private)
        self._noise: HandshakeState | None = HandshakeState(
            initiator=initiator, prologue=PROLOGUE, static=static, ephemeral=ephemeral
        )
        self.channel: Channel | None = None

    def start(self) -> bytes:
        """Message 1. Raises MisuseError unless this is the initiator's first step."""
        return self._alive().write_message(b"")

    def receive(self, message: bytes) -> bytes | None:
        """Take in the peer's next message; returns the one to send back, if any is due.

        Raises PeerError(BAD_HANDSHAKE) when it is not what the peer of this handshake must send, and from then on
        MisuseError. Raises MisuseError too when no message is due: before `start`, or when the channel is there.
        """
        noise = self._alive()
        try:
            return self._receive(noise, message)
        except PeerError:
            self._noise = None
            raise
        except NoiseError as error:
            self._noise = None
            raise PeerError(Reason.BAD_HANDSHAKE, str(error)) from error

    def _receive(self, noise: HandshakeState, message: bytes) -> bytes | None:
        first = noise.step == 0
        if len(message) > HANDSHAKE_MESSAGE_BYTES_MAX:
            raise PeerError(Reason.BAD_HANDSHAKE, f"a handshake message of {len(message)} bytes")
        payload = noise.read_message(message)
        if first:
            if payload:
                raise PeerError(Reason.BAD_HANDSHAKE, f"message 1 carries {len(payload)} bytes")
            return noise.write_message(self._binding)
        assert noise.remote_static is not None, "messages 2 and 3 bring it"
        peer_key, peer_hello = verify_binding(payload, noise.remote_static)
        answer = None if noise.finished else noise.write_message(self._binding)
        sender, receiver = noise.split()
        self.channel = Channel(
            peer_key=peer_key,
            peer_hello=peer_hello,
            channel_hash=noise.handshake_hash,
            initiator=noise.initiator,
            sender=sender,
            receiver=receiver,
        )
        self._noise = None  # and with it the ephemeral key
        return answer

    def _alive(self) -> HandshakeState:
        if self._noise is None:
            raise MisuseError("this handshake has ended" if self.channel else "this handshake has failed")
        return self._noise


def bind(node_seed: bytes, static_public: bytes, hello: Mapping[str, Value]) -> bytes:
    """The payload of messages 2 and 3: the node key, its signature of the static key, and the hello."""
    node_key, node_secret = crypto_sign_seed_keypair(node_seed)
    signature = crypto_sign(BINDING_CONTEXT + static_public, node_secret)[:SIGNATURE_SIZE]
    return canonical.encode([node_key, signature, dict(hello)])


def verify_binding(payload: bytes, static_public: bytes) -> tuple[bytes, dict[str, Value]]:
    """The node key and hello of a payload whose signature binds this static key. Raises PeerError(BAD_HANDSHAKE)."""
    try:
        value = canonical.decode(payload)
    except NotCanonical as error:
        raise PeerError(Reason.BAD_HANDSHAKE, f"payload: {error}") from error
    match value:
        case [bytes(node_key), bytes(signature), dict(hello)] if (
            len(node_key) == NODE_KEY_SIZE and len(signature) == SIGNATURE_SIZE
        ):
            pass
        case _:
            raise PeerError(Reason.BAD_HANDSHAKE, "payload: not [node key, signature, hello]")
    try:
        crypto_sign_open(signature + BINDING_CONTEXT + static_public, node_key)
    except BadSignatureError as error:
        raise PeerError(Reason.BAD_HANDSHAKE, "the node key did not sign the static key") from error
    return node_key, hello
