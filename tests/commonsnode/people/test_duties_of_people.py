"""What is due of a steward who has no computer: done at the next sign-in, or by the node that they named for it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from commonsnode import invitations
from commonsnode.authoring import Author
from commonsnode.duties import Duties
from commonsnode_protocol.authority import writing
from commonsnode_protocol.changeset import public_key
from running_node import Api

PASSPHRASE = "four words of hers"
S_MAX = 10


async def acts(api: Api, valley: str, kind: str) -> list[str]:
    """The authors of the acts of one kind."""
    trail = (await api("GET", f"/communities/{valley}/history"))["history"]
    return [entry["author"] for entry in trail for act in entry["acts"] if act["kind"] == kind]


async def until(api: Api, condition: Callable[[], Any]) -> None:
    """Look again whenever something has landed, until it is so."""
    landed = asyncio.Event()
    unsubscribe = api.node.writer.subscribe(lambda _: landed.set())
    try:
        async with asyncio.timeout(S_MAX):
            while not await condition():
                landed.clear()
                if not await condition():
                    await landed.wait()
    finally:
        unsubscribe()


async def rename(api: Api, valley: str, name: str) -> None:
    proposed = await api("POST", f"/communities/{valley}/tables", {"name": name})
    assert proposed["state"] == "done"


async def steward(api: Api) -> tuple[str, str, str]:
    """A community of two stewards: this node, and Rosa, who has an account on it and is signed in."""
    valley = await api.community()
    rosa, token = await api.person()
    await api("POST", f"/communities/{valley}/tables", {"add": [rosa]})
    return valley, rosa, token


async def test_an_ack_waits_for_the_next_sign_in(api: Api) -> None:
    valley, rosa, token = await steward(api)
    await api("DELETE", "/session", token=token)
    await rename(api, valley, "Valle Alto")
    assert await acts(api, valley, "ack") == []
    await api("POST", "/session", {"name": "Rosa", "passphrase": PASSPHRASE})

    async def acked() -> bool:
        return await acts(api, valley, "ack") == [rosa]

    await until(api, acked)


async def test_a_node_that_was_named_acks_at_once_for_who_is_away(api: Api) -> None:
    valley, rosa, token = await steward(api)
    trusted = await api("POST", "/session/trust", {}, tcp=True, token=token)
    assert trusted.body == {
        "id": rosa,
        "node": api.node.id.hex(),
        "communities": [{"id": valley, "name": "Valley"}],
    }
    await api("DELETE", "/session", token=token)
    await rename(api, valley, "Valle Alto")
    community = bytes.fromhex(valley)

    async def acked() -> bool:
        return await api.node.writer.run(
            lambda store: not writing.to_ack(store.evaluator(community), bytes.fromhex(rosa))
        )

    await until(api, acked)
    assert await acts(api, valley, "ack") == [api.node.id.hex()]  # Rosa's, by her warrant


async def test_a_locked_account_has_no_duties_done(api: Api) -> None:
    valley, _, token = await steward(api)
    await api("POST", "/session/trust", {}, token=token)
    await api("POST", "/persons/Rosa/lock")
    await rename(api, valley, "Valle Alto")
    await Duties(api.node)._do(bytes.fromhex(valley))
    assert await acts(api, valley, "ack") == []


async def test_a_named_node_that_has_no_role_itself_pins_for_its_steward_and_admits_nobody(api: Api) -> None:
    valley, _, token = await steward(api)
    session = next(iter(api.node.people.sessions))
    await api("POST", "/session/trust", {}, token=token)
    resigned = await api("POST", f"/communities/{valley}/tables", {"remove": [api.node.id.hex()]})
    assert resigned["state"] == "done"
    community = bytes.fromhex(valley)
    invited = await api.node.sign_as(
        session.seed, lambda author: invitations.invite(author, community, "member", 1)
    )
    await api("DELETE", "/session", token=token)
    newcomer = b"\x05" * 32

    def join(author: Author) -> None:
        author.act(community, writing.join(community, author.key, b"\x01" * 16, invited.seed, invited.id))

    await api.node.sign_as(newcomer, join)

    async def pinned() -> bool:
        return await api.node.writer.run(partial(_is_pinned, community))

    await until(api, pinned)
    members = {one["id"] for one in (await api("GET", f"/communities/{valley}/members"))["members"]}
    assert public_key(newcomer).hex() in members
    you = await api("GET", f"/communities/{valley}/you")
    assert you["role"] is None
    table = await api("POST", f"/communities/{valley}/tables", {"name": "Mine"})
    assert table.status == 409
    refused = await api("POST", f"/communities/{valley}/members", {"id": "ab" * 32})
    assert (refused.status, "only a steward" in refused["detail"]) == (409, True)


async def test_what_a_named_node_writes_itself_stands_as_its_own(api: Api) -> None:
    """SPEC.md, "Persons": in lanes of data a node's key is a key of the person like another; the author shows whose it is."""
    valley, _, token = await steward(api)
    await api("POST", "/session/trust", {}, token=token)
    await api("POST", f"/communities/{valley}/tables", {"remove": [api.node.id.hex()]})
    added = await api("POST", f"/communities/{valley}/records", {"fields": {"title": "Saw"}})
    (entry,) = (await api("GET", f"/records/{added['id']}/history"))["history"]
    assert (added["waiting"], entry["author"]) == (False, api.node.id.hex())


async def test_who_has_no_role_has_nothing_to_entrust(api: Api) -> None:
    valley = await api.community()
    _, token = await api.person()
    assert (await api("POST", "/session/trust", {}, token=token)).status == 409
    assert (await api("POST", "/session/trust", {"community": valley}, token=token)).status == 409


def _is_pinned(community: bytes, store: Any) -> bool:
    held = store.evaluator(community)
    return bool(held.joins.kept) and not writing.to_pin(held)
