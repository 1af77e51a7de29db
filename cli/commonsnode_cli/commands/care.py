"""`care ID --did …`, `care list|due|rule`: what was done to things, what they need, and what is out for maintenance."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from commonsnode_cli.client import Document
from commonsnode_cli.failures import WrongUsage
from commonsnode_cli.invocation import CommunityOption, Invocation, Json, ThingId
from commonsnode_cli.loans import who
from commonsnode_cli.wording import moment
from commonsnode_cli.words import record_id, text

CONDITIONS = ("new", "good", "worn", "needs-repair", "broken")
NOTE = "note"  # the command that `care ID` stands for
HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


class _ByThing(TyperGroup):
    """`care ID …` notes something of a thing; no command of the group is written in hexadecimal digits."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] and set(args[0]) <= HEXADECIMAL:
            args = [NOTE, *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="care",
    cls=_ByThing,
    help="What was done to things, and what they need. `care ID --did TEXT` notes what you did.",
    add_completion=False,
)


@app.callback()
def care(context: typer.Context, as_json: Json = False) -> None:
    """What was done to things, and what they need. As in: commonsnode care 3f9a --did "oiled" --condition good"""
    Invocation.of(context, as_json)


@app.command()
def note(
    context: typer.Context,
    thing: ThingId,
    did: Annotated[
        str | None,
        typer.Option("--did", metavar="TEXT", help="What you did; a task of the thing by its name."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="Which of its tasks that was, where TEXT does not name it."),
    ] = None,
    used: Annotated[
        bool, typer.Option("--used", help="You used it; loans that were handed over count by themselves.")
    ] = False,
    condition: Annotated[
        str | None, typer.Option(metavar="|".join(CONDITIONS), help="How the thing is now.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WHEN", help="When it was, as in 2026-11-20; else now.")
    ] = None,
    corrects: Annotated[
        str | None,
        typer.Option(
            metavar="EVENT", help="What was noted before, and is corrected by this: its id in `care list`."
        ),
    ] = None,
    out: Annotated[
        bool, typer.Option("--out", help="It is out for maintenance from now on, and not lent.")
    ] = False,
    out_until: Annotated[
        str | None, typer.Option("--out-until", metavar="WHEN", help="The same, until then.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="It is back from maintenance.")] = False,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Note what was done to a thing, how it is now, and whether it is out; the same as `care ID`.

    As in: commonsnode care 3f9a --did "oiled the chuck" --condition good
    """
    if sum((out, out_until is not None, back)) > 1:
        raise WrongUsage("--out, --out-until and --back exclude one another")
    if condition is not None and condition not in CONDITIONS:
        raise WrongUsage(f"a condition is one of {', '.join(CONDITIONS)}, not {condition!r}")
    given = (("did", did), ("task", task), ("condition", condition), ("at", at), ("out", out_until))
    body: Document = {name: text(value, f"--{name}") for name, value in given if value is not None}
    if corrects is not None:
        body["corrects"] = record_id(corrects)
    if out or back:
        body["out"] = out
    if used:
        body["used"] = True
    if not body.keys() & {"did", "task", "condition", "out", "used"}:
        raise WrongUsage(
            "say what was done (--did TEXT), how it is (--condition), or whether it is out (see commonsnode care --help)"
        )
    call = Invocation.of(context, as_json)
    told = call.node.post(_path(thing), body, {"community": community})
    if call.as_json:
        call.out.document(told)
        return
    if told["event"] is not None:
        call.out.line("noted: ", told["event"])
    if out or out_until is not None or back:
        call.out.line("it is back: it can be lent" if back else "it is out for maintenance: it is not lent")
    _say_tasks(call, told["tasks"])
    _say_waiting(call, told)


@app.command(name="list")
def list_(
    context: typer.Context, thing: ThingId, community: CommunityOption = None, as_json: Json = False
) -> None:
    """What was done to a thing, by whom, how it was since, and what it needs; the latest first."""
    call = Invocation.of(context, as_json)
    found = call.node.get(_path(thing), {"community": community})
    if call.as_json:
        call.out.document(found)
        return
    call.out.line((found["title"], "bold"))
    if found["out"]:
        until = f" until {moment(found['out'])}" if isinstance(found["out"], str) else ""
        call.out.line((f"  out for maintenance{until}", "yellow"))
    _say_tasks(call, found["tasks"])
    for one in found["log"]:
        parts = [one["did"] or one["task"] or ("used" if one["action"] == "use" else "")]
        if one["task"] and one["did"] and one["task"].casefold() != one["did"].casefold():
            parts.append(f"[{one['task']}]")
        if one["condition"]:
            parts.append(f"condition {one['condition']}")
        style = "dim" if one["corrected"] else ""
        corrected = "  (corrected)" if one["corrected"] else ""
        call.out.line(
            (f"  {moment(one['at'])}  {', '.join(filter(None, parts))}  {who(one, 'by')}{corrected}", style),
            (f"  {one['id'][:12]}", "dim"),
        )
    if not found["log"]:
        call.out.say("  nothing was noted yet: commonsnode care ID --did TEXT")
    if found["left_out"]:
        call.out.say(f"  … and {found['left_out']} before")
    for one in found["conditions"]:
        call.out.line(
            (f"  {moment(one['time'])}  condition {one['condition'] or 'cleared'}  {who(one, 'by')}", "dim")
        )


@app.command()
def due(
    context: typer.Context,
    within_days: Annotated[
        int, typer.Option("--within-days", metavar="N", min=0, help="Also what is due in so many days.")
    ] = 0,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """What is due, of all things that have tasks; what was due first before the others."""
    call = Invocation.of(context, as_json)
    found = call.node.get("/care", {"community": community, "within_days": str(within_days)})
    if call.as_json:
        call.out.document(found)
        return
    call.out.table(
        ("id", "thing", "task", "due", "last done"),
        [
            (
                one["id"][:12] if call.out.terminal else one["id"],
                one["title"],
                one["task"],
                _when(one),
                moment(one["last"]) if one["last"] else "never",
            )
            for one in found["due"]
        ],
    )
    if not found["due"]:
        call.out.say("nothing is due; what a thing needs: commonsnode care rule ID TASK --days N")
    if found["left_out"]:
        call.out.say(f"… and {found['left_out']} more")
    if found["not_looked_at"]:
        call.out.say(f"{found['not_looked_at']} things were not looked at: name a community (--community C)")


@app.command()
def rule(
    context: typer.Context,
    thing: ThingId,
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be done, as in oil.")],
    days: Annotated[int | None, typer.Option(metavar="N", min=1, help="Again after so many days.")] = None,
    uses: Annotated[int | None, typer.Option(metavar="N", min=1, help="Again after so many uses.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="It is no task any more.")] = False,
    community: CommunityOption = None,
    as_json: Json = False,
) -> None:
    """Say what a thing needs again, after so many days or uses, whichever comes first.

    As in: commonsnode care rule 3f9a oil --days 90 --uses 20
    """
    if remove == (days is not None or uses is not None):
        raise WrongUsage("give --days N, --uses N or both; or --remove (see commonsnode care rule --help)")
    call = Invocation.of(context, as_json)
    body: Document = {"task": text(task, "TASK"), "days": days, "uses": uses}
    told = call.node.post(f"{_path(thing)}/rules", body, {"community": community})
    if call.as_json:
        call.out.document(told)
        return
    call.out.line("changed: care" if told["changed"] else "nothing changed: it says so already")
    _say_tasks(call, told["tasks"])
    _say_waiting(call, told)


def say_care(call: Invocation, found: Document) -> None:
    """What `show` says of the care of a thing."""
    _say_tasks(call, found["tasks"])
    if (last := found["last"]) is not None:
        did = last["did"] or last["task"] or f"condition {last['condition']}"
        call.out.line((f"  cared for {moment(last['at'])} by {who(last, 'by')}: {did}", "dim"))


def _say_tasks(call: Invocation, tasks: list[Document]) -> None:
    for one in tasks:
        style = "yellow" if one["is_due"] else "dim"
        call.out.line((f"  {one['task']}: {'due ' if one['is_due'] else ''}{_when(one)}", style))


def _when(task: Document) -> str:
    """When a task is due: a day, uses, or both."""
    parts = []
    if task["due"] is not None:
        parts.append(
            ("since " if task["is_due"] and task["uses"] is None else "by ") + moment(task["due"])[:10]
        )
    if task["uses"] is not None:
        parts.append(f"{task['uses_since']} of {task['uses']} uses")
    return ", ".join(parts)


def _path(thing: str) -> str:
    return f"/records/{record_id(thing)}/care"


def _say_waiting(call: Invocation, told: Document) -> None:
    if told["why"]:
        call.out.say(f"  Held: {told['why']}")
    elif told["waiting"]:
        call.out.say(
            "  it waits on this node: nobody else gets it until a steward admits you (member grant ID)"
        )
