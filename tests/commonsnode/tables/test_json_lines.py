"""Our own lossless form, a record a line; and tables with an object a line."""

import io
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonsnode.tables import Record, Row, Value, write_table
from commonsnode.tables.json_form import JsonFormError, decode_value, encode_value, parse
from table_readings import Read, read_file

Table: TypeAlias = Callable[..., Read]

ID = "00112233445566778899aabbccddeeff"

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), texts, st.binary(max_size=20))
keys = st.one_of(texts, st.sampled_from(("$bytes", "$int", "$map")))
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


def line(fields: str, **more: str) -> str:
    members = {"id": f'"{ID}"', "kind": '"resource"', "lane": '"public"', "fields": fields} | more
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}\n"


@settings(derandomize=True)
@given(value=values)
def test_any_value_comes_back_from_json(value: Value) -> None:
    assert decode_value(parse(json.dumps(encode_value(value), ensure_ascii=False))) == value


@settings(
    max_examples=50,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    records=st.lists(
        st.builds(
            Record,
            id=st.binary(min_size=16, max_size=16),
            fields=st.dictionaries(texts.filter(lambda t: 0 < len(t.encode()) <= 128), values, max_size=4),
            kind=st.sampled_from(("resource", "place")),
            lane=st.sampled_from(("public", "members")),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda record: record.id,
    )
)
def test_records_come_back_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, records: list[Record]
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "export.jsonl"
    with path.open("wb") as out:
        write_table("jsonl", records, out)
    read = read_file(path)
    assert read.rejected == []
    assert [(r.record, r.key, r.fields, r.kind, r.lane) for r in read.rows] == [
        (r.id, r.id.hex(), r.fields, r.kind, r.lane) for r in records
    ]


def test_a_record_is_one_line_with_its_keys_in_order() -> None:
    fields: dict[str, Value] = {
        "title": "Säge",
        "photo:1": b"\x00\xff",
        "amount": 2**60,
        "odd": {"$int": True},
    }
    out = io.BytesIO()
    write_table("jsonl", [Record(bytes.fromhex(ID), fields)], out)
    assert out.getvalue().decode() == (
        '{"fields":{"amount":{"$int":"1152921504606846976"},"odd":{"$map":{"$int":true}},'
        '"photo:1":{"$bytes":"AP8="},"title":"Säge"},'
        f'"id":"{ID}","kind":"resource","lane":"public"}}\n'
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (line('{"amount":1.5}'), "fraction or exponent"),
        (line('{"amount":1e3}'), "fraction or exponent"),
        (line('{"amount":9223372036854775808}'), "beyond 64 bits"),
        (line('{"amount":{"$int":"9223372036854775808"}}'), "beyond 64 bits"),
        (line('{"amount":{"$int":"1.5"}}'), "decimal integer"),
        (line('{"amount":{"$int":5}}'), "must hold a text"),
        (line('{"photo":{"$bytes":"AP8"}}'), "base64"),
        (line('{"photo":{"$map":{"a":1}}}'), "only key"),
        (line('{"a":1,"a":2}'), "comes twice"),
        (line('{"a":NaN}'), "NaN"),
        (line('{"":1}'), "1 to 128 bytes"),
        (line(f'{{"{"ä" * 65}":1}}'), "1 to 128 bytes"),
        (line('{"a":"\\ud800"}'), "surrogate"),
        (line('{"a":[[[[[[[[[]]]]]]]]]}'), "more than 8 lists and maps"),
        (line("[]"), "fields must be an object"),
        (line("{}", id='"xyz"'), "hexadecimal"),
        (line("{}", id='"0011"'), "hexadecimal"),
        (line("{}", kind="1"), "kind"),
        (line("{}", more="1"), "unknown key 'more'"),
        ("[1]\n", "no JSON object"),
        ('{"name": \n', "no JSON"),
    ],
)
def test_a_line_that_is_not_in_the_form_is_rejected_and_the_rest_goes_in(
    table: Table, content: str, reason: str
) -> None:
    other = line('{"title":"Saw"}', id=f'"{ID[::-1]}"')
    read = table(content + "\n" + other, "export.jsonl")
    assert [entry.line for entry in read.rejected] == [1]
    assert reason in read.rejected[0].reason
    assert [(row.line, row.fields) for row in read.rows] == [(3, {"title": "Saw"})]


def test_a_record_that_comes_twice_is_taken_once(table: Table) -> None:
    read = table(line('{"title":"Saw"}') + line('{"title":"Axe"}'), "export.jsonl")
    assert [row.fields["title"] for row in read.rows] == ["Saw"]
    assert read.rejected[0].line == 2


def test_a_line_without_fields_is_the_row_of_a_table(table: Table) -> None:
    read = table(
        '{"name":"Saw","qty":2,"lat":39.5,"lon":-0.50}\n{"name":"Axe","colour":["red"]}\n', "things.ndjson"
    )
    assert read.mapping == {
        "name": "title",
        "qty": "amount",
        "lat": "lat",
        "lon": "lon",
        "colour": "x:colour",
    }
    assert read.fields == [
        {"title": "Saw", "amount": "2", "place": {"lat": 395000000, "lon": -5000000}},
        {"title": "Axe", "x:colour": '["red"]'},
    ]


def test_records_and_rows_may_stand_in_one_file(table: Table) -> None:
    read = table(line('{"title":"Saw"}') + '{"name":"Axe"}\n', "things.jsonl")
    assert [row.record for row in read.rows] == [bytes.fromhex(ID), None]
    assert read.rows[1] == Row(2, '["Axe", "", "1"]', {"title": "Axe"})


def test_json_lines_are_known_by_what_they_hold(table: Table) -> None:
    assert table(line('{"title":"Saw"}'), "export.txt").rows[0].record == bytes.fromhex(ID)


def test_what_is_no_value_cannot_be_encoded() -> None:
    with pytest.raises(TypeError, match="float"):
        encode_value(1.5)  # type: ignore[arg-type]
    with pytest.raises(JsonFormError):
        decode_value(1.5)
