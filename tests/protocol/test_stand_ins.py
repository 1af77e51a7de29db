"""Who stands in for a steward under tables: proven in the signature itself, counted once, and alike at every node."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from random import Random

import pytest

from authority_acts import (
    ack,
    copy,
    device,
    draft_ack,
    draft_table,
    grant,
    revoke_key,
    signed_table,
    stewards,
    succession,
    table,
    village,
)
from authority_world import Node, check, dated, key_of, meet, nonce, seed_of
from commonsnode_protocol.authority import Settings, stand_ins, statements, writing
from commonsnode_protocol.authority.acts import Certificate, certificate_of
from commonsnode_protocol.authority.proofs import proof_of
from commonsnode_protocol.authority.stand_ins import Link, Said, StoodIn
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import Changeset


def link(node: Node, person: str, before: str, key: str, *, passes_on: bool) -> Link:
    said = stand_ins.let(node.community, key_of(person), key_of(key), seed_of(before), passes_on=passes_on)
    return Link(key_of(key), passes_on, said)


def way(node: Node, person: str, *keys: str) -> tuple[Link, ...]:
    """Words, words made by these, …, and at last a node."""
    each = [person, *keys]
    return tuple(
        link(node, person, before, key, passes_on=key.endswith("R")) for before, key in pairwise(each)
    )


def stood_in(node: Node, fields: dict[str, Value], person: str, *keys: str) -> Said:
    return StoodIn(writing.sign_table(node.evaluator, fields, seed_of(keys[-1])), way(node, person, *keys))


def by_words(
    node: Node, author: str, signatures: dict[str, Sequence[str]], **change: Sequence[str]
) -> Changeset:
    """A certificate. signatures: person → the keys that stand in, or none for the first key."""
    fields = writing.next_table(
        node.evaluator,
        add=[*map(key_of, change.get("add", ()))],
        remove=[*map(key_of, change.get("remove", ()))],
        name=change["name"][0] if "name" in change else None,
        data=node.standing_data(),
        stands=node.stands,
    )
    said: dict[bytes, Said] = {
        key_of(person): stood_in(node, fields, person, *keys)
        if keys
        else writing.sign_table(node.evaluator, fields, seed_of(person))
        for person, keys in signatures.items()
    }
    writes = {name: (value, ()) for name, value in {**fields, "signatures": stand_ins.value_of(said)}.items()}
    return dated(writing.Draft(((nonce(), "certificate", writes),), (), node.community), key_of(author))


def by_first_key(node: Node, name: str) -> Changeset:
    return draft_table(node, "F", name=name)


def child_of(node: Node, changeset: Changeset) -> bytes:
    entry = node.evaluator.entry(changeset.id)
    assert entry is not None
    assert isinstance(entry.of_table, Certificate)
    return entry.of_table.id


def name_of(node: Node) -> str:
    current = node.authority.table
    assert current is not None
    return current.name


def test_a_lone_steward_whose_node_burnt_signs_with_words_or_with_the_node_that_they_brought_back() -> None:
    for keys in (["FR"], ["FR", "F2"], ["FR", "GR", "HR", "F2"]):
        node = village("F")
        node.write(by_words(node, keys[-1], {"F": keys}, add=["X"], remove=["F"]))
        assert stewards(node) == "X"


def test_who_stands_in_is_counted_once_beside_the_first_key() -> None:
    node = village("F", "B", "C")
    node.write(by_words(node, "F2", {"F": ["FR", "F2"]}, name=["Hill"]))
    assert name_of(node) == "Valley"
    fields = writing.next_table(node.evaluator, name="Hill")
    first: Value = [key_of("F"), writing.sign_table(node.evaluator, fields, seed_of("F"))]
    again = stand_ins.entry_of(key_of("F"), stood_in(node, fields, "F", "FR", "F2"))
    read = certificate_of(node.community, {**fields, "signatures": [first, again]}, succession=False)
    assert read is not None
    assert read.signers == {key_of("F")}
    node.write(by_words(node, "F2", {"F": ["FR", "F2"], "B": []}, name=["Hill"]))
    assert name_of(node) == "Hill"


@pytest.mark.parametrize(
    "broken",
    [
        lambda node: way(node, "F", "FR", "F2")[1:],
        lambda node: (*way(node, "F", "FR"), *way(node, "B", "FR", "F2")[1:]),  # for another person
        lambda node: (link(node, "F", "X", "FR", passes_on=True), *way(node, "F", "FR", "F2")[1:]),
        lambda node: (Link(key_of("FR"), True, way(node, "F", "FR")[0].signature), link(node, "F", "X", "F2", passes_on=False)),
        lambda node: way(node, "F", "F3", "F2"),  # a device lets nobody stand in
        lambda node: (Link(key_of("F3"), True, way(node, "F", "F3")[0].signature), *way(node, "F", "F3", "F2")[1:]),
        lambda node: way(node, "F", "FR", "GR", "HR", "IR", "F2"),
        lambda node: way(node, "F", "FR", "GR", "FR", "F2"),
        lambda _: way(village("F", "B", settings=Settings(licence="other")), "F", "FR", "F2"),
    ],
    ids=["begins late", "another person", "by a stranger", "second by a stranger", "by a device", "says it passes on",
         "too long", "twice the same", "another community"],
)  # fmt: skip
def test_what_is_not_proven_is_passed_over(broken: Callable[[Node], tuple[Link, ...]]) -> None:
    node = village("F")
    fields = writing.next_table(node.evaluator, name="Hill")
    proof = broken(node)
    said = StoodIn(writing.sign_table(node.evaluator, fields, seed_of("F2")), proof)
    node.write(signed_by(node, fields, {key_of("F"): said}, "F2"))
    assert name_of(node) == "Valley"


def signed_by(node: Node, fields: dict[str, Value], said: dict[bytes, Said], author: str) -> Changeset:
    writes = {name: (value, ()) for name, value in {**fields, "signatures": stand_ins.value_of(said)}.items()}
    return dated(writing.Draft(((nonce(), "certificate", writes),), (), node.community), key_of(author))


@pytest.mark.parametrize(
    "entry",
    [
        [b"\x01" * 32, b"\x02" * 64, b"\x03" * 32],
        [b"\x01" * 32, b"\x02" * 64, b"\x03" * 32, []],
        [b"\x01" * 32, b"\x02" * 64, b"\x03" * 32, [[b"\x01" * 32, 1, b"\x02" * 64]]],
        [b"\x01" * 32, b"\x02" * 64, b"\x03" * 31, [[b"\x01" * 32, True, b"\x02" * 64]]],
        [b"\x01" * 32, b"\x02" * 64, b"\x03" * 32, [[b"\x09" * 32, True, b"\x02" * 64]]],
        [b"\x01" * 32, b"\x02" * 64, None, None],
    ],
)
def test_an_entry_of_another_form_is_passed_over_and_its_neighbours_count(entry: Value) -> None:
    node = village("F")
    fields = writing.next_table(node.evaluator, name="Hill")
    own: Value = [key_of("F"), writing.sign_table(node.evaluator, fields, seed_of("F"))]
    read = certificate_of(node.community, {**fields, "signatures": [entry, own]}, succession=False)
    assert read is not None
    assert read.signers == {key_of("F")}


def test_only_a_key_that_signed_carries_a_certificate() -> None:
    node = village("F")
    for author in ("X", "FR", "F"):
        node.write(by_words(node, author, {"F": ["FR", "F2"]}, name=["Hill"]))
        assert name_of(node) == "Valley"
    node.write(by_words(node, "F2", {"F": ["FR", "F2"]}, name=["Hill"]))
    assert name_of(node) == "Hill"


def test_a_table_is_the_same_whoever_signed_for_the_steward() -> None:
    node = village("F")
    words, first = by_words(node, "F2", {"F": ["FR", "F2"]}, name=["Hill"]), by_first_key(node, "Hill")
    for each in (words, first):
        node.write(each)
    assert child_of(node, words) == child_of(node, first)
    assert {words.id, first.id} <= node.evaluator.standing


def test_words_outrank_the_first_key_of_a_lone_steward() -> None:
    """Whoever stole the node signs as many tables as they like; the owner's words decide."""
    node = village("F")
    stolen = [draft_table(node, "F", name=f"Stolen {n}") for n in range(20)]
    owners = by_words(node, "F2", {"F": ["FR", "F2"]}, name=["Hill"])
    for each in (*stolen, owners):
        node.write(each)
    parent = node.authority.tables[0].id
    for each in stolen[:2]:
        node.write(draft_ack(node, "F", parent, child_of(node, each)))
    assert name_of(node) == "Hill"


