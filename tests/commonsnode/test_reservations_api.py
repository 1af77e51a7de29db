"""Reservations by the API: what is asked for, who decides, what each sees of it."""

from typing import Any

import pytest

from commonsnode.authoring import Author, Writes
from commonsnode.http.reservation_routes import ROUTES
from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import decode
from commonsnode_protocol.record import typed_id
from commonsnode_store.answers import RecordRef
from running_node import Answer, Api

SHAPES = {(route.method, route.path.rpartition("/")[2]): route for route in ROUTES}


def fits(act: str, answer: Answer) -> Answer:
    """The answer, which is of its shape, or problem details."""
    route = SHAPES["POST", act]
    shape = route.answer if answer.status == route.status else "Problem"
    assert list(problems(answer.body, SCHEMAS[shape], SCHEMAS)) == [], answer.body
    return answer


class Village:
    """A community whose operator keeps a drill, and Rosa and Ines who have accounts."""

    def __init__(
        self, api: Api, community: str, drill: str, tokens: dict[str, str], keys: dict[str, str]
    ) -> None:
        self.api, self.community, self.drill, self.tokens, self.keys = api, community, drill, tokens, keys

    async def reserve(self, who: str | None, since: str, until: str, **more: Any) -> Answer:
        body = {"resource": self.drill, "from": since, "until": until, **more}
        return fits(
            "reservations", await self.api("POST", "/reservations", body, token=self.tokens.get(who or ""))
        )

    async def do(self, who: str | None, act: str, reservation: str, **body: Any) -> Answer:
        path = f"/reservations/{reservation}/{act}"
        return fits(act, await self.api("POST", path, body, token=self.tokens.get(who or "")))

    async def state(self, reservation: str) -> str:
        return str((await self.api("GET", f"/reservations/{reservation}"))["state"])

    async def lending(self, **rules: Any) -> None:
        assert (
            await self.api("PATCH", f"/records/{self.drill}", {"fields": {"lending": rules}})
        ).status == 200


@pytest.fixture
async def village(api: Api) -> Village:
    community = await api.community()
    tokens, keys = {}, {}
    for name in ("Rosa", "Ines"):
        keys[name], tokens[name] = await api.person(name)
        assert (await api("POST", f"/communities/{community}/members", {"id": keys[name]})).status == 200
    drill = await api.add(community, title="Drill")
    return Village(api, community, drill, tokens, keys)


async def test_the_life_of_a_loan(village: Village) -> None:
    asked = await village.reserve("Rosa", "2090-05-01", "2090-05-02", note="for the fence")
    assert asked.status == 201, asked.body
    row = asked.body
    assert (row["state"], row["by"], row["waiting"], row["others"]) == (
        "asked",
        village.keys["Rosa"],
        None,
        [],
    )
    assert (row["all_day"], row["from"][:10], row["note"]) == (True, "2090-05-01", "for the fence")
    one = row["id"]
    assert (await village.do("Ines", "confirm", one)).status == 403
    assert (await village.do("Rosa", "confirm", one)).status == 403
    confirmed = await village.do(None, "confirm", one)
    assert (confirmed.status, confirmed["state"], confirmed["changed"]) == (200, "confirmed", True)
    assert (await village.do(None, "confirm", one))["changed"] is False
    assert (await village.do(None, "return", one)).status == 409
    assert (await village.do(None, "hand-over", one))["state"] == "out"
    assert (await village.do("Rosa", "cancel", one)).status == 409
    damage = await village.do("Rosa", "damage", one, note="the chuck is loose")
    assert (damage.status, damage["condition"]) == (201, "needs-repair")
    event = await village.api("GET", f"/records/{damage['id']}")
    assert (event["kind"], event["fields"]["note"]) == ("event", "the chuck is loose")
    assert (await village.api("GET", f"/records/{village.drill}"))["fields"]["condition"] == "needs-repair"
    assert (await village.do(None, "return", one))["state"] == "returned"
    assert await village.state(one) == "returned"


