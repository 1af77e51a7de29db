"""Who is signed in: what they may do on TCP, with whose key, and what stays the operator's."""

import pytest

from commonsnode.http.routes import ROUTES
from running_node import Api

PASSPHRASE = "four words of hers"


async def grant(api: Api, community: str, person: str) -> None:
    assert (await api("POST", f"/communities/{community}/members", {"id": person})).status == 200


async def test_who_is_signed_in_writes_with_their_own_key(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    await grant(api, valley, rosa)
    added = await api(
        "POST", f"/communities/{valley}/records", {"fields": {"title": "Saw"}}, tcp=True, token=token
    )
    assert (added.status, added["waiting"]) == (201, False)
    saw = f"/records/{added['id']}"
    assert (await api("PATCH", saw, {"fields": {"title": "Axe"}}, tcp=True, token=token)).status == 200
    assert (await api("DELETE", saw, tcp=True, token=token)).status == 200
    assert (await api("POST", f"{saw}/restore", tcp=True, token=token)).status == 200
    history = (await api("GET", f"{saw}/history", tcp=True))["history"]
    assert {entry["author"] for entry in history} == {rosa}
    you = await api("GET", f"/communities/{valley}/you", tcp=True, token=token)
    assert (you["id"], you["role"]) == (rosa, "member")
    (row,) = (await api("GET", "/persons"))["persons"]
    assert (row["id"], row["communities"]) == (rosa, [{"id": valley, "name": "Valley", "role": "member"}])


async def test_on_the_unix_socket_a_token_is_a_person_and_not_the_operator(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    await grant(api, valley, rosa)
    added = await api("POST", f"/communities/{valley}/records", {"fields": {"title": "Saw"}}, token=token)
    history = (await api("GET", f"/records/{added['id']}/history"))["history"]
    assert [entry["author"] for entry in history] == [rosa]
    assert (await api("GET", "/peers", token=token)).status == 403
    assert (await api("GET", "/peers", token="none at all")).status == 401


async def test_nobody_but_the_operator_does_what_is_the_operators(api: Api) -> None:
    _, token = await api.person()
    for route in ROUTES:
        if route.public or route.person:
            continue
        path = route.path.format(community="x", id="00", key="00", name="Rosa")
        for tcp in (False, True):
            answer = await api(route.method, path, {}, tcp=tcp, token=token)
            assert answer.status in ((403,) if not tcp else (401, 403, 404, 405)), (route, answer.body)


async def test_a_body_of_another_type_is_not_taken_on_tcp_so_no_other_sites_page_can_send_it(
    api: Api,
) -> None:
    said = b'{"name": "Rosa", "passphrase": "four words of hers"}'
    async with api.public.post(f"{api.base}/api/v1/session", data=said) as response:
        assert response.status == 400
    preflight = await api("OPTIONS", "/session", tcp=True)
    assert preflight.status == 405
    assert "Access-Control-Allow-Origin" not in preflight.headers


async def test_a_session_is_seen_and_ended(api: Api) -> None:
    rosa, token = await api.person()
    seen = await api("GET", "/session", tcp=True, token=token)
    assert (seen["person"], seen["name"]) == (rosa, "Rosa")
    assert (await api("DELETE", "/session", tcp=True, token=token)).status == 200
    assert (await api("GET", "/session", tcp=True, token=token)).status == 401
    assert (await api("GET", "/session", tcp=True)).status == 401
    assert (await api("GET", "/records", tcp=True, token=token)).status == 401


async def test_too_many_tries_are_told_when_to_come_again(api: Api) -> None:
    wrong = {"name": "Rosa", "passphrase": "another passphrase"}
    answers = [await api("POST", "/session", wrong, tcp=True) for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


async def test_a_community_for_members_is_read_by_a_person_who_is_admitted_and_by_no_other(api: Api) -> None:
    refuge = str((await api("POST", "/communities", {"name": "Refuge", "reading": "members"}))["id"])
    haven = str((await api("POST", "/communities", {"name": "Haven", "reading": "members"}))["id"])
    key = await api.add(refuge, title="Shelter key")
    rosa, token = await api.person()
    ines, other = await api.person("Inés")
    await grant(api, refuge, rosa)
    await grant(api, haven, ines)
    for path in (f"/communities/{refuge}", f"/communities/{refuge}/records", f"/records/{key}"):
        assert (await api("GET", path, tcp=True, token=token)).status == 200
        for whose in (other, None):
            assert (await api("GET", path, tcp=True, token=whose)).status == 404
    names = [one["name"] for one in (await api("GET", "/communities", tcp=True, token=token))["communities"]]
    assert names == ["Refuge"]
    edit = {"fields": {"title": "Mine"}}
    for method, path, body in (
        ("PATCH", f"/records/{key}", edit),
        ("DELETE", f"/records/{key}", None),
        ("POST", f"/communities/{refuge}/records", edit),
        ("GET", f"/communities/{refuge}/you", None),
        ("POST", "/session/trust", {"community": refuge}),
    ):
        for tcp in (False, True):
            assert (await api(method, path, body, tcp=tcp, token=other)).status == 404
    assert (await api("PATCH", f"/records/{key}", edit, tcp=True, token=token)).status == 200
    await api("DELETE", f"/communities/{refuge}/members/{rosa}")
    assert (await api("GET", f"/records/{key}", tcp=True, token=token)).status == 404


async def test_what_is_sealed_is_read_and_written_by_a_member_who_is_signed_in_and_by_no_other(
    api: Api,
) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    _, other = await api.person("Inés")
    await grant(api, valley, rosa)
    said = {"fields": {"title": "Phone"}, "lane": "members"}
    added = await api("POST", f"/communities/{valley}/records", said, tcp=True, token=token)
    assert (added.status, added["waiting"]) == (201, False)
    for whose, titles in ((token, ["Phone"]), (other, []), (None, [])):
        found = (await api("GET", "/records", tcp=True, token=whose))["records"]
        assert [one["title"] for one in found] == titles
    edit = {"fields": {"title": "Mine"}}
    assert (await api("PATCH", f"/records/{added['id']}", edit, tcp=True, token=other)).status == 404
    await api("DELETE", f"/communities/{valley}/members/{rosa}")
    assert (await api("GET", "/records", tcp=True, token=token))["records"] == []


async def test_a_person_joins_by_a_link_what_this_node_follows(api: Api) -> None:
    refuge = str((await api("POST", "/communities", {"name": "Refuge", "reading": "members"}))["id"])
    link = (await api("POST", f"/communities/{refuge}/invitations", {}))["link"]
    rosa, token = await api.person()
    elsewhere = {"link": f"commons:{'ab' * 32}?invite={'ef' * 32}"}
    no_invitation = {"link": f"commons:{refuge}?invite={'ef' * 32}"}
    refusals = [
        await api("POST", "/communities/join", body, tcp=True, token=token)
        for body in (elsewhere, no_invitation)
    ]
    assert refusals[0].body == refusals[1].body  # who has no invitation is not told that it is here
    assert refusals[0].status == 404
    joined = await api("POST", "/communities/join", {"link": link}, tcp=True, token=token)
    assert (joined.status, joined["community"], joined["waiting"]) == (200, refuge, False)
    members = {
        one["id"]: one["role"] for one in (await api("GET", f"/communities/{refuge}/members"))["members"]
    }
    assert members[rosa] == "member"
    assert len((await api("GET", "/communities"))["communities"]) == 1


async def test_a_key_moves_by_words(api: Api) -> None:
    added = await api("POST", "/persons", {"name": "Rosa", "passphrase": PASSPHRASE})
    assert len(added["words"]) == 24
    said = await api("POST", "/persons/Rosa/words", {"passphrase": PASSPHRASE})
    assert said["words"] == added["words"]
    assert (await api("POST", "/persons/Rosa/words", {"passphrase": "not this one"})).status == 401
    again = {"words": " ".join(added["words"]), "name": "Again", "passphrase": PASSPHRASE}
    assert (await api("POST", "/persons/import", again)).status == 409


@pytest.mark.parametrize(
    "body",
    [
        {"passphrase": PASSPHRASE},
        {"passphrase": PASSPHRASE, "words": "abandon " * 24},
        {"passphrase": PASSPHRASE, "words": "zoo", "name": "Rosa"},
        {"passphrase": PASSPHRASE, "file": {}},
        {"passphrase": PASSPHRASE, "file": {}, "words": "", "name": "Rosa"},
    ],
)
async def test_what_is_no_key_is_not_imported(api: Api, body: object) -> None:
    assert (await api("POST", "/persons/import", body)).status == 422
    assert (await api("GET", "/persons"))["persons"] == []
