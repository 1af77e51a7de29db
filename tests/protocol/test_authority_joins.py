"""Joins by one invitation, as they come one by one: those are kept that would be if all had come at once."""

from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority_acts import draft_join, invite, join, pin, role, village
from authority_world import Node, dated, key_of, nonce
from commonsnode_protocol.authority import MEMBER, Evaluator, joins, writing
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, Changeset

unhurried = settings(deadline=None)
NAMES = "PQRS"


def invited(uses: int) -> Node:
    node = village("F")
    invite(node, "F", uses=uses)
    return node


def draft_pin(node: Node, of: Changeset) -> Changeset:
    """A grant for who made this join that names it, whether it is held and kept or not."""
    fields: dict[str, Value] = {
        "nonce": nonce(),
        "person": of.author,
        "role": MEMBER,
        "table": node.community,
        "join": of.id,
    }
    change = (nonce(), "grant", {name: (value, ()) for name, value in fields.items()})
    return dated(writing.Draft((change,), (), node.community), key_of("F"))


def draft_withdrawal(node: Node, named: list[Changeset]) -> Changeset:
    fields: dict[str, Value] = {"invitation": key_of("I"), "joins": [*sorted(each.id for each in named)]}
    change = (nonce(), "withdrawal", {name: (value, ()) for name, value in fields.items()})
    return dated(writing.Draft((change,), (), node.community), key_of("F"))


def kept(evaluator: Evaluator) -> set[bytes]:
    return evaluator.joins.kept.get(key_of("I"), set())


@unhurried
@given(
    uses=st.integers(1, 4),
    joiners=st.lists(st.sampled_from(NAMES), min_size=1, max_size=8),
    pinned=st.sets(st.integers(0, 7)),
    named=st.none() | st.sets(st.integers(0, 7)),
    shuffle=st.integers(),
    at_once=st.integers(1, 3),
)
def test_the_order_in_which_joins_pins_and_withdrawals_come_is_no_matter(
    uses: int, joiners: list[str], pinned: set[int], named: set[int] | None, shuffle: int, at_once: int
) -> None:
    node = invited(uses)
    made = [draft_join(node, name) for name in joiners]
    acts = [*made, *(draft_pin(node, made[n]) for n in pinned if n < len(made))]
    if named is not None:
        acts.append(draft_withdrawal(node, [made[n] for n in named if n < len(made)]))
    Random(shuffle).shuffle(acts)
    held = node.held()
    step_by_step, seen = Evaluator(node.community), list[Changeset]()
    step_by_step.add(held)
    for at in range(0, len(acts), at_once):
        seen += acts[at : at + at_once]
        step_by_step.add(acts[at : at + at_once])
        anew = Evaluator(node.community)
        anew.add([*held, *seen])
        assert kept(step_by_step) == kept(anew)
        assert step_by_step.standing == anew.standing
        assert step_by_step.authority == anew.authority
        assert {each.id for each in step_by_step.joins.unpinned()} == {
            each.id for each in anew.joins.unpinned()
        }


def test_of_one_person_the_join_of_least_id_is_kept_whichever_came_first() -> None:
    for order in permutations(range(3)):
        node = invited(uses=2)
        made = sorted((draft_join(node, "X") for _ in range(3)), key=lambda each: each.id)
        for n in order:
            node.take(AUTHORITY, [made[n]])
        assert kept(node.evaluator) == {made[0].id}
        assert role(node, "X") == MEMBER


def test_a_pin_and_a_join_by_a_link_of_many_uses_do_not_look_at_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else each costs 200 ms where 9,000 people came by one link."""
    node = invited(uses=100)
    for n in range(50):
        join(node, f"X{n}")

    def not_all(*_: object) -> frozenset[bytes]:
        raise AssertionError("all joins were looked at")

    monkeypatch.setattr(joins, "_choose", not_all)
    join(node, "Y")
    pin(node, "F")
    assert len(kept(node.evaluator)) == 51
    assert writing.to_pin(node.evaluator) == []
