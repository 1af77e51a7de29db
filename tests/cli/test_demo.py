"""`demo`: three nodes that are in step, and gone when asked."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from cli_shell import COMMAND_S_MAX, Shell, plain_environment


def test_the_demo_shows_a_valley_on_three_nodes_and_cleans_up_after_itself(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "commonsnode_cli", "demo", "--dir", str(tmp_path), "--json"],
        stdout=subprocess.PIPE,
        env=plain_environment(),
    )
    try:
        assert demo.stdout is not None
        document = json.loads(demo.stdout.readline())
        nodes = document["nodes"]
        assert len(nodes) == 3
        assert document["records"] > 100
        held = [Shell(Path(node["home"])).document("status")["communities"][0] for node in nodes]
        assert {one["id"] for one in held} == {document["community"]}
        assert all(one["fingerprint"] == held[0]["fingerprint"] for one in held)
        for node in nodes:
            with urllib.request.urlopen(node["web"]) as page:
                assert page.status == 200
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(COMMAND_S_MAX) == 0
        for node in nodes:
            assert "no node is running" in Shell(Path(node["home"])).refused("status")
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait()
        demo.stdout.close()  # type: ignore[union-attr]
