"""Two nodes make a channel and pass frames over it; whatever else comes in ends it with a named reason."""

import copy
import hashlib
import json
import runpy
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_seed_keypair

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.channel import PIECE_MAX, PROLOGUE, Channel, Handshake, bind
from commonsnode_protocol.errors import MisuseError, NotCanonical, PeerError, Reason
from commonsnode_protocol.limits import FRAME_BYTES_MAX, HANDSHAKE_MESSAGE_BYTES_MAX, NOISE_MESSAGE_BYTES_MAX
from commonsnode_protocol.noise import CipherState, HandshakeState, KeyPair

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
CHANNEL_JSON = json.loads((VECTORS / "channel.json").read_text(encoding="utf-8"))

HELLO: dict[str, Value] = {"versions": [1], "agent": "test"}
SIZES = [1, 65_517, 65_518, 65_519, 2 * 65_518, FRAME_BYTES_MAX]


def seed_of(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=32).digest()


def node_key(name: str) -> bytes:
    return crypto_sign_seed_keypair(seed_of(f"{name} node"))[0]


def side(
    name: str, *, initiator: bool, hello: dict[str, Value] | None = None, day: str = "today"
) -> Handshake:
    return Handshake(
        initiator=initiator,
        node_seed=seed_of(f"{name} node"),
        static_private=seed_of(f"{name} static"),
        ephemeral_private=seed_of(f"{name} {day}"),
        hello=HELLO if hello is None else hello,
    )


def two_sides() -> tuple[Handshake, Handshake]:
    return side("alice", initiator=True), side("bob", initiator=False)


def sent(message: bytes | None) -> bytes:
    assert message is not None
    return message


def channel_of(handshake: Handshake) -> Channel:
    assert handshake.channel is not None
    return handshake.channel


def channels() -> tuple[Channel, Channel]:
    """A fresh pair; the same keys each time, since the handshake draws nothing by itself."""
    alice, bob = two_sides()
    assert bob.receive(sent(alice.receive(sent(bob.receive(alice.start()))))) is None
    return channel_of(alice), channel_of(bob)


def open_all(channel: Channel, messages: Iterable[bytes]) -> list[bytes]:
    return [frame for message in messages if (frame := channel.open(message)) is not None]


def refusal(call: Callable[[bytes], object], message: bytes) -> Reason:
    """The reason with which the message is refused; whatever else is raised is a failure of the test."""
    with pytest.raises(PeerError) as caught:
        call(message)
    with pytest.raises(MisuseError):
        call(message)  # and the object is of no more use
    return caught.value.reason


def every_flip(message: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(message)):
        changed = bytearray(message)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


# The handshake


def test_two_sides_know_each_other_after_three_messages() -> None:
    alice, bob = (
        side("alice", initiator=True, hello={"name": "a"}),
        side("bob", initiator=False, hello={"name": "b"}),
    )
    message_1 = alice.start()
    message_2 = sent(bob.receive(message_1))
    assert bob.channel is None  # nobody has proved anything to the responder yet
    message_3 = sent(alice.receive(message_2))
    assert bob.receive(message_3) is None
    of_alice, of_bob = channel_of(alice), channel_of(bob)
    assert (of_alice.peer_key, of_alice.peer_hello) == (node_key("bob"), {"name": "b"})
    assert (of_bob.peer_key, of_bob.peer_hello) == (node_key("alice"), {"name": "a"})
    assert of_alice.channel_hash == of_bob.channel_hash
    assert len(of_alice.channel_hash) == 64
    assert (of_alice.initiator, of_bob.initiator) == (True, False)
    assert len(message_1) == 32
    assert b"name" not in message_2 + message_3
    assert node_key("bob") not in message_2
    assert node_key("alice") not in message_3


def test_a_fresh_ephemeral_key_on_either_side_makes_another_channel() -> None:
    hashes = set()
    for of_alice, of_bob in [("today", "today"), ("later", "today"), ("today", "later")]:
        alice, bob = side("alice", initiator=True, day=of_alice), side("bob", initiator=False, day=of_bob)
        bob.receive(sent(alice.receive(sent(bob.receive(alice.start())))))
        hashes.add(channel_of(bob).channel_hash)
    assert len(hashes) == 3


