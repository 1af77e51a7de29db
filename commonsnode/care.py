"""Care of things: who did what, in which condition it is since, what is due, and what is out for maintenance.

What was done is an event of its own beside the thing; what is due is computed from these and from how often it was lent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from commonsnode import inventory
from commonsnode.asking.times import read as read_time
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode.lending import described
from commonsnode_protocol import care
from commonsnode_protocol.bookings import Act, State
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.care import CARE, EVENT, TASKS_MAX, Due, Happened
from commonsnode_protocol.commitments import USE
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.store import Store

TASK_CHARS_MAX = 120
DID_CHARS_MAX = 4_096
CARED_FOR_MAX = 10_000  # things whose care is computed for one answer; each takes a quarter of a millisecond
OUT, CONDITION = "out_for_maintenance", "condition"
_LENT = (State.OUT, State.RETURNED)


@dataclass(frozen=True, slots=True)
class Cared:
    """How it stands with one thing. events: all that count, the latest first; corrected: those that do not any more."""

    view: RecordView
    events: Sequence[Happened]
    corrected: Sequence[Happened]
    due: Sequence[Due]
    uses: int  # since it is here, as far as it was handed over or somebody noted it


@dataclass(frozen=True, slots=True)
class Told:
    """What a command did. event: its record; None where none was written. changed: fields of the thing."""

    ref: RecordRef
    event: bytes | None
    changed: tuple[str, ...]
    waiting: bool
    why: str | None = None


def standing(store: Store, view: RecordView, now_ms: int, *, uses: bool = True) -> Cared:
    """How it stands with a thing. uses: also count them where no rule needs it."""
    every = [_happened(each) for each in store.events(view.community, view.record)]
    counted = care.counted(every)
    here = {each.record for each in counted}
    rules = care.rules_of(view.values.get(CARE))
    used = _uses_ms(store, view.ref, counted) if uses or any(rule.uses for rule in rules) else []
    writes = view.fields.get(CARE, ())
    since_ms = writes[0].time if writes else now_ms
    corrected = [each for each in every if each.record not in here]
    return Cared(view, counted, corrected, care.due(rules, counted, used, since_ms, now_ms), len(used))


def is_spoken_of(store: Store, view: RecordView) -> bool:
    """Whether anything is said of the care of a thing, or happened to it."""
    return view.kind == care.THING and (
        CARE in view.values or bool(store.events(view.community, view.record))
    )


def tell(
    author: Author,
    ref: RecordRef,
    *,
    did: str | None = None,
    task: str | None = None,
    condition: str | None = None,
    at: str | None = None,
    corrects: bytes | None = None,
    out: bool | str | None = None,
    used: bool = False,
) -> Told:
    """Note what was done, in which condition the thing is now, and whether it is out for maintenance: False, True, until when.

    used: it was used, in place of cared for; what was reserved and handed over counts by itself.

    Where `did` is one of the thing's tasks, that is what was done. Raises WrongField, Conflict and the store's errors.
    """
    store = author.store
    view = _thing(store, ref)
    if did is None and task is None and condition is None and out is None and not used:
        raise WrongField("did", "says what was done; or give a condition, or whether it is out")
    if used and task is not None:
        raise WrongField("task", "is of what was done for the thing, not of its use")
    if corrects is not None and did is None and task is None and not used:
        raise WrongField("did", "says what was done in truth: an event is corrected by another one")
    zone = described(store, view).zone
    fields: dict[str, Value] = {}
    if condition is not None:
        fields[CONDITION] = condition
    if out is not None:
        fields[OUT] = _out(out, author.now_ms, zone)
    event = None
    if did is not None or task is not None or condition is not None or used:
        when = _moment(at, author.now_ms, zone)
        event = _event(author, view, USE if used else care.CARED, did, task, condition, when, corrects)
    edited = inventory.edit(author, ref, fields) if fields else None
    return Told(
        ref,
        event.record if event is not None else None,
        edited.changed if edited is not None else (),
        any(done is not None and done.waiting for done in (event, edited)),
        next((done.why for done in (event, edited) if done is not None and done.why), None),
    )


def set_rule(author: Author, ref: RecordRef, task: str, days: int | None, uses: int | None) -> Told:
    """That a task is due again after so many days or uses, whichever comes first; with neither it is no task any more.

    Raises WrongField, Conflict and the store's errors.
    """
    view = _thing(author.store, ref)
    name = _task(task)
    said = view.values.get(CARE)
    before = dict(said) if isinstance(said, dict) else {}
    rules = {known: rule for known, rule in before.items() if not care.same_task(known, name)}
    rule: dict[str, Value] = {
        key: value for key, value in ((care.DAYS, days), (care.USES, uses)) if value is not None
    }
    if rule:
        rules[name] = rule
    elif len(rules) == len(before):
        raise WrongField("task", f"{name!r} is no task of this thing: {', '.join(before) or 'it has none'}")
    if len(rules) > TASKS_MAX:
        raise WrongField("task", f"a thing has at most {TASKS_MAX} tasks")
    done = inventory.edit(author, ref, {CARE: rules or None})
    return Told(ref, None, done.changed, done.waiting, done.why)


def due(
    store: Store, community: bytes | None, until_ms: int, now_ms: int
) -> tuple[list[tuple[RecordView, Due]], int]:
    """What is due by a moment, in one community or all: what was due first before the others.

    And how many things with rules were not looked at, since there are more than CARED_FOR_MAX.
    """
    things = store.cared_for(community)
    found = [
        (view, each)
        for view in things[:CARED_FOR_MAX]
        for each in standing(store, view, now_ms, uses=False).due
        if each.is_due or (each.due_ms is not None and each.due_ms <= until_ms)
    ]
    found.sort(key=lambda one: (not one[1].is_due, one[1].due_ms or 0, one[0].title))
    return found, max(0, len(things) - CARED_FOR_MAX)


def conditions(store: Store, ref: RecordRef) -> list[tuple[int, bytes, Value]]:
    """(when, who, condition) of each time that somebody said in which condition a thing is, the latest first."""
    said = [
        (min(entry.time, entry.seen_ms), entry.author, entry.fields[CONDITION])
        for entry in store.history(ref)
        if CONDITION in entry.fields and not entry.void
    ]
    return said[::-1]


def _thing(store: Store, ref: RecordRef) -> RecordView:
    view = store.record(ref)
    if view is None or ref.kind != care.THING:
        raise Conflict(f"{ref.record.hex()[:8]} is no thing, but {ref.kind}")
    if view.deleted:
        raise Conflict(f"{view.title} was removed here; bring it back first (restore {ref.record.hex()[:8]})")
    return view


def _event(
    author: Author,
    view: RecordView,
    action: str,
    did: str | None,
    task: str | None,
    condition: str | None,
    at_ms: int,
    corrects: bytes | None,
) -> inventory.Done:
    tasks = [rule.task for rule in care.rules_of(view.values.get(CARE))]
    named = _task(task) if task is not None else None
    if named is None and did is not None and action == care.CARED:
        named = next((known for known in tasks if care.same_task(known, did)), None)
    if did is not None and (not did.strip() or len(did) > DID_CHARS_MAX):
        raise WrongField("did", f"says what was done, in at most {DID_CHARS_MAX} characters")
    if corrects is not None and corrects not in {
        each.record for each in author.store.events(view.community, view.record)
    }:
        raise WrongField("corrects", "is no event of this thing")
    fields: Mapping[str, Value] = {
        care.ACTION: action,
        care.RESOURCE: view.record,
        care.AT: at_ms,
        care.NOTE: did.strip() if did is not None else None,
        care.TASK: named,
        care.CONDITION: condition,
        care.CORRECTS: corrects,
    }
    return inventory.add(author, view.community, fields, kind=EVENT, lane=view.lane)


def _happened(view: RecordView) -> Happened:
    # Never edited, so the first write is the whole of it; of one that was, who wrote it first tells.
    writes = [write for standing in view.fields.values() for write in standing]
    first = min(writes, key=lambda write: (write.time, write.changeset))
    return care.happened(view.record, view.values, first.author, first.time)


def _uses_ms(store: Store, ref: RecordRef, events: Sequence[Happened]) -> list[int]:
    """When it was handed over for a loan, or somebody noted that it was used."""
    held = store.bookings(ref.community, ref.record)
    lent = {each.booking.ask.changeset for each in held.reserved if each.booking.state in _LENT}
    begun: dict[bytes, int] = {}
    for acted in held.acts:
        if acted.act is Act.HANDED_OVER and acted.ask in lent:
            begun[acted.ask] = min(acted.at_ms, begun.get(acted.ask, acted.at_ms))
    return [
        *begun.values(),
        *(each.at_ms for each in events if each.action == USE and each.fulfills is None),
    ]


def _task(task: str) -> str:
    name = " ".join(task.split())
    if not 1 <= len(name) <= TASK_CHARS_MAX or not name.isprintable():
        raise WrongField("task", f"a task is named by 1 to {TASK_CHARS_MAX} printable characters")
    return name


def _moment(said: str | None, now_ms: int, zone: tzinfo) -> int:
    """When it was. A day alone is its beginning, or now where it is today."""
    if said is None:
        return now_ms
    at = read_time("at", said, now_ms, zone)
    if at.at_ms is not None:
        when = at.at_ms
    else:
        when = min(read_time("at", f"{at.day.isoformat()} 12:00", now_ms, zone).at_ms or now_ms, now_ms)
        if at.day > read_time("at", "today", now_ms, zone).day:
            when = now_ms + 1
    if when > now_ms:
        raise WrongField("at", "is in the future")
    return when


def _out(said: bool | str, now_ms: int, zone: tzinfo) -> Value:
    if isinstance(said, bool):
        return True if said else None
    at = read_time("out", said, now_ms, zone)
    until = at.at_ms
    if until is None:  # to the end of that day
        until = read_time("out", f"{at.day.isoformat()} 24:00", now_ms, zone).at_ms
    if until is None or until <= now_ms:
        raise WrongField("out", "is past already")
    return until
