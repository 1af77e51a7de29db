"""Kits: which parts a thing has, and what the states of its parts make of the whole."""

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.bookings import State
from commonsnode_protocol.kits import PARTS_MAX, parts_of, whole

states = st.sampled_from(list(State))


def test_parts_count_in_the_order_of_their_ids_and_64_at_most() -> None:
    values = {f"part:{n:032x}": True for n in range(PARTS_MAX + 5)}
    assert list(parts_of(values)) == [n.to_bytes(16, "big") for n in range(PARTS_MAX)]


@given(states, st.lists(states, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_parts_is_nothing_and_one_that_is_done_without_neither(
    kit: State, parts: list[State], random: object
) -> None:
    shuffled = [*parts, State.CANCELLED]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert whole(kit, shuffled) is whole(kit, parts)


@given(states, st.lists(states, max_size=4))
def test_a_whole_is_promised_only_where_all_of_it_is(kit: State, parts: list[State]) -> None:
    state = whole(kit, parts)
    every = {kit, *(part for part in parts if part is not State.CANCELLED)}
    if state is State.CONFIRMED:
        assert every == {State.CONFIRMED}
    if state is State.RETURNED:
        assert every == {State.RETURNED}
    if State.DISPLACED in every and state is not State.DISPLACED:
        assert state in (State.CANCELLED, State.DECLINED)
