"""Invitations: make one, withdraw it, and join by its link, also while who made it is away."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from commonsnode.authoring import Author
from commonsnode.communities import follow
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode.governing import as_steward, one_of
from commonsnode.node import Node
from commonsnode.writing import Landed
from commonsnode_protocol.authority import GRANTED_ROLES, MEMBER, Evaluator, writing
from commonsnode_protocol.authority.achieving import Void, outcomes
from commonsnode_protocol.authority.acts import USES_MAX, Entry
from commonsnode_protocol.authority.joins import is_pinned, terms
from commonsnode_protocol.authority.stewardship import Stewardship
from commonsnode_protocol.changeset import AUTHORITY, public_key
from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.limits import LINK_BYTES_MAX
from commonsnode_protocol.link import Link
from commonsnode_protocol.link import parse as parse_link
from commonsnode_protocol.record import NONCE_BYTES
from commonsnode_store.errors import UnknownCommunity

SEED_BYTES = 32
JOIN_S_MAX = 3.0  # how long `join` waits for the join to stand
NAME_BYTES_MAX = 256  # of the note that this node keeps of who an invitation is for

RandomBytes = Callable[[int], bytes]
Sign = Callable[[Callable[[Author], "Joined"]], Awaitable["Joined"]]
_SEED = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. id: the public half of its key. seed: the secret half, which is in the link and nowhere else."""

    id: bytes
    seed: bytes = field(repr=False)
    role: str
    uses: int
    waiting: bool


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """A link to a community with the secret that admits who holds it."""

    link: Link
    seed: bytes = field(repr=False)
    role: str

    def __str__(self) -> str:
        """As text: the addresses give way where it would be too long."""
        invite = f"invite={self.seed.hex()}&role={self.role}"
        for count in range(len(self.link.addresses), -1, -1):
            base = str(Link(self.link.community, self.link.table, self.link.addresses[:count]))
            text = f"{base}{'&' if '?' in base else '?'}{invite}"
            if len(text) <= LINK_BYTES_MAX:
                return text
        raise AssertionError("a link without addresses is short")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation whose making stands. used: how many people it admitted."""

    id: bytes
    role: str
    uses: int
    used: int
    withdrawn: bool
    by: bytes
    entry: Entry = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a join. waiting: it does not stand yet. why: none where it stands."""

    community: bytes
    name: str | None
    role: str
    waiting: bool
    why: str | None


def read_link(text: str) -> InvitationLink:
    """The parts of an invitation's link. Raises WrongField, in words that never repeat the secret."""
    try:
        link = parse_link(text)
    except NotWellFormed as error:
        raise WrongField("link", str(error)) from error
    found: dict[str, list[str]] = {"invite": [], "role": []}
    for parameter in text.strip().partition("?")[2].split("&"):
        name, _, value = parameter.partition("=")
        if name in found:
            found[name].append(value)
    if not found["invite"]:
        raise WrongField(
            "link", "is no invitation; a community is followed by: commonsnode community follow LINK"
        )
    seeds, roles = found["invite"], found["role"] or [MEMBER]
    if len(seeds) > 1 or not _SEED.fullmatch(seeds[0]):
        raise WrongField("link", "its invitation is not whole: it was cut off, or typed wrongly")
    if len(roles) > 1 or roles[0] not in GRANTED_ROLES:
        raise WrongField("link", f"its role is none of {', '.join(GRANTED_ROLES)}")
    return InvitationLink(link, bytes.fromhex(seeds[0]), roles[0])


def invite(
    author: Author, community: bytes, role: str, uses: int, random_bytes: RandomBytes = os.urandom
) -> Invited:
    """Make an invitation for so many people. Raises WrongField, and Conflict where this node is no steward."""
    if role not in GRANTED_ROLES:
        raise WrongField("role", f"one of {', '.join(GRANTED_ROLES)}")
    if not 1 <= uses <= USES_MAX:
        raise WrongField("uses", f"1 to {USES_MAX}")
    held = as_steward(author, community, "invite people")
    seed = random_bytes(SEED_BYTES)
    key = public_key(seed)
    draft = writing.invitation(held, author.key, random_bytes(NONCE_BYTES), key, role, uses)
    return Invited(key, seed, role, uses, author.act(community, draft).waiting)


