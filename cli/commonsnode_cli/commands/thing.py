"""`add`, `edit`, `show`, `list`, `remove`, `restore`, `history`: the inventory, one thing at a time."""

from typing import Annotated, Any

import typer

from commonsnode_cli.client import Client, Document, segment
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json, KindOption, ThingId
from commonsnode_cli.wording import author, length, moment, value_text
from commonsnode_cli.words import fields, moved, place, record_id, text

PAGE_RECORDS = 200  # asked for at once
LANES = ("public", "knowledge", "members")
UNSHOWN = ("nonce", "beside")  # says something to programs only
SHORT_ID_CHARS = 12  # on a terminal

app = typer.Typer(add_completion=False)

At = Annotated[
    str | None,
    typer.Option("--at", metavar="LAT,LON", help="Where it is, in decimal degrees, as in --at -0.35,-78.12"),
]
ExactPlace = Annotated[
    bool, typer.Option("--exact-place", help="Let everybody know exactly where it is, not only members.")
]
FieldWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE",
        help="A field and its text; field= clears it; field:=JSON sets a value of another type.",
        show_default=False,
    ),
]


@app.command()
def add(
    context: typer.Context,
    title: Annotated[
        str, typer.Argument(metavar="TITLE", help="What one would call it; after -- it may begin with -")
    ],
    words: FieldWords = None,
    community: CommunityOption = None,
    at: At = None,
    lane: Annotated[
        str,
        typer.Option(metavar="public|knowledge|members", help="Who reads it; `members` is sealed for them."),
    ] = "public",
    kind: Annotated[str, typer.Option(metavar="K", help="What sort of record it is.")] = "resource",
    exact_place: ExactPlace = False,
    as_json: Json = False,
) -> None:
    """Add a thing to the inventory.

    As in: commonsnode add "post-hole auger" --at -0.35,-78.12 condition=good tag:garden=true amount=2
    """
    given = fields(words or ())
    if "title" in given:
        raise WrongUsage("the title is given twice: TITLE, and the field title")
    check_lane(lane, "add")
    if not title.strip():
        raise WrongUsage("the title is empty")
    given = {
        "title": text(title, "the title"),
        **{name: value for name, value in given.items() if value is not None},
    }
    put_at(given, at)
    call = Invocation.of(context, as_json)
    found = call.community(community)
    added = call.node.post(
        f"/communities/{found['id']}/records",
        {"kind": text(kind, "the kind"), "lane": lane, "exact_place": exact_place, "fields": given},
    )
    if call.as_json:
        call.out.document(added)
        return
    call.out.line("added: ", (title, "bold"), f"  {added['id']}")
    say_blurred(call, added)
    say_waiting(call, added)


@app.command()
def edit(
    context: typer.Context,
    thing: ThingId,
    words: FieldWords = None,
    at: At = None,
    community: CommunityOption = None,
    kind: KindOption = None,
    lane: Annotated[
        str | None,
        typer.Option(
            metavar="members", help="Only members read what you set; others go on reading the rest."
        ),
    ] = None,
    exact_place: ExactPlace = False,
    as_json: Json = False,
) -> None:
    """Change fields of a thing. What you see is what your edit follows: it settles a conflict of these fields.

    As in: commonsnode edit 3f9a condition=broken keeper_name=Rosa description=
    """
    check_lane(lane, "edit")
    given = fields(words or ())
    if not given and at is None:
        raise WrongUsage("nothing to change: give field=value, or --at LAT,LON (see commonsnode edit --help)")
    put_at(given, at)
    call = Invocation.of(context, as_json)
    path, query = _record(thing, community, kind)
    if isinstance(to := given.get("place"), dict) and to.keys() == {"lat", "lon"}:
        old = call.node.get(path, query)
        path, query = _exactly(old)
        given["place"] = moved(old["fields"].get("place"), to)
    asked = {"fields": given, "exact_place": exact_place, **({"lane": lane} if lane is not None else {})}
    changed = call.node.patch(path, asked, query)
    if call.as_json:
        call.out.document(changed)
        return
    names = changed["changed"]
    call.out.line("changed: " if names else "nothing changed: ", ", ".join(names) or "it says so already")
    call.out.line("  id  ", changed["id"])
    say_blurred(call, changed)
    say_waiting(call, changed)


