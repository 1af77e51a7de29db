"""Daemons as processes of their own: started, awaited until ready, stopped together."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import Any, Self

from commonsnode_cli.failures import Refused

READY_S_MAX = 30.0
STOP_S_MAX = 10.0
LOG_TAIL_BYTES = 2_000


@dataclass
class Daemon:
    """One running `commonsnode up`. ready: the document that it printed when it was."""

    home: Path
    process: "subprocess.Popen[bytes]"
    ready: dict[str, Any]

    def last_words(self) -> str:
        """The last line of its log."""
        return _last_words(self.home)


class Daemons:
    """A context: whatever was started in it is stopped at its end."""

    def __init__(self) -> None:
        self.running: list[Daemon] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, homes: list[Path], variables: dict[str, str]) -> None:
        """Start a daemon on a free port for each home, with these variables, and wait for all. Raises Refused."""
        begun = []
        for home in homes:
            words = [
                sys.executable,
                "-m",
                "commonsnode_cli",
                "--home",
                str(home),
                "up",
                "--port",
                "0",
                "--json",
            ]
            with (home / "log").open("ab") as log:
                # In a session of its own Ctrl-C reaches it through us only, and nothing is stopped twice.
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={**os.environ, **variables},
                    start_new_session=True,
                )
            self._processes.append(process)
            begun.append((home, process))
        for home, process in begun:
            self.running.append(Daemon(home, process, _ready(home, process)))

    def ended(self) -> Daemon | None:
        """One that has ended although nobody asked it to, if any."""
        return next((daemon for daemon in self.running if daemon.process.poll() is not None), None)


def _ready(home: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert process.stdout is not None
    with DefaultSelector() as selector:
        selector.register(process.stdout, EVENT_READ)
        line = process.stdout.readline() if selector.select(READY_S_MAX) else b""
    try:
        ready: dict[str, Any] = json.loads(line)
    except ValueError:
        raise Refused(f"a node did not start: {_last_words(home)}") from None
    return ready


def _last_words(home: Path) -> str:
    said = (home / "log").read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
    return said.splitlines()[-1] if said else f"it said nothing in {home / 'log'}"