def test_a_node_that_reaches_itself_sees_its_own_key() -> None:
    alice, mirror = side("alice", initiator=True), side("alice", initiator=False)
    alice.receive(sent(mirror.receive(alice.start())))
    assert channel_of(alice).peer_key == node_key("alice")


def test_any_flipped_bit_of_the_first_message_ends_the_handshake_at_the_initiator() -> None:
    alice, bob = two_sides()
    message = alice.start()
    for changed in every_flip(message):
        answer = sent(copy.deepcopy(bob).receive(changed))
        victim = copy.deepcopy(alice)
        assert refusal(victim.receive, answer) is Reason.BAD_HANDSHAKE
        assert victim.channel is None


def test_any_flipped_bit_of_the_second_message_ends_the_handshake() -> None:
    alice, bob = two_sides()
    message = sent(bob.receive(alice.start()))
    for changed in every_flip(message):
        victim = copy.deepcopy(alice)
        assert refusal(victim.receive, changed) is Reason.BAD_HANDSHAKE
        assert victim.channel is None


def test_any_flipped_bit_of_the_third_message_ends_the_handshake() -> None:
    alice, bob = two_sides()
    message = sent(alice.receive(sent(bob.receive(alice.start()))))
    for changed in every_flip(message):
        victim = copy.deepcopy(bob)
        assert refusal(victim.receive, changed) is Reason.BAD_HANDSHAKE
        assert victim.channel is None


@given(st.integers(1, 3), st.data())
def test_a_cut_or_lengthened_handshake_message_is_refused(number: int, data: st.DataObject) -> None:
    alice, bob = two_sides()
    messages = [alice.start()]
    victim: Handshake = bob
    if number > 1:
        messages.append(sent(bob.receive(messages[-1])))
        victim = alice
    if number > 2:
        messages.append(sent(alice.receive(messages[-1])))
        victim = bob
    message = messages[-1]
    changed = data.draw(
        st.one_of(
            st.integers(0, len(message) - 1).map(lambda end: message[:end]),
            st.binary(min_size=1, max_size=50).map(lambda more: message + more),
            st.just(message + bytes(HANDSHAKE_MESSAGE_BYTES_MAX)),
        )
    )
    assert refusal(victim.receive, changed) is Reason.BAD_HANDSHAKE


@given(
    st.binary(max_size=HANDSHAKE_MESSAGE_BYTES_MAX + 10).filter(lambda data: len(data) != 32), st.booleans()
)
def test_garbage_before_the_handshake_is_refused(garbage: bytes, initiator: bool) -> None:
    victim = side("alice", initiator=initiator)
    if initiator:
        victim.start()
    assert refusal(victim.receive, garbage) is Reason.BAD_HANDSHAKE


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=400))
def test_garbage_of_the_right_size_gets_no_further_than_the_third_message(first: bytes, third: bytes) -> None:
    bob = side("bob", initiator=False)

    def receive_both() -> None:
        bob.receive(first)  # may refuse at once: a point of small order
        bob.receive(third)

    with pytest.raises(PeerError) as caught:
        receive_both()
    assert caught.value.reason is Reason.BAD_HANDSHAKE
    assert bob.channel is None


def test_an_echo_of_our_own_handshake_messages_never_succeeds() -> None:
    alice, bob = two_sides()
    message_1 = alice.start()
    assert refusal(alice.receive, message_1) is Reason.BAD_HANDSHAKE
    message_2 = sent(bob.receive(message_1))
    assert refusal(bob.receive, message_2) is Reason.BAD_HANDSHAKE


def test_a_recorded_handshake_cannot_be_played_again() -> None:
    alice, bob = two_sides()
    message_1 = alice.start()
    message_3 = sent(alice.receive(sent(bob.receive(message_1))))
    later = side("bob", initiator=False, day="later")
    later.receive(message_1)
    assert refusal(later.receive, message_3) is Reason.BAD_HANDSHAKE