async def test_who_keeps_it_and_who_asked_are_told_until_it_is_dealt_with(village: Village) -> None:
    api = village.api
    one = (await village.reserve("Rosa", "2090-05-01", "2090-05-02"))["id"]

    async def told(who: str | None) -> list[tuple[str, str]]:
        found = await api("GET", "/reservations", token=village.tokens.get(who or ""))
        assert list(problems(found.body, SCHEMAS["Reservations"], SCHEMAS)) == []
        return [(notice["matter"], notice["reservation"]) for notice in found["notices"]]

    assert await told(None) == [("asked-of-you", one)]
    assert await told("Rosa") == []
    status = (await api("GET", "/status"))["notices"]
    (notice,) = status
    words = f"commonsnode reservation confirm {one[:8]}, or decline {one[:8]}"
    assert notice["text"] == f"{village.keys['Rosa'][:8]} asks for Drill, 2090-05-01 to 2090-05-02: {words}"
    await village.do(None, "decline", one, why="it is broken")
    assert await told(None) == []
    assert await told("Rosa") == [("declined", one)]
    assert (await api("GET", "/status", tcp=True))["notices"] == []
    of_drill = await api("GET", "/reservations", tcp=True, of=village.drill)
    assert ([each["id"] for each in of_drill["reservations"]], of_drill["notices"]) == ([one], [])
    assert (await api("GET", "/reservations", tcp=True))["field"] == "of"


async def test_an_act_of_somebody_who_may_not_has_no_effect_and_is_shown_as_such(village: Village) -> None:
    api = village.api
    one = (await village.reserve("Rosa", "2090-05-01", "2090-05-02"))["id"]
    seed = next(
        session.seed for session in api.node.people.sessions if session.person.hex() == village.keys["Ines"]
    )

    def write(author: Author) -> None:
        both = author.store.reservation(bytes.fromhex(village.community), bytes.fromhex(one))
        assert both is not None
        ask = both[1].booking.ask
        fields = {"confirmed": (True, [ask.changeset])}
        author.write(bytes.fromhex(village.community), "public", [(ask.record, "commitment", fields)])

    await api.node.sign_as(seed, write)
    shown = await api("GET", f"/reservations/{one}")
    assert shown["state"] == "asked"
    assert [(each["act"], each["by"]) for each in shown["no_effect"]] == [("confirmed", village.keys["Ines"])]


async def test_terms_are_those_of_who_asks(village: Village) -> None:
    terms = {"person": {"use": "fee", "fee": "2 a day"}, "co-operative": {"use": "free"}}
    await village.lending(terms=terms)
    asked = await village.reserve("Rosa", "2090-05-01", "2090-05-02")
    assert asked["terms"] == {"lent": True, "use": "fee", "fee": "2 a day", "why": "terms for person"}
    group = await village.reserve("Rosa", "2090-06-01", "2090-06-02", type="for-profit")
    assert group["terms"]["use"] == "ask"
    friends = await village.reserve("Rosa", "2090-07-01", "2090-07-02", type="co-operative")
    for token in (None, village.tokens["Ines"]):
        shown = await village.api("GET", f"/reservations/{friends['id']}", token=token)
        assert (shown["type"], shown["terms"]["use"]) == ("co-operative", "free")


async def test_a_thing_that_is_confirmed_at_once_is_had_at_once_and_by_one(village: Village) -> None:
    await village.lending(confirm="at-once")
    one = await village.reserve("Rosa", "2090-05-01", "2090-05-02")
    assert one["state"] == "confirmed"
    two = await village.reserve("Ines", "2090-05-02", "2090-05-03")
    assert (two["state"], two["waiting"]) == ("displaced", 1)
    assert [each["id"] for each in two["others"]] == [one["id"]]
    cancelled = await village.do("Rosa", "cancel", one["id"])
    assert cancelled["state"] == "cancelled"

    async def told() -> list[str]:
        found = await village.api("GET", "/reservations", token=village.tokens["Ines"])
        return [notice["text"] for notice in found["notices"]]

    (text,) = await told()
    assert text.endswith(f"reserve {village.drill[:8]} --from 2090-05-02 --until 2090-05-03")
    for condition in ("broken", "good"):
        edited = {"fields": {"condition": condition}}
        assert (await village.api("PATCH", f"/records/{village.drill}", edited)).status == 200
        assert len(await told()) == (1 if condition == "good" else 0)
    confirmed = await village.do(None, "confirm", two["id"])  # the keeper knows of the cancellation
    assert confirmed["state"] == "confirmed"


async def test_reservations_of_a_community_that_only_members_read_are_not_there_for_others(api: Api) -> None:
    founded = await api("POST", "/communities", {"name": "Valley", "reading": "members"})
    drill = await api.add(founded["id"], title="Drill")
    one = (await api("POST", "/reservations", {"resource": drill, "from": "2090-05-01"}))["id"]
    assert (await api("GET", "/reservations"))["reservations"][0]["id"] == one
    assert (await api("GET", "/reservations", tcp=True, of=drill)).status == 404
    assert (await api("GET", f"/reservations/{one}", tcp=True)).status == 404
    _, token = await api.person("Pia")
    assert (await api("GET", "/reservations", tcp=True, token=token))["reservations"] == []
    refused = await api("POST", "/reservations", {"resource": drill, "from": "sat"}, tcp=True, token=token)
    assert refused.status == 404


