"""How people are called: by their own contact details, else by the invitation that was made for them. Only members read either.

A record of kind `invitation-name` in lane `members` has the fields `invitation` (its key, 32 bytes) and `title` (the name). SPEC.md,
"Names and contact details", says whose writes of it count.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from commonsnode import contacts
from commonsnode.authoring import Author, Writes, Written
from commonsnode.contacts import counted
from commonsnode.governing import person_of
from commonsnode_protocol.authority import Authority, Evaluator
from commonsnode_protocol.authority.joins import terms
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import KEY_BYTES, MEMBERS
from commonsnode_protocol.record import NONCE_BYTES, typed_id
from commonsnode_store.answers import RecordView
from commonsnode_store.store import Store

KIND = "invitation-name"
OF_PEOPLE = (KIND, contacts.KIND)  # kinds that are shown with people, and not among things
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Inviting:
    """Who made the invitations that stand, and which people joined by one that was for one person alone."""

    by: Mapping[bytes, bytes] = field(default_factory=dict)  # invitation → the key that made it
    joined: Mapping[bytes, bytes] = field(default_factory=dict)  # person → invitation


def name_invitation(
    author: Author,
    community: bytes,
    invitation: bytes,
    name: str,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Written:
    """Say whom an invitation is for. Raises WrongField, and LaneNotFollowed where the lane is not followed here."""
    nonce = random_bytes(NONCE_BYTES)
    record = typed_id(community, author.key, nonce)
    fields: Writes = {"invitation": (invitation, ()), "nonce": (nonce, ()), "title": (name, ())}
    return author.write(community, MEMBERS, [(record, KIND, fields)])


def inviting(held: Evaluator, keys: Iterable[bytes] | None = None) -> Inviting:
    """The same, of all that stands; or no more of it than the people with these keys joined by. For the writer thread."""
    acts = held.acts
    if acts is None:
        return Inviting()
    if keys is None:
        people: Iterable[bytes] = held.joins.of_person.keys()
        wanted: Iterable[bytes] = acts.invitations.keys()
    else:
        people = {first for key in keys for first in (key, *held.persons_of(key))}
        joins = [id_ for person in people for id_ in held.joins.of_person.get(person, ())]
        wanted = {held.joins.invitation_of[id_] for id_ in joins}
    every = {key: found for key in wanted if (found := terms(key, acts)) is not None}
    joined: dict[bytes, bytes] = {}
    for person in people:
        for invitation in sorted(
            held.joins.invitation_of[id_] for id_ in held.joins.of_person.get(person, ())
        ):
            if invitation in every and every[invitation][1].uses == 1:
                joined[person] = invitation
    return Inviting({key: entry.changeset.author for key, (entry, _) in every.items()}, joined)


def names_of_invitations(store: Store, community: bytes, known: Inviting) -> dict[bytes, str]:
    """invitation → whom it is for. Of several names for one the last in the order of names."""
    authority = store.authority(community)
    is_steward = cache(lambda key: person_of(authority, key) in authority.stewards)
    makers = frozenset(known.by.values())
    found: dict[bytes, str] = {}

    def take(values: Mapping[str, Value], authors: Mapping[str, bytes]) -> bool:
        key, name = values.get("invitation"), values.get("title")
        if type(key) is not bytes or len(key) != KEY_BYTES or type(name) is not str or not name.strip():
            return False
        if any(not is_steward(by) and by != known.by.get(key) for by in authors.values()):
            return False
        found[key] = name
        return True

    def read(view: RecordView) -> None:
        said = view.fields
        if not take(
            view.values, {name: said[name][0].author for name in ("invitation", "title") if name in said}
        ):
            # Somebody else wrote over it: as if they had not.
            writes = counted(store, view, lambda key: is_steward(key) or key in makers, always=True)
            take(
                {name: write.value for name, write in writes.items()},
                {name: writes[name].author for name in ("invitation", "title") if name in writes},
            )

    cursor: str | None = None
    while True:
        page = store.page(community=community, kind=KIND, cursor=cursor, limit=_AT_ONCE)
        for view in page.records:
            if view.lane == MEMBERS:
                read(view)
        cursor = page.cursor
        if cursor is None:
            break
    for write in store.held_writes(community):
        if write.kind == KIND:
            take(write.values, dict.fromkeys(("invitation", "title"), write.author))
    return found


def names_of_people(
    store: Store, community: bytes, known: Inviting, people: Iterable[bytes]
) -> dict[bytes, str]:
    """person → name, of those of these people who have one here."""
    found = contacts.names(store, community, wanted := [*people])
    by_invitation = {
        person: known.joined[person] for person in wanted if person not in found and person in known.joined
    }
    invited = names_of_invitations(store, community, known) if by_invitation else {}
    return found | {person: invited[key] for person, key in by_invitation.items() if key in invited}


def names_of_keys(store: Store, community: bytes, known: Inviting, keys: Iterable[bytes]) -> dict[bytes, str]:
    """The same for any keys of theirs."""
    authority: Authority = store.authority(community)
    person = {key: person_of(authority, key) or key for key in keys}
    names = names_of_people(store, community, known, {*person.values()})
    return {key: names[of] for key, of in person.items() if of in names}
