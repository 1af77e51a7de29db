"""Who may write is a function of the set of changesets in lane `authority`, and of nothing else."""

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.authority import MEMBER, MIRROR, STEWARD, Authority, charter_table, evaluate
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import (
    AUTHORITY,
    KNOWLEDGE,
    PUBLIC,
    Changeset,
    Write,
    build,
    decode,
    public_key,
)
from commonsnode_protocol.record import typed_id

FOUNDER, ANA, BEN, STRANGER = (public_key(bytes([n]) * 32) for n in range(1, 5))
NONCE = bytes(range(16))


def changeset(
    author: bytes, community: bytes, kind: str, fields: Mapping[str, Value], *, lane: str = AUTHORITY, time: int = 1,
    record: bytes | None = None,
) -> Changeset:  # fmt: skip
    nonce = fields.get("nonce", NONCE)
    assert isinstance(nonce, bytes)
    return decode(
        build(
            community=community,
            lane=lane,
            author=author,
            time=time,
            refs=[],
            changes=[
                (
                    typed_id(community, author, nonce) if record is None else record,
                    kind,
                    {name: (value, ()) for name, value in fields.items()},
                )
            ],
        )
    )


def charter(record_id: bytes | None = None, /, **fields: Value) -> Changeset:
    values: dict[str, Value] = {"nonce": NONCE, "name": "Valley", "founder": FOUNDER}
    values |= fields
    given_values = {name: value for name, value in values.items() if value != "left out"}
    return changeset(FOUNDER, b"", "charter", given_values, record=record_id)


CHARTER = charter()
COMMUNITY = CHARTER.id


def grant(
    person: Value, role: Value = MEMBER, *, author: bytes = FOUNDER, time: int = 2, **more: Value
) -> Changeset:
    fields: dict[str, Value] = {"nonce": NONCE, "person": person, "role": role, "table": COMMUNITY}
    return changeset(author, COMMUNITY, "grant", fields | more, time=time)


def thing(author: bytes, lane: str = PUBLIC, kind: str = "resource") -> Changeset:
    return changeset(author, COMMUNITY, kind, {"nonce": NONCE, "title": "Drill"}, lane=lane)


# Table 0


def test_the_charter_names_the_community_and_its_founder_is_the_only_steward() -> None:
    table = charter_table(CHARTER)
    assert table is not None
    assert (table.id, table.name, table.stewards) == (COMMUNITY, "Valley", (FOUNDER,))


def test_without_its_charter_nothing_stands() -> None:
    held = evaluate(COMMUNITY, [grant(ANA)])
    assert held == Authority()
    for each in (CHARTER, grant(ANA), thing(FOUNDER), thing(ANA)):
        assert not held.stands(each)


def test_a_charter_of_another_community_is_none_of_ours() -> None:
    other = charter(name="Other valley")
    assert evaluate(COMMUNITY, [other]) == Authority()
    held = evaluate(COMMUNITY, [other, CHARTER])
    assert held.table == charter_table(CHARTER)
    assert not held.stands(other)


BAD_CHARTERS: list[dict[str, Value]] = [
    {"nonce": bytes(15)},
    {"nonce": bytes(17)},
    {"name": ""},
    {"name": "é" * 128 + "x"},
    {"name": b"Valley"},
    {"name": None},
    {"name": "left out"},
    {"founder": ANA},
    {"founder": FOUNDER[:31]},
    {"founder": FOUNDER.hex()},
    {"founder": "left out"},
]


@pytest.mark.parametrize("fields", BAD_CHARTERS, ids=lambda fields: str(fields)[:40])
def test_a_charter_that_breaks_its_rules_gives_no_table_and_nothing_stands(fields: dict[str, Value]) -> None:
    bad = charter(**fields)
    assert charter_table(bad) is None
    assert not evaluate(bad.id, [bad]).stands(bad)


def test_a_charter_whose_record_is_not_the_founders_own_gives_no_table() -> None:
    assert charter_table(charter(bytes(16))) is None
    assert charter_table(charter(typed_id(b"", ANA, NONCE))) is None
    assert charter_table(charter(nonce="left out")) is None


def test_a_name_has_1_to_256_bytes() -> None:
    for name in ("V", "V" * 256, "é" * 128):
        assert charter_table(charter(name=name)) is not None


def test_what_a_later_charter_says_besides_is_passed_over() -> None:
    assert charter_table(charter(reading="members")) is not None


# Grants


def test_the_founder_admits_members_and_mirrors() -> None:
    held = evaluate(COMMUNITY, [CHARTER, grant(ANA), grant(BEN, MIRROR)])
    assert {key: member.role for key, member in held.members.items()} == {
        FOUNDER: STEWARD,
        ANA: MEMBER,
        BEN: MIRROR,
    }


def test_a_grant_says_who_gave_it_where_and_when() -> None:
    given_ = grant(ANA, time=77)
    member = evaluate(COMMUNITY, [CHARTER, given_]).members[ANA]
    assert (member.role, member.by, member.changeset, member.since) == (MEMBER, FOUNDER, given_.id, 77)


def test_only_a_steward_grants() -> None:
    held = evaluate(
        COMMUNITY, [CHARTER, grant(ANA), grant(BEN, author=ANA), grant(STRANGER, author=STRANGER)]
    )
    assert set(held.members) == {FOUNDER, ANA}


@pytest.mark.parametrize("role", [STEWARD, "", "Member", "admin", None, 1, b"member"])
def test_a_grant_makes_members_and_mirrors_only(role: Value) -> None:
    assert ANA not in evaluate(COMMUNITY, [CHARTER, grant(ANA, role)]).members


