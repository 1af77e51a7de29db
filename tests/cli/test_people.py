"""Accounts by the command line: who is asked for what, what is shown, and acting as a person."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli_shell import Ended, Shell

PASSPHRASE = b"four words of hers\n"
FROM_STDIN = ("--passphrase-file", "-")


def with_passphrase(node: Shell, *words: str, said: bytes = PASSPHRASE) -> Any:
    ended = node.run(*words, *FROM_STDIN, "--json", stdin=said)
    assert ended.code == 0, ended
    return json.loads(ended.out)


def acting(node: Shell, *words: str, said: bytes = PASSPHRASE) -> Ended:
    return node.run("--as", "Rosa", *FROM_STDIN, *words, stdin=said)


@pytest.fixture(scope="module")
def rosa(node: Shell) -> str:
    """The key of a member who has an account."""
    added = with_passphrase(node, "person", "add", "Rosa")
    assert len(added["words"]) == 24
    node.document("member", "grant", added["id"])
    return str(added["id"])


def test_a_person_is_listed_with_where_they_are_admitted(node: Shell, rosa: str) -> None:
    (row,) = node.document("person", "list")["persons"]
    assert set(row) == {"id", "name", "locked", "created", "communities"}
    assert (row["id"], row["name"], row["locked"]) == (rosa, "Rosa", False)
    assert [(of["name"], of["role"]) for of in row["communities"]] == [("Valle Alto", "member")]
    assert "Valle Alto (member)" in node.text("person", "list")


def test_acting_as_a_person_signs_with_their_key(node: Shell, rosa: str) -> None:
    added = acting(node, "add", "Hand loom", "--json")
    assert added.code == 0, added
    loom = json.loads(added.out)["id"]
    assert acting(node, "edit", loom, "condition=good").code == 0
    assert acting(node, "remove", loom).code == 0
    assert acting(node, "restore", loom).code == 0
    assert "Hand loom" in acting(node, "show", loom).out
    assert {entry["author"] for entry in node.document("history", loom)["history"]} == {rosa}


@pytest.mark.usefixtures("rosa")
def test_a_wrong_passphrase_and_an_unknown_name_are_refused_alike(node: Shell) -> None:
    wrong = acting(node, "add", "Hand loom", said=b"not her words\n")
    unknown = node.run("--as", "Nobody", *FROM_STDIN, "list", stdin=PASSPHRASE)
    assert (wrong.code, unknown.code) == (1, 1)
    assert wrong.err == unknown.err
    assert "not her words" not in wrong.err


@pytest.mark.usefixtures("rosa")
def test_who_is_locked_does_not_come_in_until_unlocked(node: Shell) -> None:
    assert node.document("person", "lock", "rosa")["locked"] is True
    refused = acting(node, "list")
    assert (refused.code, "locked" in refused.err) == (1, True)
    assert "unlocked: Rosa" in node.text("person", "unlock", "Rosa")
    assert acting(node, "list").code == 0


@pytest.mark.usefixtures("rosa")
def test_the_words_are_shown_again_with_the_passphrase_only(node: Shell) -> None:
    assert len(with_passphrase(node, "person", "words", "Rosa")["words"]) == 24
    assert node.run("person", "words", "Rosa", *FROM_STDIN, stdin=b"not her words\n").code == 1


def test_trust_names_the_node_where_the_person_is_admitted(node: Shell, rosa: str) -> None:
    trusted = with_passphrase(node, "person", "trust", "Rosa")
    assert (trusted["id"], [of["name"] for of in trusted["communities"]]) == (rosa, ["Valle Alto"])


@pytest.mark.usefixtures("rosa")
def test_an_exported_key_is_its_owners_file_and_no_file_is_written_over(node: Shell, tmp_path: Path) -> None:
    file = tmp_path / "rosa.json"
    assert node.document("person", "export", "Rosa", str(file))["file"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert "cannot be written" in node.refused("person", "export", "Rosa", str(file))
    again = node.run("person", "import", str(file), "--name", "Other", *FROM_STDIN, stdin=PASSPHRASE)
    assert (again.code, "has an account here already" in again.err) == (1, True)


def test_a_passphrase_is_changed_by_its_owner(node: Shell) -> None:
    with_passphrase(node, "person", "add", "Inés")
    words = ("person", "passphrase", "Inés", *FROM_STDIN, "--new-file", "-")
    assert node.run(*words, stdin=PASSPHRASE + b"short\n").code == 1
    assert node.run(*words, stdin=PASSPHRASE + b"quite other words\n").code == 0
    assert node.run("--as", "inés", *FROM_STDIN, "list", stdin=PASSPHRASE).code == 1
    assert node.run("--as", "inés", *FROM_STDIN, "list", stdin=b"quite other words\n").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["person", "add"],
        ["person", "add", "Rosa"],  # no terminal, and no file
        ["person", "import"],
        ["person", "import", "--words"],
        ["person", "import", "x.json", "--words", "--name", "Rosa"],
        ["--as", "Rosa", "list"],
        ["--as", "Rosa", "peer", "list"],
        ["--passphrase-file", "x", "list"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_wrong_usage(node: Shell, words: list[str]) -> None:
    node.refused(*words, code=2)
