"""`reservation list|show|confirm|decline|cancel|extend|hand-over|return|damage`: what is reserved, and what becomes of it."""

from typing import Annotated, Any

import typer

from commonsnode_cli.client import Document
from commonsnode_cli.commands.reserve import say_asked
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json
from commonsnode_cli.loans import say_held, say_terms, show_line, span_text, state_text, who
from commonsnode_cli.wording import moment
from commonsnode_cli.words import record_id, text

PAGE_RESERVATIONS = 1_000  # asked for at once
SHORT_ID_CHARS = 12  # on a terminal
CONDITIONS = ("new", "good", "worn", "needs-repair", "broken")

app = typer.Typer(name="reservation", help="What is reserved, and what becomes of it.", add_completion=False)

ReservationId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a reservation, or an unambiguous beginning of it.")
]
Why = Annotated[str | None, typer.Option("--why", metavar="TEXT", help="A reason, which everybody may read.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="WHEN", help="When it was, as in today 9:00; else now.")
]


@app.callback()
def reservation(context: typer.Context, as_json: Json = False) -> None:
    """What is reserved, and what becomes of it. A new one is made by `commonsnode reserve`."""
    Invocation.of(context, as_json)


@app.command(name="list")
def list_(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="What you asked for.")] = False,
    asked_of_me: Annotated[
        bool,
        typer.Option(
            "--asked-of-me",
            help="What is asked for of the things that you keep; as a steward, also of what nobody keeps.",
        ),
    ] = False,
    of: Annotated[
        str | None, typer.Option("--of", metavar="ID", help="Only of this thing, or of an id that begins so.")
    ] = None,
    is_open: Annotated[
        bool, typer.Option("--open", help="Only what has not ended, and is not past.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """What is reserved, by when it begins; and on stderr what you should know of it."""
    query: dict[str, str | None] = {
        "mine": "true" if mine else None,
        "asked_of_me": "true" if asked_of_me else None,
        "of": record_id(of) if of is not None else None,
        "open": "true" if is_open else None,
        "community": community,
    }
    call = Invocation.of(context, as_json)
    rows, notices = _pages(call, query, limit)
    if call.as_json:
        call.out.document({"reservations": rows, "notices": notices})
        return
    call.out.table(
        ("id", "thing", "when", "by", "state"),
        [
            (
                one["id"][:SHORT_ID_CHARS] if call.out.terminal else one["id"],
                _thing_text(one),
                span_text(one),
                "you" if one["mine"] else who(one, "by"),
                state_text(one),
            )
            for one in rows
        ],
    )
    if not rows:
        call.out.say("nothing is reserved: commonsnode reserve ID --from WHEN --until WHEN")
    for notice in notices:
        call.out.say(f"  {notice['text']}")


@app.command()
def show(
    context: typer.Context, which: ReservationId, community: CommunityOption = None, as_json: Json = False
) -> None:
    """One reservation: its state, who asked and who keeps the thing, its terms, and what others wrote without effect."""
    path = _path(which)
    call = Invocation.of(context, as_json)
    found = call.node.get(path, {"community": community})
    if call.as_json:
        call.out.document(found)
        return
    _show(call, found)


@app.command()
def confirm(
    context: typer.Context, which: ReservationId, community: CommunityOption = None, as_json: Json = False
) -> None:
    """As keeper of the thing, promise it to who asked."""
    _act(Invocation.of(context, as_json), which, "confirm", {}, community)


@app.command()
def decline(
    context: typer.Context,
    which: ReservationId,
    why: Why = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As keeper of the thing, say no; also to what was confirmed before."""
    body = {"why": text(why, "--why")} if why is not None else {}
    _act(Invocation.of(context, as_json), which, "decline", body, community)


@app.command()
def cancel(
    context: typer.Context,
    which: ReservationId,
    why: Why = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As who asked, take it back."""
    body = {"why": text(why, "--why")} if why is not None else {}
    _act(Invocation.of(context, as_json), which, "cancel", body, community)


@app.command()
def extend(
    context: typer.Context,
    which: ReservationId,
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="A day, to its end, or a time.")],
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As who asked, ask for the time after it as well: a reservation of its own, which the keeper confirms or declines."""
    path, body = _path(which, "extend"), {"until": text(until, "--until")}
    call = Invocation.of(context, as_json)
    asked = call.node.post(path, body, {"community": community})
    if call.as_json:
        call.out.document(asked)
        return
    say_asked(call, asked)


@app.command(name="hand-over")
def hand_over(
    context: typer.Context,
    which: ReservationId,
    at: At = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As keeper of the thing, say that it was handed over."""
    body = {"at": text(at, "--at")} if at is not None else {}
    _act(Invocation.of(context, as_json), which, "hand-over", body, community)


@app.command(name="return")
def return_(
    context: typer.Context,
    which: ReservationId,
    at: At = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """As keeper of the thing, say that it came back: the rest of the time is free, also that of extensions."""
    body = {"at": text(at, "--at")} if at is not None else {}
    _act(Invocation.of(context, as_json), which, "return", body, community)


@app.command()
def damage(
    context: typer.Context,
    which: ReservationId,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What happened.")],
    condition: Annotated[
        str | None,
        typer.Option("--condition", metavar="|".join(CONDITIONS), help="How it is now; else needs-repair."),
    ] = None,
    at: At = None,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Tell that the thing was damaged while it was lent: an event of its own, and the condition of the thing."""
    if condition is not None and condition not in CONDITIONS:
        raise WrongUsage(f"a condition is one of {', '.join(CONDITIONS)}, not {condition!r}")
    body = {"note": text(note, "--note")}
    if condition is not None:
        body["condition"] = condition
    if at is not None:
        body["at"] = text(at, "--at")
    path = _path(which, "damage")
    call = Invocation.of(context, as_json)
    told = call.node.post(path, body, {"community": community})
    if call.as_json:
        call.out.document(told)
        return
    call.out.line("noted: ", told["id"])
    call.out.say(
        f"  the thing is {told['condition']} now" if told["condition"] else "  its condition said so already"
    )
    say_held(call, told)


def _thing_text(row: Document) -> str:
    amount = f" × {row['amount']}" if row["amount"] != "1" else ""
    return f"{row['title']}{amount}{' (part of a kit)' if row['part_of'] else ''}"


def _path(which: str, act: str | None = None) -> str:
    path = f"/reservations/{record_id(which)}"
    return path if act is None else f"{path}/{act}"


def _act(call: Invocation, which: str, act: str, body: Document, community: str | None) -> None:
    path = _path(which, act)
    done = call.node.post(path, body, {"community": community})
    if call.as_json:
        call.out.document(done)
        return
    show_line(call, done)
    if not done["changed"]:
        call.out.say("  it was so already")
    for displaced in done["displaces"]:
        call.out.say(f"  it goes before {displaced[:12]}, which is displaced now; whose that is will be told")
    say_held(call, done)


def _show(call: Invocation, found: Document) -> None:
    show_line(call, found)
    lines: list[tuple[str, Any]] = [
        ("thing", f"{found['title']}  {found['resource'][:12]}"),
        ("by", "you" if found["mine"] else who(found, "by")),
        ("keeper", "you" if found["asked_of_me"] else who(found, "keeper")),
        ("asked", f"{moment(found['asked'])}; first seen here {moment(found['seen'])}"),
        (
            "terms",
            f"{found['terms']['use']} {found['terms']['fee']}".rstrip() + f" ({found['terms']['why']})",
        ),
        ("note", found["note"]),
        ("why", found["why"]),
        ("displaced by", ", ".join(one[:12] for one in found["displaced_by"])),
        ("part of", (found["part_of"] or "")[:12]),
        *(("part", f"{one['title']}: {one['state']}  {one['id'][:12]}") for one in found["parts"]),
        ("extended by", ", ".join(one[:12] for one in found["extended_by"])),
    ]
    width = max(len(name) for name, said in lines if said) + 2
    for name, said in lines:
        if said:
            call.out.line(f"  {name:<{width}}", str(said))
    for one in found["no_effect"]:
        call.out.line(
            (f"  no effect: {one['act']} by {one['by'][:8]}, {moment(one['time'])}, who may not", "yellow")
        )
    say_terms(call, found)


def _pages(
    call: Invocation, query: dict[str, str | None], limit: int | None
) -> tuple[list[Document], list[Document]]:
    """The reservations, and what is to be told beside them."""
    rows: list[Document] = []
    notices: list[Document] = []
    cursor: str | None = None
    while limit is None or len(rows) < limit:
        wanted = PAGE_RESERVATIONS if limit is None else min(PAGE_RESERVATIONS, limit - len(rows))
        page = call.node.get("/reservations", {**query, "cursor": cursor, "limit": str(wanted)})
        rows += page["reservations"]
        notices += page["notices"]
        cursor = page["cursor"]
        if cursor is None:
            break
    return rows, notices
