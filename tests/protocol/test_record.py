"""A field's value is every write to it that no other write supersedes; records are told apart by id, kind and lane."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KNOWLEDGE, PUBLIC, Changeset, build, decode, public_key
from commonsnode_protocol.record import (
    RecordKey,
    Standing,
    State,
    conflicts,
    imported_id,
    in_order,
    state,
    typed_id,
)

COMMUNITY = bytes([7]) * 32
ANA, BEN = public_key(bytes([1]) * 32), public_key(bytes([2]) * 32)
DRILL = bytes([9]) * 16


def write(
    value: Value,
    time: int,
    *superseded: Changeset,
    author: bytes = ANA,
    lane: str = PUBLIC,
    record: bytes = DRILL,
    kind: str = "resource",
    field: str = "title",
) -> Changeset:
    """One changeset that writes one field and supersedes what the others wrote."""
    refs = sorted(each.id for each in superseded)
    fields: Mapping[str, tuple[Value, Sequence[int]]] = {field: (value, range(len(refs)))}
    return decode(
        build(
            community=COMMUNITY,
            lane=lane,
            author=author,
            time=time,
            refs=refs,
            changes=[(record, kind, fields)],
        )
    )


def titles(of: State, record: bytes = DRILL, kind: str = "resource", lane: str = PUBLIC) -> list[Value]:
    return [each.value for each in of[RecordKey(record, kind, lane)]["title"]]


# Record ids


def test_a_typed_id_is_a_hash_of_community_creator_and_nonce() -> None:
    packed = canonical.encode(["record/typed/1", COMMUNITY, ANA, bytes(16)])
    assert typed_id(COMMUNITY, ANA, bytes(16)) == blake2b(packed, digest_size=16).digest()


def test_an_imported_id_is_a_hash_of_community_kind_source_and_key() -> None:
    packed = canonical.encode(["record/imported/1", COMMUNITY, "resource", "tools", "17"])
    assert imported_id(COMMUNITY, "resource", "tools", "17") == blake2b(packed, digest_size=16).digest()


@given(st.data())
def test_any_other_part_gives_another_id(data: st.DataObject) -> None:
    parts = [COMMUNITY, "resource", "tools", "17"]
    other = list(parts)
    at = data.draw(st.integers(0, 3))
    other[at] = data.draw(
        (st.binary() if at == 0 else st.text(st.characters(codec="utf-8"))).filter(lambda x: x != parts[at])
    )
    assert imported_id(*parts) != imported_id(*other)  # type: ignore[arg-type]


def test_source_and_key_do_not_run_into_one_another() -> None:
    assert imported_id(COMMUNITY, "resource", "a", "bc") != imported_id(COMMUNITY, "resource", "ab", "c")


# Registers


def test_the_value_is_the_one_that_was_written() -> None:
    one = write("Drill", 5)
    assert state([one]) == {
        RecordKey(DRILL, "resource", PUBLIC): {"title": [Standing(5, one.id, ANA, "Drill")]}
    }


def test_a_write_that_is_superseded_is_gone_whatever_the_clocks_say() -> None:
    late = write("Drill", 2**53 - 1)
    corrected = write("Hammer drill", 0, late, author=BEN)
    assert titles(state([late, corrected])) == ["Hammer drill"]
    assert titles(state([corrected, late])) == ["Hammer drill"]


def test_two_writes_apart_are_a_conflict_and_the_later_is_shown() -> None:
    first = write("Drill", 1)
    a, b = write("Drill A", 7, first), write("Drill B", 8, first, author=BEN)
    assert titles(state([first, a, b])) == ["Drill B", "Drill A"]
    assert titles(state([b, a, first])) == ["Drill B", "Drill A"]


def test_of_writes_at_one_time_the_greater_id_is_shown() -> None:
    a, b = write("Drill A", 7), write("Drill B", 7, author=BEN)
    shown, other = (a, b) if a.id > b.id else (b, a)
    assert [each.changeset for each in in_order(state([a, b])[RecordKey(DRILL, "resource", PUBLIC)]["title"])] == [
        shown.id, other.id,
    ]  # fmt: skip


def test_the_next_write_resolves_a_conflict() -> None:
    a, b = write("Drill A", 7), write("Drill B", 8, author=BEN)
    assert titles(state([a, b, write("Drill", 3, a, b)])) == ["Drill"]


def test_a_superseded_write_that_comes_late_has_no_effect() -> None:
    old = write("Drill", 1)
    new = write("Hammer drill", 2, old)
    assert titles(state([new])) == ["Hammer drill"]
    assert titles(state([new, old])) == ["Hammer drill"]


def test_a_changeset_whose_refs_are_not_here_is_state_all_the_same() -> None:
    missing = write("Drill", 1)
    middle = write("Hammer drill", 2, missing)
    assert titles(state([write("Corded drill", 3, middle)])) == ["Corded drill"]


def test_superseding_goes_no_further_than_it_says() -> None:
    """C supersedes B, and not A, which B had superseded: while B is not here, A is shown too."""
    a = write("A", 1)
    b = write("B", 2, a)
    c = write("C", 3, b)
    assert titles(state([a, c])) == ["C", "A"]
    assert titles(state([a, b, c])) == ["C"]


def test_clearing_is_a_write_of_nil_and_can_be_in_conflict() -> None:
    first = write("Drill", 1)
    cleared, edited = write(None, 5, first), write("Drill 2", 4, first, author=BEN)
    assert titles(state([first, cleared])) == [None]
    assert titles(state([first, cleared, edited])) == [None, "Drill 2"]


def test_deletion_against_an_edit_is_a_visible_conflict_of_its_own_field() -> None:
    first = write("Drill", 1)
    deleted = write(True, 5, first, field="deleted")
    edited = write("Drill 2", 6, first, author=BEN)
    fields = state([first, deleted, edited])[RecordKey(DRILL, "resource", PUBLIC)]
    assert fields["deleted"][0].value is True
    assert fields["title"][0].value == "Drill 2"


def test_concurrent_additions_to_a_set_merge() -> None:
    a, b = write(True, 1, field="tag:garden"), write(True, 1, author=BEN, field="tag:heavy")
    assert set(state([a, b])[RecordKey(DRILL, "resource", PUBLIC)]) == {"tag:garden", "tag:heavy"}


def test_a_repeated_changeset_counts_once() -> None:
    one = write("Drill", 5)
    assert state([one, one]) == state([one])


@pytest.mark.parametrize("changed", ["lane", "kind", "record", "field"])
def test_superseding_across_lanes_kinds_records_or_fields_has_no_effect(changed: str) -> None:
    elsewhere = {"lane": KNOWLEDGE, "kind": "design", "record": bytes(16), "field": "name"}
    first = write("Drill", 1)
    second = write("Press", 2, first, **{changed: elsewhere[changed]})  # type: ignore[arg-type]
    assert titles(state([first, second])) == ["Drill"]


# Conflicts


def test_equal_concurrent_values_are_one_value() -> None:
    a, b = write("Drill", 7), write("Drill", 8, author=BEN)
    both = in_order(state([a, b])[RecordKey(DRILL, "resource", PUBLIC)]["title"])
    assert len(both) == 2
    assert conflicts(both) == []
    assert titles(state([a, b, write("Hammer drill", 1, a, b)])) == ["Hammer drill"]


def test_values_of_two_types_are_two_values() -> None:
    """Python holds True == 1 and [False] == [0]; the wire does not."""
    pairs: list[tuple[Value, Value]] = [
        (True, 1),
        ([False], [0]),
        ({"a": 1}, {"a": True}),
        ("1", 1),
        (b"a", "a"),
    ]
    for one, other in pairs:
        a, b = write(one, 7), write(other, 8, author=BEN)
        both = state([a, b])[RecordKey(DRILL, "resource", PUBLIC)]["title"]
        assert [each.value for each in conflicts(both)] == [one]


def test_each_other_value_is_told_once() -> None:
    writes = [write(value, time) for time, value in enumerate(["A", "B", "A", "B", "C"])]
    both = state(writes)[RecordKey(DRILL, "resource", PUBLIC)]["title"]
    assert [each.value for each in both] == ["C", "B", "A", "B", "A"]
    assert [(each.value, each.time) for each in conflicts(both)] == [("B", 3), ("A", 2)]


def test_no_writes_no_conflicts() -> None:
    assert conflicts([]) == []


# Attack 20: ids that meet


def test_attack_20_two_files_named_alike_with_equal_keys_meet_in_one_record_and_lose_nothing() -> None:
    """Both nodes import `tools.csv` with the keys 1…n, and mean different things: every cell of both is still there."""
    here = [
        write(f"Drill {n}", 10, record=imported_id(COMMUNITY, "resource", "tools", str(n)))
        for n in range(1, 6)
    ]
    there = [
        write(f"Ladder {n}", 11, author=BEN, record=imported_id(COMMUNITY, "resource", "tools", str(n)))
        for n in range(1, 6)
    ]
    both = state(here + there)
    assert len(both) == 5
    for n in range(1, 6):
        record = imported_id(COMMUNITY, "resource", "tools", str(n))
        assert titles(both, record) == [f"Ladder {n}", f"Drill {n}"]


def test_attack_20_the_same_file_at_two_nodes_gives_each_thing_once() -> None:
    record = imported_id(COMMUNITY, "resource", "tools", "17")
    a, b = write("Drill", 10, record=record), write("Drill", 11, author=BEN, record=record)
    fields = state([a, b])
    assert list(fields) == [RecordKey(record, "resource", PUBLIC)]
    assert conflicts(fields[RecordKey(record, "resource", PUBLIC)]["title"]) == []


def test_attack_20_who_created_a_record_shows_in_its_id() -> None:
    """Ben writes to the id of Ana's record, also before she does, also with her nonce: the id is hers alone."""
    nonce = bytes(range(16))
    record = typed_id(COMMUNITY, ANA, nonce)
    ana = write(nonce, 10, record=record, field="nonce")
    ben = write(nonce, 1, author=BEN, record=record, field="nonce")
    written = state([ana, ben])[RecordKey(record, "resource", PUBLIC)]["nonce"]
    creators = {
        each.author
        for each in written
        if each.value == nonce and typed_id(COMMUNITY, each.author, nonce) == record
    }
    assert creators == {ANA}


def test_attack_20_one_id_with_two_kinds_is_two_records() -> None:
    both = state([write("Drill", 1), write("Workshop", 2, kind="place", author=BEN)])
    assert titles(both) == ["Drill"]
    assert titles(both, kind="place") == ["Workshop"]


def test_attack_20_one_id_in_two_lanes_is_two_sets_of_registers() -> None:
    here = write("Drill", 1)
    both = state([here, write("Plans of the drill", 2, here, lane=KNOWLEDGE, author=BEN)])
    assert titles(both) == ["Drill"]
    assert titles(both, lane=KNOWLEDGE) == ["Plans of the drill"]
