"""What is taken at each moment, compared with counting moment by moment."""

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.occupied import Occupied, Overlapping

END = 12
spans = st.tuples(st.integers(0, END - 1), st.integers(1, 6)).map(lambda of: (of[0], min(of[0] + of[1], END)))


@given(st.lists(st.tuples(spans, st.integers(1, 5)), max_size=12), spans)
def test_the_most_that_is_taken_is_the_greatest_sum_of_any_moment(
    put: list[tuple[tuple[int, int], int]], asked: tuple[int, int]
) -> None:
    occupied = Occupied([moment for span in [asked, *(span for span, _ in put)] for moment in span])
    for number, ((begin, end), amount) in enumerate(put):
        occupied.put(number, begin, end, amount)
    sums = [sum(amount for (begin, end), amount in put if begin <= t < end) for t in range(END)]
    assert occupied.most(*asked) == max(sums[asked[0] : asked[1]])
    for (begin, end), amount in put[::2]:
        occupied.change(begin, end, -amount)
    sums = [sum(amount for (begin, end), amount in put[1::2] if begin <= t < end) for t in range(END)]
    assert occupied.most(*asked) == max(sums[asked[0] : asked[1]])


@given(st.lists(spans, max_size=12), spans, st.integers(1, 4))
def test_spans_that_take_some_of_a_time_are_named_as_many_as_wanted(
    put: list[tuple[int, int]], asked: tuple[int, int], limit: int
) -> None:
    occupied = Occupied([moment for span in [asked, *put] for moment in span])
    for number, (begin, end) in enumerate(put):
        occupied.put(number, begin, end, 1)
    there = [n for n, (begin, end) in enumerate(put) if begin < asked[1] and asked[0] < end and n % 3]
    found = occupied.spans(*asked, lambda number: number % 3 != 0, limit)
    assert found == sorted(set(found) & set(there))
    assert len(found) == min(limit, len(there))


@given(st.lists(spans, max_size=12), spans)
def test_spans_that_overlap_another_are_counted(put: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    counted = Overlapping([moment for span in [asked, *put] for moment in span])
    for begin, end in put:
        counted.add(begin, end)
    assert counted.count(*asked) == sum(begin < asked[1] and asked[0] < end for begin, end in put)
