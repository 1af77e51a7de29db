"""People who are signed in govern with their own hand: what they may do, how they are spoken to, and what they take back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from commonsnode import leaving, members
from commonsnode.authoring import Author
from commonsnode.errors import Conflict
from commonsnode_protocol import epochs
from commonsnode_protocol.authority import writing
from commonsnode_protocol.changeset import public_key
from running_node import Answer, Api

PASSPHRASE = "four words of hers"
S_MAX = 10
OTHER, STAYS = bytes([21]) * 32, bytes([22]) * 32  # seeds of people elsewhere
Ask = Callable[..., Awaitable[Answer]]


def asking(api: Api, token: str) -> Ask:
    """The API on TCP as who is signed in by this token."""

    def ask(method: str, path: str, body: Any = None, **parameters: Any) -> Awaitable[Answer]:
        return api(method, path, body, tcp=True, token=token, **parameters)

    return ask


async def steward(api: Api) -> tuple[str, str, Ask]:
    """A community of two stewards: this node, and Rosa, who has an account on it and is signed in."""
    valley = await api.community()
    rosa, token = await api.person()
    await api("POST", f"/communities/{valley}/tables", {"add": [rosa]})
    return valley, rosa, asking(api, token)


async def until(api: Api, condition: Callable[[], Awaitable[Any]]) -> None:
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


async def acts(api: Api, valley: str) -> list[tuple[str, str]]:
    """(author, kind) of every act."""
    trail = (await api("GET", f"/communities/{valley}/history"))["history"]
    return [(entry["author"], act["kind"]) for entry in trail for act in entry["acts"]]


async def test_a_steward_who_is_signed_in_does_what_a_stewards_node_does(api: Api) -> None:
    valley, rosa, ask = await steward(api)
    c = f"/communities/{valley}"
    invited = await ask("POST", f"{c}/invitations", {"name": "Ana"})
    assert invited.status == 201
    listed = (await ask("GET", f"{c}/invitations"))["invitations"]
    assert [(one["id"], one["name"], one["by"]) for one in listed] == [(invited["id"], "Ana", rosa)]
    assert (await ask("DELETE", f"{c}/invitations/{invited['id']}")).status == 200
    for _ in range(2):
        assert (await ask("POST", f"{c}/members", {"id": "ab" * 32})).status == 200
        assert (await ask("DELETE", f"{c}/members/abab")).status == 200
    named = await ask("POST", f"{c}/tables", {"name": "Valle Alto"})
    assert named["state"] == "done"
    waits = await ask("POST", f"{c}/tables", {"add": ["cd" * 32]})
    assert (waits["state"], waits["signed"]) == ("proposed", [rosa])
    assert (await api("POST", f"{c}/tables/{waits['id']}/approve"))["state"] == "done"
    tables = await ask("GET", f"{c}/tables")
    assert [one["you"] for one in tables["stewards"]] == [False, True, False]
    own = {kind for author, kind in await acts(api, valley) if author == rosa}
    assert own >= {"invitation", "withdrawal", "grant", "revocation", "certificate", "proposal"}
    mine = (await ask("GET", f"{c}/history"))["history"]
    assert len(mine) == len((await api("GET", f"{c}/history"))["history"])


async def test_a_steward_adopts_what_a_former_member_wrote(api: Api) -> None:
    valley, _, ask = await steward(api)
    ines, token = await api.person("Inés")
    await ask("POST", f"/communities/{valley}/members", {"id": ines})
    await ask("DELETE", f"/communities/{valley}/members/{ines}")
    await ask("POST", f"/communities/{valley}/members", {"id": ines})
    added = await asking(api, token)("POST", f"/communities/{valley}/records", {"fields": {"title": "Saw"}})
    community = bytes.fromhex(valley)
    await api.node.sign(lambda author: _revoke_without_naming(author, community, bytes.fromhex(ines)))
    path = f"/records/{added['id']}"
    assert (await api("GET", path))["void"]
    assert (await ask("POST", f"{path}/adopt"))["adopted"] == [added["changeset"]]
    assert (await api("GET", path))["fields"]["title"] == "Saw"


async def test_a_member_elects_and_a_steward_objects(api: Api) -> None:
    valley, _, ask = await steward(api)
    ines, token = await api.person("Inés")
    await ask("POST", f"/communities/{valley}/members", {"id": ines})
    for n in (1, 2):
        await ask("POST", f"/communities/{valley}/members", {"id": f"{n:02x}" * 32})
    begun = await asking(api, token)("POST", f"/communities/{valley}/elections", {"add": [ines]})
    assert (begun["state"], begun["signed"]) == ("proposed", [ines])
    assert (await ask("POST", f"/communities/{valley}/elections/{begun['id']}/object")).status == 200
    (election,) = (await asking(api, token)("GET", f"/communities/{valley}/tables"))["elections"]
    assert len(election["objected"]) == 1


async def test_refusals_speak_to_who_is_signed_in(api: Api) -> None:
    valley, _, ask = await steward(api)
    ines, token = await api.person("Inés")
    c, other = f"/communities/{valley}", asking(api, token)
    refused = await other("POST", f"{c}/members", {"id": "ab" * 32})
    assert (refused.status, "and you are none" in refused["detail"]) == (409, True)
    assert "you have no role" in (await other("POST", "/recovery"))["detail"]
    assert "you have no role" in (await other("DELETE", c))["detail"]
    sealed = await other("POST", f"{c}/records", {"fields": {"title": "x"}, "lane": "members"})
    assert (sealed.status, "you are no member" in sealed["detail"]) == (403, True)
    await api("DELETE", f"{c}/members/{ines}")
    waits = await ask("POST", f"{c}/tables", {"add": ["cd" * 32]})
    again = await ask("POST", f"{c}/tables/{waits['id']}/approve")
    assert "you have signed that already" in again["detail"]
    community = bytes.fromhex(valley)
    with pytest.raises(Conflict, match="and this node is none"):
        await api.node.sign_as(OTHER, lambda author: members.grant(author, community, "ab" * 32, "member"))


async def test_a_person_has_devices_and_recovery_words_and_leaves(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    ask, c = asking(api, token), f"/communities/{valley}"
    await api("POST", f"{c}/members", {"id": rosa})
    made = await ask("POST", "/recovery")
    assert (made.status, made["communities"]) == (201, [valley])
    code = (await api("POST", f"{c}/devices/code", {"person": rosa}))["code"]
    assert (await ask("POST", f"{c}/devices", {"code": code})).status == 201
    keys = (await ask("GET", f"{c}/devices"))["keys"]
    assert [(one["kind"], one["you"]) for one in keys if one["kind"] == "first"] == [("first", True)]
    assert {one["kind"] for one in keys} == {"first", "device", "recovery"}
    assert (await ask("DELETE", f"{c}/devices/{api.node.id.hex()}")).status == 200
    assert (await ask("DELETE", c, force="true")).status == 409
    left = await ask("DELETE", c)
    assert (left.status, left["said"]) == (200, "left")
    assert rosa not in {one["id"] for one in (await api("GET", f"{c}/members"))["members"]}
    assert (await api("GET", c)).status == 200  # the node keeps it


async def test_trust_is_withdrawn_for_good(api: Api) -> None:
    valley, rosa, ask = await steward(api)
    assert (await ask("DELETE", "/session/trust")).status == 409
    await ask("POST", "/session/trust", {})
    withdrawn = await ask("DELETE", "/session/trust", community="Valley")
    assert withdrawn["communities"] == [{"id": valley, "name": "Valley"}]
    (kept,) = json.loads((api.node.home.path / "people.json").read_text())["accounts"]
    assert kept["warrants"] == {}
    keys = (await ask("GET", f"/communities/{valley}/devices"))["keys"]
    assert [(one["id"], one["revoked"]) for one in keys if one["kind"] == "node"] == [
        (api.node.id.hex(), True)
    ]
    again = await ask("POST", "/session/trust", {"community": valley})
    assert (again.status, "for good" in again["detail"]) == (409, True)
    # The node's own role is not touched by that.
    assert (await api("POST", f"/communities/{valley}/members", {"id": "ab" * 32}))["waiting"] is False
    assert rosa in {one["id"] for one in (await api("GET", f"/communities/{valley}/members"))["members"]}


async def test_a_named_node_makes_the_next_epoch_while_its_steward_is_away(api: Api) -> None:
    valley, _, ask = await steward(api)
    community = bytes.fromhex(valley)
    await ask("POST", "/session/trust", {})
    for person in (public_key(OTHER), public_key(STAYS)):
        await ask("POST", f"/communities/{valley}/members", {"id": person.hex()})
    await api("POST", f"/communities/{valley}/tables", {"remove": [api.node.id.hex()]})
    await ask("DELETE", "/session")
    await api.node.sign_as(OTHER, lambda author: leaving.give_up(author, community))

    async def made() -> bool:
        good = await api.node.writer.run(
            lambda store: epochs.good(store.epochs(community), store.evaluator(community))
        )
        return any(epoch.author == api.node.id for epoch in good)

    await until(api, made)


async def test_what_is_held_for_a_person_is_sealed_at_their_sign_in(api: Api) -> None:
    valley, _, ask = await steward(api)
    community = bytes.fromhex(valley)
    ines, token = await api.person("Inés")
    for person in (ines, public_key(OTHER).hex()):
        await ask("POST", f"/communities/{valley}/members", {"id": person})
    await api("POST", f"/communities/{valley}/tables", {"remove": [api.node.id.hex()]})
    await ask("DELETE", "/session")
    await api.node.sign_as(OTHER, lambda author: leaving.give_up(author, community))
    said = {"fields": {"title": "Phone"}, "lane": "members"}
    held = await asking(api, token)("POST", f"/communities/{valley}/records", said)
    assert (held.status, held["waiting"], held["changeset"]) == (201, True, None)
    shown = (await asking(api, token)("GET", "/records"))["records"]
    assert [(one["title"], one["waiting"]) for one in shown] == [("Phone", True)]  # to her alone
    await asking(api, token)("DELETE", "/session")
    for name in ("Rosa", "Inés"):
        await api("POST", "/session", {"name": name, "passphrase": PASSPHRASE})

    async def sealed() -> bool:
        return await api.node.writer.run(
            lambda store: (
                not store.held_writes(community) and len(store.page(community=community).records) == 1
            )
        )

    await until(api, sealed)


async def test_a_named_node_confirms_for_a_keeper_who_is_away_and_decides_nothing_else(api: Api) -> None:
    valley, _, ask = await steward(api)
    ines, token = await api.person("Inés")
    await ask("POST", f"/communities/{valley}/members", {"id": ines})
    await api("POST", f"/communities/{valley}/tables", {"remove": [api.node.id.hex()]})
    fields = {"title": "Drill", "lending": {"confirm": "at-once"}}
    drill = (await ask("POST", f"/communities/{valley}/records", {"fields": fields}))["id"]
    await ask("POST", "/session/trust", {})
    await ask("DELETE", "/session")
    other = asking(api, token)
    asked = await other(
        "POST", "/reservations", {"resource": drill, "from": "2090-05-01", "until": "2090-05-02"}
    )
    assert asked.status == 201, asked.body
    path = f"/reservations/{asked['id']}"

    async def confirmed() -> bool:
        history = (await other("GET", f"/records/{asked['id']}/history"))["history"]
        return any(
            entry["author"] == api.node.id.hex() and entry["fields"].get("confirmed") for entry in history
        )

    await until(api, confirmed)
    assert (await other("GET", path))["state"] == "confirmed"
    for act in ("hand-over", "decline", "cancel"):
        assert (await api("POST", f"{path}/{act}", {})).status == 403, act
    taken = await api("PATCH", f"/records/{drill}", {"fields": {"keeper": api.node.id.hex()}})
    assert taken.status == 200  # it is written, and has no effect
    assert (await api("POST", f"{path}/hand-over", {})).status == 403


def _revoke_without_naming(author: Author, community: bytes, person: bytes) -> None:
    """A revocation by a node that has none of what the person wrote."""
    held = author.store.evaluator(community)
    author.act(community, writing.revocation(held, author.key, bytes(16), person, {}, lambda _: False))
