"""`reserve` and `reservation`: what a person types, sees and is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli_shell import Ended, Shell

PASSPHRASE = b"four words of hers\n"
FROM_STDIN = ("--passphrase-file", "-")

Rosa = Callable[..., Ended]


@pytest.fixture(scope="module")
def rosa(node: Shell) -> Rosa:
    """The command as Rosa, a member who has an account on the node."""
    added = json.loads(node.run("person", "add", "Rosa", *FROM_STDIN, "--json", stdin=PASSPHRASE).out)
    node.document("member", "grant", added["id"])
    return lambda *words: node.run("--as", "Rosa", *FROM_STDIN, *words, stdin=PASSPHRASE)


def of(ended: Ended) -> Any:
    assert ended.code == 0, ended
    return json.loads(ended.out)


def add(node: Shell, title: str, *words: str) -> str:
    return str(node.document("add", title, *words)["id"])


def test_a_member_asks_the_keeper_confirms_and_both_see_it(node: Shell, rosa: Rosa) -> None:
    mixer = add(node, "Cement mixer")
    asked = of(rosa("reserve", mixer[:8], "--from", "2090-05-01", "--until", "2090-05-02", "--json"))
    assert asked["state"] == "asked"
    one = asked["id"]
    assert "2090-05-01 to 2090-05-02" in node.text("reservation", "list", "--asked-of-me", "--open")
    refused = rosa("reservation", "confirm", one)
    assert (refused.code, "only a steward can confirm it, or its keeper" in refused.err) == (1, True)
    assert node.document("reservation", "confirm", one[:8])["state"] == "confirmed"
    shown = of(rosa("reservation", "show", one, "--json"))
    assert (shown["state"], shown["mine"], shown["asked_of_me"]) == ("confirmed", True, False)
    assert shown["terms"] == {"lent": True, "use": "free", "fee": "", "why": "nothing is said about terms"}
    (row,) = of(rosa("reservation", "list", "--mine", "--of", mixer, "--json"))["reservations"]
    assert row == shown
    assert f"reserved: 2090-05-01 to 2090-05-02, {asked['by'][:8]}: confirmed" in node.text("show", mixer)
    assert "Cement mixer" in node.text("list")
    assert one not in node.text("list")
    assert one in node.text("list", "--kind", "commitment")
    assert node.text("reservation", "hand-over", one).startswith("out: Cement mixer")
    assert node.text("reservation", "return", one).startswith("returned: Cement mixer")


def test_what_is_not_free_is_waited_for(node: Shell, rosa: Rosa) -> None:
    saw = add(node, "Chain saw")
    first = node.document("reserve", saw, "--from", "2090-05-01")
    assert first["state"] == "confirmed"  # who keeps it needs nobody's word
    second = rosa("reserve", saw, "--from", "2090-05-01 9:00", "--until", "2090-05-01 12:00")
    assert second.code == 0
    assert second.out.startswith("displaced, number 1 in the waiting list: Chain saw, 2090-05-01 09:00")
    assert f"2090-05-01: confirmed, {first['by'][:8]}  {first['id'][:12]}" in second.err
    node.document("reservation", "cancel", first["id"], "--why", "rain")
    shown = node.text("reservation", "show", first["id"])
    assert "cancelled: Chain saw" in shown
    assert "rain" in shown


def test_what_cannot_be_had_is_refused_by_the_name_of_what_was_asked(node: Shell, rosa: Rosa) -> None:
    lending = "lending:=" + json.dumps({"longest_minutes": 2_880, "lead_minutes": 60})
    hours = "hours:=" + json.dumps(
        {"rules": [{"rrule": "FREQ=WEEKLY;BYDAY=SA", "start": "09:00", "end": "10:00"}]}
    )
    drill = add(node, "Drill", lending, hours, "amount=2")
    for words, said in [
        (("--from", "2090-05-08"), "from: it is closed then"),
        (("--from", "2090-05-06 9:00", "--until", "2090-05-06 12:00"), "until: it is closed then"),
        (("--from", "2090-05-06", "--until", "2090-05-13"), "until: it is lent for 2 days at most"),
        (("--from", "2090-05-06", "--amount", "3"), "amount: there are 2 of it"),
        (("--from", "2090-05-06", "--amount", "-1"), "amount: is a number above zero"),
        (("--from", "2020-05-02"), "from: it is asked for 1 hour before"),
        (("--from", "2090-05-06", "--until", "2090-05-01"), "until: "),
        (("--from", "2090-02-30"), "from: 2090-02-30 is no date"),
    ]:
        assert said in node.refused("reserve", drill, *words), words
    rake = add(node, "Rake", "lending:=" + json.dumps({"to": "nobody"}))
    assert "resource: this thing says that it is lent to nobody" in node.refused(
        "reserve", rake, "--from", "sat"
    )
    axe = add(node, "Axe", "condition=broken")
    assert "resource: is not in working order" in node.refused("reserve", axe, "--from", "sat")
    assert "no record here" in node.refused("reserve", "0" * 32, "--from", "sat")
    assert rosa("reservation", "show", "0" * 32).code == 1


def test_two_of_three_alike_are_had_by_two_people(node: Shell, rosa: Rosa) -> None:
    chairs = add(node, "Chairs", "amount=3")
    assert node.document("reserve", chairs, "--from", "2090-06-01", "--amount", "2")["state"] == "confirmed"
    assert of(rosa("reserve", chairs, "--from", "2090-06-01", "--json"))["state"] == "asked"
    assert of(rosa("reserve", chairs, "--from", "2090-06-01", "--json"))["waiting"] == 1
