"""Stores to put changesets in: real files, each test's own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC
from commonsnode_store.store import Store
from store_people import CHARTER, COMMUNITY, NOW

MEMORY = Path(
    "/dev/shm"
)  # where there is one, waiting for a disk that is busy with other things tells us nothing


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder for all files of these tests."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def tmp_path(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def empty_file(folder: Path) -> Path:
    """A store that follows nothing, to copy."""
    path = folder / "empty.sqlite3"
    Store.open(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def followed_file(folder: Path, empty_file: Path) -> Path:
    """A store that follows all lanes of a community whose charter it does not hold, to copy."""
    path = folder / "followed.sqlite3"
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
