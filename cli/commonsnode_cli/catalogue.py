"""Which commands there are: where each is defined, and the line that the overview has for it.

The overview is made from this table alone, so that `commonsnode --help` answers at once.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """A command, or a group of commands. module: in commonsnode_cli.commands; its `app` is or has it."""

    name: str
    module: str
    summary: str


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "This node": (
        Entry("init", "node", "Create a node in the home folder."),
        Entry("up", "node", "Run the node, in the foreground."),
        Entry("status", "node", "Addresses, communities and peers of the running node."),
        Entry("id", "node", "The key that this node signs with."),
        Entry("check", "check", "Verify everything on the disk; --rebuild computes it anew."),
        Entry("version", "node", "The version of this program."),
    ),
    "Communities and people": (
        Entry("community", "community", "create, list, show, follow, leave"),
        Entry("invite", "invitation", "Make a link and a QR code by which somebody joins."),
        Entry("join", "invitation", "Join a community by such a link."),
        Entry("member", "member", "grant, revoke, adopt, list, contact"),
        Entry("steward", "steward", "propose, approve, succeed, object, list"),
        Entry("person", "person", "add, list, lock, unlock, words, export, import, trust, passphrase"),
        Entry("device", "device", "list, request, add, revoke: the nodes that write as you"),
        Entry("recovery", "recovery", "make, use: words on paper that bring you back on a new node"),
    ),
    "Things": (
        Entry("find", "find", "What can be used near a place, when; the nearest first."),
        Entry("add", "thing", "Add a thing to the inventory."),
        Entry("edit", "thing", "Change fields of a thing."),
        Entry("show", "thing", "One thing, with everything that is said about it."),
        Entry("list", "thing", "List or search the inventory."),
        Entry("remove", "thing", "Remove a thing; `restore` brings it back."),
        Entry("restore", "thing", "Bring back what was removed."),
        Entry("history", "thing", "Who changed what, and when."),
        Entry("want", "want", "Say what you need."),
        Entry("offer", "want", "Say what you offer."),
        Entry("care", "care", "ID --did TEXT: note what you did to a thing; also list, due, rule"),
    ),
    "Lending": (
        Entry("reserve", "reserve", "Ask for a thing, from one time until another."),
        Entry(
            "reservation",
            "reservation",
            "list, show, confirm, decline, cancel, extend, hand-over, return, damage",
        ),
        Entry("calendar", "calendar", "link, list, withdraw: your reservations in a program for calendars"),
    ),
    "Files": (
        Entry("import", "file", "Take in a CSV, XLSX, GeoJSON, JSON Lines or YAML file."),
        Entry("export", "file", "Write the inventory of a community to a file."),
    ),
    "Other nodes": (
        Entry("peer", "peer", "add, list, graph, remove"),
        Entry("sync", "peer", "Meet the known peers now; --wait until all are in step."),
    ),
    "To look around": (Entry("demo", "demo", "Three nodes of a made-up valley, with an inventory."),),
}

ENTRIES = {entry.name: entry for section in SECTIONS.values() for entry in section}

_HEAD = """\
Usage: commonsnode [--home DIR] [--as NAME] COMMAND …

One node of a community's inventory: it works without a network, and agrees with the others when they meet.
"""
_FOOT = """
Options:
  --home DIR              the folder of the node (else COMMONSNODE_HOME, else the platform's folder for data)
  --as NAME               with things, history, care, want, offer, reserve, reservation, calendar, join, invite, member, steward, device,
                          recovery make, community show and leave: as a person who has an account here
  --passphrase-file FILE  with --as: the passphrase is its first line; `-`: of stdin (else a prompt asks)
  --json                  with any command: print one JSON document on stdout, and nothing else there
  --install-completion    complete commands with Tab in this shell; --show-completion prints the script
  --help                  this page; with a command: its options

Exit codes: 0 done; 1 refused or failed, with one line on stderr; 2 wrong usage.

A beginning:
  commonsnode init
  commonsnode up &
  commonsnode community create "Valle Alto"
  commonsnode add "post-hole auger" condition=good
"""


def overview() -> str:
    """The page for `commonsnode --help`."""
    width = max(map(len, ENTRIES)) + 2
    lines = [_HEAD]
    for title, entries in SECTIONS.items():
        lines.append(f"{title}:")
        lines += [f"  {entry.name:<{width}}{entry.summary}" for entry in entries]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n" + _FOOT
