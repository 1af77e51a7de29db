"""`recovery make|use`: words on paper that bring a person back on a new node."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.invocation import Invocation, Json
from commonsnode_cli.words import text

USE_S_MAX = 120.0
WORDS_BYTES_MAX = 4_096  # of a file with words; 24 of them are fewer than 300
LINE_WORDS = 6

app = typer.Typer(name="recovery", help="Words on paper that bring you back.", add_completion=False)


@app.callback()
def recovery(context: typer.Context, as_json: Json = False) -> None:
    """Words on paper that bring you back on a new node."""
    Invocation.of(context, as_json)


@app.command()
def make(context: typer.Context, as_json: Json = False) -> None:
    """Make recovery words and show them once, for every community where this node is a person's first.

    Words that were made before count as well.
    """
    call = Invocation.of(context, as_json)
    made = call.node.post("/recovery")
    if call.as_json:
        call.out.document(made)
        return
    say_words(call, made["recovery_words"])
    for one in made["left_out"]:
        call.out.say(f"  not for community {one['id'][:8]}: {one['why']}")


@app.command()
def use(
    context: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LINK", help="commons:… of the community.")],
    words_file: Annotated[
        Path | None,
        typer.Option(
            "--words-file", metavar="FILE", help="The words; `-` or left out: from stdin or a prompt."
        ),
    ] = None,
    revoke: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="A lost device to revoke, or a beginning of its id; may be repeated."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """On a new node: be the person again who wrote the words down. A node that has the community must be in reach.

    Revoke the lost node with --revoke ID; what it wrote, as far as it is in reach, stays.
    """
    from commonsnode_protocol.errors import NotWellFormed
    from commonsnode_protocol.link import parse

    try:
        parse(text(link, "the link"))
    except NotWellFormed as error:
        raise WrongUsage(f"that is no link: {error}") from error
    call = Invocation.of(context, as_json)
    body = {"link": link, "words": _words(words_file), "revoke": [*(revoke or ())]}
    used = call.node.post("/recovery/use", body, timeout_s=USE_S_MAX)
    if call.as_json:
        call.out.document(used)
    else:
        name = used["name"] or used["community"][:8]
        call.out.line("recovered: ", (name, "bold"), f", as {used['role'] or 'somebody without a role'}")
        call.out.line("  community  ", used["community"])
        call.out.line("  person     ", used["person"])
        for key in used["revoked"]:
            call.out.line("  revoked    ", key)
        call.out.say("  this node writes as that person now; all keys: commonsnode device list")
        if used["role"] == "steward" and used["signs_tables"]:
            call.out.say(
                "  it signs all that the lost node did. May that one be in wrong hands, hand the office on to this one:"
                f" commonsnode steward propose --add ID --remove {used['person'][:8]} (ID: commonsnode id)"
            )
        elif used["role"] == "steward":
            call.out.say(
                "  it admits, invites and revokes people; these words do not sign changes of stewards and charter. Be elected:"
                " commonsnode member grant, then commonsnode steward succeed"
            )
    if used["not_revoked"] is not None:
        raise Refused(f"recovered, but not revoked: {used['not_revoked']}")


def say_words(call: Invocation, words: str) -> None:
    """The words for people, with what they are for."""
    every = words.split()
    call.out.line(("recovery words", "bold"), " (shown this once):")
    for at in range(0, len(every), LINE_WORDS):
        call.out.line("  ", " ".join(every[at : at + LINE_WORDS]))
    call.out.say(
        "  write them on paper, and keep it where this node is not. Should this node be lost, they bring you back on a new one:"
        " commonsnode recovery use LINK. Whoever has them can act as you"
    )


def _words(path: Path | None) -> str:
    # Never from the command line itself: other users of the machine see that, and shells keep it.
    if path is not None and str(path) != "-":
        try:
            with path.open("rb") as file:
                data = file.read(WORDS_BYTES_MAX)
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from error
    elif sys.stdin.isatty():
        data = str(typer.prompt("recovery words", hide_input=True, err=True)).encode()
    else:
        data = sys.stdin.buffer.read(WORDS_BYTES_MAX)
    said = data.decode(errors="replace").strip()
    if not said:
        raise WrongUsage("no words were given: type them at the prompt, or give --words-file FILE")
    return said
