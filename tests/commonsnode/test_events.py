"""What lands is told to who listens: each hears what they may read, misses nothing on the way, and holds nobody up."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from commonsnode import events
from commonsnode.errors import Busy, Stopping
from commonsnode.events import Fallen, Listener
from commonsnode.home import Home
from commonsnode.http import on_events
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_store.answers import Applied
from running_node import API, Api, serving

WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as a browser reads it."""

    name: str
    data: dict[str, Any]
    id: str | None

    @property
    def records(self) -> list[str]:
        return [record["id"] for record in self.data["records"]]


class Stream:
    """Reads events off an answer, by the rules of the standard as far as they are used here."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0

    async def next(self) -> Told | None:
        """The next event; none at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(WITHIN_S):
            async for line in self.response.content:
                text = line.decode().rstrip("\n")
                if not text and "data" in fields:
                    return Told(fields["event"], json.loads(fields["data"]), fields.get("id"))
                name, _, value = text.partition(":")
                self.comments += text.startswith(":")
                fields[name] = value.removeprefix(" ")
        return None

    async def landed(self, record: str) -> Told:
        """The event about this record; those before it are passed over."""
        while True:
            told = await self.next()
            assert told is not None
            if told.name == "landed" and record in told.records:
                return told

    async def until_no_more(self) -> list[Told]:
        found = []
        while (told := await self.next()) is not None:
            found.append(told)
        return found


