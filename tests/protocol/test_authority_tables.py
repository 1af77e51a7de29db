"""Stewards are a chain of tables: the outcomes of two and three stewards who act at once, and the attacks on the chain."""

from collections.abc import Callable, Sequence
from itertools import islice, permutations, product

import pytest

from authority_acts import (
    ack,
    copy,
    draft_ack,
    draft_table,
    grant,
    revoke,
    role,
    signed_table,
    stewards,
    table,
    thing,
    village,
)
from authority_world import Node, dated, key_of, meet, nonce, seed_of
from commonsnode_protocol.authority import Settings, Table, tables, writing
from commonsnode_protocol.authority.acts import Certificate, Entry
from commonsnode_protocol.authority.proposals import lost, proposals
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Changeset

LOOSE, STRICT = Settings(quorum=1), Settings()
Case = tuple[str, str]


def act(node: Node, text: str) -> Changeset:
    """`FB-C`: F and B sign the removal of C; `B+Y`: B signs that Y is added."""
    sign = "-" if "-" in text else "+"
    signers, _, whom = text.partition(sign)
    add, remove = ([], [whom]) if sign == "-" else ([whom], [])
    return draft_table(node, *signers, add=add, remove=remove)


def together(node: Node, texts: str) -> Node:
    """All acts on one table, taken in in every order: one outcome."""
    acts = [act(node, text) for text in texts.split()]
    outcomes = []
    for order in permutations(acts):
        other = copy(node)
        for each in order:
            other.take(AUTHORITY, [each])
        outcomes.append(other)
    assert len({stewards(each) for each in outcomes}) == 1
    assert len({each.standing(AUTHORITY) for each in outcomes}) == 1
    return outcomes[0]


TWO = [
    ("F-B", "F", "F"), ("B-F", "B", "F,B"), ("F+X", "F,B,X", "F,B"), ("B+Y", "F,B,Y", "F,B"),
    ("F-B B-F", "F", "F"), ("F-B B+Y", "F", "F"), ("F-B FB+Z", "F,B,Z", "F,B,Z"), ("B-F F+X", "B", "F,B"),
    ("B-F FB+Z", "F,B,Z", "F,B,Z"), ("F+X B+Y", "F,B,X", "F,B"), ("F-F B-B", "B", "B"),
    ("F+X B-B", "F,B,X", "F"), ("B+Y F-F", "F,B,Y", "B"),
]  # fmt: skip


@pytest.mark.parametrize(("acts", "loose", "strict"), TWO, ids=[row[0] for row in TWO])
def test_two_stewards_at_once(acts: str, loose: str, strict: str) -> None:
    # The second steward came under the default rule; what one signature can do is what the table that has both says.
    for settings, expected in ((LOOSE, loose), (STRICT, strict)):
        assert stewards(together(village("F", "B", settings=settings), acts)) == expected


THREE = [
    ("F-C", "F,B,C"), ("FB-C FC-B", "F,B"), ("FB-C BC-F", "F,B"), ("FC-B BC-F", "F,C"), ("BC-F FB+X", "B,C"),
    ("BC-F FC+Z", "B,C"), ("FC-B FB+X", "F,C"), ("FC-B BC+Y", "F,C"), ("FB-C BC+Y", "F,B"),
    ("FB+X BC+Y", "F,B,C,X"), ("FB+X FC+Z", "F,B,C,X"), ("BC+Y FC+Z", "F,B,C,Z"),
]  # fmt: skip


@pytest.mark.parametrize(("acts", "expected"), THREE, ids=[row[0] for row in THREE])
def test_three_stewards_at_once(acts: str, expected: str) -> None:
    assert stewards(together(village("F", "B", "C"), acts)) == expected


def test_where_the_same_signers_signed_twice_the_least_id_decides() -> None:
    node = village("F", "B", "C")
    removal, addition = act(node, "BC-F"), act(node, "BC+Y")
    for each in (removal, addition):
        node.take(AUTHORITY, [each])
    ids = {}
    for changeset, outcome in ((removal, "B,C"), (addition, "F,B,C,Y")):
        entry = node.evaluator.entry(changeset.id)
        assert entry is not None
        assert isinstance(entry.of_table, Certificate)
        ids[entry.of_table.id] = outcome
    assert stewards(node) == ids[min(ids)]


def test_one_of_two_stewards_cannot_first_change_how_many_must_sign() -> None:
    """Found by trying: with the rule's wording alone the junior lowers the number by one signature, then removes the senior."""
    for settings in (LOOSE, Settings(share=(1, 1000)), Settings(version=2)):
        for signer in "FB":
            node = village("F", "B")
            table(node, signer, settings=settings)
            assert node.authority.tables[-1].settings == STRICT


