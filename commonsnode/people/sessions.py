"""Who is signed in. A session's token is told once, and only its hash is kept; with the session ends what signs for the person.

Everything is in memory: a node that starts again has nobody signed in.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

IDLE_S_MAX = 1_800.0
SESSION_S_MAX = 12 * 3_600.0
SESSIONS_MAX = 500
SESSIONS_PER_PERSON_MAX = 8  # who signs in once more ends the session that was idle for longest
TOKEN_BYTES = 32
TOKEN_CHARS_MAX = 64


@dataclass(slots=True)
class Session:
    """One person, signed in. ends: by the clock that is never set back; expires_ms: the same moment for people."""

    person: bytes
    name: str
    seed: bytes = field(repr=False)
    expires_ms: int
    ends: float
    used: float


class Sessions:
    """clock: seconds, never set back. now_ms: the time for people."""

    def __init__(self, clock: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._clock = clock
        self._now_ms = now_ms
        self._by_hash: dict[bytes, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        self.sweep()
        return iter(list(self._by_hash.values()))

    def begin(self, person: bytes, name: str, seed: bytes) -> tuple[str, Session]:
        """The token of a new session, and the session."""
        self.sweep()
        own = [key for key, each in self._by_hash.items() if each.person == person]
        if len(own) >= SESSIONS_PER_PERSON_MAX:
            del self._by_hash[min(own, key=lambda key: self._by_hash[key].used)]
        elif len(self._by_hash) >= SESSIONS_MAX:
            del self._by_hash[min(self._by_hash, key=lambda key: self._by_hash[key].used)]
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        session = Session(
            person, name, seed, self._now_ms() + int(SESSION_S_MAX * 1_000), now + SESSION_S_MAX, now
        )
        self._by_hash[_hash(token)] = session
        return token, session

    def of(self, token: str) -> Session | None:
        """The live session of a token, which is used by that."""
        session = self._by_hash.get(_hash(token)) if len(token) <= TOKEN_CHARS_MAX else None
        if session is None or self._is_over(session):
            return None
        session.used = self._clock()
        return session

    def lives(self, session: Session) -> bool:
        """Whether it is not over; it is not used by being asked for."""
        return not self._is_over(session) and any(each is session for each in self._by_hash.values())

    def end(self, session: Session) -> None:
        self._drop(lambda each: each is session)

    def end_all(self, person: bytes, but: Session | None = None) -> None:
        self._drop(lambda each: each.person == person and each is not but)

    def sweep(self) -> None:
        """Forget the sessions that are over, and their seeds with them."""
        self._drop(self._is_over)

    def _is_over(self, session: Session) -> bool:
        now = self._clock()
        return now >= session.ends or now - session.used >= IDLE_S_MAX

    def _drop(self, over: Callable[[Session], bool]) -> None:
        for key in [key for key, each in self._by_hash.items() if over(each)]:
            del self._by_hash[key]


def _hash(token: str) -> bytes:
    return blake2b(token.encode(errors="replace"), digest_size=32).digest()
