"""Kits: things that are lent together as one.  SPEC.md, "Kits".

A kit is asked for by one changeset that asks for it and for each of its parts. Each of these asks is settled by itself, by
whoever keeps that thing; so a kit needs no rules of its own, and nobody lends what another keeps by listing it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from commonsnode_protocol.bookings import State
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import RECORD_BYTES
from commonsnode_protocol.commitments import amount_of

PART = "part:"
PARTS_MAX = 64

_HEX_DIGITS = frozenset("0123456789abcdef")


def parts_of(values: Mapping[str, Value]) -> dict[bytes, Decimal]:
    """The parts of a thing with these shown values, by record id, and how many of each: none where it is no kit."""
    found: dict[bytes, Decimal] = {}
    for name in sorted(name for name in values if name.startswith(PART)):
        digits, value = name.removeprefix(PART), values[name]
        amount = Decimal(1) if value is True else amount_of(value) if isinstance(value, str) else None
        if len(digits) == 2 * RECORD_BYTES and _HEX_DIGITS.issuperset(digits) and amount is not None:
            found[bytes.fromhex(digits)] = amount
            if len(found) == PARTS_MAX:
                break
    return found


def whole(kit: State, parts: Sequence[State]) -> State:
    """The state of the reservation of a kit, from those of its own ask and of the asks for its parts.

    A part that its asker cancelled is done without.
    """
    if kit in (State.CANCELLED, State.DECLINED):
        return kit
    every = [kit, *(part for part in parts if part is not State.CANCELLED)]
    for state in (State.DECLINED, State.DISPLACED):
        if state in every:
            return state
    if all(state is State.RETURNED for state in every):
        return State.RETURNED
    if any(state in (State.OUT, State.RETURNED) for state in every):
        return State.OUT
    return State.ASKED if State.ASKED in every else State.CONFIRMED
