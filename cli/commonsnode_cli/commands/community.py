"""`community create|list|show|follow|leave`."""

from typing import Annotated

import typer

from commonsnode_cli.client import Document, segment
from commonsnode_cli.commands.recovery import say_words
from commonsnode_cli.commands.steward import say_open
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.settings import lines as charter_lines
from commonsnode_cli.settings import rules, setting
from commonsnode_cli.wording import author, moment
from commonsnode_cli.words import text

CHANGESETS_SHOWN = 10  # of the lane authority, the latest
PEOPLE_SHOWN = 50  # of a community, beside the rest

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
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="A language of its people, as es or qu-EC; may be repeated."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LAT,LON[,NAME]", help="Where it is, in decimal degrees.")
    ] = None,
    reading: Annotated[
        str | None, typer.Option(metavar="public|members", help="Who may read its inventory; else public.")
    ] = None,
    quorum: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="How many stewards sign a change of stewards or charter; else a majority."
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of its data: SPDX, as ODbL-1.0, or an agreement.")
    ] = None,
    newcomers_read_past: Annotated[
        str | None,
        typer.Option(metavar="yes|no", help="Whether newcomers read what members wrote before; else yes."),
    ] = None,
    lending: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE=VALUE", help="A default rule of lending, as longest_minutes:=4320; may be repeated."
        ),
    ] = None,
    share: Annotated[
        str | None, typer.Option(metavar="N/M", help="Of the members, to elect a steward; else 2/3.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Its time zone, as America/Guayaquil; else that of this machine, where it is set to one.",
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="METRES",
            help="To how much places of things are blurred for who is no member; 0: not at all; else 1000.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin a community with its charter. This node's key becomes its founder and first steward.

    The link is what another node needs to follow it: commonsnode community follow LINK. People join by: commonsnode invite
    """
    from commonsnode.asking.zones import machine_zone_name

    given = {
        "languages": ",".join(language or ()),
        "place": at,
        "reading": reading,
        "quorum": quorum,
        "licence": licence,
        "newcomers_read_past": newcomers_read_past,
        "share": share,
        "zone": zone or machine_zone_name(),
        "grid": grid,
    }
    charter = {key: setting(key, text(value, f"the setting {key}")) for key, value in given.items() if value}
    if lending:
        charter["lending"] = rules({}, lending)
    call = Invocation.of(context, as_json)
    made = call.node.post("/communities", {"name": text(name, "the name"), **charter})
    if call.as_json:
        call.out.document(made)
        return
    call.out.line("created: ", (name, "bold"))
    call.out.line("  id    ", made["id"])
    call.out.line("  link  ", made["link"])
    say_words(call, made["recovery_words"])
    call.out.say(
        "  another node follows it by: commonsnode community follow LINK; invite people: commonsnode invite"
    )


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
    call.out.table(("name", "id", ">records", ">changesets"), rows)
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
    """One community: its link, its charter, its people, invitations, your devices, what is proposed, and what was done last."""
    call = Invocation.of(context, as_json)
    path = f"/communities/{call.community(_one(which, community))['id']}"
    found = call.node.get(path)
    found["you"] = call.node.get(f"{path}/you")
    found["invitations"] = call.node.get(f"{path}/invitations")["invitations"]
    found["devices"] = call.node.get(f"{path}/devices")["keys"]
    found["recovery"] = any(one["kind"] == "recovery" and not one["revoked"] for one in found["devices"])
    found["history"] = call.node.get(f"{path}/history", {"limit": str(CHANGESETS_SHOWN)})["history"]
    tables = call.node.get(f"{path}/tables")
    found["proposals"], found["elections"] = tables["proposals"], tables["elections"]
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
        ("things", str(found["things"])),
        ("changesets", str(found["changesets"])),
    ]
    if found["waiting"]:
        rows.append(("waiting", f"{found['waiting']} changesets of this node, until they are taken"))
    if found["stopped"]:
        rows.append(("stopped", found["stopped"]))
    rows += charter_lines(found["settings"]) if found["settings"] is not None else []
    for label, value in rows:
        call.out.line(f"  {label:<12}", value)
    _print_people(call, found)
    _print_devices(call, found)
    say_open(call, tables)
    _print_history(call, found)
    _print_you(call, found)


def _print_people(call: Invocation, found: Document) -> None:
    for one in found["people"][:PEOPLE_SHOWN]:
        mine = f" ({call.me})" if one["you"] else ""
        name = f"  {one['name']}" if one["name"] else ""
        call.out.line(
            f"  {one['role']:<12}", one["id"], name, mine, (f"  since {moment(one['since'])}", "dim")
        )
    if len(found["people"]) > PEOPLE_SHOWN:
        call.out.say(f"  … and {len(found['people']) - PEOPLE_SHOWN} more: commonsnode member list")
    for one in found["invitations"]:
        state = "withdrawn" if one["withdrawn"] else f"{one['used']} of {one['uses']} joined"
        name = f" for {one['name']}" if one["name"] else ""
        call.out.line("  invitation  ", one["id"], f"  {one['role']}{name}, {state}")


def _print_devices(call: Invocation, found: Document) -> None:
    for one in found["devices"]:
        if one["kind"] in ("device", "node"):
            state = "revoked" if one["revoked"] else f"since {moment(one['since'])}"
            call.out.line("  your device ", one["id"], (f"  {state}", "dim"))
    if found["devices"]:
        made = (
            "made" if found["recovery"] else "none yet, so nothing brings you back: commonsnode recovery make"
        )
        call.out.line("  recovery    ", made)


def _print_history(call: Invocation, found: Document) -> None:
    for entry in found["history"]:
        for act in entry["acts"]:
            void = f", without effect: {act['why']}" if act["why"] else ""
            call.out.line((f"  {moment(entry['time'])}  {author(entry)} {act['text']}{void}", "dim"))
    if len(found["history"]) == CHANGESETS_SHOWN:
        call.out.say("  … and what was before: commonsnode history --authority")


def _print_you(call: Invocation, found: Document) -> None:
    you = found["you"]
    if you["why"]:
        call.out.line((f"  this node has no role: {you['why']}", "yellow"))
    for one in you["notices"]:
        call.out.line((f"  {moment(one['time'])}  {one['text']}", "yellow"))


@app.command()
def follow(
    context: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LINK", help="commons:… as `community create` prints it.")],
    lanes: Annotated[
        str | None,
        typer.Option(
            metavar="LANE,…",
            help="Of public, knowledge and members, else those of the settings; added to those followed.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Follow a community: this node dials the addresses of the link and brings what the community has made public.

    What only members read comes sealed, and opens where this node is admitted.
    """
    from commonsnode_protocol.errors import NotWellFormed
    from commonsnode_protocol.link import parse

    try:
        parse(text(link, "the link"))
    except NotWellFormed as error:
        raise WrongUsage(f"{link!r} is no link: {error}") from error
    call = Invocation.of(context, as_json)
    wanted = (
        {"lanes": [lane.strip() for lane in lanes.split(",") if lane.strip()]} if lanes is not None else {}
    )
    found = call.node.post("/communities/follow", {"link": link, **wanted})
    if call.as_json:
        call.out.document(found)
        return
    call.out.line("following: ", (_name(found), "bold"))
    call.out.line("  id  ", found["id"])
    call.out.say("  how far it has come: commonsnode status; wait until all is here: commonsnode sync --wait")
    if "invite=" in link:
        call.out.say("  the link is an invitation, which is not used yet: commonsnode join LINK")


@app.command()
def leave(
    context: typer.Context,
    which: Annotated[
        str | None, typer.Argument(metavar="[C]", help="Id, beginning of an id, or name.", show_default=False)
    ] = None,
    keep_role: Annotated[
        bool,
        typer.Option("--keep-role", help="Only remove it here; the role is there when you follow it again."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Say nothing to the others, even as the only steward.")
    ] = False,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Give up your role in a community, and remove all of it from this node. The others keep theirs, and what you wrote.

    With --as NAME only that person's role is given up.

    The only steward passes the office on first: commonsnode steward propose --add ID
    """
    call = Invocation.of(context, as_json)
    found = call.community(_one(which, community))
    asked = {"keep_role": "true" if keep_role else None, "force": "true" if force else None}
    left = call.node.delete(f"/communities/{segment(found['id'])}", asked)
    if call.as_json:
        call.out.document(left)
        return
    call.out.line("left: ", (_name(found), "bold"), f"  {found['id']}")
    if left["heard"] is False:
        call.out.say(
            "  nobody in reach has heard it, so the others still list this node; a steward can revoke it"
        )
    call.out.say(f"  follow it again: commonsnode community follow {found['link']}")


def _one(which: str | None, community: str | None) -> str | None:
    if which is not None and community is not None:
        raise WrongUsage("the community is given twice: C, and --community C")
    return which if which is not None else community


def _name(one: Document) -> str:
    return str(one.get("name") or "(its name is not here yet)")
