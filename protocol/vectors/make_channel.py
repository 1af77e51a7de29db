"""Write channel.json, the conformance vectors of SPEC.md, "Channel":  python protocol/vectors/make_channel.py

Deterministic: all keys are fixed here, so the same bytes come out each time. None of these keys may be used elsewhere.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.channel import BINDING_CONTEXT, PIECE_MAX, PROLOGUE, bind
from commonsnode_protocol.limits import FRAME_BYTES_MAX, HANDSHAKE_MESSAGE_BYTES_MAX
from commonsnode_protocol.noise import CipherState, HandshakeState, KeyPair

FILE = Path(__file__).with_name("channel.json")
HEX_MAX = 8_192  # longer messages are given by size and hash
Json = dict[str, Any]

ABOUT = """\
Vectors of SPEC.md, "Channel". All byte strings are in hexadecimal. A long run is written {prefix, byte, count}: the
prefix, then the byte repeated count times. The private keys are for these vectors only.

keys: the two sides, and what the vectors `initiator_established` and `responder_established` must end in.

handshake: the side `role`, with its keys, sends and receives the messages listed, the initiator first. `expect` is what
its last received message leads to: `established`, or the reason with which it is refused.

frames: on a fresh channel of `keys`, the responder opens `messages` in order. A message with a plaintext is that
plaintext sealed with the key `initiator_to_responder` and nonce n; a long one is given by its size and hash. `expect` is
`opened`, or the reason with which the last message is refused. `frames` are the frames that come out before that. Where
it is `opened`, sealing these frames as initiator must give exactly these messages.
"""


def count_from(start: int) -> bytes:
    return bytes(range(start, start + 32))


class Side:
    """The fixed keys of one side, and its Noise state for saying what no correct side would say."""

    def __init__(self, *, initiator: bool, start: int, hello: Mapping[str, Value]) -> None:
        self.initiator = initiator
        self.seed, self.static_private, self.ephemeral_private = (
            count_from(start + 32 * i) for i in range(3)
        )
        self.static = KeyPair.of(self.static_private)
        self.ephemeral = KeyPair.of(self.ephemeral_private)
        self.node_key, self.secret = crypto_sign_seed_keypair(self.seed)
        self.hello = hello
        self.payload = bind(self.seed, self.static.public, hello)

    def noise(self, prologue: bytes = PROLOGUE) -> HandshakeState:
        return HandshakeState(
            initiator=self.initiator, prologue=prologue, static=self.static, ephemeral=self.ephemeral
        )

    def sign(self, message: bytes) -> bytes:
        return crypto_sign(message, self.secret)[:64]

    def shown(self) -> Json:
        return {
            "node_seed": self.seed.hex(),
            "node_key": self.node_key.hex(),
            "static_private": self.static_private.hex(),
            "static_public": self.static.public.hex(),
            "ephemeral_private": self.ephemeral_private.hex(),
            "ephemeral_public": self.ephemeral.public.hex(),
            "hello": canonical.encode(dict(self.hello)).hex(),
            "payload": self.payload.hex(),
        }


ALICE = Side(initiator=True, start=0x00, hello={"agent": "alice", "versions": [1]})
BOB = Side(initiator=False, start=0x80, hello={"agent": "bob", "versions": [1, 2]})


def message_1() -> bytes:
    return ALICE.noise().write_message(b"")


def message_2(payload: bytes, prologue: bytes = PROLOGUE) -> bytes:
    """What the responder answers to message_1(), with any payload."""
    bob = BOB.noise(prologue)
    bob.read_message(message_1())
    return bob.write_message(payload)


def message_3(payload: bytes) -> bytes:
    """What the initiator answers to the correct message 2, with any payload."""
    alice = ALICE.noise()
    alice.write_message(b"")
    alice.read_message(message_2(BOB.payload))
    return alice.write_message(payload)


def flipped(message: bytes, byte: int) -> bytes:
    """The message with the lowest bit of one byte changed; negative counts from the end."""
    changed = bytearray(message)
    changed[byte] ^= 1
    return bytes(changed)


def signature_without_nonce(side: Side, message: bytes) -> bytes:
    """A signature by the side's own key with R = the identity: the bare equation holds, and a strict verifier refuses it."""
    group_order = 2**252 + 27742317777372353535851937790883648493
    r = bytes([1]) + bytes(31)
    clamped = int.from_bytes(hashlib.sha512(side.seed).digest()[:32], "little") & (2**254 - 8) | 2**254
    k = int.from_bytes(hashlib.sha512(r + side.node_key + message).digest(), "little")
    return r + (k * clamped % group_order).to_bytes(32, "little")


