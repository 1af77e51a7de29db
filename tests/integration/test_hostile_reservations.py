"""Members who cheat with reservations, between real nodes: what they write is on every disk, and gains them nothing.

A node whose operator cheats is one that stops, gets changesets into its own file that no honest node would write, and goes on.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from commonsnode.home import Home, read_seed
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, build, public_key, sign
from commonsnode_protocol.commitments import KIND
from commonsnode_protocol.intake import Checked, check
from commonsnode_protocol.limits import TIME_MS_MAX
from commonsnode_protocol.record import typed_id
from commonsnode_store.store import Store
from governed_nodes import fingerprints, key, met, nodes
from running_process import Running

BEGIN, END = 3_797_625_600_000, 3_797_712_000_000  # a day of 2090
DAY = "2090-05-05"
YEAR_MS = 365 * 24 * 3_600_000
NONCE = b"cheating".ljust(16, b".")


def planted(
    node: Running,
    record: bytes,
    kind: str,
    fields: Mapping[str, Value],
    time: int,
    refs: Sequence[bytes] = (),
) -> bytes:
    """Into the file of a node that is stopped, by its own key; the id of the changeset."""
    home = Home(node.shell.home)
    seed = read_seed(home)
    with closing(Store.open(home.database_path)) as store:
        (info,) = store.communities()
        writes = {name: (value, ()) for name, value in sorted(fields.items())}
        body = build(
            community=info.id,
            lane=PUBLIC,
            author=public_key(seed),
            time=time,
            refs=sorted(refs),
            changes=[(record, kind, writes)],
        )
        checked = check(info.id, PUBLIC, sign(body, seed))
        assert isinstance(checked, Checked)
        assert store.apply(info.id, PUBLIC, [checked], seen_ms=1).new == (checked.id,)
        return checked.id


def ask_of(node: Running, thing: str, time: int, refs: Sequence[bytes] = ()) -> str:
    """Plant an ask for that day with its own word; its record id."""
    home = Home(node.shell.home)
    with closing(Store.open(home.database_path)) as store:
        (info,) = store.communities()
    record = typed_id(info.id, public_key(read_seed(home)), NONCE)
    said: dict[str, Value] = {"action": "use", "resource": bytes.fromhex(thing), "nonce": NONCE}
    planted(node, record, KIND, {**said, "from": BEGIN, "until": END, "confirmed": True}, time, refs)
    return record.hex()


def states(node: Running) -> dict[str, str]:
    return {one["id"]: one["state"] for one in node.api("GET", "/reservations")[1]["reservations"]}


def reserve(node: Running, thing: str) -> str:
    body = json.dumps({"resource": thing, "from": DAY, "until": DAY}).encode()
    status, document = node.api("POST", "/reservations", body)
    assert status == 201, document
    return str(document["id"])


def has(node: Running, thing: str) -> None:
    """It meets others until it has this thing."""
    met(node, lambda: thing in {one["id"] for one in node.api("GET", "/records")[1]["records"]})


def all_well(*every: Running) -> None:
    for node in every:
        node.stop()
        assert json.loads(node.shell.text("check", "--json"))["ok"]


def test_attack_18_an_ask_backdated_by_a_year_displaces_nobody_whom_the_keeper_confirmed(
    tmp_path: Path,
) -> None:
    with nodes(tmp_path, "abc") as (a, b, c):
        a.do("community", "create", "Valle Alto")
        link = a.do("invite", "--uses", "2")["link"]
        for node in (b, c):
            node.do("join", link)
        drill = str(a.do("add", "Drill", 'lending:={"confirm":"at-once"}')["id"])
        for node in (b, c):
            has(node, drill)
        c.stop()
        honest = reserve(b, drill)
        met(a, lambda: a.api("GET", f"/reservations/{honest}")[1].get("rank") == "confirmed")
        backdated = ask_of(c, drill, BEGIN - 90 * YEAR_MS)
        c.start()
        met(c, lambda: fingerprints(a, b, c))
        expected = {honest: "confirmed", backdated: "displaced"}
        assert met(b, lambda: all(states(node) == expected for node in (a, b, c)))
        all_well(a, b, c)


def test_attack_19_a_member_who_makes_itself_keeper_keeps_nothing(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        a.do("community", "create", "Valle Alto")
        b.do("join", a.do("invite")["link"])
        drill = str(a.do("add", "Drill")["id"])
        has(b, drill)
        b.stop()
        own = bytes.fromhex(key(a))
        thing, itself = bytes.fromhex(drill), public_key(read_seed(Home(b.shell.home)))
        for time in (0, TIME_MS_MAX):
            planted(b, thing, "resource", {"keeper": itself}, time)
        wanted = ask_of(b, drill, 1)
        b.start()
        met(b, lambda: fingerprints(a, b))
        for node in (a, b):
            shown = node.api("GET", f"/reservations/{wanted}")[1]
            assert (shown["state"], shown["keeper"]) == ("asked", own.hex())
            assert [one["act"] for one in shown["no_effect"]] == ["confirmed"]
        all_well(a, b)
