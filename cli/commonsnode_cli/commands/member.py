"""`member grant|revoke|adopt|list`."""

from typing import Annotated

import typer

from commonsnode_cli.client import segment
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.wording import moment
from commonsnode_cli.words import whole_key

ROLES = ("member", "mirror")

app = typer.Typer(name="member", help="Who may write in a community.", add_completion=False)


@app.callback()
def member(context: typer.Context, as_json: Json = False) -> None:
    """Who may write in a community."""
    Invocation.of(context, as_json)


@app.command()
def grant(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="What `commonsnode id` prints on their node.")],
    community: CommunityOption = None,
    role: Annotated[
        str, typer.Option(metavar="member|mirror", help="A mirror replicates, and may not write.")
    ] = "member",
    as_json: Json = False,
) -> None:
    """Admit somebody to a community, also again. A first grant covers what waits on their node; a later one does not."""
    if role not in ROLES:
        raise WrongUsage(
            f"a role is {' or '.join(ROLES)}, not {role!r} (see commonsnode member grant --help)"
        )
    whole = whole_key(key)
    call = Invocation.of(context, as_json)
    found = call.community(community)
    granted = call.node.post(f"/communities/{found['id']}/members", {"id": whole, "role": role})
    if call.as_json:
        call.out.document(granted)
        return
    call.out.line(f"granted: {granted['id']} is a {granted['role']} of {found['name'] or found['id']}")


@app.command()
def revoke(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="ID", help="As `member list` shows it, or an unambiguous beginning.")
    ],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Take somebody's role back. What they wrote so far, as far as it is here, stays; nothing new of theirs is taken.

    Undo it: commonsnode member grant ID
    """
    call = Invocation.of(context, as_json)
    found = call.community(community)
    revoked = call.node.delete(f"/communities/{found['id']}/members/{segment(key)}")
    if call.as_json:
        call.out.document(revoked)
        return
    call.out.line(
        f"revoked: {revoked['id']} is no {revoked['role']} of {found['name'] or found['id']} any more"
    )
    call.out.say(f"  admit them again: commonsnode member grant {revoked['id']}")


@app.command()
def adopt(
    context: typer.Context,
    thing: Annotated[
        str,
        typer.Argument(metavar="THING", help="The id of a thing whose `show` says `no effect`."),
    ],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Let stand again what a former member wrote to a thing. It does not admit them again."""
    call = Invocation.of(context, as_json)
    adopted = call.node.post(f"/records/{segment(thing)}/adopt", query={"community": community})
    if call.as_json:
        call.out.document(adopted)
        return
    call.out.line("adopted: ", adopted["id"], f"  {len(adopted['adopted'])} changesets stand again")


@app.command(name="list")
def list_(
    context: typer.Context,
    community: CommunityOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Also who was admitted once, and is no more.")] = False,
    as_json: Json = False,
) -> None:
    """Who was admitted to a community, and since when."""
    call = Invocation.of(context, as_json)
    path = f"/communities/{call.community(community)['id']}/members"
    found = call.node.get(path, {"all": "true" if all_ else None})
    if call.as_json:
        call.out.document(found)
        return
    rows = [
        (one["id"], one["role"], moment(one["since"]), "this node" if one.get("you") else "")
        for one in found["members"]
    ]
    call.out.table(("id", "role", "since", ""), rows)
