"""The pages: readable, complete, and harmless whatever people wrote."""

import json
from html.parser import HTMLParser
from typing import Any

from running_node import Answer, Api

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}<!--'


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and its text."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(answer.body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def link(self, text: str) -> str:
        return next(str(a["href"]) for a in self.all("a") if text in str(a["href"]))


async def add_by_other(api: Api, community: str, record: str, field: str, value: Any) -> None:
    """Somebody else, admitted and apart, writes the same field."""
    from commonsnode_protocol.changeset import PUBLIC, build, decode, public_key, sign
    from commonsnode_protocol.intake import Checked

    seed = b"\x02" * 32
    await api("POST", f"/communities/{community}/members", {"id": public_key(seed).hex()})
    body = build(
        community=bytes.fromhex(community),
        lane=PUBLIC,
        author=public_key(seed),
        time=1,
        refs=(),
        changes=[(bytes.fromhex(record), "resource", {field: (value, ())})],
    )
    await api.node.writer.apply(
        bytes.fromhex(community), PUBLIC, [Checked(decode(body), sign(body, seed))], None
    )


async def test_an_empty_node_says_what_it_is_and_what_to_do(api: Api) -> None:
    answer = await api.page("/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(answer)
    assert "test" in page.text
    assert api.node.id.hex() in page.text
    assert "commonsnode community create" in page.text


async def test_the_first_page_shows_communities_with_their_links_and_things(api: Api) -> None:
    valley = await api.community("Valle Alto")
    drill = await api.add(valley, title="Drill", place="hall")
    page = Page(await api.page("/"))
    link = (await api("GET", f"/communities/{valley}"))["link"]
    assert link in page.text
    assert "1 thing" in page.text
    assert "no other node in reach" in page.text
    assert "hall" in page.text
    answer = await api.page(page.link(drill))
    assert answer.status == 200
    assert "Drill" in Page(answer).text


async def test_the_list_is_searched_and_paged(api: Api) -> None:
    valley = await api.community()
    rows = [{"line": n, "key": str(n), "fields": {"title": f"thing {n:03}"}} for n in range(1, 66)]
    await api.import_(valley, {"source": "s"}, rows)
    titles: list[str] = []
    path = "/?q=thing"
    for _ in range(3):
        page = Page(await api.page(path))
        titles += [line.strip() for line in page.text.splitlines() if line.strip().startswith("thing 0")]
        path = next((str(a["href"]) for a in page.all("a") if a.get("rel") == "next"), "")
    assert titles == [f"thing {n:03}" for n in range(1, 66)]
    assert path == ""
    assert "thing 007" in Page(await api.page("/?q=007")).text
    assert "Nothing here has all of these words" in Page(await api.page("/?q=zeppelin")).text
    assert (await api.page("/?cursor=none-of-ours")).status == 400
    assert (await api.page(f"/?q={'x' * 300}")).status == 422
    assert (await api.page("/?community=nowhere")).status == 404


async def test_a_thing_shows_its_conflicts_and_its_history(api: Api) -> None:
    valley = await api.community()
    drill = await api.add(
        valley,
        title="Drill",
        **{"tag:garden": True, "x:Shelf": "B-12", "place": {"lat": 423456789, "lon": -81234567}},
    )
    await add_by_other(api, valley, drill, "title", "Borer")
    await api("PATCH", f"/records/{drill}", {"fields": {"x:Shelf": None}})
    text = Page(await api.page(f"/things/{drill}")).text
    assert "also: Borer" in text
    assert "garden" in text
    assert "about 42.35, -8.12 (to 1000 m)" in text
    assert "Shelf: nothing any more" in text
    assert "this node" in text
    assert "nonce" not in text
    await api("DELETE", f"/records/{drill}")
    assert "This was removed" in Page(await api.page(f"/things/{drill}")).text


async def test_what_waits_says_so(api: Api) -> None:
    link = "commons:" + "09" * 32
    await api.node.writer.run(lambda store: store.follow(b"\x09" * 32, ["public"]))
    thing = await api.add("09" * 32, title="Drill")
    assert "waits for admission" in Page(await api.page("/")).text
    assert "Not here yet" in Page(await api.page("/")).text
    assert "waits on this node" in Page(await api.page(f"/things/{thing}")).text
    assert link in Page(await api.page("/")).text


async def test_hostile_text_is_shown_as_text_everywhere(api: Api) -> None:
    valley = await api.community(HOSTILE[:60])
    thing = await api.add(
        valley, **{"title": HOSTILE, "place": HOSTILE, HOSTILE[:100]: HOSTILE, "tag:" + HOSTILE[:90]: True}
    )
    await add_by_other(api, valley, thing, "title", HOSTILE + "!")
    from urllib.parse import quote

    for path in (
        "/",
        f"/things/{thing}",
        f"/?q={quote(HOSTILE)}",
        f"/?community={quote(HOSTILE)}",
        f"/things/{quote(HOSTILE, safe='')}",
        f"/{quote(HOSTILE, safe='')}",
    ):
        answer = await api.page(path)
        page = Page(answer)
        assert page.all("script") == [], path
        assert [image["src"] for image in page.all("img")] == ["/static/commonsnode.svg"], path
        assert not [
            name for _, attributes in page.elements for name in attributes if name.startswith("on")
        ], path
        assert "49" not in answer.body.replace(thing, "").replace(valley, "") or "{{7*7}}" in page.text, path
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


async def test_a_page_is_made_for_everybody(api: Api) -> None:
    """Landmarks, a language, labels, one first heading, nothing from elsewhere, and no script."""
    valley = await api.community()
    await api.community("Second")
    thing = await api.add(valley, title="Drill")
    for path in ("/", f"/things/{thing}", "/nothing-here"):
        page = Page(await api.page(path))
        assert page.all("html")[0]["lang"] == "en"
        assert len(page.all("main")) == len(page.all("header")) == len(page.all("h1")) == 1
        labels = {label["for"] for label in page.all("label")}
        for control in page.all("input") + page.all("select"):
            assert control["id"] in labels
        assert all("alt" in image for image in page.all("img"))
        assert page.all("script") == []
        for attribute in ("src", "href"):
            for _, attributes in page.elements:
                assert not str(attributes.get(attribute, "")).startswith(("http:", "https:", "//", "data:"))


async def test_static_files_come_with_their_type_and_nothing_else_does(api: Api) -> None:
    css = await api.page("/static/commonsnode.css")
    assert (css.status, css.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "prefers-color-scheme: dark" in css.body
    assert "url(" not in css.body
    assert (await api.page("/static/commonsnode.svg")).headers["Content-Type"].startswith("image/svg+xml")
    for path in ("/static/", "/static/..%2f..%2fdaemon.py", "/static/home.html", "/templates/home.html"):
        answer = await api.page(path)
        assert answer.status == 404
        assert "Not Found" in Page(answer).text


async def test_a_problem_of_a_page_is_a_page_and_of_the_api_a_document(api: Api) -> None:
    assert (await api.page("/things/zz")).headers["Content-Type"].startswith("text/html")
    answer = await api("GET", "/records/zz", tcp=True)
    assert json.loads(json.dumps(answer.body))["status"] == 404


async def test_a_thing_shows_what_it_needs_and_who_took_care(api: Api) -> None:
    drill = await api.add(await api.community(), title="Drill")
    assert "Care" not in Page(await api.page(f"/things/{drill}")).text
    await api("POST", f"/records/{drill}/care/rules", {"task": "oil <it>", "days": 90, "uses": 3})
    await api("POST", f"/records/{drill}/care", {"did": "oil <it>", "at": "2020-05-01", "condition": "good"})
    await api("POST", f"/records/{drill}/care", {"used": True, "at": "2020-06-01"})
    text = Page(await api.page(f"/things/{drill}")).text
    for said in ("oil <it>: due by 2020-07-30, 1 of 3 uses", "condition: good", "this node", "used"):
        assert said in text
