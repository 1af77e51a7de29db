"""Write bookings.json, the vectors of SPEC.md, "Keepers" and "Reservations":  python protocol/vectors/make_bookings.py"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from commonsnode_protocol.bookings import Rules, State, settle
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import PUBLIC, changeset_id, decode, public_key
from commonsnode_protocol.commitments import read
from commonsnode_protocol.custody import People, custody, keeper_writes, own_chain
from commonsnode_protocol.kits import parts_of, whole
from commonsnode_protocol.record import RecordKey, typed_id
from vectors.shown import Json, text_of, write
from vectors.world import ANA, BEN, COMMUNITY, EVE, FOUNDER, NONCE, TIME, body, plain, thing_body

ABOUT = """\
Vectors of SPEC.md, "Keepers" and "Reservations". All byte strings are in hexadecimal.

bookings: `changesets` are the bodies of changesets of one lane that all stand, in any order. `thing` is a record of kind
resource, `steward` the one steward; each key is a person of its own. `at_once` says whether the thing's rules confirm at
once, `amount` how many there are of it. `named`, where it is there, is a node's key → the persons who named it: it is no
person's else. `keeper` is who keeps it, null for nobody, and `keeper_no_effect` the changesets
whose writes to `keeper` have no effect. `asks` are in the order in which they have their turn: each with its changeset,
rank, effective time (from confirmation or hand-over where there is one), state, the time that it takes as [from, until]
or null, asks that displace it, its place in the waiting list or null, and the acts on it that have no effect.

