"""The API on care: the log of a thing, what is due, and what somebody did."""

from collections.abc import Iterable, Mapping
from typing import Any

from commonsnode import care, communities, inventory
from commonsnode.authoring import Author
from commonsnode.care import Cared, Told
from commonsnode.http.calls import Call
from commonsnode.http.documents import moment
from commonsnode.http.naming import names_for
from commonsnode_protocol.care import DAY_MS, EVENT, THING, Due, Happened
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.store import Store

LOG_MAX = 200  # events, and conditions, that one answer has
DUE_MAX = 1_000


async def shown(call: Call) -> Mapping[str, Any]:
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> dict[str, Any]:
        view = inventory.shown(store, _resolve(store, call))
        return _document(care.standing(store, view, now_ms), care.conditions(store, view.ref))

    return await _named(call, await call.node.writer.read(read))


async def due(call: Call) -> Mapping[str, Any]:
    now_ms, name = call.node.clock.now_ms(), call.query.get("community")
    until_ms = now_ms + call.query.get("within_days", 0) * DAY_MS

    def read(store: Store) -> tuple[list[dict[str, Any]], int]:
        community = communities.resolve(store, name).id if name is not None else None
        found, unseen = care.due(store, community, until_ms, now_ms)
        return [{**_thing(view), **_due(each)} for view, each in found], unseen

    rows, unseen = await call.node.writer.read(read)
    return {"due": rows[:DUE_MAX], "left_out": max(0, len(rows) - DUE_MAX), "not_looked_at": unseen}


async def tell(call: Call) -> Mapping[str, Any]:
    body = call.body

    def done(author: Author) -> Told:
        ref = _resolve(author.store, call)
        corrects = body.get("corrects")
        return care.tell(
            author,
            ref,
            did=body.get("did"),
            task=body.get("task"),
            condition=body.get("condition"),
            at=body.get("at"),
            corrects=_event(author.store, ref, corrects) if corrects is not None else None,
            out=body.get("out"),
            used=body.get("used", False),
        )

    return await _told(call, await call.sign(done))


async def set_rule(call: Call) -> Mapping[str, Any]:
    body = call.body
    told = await call.sign(
        lambda author: care.set_rule(
            author, _resolve(author.store, call), body["task"], body.get("days"), body.get("uses")
        )
    )
    return await _told(call, told)


def summary(store: Store, view: RecordView, now_ms: int) -> dict[str, Any] | None:
    """What a document of a thing says of its care; None where nothing is said."""
    if not care.is_spoken_of(store, view):
        return None
    found = care.standing(store, view, now_ms)
    last = next((each for each in found.events if each.action == "modify"), None)
    return {
        "tasks": [_due(each) for each in found.due],
        "last": _happened(last, corrected=False) if last is not None else None,
    }


async def _told(call: Call, told: Told) -> Mapping[str, Any]:
    now_ms = call.node.clock.now_ms()

    def read(store: Store) -> list[dict[str, Any]]:
        view = store.whole(told.ref)
        return [_due(each) for each in care.standing(store, view, now_ms).due] if view is not None else []

    return {
        "id": told.ref.record.hex(),
        "event": told.event.hex() if told.event is not None else None,
        "changed": sorted(told.changed),
        "waiting": told.waiting,
        "why": told.why,
        "tasks": await call.node.writer.read(read),
    }


async def _named(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    rows = [*document["log"], *document["conditions"]]
    found = await names_for(
        call, bytes.fromhex(document["community"]), (bytes.fromhex(row["by"]) for row in rows)
    )
    for row in rows:
        row["by_name"] = found.get(row["by"])
    return document


def _document(found: Cared, conditions: Iterable[tuple[int, bytes, Any]]) -> dict[str, Any]:
    values = found.view.values
    out = values.get(care.OUT)
    log = [(each, False) for each in found.events] + [(each, True) for each in found.corrected]
    log.sort(key=lambda one: (one[0].at_ms, one[0].record), reverse=True)
    return {
        **_thing(found.view),
        "condition": values.get(care.CONDITION) if isinstance(values.get(care.CONDITION), str) else None,
        "out": moment(out) if type(out) is int else out is True,
        "uses": found.uses,
        "tasks": [_due(each) for each in found.due],
        "log": [_happened(each, corrected=corrected) for each, corrected in log[:LOG_MAX]],
        "left_out": max(0, len(log) - LOG_MAX),
        "conditions": [
            {
                "time": moment(time),
                "by": by.hex(),
                "by_name": None,
                "condition": said if isinstance(said, str) else None,
            }
            for time, by, said in list(conditions)[:LOG_MAX]
        ],
    }


def _thing(view: RecordView) -> dict[str, Any]:
    return {"id": view.record.hex(), "community": view.community.hex(), "title": view.title}


def _due(each: Due) -> dict[str, Any]:
    return {
        "task": each.rule.task,
        "days": each.rule.days,
        "uses": each.rule.uses,
        "last": moment(each.last.at_ms) if each.last is not None else None,
        "due": moment(each.due_ms) if each.due_ms is not None else None,
        "uses_since": each.uses,
        "is_due": each.is_due,
    }


def _happened(each: Happened, *, corrected: bool) -> dict[str, Any]:
    return {
        "id": each.record.hex(),
        "action": each.action,
        "at": moment(each.at_ms),
        "by": each.by.hex(),
        "by_name": None,
        "did": each.note,
        "task": each.task,
        "condition": each.condition,
        "corrects": each.corrects.hex() if each.corrects is not None else None,
        "corrected": corrected,
    }


def _resolve(store: Store, call: Call) -> RecordRef:
    name = call.query.get("community")
    community = communities.resolve(store, name).id if name is not None else None
    return inventory.resolve(store, call.path["id"], community=community, kind=THING)


def _event(store: Store, ref: RecordRef, prefix: str) -> bytes:
    return inventory.resolve(store, prefix, community=ref.community, kind=EVENT).record
