"""Care by the API: who did what, what is due, what is out; and that reservations count as uses."""

from typing import Any

import pytest

from commonsnode import care
from commonsnode.http.care_routes import ROUTES
from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
from running_node import Answer, Api

SHAPES = {(route.method, "rules" in route.path, "{id}" in route.path): route for route in ROUTES}


class Shed:
    """A community of one, with a drill."""

    def __init__(self, api: Api, community: str, drill: str) -> None:
        self.api, self.community, self.drill = api, community, drill

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        answer = await self.api(method, path, body, **query)
        route = SHAPES[method, path.endswith("/rules"), path != "/care"]
        shape = route.answer if answer.status == route.status else "Problem"
        assert list(problems(answer.body, SCHEMAS[shape], SCHEMAS)) == [], answer.body
        return answer

    async def did(self, did: str | None = None, **more: Any) -> Answer:
        body = more if did is None else {"did": did, **more}
        return await self.ask("POST", f"/records/{self.drill}/care", body)

    async def needs(self, task: str, **rule: int | None) -> Answer:
        return await self.ask("POST", f"/records/{self.drill}/care/rules", {"task": task, **rule})

    async def care(self) -> Answer:
        return await self.ask("GET", f"/records/{self.drill}/care")

    async def due(self, **query: Any) -> list[str]:
        return [one["task"] for one in (await self.ask("GET", "/care", **query))["due"]]

    async def fields(self) -> Any:
        return (await self.api("GET", f"/records/{self.drill}"))["fields"]


@pytest.fixture
async def shed(api: Api) -> Shed:
    community = await api.community()
    return Shed(api, community, await api.add(community, title="Drill"))


async def test_what_was_done_is_in_the_log_with_who_did_it(shed: Shed) -> None:
    told = await shed.did("oiled the chuck", condition="good")
    assert (told.status, told["changed"], told["waiting"]) == (201, ["condition"], False)
    found = await shed.care()
    (entry,) = found["log"]
    assert (entry["id"], entry["did"], entry["condition"]) == (told["event"], "oiled the chuck", "good")
    assert entry["by"] == shed.api.node.id.hex()
    assert [one["condition"] for one in found["conditions"]] == ["good"]
    assert found["condition"] == "good"
    await shed.did(condition="needs-repair")
    found = await shed.care()
    assert [one["condition"] for one in found["conditions"]] == ["needs-repair", "good"]


async def test_a_task_is_due_after_its_days_and_done_by_its_name(shed: Shed) -> None:
    (task,) = (await shed.needs("oil", days=90))["tasks"]
    assert (task["task"], task["days"], task["uses"], task["is_due"], task["last"]) == (
        "oil",
        90,
        None,
        False,
        None,
    )
    assert await shed.due() == []
    assert await shed.due(within_days=90) == ["oil"]
    await shed.did("Oil", at="2020-01-01")
    assert await shed.due() == ["oil"]
    assert await shed.due(community=shed.community) == ["oil"]
    (task,) = (await shed.did("OIL "))["tasks"]
    assert not task["is_due"]
    assert await shed.due() == []
    said = (await shed.api("GET", f"/records/{shed.drill}"))["care"]
    assert (said["last"]["task"], [one["task"] for one in said["tasks"]]) == ("oil", ["oil"])
    assert (await shed.needs("OIL"))["tasks"] == []
    assert (await shed.needs("oil")).status == 422


