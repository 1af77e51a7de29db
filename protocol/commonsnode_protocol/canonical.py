"""The one way to write a value as bytes.  SPEC.md, "Canonical MessagePack".

Shortest forms, map keys are text and ascend by their UTF-8 bytes, no floats, no extension types. A decoder cannot
trust "decode, encode, compare" alone: the library keeps the order of keys that it read, and knows more types than we do.
"""

from typing import TypeAlias

import msgpack

from commonsnode_protocol.errors import NotCanonical
from commonsnode_protocol.limits import DEPTH_MAX, INT_MAX, INT_MIN

Value: TypeAlias = bool | int | str | bytes | list["Value"] | dict[str, "Value"] | None

_PLAIN = frozenset({type(None), bool, str, bytes})


def check(value: object, depth_max: int = DEPTH_MAX) -> None:
    """Raise NotCanonical unless `value` is made of our types only, with ascending keys and at most `depth_max` deep.

    A scalar is 0 deep; an array or map is one deeper than the deepest thing in it.
    """
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is int:
        if not INT_MIN <= value <= INT_MAX:  # type: ignore[operator]
            raise NotCanonical("an integer outside of −2^63 to 2^63−1")
        return
    if depth_max == 0:
        raise NotCanonical("arrays and maps too deep in one another")
    if isinstance(value, list):
        for item in value:
            check(item, depth_max - 1)
    elif isinstance(value, dict):
        before: str | None = None
        for key, item in value.items():
            if type(key) is not str:
                raise NotCanonical("a map key that is not text")
            if before is not None and key <= before:
                raise NotCanonical("map keys out of order")
            before = key
            check(item, depth_max - 1)
    else:
        raise NotCanonical(f"a {kind.__name__}, which is none of the types of values")


def ordered(value: Value) -> Value:
    """The same value with the keys of every map in canonical order."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [ordered(item) for item in value]
    return value


def pack(value: object) -> bytes:
    """Write a value whose types and key order were checked already."""
    try:
        packed: bytes = msgpack.packb(value, use_bin_type=True)
    except (
        TypeError,
        ValueError,
        OverflowError,
    ) as error:  # UnicodeEncodeError (a lone surrogate) is a ValueError
        raise NotCanonical(str(error)) from error
    return packed


def unpack(data: bytes | memoryview) -> object:
    """Read bytes that are canonical as far as forms go; types and order of keys are still to be checked.

    Raises NotCanonical for anything that is not one whole MessagePack value in its shortest form.
    """
    try:
        value: object = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise NotCanonical(f"not MessagePack: {error}") from error
    try:
        again = msgpack.packb(value, use_bin_type=True)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NotCanonical(f"a value of another type: {error}") from error
    if again != data:
        raise NotCanonical("not in the shortest form, or a key twice")
    return value


def encode(value: Value, depth_max: int = DEPTH_MAX) -> bytes:
    """Canonical bytes of `value`; maps may have their keys in any order. Raises NotCanonical for other types."""
    try:
        value = ordered(value)
    except TypeError as error:
        raise NotCanonical("a map key that is not text") from error
    except RecursionError as error:
        raise NotCanonical("arrays and maps too deep in one another") from error
    check(value, depth_max)
    return pack(value)


def decode(data: bytes | memoryview, depth_max: int = DEPTH_MAX) -> Value:
    """The value of canonical bytes. Raises NotCanonical when another encoder would have written them otherwise."""
    value = unpack(data)
    check(value, depth_max)
    return value  # type: ignore[return-value]
