"""Two nodes share one inventory: they hold the same things, edit them apart, and agree again."""

from pathlib import Path

import pytest

from cli_shell import new_node
from running_process import Running, write_csv


def test_what_one_node_adds_the_other_holds(pair: tuple[Running, Running]) -> None:
    a, b = pair
    thing = a.do("add", "Cement mixer", "--at", "0.35,-78.12", "--exact-place", "condition=good")["id"]
    assert b.shell.run("sync", "--wait").code == 0
    assert b.do("show", thing)["fields"] == a.do("show", thing)["fields"]
    assert a.community()["fingerprint"] == b.community()["fingerprint"]
    assert a.export() == b.export() != ""
    peers = b.do("status")["peers"]
    assert [peer["id"] for peer in peers] == [a.do("id")["id"]]
    assert peers[0]["in_step"] == {a.community()["id"]: True}
    assert peers[0]["last_in_step"].endswith("Z")


def test_a_stranger_s_writes_wait_until_the_grant_and_then_arrive(pair: tuple[Running, Running]) -> None:
    a, b = pair
    added = b.do("add", "Apple press")
    assert added["waiting"] is True
    assert b.titles() == {"Apple press"}
    b.do("sync", "--wait")
    assert a.titles() == set()
    assert b.export() == ""
    a.do("member", "grant", b.do("id")["id"])
    b.do("sync", "--wait")
    assert a.titles() == {"Apple press"}
    assert b.do("show", added["id"])["waiting"] is False
    assert a.export() == b.export()


def test_an_edit_made_apart_is_a_conflict_on_both_and_the_next_edit_resolves_it(
    pair: tuple[Running, Running],
) -> None:
    a, b = pair
    a.do("member", "grant", b.do("id")["id"])
    thing = a.do("add", "Drill", "condition=good")["id"]
    b.do("sync", "--wait")
    a.stop()
    b.do("edit", thing, "condition=chuck is worn")
    b.stop()
    a.start()
    a.do("edit", thing, "condition=new chuck", "title=Hammer drill")
    b.start()
    b.do("sync", "--wait")
    shown = [node.do("show", thing) for node in (a, b)]
    assert shown[0]["fields"] == shown[1]["fields"]
    assert shown[0]["conflicts"] == shown[1]["conflicts"]
    assert shown[0]["fields"]["title"] == "Hammer drill"
    values = {shown[0]["fields"]["condition"], *(c["value"] for c in shown[0]["conflicts"]["condition"])}
    assert values == {"chuck is worn", "new chuck"}
    assert shown[0]["conflicts"]["condition"][0]["author"] in {a.do("id")["id"], b.do("id")["id"]}
    a.do("edit", thing, "condition=as good as new")
    b.do("sync", "--wait")
    for node in (a, b):
        after = node.do("show", thing)
        assert after["fields"]["condition"] == "as good as new"
        assert after["conflicts"] == {}
    assert a.export() == b.export()


def test_delete_against_edit_is_a_conflict_that_can_be_undone(pair: tuple[Running, Running]) -> None:
    a, b = pair
    a.do("member", "grant", b.do("id")["id"])
    thing = a.do("add", "Ladder")["id"]
    b.do("sync", "--wait")
    a.stop()
    b.do("edit", thing, "title=Long ladder")
    b.stop()
    a.start()
    a.do("remove", thing)
    b.start()
    b.do("sync", "--wait")
    assert b.titles() == set()
    b.do("restore", thing)
    a.do("sync", "--wait")
    assert a.titles() == b.titles() == {"Long ladder"}


def test_the_same_file_imported_at_two_nodes_apart_gives_each_thing_once(
    pair: tuple[Running, Running], tmp_path: Path
) -> None:
    a, b = pair
    a.do("member", "grant", b.do("id")["id"])
    b.do("sync", "--wait")
    file = write_csv(tmp_path / "shed.csv", 300)
    b.stop()
    assert a.do("import", str(file))["added"] == 300
    a.stop()
    b.start()
    assert b.do("import", str(file))["added"] == 300
    a.start()
    b.do("sync", "--wait")
    assert len(a.export().splitlines()) == 300
    assert a.export() == b.export()
    assert a.do("import", str(file))["unchanged"] == 300
    assert a.shell.run("check").code == 0


def test_a_change_reaches_the_third_node_over_the_second(
    pair: tuple[Running, Running], tmp_path: Path
) -> None:
    a, b = pair
    c = Running(new_node(tmp_path / "c"))
    c.start()
    try:
        c.do("community", "follow", b.community()["link"])
        c.do("peer", "remove", a.address) if a.address in {
            p["address"] for p in c.do("peer", "list")["peers"]
        } else None
        c.do("sync", "--wait")
        a.do("add", "Seed drill")
        b.do("sync", "--wait")
        c.do("sync", "--wait")
        assert c.titles() == {"Seed drill"}
    finally:
        c.close()


def test_a_link_with_the_id_alone_finds_the_community_at_peers_already_known(
    pair: tuple[Running, Running],
) -> None:
    a, b = pair
    other = a.do("community", "create", "Valle Bajo")["id"]
    b.do("community", "follow", f"commons:{other}")
    b.do("sync", "--wait")
    assert [c["name"] for c in b.do("community", "list")["communities"]] == ["Valle Alto", "Valle Bajo"]


def test_sync_says_why_when_nobody_answers(pair: tuple[Running, Running]) -> None:
    a, b = pair
    a.stop()
    ended = b.shell.run("sync", "--wait", "--timeout", "5")
    assert ended.code == 1
    assert "no peer answered" in ended.err


def test_both_may_dial_each_other_and_keep_one_link(pair: tuple[Running, Running]) -> None:
    a, b = pair
    a.do("peer", "add", b.address)
    a.do("sync", "--wait")
    b.do("sync", "--wait")
    for node in (a, b):
        connected = [peer for peer in node.do("status")["peers"] if peer["state"] == "connected"]
        assert len(connected) == 1


@pytest.mark.parametrize("year_ms", [0, 4_102_444_800_000])
def test_a_restart_keeps_everything(pair: tuple[Running, Running], year_ms: int) -> None:
    a, b = pair
    a.do("add", f"Thing of {year_ms}")
    before = a.export()
    a.stop()
    a.start()
    assert a.export() == before
    b.do("sync", "--wait")
    assert b.export() == before
