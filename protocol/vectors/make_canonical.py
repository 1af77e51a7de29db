"""Write canonical.json, the vectors of SPEC.md, "Canonical MessagePack":  python protocol/vectors/make_canonical.py"""

import struct

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import INT_MAX, INT_MIN
from vectors.shown import Json, show, show_value, text_of, write

ABOUT = """\
Vectors of SPEC.md, "Canonical MessagePack". How bytes and values are shown says SPEC.md, "Vectors".

values: `expect` is `canonical`, where `data` is the one way to write `value`, and has to be read as it and written from
it; or `not-canonical`, where `data` has to be refused. Read at a depth of at most 8.
"""

TAKEN: dict[str, Value] = {
    "nil": None,
    "false": False,
    "true": True,
    "int_0": 0,
    "int_127": 127,
    "int_128": 128,
    "int_255": 255,
    "int_256": 256,
    "int_65535": 65_535,
    "int_65536": 65_536,
    "int_4294967295": 2**32 - 1,
    "int_4294967296": 2**32,
    "int_greatest": INT_MAX,
    "int_minus_1": -1,
    "int_minus_32": -32,
    "int_minus_33": -33,
    "int_minus_128": -128,
    "int_minus_129": -129,
    "int_minus_32768": -32_768,
    "int_minus_32769": -32_769,
    "int_minus_2147483648": -(2**31),
    "int_minus_2147483649": -(2**31) - 1,
    "int_least": INT_MIN,
    "text_empty": "",
    "text_of_31_bytes": "a" * 31,
    "text_of_32_bytes": "a" * 32,
    "text_of_255_bytes": "a" * 255,
    "text_of_256_bytes": "a" * 256,
    "text_of_65535_bytes": "a" * 65_535,
    "text_of_65536_bytes": "a" * 65_536,
    "text_with_accents": "São João",
    "text_decomposed": "Sa\u0303o",
    "text_beyond_the_basic_plane": "\U0001f33e",
    "text_with_nul": "a\x00b",
    "text_greatest_character": "\U0010ffff",
    "bytes_empty": b"",
    "bytes_of_255": bytes(255),
    "bytes_of_256": bytes(256),
    "bytes_of_65535": bytes(65_535),
    "bytes_of_65536": bytes(65_536),
    "array_empty": [],
    "array_of_15": [None] * 15,
    "array_of_16": [None] * 16,
    "array_of_65535": [None] * 65_535,
    "array_of_65536": [None] * 65_536,
    "array_of_all_types": [None, True, 1, "a", b"a", [], {}],
    "map_empty": {},
    "map_with_empty_key": {"": 1},
    "map_of_15": {f"{n:02}": n for n in range(15)},
    "map_of_16": {f"{n:02}": n for n in range(16)},
    "map_keys_by_bytes_not_by_length": {"aa": 1, "b": 2},
    "map_keys_by_utf8_not_by_utf16": {"\uffff": 1, "\U00010000": 2},
    "eight_arrays_deep": [[[[[[[[None]]]]]]]],
    "eight_maps_deep": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}},
    "eight_deep_with_an_empty_array": [[[[[[[[]]]]]]]],
}

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "trailing_byte": b"\xc0\xc0",
    "unused_code": b"\xc1",
    "int_longer_form_uint8": b"\xcc\x7f",
    "int_longer_form_uint16": b"\xcd\x00\xff",
    "int_longer_form_uint32": b"\xce\x00\x00\xff\xff",
    "int_longer_form_uint64": b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff",
    "int_not_negative_as_int8": b"\xd0\x01",
    "int_not_negative_as_int16": b"\xd1\x01\x00",
    "int_not_negative_as_int32": b"\xd2\x00\x01\x00\x00",
    "int_not_negative_as_int64": b"\xd3" + struct.pack(">q", 2**32),
    "int_longer_form_int8": b"\xd0\xff",
    "int_longer_form_int16": b"\xd1\xff\x80",
    "int_longer_form_int32": b"\xd2\xff\xff\x80\x00",
    "int_longer_form_int64": b"\xd3" + struct.pack(">q", -(2**31)),
    "int_over_the_greatest": b"\xcf" + struct.pack(">Q", 2**63),
    "int_64_bits_set": b"\xcf" + b"\xff" * 8,
    "int_cut": b"\xcd\x01",
    "float_32": b"\xca\x00\x00\x00\x00",
    "float_64": b"\xcb" + bytes(8),
    "float_whole_number": b"\xcb" + struct.pack(">d", 1.0),
    "float_nan": b"\xcb\x7f\xf8" + bytes(6),
    "float_infinite": b"\xcb" + struct.pack(">d", float("inf")),
    "float_inside": b"\x81\xa1a\xcb" + bytes(8),
    "extension_fixext1": b"\xd4\x05\x00",
    "extension_ext8": b"\xc7\x00\x05",
    "extension_ext16": b"\xc8\x00\x00\x05",
    "extension_ext32": b"\xc9\x00\x00\x00\x00\x05",
    "timestamp_32": b"\xd6\xff\x00\x00\x00\x00",
    "timestamp_64": b"\xd7\xff" + bytes(8),
    "text_longer_form_str8": b"\xd9\x01a",
    "text_longer_form_str16": b"\xda\x00\x20" + b"a" * 32,
    "text_longer_form_str32": b"\xdb\x00\x00\x01\x00" + b"a" * 256,
    "text_cut": b"\xa2a",
    "text_not_utf8": b"\xa1\xff",
    "text_cut_in_a_character": b"\xa1\xc3",
    "text_overlong": b"\xa2\xc0\x80",
    "text_lone_surrogate": b"\xa3\xed\xa0\x80",
    "text_pair_of_surrogates": b"\xa6\xed\xa0\x80\xed\xb0\x80",
    "text_past_the_greatest_character": b"\xa4\xf4\x90\x80\x80",
    "bytes_longer_form_bin16": b"\xc5\x00\x01a",
    "bytes_longer_form_bin32": b"\xc6\x00\x00\x01\x00" + bytes(256),
    "bytes_cut": b"\xc4\x02a",
    "bytes_of_a_length_that_is_not_there": b"\xc6\xff\xff\xff\xff",
    "array_longer_form_array16": b"\xdc\x00\x01\xc0",
    "array_longer_form_array32": b"\xdd\x00\x00\x00\x10" + b"\xc0" * 16,
    "array_cut": b"\x92\xc0",
    "array_of_a_length_that_is_not_there": b"\xdd\xff\xff\xff\xff",
    "map_longer_form_map16": b"\xde\x00\x01\xa1a\xc0",
    "map_longer_form_map32": b"\xdf\x00\x00\x00\x01\xa1a\xc0",
    "map_cut": b"\x81\xa1a",
    "map_keys_out_of_order": b"\x82\xa1b\x01\xa1a\x02",
    "map_keys_by_length": b"\x82\xa1b\x01\xa2aa\x02",
    "map_keys_by_utf16": b"\x82\xa4\xf0\x90\x80\x80\x01\xa3\xef\xbf\xbf\x02",
    "map_key_twice": b"\x82\xa1a\x01\xa1a\x01",
    "map_key_twice_with_other_values": b"\x82\xa1a\x01\xa1a\x02",
    "map_key_integer": b"\x81\x01\xc0",
    "map_key_bytes": b"\x81\xc4\x01a\xc0",
    "map_key_nil": b"\x81\xc0\xc0",
    "map_key_longer_form": b"\x81\xd9\x01a\xc0",
    "nine_arrays_deep": b"\x91" * 9 + b"\xc0",
    "nine_maps_deep": b"\x81\xa1a" * 9 + b"\x01",
    "nine_deep_with_an_empty_array": b"\x91" * 8 + b"\x90",
    "a_thousand_arrays_deep": b"\x91" * 1000 + b"\xc0",
    "a_hundred_thousand_arrays_deep": b"\x91" * 100_000 + b"\xc0",
}


def text() -> str:
    """The content of canonical.json."""
    values: list[Json] = [
        {
            "name": name,
            "data": show(canonical.encode(value)),
            "expect": "canonical",
            "value": show_value(value),
        }
        for name, value in TAKEN.items()
    ]
    values += [
        {"name": name, "data": show(data), "expect": "not-canonical"} for name, data in REFUSED.items()
    ]
    return text_of(ABOUT, {"values": values})


if __name__ == "__main__":
    write(__file__, text())
