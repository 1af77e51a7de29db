"""Two real nodes, each a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli_shell import new_node
from running_process import Running

Pair = tuple[Running, Running]


@contextmanager
def two_nodes(folder: Path) -> Iterator[Pair]:
    """Two running nodes: the founder of `Valle Alto`, and one that follows it and is in step."""
    a, b = (Running(new_node(folder / name)) for name in "ab")
    try:
        for node in (a, b):
            node.start()
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        b.do("sync", "--wait")
        yield a, b
    finally:
        a.close()
        b.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two nodes of this test's own."""
    with two_nodes(tmp_path) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def shared_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two nodes that the tests of a module share: none of these leaves anything behind."""
    with two_nodes(tmp_path_factory.mktemp("shared")) as nodes:
        yield nodes
