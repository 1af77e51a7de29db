"""`reserve`: ask for a thing, from one time until another."""

from typing import Annotated

import typer

from commonsnode_cli.client import Document
from commonsnode_cli.invocation import CommunityOption, Invocation, Json, ThingId
from commonsnode_cli.loans import say_held, say_terms, show_line, span_text, who
from commonsnode_cli.words import record_id, text

app = typer.Typer(add_completion=False)


@app.command()
def reserve(
    context: typer.Context,
    thing: ThingId,
    since: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="WHEN",
            help="A day (sat, tomorrow, 2026-12-05) or a time (sat 9:00, 2026-12-05T09:00, now).",
        ),
    ],
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="WHEN", help="The same; a day means to its end. Else to the end of that day."
        ),
    ] = None,
    amount: Annotated[
        str | None, typer.Option(metavar="N", help="How many of several alike; else one.")
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="A remark for its keeper.")] = None,
    type_: Annotated[
        str | None,
        typer.Option("--type", metavar="T", help="Who asks, for the terms: person, group, co-operative, …"),
    ] = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Ask for a thing. Its keeper confirms it, or its own rules do at once; where it is not free, you wait in a list.

    As in: commonsnode reserve 3f9a --from sat --until sun --note "for the fence"
    """
    body: Document = {"resource": record_id(thing), "from": text(since, "--from")}
    for name, value in (
        ("until", until),
        ("amount", amount),
        ("note", note),
        ("type", type_),
        ("community", community),
    ):
        if value is not None:
            body[name] = text(value, f"--{name}")
    call = Invocation.of(context, as_json)
    asked = call.node.post("/reservations", body)
    if call.as_json:
        call.out.document(asked)
        return
    say_asked(call, asked)


def say_asked(call: Invocation, asked: Document) -> None:
    """What became of an ask, and what is next."""
    show_line(call, asked)
    match asked["state"]:
        case "asked" if asked["keeper"] is None:
            call.out.say("  nobody keeps it, so a steward has to confirm it")
        case "asked":
            call.out.say(f"  its keeper, {who(asked, 'keeper')}, has to confirm it")
        case "displaced":
            call.out.say(
                f"  it is not free then: you are number {asked['waiting']} in the waiting list; commonsnode status tells when"
                " it is free again"
            )
        case _:
            pass
    for other in asked["others"]:
        call.out.say(f"  {span_text(other)}: {other['state']}, {who(other, 'by')}  {other['id'][:12]}")
    say_terms(call, asked)
    say_held(call, asked)
