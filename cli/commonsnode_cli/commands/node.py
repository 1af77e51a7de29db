"""`init`, `up`, `status`, `id`, `version`: the node itself."""

import contextlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commonsnode_cli.failures import ReaderGone, Refused, WrongUsage
from commonsnode_cli.invocation import Invocation, Json
from commonsnode_cli.wording import step
from commonsnode_cli.words import text

if TYPE_CHECKING:
    from commonsnode.daemon import Ready
    from commonsnode.errors import NodeError

PEERS_SHOWN = 8  # so that `status` stays on one screen

app = typer.Typer(add_completion=False)

LogFormat = Annotated[
    str | None, typer.Option("--log-format", metavar="json|text", help="How the log on stderr is written.")
]


@app.command()
def init(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option(help="What people call this node, as in 'village hall'.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create a node: its folder, its key, its settings and an empty database.

    On a terminal it asks for a name where none is given; anywhere else it never asks.
    """
    from commonsnode import config, home
    from commonsnode.errors import NodeError

    call = Invocation.of(context, as_json)
    try:
        if name is None and not call.as_json and sys.stdin.isatty() and not home.Home(call.home).is_node():
            name = typer.prompt("What do people call this node", default=_machine_name(), err=True)
        if name is not None:
            config.load(call.home / "no-file", arguments={"name": text(name, "the name")})
        made = home.init(call.home)
        if name is not None:
            _write_name(made.config_path, name)
        node = home.node_id(home.read_seed(made)).hex()
    except NodeError as error:
        raise Refused(one_line(error)) from error
    if call.as_json:
        call.out.document({"id": node, "home": str(call.home.absolute())})
        return
    call.out.line("created: the node ", node, f" in {call.home}")
    call.out.say(f"  start it: {call.command} up")


@app.command()
def up(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="For peers and pages; 0 takes a free port. Else 8450."),
    ] = None,
    log_format: LogFormat = None,
    as_json: Json = False,
) -> None:
    """Run the node, in the foreground, until Ctrl-C or SIGTERM.

    When it is ready it prints its addresses, and the command line that reaches it.
    """
    if log_format not in (None, "json", "text"):
        raise WrongUsage(
            f"the log can be written as json or text, not as {log_format!r} (see commonsnode up --help)"
        )
    from commonsnode import config, daemon, home
    from commonsnode.errors import NodeError

    call = Invocation.of(context, as_json)
    try:
        opened = home.open_home(call.home)
        settings = config.load(opened.config_path, os.environ, {"port": port, "log_format": log_format})
        daemon.run(settings, opened, on_ready=lambda ready: _show_ready(call, ready))
    except NodeError as error:
        raise Refused(one_line(error)) from error


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Addresses, communities and peers of the running node."""
    call = Invocation.of(context, as_json)
    found = call.node.get("/status")
    if call.as_json:
        call.out.document(found)
        return
    call.out.line("node       ", (found["node"], "bold"), f"  (version {found['version']})")
    for number, address in enumerate(found["addresses"]):
        call.out.line("addresses  " if number == 0 else "           ", address)
    if found["lan"]:
        call.out.line("on the LAN ", found["lan"])
    _communities(call, found["communities"])
    _peers(call, found)
    if found["notices"]:
        call.out.line("reservations:")
    for notice in found["notices"]:
        call.out.line(f"  {notice['text']}")


@app.command(name="id")
def id_(context: typer.Context, as_json: Json = False) -> None:
    """Print the key that this node signs with: what `member grant` takes."""
    from commonsnode import home
    from commonsnode.errors import NodeError

    call = Invocation.of(context, as_json)
    try:
        node = home.node_id(home.read_seed(home.open_home(call.home))).hex()
    except NodeError as error:
        raise Refused(one_line(error)) from error
    if call.as_json:
        call.out.document({"id": node})
    else:
        call.out.line(node)


@app.command()
def version(context: typer.Context, as_json: Json = False) -> None:
    """Print the version of this program."""
    from commonsnode import __version__

    call = Invocation.of(context, as_json)
    if call.as_json:
        call.out.document({"version": __version__})
    else:
        call.out.line(f"commonsnode {__version__}")


def web_address(address: str) -> str:
    """Where a browser finds the pages of the node that peers find at `address`."""
    scheme, _, rest = address.partition("://")
    return f"{'https' if scheme == 'wss' else 'http'}://{rest.removesuffix('peer')}"


def one_line(error: "NodeError") -> str:
    """What happened and what to do about it, of a NodeError, on one line."""
    return ". ".join(part.rstrip(".") for part in (error.what, error.hint) if part)


def _show_ready(call: Invocation, ready: "Ready") -> None:
    with contextlib.suppress(ReaderGone):  # the node serves whether or not somebody reads this
        if call.as_json:
            home = str(call.home.absolute())
            call.out.document({"node": ready.node.hex(), "addresses": ready.addresses, "home": home})
            return
        call.out.line("node          ", (ready.node.hex(), "bold"), f"  ({ready.name})")
        for number, address in enumerate(ready.addresses):
            call.out.line("addresses     " if number == 0 else "              ", address)
        if ready.addresses:
            call.out.line("pages         ", web_address(ready.addresses[0]))
        call.out.line("command line  ", f"{call.command} status")


def _machine_name() -> str:
    return os.uname().nodename or "node"


def _write_name(path: Any, name: str) -> None:
    # A JSON text of printable characters is a TOML text as well.
    line = f"name = {json.dumps(name, ensure_ascii=False)}"
    settings = path.read_text(encoding="utf-8")
    replaced, times = re.subn(r"(?m)^#name = .*$", lambda _: line, settings, count=1)
    path.write_text(replaced if times else f"{settings}\n{line}\n", encoding="utf-8")


def _communities(call: Invocation, communities: list[dict[str, Any]]) -> None:
    if not communities:
        call.out.line("communities: none yet")
        return
    call.out.line("communities:")
    rows = []
    for one in communities:
        state = f"stopped: {one['stopped']}" if one["stopped"] else ""
        waiting = f"{one['waiting']} waiting" if one["waiting"] else ""
        rows.append(
            (
                one["name"] or "(its charter is not here yet)",
                one["id"][:12],
                str(one["records"]),
                str(one["changesets"]),
                ", ".join(filter(None, (waiting, state))),
            )
        )
    call.out.table(("name", "id", ">records", ">changesets", ""), rows)


def _peers(call: Invocation, found: dict[str, Any]) -> None:
    if not found["peers"]:
        call.out.line("peers: none yet")
        return
    call.out.line("peers:")
    names = {one["id"]: one["name"] or one["id"][:8] for one in found["communities"]}
    linked = [peer for peer in found["peers"] if peer["state"] == "connected"]
    shown = (linked + [peer for peer in found["peers"] if peer["state"] != "connected"])[:PEERS_SHOWN]
    rows = [
        (peer.get("address") or "-", (peer.get("id") or "")[:12], str(peer.get("state")), step(peer, names))
        for peer in shown
    ]
    call.out.table(("address", "node", "state", ""), rows)
    if len(shown) < len(found["peers"]):
        more = len(found["peers"]) - len(shown)
        call.out.line(f"  and {more} more, {len(linked)} connected in all: {call.command} peer list")
