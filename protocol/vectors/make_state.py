"""Write state.json, the vectors of SPEC.md, "State":  python protocol/vectors/make_state.py"""

from collections.abc import Iterable, Sequence

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KNOWLEDGE, PUBLIC, Write, changeset_id, decode
from commonsnode_protocol.limits import TIME_MS_MAX
from commonsnode_protocol.record import Standing, conflicts, state, typed_id
from vectors.shown import Json, show_value, text_of, write
from vectors.world import ANA, BEN, COMMUNITY, NONCE, Rows, body

ABOUT = """\
Vectors of SPEC.md, "State". How values are shown says SPEC.md, "Vectors". All byte strings are in hexadecimal.

states: `changesets` are the bodies of changesets that all stand, in any order. `state` is the state of exactly this set:
for each record (id, kind, lane) and field the `writes` that nothing supersedes, the shown one first, each with time,
changeset id, author and value; and `others`, the values that are told beside the shown one, each once.
The records are in ascending order of (id, kind, lane), the fields in ascending order of their names.
"""

DRILL, SAW = typed_id(COMMUNITY, ANA, NONCE), typed_id(COMMUNITY, BEN, NONCE)


def wrote(
    value: Value,
    time: int,
    *superseded: bytes,
    author: bytes = ANA,
    lane: str = PUBLIC,
    record: bytes = DRILL,
    kind: str = "resource",
    field: str = "title",
    refs: Sequence[bytes] = (),
) -> bytes:
    """A body that writes one field, and supersedes what the given bodies wrote to it; `refs` are named besides."""
    of = sorted({changeset_id(each) for each in superseded})
    every = sorted({*of, *(changeset_id(each) for each in refs)})
    changes: Rows = [(record, kind, {field: (value, [every.index(each) for each in of])})]
    return body(author, changes, community=COMMUNITY, lane=lane, time=time, refs=every)


def several(fields: dict[str, Write], time: int, refs: Sequence[bytes] = ()) -> bytes:
    every = [changeset_id(each) for each in refs]
    return body(ANA, [(DRILL, "resource", fields)], community=COMMUNITY, time=time, refs=every)


