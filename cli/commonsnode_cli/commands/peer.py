"""`peer add|list|graph|remove` and `sync`: the other nodes."""

from typing import Annotated

import typer

from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.invocation import Invocation, Json
from commonsnode_cli.progress import progress
from commonsnode_cli.wording import link, moment, size, step
from commonsnode_cli.words import text

SYNC_S = 60.0
SYNC_GRACE_S = 15.0  # the daemon keeps to the given time; this is for its answer

app = typer.Typer(add_completion=False)
peer_app = typer.Typer(name="peer", help="The other nodes that this one knows.")
app.add_typer(peer_app)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As in ws://192.168.1.20:8450/peer")]


@peer_app.callback()
def peer(context: typer.Context, as_json: Json = False) -> None:
    """The other nodes that this one knows."""
    Invocation.of(context, as_json)


@peer_app.command()
def add(context: typer.Context, address: Address, as_json: Json = False) -> None:
    """Remember the address of another node, and dial it now and whenever it can be reached."""
    from commonsnode_protocol.link import is_address

    if not is_address(text(address, "the address")):
        raise WrongUsage(
            f"{address!r} is no address of a node: that is ws://HOST:PORT/peer, as its `status` prints it"
        )
    call = Invocation.of(context, as_json)
    added = call.node.post("/peers", {"address": address})
    if call.as_json:
        call.out.document(added)
    else:
        call.out.line(f"added: {added['address']}  ({added['state']})")


@peer_app.command(name="list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """The known nodes: how they were found, since when there is a link, in step or how far behind, bytes, delay.

    A peer was dialled (`to`) or dialled us (`from`). The delay is that of a ping, there and back.
    """
    call = Invocation.of(context, as_json)
    found = call.node.get("/peers")
    if call.as_json:
        call.out.document(found)
        return
    rows = [
        (
            (one.get("id") or "")[:12] or "-",
            str(one.get("found") or ""),
            link(one),
            moment(one.get("since") or one.get("last_in_step") or ""),
            step(one),
            size(one["bytes_received"]) if "bytes_received" in one else "",
            size(one["bytes_sent"]) if "bytes_sent" in one else "",
            f"{one['delay_ms']:.0f} ms" if one.get("delay_ms") is not None else "",
        )
        for one in found["peers"]
    ]
    call.out.table(("node", "found", "link", "since", "standing", ">in", ">out", ">delay"), rows)
    if not rows:
        call.out.say("none yet: commonsnode peer add ADDRESS")


@peer_app.command()
def graph(context: typer.Context, as_json: Json = False) -> None:
    """Draw this node and its peers, in the language of Graphviz: commonsnode peer graph | dot -Tsvg > peers.svg"""
    from commonsnode_cli import graphviz

    call = Invocation.of(context, as_json)
    found = call.node.get("/status")
    drawn = graphviz.graph(found["node"], found["name"], found["peers"])
    if call.as_json:
        call.out.document({"dot": drawn})
    else:
        call.out.raw(drawn.encode())


@peer_app.command()
def remove(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="As `peer list` prints it.")],
    as_json: Json = False,
) -> None:
    """Forget an address, and hang up."""
    call = Invocation.of(context, as_json)
    removed = call.node.delete("/peers", {"address": text(address, "the address")})
    if call.as_json:
        call.out.document(removed)
    else:
        call.out.line(f"removed: {removed['address']}")


@app.command()
def sync(
    context: typer.Context,
    wait: Annotated[
        bool, typer.Option("--wait", help="Come back when every peer that answers is in step.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3_600, help="Seconds that --wait may take.")
    ] = SYNC_S,
    as_json: Json = False,
) -> None:
    """Dial every known address now, and compare all that both sides hold.

    With --wait: exit code 0 when every peer that answered is in step, and at least one did; otherwise 1 with the reason.
    """
    call = Invocation.of(context, as_json)
    with progress("meeting the others", show=wait and not call.as_json, counted=False):
        found = call.node.post("/sync", {"wait": wait, "timeout": timeout}, timeout_s=timeout + SYNC_GRACE_S)
    if wait and not found["in_step"]:
        raise Refused(f"not in step: {found['reason'] or 'no peer said so'}")
    if call.as_json:
        call.out.document(found)
    elif wait:
        call.out.line(f"in step: {found.get('reason') or 'with every peer that answered'}")
    else:
        call.out.line("started: the known peers are dialled; see how it goes with: commonsnode status")
