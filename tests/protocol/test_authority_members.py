"""Members, their keys, invitations and successions: what stands after cuts, and the attacks on it."""

from random import Random

import pytest

import authority_universe
from authority_acts import (
    ack,
    copy,
    device,
    draft_join,
    grant,
    invite,
    join,
    object_to,
    pin,
    revoke,
    revoke_key,
    role,
    stewards,
    succession,
    table,
    thing,
    village,
    withdraw,
)
from authority_world import Node, dated, key_of, meet, nonce, written
from commonsnode_protocol.authority import MEMBER, MIRROR, Evaluator, cuts, joins, writing
from commonsnode_protocol.authority.achieving import Void, outcomes
from commonsnode_protocol.authority.acts import Entry, Invitation
from commonsnode_protocol.authority.stewardship import Stewardship
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, Changeset


def with_members(*names: str) -> Node:
    node = village("F")
    for name in names:
        grant(node, "F", name)
    return node


# Revocations


def test_a_revocation_cuts_what_it_does_not_name_however_it_is_dated() -> None:
    node = with_members("M")
    before = [thing(node, "M"), thing(node, "M")]
    stale = copy(node)
    revoke(node, "F", "M")
    for late in (thing(stale, "M"), written(node.community, key_of("M"), PUBLIC)):
        node.take(PUBLIC, [late])
    assert node.standing(PUBLIC) == {each.id for each in before}
    assert role(node, "M") is None


def test_attack_9_who_follows_one_lane_is_equal_there_to_who_follows_two() -> None:
    node = with_members("M")
    one = copy(node, lanes=[PUBLIC])
    for lane in (PUBLIC, KNOWLEDGE, PUBLIC):
        thing(node, "M", lane)
    stale = copy(node)
    revoke(node, "F", "M")
    thing(stale, "M", PUBLIC)
    thing(stale, "M", KNOWLEDGE)
    for other in (stale, node, stale):
        meet(one, other)
        meet(node, stale)
    assert one.standing(PUBLIC) == node.standing(PUBLIC) == stale.standing(PUBLIC)
    assert len(one.standing(PUBLIC)) == 2
    assert len(node.standing(KNOWLEDGE)) == 1


def test_attack_10_what_a_last_standing_changeset_named_by_id_beforehand_is_refused() -> None:
    node = with_members("M")
    hidden = written(node.community, key_of("M"), PUBLIC, title="kept back")
    last = node.write(written(node.community, key_of("M"), PUBLIC, [hidden.id]))
    revoke(node, "F", "M")
    node.take(PUBLIC, [hidden])
    assert node.standing(PUBLIC) == {last.id}


def test_attack_11_a_newcomer_fetches_a_thousand_changesets_of_a_revoked_author_in_one_meeting() -> None:
    node = with_members("M")
    chain = [written(node.community, key_of("M"), PUBLIC)]
    while len(chain) < 1_000:
        chain.append(written(node.community, key_of("M"), PUBLIC, [chain[-1].id]))
    node.take(PUBLIC, chain)
    revoke(node, "F", "M")
    newcomer = Node(node.community)
    meet(newcomer, node)
    assert len(newcomer.standing(PUBLIC)) == 1_000


def test_attack_12_a_revocation_among_changes_that_are_forbidden_or_unknown_counts() -> None:
    node = with_members("M")
    draft = writing.revocation(node.evaluator, key_of("F"), nonce(), key_of("M"), {}, node.stands)
    forbidden: writing.DraftChange = (
        nonce(),
        "grant",
        {"person": (key_of("X"), ()), "role": ("steward", ())},
    )
    unknown: writing.DraftChange = (nonce(), "rain", {"much": (True, ())})
    both = writing.Draft((*draft.changes, forbidden, unknown), draft.refs, draft.community)
    act = node.write(dated(both, key_of("F")))
    assert act.id in node.standing(AUTHORITY)
    assert (role(node, "M"), role(node, "X")) == (None, None)


