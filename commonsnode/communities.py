"""Communities: found one, follow one, leave one."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence

from commonsnode.authoring import Author
from commonsnode.charters import check_name
from commonsnode.config import CHOSEN_LANES, lanes_of
from commonsnode.errors import Ambiguous, Unknown, WrongField
from commonsnode.node import Node
from commonsnode.writing import Landed
from commonsnode_protocol.authority import Authority, Settings, writing
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.link import Link
from commonsnode_protocol.link import parse as parse_link
from commonsnode_protocol.record import NONCE_BYTES
from commonsnode_store.answers import CommunityInfo
from commonsnode_store.errors import UnknownCommunity
from commonsnode_store.store import Store

CHARTER_S_MAX = 3.0  # how long `follow` waits for the name of the community
DEFAULTS = Settings()


def resolve(store: Store, text: str) -> CommunityInfo:
    """The community of that id, name, or beginning of an id. Raises Unknown or Ambiguous."""
    known = store.names()
    lower = text.lower()
    found = [id_ for id_ in known if id_.hex() == lower] or [
        id_ for id_, name in known.items() if name == text or (lower and id_.hex().startswith(lower))
    ]
    if not found:
        raise Unknown(f"this node follows no community {text[:80]!r}")
    if len(found) > 1:
        raise Ambiguous(
            f"more than one community is called {text[:80]!r}, or has an id that begins so",
            [f"{id_.hex()} ({known[id_] or 'not here yet'})" for id_ in found],
        )
    try:
        return store.community(found[0])
    except UnknownCommunity as error:
        raise Unknown(f"community {text[:80]!r} was left a moment ago") from error


def link_of(community: bytes, authority: Authority, addresses: Sequence[str]) -> str:
    """The text by which others follow this community, and find this node."""
    table = authority.table.id if authority.table is not None else None
    return str(Link(community, table, tuple(addresses)))


def create(
    author: Author,
    name: str,
    lanes: Iterable[str],
    settings: Settings = DEFAULTS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Found a community, whose one steward is this node. Returns its id. Raises WrongField."""
    check_name(name)
    return author.found(writing.charter(author.key, random_bytes(NONCE_BYTES), name, settings), lanes)


def read_link(text: str) -> Link:
    """The parts of a community's link. Raises WrongField."""
    try:
        return parse_link(text)
    except NotWellFormed as error:
        raise WrongField("link", str(error)) from error


async def follow(node: Node, text: str, lanes: Sequence[str] | None) -> tuple[bytes, str | None]:
    """Follow the community of a link, and dial who the link names. Returns its id, and its name if that came in time.

    lanes: None for those of the configuration; of a community that is followed already, those that it lacks are added. Raises WrongField.
    """
    link = read_link(text)
    for lane in lanes or ():
        if lane not in CHOSEN_LANES:
            raise WrongField("lanes", f"each one of {', '.join(CHOSEN_LANES)}")
    wanted = node.config.lanes if lanes is None else lanes_of(lanes)
    arrived = asyncio.Event()

    def on_landed(landed: Landed) -> None:
        if (landed.community, landed.lane) == (link.community, AUTHORITY):
            arrived.set()

    unsubscribe = node.writer.subscribe(on_landed)
    try:
        await node.writer.run(lambda store: store.follow(link.community, wanted))
        own = set(node.addresses())
        for address in link.addresses:
            if address not in own:
                try:
                    await node.peers.add(address, source="link")
                except ValueError as error:  # as many as this node dials; another of them may have it
                    node.log.warning("link-address-left-out", address=address, problem=str(error))
        node.peers.followed(link.community)
        authority = await _charter_here(node, link.community, arrived)
    finally:
        unsubscribe()
    if authority.table is None:
        return link.community, None
    if link.table is not None and all(link.table != table.id for table in authority.tables):
        node.log.warning("link-names-another-table", community=link.community.hex(), table=link.table.hex())
    return link.community, authority.table.name


async def leave(node: Node, community: bytes) -> None:
    """Follow it no more, and remove all of it from this node."""
    await node.writer.run(lambda store: store.leave(community))
    node.peers.left(community)
    node.notices.forget(community)
    await node.notices.save()


async def _charter_here(node: Node, community: bytes, arrived: asyncio.Event) -> Authority:
    try:
        async with asyncio.timeout(CHARTER_S_MAX):
            while (await _authority(node, community)).table is None:
                arrived.clear()
                await arrived.wait()
    except TimeoutError:
        pass  # nobody in reach has it yet; it comes when somebody is
    return await _authority(node, community)


async def _authority(node: Node, community: bytes) -> Authority:
    return await node.writer.read(lambda store: store.authority(community))
