"""A node whose machine gets another address is with its peer again soon.  Network namespaces: root, and the command ip."""

import time
from pathlib import Path
from typing import Any

from cli_shell import Shell, new_node
from netns import ip, needs_namespaces, network
from placed_node import up

PATIENCE_S = 45.0  # it takes about 14 s; a minute and more where nobody looks after the addresses

pytestmark = needs_namespaces


def linked_since(shell: Shell) -> str | None:
    peers: list[dict[str, Any]] = shell.document("peer", "list")["peers"]
    return next((one["since"] for one in peers if one["state"] == "connected"), None)


def wait_for(said: Any) -> float:
    began = time.monotonic()
    while not said():
        assert time.monotonic() - began < PATIENCE_S, "not in time"
        time.sleep(0.1)
    return time.monotonic() - began


def test_a_node_with_another_address_dials_anew_before_the_old_link_is_noticed_to_be_dead(
    tmp_path: Path,
) -> None:
    still, wandering = new_node(tmp_path / "still"), new_node(tmp_path / "wandering")
    with network() as lan:
        here, there = lan.host(), lan.host()
        with up(here, still) as address, up(there, wandering):
            wandering.document("peer", "add", address)
            wait_for(lambda: linked_since(wandering))
            before = linked_since(wandering)
            name, number = lan.hosts[1], lan.number
            ip("-n", name, "addr", "add", f"10.{number}.0.77/24", "dev", "eth0")
            ip("-n", name, "addr", "del", f"10.{number}.0.2/24", "dev", "eth0")
            ip("-n", name, "addr", "replace", f"10.{number}.0.77/24", "dev", "eth0")
            ip("-n", name, "route", "replace", "default", "dev", "eth0")
            took = wait_for(lambda: linked_since(wandering) not in (None, before))
            print(f"linked again after {took:.1f} s")
            [link] = [one for one in still.document("peer", "list")["peers"] if one["state"] == "connected"]
            assert link["remote"] == f"10.{number}.0.77"
