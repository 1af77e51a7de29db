"""The API on who may do what: people, invitations, stewards, and the trail of their acts."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from commonsnode import charters, invitations, members, stewards, succession
from commonsnode.authoring import Author
from commonsnode.errors import Unknown, WrongField
from commonsnode.http import authority_documents, documents
from commonsnode.http.calls import Call
from commonsnode.http.naming import with_names
from commonsnode.http.on_communities import community_of
from commonsnode.names import inviting, name_invitation, names_of_invitations
from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.link import Link
from commonsnode_store.errors import LaneNotFollowed
from commonsnode_store.store import Store

TRAIL = 1_000  # changesets, where nobody says how many

T = TypeVar("T")


async def listed(call: Call) -> Mapping[str, Any]:
    """Who is admitted; with `all` also who was."""
    community = await community_of(call)
    own_key = call.key
    rows = await call.node.writer.read(lambda store: documents.members(store, community, own_key))
    if call.query.get("all", False):
        rows += await ask(
            call, community, lambda store, held: authority_documents.removed(held, store, own_key)
        )
    return {"members": await with_names(call, community, rows)}


async def grant(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    role, person = call.body.get("role", "member"), call.body["id"].strip().lower()
    granted = await call.sign(lambda author: members.grant(author, community, person, role))
    if granted.changeset is not None:
        call.node.log.info(
            "granted", community=community.hex(), person=granted.person.hex(), role=granted.role
        )
    return {
        "id": granted.person.hex(),
        "role": granted.role,
        "changeset": granted.changeset.hex() if granted.changeset is not None else None,
        "waiting": granted.waiting,
    }


async def revoke(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    revoked = await call.sign(lambda author: members.revoke(author, community, call.path["key"]))
    call.node.log.info("revoked", community=community.hex(), person=revoked.person.hex(), role=revoked.role)
    return {
        "id": revoked.person.hex(),
        "role": revoked.role,
        "changeset": revoked.changeset.hex(),
        "named": revoked.named,
    }


async def you(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    # Notices are for who runs the node: they tell of its own role.
    told = call.node.notices.of(community).notices if call.session is None else []
    return await ask(call, community, lambda _, held: authority_documents.you(held, call.key, told))


async def invitations_listed(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    # What could not be sealed is for who runs the node.
    kept = call.node.notices.of(community).names if call.by_operator else {}
    known = await ask(call, community, lambda _, held: inviting(held))
    found = await call.node.writer.read(lambda store: names_of_invitations(store, community, known))
    names = {**kept, **{key.hex(): name for key, name in found.items()}}
    return {
        "invitations": await ask(
            call, community, lambda _, held: authority_documents.invitations(held, names)
        )
    }


async def invite(call: Call) -> Mapping[str, Any]:
    node, body = call.node, call.body
    name = body.get("name")
    if name is not None and not name.isprintable():
        raise WrongField("name", "is printable text on one line")
    community = await community_of(call)
    invited = await call.sign(
        lambda author: invitations.invite(author, community, body.get("role", "member"), body.get("uses", 1))
    )
    node.log.info("invited", community=community.hex(), invitation=invited.id.hex(), role=invited.role)
    if name is not None:
        try:
            await call.sign(lambda author: name_invitation(author, community, invited.id, name))
        except LaneNotFollowed:  # then it stays on this node
            node.notices.of(community).names[invited.id.hex()] = name
            await node.notices.save()
    addresses = tuple(node.addresses())
    authority = await node.writer.read(lambda store: store.authority(community))
    table = authority.table.id if authority.table is not None else None
    link = invitations.InvitationLink(Link(community, table, addresses), invited.seed, invited.role)
    return {
        "link": str(link),
        "id": invited.id.hex(),
        "role": invited.role,
        "uses": invited.uses,
        "name": name,
    }


async def withdraw(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    found, changeset = await call.sign(
        lambda author: invitations.withdraw(author, community, call.path["key"])
    )
    if changeset is not None:
        call.node.log.info("invitation-withdrawn", community=community.hex(), invitation=found.id.hex())
    return {
        "id": found.id.hex(),
        "used": found.used,
        "changeset": changeset.hex() if changeset is not None else None,
    }


async def join(call: Call) -> Mapping[str, Any]:
    link = call.body["link"]
    if call.session is None:
        joined = await invitations.join(call.node, link)
    else:
        joined = await invitations.join_here(call.sign, call.key, link)
    call.node.log.info("joined", community=joined.community.hex(), role=joined.role, waiting=joined.waiting)
    return {
        "community": joined.community.hex(),
        "name": joined.name,
        "role": joined.role,
        "waiting": joined.waiting,
        "why": joined.why,
    }


async def tables(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    found = await ask(call, community, lambda _, held: authority_documents.tables(held, call.key))
    return {**found, "stewards": await with_names(call, community, found["stewards"])}


async def propose(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    body = call.body
    asked = charters.values_in(body.get("settings", {}))
    signed = await call.sign(
        lambda author: stewards.propose(
            author, community, body.get("add", []), body.get("remove", []), asked, body.get("name")
        )
    )
    return _signed(call, community, signed)


async def approve(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    which = call.path["key"]

    def sign(author: Author) -> stewards.Signed:
        # The id tells which it is: a change that stewards decide, or an election that members do.
        election = succession.approve(author, community, which)
        return election if election is not None else stewards.approve(author, community, which)

    return _signed(call, community, await call.sign(sign))


async def succeed(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    signed = await call.sign(lambda author: succession.propose(author, community, call.body["add"]))
    return _signed(call, community, signed)


async def object_to(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    table, changeset = await call.sign(
        lambda author: succession.object_to(author, community, call.path["key"])
    )
    call.node.log.info("election-objected", community=community.hex(), table=table.hex())
    return {"id": table.hex(), "changeset": changeset.hex() if changeset is not None else None}


async def history(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    limit = call.query.get("limit", TRAIL)
    found = await ask(call, community, lambda store, held: authority_documents.history(held, store, limit))
    rows = await with_names(call, community, found["history"], "author", "author_name")
    return {**found, "history": rows}


def _signed(call: Call, community: bytes, signed: stewards.Signed) -> dict[str, Any]:
    state = "done" if signed.done else "proposed"
    call.node.log.info("table-signed", community=community.hex(), table=signed.table.hex(), state=state)
    return {
        "id": signed.table.hex(),
        "state": state,
        "needed": signed.needed,
        "signed": [key.hex() for key in signed.signed],
    }


async def ask(call: Call, community: bytes, fn: Callable[[Store, Evaluator], T]) -> T:
    """A document on a community, made from its evaluator. Raises Unknown."""

    # The evaluator belongs to the writer thread: what it says is made into a document there.
    def run(store: Store) -> T:
        if community not in store.community_ids():
            raise Unknown("this community was left a moment ago")
        return fn(store, store.evaluator(community))

    return await call.node.writer.run(run)
