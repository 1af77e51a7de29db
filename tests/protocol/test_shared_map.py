"""Maps that share what did not change: each is the map that it was made from, and none changes afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.authority.roster import Kept
from commonsnode_protocol.authority.shared_map import SharedMap

# Few first bytes, so that many keys lie in one part.
KEYS = st.builds(lambda first, rest: bytes((first, rest)), st.sampled_from((0, 1, 255)), st.integers(0, 5))
CHANGES = st.lists(st.lists(st.tuples(KEYS, st.none() | st.integers(0, 3)), max_size=6), max_size=8)


@given(CHANGES)
def test_each_is_what_was_put_until_then(changes: list[list[tuple[bytes, int | None]]]) -> None:
    kept, expected = Kept[int](), dict[bytes, int]()
    given_before: list[tuple[SharedMap[int], dict[bytes, int]]] = []
    for step in changes:
        for key, value in step:
            kept.put(key, value)
            if value is None:
                expected.pop(key, None)
            else:
                expected[key] = value
        given_before.append((kept.give(), dict(expected)))
    for found, then in given_before:
        assert found == then
        assert len(found) == len(then)
        assert sorted(found.items()) == sorted(then.items())
        assert sorted(found.values()) == sorted(then.values())
        assert all(found[key] == found.get(key) == value and key in found for key, value in then.items())


def test_what_did_not_change_is_the_same_map() -> None:
    kept = Kept[int]()
    kept.put(b"ab", 1)
    first = kept.give()
    kept.put(b"ab", 1)
    kept.put(b"ac", None)
    assert kept.give() is first


def test_what_is_not_there_is_not_found() -> None:
    found = SharedMap[int]().changed({b"ab": 1}, [b"ab", b"ac"])
    assert (found.get(b"ac"), found.get(b"ac", 7), b"ac" in found) == (None, 7, False)
    with pytest.raises(KeyError):
        found[b"ac"]