def test_a_man_in_the_middle_is_seen_as_himself_or_not_at_all() -> None:
    # Mallory answers in Bob's place, under a static key of her own, and passes on what Bob says of himself.
    mallory_static = KeyPair.of(seed_of("mallory static"))
    bob_static = KeyPair.of(seed_of("bob static"))
    says_bob = bind(seed_of("bob node"), bob_static.public, HELLO)
    says_mallory = bind(seed_of("mallory node"), mallory_static.public, HELLO)
    _, signature_by_mallory, hello = canonical_list(says_mallory)
    for payload, peer_key in [
        (says_bob, None),
        (canonical.encode([node_key("bob"), signature_by_mallory, hello]), None),
        (says_mallory, node_key("mallory")),
    ]:
        alice = side("alice", initiator=True)
        mallory = HandshakeState(
            initiator=False,
            prologue=PROLOGUE,
            static=mallory_static,
            ephemeral=KeyPair.of(seed_of("mallory today")),
        )
        mallory.read_message(alice.start())
        answer = mallory.write_message(payload)
        if peer_key is None:
            assert refusal(alice.receive, answer) is Reason.BAD_HANDSHAKE
        else:
            alice.receive(answer)
            assert channel_of(alice).peer_key == peer_key


def canonical_list(data: bytes) -> list[Value]:
    value = canonical.decode(data)
    assert isinstance(value, list)
    return value


def test_messages_between_two_half_handshakes_do_not_fit_together() -> None:
    # The middle man shakes hands with both sides and tries to sew the two conversations into one.
    alice, bob = two_sides()
    mallory = side("mallory", initiator=True)
    message_2_for_mallory = sent(bob.receive(mallory.start()))
    alice.start()
    assert refusal(alice.receive, message_2_for_mallory) is Reason.BAD_HANDSHAKE


def test_what_is_called_out_of_turn_is_our_own_mistake() -> None:
    alice, bob = two_sides()
    with pytest.raises(MisuseError):
        bob.start()
    with pytest.raises(MisuseError):
        alice.receive(bytes(32))
    message_1 = alice.start()
    with pytest.raises(MisuseError):
        alice.start()
    bob.receive(sent(alice.receive(sent(bob.receive(message_1)))))
    for done in (alice, bob):
        with pytest.raises(MisuseError):
            done.receive(bytes(100))
        with pytest.raises(MisuseError):
            done.start()


@pytest.mark.parametrize("initiator", [True, False])
def test_a_hello_fills_its_message_up_to_4096_bytes_and_no_further(initiator: bool) -> None:
    room = 4_096 - (64 if initiator else 96) - len(bind(bytes(32), bytes(32), {"pad": bytes(256)})) + 256
    with pytest.raises(MisuseError):
        side("alice", initiator=initiator, hello={"pad": bytes(room + 1)})
    full = side("alice", initiator=initiator, hello={"pad": bytes(room)})
    other = side("bob", initiator=not initiator)
    first, second = (full, other) if initiator else (other, full)
    message_2 = sent(second.receive(first.start()))
    message_3 = sent(first.receive(message_2))
    second.receive(message_3)
    assert len(message_3 if initiator else message_2) == 4_096
    assert channel_of(other).peer_hello == {"pad": bytes(room)}


def test_a_hello_that_is_no_value_and_a_key_of_another_size_are_our_own_mistakes() -> None:
    wrong: Any = {"version": 1.0}
    with pytest.raises(NotCanonical):
        side("alice", initiator=True, hello=wrong)
    for name in ("node_seed", "static_private", "ephemeral_private"):
        keys = {"node_seed": bytes(32), "static_private": bytes(32), "ephemeral_private": bytes(32)} | {
            name: bytes(31)
        }
        with pytest.raises(MisuseError):
            Handshake(initiator=True, hello=HELLO, **keys)


