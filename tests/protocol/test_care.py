"""Care that is due: by time or by uses, whichever comes first, from what was done last; and corrections of what was noted."""

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.care import (
    CARED,
    DAY_MS,
    TASKS_MAX,
    Happened,
    Rule,
    counted,
    due,
    happened,
    rules_of,
)

ROSA = b"r" * 32
NOW = 1_000 * DAY_MS


def oiled(
    day: int, record: bytes = b"e", task: str | None = "oil", corrects: bytes | None = None
) -> Happened:
    return Happened(record, CARED, day * DAY_MS, ROSA, task, corrects=corrects)


def state(rule: Rule, events: list[Happened], uses: list[int] = [], since: int = 0) -> tuple[object, ...]:  # noqa: B006
    (found,) = due([rule], counted(events), [day * DAY_MS for day in uses], since * DAY_MS, NOW)
    return found.is_due, found.due_ms // DAY_MS if found.due_ms is not None else None, found.uses


def test_it_is_due_so_many_days_after_it_was_done_last() -> None:
    rule = Rule("oil", 90, None)
    assert state(rule, [oiled(900)]) == (True, 990, 0)
    assert state(rule, [oiled(900), oiled(950, b"f")]) == (False, 1_040, 0)
    assert state(rule, [oiled(910)]) == (True, 1_000, 0)
    assert state(rule, [oiled(910, task=" Oil ")]) == (True, 1_000, 0)


def test_what_was_never_done_counts_from_when_the_rule_was_set() -> None:
    assert state(Rule("oil", 90, None), [oiled(990, task="sharpen"), oiled(990, b"f", None)], since=950) == (
        False,
        1_040,
        0,
    )


def test_it_is_due_after_so_many_uses_since_then() -> None:
    rule = Rule("oil", None, 3)
    assert state(rule, [oiled(900)], [890, 901, 902]) == (False, None, 2)
    assert state(rule, [oiled(900)], [890, 901, 902, 903]) == (True, None, 3)
    assert state(rule, [oiled(900)], [901, 902, 1_001]) == (False, None, 2)  # one that is to come


def test_by_both_what_comes_first() -> None:
    assert state(Rule("oil", 90, 3), [oiled(950)], [960, 970, 980]) == (True, 1_040, 3)
    assert state(Rule("oil", 30, 3), [oiled(950)], [960]) == (True, 980, 1)


def test_a_correction_counts_in_place_of_what_it_corrects() -> None:
    wrong, right = oiled(990, b"a"), oiled(900, b"b", corrects=b"a")
    assert counted([wrong, right]) == [right]
    assert state(Rule("oil", 90, None), [wrong, right])[0]
    again = oiled(980, b"c", corrects=b"b")
    assert counted([wrong, right, again]) == [again]
    itself = oiled(990, b"d", corrects=b"d")
    assert counted([itself]) == [itself]


def test_what_is_due_comes_first() -> None:
    rules = [
        Rule("check", 10_000, None),
        Rule("clean", None, 5),
        Rule("oil", 1, None),
        Rule("paint", 2, None),
    ]
    assert [each.rule.task for each in due(rules, [], [], 0, NOW)] == ["oil", "paint", "check", "clean"]


def test_rules_of_another_form_are_none() -> None:
    said: Value = {
        "oil": {"days": 90, "uses": 20},
        "check": {"days": 0},
        "paint": {"days": True},
        "clean": "often",
        "sharpen": {"uses": 5, "days": "x"},
    }
    assert rules_of(said) == [Rule("oil", 90, 20), Rule("sharpen", None, 5)]
    assert rules_of("oil it") == rules_of(None) == []
    many: Value = {f"{n:03}": {"days": 1} for n in range(TASKS_MAX + 1)}
    assert len(rules_of(many)) == TASKS_MAX


def test_an_event_says_what_it_says_and_else_who_wrote_it_and_when() -> None:
    assert happened(b"e", {"action": "modify"}, ROSA, 5) == Happened(b"e", "modify", 5, ROSA)
    told = happened(b"e", {"at": 3, "by": b"x" * 32, "task": "oil", "note": 7, "corrects": b"short"}, ROSA, 5)
    assert told == Happened(b"e", "", 3, b"x" * 32, "oil")


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.binary(min_size=1, max_size=1)), max_size=12))
def test_what_counts_is_named_by_no_other(pairs: list[tuple[bytes, bytes]]) -> None:
    events = {record: oiled(1, record, corrects=other) for record, other in pairs}
    left = {each.record for each in counted(events.values())}
    for record in events:
        named = any(each.corrects == record for of, each in events.items() if of != record)
        assert (record in left) == (not named)
