"""`community create|list|show|follow|leave`."""

from typing import Annotated

import typer

from commonsnode_cli.client import Document, segment
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.words import text

app = typer.Typer(
    name="community",
    help="Begin, join, see and leave communities.",
    add_completion=False,
)


@app.callback()
def community(context: typer.Context, as_json: Json = False) -> None:
    """Begin, join, see and leave communities."""
    Invocation.of(context, as_json)


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What its people call it.")],
    as_json: Json = False,
) -> None:
    """Begin a community. This node's key becomes its founder and first member.

    The link is what another node needs to follow it: commonsnode community follow LINK
    """
    call = Invocation.of(context, as_json)
    made = call.node.post("/communities", {"name": text(name, "the name")})
    if call.as_json:
        call.out.document(made)
        return
    call.out.line("created: ", (name, "bold"))
    call.out.line("  id    ", made["id"])
    call.out.line("  link  ", made["link"])
    call.out.say("  another node joins by: commonsnode community follow LINK")


@app.command(name="list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """The communities that this node follows."""
    call = Invocation.of(context, as_json)
    found = call.node.get("/communities")
    if call.as_json:
        call.out.document(found)
        return
    rows = [
        (_name(one), one["id"], str(one["records"]), str(one["changesets"])) for one in found["communities"]
    ]
    call.out.table(("name", "id", ">things", ">changesets"), rows)
    if not rows:
        call.out.say("none yet: commonsnode community create NAME, or commonsnode community follow LINK")


@app.command()
def show(
    context: typer.Context,
    which: Annotated[
        str | None, typer.Argument(metavar="[C]", help="Id, beginning of an id, or name.", show_default=False)
    ] = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """One community: its link, its people, how much it has."""
    call = Invocation.of(context, as_json)
    found = call.community(_one(which, community))
    found = call.node.get(f"/communities/{found['id']}")
    if call.as_json:
        call.out.document(found)
        return
    call.out.line((_name(found), "bold"))
    rows = [
        ("id", found["id"]),
        ("link", found["link"]),
        ("founder", found.get("founder") or ""),
        ("members", str(found.get("members_count", ""))),
        ("lanes", ", ".join(found.get("lanes", ()))),
        ("things", str(found["records"])),
        ("changesets", str(found["changesets"])),
    ]
    if found["waiting"]:
        rows.append(
            ("waiting", f"{found['waiting']} changesets of this node, until it is a member (member grant)")
        )
    if found["stopped"]:
        rows.append(("stopped", found["stopped"]))
    for label, value in rows:
        call.out.line(f"  {label:<12}", value)


@app.command()
def follow(
    context: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LINK", help="commons:… as `community create` prints it.")],
    as_json: Json = False,
) -> None:
    """Follow a community: this node dials the addresses of the link and brings what the community has made public."""
    from commonsnode_protocol.errors import NotWellFormed
    from commonsnode_protocol.link import parse

    try:
        parse(text(link, "the link"))
    except NotWellFormed as error:
        raise WrongUsage(f"{link!r} is no link: {error}") from error
    call = Invocation.of(context, as_json)
    found = call.node.post("/communities/follow", {"link": link})
    if call.as_json:
        call.out.document(found)
        return
    call.out.line("following: ", (_name(found), "bold"))
    call.out.line("  id  ", found["id"])
    call.out.say("  how far it has come: commonsnode status; wait until all is here: commonsnode sync --wait")


@app.command()
def leave(
    context: typer.Context,
    which: Annotated[
        str | None, typer.Argument(metavar="[C]", help="Id, beginning of an id, or name.", show_default=False)
    ] = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Stop following a community, and remove all of it from this node. The others keep theirs."""
    call = Invocation.of(context, as_json)
    found = call.community(_one(which, community))
    left = call.node.delete(f"/communities/{segment(found['id'])}")
    if call.as_json:
        call.out.document(left)
        return
    call.out.line("left: ", (_name(found), "bold"), f"  {found['id']}")
    call.out.say(f"  follow it again: commonsnode community follow {found['link']}")


def _one(which: str | None, community: str | None) -> str | None:
    if which is not None and community is not None:
        raise WrongUsage("the community is given twice: C, and --community C")
    return which if which is not None else community


def _name(one: Document) -> str:
    return str(one.get("name") or "(its name is not here yet)")
