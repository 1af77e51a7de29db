"""Two nodes over a line of 8 kbit/s.  Network namespaces: root, and the commands ip and tc."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from cli_shell import Shell, new_node
from netns import Network, needs_namespaces, network
from placed_node import up

RATE = "8kbit"
IMPORTS, ROWS = 16, 20
PATIENCE_S = 120.0


def _why_not() -> str:
    if shutil.which("tc") is None:
        return "the command tc is missing (Debian: iproute2)"
    with network() as lan:
        made = slowed(lan, lan.host()[-1])
    return "" if made.returncode == 0 else f"no slow lines here: {made.stderr.strip()}"


def slowed(lan: Network, name: str) -> "subprocess.CompletedProcess[str]":
    line = ["tc", "-n", name, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", RATE]
    return subprocess.run(
        [*line, "burst", "1600", "latency", "10s"], capture_output=True, text=True, check=False
    )


def titles(shell: Shell) -> set[str]:
    return {thing["title"] for thing in shell.document("list", "--limit", "1000")["records"]}


@needs_namespaces
def test_a_new_thing_arrives_before_the_many_that_were_there(tmp_path: Path) -> None:
    if why_not := _why_not():
        pytest.skip(why_not)
    near, far = new_node(tmp_path / "near"), new_node(tmp_path / "far")
    noise = random.Random(6)
    with network() as lan:
        here, there = lan.host(), lan.host()
        with up(here, near):
            link = near.document("community", "create", "Valley")["link"]
            for number in range(IMPORTS):
                rows = [f"thing {number}-{row},{noise.randbytes(60).hex()}" for row in range(ROWS)]
                (tmp_path / "rows.csv").write_text("\n".join(["title,note", *rows]))
                near.document("import", str(tmp_path / "rows.csv"))
            for name in lan.hosts:
                assert slowed(lan, name).returncode == 0
            with up(there, far):
                began = time.monotonic()
                far.document("community", "follow", link)
                while not (known := titles(far)):
                    assert time.monotonic() - began < PATIENCE_S, "nothing came"
                    time.sleep(0.5)
                assert len(known) < IMPORTS * ROWS
                wrote = time.monotonic()
                near.document("add", "new")
                while "new" not in (known := titles(far)):
                    assert time.monotonic() - wrote < PATIENCE_S, "the new thing did not come"
                    time.sleep(0.5)
                print(
                    f"after {time.monotonic() - wrote:.1f} s; {len(known) - 1} of {IMPORTS * ROWS} are there"
                )
                assert len(known) - 1 < IMPORTS * ROWS
