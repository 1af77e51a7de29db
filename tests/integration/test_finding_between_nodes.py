"""A question on real nodes: a member's, a follower's, a stranger's on TCP, and that of somebody who uses another's node."""

import csv
import io
import json
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from governed_nodes import key
from running_process import Running

Pair = tuple[Running, Running]

PASSPHRASE = b"four words of hers\n"
NEAR = ("--near", "0.3004,-78.2634")


def found(node: Running, *words: str) -> dict[str, int | None]:
    return {one["title"]: one["distance_m"] for one in node.do("find", *words)["results"]}


def on_tcp(node: Running, accept: str, **question: str) -> str:
    url = f"http://127.0.0.1:{node.port}/api/v1/resources?{urlencode(question)}"
    with urlopen(Request(url, headers={"Accept": accept}), timeout=30) as response:
        assert response.headers["Content-Type"].startswith(accept)
        text: str = response.read().decode()
        return text


def test_all_find_it_members_where_it_is_and_others_about_where(pair: Pair) -> None:
    a, b = pair
    a.do("add", "cement mixer", "--at", "0.3004,-78.2634", 'lending:={"to":"members"}')
    a.do("add", "drill", "--at", "0.3104,-78.2634", "--exact-place")
    b.do("sync", "--wait")
    assert found(a, *NEAR) == {"cement mixer": 0, "drill": 1_112}
    follower = found(b, *NEAR)
    assert follower.keys() == {"cement mixer", "drill"}
    assert all(distance is not None and distance % 1_000 == 0 for distance in follower.values())
    assert found(b, "--for-me") == {"drill": None}

    a.do("member", "grant", key(b))
    b.do("sync", "--wait")
    a.do("sync", "--wait")
    b.do("sync", "--wait")
    assert found(b, *NEAR, "--for-me") == {"cement mixer": 0, "drill": 1_112}

    rows = list(csv.DictReader(io.StringIO(on_tcp(b, "text/csv", near="0.3004,-78.2634", text="mixer"))))
    assert [(row["title"], row["terms"]) for row in rows] == [("cement mixer", "not lent")]
    assert int(rows[0]["distance_m"]) % 1_000 == 0
    assert (float(rows[0]["lat"]), float(rows[0]["lon"])) != (0.3004, -78.2634)
    features = json.loads(on_tcp(b, "application/geo+json", near="0.3004,-78.2634"))["features"]
    assert {one["properties"]["title"] for one in features} == {"cement mixer", "drill"}


def test_what_is_lent_on_one_node_is_not_idle_on_the_other(pair: Pair) -> None:
    a, b = pair
    a.do("member", "grant", key(b))
    mixer = a.do("add", "cement mixer", "--at", "0.3004,-78.2634")["id"]
    b.do("sync", "--wait")
    when = ("--from", "2028-01-08T09:00Z", "--until", "2028-01-08T12:00Z")
    assert found(b, *when) == {"cement mixer": None}
    asked = b.do("reserve", mixer, *when)
    a.do("sync", "--wait")
    assert found(a, *when) == {}
    assert a.do("reservation", "confirm", asked["id"])["state"] == "confirmed"
    b.do("sync", "--wait")
    for node in pair:
        assert found(node, *when) == {}
        assert found(node, "--from", "2028-01-08T12:00Z", "--until", "2028-01-08T13:00Z") == {
            "cement mixer": None
        }
    b.do("reservation", "cancel", asked["id"])
    a.do("sync", "--wait")
    assert found(a, *when) == {"cement mixer": None}


def test_a_person_of_this_node_asks_with_what_they_may_know(pair: Pair) -> None:
    a, _ = pair
    a.do("add", "cement mixer", "--at", "0.3004,-78.2634", 'lending:={"to":"members"}')
    added = a.shell.run("person", "add", "Rosa", "--passphrase-file", "-", "--json", stdin=PASSPHRASE)
    rosa = json.loads(added.out)["id"]

    def asks() -> tuple[bool, int]:
        words = ("--as", "Rosa", "--passphrase-file", "-", "find", "--near", "0.3005,-78.2634", "--json")
        (one,) = json.loads(a.shell.run(*words, stdin=PASSPHRASE).out)["results"]
        return one["terms"]["lent"], one["distance_m"]

    lent, distance = asks()
    assert (lent, distance % 1_000) == (False, 0)
    a.do("member", "grant", rosa)
    assert asks() == (True, 11)
