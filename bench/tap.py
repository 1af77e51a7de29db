"""A wire between two nodes on which we can read along: a TCP proxy that notes each WebSocket message and its bytes."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

HANDSHAKE_MESSAGES = 3  # of Noise XX; what follows is the session
BINARY = 2
READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the protocol. bytes: on the wire, with the WebSocket header. up: from the side that dialled."""

    at: float  # seconds, perf_counter, when its end was here
    up: bool
    bytes: int


@dataclass(slots=True)
class Wire:
    """One connection. opened: when it was accepted."""

    opened: float
    messages: list[Message] = field(default_factory=list)

    @property
    def session(self) -> list[Message]:
        """Everything after the handshake."""
        return self.messages[HANDSHAKE_MESSAGES:]

    @property
    def session_bytes(self) -> int:
        return sum(message.bytes for message in self.session)

    def round_trips(self) -> int:
        """How often, after the handshake, one side could have waited for the other: runs of one direction, halved."""
        turns = len(list(groupby(message.up for message in self.session)))
        return (turns + 1) // 2


class _Frames:
    """Finds the WebSocket messages in one direction of a TCP stream (RFC 6455, section 5.2), after the HTTP head."""

    def __init__(self) -> None:
        self._rest = b""
        self._open = False
        self._so_far = 0

    def take(self, data: bytes) -> list[int]:
        """The wire bytes of each binary message that ends in `data`."""
        self._rest += data
        if not self._open:
            _, found, self._rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                self._rest = _
                return []
            self._open = True
        ended = []
        while (frame := self._frame()) is not None:
            opcode, final, length = frame
            self._rest = self._rest[length:]
            if opcode > BINARY:  # close, ping, pong
                continue
            self._so_far += length
            if final:
                ended.append(self._so_far)
                self._so_far = 0
        return ended

    def _frame(self) -> tuple[int, bool, int] | None:
        """Opcode, whether it ends its message, and whole length of the first frame, where all of it is here."""
        rest = self._rest
        if len(rest) < 2:
            return None
        length, head = rest[1] & 0x7F, 2
        if length >= 126:
            wide = 2 if length == 126 else 8
            if len(rest) < 2 + wide:
                return None
            length, head = int.from_bytes(rest[2 : 2 + wide], "big"), 2 + wide
        whole = head + (4 if rest[1] & 0x80 else 0) + length
        return (rest[0] & 0x0F, bool(rest[0] & 0x80), whole) if len(rest) >= whole else None


class Tap:
    """A context: listens on loopback, at `address`, and passes on to `target` (ws://HOST:PORT/…)."""

    def __init__(self, target: str) -> None:
        split = urlsplit(target)
        assert split.hostname is not None
        assert split.port is not None
        self._target = (split.hostname, split.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"ws://127.0.0.1:{self._listener.getsockname()[1]}{split.path}"
        self.wires: list[Wire] = []
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="tap", daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            wire = Wire(time.perf_counter())
            self.wires.append(wire)
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(one)
            for source, sink, up in ((near, far, True), (far, near, False)):
                thread = threading.Thread(target=self._pass_on, args=(wire, source, sink, up), daemon=True)
                self._threads.append(thread)
                thread.start()

    @staticmethod
    def _pass_on(wire: Wire, source: socket.socket, sink: socket.socket, up: bool) -> None:
        frames = _Frames()
        with suppress(OSError):
            while data := source.recv(READ_BYTES):
                at = time.perf_counter()
                sink.sendall(data)
                wire.messages += [Message(at, up, size) for size in frames.take(data)]
            sink.shutdown(socket.SHUT_WR)
