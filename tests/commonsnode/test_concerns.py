"""What concerns the operator is read again where something came in, and forgotten with its community."""

from running_node import Api


async def test_what_concerns_the_operator_follows_what_comes_in_and_goes_with_its_community(api: Api) -> None:
    first, second = await api.community("Valley"), await api.community("Coast")
    rosa, token = await api.person()
    asked = []
    for community in (first, second):
        assert (await api("POST", f"/communities/{community}/members", {"id": rosa})).status == 200
        drill = await api.add(community, title="Drill")
        body = {"resource": drill, "from": "2090-05-01"}
        asked.append((await api("POST", "/reservations", body, token=token))["id"])

    async def told() -> set[str]:
        return {notice["reservation"] for notice in (await api("GET", "/status"))["notices"]}

    assert await told() == set(asked)
    assert (await api("POST", f"/reservations/{asked[0]}/confirm", {})).status == 200
    assert await told() == {asked[1]}
    assert (await api("DELETE", f"/communities/{second}", force="true")).status == 200
    assert await told() == set()
    assert await api.node.concerns.every() != []  # the other community's, of which there is nothing to tell