def test_of_several_stewards_one_who_signs_two_children_in_two_ways_supports_none() -> None:
    node = village("F", "B", "C")
    first = draft_table(node, "F", "C", name="First")
    words = by_words(node, "F2", {"F": ["FR", "F2"], "B": []}, name=["Words"])
    for each in (first, words):
        node.write(each)
    assert name_of(node) == "Words"  # B decides, who signed one only
    other = village("F", "B", "C")
    words = by_words(other, "F2", {"F": ["FR", "F2"], "C": []}, name=["Words"])
    for each in (draft_table(other, "F", "B", name="First"), words):
        other.write(each)
    assert name_of(other) == "First"


def test_neither_way_to_sign_pushes_the_other_out_of_the_bound() -> None:
    """Attack 13 with both: a hundred ground tables of the one keep the two of the other."""
    for flood, own in ((["FR", "F2"], []), ([], ["FR", "F2"])):
        node = village("F", "B", settings=Settings(quorum=1))
        mine = by_words(node, own[-1] if own else "F", {"F": own}, name=["Mine"])
        others = [
            by_words(node, flood[-1] if flood else "F", {"F": flood}, name=[f"Flood {n}"]) for n in range(100)
        ]
        for each in (*others, mine):
            node.write(each)
        assert node.evaluator.chain is not None
        kept = node.evaluator.chain.kept
        assert mine.id in kept
        assert len({each.id for each in others} & kept) == 2


