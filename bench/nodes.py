"""Real nodes: `commonsnode` as processes, and their API over the unix socket with one connection that stays open."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from commonsnode.home import Home

COMMAND = (sys.executable, "-m", "commonsnode_cli")
READY_S_MAX = 60.0
STOP_S_MAX = 20.0
ANSWER_S_MAX = 600.0
API = "/api/v1"


class Failed(Exception):
    """A command or a request that should have worked did not."""


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S_MAX)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Node:
    """One home folder, and its daemon while that runs. As a context: the daemon is stopped at the end."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        self.process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Commands

    def command(self, *words: str) -> dict[str, Any]:
        """Run `commonsnode --home … words --json`; what it prints. Raises Failed."""
        done = subprocess.run(
            [*COMMAND, "--home", str(self.home.path), *words, "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
            check=False,
        )
        if done.returncode:
            raise Failed(f"commonsnode {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def start(self) -> float:
        """Start the daemon; seconds from the start of its process to its first answer. Raises Failed."""
        log = (self.home.path / "log").open("ab")
        with log:
            began = time.perf_counter()
            self.process = subprocess.Popen(
                [*COMMAND, "--home", str(self.home.path), "up", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )
        while True:
            with suppress(OSError, http.client.HTTPException):
                self.get("/status")
                return time.perf_counter() - began
            self._hang_up()
            if self.process.poll() is not None or time.perf_counter() - began > READY_S_MAX:
                self.stop()
                said = (self.home.path / "log").read_text(errors="replace").strip().splitlines()
                raise Failed(f"the daemon did not start: {said[-1] if said else 'it said nothing'}")
            time.sleep(0.002)

    def stop(self) -> None:
        self._hang_up()
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    # The API

    def get(self, path: str) -> dict[str, Any]:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Raises Failed for an answer that is no success, OSError and HTTPException where nobody answers."""
        if self._connection is None:
            self._connection = Connection(self.home.socket_path)
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        self._connection.request(method, API + path, data, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise Failed(f"{method} {path}: {answer.status} {said[:300].decode(errors='replace')}")
        document: dict[str, Any] = json.loads(said or b"{}")
        return document

    def community(self, community: str) -> dict[str, Any] | None:
        """Its entry in the status, or None where it is not followed."""
        for entry in self.get("/status")["communities"]:
            if entry["id"] == community:
                found: dict[str, Any] = entry
                return found
        return None

    def peer(self) -> dict[str, Any]:
        """The one connected peer. Raises Failed where there is none."""
        for peer in self.get("/status")["peers"]:
            if peer["state"] == "connected":
                found: dict[str, Any] = peer
                return found
        raise Failed("no peer is connected")

    def in_step(self, community: str) -> bool:
        """Whether a connected peer and this node hold the same of a community, as far as this node knows."""
        return any(
            peer["state"] == "connected" and peer["in_step"].get(community)
            for peer in self.get("/status")["peers"]
        )

    def address(self) -> str:
        """Where it takes peers: the first address, which is on loopback."""
        address: str = self.get("/status")["addresses"][0]
        return address

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # Its process and its file

    def forget_peak(self) -> None:
        """Let `peak_rss_mb` begin anew."""
        assert self.process is not None
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def cpu_s(self) -> float:
        """Seconds of processor that the daemon has used so far, in all its threads."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_rss_mb(self) -> float:
        return self._memory_mb("VmHWM")

    def rss_mb(self) -> float:
        return self._memory_mb("VmRSS")

    def database_bytes(self) -> int:
        """The size of the database file; the daemon must not run, so that everything is in it."""
        checkpoint(self.home.database_path)
        return self.home.database_path.stat().st_size

    def _memory_mb(self, name: str) -> float:
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / 1_000_000
        raise Failed(f"no {name} in /proc/{self.process.pid}/status")


def made(path: Path) -> Node:
    """A new node."""
    node = Node(path)
    node.command("init")
    return node


def checkpoint(path: Path) -> None:
    """Move everything from the log of a database into its file."""
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("pragma wal_checkpoint(truncate)")
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    """This machine's, without what another node set; loopback only, so that a bench is no server for the network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMMONSNODE_")}
    return {**kept, "COMMONSNODE_LISTEN": "127.0.0.1"}