def cases() -> Iterable[tuple[str, list[bytes]]]:
    """Names and sets."""
    drill = wrote("Drill", 1000)
    hammer = wrote("Hammer drill", 2000, drill)
    yield "nothing", []
    yield "one_write", [drill]
    yield "a_write_twice", [drill, drill]
    yield "superseded", [drill, hammer]
    yield "superseded_with_an_earlier_time", [drill, wrote("Hammer drill", 0, drill)]
    yield (
        "superseded_at_the_greatest_time",
        [(late := wrote("Drill", TIME_MS_MAX)), wrote("Hammer drill", 0, late)],
    )
    yield "named_but_not_superseded", [drill, wrote("Hammer drill", 2000, refs=[drill])]
    yield "superseded_write_is_not_here", [hammer]
    yield "superseded_write_comes_late", [hammer, drill]
    yield "chain_with_a_gap", [drill, wrote("Corded drill", 3000, hammer)]
    yield "chain_without_gap", [drill, hammer, wrote("Corded drill", 3000, hammer)]

    a, b = wrote("Drill A", 2000, drill), wrote("Drill B", 3000, drill, author=BEN)
    yield "conflict_later_time_is_shown", [drill, a, b]
    yield (
        "conflict_same_time_greater_id_is_shown",
        [wrote("Drill A", 2000), wrote("Drill B", 2000, author=BEN)],
    )
    yield "conflict_of_one_author", [drill, a, wrote("Drill B", 3000, drill)]
    yield "conflict_resolved", [drill, a, b, wrote("Drill AB", 1, a, b)]
    yield "conflict_half_resolved", [drill, a, b, wrote("Drill C", 4000, a)]
    yield "equal_concurrent_values_are_one", [wrote("Drill", 2000), wrote("Drill", 3000, author=BEN)]
    yield (
        "equal_concurrent_values_superseded_apart",
        [
            (one := wrote("Drill", 2000)),
            wrote("Drill", 3000, author=BEN),
            wrote("Saw", 4000, one),
        ],
    )
    yield (
        "values_of_other_types_are_not_equal",
        [
            wrote(True, 2000, field="x:lent"),
            wrote(1, 3000, author=BEN, field="x:lent"),
            wrote("1", 4000, author=BEN, field="x:lent"),
        ],
    )
    yield (
        "equal_values_inside_maps_of_other_types_are_not_equal",
        [
            wrote({"a": [True]}, 2000, field="place"),
            wrote({"a": [1]}, 3000, author=BEN, field="place"),
        ],
    )
    yield "each_other_value_once", [wrote(value, 1000 * n, author=BEN) for n, value in enumerate("ABABC")]

    cleared = wrote(None, 2000, drill)
    yield "cleared", [drill, cleared]
    yield "cleared_and_edited_apart_clearing_later", [drill, cleared, wrote("Saw", 1500, drill, author=BEN)]
    yield "cleared_and_edited_apart_edit_later", [drill, cleared, wrote("Saw", 2500, drill, author=BEN)]
    yield "cleared_twice_apart", [drill, cleared, wrote(None, 2500, drill, author=BEN)]
    yield "written_again_after_clearing", [drill, cleared, wrote("Drill", 3000, cleared)]

    deleted = wrote(True, 2000, field="deleted", refs=[drill])
    yield "deleted_and_edited_apart", [drill, deleted, wrote("Saw", 3000, drill, author=BEN)]
    yield "deleted_and_restored", [drill, deleted, wrote(None, 3000, deleted, field="deleted")]

    yield (
        "set_additions_apart_merge",
        [
            wrote(True, 1000, field="tag:garden"),
            wrote(True, 1000, author=BEN, field="tag:heavy"),
        ],
    )
    yield (
        "set_removal",
        [(tag := wrote(True, 1000, field="tag:garden")), wrote(None, 2000, tag, field="tag:garden")],
    )
    yield "fields_apart_merge", [drill, wrote("good", 2000, author=BEN, field="condition")]

    yield "superseding_across_lanes_has_no_effect", [drill, wrote("Drill", 2000, drill, lane=KNOWLEDGE)]
    yield "superseding_across_kinds_has_no_effect", [drill, wrote("Drill", 2000, drill, kind="design")]
    yield (
        "superseding_across_records_has_no_effect",
        [drill, wrote("Saw", 2000, drill, record=SAW, author=BEN)],
    )
    yield "superseding_across_fields_has_no_effect", [drill, wrote("Drill", 2000, drill, field="description")]
    yield (
        "superseding_applies_to_its_field_only",
        [
            (both := several({"title": ("Drill", ()), "condition": ("good", ())}, 1000)),
            several({"title": ("Saw", [0]), "condition": ("worn", ())}, 2000, [both]),
        ],
    )
    yield "somebody_elses_record", [drill, wrote("Mine", 2000, author=BEN)]


def shown_write(write_: Standing) -> Json:
    return {
        "time": write_.time,
        "changeset": write_.changeset.hex(),
        "author": write_.author.hex(),
        "value": show_value(write_.value),
    }


def text() -> str:
    """The content of state.json."""
    states: list[Json] = []
    for name, bodies in cases():
        records: list[Json] = []
        for key, fields in sorted(state(map(decode, bodies)).items()):
            shown = [
                {
                    "field": field,
                    "writes": [shown_write(each) for each in writes],
                    "others": [show_value(each.value) for each in conflicts(writes)],
                }
                for field, writes in sorted(fields.items())
            ]
            records.append({"record": key.record.hex(), "kind": key.kind, "lane": key.lane, "fields": shown})
        states.append(
            {"name": name, "changesets": [each.hex() for each in bodies], "expect": "state", "state": records}
        )
    return text_of(ABOUT, {"states": states})


if __name__ == "__main__":
    write(__file__, text())