def test_who_stands_in_acks_and_objects_for_the_steward() -> None:
    node = village("F", "B", "C", acked=False)
    proof = way(node, "F", "FR", "F2")
    parent, child = node.authority.tables[1].id, node.authority.tables[2].id
    draft = writing.ack(node.evaluator, key_of("F2"), nonce(), parent, child, stands_in=(key_of("F"), proof))
    said = node.write(dated(draft, key_of("F2")))
    assert said.id in node.evaluator.standing
    assert (parent, child) not in writing.to_ack(node.evaluator, key_of("F"))
    forged = writing.ack(node.evaluator, key_of("X"), nonce(), parent, child, stands_in=(key_of("F"), proof))
    assert node.write(dated(forged, key_of("X"))).id not in node.evaluator.standing
    grant(node, "F", "M")
    elected = node.write(succession(node, "M", add=["M"]))
    assert stewards(node) == "F,B,C,M"
    table_ = child_of(node, elected)
    against = writing.objection(
        node.evaluator, key_of("F2"), nonce(), node.authority.tables[2].id, table_, (key_of("F"), proof)
    )
    node.write(dated(against, key_of("F2")))
    assert stewards(node) == "F,B,C"


def test_a_member_who_is_back_by_words_votes_once() -> None:
    node = village("F")
    for person in ("M", "N", "X"):
        grant(node, "F", person)
    fields = writing.next_by_succession(node.evaluator, [key_of("M")])
    said: dict[bytes, Said] = {key_of("M"): stood_in(node, fields, "M", "MR", "M2")}
    change: writing.DraftChange = (nonce(), "succession", {})

    def carried(by: str) -> Changeset:
        writes = {
            name: (value, ()) for name, value in {**fields, "signatures": stand_ins.value_of(said)}.items()
        }
        return dated(writing.Draft(((change[0], change[1], writes),), (), node.community), key_of(by))

    node.write(carried("M2"))
    assert stewards(node) == "F"
    said[key_of("N")] = writing.sign_table(node.evaluator, fields, seed_of("N"))
    node.write(carried("M2"))
    assert stewards(node) == "F,M"


