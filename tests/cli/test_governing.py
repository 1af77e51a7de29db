"""Charter, people, invitations and stewards by the command line: one document with --json, lines for people, one line when refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_shell import Shell, new_node

PEOPLE = ["ab" * 32, "cd" * 32]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def valley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A running node that founded a community with a charter."""
    shell = new_node(tmp_path_factory.mktemp("valley") / "home")
    with shell.up():
        words = ["--language", "es", "--language", "qu-EC", "--at", "0.35,-78.12,Cotacachi"]
        words += ["--licence", "ODbL-1.0", "--quorum", "2", "--share", "1/2", "--newcomers-read-past", "no"]
        words += ["--zone", "America/Guayaquil"]
        words += ["--grid", "250"]
        shell.document("community", "create", "Valle Alto", *words)
        yield shell


def test_a_charter_is_what_was_asked_and_is_shown(valley: Shell) -> None:
    shown = valley.document("community", "show")
    assert shown["settings"] == {
        "languages": ["es", "qu-EC"],
        "place": {"lat": 3_500_000, "lon": -781_200_000, "name": "Cotacachi"},
        "reading": "public",
        "quorum": 2,
        "licence": "ODbL-1.0",
        "newcomers_read_past": False,
        "share": [1, 2],
        "grid": 250,
        "lending": {},
        "zone": "America/Guayaquil",
    }
    assert (shown["founder"], shown["stewards"]) == (shown["you"]["id"], [shown["you"]["id"]])
    assert shown["roles"]["steward"] == 1
    text = valley.text("community", "show")
    for said in ("es, qu-EC", "Cotacachi (0.35,-78.12)", "ODbL-1.0", "1 of 2 members", "to 250 m", "steward"):
        assert said in text


def test_the_time_zone_is_that_of_the_machine_where_nobody_says_another(tmp_path: Path) -> None:
    node = new_node(tmp_path / "home")
    with node.up():
        for zone, expected in (("America/Guayaquil", "America/Guayaquil"), ("UTC", "")):
            made = node.run("community", "create", f"Valle {zone}", "--json", TZ=zone)
            assert made.code == 0, made
            shown = node.document("community", "show", f"Valle {zone}")
            assert shown["settings"]["zone"] == expected


def test_rules_of_lending_are_set_one_by_one_and_checked(tmp_path: Path) -> None:
    node = new_node(tmp_path / "home")
    with node.up():
        made = node.run(
            "community", "create", "Valle", "--lending", "longest_minutes:=4320", "--lending", "to=members"
        )
        assert "recovery words" in made.out
        assert "keep it where this node is not" in made.err
        assert "longest_minutes 4320" in node.text("community", "show")
        node.document("steward", "propose", "--lending", "to=", "--lending", "lead_minutes:=60")
        lending = node.document("community", "show")["settings"]["lending"]
        assert lending == {"longest_minutes": 4320, "lead_minutes": 60}
        assert "must be minutes" in node.refused("steward", "propose", "--lending", "lead_minutes=soon")
        assert "is no field" in node.refused("steward", "propose", "--lending", "soon", code=2)


def test_a_community_shows_keys_recovery_and_what_was_done(tmp_path: Path) -> None:
    node = new_node(tmp_path / "home")
    with node.up():
        node.document("community", "create", "Valle")
        node.document("member", "grant", PEOPLE[0])
        shown = node.document("community", "show")
        assert ([one["kind"] for one in shown["devices"]], shown["recovery"]) == (["first", "recovery"], True)
        assert shown["elections"] == []
        acts = [act["text"].split(" ")[0] for entry in shown["history"] for act in entry["acts"]]
        assert acts == ["founded", "added", "admitted"]
        text = node.text("community", "show")
        assert "recovery    made" in text
        assert f"admitted {PEOPLE[0][:8]} as member" in text
        words = node.text("recovery", "make").split(":", 1)[1].split()
        assert len(words) == 24
        assert len(node.document("device", "list")["keys"]) == 3
        assert "is not whole" in node.refused("device", "add", "commons-device:ab")
        assert "64 hexadecimal digits" in node.refused("device", "request", "ab", code=2)
        assert "no id of a member" in node.refused("steward", "succeed", "--add", "ab", code=2)
        assert "no open election" in node.refused("steward", "object", PEOPLE[0])


