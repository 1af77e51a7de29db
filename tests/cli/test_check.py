"""`check`: with and without a daemon, on a whole node and on a damaged one."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from cli_shell import Shell, new_node


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A node with some things, whose daemon has stopped."""
    shell = new_node(tmp_path_factory.mktemp("check") / "home")
    with shell.up():
        shell.document("community", "create", "Valle Alto")
        for title in ("anvil", "bellows", "tongs"):
            shell.document("add", title)
    return shell


@pytest.fixture
def stopped(original: Shell, tmp_path: Path) -> Shell:
    """A copy of it, to be damaged."""
    shutil.copytree(original.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.sock"))
    return Shell(tmp_path / "home")


def test_a_whole_node_is_well_with_and_without_its_daemon(stopped: Shell) -> None:
    assert stopped.document("check") == {"ok": True, "problems": []}
    with stopped.up():
        assert stopped.document("check") == {"ok": True, "problems": []}
        assert stopped.document("check", "--rebuild") == {"ok": True, "problems": []}
    assert stopped.document("check", "--rebuild") == {"ok": True, "problems": []}
    assert "well" in stopped.text("check")


def test_damage_is_named_and_what_is_computed_is_rebuilt(stopped: Shell) -> None:
    with sqlite3.connect(stopped.home / "node.sqlite3") as database:
        assert (
            database.execute("delete from records where rowid = (select min(rowid) from records)").rowcount
            == 1
        )
    database.close()
    told = stopped.refused("check", "--json")
    assert "--rebuild" in told
    stopped.document("check", "--rebuild")
    assert stopped.document("check")["ok"] is True
    with stopped.up():
        assert len(stopped.document("list")["records"]) == 3


def test_a_file_that_is_no_database_is_told_not_crashed_on(stopped: Shell) -> None:
    for beside in stopped.home.glob("node.sqlite3*"):
        beside.unlink()
    (stopped.home / "node.sqlite3").write_bytes(b"no database at all " * 500)
    stopped.refused("check")


def test_check_of_no_node_says_how_to_make_one(empty: Shell) -> None:
    assert "init" in empty.refused("check")


def test_a_database_that_up_refuses_is_checked_and_rebuilt(stopped: Shell) -> None:
    with sqlite3.connect(stopped.home / "node.sqlite3") as db:
        db.execute("update buckets set count = count + 1")
    db.close()
    assert "damaged" in stopped.refused("up", "--port", "0")
    assert "--rebuild" in stopped.refused("check")
    assert stopped.document("check", "--rebuild") == {"ok": True, "problems": []}
    assert stopped.document("check")["ok"] is True
    with stopped.up():
        assert stopped.document("list")["records"]
