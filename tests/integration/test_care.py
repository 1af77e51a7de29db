"""Care of things between real nodes: everybody sees who did what, and what is due is the same everywhere."""

from pathlib import Path
from typing import Any

from governed_nodes import key, met, nodes, role
from running_process import Running


def due(node: Running) -> list[Any]:
    return [(one["title"], one["task"]) for one in node.api("GET", "/care")[1]["due"]]


def log(node: Running, thing: str) -> list[Any]:
    status, found = node.api("GET", f"/records/{thing}/care")
    return [(one["did"], one["by"]) for one in found["log"]] if status == 200 else []


def test_what_one_did_the_others_know_and_what_is_due_agrees(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        a.do("member", "grant", key(b))
        met(b, lambda: role(b) == "member")
        saw = a.do("add", "Chainsaw")["id"]
        a.do("care", "rule", saw, "oil", "--days", "30")
        a.do("care", saw, "--did", "oil", "--at", "2020-05-01")
        met(b, lambda: due(b) == [("Chainsaw", "oil")])
        # Both take care of it while apart: both notes stay, and nothing is due any more.
        a.stop()
        b.do("care", saw, "--did", "Oil", "--condition", "good")
        b.stop()
        a.start()
        a.do("care", saw, "--did", "new chain")
        b.start()
        met(a, lambda: len(log(a, saw)) == 3)
        met(b, lambda: len(log(b, saw)) == 3)
        assert log(a, saw) == log(b, saw)
        assert {said for said, _ in log(a, saw)} == {"oil", "Oil", "new chain"}
        assert {by for _, by in log(a, saw)} == {key(a), key(b)}
        assert due(a) == due(b) == []
        assert a.do("show", saw)["fields"]["condition"] == "good"
        for node in (a, b):
            assert [one["title"] for one in node.do("list")["records"]] == ["Chainsaw"]
            assert node.shell.run("check").code == 0


def test_a_stranger_s_note_waits_and_out_for_maintenance_reaches_everybody(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        saw = a.do("add", "Chainsaw")["id"]
        b.do("community", "follow", link)
        met(b, lambda: b.api("GET", f"/records/{saw}")[0] == 200)
        noted = b.do("care", saw, "--did", "sharpened it")
        assert noted["waiting"]
        assert [said for said, _ in log(b, saw)] == ["sharpened it"]
        a.do("care", saw, "--out")
        met(b, lambda: b.api("GET", f"/records/{saw}/care")[1]["out"])
        assert log(a, saw) == []
        a.do("member", "grant", key(b))
        met(a, lambda: [said for said, _ in log(a, saw)] == ["sharpened it"])
        found = b.do("find", "chainsaw", "--from", "tomorrow")["results"]
        assert found == []
        b.do("care", saw, "--back")
        assert len(b.do("find", "chainsaw", "--from", "tomorrow")["results"]) == 1