def test_one_of_two_stewards_changes_what_gives_no_power() -> None:
    node = village("F", "B")
    table(node, "B", name="Upper valley", settings=Settings(languages=("es",), members_only=True))
    current = node.authority.tables[-1]
    assert (current.name, current.settings.languages, current.settings.members_only) == (
        "Upper valley",
        ("es",),
        True,
    )


def test_those_who_stay_keep_their_order_and_new_ones_come_last() -> None:
    node = village("F", "B", "C")
    good = draft_table(node, "F", "B")
    record, kind, fields = good.changes[0]
    del record, kind
    assert fields["stewards"][0] == [key_of("F"), key_of("B"), key_of("C")]
    for wrong in ("BFC", "XFBC", "FXBC", "FFBC", ""):
        table_of = _with_stewards(node, wrong)
        node.take(AUTHORITY, [table_of])
        assert stewards(node) == "F,B,C"


def _with_stewards(node: Node, letters: str) -> Changeset:
    fields = writing.next_table(node.evaluator)
    fields["stewards"] = [key_of(letter) for letter in letters]
    signatures = {key_of(name): writing.sign_table(node.evaluator, fields, seed_of(name)) for name in "FBC"}
    return signed_table(node, fields, signatures, key_of("F"))


def as_of(node: Node, count: int) -> Node:
    """A node that knows only the first tables of the chain: whoever writes there is backdating."""
    early = Node(node.community)
    chain = node.evaluator.chain
    assert chain is not None
    early.take(AUTHORITY, [chain.carriers[table_.id].changeset for table_ in chain.tables[:count]])
    assert len(early.authority.tables) == count
    return early


def kept_of(node: Node) -> frozenset[bytes]:
    chain = node.evaluator.chain
    assert chain is not None
    return chain.kept


def test_attack_1_a_founder_of_a_five_steward_community_changes_nothing_alone() -> None:
    """On any table after the first, which was the founder's alone (rule 14; attack 6)."""
    node = village(*"FBCDE")
    before = node.authority.tables
    for count in range(2, 6):
        early = as_of(node, count)
        forged = [draft_table(early, "F", add=["X"], name=f"Valley {n}") for n in range(100)]
        forged += [draft_table(early, "F", remove=["B"], name=f"Valley {n}") for n in range(100)]
        parent = early.authority.tables[-1].id
        forged += [draft_ack(early, "F", parent, bytes([n]) * 32) for n in range(50)]
        held = kept_of(node)
        node.take(AUTHORITY, forged[:200])
        kept = kept_of(node) - held
        assert len(kept) <= tables.LONE_CERTIFICATES_MAX
        assert not kept or count == 2  # where one of two may remove the other alone
        node.take(AUTHORITY, forged[200:])
        assert node.authority.tables == before


def test_attack_2_of_a_hundred_concurrent_additions_one_at_most_has_effect() -> None:
    for settings, outcomes in ((LOOSE, {f"F,B,{letter}" for letter in "XYZ"}), (STRICT, {"F,B"})):
        node = village("F", "B", settings=settings)
        node.take(AUTHORITY, [draft_table(node, "B", add=["XYZ"[n % 3]], name=f"V{n}") for n in range(100)])
        assert stewards(node) in outcomes


def test_attack_3_a_removed_steward_does_not_remove_the_remover_by_backdating() -> None:
    for acked in (False, True):
        node = village("F", "B", settings=LOOSE)
        before = copy(node)
        table(node, "F", remove=["B"])
        if acked:
            ack(node, "F")
        for n in range(50):
            node.take(AUTHORITY, [draft_table(before, "B", remove=["F"], name=f"Valley {n}")])
        assert stewards(node) == "F"


def test_attack_4_an_old_signature_kept_back_does_not_save_a_steward() -> None:
    node = village("F", "B", "C")
    kept_back = draft_table(node, "F", "B", add=["X"])
    table(node, "B", "C", remove=["F"])
    node.take(AUTHORITY, [kept_back])
    assert stewards(node) == "B,C"


def test_attack_5_a_steward_restored_from_a_backup_signs_twice_and_everybody_agrees() -> None:
    node = village("F", "B", "C")
    backup = copy(node)
    table(node, "F", "B", add=["X"])
    table(backup, "B", "C", add=["Y"])
    for each, names in ((node, "FBC"), (backup, "CB")):
        for steward in names:
            ack(each, steward)
    meet(node, backup)
    assert node.authority.table == backup.authority.table


