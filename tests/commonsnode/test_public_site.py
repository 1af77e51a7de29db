"""What everyone on TCP may see: a community that only members read is not there, by whatever door one looks."""

from running_node import Api


async def test_words_that_only_members_read_find_a_thing_for_members_alone(api: Api) -> None:
    valley = await api.community("Valley")
    ladder = await api.add(valley, title="Ladder")
    note = {"fields": {"note": "key at Rosa's"}, "lane": "members"}
    assert (await api("PATCH", f"/records/{ladder}", note)).status == 200
    for words, found in (("rosa", ["Ladder"]), ("ladder key", ["Ladder"]), ("ladder saw", [])):
        for path, rows in (("/records", "records"), ("/resources", "results")):
            answer = await api("GET", path, text=words)
            assert [one["title"] for one in answer[rows]] == found
            assert (await api("GET", path, text=words, tcp=True))[rows] == []


async def test_a_community_that_only_members_read_is_not_on_the_public_site(api: Api) -> None:
    open_to_all = await api.community("Valley")
    hidden = str((await api("POST", "/communities", {"name": "Refuge", "reading": "members"}))["id"])
    await api.add(open_to_all, title="Ladder")
    secret = await api.add(hidden, title="Shelter key")
    for path in ("/status", "/communities", "/records", f"/communities/{open_to_all}/records"):
        said = str((await api("GET", path, tcp=True)).body)
        assert "Refuge" not in said
        assert hidden not in said
        assert "Shelter" not in said
    for path in (
        f"/communities/{hidden}",
        "/communities/Refuge",
        f"/communities/{hidden}/records",
        f"/communities/{hidden}/members",
        f"/communities/{hidden}/export",
        f"/records/{secret}",
        f"/records/{secret}/history",
    ):
        unknown = await api(
            "GET",
            path.replace(hidden, "0" * 64).replace("Refuge", "Nobody").replace(secret, "0" * 32),
            tcp=True,
        )
        answer = await api("GET", path, tcp=True)
        assert (
            (answer.status, answer.body.get("title"))
            == (unknown.status, unknown.body.get("title"))
            == (404, "Not here")
        )
        assert (await api("GET", path)).status == 200
    assert [record["title"] for record in (await api("GET", "/records", tcp=True))["records"]] == ["Ladder"]
    home = await api.page("/")
    assert "Ladder" in home.body
    assert "Refuge" not in home.body
    assert "Shelter" not in home.body
    assert (await api.page(f"/things/{secret}")).status == 404
