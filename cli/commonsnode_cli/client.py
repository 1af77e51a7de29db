"""Ask the daemon: HTTP with JSON over the unix socket of a home folder.

The standard library's client, since it costs a command some 20 ms at start, and aiohttp ten times that.
"""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, cast
from urllib.parse import quote, urlencode

from commonsnode_cli.failures import Failure, Lost, NoNode, Problem

API = "/api/v1"
ANSWER_S_MAX = 120.0  # an ordinary question; the slowest is a write behind a large import on a slow disk
CHUNK_BYTES = 256 * 1024  # of an upload: one chunk of the transfer, some 1,000 rows
BLOCK_BYTES = 256 * 1024  # of a download, at most at once
PROBLEM_BYTES_MAX = 64 * 1024

Document = dict[str, Any]
Query = Mapping[str, str | None]
EMPTY: Document = {}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def segment(text: str) -> str:
    """A person's text as one segment of a path."""
    return quote(text, safe="")


def url(path: str, query: Query) -> str:
    """A path with its parameters; those that are None are left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


class Client:
    """One node, as its operator reaches it, or as a person who is signed in.

    Every method raises NoNode, Lost or Problem, and returns the JSON object that the daemon answers.
    """

    def __init__(self, home: Path, socket_path: Path, command: str) -> None:
        """command: the beginning of the command line that reaches this node, to be named in NoNode."""
        self._home = home
        self._socket_path = socket_path
        self._command = command
        self._token: str | None = None

    def sign_in(self, name: str, passphrase: str) -> None:
        """Be this person from now on, until `sign_out`."""
        self._token = str(self.post("/session", {"name": name, "passphrase": passphrase})["token"])

    def sign_out(self) -> None:
        if self._token is not None:
            try:
                self.delete("/session")
            finally:
                self._token = None

    def running(self) -> bool:
        """Whether a daemon answers."""
        try:
            self._connect(ANSWER_S_MAX).close()
        except NoNode:
            return False
        return True

    def get(self, path: str, query: Query = EMPTY) -> Document:
        return self._ask("GET", url(path, query))

    def post(
        self, path: str, body: Document = EMPTY, query: Query = EMPTY, timeout_s: float = ANSWER_S_MAX
    ) -> Document:
        return self._ask("POST", url(path, query), body, timeout_s)

    def patch(self, path: str, body: Document, query: Query = EMPTY) -> Document:
        return self._ask("PATCH", url(path, query), body)

    def delete(self, path: str, query: Query = EMPTY) -> Document:
        return self._ask("DELETE", url(path, query))

    def blocks(self, method: str, path: str, body: Document | None = None) -> Iterator[bytes]:
        """The bytes of a long answer as they come. No time limit: the daemon may work for long."""
        connection = self._connect(None)
        try:
            self._send(connection, method, path, body)
            yield from _blocks(self._answer(connection))
        except (OSError, http.client.HTTPException) as error:
            raise Lost("answering") from error
        finally:
            connection.close()

    def lines(self, method: str, path: str, body: Document | None = None) -> Iterator[bytes]:
        """The lines of a long answer as they come, without their ends."""
        return _lines(self.blocks(method, path, body))

    def upload(self, path: str, lines: Iterable[bytes]) -> Iterator[Document]:
        """Send JSON Lines while they are made; yield the lines of the answer when they come.

        `lines` is drawn in this thread. The answer is read in a second one, so that the two sides never wait for each
        other with full buffers.
        """
        connection = self._connect(None)
        pipe = connection.sock  # kept: the connection may let go of it when the answer has begun
        answer = _Answer(connection)
        try:
            connection.putrequest("POST", API + path, skip_accept_encoding=True)
            connection.putheader("Content-Type", "application/jsonl")
            connection.putheader("Transfer-Encoding", "chunked")
            for name, value in self._authorization().items():
                connection.putheader(name, value)
            connection.endheaders()
            answer.start()
            for chunk in _chunks(lines):
                if not _sent(pipe, chunk):
                    break  # it has answered already, most likely with a problem: that is read below
                yield from answer.so_far()
            else:
                _sent(pipe, b"")
            yield from answer.rest()
        finally:
            _hang_up(pipe)
            if answer.ident is not None:
                answer.join()
            connection.close()

    def _ask(
        self, method: str, path: str, body: Document | None = None, timeout_s: float = ANSWER_S_MAX
    ) -> Document:
        connection = self._connect(timeout_s)
        try:
            self._send(connection, method, path, body)
            return cast(Document, json.loads(self._answer(connection).read() or b"{}"))
        except TimeoutError as error:
            raise Problem(
                504, "no answer", f"the node has not answered for {timeout_s:g} s; its log says why"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Lost("answering") from error
        finally:
            connection.close()

    def _connect(self, timeout_s: float | None) -> _UnixConnection:
        connection = _UnixConnection(self._socket_path, timeout_s)
        try:
            connection.connect()
        except PermissionError as error:
            raise Problem(
                403,
                "not yours",
                f"the node at {self._home} belongs to another user; ask it as that user (sudo -u)",
            ) from error
        except OSError as error:
            raise NoNode(self._home, self._command) from error
        return connection

    def _send(self, connection: _UnixConnection, method: str, path: str, body: Document | None) -> None:
        headers = {"Accept": "application/json", **self._authorization()}
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, API + path, body=data, headers=headers)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token is not None else {}

    def _answer(self, connection: _UnixConnection) -> http.client.HTTPResponse:
        response = connection.getresponse()
        if response.status >= 400:
            raise _problem(response)
        return response


class _Answer(Thread):
    """Reads the answer to an upload while the upload goes on."""

    def __init__(self, connection: _UnixConnection) -> None:
        super().__init__(daemon=True)
        self._connection = connection
        self._arrived: SimpleQueue[Document | Failure | None] = SimpleQueue()  # None: the end

    def run(self) -> None:
        try:
            response = self._connection.getresponse()
            if response.status >= 400:
                raise _problem(response)
            for line in _lines(_blocks(response)):
                self._arrived.put(json.loads(line))
        except Problem as problem:
            self._arrived.put(problem)
        except (OSError, http.client.HTTPException, ValueError):
            self._arrived.put(Lost("taking in the rows"))
        finally:
            self._arrived.put(None)

    def so_far(self) -> Iterator[Document]:
        while not self._arrived.empty():
            document = self._arrived.get()
            if document is None:
                self._arrived.put(None)
                return
            if isinstance(document, Failure):
                raise document
            yield document

    def rest(self) -> Iterator[Document]:
        while (document := self._arrived.get()) is not None:
            if isinstance(document, Failure):
                raise document
            yield document


def _sent(pipe: socket.socket, chunk: bytes) -> bool:
    try:
        pipe.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    except OSError:
        return False
    return True


def _hang_up(pipe: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was first
        pipe.shutdown(socket.SHUT_RDWR)


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    # In a chunked answer read1 raises IncompleteRead where the end is missing.
    while block := response.read1(BLOCK_BYTES):
        yield block


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= CHUNK_BYTES:
            yield b"".join(gathered)
            gathered.clear()
            size = 0
    if gathered:
        yield b"".join(gathered)


def _problem(response: http.client.HTTPResponse) -> Problem:
    try:
        details: Document = json.loads(response.read(PROBLEM_BYTES_MAX))
        return problem_of(details, response.status)
    except (ValueError, AttributeError):
        return Problem(
            response.status, response.reason, f"the node answered {response.status} {response.reason}"
        )


def problem_of(details: Document, status: int = 500) -> Problem:
    """Problem details (RFC 9457), with what an ambiguous name may mean, as a Problem."""
    detail = str(details.get("detail", ""))
    candidates = details.get("candidates")
    if candidates:
        detail += f": {'; '.join(map(str, candidates))}"
    return Problem(int(details.get("status", status)), str(details.get("title", "")), detail)
