"""Two real nodes, each a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_shell import new_node
from running_process import Running


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    """Two running nodes: the founder of `Valle Alto`, and one that follows it and is in step."""
    a, b = (Running(new_node(tmp_path / name)) for name in "ab")
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