def test_attack_13_after_a_new_grant_the_new_ones_stand_and_those_between_do_not() -> None:
    node = with_members("M", "N")
    first = thing(node, "M")
    stale = copy(node)
    revoke(node, "F", "M")
    between = thing(stale, "M")
    grant(node, "F", "M")
    again = [thing(node, "M") for _ in range(3)]
    other = thing(node, "N")
    node.take(PUBLIC, [between])
    assert role(node, "M") == MEMBER
    assert node.standing(PUBLIC) == {first.id, other.id, *(each.id for each in again)}


def test_attack_31_a_hundred_changesets_after_a_new_grant_take_one_meeting() -> None:
    node = with_members("M")
    thing(node, "M")
    revoke(node, "F", "M")
    grant(node, "F", "M")
    for _ in range(100):
        thing(node, "M")
    newcomer = Node(node.community)
    meet(newcomer, node)
    assert newcomer.standing(PUBLIC) == node.standing(PUBLIC)
    assert len(newcomer.standing(PUBLIC)) == 101


def test_attack_14_concurrent_revocations_name_together_and_a_third_cuts_deeper() -> None:
    node = village("F", "B", "C")
    grant(node, "F", "M")
    here, there = copy(node), copy(node)
    left, right = thing(here, "M"), thing(there, "M")
    revoke(here, "F", "M")
    revoke(there, "B", "M")
    meet(here, there)
    assert here.standing(PUBLIC) == there.standing(PUBLIC) == {left.id, right.id}
    draft = writing.revocation(here.evaluator, key_of("C"), nonce(), key_of("M"), {}, lambda _: True)
    here.write(dated(draft, key_of("C")))
    assert here.standing(PUBLIC) == frozenset()
    third = copy(here)
    table(third, "F", "B", remove=["C"])  # names the third revocation, so it goes on counting
    assert third.standing(PUBLIC) == frozenset()
    fields = writing.next_table(here.evaluator, remove=[key_of("C")])
    fields["heads"] = []
    signatures = {
        key_of(n): writing.sign_table(here.evaluator, fields, n.encode().ljust(32, b".")) for n in "FB"
    }
    here.write(
        dated(writing.certificate(here.evaluator, key_of("F"), nonce(), fields, signatures), key_of("F"))
    )
    assert here.standing(PUBLIC) == {left.id, right.id}  # its author's acts are cut, and so it is too


def test_concurrent_grant_and_revocation_is_revoked_until_a_grant_that_knows_it() -> None:
    node = village("F", "B")
    grant(node, "F", "M")
    other = copy(node)
    revoke(node, "F", "M")
    grant(other, "B", "M")
    meet(node, other)
    assert role(node, "M") is None
    grant(node, "B", "M")
    assert role(node, "M") == MEMBER


def test_member_to_mirror_is_one_changeset_and_what_was_written_stays() -> None:
    node = with_members("M")
    wrote = thing(node, "M")
    draft = writing.demotion(
        node.evaluator,
        key_of("F"),
        (nonce(), nonce()),
        key_of("M"),
        MIRROR,
        node.standing_data(),
        node.stands,
    )
    node.write(dated(draft, key_of("F")))
    later = thing(node, "M")
    assert role(node, "M") == MIRROR
    assert node.standing(PUBLIC) == {wrote.id}
    assert later.id not in node.standing(PUBLIC)