async def test_a_reservation_of_what_only_members_read_is_sealed_with_it(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    await api("POST", f"/communities/{valley}/members", {"id": rosa})
    added = await api(
        "POST", f"/communities/{valley}/records", {"fields": {"title": "Loom"}, "lane": "members"}
    )
    asked = await api("POST", "/reservations", {"resource": added["id"], "from": "2090-05-01"})
    assert asked.status == 201, asked.body
    assert (asked["state"], asked["lane"], asked["held"]) == ("confirmed", "members", None)
    assert (await api("GET", f"/reservations/{asked['id']}", tcp=True)).status == 404
    assert (await api("GET", f"/reservations/{asked['id']}", tcp=True, token=token)).status == 200
    assert [one["kind"] for one in (await api("GET", "/records"))["records"]] == ["resource"]
    shown = await api("GET", f"/communities/{valley}")
    assert (shown["things"], shown["records"]) == (1, 2)
    shown = await api("GET", f"/communities/{valley}", tcp=True)
    assert (shown["things"], shown["records"]) == (0, 0)


async def test_what_a_member_writes_in_bad_faith_stops_nobody_from_looking(village: Village) -> None:
    api, community = village.api, bytes.fromhex(village.community)
    (seed,) = {s.seed for s in api.node.people.sessions if s.person.hex() == village.keys["Ines"]}

    def write(author: Author) -> None:
        nonce = b"\x07" * 16
        asks: dict[str, Value] = {
            "from": 2**53 - 2**20,
            "until": 2**53 - 1,
            "zone": "../../etc/passwd",
            "all_day": True,
            "note": 7,
        }
        said: dict[str, Value] = {
            "action": "use",
            "resource": bytes.fromhex(village.drill),
            "nonce": nonce,
            **asks,
        }
        fields: Writes = {name: (value, ()) for name, value in said.items()}
        author.write(community, "public", [(typed_id(community, author.key, nonce), "commitment", fields)])
        hours: Value = {"rules": [{"rrule": "FREQ=SECONDLY"}], "zone": "../../etc/passwd"}
        drill = RecordRef(community, "public", "resource", bytes.fromhex(village.drill))
        author.write(community, "public", [(drill.record, drill.kind, {"hours": (hours, ())})])

    await village.lending(confirm="at-once")
    await api.node.sign_as(seed, write)
    assert (await api("GET", "/status")).status == 200
    (row,) = (await api("GET", "/reservations"))["reservations"]
    assert (row["state"], row["note"], row["until"][:4]) == ("asked", None, "9999")
    assert (await village.do("Ines", "extend", row["id"], until="2090-05-01")).status in (409, 422)
    assert (await village.api.page(f"/things/{village.drill}")).status == 200
    refused = await village.reserve("Rosa", "2090-05-01", "2090-05-02")
    assert (refused.status, "hours cannot be followed" in refused["detail"]) == (409, True)


async def test_a_thing_that_an_import_brought_is_asked_of_the_stewards(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    await api("POST", f"/communities/{valley}/members", {"id": rosa})
    imported = await api.import_(
        valley, {"source": "tools"}, [{"line": 1, "key": "1", "fields": {"title": "Saw"}}]
    )
    assert imported.status == 200
    saw = (await api("GET", "/records"))["records"][0]["id"]
    asked = await api("POST", "/reservations", {"resource": saw, "from": "2090-05-01"}, token=token)
    assert (asked["state"], asked["keeper"], asked["keeper_name"]) == ("asked", None, None)
    (notice,) = (await api("GET", "/status"))["notices"]
    assert (notice["matter"], notice["reservation"]) == ("asked-of-you", asked["id"])
    (row,) = (await api("GET", "/reservations", asked_of_me="true"))["reservations"]
    assert row["asked_of_me"]
    assert (await api("POST", f"/reservations/{asked['id']}/confirm", {}))["state"] == "confirmed"


async def test_nothing_of_a_sealed_lane_is_named_in_what_everybody_reads(village: Village) -> None:
    """A thing of the lane `public` that somebody reserved in `members`, by another program."""
    api, community = village.api, bytes.fromhex(village.community)

    def write(author: Author) -> bytes:
        nonce = b"\x08" * 16
        span: dict[str, Value] = {"from": 3_800_000_000_000, "until": 3_800_086_400_000}
        said: dict[str, Value] = {
            "action": "use",
            "resource": bytes.fromhex(village.drill),
            "nonce": nonce,
            **span,
        }
        record = typed_id(community, author.key, nonce)
        fields: Writes = {name: (value, ()) for name, value in said.items()}
        author.write(community, "members", [(record, "commitment", fields)])
        return record

    sealed = (await api.node.sign(write)).hex()
    assert (await village.do(None, "cancel", sealed))["state"] == "cancelled"
    asked = await village.reserve(None, "2090-06-01", "2090-06-10")
    history = (await api("GET", f"/records/{asked['id']}/history"))["history"]
    (ask,) = await api.node.writer.read(
        lambda store: store.fetch(community, "public", [bytes.fromhex(history[0]["changeset"])])
    )
    refs = decode(ask.body).refs
    known = await api.node.writer.read(lambda store: store.facts(list(refs)))
    in_members = {
        id_
        for id_, _ in await api.node.writer.read(lambda store: store.heads(community, "members", api.node.id))
    }
    assert known
    assert in_members.isdisjoint(refs)


async def test_the_page_of_a_thing_says_what_is_reserved_and_since_when_that_is_known_here(
    village: Village,
) -> None:
    assert "Reserved" not in (await village.api.page(f"/things/{village.drill}")).body
    await village.reserve(None, "2090-05-01", "2090-05-02")
    await village.reserve("Rosa", "2090-05-02 9:00", "2090-05-02 10:00")
    page = (await village.api.page(f"/things/{village.drill}")).body
    assert "2090-05-01 to 2090-05-02: confirmed" in page
    assert "2090-05-02 09:00 to 2090-05-02 10:00" in page
    assert "number 1 in the waiting list" in page
    assert "first seen here" in page


async def test_a_kit_is_reserved_with_its_parts_and_is_what_they_are_together(village: Village) -> None:
    api = village.api
    tent = await api.add(village.community, title="Tent")
    pole = await api.add(village.community, title="Poles", amount="4")
    kit = await api.add(
        village.community,
        title="Camping",
        **{f"part:{tent}": True, f"part:{pole}": "2", f"part:{'ab' * 16}": True},
    )
    body = {"resource": kit, "from": "2090-05-01", "until": "2090-05-02", "note": "for four"}
    asked = await api("POST", "/reservations", body, token=village.tokens["Rosa"])
    assert asked.status == 201, asked.body
    fits("reservations", asked)
    assert {(part["title"], part["amount"], part["state"]) for part in asked["parts"]} == {
        ("Tent", "1", "asked"),
        ("Poles", "2", "asked"),
        ("abababab", "1", "asked"),
    }
    (notice,) = (await api("GET", "/status"))["notices"]
    assert notice["reservation"] == asked["id"]
    confirmed = await village.do(None, "confirm", asked["id"])
    states = {part["title"]: part["state"] for part in confirmed["parts"]}
    assert (confirmed["state"], states) == (
        "confirmed",
        {"Tent": "confirmed", "Poles": "confirmed", "abababab": "confirmed"},
    )
    own = next(part["id"] for part in confirmed["parts"] if part["title"] == "Tent")
    assert (await api("GET", f"/reservations/{own}"))["part_of"] == asked["id"]
    taken = {"resource": tent, "from": "2090-05-02 9:00", "until": "2090-05-02 10:00"}
    assert (await api("POST", "/reservations", taken))["state"] == "displaced"
    other = await api("POST", "/reservations", body, token=village.tokens["Ines"])
    assert (other["state"], other["waiting"]) == ("displaced", 2)  # the tent is waited for already
    assert (await village.do(None, "hand-over", asked["id"]))["state"] == "out"
    assert (await village.do(None, "return", own))["state"] == "returned"
    assert await village.state(asked["id"]) == "out"  # the poles are still away
    back = await village.do(None, "return", asked["id"])
    assert (back["state"], {part["state"] for part in back["parts"]}) == ("returned", {"returned"})


async def test_a_part_that_is_kept_by_somebody_else_is_theirs_to_promise(village: Village) -> None:
    api = village.api
    fields = {"title": "Projector", "lending": {"longest_minutes": 60}}
    lent = await api(
        "POST", f"/communities/{village.community}/records", {"fields": fields}, token=village.tokens["Ines"]
    )
    kit = await api.add(village.community, title="Cinema", **{f"part:{lent['id']}": True})
    body = {"resource": kit, "from": "2090-05-01 9:00", "until": "2090-05-01 12:00"}
    refused = await api("POST", "/reservations", body, token=village.tokens["Rosa"])
    assert (refused.status, refused["field"]) == (422, "until")
    assert "Projector, a part of it: it is lent for 1 hour at most" in refused["detail"]
    body["until"] = "2090-05-01 10:00"
    asked = await api("POST", "/reservations", body, token=village.tokens["Rosa"])
    assert asked["state"] == "asked"
    (part,) = asked["parts"]
    told = (await api("GET", "/reservations", token=village.tokens["Ines"]))["notices"]
    assert [(one["matter"], one["reservation"]) for one in told] == [("asked-of-you", part["id"])]
    assert (await village.do("Ines", "decline", part["id"], why="its lamp is broken"))["state"] == "declined"
    assert await village.state(asked["id"]) == "declined"
    assert (await village.do("Rosa", "cancel", part["id"]))["state"] == "cancelled"  # she does without
    assert await village.state(asked["id"]) == "asked"
    cancelled = await village.do("Rosa", "cancel", asked["id"])
    assert cancelled["state"] == "cancelled"


async def test_a_day_is_the_day_of_where_the_thing_is_also_when_clocks_change(village: Village) -> None:
    patch = {"fields": {"hours": {"zone": "Asia/Kolkata"}}}
    assert (await village.api("PATCH", f"/records/{village.drill}", patch)).status == 200
    asked = await village.reserve("Rosa", "2090-05-01", "2090-05-01")
    assert (asked["from"], asked["until"]) == ("2090-04-30T18:30:00.000Z", "2090-05-01T18:30:00.000Z")
    assert (asked["all_day"], asked["zone"]) == (True, "Asia/Kolkata")
    patch = {"fields": {"hours": {"zone": "America/New_York"}}}
    assert (await village.api("PATCH", f"/records/{village.drill}", patch)).status == 200
    short = await village.reserve("Rosa", "2032-03-14", "2032-03-14")  # a day of 23 hours
    assert (short["from"], short["until"]) == ("2032-03-14T05:00:00.000Z", "2032-03-15T04:00:00.000Z")
    leap = await village.reserve("Rosa", "2032-02-29", "2032-02-29")
    assert leap["state"] == "asked"
    assert (await village.reserve("Rosa", "2033-02-29", "2033-03-01")).status == 422
    shown = await village.api("GET", f"/reservations/{asked['id']}")
    assert (shown["from"], shown["zone"]) == (asked["from"], "Asia/Kolkata")  # what was asked stays so


async def test_who_is_not_admitted_yet_asks_and_waits_or_is_told_that_it_is_for_members(
    village: Village,
) -> None:
    _, token = await village.api.person("Pia")
    body = {"resource": village.drill, "from": "2090-05-01"}
    asked = await village.api("POST", "/reservations", body, token=token)
    assert (asked.status, asked["state"], asked["unsent"]) == (201, "asked", True)
    await village.lending(to="members")
    refused = await village.api("POST", "/reservations", body, token=token)
    assert (refused.status, refused["field"]) == (422, "resource")
    assert "lends to members only" in refused["detail"]
    assert (await village.reserve("Rosa", "2090-06-01", "2090-06-02")).status == 201


async def test_a_loan_by_days_is_extended_to_a_day_on_which_it_is_taken_back(village: Village) -> None:
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=SA", "start": "09:00", "end": "10:00"}
    patch = {"fields": {"hours": {"rules": [rule], "closed": ["2090-05-27"]}}}
    assert (await village.api("PATCH", f"/records/{village.drill}", patch)).status == 200
    one = await village.reserve("Rosa", "2090-05-06", "2090-05-13")
    assert one["state"] == "asked"
    for until in ("2090-05-21", "2090-05-27"):  # a Sunday, and a Saturday on which it is closed
        refused = await village.do("Rosa", "extend", one["id"], until=until)
        assert (refused.status, refused["field"]) == (422, "until")
    longer = await village.do("Rosa", "extend", one["id"], until="2090-05-20")
    assert (longer["state"], longer["from"], longer["all_day"]) == ("asked", one["until"], True)
    both = await village.api("GET", f"/reservations/{one['id']}")
    assert both["extended_by"] == [longer["id"]]
