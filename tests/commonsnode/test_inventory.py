"""Single things: what is typed is written, what is shown already is not, and what conflicts is resolved."""

import pytest

from commonsnode import communities, inventory, members
from commonsnode.authoring import Author
from commonsnode.errors import Ambiguous, Unknown, WrongField
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, build, decode, public_key, sign
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import typed_id
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.store import Store
from running_node import NOW

LANES = ("authority", "public", "knowledge")
OTHER_SEED = b"\x02" * 32


@pytest.fixture
def valley(author: Author) -> bytes:
    community = communities.create(author, "Valley", LANES)
    members.grant(author, community, public_key(OTHER_SEED).hex(), "member")
    return community


def add(author: Author, community: bytes, **fields: Value) -> RecordRef:
    done = inventory.add(author, community, fields)
    return RecordRef(community, PUBLIC, "resource", done.record)


def view(store: Store, ref: RecordRef) -> RecordView:
    found = store.record(ref)
    assert found is not None
    return found


def concurrently(store: Store, ref: RecordRef, field: str, value: Value) -> None:
    """Somebody else, who has seen nothing, writes the same field."""
    body = build(
        community=ref.community,
        lane=ref.lane,
        author=public_key(OTHER_SEED),
        time=NOW - 1,
        refs=(),
        changes=[(ref.record, ref.kind, {field: (value, ())})],
    )
    store.apply(ref.community, ref.lane, [Checked(decode(body), sign(body, OTHER_SEED))], seen_ms=NOW)


def test_a_new_thing_is_named_by_its_creator_and_a_nonce(author: Author, store: Store, valley: bytes) -> None:
    done = inventory.add(author, valley, {"title": "Drill"}, random_bytes=lambda n: b"\x05" * n)
    assert done.record == typed_id(valley, author.key, b"\x05" * 16)
    shown = view(store, RecordRef(valley, PUBLIC, "resource", done.record))
    assert shown.values == {"title": "Drill", "nonce": b"\x05" * 16}
    assert not done.waiting


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "fields"),
        ({"title": None}, "fields"),
        ({"": "x"}, ""),
        ({"x" * 129: "x"}, "x" * 129),
        ({"title": "x", "nonce": b"1"}, "nonce"),
        ({"title": "x", "deleted": True}, "deleted"),
        ({"title": "\ud800"}, "title"),
        ({"amount": 2**63}, "amount"),
        ({"a": [[[[[[[[[1]]]]]]]]]}, "a"),
    ],
)
def test_a_field_that_cannot_be_is_named(
    author: Author, valley: bytes, fields: dict[str, Value], field: str
) -> None:
    with pytest.raises(WrongField) as caught:
        inventory.add(author, valley, fields)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("kind", "lane"), [("", "public"), ("k" * 33, "public"), ("a\nb", "public"), ("resource", "authority")]
)
def test_a_kind_or_lane_that_cannot_be_is_named(author: Author, valley: bytes, kind: str, lane: str) -> None:
    with pytest.raises(WrongField):
        inventory.add(author, valley, {"title": "x"}, kind=kind, lane=lane)


def test_an_edit_writes_only_what_differs(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, title="Drill", place="hall", steady=1)
    done = inventory.edit(author, ref, {"title": "Drill", "place": "barn", "steady": True})
    assert sorted(done.changed) == ["place", "steady"]  # on the wire true is not 1
    assert view(store, ref).values["place"] == "barn"
    assert store.history(ref)[-1].fields == {"place": "barn", "steady": True}


def test_an_edit_of_nothing_writes_nothing(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, title="Drill")
    done = inventory.edit(author, ref, {"title": "Drill", "place": None})
    assert (done.changeset, done.changed) == (None, ())
    assert len(store.history(ref)) == 1


def test_nil_clears_a_field(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, title="Drill", place="hall")
    inventory.edit(author, ref, {"place": None})
    assert "place" not in view(store, ref).values


