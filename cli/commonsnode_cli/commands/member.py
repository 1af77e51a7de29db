"""`member grant|revoke|adopt|list|contact`."""

from typing import Annotated

import typer

from commonsnode_cli.client import Document, segment
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.wording import moment, value_text
from commonsnode_cli.words import place, text, whole_key

ROLES = ("member", "mirror")
CONTACT = ("name", "phone", "mail", "place", "note")

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
        (
            one["id"],
            one["name"] or "",
            one["role"],
            moment(one["since"]),
            call.me if one.get("you") else "",
        )
        for one in found["members"]
    ]
    call.out.table(("id", "name", "role", "since", ""), rows)


@app.command()
def contact(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Show this member's; left out: your own.", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option(help="How you are called.")] = None,
    phone: Annotated[str | None, typer.Option(help="Numbers to call.")] = None,
    mail: Annotated[str | None, typer.Option(help="Addresses to write to.")] = None,
    where: Annotated[str | None, typer.Option("--place", help="Where you are found, in words.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LAT,LON", help="The same in decimal degrees.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="When to call, and what else one should know.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take back whatever is not given now.")] = False,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Show how to reach a member, or say how you are reached. Only members read it; it is sealed for them.

    As in: commonsnode member contact --name Rosa --phone "099 123 456"; an empty text clears: --phone ""
    """
    given = {"name": name, "phone": phone, "mail": mail, "note": note}
    said: Document = {
        of: text(value, f"the {of}") or None for of, value in given.items() if value is not None
    }
    if where is not None or at is not None:
        said["place"] = _whereabouts(where, at)
    if clear:
        said = {**dict.fromkeys(CONTACT), **said}
    if key is not None and said:
        raise WrongUsage("who says it of themselves gives no ID; with an ID it is only shown")
    call = Invocation.of(context, as_json)
    path = f"/communities/{call.community(community)['id']}"
    if key is not None:
        found = call.node.get(f"{path}/members/{segment(key)}/contact")
    elif said:
        found = call.node.patch(f"{path}/contact", said)
    else:
        found = call.node.get(f"{path}/contact")
    if call.as_json:
        call.out.document(found)
        return
    call.out.line((found["name"] or "no name", "bold"), f"  {found['id']}")
    for of in CONTACT[1:]:
        if found[of] is not None:
            call.out.line(f"  {of:<8}", value_text(of, found[of]))
    if found["why"]:
        call.out.say(f"  it waits on this node. Held: {found['why']}")
    elif found["waiting"]:
        call.out.say("  it waits on this node until it can be sealed")


def _whereabouts(where: str | None, at: str | None) -> Document | str | None:
    named = text(where, "the place") if where else None
    if not at:
        return named
    return {**place(at), **({"name": named} if named else {})}
