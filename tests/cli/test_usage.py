"""Exit codes, the two streams, help, completion: what every command has in common."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli_shell import Shell, plain_environment
from commonsnode_cli.catalogue import ENTRIES
from commonsnode_cli.main import main

WRONG = [
    ["frobnicate"],
    ["status", "--frobnicate"],
    ["add"],
    ["show"],
    ["show", "xyz"],
    ["peer", "add", "http://127.0.0.1:8450/"],
    ["peer"],
    ["community"],
    ["community", "follow", "http://127.0.0.1:8450/"],
    ["community", "follow", "commons:abc"],
    ["community", "leave", "a", "--community", "b"],
    ["member", "grant", "abc"],
    ["member", "grant", "0" * 64, "--role", "king"],
    ["member", "revoke"],
    ["community", "create", "Valle", "--quorum", "many"],
    ["community", "create", "Valle", "--share", "2"],
    ["community", "create", "Valle", "--reading", "nobody"],
    ["community", "create", "Valle", "--newcomers-read-past", "perhaps"],
    ["community", "create", "Valle", "--at", "here"],
    ["invite", "--uses", "0"],
    ["invite", "--role", "steward"],
    ["invite", "--qr", "code.gif"],
    ["join", "http://127.0.0.1:8450/"],
    ["steward", "propose"],
    ["steward", "propose", "--add", "abc"],
    ["steward", "propose", "--set", "colour=red"],
    ["steward", "propose", "--set", "name="],
    ["steward", "approve"],
    ["history"],
    ["history", "ab", "--authority"],
    ["add", "drill", "colour"],
    ["add", "drill", "--lane", "authority"],
    ["edit", "ab"],
    ["list", "--limit", "many"],
    ["reserve", "ab"],
    ["reserve", "drill", "--from", "sat"],
    ["reservation"],
    ["reservation", "show", "xyz"],
    ["reservation", "extend", "ab"],
    ["reservation", "damage", "ab"],
    ["reservation", "damage", "ab", "--note", "bent", "--condition", "sad"],
    ["up", "--port", "70000"],
    ["up", "--log-format", "xml"],
    ["export", "--format", "pdf"],
    ["import", "x.csv", "--map", "no equals sign"],
]


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The whole command in this process, which spares the start of a Python for each."""
    monkeypatch.setattr(sys, "argv", ["commonsnode", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_exit_code_2_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert call(monkeypatch, "--home", str(tmp_path), *words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("commonsnode: ")
    assert shown.err.count("\n") == 1


def test_wrong_usage_in_a_process_of_its_own(empty: Shell) -> None:
    assert "--frobnicate" in empty.refused("status", "--frobnicate", code=2)


def test_no_command_at_all_is_wrong_usage_and_shows_the_overview(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "community" in shown.err


def test_the_overview_names_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    for name in ENTRIES:
        assert f"\n  {name} " in shown
    assert call(monkeypatch, "--home", "x", "--help") == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_explains_itself_and_takes_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert call(monkeypatch, name, "--help") == 0
    assert "--json" in capsys.readouterr().out


def test_what_many_would_try_first_works_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "help", "community", "create") == 0
    assert "Begin a community" in capsys.readouterr().out
    assert call(monkeypatch, "help") == 0
    assert "Exit codes" in capsys.readouterr().out
    assert call(monkeypatch, "--version") == 0
    assert "commonsnode " in capsys.readouterr().out


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


def test_a_result_that_cannot_be_written_is_one_clear_line(node: Shell) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            node.words("id"), stdout=full, stderr=subprocess.PIPE, check=False, env=plain_environment()
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert done.stderr.count(b"\n") == 1


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