def test_what_a_hostile_author_refs_does_not_make_a_revocation_too_large() -> None:
    """Found by trying: refs to nothing, a thousand in each changeset, all had to be named in `without`."""
    node = with_members("M")
    honest = thing(node, "M")
    for n in range(20):
        lacking = [bytes([n, m % 256, m // 256]).ljust(32, b"x") for m in range(1_000)]
        node.write(written(node.community, key_of("M"), PUBLIC, [honest.id, *lacking]))
    revoke(node, "F", "M")
    assert honest.id in node.standing(PUBLIC)
    node.take(PUBLIC, [written(node.community, key_of("M"), PUBLIC)])
    assert len(node.standing(PUBLIC)) == 1


def test_forks_without_end_do_not_make_a_revocation_too_large() -> None:
    node = with_members("M")
    chain = [thing(node, "M") for _ in range(5)]
    node.data[PUBLIC] |= {
        each.id: each for each in (written(node.community, key_of("M"), PUBLIC) for _ in range(3_000))
    }
    revoke(node, "F", "M")
    assert {each.id for each in chain} <= node.standing(PUBLIC)
    assert len(node.standing(PUBLIC)) < 3_000


# Invitations


def test_a_join_works_at_any_node_and_as_often_as_the_invitation_says() -> None:
    node = village("F")
    invite(node, "F", uses=2)
    for name in "XYZ":
        join(node, name)
    assert sum(role(node, name) == MEMBER for name in "XYZ") == 2


def test_attack_15_a_link_of_one_use_admits_one_wherever_it_was_used_and_costs_no_disk() -> None:
    node = village("F")
    invite(node, "F")
    here, there = copy(node), copy(node)
    join(here, "X")
    join(there, "Y")
    meet(here, there)
    assert here.authority.members == there.authority.members
    assert sum(role(here, name) == MEMBER for name in "XY") == 1
    admitted = here.standing(AUTHORITY)
    pin(here, "F")
    for n in range(1_000):
        here.take(AUTHORITY, [draft_join(here, f"Z{n}")])
    assert admitted <= here.standing(AUTHORITY)
    assert len(here.held()) <= 6  # charter, invitation, the joins of the two, the pin


def test_attack_15_ground_joins_displace_only_what_nobody_pinned() -> None:
    for pinned in (False, True):
        node = village("F")
        invite(node, "F")
        honest = join(node, "X")
        if pinned:
            pin(node, "F")
        lesser = next(each for n in range(10_000) if (each := draft_join(node, f"Z{n}")).id < honest.id)
        node.take(AUTHORITY, [lesser])
        assert (role(node, "X") == MEMBER) is pinned


def test_attack_15_a_withdrawal_keeps_those_it_names_and_lets_nobody_in_by_backdating() -> None:
    node = village("F")
    invite(node, "F", uses=5)
    join(node, "X")
    other = copy(node)
    join(other, "Y")
    withdraw(node, "F")
    join(node, "Z")
    meet(node, other)
    assert [role(node, name) for name in "XYZ"] == [MEMBER, None, None]
    assert [role(other, name) for name in "XYZ"] == [MEMBER, None, None]


def test_a_pinned_join_lasts_whatever_becomes_of_its_invitation() -> None:
    node = village("F", "B")
    invite(node, "F")
    join(node, "X")
    other = copy(node)
    pin(other, "B")
    node.write(
        dated(
            writing.Draft(
                ((nonce(), "withdrawal", {"invitation": (key_of("I"), ()), "joins": ([], ())}),),
                (),
                node.community,
            ),
            key_of("F"),
        )
    )
    assert role(node, "X") is None
    meet(node, other)
    assert role(node, "X") == MEMBER


def test_who_was_revoked_does_not_come_back_by_a_link() -> None:
    node = with_members("M")
    invite(node, "F", uses=9)
    revocation = revoke(node, "F", "M")
    draft = draft_join(node, "M")
    knowing = dated(
        writing.Draft(tuple((r, k, {n: (v[0], ()) for n, v in f.items()}) for r, k, f in draft.changes), (revocation.id,), node.community),
        key_of("M"),
    )  # fmt: skip
    node.take(AUTHORITY, [draft, knowing])
    pin(node, "F")
    assert role(node, "M") is None


def test_a_join_signed_by_another_key_than_the_invitations_admits_nobody() -> None:
    node = village("F")
    invite(node, "F")
    draft = writing.join(node.community, key_of("X"), nonce(), b"J".ljust(32, b"."), key_of("I"))
    node.take(AUTHORITY, [dated(draft, key_of("X"))])
    stolen = writing.join(node.community, key_of("Y"), nonce(), b"I".ljust(32, b"."), key_of("I"))
    node.take(AUTHORITY, [dated(stolen, key_of("X"))])
    assert role(node, "X") is None


def test_attack_8_to_void_all_joins_on_over_use_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = joins._choose

    def none_on_over_use(made: dict[bytes, Entry], invitation: bytes, acts: Stewardship) -> frozenset[bytes]:
        found = joins.terms(invitation, acts)
        said: Invitation | None = found[1] if found is not None else None
        return frozenset() if said is None or len(made) > said.uses else choose(made, invitation, acts)

    monkeypatch.setattr(joins, "_choose", none_on_over_use)
    monkeypatch.setattr(joins.Joins, "_follow", lambda *_: False)
    with pytest.raises(AssertionError):
        test_attack_15_a_link_of_one_use_admits_one_wherever_it_was_used_and_costs_no_disk()


# Keys of a person


def test_a_device_writes_for_its_person_and_is_cut_with_it() -> None:
    node = with_members("M")
    device(node, "M", "M", "M2")
    wrote = thing(node, "M2")
    assert node.standing(PUBLIC) == {wrote.id}
    stale = copy(node)
    revoke(node, "F", "M")
    node.take(PUBLIC, [thing(stale, "M2"), thing(stale, "M")])
    assert node.standing(PUBLIC) == {wrote.id}


def test_a_lost_device_is_revoked_from_another_one() -> None:
    node = with_members("M")
    device(node, "M", "M", "M2")
    wrote = thing(node, "M2")
    stale = copy(node)
    revoke_key(node, "M", "M", "M2")
    node.take(PUBLIC, [thing(stale, "M2")])
    mine = thing(node, "M")
    assert node.standing(PUBLIC) == {wrote.id, mine.id}


def test_attack_32_two_devices_that_revoke_one_another_are_both_cut_until_the_recovery_key_decides() -> None:
    node = with_members("M")
    device(node, "M", "M", "M2")
    device(node, "M", "M", "MR", recovery=True)
    here, there = copy(node), copy(node)
    revoke_key(here, "M", "M", "M2")
    theft = revoke_key(there, "M2", "M", "M")
    newcomer = Node(node.community)
    meet(newcomer, here)
    meet(newcomer, there)
    meet(here, there)
    for each in (here, there, newcomer):
        assert each.standing(AUTHORITY) == here.standing(AUTHORITY)
        late = [written(node.community, key_of(key), PUBLIC) for key in ("M", "M2")]
        each.take(PUBLIC, late)
        assert each.standing(PUBLIC) == frozenset()
    cut = writing.cut_naming({}, lambda _: True)
    assert cut.heads == {}
    draft = writing.key_revocation(
        newcomer.evaluator, key_of("MR"), nonce(), key_of("M"), key_of("M2"), {}, lambda _: True
    )
    without_theft = _naming_nothing(draft)
    newcomer.write(dated(without_theft, key_of("MR")))
    assert theft.id not in newcomer.standing(AUTHORITY)
    thing(newcomer, "M")
    assert len(newcomer.standing(PUBLIC)) == 1


def _naming_nothing(draft: writing.Draft) -> writing.Draft:
    ((record, kind, fields),) = draft.changes
    return writing.Draft(((record, kind, {**fields, "heads": ([], ())}),), draft.refs, draft.community)


def test_a_stolen_device_makes_no_further_keys() -> None:
    node = with_members("M")
    device(node, "M", "M", "M2")
    device(node, "M2", "M", "M3")
    device(node, "M2", "M", "MR", recovery=True)
    late = [written(node.community, key_of(key), PUBLIC) for key in ("M3", "MR")]
    node.take(PUBLIC, late)
    assert node.standing(PUBLIC) == frozenset()


def test_a_key_that_did_not_agree_is_nobodys_device() -> None:
    node = with_members("M")
    agreement = writing.key_agreement(node.community, key_of("N"), b"M2".ljust(32, b"."))
    draft = writing.key_added(node.evaluator, key_of("M"), nonce(), key_of("M"), key_of("M2"), agreement)
    node.write(dated(draft, key_of("M")))
    node.take(PUBLIC, [written(node.community, key_of("M2"), PUBLIC)])
    assert node.standing(PUBLIC) == frozenset()


def test_a_stewards_node_pins_joins_and_does_nothing_else_for_the_steward() -> None:
    node = village("F")
    device(node, "F", "F", "Fn", only_node=True)
    invite(node, "F")
    join(node, "X")
    pin(node, "Fn")
    grant(node, "Fn", "Y")
    withdraw(node, "F")
    assert (role(node, "X"), role(node, "Y")) == (MEMBER, None)


def test_what_a_cut_key_signed_beside_its_revocation_of_another_has_no_effect() -> None:
    """Found by reading: such a changeset is kept for the revocation, and a grant beside it must not count."""
    node = village("F")
    device(node, "F", "F", "F2")
    stale = copy(node)
    revoke_key(node, "F", "F", "F2")
    theft = writing.key_revocation(
        stale.evaluator, key_of("F2"), nonce(), key_of("F"), key_of("F"), {}, lambda _: True
    )
    gift = writing.grant(stale.evaluator, key_of("F2"), nonce(), key_of("X"), MEMBER)
    both = dated(writing.Draft((*theft.changes, *gift.changes), theft.refs, node.community), key_of("F2"))
    node.take(AUTHORITY, [both])
    assert both.id in node.standing(AUTHORITY)
    assert role(node, "X") is None


def test_who_left_is_no_member_until_a_grant_that_knows_it() -> None:
    node = with_members("M")
    wrote = thing(node, "M")
    node.write(dated(writing.leave(node.evaluator, key_of("M"), nonce(), key_of("M")), key_of("M")))
    assert role(node, "M") is None
    assert wrote.id in node.standing(PUBLIC)
    grant(node, "F", "M")
    assert role(node, "M") == MEMBER


# Successions


def members_alone() -> Node:
    return with_members("M", "N", "X")


def test_the_share_of_the_members_names_a_new_steward() -> None:
    for voters, expected in (("M", "F"), ("MN", "F,M"), ("MNX", "F,M")):
        node = members_alone()
        node.take(AUTHORITY, [succession(node, *voters, add=["M"])])
        assert stewards(node) == expected


def test_attack_16_voters_counted_at_an_old_day_are_too_few_today() -> None:
    node = with_members("M")
    old = copy(node)
    for name in ("N", "X", "Y"):
        grant(node, "F", name)
    vote = succession(old, "M", add=["M"])
    node.take(AUTHORITY, [vote])
    assert stewards(node) == "F"
    assert vote.id in node.standing(AUTHORITY)


def test_attack_16_a_hundred_joins_by_a_stranger_are_no_voters() -> None:
    node = members_alone()
    invite(node, "F", uses=200)
    for n in range(100):
        join(node, f"Z{n}")
    roll = [each.id for each in node.held() if each.id in node.standing(AUTHORITY) and not each.is_charter]
    node.take(AUTHORITY, [succession(node, *(f"Z{n}" for n in range(100)), add=["Z1"], roll=roll)])
    assert stewards(node) == "F"


def test_attack_16_a_steward_who_comes_back_objects() -> None:
    node = members_alone()
    vote = succession(node, "M", "N", add=["M"])
    node.take(AUTHORITY, [vote])
    assert stewards(node) == "F,M"
    object_to(node, "F", vote)
    assert stewards(node) == "F"
    assert vote.id not in node.standing(AUTHORITY) or "M" in role_names(node)


def test_attack_16_an_ack_by_the_steward_does_not_bind_them_to_a_succession() -> None:
    node = members_alone()
    vote = succession(node, "M", "N", add=["M"])
    node.take(AUTHORITY, [vote])
    ack(node, "F")
    object_to(node, "F", vote)
    assert stewards(node) == "F"
    newcomer = Node(node.community)
    meet(newcomer, node)
    assert newcomer.authority.tables == node.authority.tables


def role_names(node: Node) -> str:
    return "".join(name for name in "FMNX" if role(node, name) is not None)


def test_attack_16_a_certificate_by_stewards_goes_before_a_succession() -> None:
    node = members_alone()
    late = copy(node)
    node.take(AUTHORITY, [succession(node, "M", "N", add=["M"])])
    table(late, "F", name="Valley again")
    meet(node, late)
    assert stewards(node) == stewards(late) == "F"
    assert node.authority.table is not None
    assert node.authority.table.name == "Valley again"


def test_attack_16_the_new_steward_revoking_a_voter_changes_nothing() -> None:
    node = members_alone()
    vote = succession(node, "M", "N", add=["M"])
    node.take(AUTHORITY, [vote])
    revoke(node, "M", "N")
    assert stewards(node) == "F,M"
    assert role(node, "N") is None


def test_attack_33_a_later_table_that_cuts_the_voters_grants_leaves_the_result() -> None:
    node = members_alone()
    node.take(AUTHORITY, [succession(node, "M", "N", add=["M", "N"])])
    assert stewards(node, "FMN") == "F,M,N"
    fields = writing.next_table(node.evaluator, remove=[key_of("F")])
    fields["heads"] = []
    signatures = {
        key_of(n): writing.sign_table(node.evaluator, fields, n.encode().ljust(32, b".")) for n in "MN"
    }
    node.write(
        dated(writing.certificate(node.evaluator, key_of("M"), nonce(), fields, signatures), key_of("M"))
    )
    assert stewards(node, "FMN") == "M,N"
    newcomer = Node(node.community)
    meet(newcomer, node)
    assert newcomer.authority.tables == node.authority.tables
    assert newcomer.standing(AUTHORITY) == node.standing(AUTHORITY)


# Everything together


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_universes_of_hostile_people_come_to_agree(first: int) -> None:
    """The long form: python tests/authority_universe.py 0 10000"""
    for seed in range(first, first + 40):
        authority_universe.universe(seed)


def test_hostile_cuts_of_one_member_leave_the_same_at_all_nodes() -> None:
    for seed in range(150):
        authority_universe.cut_universe(seed)


def go_on_from_what_does_not_stand(patch: pytest.MonkeyPatch) -> None:
    stands = cuts.Walk._stands

    def settle(walk: cuts.Walk, first: bytes) -> list[bytes]:
        new: list[bytes] = []
        todo = [first]
        while todo:
            id_ = todo.pop()
            if id_ not in walk._refs:
                continue
            if stands(walk, id_) and id_ not in walk.standing:
                walk.standing.add(id_)
                new.append(id_)
            for ref in walk._refs[id_]:
                before = walk._reached.get(ref, 0)
                after = before | walk._reached.get(id_, 0) & ~walk._stops.get(ref, 0)
                if after != before:
                    walk._reached[ref] = after
                    todo.append(ref)
        return new

    patch.setattr(cuts.Walk, "_settle", settle)


def test_a_walk_that_goes_on_from_what_does_not_stand_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on_from_what_does_not_stand(monkeypatch)
    with pytest.raises(AssertionError):
        test_hostile_cuts_of_one_member_leave_the_same_at_all_nodes()


def test_what_is_forgotten_leaves_no_trace() -> None:
    node = with_members("M")
    strangers = [dated(writing.leave(node.evaluator, key_of(f"S{n}"), nonce(), key_of(f"S{n}")), key_of(f"S{n}")) for n in range(50)]  # fmt: skip
    node.evaluator.add(strangers)
    node.evaluator.forget(each.id for each in strangers)
    fresh = Evaluator(node.community)
    held: list[Changeset] = node.held()
    Random(1).shuffle(held)
    fresh.add(held)
    assert fresh.authority == node.evaluator.authority


def test_people_are_told_what_became_of_their_acts() -> None:
    node = village("F", "B")
    invite(node, "F")
    first, second = join(node, "X"), join(node, "Y")
    granted = grant(node, "F", "M")
    node.write(revocation := dated(writing.revocation(copy(node).evaluator, key_of("B"), nonce(), key_of("M"), {}, lambda _: True), key_of("B")))  # fmt: skip
    by_member = grant(node, "M", "N")
    lost = table(node, "B", add=["Y"])
    on_steward = revoke(node, "F", "B")
    told = {
        name: [outcome.void for outcome in outcomes(node.evaluator, each.id)]
        for name, each in {
            "granted": granted, "revocation": revocation, "by_member": by_member, "lost": lost, "on_steward": on_steward,
        }.items()
    }  # fmt: skip
    assert told == {
        "granted": [Void.REVOKED], "revocation": [None], "by_member": [Void.NOT_A_STEWARD],
        "lost": [Void.TOO_FEW_SIGNATURES], "on_steward": [Void.STEWARDS_BY_CERTIFICATE],
    }  # fmt: skip
    joined = sorted(str(outcomes(node.evaluator, each.id)[0].void) for each in (first, second))
    assert joined == ["None", "used-up"]
