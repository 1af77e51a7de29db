"""Nobody is locked out: words on paper bring a steward back on a new node, and a lost device is revoked from another."""

from pathlib import Path

from governed_nodes import about, fingerprints, key, met, nodes, role, titles


def test_words_bring_back_the_steward_whose_node_burnt(tmp_path: Path) -> None:
    with nodes(tmp_path, "abc") as (a, b, c):
        made = a.do("community", "create", "Valle Alto")
        words = made["recovery_words"]
        assert len(words.split()) == 24
        b.do("community", "follow", made["link"])
        a.do("member", "grant", key(b))
        a.do("add", "Anvil")
        met(b, lambda: role(b) == "member" and titles(b) == {"Anvil"})
        lost = key(a)
        met(b, lambda: fingerprints(a, b))
        a.kill()

        link = b.do("community", "show")["link"]
        wrong = c.shell.run("recovery", "use", link, stdin=b"abandon " * 24)
        assert (wrong.code, "abandon" in wrong.err) == (1, False)
        paper = tmp_path / "paper"
        paper.write_text(words.upper())
        used = c.do("recovery", "use", link, "--words-file", str(paper), "--revoke", lost[:10])
        assert (used["person"], used["role"]) == (lost, "steward")
        assert (used["revoked"], used["not_revoked"], used["signs_tables"]) == ([lost], None, True)
        assert role(c) == "steward"
        c.do("add", "Bellows")
        met(c, lambda: titles(b) == {"Anvil", "Bellows"})
        assert titles(c) == {"Anvil", "Bellows"}
        c.do("member", "revoke", key(b))
        met(c, lambda: about(b, "you")["revoked"])
        kinds = [(one["kind"], one["revoked"]) for one in c.do("device", "list")["keys"]]
        assert kinds == [("first", True), ("recovery", False), ("device", False)]
        assert c.do("steward", "propose", "--set", "name=Valle Bajo")["state"] == "done"
        met(c, lambda: b.entry()["name"] == "Valle Bajo")

        handed = c.do("steward", "propose", "--add", key(c), "--remove", lost)
        assert handed["state"] == "done"
        met(c, lambda: [one["id"] for one in about(b, "tables")["stewards"]] == [key(c)])
        assert (about(c, "you")["person"], role(c)) == (key(c), "steward")

        a.start()
        met(b, lambda: role(a) is None)
        assert "own key was revoked" in a.shell.refused("device", "revoke", key(c))
        for node in (a, c):
            assert words.split()[3] + " " + words.split()[4] not in node.log


def test_words_open_a_community_that_only_members_read(tmp_path: Path) -> None:
    """The steward's node is gone; a member's node knows the words' key, and lets the new node in by it, and nobody else."""
    with nodes(tmp_path, "abcd") as (a, b, c, d):
        made = a.do("community", "create", "Refuge", "--reading", "members")
        b.do("join", a.do("invite")["link"])
        a.do("add", "Shelter key")
        met(b, lambda: role(b) == "member" and titles(b) == {"Shelter key"} and fingerprints(a, b))
        link, lost = b.do("community", "show")["link"], key(a)
        a.kill()
        stranger = d.shell.run("recovery", "use", link, stdin=("abandon " * 23 + "art").encode())
        assert (stranger.code, "nobody who has this community" in stranger.err) == (1, True)
        paper = tmp_path / "paper"
        paper.write_text(made["recovery_words"])
        used = c.do("recovery", "use", link, "--words-file", str(paper), "--revoke", lost[:10])
        assert (used["name"], used["role"], used["revoked"]) == ("Refuge", "steward", [lost])
        met(c, lambda: titles(c) == {"Shelter key"})
        c.do("add", "Lamp")
        met(c, lambda: titles(b) == {"Shelter key", "Lamp"})
        assert d.entry()["name"] is None
        for node in (b, c):
            trail = node.do("history", "--authority")["history"]
            assert "knock" not in {act["kind"] for entry in trail for act in entry["acts"]}


def test_a_device_is_added_by_a_code_and_revoked_when_lost(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        link = a.do("community", "create", "Valle Alto")["link"]
        b.do("community", "follow", link)
        b.do("add", "Waits")
        code = b.do("device", "request", key(a))["code"]
        a.do("device", "add", code)
        met(b, lambda: titles(a) == {"Waits"})
        you = about(b, "you")
        assert (you["person"], you["device"], you["role"]) == (key(a), "device", "steward")
        a.do("device", "revoke", key(b)[:8])
        met(b, lambda: about(b, "you")["revoked"])
        b.do("add", "After")
        for node in (b, a):
            node.shell.run("sync", "--wait")
        assert titles(a) == {"Waits"}
