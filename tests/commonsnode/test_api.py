"""The HTTP API, on a real daemon: each answer is as the OpenAPI document says, each refusal a problem that says why."""

import json
from typing import Any

import pytest

from commonsnode import devices
from commonsnode.http import feed_routes
from commonsnode.http.calls import BODY_BYTES_MAX
from commonsnode.http.routes import ROUTES
from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
from commonsnode.recovery_words import words_of
from running_node import API, Answer, Api

AREA = [[[-79, 0], [-78, 0], [-78, 1], [-79, 0]]]
ROW = {"line": 2, "key": "1", "fields": {"title": "Drill"}}


def fits(answer: Answer, name: str) -> None:
    found = answer.body if isinstance(answer.body, list) else [answer.body]
    for document in found:
        assert list(problems(document, SCHEMAS[name], SCHEMAS)) == []


def is_problem(answer: Answer, status: int, detail: str = "") -> None:
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    fits(answer, "Problem")
    assert answer["status"] == status
    assert detail in answer["detail"]


async def test_every_route_answers_as_the_document_says(api: Api) -> None:
    """One walk through all of them; it fails where a route is added and not walked."""
    founded = await api("POST", "/communities", {"name": "Valley"})
    valley = str(founded["id"])
    drill = await api.add(valley, title="Drill", nested={"$int": "5"}, raw={"$bytes": "AAE="})
    await api("POST", f"/communities/{valley}/members", {"id": "cd" * 32})
    invited = await api("POST", f"/communities/{valley}/invitations", {"uses": 2})
    device = devices.code_for(bytes.fromhex(valley), api.node.id, b"\x15" * 32)
    keys = {
        "elections": "ab" * 32,
        "devices": device.key.hex(),
        "members": "cd" * 32,
        "invitations": invited["id"],
        "tables": "ab" * 32,
    }
    passphrase, name = "four words of hers", "Rosa"
    person = {"name": name, "passphrase": passphrase}
    await api.person(**person)
    exported = (await api("GET", f"/persons/{name}/export")).body
    await api("POST", f"/communities/{valley}/members", {"id": exported["id"]})
    bodies: dict[str, Any] = {
        "SigningIn": person,
        "NewPassphrase": {"passphrase": passphrase, "new": passphrase},
        "NewPerson": {**person, "name": "Inés"},
        "Passphrase": {"passphrase": passphrase},
        "ImportingPerson": {"words": " ".join(words_of(bytes(32))), "name": "Pia", "passphrase": passphrase},
        "Founding": {"name": "Second", "languages": ["es"], "quorum": 1, "share": [1, 2]},
        "Inviting": {"role": "mirror", "uses": 3, "name": "Rosa"},
        "Joining": {"link": f"commons:{valley}?invite={'ef' * 32}"},
        "Proposing": {"add": ["cd" * 32], "settings": {"licence": "ODbL-1.0"}},
        "Following": {"link": f"commons:{valley}", "lanes": ["public"]},
        "DeviceRequest": {"person": "ab" * 32},
        "DeviceAdding": {"code": str(device)},
        "Recovering": {"link": f"commons:{valley}", "words": founded["recovery_words"]},
        "Electing": {"add": ["cd" * 32]},
        "Grant": {"id": "ab" * 32, "role": "mirror"},
        "Adding": {"fields": {"title": "Saw"}, "kind": "resource", "lane": "knowledge"},
        "Editing": {"fields": {"title": "Borer"}},
        "PeerAddress": {"address": "ws://127.0.0.1:9/peer"},
        "Syncing": {"wait": False},
        "Checking": {"rebuild": True},
        "Intending": {"direction": "need", "from": "sat", "fields": {"title": "Tractor"}},
        "Caring": {"did": "oiled"},
        "CareRule": {"task": "oil", "days": 90},
        "QuestionOfCounts": {"near": "0.3,-78.2"},
        "Question": {"near": "0.3,-78.2", "area": {"type": "Polygon", "coordinates": AREA}},
    }
    last = [route for route in ROUTES if (route.method, route.path) == ("DELETE", "/communities/{community}")]
    for route in [route for route in ROUTES if route not in last] + last:
        if route.path.startswith("/reservations"):
            continue  # test_reservations_api.py
        if route in feed_routes.ROUTES:
            continue  # test_events.py, test_calendars.py
        body: Any = bodies.get(route.body or "")
        if route.takes_lines:
            body = f"{json.dumps({'source': 'tools'})}\n{json.dumps(ROW)}\n".encode()
        query: dict[str, Any] = (
            {"address": "ws://127.0.0.1:9/peer"}
            if route.path == "/peers" and route.method == "DELETE"
            else {}
        )
        query = {"force": "true"} if route in last else query
        part = (route.path + "///").split("/")[3]
        paths = {"community": valley, "id": drill, "key": keys.get(part, ""), "name": name}
        if route.path.startswith("/session"):
            token = (await api("POST", "/session", person))["token"]  # some of them end the one before
            who = None if route.answer == "SignedIn" else token
            answer = await api(route.method, route.path, body, token=who)
            assert answer.status == route.status, (route, answer.body)
            fits(answer, route.answer)
            continue
        answer = await api(route.method, route.path.format(**paths), body, **query)
        if route.answer == "Joined":
            is_problem(answer, 409, "is a steward of this community already")
            continue
        if route.path.endswith("/adopt"):
            is_problem(answer, 404, "nothing that was written to this is without effect")
            continue
        if route.path.endswith("/elections"):
            is_problem(answer, 409, "where the stewards are gone")
            continue
        if route.path.endswith("/object"):
            is_problem(answer, 404, "no open election")
            continue
        if route.path.endswith("/approve"):
            is_problem(answer, 404, "no open proposal")
            continue
        assert answer.status == route.status, (route, answer.body)
        fits(answer, route.answer)
        if route.public:
            fits(await api(route.method, route.path.format(**paths), body, tcp=True), route.answer)


