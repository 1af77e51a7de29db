"""A passive view is filled by nobody but by many; the ranges that addresses count to."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.overlay.bucket import Bucket
from commonsnode_protocol.overlay.frames import Contact
from commonsnode_protocol.overlay.ranges import range_of_host
from commonsnode_protocol.overlay.views import FAILURES_MAX, RETRY_MS, PassiveView, some_of

SIZE = 16


def contact(number: int, range_: int, made: int = 1) -> Contact:
    """As in these tests: a record says the range and the time."""
    return Contact(number.to_bytes(32, "big"), bytes([range_, made]))


def read(contact: Contact) -> tuple[bytes, int]:
    return contact.record[:1], contact.record[1]


def view(seed: int = 1) -> PassiveView:
    return PassiveView(SIZE, Random(seed).randrange, read)


@given(st.integers(0, 2**32))
def test_who_brings_many_addresses_of_one_range_displaces_his_own(seed: int) -> None:
    known = view(seed)
    honest = [contact(number, number) for number in range(SIZE // 2)]
    for each in honest:
        known.add(each)
    for number in range(100, 400):
        known.add(contact(number, 200))
    assert len(known) == SIZE
    assert all(each.key in known for each in honest)


@given(st.integers(0, 2**32))
def test_those_that_were_reached_are_kept_up_to_half(seed: int) -> None:
    known = view(seed)
    proven = [contact(number, 7) for number in range(SIZE // 2)]
    for each in proven:
        known.add(each, proven=True)
    for number in range(100, 400):
        known.add(contact(number, number % 256))
    assert all(each.key in known for each in proven)


def test_a_later_record_counts_and_an_earlier_one_does_not() -> None:
    known = view()
    for made in (2, 3, 1):
        known.add(contact(1, 9, made))
    assert known.sample(1) == [contact(1, 9, 3)]


def test_whom_to_ask_next_is_chosen_by_range_first_and_of_new_ranges_where_there_are_such() -> None:
    known = view()
    for number in range(12):
        known.add(contact(number, 1))
    known.add(contact(50, 2))
    for _ in range(20):
        chosen = known.candidate(0, (), {b"\x01"})
        assert chosen is not None
        assert chosen.contact == contact(50, 2)
    only = known.candidate(0, {contact(50, 2).key}, {b"\x01"})
    assert only is not None
    assert only.range == b"\x01"


def test_who_was_never_reached_is_forgotten_at_once_and_others_after_some_failures() -> None:
    known = view()
    known.add(contact(1, 1))
    known.add(contact(2, 2), proven=True)
    known.failed(contact(1, 1).key, 0, keep=False)
    assert contact(1, 1).key not in known
    for _ in range(FAILURES_MAX):
        assert contact(2, 2).key in known
        known.failed(contact(2, 2).key, 0, keep=False)
    assert len(known) == 0


def test_nobody_is_forgotten_while_this_node_reaches_nobody_but_each_is_asked_more_rarely() -> None:
    known = view()
    known.add(contact(1, 1))
    known.failed(contact(1, 1).key, 0, keep=True)
    assert known.next_retry(()) == 2 * RETRY_MS
    assert known.candidate(2 * RETRY_MS - 1, (), ()) is None
    known.failed(contact(1, 1).key, 0, keep=True)
    assert known.next_retry(()) == 4 * RETRY_MS


@given(st.integers(0, 40), st.integers(0, 40), st.integers())
def test_some_of_are_so_many_each_once(count: int, of: int, seed: int) -> None:
    chosen = some_of(Random(seed).randrange, range(of), count)
    assert len(chosen) == len(set(chosen)) == min(count, of)


def test_a_bucket_gives_a_burst_and_then_one_in_a_while() -> None:
    bucket = Bucket(3, 1_000)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert bucket.ready_at() == 1_000
    assert [bucket.take(999), bucket.take(1_000), bucket.take(1_000)] == [False, True, False]
    assert [bucket.take(1_000_000) for _ in range(4)] == [True, True, True, False]


def test_hosts_of_one_provider_count_to_one_range_and_those_of_a_lan_each_to_their_own() -> None:
    assert range_of_host("93.184.216.34") == range_of_host("93.184.1.1") != range_of_host("93.185.1.1")
    assert range_of_host("2606:2800::1") == range_of_host("[2606:2800:ffff::1]")
    assert range_of_host("a.example.org") == range_of_host("B.Example.org.")
    assert range_of_host("192.168.1.2") != range_of_host("192.168.1.3")
