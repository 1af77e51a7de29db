"""The API on reservations: ask, list, and what keeper and asker do with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from commonsnode import booked, communities, damage, deciding, inventory, reserving
from commonsnode.asking.times import clock, time_span
from commonsnode.asking.times import read as read_time
from commonsnode.authoring import Author
from commonsnode.booked import Found, is_asked
from commonsnode.errors import WrongField
from commonsnode.http.calls import Call, Malformed
from commonsnode.http.reservation_documents import Documents, in_time_of, terms_document
from commonsnode.http.reservation_notices import named, notices
from commonsnode.http.reservation_words import LATEST_MS
from commonsnode.lending import PERSON, THING, Span, described, lent
from commonsnode.reservation_changes import Done
from commonsnode.reservations import Both, asked_by, asked_of, is_open
from commonsnode.reserving import Asked
from commonsnode_protocol.bookings import State
from commonsnode_protocol.commitments import KIND, LENGTH_MS_MAX
from commonsnode_store.store import Store

PAGE_RESERVATIONS = 200
LENGTH_DAYS_MAX = LENGTH_MS_MAX // 86_400_000
TAKING = (State.ASKED, State.CONFIRMED, State.OUT, State.DISPLACED)  # what is told of others


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[dict[str, Any]]
    cursor: str | None


async def reserve(call: Call) -> Mapping[str, Any]:
    body = call.body

    def ask(author: Author) -> dict[str, Any]:
        store = author.store
        community = _community(store, body.get("community"))
        ref = inventory.resolve(store, body["resource"], community=community, kind=THING)
        thing = lent(store, ref)
        span = time_span(body["from"], body.get("until"), author.now_ms, thing.zone, days_max=LENGTH_DAYS_MAX)
        assert span is not None
        amount = reserving.amount_in(body.get("amount"))
        asked = reserving.reserve(
            author,
            ref,
            Span(span.begin_ms, span.end_ms, amount, span.all_day),
            zone=thing.zone_name,
            note=body.get("note"),
            agent_type=body.get("type", PERSON),
        )
        return _asked(author, asked)

    row = await _named(call, await call.sign(ask))
    call.node.log.info("reserved", reservation=row["id"], state=row["state"])
    return row


async def listed(call: Call) -> Mapping[str, Any]:
    query, now_ms = call.query, call.node.clock.now_ms()
    key = call.key if call.session is not None or call.by_operator else None
    if key is None and (query.get("mine") or query.get("asked_of_me")):
        raise Malformed("mine, asked_of_me: sign in first: POST /api/v1/session")
    if key is None and "of" not in query:  # all of a large region is much to read for just anybody
        raise WrongField("of", "names a thing; who is signed in may list what is reserved of all")

    def read(store: Store) -> _Page:
        after, limit = _place_in(query.get("cursor")), query.get("limit", PAGE_RESERVATIONS)
        every = sorted(_asked_for(store, query, key, now_ms), key=_order)
        rest = [each for each in every if after is None or _order(each) > after]
        page = rest[:limit]
        cursor = _cursor_of(page[-1]) if len(rest) > limit else None
        return _Page(Documents(store, key, now_ms).rows(page), cursor)

    page = await call.node.writer.read(read)
    return {
        "reservations": await named(call, page.rows),
        "notices": await notices(call) if query.get("cursor") is None else [],
        "cursor": page.cursor,
    }


async def shown(call: Call) -> Mapping[str, Any]:
    key = call.key if call.session is not None or call.by_operator else None
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> dict[str, Any]:
        of = _found(store, call)
        return Documents(store, key, now_ms).row(of.held, of.reserved)

    return await _named(call, await call.node.writer.read(read))


async def confirm(call: Call) -> Mapping[str, Any]:
    return await _act(call, deciding.confirm)


async def decline(call: Call) -> Mapping[str, Any]:
    return await _act(call, lambda author, of: deciding.decline(author, of, call.body.get("why")))


async def cancel(call: Call) -> Mapping[str, Any]:
    return await _act(call, lambda author, of: deciding.cancel(author, of, call.body.get("why")))


async def hand_over(call: Call) -> Mapping[str, Any]:
    return await _act(call, lambda author, of: deciding.hand_over(author, of, _at(author, of, call)))


async def take_back(call: Call) -> Mapping[str, Any]:
    return await _act(call, lambda author, of: deciding.take_back(author, of, _at(author, of, call)))


async def extend(call: Call) -> Mapping[str, Any]:
    def longer(author: Author) -> dict[str, Any]:
        of = _found(author.store, call)
        zone = _zone(author.store, of)
        # Days and clock times are those after the beginning of the loan.
        begin = clock(min(of.ask.begin_ms, LATEST_MS), zone)
        span = time_span(begin, call.body["until"], author.now_ms, zone, days_max=LENGTH_DAYS_MAX)
        assert span is not None
        return _asked(author, reserving.extend(author, of, span.end_ms, by_day=span.by_day[1]))

    row = await _named(call, await call.sign(longer))
    call.node.log.info("reservation-extended", reservation=call.path["id"], by=row["id"])
    return row


async def report_damage(call: Call) -> Mapping[str, Any]:
    body = call.body

    def tell(author: Author) -> damage.Told:
        of = _found(author.store, call)
        return damage.report(author, of, body["note"], body.get("condition"), _at(author, of, call))

    told = await call.sign(tell)
    call.node.log.info("damage", reservation=told.reservation.hex(), told=told.event.hex())
    return {
        "id": told.event.hex(),
        "reservation": told.reservation.hex(),
        "resource": told.resource.hex(),
        "condition": told.condition,
        "unsent": told.waiting,
        "held": told.why,
    }


async def _act(call: Call, act: Callable[[Author, Found], Done]) -> Mapping[str, Any]:
    def decide(author: Author) -> dict[str, Any]:
        of = _found(
            author.store, call
        )  # in the writer thread: what is acted on is what is here at that moment
        done = act(author, of)
        after = booked.found(author.store, of.ref)
        documents = Documents(author.store, author.key, author.now_ms)
        return {
            **documents.row(after.held, after.reserved),
            "changed": done.changed,
            "held": done.why,
            "displaces": [record.hex() for record in done.displaces],
        }

    row = await _named(call, await call.sign(decide))
    call.node.log.info("reservation", reservation=row["id"], state=row["state"])
    return row


def _asked_for(store: Store, query: Mapping[str, Any], key: bytes | None, now_ms: int) -> list[Both]:
    """What the parameters name, each once."""
    community = _community(store, query.get("community"))
    if query.get("of") is not None:
        ref = inventory.resolve(store, query["of"], community=community, kind=THING)
        held = store.bookings(ref.community, ref.record)
        every = [(held, each) for each in held.reserved]
    elif key is not None and (query.get("mine") or query.get("asked_of_me")):
        among = [id_ for id_ in store.community_ids() if community in (None, id_)]
        every = asked_by(store, among, key) if query.get("mine") else []
        every += asked_of(store, among, key) if query.get("asked_of_me") else []
    else:
        every = store.reservations(community)
    if query.get("of") is not None and key is not None:
        every = [
            (held, each)
            for held, each in every
            if not (query.get("mine") or query.get("asked_of_me"))
            or (query.get("mine") and held.rules.people.same(each.booking.ask.author, key))
            or (query.get("asked_of_me") and is_asked(held, key))
        ]
    if query.get("open"):
        every = [both for both in every if is_open(both[1], now_ms)]
    return list({_order((held, each)): (held, each) for held, each in every}.values())


def _asked(author: Author, asked: Asked) -> dict[str, Any]:
    """What an ask became, and what others have in its time."""
    documents = Documents(author.store, author.key, author.now_ms)
    others = in_time_of(asked.held, asked.reserved, TAKING)
    return {
        **documents.row(asked.held, asked.reserved),
        "terms": terms_document(asked.terms),
        "held": asked.why,
        "others": documents.rows([(asked.held, each) for each in others]),
    }


async def _named(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    """The same with the names of people, also in what it says of others."""
    rows = await named(call, [row, *row.get("others", ())])
    return {**rows[0], "others": rows[1:]} if "others" in row else rows[0]


def _found(store: Store, call: Call) -> Found:
    community = _community(store, call.query.get("community"))
    ref = inventory.resolve(store, call.path["id"], community=community, kind=KIND)
    return booked.found(store, ref)


def _at(author: Author, of: Found, call: Call) -> int | None:
    said = call.body.get("at")
    if said is None:
        return None
    at = read_time("at", said, author.now_ms, _zone(author.store, of))
    if at.at_ms is None:
        raise WrongField("at", "needs a time of day, as in sat 9:00")
    return at.at_ms


def _zone(store: Store, of: Found) -> tzinfo:
    view = store.record(of.thing)
    return described(store, view).zone if view is not None else UTC


def _community(store: Store, name: str | None) -> bytes | None:
    return communities.resolve(store, name).id if name is not None else None


def _order(both: Both) -> tuple[int, bytes]:
    ask = both[1].booking.ask
    return ask.begin_ms, ask.record + ask.changeset


def _cursor_of(both: Both) -> str:
    begin_ms, named = _order(both)
    return f"{begin_ms}.{named.hex()}"


def _place_in(cursor: str | None) -> tuple[int, bytes] | None:
    if cursor is None:
        return None
    begin, _, named = cursor.partition(".")
    try:
        return int(begin), bytes.fromhex(named)
    except ValueError as error:
        raise Malformed("cursor: is none of ours") from error