def withdraw(
    author: Author, community: bytes, text: str, random_bytes: RandomBytes = os.urandom
) -> tuple[Invitation, bytes | None]:
    """Let nobody else join by an invitation. Returns it as it was, and the changeset; none where it was withdrawn before.

    Raises Unknown, Ambiguous, Conflict.
    """
    held = as_steward(author, community, "withdraw an invitation")
    known = {each.id: each for each in listed(held)}
    found = known[one_of(known.keys(), text, "invitation")]
    if found.withdrawn:
        return found, None
    draft = writing.withdrawal(held, author.key, random_bytes(NONCE_BYTES), found.id)
    return found, author.act(community, draft).ids[-1]


def listed(held: Evaluator) -> list[Invitation]:
    """The invitations that stand, withdrawn ones too, in the order in which they were made."""
    acts = held.acts
    if acts is None:
        return []
    found = [each for key in acts.invitations if (each := _invitation(held, acts, key)) is not None]
    return sorted(found, key=lambda each: (each.entry.changeset.time, each.id))


def joins_of(held: Evaluator, invitation: bytes) -> Iterator[tuple[bytes, bool]]:
    """Who joined by it: the key, and whether a steward's node has confirmed that for good."""
    acts = held.acts
    made = held.joins.made.get(invitation, {})
    for id_ in sorted(held.joins.kept.get(invitation, ())):
        yield made[id_].changeset.author, acts is not None and is_pinned(made[id_], acts)


async def join(node: Node, text: str, random_bytes: RandomBytes = os.urandom) -> Joined:
    """Follow the community of an invitation's link, and join it; who made it need not be in reach.

    The join waits on this node until what it rests on is here. Raises WrongField; Conflict where it cannot come to
    stand: the invitation was withdrawn or is used up, this node has a role already, or its role was taken back.
    """
    read = read_link(text)
    invitation = public_key(read.seed)
    landed = asyncio.Event()

    def on_landed(event: Landed) -> None:
        if (event.community, event.lane) == (read.link.community, AUTHORITY):
            landed.set()

    unsubscribe = node.writer.subscribe(on_landed)
    community = read.link.community
    try:
        # Written before anybody is asked: a community for members only opens to who shows a join.
        await node.writer.run(lambda store: store.follow(community, node.config.lanes))
        await node.sign(lambda author: _join(author, community, invitation, read.seed, random_bytes))
        _, name = await follow(node, str(read.link), None)
        void = await _void(node, community)
        with suppress(TimeoutError):
            # Where not even the charter came, nobody is in reach, and more patience brings nothing.
            async with asyncio.timeout(JOIN_S_MAX if name is not None else 0):
                while void is not None and void not in LOST:
                    landed.clear()
                    await landed.wait()
                    void = await _void(node, community)
    finally:
        unsubscribe()
    if void in LOST:
        raise Conflict(_BY_VOID[void])
    why = _BY_VOID.get(void, "it has no effect yet") if void is not None else None
    authority = await node.writer.read(lambda store: store.authority(community))
    member = authority.members.get(node.id)
    name = authority.table.name if authority.table is not None else name
    return Joined(community, name, member.role if member is not None else read.role, member is None, why)


