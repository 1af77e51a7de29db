"""What is different where a person looks on: tables, colours, progress, questions."""

import os
import pty
import subprocess
from pathlib import Path

from cli_shell import COMMAND_S_MAX, Shell, plain_environment

BAR = "━"


def on_a_terminal(shell: Shell, *words: str, typed: bytes = b"", **variables: str) -> str:
    """What a terminal of 100 columns gets to see of a command that succeeds."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.words(*words),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**plain_environment(), "TERM": "xterm-256color", "COLUMNS": "100", **variables},
    )
    os.close(theirs)
    os.write(ours, typed)
    seen = b""
    while True:
        try:
            some = os.read(ours, 65_536)
        except OSError:  # the other end is closed: the command has ended
            break
        seen += some
        if not some:
            break
    os.close(ours)
    assert process.wait(COMMAND_S_MAX) == 0, seen
    return seen.decode()


def test_a_list_is_a_table_with_headings_and_colours_only_where_wanted(node: Shell) -> None:
    node.document("add", "anvil \x1b[31mred [bold]")
    seen = on_a_terminal(node, "list")
    assert "title" in seen
    assert "\x1b[1m" in seen
    assert "\x1b[31m" not in seen
    assert "anvil \\x1b[31mred [bold]" in seen
    assert "\x1b[1mtitle" not in on_a_terminal(node, "list", NO_COLOR="1", TERM="dumb")
    assert "title\t" not in node.text("list")
    assert "\x1b" not in node.text("list")


def test_long_work_shows_a_bar_to_a_person_and_nothing_to_a_pipe(node: Shell, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text("title\n" + "".join(f"thing {n}\n" for n in range(3_000)))
    assert BAR in on_a_terminal(node, "import", str(file))
    ended = node.run("import", str(file))
    assert ended.code == 0
    assert BAR not in ended.out + ended.err
    assert "\x1b" not in ended.out + ended.err


def test_init_asks_a_person_for_the_name_of_the_node(empty: Shell) -> None:
    assert "call this node" in on_a_terminal(empty, "init", typed=b"mill house\n")
    assert 'name = "mill house"' in (empty.home / "config.toml").read_text()


def test_an_invitation_is_drawn_for_a_person_and_not_into_a_pipe(node: Shell) -> None:
    assert "▀" in on_a_terminal(node, "invite")
    assert "▀" not in node.text("invite")
