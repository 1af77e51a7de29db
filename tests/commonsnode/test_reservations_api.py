"""Reservations by the API: what is asked for, who decides, what each sees of it."""

from typing import Any

import pytest

from commonsnode.http.reservation_routes import ROUTES
from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
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
