"""`want`, `offer`: what somebody needs or offers. Both are listed and searched like things: `list --kind intent`."""

from typing import Annotated

import typer

from commonsnode_cli.client import Document
from commonsnode_cli.commands.thing import (
    At,
    ExactPlace,
    FieldWords,
    check_lane,
    put_at,
    say_blurred,
    say_waiting,
)
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.words import fields, text

app = typer.Typer(add_completion=False)

Title = Annotated[str, typer.Argument(metavar="TITLE", help="What, in a few words.")]
Since = Annotated[
    str | None, typer.Option("--from", metavar="WHEN", help="A day (sat, 2026-05-01) or a time (sat 9:00).")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="The same; a day means to its end.")
]
Lane = Annotated[
    str, typer.Option(metavar="public|knowledge|members", help="Who reads it; `members` is sealed for them.")
]


@app.command()
def want(
    context: typer.Context,
    title: Title,
    words: FieldWords = None,
    since: Since = None,
    until: Until = None,
    at: At = None,
    exact_place: ExactPlace = False,
    lane: Lane = "public",
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Say what you need. Others find it by `list --kind intent --search`, as they find things.

    As in: commonsnode want "two days of tractor" --from 2026-05-01 --until 2026-05-31 --at -0.35,-78.12
    """
    _say(
        Invocation.of(context, as_json), "need", title, words, since, until, at, exact_place, lane, community
    )


@app.command()
def offer(
    context: typer.Context,
    title: Title,
    words: FieldWords = None,
    since: Since = None,
    until: Until = None,
    at: At = None,
    exact_place: ExactPlace = False,
    lane: Lane = "public",
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Say what you offer: your hands, seedlings, a ride. Others find it by `list --kind intent --search`, as they find things.

    As in: commonsnode offer "pruning of fruit trees" --from sat amount=4 unit=hours
    """
    _say(
        Invocation.of(context, as_json), "offer", title, words, since, until, at, exact_place, lane, community
    )


def _say(
    call: Invocation,
    direction: str,
    title: str,
    words: list[str] | None,
    since: str | None,
    until: str | None,
    at: str | None,
    exact_place: bool,
    lane: str,
    community: str | None,
) -> None:
    command = "want" if direction == "need" else "offer"
    given = fields(words or ())
    if "title" in given:
        raise WrongUsage("the title is given twice: TITLE, and the field title")
    check_lane(lane, command)
    if not title.strip():
        raise WrongUsage("the title is empty")
    given = {
        "title": text(title, "the title"),
        **{name: value for name, value in given.items() if value is not None},
    }
    put_at(given, at)
    body: Document = {"direction": direction, "fields": given, "lane": lane, "exact_place": exact_place}
    for name, value in (("from", since), ("until", until)):
        if value is not None:
            body[name] = text(value, f"--{name}")
    added = call.node.post(f"/communities/{call.community(community)['id']}/intents", body)
    if call.as_json:
        call.out.document(added)
        return
    call.out.line("wanted: " if direction == "need" else "offered: ", (title, "bold"), f"  {added['id']}")
    say_blurred(call, added)
    say_waiting(call, added)
