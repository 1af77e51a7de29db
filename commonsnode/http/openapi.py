"""The OpenAPI 3.1 document, made of the table of routes.  Source: OpenAPI Specification 3.1.0."""

import re
from collections.abc import Iterable
from typing import Any

from commonsnode import __version__
from commonsnode.http import problems
from commonsnode.http.calls import Route
from commonsnode.http.lines import CONTENT_TYPE as LINES_TYPE
from commonsnode.http.schema import ref
from commonsnode.http.shapes import SCHEMAS

_PATH_PART = re.compile(r"\{(\w+)\}")
_PATH_PARTS = {
    "community": "a community: its id, an unambiguous beginning of that, or its name",
    "id": "a record: its id, or an unambiguous beginning of that",
    "name": "an account: the name, in which capitals make no difference",
    "link": "the secret part of a link to a calendar",
    "key": "a key, an invitation or a table: its id, or an unambiguous beginning of that",
}


SESSION = "session"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of POST /session. Without it one is everyone on TCP, and the operator on the unix socket.",
}


def document(root: str, routes: Iterable[Route]) -> dict[str, Any]:
    """What these routes, served below `root`, take and give."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(root + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Commons Node",
            "version": __version__,
            "summary": "What this node holds; on its unix socket also what its operator can do with it.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": {SESSION: _BEARER}},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}.{route.handler.__name__}".replace(
            "on_", ""
        ),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": _PATH_PARTS[name],
                "schema": {"type": "string"},
            }
            for name in _PATH_PART.findall(route.path)
        ]
        + [{"name": name, "in": "query", "schema": schema} for name, schema in route.query.items()],
        "responses": {
            str(route.status): {
                "description": "one JSON document a line, each as described" if route.lines else "done",
                "content": {
                    LINES_TYPE if route.lines else route.media: {"schema": ref(route.answer)},
                    **{kind: {"schema": schema} for kind, schema in route.also.items()},
                },
            },
            "default": {
                "description": "it was not done",
                "content": {problems.CONTENT_TYPE: {"schema": ref("Problem")}},
            },
        },
    }
    if route.public:
        operation["security"] = [{}, {SESSION: []}]
    elif route.person:
        operation["security"] = [{SESSION: []}]
    if route.body is not None:
        kind = LINES_TYPE if route.takes_lines else "application/json"
        operation["requestBody"] = {
            "required": not route.takes_lines and bool(SCHEMAS[route.body].get("required")),
            "content": {kind: {"schema": ref(route.body)}},
        }
    return operation