async def test_the_document_describes_what_is_served_and_nothing_else(api: Api) -> None:
    document = (await api("GET", "/openapi.json")).body
    described = {(method.upper(), path) for path, found in document["paths"].items() for method in found}
    assert described == {(route.method, API + route.path) for route in ROUTES}
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    for name in SCHEMAS:
        assert f'"#/components/schemas/{name}"' in text, name
    public = (await api("GET", "/openapi.json", tcp=True)).body
    for found in public["paths"].values():
        for method, operation in found.items():  # what changes something is for who is signed in
            assert (
                method == "get"
                or operation["security"] == [{"session": []}]
                or any(name in str(operation) for name in ("SignedIn", "Question"))
            )
    operations = [found["operationId"] for path in document["paths"].values() for found in path.values()]
    assert (
        len(set(operations)) == len(operations) - 1
    )  # records of one community, and of all, are one operation


async def test_status_says_who_we_are_and_what_we_hold(api: Api) -> None:
    valley = await api.community()
    await api.add(valley, title="Drill")
    status = (await api("GET", "/status")).body
    (community,) = status["communities"]
    assert (community["name"], community["records"], community["changesets"]) == ("Valley", 1, 3)
    assert sorted(community["fingerprint"]) == ["authority", "keys", "knowledge", "members", "public"]
    assert status["addresses"] == [f"ws://127.0.0.1:{api.node.addresses.port}/peer"]
    assert f"at=ws://127.0.0.1:{api.node.addresses.port}/peer" in community["link"]
    assert (await api("GET", "/id"))["id"] == status["node"]


async def test_a_community_is_meant_by_id_beginning_or_name_whatever_is_in_the_name(api: Api) -> None:
    name = "Tools / 100% “ñandú”?#&"
    community = await api.community(name)
    from urllib.parse import quote

    for said in (community, community[:10], name):
        answer = await api("GET", f"/communities/{quote(said, safe='')}")
        assert (answer.status, answer["id"]) == (200, community)


