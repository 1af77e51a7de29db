"""What people type is checked against the declared kinds; what is not declared passes through."""

import pytest

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds import KINDS, BadField, check_typed

SQUARE: list[Value] = [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]
BOW_TIE: list[Value] = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]


def polygon(*rings: Value) -> dict[str, Value]:
    return {"geometry": {"type": "Polygon", "coordinates": list(rings)}}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("resource", {"title": "Drill", "amount": "0.75", "unit": "kilogram", "condition": "good"}),
        ("resource", {"amount": 2, "condition": "handle is loose", "keeper": "Rosa"}),
        ("resource", {"keeper": "ab" * 32, "specification": b"\x01" * 16, "agreement": "0f" * 16}),
        ("resource", {"place": {"lat": -3_500_000, "lon": -781_200_000, "name": "Yard"}}),
        ("resource", {"place": "the yard", "tag:garden": True, "photo:00ff": "from the left"}),
        ("resource", {"out_for_maintenance": True, "hours": None}),
        ("resource", {"lending": {"to": "members", "longest_minutes": 60, "house_rule": [1]}}),
        (
            "resource",
            {"hours": {"rules": [{"rrule": "FREQ=WEEKLY;BYDAY=SA", "start": "09:00", "minutes": 240}]}},
        ),
        ("resource", {"hours": {"closed": ["2026-12-25", ["2026-08-01", "2026-08-31"]]}}),
        ("place", {"place": polygon(SQUARE)}),
        (
            "place",
            {"place": polygon([[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]], [[2, 2], [2, 3], [3, 3], [2, 2]])},
        ),
        ("commitment", {"action": "use", "from": 1, "until": 2, "by": "cd" * 32}),
        ("resource", {"never heard of": {"a": [1]}, "x:until": "2026-02-31"}),
        ("a kind that somebody made up", {"from": "tomorrow"}),
    ],
)
def test_what_is_of_its_form_or_not_declared_is_taken(kind: str, fields: dict[str, Value]) -> None:
    check_typed(kind, fields)


@pytest.mark.parametrize(
    ("kind", "fields", "field", "problem"),
    [
        ("resource", {"title": 7}, "title", "must be text"),
        ("resource", {"amount": "-1"}, "amount", "not negative"),
        ("resource", {"amount": True}, "amount", "number"),
        ("resource", {"specification": "3f9a"}, "specification", "32 hexadecimal digits"),
        ("resource", {"place": {"lat": 10}}, "place.lon", "go together"),
        ("resource", {"place": {"lat": 910_000_000, "lon": 0}}, "place.lat", "swapped"),
        ("resource", {"place": {"lat": 0, "lon": 1_800_000_001}}, "place.lon", "out of range"),
        ("resource", {"tag:garden": "yes"}, "tag:garden", "true or false"),
        ("resource", {"lending": {"to": "friends"}}, "lending.to", "anyone, members, nobody"),
        ("resource", {"lending": {"lead_minutes": -1}}, "lending.lead_minutes", "0 to"),
        (
            "resource",
            {"lending": {"shortest_minutes": 9, "longest_minutes": 8}},
            "lending.longest_minutes",
            "less",
        ),
        (
            "resource",
            {"lending": {"terms": {"for-profit": {"use": "steal"}}}},
            "lending.terms.for-profit.use",
            "free",
        ),
        ("resource", {"hours": {"closed": ["2026-02-30"]}}, "hours.closed.0", "must be a day"),
        ("resource", {"hours": {"closed": [["2026-02-03", "2026-02-01"]]}}, "hours.closed.0", "before"),
        (
            "resource",
            {"hours": {"rules": [{"rrule": "FREQ=SECONDLY", "start": "09:00", "end": "10:00"}]}},
            "hours.rules.0.rrule",
            "at most one opening each",
        ),
        (
            "resource",
            {"hours": {"rules": [{"rrule": "FREQ=DAILY", "start": "25:00", "end": "10:00"}]}},
            "hours.rules.0.start",
            "time of day",
        ),
        (
            "resource",
            {"hours": {"rules": [{"start": "09:00", "minutes": 5}]}},
            "hours.rules.0.rrule",
            "rule like",
        ),
        ("place", {"place": polygon(BOW_TIE)}, "place.geometry.coordinates", "crosses itself"),
        ("place", {"place": polygon(SQUARE[:-1])}, "place.geometry.coordinates", "the last the same"),
        ("place", {"place": polygon([[0, 0], [1, 1], [2, 2], [0, 0]])}, "place.geometry.coordinates", "line"),
        (
            "plan",
            {"areas": [{"geometry": {"type": "Point", "coordinates": [0, 1_000_000_000]}}]},
            "areas.0.geometry.coordinates",
            "swapped",
        ),
        ("commitment", {"from": 5, "until": 5}, "until", "after"),
        ("commitment", {"from": "tomorrow"}, "from", "milliseconds"),
        ("event", {"action": "borrow"}, "action", "transfer-custody"),
        ("intent", {"direction": "maybe"}, "direction", "offer, need"),
    ],
)
def test_what_cannot_be_is_named_down_to_the_part(
    kind: str, fields: dict[str, Value], field: str, problem: str
) -> None:
    with pytest.raises(BadField) as caught:
        check_typed(kind, fields)
    assert caught.value.field == field
    assert problem in caught.value.problem


def test_the_end_is_compared_with_the_beginning_that_stands() -> None:
    check_typed("commitment", {"until": 20}, {"from": 10})
    with pytest.raises(BadField, match="until"):
        check_typed("commitment", {"until": 9}, {"from": 10})
    check_typed("commitment", {"until": None}, {"from": 10, "until": 20})


def test_every_field_has_a_label_a_type_and_a_schema() -> None:
    for kind in KINDS.values():
        for field in (*kind.fields.values(), *kind.families.values()):
            assert field.label
            assert field.type.words
            assert "type" in field.type.schema()


def test_the_fields_of_a_kind_are_found_by_name_and_by_family() -> None:
    resource = KINDS["resource"]
    part = resource.field("part:" + "ab" * 16)
    assert part is not None
    assert part.name == "part"
    assert resource.field("x:part") is None