def test_attack_6_a_second_history_from_table_0_gives_one_result_and_people_are_told() -> None:
    node = village("F", "B", acked=False)
    grant(node, "B", "M")
    origin = Node(node.community)
    origin.take(AUTHORITY, [each for each in node.held() if each.is_charter])
    other = copy(origin)
    for n in range(20):
        second = draft_table(other, "F", add=["X"], name=f"Valley {n}")
        step = node.evaluator.add([second])
        if step.left is not None:
            break
    else:
        pytest.fail("the second history was never chosen")
    assert step.moved
    assert step.left not in {each.id for each in node.authority.tables}
    assert len(step.fell) >= 1  # B's grant: it goes to history, with its bytes
    assert stewards(node) == "F,X"
    node.evaluator.add([draft_ack(origin, "F", *_first_step(node, "F,B"))])


def _first_step(node: Node, outcome: str) -> tuple[bytes, bytes]:
    for entry in node.evaluator.table_acts():
        of = entry.of_table
        if isinstance(of, Certificate) and of.stewards == tuple(key_of(name) for name in outcome.split(",")):
            return of.parent, of.id
    raise AssertionError(outcome)


def thirteen() -> tuple[Node, list[Changeset]]:
    """Certificates and acks with forks on two levels, and one signer of both sides."""
    base = village("F", "B", "C", acked=False)
    here, there = copy(base), copy(base)
    found = [table(here, "F", "B", add=["X"]), table(there, "B", "C", remove=["F"])]
    for node in (here, there):
        before = set(node.own)
        for steward in "BC":
            ack(node, steward)
        found += [each for each in node.held() if each.id in node.own - before]
    found.append(table(here, "F", "B", "X", remove=["C"]))
    found.append(table(there, "B", "C", add=["Y"]))
    found.append(draft_table(base, "F", "C", add=["Z"]))
    return base, found[:13]


def five() -> tuple[Node, list[Changeset]]:
    """Three children by the same signers, and one steward's acks for the two that do not have the least id.

    All of them remove their author and who acks, so that nothing of these is kept but by the rule on tables.
    """
    base = village(*"FBCDE", acked=False)
    children = [draft_table(base, "C", "D", "E", add=[letter], remove=["B", "C"]) for letter in "XYZ"]
    parent = base.authority.tables[-1].id
    base_and_all = copy(base)
    base_and_all.take(AUTHORITY, children)
    ids = sorted(
        act.id
        for each in children
        if (entry := base_and_all.evaluator.entry(each.id)) is not None
        and isinstance(act := entry.of_table, Certificate)
    )
    return base, [*children, *(draft_ack(base, "B", parent, child) for child in ids[1:])]


def signed_twice() -> tuple[Node, list[Changeset]]:
    """Two children by which the most senior signer says nothing, and one that the next decides for; all remove both."""
    base = village(*"FBCDE", acked=False)
    signers = ("FCD", "FCD", "BCD")
    return base, [
        draft_table(base, *by, add=[letter], remove=["F", "B"])
        for by, letter in zip(signers, "XYZ", strict=True)
    ]


def meet_in_all_partitions() -> None:
    """Each object at one of two nodes or at both: all ways for the few, some for thirteen."""
    for base, found, step in ((*five(), 1), (*signed_twice(), 1), (*thirteen(), 16_111)):
        for n, sides in enumerate(islice(product((0, 1, 2), repeat=len(found)), 0, None, step)):
            for first in (1, len(found)):  # one by one, or the first and then all others together
                nodes = copy(base), copy(base)
                for side, node in enumerate(nodes):
                    mine = [each for each, at in zip(found, sides, strict=True) if at in (side, 2)]
                    for each in mine[:first]:
                        node.take(AUTHORITY, [each])
                    node.take(AUTHORITY, mine[first:])
                meet(*nodes, one_by_one=n % 2 == 0)
                assert nodes[0].authority.tables == nodes[1].authority.tables


def test_attack_7_after_one_meeting_two_nodes_are_equal_however_the_objects_lay_and_one_by_one() -> None:
    meet_in_all_partitions()


Mutation = Callable[[pytest.MonkeyPatch], None]


def drop_losing_certificates(patch: pytest.MonkeyPatch) -> None:
    kept = tables._kept_carriers

    def only_the_chosen(parent: Table, entries: Sequence[Entry], acks: Sequence[Entry]) -> list[Entry]:
        found = kept(parent, entries, acks)
        return [tables.choose(parent, found, acks)[1]] if found else []

    patch.setattr(tables, "_kept_carriers", only_the_chosen)


