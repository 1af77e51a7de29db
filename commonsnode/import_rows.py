"""One row of an import: from a line of JSON to checked fields, or to the reason why it cannot be taken."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from commonsnode.inventory import DELETED, KIND, NONCE, WRITTEN_LANES
from commonsnode.tables.json_form import JsonFormError, Literal, check_text, decode_value
from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, RECORD_BYTES
from commonsnode_protocol.errors import NotCanonical
from commonsnode_protocol.limits import CHANGESET_BYTES_MAX, FIELD_BYTES_MAX, KIND_BYTES_MAX

FIELDS_BYTES_MAX = CHANGESET_BYTES_MAX - 4_096  # of one row: leaves room for what else a changeset holds
KEY_BYTES_MAX = 4_096

NAMES_KEPT_MAX = 100_000

_NO_KIND = f"a kind is 1 to {KIND_BYTES_MAX} bytes of printable text"
_NESTED = frozenset({list, dict})
# As the decoder of the JSON form, but without its look for keys that come twice: these lines were made by a program.
_decoder = json.JSONDecoder(parse_float=Literal)


@dataclass(frozen=True, slots=True)
class Head:
    """What is said about a file before its rows.

    source: names the table in record ids. source_given: a person named it, so that it means these things on purpose.
    kind: None leaves each thing at the kind that it has here, else at the one that its row says. columns: the fields that a row can set, and so clear; `tag:` for its tags.
    exact_places: for everybody, or blurred; None as import_places.py decides.
    """

    source: str
    kind: str | None = None
    lane: str = PUBLIC
    dry_run: bool = False
    columns: tuple[str, ...] = ()
    exact_places: bool | None = None
    source_given: bool = False


class Row(NamedTuple):
    """A row that can be taken.

    record: its id (16 bytes) where it came in our own form, else None; then `key` names it. packed: the fields as MessagePack.
    """

    line: int
    key: str
    record: bytes | None
    kind: str
    lane: str
    fields: dict[str, Value]
    packed: bytes


class Bad(NamedTuple):
    """A row that cannot be taken, and why."""

    line: int
    reason: str


def read_row(text: bytes, head: Head, names: set[str]) -> Row | Bad:
    """Read `{line, key, kind, fields}` (kind may be left out: `resource`) or `{line, record, kind, lane, fields}`.

    names: names of fields found good before; good ones are added. Raises JsonFormError where it is no such row at all.
    """
    said = _parse(text)
    if type(said) is not dict or type(said.get("line")) is not int or type(said.get("fields")) is not dict:
        raise JsonFormError("a row is an object with `line`, `fields`, and `key` or `record`")
    line = said["line"]
    try:
        fields = {
            name: value if type(value) is str else decode_value(value)
            for name, value in said["fields"].items()
        }
    except JsonFormError as error:
        return Bad(line, str(error))
    packed = _packed(fields, names)
    if isinstance(packed, str):
        return Bad(line, packed)
    if "record" in said:
        return _own(said, line, fields, packed)
    key = said.get("key")
    if type(key) is not str or not 1 <= len(key.encode()) <= KEY_BYTES_MAX:
        return Bad(line, f"the key of a row is 1 to {KEY_BYTES_MAX} bytes")
    for name in (NONCE, DELETED):
        if name in fields:
            return Bad(line, f"a column cannot set `{name}`")
    kind = head.kind or said.get("kind", KIND)
    if not _is_kind(kind):
        return Bad(line, _NO_KIND)
    return Row(line, key, None, kind, head.lane, fields, packed)


def _own(said: dict[str, Any], line: int, fields: dict[str, Value], packed: bytes) -> Row | Bad:
    record, kind, lane = said["record"], said.get("kind", KIND), said.get("lane", PUBLIC)
    try:
        record_id = bytes.fromhex(record) if type(record) is str else b""
    except ValueError:
        record_id = b""
    if len(record_id) != RECORD_BYTES:
        return Bad(line, f"the id of a record is {2 * RECORD_BYTES} hexadecimal digits")
    if not _is_kind(kind):
        return Bad(line, _NO_KIND)
    if lane not in WRITTEN_LANES:
        return Bad(line, f"the lane is one of {', '.join(WRITTEN_LANES)}")
    return Row(line, record_id.hex(), record_id, kind, lane, fields, packed)


def _is_kind(kind: Any) -> bool:
    if kind == KIND:
        return True
    return type(kind) is str and kind.isprintable() and 1 <= len(kind.encode()) <= KIND_BYTES_MAX


def _parse(text: bytes) -> Any:
    try:
        decoded = text.decode()
        said = _decoder.decode(decoded)
    except UnicodeDecodeError as error:
        raise JsonFormError(f"no UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise JsonFormError("nested too deeply") from error
    except ValueError as error:
        raise JsonFormError(f"no JSON: {error}") from error
    if "\\u" in decoded:
        check_text(said)
    return said


def _packed(fields: dict[str, Value], names: set[str]) -> bytes | str:
    """The fields as MessagePack, or what is wrong with them."""
    if not names.issuperset(fields):
        for name in fields:
            if not 1 <= len(name.encode()) <= FIELD_BYTES_MAX:
                return f"the name of a field is 1 to {FIELD_BYTES_MAX} bytes: {name[:40]!r}"
        if len(names) < NAMES_KEPT_MAX:
            names.update(fields)
    empty = True
    try:
        for value in fields.values():
            if value is not None:
                empty = False
            if type(value) in _NESTED:
                canonical.check(canonical.ordered(value))
        packed = canonical.pack(fields)
    except NotCanonical as error:
        return str(error)
    if empty:
        return "nothing in this row"
    size = len(packed) + 2 * len(fields)
    if size > FIELDS_BYTES_MAX:
        return f"{size} bytes; {FIELDS_BYTES_MAX} at most in one row"
    return packed
