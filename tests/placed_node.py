"""A daemon on a machine of `netns`, that others find by its address only."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from cli_shell import Shell, plain_environment


@contextmanager
def up(place: list[str], shell: Shell) -> Iterator[str]:
    """A node that is found by its address only; gives that of its network."""
    with (shell.home.parent / f"{shell.home.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*place, *shell.words("up", "--port", "8450", "--json")],
            stdout=subprocess.PIPE,
            stderr=log,
            env={**plain_environment(), "COMMONSNODE_LAN": "false"},
        )
    assert process.stdout is not None
    try:
        yield next(
            each for each in json.loads(process.stdout.readline())["addresses"] if each.startswith("ws://10.")
        )
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