async def test_one_answer_goes_through_so_many_things_and_says_of_the_others(
    shed: Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("Saw", "Mower"):
        await shed.api.add(shed.community, title=title, care={"oil": {"days": 1}})
    monkeypatch.setattr(care, "CARED_FOR_MAX", 1)
    answer = await shed.ask("GET", "/care", within_days=2)
    assert (len(answer["due"]), answer["not_looked_at"]) == (1, 1)


async def test_rules_are_set_one_by_one(shed: Shed) -> None:
    await shed.needs("oil", days=90)
    await shed.needs("sharpen", uses=5)
    await shed.needs("oil", days=30, uses=10)
    assert (await shed.fields())["care"] == {"oil": {"days": 30, "uses": 10}, "sharpen": {"uses": 5}}


async def test_a_correction_counts_in_place_of_what_was_noted(shed: Shed) -> None:
    await shed.needs("oil", days=90)
    wrong = (await shed.did("oil"))["event"]
    right = await shed.did("oil", at="2020-01-01", corrects=wrong[:12])
    assert right["tasks"][0]["is_due"]
    log = (await shed.care())["log"]
    assert [(one["corrected"], one["corrects"]) for one in log] == [(True, None), (False, wrong)]
    assert (await shed.did("x", corrects=shed.drill)).status == 404


async def test_loans_and_noted_uses_count(shed: Shed) -> None:
    await shed.needs("oil", uses=2)
    await shed.did("oil", at="2020-01-01")
    asked = await shed.api("POST", "/reservations", {"resource": shed.drill, "from": "today"})
    for act in ("confirm", "hand-over"):
        assert (await shed.api("POST", f"/reservations/{asked['id']}/{act}", {})).status == 200
    (task,) = (await shed.care())["tasks"]
    assert (task["uses_since"], task["is_due"]) == (1, False)
    assert (await shed.did(used=True, at="2023-05-01")).status == 201
    found = await shed.care()
    assert (found["uses"], found["tasks"][0]["uses_since"], found["tasks"][0]["is_due"]) == (2, 2, True)
    assert await shed.due() == ["oil"]


async def test_what_is_out_for_maintenance_is_not_lent_until_it_is_back(shed: Shed) -> None:
    assert (await shed.did(out=True))["changed"] == ["out_for_maintenance"]
    assert (await shed.care())["out"] is True
    wish = {"resource": shed.drill, "from": "tomorrow"}
    assert (await shed.api("POST", "/reservations", wish)).status == 422
    assert (await shed.did(out="2100-01-01"))["changed"] == ["out_for_maintenance"]
    assert str((await shed.care())["out"]).startswith("2100-01-0")
    assert (await shed.did("new brushes", out=False))["changed"] == ["out_for_maintenance"]
    assert (await shed.care())["out"] is False
    assert (await shed.api("POST", "/reservations", wish)).status == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "did"),
        ({"did": "  "}, "did"),
        ({"did": "x", "at": "2100-01-01"}, "at"),
        ({"did": "x", "at": "someday"}, "at"),
        ({"out": "2020-01-01"}, "out"),
        ({"condition": "fine"}, "condition"),
        ({"did": "x" * 5_000}, "did"),
        ({"condition": "good", "corrects": "ab"}, "did"),
        ({"did": "x", "task": "\n"}, "task"),
        ({"used": True, "task": "oil"}, "task"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_name_and_nothing_is_written(
    shed: Shed, body: dict[str, Any], field: str
) -> None:
    answer = await shed.ask("POST", f"/records/{shed.drill}/care", body)
    if body.get("corrects") is not None:
        assert answer.status in (404, 422)
    else:
        assert answer.status in (400, 422)
        assert field in answer["detail"] + str(answer.body.get("field"))
    assert (await shed.care())["log"] == []


async def test_everybody_reads_it_and_who_is_signed_in_writes(shed: Shed) -> None:
    await shed.did("oiled")
    path = f"/records/{shed.drill}/care"
    assert len((await shed.api("GET", path, tcp=True))["log"]) == 1
    assert (await shed.api("GET", "/care", tcp=True)).status == 401
    assert (await shed.api("POST", path, {"did": "x"}, tcp=True)).status == 401
    key, token = await shed.api.person("Rosa")
    await shed.api("POST", f"/communities/{shed.community}/members", {"id": key})
    assert (await shed.api("POST", path, {"did": "cleaned"}, token=token)).status == 201
    assert {one["by"] for one in (await shed.care())["log"]} == {key, shed.api.node.id.hex()}


async def test_who_took_care_has_a_name_for_members_and_none_for_others(shed: Shed) -> None:
    contact = f"/communities/{shed.community}/contact"
    assert (await shed.api("PATCH", contact, {"name": "Village hall"})).status == 200
    await shed.did("oiled")
    for document in (
        (await shed.care())["log"][0],
        (await shed.api("GET", f"/records/{shed.drill}"))["care"]["last"],
    ):
        assert document["by_name"] == "Village hall"
    seen = await shed.api("GET", f"/records/{shed.drill}", tcp=True)
    assert seen["care"]["last"]["by_name"] is None
    log = await shed.api("GET", f"/records/{shed.drill}/care", tcp=True)
    assert log["log"][0]["by_name"] is None


async def test_only_things_are_cared_for(shed: Shed) -> None:
    body = {"kind": "agent", "fields": {"title": "Rosa"}}
    rosa = await shed.api("POST", f"/communities/{shed.community}/records", body)
    assert (await shed.ask("GET", f"/records/{rosa['id']}/care")).status == 404
