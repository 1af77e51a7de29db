"""What may reach a terminal."""

import json

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_cli.output import document_text, plain
from commonsnode_cli.wording import value_text


def test_a_name_cannot_move_the_cursor_or_turn_the_text() -> None:
    assert plain("a\x1b[2Jb\x9b1mc\u202ed\ne\tf") == "a\\x1b[2Jb\\x9b1mc\\u202ed\\ne\\tf"


def test_names_of_all_scripts_stay_as_they_are() -> None:
    assert plain("Ñahuinpuquio – 山谷 – Сельсовет 🌽") == "Ñahuinpuquio – 山谷 – Сельсовет 🌽"


@given(st.text(st.characters()))
def test_whatever_the_text_nothing_printed_is_a_control_character(text: str) -> None:
    shown = plain(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    shown.encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
def test_a_document_is_one_safe_line_that_means_the_same(document: object) -> None:
    text = document_text(document)
    assert json.loads(text) == document
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)


def test_a_place_reads_as_its_name_and_where_it_is_as_far_as_it_says() -> None:
    assert value_text("place", {"name": "Shed"}) == "Shed"
    assert value_text("place", {"lat": 3_500_000, "lon": -781_200_000}) == "0.35,-78.12"
    assert value_text("place", {"name": "Shed", "lat": 0, "lon": 5}) == "Shed (0,0.0000005)"
    assert value_text("place", {"other": 1}) == '{"other": 1}'


def test_bytes_read_as_how_many_they_are() -> None:
    assert value_text("x", {"$bytes": "AAECAwQFBgcICQoLDA0ODxA="}) == "17 bytes"
    assert value_text("x", {"$bytes": "AAE="}) == "2 bytes"
    assert value_text("x", {"$bytes": "AAEC"}) == "3 bytes"
    assert value_text("x", {"$bytes": ""}) == "0 bytes"
