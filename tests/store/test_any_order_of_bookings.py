"""Asks and acts in any order, in any batches, while who may write and decide changes: the same bookings, and the same taken times.

Long form: `python tests/store/test_any_order_of_bookings.py FIRST COUNT` runs so many and prints those that break.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from random import Random
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

import authority_world
from authority_acts import device, grant, revoke, revoke_key, table, village
from authority_world import Node, key_of
from commonsnode_protocol.authority import Evaluator, Settings
from commonsnode_protocol.authority.writing import NotPossible
from commonsnode_protocol.bookings import Act, Booking, Rules, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Changeset, build, decode
from commonsnode_protocol.commitments import KIND, amount_of, read
from commonsnode_protocol.custody import Custody, custody, keeper_writes, own_chain
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.kinds.lending import AT_ONCE, rules_for
from commonsnode_protocol.record import RecordKey, state, typed_id
from commonsnode_store.reserved import people_of
from commonsnode_store.said import RECORD_LANES
from commonsnode_store.store import Store
from store_acts import NOW, signed
from store_universe import DATA_LANES, by_lane, community_of, deliver, standing, store_of

EXAMPLES = 30
STEPS = 60
LATE_MAX = 4
NONCE = bytes(16)
KEYS = ("F", "B", "C", "M", "N", "M2")
_LENDING: Sequence[Value] = ({"confirm": "at-once"}, {"confirm": "keeper"}, 5)
_Fields = dict[str, tuple[Value, list[int]]]


def thing_of(community: bytes, name: str) -> bytes:
    """The thing that a person created, or could have."""
    return typed_id(community, key_of(name), NONCE)


class Writing:
    """Writes to the data lanes of a universe: a few things, and asks and acts of everybody about them."""

    def __init__(self) -> None:
        self._asks: dict[bytes, bytes] = {}  # changeset → record
        self._acts: list[bytes] = []

    def __call__(
        self, community: bytes, author: bytes, lane: str, refs: Iterable[bytes] = (), title: str = ""
    ) -> Changeset:
        draw = Random(int.from_bytes(authority_world.nonce(), "big"))
        known = [id_ for id_ in (*self._asks, *self._acts) if draw.random() < 0.5]
        every = sorted({*refs, *known})
        changes: dict[tuple[bytes, str], _Fields] = {}
        for _ in range(draw.choice((1, 2, 3, 4))):
            choice = draw.random()
            if choice < 0.25:
                record, kind, fields = self._thing(draw, community, author, every)
            elif choice < 0.55 or not self._asks:
                record, kind, fields = self._ask(draw, community, author)
            else:
                record, kind, fields = draw.choice([*self._asks.values()]), KIND, self._act(draw)
            changes[record, kind] = fields
        body = build(
            community=community,
            lane=lane,
            author=author,
            time=draw.randrange(12),
            refs=every,
            changes=[(*of, fields) for of, fields in changes.items()],
        )
        made = decode(body)
        for (record, kind), fields in changes.items():
            if kind == KIND and "nonce" in fields:
                self._asks[made.id] = record
            elif kind == KIND:
                self._acts.append(made.id)
        return made

    @staticmethod
    def _thing(
        draw: Random, community: bytes, author: bytes, refs: Sequence[bytes]
    ) -> tuple[bytes, str, _Fields]:
        fields: _Fields = {"title": ("Drill", [])}
        creates = draw.random() < 0.6
        record = typed_id(community, author, NONCE) if creates else thing_of(community, draw.choice("FM"))
        over = [at for at in range(len(refs)) if draw.random() < 0.5]
        if creates:
            fields["nonce"] = (NONCE, [])
        if draw.random() < 0.6:
            fields["keeper"] = (draw.choice((key_of("M"), key_of("N"), key_of("M2"), None, "Ana")), over)
        if draw.random() < 0.4:
            fields["lending"] = (draw.choice(_LENDING), over)
        if draw.random() < 0.3:
            fields["amount"] = (draw.choice(("2", "0.5", "many")), over)
        return record, "resource", fields

    @staticmethod
    def _ask(draw: Random, community: bytes, author: bytes) -> tuple[bytes, str, _Fields]:
        nonce = bytes([draw.randrange(2)]) * 16
        begin = draw.choice((0, 0, 20)) + draw.randrange(8)
        fields: _Fields = {
            "action": ("use", []),
            "nonce": (nonce, []),
            "resource": (thing_of(community, draw.choice("FM")), []),
            "from": (begin, []),
            "until": (begin + draw.randrange(5), []),
        }
        if draw.random() < 0.3:
            fields["confirmed"] = (True, [])
        if draw.random() < 0.2:
            fields["amount"] = (draw.choice(("0.5", "2", "")), [])
        return typed_id(community, author, nonce), KIND, fields

    @staticmethod
    def _act(draw: Random) -> _Fields:
        act = draw.choice(list(Act))
        value = draw.randrange(25) if act in (Act.HANDED_OVER, Act.RETURNED) else True
        return {act.value: (value, [])}


def village_of(seed: int) -> list[Checked]:
    """Few people who are well admitted, and change: devices come and go, stewards, members, and what the charter says."""
    authority_world.begin()
    draw, writes = Random(seed), Writing()
    order: list[Changeset] = []
    write = Node.write

    def noted(node: Node, changeset: Changeset) -> Changeset:
        order.append(changeset)
        return write(node, changeset)

    def data(node: Node) -> None:
        node.add_thing(key_of(draw.choice(("F", "B", "M", "M", "M2", "M2", "M3", "N", "N"))), PUBLIC)

    acts: Sequence[Callable[[Node], object]] = (
        lambda node: grant(node, "F", draw.choice("MN")),
        lambda node: revoke(node, draw.choice("FB"), draw.choice("MN")),
        lambda node: device(node, "M", "M", "M2"),
        lambda node: device(node, "M", "M", "M3", only_node=True),
        lambda node: revoke_key(node, "M", "M", "M2"),
        lambda node: table(node, "F", add=["B"]),
        lambda node: table(node, "F", "B", remove=[draw.choice("FB")]),
        lambda node: table(
            node, "F", settings=Settings(lending={"confirm": draw.choice(("at-once", "keeper"))})
        ),
    )
    with patch.object(authority_world, "written", writes), patch.object(Node, "write", noted):
        node = village("F")
        for person in "BMN":
            grant(node, "F", person)
        for _ in range(draw.randrange(10, 30)):
            with suppress(NotPossible):
                (data if draw.random() < 0.75 else draw.choice(acts))(node)
    # What never stood is nowhere.
    held = {each.id for each in (*node.held(), *node.data[PUBLIC].values())}
    return [signed(each) for each in order if each.id in held]


def by_definition(everything: Sequence[Checked]) -> dict[bytes, list[Booking]]:
    """Of each thing, by the pure functions over all that stands."""
    lanes = by_lane(everything)
    evaluator = Evaluator(everything[0].id)
    evaluator.add(checked.changeset for checked in lanes[AUTHORITY])
    authority, stands = evaluator.authority, standing(everything)
    of = {
        lane: [each.changeset for each in lanes[lane] if each.id in stands[lane]]
        for lane in sorted(DATA_LANES)
    }
    return {
        thing: settle(
            [ask for changesets in of.values() for ask in read(thing, changesets)[0]],
            [acted for changesets in of.values() for acted in read(thing, changesets)[1]],
            _rules(thing, of, evaluator),
        )
        for thing in (thing_of(everything[0].id, name) for name in "FM")
        if authority is not None
    }


def _rules(thing: bytes, of: Mapping[str, Sequence[Changeset]], evaluator: Evaluator) -> Rules:
    authority = evaluator.authority
    people = people_of(authority)
    there = {
        lane: keeper_writes(RecordKey(thing, "resource", lane), changesets) for lane, changesets in of.items()
    }
    written = {
        lane
        for lane, changesets in of.items()
        if any(
            (record, kind) == (thing, "resource") for each in changesets for record, kind, _ in each.changes
        )
    }
    if not written:
        return Rules(Custody(None), people, lambda a, b: False)
    lane = min(written, key=lambda lane: (there[lane][0] is None, RECORD_LANES.index(lane)))
    values = state(of[lane])[RecordKey(thing, "resource", lane)]
    shown = {field: writes[0].value for field, writes in values.items()}
    lending, table = shown.get("lending"), authority.table
    assert table is not None
    rules = rules_for(lending if isinstance(lending, dict) else None, table.settings.lending)
    every = [each for changesets in of.values() for each in changesets]
    precedes = own_chain(every)
    return Rules(
        custody(*there[lane], people, own_chain(of[lane])),
        people,
        precedes,
        rules["confirm"] == AT_ONCE,
        amount_of(shown.get("amount")) or Decimal(1),
    )


def check_seed(empty_file: Path, seed: int, random: Random) -> None:
    everything = village_of(seed) if seed % 3 else community_of(seed, Writing(), STEPS)
    community, expected = everything[0].id, by_definition(everything)
    with store_of(empty_file, community) as store:
        late = random.sample(everything[1:], min(LATE_MAX, len(everything) - 1))
        deliver(store, [each for each in everything if each not in late], random)
        for each in late:
            # What comes last, and alone, is followed by itself.
            store.apply(community, each.changeset.lane, [each], seen_ms=NOW)
            assert store.check() == []
        for lane, batch in by_lane(everything).items():
            store.apply(community, lane, batch, seen_ms=NOW)
        assert store.check() == []
        for thing, bookings in expected.items():
            found = store.bookings(community, thing, waiting=False).reserved
            assert [each.booking for each in found] == bookings
        listed = {each.booking.ask.changeset for _, each in store.reservations(community)}
        assert {booking.ask.changeset for bookings in expected.values() for booking in bookings} <= listed
        if random.random() < 0.3:
            assert store.rebuild() == []
            assert store.check() == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 1_000_000), random=st.randoms(use_true_random=False))
def test_any_order_of_asks_acts_and_authority_gives_the_same_bookings(
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
