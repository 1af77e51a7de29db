"""How the overlay does at ten thousand nodes:  python tests/overlay_sim/scale.py [NODES] [SEED]  writes bench/sim.json.

Everybody joins by somebody who is there already. After a warm-up changes are written all over, one after the other. Then three
in ten nodes are gone at once, without a word. From the end of the joining on everything is done twice, from the same state: by gossip
alone, and with reconciliation.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import Any

from commonsnode_protocol.overlay.membership import Shape
from overlay_sim.net import NOTICE_MS, Net
from overlay_sim.node import Counts, Node

OUT = Path(__file__).resolve().parents[2] / "bench" / "sim.json"
NODES = 10_000
JOIN_FASTEST_MS = 10  # between two that join; as long as there are few it is slower
JOIN_SHARE_MS = 20_000
SETTLE_ROUNDS = 2
WARM_UP, MEASURED = 12, 15
WRITE_MS = 4_000  # between two changes: each is over when the next begins
LOSS = 0.3
ROUNDS_MAX = 10
AIM = 0.999
STEADY = 2  # after so many good rounds it is not watched on
BY_GOSSIP, RECONCILED = "gossip_alone", "with_reconciliation"


class Scale:
    """A network of so many nodes, and what is measured in it."""

    def __init__(self, nodes: int, seed: int) -> None:
        self.net = Net(seed)
        self.counts = Counts()
        self.nodes: list[Node] = []
        self.round_ms = Shape().shuffle_ms
        self._written = 0
        self._join(nodes)

    def _join(self, nodes: int) -> None:
        random, net = self.net.random, self.net
        for number in range(nodes):
            node = Node(net, random.randbytes(32), self.counts, bytes_=False)
            if self.nodes:
                node.knows([random.choice(self.nodes).key])
            self.nodes.append(node)
            net.run(net.now_ms + max(JOIN_FASTEST_MS, JOIN_SHARE_MS // (number + 1)))
        net.run(net.now_ms + SETTLE_ROUNDS * self.round_ms)

    def live(self) -> list[Node]:
        return [node for node in self.nodes if node.alive]

    def write(self, count: int) -> list[bytes]:
        """So many changes, each by a node by chance."""
        ids = []
        live = self.live()
        for _ in range(count):
            self._written += 1
            ids.append(self._written.to_bytes(32, "big"))
            self.net.random.choice(live).write(ids[-1])
            self.net.run(self.net.now_ms + WRITE_MS)
        return ids

    def delivered(self, ids: list[bytes]) -> float:
        live = self.live()
        return sum(id_ in node.held for node in live for id_ in ids) / (len(live) * len(ids))

    def hops(self, ids: list[bytes], share: float) -> int:
        hops = sorted(each for id_ in ids for each in self.counts.hops[id_])
        return hops[min(len(hops) - 1, int(share * len(hops)))]

    def reached(self) -> float:
        """The share of live nodes in the largest part that is connected by neighbours."""
        live = {node.key: node for node in self.live()}
        left, largest = dict.fromkeys(live), 0
        while left:
            edge, part = [next(iter(left))], 0
            del left[edge[0]]
            while edge:
                part += 1
                for peer in live[edge.pop()].membership.active:
                    if peer in left:
                        del left[peer]
                        edge.append(peer)
            largest = max(largest, part)
        return largest / len(live)


def measure(scale: Scale, *, reconciles: bool) -> dict[str, Any]:
    if reconciles:
        for node in scale.nodes:
            node.reconcile_from_now_on()
    scale.write(WARM_UP)
    ids = scale.write(MEASURED)
    live = len(scale.live())
    copies = sum(scale.counts.copies[id_] for id_ in ids) / (len(ids) * (live - 1))
    found: dict[str, Any] = {
        "delivered": scale.delivered(ids),
        "hops_p99": scale.hops(ids, 0.99),
        "hops_max": scale.hops(ids, 1.0),
        "copies_per_node": round(copies, 4),
        "connected": scale.reached(),
    }
    found |= _lose(scale)
    return found


def _lose(scale: Scale) -> dict[str, Any]:
    """What a change reaches that is written at once after the loss, and then once in each round."""
    for node in scale.net.random.sample(scale.nodes, int(LOSS * len(scale.nodes))):
        scale.net.kill(node)
    by_round = []
    for number in range(ROUNDS_MAX + 1):
        begun = scale.net.now_ms
        ids = scale.write(2)
        by_round.append(round(scale.delivered(ids), 6))
        if all(each > AIM for each in by_round[-STEADY:]) and number >= STEADY:
            break
        if number < ROUNDS_MAX:
            scale.net.run(begun + scale.round_ms)
    recovered = [all(each > AIM for each in by_round[at:]) for at in range(len(by_round))]
    return {
        "delivered_after_30pct_loss": by_round[-1],
        "shuffle_rounds_to_recover": recovered.index(True) if True in recovered else None,
        "delivered_by_round_after_loss": by_round,
        "connected_after_30pct_loss": scale.reached(),
    }


def apart(do: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Begin it in a process of its own, from the state of now, which stays as it is; the answer waits for what it found."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(do(), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)

    def found() -> dict[str, Any]:
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise SystemExit("the simulation failed; what went wrong is said above")
        figures: dict[str, Any] = json.loads(text)
        return figures

    return found


def measured(nodes: int, seed: int) -> dict[str, Any]:
    """All figures, each by gossip alone and with reconciliation."""
    begun = time.monotonic()
    scale = Scale(nodes, seed)
    print(f"{nodes} nodes have joined: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    begun_apart = {
        BY_GOSSIP: apart(lambda: measure(scale, reconciles=False)),
        RECONCILED: apart(lambda: measure(scale, reconciles=True)),
    }
    found = {name: finish() for name, finish in begun_apart.items()}
    print(f"all is measured: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    figures: dict[str, Any] = {"nodes": nodes, "seed": seed, "hops_aim": round(1.5 * log2(nodes), 1)}
    for key in found[BY_GOSSIP]:
        figures[key] = {name: found[name][key] for name in found}
    figures["assumed"] = {
        "link_delay_ms": list(scale.net.weather.delay_ms),
        "loss_noticed_within_ms": NOTICE_MS,
        "shuffle_round_ms": scale.round_ms,
        "changes_measured": MEASURED,
    }
    return figures


def main(arguments: list[str]) -> int:
    nodes = int(arguments[0]) if arguments else NODES
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    figures = measured(nodes, seed)
    text = json.dumps(figures, indent=1) + "\n"
    print(text, end="")
    if nodes == NODES:
        OUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
