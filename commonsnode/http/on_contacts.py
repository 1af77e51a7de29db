"""The API on contact details: one's own, and those of others for who is a member."""

from collections.abc import Mapping
from typing import Any

from commonsnode import contacts
from commonsnode.authoring import Author
from commonsnode.contacts import Contact
from commonsnode.errors import WrongField
from commonsnode.governing import one_of, person_of
from commonsnode.http.calls import Call
from commonsnode.http.on_communities import community_of
from commonsnode.tables.json_form import JsonFormError, decode_value, encode_value
from commonsnode_store.store import Store

_FIELD_OF = {"name": contacts.NAME, **{name: name for name in contacts.FIELDS if name != contacts.NAME}}


async def own(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)

    def read(store: Store) -> Contact:
        return contacts.of(store, community, person_of(store.authority(community), call.key) or call.key)

    return _document(await call.node.writer.read(read))


async def shown(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)

    def read(store: Store) -> Contact:
        call.check_member(store, community)
        authority = store.authority(community)
        return contacts.of(store, community, one_of(authority.people.keys(), call.path["key"], "member"))

    return _document(await call.node.writer.read(read))


async def tell(call: Call) -> Mapping[str, Any]:
    community = await community_of(call)
    said = {}
    for name, value in call.body.items():
        try:
            said[_FIELD_OF[name]] = decode_value(value)
        except JsonFormError as error:
            raise WrongField(name, str(error)) from error

    def write(author: Author) -> contacts.Told:
        call.check_member(author.store, community)
        try:
            return contacts.tell(author, community, said)
        except WrongField as error:
            if error.field == contacts.NAME:
                raise WrongField("name", error.detail) from error
            raise

    told = await call.sign(write)
    return {
        **_document(told.contact),
        "changed": sorted(name for name, field in _FIELD_OF.items() if field in told.changed),
        "why": told.why,
    }


def _document(contact: Contact) -> dict[str, Any]:
    said = {
        name: encode_value(contact.values[field]) if field in contact.values else None
        for name, field in _FIELD_OF.items()
    }
    return {"id": contact.person.hex(), **said, "waiting": contact.waiting, "changed": [], "why": None}
