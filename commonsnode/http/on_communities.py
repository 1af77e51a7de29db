"""The API on communities."""

from collections.abc import Mapping
from typing import Any

from commonsnode import charters, communities, leaving, recovery
from commonsnode.authoring import Author
from commonsnode.errors import Conflict
from commonsnode.http import documents
from commonsnode.http.calls import Call
from commonsnode.http.naming import with_names


async def community_of(call: Call) -> bytes:
    """The id of the community that the path names. Raises Unknown, Ambiguous."""
    return await call.node.writer.read(lambda store: communities.resolve(store, call.path["community"]).id)


async def listed(call: Call) -> Mapping[str, Any]:
    addresses = call.node.addresses()
    return {"communities": await call.node.writer.read(lambda store: documents.communities(store, addresses))}


async def shown(call: Call) -> Mapping[str, Any]:
    addresses = call.node.addresses()
    found = await call.node.writer.read(
        lambda store: documents.community_full(
            store, communities.resolve(store, call.path["community"]), addresses, call.key
        )
    )
    people = await with_names(call, bytes.fromhex(found["id"]), found["people"])
    return {**found, "people": people}


async def create(call: Call) -> Mapping[str, Any]:
    node = call.node
    settings = charters.settings_from(charters.values_in(call.body))

    def found(author: Author) -> tuple[bytes, recovery.Made]:
        community = communities.create(author, call.body["name"], node.config.lanes, settings)
        return community, recovery.make(author, [community])

    community, made = await node.sign(found)
    node.peers.followed(community)
    node.log.info("community-created", community=community.hex())
    addresses = node.addresses()
    link = await node.writer.read(
        lambda store: communities.link_of(community, store.authority(community), addresses)
    )
    return {"id": community.hex(), "link": link, "recovery_words": " ".join(made.words)}


async def follow(call: Call) -> Mapping[str, Any]:
    community, name = await communities.follow(call.node, call.body["link"], call.body.get("lanes"))
    call.node.log.info("community-followed", community=community.hex())
    return {"id": community.hex(), "name": name}


async def leave(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    if call.session is not None:
        if call.query.get("keep_role") or call.query.get("force"):
            raise Conflict("the community stays on this node anyway; only who runs the node removes it")
        said = await call.sign(lambda author: leaving.give_up(author, community))
        if said is None:
            raise Conflict("you have no role in this community that you could give up")
        heard = await call.node.peers.handed_on(community, leaving.HEARD_S_MAX)
        return {"id": community.hex(), "said": said, "heard": heard}
    gone = await leaving.leave(
        call.node,
        community,
        keep_role=call.query.get("keep_role", False),
        force=call.query.get("force", False),
    )
    call.node.log.info("community-left", community=community.hex(), said=gone.said, heard=gone.heard)
    return {"id": community.hex(), "said": gone.said, "heard": gone.heard}