def bad_payloads(side: Side) -> dict[str, bytes]:
    """Payloads that a correct Noise message may carry and a receiver must refuse all the same."""
    key, static, hello = side.node_key, side.static.public, dict(side.hello)
    signature = side.sign(BINDING_CONTEXT + static)
    other = ALICE if side is BOB else BOB
    identity = bytes([1]) + bytes(
        31
    )  # of small order: a lax verifier takes (identity, 0) as its signature of anything
    return {
        "binding_of_another_static_key": bind(
            side.seed, ALICE.static.public if side is BOB else BOB.static.public, hello
        ),
        "binding_by_another_node_key": canonical.encode([other.node_key, signature, hello]),
        "binding_without_context": canonical.encode([key, side.sign(static), hello]),
        "binding_of_the_next_version": canonical.encode(
            [key, side.sign(b"commonsnode/noise-static/2" + static), hello]
        ),
        "node_key_of_small_order": canonical.encode([identity, identity + bytes(32), hello]),
        "signature_with_r_of_small_order": canonical.encode(
            [key, signature_without_nonce(side, BINDING_CONTEXT + static), hello]
        ),
        "signature_bit_flipped": canonical.encode([key, flipped(signature, 0), hello]),
        "payload_empty": b"",
        "payload_cut": side.payload[:-1],
        "payload_trailing_byte": side.payload + b"\xc0",
        "payload_not_canonical": side.payload.replace(b"\xc4\x20", b"\xc5\x00\x20", 1),
        "payload_of_two": canonical.encode([key, signature]),
        "payload_of_four": canonical.encode([key, signature, hello, None]),
        "payload_a_map": canonical.encode({"hello": hello, "key": key, "signature": signature}),
        "node_key_of_31_bytes": canonical.encode([key[:31], signature, hello]),
        "node_key_of_33_bytes": canonical.encode([key + b"\x00", signature, hello]),
        "node_key_as_text": canonical.encode(["k" * 32, signature, hello]),
        "signature_of_63_bytes": canonical.encode([key, signature[:63], hello]),
        # a verifier that puts signature and message together without looking at sizes takes the 65th byte for the message's
        "signature_of_65_bytes": canonical.encode(
            [key, side.sign(b"\x00" + BINDING_CONTEXT + static) + b"\x00", hello]
        ),
        "hello_an_array": canonical.encode([key, signature, [hello]]),
        "hello_missing": canonical.encode([key, signature, None]),
        "hello_with_integer_key": canonical.encode([key, signature, {}])[:-1] + b"\x81\x01\x01",
        "hello_keys_out_of_order": canonical.encode([key, signature, {}])[:-1] + b"\x82\xa1b\x01\xa1a\x01",
        "payload_nine_deep": nested(side, 9),
    }


def nested(side: Side, depth: int) -> bytes:
    """A payload whose arrays and maps are this deep, and which is correct up to a depth of 8."""
    inner: Value = None
    for _ in range(depth - 2):
        inner = [inner]
    signature = side.sign(BINDING_CONTEXT + side.static.public)
    return canonical.encode([side.node_key, signature, {"deep": inner}], depth_max=depth)


def sized(size: int, side: Side, overhead: int) -> bytes:
    """A correct payload that makes a handshake message of exactly this size."""
    bare = len(bind(side.seed, side.static.public, {"pad": bytes(256)})) - 256
    return bind(side.seed, side.static.public, {"pad": bytes(size - overhead - bare)})