async def test_members_are_listed_with_role_and_granter(api: Api) -> None:
    valley = await api.community()
    await api("POST", f"/communities/{valley}/members", {"id": "AB" * 32})
    members = (await api("GET", f"/communities/{valley}/members"))["members"]
    own = (await api("GET", "/id"))["id"]
    assert [(m["id"], m["role"], m["by"], m["you"]) for m in members] == [
        (own, "steward", own, True),
        ("ab" * 32, "member", own, False),
    ]
    again = await api("POST", f"/communities/{valley}/members", {"id": "ab" * 32, "role": "member"})
    assert (again.status, again["changeset"]) == (200, None)


async def test_a_thing_lives_from_adding_to_restoring(api: Api) -> None:
    valley = await api.community()
    drill = await api.add(valley, title="Drill", place="hall")
    assert (await api("PATCH", f"/records/{drill[:10]}", {"fields": {"place": None, "title": "Drill"}}))[
        "changed"
    ] == ["place"]
    shown = (await api("GET", f"/records/{drill}")).body
    assert (shown["title"], shown["deleted"], shown["conflicts"]) == ("Drill", False, {})
    assert "place" not in shown["fields"]
    assert shown["created"] <= shown["changed"]
    assert (await api("DELETE", f"/records/{drill}"))["changeset"] is not None
    assert (await api("DELETE", f"/records/{drill}"))["changeset"] is None
    assert (await api("GET", f"/communities/{valley}/records"))["records"] == []
    assert len((await api("GET", "/records", deleted="true"))["records"]) == 1
    assert (await api("POST", f"/records/{drill}/restore"))["changeset"] is not None
    history = (await api("GET", f"/records/{drill}/history"))["history"]
    assert [sorted(entry["fields"]) for entry in history] == [
        ["nonce", "place", "title"],
        ["place"],
        ["deleted"],
        ["deleted"],
    ]


async def test_values_travel_without_loss(api: Api) -> None:
    valley = await api.community()
    fields = {
        "bytes": {"$bytes": "AAEC/w=="},
        "large": {"$int": "9223372036854775807"},
        "map": {"$map": {"$int": "text"}},
        "list": [None, True, 1, "ü", {"b": 1, "a": 2}],
        "zero": 0,
        "no": False,
        "empty": "",
    }
    record = await api.add(valley, **fields)
    shown = (await api("GET", f"/records/{record}"))["fields"]
    del shown["nonce"]
    assert shown == fields


async def test_records_are_listed_page_by_page_and_searched(api: Api) -> None:
    valley = await api.community()
    rows = [{"line": n, "key": str(n), "fields": {"title": f"thing {n:03}"}} for n in range(1, 121)]
    await api.import_(valley, {"source": "s"}, rows)
    titles: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = (await api("GET", f"/communities/{valley}/records", limit=50, **query)).body
        titles += [record["title"] for record in page["records"]]
        cursor = page["cursor"]
    assert titles == [f"thing {n:03}" for n in range(1, 121)]
    assert cursor is None
    found = (await api("GET", "/records", text="THÍNG 007", tcp=True))["records"]
    assert [record["title"] for record in found] == ["thing 007"]


async def test_an_export_is_our_own_form_by_record_id_and_goes_in_again(api: Api) -> None:
    valley = await api.community()
    await api.add(valley, title="Drill", raw={"$bytes": "AAE="})
    await api.add(valley, title="Saw")
    exported = await api("GET", f"/communities/{valley}/export", tcp=True)
    assert [line["id"] for line in exported.body] == sorted(line["id"] for line in exported.body)
    rows = [
        {
            "line": n,
            "record": line["id"],
            "kind": line["kind"],
            "lane": line["lane"],
            "fields": line["fields"],
        }
        for n, line in enumerate(exported.body)
    ]
    again = await api.import_(valley, {"source": "backup"}, rows)
    assert again.body[-1]["result"]["unchanged"] == 2
    elsewhere = await api.community("Elsewhere")
    assert (await api.import_(elsewhere, {"source": "backup"}, rows)).body[-1]["result"]["added"] == 2
    copied = (await api("GET", f"/communities/{elsewhere}/export")).body
    assert sorted(json.dumps(line["fields"]) for line in copied) == sorted(
        json.dumps(line["fields"]) for line in exported.body
    )


