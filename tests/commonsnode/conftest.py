"""A node in a fresh folder, its store alone, and the daemon that serves it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from commonsnode.authoring import Author
from commonsnode.home import Home, init, read_seed
from commonsnode_store.store import Store
from running_node import NOW, Api, serving


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init(tmp_path / "node")


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    opened = Store.open(home.database_path)
    yield opened
    opened.close()


@pytest.fixture
def author(home: Home, store: Store) -> Author:
    """The node's own hand, at NOW, with nobody listening."""
    return Author(store, read_seed(home), NOW, lambda *_: None)


@pytest.fixture
async def api(home: Home) -> AsyncIterator[Api]:
    async with serving(home) as client:
        yield client