def test_an_invitation_is_a_link_and_a_picture(valley: Shell, tmp_path: Path) -> None:
    made = valley.document("invite", "--name", "Rosa", "--uses", "3", "--qr", str(tmp_path / "rosa.png"))
    assert made["link"].startswith("commons:")
    assert "invite=" in made["link"]
    assert (tmp_path / "rosa.png").read_bytes().startswith(PNG)
    text = valley.text("invite", "--role", "mirror", "--qr", str(tmp_path / "mirror.svg"))
    assert "to join Valle Alto as mirror" in text
    assert b"<svg" in (tmp_path / "mirror.svg").read_bytes()
    listed = {one["id"]: one for one in valley.document("community", "show")["invitations"]}
    assert (listed[made["id"]]["name"], listed[made["id"]]["uses"]) == ("Rosa", 3)
    assert "member for Rosa, 0 of 3 joined" in valley.text("community", "show")
    withdrawn = valley.document("invite", "--withdraw", made["id"][:8])
    assert (withdrawn["id"], withdrawn["used"]) == (made["id"], 0)
    assert "withdrawn already" in valley.text("invite", "--withdraw", made["id"])
    assert "withdrawn" in valley.text("community", "show")
    assert "no invitation here has the id" in valley.refused("invite", "--withdraw", "00000000")
    assert "cannot be written" in valley.refused("invite", "--qr", str(tmp_path / "no" / "folder.png"))


def test_people_come_and_go_and_come_again(valley: Shell) -> None:
    person = PEOPLE[0]
    valley.document("member", "grant", person)
    listed = valley.document("member", "list")["members"]
    assert {"id": person, "role": "member"}.items() <= listed[-1].items()
    assert {"since", "by"} <= listed[-1].keys()
    revoked = valley.document("member", "revoke", person[:6])
    assert (revoked["id"], revoked["role"]) == (person, "member")
    assert person not in {one["id"] for one in valley.document("member", "list")["members"]}
    (gone,) = [one for one in valley.document("member", "list", "--all")["members"] if one["id"] == person]
    assert gone["role"] == "removed"
    assert "no role in this community any more" in valley.refused("member", "revoke", person)
    assert "no member here has the id" in valley.refused("member", "revoke", "1234")
    valley.document("member", "grant", person)
    assert person in {one["id"] for one in valley.document("member", "list")["members"]}
    assert "no member of Valle Alto any more" in valley.text("member", "revoke", person)
    thing = valley.document("add", "Auger")["id"]
    assert "is without effect" in valley.refused("member", "adopt", thing)


def test_a_lone_steward_changes_the_charter_and_adds_a_second(valley: Shell) -> None:
    assert "at least one steward" in valley.refused(
        "steward", "propose", "--remove", valley.document("id")["id"]
    )
    assert valley.document("steward", "propose", "--set", "licence=CC0-1.0")["state"] == "done"
    assert valley.document("community", "show")["settings"]["licence"] == "CC0-1.0"
    assert valley.document("steward", "propose", "--add", PEOPLE[1])["state"] == "done"
    proposed = valley.document("steward", "propose", "--set", "quorum=")
    assert (proposed["state"], proposed["needed"], len(proposed["signed"])) == ("proposed", 2, 1)
    tables = valley.document("steward", "list")
    assert [one["id"] for one in tables["stewards"]][1] == PEOPLE[1]
    assert [one["id"] for one in tables["proposals"]] == [proposed["id"]]
    assert len(tables["chain"]) == 3
    assert "set quorum  (1 of 2 signed)" in valley.text("steward", "list")
    assert "1 more must sign" in valley.refused("steward", "approve", proposed["id"][:8])
    assert "steward propose --remove" in valley.refused("member", "revoke", PEOPLE[1])


def test_the_audit_trail_says_it_all_in_plain_words(valley: Shell) -> None:
    found = valley.document("history", "--authority")
    assert found["total"] == len(found["history"])
    first = found["history"][0]
    assert [act["text"] for act in first["acts"]] == ["founded the community 'Valle Alto'"]
    assert first["stands"]
    texts = valley.text("history", "--authority")
    for said in (
        "founded the community",
        "made invitation",
        "took the role of abababab back",
        "decided to set licence",
    ):
        assert said in texts


@pytest.mark.parametrize(
    "tail",
    ["", "?invite=12", f"?invite={'12' * 32}&role=steward"],
    ids=["no invitation", "cut off", "another role"],
)
def test_a_link_that_admits_nobody_is_one_clear_line_without_its_secret(valley: Shell, tail: str) -> None:
    said = valley.refused("join", f"commons:{'01' * 32}{tail}")
    assert said.count("\n") == 1
    assert "12" * 32 not in said


def test_contact_details_for_people_and_what_is_said_wrongly(valley: Shell) -> None:
    text = valley.text("member", "contact", "--name", "Rosa", "--phone", "12 34", "--place", "the mill")
    key = valley.text("id").strip()
    assert text.splitlines() == [f"Rosa  {key}", "  phone   12 34", "  place   the mill"]
    assert valley.text("member", "contact", key[:10]) == text
    assert "Rosa" in valley.text("steward", "list")
    assert "gives no ID" in valley.refused("member", "contact", key, "--phone", "1", code=2)
    assert "no member here" in valley.refused("member", "contact", "0123456789")
    assert "phone" in valley.refused("member", "contact", "--phone", "1" * 300)
    assert valley.document("member", "contact", "--clear")["name"] is None
