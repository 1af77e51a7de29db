"""Real daemons and the real command, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND_S_MAX = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """The command line of one node."""

    home: Path

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "commonsnode_cli", "--home", str(self.home), *words]

    def run(self, *words: str, stdin: bytes = b"", **variables: str) -> Ended:
        """Whatever happens."""
        done = subprocess.run(
            self.words(*words),
            check=False,
            input=stdin,
            capture_output=True,
            timeout=COMMAND_S_MAX,
            env={**plain_environment(), **variables},
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def text(self, *words: str) -> str:
        """What a command that succeeds prints for people."""
        ended = self.run(*words)
        assert ended.code == 0, ended
        return ended.out

    def document(self, *words: str) -> Any:
        """What a command that succeeds prints with --json: one document, and nothing else."""
        ended = self.run(*words, "--json")
        assert ended.code == 0, ended
        assert ended.out.count("\n") == 1, ended.out
        assert ended.out.endswith("\n")
        return json.loads(ended.out)

    def refused(self, *words: str, code: int = 1) -> str:
        """The one line of a command that does not succeed."""
        ended = self.run(*words)
        assert ended.code == code, ended
        assert ended.out == ""
        first, *items = ended.err.splitlines()
        assert first.startswith("commonsnode: ")
        assert all(item.startswith("  ") for item in items)
        return ended.err

    @contextmanager
    def up(self, *words: str) -> Iterator[dict[str, Any]]:
        """A daemon on a free port of this machine; it must stop cleanly at the end."""
        with self.process(*words) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the daemon did not start"
            yield json.loads(line)
            process.send_signal(signal.SIGTERM)
            assert process.wait(COMMAND_S_MAX) == 0

    @contextmanager
    def process(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        with (self.home.parent / f"{self.home.name}.log").open("ab") as log:
            process = subprocess.Popen(
                self.words("up", "--port", "0", "--json", *words),
                stdout=subprocess.PIPE,
                stderr=log,
                env={**plain_environment(), "COMMONSNODE_LISTEN": "127.0.0.1"},
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def plain_environment() -> dict[str, str]:
    """This process's variables, without those that change what a command does."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COMMONSNODE_", "_COMMONSNODE")) and name not in ("COLUMNS", "FORCE_COLOR")
    }


def new_node(home: Path) -> Shell:
    shell = Shell(home)
    shell.document("init")
    return shell
