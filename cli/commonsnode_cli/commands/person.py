"""`person add|list|lock|unlock|words|export|import|trust|passphrase`: people who have no computer of their own."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from commonsnode_cli.client import Document, segment
from commonsnode_cli.commands.recovery import LINE_WORDS
from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.typed import PassphraseFile, passphrase, secret
from commonsnode_cli.wording import moment
from commonsnode_cli.words import text

PERSON_FILE_BYTES_MAX = 64 * 1024

app = typer.Typer(name="person", help="People who use this node.", add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the account; capitals make no difference.")]


@app.callback()
def person(context: typer.Context, as_json: Json = False) -> None:
    """People who use this node: each has a key that only their passphrase opens."""
    Invocation.of(context, as_json)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whom others of this node know.")],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Add an account. Let the person type the passphrase, and write down the words, which are shown this once."""
    call = Invocation.of(context, as_json)
    body = {"name": text(name, "the name"), "passphrase": passphrase(passphrase_file, twice=True)}
    added = call.node.post("/persons", body)
    if call.as_json:
        call.out.document(added)
        return
    call.out.line("added: ", (added["name"], "bold"))
    call.out.line("  id  ", added["id"])
    _print_words(call, added["words"])
    call.out.say(f"  admit them: commonsnode member grant {added['id']}")


@app.command(name="list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Who has an account on this node, and where they are admitted."""
    call = Invocation.of(context, as_json)
    found = call.node.get("/persons")
    if call.as_json:
        call.out.document(found)
        return
    rows = [
        (
            one["id"],
            one["name"],
            "locked" if one["locked"] else "",
            moment(one["created"]),
            ", ".join(f"{of['name'] or of['id'][:8]} ({of['role']})" for of in one["communities"]),
        )
        for one in found["persons"]
    ]
    call.out.table(("id", "name", "", "created", "communities"), rows)


@app.command()
def lock(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Let nobody sign in to an account; who is signed in to it is so no more. The key and what it wrote stay."""
    _switched(Invocation.of(context, as_json), name, "lock")


@app.command()
def unlock(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Take back a lock; also ends the pause after wrong passphrases."""
    _switched(Invocation.of(context, as_json), name, "unlock")


@app.command()
def words(
    context: typer.Context, name: Name, passphrase_file: PassphraseFile = None, as_json: Json = False
) -> None:
    """Show the words of a key again, by which it moves to another node. It takes the passphrase."""
    call = Invocation.of(context, as_json)
    body = {"passphrase": passphrase(passphrase_file)}
    found = call.node.post(f"/persons/{segment(name)}/words", body)
    if call.as_json:
        call.out.document(found)
        return
    _print_words(call, found["words"])


@app.command()
def export(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, for its owner only.")],
    as_json: Json = False,
) -> None:
    """Write a person's sealed key to a file, for another node: there it opens with their passphrase alone."""
    call = Invocation.of(context, as_json)
    found = call.node.get(f"/persons/{segment(name)}/export")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(found, opened, ensure_ascii=False, indent=1)
            opened.write("\n")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from error
    if call.as_json:
        call.out.document({"id": found["id"], "name": found["name"], "file": str(file)})
        return
    call.out.line("exported: ", (found["name"], "bold"), f" to {file}")
    call.out.say("  on the other node: commonsnode person import FILE. Here they stay, until you lock them")


@app.command(name="import")
def import_(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="As `person export` wrote it.", show_default=False),
    ] = None,
    by_words: Annotated[
        bool, typer.Option("--words", help="Instead of FILE: by the words of the key, and a new passphrase.")
    ] = False,
    words_file: Annotated[
        Path | None,
        typer.Option("--words-file", metavar="WORDS", help="The words, on one line; `-`: of stdin."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Of the account here.")] = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Add the account of somebody whose key comes from another node: by FILE and its passphrase, or by --words.

    Where that person has an account of this name already, --words sets a new passphrase: for who has forgotten it.
    """
    by_words = by_words or words_file is not None
    if by_words == (file is not None):
        raise WrongUsage("give FILE, or --words (see commonsnode person import --help)")
    if by_words and name is None:
        raise WrongUsage("with --words an account needs a --name")
    body: Document = {"name": text(name, "the name")} if name is not None else {}
    if file is not None:
        body["file"] = _read(file)
        body["passphrase"] = passphrase(passphrase_file)
    else:
        body["words"] = secret("words", words_file, "--words-file")
        body["passphrase"] = passphrase(passphrase_file, twice=True, of="new passphrase")
    call = Invocation.of(context, as_json)
    added = call.node.post("/persons/import", body)
    if call.as_json:
        call.out.document(added)
        return
    call.out.line("imported: ", (added["name"], "bold"))
    call.out.line("  id  ", added["id"])


@app.command()
def trust(
    context: typer.Context,
    name: Name,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take that back, for good: this node is not named again.")
    ] = False,
    community: CommunityOption = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """As the person: let this node confirm joins and acknowledge tables for them where they are a steward.

    It does so with its own key, which is named for that alone. Without --community: everywhere where they are admitted.
    """
    call = Invocation.of(context, as_json)
    with call.signed_in(name, passphrase(passphrase_file)) as node:
        if withdraw:
            trusted = node.delete("/session/trust", {"community": community})
        else:
            trusted = node.post("/session/trust", {"community": community} if community is not None else {})
    if call.as_json:
        call.out.document(trusted)
        return
    for one in trusted["communities"]:
        acts = "acts no more" if withdraw else "acts"
        call.out.line(
            "withdrawn: " if withdraw else "trusted: ",
            f"this node {acts} for {name} in {one['name'] or one['id']}",
        )


@app.command(name="passphrase")
def passphrase_(
    context: typer.Context,
    name: Name,
    passphrase_file: PassphraseFile = None,
    new_file: Annotated[
        Path | None,
        typer.Option(
            "--new-file", metavar="FILE", help="The new one, likewise; `-`: the next line of stdin."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """As the person: change the passphrase. Their other sessions end."""
    call = Invocation.of(context, as_json)
    old = passphrase(passphrase_file)
    new = secret("new passphrase", new_file, "--new-file", twice=True)
    with call.signed_in(name, old) as node:
        changed = node.post("/session/passphrase", {"passphrase": old, "new": new})
    if call.as_json:
        call.out.document({"id": changed["person"], "name": changed["name"]})
        return
    call.out.line("changed: the passphrase of ", (changed["name"], "bold"))


def _switched(call: Invocation, name: str, verb: str) -> None:
    found = call.node.post(f"/persons/{segment(name)}/{verb}")
    if call.as_json:
        call.out.document(found)
        return
    call.out.line(f"{verb}ed: ", (found["name"], "bold"))


def _print_words(call: Invocation, every: list[str]) -> None:
    call.out.line(("words of the key", "bold"))
    for at in range(0, len(every), LINE_WORDS):
        call.out.line("  ", " ".join(every[at : at + LINE_WORDS]))
    call.out.say(
        "  they bring this key to another node: commonsnode person import --words --name NAME. Whoever has them can"
        " sign as this person: paper is a good place"
    )


def _read(file: Path) -> Document:
    try:
        with file.open("rb") as opened:
            data = opened.read(PERSON_FILE_BYTES_MAX)
        found = json.loads(data)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from error
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(f"{file} is no person as `commonsnode person export` writes it")
    return found