@app.command()
def show(
    context: typer.Context,
    thing: ThingId,
    community: CommunityOption = None,
    kind: KindOption = None,
    as_json: Json = False,
) -> None:
    """One thing: its fields, and beside each what others have written at the same time."""
    call = Invocation.of(context, as_json)
    path, query = _record(thing, community, kind)
    found = call.node.get(path, query)
    if call.as_json:
        call.out.document(found)
        return
    call.out.line((found["title"], "bold"))
    unshown = {*UNSHOWN, *(("care",) if found["care"] and found["care"]["tasks"] else ())}
    shown = {name: value for name, value in found["fields"].items() if name not in unshown}
    void = {name: writes for name, writes in found["void"].items() if name not in UNSHOWN}
    width = max(map(len, (*shown, *found["conflicts"], *void)), default=0) + 2
    for name, value in shown.items():
        sealed = ("  (members only)", "dim") if name in found["lanes"] else ""
        call.out.line(f"  {name:<{width}}", value_text(name, value), sealed)
        for other in found["conflicts"].get(name, ()):
            said = (
                f"also: {value_text(name, other['value'])}  ({other['author'][:8]}, {moment(other['time'])})"
            )
            call.out.line(f"  {'':<{width}}", (said, "yellow"))
    for name in found["conflicts"].keys() - found["fields"].keys():
        for other in found["conflicts"][name]:
            said = f"cleared; also: {value_text(name, other['value'])}  ({other['author'][:8]}, {moment(other['time'])})"
            call.out.line(f"  {name:<{width}}", (said, "yellow"))
    for name, writes in void.items():
        for one in writes:
            said = f"no effect: {value_text(name, one['value'])}  ({one['author'][:8]}, {moment(one['time'])}: {one['why']})"
            call.out.line(f"  {name:<{width}}", (said, "yellow"))
    if found["care"] is not None:
        from commonsnode_cli.commands.care import say_care

        say_care(call, found["care"])
    if found["kind"] == "resource" and found["fields"] and not found["waiting"]:
        from commonsnode_cli.loans import show_reserved

        show_reserved(call, found)
    if found["deleted"]:
        call.out.line(("  removed; bring it back: ", "red"), f"commonsnode restore {found['id'][:8]}")
    if found["waiting"]:
        call.out.line((f"  waiting: nobody else has all of this. {_why_waiting(call, found)}", "yellow"))
    call.out.line((f"  {found['kind']} {found['id']}, changed {moment(found['changed'])}", "dim"))


@app.command(name="list")
def list_(
    context: typer.Context,
    community: CommunityOption = None,
    kind: KindOption = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="All these words, or beginnings of words.")
    ] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="What was removed, instead.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: Json = False,
) -> None:
    """List or search the inventory, of one community or of all that this node follows."""
    call = Invocation.of(context, as_json)
    path = "/records" if community is None else f"/communities/{segment(community)}/records"
    query = {"kind": kind, "text": search or None, "deleted": "true" if deleted else None}
    records = _pages(call.node, path, query, limit)
    if call.as_json:
        call.out.document({"records": records})
        return
    rows = [
        (
            one["id"][:SHORT_ID_CHARS] if call.out.terminal else one["id"],
            one["title"],
            one["kind"],
            str(one["fields"].get("condition") or ""),
            value_text("place", one["fields"].get("place")),
            "waiting" if one["waiting"] else "",
        )
        for one in records
    ]
    call.out.table(("id", "title", "kind", "condition", "place", ""), rows)
    if not rows:
        call.out.say(
            "nothing found" if search or kind or deleted else "nothing here yet: commonsnode add TITLE"
        )


@app.command()
def remove(
    context: typer.Context,
    thing: ThingId,
    community: CommunityOption = None,
    kind: KindOption = None,
    as_json: Json = False,
) -> None:
    """Remove a thing. Its history stays, and `restore` brings it back."""
    call = Invocation.of(context, as_json)
    path, query = _record(thing, community, kind)
    removed = call.node.delete(path, query)
    if call.as_json:
        call.out.document(removed)
        return
    call.out.line("removed: ", removed["id"])
    call.out.say(f"  undo: commonsnode restore {removed['id'][:8]}")
    say_waiting(call, removed)


@app.command()
def restore(
    context: typer.Context,
    thing: ThingId,
    community: CommunityOption = None,
    kind: KindOption = None,
    as_json: Json = False,
) -> None:
    """Bring back what was removed."""
    call = Invocation.of(context, as_json)
    path, query = _record(thing, community, kind)
    restored = call.node.post(f"{path}/restore", query=query)
    if call.as_json:
        call.out.document(restored)
        return
    call.out.line("restored: ", restored["id"])
    say_waiting(call, restored)


