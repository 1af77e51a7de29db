"""YAML: a list of things is a table, a manifest a design, and every value the text that stands in the file."""

from pathlib import Path

import pytest
import yaml

from commonsnode.tables import Rejected, Row, TableError, open_table, yaml_form

MANIFEST = """
# an Open Know-How manifest, version 1.0
title: Hand pump
description: >
  Lifts water
  from a well
licensor:
  name: Ana
  email: "-"
license:
  hardware: CERN-OHL-S-2.0
documentation-home: https://example.org/pump
version: 1.10
made-independently: no
"""


def rows(folder: Path, text: str) -> list[Row | Rejected]:
    path = folder / "things.yml"
    path.write_text(text)
    (sheet,) = open_table(path)
    return list(sheet.rows)


def test_a_list_of_things_is_a_table_with_lines_and_keys(samples: Path) -> None:
    (sheet,) = open_table(samples / "tool-library.yml")
    first, second, third, *_ = [row for row in sheet.rows if isinstance(row, Row)]
    assert (sheet.key, [row.key for row in (first, second, third)]) == ("id", ["198", "222", "893"])
    assert [row.line for row in (first, second, third)] == [2, 11, 20]
    assert (first.fields["title"], first.fields["amount"]) == ("Plastic taping knife", "2")
    assert (third.fields["x:size"], third.fields["x:model"]) == ('9"', "3386")
    assert "category" not in third.fields, "ids of categories are none"
    assert third.fields["x:category_ids"] == "19"


def test_a_manifest_is_one_design(tmp_path: Path) -> None:
    path = tmp_path / "okh.yaml"
    path.write_text(MANIFEST)
    (sheet,) = open_table(path)
    (row,) = sheet.rows
    assert isinstance(row, Row)
    assert (row.kind, row.key) == ("design", "Hand pump")
    assert row.fields == {
        "title": "Hand pump",
        "description": "Lifts water from a well",
        "licensor": "Ana",
        "licence": "CERN-OHL-S-2.0",
        "website": "https://example.org/pump",
        "version": "1.10",
        "x:made-independently": "no",
    }


def test_values_are_the_texts_that_stand_there_and_nothing_is_none(tmp_path: Path) -> None:
    text = "- {name: Saw, origin: NO, at: 9:30, bought: 2020-01-02, code: 0123, note: null, tilde: '~'}"
    (row,) = rows(tmp_path, text)
    assert isinstance(row, Row)
    assert row.fields == {
        "title": "Saw",
        "x:origin": "NO",
        "x:at": "9:30",
        "x:bought": "2020-01-02",
        "x:code": "0123",
        "x:tilde": "~",
    }


def test_an_item_that_is_no_thing_is_rejected_with_its_line_and_the_rest_goes_in(tmp_path: Path) -> None:
    found = rows(tmp_path, "- name: Saw\n- Axe\n- name: Adze\n")
    assert [(type(each), each.line) for each in found] == [(Row, 1), (Rejected, 2), (Row, 3)]


def test_an_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    found = rows(tmp_path, "- {name: Saw, parts: &p [blade, handle]}\n- {name: Axe, parts: *p}\n")
    assert [each.fields["x:parts"] for each in found if isinstance(each, Row)] == ["blade, handle"] * 2


def test_tags_make_nothing_but_text(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "- {name: !!python/object/apply:os.system [echo], size: !!binary aGk=}\n")
    assert isinstance(row, Row)
    assert (row.fields["title"], row.fields["x:size"]) == ("echo", "aGk=")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "spells out to more than"),
        ("- &a [*a]\n", "spells out to more than"),
        ("- " + "[" * 40 + "]" * 40, "within one another"),
        ("- " + "[" * 50_000, "nesting depth|within one another"),
        ("- name: Saw\n---\n- name: Axe\n", "more than one document"),
        ("- {name: Saw, name: Axe}\n", "comes twice"),
        ("- {[a]: b}\n", "a name that is no text, in line 1"),
        ("- name: 'Saw\n", "not valid YAML"),
        ("- name: *nowhere\n", "not valid YAML"),
        ("just a text\n", "no list of things"),
        ("# nothing\n", "is empty"),
        ("- Saw\n- Axe\n", "not of things"),
    ],
)
def test_what_cannot_be_taken_is_one_clear_error(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TableError, match=reason) as caught:
        rows(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_form, "YAML_BYTES_MAX", 10)
    with pytest.raises(TableError, match="larger than 10 bytes"):
        rows(tmp_path, "- name: Saw\n")


def test_the_slow_loader_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = rows(tmp_path, MANIFEST)
    monkeypatch.setattr(yaml_form, "_Loader", yaml.BaseLoader)
    assert rows(tmp_path, MANIFEST) == fast
