"""`care`, `want`, `offer` on a real node: what people type, and what they read."""

from collections.abc import Iterator

import pytest

from cli_shell import Shell, new_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = new_node(tmp_path_factory.mktemp("care") / "home")
    with shell.up():
        shell.document("community", "create", "Valle Alto", "--zone", "America/Guayaquil")
        yield shell


def test_who_did_what_is_noted_and_read_again(node: Shell) -> None:
    thing = node.document("add", "Mower")["id"]
    event = node.document("care", thing[:10], "--did", "sharpened the blade", "--condition", "good")["event"]
    found = node.document("care", "list", thing)
    assert [(one["id"], one["did"]) for one in found["log"]] == [(event, "sharpened the blade")]
    text = node.text("care", "list", thing)
    assert "sharpened the blade" in text
    assert "condition good" in text
    assert "cared for" in node.text("show", thing)
    node.document("care", thing, "--did", "sharpened it badly", "--corrects", event[:10])
    assert "(corrected)" in node.text("care", "list", thing)


def test_what_a_thing_needs_is_due_until_it_is_done(node: Shell) -> None:
    thing = node.document("add", "Chainsaw")["id"]
    node.document("care", "rule", thing, "oil", "--days", "90", "--uses", "20")
    assert "0 of 20 uses" in node.text("show", thing)
    node.document("care", thing, "--did", "oil", "--at", "2020-03-01")
    assert [(one["title"], one["task"]) for one in node.document("care", "due")["due"]] == [
        ("Chainsaw", "oil")
    ]
    line = node.text("care", "due")
    assert "Chainsaw" in line
    assert "2020-03-01" in line
    assert "due" in node.text("show", thing)
    node.text("care", thing, "--did", "Oil")
    assert node.document("care", "due")["due"] == []
    node.text("care", "rule", thing, "oil", "--remove")
    assert node.document("show", thing)["care"]["tasks"] == []


def test_what_is_out_for_maintenance_says_so(node: Shell) -> None:
    thing = node.document("add", "Trailer")["id"]
    assert "not lent" in node.text("care", thing, "--out")
    assert "out for maintenance" in node.text("care", "list", thing)
    assert node.run("reserve", thing, "--from", "tomorrow").code == 1
    assert "it is back" in node.text("care", thing, "--back")
    assert node.run("reserve", thing, "--from", "tomorrow").code == 0
    node.document("care", thing, "--out-until", "2100-05-01")
    assert "2100-05-0" in node.text("show", thing)


@pytest.mark.parametrize(
    "words",
    [
        ("care", "ab12"),
        ("care", "ab12", "--condition", "fine"),
        ("care", "ab12", "--out", "--back"),
        ("care", "rule", "ab12", "oil"),
        ("care", "rule", "ab12", "oil", "--days", "3", "--remove"),
        ("want", "  "),
        ("offer", "x", "--at", "here"),
    ],
)
def test_wrong_usage_ends_with_2(node: Shell, words: tuple[str, ...]) -> None:
    assert node.run(*words).code == 2


def test_what_is_refused_names_the_part(node: Shell) -> None:
    thing = node.document("add", "Ladder")["id"]
    assert "at: " in node.refused("care", thing, "--did", "x", "--at", "2100-01-01")
    assert "until" in node.refused("want", "a saw", "--from", "2026-05-02", "--until", "2026-05-01")
    assert "no record" in node.refused("care", "ffffffff", "--did", "x")


def test_what_is_wanted_and_offered_is_found_like_things(node: Shell) -> None:
    words = ["--from", "2026-05-01", "--until", "2026-05-31", "--at", "0.3012345,-78.2654321"]
    wanted = node.document("want", "two days of tractor", *words, "amount=2", "unit=days")
    assert wanted["blurred"] == 1_000
    node.document("offer", "pruning of fruit trees")
    found = node.document("list", "--kind", "intent", "--search", "tractor")["records"]
    assert [one["title"] for one in found] == ["two days of tractor"]
    fields = node.document("show", wanted["id"])["fields"]
    may, june = 1_777_611_600_000, 1_780_290_000_000  # midnight in Guayaquil
    assert (fields["direction"], fields["from"], fields["until"]) == ("need", may, june)
    assert fields["place"] == {"lat": 3_012_345, "lon": -782_654_321}
    titles = {
        one["title"]: one["fields"]["direction"]
        for one in node.document("list", "--kind", "intent")["records"]
    }
    assert titles == {"two days of tractor": "need", "pruning of fruit trees": "offer"}
    assert node.text("offer", "a ride to town", "--from", "sat").startswith("offered: a ride to town")
