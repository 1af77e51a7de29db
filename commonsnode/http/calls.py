"""One call of the API: what a route is, and how a request becomes the checked input of its handler."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from aiohttp import web

from commonsnode import speaking
from commonsnode.authoring import Author
from commonsnode.errors import NotAllowed, NotSignedIn, Refusal, TooLarge, WrongField
from commonsnode.governing import role_of
from commonsnode.http.public import seen_by
from commonsnode.http.schema import Schema, problems
from commonsnode.http.shapes import FIELDS_MAX, SCHEMAS
from commonsnode.node import Node
from commonsnode.people import Session
from commonsnode.tables.json_form import JsonFormError, decode_value, parse
from commonsnode_protocol.authority import MEMBER, STEWARD
from commonsnode_protocol.canonical import Value
from commonsnode_store.store import Store

BODY_BYTES_MAX = 256 * 1024  # of a JSON request; a changeset is 64 KiB
PATH_PART_CHARS_MAX = 256  # an id, or a community's name
QUERY_CHARS_MAX = 2_048

JSON_TYPE = "application/json"
BEARER = "Bearer "

T = TypeVar("T")

NODE: web.AppKey[Node] = web.AppKey("node", Node)  # as this site shows it to who is not signed in
WHOLE_NODE: web.AppKey[Node] = web.AppKey("whole-node", Node)
OPERATOR: web.AppKey[bool] = web.AppKey("operator", bool)  # whether this is the socket of the node's operator


class Malformed(Refusal):
    """A request that is no such request at all."""

    status = 400
    title = "Malformed request"


@dataclass(frozen=True, slots=True)
class Call:
    """The checked input of a handler. query and body: as the route describes them. session: of who is signed in, if anybody.

    node: as who calls may see it.
    """

    node: Node
    request: web.Request
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    session: Session | None = None

    @property
    def by_operator(self) -> bool:
        return self.request.app[OPERATOR] and self.session is None

    @property
    def key(self) -> bytes:
        """Whose key this call speaks for."""
        return self.node.id if self.session is None else self.session.person

    @property
    def signed_in(self) -> Session:
        """Raises NotSignedIn."""
        if self.session is None:
            raise NotSignedIn("sign in first: POST /api/v1/session")
        return self.session

    def check_member(self, store: Store, community: bytes) -> None:
        """Raise NotAllowed where who is signed in neither reads nor writes what only members do."""
        if self.session is not None and role_of(store.authority(community), self.key) not in (
            MEMBER,
            STEWARD,
        ):
            raise NotAllowed(
                "you are no member of this community, and this is for members alone; ask a steward to admit you"
            )

    async def sign(self, fn: Callable[[Author], T]) -> T:
        """Carry out `fn` in the writer thread, with the hand of who calls."""
        if self.session is None:
            return await self.node.sign(fn)
        return await self.node.sign_as(self.session.seed, fn, speaking.PERSON)


Handler: TypeAlias = Callable[[Call], Awaitable[Mapping[str, Any] | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, in the words of OpenAPI.

    public: also served on TCP, to everyone. person: also to who is signed in, on TCP and on the unix socket. Else for the
    operator alone. query: parameter → schema. body, answer: names in SCHEMAS. lines: the answer is JSON Lines, each
    as `answer` says. takes_lines: so is the body; its first line is as `body` says, and the handler reads it itself.
    also: media type → schema, of what is answered instead to who accepts that.
    media: the type of the answer where it is no JSON.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: str
    public: bool = False
    status: int = 200
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: str | None = None
    lines: bool = False
    takes_lines: bool = False
    person: bool = False
    also: Mapping[str, Schema] = field(default_factory=dict)
    media: str = JSON_TYPE

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        session = session_of(request)
        self._admit(request, session)
        query = read_query(request, self.query)
        path = {name: _part(text) for name, text in request.match_info.items()}
        body = await read_body(request, self.body) if self.body and not self.takes_lines else {}
        node = seen_by(request.app[WHOLE_NODE], session.person) if session is not None else request.app[NODE]
        found = await self.handler(Call(node, request, path, query, body, session))
        if isinstance(found, web.StreamResponse):
            return found
        return json_response(found, self.status)

    def _admit(self, request: web.Request, session: Session | None) -> None:
        """Raises NotSignedIn, NotAllowed, Malformed."""
        operator = request.app[OPERATOR]
        if session is not None and not (self.public or self.person):
            raise NotAllowed(f"{session.name} may not do this: it is for who runs this node")
        if session is None and not operator and not self.public:
            raise NotSignedIn("sign in first: POST /api/v1/session")
        # What a page of another site can send without asking a browser's leave is never of this type.
        if self.body is not None and not operator and request.content_type != JSON_TYPE:
            raise Malformed(f"the body must be declared as {JSON_TYPE}")


def session_of(request: web.Request) -> Session | None:
    """Who is signed in by the bearer token of this request. Raises NotSignedIn where that is worth nothing any more."""
    said = request.headers.get("Authorization")
    if said is None:
        return None
    session = None
    if said.startswith(BEARER):
        session = request.app[WHOLE_NODE].people.sessions.of(said.removeprefix(BEARER).strip())
    if session is None:
        raise NotSignedIn("nobody is signed in by this token: it is over, or was none; sign in again")
    return session


def json_response(found: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=json_bytes(found), content_type=JSON_TYPE)


def json_bytes(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def read_query(request: web.Request, known: Mapping[str, Schema]) -> dict[str, Any]:
    """The parameters of the query, checked. One that is a list may come several times. Raises Malformed, WrongField."""
    if len(request.query_string) > QUERY_CHARS_MAX:
        raise Malformed(f"a query has at most {QUERY_CHARS_MAX} characters")
    found: dict[str, Any] = {}
    for name, text in request.query.items():
        if name not in known:
            raise Malformed(f"no parameter {name[:40]!r} here; known: {', '.join(known) or 'none'}")
        if known[name].get("type") == "array":
            found.setdefault(name, []).append(text)
            continue
        if name in found:
            raise Malformed(f"{name} comes twice")
        found[name] = _from_text(text, known[name])
    for name, value in found.items():
        for _, problem in problems(value, known[name], SCHEMAS):
            raise WrongField(name, problem)
    return found


async def read_body(request: web.Request, name: str) -> dict[str, Any]:
    """The JSON body of a request, checked. Raises TooLarge, Malformed, WrongField."""
    try:
        data = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"a request has at most {BODY_BYTES_MAX} bytes") from error
    return check_body(data, name)


def check_body(data: bytes, name: str) -> dict[str, Any]:
    """A JSON object of one of the named shapes. Raises Malformed, WrongField."""
    try:
        value = parse(data.decode()) if data.strip() else {}
    except (JsonFormError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Malformed("the body is no JSON object")
    for where, problem in problems(value, SCHEMAS[name], SCHEMAS):
        raise WrongField(where, problem)
    return value


def fields_of(body: Mapping[str, Any]) -> dict[str, Value]:
    """The values of the fields in a body. Raises WrongField with the name of the field."""
    said = body["fields"]
    if len(said) > FIELDS_MAX:
        raise WrongField("fields", f"{FIELDS_MAX} at most in one request")
    fields = {}
    for name, value in said.items():
        try:
            fields[name] = decode_value(value)
        except JsonFormError as error:
            raise WrongField(name, str(error)) from error
    return fields


def _part(text: str) -> str:
    if len(text) > PATH_PART_CHARS_MAX:
        raise Malformed(f"an id or name in a path has at most {PATH_PART_CHARS_MAX} characters")
    return text


def _from_text(text: str, schema: Schema) -> Any:
    match schema.get("type"):
        case "integer" if text.isascii() and text.isdecimal() and len(text) < 16:
            return int(text)
        case "boolean" if text in ("true", "1", "false", "0"):
            return text in ("true", "1")
        case _:
            return text