@app.command()
def history(
    context: typer.Context,
    thing: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="The id of a thing, or a beginning of it.", show_default=False),
    ] = None,
    authority: Annotated[
        bool,
        typer.Option("--authority", help="Instead: who did what with people, invitations and stewards."),
    ] = False,
    community: CommunityOption = None,
    kind: KindOption = None,
    as_json: Json = False,
) -> None:
    """Who changed what, and when; the oldest first.

    With --authority the audit trail of a community: every act, also what had no effect, and why.
    """
    if authority == (thing is not None):
        raise WrongUsage("give the ID of a thing, or --authority (see commonsnode history --help)")
    call = Invocation.of(context, as_json)
    if authority:
        _print_trail(call, call.node.get(f"/communities/{call.community(community)['id']}/history"))
        return
    path, query = _record(thing or "", community, kind)
    found = call.node.get(f"{path}/history", query)
    if call.as_json:
        call.out.document(found)
        return
    for entry in found["history"]:
        call.out.line(
            (moment(entry["time"]), "bold"),
            f"  {author(entry)}",
            "  (waiting)" if entry["waiting"] else "  (no effect)" if entry["void"] else "",
        )
        for name, value in entry["fields"].items():
            if name in UNSHOWN:
                continue
            call.out.line(
                f"  {name} = {value_text(name, value)}" if value is not None else f"  {name} cleared"
            )


def _print_trail(call: Invocation, found: Document) -> None:
    if call.as_json:
        call.out.document(found)
        return
    if found["total"] > len(found["history"]):
        call.out.say(f"the last {len(found['history'])} of {found['total']}")
    for entry in found["history"]:
        for act in entry["acts"]:
            call.out.line((moment(entry["time"]), "bold"), f"  {author(entry)}  {act['text']}")
            if act["void"] is not None:
                call.out.line((f"  {'':<26}no effect: {act['why']}", "yellow"))


def _record(thing: str, community: str | None, kind: str | None) -> tuple[str, dict[str, str | None]]:
    return f"/records/{record_id(thing)}", {"community": community, "kind": kind}


def _exactly(record: Document) -> tuple[str, dict[str, str | None]]:
    return f"/records/{record['id']}", {"community": record["community"], "kind": record["kind"]}


def put_at(given: dict[str, Any], at: str | None) -> None:
    if at is None:
        return
    if "place" in given:
        raise WrongUsage("the place is given twice: --at, and the field place")
    given["place"] = place(at)


def _pages(node: Client, path: str, query: dict[str, str | None], limit: int | None) -> list[Document]:
    records: list[Document] = []
    cursor: str | None = None
    while limit is None or len(records) < limit:
        wanted = PAGE_RECORDS if limit is None else min(PAGE_RECORDS, limit - len(records))
        page = node.get(path, {**query, "cursor": cursor, "limit": str(wanted)})
        records += page["records"]
        cursor = page["cursor"]
        if cursor is None:
            break
    return records


def check_lane(lane: str | None, command: str) -> None:
    if lane is not None and lane not in LANES:
        raise WrongUsage(
            f"a lane is {', '.join(LANES[:-1])} or {LANES[-1]}, not {lane!r} (see commonsnode {command} --help)"
        )


def say_blurred(call: Invocation, written: Document) -> None:
    if written["blurred"] is None:
        return
    call.out.say(
        f"  members know where it is; others to about {length(written['blurred'])} (--exact-place: everybody)"
    )
    if written["why"] and not written["waiting"]:
        call.out.say(f"  its exact place waits on this node: {written['why']}")


def say_waiting(call: Invocation, written: Document) -> None:
    if written["waiting"] and not call.as_json:
        call.out.say(f"  it waits on this node. {_why_waiting(call, written)}")


def _why_waiting(call: Invocation, written: Document) -> str:
    """Why nobody else takes it, and what helps. written: any document of the record."""
    if written.get("why"):
        return f"Held: {written['why']}"
    community = written.get("community")
    if community is None:
        community = call.node.get(f"/records/{written['id']}")["community"]
    you = call.node.get(f"/communities/{community}/you")
    if you["revoked"]:
        return (
            "A steward took this node's role back; until one admits it again (member grant ID) nobody takes what it"
            " writes"
        )
    if you["why"]:
        return f"Its join waits too: {you['why']}"
    if you["role"] == "mirror":
        return "This node is a mirror, which writes nothing; ask a steward: member grant ID"
    if you["role"] is not None:
        return "It was written while this node had no role; edit it once more to send it"
    return "Nobody else gets it until a steward admits you (member grant ID; your id: commonsnode id)"
