"""Somebody says that a thing was damaged while it was lent: an event that names the reservation, and the thing's condition."""

from dataclasses import dataclass

from commonsnode import inventory
from commonsnode.authoring import Author
from commonsnode.booked import Found
from commonsnode.errors import Conflict, NotAllowed, WrongField
from commonsnode.reserving import NOTE_CHARS_MAX
from commonsnode_protocol.bookings import State

EVENT = "event"
DAMAGED = "needs-repair"  # the condition, where nobody says another
_WAS_LENT = (State.OUT, State.RETURNED)


@dataclass(frozen=True, slots=True)
class Told:
    """event: its record. condition: that was written to the thing; None where it says so already."""

    event: bytes
    reservation: bytes
    resource: bytes
    condition: str | None
    waiting: bool
    why: str | None


def report(
    author: Author, of: Found, note: str, condition: str | None = None, at_ms: int | None = None
) -> Told:
    """By who asked for it, its keeper or a steward. at_ms: when it happened; now, if left out.

    Raises NotAllowed, Conflict, WrongField and the store's errors.
    """
    held = of.held
    if not (held.rules.people.same(author.key, of.ask.author) or held.may_decide(author.key)):
        raise NotAllowed("only who has it, its keeper or a steward can report damage of a loan")
    if of.booking.state not in _WAS_LENT:
        raise Conflict(
            f"it is {of.booking.state.value}, and was not handed over; what else befalls a thing: edit ID condition=…"
        )
    if not note.strip() or len(note) > NOTE_CHARS_MAX:
        raise WrongField("note", f"says what happened, in at most {NOTE_CHARS_MAX} characters")
    if at_ms is not None and at_ms > author.now_ms:
        raise WrongField("at", "is in the future")
    added = inventory.add(
        author,
        of.ref.community,
        {
            "action": "use",
            "resource": held.resource,
            "by": held.rules.people.person_of(of.ask.author),
            "at": at_ms if at_ms is not None else author.now_ms,
            "note": note,
            "condition": condition or DAMAGED,
            "fulfills": of.ref.record,
        },
        kind=EVENT,
        lane=of.thing.lane,
    )
    edited = inventory.edit(author, of.thing, {"condition": condition or DAMAGED})
    return Told(
        added.record,
        of.ref.record,
        held.resource,
        (condition or DAMAGED) if edited.changed else None,
        added.waiting or edited.waiting,
        added.why,
    )
