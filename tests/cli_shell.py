"""Real daemons and the real command, each a process of its own."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from commonsnode_cli.main import main

COMMAND_S_MAX = 60
FORK = multiprocessing.get_context("fork")
PRELOADED = (
    "commonsnode_cli.application",
    "commonsnode_cli.importing",
    "typer._adapters",
    "http.client",
    "nacl.signing",
)

for name in PRELOADED:
    with suppress(ImportError):  # the second to last is Typer's own affair
        import_module(name)


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
        """Whatever happens. A process of its own, but forked from this one, which spares it the start of a Python."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin)
            given.seek(0)
            streams = (given.fileno(), out.fileno(), err.fileno())
            process = FORK.Process(target=_command, args=(self.words(*words)[3:], streams, variables))
            process.start()
            process.join(COMMAND_S_MAX)
            if process.exitcode is None:
                process.kill()
                process.join()
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode())
            assert process.exitcode is not None
            return Ended(process.exitcode, *texts)

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


def _command(words: list[str], streams: tuple[int, int, int], variables: dict[str, str]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    environment = {**plain_environment(), **variables}
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["commonsnode", *words]
    main()


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
