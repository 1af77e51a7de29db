"""`import` and `export`."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from commonsnode_cli.client import Document
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.progress import progress
from commonsnode_cli.words import text

if TYPE_CHECKING:
    from commonsnode.tables import Format, Sheet
    from commonsnode_cli.importing import Taken

REJECTED_SHOWN = 20
STDOUT_BLOCK_BYTES = 64 * 1024

app = typer.Typer(add_completion=False)


@app.command(name="import")
def import_(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV, XLSX, GeoJSON, JSON Lines, YAML, or an Open Know-How manifest."
        ),
    ],
    community: CommunityOption = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="'HEADING=FIELD'", help="Where a column goes; - leaves it out. Repeatable."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="H", help="The heading of the column that names the rows.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="S", help="What names this table; files of one source speak of the same things."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="K", help="What sort of record the rows are. [as they look, else resource]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    exact_places: Annotated[
        bool | None,
        typer.Option(
            "--exact-places/--blurred-places",
            help="Whether everybody may know exactly where things are, or members alone. [members where a row names a"
            " keeper or is a person; what is here already stays as it is]",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in a file. The same file again changes nothing; a corrected one changes what differs.

    A bad row is reported with its line and reason, and the rest goes in: exit code 0, also then.
    """
    from commonsnode_cli.importing import Wish, open_file, take_in, wished_mapping

    mapping = wished_mapping([text(word, "--map") for word in maps or ()])
    call = Invocation.of(context, as_json)
    wish = Wish(file, call.community(community)["id"], mapping, key, source, kind, dry_run, exact_places)
    sheets = open_file(wish)
    taken = []
    watched = sys.stderr.isatty()  # else it is said when all is done
    for sheet in sheets:
        if watched:
            _say_mapping(call, sheet)
        with progress(f"importing {sheet.name or file.name}", show=not call.as_json) as step:
            taken.append(take_in(call.node, sheet, wish, step))
    document = _document(taken, dry_run)
    rejected = [_bad_row(one) for one in document["rejected"]]
    if call.as_json:
        call.out.document(document)
        return
    for sheet in () if watched else sheets:
        _say_mapping(call, sheet)
    done = ", ".join(f"{document[name]} {name}" for name in ("added", "changed", "unchanged"))
    call.out.line("would be: " if dry_run else "imported: ", done, f", {len(rejected)} rejected")
    for line in (*document["notices"], *_shortened(rejected)):
        call.out.say(f"  {line}")
    if document["waiting"]:
        call.out.say(
            "  it waits on this node until a steward admits you (member grant ID; your id: commonsnode id)"
        )


@app.command()
def export(
    context: typer.Context,
    community: CommunityOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="jsonl|csv|xlsx|geojson",
            help="Else as the name of the file says, else jsonl.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; a complete file or none. Else to stdout.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write out all that stands in a community, sorted by record id.

    The JSON Lines are complete, can be imported again without loss, and are the same on every node in step. With
    --json and a file: what was written where; with --json alone: a document that has the whole export as `content`.
    """
    from commonsnode_cli.exporting import replacing, write_out

    chosen = _format(form, output)
    call = Invocation.of(context, as_json)
    found = call.community(community)
    with progress("exporting", show=not call.as_json) as step:
        if output is not None:
            with replacing(output) as out:
                count = write_out(call.node, found["id"], chosen, out, step)
        elif call.as_json:
            gathered = io.BytesIO()
            count = write_out(call.node, found["id"], chosen, gathered, step)
        else:
            _to_stdout(call, found["id"], chosen)
            return
    document: Document = {"format": chosen, "records": count, "path": str(output) if output else None}
    if call.as_json:
        call.out.document(document if output else {**document, "content": gathered.getvalue().decode()})
    else:
        call.out.say(f"exported: {count} things to {output}")


def _format(form: str | None, output: Path | None) -> "Format":
    from commonsnode_cli.exporting import FORMATS, SUFFIXES

    if form is None:
        return SUFFIXES.get(output.suffix.lower(), "jsonl") if output else "jsonl"
    chosen = next((known for known in FORMATS if known == form.lower()), None)
    if chosen is None:
        raise WrongUsage(f"a format is {', '.join(FORMATS)}, not {form!r} (see commonsnode export --help)")
    if chosen == "xlsx" and output is None:
        raise WrongUsage("a workbook is no text for stdout: name a file with --output FILE.xlsx")
    return chosen


def _to_stdout(call: Invocation, community: str, form: "Format") -> None:
    from commonsnode_cli.exporting import Stdout, write_out

    # No bar: it would run through the lines on a terminal.
    out = io.BufferedWriter(Stdout(call.out), STDOUT_BLOCK_BYTES)
    with progress("", show=False) as step:
        write_out(call.node, community, form, cast(BinaryIO, out), step)
    out.flush()


def _say_mapping(call: Invocation, sheet: "Sheet") -> None:
    if sheet.name:
        call.out.say(f"sheet {sheet.name}:")
    width = max(map(len, sheet.mapping), default=0)
    for heading, target in sheet.mapping.items():
        call.out.say(f"  {heading:<{width}}  →  {target}")
    for notice in sheet.notices:
        call.out.say(f"  {notice}")


def _document(taken: "list[Taken]", dry_run: bool) -> Document:
    several = len(taken) > 1
    document: Document = {
        "added": sum(one.added for one in taken),
        "changed": sum(one.changed for one in taken),
        "unchanged": sum(one.unchanged for one in taken),
        "blurred": sum(one.blurred for one in taken),
        "rejected": [
            {"line": bad.line, "reason": bad.reason, **({"sheet": one.sheet.name} if several else {})}
            for one in taken
            for bad in one.rejected
        ],
        "mapping": {heading: target for one in taken for heading, target in one.sheet.mapping.items()},
        "gone": [thing for one in taken for thing in one.gone],
        "notices": [notice for one in taken for notice in (*one.sheet.notices, *one.notices)],
        "waiting": any(one.waiting for one in taken),
        "dry_run": dry_run,
    }
    if several:
        document["sheets"] = [
            {
                "sheet": one.sheet.name,
                "source": one.sheet.source,
                "added": one.added,
                "changed": one.changed,
                "unchanged": one.unchanged,
                "rejected": len(one.rejected),
                "mapping": one.sheet.mapping,
            }
            for one in taken
        ]
    return document


def _bad_row(bad: Document) -> str:
    where = f"{bad['sheet']}, " if "sheet" in bad else ""
    return f"{where}line {bad['line']}: {bad['reason']}"


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - REJECTED_SHOWN
    return [*lines[:REJECTED_SHOWN], f"… and {more} more (--json lists all)"] if more > 0 else lines
