"""Recovery: words on paper that make a new node write as the person who wrote them down (rule 22).

The words are a key of their own. Its public half stands in the community; the secret half is shown once and kept nowhere.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from commonsnode import devices
from commonsnode.authoring import Author
from commonsnode.communities import follow, read_link
from commonsnode.errors import Conflict, Refusal
from commonsnode.governing import is_cut, role_of
from commonsnode.node import Node
from commonsnode.recovery_words import SEED_BYTES, seed_of, words_of
from commonsnode.writing import Landed
from commonsnode_protocol import admission
from commonsnode_protocol.authority import Evaluator, writing
from commonsnode_protocol.authority.proofs import proof_of
from commonsnode_protocol.changeset import AUTHORITY, Signed, build, public_key, sign
from commonsnode_protocol.record import NONCE_BYTES

FOUND_S_MAX = 5.0  # how long `use` waits for what says whose words these are
IN_STEP_S_MAX = 30.0  # and for all that the lost device has written, before it is revoked

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Made:
    """New recovery words. communities: where they count. left_out: where not, and why."""

    words: tuple[str, ...] = field(repr=False)
    key: bytes
    communities: tuple[bytes, ...]
    left_out: tuple[tuple[bytes, str], ...]


@dataclass(frozen=True, slots=True)
class Used:
    """What recovery words brought. signs_tables: whether this node signs them for the person, as its words let it.

    not_revoked: why what was to be revoked was not; none where nothing was, or all.
    """

    community: bytes
    name: str | None
    person: bytes
    role: str | None
    signs_tables: bool
    revoked: tuple[bytes, ...]
    not_revoked: str | None


def make(author: Author, communities: Collection[bytes], random_bytes: RandomBytes = os.urandom) -> Made:
    """Make words that count in these communities, as far as this node is a person's first one there.

    Raises Conflict where that is none of them. Words that were made before count beside the new ones.
    """
    seed = random_bytes(SEED_BYTES)
    key = public_key(seed)
    done: list[bytes] = []
    left_out: list[tuple[bytes, str]] = []
    for community in communities:
        held = author.store.evaluator(community)
        try:
            devices.check_adds(held, author.key, author.who)
        except Conflict as error:
            left_out.append((community, error.detail))
            continue
        agreement = writing.key_agreement(community, author.key, seed, recovery=True)
        nonce = random_bytes(NONCE_BYTES)
        lets = author.lets_stand_in(community, author.key, key, passes_on=True)
        draft = writing.key_added(
            held, author.key, nonce, author.key, key, agreement, recovery=True, stands_in=lets
        )
        author.act(community, draft)
        done.append(community)
    if not done:
        raise Conflict(left_out[0][1] if left_out else "this node follows no community yet")
    return Made(tuple(words_of(seed)), key, tuple(done), tuple(left_out))


async def use(node: Node, link: str, words: str, revoke: Sequence[str]) -> Used:
    """Follow a link's community, and let this node write as the person whose words these are.

    revoke: lost devices of that person, by their keys or beginnings of them; only once this node has all that is in reach,
    since what it lacks of theirs would be without effect. Raises WrongField, Unknown, Ambiguous, Conflict.
    """
    seed = seed_of(words)
    key = public_key(seed)
    landed = asyncio.Event()

    def on_landed(event: Landed) -> None:
        if event.lane == AUTHORITY:
            landed.set()

    unsubscribe = node.writer.subscribe(on_landed)
    try:
        # Where only members read, nobody tells a new node of anything but for the words.
        with node.peers.knocking(read_link(link).community, key, _knock(node, link, seed)):
            community, name = await follow(node, link, None)
            person = await _owner(node, community, key, landed)
    finally:
        unsubscribe()
    if person is None:
        raise Conflict(
            "these words belong to nobody in this community, as far as it is here"
            if name is not None
            else "nobody who has this community is in reach, so it cannot be seen whose words these are; try again then"
        )

    await node.sign_as(seed, lambda author: _add_device(author, community, person, node.seed))
    node.peers.followed(community)
    revoked: list[bytes] = []
    problem: str | None = None
    if revoke:
        result = await node.peers.sync(IN_STEP_S_MAX)
        if result.in_step:
            try:
                for text in revoke:
                    revoked.append(await node.sign_as(seed, partial(_revoke, community, text)))
            except Refusal as error:  # the device is added by now, so this is told and not raised
                problem = error.detail
        else:
            problem = (
                f"this node has not all that is in reach yet ({result.reason}), and what it lacks of the lost device would be"
                " without effect; later: commonsnode device revoke ID"
            )
    authority = await node.writer.read(lambda store: store.authority(community))
    name = authority.table.name if authority.table is not None else name
    signs = await node.writer.run(
        lambda store: proof_of(store.evaluator(community), person, node.id) is not None
    )
    return Used(community, name, person, role_of(authority, node.id), signs, tuple(revoked), problem)


def _knock(node: Node, link: str, seed: bytes) -> Signed:
    """What shows the words to peers, and names this node's key, so that nobody else can show it."""
    key, community = public_key(seed), read_link(link).community
    draft = admission.knock(community, key, os.urandom(NONCE_BYTES), node.id)
    body = build(
        community=community,
        lane=AUTHORITY,
        author=key,
        time=node.clock.now_ms(),
        refs=(),
        changes=list(draft.changes),
    )
    return sign(body, seed)


def _add_device(author: Author, community: bytes, person: bytes, seed: bytes) -> None:
    """author: with the recovery key. seed: of the node that becomes a device of the person."""
    held = author.store.evaluator(community)
    valued = held.person(person)
    assert valued is not None  # it was found by its recovery key
    if is_cut(valued.keys[author.key]):
        raise Conflict("these words were revoked")
    key = public_key(seed)
    if key in valued.keys and not is_cut(valued.keys[key]):
        if proof_of(held, person, key) is not None or proof_of(held, person, author.key) is None:
            return  # this node was that already: the words were used to revoke a device
    else:
        devices.check_new(held, person, key)
    agreement = writing.key_agreement(community, person, seed)
    nonce = os.urandom(NONCE_BYTES)
    lets = author.lets_stand_in(community, person, key, passes_on=False)
    author.act(community, writing.key_added(held, author.key, nonce, person, key, agreement, stands_in=lets))


def _revoke(community: bytes, text: str, author: Author) -> bytes:
    return devices.revoke(author, community, text).key


async def _owner(node: Node, community: bytes, key: bytes, landed: asyncio.Event) -> bytes | None:
    """Whose recovery key this is; None where nothing says so in time."""

    def look(held: Evaluator) -> bytes | None:
        for first in held.authority.persons_of(key):
            person = held.person(first)
            if person is not None and key in person.keys and person.keys[key].recovery:
                return first
        return None

    with suppress(TimeoutError):
        async with asyncio.timeout(FOUND_S_MAX):
            while True:
                landed.clear()
                found = await node.writer.run(lambda store: look(store.evaluator(community)))
                if found is not None:
                    return found
                await landed.wait()
    return None