# Frames


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_arrives_whole_in_as_few_messages_as_hold_it(size: int) -> None:
    alice, bob = channels()
    frame = hashlib.blake2b(b"frame").digest() * (size // 64 + 1)
    frame = frame[:size]
    messages = alice.seal(frame)
    assert len(messages) == -(-size // PIECE_MAX)
    assert all(len(message) <= NOISE_MESSAGE_BYTES_MAX for message in messages)
    assert [bob.open(message) for message in messages] == [None] * (len(messages) - 1) + [frame]


def test_the_limit_is_of_one_frame_not_of_all_together() -> None:
    alice, bob = channels()
    for _ in range(3):
        assert [len(frame) for frame in open_all(bob, alice.seal(bytes(FRAME_BYTES_MAX)))] == [
            FRAME_BYTES_MAX
        ]


@pytest.mark.parametrize("size", [0, FRAME_BYTES_MAX + 1])
def test_no_frame_is_empty_or_over_2_mib(size: int) -> None:
    alice, bob = channels()
    with pytest.raises(MisuseError):
        alice.seal(bytes(size))
    assert open_all(bob, alice.seal(b"the next is the first")) == [b"the next is the first"]


@given(
    st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=80), st.integers(1, 3_000)), max_size=12)
)
def test_frames_go_both_ways_in_order_and_independently(plan: list[tuple[bool, bytes, int]]) -> None:
    alice, bob = channels()
    for of_alice, unit, count in plan:
        sender, receiver = (alice, bob) if of_alice else (bob, alice)
        assert open_all(receiver, sender.seal(unit * count)) == [unit * count]


def test_any_flipped_bit_of_a_message_breaks_its_seal() -> None:
    alice, bob = channels()
    open_all(bob, alice.seal(b"before"))
    (message,) = alice.seal(b"a frame")
    for changed in every_flip(message):
        assert refusal(copy.deepcopy(bob).open, changed) is Reason.BAD_SEAL
    assert bob.open(message) == b"a frame"


@given(st.sampled_from([65_517, 65_518, 65_519, 131_037]), st.data())
def test_a_flipped_bit_anywhere_in_a_long_frame_breaks_its_seal(size: int, data: st.DataObject) -> None:
    alice, bob = channels()
    messages = alice.seal(bytes(size))
    which = data.draw(st.integers(0, len(messages) - 1))
    changed = bytearray(messages[which])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert open_all(bob, messages[:which]) == []
    assert refusal(bob.open, bytes(changed)) is Reason.BAD_SEAL


@given(st.data())
def test_messages_repeated_reordered_left_out_or_cut_break_the_seal(data: st.DataObject) -> None:
    alice, bob = channels()
    messages = [alice.seal(b"frame %d" % i)[0] for i in range(5)]
    index = data.draw(st.integers(0, 4))
    assert len(open_all(bob, messages[:index])) == index
    wrong = data.draw(
        st.one_of(
            st.sampled_from([m for m in messages if m != messages[index]]),
            st.integers(0, len(messages[index]) - 1).map(lambda end: messages[index][:end]),
            st.binary(min_size=1, max_size=20).map(lambda more: messages[index] + more),
            st.binary(max_size=200),
        )
    )
    assert refusal(bob.open, wrong) is Reason.BAD_SEAL


def test_an_echo_of_our_own_messages_breaks_the_seal() -> None:
    alice, bob = channels()
    for channel in (alice, bob):
        (message,) = channel.seal(b"who is there?")
        assert refusal(channel.open, message) is Reason.BAD_SEAL


def test_messages_of_another_channel_break_the_seal() -> None:
    alice, _ = channels()
    other = side("mallory", initiator=True)
    bob = side("bob", initiator=False)
    bob.receive(sent(other.receive(sent(bob.receive(other.start())))))
    assert refusal(channel_of(bob).open, alice.seal(b"frame")[0]) is Reason.BAD_SEAL


def test_after_a_refused_message_the_channel_can_still_say_why_but_hear_nothing() -> None:
    alice, bob = channels()
    messages = alice.seal(bytes(PIECE_MAX + 1))
    assert bob.open(messages[0]) is None
    assert refusal(bob.open, bytes(20)) is Reason.BAD_SEAL
    with pytest.raises(MisuseError):
        bob.open(messages[1])
    assert open_all(alice, bob.seal(b"bad-seal")) == [b"bad-seal"]


