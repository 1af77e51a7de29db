"""A person who is a steward lets this node sign acks and pins for them, so that these do not wait for the next sign-in.

The person adds the node's key as one for a node's acts only, and gives a warrant for acks: SPEC.md, "Persons", "Tables". With
neither can the node act as a steward in anything else but keys of the sealed lane, which `keyring` makes with any steward's key. What needs the person's own key, as the certificate of a proposal that
others have signed, is done at the next sign-in.
"""

import os
from collections.abc import Callable

from commonsnode import devices
from commonsnode.authoring import Author
from commonsnode.errors import Conflict
from commonsnode.governing import is_cut
from commonsnode_protocol.authority import MIRROR, Evaluator, writing
from commonsnode_protocol.record import NONCE_BYTES

RandomBytes = Callable[[int], bytes]


def trust(
    person: Author,
    community: bytes,
    node_seed: bytes,
    node_key: bytes,
    random_bytes: RandomBytes = os.urandom,
) -> bytes:
    """The person's warrant for this node, after its key was added. Raises Conflict where the person has no role."""
    held = person.store.evaluator(community)
    member = held.members.get(person.key)
    if member is None or member.role == MIRROR:
        raise Conflict(
            "you are no member of this community, so there is nothing that this node could do for you"
        )
    if node_key == person.key:
        raise Conflict("that is this node's own key already")
    found = held.person(person.key)
    if found is not None and node_key in found.keys and is_cut(found.keys[node_key]):
        raise Conflict(
            "you took this node's key back in this community, and that is for good; another node can be named,"
            " or do it at each sign-in"
        )
    if not is_trusted(held, person.key, node_key):
        agreement = writing.key_agreement(community, person.key, node_seed)
        nonce = random_bytes(NONCE_BYTES)
        draft = writing.key_added(held, person.key, nonce, person.key, node_key, agreement, node=True)
        person.act(community, draft)
    return person.warrant(community, node_key)


def withdraw(
    person: Author, community: bytes, node_key: bytes, random_bytes: RandomBytes = os.urandom
) -> bytes | None:
    """Take the node's key back, for good. Returns the changeset; None where it was never named, or is no longer. Raises Conflict."""
    held = person.store.evaluator(community)
    if node_key == person.key or not is_trusted(held, person.key, node_key):
        return None
    return devices.revoke(person, community, node_key.hex(), random_bytes).changeset


def is_trusted(held: Evaluator, person: bytes, node_key: bytes) -> bool:
    """Whether the node's key is one of the person's, and what it signs now would stand."""
    found = held.person(person)
    key = found.keys.get(node_key) if found is not None else None
    return key is not None and not is_cut(key)


def do_for(
    node: Author,
    community: bytes,
    person: bytes,
    warrant: bytes,
    most: int,
    random_bytes: RandomBytes = os.urandom,
) -> int:
    """Write with the node's own key, at most so many, the acks and pins that are due of a steward who named it. How many it did."""
    held = node.store.evaluator(community)
    if (
        held.chain is None
        or person not in held.chain.current.stewards
        or not is_trusted(held, person, node.key)
    ):
        return 0
    done = 0
    for parent, child in writing.to_ack(held, person)[:most]:
        nonce = random_bytes(NONCE_BYTES)
        node.act(community, writing.ack(held, node.key, nonce, parent, child, (person, warrant)))
        done += 1
    for join in writing.to_pin(held)[: most - done]:
        node.act(community, writing.pin(held, node.key, random_bytes(NONCE_BYTES), join))
        done += 1
    return done
