"""Check what a person types against the declared kinds. What came from a peer is never checked by this."""

from collections.abc import Mapping
from types import MappingProxyType

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.declared import KINDS
from commonsnode_protocol.kinds.values import BadValue, Key, Record, key_in, record_in


class BadField(ValueError):
    """A field that cannot have this value. field: its name, and the way into its value, as in `hours.rules.0.start`."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def as_stored(kind: str, typed: Mapping[str, Value]) -> dict[str, Value]:
    """The same fields, with keys and record ids that were typed in hexadecimal as the bytes that rules go by."""
    declared = KINDS.get(kind)
    found = dict(typed)
    if declared is None:
        return found
    for name, value in typed.items():
        field = declared.field(name)
        if field is None or not isinstance(value, str):
            continue
        if isinstance(field.type, Key):
            found[name] = key_in(value) or value
        elif isinstance(field.type, Record):
            found[name] = record_in(value) or value
    return found


def check_typed(
    kind: str, typed: Mapping[str, Value], standing: Mapping[str, Value] = MappingProxyType({})
) -> None:
    """Raise BadField at the first of the typed fields that its kind does not allow; None clears a field.

    standing: the fields that the record shows already, for those that must be in order (`from` before `until`).
    """
    declared = KINDS.get(kind)
    if declared is None:
        return
    for name, value in typed.items():
        field = declared.field(name)
        if field is None or value is None:
            continue
        try:
            field.type.check(value)
        except BadValue as error:
            raise BadField(f"{name}.{error.where}" if error.where else name, error.problem) from None
    for begin, end in declared.ascending:
        if begin in typed or end in typed:
            first = typed[begin] if begin in typed else standing.get(begin)
            last = typed[end] if end in typed else standing.get(end)
            if isinstance(first, int) and isinstance(last, int) and last <= first:
                raise BadField(end if end in typed else begin, f"`{end}` must be after `{begin}`")