# The published vectors of this protocol


def as_bytes(shown: str | dict[str, Any]) -> bytes:
    if isinstance(shown, str):
        return bytes.fromhex(shown)
    return bytes.fromhex(shown["prefix"]) + bytes.fromhex(shown["byte"]) * int(shown["count"])


def by_name(part: str) -> pytest.MarkDecorator:
    vectors = CHANNEL_JSON[part]
    assert len({vector["name"] for vector in vectors}) == len(vectors)
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


def test_the_vectors_are_what_their_script_makes() -> None:
    text: Callable[[], str] = runpy.run_path(str(VECTORS / "make_channel.py"))["text"]
    assert (VECTORS / "channel.json").read_text(encoding="utf-8") == text()


@by_name("handshake")
def test_handshake_vector(vector: dict[str, Any]) -> None:
    keys = CHANNEL_JSON["keys"][vector["role"]]
    hello = canonical.decode(bytes.fromhex(keys["hello"]))
    assert isinstance(hello, dict)
    handshake = Handshake(
        initiator=vector["role"] == "initiator",
        hello=hello,
        **{name: bytes.fromhex(keys[name]) for name in ("node_seed", "static_private", "ephemeral_private")},
    )
    *before, last = [bytes.fromhex(message) for message in vector["receives"]]
    sends = [handshake.start()] if vector["role"] == "initiator" else []
    sends += [sent(handshake.receive(message)) for message in before]
    match vector["expect"]:
        case "established":
            if (answer := handshake.receive(last)) is not None:
                sends.append(answer)
            assert channel_of(handshake).peer_key
        case reason:
            assert refusal(handshake.receive, last) is Reason(reason)
            assert handshake.channel is None
    assert [message.hex() for message in sends] == vector["sends"]
    if vector["name"] in ("initiator_established", "responder_established"):
        channel = channel_of(handshake)
        peer = CHANNEL_JSON["keys"]["responder" if channel.initiator else "initiator"]
        assert channel.channel_hash.hex() == CHANNEL_JSON["keys"]["channel_hash"]
        assert channel.peer_key.hex() == peer["node_key"]
        assert canonical.encode(dict(channel.peer_hello)).hex() == peer["hello"]


def fresh(initiator: bool) -> Channel:
    keys = CHANNEL_JSON["keys"]
    of_initiator, of_responder = (
        CipherState(bytes.fromhex(keys[name]))
        for name in ("initiator_to_responder", "responder_to_initiator")
    )
    return Channel(
        peer_key=bytes(32),
        peer_hello={},
        channel_hash=bytes(64),
        initiator=initiator,
        sender=of_initiator if initiator else of_responder,
        receiver=of_responder if initiator else of_initiator,
    )


def message_of(shown: dict[str, Any]) -> bytes:
    """The message of a vector, sealed here from its plaintext where it has one, and compared with what is said of it."""
    if "plaintext" not in shown:
        return as_bytes(shown["message"])
    key = bytes.fromhex(CHANNEL_JSON["keys"]["initiator_to_responder"])
    message = CipherState(key, shown["n"]).encrypt_with_ad(b"", as_bytes(shown["plaintext"]))
    if "message" in shown:
        assert message == as_bytes(shown["message"])
    else:
        assert len(message) == shown["size"]
        assert hashlib.blake2b(message, digest_size=32).hexdigest() == shown["blake2b_256"]
    return message


@by_name("frames")
def test_frames_vector(vector: dict[str, Any]) -> None:
    channel = fresh(initiator=False)
    messages = [message_of(shown) for shown in vector["messages"]]
    frames = [as_bytes(shown) for shown in vector["frames"]]
    match vector["expect"]:
        case "opened":
            assert open_all(channel, messages) == frames
            sender = fresh(initiator=True)
            assert [message for frame in frames for message in sender.seal(frame)] == messages
        case reason:
            assert open_all(channel, messages[:-1]) == frames
            assert refusal(channel.open, messages[-1]) is Reason(reason)
