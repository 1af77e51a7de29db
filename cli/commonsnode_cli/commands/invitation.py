"""`invite` and `join`: how people come into a community by a link."""

import io
from pathlib import Path
from typing import Annotated, Any

import typer

from commonsnode_cli.client import Document, segment
from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.words import text

ROLES = ("member", "mirror")
PICTURES = (".svg", ".png")
JOIN_S_MAX = 60.0
PNG_SCALE = 8  # pixels of a module

app = typer.Typer(add_completion=False)


@app.command()
def invite(
    context: typer.Context,
    role: Annotated[
        str, typer.Option(metavar="member|mirror", help="A mirror replicates, and may not write.")
    ] = "member",
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="How many people may join by it.")] = 1,
    name: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Who it is for: a note that stays on this node alone."),
    ] = None,
    qr: Annotated[
        Path | None,
        typer.Option("--qr", metavar="FILE", help="Also write the QR code to this .svg or .png file."),
    ] = None,
    withdraw: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Instead: let nobody else join by this invitation; who has joined stays."
        ),
    ] = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Make a link by which somebody joins the community, and its QR code. Whoever has the link can use it.

    They run `commonsnode join LINK`; this node need not be in reach then. All invitations: commonsnode community show
    """
    if role not in ROLES:
        raise WrongUsage(f"a role is {' or '.join(ROLES)}, not {role!r} (see commonsnode invite --help)")
    if qr is not None and qr.suffix.lower() not in PICTURES:
        raise WrongUsage(f"{str(qr)!r}: a QR code is written to a file that ends in {' or '.join(PICTURES)}")
    call = Invocation.of(context, as_json)
    found = call.community(community)
    path = f"/communities/{found['id']}/invitations"
    if withdraw is not None:
        _withdraw(call, path, withdraw)
        return
    body: Document = {"role": role, "uses": uses}
    if name is not None:
        body["name"] = text(name, "the name")
    invited = call.node.post(path, body)
    if qr is not None:
        _write_picture(invited["link"], qr)
    if call.as_json:
        call.out.document({**invited, "qr": str(qr) if qr is not None else None})
        return
    people = "one person" if uses == 1 else f"{uses} people"
    call.out.line("invited: ", people, f" to join {found['name'] or found['id']} as {role}")
    call.out.line("  id    ", invited["id"])
    call.out.line("  link  ", invited["link"])
    if call.out.terminal:
        call.out.raw(_terminal_code(invited["link"]).encode())
    if qr is not None:
        call.out.say(f"  the QR code is in {qr}")
    call.out.say(
        "  they join by: commonsnode join LINK; take it back: commonsnode invite --withdraw"
        f" {invited['id'][:8]}"
    )


@app.command()
def join(
    context: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LINK", help="commons:… as `invite` prints it.")],
    as_json: Json = False,
) -> None:
    """Join a community by an invitation. Who made it need not be in reach: any node that follows the community will do."""
    from commonsnode_protocol.errors import NotWellFormed
    from commonsnode_protocol.link import parse

    try:
        parse(text(link, "the link"))
    except NotWellFormed as error:
        # Not repeated here: it may hold the secret of an invitation.
        raise WrongUsage(f"that is no link: {error}") from error
    call = Invocation.of(context, as_json)
    joined = call.node.post("/communities/join", {"link": link}, timeout_s=JOIN_S_MAX)
    if call.as_json:
        call.out.document(joined)
        return
    name = joined["name"] or f"the community {joined['community'][:8]}"
    if joined["waiting"]:
        call.out.line("joining: ", (name, "bold"), f" as {joined['role']}")
        call.out.say(f"  it waits on this node: {joined['why']}")
        call.out.say(
            "  what you write meanwhile waits too, and goes out with it; see: commonsnode community show"
        )
    else:
        call.out.line("joined: ", (name, "bold"), f" as {joined['role']}")
    call.out.line("  id  ", joined["community"])


def _withdraw(call: Invocation, path: str, which: str) -> None:
    done = call.node.delete(f"{path}/{segment(which)}")
    if call.as_json:
        call.out.document(done)
        return
    already = "withdrawn already" if done["changeset"] is None else "withdrawn"
    call.out.line(f"{already}: ", done["id"])
    call.out.say(
        f"  {done['used']} joined by it and stay; a join made before that is not here yet needs a new invitation"
    )


def _code(link: str) -> Any:
    import segno

    return segno.make(link, error="m", micro=False)


def _terminal_code(link: str) -> str:
    drawn = io.StringIO()
    _code(link).terminal(out=drawn, compact=True)
    return drawn.getvalue()


def _write_picture(link: str, path: Path) -> None:
    drawn = io.BytesIO()
    kind = path.suffix.lower()[1:]
    _code(link).save(drawn, kind=kind, scale=PNG_SCALE if kind == "png" else 4)
    try:
        path.write_bytes(drawn.getvalue())
    except OSError as error:
        raise Refused(f"the QR code cannot be written to {path}: {error.strerror}") from error
