"""Local networks of this machine's kernel: a bridge, and hosts with a cable to it, each in a network namespace of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

_NUMBERS = count()


def _why_not() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip is missing (Debian: iproute2)"
    probe = f"cn{os.getpid()}probe"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return f"no network namespaces here: {made.stderr.strip()}" if made.returncode else ""


WHY_NOT = _why_not()
needs_namespaces = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass
class Network:
    """One local network, 10.<number>.0.0/24 and fd00:<number>::/64. `host` plugs one more machine in."""

    number: int
    bridge: str
    hosts: list[str] = field(default_factory=list)

    def host(self) -> list[str]:
        """The words before a command that is to run on the new machine."""
        place = len(self.hosts) + 1
        name, outside = f"{self.bridge}h{place}", f"v{self.bridge[2:]}h{place}"[-15:]
        ip("netns", "add", name)
        self.hosts.append(name)
        ip("-n", self.bridge, "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("-n", self.bridge, "link", "set", outside, "master", "br0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "addr", "add", f"10.{self.number}.0.{place}/24", "dev", "eth0")
        ip("-n", name, "addr", "add", f"fd00:{self.number}::{place}/64", "dev", "eth0", "nodad")
        ip("-n", name, "link", "set", "eth0", "up")
        # Multicast goes where the default route goes.
        ip("-n", name, "route", "add", "default", "dev", "eth0")
        return ["ip", "netns", "exec", name]

    def cut(self, place: int) -> None:
        """Pull the cable of the machine that came as number `place`, from 1."""
        ip("-n", self.hosts[place - 1], "link", "set", "eth0", "down")

    def heal(self, place: int) -> None:
        name = self.hosts[place - 1]
        ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", name, "addr", "replace", f"fd00:{self.number}::{place}/64", "dev", "eth0", "nodad")
        ip("-n", name, "route", "replace", "default", "dev", "eth0")


@contextmanager
def network() -> Iterator[Network]:
    number = next(_NUMBERS) % 200 + 1
    bridge = f"cn{os.getpid() % 100_000}n{number}"
    ip("netns", "add", bridge)
    it = Network(number, bridge)
    try:
        ip("-n", bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        ip("-n", bridge, "link", "set", "br0", "up")
        yield it
    finally:
        for name in (*it.hosts, bridge):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
