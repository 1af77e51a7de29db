"""Rule 14 between real nodes: who was once the only steward signs a second history; people are told, and nothing is deleted."""

import shutil
from contextlib import closing
from pathlib import Path

from cli_shell import new_node
from commonsnode.home import Home
from commonsnode_protocol.authority import writing
from commonsnode_protocol.authority.acts import table_id
from commonsnode_store.store import Store
from governed_nodes import about, fingerprints, met, nodes, titles
from running_process import Running


def test_a_second_history_is_followed_alike_and_told_in_plain_words(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        b.do("community", "follow", a.do("community", "create", "Valle Alto")["link"])
        met(b, lambda: b.entry()["name"] == "Valle Alto")
        a.stop()
        backup = tmp_path / "backup"
        shutil.copytree(a.shell.home, backup)
        a.start()
        first = a.do("steward", "propose", "--set", "name=Valle Claro")["id"]
        a.do("add", "Anvil")
        met(b, lambda: b.entry()["name"] == "Valle Claro" and titles(b) == {"Anvil"})
        assert about(b, "you")["notices"] == []
        before = {entry["changeset"] for entry in about(b, "history")["history"]}
        community = bytes.fromhex(b.entry()["id"])
        a.stop()

        # The same key, from a time when it knew of no change: a restored backup, or somebody who means harm.
        name = a_name_that_wins(Home(backup), community, bytes.fromhex(first))
        again = Running(new_node(tmp_path / "again"))
        shutil.rmtree(again.shell.home)
        shutil.copytree(backup, again.shell.home)
        again.port = a.port
        again.start()
        try:
            second = again.do("steward", "propose", "--set", f"name={name}")
            assert second["id"] < first
            met(b, lambda: b.entry()["name"] == name)
            met(b, lambda: fingerprints(again, b))
            assert again.entry()["name"] == name
        finally:
            again.stop()
        (notice,) = about(b, "you")["notices"]
        assert (
            f"the stewards' table {first[:8]}, which this node followed, is followed no more"
            in notice["text"]
        )
        assert "Nothing was deleted. Talk to the others" in notice["text"]
        assert notice["text"] in b.shell.text("community", "show")
        history = about(b, "history")["history"]
        assert before <= {entry["changeset"] for entry in history}
        lost = [act for entry in history for act in entry["acts"] if "'Valle Claro'" in act["text"]]
        assert [act["void"] for act in lost] == ["lost"]
        assert titles(b) == {"Anvil"}
        b.stop()
        assert b.shell.run("check").code == 0


def a_name_that_wins(home: Home, community: bytes, other: bytes) -> str:
    """Two children of one table by one signature: the one of least id is followed."""
    with closing(Store.open(home.database_path)) as store:
        held = store.evaluator(community)
        names = (f"Valle {n}" for n in range(1_000))
        return next(
            name for name in names if table_id(community, writing.next_table(held, name=name)) < other
        )
