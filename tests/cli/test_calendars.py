"""`calendar`: an address to subscribe to, told once, and taken back."""

import json
import urllib.error
import urllib.request

import pytest

from cli_shell import Shell

PASSPHRASE = b"four words of hers\n"


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_a_link_is_subscribed_to_and_withdrawn(node: Shell) -> None:
    thing = node.document("add", "Loom")["id"]
    node.document("reserve", thing, "--from", "2090-05-01", "--until", "2090-05-02")
    made = node.document("calendar", "link", "phone")
    assert made["urls"][0].startswith("http://127.0.0.1:")
    assert "SUMMARY:Loom" in fetched(made["urls"][0])
    assert made["id"] in node.text("calendar", "list")
    assert made["path"] not in node.text("calendar", "list")
    assert node.text("calendar", "withdraw", made["id"]).startswith(f"withdrawn: {made['id']}  phone")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetched(made["urls"][0])
    again = node.run("calendar", "withdraw", made["id"])
    assert (again.code, "you have no link" in again.err) == (1, True)
    assert "none yet" in node.run("calendar", "list").err


def test_a_person_has_a_calendar_of_their_own(node: Shell) -> None:
    words = ("--passphrase-file", "-")
    added = node.run("person", "add", "Ines", *words, "--json", stdin=PASSPHRASE)
    node.document("member", "grant", json.loads(added.out)["id"])
    made = node.run("--as", "Ines", *words, "calendar", "link", "--json", stdin=PASSPHRASE)
    assert made.code == 0, made
    body = fetched(json.loads(made.out)["urls"][0])
    assert ("X-WR-CALNAME:Ines" in body, "VEVENT" in body) == (True, False)
    assert node.document("calendar", "list")["links"] == []
