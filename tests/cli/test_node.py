"""`init`, `up`, `status`, `id`, `version`: the life of a node."""

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

from cli_shell import COMMAND_S_MAX, Shell, new_node, plain_environment


def test_init_makes_a_node_whose_key_is_its_owners_alone(empty: Shell) -> None:
    made = empty.document("init")
    assert len(bytes.fromhex(made["id"])) == 32
    assert stat.S_IMODE((empty.home / "node.key").stat().st_mode) == 0o600
    assert empty.document("id") == {"id": made["id"]}


def test_init_never_touches_a_node_that_is_there(empty: Shell) -> None:
    empty.document("init")
    before = empty.document("id")
    assert "already" in empty.refused("init")
    assert empty.document("id") == before


def test_init_asks_nothing_where_nobody_can_answer_and_takes_a_name(empty: Shell) -> None:
    ended = empty.run("init", "--name", 'the "mill"', stdin=b"")
    assert ended.code == 0
    assert 'name = "the \\"mill\\""' in (empty.home / "config.toml").read_text()


def test_init_in_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in Shell(tmp_path / "file").refused("init")


def test_the_home_may_come_from_the_environment(empty: Shell) -> None:
    empty.document("init")
    variables = {**plain_environment(), "COMMONSNODE_HOME": str(empty.home)}
    words = [sys.executable, "-m", "commonsnode_cli", "id"]
    shown = subprocess.run(words, env=variables, capture_output=True, check=True).stdout.decode()
    assert shown == empty.text("id")


def test_a_command_without_a_node_says_how_to_make_one(empty: Shell) -> None:
    assert "init" in empty.refused("status")
    assert "init" in empty.refused("up")
    assert "init" in empty.refused("id")


def test_a_command_without_a_running_node_says_how_to_start_it(empty: Shell) -> None:
    empty.document("init")
    line = empty.refused("list", "--json")
    assert f"no node is running at {empty.home}" in line
    assert f"--home {empty.home} up" in line


def test_up_says_when_it_is_ready_and_stops_at_once_when_asked(empty: Shell) -> None:
    node = empty.document("init")["id"]
    with empty.up() as ready:
        assert ready["node"] == node
        assert ready["addresses"][0].startswith("ws://127.0.0.1:")
        status = empty.document("status")
        assert status["node"] == node
        assert status["addresses"] == ready["addresses"]
        assert status["communities"] == []
        assert status["peers"] == []
    assert "no node is running" in empty.refused("status")


def test_up_in_a_pipe_shows_people_the_addresses_and_the_command_line(empty: Shell) -> None:
    empty.document("init")
    with empty.process() as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(COMMAND_S_MAX) == 0


def test_a_second_daemon_for_the_same_home_is_refused(node: Shell) -> None:
    assert "running already" in node.refused("up", "--port", "0")
    assert node.document("status")["communities"]


def test_a_port_that_is_taken_is_one_clear_line(node: Shell, tmp_path: Path) -> None:
    port = node.document("status")["addresses"][0].rpartition(":")[2].partition("/")[0]
    other = new_node(tmp_path / "other")
    ended = other.run("up", "--port", port, COMMONSNODE_LISTEN="127.0.0.1")
    assert (ended.code, ended.out) == (1, "")
    assert f"port {port} is taken" in ended.err


def test_the_pages_are_at_the_host_and_port_of_the_addresses(node: Shell) -> None:
    address = node.document("status")["addresses"][0]
    with urllib.request.urlopen(
        address.replace("ws:", "http:").removesuffix("/peer") + "/api/v1/status"
    ) as answer:
        assert json.load(answer)["node"] == node.document("id")["id"]


def test_status_is_readable_too(node: Shell) -> None:
    shown = node.text("status")
    assert "Valle Alto" in shown
    assert node.document("id")["id"] in shown


def test_version(empty: Shell) -> None:
    from commonsnode import __version__

    assert empty.document("version") == {"version": __version__}
    assert __version__ in empty.text("version")


def test_the_socket_is_its_owners_alone_even_under_a_long_path(tmp_path: Path) -> None:
    shell = new_node(tmp_path / ("long-" * 30) / "home")
    with shell.up():
        assert shell.document("status")["node"] == shell.document("id")["id"]


def test_the_log_goes_to_stderr_as_json_when_wanted(empty: Shell) -> None:
    empty.document("init")
    with empty.up("--log-format", "json"):
        pass
    log = (empty.home.parent / f"{empty.home.name}.log").read_text().splitlines()
    assert log
    assert all("event" in json.loads(line) for line in log)


def test_the_command_that_reaches_a_node_is_shown_ready_to_be_pasted(empty: Shell) -> None:
    ended = empty.run("init")
    assert f"--home {os.path.abspath(empty.home)} up" in ended.err