kits: `values` are shown values of a thing, `parts` its parts with how many of each. wholes: the state of a kit's own ask,
those of the asks for its parts, and that of the whole.
"""

DRILL = typed_id(COMMUNITY, ANA, NONCE)
THING = thing_body(ANA)
HOUR = 3_600_000
NODE = public_key(bytes([5]) * 32)


KITS: Mapping[str, Mapping[str, Value]] = {
    "no_kit": {"title": "Drill"},
    "one_of_each": {"title": "Party", f"part:{'0a' * 16}": True, f"part:{'0b' * 16}": True},
    "several_of_one": {f"part:{'0a' * 16}": "12", f"part:{'0b' * 16}": "0.5"},
    "what_is_no_part": {
        f"part:{'0A' * 16}": True,
        "part:0a0b": True,
        f"part:{'0c' * 16}": False,
        f"part:{'0d' * 16}": "0",
        f"part:{'0e' * 16}": 2,
        f"part:{'0f' * 16}": True,
    },
    "more_than_64": {f"part:{n:032x}": True for n in range(66)},
}
WHOLES: Sequence[tuple[State, Sequence[State]]] = (
    (State.CONFIRMED, ()),
    (State.CONFIRMED, (State.CONFIRMED, State.ASKED)),
    (State.ASKED, (State.CONFIRMED,)),
    (State.CONFIRMED, (State.CONFIRMED, State.DISPLACED)),
    (State.DISPLACED, (State.DECLINED,)),
    (State.OUT, (State.CONFIRMED, State.CANCELLED)),
    (State.CONFIRMED, (State.OUT,)),
    (State.OUT, (State.RETURNED,)),
    (State.RETURNED, (State.RETURNED, State.CANCELLED)),
    (State.CANCELLED, (State.OUT,)),
    (State.DECLINED, (State.CONFIRMED,)),
)


class Case(NamedTuple):
    name: str
    bodies: list[bytes]
    at_once: bool = False
    amount: str = "1"
    named: Mapping[bytes, Sequence[bytes]] = MappingProxyType({})  # a node's key → who named it


def ids(of: Iterable[bytes]) -> list[bytes]:
    return sorted({changeset_id(each) for each in of})


def ask(author: bytes, begin: int, end: int, time: int, *refs: bytes, nonce: int = 0, **more: Value) -> bytes:
    """An ask for some hours after TIME, written some milliseconds after it."""
    key = bytes([nonce]) * 16
    said = plain(action="use", resource=DRILL, until=TIME + end * HOUR, nonce=key, **more)
    said |= {"from": (TIME + begin * HOUR, ())}
    record = typed_id(COMMUNITY, author, key)
    return body(author, [(record, "commitment", said)], community=COMMUNITY, time=TIME + time, refs=ids(refs))


def act(author: bytes, of: bytes, field: str, time: int, *refs: bytes, value: Value = True) -> bytes:
    record = decode(of).changes[0][0]
    changes = [(record, "commitment", plain(**{field: value}))]
    return body(author, changes, community=COMMUNITY, time=TIME + time, refs=ids([of, *refs]))


def hand(author: bytes, keeper: Value, *over: bytes, after: Sequence[bytes] = ()) -> bytes:
    """A write to `keeper` that supersedes some, and refs others of its author besides."""
    refs = ids([*over, *after])
    fields = {"keeper": (keeper, sorted(refs.index(changeset_id(each)) for each in over))}
    return body(author, [(DRILL, "resource", fields)], community=COMMUNITY, time=TIME + 1, refs=refs)


def cases() -> Iterable[Case]:
    """Names and sets."""
    yield Case("the_creator_keeps_it", [THING])
    yield Case("nobody_made_it_here", [])
    to_ben = hand(ANA, BEN)
    yield Case("handed_over", [THING, to_ben])
    yield Case("handed_over_twice", [THING, to_ben, hand(BEN, EVE, to_ben)])
    yield Case("makes_itself_keeper", [THING, hand(EVE, EVE), to_ben, hand(EVE, EVE, to_ben)])
    yield Case("an_older_value_written_anew", [THING, to_ben, hand(ANA, ANA, after=[to_ben])])
    yield Case("handed_over_apart", [THING, to_ben, hand(ANA, EVE)])
    yield Case("a_steward_decides", [THING, to_ben, hand(ANA, EVE), hand(FOUNDER, EVE)])
    yield Case("given_up", [THING, hand(ANA, None)])

    first, second = ask(BEN, 10, 20, 5), ask(EVE, 15, 25, 6)
    yield Case("asked", [THING, first])
    yield Case("displaced", [THING, first, second])
    confirmed = act(ANA, second, "confirmed", 7)
    yield Case("confirmed_by_the_keeper", [THING, first, second, confirmed])
    yield Case("confirmed_by_a_steward", [THING, first, second, act(FOUNDER, second, "confirmed", 7)])
    yield Case("confirmed_by_somebody_else", [THING, first, act(EVE, first, "confirmed", 7)])
    own = ask(EVE, 15, 25, 6, confirmed=True)
    yield Case("confirmed_at_once", [THING, first, own], at_once=True)
    yield Case("confirmed_at_once_where_the_rules_do_not", [THING, first, own])
    confirmed_first = act(ANA, first, "confirmed", 6)
    out = act(ANA, second, "handed_over", 9, value=TIME + 15 * HOUR)
    yield Case("handed_over_goes_first", [THING, first, second, confirmed_first, out])
    back = act(ANA, second, "returned", 12, value=TIME + 18 * HOUR)
    waits, anew = ask(BEN, 18, 25, 8, nonce=1), ask(BEN, 19, 25, 13, back, nonce=2)
    yield Case("returned", [THING, second, out, back, waits, anew])
    cancelled = act(BEN, first, "cancelled", 8)
    yield Case("cancelled_blocks", [THING, first, second, cancelled])
    yield Case("cancelled_gives_way", [THING, first, cancelled, ask(EVE, 15, 25, 9, cancelled)])
    yield Case(
        "confirmed_with_the_cancellation",
        [THING, first, second, cancelled, act(ANA, second, "confirmed", 9, cancelled)],
    )
    yield Case("declined", [THING, first, act(ANA, first, "declined", 8)])
    yield Case("cancelled_by_the_keeper", [THING, first, act(ANA, first, "cancelled", 8)])
    yield Case("several_alike", [THING, first, second, ask(EVE, 18, 22, 9, nonce=1)], amount="2")
    chained = ask(EVE, 15, 25, 0, later := thing_body(EVE, time=TIME + 50))
    yield Case("backdated_after_a_later_one", [THING, first, later, chained])
    unnamed = body(
        ANA, [(typed_id(COMMUNITY, BEN, bytes(16)), "commitment", plain(confirmed=True))], community=COMMUNITY
    )
    yield Case("an_act_that_does_not_name_the_ask", [THING, first, unnamed])
    yield Case("until_before_from", [THING, ask(BEN, 20, 10, 5)])

    by_node = act(NODE, second, "confirmed", 7)
    for name, persons in (("the_keeper", [ANA]), ("a_steward", [FOUNDER]), ("the_asker", [EVE])):
        yield Case(f"confirmed_by_the_node_of_{name}", [THING, first, second, by_node], named={NODE: persons})
    yield Case("confirmed_by_a_node_that_nobody_named", [THING, first, second, by_node])
    yield Case(
        "confirmed_at_once_by_the_node_of_the_asker",
        [THING, first, second, by_node],
        True,
        named={NODE: [EVE]},
    )
    yield Case(
        "what_a_node_may_not",
        [
            THING,
            first,
            act(NODE, first, "declined", 8),
            act(NODE, first, "handed_over", 9, value=TIME),
            hand(NODE, EVE),
        ],
        named={NODE: [ANA, BEN, FOUNDER]},
    )
    own_ask = ask(ANA, 15, 25, 6)
    yield Case(
        "an_own_ask_of_the_keeper_by_their_node",
        [THING, own_ask, act(NODE, own_ask, "confirmed", 7), ask(BEN, 10, 20, 8)],
        named={NODE: [ANA]},
    )


def outcome(
    bodies: Sequence[bytes],
    thing: bytes,
    steward: bytes,
    at_once: bool,
    amount: Decimal,
    named: Mapping[bytes, Sequence[bytes]] = MappingProxyType({}),
) -> Json:
    """What comes of a set, as the vectors show it."""
    changesets = [decode(each) for each in bodies]
    people = People((steward,), named_by=lambda key: frozenset(named.get(key, ())))
    precedes = own_chain(changesets)
    held = custody(*keeper_writes(RecordKey(thing, "resource", PUBLIC), changesets), people, precedes)
    rules = Rules(held, people, precedes, at_once, amount)
    asks: list[Json] = [
        {
            "ask": each.ask.changeset.hex(),
            "rank": int(each.rank),
            "effective": each.effective_ms,
            "state": each.state.value,
            "takes": list(each.busy) if each.busy is not None else None,
            "displaced_by": [of.hex() for of in each.displaced_by],
            "waiting": each.waiting,
            "no_effect": sorted(acted.changeset.hex() for acted in each.no_effect),
        }
        for each in settle(*read(thing, changesets), rules)
    ]
    return {
        "keeper": held.keeper.hex() if held.keeper is not None else None,
        "keeper_no_effect": sorted(each.hex() for each in held.no_effect),
        "asks": asks,
    }


def _named(case: Case) -> Json:
    said = {node.hex(): [each.hex() for each in persons] for node, persons in case.named.items()}
    return {"named": said} if said else {}


def text() -> str:
    """The content of bookings.json."""
    shown: list[Json] = [
        {
            "name": case.name,
            "changesets": [each.hex() for each in case.bodies],
            "thing": DRILL.hex(),
            "steward": FOUNDER.hex(),
            "at_once": case.at_once,
            "amount": case.amount,
            **_named(case),
            "expect": "bookings",
            **outcome(case.bodies, DRILL, FOUNDER, case.at_once, Decimal(case.amount), case.named),
        }
        for case in cases()
    ]
    kits: list[Json] = [
        {
            "name": name,
            "values": values,
            "expect": "parts",
            "parts": {part.hex(): str(amount) for part, amount in parts_of(values).items()},
        }
        for name, values in KITS.items()
    ]
    wholes: list[Json] = [
        {
            "name": f"{kit}_with_{'_'.join(parts) or 'none'}",
            "kit": kit.value,
            "parts": [part.value for part in parts],
            "expect": "state",
            "state": whole(kit, parts).value,
        }
        for kit, parts in WHOLES
    ]
    return text_of(ABOUT, {"bookings": shown, "kits": kits, "wholes": wholes})


if __name__ == "__main__":
    write(__file__, text())