def handshakes() -> list[Json]:
    first, second, third = message_1(), message_2(BOB.payload), message_3(ALICE.payload)
    vectors: list[Json] = []

    def to_initiator(name: str, message: bytes, expect: str = "bad-handshake") -> None:
        sends = [first] if expect != "established" else [first, third_after(message)]
        vectors.append(vector(f"initiator_{name}", "initiator", [message], sends, expect))

    def to_responder(name: str, messages: list[bytes], expect: str = "bad-handshake") -> None:
        sends = [second] if len(messages) > 1 else []
        vectors.append(vector(f"responder_{name}", "responder", messages, sends, expect))

    to_initiator("established", second, "established")
    to_responder("established", [first, third], "established")

    to_responder("message_1_empty", [b""])
    to_responder("message_1_cut", [first[:31]])
    to_responder("message_1_with_payload", [first + b"\x00"])
    to_responder("message_1_small_order", [bytes(32)])
    to_responder("message_1_is_http", [b"GET / HTTP/1.1\r\n\r\n"])

    to_initiator("message_2_empty", b"")
    to_initiator("message_2_cut_in_e", second[:31])
    to_initiator("message_2_cut_in_s", second[:79])
    to_initiator("message_2_cut_in_payload", second[:-1])
    to_initiator("message_2_trailing_byte", second + b"\x00")
    to_initiator("message_2_bit_in_e", flipped(second, 0))
    to_initiator("message_2_top_bit_of_e", second[:31] + bytes([second[31] ^ 0x80]) + second[32:])
    to_initiator("message_2_bit_in_s", flipped(second, 32))
    to_initiator("message_2_bit_in_payload", flipped(second, 80))
    to_initiator("message_2_bit_in_tag", flipped(second, -1))
    to_initiator("message_2_small_order", bytes(32) + second[32:])
    to_initiator("message_2_other_prologue", message_2(BOB.payload, b"commonsnode/2"))
    to_initiator("message_2_echoes_message_1", first)
    to_initiator(
        "message_2_of_4096_bytes", message_2(sized(HANDSHAKE_MESSAGE_BYTES_MAX, BOB, 96)), "established"
    )
    to_initiator("message_2_of_4097_bytes", message_2(sized(HANDSHAKE_MESSAGE_BYTES_MAX + 1, BOB, 96)))
    to_initiator("payload_eight_deep", message_2(nested(BOB, 8)), "established")
    for name, payload in bad_payloads(BOB).items():
        to_initiator(name, message_2(payload))

    to_responder("message_3_empty", [first, b""])
    to_responder("message_3_cut", [first, third[:-1]])
    to_responder("message_3_trailing_byte", [first, third + b"\x00"])
    to_responder("message_3_bit_in_s", [first, flipped(third, 0)])
    to_responder("message_3_bit_in_payload", [first, flipped(third, 48)])
    to_responder("message_3_bit_in_tag", [first, flipped(third, -1)])
    to_responder("message_3_repeats_message_1", [first, first])
    to_responder("message_3_echoes_message_2", [first, second])
    to_responder(
        "message_3_of_4096_bytes",
        [first, message_3(sized(HANDSHAKE_MESSAGE_BYTES_MAX, ALICE, 64))],
        "established",
    )
    to_responder(
        "message_3_of_4097_bytes", [first, message_3(sized(HANDSHAKE_MESSAGE_BYTES_MAX + 1, ALICE, 64))]
    )
    to_responder("payload_eight_deep", [first, message_3(nested(ALICE, 8))], "established")
    for name, payload in bad_payloads(ALICE).items():
        to_responder(name, [first, message_3(payload)])
    return vectors


def third_after(second: bytes) -> bytes:
    alice = ALICE.noise()
    alice.write_message(b"")
    alice.read_message(second)
    return alice.write_message(ALICE.payload)


def vector(name: str, role: str, receives: list[bytes], sends: list[bytes], expect: str) -> Json:
    return {
        "name": name,
        "role": role,
        "sends": [message.hex() for message in sends],
        "receives": [message.hex() for message in receives],
        "expect": expect,
    }


def ciphers() -> tuple[CipherState, CipherState, bytes]:
    """What the vector `established` ends in: initiator to responder, the other way, and h."""
    alice = ALICE.noise()
    alice.write_message(b"")
    alice.read_message(message_2(BOB.payload))
    alice.write_message(ALICE.payload)
    return (*alice.split(), alice.handshake_hash)


def run(count: int, byte: int = 0x61, prefix: bytes = b"") -> Json:
    return {"prefix": prefix.hex(), "byte": f"{byte:02x}", "count": count}


def as_bytes(shown: str | Json) -> bytes:
    """The bytes that a vector writes in hexadecimal or as a run."""
    if isinstance(shown, str):
        return bytes.fromhex(shown)
    return bytes.fromhex(shown["prefix"]) + bytes.fromhex(shown["byte"]) * int(shown["count"])


