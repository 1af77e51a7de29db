"""Exit codes, the two streams, help, completion: what every command has in common."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli_shell import Shell, plain_environment
from commonsnode_cli.catalogue import ENTRIES

WRONG = [
    ["frobnicate"],
    ["status", "--frobnicate"],
    ["add"],
    ["show"],
    ["show", "xyz"],
    ["peer", "add", "http://127.0.0.1:8450/"],
    ["peer"],
    ["community"],
    ["member", "grant", "abc"],
    ["member", "grant", "0" * 64, "--role", "king"],
    ["add", "drill", "--at", "91,0"],
    ["add", "drill", "--at", "-178.12,-0.35"],
    ["add", "drill", "colour"],
    ["add", "drill", "--lane", "authority"],
    ["edit", "ab"],
    ["list", "--limit", "many"],
    ["up", "--port", "70000"],
    ["up", "--log-format", "xml"],
    ["export", "--format", "pdf"],
    ["import", "x.csv", "--map", "no equals sign"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_exit_code_2_and_one_line(empty: Shell, words: list[str]) -> None:
    assert empty.refused(*words, code=2).count("\n") == 1


def test_the_overview_names_every_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "commonsnode_cli", "--help"],
        capture_output=True,
        check=True,
        env=plain_environment(),
    ).stdout.decode()
    for name in ENTRIES:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_explains_itself_and_takes_json(empty: Shell, name: str) -> None:
    ended = empty.run(name, "--help")
    assert ended.code == 0
    assert ended.err == ""
    assert "--json" in ended.out


@pytest.mark.parametrize("words", [["--json", "list"], ["list", "--json"]], ids=" ".join)
def test_json_may_stand_anywhere_among_the_arguments(node: Shell, words: list[str]) -> None:
    assert node.run("community", *words).out.startswith('{"communities": ')


def test_json_may_stand_before_other_arguments(node: Shell) -> None:
    assert node.run("add", "--json", "rake", "condition=good").out.startswith("{")


def test_a_reader_that_leaves_ends_the_command_as_a_signal_does(node: Shell) -> None:
    words = " ".join(node.words("list", "--json"))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {words} | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        check=True,
        env=plain_environment(),
    )
    assert done.stderr == b""
    assert done.stdout.strip() in (b"141", b"0")  # 0 where all of it had been written before


def test_names_of_others_cannot_take_over_the_terminal(node: Shell) -> None:
    node.document("add", "rake \x1b]0;owned\x07\u202e")
    shown = node.text("list") + node.text("list", "--search", "rake")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\\x1b]0;owned" in shown


def test_completion_knows_the_commands(tmp_path: Path) -> None:
    variables = {
        **plain_environment(),
        "_COMMONSNODE_COMPLETE": "complete_bash",
        "COMP_WORDS": "commonsnode comm",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "commonsnode_cli"],
        capture_output=True,
        check=False,
        env=variables,
        cwd=tmp_path,
    )
    assert done.stdout.split() == [b"community"]
