"""A daemon in this process, and a client of its API: as its operator, and as anybody."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from commonsnode import daemon
from commonsnode.config import Config
from commonsnode.home import Home
from commonsnode.node import Node
from commonsnode.people.sealing import Cost

NOW = 1_800_000_000_000  # a plausible moment in 2027
API = "/api/v1"
CHEAP = Cost(1, 8 * 1024)  # of a guess at a passphrase: the real one takes a second


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: the status, the document, and the headers."""

    status: int
    body: Any
    headers: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass(frozen=True, slots=True)
class Api:
    """A client of a running node: as its operator on the unix socket, or as anybody on TCP."""

    node: Node
    operator: aiohttp.ClientSession
    public: aiohttp.ClientSession
    base: str

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        tcp: bool = False,
        token: str | None = None,
        **parameters: Any,
    ) -> Answer:
        """token: of who is signed in."""
        session, base = (self.public, self.base) if tcp else (self.operator, "http://node")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with session.request(
            method, base + API + path, data=data, params=parameters, headers=headers
        ) as response:
            text = await response.text()
            if response.content_type.endswith("jsonl"):
                found: Any = [json.loads(line) for line in text.splitlines()]
            else:
                found = json.loads(text) if "json" in response.content_type else text
            return Answer(response.status, found, response.headers)

    async def page(self, path: str) -> Answer:
        """A page, as a browser gets it."""
        async with self.public.get(self.base + path) as response:
            return Answer(response.status, await response.text(), response.headers)

    async def community(self, name: str = "Valley") -> str:
        return str((await self("POST", "/communities", {"name": name}))["id"])

    async def person(self, name: str = "Rosa", passphrase: str = "four words of hers") -> tuple[str, str]:
        """The key of a new account, and the token of its session on TCP."""
        added = await self("POST", "/persons", {"name": name, "passphrase": passphrase})
        begun = await self("POST", "/session", {"name": name, "passphrase": passphrase}, tcp=True)
        return str(added["id"]), str(begun["token"])

    async def add(self, community: str, **fields: Any) -> str:
        return str((await self("POST", f"/communities/{community}/records", {"fields": fields}))["id"])

    async def import_(self, community: str, head: dict[str, Any], rows: list[dict[str, Any]]) -> Answer:
        body = "".join(json.dumps(line) + "\n" for line in [head, *rows])
        return await self("POST", f"/communities/{community}/import", body.encode())


@asynccontextmanager
async def serving(home: Home, **settings: Any) -> AsyncIterator[Api]:
    """The real daemon on this folder, on loopback and a free port."""
    config = replace(Config(listen=("127.0.0.1",), port=0, name="test"), **settings)
    async with daemon.running(config, home, cost=CHEAP) as node:
        unix = aiohttp.UnixConnector(path=str(home.socket_path))
        async with aiohttp.ClientSession(connector=unix) as operator, aiohttp.ClientSession() as public:
            yield Api(node, operator, public, f"http://127.0.0.1:{node.addresses.port}")