@pytest.mark.parametrize("person", [None, b"", bytes(31), bytes(33), "a" * 32, [ANA]])
def test_a_grant_without_a_key_makes_nobody(person: Value) -> None:
    assert set(evaluate(COMMUNITY, [CHARTER, grant(person)]).members) == {FOUNDER}


def test_a_grant_in_another_lane_or_community_makes_nobody() -> None:
    fields: dict[str, Value] = {"nonce": NONCE, "person": ANA, "role": MEMBER, "table": COMMUNITY}
    in_public = changeset(FOUNDER, COMMUNITY, "grant", fields, lane=PUBLIC)
    elsewhere = changeset(FOUNDER, bytes(32), "grant", fields)
    assert set(evaluate(COMMUNITY, [CHARTER, in_public, elsewhere]).members) == {FOUNDER}


def test_one_who_is_granted_both_roles_is_a_member_in_any_order() -> None:
    for times in ((1, 2), (2, 1)):
        acts = [CHARTER, grant(ANA, MIRROR, time=times[0]), grant(ANA, MEMBER, time=times[1])]
        assert evaluate(COMMUNITY, acts).members[ANA].role == MEMBER


def test_a_grant_takes_nothing_from_a_steward() -> None:
    assert evaluate(COMMUNITY, [CHARTER, grant(FOUNDER, MIRROR)]).members[FOUNDER].role == STEWARD


def test_of_two_grants_of_one_role_the_earlier_is_named() -> None:
    early, late = grant(ANA, time=5), grant(ANA, time=6)
    assert evaluate(COMMUNITY, [CHARTER, late, early]).members[ANA].changeset == early.id


# What stands (rules 6, 15, 19, 24)


@pytest.mark.parametrize("lane", [AUTHORITY, PUBLIC, KNOWLEDGE])
def test_what_stewards_and_members_wrote_stands_in_every_lane_and_what_others_wrote_does_not(
    lane: str,
) -> None:
    held = evaluate(COMMUNITY, [CHARTER, grant(ANA), grant(BEN, MIRROR)])
    assert held.stands(thing(FOUNDER, lane))
    assert held.stands(thing(ANA, lane))
    assert not held.stands(thing(BEN, lane))  # a mirror writes nothing
    assert not held.stands(thing(STRANGER, lane))


def test_a_first_grant_covers_everything_that_the_person_ever_wrote() -> None:
    before = changeset(ANA, COMMUNITY, "resource", {"title": "Drill"}, lane=PUBLIC, time=0)
    assert evaluate(COMMUNITY, [CHARTER, grant(ANA, time=2**53 - 1)]).stands(before)


def test_what_a_changeset_says_never_decides_whether_it_stands() -> None:
    """Rule 6: a change that is not allowed or not known has no effect, and its changeset is kept."""
    held = evaluate(COMMUNITY, [CHARTER, grant(ANA)])
    assert held.stands(grant(STRANGER, author=ANA))
    assert held.stands(thing(ANA, AUTHORITY, kind="certificate"))
    assert held.stands(thing(ANA, PUBLIC, kind="something-new"))


def test_acts_that_this_version_does_not_know_change_nothing() -> None:
    acts = [
        thing(FOUNDER, AUTHORITY, kind=kind)
        for kind in ("revocation", "certificate", "ack", "invitation", "join")
    ]
    assert evaluate(COMMUNITY, [CHARTER, grant(ANA), *acts]) == evaluate(COMMUNITY, [CHARTER, grant(ANA)])


def test_a_grant_with_neighbours_that_have_no_effect_has_effect() -> None:
    steward: dict[str, Write] = {"person": (BEN, ()), "role": (STEWARD, ())}
    member: dict[str, Write] = {"person": (ANA, ()), "role": (MEMBER, ())}
    rain: dict[str, Write] = {"rain": (True, ())}
    rows = [
        (bytes([1]) * 16, "grant", steward),
        (bytes([2]) * 16, "grant", member),
        (bytes([3]) * 16, "rain", rain),
    ]
    both = decode(build(community=COMMUNITY, lane=AUTHORITY, author=FOUNDER, time=1, refs=[], changes=rows))
    assert set(evaluate(COMMUNITY, [CHARTER, both]).members) == {FOUNDER, ANA}


POOL = [
    CHARTER,
    charter(name="Other valley"),
    grant(ANA), grant(ANA, MIRROR), grant(ANA, time=9), grant(BEN, MIRROR), grant(BEN, author=ANA), grant(STRANGER, STEWARD),
    thing(FOUNDER, AUTHORITY, kind="ack"), thing(ANA, AUTHORITY),
]  # fmt: skip


@given(st.lists(st.sampled_from(POOL)), st.randoms(use_true_random=False))
def test_order_and_repetition_are_no_matter(acts: list[Changeset], random: Random) -> None:
    shuffled = [*acts, *acts[:3]]
    random.shuffle(shuffled)
    assert evaluate(COMMUNITY, shuffled) == evaluate(COMMUNITY, acts)


@given(st.lists(st.sampled_from(POOL)))
def test_whether_something_stands_depends_on_what_stands_only(acts: list[Changeset]) -> None:
    """So refusing what does not stand is safe: two nodes that agree on what stands agree on everything."""
    held = evaluate(COMMUNITY, acts)
    assert evaluate(COMMUNITY, [each for each in acts if held.stands(each)]) == held
