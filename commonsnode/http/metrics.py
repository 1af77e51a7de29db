"""`/metrics`: how the node does, in the text format of Prometheus; for its operator alone."""

import hmac
import os
import resource
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from commonsnode import __version__
from commonsnode.errors import Unknown
from commonsnode.http.calls import BEARER, OPERATOR, WHOLE_NODE
from commonsnode_store.answers import CommunityInfo

PATH = "/metrics"
TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("connected", "dialling", "waiting")

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


@dataclass(slots=True)
class Family:
    """One metric: its values by labels."""

    name: str
    kind: str  # gauge or counter
    help: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        self.samples.append((labels, value))

    def text(self) -> str:
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        for labels, value in self.samples:
            written = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items())
            lines.append(f"{self.name}{{{written}}} {value:.15g}" if written else f"{self.name} {value:.15g}")
        return "\n".join(lines) + "\n"


async def served(request: web.Request) -> web.Response:
    """On the unix socket to its operator; on TCP to who has the token, and to others there is nothing here."""
    node = request.app[WHOLE_NODE]
    if not request.app[OPERATOR] and not _has_token(request, node.config.metrics_token):
        raise Unknown("there is nothing at this address")
    infos = await node.writer.read(lambda store: store.communities())
    families = [*of_process(), *of_communities(infos), *of_peers(node.peers.status())]
    text = "".join(family.text() for family in families)
    return web.Response(body=text.encode(), headers={"Content-Type": TEXT_TYPE, "Cache-Control": "no-store"})


def of_process() -> Iterable[Family]:
    """The version, and what the daemon takes of the machine."""
    info = Family("commonsnode_info", "gauge", "The version of this node.")
    info.add(1, version=__version__)
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor = Family("process_cpu_seconds_total", "counter", "Processor time that the daemon took.")
    processor.add(used.ru_utime + used.ru_stime)
    memory = Family("process_resident_memory_bytes", "gauge", "Memory that the daemon holds.")
    if (resident := _resident_bytes()) is not None:
        memory.add(resident)
    return info, processor, memory


def of_communities(infos: Iterable[CommunityInfo]) -> Iterable[Family]:
    """What is held of each community."""
    records = Family("commonsnode_records", "gauge", "Records of a community.")
    changesets = Family("commonsnode_changesets", "gauge", "Changesets of a community that stand here.")
    waiting = Family("commonsnode_changesets_waiting", "gauge", "Changesets that nobody is admitted to yet.")
    stopped = Family("commonsnode_community_stopped", "gauge", "1 where a newer version is needed.")
    for info in infos:
        community = info.id.hex()
        records.add(info.records, community=community)
        changesets.add(info.changesets, community=community)
        waiting.add(info.waiting, community=community)
        stopped.add(bool(info.stopped), community=community)
    return records, changesets, waiting, stopped


def of_peers(rows: Iterable[Mapping[str, Any]]) -> Iterable[Family]:
    """How it stands with the peers, from their rows in `status`."""
    peers = Family("commonsnode_peers", "gauge", "Peers by state.")
    moved = Family("commonsnode_peer_bytes_total", "counter", "Bytes over the present link to a peer.")
    delay = Family("commonsnode_peer_delay_seconds", "gauge", "Of a ping to a peer, there and back.")
    in_step = Family("commonsnode_peer_in_step", "gauge", "1 where the peer and this node hold the same.")
    behind = Family("commonsnode_peer_behind", "gauge", "Changesets still to be got or given, if known.")
    found = list(rows)
    for state in STATES:
        peers.add(sum(row["state"] == state for row in found), state=state)
    for row in found:
        if row["state"] != "connected" or "bytes_sent" not in row:
            continue
        peer = str(row["id"])
        moved.add(row["bytes_sent"], peer=peer, direction="out")
        moved.add(row["bytes_received"], peer=peer, direction="in")
        if row["delay_ms"] is not None:
            delay.add(row["delay_ms"] / 1000, peer=peer)
        for lane in row["lanes"]:
            of = {"peer": peer, "community": lane["community"], "lane": lane["lane"]}
            in_step.add(lane["in_step"], **of)
            behind.add(lane["to_get"], **of, direction="in")
            behind.add(lane["to_give"], **of, direction="out")
    return peers, moved, delay, in_step, behind


def _has_token(request: web.Request, token: str) -> bool:
    given = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(errors="replace"), (BEARER + token).encode())


def _resident_bytes() -> int | None:
    """None where the system does not say it so."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
