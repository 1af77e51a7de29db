"""Contact details: a person's own word alone counts, members read it and nobody else, and names follow from it."""

import os
from collections.abc import Mapping

import pytest

from commonsnode import communities, contacts, inventory, invitations, members, names
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode.sealing import keep_up
from commonsnode_protocol.authority import writing
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_protocol.record import contact_id
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store
from running_node import Api

LANES = ("authority", "public", "knowledge", "members", "keys")
ROSA, INES = bytes([11]) * 32, bytes([12]) * 32


@pytest.fixture
def valley(author: Author) -> bytes:
    """A community of the founder, Rosa and Inés."""
    community = communities.create(author, "Valley", LANES)
    for seed in (ROSA, INES):
        members.grant(author, community, hand(author, seed).key.hex(), "member")
    keep_up(author, community, hand_on=False)
    return community


def hand(author: Author, seed: bytes) -> Author:
    return Author(author.store, seed, author.now_ms, lambda *_: None)


def of(store: Store, valley: bytes, person: bytes) -> Mapping[str, Value]:
    return contacts.of(store, valley, person).values


def over(author: Author, valley: bytes, record: bytes, kind: str, **fields: Value) -> None:
    """Write into a record as any member's software can, over all that stands there."""
    inventory.edit(author, RecordRef(valley, MEMBERS, kind, record), fields)


def test_what_a_person_says_is_one_record_whichever_of_their_keys_says_it(
    author: Author, valley: bytes
) -> None:
    rosa = hand(author, ROSA)
    told = contacts.tell(rosa, valley, {"title": "Rosa", "phone": "12 34"})
    assert (told.changed, told.why, told.contact.waiting) == (("title", "phone"), None, False)
    device = hand(author, bytes([13]) * 32)
    held = author.store.evaluator(valley)
    agreement = writing.key_agreement(valley, rosa.key, bytes([13]) * 32)
    rosa.act(valley, writing.key_added(held, rosa.key, os.urandom(16), rosa.key, device.key, agreement))
    keep_up(author, valley, hand_on=False)
    assert contacts.tell(device, valley, {"phone": "56 78"}).changed == ("phone",)
    assert of(author.store, valley, rosa.key) == {"title": "Rosa", "phone": "56 78"}
    assert contacts.tell(rosa, valley, {"phone": "56 78"}).changed == ()
    assert contacts.tell(rosa, valley, {"phone": None}).changed == ("phone",)
    assert of(author.store, valley, rosa.key) == {"title": "Rosa"}
    assert len(author.store.page(community=valley, kind=contacts.KIND).records) == 1


def test_what_another_member_writes_into_it_counts_for_nothing(author: Author, valley: bytes) -> None:
    rosa, ines = hand(author, ROSA), hand(author, INES)
    contacts.tell(rosa, valley, {"title": "Rosa", "phone": "12 34"})
    record = contact_id(valley, rosa.key)
    over(ines, valley, record, contacts.KIND, title="Mala", phone="66 66", mail="mala@example.org")
    assert of(author.store, valley, rosa.key) == {"title": "Rosa", "phone": "12 34"}
    assert contacts.names(author.store, valley, [rosa.key, ines.key]) == {rosa.key: "Rosa"}
    assert contacts.tell(rosa, valley, {"phone": "66 66"}).changed == ("phone",)
    assert of(author.store, valley, rosa.key) == {"title": "Rosa", "phone": "66 66"}
    # Nor does a record that she makes for somebody else.
    author.write(valley, MEMBERS, [(contact_id(valley, ines.key), contacts.KIND, {"title": ("Nobody", ())})])
    assert of(author.store, valley, ines.key) == {}


def test_what_is_said_wrongly_is_told_by_the_field(author: Author, valley: bytes) -> None:
    wrong: list[tuple[str, Value]] = [
        ("phone", 12),
        ("title", "a" * 257),
        ("mail", "a\nb"),
        ("fax", "1"),
        ("place", [1]),
    ]
    for field, value in wrong:
        with pytest.raises(WrongField) as caught:
            contacts.tell(author, valley, {field: value})
        assert caught.value.field == field
    narrow = communities.create(author, "Narrow", ("authority", "public"))
    with pytest.raises(Conflict, match="does not follow what only members read"):
        contacts.tell(author, narrow, {"title": "Rosa"})
    assert of(author.store, narrow, author.key) == {}


def test_a_person_is_called_as_they_say_else_as_their_invitation_does(author: Author, valley: bytes) -> None:
    newcomer, group = hand(author, bytes([14]) * 32), hand(author, bytes([15]) * 32)
    for who, uses, name in ((newcomer, 1, "Ana of the mill"), (group, 2, "The reading circle")):
        invited = invitations.invite(author, valley, "member", uses)
        names.name_invitation(author, valley, invited.id, name)
        who.act(valley, writing.join(valley, who.key, os.urandom(16), invited.seed, invited.id))
    keep_up(author, valley, hand_on=False)
    store = author.store
    known = names.inviting(store.evaluator(valley))
    every = [newcomer.key, group.key]
    assert names.names_of_people(store, valley, known, every) == {newcomer.key: "Ana of the mill"}
    contacts.tell(newcomer, valley, {"title": "Ana"})
    assert names.names_of_keys(store, valley, known, every) == {newcomer.key: "Ana"}


