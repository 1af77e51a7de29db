"""The API on a person's keys: devices, recovery words."""

from collections.abc import Mapping
from typing import Any

from commonsnode import devices, recovery
from commonsnode.authoring import Author
from commonsnode.errors import WrongField
from commonsnode.governing import key_of, person_of
from commonsnode.http import authority_documents
from commonsnode.http.calls import Call
from commonsnode.http.on_authority import ask
from commonsnode.http.on_communities import community_of


async def listed(call: Call) -> Mapping[str, Any]:
    """The keys of the person whom this node writes as."""
    community = await community_of(call)
    own_key = call.key
    return await ask(
        call,
        community,
        lambda _, held: authority_documents.device_keys(held, person_of(held.authority, own_key), own_key),
    )


async def request(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    person = key_of(call.body["person"].strip().lower(), "person")
    code = devices.code_for(community, person, call.node.seed)
    return {"code": str(code), "id": code.key.hex(), "person": person.hex()}


async def add(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    code = devices.read_code(call.body["code"])
    if code.community != community:
        raise WrongField("code", "is for another community")
    changeset = await call.sign(lambda author: devices.add(author, code))
    call.node.log.info("device-added", community=community.hex(), key=code.key.hex())
    return {"id": code.key.hex(), "person": code.person.hex(), "changeset": changeset.hex()}


async def revoke(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    revoked = await call.sign(lambda author: devices.revoke(author, community, call.path["key"]))
    call.node.log.info("device-revoked", community=community.hex(), key=revoked.key.hex())
    return {
        "id": revoked.key.hex(),
        "kind": revoked.kind,
        "changeset": revoked.changeset.hex(),
        "named": revoked.named,
        "still_signs": revoked.still_signs,
    }


async def make_words(call: Call) -> Mapping[str, Any]:
    """New recovery words; the answer is the only place where they ever are."""

    def make(author: Author) -> recovery.Made:
        followed = author.store.followed()
        return recovery.make(author, [id_ for id_, each in followed.items() if not each.stopped])

    made = await call.sign(make)
    call.node.log.info("recovery-made", key=made.key.hex(), communities=len(made.communities))
    return {
        "recovery_words": " ".join(made.words),
        "key": made.key.hex(),
        "communities": [community.hex() for community in made.communities],
        "left_out": [{"id": community.hex(), "why": why} for community, why in made.left_out],
    }


async def use_words(call: Call) -> Mapping[str, Any]:
    body = call.body
    used = await recovery.use(call.node, body["link"], body["words"], body.get("revoke", []))
    call.node.log.info("recovered", community=used.community.hex(), person=used.person.hex())
    return {
        "community": used.community.hex(),
        "name": used.name,
        "person": used.person.hex(),
        "role": used.role,
        "signs_tables": used.signs_tables,
        "revoked": [key.hex() for key in used.revoked],
        "not_revoked": used.not_revoked,
    }
