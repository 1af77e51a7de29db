"""How a document of a reservation reads for people: in notices and on pages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from commonsnode.asking.times import clock, day_of
from commonsnode.asking.zones import zone_called
from commonsnode.http.page_texts import date

LATEST_MS = 253_370_764_800_000  # the beginning of the year 9999


def on_page(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of what is reserved, on the page of the thing."""
    state = row["state"]
    if row["waiting"] is not None:
        state = f"number {row['waiting']} in the waiting list"
    amount = f"{row['amount']} of it, " if row["amount"] != "1" else ""
    return {
        "when": when_text(row) if row["all_day"] else f"{when_text(row)} ({row['zone']})",
        "state": f"{amount}{state}",
        "overdue": row["overdue"],
        "by": row["by"][:8],
        "seen": date(row["seen"]),
    }


def when_text(row: Mapping[str, Any]) -> str:
    """From when until when."""
    begin, end = _ends(row)
    return begin if begin == end else f"{begin} to {end}"


def typed_as(row: Mapping[str, Any]) -> str:
    """How the same span is typed."""
    begin, end = (each.replace(" ", "T") for each in _ends(row))
    return f"--from {begin} --until {end}"


def _ends(row: Mapping[str, Any]) -> tuple[str, str]:
    """Days, or times of the clock in the zone of the thing."""
    zone = zone_called(row["zone"]) or UTC
    # What anybody may write is clipped to what every zone can show.
    begin, end = (min(_ms(row[name]), LATEST_MS) for name in ("from", "until"))
    if not row["all_day"]:
        return clock(begin, zone), clock(end, zone)
    return str(day_of(begin, zone)), str(day_of(end - 1, zone))


def _ms(moment: str) -> int:
    return (datetime.fromisoformat(moment) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