def drop_acks_for_losers(patch: pytest.MonkeyPatch) -> None:
    chain_of = tables.chain_of

    def without(charter: Entry, first: Table, acts: tables.TableActs, elect: tables.Elect) -> tables.Chain:
        chain = chain_of(charter, first, acts, elect)
        lost = {
            id_
            for found in acts.acks.values()
            for id_, entry in found.items()
            if tables._ack(entry).child not in chain.index
        }
        return tables._chain(
            chain.tables, chain.carriers, chain.cuts, {*chain.kept - lost}, {*chain.lost}, {*chain.rolls}
        )

    patch.setattr("commonsnode_protocol.authority.evaluator.chain_of", without)


@pytest.mark.parametrize("mutation", [drop_losing_certificates, drop_acks_for_losers])
def test_attack_8_a_rule_that_keeps_less_is_found_out(
    mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    with pytest.raises(AssertionError):
        meet_in_all_partitions()


def test_a_removed_steward_keeps_what_stood_and_nothing_that_is_backdated() -> None:
    node = village("F", "B", "C")
    granted = grant(node, "C", "M")
    wrote = thing(node, "C")
    before = copy(node)
    table(node, "F", "B", remove=["C"])
    late, later = grant(before, "C", "N"), thing(before, "C")
    node.take(AUTHORITY, [late])
    node.take(PUBLIC, [later])
    assert {granted.id} <= node.standing(AUTHORITY)
    assert late.id not in node.standing(AUTHORITY)
    assert node.standing(PUBLIC) == {wrote.id}
    assert (role(node, "M"), role(node, "N"), role(node, "C")) == ("member", None, None)


def test_a_steward_alone_cannot_undo_another_by_revoking_the_person() -> None:
    node = village("F", "B", "C")
    wrote, granted = thing(node, "C"), grant(node, "C", "M")
    revoke(node, "B", "C")
    assert (role(node, "C"), role(node, "M")) == ("steward", "member")
    assert wrote.id in node.standing(PUBLIC)
    assert granted.id in node.standing(AUTHORITY)


def test_a_steward_who_is_back_acts_by_naming_a_table_that_has_them() -> None:
    node = village("F", "B", "C")
    before = copy(node)
    table(node, "F", "B", remove=["C"])
    table(node, "F", "B", add=["C"])
    wrote, granted = thing(node, "C"), grant(node, "C", "M")
    backdated = grant(before, "C", "N")
    node.take(AUTHORITY, [backdated])
    assert wrote.id in node.standing(PUBLIC)
    assert granted.id in node.standing(AUTHORITY)
    assert (role(node, "M"), role(node, "N")) == ("member", None)


def test_a_community_whose_table_asks_for_an_unknown_version_is_stopped_and_readable() -> None:
    node = village("F")
    assert node.authority.stopped is None
    table(node, "F", settings=Settings(version=2))
    assert node.authority.stopped == 2
    assert stewards(node) == "F"


def test_a_table_is_proposed_signed_by_another_steward_and_then_certified() -> None:
    node = village("F", "B")
    fields = writing.next_table(node.evaluator, add=[key_of("X")])
    mine = writing.sign_table(node.evaluator, fields, seed_of("F"))
    node.write(dated(writing.proposal(node.evaluator, key_of("F"), nonce(), fields, mine), key_of("F")))
    (proposal,) = proposals(node.evaluator)
    assert (proposal.fields, set(proposal.signatures), proposal.complete) == (fields, {key_of("F")}, False)
    with pytest.raises(writing.NotPossible):
        writing.certificate(node.evaluator, key_of("F"), nonce(), proposal.fields, proposal.signatures)
    theirs = writing.sign_table(node.evaluator, proposal.fields, seed_of("B"))
    node.write(
        dated(writing.assent(node.evaluator, key_of("B"), nonce(), proposal.table, theirs), key_of("B"))
    )
    (proposal,) = proposals(node.evaluator)
    assert proposal.complete
    draft = writing.certificate(node.evaluator, key_of("B"), nonce(), proposal.fields, proposal.signatures)
    node.write(dated(draft, key_of("B")))
    assert stewards(node) == "F,B,X"
    assert proposals(node.evaluator) == []


def test_what_lost_is_offered_to_be_proposed_again_by_who_wrote_it() -> None:
    node = village("F", "B", "C")
    together_ = [draft_table(node, "F", "B", add=["X"]), draft_table(node, "B", "C", add=["Y"])]
    for each in together_:
        node.write(each)
    assert stewards(node) == "F,B,C,X"
    assert [of.stewards[-1] for of in lost(node.evaluator, key_of("B"))] == [key_of("Y")]
    assert lost(node.evaluator, key_of("F")) == []