def test_a_conflict_is_resolved_also_by_the_value_that_is_shown(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill")
    concurrently(store, ref, "title", "Borer")
    assert [write.value for write in view(store, ref).conflicts["title"]] == ["Borer"]
    done = inventory.edit(author, ref, {"title": "Drill"})
    assert done.changed == ("title",)
    assert view(store, ref).conflicts == {}
    assert len(view(store, ref).fields["title"]) == 1


def test_equal_values_written_apart_are_no_conflict_and_need_no_write(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill")
    concurrently(store, ref, "title", "Drill")
    assert inventory.edit(author, ref, {"title": "Drill"}).changeset is None


def test_a_thing_is_removed_and_restored_and_keeps_what_it_said(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill")
    assert inventory.remove(author, ref).changeset is not None
    assert view(store, ref).deleted
    assert inventory.remove(author, ref).changeset is None
    assert inventory.restore(author, ref).changeset is not None
    assert not view(store, ref).deleted
    assert view(store, ref).values["title"] == "Drill"
    assert inventory.restore(author, ref).changeset is None


def test_a_removal_against_an_edit_is_a_conflict_that_can_be_undone(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill")
    inventory.remove(author, ref)
    concurrently(store, ref, "title", "Borer")
    assert view(store, ref).deleted
    inventory.restore(author, ref)
    inventory.edit(author, ref, {"title": "Borer"})
    assert view(store, ref).values["title"] == "Borer"


def test_what_is_written_before_admission_waits_and_says_so(author: Author, store: Store) -> None:
    elsewhere = b"\x09" * 32  # its charter is not here, so nobody is admitted
    store.follow(elsewhere, LANES)
    done = inventory.add(author, elsewhere, {"title": "Drill"})
    assert done.waiting
    ref = RecordRef(elsewhere, PUBLIC, "resource", done.record)
    assert view(store, ref).waiting
    assert inventory.edit(author, ref, {"title": "Drill"}).waiting


def test_an_id_can_be_shortened_until_it_is_ambiguous(author: Author, store: Store, valley: bytes) -> None:
    ref = add(author, valley, title="Drill")
    assert inventory.resolve(store, ref.record.hex()) == ref
    assert inventory.resolve(store, ref.record.hex()[:8].upper()) == ref
    refs = [ref, *(add(author, valley, title=f"thing {n}") for n in range(16))]
    first_digits = [each.record.hex()[0] for each in refs]
    twice = next(digit for digit in first_digits if first_digits.count(digit) > 1)  # of 17, two begin alike
    with pytest.raises(Ambiguous) as caught:
        inventory.resolve(store, twice)
    assert len(caught.value.candidates) == min(10, first_digits.count(twice))
    assert (
        inventory.resolve(store, ref.record.hex()[:12], kind="resource", lane="public", community=valley)
        == ref
    )


@pytest.mark.parametrize("text", ["", "xyz", "0" * 33, "%", "abg", "é"])
def test_what_is_no_id_is_not_looked_for(store: Store, text: str) -> None:
    with pytest.raises(Unknown, match="is no id"):
        inventory.resolve(store, text)


def test_the_same_id_with_two_kinds_is_ambiguous_until_the_kind_is_said(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill")
    author.write(valley, PUBLIC, [(ref.record, "place", {"title": ("Hall", ())})])
    with pytest.raises(Ambiguous):
        inventory.resolve(store, ref.record.hex())
    assert inventory.resolve(store, ref.record.hex(), kind="place").kind == "place"


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("resource", {"title": "x", "place": {"lat": 910_000_000, "lon": 0}}, "place.lat"),
        ("resource", {"title": "x", "hours": {"closed": ["2026-02-30"]}}, "hours.closed.0"),
        ("commitment", {"from": 2, "until": 1}, "until"),
    ],
)
def test_what_a_declared_field_cannot_be_is_named_down_to_the_part(
    author: Author, valley: bytes, kind: str, fields: dict[str, Value], field: str
) -> None:
    with pytest.raises(WrongField) as caught:
        inventory.add(author, valley, fields, kind=kind)
    assert caught.value.field == field


def test_an_edit_is_judged_by_what_it_changes_and_not_by_what_a_peer_wrote(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill")
    concurrently(store, ref, "amount", "a handful")
    inventory.edit(author, ref, {"title": "Big drill", "amount": "a handful"})
    with pytest.raises(WrongField, match="amount"):
        inventory.edit(author, ref, {"amount": "two handfuls"})


def test_a_key_or_a_record_that_was_typed_in_hexadecimal_is_kept_as_bytes(
    author: Author, store: Store, valley: bytes
) -> None:
    ref = add(author, valley, title="Drill", specification="0f" * 16, keeper_name="ab" * 32)
    assert view(store, ref).values["specification"] == b"\x0f" * 16
    assert view(store, ref).values["keeper_name"] == "ab" * 32
    inventory.edit(author, ref, {"keeper": author.key.hex()})
    assert view(store, ref).values["keeper"] == author.key
    assert inventory.edit(author, ref, {"keeper": author.key.hex()}).changed == ()
