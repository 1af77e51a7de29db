"""People on real nodes: the operator holds everything but their hand, and a key moves to another node."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from commonsnode.recovery_words import seed_of
from governed_nodes import about, key, met, nodes, role, titles
from running_process import Running

PASSPHRASE = b"four words of hers\n"
FROM_STDIN = ("--passphrase-file", "-")


def said(node: Running, *words: str, stdin: bytes = PASSPHRASE) -> Any:
    ended = node.shell.run(*words, "--json", stdin=stdin)
    assert ended.code == 0, ended
    return json.loads(ended.out)


def has_all(node: Running) -> bool:
    return titles(node) == {"Hand loom", "Spindle", "Shuttle"}


def everything_of(node: Running) -> bytes:
    """All files of the home folder, and the log."""
    files = [path for path in node.shell.home.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files) + node.log.encode()


def test_the_operator_holds_nothing_that_signs_as_a_person(tmp_path: Path) -> None:
    with nodes(tmp_path, "a") as (a,):
        a.do("community", "create", "Valle Alto")
        added = said(a, "person", "add", "Rosa", *FROM_STDIN)
        a.do("member", "grant", added["id"])
        said(a, "--as", "Rosa", *FROM_STDIN, "add", "Hand loom")
        seed = seed_of(" ".join(added["words"]))
        secrets = (seed, seed.hex().encode(), PASSPHRASE.strip(), " ".join(added["words"]).encode())
        for state in ("running", "stopped"):
            if state == "stopped":
                a.stop()
            held = everything_of(a)
            assert added["id"].encode() in held
            for secret in secrets:
                assert secret not in held, state
        a.start()
        before = len(a.do("list")["records"])
        for stolen in (a.shell.home / "people.json").read_text(), a.shell.home.name:
            body = json.dumps({"name": "Rosa", "passphrase": stolen[:64]}).encode()
            assert a.api("POST", "/session", body)[0] == 401
        assert len(a.do("list")["records"]) == before


def test_a_key_moves_to_another_node_and_what_it_wrote_at_both_stands(tmp_path: Path) -> None:
    with nodes(tmp_path, "abc") as (a, b, c):
        link = a.do("community", "create", "Valle Alto")["link"]
        added = said(a, "person", "add", "Rosa", *FROM_STDIN)
        a.do("member", "grant", added["id"])
        said(a, "--as", "Rosa", *FROM_STDIN, "add", "Hand loom")
        file = tmp_path / "rosa.json"
        a.do("person", "export", "Rosa", str(file))
        for node in (b, c):
            node.do("community", "follow", link)
        imported = said(b, "person", "import", str(file), *FROM_STDIN)
        words_file = tmp_path / "words"
        words_file.write_text(" ".join(added["words"]))
        by_words = ("person", "import", "--words-file", str(words_file), "--name", "Rosita")
        other = said(c, *by_words, *FROM_STDIN, stdin=b"words of another place\n")
        assert imported["id"] == other["id"] == added["id"]
        met(b, lambda: "Hand loom" in titles(b))
        assert said(b, "--as", "rosa", *FROM_STDIN, "add", "Spindle")["waiting"] is False
        met(c, lambda: {"Hand loom", "Spindle"} <= titles(c))
        at_c = said(c, "--as", "Rosita", *FROM_STDIN, "add", "Shuttle", stdin=b"words of another place\n")
        assert at_c["waiting"] is False
        for node in (a, b, c):
            met(node, partial(has_all, node))
        shuttle = a.do("history", at_c["id"])["history"]
        assert [entry["author"] for entry in shuttle] == [added["id"]]
        assert role(b) is None  # the node itself is not Rosa


def test_a_person_joins_by_an_invitation_from_their_village_node(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        invitation = a.do("invite")["link"]
        b.do("community", "follow", link)
        added = said(b, "person", "add", "Rosa", *FROM_STDIN)
        met(b, lambda: b.entry()["name"] == "Valle Alto")
        a_key = a.do("id")["id"]
        met(b, lambda: len(about(b, "invitations")["invitations"]) == 1)
        joined = said(b, "--as", "Rosa", *FROM_STDIN, "join", invitation)
        assert (joined["role"], joined["waiting"]) == ("member", False)

        def members() -> dict[str, str]:
            return {one["id"]: one["role"] for one in a.do("member", "list")["members"]}

        assert met(a, lambda: members() == {a_key: "steward", added["id"]: "member"})
        met(b, lambda: about(b, "invitations")["invitations"][0]["joins"][0]["confirmed"])


def test_a_steward_without_a_computer_governs_by_the_command_line(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        a.do("community", "create", "Valle Alto")
        rosa = said(a, "person", "add", "Rosa", *FROM_STDIN)["id"]
        a.do("steward", "propose", "--add", rosa)

        def by_rosa(*words: str) -> Any:
            return said(a, "--as", "Rosa", *FROM_STDIN, *words)

        by_rosa("member", "contact", "--name", "Rosa")
        b.do("join", by_rosa("invite", "--name", "Ana")["link"])
        met(b, lambda: role(b) == "member")
        assert by_rosa("community", "show")["you"]["role"] == "steward"
        (shown,) = [one for one in by_rosa("member", "list")["members"] if one["you"]]
        assert (shown["id"], shown["name"]) == (rosa, "Rosa")
        waits = a.do("steward", "propose", "--add", key(b))
        assert by_rosa("steward", "approve", waits["id"])["state"] == "done"
        met(b, lambda: role(b) == "steward")
        trail = a.do("history", "--authority")["history"]
        assert any(entry["author_name"] == "Rosa" for entry in trail)
        said(a, "person", "trust", "Rosa", *FROM_STDIN)
        withdrawn = said(a, "person", "trust", "Rosa", "--withdraw", *FROM_STDIN)
        assert [one["name"] for one in withdrawn["communities"]] == ["Valle Alto"]
        refused = a.shell.run("--as", "Rosa", *FROM_STDIN, "community", "create", "Mine", stdin=PASSPHRASE)
        assert (refused.code, "it is for who runs this node" in refused.err) == (1, True)
