"""What people must be told of reservations, in words: for `status`, and beside lists of reservations."""

from collections.abc import Mapping, Sequence
from typing import Any

from commonsnode.booked import busy_of
from commonsnode.errors import Refusal
from commonsnode.http.calls import Call
from commonsnode.http.naming import names_for
from commonsnode.http.reservation_documents import Documents
from commonsnode.http.reservation_words import typed_as, when_text
from commonsnode.lending import THING, Span, lent
from commonsnode.reservations import Both, Matter, News, concerning, news
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store

NOTICES_MAX = 50  # in one answer


async def notices(call: Call) -> list[dict[str, Any]]:
    """What who calls must be told, what begins first, first; nothing to who is not known here."""
    key, now_ms = call.key, call.node.clock.now_ms()
    if call.by_operator:
        known: Sequence[Both] | None = await call.node.concerns.every()
    elif call.session is not None:
        known = None
    else:
        return []

    def read(store: Store) -> list[dict[str, Any]]:
        every = known
        if every is None:
            every = concerning(store, store.community_ids(), key)
        found = news(every, key, now_ms)[:NOTICES_MAX]
        documents = Documents(store, key, now_ms)
        rows = documents.rows([(each.held, each.reserved) for each in found])
        return [
            _notice(each, row)
            for each, row in zip(found, rows, strict=True)
            if each.matter is not Matter.FREE_AGAIN or _could_be_had(store, each, row["all_day"], now_ms)
        ]

    told = await call.node.writer.read(read)
    kits = {(notice["matter"], notice["row"]["id"]) for notice in told}
    # What is told of a kit is not told of each of its parts as well.
    told = [notice for notice in told if (notice["matter"], notice["row"]["part_of"]) not in kits]
    rows = await named(call, [notice["row"] for notice in told])
    return [
        {
            "matter": notice["matter"],
            "reservation": row["id"],
            "resource": row["resource"],
            "community": row["community"],
            "others": notice["others"],
            "text": _text(Matter(notice["matter"]), row, notice["others"]),
        }
        for notice, row in zip(told, rows, strict=True)
    ]


async def named(call: Call, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same reservations with the names of people."""
    names: dict[tuple[str, str], str] = {}
    for community in {row["community"] for row in rows}:
        keys = {row[role] for row in rows if row["community"] == community for role in ("by", "keeper")}
        of = await names_for(call, bytes.fromhex(community), [bytes.fromhex(key) for key in keys if key])
        names.update(((community, key), name) for key, name in of.items())
    return [
        {
            **row,
            "by_name": names.get((row["community"], row["by"])),
            "keeper_name": names.get((row["community"], row["keeper"])),
        }
        for row in rows
    ]


def _could_be_had(store: Store, each: News, all_day: bool, now_ms: int) -> bool:
    """Whether an ask for the same would be taken now, and stand."""
    held, ask = each.held, each.booking.ask
    try:
        thing = lent(store, RecordRef(held.community, held.lane or each.reserved.lane, THING, held.resource))
        wanted = Span(ask.begin_ms, ask.end_ms, ask.amount, all_day)
        return thing.check(wanted, busy_of(held, [ask.changeset]), held.rules.capacity, now_ms)
    except Refusal:
        return False


def _notice(each: News, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "matter": each.matter.value,
        "row": row,
        "others": [booking.ask.record.hex() for booking in each.others],
    }


def _text(matter: Matter, row: Mapping[str, Any], others: Sequence[str]) -> str:
    one, what = row["id"][:8], f"{row['title']}, {when_text(row)}"
    by = "you" if row["mine"] else row["by_name"] or row["by"][:8]
    their = ", ".join(other[:8] for other in others)
    match matter:
        case Matter.ASKED_OF_YOU:
            return f"{by} asks for {what}: commonsnode reservation confirm {one}, or decline {one}"
        case Matter.CONFIRMED:
            return f"confirmed to you: {what} ({one})"
        case Matter.DECLINED:
            why = f": {row['why']}" if row["why"] else ""
            return f"declined: {what} ({one}){why}"
        case Matter.DISPLACED:
            return (
                f"you do not have {what} ({one}): {their or 'another'} goes before it; you are number"
                f" {row['waiting']} in the waiting list"
            )
        case Matter.FREE_AGAIN:
            return (
                f"what you waited for may be free again: {what} ({one}). Ask anew: commonsnode reserve {row['resource'][:8]}"
                f" {typed_as(row)}"
            )
        case Matter.CANCELLED:
            return f"{by} does not need {what} ({one}) any more"
        case Matter.DOUBLE if row["mine"]:
            return f"{what} was promised twice: you have it ({one}), and {their} waits"
        case Matter.DOUBLE:
            return f"{what} was promised twice: {by} has it ({one}), and {their} waits; both are told"
        case Matter.OVERDUE if row["mine"]:
            return f"bring back {what} ({one}): that time is over"
        case Matter.OVERDUE:
            return f"{by} has not brought back {what} ({one})"
