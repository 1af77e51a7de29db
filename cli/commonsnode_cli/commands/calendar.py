"""`calendar link|list|withdraw`: one's own reservations in the programs that people have for calendars."""

from typing import Annotated

import typer

from commonsnode_cli.client import segment
from commonsnode_cli.failures import Refused
from commonsnode_cli.invocation import Invocation, Json
from commonsnode_cli.wording import moment
from commonsnode_cli.words import text

app = typer.Typer(add_completion=False)
calendar_app = typer.Typer(name="calendar", help="Your reservations in a program for calendars.")
app.add_typer(calendar_app)


@calendar_app.callback()
def calendar(context: typer.Context, as_json: Json = False) -> None:
    """Your reservations in a program for calendars."""
    Invocation.of(context, as_json)


@calendar_app.command()
def link(
    context: typer.Context,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="Where it is used, as in `phone`.")] = "",
    as_json: Json = False,
) -> None:
    """Make a secret address to subscribe to: what you reserved, and what is reserved of what you keep.

    It is told once. Whoever has it reads your calendar, until `calendar withdraw`.
    """
    call = Invocation.of(context, as_json)
    addresses = call.node.get("/status")["addresses"]
    if not addresses:
        raise Refused("this node listens on no address, so no other program can read a calendar of it")
    made = call.node.post("/calendars", {"label": text(label, "the label")} if label else {})
    urls = [_url(address, made["path"]) for address in addresses]
    if call.as_json:
        call.out.document({**made, "urls": urls})
        return
    for url in urls:
        call.out.line(url)
    call.out.say(
        f"told this once; whoever has it reads your calendar. Take it back: commonsnode calendar withdraw {made['id']}"
    )


@calendar_app.command(name="list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """The addresses that were made and not withdrawn; not the addresses themselves, which nobody knows any more."""
    call = Invocation.of(context, as_json)
    found = call.node.get("/calendars")
    if call.as_json:
        call.out.document(found)
        return
    rows = [(one["id"], one["label"] or "-", moment(one["created"])) for one in found["links"]]
    call.out.table(("id", "label", "made"), rows)
    if not rows:
        call.out.say("none yet: commonsnode calendar link LABEL")


@calendar_app.command()
def withdraw(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `calendar list` prints it.")],
    as_json: Json = False,
) -> None:
    """Take an address back: nobody reads your calendar by it any more."""
    call = Invocation.of(context, as_json)
    withdrawn = call.node.delete(f"/calendars/{segment(text(id_, 'the id'))}")
    if call.as_json:
        call.out.document(withdrawn)
    else:
        call.out.line(f"withdrawn: {withdrawn['id']}  {withdrawn['label']}".rstrip())


def _url(address: str, path: str) -> str:
    """The address of a page at the host and port where peers are taken."""
    scheme, _, rest = address.partition("://")
    return f"{'https' if scheme == 'wss' else 'http'}://{rest.partition('/')[0]}{path}"