async def test_an_import_says_progress_result_and_mapping(api: Api) -> None:
    valley = await api.community()
    head = {"source": "tools", "mapping": {"Nombre": "title"}, "columns": ["title"], "kind": None}
    answer = await api.import_(valley, head, [ROW, {"line": 3, "key": "", "fields": {"title": "x"}}])
    assert answer.body[:-1] == [{"progress": 1, "of": 1}]
    result = answer.body[-1]["result"]
    assert (result["added"], result["rejected"][0]["line"]) == (1, 3)
    assert result["mapping"] == {"Nombre": "title"}
    dry = await api.import_(valley, {**head, "dry_run": True}, [ROW])
    assert dry.body[-1]["result"]["unchanged"] == 1


async def test_what_cannot_be_imported_at_all_is_refused_with_its_status(api: Api) -> None:
    valley = await api.community()
    is_problem(await api.import_("nowhere", {"source": "s"}, [ROW]), 404)
    is_problem(await api("POST", f"/communities/{valley}/import", b""), 400)
    is_problem(await api("POST", f"/communities/{valley}/import", b"{\n"), 400)
    is_problem(await api.import_(valley, {}, [ROW]), 422, "source")
    is_problem(await api.import_(valley, {"source": "s", "colour": 1}, [ROW]), 422, "colour")
    is_problem(await api.import_(valley, {"source": "s", "lane": "authority"}, [ROW]), 422, "lane")
    is_problem(await api.import_(valley, {"source": "s", "kind": "a\nb"}, [ROW]), 422, "kind")
    is_problem(await api.import_(valley, {"source": "s"}, [{"no": "row"}]), 422, "rows")
    is_problem(await api("POST", f"/communities/{valley}/import", b'{"source":"s"}\n"' + b"x" * 600_000), 413)
    assert (await api("GET", "/records"))["records"] == []


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"{", 400, "no JSON"),
        (b"\xff\xfe", 400, "no JSON"),
        (b"[]", 400, "no JSON object"),
        (b'{"fields": {"a": 1}, "fields": {}}', 400, "twice"),
        (b"[" * 10_000, 400, "nested too deeply"),
        (b"", 422, "fields: is missing"),
        ({"fields": []}, 422, "fields: must be an object"),
        ({"fields": {"a": 1}, "colour": 2}, 422, "colour"),
        ({"fields": {"a": 1.5}}, 422, "a: 1.5 is a number with a fraction"),
        (b'{"fields": {"a": "\\ud800"}}', 400, "surrogate"),
        ({"fields": {"a": {"$bytes": "no base64"}}}, 422, "a: $bytes"),
        ({"fields": {"a": 2**70}}, 422, "a: an integer beyond 64 bits"),
        ({"fields": {"": 1}}, 422, "1 to 128 bytes"),
        ({"fields": {"deleted": True}}, 422, "removing"),
        ({"fields": {}}, 422, "at least one field"),
        ({"fields": {"a": "x" * 70_000}}, 413, "at most"),
        ({"fields": {str(n): 1 for n in range(1_100)}}, 422, "1024 at most"),
        ({"fields": {"a": "x" * BODY_BYTES_MAX}}, 413, "bytes"),
        ({"fields": {"a": 1}, "kind": "k" * 33}, 422, "kind"),
        ({"fields": {"a": 1}, "kind": 1}, 422, "kind: must be text"),
        ({"fields": {"a": 1}, "lane": "authority"}, 422, "lane: must be one of public, knowledge"),
    ],
)
async def test_a_bad_body_is_refused_and_says_what_is_wrong(
    api: Api, body: Any, status: int, detail: str
) -> None:
    valley = await api.community()
    is_problem(await api("POST", f"/communities/{valley}/records", body), status, detail)
    assert (await api("GET", "/records"))["records"] == []


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/records", {"limit": "0"}, 422),
        ("/records", {"limit": "201"}, 422),
        ("/records", {"limit": "five"}, 422),
        ("/records", {"deleted": "maybe"}, 422),
        ("/records", {"colour": "red"}, 400),
        ("/records", {"cursor": "none of ours"}, 422),
        ("/records", {"text": "x" * 300}, 422),
        ("/records/zz", {}, 404),
        ("/records/%00", {}, 404),
        ("/records/..%2f..%2fetc", {}, 404),
        ("/records/" + "a" * 300, {}, 400),
        ("/records/abcdef", {}, 404),
        ("/records/abcdef", {"community": "nowhere"}, 404),
        ("/records/abcdef/history", {}, 404),
        ("/communities/nowhere", {}, 404),
        ("/communities/%F0%9F%92%A3", {}, 404),
        ("/communities/nowhere/export", {}, 404),
        ("/nothing", {}, 404),
    ],
)
async def test_odd_ids_and_parameters_are_problems_on_both_sites(
    api: Api, path: str, query: dict[str, str], status: int
) -> None:
    for tcp in (False, True):
        is_problem(await api("GET", path, tcp=tcp, **query), status)


