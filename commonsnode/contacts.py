"""Contact details: what a person says of themselves for the other members. One record a person, in lane `members`.

Only what is written with a key of that person counts (SPEC.md, "Names and contact details"): another member can write into
the record, but not in that person's name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from commonsnode.authoring import Author, Seen, check_fields, superseding
from commonsnode.errors import Conflict, WrongField
from commonsnode.governing import person_of
from commonsnode.inventory import same
from commonsnode_protocol.authority import Authority
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_protocol.kinds import BadField, check_typed
from commonsnode_protocol.record import RecordKey, Standing, contact_id, state
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.errors import LaneNotFollowed
from commonsnode_store.store import Store

KIND = "contact"
PERSON, NAME = "person", "title"
FIELDS = (NAME, "phone", "mail", "place", "note")


@dataclass(frozen=True, slots=True)
class Contact:
    """What a person says of themselves. waiting: it is held on this node until it can be sealed."""

    person: bytes
    values: Mapping[str, Value]
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What became of new contact details. why: why they are held here; none where they were sent, or nothing changed."""

    contact: Contact
    changed: tuple[str, ...]
    why: str | None


def tell(author: Author, community: bytes, fields: Mapping[str, Value]) -> Told:
    """Say something of oneself; None clears. Raises WrongField; Conflict where lane `members` is not followed here."""
    for name in fields:
        if name not in FIELDS:
            raise WrongField(name, f"one of {', '.join(FIELDS)}")
    check_fields(fields)
    for name, value in fields.items():
        if isinstance(value, str) and not (value.isprintable() or name == "note"):
            raise WrongField(name, "is printable text on one line")
    try:
        check_typed(KIND, fields)
    except BadField as error:
        raise WrongField(error.field, error.problem) from error
    store = author.store
    followed = store.followed().get(community)
    if followed is None or MEMBERS not in followed.lanes:
        raise Conflict(
            "this node does not follow what only members read; add it: commonsnode community follow LINK --lanes"
            " public,knowledge,members"
        )
    person = person_of(store.authority(community), author.key) or author.key
    ref = _ref(community, person)
    before, view = of(store, community, person), store.record(ref)
    standing = view.fields if view is not None else {}
    own = _counts(store.authority(community), person)
    changed = {
        name: value
        for name, value in fields.items()
        if not same(before.values.get(name), value)
        or (name in standing and not all(own(write.author) for write in standing[name]))
    }
    if not changed:
        return Told(before, (), None)
    if PERSON not in standing:
        changed[PERSON] = person
    seen: list[Seen] = [(ref.record, KIND, name, standing.get(name, ())) for name in changed]
    ids = superseding(store, community, MEMBERS, seen)
    writes = {name: (value, over) for (name, value), over in zip(changed.items(), ids, strict=True)}
    written = author.write(community, MEMBERS, [(ref.record, KIND, writes)])
    return Told(of(store, community, person), tuple(name for name in changed if name != PERSON), written.why)


def of(store: Store, community: bytes, person: bytes) -> Contact:
    """What is here of a person's contact details; of one's own also what is held until it can be sealed."""
    authority = store.authority(community)
    view = _views(store, community, [person]).get(contact_id(community, person))
    values = _values(store, view, authority, person) if view is not None else {}
    own = _counts(authority, person)
    held = [
        write
        for write in store.held_writes(community)
        if write.ref == _ref(community, person) and own(write.author)
    ]
    for write in held:
        values |= write.values
    shown = {name: values[name] for name in FIELDS if values.get(name) is not None}
    return Contact(person, shown, bool(held))


def names(store: Store, community: bytes, people: Iterable[bytes]) -> dict[bytes, str]:
    """person → name, of those of these people who said it."""
    authority = store.authority(community)
    by_record = {contact_id(community, person): person for person in people}
    found: dict[bytes, str] = {}
    for record, view in _views(store, community, by_record.values()).items():
        person = by_record[record]
        name = _values(store, view, authority, person).get(NAME)
        if type(name) is str and name.strip():
            found[person] = name
    return found


def counted(
    store: Store, view: RecordView, counts: Callable[[bytes], bool], *, always: bool = False
) -> dict[str, Standing]:
    """The write of each field that is shown where only writes by these authors count.

    Where all that is shown is theirs, that is it, unless `always`; else it is computed from what they wrote, as if nobody else had.
    """
    shown = {name: writes[0] for name, writes in view.fields.items()}
    if not always and all(counts(write.author) for write in shown.values()):
        return shown
    ids = [entry.changeset for entry in store.history(view.ref) if counts(entry.author)]
    written = store.excerpts(view.community, view.lane, ids, {view.record})
    registers = state(written).get(RecordKey(view.record, view.kind, view.lane), {})
    return {name: writes[0] for name, writes in registers.items()}


def _values(store: Store, view: RecordView, authority: Authority, person: bytes) -> dict[str, Value]:
    return {name: write.value for name, write in counted(store, view, _counts(authority, person)).items()}


def _counts(authority: Authority, person: bytes) -> Callable[[bytes], bool]:
    return lambda key: key == person or person_of(authority, key) == person


def _ref(community: bytes, person: bytes) -> RecordRef:
    return RecordRef(community, MEMBERS, KIND, contact_id(community, person))


def _views(store: Store, community: bytes, people: Iterable[bytes]) -> dict[bytes, RecordView]:
    try:
        return store.records(community, MEMBERS, KIND, [contact_id(community, person) for person in people])
    except LaneNotFollowed:
        return {}
