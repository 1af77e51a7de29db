"""Stores to put changesets in: real files, each test's own."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC
from commonsnode_store.store import Store
from store_people import CHARTER, COMMUNITY, NOW


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that follows nothing, to copy."""
    path = tmp_path_factory.mktemp("empty") / "node.sqlite3"
    Store.open(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def followed_file(empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that follows all lanes of a community whose charter it does not hold, to copy."""
    path = tmp_path_factory.mktemp("followed") / "node.sqlite3"
    shutil.copy(empty_file, path)
    with closing(Store.open(path)) as store:
        store.follow(COMMUNITY, [PUBLIC, KNOWLEDGE])
    return path


@pytest.fixture
def path(followed_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "node.sqlite3"
    shutil.copy(followed_file, path)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A store that follows a community, with its charter."""
    with closing(Store.open(path)) as store:
        store.apply(COMMUNITY, AUTHORITY, [CHARTER], seen_ms=NOW)
        yield store
