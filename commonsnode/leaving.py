"""To leave a community: say so where that means something, wait until somebody has heard it, and forget the rest."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from commonsnode import communities, stewards
from commonsnode.authoring import Author
from commonsnode.errors import Conflict
from commonsnode.node import Node
from commonsnode_protocol.authority import MEMBER, STEWARD, Evaluator, writing
from commonsnode_protocol.authority.acts import certificate_of
from commonsnode_protocol.authority.proposals import proposals
from commonsnode_protocol.record import NONCE_BYTES

HEARD_S_MAX = 3.0  # how long `leave` waits for a peer that has heard it

LEFT, RESIGNED = "left", "resigned"
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Gone:
    """A community that was left. said: what this node told the others, if anything. heard: whether a peer has that."""

    said: str | None
    heard: bool | None


async def leave(node: Node, community: bytes, *, keep_role: bool = False, force: bool = False) -> Gone:
    """Give up this node's role, if it has one, and remove all of the community from this node.

    keep_role: remove only; the role is there when the node follows again. force: the same, also for a sole steward.
    Raises Conflict where the community would be without a steward, or others must sign first; nothing is removed then.
    """
    said = None
    if not force:
        said = await node.sign(lambda author: give_up(author, community, keep_role=keep_role))
    heard = await node.peers.handed_on(community, HEARD_S_MAX) if said is not None else None
    await communities.leave(node, community)
    return Gone(said, heard)


def give_up(
    author: Author, community: bytes, *, keep_role: bool = False, random_bytes: RandomBytes = os.urandom
) -> str | None:
    """Write that this node's person leaves: LEFT, or RESIGNED of a steward. None where there is nothing to say.

    Nothing is said by a mirror, which writes nothing that stands, and by another device, whose person stays.
    """
    held = author.store.evaluator(community)
    stopped = author.store.following(community).stopped
    membership = held.members.get(author.key)
    if held.chain is None or membership is None or stopped:
        return None
    if membership.role == STEWARD and len(held.chain.current.stewards) == 1:
        raise Conflict(
            f"{author.who.are} the only steward, and the community would be without one: pass the office on first (commonsnode steward"
            " propose --add ID), or leave all the same with --force"
        )
    if keep_role:
        return None
    if membership.role == STEWARD:
        _resign(author, community, held)
        return RESIGNED
    if membership.role != MEMBER:
        return None
    author.act(community, writing.leave(held, author.key, random_bytes(NONCE_BYTES), author.key))
    return LEFT


def _resign(author: Author, community: bytes, held: Evaluator) -> None:
    """Leave the table of stewards. Raises Conflict where others must sign that."""
    for found in proposals(held):
        child = certificate_of(community, found.fields, succession=False)
        asked = child is not None and author.key not in child.stewards and author.key in found.signatures
        if asked and not found.complete:
            raise Conflict(_waits(found.table))
    signed = stewards.propose(author, community, [], [author.key.hex()], {})
    if not signed.done:
        raise Conflict(_waits(signed.table))


def _waits(table: bytes) -> str:
    return (
        f"other stewards must sign that this one leaves: commonsnode steward approve {table.hex()[:8]}. Leave again when they"
        " have, or with --keep-role"
    )
