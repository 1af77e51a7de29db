"""The folder of a node: made once, its key for its owner alone, one daemon at a time."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from commonsnode.errors import AlreadyANode, HomeError, Locked
from commonsnode.home import (
    Home,
    default_home,
    init,
    locked,
    make_socket_folder,
    node_id,
    open_home,
    read_seed,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_node_has_a_folder_and_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)  # the most careless of users
    try:
        home = init(tmp_path / "a" / "node")
    finally:
        os.umask(before)
    assert mode(home.path) == 0o700
    assert {path.name: mode(path) & 0o077 for path in home.path.iterdir()} == {
        "config.toml": 0,
        "lock": 0,
        "node.key": 0,
        "node.sqlite3": 0,
    }
    assert home.key_path.read_text() == read_seed(home).hex() + "\n"


def test_the_key_comes_from_the_randomness_that_is_passed_in(tmp_path: Path) -> None:
    home = init(tmp_path / "node", lambda length: b"\x07" * length)
    assert read_seed(home) == b"\x07" * 32
    assert len(node_id(read_seed(home))) == 32


def test_a_second_init_leaves_the_node_as_it_is(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.path.iterdir()}
    with pytest.raises(AlreadyANode, match="left as it is"):
        init(home.path)
    assert {path: path.read_bytes() for path in home.path.iterdir()} == before


def test_an_init_that_was_cut_off_before_its_key_can_be_done_again(home: Home) -> None:
    home.key_path.unlink()
    home.key_path.with_name("node.key.new").write_text("half")
    assert init(home.path).is_node()


def test_settings_that_lie_there_already_are_kept(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = 1\n")
    init(tmp_path)
    assert (tmp_path / "config.toml").read_text() == "port = 1\n"


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="no node can be made"):
        init(tmp_path / "file" / "node")


def test_a_folder_with_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "node.sqlite3").write_bytes(b"something else" * 1_000)
    with pytest.raises(HomeError, match="no node can be made"):
        init(tmp_path)
    assert not Home(tmp_path).is_node()
    assert (tmp_path / "node.sqlite3").read_bytes() == b"something else" * 1_000


def test_where_there_is_no_node_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="there is no node") as caught:
        open_home(tmp_path)
    assert "commonsnode init" in caught.value.hint


@pytest.mark.parametrize("exposed", [0o640, 0o604, 0o644, 0o666])
def test_a_key_that_others_can_read_is_refused_with_what_to_do(home: Home, exposed: int) -> None:
    home.key_path.chmod(exposed)
    with pytest.raises(HomeError, match="can be read by other users") as caught:
        read_seed(home)
    assert "chmod 600" in caught.value.hint
    assert read_seed_text(home) not in str(caught.value)


def read_seed_text(home: Home) -> str:
    return home.key_path.read_text().strip()


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 31, "ab" * 33, "ä" * 64])
def test_a_file_that_is_no_key_is_refused(home: Home, text: str) -> None:
    home.key_path.write_text(text)
    with pytest.raises(HomeError, match="is no key") as caught:
        read_seed(home)
    assert not text or text not in str(caught.value)


def test_a_second_daemon_is_told_which_process_is_the_first(home: Home) -> None:
    with locked(home), pytest.raises(Locked) as caught, locked(home):
        pass
    assert caught.value.pid == os.getpid()
    assert str(os.getpid()) in str(caught.value)


def test_a_daemon_that_was_killed_leaves_no_lock(home: Home) -> None:
    code = f"""
import os, pathlib
from commonsnode.home import Home, locked
with locked(Home(pathlib.Path({str(home.path)!r}))):
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with locked(home):
        assert home.lock_path.read_text() == f"{os.getpid()}\n"


def test_the_socket_lies_in_the_folder_unless_the_path_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert Home(tmp_path / "n").socket_path == tmp_path / "n" / "node.sock"
    long = Home(tmp_path / ("n" * 100))
    assert len(os.fsencode(long.socket_path)) <= 100
    assert long.socket_path.parent.name == f"commonsnode-{os.getuid()}"
    assert long.socket_path != Home(tmp_path / ("m" * 100)).socket_path
    make_socket_folder(long)
    assert mode(long.socket_path.parent) == 0o700


def test_a_folder_for_sockets_that_others_can_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"commonsnode-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"commonsnode-{os.getuid()}").chmod(0o777)
    with pytest.raises(HomeError, match="others can write to it"):
        make_socket_folder(Home(tmp_path / ("n" * 100)))


def test_the_variable_names_the_folder_and_else_the_platform_does() -> None:
    assert default_home({"COMMONSNODE_HOME": "/var/lib/commonsnode"}) == Path("/var/lib/commonsnode")
    assert default_home({"COMMONSNODE_HOME": "~/x"}) == Path.home() / "x"
    assert default_home({}).name == "commonsnode"
