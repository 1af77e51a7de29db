"""What programs were promised of the commands on people, charter and invitations: each takes --json, and gives these keys.

`show ID --json`: field → value, author, why. `member revoke ID` takes the `id` that `member list --json` shows.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli_shell import Shell
from commonsnode.authoring import Author
from commonsnode.home import Home, read_seed
from commonsnode_protocol.authority import writing
from commonsnode_store.store import Store
from governed_nodes import key, met, nodes, role, titles
from running_process import Running

PASSPHRASE = b"four words of hers\n"
OTHER, THIRD = "ab" * 32, "cd" * 32


class Village(NamedTuple):
    """A founder; somebody who joined by a link and has no role any more; and what was said on the way, by command."""

    founder: Running
    member: str
    said: dict[str, Any]
    void: str  # a thing of which the member wrote what has no effect

    @property
    def shell(self) -> Shell:
        return self.founder.shell


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    with nodes(tmp_path_factory.mktemp("village"), "ab") as (a, b):
        said = {"community create": a.do("community", "create", "Valle Alto")}
        said["invite"] = a.do("invite", "--name", "Rosa")
        said["join"] = b.do("join", said["invite"]["link"])
        met(b, lambda: role(b) == "member")
        thing = a.do("add", "Anvil")["id"]
        met(b, lambda: titles(b) == {"Anvil"})
        b.do("edit", thing, "condition=good")
        met(a, lambda: a.do("show", thing)["fields"].get("condition") == "good")
        member = key(b)
        b.stop()
        revoke_without_naming(a, member)
        yield Village(a, member, said, thing)


def revoke_without_naming(founder: Running, member: str) -> None:
    """A revocation as by a node that has nothing of what the member wrote: `member revoke` would let that stand."""
    founder.stop()
    home = Home(founder.shell.home)
    with closing(Store.open(home.database_path)) as store:
        (info,) = store.communities()
        author = Author(store, read_seed(home), int(time.time() * 1_000), lambda *_: None)
        held = store.evaluator(info.id)
        author.act(
            info.id,
            writing.revocation(held, author.key, bytes(16), bytes.fromhex(member), {}, lambda _: False),
        )
    founder.start()


Words = tuple[str, ...]
AGREED: dict[str, tuple[Callable[[Village], Words], set[str]]] = {
    "member list": (lambda _: ("member", "list", "--all"), {"members"}),
    "member grant": (lambda _: ("member", "grant", OTHER), {"id", "role", "changeset", "waiting"}),
    "member revoke": (lambda _: ("member", "revoke", OTHER), {"id", "role", "changeset", "named"}),
    "member contact": (lambda _: ("member", "contact"), {"id", "name", "phone", "mail", "place", "note"}),
    "steward list": (lambda _: ("steward", "list"), {"table", "stewards", "chain", "proposals", "elections"}),
    "steward propose": (
        lambda _: ("steward", "propose", "--add", OTHER),
        {"id", "state", "needed", "signed"},
    ),
    "community list": (lambda _: ("community", "list"), {"communities"}),
    "community show": (
        lambda _: ("community", "show"),
        {
            *(
                "id",
                "name",
                "link",
                "founder",
                "stewards",
                "settings",
                "roles",
                "people",
                "you",
                "invitations",
            ),
            *("devices", "recovery", "history", "proposals", "elections", "table", "members_count"),
        },
    ),
    "history --authority": (lambda _: ("history", "--authority"), {"history", "total"}),
    "invite": (lambda _: ("invite",), {"link", "id", "role", "uses", "name"}),
    "invite --withdraw": (
        lambda v: ("invite", "--withdraw", v.said["invite"]["id"]),
        {"id", "used", "changeset"},
    ),
    "device list": (lambda _: ("device", "list"), {"person", "keys"}),
    "recovery make": (
        lambda _: ("recovery", "make"),
        {"recovery_words", "key", "communities", "left_out"},
    ),
    "person add": (lambda _: ("person", "add", "Ana", "--passphrase-file", "-"), {"id", "name", "words"}),
    "person list": (lambda _: ("person", "list"), {"persons"}),
    "person lock": (lambda _: ("person", "lock", "Ana"), {"id", "name", "locked"}),
    "person unlock": (lambda _: ("person", "unlock", "Ana"), {"id", "name", "locked"}),
    "show": (lambda v: ("show", v.void), {"id", "fields", "void", "conflicts"}),
}


@pytest.mark.parametrize("command", AGREED)
def test_a_command_gives_the_keys_that_were_agreed(village: Village, command: str) -> None:
    words, keys = AGREED[command]
    before = ("--json", *words(village)) if command == "member list" else (*words(village), "--json")
    ended = village.shell.run(*before, stdin=PASSPHRASE)
    assert (ended.code, ended.err) == (0, ""), ended
    document = json.loads(ended.out)
    assert keys <= document.keys()


def test_a_refusal_is_one_line_and_no_document(village: Village) -> None:
    ended = village.shell.run("steward", "approve", "00000000", "--json")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (1, "", 1)


def test_a_link_is_made_and_used_by_programs(village: Village) -> None:
    assert village.said["invite"]["link"].startswith("commons:")
    joined = village.said["join"]
    assert (joined["community"], joined["role"]) == (village.founder.entry()["id"], "member")
    assert len(village.said["community create"]["recovery_words"].split()) == 24


def test_who_is_listed_is_revoked_by_the_id_that_is_shown(village: Village) -> None:
    village.founder.do("member", "grant", THIRD)
    row = next(one for one in village.founder.do("member", "list")["members"] if one["id"] == THIRD)
    assert row.keys() >= {"id", "role", "since", "by", "you", "name"}
    assert village.founder.do("member", "revoke", row["id"])["id"] == THIRD
    trail = village.founder.do("history", "--authority")["history"]
    assert trail[-1].keys() >= {"changeset", "author", "author_name", "time", "stands", "acts"}
    assert trail[-1]["acts"][0].keys() == {"kind", "text", "void", "why"}


def test_what_has_no_effect_is_marked_with_author_and_reason(village: Village) -> None:
    shown = village.founder.do("show", village.void)
    assert "condition" not in shown["fields"]
    (write,) = shown["void"]["condition"]
    assert (write["value"], "role was taken back" in write["why"]) == ("good", True)
    assert write["author"] == village.member


def test_stewards_sign_one_anothers_proposals(tmp_path: Path) -> None:
    with nodes(tmp_path, "ab") as (a, b):
        b.do("community", "follow", a.do("community", "create", "Valle Alto")["link"])
        a.do("steward", "propose", "--add", key(b))
        met(b, lambda: role(b) == "steward")
        waits = a.do("steward", "propose", "--set", "quorum=2")
        assert (waits["state"], waits["needed"], waits["signed"]) == ("proposed", 2, [key(a)])
        met(b, lambda: b.do("steward", "list")["proposals"])
        done = b.do("steward", "approve", waits["id"])
        assert done.keys() >= {"id", "state", "needed", "signed"}
        assert (done["id"], done["state"]) == (waits["id"], "done")
