"""GET /resources: what can be used near a place, when; in three forms; and every wrong part refused by its name."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from commonsnode.http.schema import problems
from commonsnode.http.shapes import SCHEMAS
from running_node import API, Answer, Api

COTACACHI = {"lat": 3_000_000, "lon": -782_600_000, "name": "Cotacachi"}
NEAR = "0.30,-78.26"
SATURDAYS = {"rules": [{"rrule": "FREQ=WEEKLY;BYDAY=SA", "start": "09:00", "end": "13:00"}]}
SQUARE = {"type": "Polygon", "coordinates": [[[-79, 0], [-78, 0], [-78, 1], [-79, 1], [-79, 0]]]}


async def valley(api: Api, **settings: Any) -> str:
    founded = await api("POST", "/communities", {"name": "Valle", "zone": "America/Guayaquil", **settings})
    return str(founded["id"])


def place(lat: float, lon: float, name: str | None = None) -> dict[str, Any]:
    return {"lat": round(lat * 1e7), "lon": round(lon * 1e7), **({"name": name} if name else {})}


async def ask(api: Api, **question: Any) -> Answer:
    """One question; it must be answered as the document says."""
    found = await api("GET", "/resources", **question)
    assert found.status == 200, found.body
    assert list(problems(found.body, SCHEMAS["Resources"], SCHEMAS)) == []
    return found


def titles(found: Answer) -> list[str]:
    return [one["title"] for one in found["results"]]


async def test_what_is_near_comes_first_with_its_distance(api: Api) -> None:
    community = await valley(api)
    await api.add(community, title="far mixer", place=place(0.40, -78.26))
    near = await api.add(community, title="cement mixer", place=place(0.31, -78.26))
    await api.add(community, title="mixer of nowhere")
    await api.add(community, title="drill", place=place(0.30, -78.26))
    found = await ask(api, text="mixer", near=NEAR)
    assert titles(found) == ["cement mixer", "far mixer", "mixer of nowhere"]
    first = found["results"][0]
    assert first["id"] == near
    assert first["distance_m"] == 1_112
    assert first["community"] == community
    assert first["terms"] == {"lent": True, "use": "free", "fee": "", "why": "nothing is said about terms"}
    assert found["results"][2]["distance_m"] is None
    assert found["near"] == {"lat": 3_000_000, "lon": -782_600_000, "name": "", "source": "coordinates"}
    assert titles(await ask(api, text="mixer", near=NEAR, within="5km")) == ["cement mixer"]
    assert titles(await ask(api, near=NEAR, within="0m")) == ["drill"]


async def test_what_is_free_for_the_whole_span_is_found_with_its_free_spans(api: Api) -> None:
    community = await valley(api)
    await api.add(community, title="always", place=place(0.30, -78.26))
    await api.add(community, title="saturdays", hours=SATURDAYS, place=place(0.31, -78.26))
    await api.add(community, title="broken", condition="broken", place=place(0.31, -78.26))
    await api.add(community, title="not lent", lending={"to": "nobody"}, place=place(0.31, -78.26))
    await api.add(community, title="nowhere", hours={**SATURDAYS, "zone": "Nowhere/Land"})
    saturday = {"from": "2028-01-08T09:00", "until": "2028-01-08T13:00", "near": NEAR}
    found = await ask(api, **saturday)
    assert titles(found) == ["always", "saturdays"]
    assert (found["zone"], found["from"]) == ("America/Guayaquil", "2028-01-08T14:00:00.000Z")
    assert found["results"][1]["idle"] == [
        {"from": "2028-01-08T14:00:00.000Z", "until": "2028-01-08T18:00:00.000Z"}
    ]
    assert titles(await ask(api, **{**saturday, "until": "2028-01-08T14:00"})) == ["always"]
    assert titles(await ask(api, **{"from": "2028-01-08", "near": NEAR})) == ["always", "saturdays"]
    assert titles(await ask(api, **{"from": "2028-01-09", "near": NEAR})) == ["always"]


async def test_filters_narrow_it_and_may_be_repeated(api: Api) -> None:
    community, other = await valley(api), await api.community("Other")
    await api.add(community, title="drill", condition="good", category="tool", **{"tag:garden": True})
    await api.add(community, title="saw", condition="worn", keeper_name="Rosa")
    await api.add(other, title="boat", category="vehicle")
    assert sorted(titles(await ask(api, community="Valle"))) == ["drill", "saw"]
    assert sorted(titles(await ask(api, condition=["good", "worn"]))) == ["drill", "saw"]
    assert titles(await ask(api, condition="worn")) == ["saw"]
    assert titles(await ask(api, tag="garden")) == ["drill"]
    assert titles(await ask(api, keeper="rosa")) == ["saw"]
    assert titles(await ask(api, category="transport")) == ["boat"]
    assert (await ask(api, category="power drill"))["category"] == "tools.building"
    await api("POST", f"/communities/{other}/records", {"kind": "place", "fields": {"title": "hall"}})
    contact = {"name": "Rosa", "phone": "123"}
    assert (await api("PATCH", f"/communities/{other}/contact", contact)).status == 200
    assert titles(await ask(api, kind="place")) == ["hall"]
    assert sorted(titles(await ask(api, kind="any", community="Other"))) == ["boat", "hall"]


async def test_pages_follow_one_another_by_cursor_and_by_link(api: Api) -> None:
    community = await valley(api)
    for n in range(5):
        await api.add(community, title=f"thing {n}", place=place(0.30 + n / 100, -78.26))
    first = await ask(api, near=NEAR, limit=2)
    second = await ask(api, near=NEAR, limit=2, cursor=first["cursor"])
    third = await ask(api, near=NEAR, limit=2, cursor=second["cursor"])
    assert titles(first) + titles(second) + titles(third) == [f"thing {n}" for n in range(5)]
    assert third["cursor"] is None
    assert "Link" not in third.headers
    link = first.headers["Link"]
    assert link.startswith(f"<{API}/resources?")
    assert link.endswith('>; rel="next"')


async def test_an_area_is_asked_in_the_body_or_as_text(api: Api) -> None:
    community = await valley(api)
    await api.add(community, title="inside", place=place(0.30, -78.26))
    await api.add(community, title="outside", place=place(2, -78.26))
    found = await api("POST", "/resources/search", {"area": SQUARE})
    assert titles(found) == ["inside"]
    feature = {"type": "Feature", "properties": {}, "geometry": SQUARE}
    collection = {"type": "FeatureCollection", "features": [feature]}
    for area in (feature, collection):
        assert titles(await api("POST", "/resources/search", {"area": area}, tcp=True)) == ["inside"]
    assert titles(await ask(api, area=json.dumps(SQUARE))) == ["inside"]


async def test_geojson_and_csv_come_to_who_accepts_them(api: Api) -> None:
    community = await valley(api, grid=0)
    await api.add(community, title="=1+1", place=place(0.30, -78.26, "Hall"), description="-5 °C", note="n")
    async with api.public.get(
        f"{api.base}{API}/resources", params={"near": NEAR}, headers={"Accept": "application/geo+json"}
    ) as response:
        assert response.content_type == "application/geo+json"
        found = json.loads(await response.text())
    (feature,) = found["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [-78.26, 0.3]}
    assert feature["properties"]["title"] == "=1+1"
    assert feature["properties"]["place"] == "Hall"
    assert feature["properties"]["note"] == "n"
    accept = "text/csv, application/json;q=0.5"
    async with api.public.get(
        f"{api.base}{API}/resources", params={"near": NEAR}, headers={"Accept": accept}
    ) as response:
        assert (response.content_type, response.charset) == ("text/csv", "utf-8")
        (row,) = csv.DictReader(io.StringIO(await response.text()))
    assert (row["title"], row["description"]) == ("'=1+1", "'-5 °C")
    assert (row["lat"], row["lon"], row["place"]) == ("0.3000000", "-78.2600000", "Hall")
    assert (row["distance_m"], row["terms"]) == ("0", "free")
    for accept, status, kind in (
        ("image/png", 406, "application/problem+json"),
        ("*/*", 200, "application/json"),
        ("text/*;q=0.9, application/json;q=0", 200, "text/csv"),
        ("text/html, */*;q=0.1", 200, "application/json"),
    ):
        async with api.public.get(f"{api.base}{API}/resources", headers={"Accept": accept}) as response:
            assert (response.status, response.content_type) == (status, kind)


@pytest.mark.parametrize(
    ("question", "field", "words"),
    [
        ({"from": "2028-02-30"}, "from", "no date"),
        ({"from": "2028-01-02", "until": "2028-01-01"}, "until", "is before from"),
        ({"from": "2028-01-02", "until": "2030-01-01"}, "until", "more than 366 days"),
        ({"from": "2020-01-02"}, "from", "is past"),
        ({"from": "soon"}, "from", "no time"),
        ({"near": "-91,0"}, "near", "latitude -91 is out of range"),
        ({"near": "-178.26,0.35"}, "near", "look swapped"),
        ({"near": "Atlantis"}, "near", "no place called 'Atlantis' is known here"),
        ({"near": "my community"}, "near", "the charter does not say where"),
        ({"near": "x" * 300}, "near", "characters"),
        ({"within": "5km"}, "within", "say also near"),
        ({"near": "0,0", "within": "far"}, "within", "m, km or mi"),
        ({"near": "0,0", "within": "-5km"}, "within", "m, km or mi"),
        ({"area": "{"}, "area", "no GeoJSON"),
        ({"area": '{"type":"Point","coordinates":[1,2]}'}, "area", "must be of polygons, not Point"),
        (
            {"area": '{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}'},
            "area",
            "the outline crosses itself",
        ),
        ({"area": '{"type":"Polygon","coordinates":[[[0,0],[2,2],[0,0]]]}'}, "area", "fewer than 4"),
        ({"area": '{"type":"Polygon","coordinates":[[[0,0],[0,95],[2,0],[0,0]]]}'}, "area", "out of range"),
        ({"area": '{"type":"FeatureCollection","features":[]}'}, "area", "has no polygon"),
        ({"category": "zzzz"}, "category", "there is no category"),
        ({"kind": "unicorn"}, "kind", "there is no kind"),
        ({"condition": "shiny"}, "condition", "must be one of"),
        ({"limit": "0"}, "limit", "1 at least"),
        ({"limit": "many"}, "limit", "whole number"),
        ({"cursor": "none-of-ours"}, "cursor", "not a cursor"),
        ({"tag": ["a", "b", "c", "d", "e", "f", "g", "h", "i"]}, "tag", "0 to 8 items"),
        ({"text": "x" * 300}, "text", "characters"),
    ],
)
async def test_what_is_wrong_is_refused_by_its_name(
    api: Api, question: dict[str, Any], field: str, words: str
) -> None:
    await api.community()
    found = await api("GET", "/resources", tcp=True, **question)
    assert found.status == 422, found.body
    assert found.headers["Content-Type"].startswith("application/problem+json")
    assert list(problems(found.body, SCHEMAS["Problem"], SCHEMAS)) == []
    assert found["field"] == field
    assert words in found["detail"]


async def test_others_see_rounded_distances_and_no_private_community(api: Api) -> None:
    community = await valley(api)
    secret = str((await api("POST", "/communities", {"name": "Secret", "reading": "members"}))["id"])
    await api.add(community, title="mixer", place=place(0.314, -78.26))
    await api.add(secret, title="secret mixer", place=place(0.30, -78.26))
    assert titles(await ask(api, text="mixer", near=NEAR)) == ["secret mixer", "mixer"]
    public = await api("GET", "/resources", tcp=True, text="mixer", near=NEAR)
    assert [(one["title"], one["distance_m"]) for one in public["results"]] == [("mixer", 2_000)]
    assert (await api("GET", "/resources", tcp=True, community="Secret")).status == 404
    rosa, token = await api.person()
    await api("POST", f"/communities/{secret}/members", {"id": rosa})
    mine = await api("GET", "/resources", tcp=True, token=token, text="mixer", near=NEAR)
    assert [(one["title"], one["distance_m"]) for one in mine["results"]] == [
        ("secret mixer", 0),
        ("mixer", 2_000),
    ]


async def test_members_see_where_a_thing_is_and_others_its_cell(api: Api) -> None:
    community = await valley(api)
    for n in range(4):
        await api.add(community, title=f"thing {n}", place=place(0.3034 - n / 1_000, -78.2634))
    own = (await ask(api, near="0.3004,-78.2634"))["results"]
    assert [(one["title"], one["distance_m"]) for one in own] == [
        ("thing 3", 0),
        ("thing 2", 111),
        ("thing 1", 222),
        ("thing 0", 334),
    ]
    assert own[0]["fields"]["place"] == place(0.3004, -78.2634)
    others = (await api("GET", "/resources", tcp=True, near="0.3004,-78.2634")).body["results"]
    assert {one["distance_m"] for one in others} <= {0, 1_000}
    assert all(one["fields"]["place"]["grid"] == 1_000 for one in others)
    within = await ask(api, near="0.3004,-78.2634", within="250m")
    assert titles(within) == ["thing 3", "thing 2", "thing 1"]
    exactly = await ask(api, near="0.3004,-78.2634", within="0m")
    assert titles(exactly) == ["thing 3"]


async def test_places_of_a_private_community_are_no_names_for_others(api: Api) -> None:
    secret = str((await api("POST", "/communities", {"name": "Secret", "reading": "members"}))["id"])
    hall = {"kind": "place", "fields": {"title": "Hidden hall", "place": place(0.5, -78.0)}}
    await api("POST", f"/communities/{secret}/records", hall)
    assert (await ask(api, near="hidden hall"))["near"]["source"] == "place"
    for name in ("hidden hall", "Hiden hall"):
        refused = await api("GET", "/resources", tcp=True, near=name)
        assert (refused.status, refused["field"]) == (422, "near")
        assert "Hidden" not in str(refused.body)


async def test_terms_are_those_of_who_asks(api: Api) -> None:
    community = await valley(api, lending={"to": "members"})
    await api.add(community, title="for members")
    await api.add(
        community,
        title="for all",
        lending={"to": "anyone", "terms": {"for-profit": {"use": "fee", "fee": "5 €"}}},
    )
    own = {one["title"]: one["terms"] for one in (await ask(api))["results"]}
    assert own["for members"]["lent"] is True
    assert (own["for all"]["use"], own["for all"]["fee"]) == ("ask", "")
    others = (await api("GET", "/resources", tcp=True)).body["results"]
    assert {one["title"]: one["terms"]["lent"] for one in others} == {"for members": False, "for all": True}
    firm = {one["title"]: one["terms"] for one in (await ask(api, open_to="for-profit"))["results"]}
    assert (firm["for all"]["use"], firm["for all"]["fee"]) == ("fee", "5 €")
    assert titles(await ask(api, open_to="co-operative")) == ["for members"]
    assert sorted(titles(await ask(api, for_me="true"))) == ["for all", "for members"]
    assert titles(await api("GET", "/resources", tcp=True, for_me="true")) == ["for all"]


async def test_a_model_says_the_terms_of_things_that_say_none(api: Api) -> None:
    community = await valley(api)
    body = {
        "kind": "specification",
        "fields": {"title": "M1", "lending": {"terms": {"person": {"use": "fee", "fee": "1 €"}}}},
    }
    model = (await api("POST", f"/communities/{community}/records", body))["id"]
    await api.add(community, title="drill", specification=model)
    await api.add(community, title="own", specification=model, lending={"terms": {"person": {"use": "free"}}})
    await api.add(community, title="lost", specification="ab" * 16)
    found = {one["title"]: one["terms"] for one in (await ask(api))["results"]}
    assert (found["drill"]["use"], found["drill"]["fee"]) == ("fee", "1 €")
    assert (found["own"]["use"], found["lost"]["use"]) == ("free", "free")


async def test_coordinates_in_the_wrong_order_are_told_by_where_things_are(api: Api) -> None:
    community = await valley(api)
    assert titles(await ask(api, near="-78.26,0.30")) == []
    await api.add(community, title="drill", place=place(0.35, -78.12))
    for tcp in (False, True):
        for more in ({}, {"within": "15km"}, {"text": "unicorn"}):
            refused = await api("GET", "/resources", tcp=tcp, near="-78.26,0.30", **more)
            assert (refused.status, refused["field"]) == (422, "near")
            assert "something is near 0.3,-78.26: latitude comes first" in refused["detail"]
    for elsewhere in ("-33.4,-70.6", "5,5", "51.5,0"):
        assert titles(await ask(api, near=elsewhere)) == ["drill"]
        assert titles(await ask(api, near=elsewhere, within="10km")) == []
    await api.add(community, title="station", place=place(-77.85, 0.20))
    assert titles(await ask(api, near="-78.26,0.30")) == ["station", "drill"]
    assert titles(await ask(api, near="-78.26,0.30", within="1km")) == []


async def test_facets_count_what_there_is_of_each_sort(api: Api) -> None:
    community, other = await valley(api), await api.community("Other")
    await api.add(
        community, title="drill", condition="good", place=place(0.30, -78.26), **{"tag:garden": True}
    )
    await api.add(community, title="power drill", condition="good", place=place(0.31, -78.26))
    await api.add(
        other, title="telescope", place=place(0.30, -78.26), **{"tag:garden": True, "tag:sky": True}
    )
    await api.add(other, title="far away", place=place(1.30, -78.26))
    found = await api("GET", "/resources/facets", near=NEAR, within="10km")
    assert list(problems(found.body, SCHEMAS["Facets"], SCHEMAS)) == []
    assert found["total"] == 3
    assert found["kinds"] == {"resource": 3}
    assert list(found["categories"].items()) == [("tools.building", 2), ("media.photo", 1)]
    assert found["conditions"] == {"good": 2}
    assert list(found["communities"].items()) == [(community, 2), (other, 1)]
    assert list(found["tags"].items()) == [("garden", 2), ("sky", 1)]
    assert found["near"]["source"] == "coordinates"
    words = await api("POST", "/resources/facets", {"text": "drill", "area": SQUARE}, tcp=True)
    assert (words["total"], words["conditions"]) == (2, {"good": 2})
    refused = await api("GET", "/resources/facets", near="91,0")
    assert (refused.status, refused["field"]) == (422, "near")
    secret = str((await api("POST", "/communities", {"name": "Secret", "reading": "members"}))["id"])
    await api.add(secret, title="secret drill")
    assert (await api("GET", "/resources/facets"))["total"] == 5
    assert (await api("GET", "/resources/facets", tcp=True))["total"] == 4


async def test_what_is_equally_far_comes_by_when_it_is_free(api: Api) -> None:
    community = await valley(api, grid=0)
    in_weeks = int((datetime.now(UTC).timestamp() + 14 * 86_400) * 1_000)
    await api.add(community, title="never", lending={"to": "nobody"}, place=place(0.30, -78.26))
    await api.add(community, title="in two weeks", out_for_maintenance=in_weeks, place=place(0.30, -78.26))
    await api.add(community, title="saturdays", hours=SATURDAYS, place=place(0.30, -78.26))
    await api.add(community, title="now", place=place(0.30, -78.26))
    await api.add(community, title="nearer", lending={"to": "nobody"}, place=place(0.299, -78.26))
    found = titles(await ask(api, near="0.298,-78.26"))
    assert found[0] == "nearer"
    assert found[-2:] == ["in two weeks", "never"]
    assert set(found[1:3]) == {"now", "saturdays"}


async def test_today_is_what_is_left_of_it(api: Api) -> None:
    community = await valley(api)
    await api.add(community, title="drill")
    found = await ask(api, **{"from": "today"})
    begin = datetime.fromisoformat(found["from"])
    assert abs((begin - datetime.now(UTC)).total_seconds()) < 60
    assert titles(found) == ["drill"]
