"""Values of fields in JSON, without loss: the form of our JSON Lines and of the HTTP API.

JSON knows neither bytes nor, in many programs, integers beyond 2^53, so
    bytes                         {"$bytes": "<base64, padded>"}
    an integer beyond +-2^53      {"$int": "<decimal>"}
    a map whose only key is $bytes, $int or $map      {"$map": {...}}
and everything else is itself. There are no floats.
"""

import base64
import binascii
import json
import re
from typing import Any

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import DEPTH_MAX, INT_MAX, INT_MIN

PLAIN_MAX = 2**53

_ESCAPES = frozenset(("$bytes", "$int", "$map"))
_INTEGER = re.compile(r"-?[0-9]{1,19}")


class JsonFormError(ValueError):
    """A JSON text that is not in this form, or no JSON at all; the text says what is wrong."""


class Literal(str):
    """A JSON number with a point or an exponent, as it was written."""

    __slots__ = ()


def encode_value(value: Value) -> Any:
    """A value of a field as what `json.dumps` takes.

    Raises TypeError for anything that is no value of a field (a float, say).
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -PLAIN_MAX <= value <= PLAIN_MAX else {"$int": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [encode_value(item) for item in value]
    if isinstance(value, dict):
        encoded = {name: encode_value(item) for name, item in value.items()}
        return {"$map": encoded} if len(encoded) == 1 and not _ESCAPES.isdisjoint(encoded) else encoded
    raise TypeError(f"no value of a field: {type(value).__name__}")


def decode_value(value: Any, depth: int = 0) -> Value:
    """The value of a field from what `parse` (or `json.loads`) returned. Raises JsonFormError."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Literal | float):
        raise JsonFormError(f"{value} is a number with a fraction or exponent: write it as text")
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return _within(value)
    if depth >= DEPTH_MAX:
        raise JsonFormError(f"more than {DEPTH_MAX} lists and maps within one another")
    if isinstance(value, list):
        return [decode_value(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            ((name, inner),) = value.items()
            if name in _ESCAPES:
                return _unescape(name, inner, depth)
        return {name: decode_value(item, depth + 1) for name, item in value.items()}
    raise JsonFormError(f"no value of a field: {type(value).__name__}")


def _unescape(name: str, inner: Any, depth: int) -> Value:
    if name == "$map":
        if not isinstance(inner, dict) or len(inner) != 1 or _ESCAPES.isdisjoint(inner):
            raise JsonFormError("$map must hold a map whose only key is $bytes, $int or $map")
        return {key: decode_value(item, depth + 1) for key, item in inner.items()}
    if not isinstance(inner, str) or isinstance(inner, Literal):
        raise JsonFormError(f"{name} must hold a text")
    if name == "$int":
        if not _INTEGER.fullmatch(inner):
            raise JsonFormError("$int must hold a decimal integer")
        return _within(int(inner))
    try:
        return base64.b64decode(inner, validate=True)
    except (binascii.Error, ValueError):
        raise JsonFormError("$bytes must hold padded base64") from None


def _within(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise JsonFormError("an integer beyond 64 bits")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise JsonFormError(f"the key {twice!r} comes twice in one object")
    return found


def _constant(text: str) -> Any:
    raise JsonFormError(f"{text} is no JSON")


decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=Literal, parse_constant=_constant)
"""Keeps numbers with a fraction as Literal; raises JsonFormError for repeated keys, NaN and Infinity."""


def parse(text: str) -> Any:
    """One JSON value; numbers with a fraction or exponent as Literal.

    Raises JsonFormError for what is no JSON, has a key twice in an object, or half a surrogate pair.
    """
    try:
        value = decoder.decode(text)
    except JsonFormError:
        raise
    except (ValueError, RecursionError) as error:
        raise JsonFormError(
            f"no JSON: {error}" if isinstance(error, ValueError) else "nested too deeply"
        ) from None
    if "\\u" in text:
        check_text(value)
    return value


def check_text(value: Any) -> None:
    """Raise JsonFormError where a text has half a surrogate pair, which no UTF-8 can hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonFormError("half a surrogate pair (\\ud800 to \\udfff)") from None


def compact(value: Any) -> str:
    """A parsed JSON value as compact JSON text, with its numbers as they were written."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{compact(v)}" for k, v in value.items())
            + "}"
        )
    return json.dumps(value, ensure_ascii=False)


def cell(value: Any) -> str:
    """A parsed JSON value as the text of a cell: null is empty, text itself, nested values compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    return compact(value)