@asynccontextmanager
async def listening(
    api: Api, *, tcp: bool = True, token: str | None = None, last: str | None = None
) -> AsyncIterator[Stream]:
    session, base = (api.public, api.base) if tcp else (api.operator, "http://node")
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    if last is not None:
        headers["Last-Event-ID"] = last
    async with session.get(f"{base}{API}/events", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def test_everybody_hears_of_what_lands_in_public(api: Api) -> None:
    valley = await api.community()
    async with listening(api) as stream:
        ready = await stream.next()
        assert ready is not None
        assert ready.name == "ready"
        saw = await api.add(valley, title="Saw")
        told = await stream.landed(saw)
        assert told.data == {
            "community": valley,
            "lane": "public",
            "records": [{"kind": "resource", "id": saw}],
            "more": False,
        }
        assert told.id is not None


async def test_who_comes_back_hears_what_they_missed_and_nothing_twice(api: Api) -> None:
    valley = await api.community()
    async with listening(api) as stream:
        saw = await api.add(valley, title="Saw")
        last = (await stream.landed(saw)).id
    missed = [await api.add(valley, title=title) for title in ("Axe", "Adze")]
    async with listening(api, last=last) as stream:
        new = await api.add(valley, title="Auger")
        told = [await stream.next() for _ in range(3)]
        assert [each.records for each in told if each is not None] == [[missed[0]], [missed[1]], [new]]


async def test_who_cannot_be_told_what_they_missed_is_told_to_read_anew(api: Api) -> None:
    valley = await api.community()
    async with listening(api, last="00" * 32) as stream:
        first = await stream.next()
        assert first is not None
        assert (first.name, "read anew" in first.data["why"]) == ("reset", True)
        assert await stream.landed(await api.add(valley, title="Saw"))


@pytest.mark.parametrize("last", ["7", "zz" * 32, "é"])
async def test_an_id_that_is_none_is_refused(api: Api, last: str) -> None:
    answer = await api("GET", "/events", tcp=True, after=last)
    assert (answer.status, "Last-Event-ID" in answer["detail"]) == (400, True)


async def test_what_only_members_read_is_told_to_members_and_to_the_operator_alone(api: Api) -> None:
    valley = await api.community()
    refuge = str((await api("POST", "/communities", {"name": "Refuge", "reading": "members"}))["id"])
    rosa, token = await api.person()
    _, other = await api.person("Inés")
    for community in (valley, refuge):
        assert (await api("POST", f"/communities/{community}/members", {"id": rosa})).status == 200
    async with (
        listening(api, token=token) as member,
        listening(api, token=other) as stranger,
        listening(api) as nobody,
        listening(api, tcp=False) as operator,
    ):
        sealed = await api(
            "POST", f"/communities/{valley}/records", {"fields": {"title": "Key"}, "lane": "members"}
        )
        hidden = await api.add(refuge, title="Shelter")
        plain = await api.add(valley, title="Saw")
        for stream in (member, operator):
            told = [await stream.landed(record) for record in (sealed["id"], hidden, plain)]
            assert [each.data["lane"] for each in told] == ["members", "public", "public"]
        for stream in (stranger, nobody):
            heard = [await stream.next() for _ in range(2)]
            assert [each.name for each in heard if each is not None] == ["ready", "landed"]
            assert heard[1] is not None
            assert heard[1].records == [plain]
    for whose in (other, None):
        last = (await api("GET", f"/records/{hidden}/history"))["history"][0]["changeset"]
        async with listening(api, token=whose, last=last) as stream:
            first = await stream.next()
            assert first is not None
            assert first.name == "reset", "that it is here is not told either"


async def test_with_the_session_ends_what_it_hears(api: Api) -> None:
    valley = await api.community()
    _, token = await api.person()
    async with listening(api, token=token) as stream:
        assert await stream.landed(await api.add(valley, title="Saw"))
        await api("DELETE", "/session", tcp=True, token=token)
        await api.add(valley, title="Axe")
        (last,) = await stream.until_no_more()
        assert (last.name, "session" in last.data["why"]) == ("dropped", True)


async def test_where_nothing_lands_a_comment_says_that_the_node_is_there(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_events, "HEARTBEAT_S", 0.01)
    async with listening(api) as stream:
        assert await stream.next()
        while stream.comments < 2:
            async with asyncio.timeout(WITHIN_S):
                line = await stream.response.content.readline()
            stream.comments += line == b":\n"


async def test_who_has_gone_takes_no_place(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LISTENERS_MAX", 1)
    hub = api.node.events
    for _ in range(2):
        with hub.listen(None, lambda *_: True), pytest.raises(Busy), hub.listen(None, lambda *_: True):
            pass


async def test_strangers_leave_places_for_people_of_the_node(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STRANGERS_MAX", 1)
    async with listening(api) as stream:
        assert await stream.next()
        assert (await api("GET", "/events", tcp=True)).status == Busy.status
        _, token = await api.person()
        async with listening(api, token=token) as of_rosa, listening(api, tcp=False) as of_the_operator:
            assert await of_rosa.next()
            assert await of_the_operator.next()


async def test_there_are_only_so_many_listeners(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LISTENERS_MAX", 1)
    async with listening(api) as stream:
        assert await stream.next()
        answer = await api("GET", "/events", tcp=True)
        assert (answer.status, "at a time" in answer["detail"]) == (Busy.status, True)


async def test_a_node_that_stops_says_so_and_waits_for_nobody(home: Home) -> None:
    async with aiohttp.ClientSession() as outlives_it:
        async with serving(home) as api:
            stream = Stream(await outlives_it.get(f"{api.base}{API}/events"))
            assert await stream.next()
            began = time.monotonic()
        assert time.monotonic() - began < 2
        (last,) = await stream.until_no_more()
    assert (last.name, "stops" in last.data["why"]) == ("dropped", True)


async def test_who_is_too_slow_gets_what_waits_and_is_let_go() -> None:
    listener = Listener(None, lambda *_: True)
    for n in range(events.TOLD_MAX + 5):
        listener.tell(Fallen(n.to_bytes(32), PUBLIC))
    for n in range(events.TOLD_MAX):
        assert await listener.next(WITHIN_S) == Fallen(n.to_bytes(32), PUBLIC)
    for _ in range(2):
        with pytest.raises(Busy, match="connect again"):
            await listener.next(WITHIN_S)


async def test_so_much_at_once_that_it_is_not_told_one_by_one_is_told_as_that(api: Api) -> None:
    valley = await api.community()
    async with listening(api) as stream:
        assert await stream.next()
        for _ in range(events.LANDED_MAX + 2):  # before the loop comes to anything else
            api.node.writer.publish(bytes.fromhex(valley), PUBLIC, Applied(new=(b"\0" * 32,)), None)
        names = []
        while "reset" not in names and "dropped" not in names:
            told = await stream.next()
            assert told is not None
            names.append(told.name)
        assert {*names[:-1]} <= {"fallen"}


async def test_when_less_stands_that_is_told(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    await api("POST", f"/communities/{valley}/members", {"id": rosa})
    record = await api(
        "POST", f"/communities/{valley}/records", {"fields": {"title": "Saw"}}, tcp=True, token=token
    )
    async with listening(api) as stream:
        assert await stream.next()
        revoked = await api("DELETE", f"/communities/{valley}/members/{rosa}")
        assert revoked.status == 200
        told = await stream.next()
        assert told is not None
        assert (told.name, told.data["lane"]) == ("landed", "authority")
        assert (await api("GET", f"/records/{record['id']}", tcp=True)).status == 200


async def test_after_the_end_nobody_can_begin_to_listen(home: Home) -> None:
    async with serving(home) as api:
        hub = api.node.events
    with pytest.raises(Stopping), hub.listen(None, lambda *_: True):
        pass
