"""A running node that the tests of a module share, and a place for one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_shell import Shell, new_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A running node with one community, `Valle Alto`, which the tests of a module share."""
    shell = new_node(tmp_path_factory.mktemp("node") / "home")
    with shell.up():
        shell.document("community", "create", "Valle Alto")
        yield shell


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    """The command line of a folder in which there is nothing yet."""
    return Shell(tmp_path / "home")
