"""How the vectors show bytes and values in JSON, for the scripts beside this file.  SPEC.md, "Vectors".

Bytes are hexadecimal. Long ones are an array of pieces, put together in order: hexadecimal, or {run, count}, which is the
run repeated count times, or {ids: [first, count]}, which is c420 and n as 32 bytes, for each n from first.

Values are nil: null, booleans: as they are, and else an object with one key: {int: decimal text}, {text: text},
{bytes: bytes as above}, {array: [value …]}, {map: [[key, value] …]}. A long text of one letter is {letter, count}; a long
array of one value is {item: value, count}.
"""

import json
import re
from pathlib import Path
from typing import Any, TypeAlias

from commonsnode_protocol.canonical import Value

Json: TypeAlias = dict[str, Any]

RUN_MIN = 200  # bytes alike, from which on they are shown as a run
_LONG = re.compile(rb"(?P<byte>.)(?P=byte){%d,}|(?:\xc4\x20.{32}){20,}" % (RUN_MIN - 1), re.DOTALL)


def show(data: bytes) -> Any:
    """Hexadecimal, or pieces where a byte is repeated many times or many ids are counted up."""
    pieces: list[Any] = []
    rest = begin = 0
    for match in _LONG.finditer(data):
        begin, end = match.span()
        piece: Any = (
            {"run": match["byte"].hex(), "count": end - begin} if match["byte"] else _counted(match[0])
        )
        if piece is not None:
            pieces += [data[rest:begin].hex()] * (begin > rest) + [piece]
            rest = end
    pieces += [data[rest:].hex()] * (rest < len(data) or not pieces)
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], str) else pieces


def _counted(data: bytes) -> Json | None:
    """The piece for ids that count up by one, if these do."""
    first, count = int.from_bytes(data[2:34], "big"), len(data) // 34
    piece = {"ids": [first, count]}
    return piece if _piece(piece) == data else None


def show_parts(*parts: bytes | tuple[bytes, int] | range) -> Any:
    """Pieces as they are given: bytes, a run and its count, or a range of ids."""
    pieces: list[Any] = []
    for part in parts:
        match part:
            case bytes():
                pieces.append(part.hex())
            case range():
                pieces.append({"ids": [part.start, len(part)]})
            case run, count:
                pieces.append({"run": run.hex(), "count": count})
    return pieces


def read(shown: Any) -> bytes:
    """The bytes that `show` showed."""
    if isinstance(shown, str):
        return bytes.fromhex(shown)
    return b"".join(map(_piece, shown))


def _piece(piece: Any) -> bytes:
    match piece:
        case str():
            return bytes.fromhex(piece)
        case {"run": str(run), "count": int(count)}:
            return bytes.fromhex(run) * count
        case {"ids": [int(first), int(count)]}:
            return b"".join(b"\xc4\x20" + n.to_bytes(32, "big") for n in range(first, first + count))
    raise ValueError(f"no piece: {piece}")


def show_value(value: Value) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return {"int": str(value)}
        case str() if len(value) >= RUN_MIN and len(set(value)) == 1:
            return {"letter": value[0], "count": len(value)}
        case list() if len(value) >= RUN_MIN and all(item is value[0] for item in value):
            return {"item": show_value(value[0]), "count": len(value)}
        case str():
            return {"text": value}
        case bytes():
            return {"bytes": show(value)}
        case list():
            return {"array": [show_value(item) for item in value]}
        case dict():
            return {"map": [[key, show_value(item)] for key, item in value.items()]}


def read_value(shown: Any) -> Value:
    match shown:
        case None | bool():
            return shown
        case {"int": str(text)}:
            return int(text)
        case {"text": str(text)}:
            return text
        case {"letter": str(letter), "count": int(count)}:
            return letter * count
        case {"item": item, "count": int(count)}:
            return [read_value(item)] * count
        case {"bytes": data}:
            return read(data)
        case {"array": list(items)}:
            return [read_value(item) for item in items]
        case {"map": list(items)}:
            return {key: read_value(item) for key, item in items}
    raise ValueError(f"no value: {shown}")


def text_of(about: str, vectors: Json) -> str:
    """The content of a file: what it is, then the lists of vectors, whose names are all different."""
    for name, group in vectors.items():
        if isinstance(group, list) and len({vector["name"] for vector in group}) != len(group):
            raise ValueError(f"two vectors of {name} have one name")
    return json.dumps({"about": about.splitlines(), **vectors}, indent=1, ensure_ascii=False) + "\n"


def write(script: str, text: str) -> None:
    """Write make_x.py's text to x.json."""
    path = Path(script)
    path.with_name(path.stem.removeprefix("make_") + ".json").write_text(text, encoding="utf-8")
