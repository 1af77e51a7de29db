"""`demo`: three nodes of a made-up valley on this machine, to look around in."""

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from commonsnode_cli.client import Client, Document, problem_of
from commonsnode_cli.commands.node import web_address
from commonsnode_cli.daemons import Daemons
from commonsnode_cli.failures import Refused
from commonsnode_cli.invocation import Invocation, Json, program
from commonsnode_cli.progress import progress
from commonsnode_cli.valley import COMMUNITY, VILLAGES, import_lines

SYNC_S = 60.0
LOOK_S = 0.5  # how often it is looked whether the three still run
VARIABLES = {"COMMONSNODE_LISTEN": "127.0.0.1"}

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Keep the three nodes here; else they are gone afterwards.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run three nodes of a made-up valley, with an inventory, until Ctrl-C.

    It prints their web addresses, and for each the beginning of a command line that reaches it.
    """
    call = Invocation.of(context, as_json)
    # Both, since a script's `demo &` begins with SIGINT ignored.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    where = folder or Path(tempfile.mkdtemp(prefix="commonsnode-demo-"))
    ready = False
    try:
        with Daemons() as daemons:
            with progress("the valley wakes up", show=not call.as_json, counted=False):
                document = _start(daemons, where.absolute())
            ready = True
            _show(call, document, kept=folder is not None)
            while (ended := daemons.ended()) is None:
                time.sleep(LOOK_S)
            raise Refused(f"the node {ended.home.name} has stopped by itself: {ended.last_words()}")
    except KeyboardInterrupt:
        if not ready:
            raise
        call.out.say("stopped")
    finally:
        if folder is None:
            shutil.rmtree(where, ignore_errors=True)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _start(daemons: Daemons, where: Path) -> Document:
    from commonsnode import home

    homes = [where / village.lower().replace(" ", "-") for village in VILLAGES]
    for path, village in zip(homes, VILLAGES, strict=True):
        if not home.Home(path).is_node():
            with home.init(path).config_path.open("a", encoding="utf-8") as settings:
                settings.write(f'\nname = "{village}"\n')
    daemons.start(homes, VARIABLES)
    nodes = [Client(path, home.Home(path).socket_path, f"commonsnode --home {path}") for path in homes]
    founder, *others = nodes
    community = _settle(founder, others)
    for node, village in zip(nodes, VILLAGES, strict=True):
        _take_in(node, community["id"], village)
    for node in nodes:
        _in_step(node)
    return {
        "nodes": [
            {
                "home": str(daemon.home),
                "addresses": daemon.ready["addresses"],
                "web": web_address(daemon.ready["addresses"][0]),
            }
            for daemon in daemons.running
        ],
        "community": community["id"],
        "link": founder.get(f"/communities/{community['id']}")["link"],
        "records": founder.get(f"/communities/{community['id']}")["records"],
    }


def _settle(founder: Client, others: list[Client]) -> Document:
    # What an earlier demo in the same folder has left is gone on with.
    found = founder.get("/communities")["communities"]
    community: Document = found[0] if found else founder.post("/communities", {"name": COMMUNITY})
    path = f"/communities/{community['id']}/members"
    members = {one["id"] for one in founder.get(path)["members"]}
    for node in others:
        key = node.get("/id")["id"]
        if key not in members:
            founder.post(path, {"id": key, "role": "member"})
        node.post("/communities/follow", {"link": community["link"]})
    for node in others:
        _in_step(node)
    return community


def _take_in(node: Client, community: str, village: str) -> None:
    for answer in node.upload(f"/communities/{community}/import", import_lines(village)):
        if "problem" in answer:
            raise problem_of(answer["problem"])


def _in_step(node: Client) -> None:
    met = node.post("/sync", {"wait": True, "timeout": SYNC_S}, timeout_s=2 * SYNC_S)
    if not met["in_step"]:
        raise Refused(f"the three nodes did not come in step: {met['reason']}")


def _show(call: Invocation, document: Document, *, kept: bool) -> None:
    if call.as_json:
        call.out.document(document)
        return
    call.out.line(f"{COMMUNITY}: {document['records']} things, on three nodes that are in step")
    for village, node in zip(VILLAGES, document["nodes"], strict=True):
        call.out.line("")
        call.out.line((village, "bold"))
        call.out.line("  pages         ", node["web"])
        call.out.line("  command line  ", f"{program()} --home {node['home']} list")
    call.out.line("")
    call.out.line("follow it from another node: commonsnode community follow ", document["link"])
    sys.stdout.flush()
    call.out.say(f"Ctrl-C stops all three{'' if kept else ', and removes them'}.")
