"""`device list|request|add|revoke`: the nodes that write as one person."""

from typing import Annotated

import typer

from commonsnode_cli.client import segment
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.wording import moment
from commonsnode_cli.words import text, whole_key

KINDS = {
    "first": "the first",
    "device": "device",
    "node": "device, confirms only",
    "recovery": "recovery words",
}

app = typer.Typer(name="device", help="The nodes that write as one person.", add_completion=False)


@app.callback()
def device(context: typer.Context, as_json: Json = False) -> None:
    """The nodes that write as one person."""
    Invocation.of(context, as_json)


@app.command(name="list")
def list_(context: typer.Context, community: CommunityOption = None, as_json: Json = False) -> None:
    """The keys of this node's person: the first node, other devices, recovery words."""
    call = Invocation.of(context, as_json)
    found = call.node.get(f"/communities/{call.community(community)['id']}/devices")
    if call.as_json:
        call.out.document(found)
        return
    rows = [
        (
            one["id"],
            KINDS.get(one["kind"], one["kind"]),
            moment(one["since"]) if one["since"] else "",
            "revoked" if one["revoked"] else call.me if one["you"] else "",
        )
        for one in found["keys"]
    ]
    call.out.table(("id", "what", "since", ""), rows)
    if not rows:
        call.out.say("no role in this community, so nobody's device yet")


@app.command()
def request(
    context: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="ID", help="The person's first node: what `commonsnode id` prints there.")
    ],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """On the new device: print the code by which the person's first node adds it. The code is no secret.

    Before it: commonsnode community follow LINK. After it, on the first node: commonsnode device add CODE
    """
    first = whole_key(person)
    call = Invocation.of(context, as_json)
    found = call.community(community)
    made = call.node.post(f"/communities/{found['id']}/devices/code", {"person": first})
    if call.as_json:
        call.out.document(made)
        return
    call.out.line(made["code"])
    call.out.say("  on the first node: commonsnode device add CODE")


@app.command()
def add(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="What `device request` printed on the new one.")
    ],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Let another device write as this node's person. Look twice where the code comes from: it can then do what you can.

    It writes data, and of a steward's acts it admits, invites and revokes people. Only this node signs changes of stewards and
    charter, and adds devices.
    """
    call = Invocation.of(context, as_json)
    found = call.community(community)
    added = call.node.post(f"/communities/{found['id']}/devices", {"code": text(code, "the code")})
    if call.as_json:
        call.out.document(added)
        return
    call.out.line("added: ", added["id"])
    call.out.say(f"  if it is lost: commonsnode device revoke {added['id'][:8]}")


@app.command()
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The lost device, or a beginning of its id.")],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Revoke a lost device of this node's person. What it wrote so far, as far as it is here, stays; nothing new is taken."""
    call = Invocation.of(context, as_json)
    found = call.community(community)
    revoked = call.node.delete(f"/communities/{found['id']}/devices/{segment(key)}")
    if call.as_json:
        call.out.document(revoked)
        return
    call.out.line("revoked: ", revoked["id"])
    if revoked["still_signs"]:
        call.out.say(
            "  it can sign changes of stewards and charter for you as long as you are a steward. May it be in wrong hands, hand the"
            " office on: commonsnode steward propose --add NEW --remove YOU (ids: commonsnode device list)"
        )
