"""`steward list|propose|approve|succeed|object`: who leads a community, and what its charter says."""

from typing import Annotated, Any

import typer

from commonsnode_cli.client import Document, segment
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.settings import rules, settings
from commonsnode_cli.wording import moment
from commonsnode_cli.words import text, whole_key

app = typer.Typer(name="steward", help="Who leads a community, and its charter.", add_completion=False)


@app.callback()
def steward(context: typer.Context, as_json: Json = False) -> None:
    """Who leads a community, and its charter."""
    Invocation.of(context, as_json)


@app.command(name="list")
def list_(context: typer.Context, community: CommunityOption = None, as_json: Json = False) -> None:
    """The stewards, by seniority, and the changes that wait for signatures."""
    call = Invocation.of(context, as_json)
    found = call.community(community)
    tables = call.node.get(f"/communities/{found['id']}/tables")
    if call.as_json:
        call.out.document(tables)
        return
    rows = [
        (one["id"], one["name"] or "", moment(one["since"]), call.me if one["you"] else "")
        for one in tables["stewards"]
    ]
    call.out.table(("id", "name", "since", ""), rows)
    say_open(call, tables)


@app.command()
def propose(
    context: typer.Context,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add", metavar="ID", help="Who becomes a steward: what `commonsnode id` prints there."
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="ID", help="Who is no steward, and no member, any more."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the charter: name, languages, place, reading, quorum, licence, newcomers_read_past,"
            " share, zone, grid; KEY= puts it back to its default.",
        ),
    ] = None,
    lending: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE=VALUE",
            help="A default rule of lending, as longest_minutes:=4320; RULE= takes one away.",
        ),
    ] = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Change who the stewards are, or the charter. Where more than you must sign, it waits for the others.

    As in: commonsnode steward propose --add ID; commonsnode steward propose --set quorum=2
    """
    said = settings(set_ or ())
    added = [whole_key(each) for each in add or ()]
    if not add and not remove and not said and not lending:
        raise WrongUsage("nothing to propose: give --add, --remove, --set or --lending")
    rules({}, lending or ())  # what is wrong about the words is said before the node is asked
    body: Document = {"add": added, "remove": [*(remove or ())]}
    if "name" in said:
        name = said.pop("name")
        if name is None:
            raise WrongUsage("a community has a name: --set name=NAME")
        body["name"] = text(name, "the name")
    body["settings"] = said
    call = Invocation.of(context, as_json)
    found = call.community(community)
    if lending:
        now = call.node.get(f"/communities/{found['id']}")["settings"]
        said["lending"] = rules(now["lending"] if now is not None else {}, lending)
    _print_signed(call, call.node.post(f"/communities/{found['id']}/tables", body))


@app.command()
def approve(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID", help="The id of the proposal, or its beginning.")],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Sign what another steward proposed, or an election that another member began. With enough signatures it is done at once."""
    call = Invocation.of(context, as_json)
    found = call.community(community)
    _print_signed(call, call.node.post(f"/communities/{found['id']}/tables/{segment(which)}/approve"))


@app.command()
def succeed(
    context: typer.Context,
    add: Annotated[
        list[str],
        typer.Option("--add", metavar="ID", help="The member who becomes a steward; may be repeated."),
    ],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As a member: begin to elect stewards, where those there are have vanished. The charter's share of the members must sign.

    Who vanished keeps the seat, so elect two where there was one: two of three stewards then decide everything. A steward who is
    there stops it: commonsnode steward object ID
    """
    added = [whole_key(each, "member", "commonsnode member list") for each in add]
    call = Invocation.of(context, as_json)
    found = call.community(community)
    body: Document = {"add": added}
    _print_signed(call, call.node.post(f"/communities/{found['id']}/elections", body), "member")


@app.command(name="object")
def object_(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID", help="The id of the election, or its beginning.")],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As a steward who is there: object to an election. It is not followed then, however many sign."""
    call = Invocation.of(context, as_json)
    found = call.community(community)
    said = call.node.post(f"/communities/{found['id']}/elections/{segment(which)}/object")
    if call.as_json:
        call.out.document(said)
        return
    call.out.line("objected: ", said["id"])


def say_open(call: Invocation, tables: Document) -> None:
    """What waits for signatures, and what lost and may be proposed again."""
    for one in tables["proposals"]:
        call.out.line(
            ("proposed: ", "yellow"), one["text"], f"  ({len(one['signed'])} of {one['needed']} signed)"
        )
        call.out.line("  id  ", one["id"])
        call.out.say(f"  sign it: commonsnode steward approve {one['id'][:8]}")
    for one in tables["elections"]:
        elected = ", ".join(key[:8] for key in one["add"])
        call.out.line(
            ("election: ", "yellow"),
            f"members make {elected} a steward",
            f"  ({len(one['signed'])} of {one['needed']} signed, of {one['members']} members)",
        )
        call.out.line("  id  ", one["id"])
        if one["objected"]:
            call.out.say(f"  stopped: the steward {one['objected'][0][:8]} objects")
        else:
            call.out.say(
                f"  a member signs it: commonsnode steward approve {one['id'][:8]}; a steward who is there stops it:"
                f" commonsnode steward object {one['id'][:8]}"
            )
    for one in tables["lost"]:
        call.out.line(("not followed: ", "yellow"), one["text"])
        call.out.say(f"  another change was followed in its place; propose it again: {_again(one)}")


def _again(one: Document) -> str:
    words: list[Any] = ["commonsnode steward propose"]
    words += [f"--add {key}" for key in one["add"]] + [f"--remove {key}" for key in one["remove"]]
    words += ["--set …"] if one["settings"] or one["name"] else []
    return " ".join(words)


def _print_signed(call: Invocation, signed: Document, who: str = "steward") -> None:
    if call.as_json:
        call.out.document(signed)
        return
    if signed["state"] == "done":
        call.out.line("done: ", signed["id"])
        return
    call.out.line("proposed: ", signed["id"], f"  ({len(signed['signed'])} of {signed['needed']} signatures)")
    call.out.say(f"  another {who} signs it by: commonsnode steward approve {signed['id'][:8]}")
