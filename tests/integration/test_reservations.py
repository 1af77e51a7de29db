"""Reservations between real nodes: a loan from ask to return, and what two nodes promised that could not see each other."""

import json
from pathlib import Path
from typing import Any

from governed_nodes import fingerprints, key, met, nodes
from running_process import Running

SAT, SUN = "2090-05-06", "2090-05-07"


def village(a: Running, b: Running) -> str:
    """A community of both, A its steward, and a drill that B keeps; its id."""
    a.do("community", "create", "Valle Alto")
    b.do("join", a.do("invite")["link"])
    drill = str(b.do("add", "Drill")["id"])
    met(a, lambda: any(one["id"] == drill for one in a.api("GET", "/records")[1]["records"]))
    return drill


def reserve(node: Running, thing: str, since: str, until: str) -> Any:
    body = json.dumps({"resource": thing, "from": since, "until": until}).encode()
    status, document = node.api("POST", "/reservations", body)
    assert status == 201, document
    return document


def act(node: Running, what: str, reservation: str) -> Any:
    status, document = node.api("POST", f"/reservations/{reservation}/{what}", b"{}")
    assert status == 200, document
    return document


def states(node: Running) -> dict[str, str]:
    return {one["id"]: one["state"] for one in node.api("GET", "/reservations")[1]["reservations"]}


def matters(node: Running) -> set[tuple[str, str]]:
    return {(one["matter"], one["reservation"]) for one in node.api("GET", "/status")[1]["notices"]}


def test_a_loan_from_ask_to_return(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        drill = village(a, b)
        asked = reserve(a, drill, SAT, SUN)
        one = asked["id"]
        assert (asked["state"], asked["keeper"]) == ("asked", key(b))
        met(b, lambda: ("asked-of-you", one) in matters(b))
        assert act(b, "confirm", one)["state"] == "confirmed"
        met(a, lambda: ("confirmed", one) in matters(a))
        assert act(b, "hand-over", one)["state"] == "out"
        longer = json.loads(a.shell.text("reservation", "extend", one, "--until", "2090-05-08", "--json"))
        assert (longer["from"], longer["all_day"]) == (asked["until"], True)
        met(b, lambda: ("asked-of-you", longer["id"]) in matters(b))
        act(b, "confirm", longer["id"])
        assert act(b, "return", one)["state"] == "returned"
        ended = {one: "returned", longer["id"]: "returned"}
        assert met(a, lambda: states(a) == ended)
        assert states(b) == ended
        assert reserve(a, drill, SAT, SUN)["state"] == "asked"  # the whole span is free again


def test_a_thing_that_is_confirmed_at_once_and_its_keeper_who_confirms_it_as_well(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        drill = village(a, b)
        b.do("edit", drill, 'lending:={"confirm":"at-once"}')
        met(a, lambda: "lending" in a.api("GET", f"/records/{drill}")[1]["fields"])
        b.stop()
        one = reserve(a, drill, SAT, SUN)
        assert (one["state"], one["rank"]) == ("confirmed", "at-once")
        b.start()
        shown = met(a, lambda: a.api("GET", f"/reservations/{one['id']}")[1]["rank"] == "confirmed")
        assert shown
        assert states(b) == {one["id"]: "confirmed"}


def test_two_who_were_promised_the_same_by_nodes_apart_see_one_answer_and_both_are_told(
    tmp_path: Path,
) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        drill = village(a, b)
        b.stop()
        first = reserve(a, drill, SAT, SUN)  # A is a steward, so its word counts as the keeper's
        own = act(a, "confirm", first["id"])
        assert (own["state"], own["rank"]) == ("confirmed", "at-once")
        a.stop()
        b.start()
        second = reserve(b, drill, SAT, SUN)
        assert second["state"] == "confirmed"
        a.start()
        met(b, lambda: fingerprints(a, b))
        settled = states(a)
        assert settled == states(b)
        assert settled == {first["id"]: "confirmed", second["id"]: "displaced"}
        assert ("double", first["id"]) in matters(a)
        assert ("displaced", second["id"]) in matters(b)
        (told,) = [one for one in b.api("GET", "/status")[1]["notices"] if one["matter"] == "displaced"]
        assert told["others"] == [first["id"]]
        act(a, "cancel", first["id"])
        met(b, lambda: ("free-again", second["id"]) in matters(b))
        assert (
            states(b)[second["id"]] == "displaced"
        )  # nobody is given what another has cancelled; one asks anew
        anew = reserve(b, drill, SAT, SUN)
        assert anew["state"] == "confirmed"
        for node in (a, b):
            node.stop()
            assert json.loads(node.shell.text("check", "--json"))["ok"]
            node.start()
