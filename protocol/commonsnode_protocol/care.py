"""Care of things: what was done, and what is due by time or by uses. Computed for whoever looks, never stored.  SPEC.md, "Care".

What was done is an event that names the thing. It is never edited: an event that corrects it counts in its place.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES

THING, EVENT = "resource", "event"
CARE, RESOURCE, TASK, NOTE = "care", "resource", "task", "note"
ACTION, AT, BY, CONDITION, CORRECTS, FULFILLS = "action", "at", "by", "condition", "corrects", "fulfills"
CARED, USED = "modify", "use"  # actions, as Valueflows calls them
DAYS, USES = "days", "uses"
TASKS_MAX = 32
DAYS_MAX, USES_MAX = 36_600, 1_000_000
DAY_MS = 86_400_000
_NEVER_MS = 1 << 62  # after every time


@dataclass(frozen=True, slots=True)
class Rule:
    """Work that a thing needs again after so many days or uses, whichever comes first."""

    task: str
    days: int | None
    uses: int | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that names a thing. at_ms: as it says, else when it was written. by: as it says, else who wrote it."""

    record: bytes
    action: str
    at_ms: int
    by: bytes
    task: str | None = None
    note: str | None = None
    condition: str | None = None
    corrects: bytes | None = None
    fulfills: bytes | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """How it stands with one task. last: when it was done last. due_ms, uses_left: as far as the rule says so."""

    rule: Rule
    last: Happened | None
    due_ms: int | None
    uses: int
    is_due: bool


def rules_of(care: Value) -> list[Rule]:
    """The rules in a thing's field `care`, by task; what is of another form is none."""
    if not isinstance(care, dict):
        return []
    found = []
    for task, said in sorted(care.items())[:TASKS_MAX]:
        if isinstance(said, dict):
            days, uses = _whole(said.get(DAYS), DAYS_MAX), _whole(said.get(USES), USES_MAX)
            if days is not None or uses is not None:
                found.append(Rule(task, days, uses))
    return found


def happened(record: bytes, values: Mapping[str, Value], author: bytes, time_ms: int) -> Happened:
    """author, time_ms: of the first write of the event."""
    at, by, corrects, fulfills = (values.get(name) for name in (AT, BY, CORRECTS, FULFILLS))
    action, task, note, condition = (values.get(name) for name in (ACTION, TASK, NOTE, CONDITION))
    return Happened(
        record,
        action if isinstance(action, str) else "",
        at if type(at) is int else time_ms,
        by if isinstance(by, bytes) else author,
        task if isinstance(task, str) else None,
        note if isinstance(note, str) else None,
        condition if isinstance(condition, str) else None,
        corrects if isinstance(corrects, bytes) and len(corrects) == RECORD_BYTES else None,
        fulfills if isinstance(fulfills, bytes) and len(fulfills) == RECORD_BYTES else None,
    )


def counted(events: Iterable[Happened]) -> list[Happened]:
    """Those that no other one corrects, the latest first. Two that correct each other both count for nothing."""
    every = {each.record: each for each in events}
    corrected = {each.corrects for each in every.values() if each.corrects != each.record}
    left = [each for each in every.values() if each.record not in corrected]
    return sorted(left, key=lambda each: (each.at_ms, each.record), reverse=True)


def due(
    rules: Iterable[Rule], events: Sequence[Happened], uses_ms: Collection[int], since_ms: int, now_ms: int
) -> list[Due]:
    """How it stands with each task, what is due first before the others.

    events: as `counted` gives them. uses_ms: when each use began. since_ms: from when on is counted what was never done.
    """
    found = [_due(rule, events, uses_ms, since_ms, now_ms) for rule in rules]
    return sorted(found, key=lambda each: (not each.is_due, each.due_ms or _NEVER_MS, each.rule.task))


def same_task(one: str, other: str) -> bool:
    """Whether two texts name the same task: without case, and white space at the ends."""
    return one.strip().casefold() == other.strip().casefold()


def _due(rule: Rule, events: Sequence[Happened], uses_ms: Collection[int], since_ms: int, now_ms: int) -> Due:
    last = next(
        (
            each
            for each in events
            if each.action == CARED and each.task is not None and same_task(each.task, rule.task)
        ),
        None,
    )
    begin = last.at_ms if last is not None else since_ms
    due_ms = begin + rule.days * DAY_MS if rule.days is not None else None
    uses = sum(begin < at <= now_ms for at in uses_ms)
    is_due = (due_ms is not None and due_ms <= now_ms) or (rule.uses is not None and uses >= rule.uses)
    return Due(rule, last, due_ms, uses, is_due)


def _whole(value: Value, most: int) -> int | None:
    return value if type(value) is int and 1 <= value <= most else None