def frames() -> list[Json]:
    key = ciphers()[0].key
    vectors: list[Json] = []

    def sealed(n: int, plaintext: str | Json) -> Json:
        message = CipherState(key, n).encrypt_with_ad(b"", as_bytes(plaintext))
        shown: Json = {"n": n, "plaintext": plaintext}
        if len(message) <= HEX_MAX:
            return shown | {"message": message.hex()}
        return shown | {
            "size": len(message),
            "blake2b_256": hashlib.blake2b(message, digest_size=32).hexdigest(),
        }

    def add(name: str, messages: list[Json], frames: list[str | Json], expect: str = "opened") -> None:
        vectors.append({"name": name, "messages": messages, "frames": frames, "expect": expect})

    def altered(n: int, plaintext: str, change: Callable[[bytes], bytes]) -> Json:
        return {"message": change(bytes.fromhex(sealed(n, plaintext)["message"])).hex()}

    full = run(PIECE_MAX, prefix=b"\x01")
    whole, rest = divmod(FRAME_BYTES_MAX, PIECE_MAX)
    add("frame_of_1_byte", [sealed(0, "0061")], ["61"])
    add(
        "two_frames",
        [sealed(0, "00666972737400"), sealed(1, "007365636f6e64")],
        ["666972737400", "7365636f6e64"],
    )
    add("frame_of_65517_bytes", [sealed(0, run(PIECE_MAX - 1, prefix=b"\x00"))], [run(PIECE_MAX - 1)])
    add("frame_of_65518_bytes", [sealed(0, run(PIECE_MAX, prefix=b"\x00"))], [run(PIECE_MAX)])
    add("frame_of_65519_bytes", [sealed(0, full), sealed(1, "0061")], [run(PIECE_MAX + 1)])
    add(
        "frame_of_2097152_bytes",
        [*(sealed(n, full) for n in range(whole)), sealed(whole, run(rest, prefix=b"\x00"))],
        [run(FRAME_BYTES_MAX)],
    )
    add(
        "frame_of_2097153_bytes",
        [*(sealed(n, full) for n in range(whole)), sealed(whole, run(rest + 1, prefix=b"\x00"))],
        [],
        "too-large",
    )
    add("frame_without_end", [sealed(n, full) for n in range(whole + 1)], [], "too-large")
    add("message_of_65536_bytes", [{"message": run(65_536, byte=0)}], [], "too-large")
    add("no_flags", [sealed(0, "")], [], "bad-frame")
    add("flags_2", [sealed(0, "0261")], [], "bad-frame")
    add("flags_128", [sealed(0, "8061")], [], "bad-frame")
    add("frame_empty", [sealed(0, "00")], [], "bad-frame")
    add("piece_empty_though_more_follows", [sealed(0, "01")], [], "bad-frame")
    add(
        "piece_not_full_though_more_follows", [sealed(0, run(PIECE_MAX - 1, prefix=b"\x01"))], [], "bad-frame"
    )
    add("last_piece_empty", [sealed(0, full), sealed(1, "00")], [], "bad-frame")
    add("second_frame_bad", [sealed(0, "0061"), sealed(1, "02")], ["61"], "bad-frame")
    add("message_empty", [{"message": ""}], [], "bad-seal")
    add("message_shorter_than_a_tag", [altered(0, "0061", lambda m: m[:15])], [], "bad-seal")
    add("message_cut", [altered(0, "0061", lambda m: m[:-1])], [], "bad-seal")
    add("message_with_trailing_byte", [altered(0, "0061", lambda m: m + b"\x00")], [], "bad-seal")
    add("message_bit_flipped", [altered(0, "0061", lambda m: flipped(m, 1))], [], "bad-seal")
    add("message_tag_bit_flipped", [altered(0, "0061", lambda m: flipped(m, -1))], [], "bad-seal")
    add("message_repeated", [sealed(0, "0061"), sealed(0, "0061")], ["61"], "bad-seal")
    add("message_left_out", [sealed(1, "0061")], [], "bad-seal")
    echo = CipherState(ciphers()[1].key).encrypt_with_ad(b"", b"\x00a")
    add("message_echoed", [{"message": echo.hex()}], [], "bad-seal")
    return vectors


def make() -> Json:
    to_responder, to_initiator, channel_hash = ciphers()
    assert to_responder.key is not None
    assert to_initiator.key is not None
    return {
        "about": ABOUT.splitlines(),
        "keys": {
            "initiator": ALICE.shown(),
            "responder": BOB.shown(),
            "channel_hash": channel_hash.hex(),
            "initiator_to_responder": to_responder.key.hex(),
            "responder_to_initiator": to_initiator.key.hex(),
        },
        "handshake": handshakes(),
        "frames": frames(),
    }


def text() -> str:
    """The content of channel.json."""
    return json.dumps(make(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
