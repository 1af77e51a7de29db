"""A value has exactly one way to be written; whatever else means the same, or means nothing, is refused."""

import struct
from datetime import UTC, datetime
from random import Random

import msgpack
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import NotCanonical
from commonsnode_protocol.limits import DEPTH_MAX, INT_MAX, INT_MIN

texts = st.text(st.characters(codec="utf-8"), max_size=40)
scalars = st.none() | st.booleans() | st.integers(INT_MIN, INT_MAX) | texts | st.binary(max_size=40)
values: st.SearchStrategy[Value] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
).filter(lambda value: depth(value) <= DEPTH_MAX)


def depth(value: Value) -> int:
    match value:
        case list():
            return 1 + max(map(depth, value), default=0)
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
    return 0


def same(a: Value, b: Value) -> bool:
    """Equal, and of the same types: Python holds True == 1."""
    match a, b:
        case list(), list():
            return len(a) == len(b) and all(map(same, a, b))
        case dict(), dict():
            return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def nested(levels: int) -> bytes:
    """Arrays in one another around nil."""
    return b"\x91" * levels + b"\xc0"


def refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical.decode(data)


@given(values)
def test_what_is_written_reads_as_the_same_value(value: Value) -> None:
    assert same(canonical.decode(canonical.encode(value)), value)


@given(values)
def test_what_is_read_was_written_in_the_only_way(value: Value) -> None:
    data = canonical.encode(value)
    assert canonical.encode(canonical.decode(data)) == data


@given(st.dictionaries(texts, scalars, min_size=2), st.randoms(use_true_random=False))
def test_the_order_in_which_a_map_was_built_does_not_show(value: dict[str, Value], random: Random) -> None:
    keys = list(value)
    random.shuffle(keys)
    assert canonical.encode({key: value[key] for key in keys}) == canonical.encode(value)


def test_keys_ascend_by_their_utf8_bytes() -> None:
    """Not by UTF-16 units, as some languages compare text: U+10000 is written as D800 DC00 there, before U+FFFF."""
    value: Value = {"\U00010000": 4, "\uffff": 3, "b": 2, "a": 1, "aa": 0, "": 9}
    assert list(canonical.decode(canonical.encode(value))) == ["", "a", "aa", "b", "\uffff", "\U00010000"]  # type: ignore[arg-type]


@given(values, st.data())
def test_any_changed_byte_is_refused_or_another_value(value: Value, data: st.DataObject) -> None:
    written = bytearray(canonical.encode(value))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    try:
        other = canonical.decode(bytes(written))
    except NotCanonical:
        return
    assert not same(other, value)
    assert canonical.encode(other) == written