async def join_here(sign: Sign, key: bytes, text: str, random_bytes: RandomBytes = os.urandom) -> Joined:
    """Join, as a person of this node, a community that it follows: only who runs it lets it follow others, and dial.

    sign: carries out something with the person's hand. Raises as `join`, and Unknown: of a community that the person cannot
    read also where the invitation is none.
    """
    read = read_link(text)
    invitation, community = public_key(read.seed), read.link.community

    def write(author: Author) -> Joined:
        store = author.store
        seen = community in store.community_ids()
        with suppress(UnknownCommunity):
            if not seen and (acts := store.evaluator(community).acts) is not None:
                seen = terms(invitation, acts) is not None
        if not seen:
            raise Unknown(
                "this node does not follow that community; ask who runs it: commonsnode community follow LINK"
            )
        _join(author, community, invitation, read.seed, random_bytes)
        void = void_of(store.evaluator(community), key)
        if void in LOST:
            raise Conflict(_BY_VOID[void])
        authority = store.authority(community)
        member, table = authority.members.get(key), authority.table
        role = member.role if member is not None else read.role
        why = _BY_VOID.get(void, "it has no effect yet") if void is not None else None
        return Joined(community, table.name if table is not None else None, role, member is None, why)

    return await sign(write)


def why_not(held: Evaluator, key: bytes) -> str | None:
    """Why this key's latest join does not make it a member now, in words; none where it has a role, or never joined."""
    void = void_of(held, key)
    return _BY_VOID.get(void, "it has no effect") if void is not None else None


def void_of(held: Evaluator, key: bytes) -> Void | None:
    """The same as a reason."""
    if key in held.members:
        return None
    member = held.member(key)
    if member is not None and member.revocations:
        return Void.REVOKED
    own = [entry for entry in held.pool.by_author.get(key, {}).values() if entry.join is not None]
    if not own:
        return None
    last = max(own, key=lambda entry: (entry.changeset.time, entry.id))
    return outcomes(held, last.id)[0].void or Void.REVOKED


LOST = frozenset({Void.INVITATION_DID_NOT_SIGN, Void.WITHDRAWN, Void.USED_UP, Void.REVOKED})
_BY_VOID = {
    Void.NO_CHARTER: "the charter of the community is not here yet; it comes with the first peer that has it",
    Void.NO_INVITATION: "the invitation itself is not here yet; it comes with the first peer that has it",
    Void.INVITATION_DID_NOT_SIGN: "the link is not whole",
    Void.WITHDRAWN: "the invitation was withdrawn, and this join was not among those that the steward had seen; ask for a"
    " new invitation",
    Void.USED_UP: "the invitation is used up: as many others as it was for have joined by it; ask for a new one",
    Void.REVOKED: "a steward took your role back, and a link does not bring you back; ask a steward: commonsnode member"
    " grant ID",
}


def _join(
    author: Author, community: bytes, invitation: bytes, seed: bytes, random_bytes: RandomBytes
) -> None:
    held = author.store.evaluator(community)
    member = held.members.get(author.key)
    if member is not None:
        raise Conflict(f"{author.who.are} a {member.role} of this community already")
    past = held.member(author.key)
    if past is not None and past.revocations:
        raise Conflict(_BY_VOID[Void.REVOKED])
    own = held.pool.by_author.get(author.key, {}).values()
    if not any(entry.join is not None and entry.join.invitation == invitation for entry in own):
        found = _invitation(held, held.acts, invitation) if held.acts is not None else None
        if found is not None and found.withdrawn:
            raise Conflict("this invitation was withdrawn; ask for a new one")
        if found is not None and found.used >= found.uses:
            raise Conflict(
                f"this invitation is used up: it was for {found.uses}, and {found.used} joined by it;"
                " ask for a new one"
            )
        nonce = random_bytes(NONCE_BYTES)
        author.act(community, writing.join(community, author.key, nonce, seed, invitation))


async def _void(node: Node, community: bytes) -> Void | None:
    """Why this node's join does not stand yet; none where it is admitted."""
    return await node.writer.run(lambda store: void_of(store.evaluator(community), node.id))


def _invitation(held: Evaluator, acts: Stewardship, key: bytes) -> Invitation | None:
    found = terms(key, acts)
    if found is None:
        return None
    entry, said = found
    people = {person for person, _ in joins_of(held, key)}
    withdrawn = bool(acts.withdrawals.get(key))
    return Invitation(key, said.role, said.uses, len(people), withdrawn, entry.changeset.author, entry)
