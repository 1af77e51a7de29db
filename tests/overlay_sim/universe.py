"""Random universes of the overlay: weather, partitions, churn, stuck nodes, and liars with many keys.

Afterwards the honest nodes are one connected whole again, a change reaches all of them by gossip alone, and nobody was made to dial
a victim more often than the limits allow. A seed replays exactly.
Long form: `python tests/overlay_sim/universe.py FIRST COUNT` runs so many universes and prints those that break, by seed.
"""

import sys
import time
from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from commonsnode_protocol.limits import DIAL_EVERY_MS, DIALS_BURST
from commonsnode_protocol.overlay.membership import Shape
from overlay_sim.hostile import Liar, Stuck
from overlay_sim.net import Net, Weather
from overlay_sim.node import Counts, Node

LIAR_RANGES = (b"\xff\xf0", b"\xff\xf1")
LIARS_MAX = 12
VICTIM_RANGE = b"\xff\xfe"
CALM_MS = 8 * Shape().shuffle_ms  # after which everything must be well again
TOLD_AGAIN_MS = 60_000
CHANGES = 3
SPREAD_MS = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a universe; `wrong` says what must not be."""

    seed: int
    nodes: int
    wrong: tuple[str, ...]
    trace: str  # the same for the same seed


def universe(seed: int) -> Outcome:
    random = Random(seed)
    count = random.choice((3, 8, 16, 30))
    weather = Weather((5, random.choice((20, 100, 400))), random.choice((0.0, 0.02, 0.1)))
    net, counts = Net(seed, weather), Counts()
    keys = [number.to_bytes(2, "big") + random.randbytes(30) for number in range(count)]
    nodes: list[Node] = []
    reconciles = random.random() < 0.5
    for key in keys:
        node = Node(net, key, counts, reconciles=reconciles)
        if nodes:
            known = random.sample(nodes, min(len(nodes), random.choice((1, 1, 3))))
            _tell(net, nodes, node, known)
        nodes.append(node)
        net.run(net.now_ms + random.randrange(5_000))
    if random.random() < 0.5:
        for number in range(count // 8):
            key = b"\xee" + bytes([number]) + random.randbytes(30)
            Stuck(net, key)
            for node in random.sample(nodes, 2):
                node.knows([key])
    lies = random.random() < 0.5
    victims = [VICTIM_RANGE + random.randbytes(30) for _ in range(20)]
    if lies:
        own = [random.choice(LIAR_RANGES) + random.randbytes(30) for _ in range(min(count, LIARS_MAX))]
        for key in own:
            Liar(net, key, own, victims, keys)
    _trouble(net, random, nodes, keys, counts)
    net.part({})
    net.run(net.now_ms + CALM_MS)
    return Outcome(seed, count, tuple(_wrong(net, random, nodes, counts)), _trace(net, nodes, counts))


def _tell(net: Net, nodes: list[Node], node: Node, known: list[Node]) -> None:
    """Addresses that a person typed are never forgotten: a node asks them again, as a daemon does.

    When none of these is there any more, the person types another one: a node that knows liars alone has no other way.
    """
    if node.alive:
        if not any(each.alive for each in known):
            known = [each for each in nodes if each.alive and each is not node][:1]
        node.knows([each.key for each in known])
        net.at(net.now_ms + TOLD_AGAIN_MS, _tell, net, nodes, node, known)


def _trouble(net: Net, random: Random, nodes: list[Node], keys: list[bytes], counts: Counts) -> None:
    """Some minutes in which nodes die and new ones come, the network is cut, sessions break."""
    for step in range(random.randrange(6)):
        live = [node for node in nodes if node.alive]
        match random.randrange(4):
            case 0 if len(live) > 3:
                for node in random.sample(live, len(live) // 4):
                    net.kill(node)
            case 1:
                share = random.random()
                net.part({key: int(random.random() < share) for key in net.hosts})
            case 2:
                fresh = Node(net, (1_000 + step).to_bytes(2, "big") + random.randbytes(30), counts)
                _tell(net, nodes, fresh, [random.choice(live)])
                nodes.append(fresh)
                keys.append(fresh.key)
            case _:
                for node in random.sample(live, max(1, len(live) // 3)):
                    for session in list(net.sessions[node.key].values()):
                        net.break_off(session)
        random.choice([node for node in nodes if node.alive]).write(random.randbytes(32))
        net.run(net.now_ms + random.randrange(60_000))


def _wrong(net: Net, random: Random, nodes: list[Node], counts: Counts) -> list[str]:
    live = {node.key: node for node in nodes if node.alive}
    wrong = []
    parts = _parts(live)
    if len(parts) > 1:
        wrong.append(f"the honest nodes fall into parts of {sorted(map(len, parts))}")
    for node in live.values():
        for peer, active in node.membership.active.items():
            other = live.get(peer)
            if other is not None and node.key not in other.membership.active and active.chosen:
                wrong.append("a neighbour that does not know it")
    ids = []
    for _ in range(CHANGES):
        ids.append(random.randbytes(32))
        random.choice(list(live.values())).write(ids[-1])
        net.run(net.now_ms + SPREAD_MS)
    missing = sum(id_ not in node.held for node in live.values() for id_ in ids)
    if missing:
        wrong.append(f"{missing} of {len(ids) * len(live)} changes did not arrive")
    dialled = sum(times for key, times in net.dialled.items() if key[:2] == VICTIM_RANGE)
    most = len(nodes) * (DIALS_BURST + net.now_ms // DIAL_EVERY_MS)
    if dialled > most:
        wrong.append(f"a victim was dialled {dialled} times, where {most} is the limit")
    return wrong


def _parts(live: dict[bytes, Node]) -> list[set[bytes]]:
    left, parts = dict.fromkeys(live), []
    while left:
        edge = [next(iter(left))]
        del left[edge[0]]
        part = set(edge)
        while edge:
            for peer in live[edge.pop()].membership.active:
                if peer in left:
                    del left[peer]
                    part.add(peer)
                    edge.append(peer)
        parts.append(part)
    return parts


def _trace(net: Net, nodes: list[Node], counts: Counts) -> str:
    digest = blake2b(f"{net.now_ms} {counts.messages}".encode(), digest_size=8)
    for node in nodes:
        digest.update(node.key + b"".join(node.held) + b"".join(node.membership.active))
    return digest.hexdigest()


def main(first: int, count: int) -> int:
    begun, broken = time.monotonic(), 0
    for seed in range(first, first + count):
        outcome = universe(seed)
        if outcome.wrong:
            broken += 1
            print(f"overlay, seed {seed}, {outcome.nodes} nodes: {'; '.join(outcome.wrong)}")
    print(f"{count} universes of the overlay, {broken} broken, {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
