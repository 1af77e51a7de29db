"""A virtual clock and a virtual network: sessions that keep their messages in order, are late, break, and are cut by partitions.

Nothing here depends on anything but the seed. What has been lost on the way is sent again by the transport, as TCP does: it comes
late, and what is behind it waits. So a session brings everything in order, or breaks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any, Protocol

DEAD_AIR_MS = 3_000  # until a dial to nowhere fails
NOTICE_MS = 10_000  # until a side notices at the latest that the other is gone without a word


class Host(Protocol):
    """What the network needs of a node."""

    key: bytes
    alive: bool

    def opened(self, session: "Session", *, dialled: bool) -> None: ...

    def closed(self, session: "Session") -> None: ...

    def failed(self, key: bytes) -> None: ...

    def takes(self, session: "Session", message: Any) -> None: ...


@dataclass(slots=True, eq=False)
class Session:
    """Between who dialled and who was dialled."""

    ends: tuple[Host, Host]
    delay_ms: int
    open: bool = True
    last_ms: list[int] = field(default_factory=lambda: [0, 0])  # when the last message to each end arrives

    def other(self, host: Host) -> Host:
        return self.ends[self.ends[0] is host]


@dataclass(frozen=True, slots=True)
class Weather:
    """How the links are."""

    delay_ms: tuple[int, int] = (5, 100)
    loss: float = 0.0  # of messages, each of which then comes by a second try
    again_ms: int = 300


class Net:
    """See the module."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.random = Random(seed)
        self.weather = weather or Weather()
        self.now_ms = 0
        self.hosts: dict[bytes, Host] = {}
        self.side: dict[bytes, int] = {}  # in a partition: who is on which side
        self.sessions: dict[bytes, dict[bytes, Session]] = {}
        self.dialled: dict[bytes, int] = {}  # how often each key was dialled
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def add(self, host: Host) -> None:
        self.hosts[host.key] = host
        self.sessions[host.key] = {}

    def at(self, time_ms: int, do: Callable[..., None], *args: Any) -> None:
        self._count += 1
        heappush(self._events, (time_ms, self._count, do, args))

    def run(self, until_ms: int) -> None:
        """Everything that happens up to then."""
        events = self._events
        while events and events[0][0] <= until_ms:
            self.now_ms, _, do, args = heappop(events)
            do(*args)
        self.now_ms = until_ms

    def live(self) -> list[Host]:
        return [host for host in self.hosts.values() if host.alive]

    # Sessions

    def _reaches(self, one: Host, other: Host) -> bool:
        return one.alive and other.alive and self.side.get(one.key, 0) == self.side.get(other.key, 0)

    def dial(self, host: Host, key: bytes) -> None:
        self.dialled[key] = self.dialled.get(key, 0) + 1
        other = self.hosts.get(key)
        if other is None or not self._reaches(host, other):
            self.at(self.now_ms + DEAD_AIR_MS, self._dial_failed, host, key)
        else:
            delay = self.random.randint(*self.weather.delay_ms)
            self.at(self.now_ms + 3 * delay, self._dialled, host, other, delay)

    def _dial_failed(self, host: Host, key: bytes) -> None:
        if host.alive:
            host.failed(key)

    def _dialled(self, host: Host, other: Host, delay: int) -> None:
        if not self._reaches(host, other):
            self._dial_failed(host, other.key)
            return
        session = self.sessions[host.key].get(other.key)
        if session is None:
            session = Session((host, other), delay)
            self.sessions[host.key][other.key] = self.sessions[other.key][host.key] = session
            other.opened(session, dialled=False)
        if session.open:
            host.opened(session, dialled=True)

    def send(self, session: Session, sender: Host, message: Any) -> None:
        if not session.open:
            return
        to = 0 if session.ends[0] is not sender else 1
        arrives = self.now_ms + session.delay_ms
        if self.weather.loss and self.random.random() < self.weather.loss:
            arrives += self.weather.again_ms
        arrives = session.last_ms[to] = max(arrives, session.last_ms[to])
        self.at(arrives, self._deliver, session, session.ends[to], message)

    def _deliver(self, session: Session, to: Host, message: Any) -> None:
        if session.open and to.alive:
            to.takes(session, message)

    def close(self, session: Session, closer: Host) -> None:
        """Close it in order: what was sent before arrives before."""
        to = 0 if session.ends[0] is not closer else 1
        self.at(max(self.now_ms + session.delay_ms, session.last_ms[to]), self._end, session)

    def _end(self, session: Session) -> None:
        if not session.open:
            return
        session.open = False
        for host in session.ends:
            other = session.other(host)
            if self.sessions[host.key].get(other.key) is session:
                del self.sessions[host.key][other.key]
            if host.alive:
                host.closed(session)

    def break_off(self, session: Session) -> None:
        """Each side notices only after a while."""
        self.at(self.now_ms + self.random.randint(1, NOTICE_MS), self._end, session)

    def kill(self, host: Host) -> None:
        """It is gone without a word."""
        host.alive = False
        for session in list(self.sessions[host.key].values()):
            self.break_off(session)

    def part(self, sides: dict[bytes, int]) -> None:
        """From now on only those of one side reach one another; an empty map heals."""
        self.side = sides
        for host in self.hosts.values():
            for session in list(self.sessions[host.key].values()):
                if session.ends[0] is host and sides.get(host.key, 0) != sides.get(session.ends[1].key, 0):
                    self._end(session)