@given(st.binary(max_size=60))
@example(b"\x92\xc0\xc0")
def test_any_bytes_are_refused_or_written_again_alike(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except NotCanonical:
        return
    assert canonical.encode(value) == data


@given(values, st.binary(min_size=1, max_size=4))
def test_trailing_bytes_are_refused(value: Value, rest: bytes) -> None:
    refused(canonical.encode(value) + rest)


@given(values, st.data())
def test_a_value_that_is_cut_is_refused(value: Value, data: st.DataObject) -> None:
    written = canonical.encode(value)
    refused(written[: data.draw(st.integers(0, len(written) - 1))])


# Other ways to write the same


def wider(value: Value) -> list[bytes]:
    """The other forms that MessagePack has for this scalar, text, bytes, or empty array or map."""
    shortest = canonical.encode(value)
    forms: list[bytes] = []
    match value:
        case bool() | None:
            return []
        case int():
            for code, form in (
                (0xCC, "B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q"),
                (0xD0, "b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q"),
            ):  # fmt: skip
                try:
                    forms.append(bytes([code]) + struct.pack(form, value))
                except struct.error:
                    continue
        case str() | bytes():
            data = value.encode() if isinstance(value, str) else value
            codes = (0xD9, 0xDA, 0xDB) if isinstance(value, str) else (0xC4, 0xC5, 0xC6)
            for code, form in zip(codes, ("B", ">H", ">I"), strict=True):
                if len(data) < 1 << 8 * struct.calcsize(form):
                    forms.append(bytes([code]) + struct.pack(form, len(data)) + data)
        case list():
            forms = [b"\xdc\x00\x00", b"\xdd\x00\x00\x00\x00"]
        case dict():
            forms = [b"\xde\x00\x00", b"\xdf\x00\x00\x00\x00"]
    return [form for form in forms if form != shortest]


@given(st.integers(INT_MIN, INT_MAX) | texts | st.binary(max_size=300))
@example([])
@example({})
@example("x" * 31)
@example("x" * 32)
@example("x" * 256)
@example(b"x" * 256)
@example(127)
@example(128)
@example(-32)
@example(-33)
@example(INT_MIN)
def test_every_other_form_is_refused(value: Value) -> None:
    forms = wider(value)
    for form in forms:
        assert msgpack.unpackb(form) == value  # it does mean this
        refused(form)
        refused(b"\x91" + form)
        refused(b"\x81\xa1k" + form)
    assert forms or (isinstance(value, int) and value < -(2**31))  # those have one form only


@pytest.mark.parametrize(
    ("form", "length"),
    [(b"\xdc", 15), (b"\xdd", 16), (b"\xdd", 65_535)],
    ids=["15 as array 16", "16 as array 32", "65535 as array 32"],
)
def test_longer_forms_of_arrays_are_refused(form: bytes, length: int) -> None:
    size = 2 if form == b"\xdc" else 4
    refused(form + length.to_bytes(size, "big") + b"\xc0" * length)


def test_longer_forms_of_map_keys_are_refused() -> None:
    refused(b"\x81\xd9\x01k\xc0")
    refused(b"\xde\x00\x01\xa1k\xc0")


def test_keys_out_of_order_are_refused() -> None:
    assert canonical.decode(b"\x82\xa1a\x01\xa1b\x02") == {"a": 1, "b": 2}
    refused(b"\x82\xa1b\x02\xa1a\x01")
    refused(b"\x82\xa2aa\x01\xa1b\x02\x00")
    refused(b"\x91\x82\xa1b\x02\xa1a\x01")
    refused(b"\x82\xa4\xf0\x90\x80\x80\x01\xa3\xef\xbf\xbf\x02")  # in order only by UTF-16 units


def test_a_key_that_comes_twice_is_refused() -> None:
    refused(b"\x82\xa1a\x01\xa1a\x01")
    refused(b"\x82\xa1a\x01\xa1a\x02")


@pytest.mark.parametrize("key", [b"\x01", b"\xc0", b"\xc4\x01k", b"\xc3", b"\x90", b"\x80"])
def test_keys_that_are_no_text_are_refused(key: bytes) -> None:
    refused(b"\x81" + key + b"\xc0")


# Other values


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 1e300, float("nan"), float("inf")])
def test_floats_are_refused(value: float) -> None:
    for form in (
        b"\xca" + struct.pack(">f", value if value != 1e300 else 0),
        b"\xcb" + struct.pack(">d", value),
    ):
        refused(form)
        refused(b"\x91" + form)
        refused(b"\x81\xa1k" + form)
    with pytest.raises(NotCanonical):
        canonical.encode([value])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "extension",
    [msgpack.packb(msgpack.ExtType(1, bytes(length))) for length in (0, 1, 2, 3, 4, 8, 16, 17, 256)]
    + [msgpack.packb(datetime(2026, 1, 1, tzinfo=UTC), datetime=True), b"\xd6\xff\x00\x00\x00\x00", b"\xc1"],
)
def test_extension_types_timestamps_and_the_unused_code_are_refused(extension: bytes) -> None:
    refused(extension)
    refused(b"\x91" + extension)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"\xc3",  # cut
        b"\xc0\x80",  # overlong
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",  # a lone surrogate
        b"\xed\xa0\x80\xed\xb0\x80",  # a pair of them
        b"\xf4\x90\x80\x80",  # past U+10FFFF
    ],
)
def test_text_that_is_no_utf8_is_refused(text: bytes) -> None:
    refused(bytes([0xA0 | len(text)]) + text)
    refused(b"\x81" + bytes([0xA0 | len(text)]) + text + b"\xc0")


def test_a_lone_surrogate_cannot_be_written() -> None:
    surrogates: list[Value] = ["\ud800", ["\ud800"], {"\ud800": None}]
    for value in surrogates:
        with pytest.raises(NotCanonical):
            canonical.encode(value)


def test_text_and_bytes_are_different_values() -> None:
    assert canonical.encode("a") == b"\xa1a"
    assert canonical.encode(b"a") == b"\xc4\x01a"


def test_text_is_not_normalised() -> None:
    assert canonical.encode("é") != canonical.encode("e\u0301")


# Limits


@pytest.mark.parametrize("value", [INT_MIN, INT_MAX, 0, -1])
def test_integers_go_from_minus_2_63_to_2_63_minus_1(value: int) -> None:
    assert canonical.decode(canonical.encode(value)) == value


def test_integers_beyond_are_refused() -> None:
    for value in (INT_MIN - 1, INT_MAX + 1, 2**64):
        with pytest.raises(NotCanonical):
            canonical.encode(value)
    refused(b"\xcf" + (2**63).to_bytes(8, "big"))
    refused(b"\x91\xcf" + b"\xff" * 8)


def test_eight_levels_are_taken_and_nine_refused() -> None:
    assert canonical.decode(nested(8)) == [[[[[[[[None]]]]]]]]
    refused(nested(9))
    refused(b"\x91" * 8 + b"\x90")  # an empty array is a level too
    assert canonical.decode(b"\x81\xa1k" * 8 + b"\xc0")
    refused(b"\x81\xa1k" * 9 + b"\xc0")


@pytest.mark.parametrize("levels", [100, 600, 2_000, 100_000])
def test_the_deepest_nesting_is_refused_like_any_other(levels: int) -> None:
    refused(nested(levels))
    value: Value = None
    for _ in range(levels):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical.encode(value)
    while isinstance(value, list):  # take it apart, since its destructor would recurse
        value = value.pop()


@given(st.sampled_from([b"\xdd", b"\xdf", b"\xc6", b"\xdb"]), st.integers(2**16, 2**32 - 1))
def test_a_length_that_is_not_there_allocates_nothing(form: bytes, length: int) -> None:
    refused(form + length.to_bytes(4, "big"))


@given(values, values)
def test_two_values_are_never_written_alike(a: Value, b: Value) -> None:
    assume(not same(a, b))
    assert canonical.encode(a) != canonical.encode(b)
