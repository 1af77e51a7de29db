"""Nodes of the simulation that do not keep the rules: stuck ones, and one hand with many keys that tries to surround the others."""

from typing import Any

from commonsnode_protocol.overlay.frames import (
    Answer,
    Contact,
    Join,
    Neighbour,
    News,
    Place,
    Shuffle,
    Shuffled,
    Walk,
    decode,
    encode,
)
from overlay_sim.net import Net, Session
from overlay_sim.node import Frame, contact

LIES_MS = 10_000
LIED_TO_MAX = 4  # at one time, by each key


class Stuck:
    """Takes every session and never says anything."""

    def __init__(self, net: Net, key: bytes) -> None:
        self.key = key
        self.alive = True
        net.add(self)

    def opened(self, session: Session, *, dialled: bool) -> None:
        pass

    def closed(self, session: Session) -> None:
        pass

    def failed(self, key: bytes) -> None:
        pass

    def takes(self, session: Session, message: Any) -> None:
        pass


class Liar(Stuck):
    """One of many keys in few ranges: asks everybody, accepts everybody, passes on nothing.

    It hands out its own keys and addresses of a victim who is no node, announces what does not exist, and takes changes away.
    """

    def __init__(
        self, net: Net, key: bytes, own: list[bytes], victims: list[bytes], honest: list[bytes]
    ) -> None:
        super().__init__(net, key)
        self._net = net
        self._own = own
        self._victims = victims
        self._honest = honest
        self._lie()

    def _say(self, session: Session, frame: Any) -> None:
        self._net.send(session, self, Frame(encode(0, frame)))

    def _lies(self, count: int) -> tuple[Contact, ...]:
        keys = self._net.random.sample([*self._own, *self._victims], count)
        return tuple(map(contact, keys))

    def _lie(self) -> None:
        random, net = self._net.random, self._net
        net.dial(self, random.choice(self._honest))
        sessions = list(net.sessions[self.key].values())
        for session in random.sample(sessions, min(LIED_TO_MAX, len(sessions))):
            nonce = random.randbytes(8)
            self._say(session, Walk(nonce, random.randrange(7), contact(random.choice(self._victims))))
            self._say(session, Shuffle(nonce[::-1], random.randrange(7), self._lies(8)))
            self._say(session, News(1, (random.randbytes(32),)))
        net.at(net.now_ms + LIES_MS, self._lie)

    def opened(self, session: Session, *, dialled: bool) -> None:
        if dialled:
            urgent = self._net.random.random() < 0.5
            self._say(session, Join(contact(self.key)) if urgent else Neighbour(True, contact(self.key)))

    def takes(self, session: Session, message: Any) -> None:
        if not isinstance(message, Frame):
            return  # changes, and what is said of them
        _, frame = decode(message.data)
        match frame:
            case Join() | Neighbour():
                self._say(session, Answer(True))
            case Walk(nonce):
                self._say(session, Place(nonce, self._lies(1)[0]))
            case Shuffle(nonce, _, contacts):
                self._say(session, Shuffled(nonce, self._lies(len(contacts))))
            case _:
                pass
