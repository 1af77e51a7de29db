"""A real node as a process that can be stopped, killed and started again, and what one does with it."""

import http.client
import json
import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from cli_shell import Shell


class Running:
    """A node whose daemon runs, can be killed, and runs again at the same port."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.port = 0
        self._stack = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.shell.home.parent / f"{self.shell.home.name}.log").read_text()

    def start(self, *words: str, **variables: str) -> dict[str, Any]:
        self._stack = ExitStack()
        self.process = self._stack.enter_context(
            self.shell.process("--port", str(self.port), *words, **variables)
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log
        document: dict[str, Any] = json.loads(line)
        self.port = int(document["addresses"][0].split(":")[2].split("/")[0])
        return document

    def stop(self) -> None:
        """As the operator does: SIGTERM; it must end cleanly."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(10) == 0, self.log
        self._stack.close()

    def kill(self) -> None:
        """As a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._stack.close()

    def close(self) -> None:
        self._stack.close()

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/peer"

    def do(self, *words: str) -> Any:
        return self.shell.document(*words)

    def api(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """One request on the unix socket."""
        connection = http.client.HTTPConnection("node", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(str(self.shell.home / "node.sock"))
        try:
            connection.request(method, f"/api/v1{path}", body)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        return response.status, json.loads(data) if data else None

    def community(self) -> dict[str, Any]:
        entry: dict[str, Any] = self.do("status")["communities"][0]
        return entry

    def page(self, path: str) -> str:
        """What a browser gets on TCP."""
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as response:
            return str(response.read().decode())

    def entry(self) -> dict[str, Any]:
        """The same, by the API: no process is started for it."""
        status, document = self.api("GET", "/status")
        assert status == 200, document
        entry: dict[str, Any] = document["communities"][0]
        return entry

    def export(self) -> str:
        return self.shell.text("export", "--format", "jsonl")

    def titles(self) -> set[str]:
        return {record["title"] for record in self.do("list")["records"]}


def write_csv(path: Path, rows: int, *, version: str = "") -> Path:
    lines = ["id,title,description,category,lat,lon"]
    lines += [
        f"{n},Thing {n}{version},A made-up thing number {n} that someone keeps in a shed,tool,{n % 80}.5,{n % 170}.25"
        for n in range(rows)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def is_root() -> bool:
    return os.geteuid() == 0