def test_what_the_keys_of_a_person_do_to_one_another_moves_no_table() -> None:
    """Layers: tables depend on nothing but certificates, acks and objections; so a proof stands whatever is revoked later."""
    node = village("F")
    device(node, "F", "F", "FR", recovery=True)
    device(node, "FR", "F", "F2")
    node.write(by_words(node, "F2", {"F": ["FR", "F2"]}, name=["Hill"]))
    before = node.authority.tables
    revoke_key(node, "F", "F", "F2")
    revoke_key(node, "FR", "F", "F")
    assert node.authority.tables == before
    table(node, "F", add=["B"])  # by the first key on the table that words made
    assert stewards(node) == "F,B"


def test_a_writer_finds_the_proof_in_what_stands_and_none_where_a_key_of_it_was_revoked() -> None:
    node = village("F")
    for author, key, recovery in (("F", "FR", True), ("FR", "F2", False), ("F", "F3", False)):
        let = stand_ins.let(node.community, key_of("F"), key_of(key), seed_of(author), passes_on=recovery)
        agreement = writing.key_agreement(node.community, key_of("F"), seed_of(key), recovery=recovery)
        draft = writing.key_added(
            node.evaluator, key_of(author), nonce(), key_of("F"), key_of(key), agreement,
            recovery=recovery, stands_in=let if key != "F3" else None,
        )  # fmt: skip
        node.write(dated(draft, key_of(author)))
    assert proof_of(node.evaluator, key_of("F"), key_of("F2")) == way(node, "F", "FR", "F2")
    assert proof_of(node.evaluator, key_of("F"), key_of("F3")) is None
    assert proof_of(node.evaluator, key_of("B"), key_of("F2")) is None
    revoke_key(node, "FR", "F", "F2")
    assert proof_of(node.evaluator, key_of("F"), key_of("F2")) is None


def test_every_partition_of_such_certificates_and_acks_meets_to_the_same() -> None:
    """Attack 7 with stand-ins."""
    for quorum in (None, 1):
        start = village("F", "B", settings=Settings(quorum=quorum))
        acts = [
            by_words(start, "F2", {"F": ["FR", "F2"]}, remove=["B"]),
            draft_table(start, "F", name="First"),
            by_words(start, "F2", {"F": ["FR", "F2"], "B": []}, add=["X"]),
            draft_table(start, "B", name="By B"),
            by_words(start, "FR", {"F": ["FR"]}, name=["Words"]),
        ]
        whole = copy(start)
        for each in acts:
            whole.write(each)
        parent = start.authority.tables[-1].id
        acts.append(draft_ack(whole, "B", parent, child_of(whole, acts[1])))
        proof = way(start, "F", "FR", "F2")
        by_stand_in = writing.ack(
            whole.evaluator,
            key_of("F2"),
            nonce(),
            parent,
            child_of(whole, acts[3]),
            stands_in=(key_of("F"), proof),
        )
        acts.append(dated(by_stand_in, key_of("F2")))
        expected = None
        for size in range(len(acts) + 1):
            for chosen in combinations(acts, size):
                one, other = copy(start), copy(start)
                for each in acts:
                    (one if each in chosen else other).write(each)
                meet(one, other)
                found = (one.authority.tables, frozenset(one.evaluator.standing))
                assert found == (other.authority.tables, frozenset(other.evaluator.standing))
                expected = expected or found
                assert found == expected
        check(copy(whole), Random(1))


def test_a_statement_of_one_kind_is_none_of_another() -> None:
    node = village("F")
    said = way(node, "F", "FR")[0].signature
    for context in (statements.DEVICE, statements.RECOVERY, statements.WARRANT, statements.CERTIFICATE):
        payload = stand_ins.payload(node.community, key_of("F"), key_of("FR"), passes_on=True)
        assert not statements.holds(context, payload, key_of("F"), said)


def test_certificates_without_stand_ins_are_what_they_were() -> None:
    node = village("F", "B")
    ack(node, "F")
    fields = writing.next_table(node.evaluator, name="Hill")
    signatures = {key_of("F"): writing.sign_table(node.evaluator, fields, seed_of("F"))}
    said = signed_table(node, fields, signatures, key_of("F"))
    assert said.changes[0][2]["signatures"][0] == stand_ins.value_of(signatures)
