"""What goes wrong, as problem details for whoever asked.  Source: RFC 9457."""

import errno
import json
from typing import Any

from aiohttp import web

from commonsnode.errors import Ambiguous, Refusal, Stopping, TooOften, WrongField
from commonsnode_store.errors import (
    CommunityStopped,
    Damaged,
    DiskFull,
    ReadOnly,
    StoreError,
    UnknownCommunity,
)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:commonsnode:problem:"
RETRY_S = 10

_STOPPING = "this node is stopping; ask again when it is up"
_HTTP_DETAILS = {
    404: "there is nothing at this path",
    405: "this path does not take that method here",
    413: "the request has more bytes than are taken here",
}


def document(error: BaseException) -> dict[str, Any]:
    """The problem details of an error that is somebody's move; other errors are ours, and say no more than that."""
    match error:
        case Refusal():
            found = _details(type(error).__name__, error.title, error.status, error.detail)
            if isinstance(error, WrongField):
                found["field"] = error.field
            if isinstance(error, Ambiguous | WrongField) and error.candidates:
                found["candidates"] = error.candidates
            return found
        case UnknownCommunity():
            return _details("Unknown", "Not here", 404, str(error))
        case CommunityStopped():
            return _details("Stopped", "This community is stopped", 409, str(error))
        case DiskFull():
            detail = f"The disk of this node is full ({error.path.parent}). Nothing that was done before is lost. Free some space."
            return _details("DiskFull", "The disk is full", 503, detail)
        case ReadOnly():
            detail = f"{error.path} cannot be written: its file system is read-only, or the file is not this node's."
            return _details("ReadOnly", "The database cannot be written", 503, detail)
        case Damaged():
            detail = f"The database of this node is damaged ({error}). `commonsnode check` says what, and --rebuild mends it."
            return _details("Damaged", "The database is damaged", 503, detail)
        case StoreError():
            return _details("Store", "The database does not answer", 503, str(error))
        case Stopping():
            return _details("Stopping", "Stopping", 503, _STOPPING)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return _details(
                "DiskFull", "The disk is full", 503, "The disk of this node is full. Free some space."
            )
        case web.HTTPException():
            detail = _HTTP_DETAILS.get(error.status, error.reason)
            return _details(error.reason.replace(" ", ""), error.reason, error.status, detail)
        case _:
            return _details(
                "Internal", "An error of this node", 500, "This node made a mistake. Its log says more."
            )


def is_ours(found: dict[str, Any]) -> bool:
    """Whether the error is a bug of this node, which belongs into the log with its traceback."""
    return bool(found["status"] == 500)


def response(found: dict[str, Any], error: BaseException | None = None) -> web.Response:
    """The answer that carries a problem; of an HTTP error it keeps the header `Allow`."""
    answer = web.Response(
        status=found["status"], body=json.dumps(found, ensure_ascii=False).encode(), content_type=CONTENT_TYPE
    )
    if isinstance(error, web.HTTPException) and "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    if found["status"] == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.retry_s)
    if found["status"] == 503:
        answer.headers["Retry-After"] = str(RETRY_S)
    return answer


def _details(kind: str, title: str, status: int, detail: str) -> dict[str, Any]:
    name = "".join(f"-{c.lower()}" if c.isupper() else c for c in kind).lstrip("-")
    return {"type": TYPE_PREFIX + name, "title": title, "status": status, "detail": detail}
