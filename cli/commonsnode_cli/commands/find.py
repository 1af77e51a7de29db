"""`find`: what can be used near a place, from when until when."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from commonsnode_cli.client import Client, Document
from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.invocation import CommunitiesOption, Invocation, Json
from commonsnode_cli.wording import distance, span_text, value_text
from commonsnode_cli.words import text as valid

LIMIT = 20  # where nobody says another
PAGE_MAX = 200  # that a node answers at once
AREA_BYTES_MAX = 200_000
ANY_KIND = "any"
SHORT_ID_CHARS = 12  # on a terminal

app = typer.Typer(add_completion=False)

_HEADINGS = ("id", "title", ">distance", "free", "terms", "condition", "place", "community")
_ALWAYS = ("id", "title")
_SORTS = (
    ("kinds", "kind"),
    ("categories", "category"),
    ("conditions", "condition"),
    ("communities", "community"),
    ("tags", "tag"),
)
_Several = list[str] | None
_Asked = tuple[str | None, str | None]  # from, until


@app.command()
def find(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT", help="Words that it must have, whole or as beginnings.", show_default=False
        ),
    ] = None,
    near: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE", help="LAT,LON, the name of a place, or 'my community'; the nearest come first."
        ),
    ] = None,
    within: Annotated[
        str | None, typer.Option(metavar="DISTANCE", help="How far from there at most: 500m, 15km, 2mi.")
    ] = None,
    area: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A GeoJSON file with polygons: only what is in them.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="From when it must be free: sat, today, tomorrow, 2026-12-05, 'sat 9:00', now. Alone: that whole day.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until when, likewise; a day means to its end.")
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(metavar="CATEGORY", help="A category with all below it, by its id or in words."),
    ] = None,
    kind: Annotated[
        _Several,
        typer.Option(metavar="K", help="Kind of record, if not resource; 'any' for all. May be repeated."),
    ] = None,
    community: CommunitiesOption = None,
    tag: Annotated[_Several, typer.Option(metavar="TAG", help="A tag that it has. May be repeated.")] = None,
    condition: Annotated[
        _Several,
        typer.Option(metavar="CONDITION", help="new, good, worn, needs-repair, broken. May be repeated."),
    ] = None,
    keeper: Annotated[
        str | None, typer.Option(metavar="WHO", help="Who looks after it: a name, a key, or 'me'.")
    ] = None,
    open_to: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="Only what such an agent, as co-operative or for-profit, has without asking for terms.",
        ),
    ] = None,
    for_me: Annotated[bool, typer.Option("--for-me", help="Only what is lent to you.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help=f"At most so many ({LIMIT}).")] = None,
    cursor: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="What follows; the page before printed it.")
    ] = None,
    facets: Annotated[
        bool,
        typer.Option("--facets", help="Instead: how many there are of each sort, by what is known at once."),
    ] = False,
    as_json: Json = False,
) -> None:
    """What can be used near a place, from when until when; the nearest first.

    As in: commonsnode find "cement mixer" --near 0.35,-78.12 --within 15km --from sat --until sun
    """
    said = {
        "text": " ".join(words) if words else None,
        "near": near,
        "within": within,
        "from": since,
        "until": until,
        "category": category,
        "kind": kind or None,
        "community": community or None,
        "tag": tag or None,
        "condition": condition or None,
        "keeper": keeper,
        "open_to": open_to,
    }
    question: dict[str, Any] = {
        name: _valid(name, value) for name, value in said.items() if value is not None
    }
    if for_me:
        question["for_me"] = True
    if area is not None:
        question["area"] = _area(area)
    call = Invocation.of(context, as_json)
    if facets:
        if limit is not None or cursor is not None:
            raise WrongUsage("--facets counts all there are: it goes with neither --limit nor --cursor")
        _print_facets(call, call.node.post("/resources/facets", question))
        return
    found = _found(call.node, question, limit or LIMIT, cursor)
    if call.as_json:
        call.out.document(found)
        return
    _print(call, found, category)
    if not found["results"]:
        others = kind is None and _found(call.node, {**question, "kind": [ANY_KIND]}, 1, None)["results"]
        call.out.say(
            "no thing is like that; there is something of another kind: --kind any"
            if others
            else "nothing found"
        )


def _found(node: Client, question: Mapping[str, Any], limit: int, cursor: str | None) -> Document:
    """So many, also where that takes several pages."""
    asked = dict(question)
    results: list[Document] = []
    while True:
        asked["limit"] = min(PAGE_MAX, limit - len(results))
        if cursor is not None:
            asked["cursor"] = cursor
        page = node.post("/resources/search", asked)
        results += page["results"]
        cursor = page["cursor"]
        if cursor is None or len(results) >= limit:
            return {**page, "results": results}


def _print(call: Invocation, found: Document, category: str | None) -> None:
    zone = ZoneInfo(found["zone"]) if found["zone"] else None
    asked = (found["from"], found["until"])
    if found["category"] is not None and found["category"] != category:
        call.out.say(f"of category {found['category']}")
    near = found["near"]
    if near is not None and near["name"]:
        call.out.say(f"near {value_text('place', near)}")
    if asked[0] is not None:
        when = span_text(_moment(asked[0]), _moment(asked[1]), zone)
        call.out.say(f"free {when}{f' ({zone.key})' if zone is not None else ''}")
    rows = [_row(one, asked, zone, short=call.out.terminal) for one in found["results"]]
    shown = _with_something(rows) if call.out.terminal else range(len(_HEADINGS))
    call.out.table([_HEADINGS[n] for n in shown], [[row[n] for n in shown] for row in rows])
    if found["cursor"] is not None:
        call.out.say(f"there is more: --cursor {found['cursor']}")


def _print_facets(call: Invocation, found: Document) -> None:
    if call.as_json:
        call.out.document(found)
        return
    names = {one["id"]: one["name"] for one in call.node.get("/communities")["communities"]}
    rows = [("all", "", str(found["total"]))]
    for sort, label in _SORTS:
        rows += [(label, names.get(name) or name, str(many)) for name, many in found[sort].items()]
    call.out.table(("of", "which", ">how many"), rows)


def _row(one: Document, asked: _Asked, zone: ZoneInfo | None, *, short: bool) -> tuple[str, ...]:
    return (
        one["id"][:SHORT_ID_CHARS] if short else one["id"],
        one["title"],
        distance(one["distance_m"]),
        _idle(one, asked, zone, short=short),
        _terms(one["terms"]),
        str(one["fields"].get("condition") or ""),
        _place(one["fields"].get("place"), short=short),
        one["community_name"] or one["community"][:SHORT_ID_CHARS],
    )


def _with_something(rows: Sequence[tuple[str, ...]]) -> list[int]:
    """A terminal is narrow: columns that say nothing, or all the same community, are left out."""
    return [
        number
        for number, heading in enumerate(_HEADINGS)
        if heading in _ALWAYS
        or (
            any(row[number] for row in rows)
            and (heading != "community" or len({row[number] for row in rows}) > 1)
        )
    ]


def _place(said: Any, *, short: bool) -> str:
    named = said.get("name") if isinstance(said, dict) else None
    return named if short and isinstance(named, str) and named else value_text("place", said)


def _idle(one: Document, asked: _Asked, zone: ZoneInfo | None, *, short: bool) -> str:
    spans = [(span["from"], span["until"]) for span in one["idle"]]
    if spans == [asked]:
        return "all the time"
    return ", ".join(span_text(_moment(begin), _moment(end), zone, year=not short) for begin, end in spans)


def _terms(terms: Document) -> str:
    if not terms["lent"]:
        return "not lent to you"
    return f"{terms['use']}: {terms['fee']}" if terms["fee"] else str(terms["use"])


def _moment(said: str | None) -> datetime:
    return datetime.fromisoformat(said or "")


def _valid(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [valid(each, f"--{name}") for each in value]
    return valid(value, f"--{name}")


def _area(path: Path) -> Any:
    """The GeoJSON of a file. Raises Refused."""
    try:
        with path.open("rb") as file:
            data = file.read(AREA_BYTES_MAX + 1)
        if len(data) > AREA_BYTES_MAX:
            raise Refused(f"--area: {path} has more than {AREA_BYTES_MAX} bytes: simplify its outline")
        return json.loads(data)
    except OSError as error:
        raise Refused(f"--area: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Refused(f"--area: {path} is no GeoJSON: {error}") from error
