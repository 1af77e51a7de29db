"""Random hostile communities, whose changesets come in any order, often twice, authority and data mixed, as own and as others'.

In the end every store holds what one holds that got all authority first and everything at once; and the state is that of
what stands. Long form: `python tests/store/test_any_order_of_authority.py FIRST COUNT` runs so many and prints those that break.
"""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

import authority_world
from commonsnode_protocol import record as records
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, Changeset, build, decode
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import RecordKey, State
from commonsnode_store import settling
from commonsnode_store.answers import RecordRef, RecordView
from commonsnode_store.store import Store
from store_acts import NOW
from store_people import record_id
from store_universe import by_lane, community_of, deliver, standing, store_of

EXAMPLES = 40
_VALUES: Sequence[Value] = (True, "Drill", "Drill", "Saw", None, {"lat": 5, "lon": -5})


def _written(community: bytes, author: bytes, lane: str, refs: Iterable[bytes] = ()) -> Changeset:
    """In place of things of their own: all write to a few records, and supersede some of what they ref."""
    every = sorted(set(refs))
    draw = Random(int.from_bytes(authority_world.nonce(), "big"))
    changes = []
    for record in draw.sample([record_id(n) for n in range(4)], draw.choice((1, 1, 2, 3))):
        fields = {
            field: (draw.choice(_VALUES), [at for at in range(len(every)) if draw.random() < 0.6])
            for field in draw.sample(("title", "deleted", "place"), draw.choice((1, 2)))
        }
        changes.append((record, draw.choice(("resource", "place")), fields))
    body = build(
        community=community, lane=lane, author=author, time=draw.randrange(5), refs=every, changes=changes
    )
    return decode(body)


def as_state(views: Iterator[RecordView]) -> State:
    return {
        RecordKey(view.record, view.kind, view.lane): {
            name: list(writes) for name, writes in view.fields.items()
        }
        for view in views
    }


def check_seed(empty_file: Path, seed: int, random: Random) -> None:
    everything = community_of(seed, _written)
    community, stands = everything[0].id, standing(everything)
    expected = records.state(
        c.changeset for c in everything if c.changeset.lane != AUTHORITY and c.id in stands[c.changeset.lane]
    )
    with (
        store_of(empty_file, community) as store,
        store_of(empty_file, community) as other,
        patch.object(settling, "RECORDS_AT_ONCE", random.choice((1, 3, 1_024))),
    ):
        told = deliver(store, everything, random)
        for lane, batch in by_lane(everything).items():
            other.apply(community, lane, batch, seen_ms=NOW)
        for lane, ids in stands.items():
            assert {*store.standing([c.id for c in by_lane(everything)[lane]])} == ids
            assert store.lane_state(community, lane) == other.lane_state(community, lane)
            assert store.lane_state(community, lane).count == len(ids)
        assert told.standing == {id_ for ids in stands.values() for id_ in ids}
        assert as_state(store.export(community)) == as_state(other.export(community)) == expected
        assert store.check() == []
        assert other.check() == []
        _check_void(store, everything, told.void)
        before = [store.lane_state(community, lane) for lane in stands]
        if random.random() < 0.3:
            assert store.rebuild() == []
            assert store.check() == []
            assert [store.lane_state(community, lane) for lane in stands] == before
            _check_void(store, everything, told.void)


def _check_void(store: Store, everything: Sequence[Checked], void: set[bytes]) -> None:
    """What fell is in the history of every record that it wrote to, and no peer is asked for it."""
    community = everything[0].id
    for lane, batch in by_lane(everything).items():
        gone = [checked for checked in batch if checked.id in void]
        assert store.missing(community, lane, [checked.id for checked in gone]) == []
        assert store.fetch(community, lane, [checked.id for checked in gone]) == []
        for checked in gone if lane != AUTHORITY else ():
            for record, kind, fields in checked.changeset.changes:
                ref = RecordRef(community, lane, kind, record)
                assert {entry.changeset for entry in store.history(ref) if entry.void} & {checked.id}
                told = store.void(ref)
                assert all(checked.id in {write.changeset for write in told[field]} for field in fields)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 1_000_000), random=st.randoms(use_true_random=False))
def test_any_order_of_authority_and_data_gives_the_same_standing_sets_and_state(
    empty_file: Path, seed: int, random: Random
) -> None:
    check_seed(empty_file, seed, random)


def main(first: int, count: int) -> int:
    broken, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.sqlite3"
        Store.open(empty, create=True).close()
        for seed in range(first, first + count):
            try:
                check_seed(empty, seed, Random(seed))
            except AssertionError as error:
                broken += 1
                print(f"{seed}: {str(error).splitlines()[:1]}")
    print(f"{count} from {first}: {broken} broken, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
