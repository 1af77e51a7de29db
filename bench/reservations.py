"""Reservations: one more of a thing that was asked for 10,000 times, and many of many things."""

import statistics
import time
from collections.abc import Sequence
from itertools import islice

from bench.applying import SEEN_MS, made
from bench.changesets import Founded, found
from bench.run import Run
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, SIGNATURE_BYTES, Signed, build, decode, public_key
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import typed_id
from commonsnode_store.store import Store

ASKS_MIN = 24
MORE = 20
AT_ONCE = 500  # asks in one transaction
ASKS_A_THING = 10
HOUR_MS = 3_600_000


def measure(run: Run) -> None:
    """Figure `reserve_ms`: one ask more of a thing, through `Store.apply` with its commit; the median.

    `apart`: of which a tenth of the records ask, no two for the same time; `joined`: all for times that overlap.
    `reservations_per_s`: applied of as many things as that, ten of each, which come by time and not by thing.
    """
    asks = max(ASKS_MIN, run.records // 10)
    run.figures["reserve_ms"] = {
        "apart": _one_more(run, "apart", asks, 2),
        "joined": _one_more(run, "joined", asks, 2 * asks),
    }
    things = max(1, asks // ASKS_A_THING)
    run.say(f"reservations of {things:,} things")
    community = found("lending", members=1)
    store = made(run.work / "lending.sqlite3", community)
    try:
        writer = _Writer(community)
        every = [
            writer.ask(n.to_bytes(16, "big"), 2 * turn, 2 * turn + 3)
            for turn in range(ASKS_A_THING)
            for n in range(things)
        ]
        began = time.process_time()
        _apply(store, community, every)
        run.figures["reservations_per_s"] = round(len(every) / (time.process_time() - began))
    finally:
        store.close()


def _one_more(run: Run, name: str, asks: int, hours: int) -> float:
    """hours: how long each is asked for; each begins two hours after the one before."""
    run.say(f"{asks:,} reservations of one thing, {name}")
    community = found(name, members=1)
    store = made(run.work / f"{name}.sqlite3", community)
    try:
        writer = _Writer(community)
        every = (writer.ask(bytes(16), 2 * n, 2 * n + hours) for n in range(asks + MORE))
        _apply(store, community, list(islice(every, asks)))
        took_ms = []
        for each in every:
            began = time.process_time()
            store.apply(community.id, PUBLIC, [each], seen_ms=SEEN_MS)
            took_ms.append((time.process_time() - began) * 1000)
    finally:
        store.close()
    return round(statistics.median(took_ms), 1)


def _apply(store: Store, community: Founded, asks: Sequence[Checked]) -> None:
    for n in range(0, len(asks), AT_ONCE):
        store.apply(community.id, PUBLIC, asks[n : n + AT_ONCE], seen_ms=SEEN_MS)


class _Writer:
    """A member who asks and asks, each time on what was written before. What is made here is not checked, so it is not signed."""

    def __init__(self, community: Founded) -> None:
        self._community, self._author = community.id, public_key(community.seeds[1])
        self._count = 0
        self._head: bytes | None = None

    def ask(self, thing: bytes, begin: int, end: int) -> Checked:
        self._count += 1
        nonce = self._count.to_bytes(16, "big")
        said: dict[str, Value] = {"action": "use", "resource": thing, "nonce": nonce}
        said |= {"from": SEEN_MS + begin * HOUR_MS, "until": SEEN_MS + end * HOUR_MS}
        body = build(
            community=self._community,
            lane=PUBLIC,
            author=self._author,
            time=SEEN_MS + self._count,
            refs=[self._head] if self._head is not None else [],
            changes=[
                (
                    typed_id(self._community, self._author, nonce),
                    KIND,
                    {name: (value, ()) for name, value in said.items()},
                )
            ],
        )
        checked = Checked(decode(body), Signed(bytes(SIGNATURE_BYTES), body))
        self._head = checked.id
        return checked
