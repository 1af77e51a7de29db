"""Who keeps a thing: hand-overs count from the keeper, or from a steward, and nobody makes themselves keeper (rule 32)."""

from collections.abc import Iterator, Sequence
from itertools import permutations, product

import pytest

from commonsnode_protocol.changeset import PUBLIC, Changeset, build, decode, public_key
from commonsnode_protocol.custody import CANDIDATES_MAX, Custody, People, custody, keeper_writes, own_chain
from commonsnode_protocol.record import RecordKey, typed_id

COMMUNITY = bytes([7]) * 32
FOUNDER, SECOND, ANA, BEN, CAT, PHONE = (public_key(bytes([n]) * 32) for n in range(1, 7))
NONCE = bytes(16)
DRILL = typed_id(COMMUNITY, ANA, NONCE)
KEY = RecordKey(DRILL, "resource", PUBLIC)
PEOPLE = People((FOUNDER, SECOND), lambda key: ANA if key == PHONE else key)


def wrote(
    author: bytes,
    keeper: bytes | None,
    *supersedes: Changeset,
    after: Sequence[Changeset] = (),
    time: int = 5,
    nonce: bytes | None = None,
) -> Changeset:
    refs = sorted({each.id for each in (*supersedes, *after)})
    indexes = sorted({refs.index(each.id) for each in supersedes})
    field, value = ("keeper", keeper) if nonce is None else ("nonce", nonce)
    change = (DRILL, "resource", {field: (value, indexes)})
    return decode(
        build(community=COMMUNITY, lane=PUBLIC, author=author, time=time, refs=refs, changes=[change])
    )


MADE = wrote(ANA, None, nonce=NONCE)


def kept(*changesets: Changeset, people: People = PEOPLE) -> Custody:
    return custody(*keeper_writes(KEY, changesets), people, own_chain(changesets))


def test_who_made_it_keeps_it() -> None:
    assert kept(MADE).keeper == ANA


def test_a_nonce_of_somebody_else_makes_no_creator() -> None:
    assert kept(wrote(BEN, None, nonce=NONCE)).keeper is None


def test_the_keeper_hands_it_over() -> None:
    first = wrote(ANA, BEN)
    assert kept(MADE, first).keeper == BEN
    assert kept(MADE, first, wrote(BEN, CAT, first)).keeper == CAT


def test_another_key_of_the_keeper_hands_it_over() -> None:
    assert kept(MADE, wrote(PHONE, BEN)).keeper == BEN


@pytest.mark.parametrize("time", [0, 5, 2**53 - 1])
def test_nobody_makes_themselves_keeper(time: int) -> None:
    """Attack 19: directly, over the keeper's own hand-over, or from the far future."""
    handed = wrote(ANA, BEN)
    for grab in (wrote(CAT, CAT, time=time), wrote(CAT, CAT, handed, time=time)):
        found = kept(MADE, handed, grab)
        assert found.keeper == BEN
        assert found.no_effect == {grab.id}
        assert kept(MADE, grab).keeper == ANA


def test_who_handed_it_over_does_not_take_it_back() -> None:
    """Attack 29: the creator writes an older value anew; once directly, once over nothing."""
    handed = wrote(ANA, BEN)
    for again in (wrote(ANA, ANA, handed, after=[handed]), wrote(ANA, ANA, after=[handed])):
        assert kept(MADE, handed, again).keeper == BEN


def test_two_devices_hand_it_over_apart_and_a_steward_decides() -> None:
    one, other = wrote(ANA, BEN), wrote(PHONE, CAT)
    apart = kept(MADE, one, other)
    assert (apart.keeper, apart.forked) == (None, True)
    assert kept(MADE, one, other, wrote(FOUNDER, CAT, one, other)).keeper == CAT


def test_a_fork_of_one_device_is_decided_by_a_steward_too() -> None:
    assert kept(MADE, wrote(ANA, BEN), wrote(ANA, CAT)).forked


def test_an_imported_thing_has_no_keeper_until_a_steward_names_one() -> None:
    assert kept(wrote(BEN, BEN)).keeper is None
    assert kept(wrote(SECOND, BEN)).keeper == BEN


def test_a_stewards_word_goes_before_a_hand_over_apart() -> None:
    assert kept(MADE, wrote(ANA, BEN), wrote(SECOND, CAT)).keeper == CAT


def test_of_two_stewards_apart_the_most_senior_decides() -> None:
    assert kept(MADE, wrote(FOUNDER, BEN), wrote(SECOND, CAT)).keeper == BEN
    junior = wrote(SECOND, CAT, first := wrote(FOUNDER, BEN))
    assert kept(MADE, first, junior).keeper == CAT


def test_a_steward_supersedes_another_also_by_way_of_a_hand_over() -> None:
    first = wrote(FOUNDER, BEN)
    handed = wrote(BEN, CAT, first)
    assert kept(MADE, first, handed, wrote(SECOND, ANA, handed)).keeper == ANA


def test_of_many_hand_overs_from_one_value_the_first_counts_and_of_too_many_none() -> None:
    chain = [wrote(ANA, BEN)]
    while len(chain) < CANDIDATES_MAX:
        chain.append(wrote(ANA, CAT, after=chain[-1:], time=len(chain)))
    assert kept(MADE, *reversed(chain)).keeper == BEN
    too_many = kept(MADE, *chain, wrote(ANA, CAT, after=chain[-1:], time=0))
    assert (too_many.keeper, too_many.forked) == (None, True)


def test_nobody_is_keeper_where_the_keeper_gave_it_back() -> None:
    assert kept(MADE, wrote(ANA, None)).keeper is None


def _sequences() -> Iterator[list[Changeset]]:
    """All sequences of three writes: by whom, to whom, over which earlier ones, and after one's own or apart."""
    authors, keepers = (ANA, PHONE, BEN, CAT, SECOND), (BEN, CAT)

    def step(before: list[Changeset]) -> Iterator[Changeset]:
        over: list[tuple[Changeset, ...]] = [(), *((each,) for each in before)]
        if len(before) == 2:
            over.append(tuple(before))
        for author, keeper, seen, chained in product(authors, keepers, over, (False, True)):
            own = [each for each in before if each.author == author] if chained else []
            if chained and not own:
                continue
            yield wrote(author, keeper, *seen, after=own)

    for first in step([]):
        for second in step([first]):
            for third in step([first, second]):
                yield [first, second, third]


def test_all_sequences_of_three_writes() -> None:
    """Whatever outsiders write, it is as if they had not; and who is keeper was named by who could."""
    count = 0
    for writes in _sequences():
        count += 1
        found = kept(MADE, *writes)
        effective = [each for each in writes if each.id not in found.no_effect]
        again = kept(MADE, *effective)
        # What a steward had seen by way of an outsider's write is the one thing that such a write tells.
        told = {each.refs[n] for each in effective for n in each.changes[0][2]["keeper"][1]}
        if not told & found.no_effect:
            assert (again.keeper, again.forked, again.terms) == (found.keeper, found.forked, found.terms)
        named = {each.id: each.changes[0][2]["keeper"][0] for each in effective}
        for each in effective:
            handed = [value for id_, value in named.items() if id_ != each.id]
            assert each.author in (ANA, PHONE, SECOND, *handed)
        if count % 50 == 0:
            assert all(kept(*order, MADE) == found for order in permutations(writes))
    assert count > 10_000
