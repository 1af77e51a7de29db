"""Some running nodes of one community, and what one asks of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli_shell import new_node
from running_process import Running

MEETINGS_MAX = 60  # until something that follows from a meeting must be there


@contextmanager
def nodes(folder: Path, names: str) -> Iterator[list[Running]]:
    """So many running nodes; what still runs at the end is stopped."""
    every = [Running(new_node(folder / name)) for name in names]
    try:
        with ThreadPoolExecutor() as starters:
            list(starters.map(lambda node: node.start(), every))
        yield every
    finally:
        for node in every:
            node.close()


def met(node: Running, condition: Callable[[], Any]) -> Any:
    """Let a node meet its peers until something is so."""
    for _ in range(MEETINGS_MAX):
        node.api("POST", "/sync", b'{"wait": true, "timeout": 1}')
        if found := condition():
            return found
    raise AssertionError(node.log)


def key(node: Running) -> str:
    return str(node.do("id")["id"])


def role(node: Running) -> str | None:
    found: str | None = about(node, "you")["role"]
    return found


def about(node: Running, what: str) -> Any:
    """What the API says of the one community that a node follows."""
    status, document = node.api("GET", f"/communities/{node.entry()['id']}/{what}")
    assert status == 200, document
    return document


def titles(node: Running) -> set[str]:
    return {record["title"] for record in node.api("GET", "/records")[1]["records"]}


def fingerprints(*every: Running) -> bool:
    first, *others = [node.entry()["fingerprint"] for node in every]
    return all(other == first for other in others)
