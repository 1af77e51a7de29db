"""How reservations read for a person."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from commonsnode_cli.client import Document
from commonsnode_cli.invocation import Invocation
from commonsnode_cli.wording import moment

STYLES = {"confirmed": "green", "out": "green", "displaced": "yellow", "declined": "yellow"}
RESERVED_SHOWN_MAX = 5  # below a thing
USES = {"fee": "for a fee", "ask": "terms are to be agreed with its keeper"}


def who(row: Document, role: str) -> str:
    """The person under `by` or `keeper`: the name, where it may be read here, and the beginning of the key."""
    key = row[role]
    if key is None:
        return "nobody"
    named = row.get(f"{role}_name")
    return f"{named} ({key[:8]})" if named else str(key[:8])


def span_text(row: Document) -> str:
    """From when until when: whole days as days, times by the clock of this machine."""
    if not row["all_day"]:
        return f"{moment(row['from'])} to {moment(row['until'])}"
    zone = _zone(row["zone"])
    try:
        first = datetime.fromisoformat(row["from"]).astimezone(zone).date()
        last = (datetime.fromisoformat(row["until"]) - timedelta(milliseconds=1)).astimezone(zone).date()
    except OverflowError:  # the last year that there is
        return f"{row['from']} to {row['until']}"
    return str(first) if first == last else f"{first} to {last}"


def state_text(row: Document) -> str:
    """The state, and what one should know beside it."""
    more = [row["state"]]
    if row["overdue"]:
        more.append("overdue")
    if row["waiting"] is not None:
        more.append(f"number {row['waiting']} in the waiting list")
    if row["unsent"]:
        more.append("on this node only")
    return ", ".join(more)


def show_line(call: Invocation, row: Document) -> None:
    """One reservation, on one line, and its id."""
    amount = f" × {row['amount']}" if row["amount"] != "1" else ""
    call.out.line(
        (f"{state_text(row)}: ", STYLES.get(row["state"], "")),
        (f"{row['title']}{amount}", "bold"),
        f", {span_text(row)}  {row['id']}",
    )


def say_terms(call: Invocation, row: Document) -> None:
    terms: dict[str, Any] = row["terms"]
    if terms["use"] in USES:
        fee = f", {terms['fee']}" if terms["fee"] else ""
        call.out.say(f"  {USES[terms['use']]}{fee} ({terms['why']})")


def say_held(call: Invocation, row: Document) -> None:
    if row["held"] is not None:
        call.out.say(f"  Held: {row['held']}")
    elif row["unsent"]:
        call.out.say(
            "  it waits on this node: nobody else gets it until a steward admits you (member grant ID)"
        )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


def show_reserved(call: Invocation, thing: Document) -> None:
    """What is reserved of a thing from now on, as lines below it."""
    query = {
        "of": thing["id"],
        "community": thing["community"],
        "open": "true",
        "limit": str(RESERVED_SHOWN_MAX),
    }
    found = call.node.get("/reservations", query)
    for row in found["reservations"]:
        by = "you" if row["mine"] else who(row, "by")
        call.out.line(f"  reserved: {span_text(row)}, {by}: {state_text(row)}  {row['id'][:12]}")
    if found["cursor"] is not None:
        call.out.line(f"  and more: commonsnode reservation list --of {thing['id'][:12]}")