async def test_an_ambiguous_id_lists_what_it_may_mean(api: Api) -> None:
    valley = await api.community()
    ids = [await api.add(valley, title=f"thing {n}") for n in range(17)]
    digit = next(i[0] for i in ids if sum(other[0] == i[0] for other in ids) > 1)
    answer = await api("GET", f"/records/{digit}")
    is_problem(answer, 409)
    assert len(answer["candidates"]) > 1


async def test_a_peer_address_is_checked(api: Api) -> None:
    for address in ("http://127.0.0.1", "ws://", "ws://user:pass@host/peer", "ws://host:99999/peer", "x"):
        is_problem(await api("POST", "/peers", {"address": address}), 422, "address")
    is_problem(await api("DELETE", "/peers", address="ws://127.0.0.1:1/peer"), 404)
    is_problem(await api("POST", "/communities/follow", {"link": "https://example.org"}), 422, "link")


async def test_sync_without_peers_says_why_it_is_not_in_step(api: Api) -> None:
    answer = await api("POST", "/sync", {"wait": True, "timeout": 0.5})
    assert (answer["in_step"], answer["peers"]) == (False, [])
    assert answer["reason"]


async def test_tcp_takes_nothing_and_tells_no_addresses(api: Api) -> None:
    valley = await api.community()
    drill = await api.add(valley, title="Drill")
    await api("POST", "/peers", {"address": "ws://127.0.0.1:9/peer"})
    for method, path in [
        ("POST", f"/communities/{valley}/records"),
        ("PATCH", f"/records/{drill}"),
        ("DELETE", f"/records/{drill}"),
        ("DELETE", f"/communities/{valley}"),
    ]:
        answer = await api(method, path, {"name": "x"}, tcp=True)
        is_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Access-Control-Allow-Origin" not in answer.headers
    for method, path in [
        ("POST", "/communities"),
        ("PUT", f"/records/{drill}"),
        ("OPTIONS", "/status"),
        ("TRACE", "/status"),
    ]:
        answer = await api(method, path, {"name": "x"}, tcp=True)
        is_problem(answer, 405)
        assert "GET" in answer.headers["Allow"]
        assert "Access-Control-Allow-Origin" not in answer.headers
    for method, path in [("GET", "/peers"), ("POST", "/peers"), ("POST", "/check"), ("POST", "/sync")]:
        is_problem(await api(method, path, {}, tcp=True), 404)
    (peer,) = (await api("GET", "/status", tcp=True))["peers"]
    assert "address" not in peer
    assert (await api("GET", "/records"))["records"][0]["title"] == "Drill"


async def test_every_answer_forbids_to_load_from_elsewhere(api: Api) -> None:
    for path, tcp in (("/status", True), ("/status", False), ("/nothing", True)):
        headers = (await api("GET", path, tcp=tcp)).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Server"] == "commonsnode"
