"""Two nodes by the command line alone: follow, grant, wait, sync, conflict, export."""

from collections.abc import Iterator

import pytest

from cli_shell import Shell, new_node


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Shell]]:
    """A founder and a second node that follows its community; the second is no member yet."""
    folder = tmp_path_factory.mktemp("villages")
    founder, second = new_node(folder / "founder"), new_node(folder / "second")
    with founder.up(), second.up():
        made = founder.document("community", "create", "Valle Alto")
        followed = second.document("community", "follow", made["link"])
        assert followed["id"] == made["id"]
        second.document("sync", "--wait")
        yield founder, second


def fingerprints(shell: Shell) -> object:
    return [one["fingerprint"] for one in shell.document("status")["communities"]]


def test_an_inventory_of_two_villages(villages: tuple[Shell, Shell], subtests: pytest.Subtests) -> None:
    founder, second = villages
    with subtests.test("what one adds, the other has"):
        auger = founder.document("add", "auger", "condition=good")["id"]
        second.document("sync", "--wait")
        assert second.document("show", auger)["fields"]["condition"] == "good"
    with subtests.test("what somebody writes who is not admitted waits, and says so"):
        added = second.run("add", "press", "--json")
        assert '"waiting": true' in added.out
        assert "waiting" in second.text("list", "--search", "press")
        founder.document("sync", "--wait")
        assert founder.document("list", "--search", "press")["records"] == []
    with subtests.test("after the grant it is taken"):
        key = second.document("id")["id"]
        assert founder.document("member", "grant", key)["id"] == key
        founder.document("sync", "--wait")
        second.document("sync", "--wait")
        press = founder.document("list", "--search", "press")["records"]
        assert [one["title"] for one in press] == ["press"]
        assert {one["id"] for one in second.document("member", "list")["members"]} >= {key}
    with subtests.test("both hold the same, and say so"):
        assert fingerprints(founder) == fingerprints(second)
        assert founder.text("export", "--format", "jsonl") == second.text("export", "--format", "jsonl")
        assert all(all(peer["in_step"].values()) for peer in second.document("status")["peers"])


def test_peers_are_added_listed_and_removed(villages: tuple[Shell, Shell]) -> None:
    founder, second = villages
    address = second.document("status")["addresses"][0]
    assert founder.document("peer", "add", address)["address"] == address
    assert address in [one["address"] for one in founder.document("peer", "list")["peers"]]
    assert address in founder.text("peer", "list")
    ours, theirs = founder.document("id")["id"], second.document("id")["id"]
    linked = next(one for one in founder.document("peer", "list")["peers"] if one["id"] == theirs)
    assert linked["bytes_received"] > 0
    assert all(lane["in_step"] and not lane["to_get"] for lane in linked["lanes"])
    drawn = founder.text("peer", "graph")
    assert f'"{ours}" -> "{theirs}"' in drawn or f'"{theirs}" -> "{ours}"' in drawn
    assert founder.document("peer", "remove", address) == {"address": address}
    assert founder.refused("peer", "remove", "ws://127.0.0.1:1/peer")


def test_sync_that_meets_nobody_says_why(tmp_path_factory: pytest.TempPathFactory) -> None:
    lonely = new_node(tmp_path_factory.mktemp("lonely") / "home")
    with lonely.up():
        lonely.document("community", "create", "Islas")
        assert "not in step" in lonely.refused("sync", "--wait", "--timeout", "2", "--json")
        lonely.document("sync")


def test_edits_made_apart_are_both_kept_and_the_next_edit_settles_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("apart")
    founder, second = new_node(folder / "founder"), new_node(folder / "second")
    with founder.up():
        with second.up():
            made = founder.document("community", "create", "Valle Alto")
            founder.document("member", "grant", second.document("id")["id"])
            second.document("community", "follow", made["link"])
            drill = founder.document("add", "drill", "condition=good")["id"]
            second.document("sync", "--wait")
        founder.document("edit", drill, "condition=broken")
    with second.up():
        second.document("edit", drill, "condition=worn")
        with founder.up() as ready:
            second.document("peer", "add", ready["addresses"][0])
            second.document("sync", "--wait")
            shown = [node.document("show", drill) for node in (founder, second)]
            assert shown[0]["conflicts"] == shown[1]["conflicts"]
            (other,) = shown[0]["conflicts"]["condition"]
            assert {shown[0]["fields"]["condition"], other["value"]} == {"broken", "worn"}
            assert set(other) == {"value", "author", "time"}
            assert f"also: {other['value']}" in founder.text("show", drill)
            founder.document("edit", drill, "condition=repaired")
            second.document("sync", "--wait")
            for node in (founder, second):
                shown_last = node.document("show", drill)
                assert shown_last["conflicts"] == {}
                assert shown_last["fields"]["condition"] == "repaired"