def test_only_who_made_an_invitation_and_stewards_name_it(author: Author, valley: bytes) -> None:
    store, ines = author.store, hand(author, INES)
    invited = invitations.invite(author, valley, "member", 1)

    def called() -> str | None:
        return names.names_of_invitations(store, valley, names.inviting(store.evaluator(valley))).get(
            invited.id
        )

    names.name_invitation(ines, valley, invited.id, "Mala")
    assert called() is None
    names.name_invitation(author, valley, invited.id, "Ana")
    assert called() == "Ana"
    record = next(
        view.record
        for view in store.page(community=valley, kind=names.KIND).records
        if view.values["title"] == "Ana"
    )
    over(ines, valley, record, names.KIND, title="Mala", invitation=bytes(32))
    assert called() == "Ana"


async def test_members_read_how_to_reach_one_another_and_nobody_else_does(api: Api) -> None:
    valley = await api.community()
    rosa, token = await api.person()
    _, other = await api.person("Inés")
    await api("POST", f"/communities/{valley}/members", {"id": rosa})
    mine, hers = f"/communities/{valley}/contact", f"/communities/{valley}/members/{rosa[:8]}/contact"
    said = {"name": "Rosa", "phone": "12 34", "place": "the mill", "note": "not\nbefore nine"}
    told = await api("PATCH", mine, said, tcp=True, token=token)
    assert (told.status, told["changed"], told["why"]) == (200, ["name", "note", "phone", "place"], None)
    whole: dict[str, object] = {
        "id": rosa,
        **said,
        "mail": None,
        "waiting": False,
        "changed": [],
        "why": None,
    }
    assert (await api("GET", mine, tcp=True, token=token)).body == whole
    assert (await api("GET", hers)).body == whole
    assert (await api("GET", hers, tcp=True, token=other)).status == 403
    assert (await api("GET", hers, tcp=True)).status == 401
    thing = await api(
        "POST", f"/communities/{valley}/records", {"fields": {"title": "Saw"}}, tcp=True, token=token
    )
    for path, rows, key in (
        (f"/communities/{valley}/members", "members", "name"),
        (f"/communities/{valley}", "people", "name"),
        (f"/records/{thing['id']}/history", "history", "author_name"),
    ):
        for whose, tcp, name in (
            (token, True, "Rosa"),
            (None, False, "Rosa"),
            (other, True, None),
            (None, True, None),
        ):
            found = (await api("GET", path, tcp=tcp, token=whose))[rows]
            assert [row[key] for row in found if rosa in (row.get("id"), row.get("author"))] == [name]
    trail = (await api("GET", f"/communities/{valley}/history"))["history"]
    assert {row["author_name"] for row in trail} == {None}  # the founder has not said how she is called
    wrong = await api("PATCH", mine, {"name": "a" * 257}, tcp=True, token=token)
    assert (wrong.status, wrong["field"]) == (422, "name")
    refused = await api("PATCH", mine, {"name": "Inés"}, tcp=True, token=other)
    assert refused.status == 403
    assert "you are no member" in refused["detail"]
    names_shown = (await api("GET", "/records", tcp=True, token=token)).body
    assert [one["title"] for one in names_shown["records"]] == ["Saw"]
    assert (await api("GET", "/records", kind="contact"))["records"][0]["title"] == "Rosa"


async def test_pages_stay_full_where_people_are_left_out(api: Api) -> None:
    valley = await api.community()
    for n in range(4):
        await api("POST", f"/communities/{valley}/invitations", {"name": f"A{n}"})
        await api.add(valley, title=f"B{n}")
    first = await api("GET", "/records", limit=3)
    assert [one["title"] for one in first["records"]] == ["B0", "B1", "B2"]
    rest = await api("GET", "/records", limit=3, cursor=first["cursor"])
    assert ([one["title"] for one in rest["records"]], rest["cursor"]) == (["B3"], None)
    page = (await api.page("/")).body
    assert all(f"B{n}" in page and f"A{n}" not in page for n in range(4))


async def test_people_are_no_things_where_these_are_counted_and_passed_on(api: Api) -> None:
    valley = await api.community()
    await api("POST", f"/communities/{valley}/invitations", {"name": "Ana"})
    place = {"lat": 3_500_000, "lon": -781_200_000}
    await api("PATCH", f"/communities/{valley}/contact", {"name": "Rosa", "place": place})
    await api.add(valley, title="Saw")
    sealed = {"fields": {"title": "Key of the shed"}, "lane": "members"}
    await api("POST", f"/communities/{valley}/records", sealed)
    for tcp, count in ((False, 2), (True, 1)):
        (row,) = (await api("GET", "/communities", tcp=tcp))["communities"]
        assert row["records"] == count
        assert (await api("GET", f"/communities/{valley}", tcp=tcp))["records"] == count
    table = (await api("GET", f"/communities/{valley}/export", whole="true")).body
    assert {line["fields"]["title"] for line in table} == {"Saw", "Key of the shed"}
    everything = (await api("GET", f"/communities/{valley}/export")).body  # in our own form, as a copy
    assert {line["kind"] for line in everything} == {"resource", "contact", "invitation-name"}
