"""Random hostile universes of one community: people who act honestly, from a stale copy, or falsely; nodes that meet in pairs.

After all have met, everybody holds the same standing set in every lane and says the same of it.
Long form: `python tests/authority_universe.py FIRST COUNT [STEPS]` runs so many universes and prints those that break, by seed.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from random import Random

from authority_world import LANES, Node, begin, check, dated, founded, key_of, meet, nonce, seed_of, written
from commonsnode_protocol.authority import MEMBER, MIRROR, Settings, stand_ins, statements, writing
from commonsnode_protocol.authority.acts import Certificate
from commonsnode_protocol.authority.cuts import Cut, fields_of_cut
from commonsnode_protocol.authority.stand_ins import Link, Said, StoodIn
from commonsnode_protocol.authority.writing import Draft, NotPossible
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, Changeset

STEWARDS, PEOPLE = ("F", "B", "C"), ("F", "B", "C", "M", "N", "X")
KEYS = (*PEOPLE, "M2", "M3", "MR", "F2", "FR", "B2", "Fn")
INVITATIONS = ("I", "J")
PERSON_OF = {"M2": "M", "M3": "M", "MR": "M", "F2": "F", "FR": "F", "B2": "B", "Fn": "F"}
STAND_INS = {
    "F": ("FR", "F2"),
    "B": ("BR", "B2"),
    "M": ("MR", "M2"),
}  # words, and the node that they brought back
STEPS = 45


class Dice(Random):
    """Chance, and whom a universe is about: everybody, or one person whose keys and grants are fought over."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.crowded = self.random() < 0.6
        self.people = PEOPLE if self.crowded else ("M", "M", "M", "N")
        self.keys = KEYS if self.crowded else ("M", "M2", "M3", "MR", "F")


Act = Callable[[Node, Dice, str], Changeset | None]


def _sent(node: Node, author: str, draft: Draft) -> Changeset:
    return dated(draft, key_of(author), node_time(node))


def node_time(node: Node) -> int:
    return len(node.held())


def _someone(random: Dice) -> str:
    return random.choice(random.people)


def grant(node: Node, random: Dice, author: str) -> Changeset:
    role = MEMBER if random.random() < 0.8 else MIRROR
    person = key_of(_someone(random))
    return _sent(node, author, writing.grant(node.evaluator, key_of(author), nonce(), person, role))


def pin(node: Node, random: Dice, author: str) -> Changeset | None:
    joins = [id_ for kept in node.evaluator.joins.kept.values() for id_ in kept]
    if not joins:
        return None
    join = random.choice(sorted(joins))
    return _sent(node, author, writing.pin(node.evaluator, key_of(author), nonce(), join))


def revocation(node: Node, random: Dice, author: str) -> Changeset:
    draft = writing.revocation(
        node.evaluator, key_of(author), nonce(), key_of(_someone(random)), node.standing_data(), node.stands
    )
    return _sent(node, author, falsified(draft, node, random))


def demotion(node: Node, random: Dice, author: str) -> Changeset:
    person = key_of(_someone(random))
    draft = writing.demotion(
        node.evaluator, key_of(author), (nonce(), nonce()), person, random.choice((MEMBER, MIRROR)),
        node.standing_data(), node.stands,
    )  # fmt: skip
    return _sent(node, author, draft)


def invitation(node: Node, random: Dice, author: str) -> Changeset:
    key = key_of(random.choice(INVITATIONS))
    uses = random.choice((1, 2))
    role = random.choice((MEMBER, MEMBER, MIRROR))
    return _sent(node, author, writing.invitation(node.evaluator, key_of(author), nonce(), key, role, uses))


def withdrawal(node: Node, random: Dice, author: str) -> Changeset:
    key = key_of(random.choice(INVITATIONS))
    return _sent(node, author, writing.withdrawal(node.evaluator, key_of(author), nonce(), key))


def join(node: Node, random: Dice, author: str) -> Changeset:
    author = random.choice(PEOPLE[3:])
    name = random.choice(INVITATIONS)
    draft = writing.join(node.community, key_of(author), nonce(), seed_of(name), key_of(name))
    return _sent(node, author, draft)


def device(node: Node, random: Dice, author: str) -> Changeset:
    new = random.choice(sorted(PERSON_OF if random.crowded else ("M2", "M3", "MR")))
    author = PERSON_OF[new] if random.random() < 0.7 else author
    person, recovery = key_of(PERSON_OF[new]), new.endswith("R")
    agreement = writing.key_agreement(node.community, person, seed_of(new), recovery=recovery)
    draft = writing.key_added(
        node.evaluator, key_of(author), nonce(), person, key_of(new), agreement, recovery=recovery, node=new.endswith("n")
    )  # fmt: skip
    return _sent(node, author, draft)


def key_revocation(node: Node, random: Dice, author: str) -> Changeset:
    target = random.choice(random.keys)
    author = random.choice(("M", "M2", "M3", "MR", author))
    person = PERSON_OF.get(target, target)
    draft = writing.key_revocation(
        node.evaluator,
        key_of(author),
        nonce(),
        key_of(person),
        key_of(target),
        node.standing_data(),
        node.stands,
    )
    return _sent(node, author, falsified(draft, node, random))


def leave(node: Node, random: Dice, author: str) -> Changeset:
    person = key_of(PERSON_OF.get(author, author))
    return _sent(node, author, writing.leave(node.evaluator, key_of(author), nonce(), person))


def certificate(node: Node, random: Dice, author: str) -> Changeset:
    """Any change of stewards, with the author's signature and some of the others': those who lent theirs."""
    chain = node.evaluator.chain
    assert chain is not None
    present = chain.current.stewards
    everyone = [key_of(name) for name in STEWARDS]
    remove = [key for key in present if random.random() < 0.3]
    add = [key for key in everyone if key not in present and random.random() < 0.5]
    if len(remove) == len(present):
        remove = remove[1:]
    fields = writing.next_table(
        node.evaluator, name=random.choice(("Valley", "Hill")), add=add, remove=remove,
        data=node.standing_data(), stands=node.stands,
    )  # fmt: skip
    signers = {name for name in STEWARDS if name == author or random.random() < 0.5}
    return _signed(node, random, author, fields, signers)


def _signed(
    node: Node, random: Dice, author: str, fields: Mapping[str, Value], signers: set[str]
) -> Changeset:
    """The certificate, signed by these people: most with their first keys, some by who stands in for them."""
    signatures: dict[bytes, Said] = {}
    carrier = author
    for name in sorted({*signers, author}):
        keys: Sequence[str] = STAND_INS.get(name, ()) if random.random() < 0.3 else ()
        keys = keys if random.random() < 0.7 else keys[:1]  # the words themselves
        if keys:
            by = writing.sign_table(node.evaluator, fields, seed_of(keys[-1]))
            signatures[key_of(name)] = StoodIn(by, _proof(node, name, *keys))
            carrier = keys[-1] if name == author else carrier
        else:
            signatures[key_of(name)] = writing.sign_table(node.evaluator, fields, seed_of(name))
    draft = writing.certificate(node.evaluator, key_of(carrier), nonce(), fields, signatures)
    return _sent(node, carrier, draft)


def _proof(node: Node, person: str, *keys: str) -> tuple[Link, ...]:
    found: list[Link] = []
    for before, key in pairwise((person, *keys)):
        words = key.endswith("R")
        said = stand_ins.let(node.community, key_of(person), key_of(key), seed_of(before), passes_on=words)
        found.append(Link(key_of(key), words, said))
    return tuple(found)


def succession(node: Node, random: Dice, author: str) -> Changeset:
    fields = writing.next_by_succession(node.evaluator, [key_of(random.choice(PEOPLE[2:]))])
    if random.random() < 0.3:
        roll = fields["roll"]
        assert isinstance(roll, list)
        fields["roll"] = [id_ for id_ in roll if random.random() < 0.6]
    return _signed(node, random, author, fields, {name for name in PEOPLE if random.random() < 0.7})


def ack(node: Node, random: Dice, author: str) -> Changeset | None:
    """Of a child of any table that is known here, chosen or not."""
    children = sorted(
        (act.parent, act.id)
        for entry in node.evaluator.table_acts()
        if isinstance(act := entry.of_table, Certificate)
    )
    if not children:
        return None
    parent, child = random.choice(children)
    warrant = None
    if author == "Fn":
        said = statements.state(statements.WARRANT, node.community + key_of("Fn"), seed_of("F"))
        warrant = (key_of("F"), said)
    return _sent(node, author, _ack(node, random, author, parent, child, warrant))


def _ack(
    node: Node, random: Dice, author: str, parent: bytes, child: bytes, warrant: tuple[bytes, bytes] | None
) -> Draft:
    """By the author, or now and then for the steward for whom the author stands in."""
    for steward, keys in STAND_INS.items():
        if author in keys and random.random() < 0.7:
            proof = _proof(node, steward, *keys[: keys.index(author) + 1])
            return writing.ack(
                node.evaluator, key_of(author), nonce(), parent, child, stands_in=(key_of(steward), proof)
            )
    return writing.ack(node.evaluator, key_of(author), nonce(), parent, child, warrant)


def honest_ack(node: Node, random: Dice, author: str) -> Changeset | None:
    open_ = writing.to_ack(node.evaluator, key_of(author))
    if not open_:
        return None
    return _sent(node, author, writing.ack(node.evaluator, key_of(author), nonce(), *open_[0]))


def objection(node: Node, random: Dice, author: str) -> Changeset | None:
    children = sorted(
        (act.parent, act.id)
        for entry in node.evaluator.table_acts()
        if isinstance(act := entry.of_table, Certificate) and act.roll is not None
    )
    if not children:
        return None
    parent, child = random.choice(children)
    stands_in = None
    if author == "F2":
        stands_in = (key_of("F"), _proof(node, "F", *STAND_INS["F"]))
    return _sent(
        node, author, writing.objection(node.evaluator, key_of(author), nonce(), parent, child, stands_in)
    )


ACTS: Mapping[Act, int] = {
    grant: 6, pin: 2, revocation: 5, demotion: 1, invitation: 2, withdrawal: 1, join: 3, device: 3,
    key_revocation: 2, leave: 1, certificate: 4, succession: 1, ack: 2, honest_ack: 3, objection: 1,
}  # fmt: skip


def falsified(draft: Draft, node: Node, random: Dice) -> Draft:
    """Now and then with other heads than stand: fewer, or some that do not."""
    if random.random() < 0.6:
        return draft
    everything = [each.id for each in node.held()] + [id_ for lane in node.lanes for id_ in node.data[lane]]
    ids = [id_ for id_ in everything if random.random() < 0.3]
    heads = {(key_of(name), lane): frozenset(ids) for name in KEYS for lane in (AUTHORITY, PUBLIC, KNOWLEDGE)}
    cut = Cut(heads, frozenset(id_ for id_ in everything if random.random() < 0.15))
    changes = []
    for record, kind, fields in draft.changes:
        said: dict[str, Value] = fields_of_cut(cut)
        changes.append((record, kind, {**fields, **{name: (value, ()) for name, value in said.items()}}))
    return Draft(tuple(changes), draft.refs, draft.community)


def rereffed(draft: Draft, node: Node, random: Dice) -> Draft:
    """Now and then with other refs: forks, refs to nothing, refs to what others wrote."""
    if random.random() < 0.8:
        return draft
    ids = [each.id for each in node.held() if random.random() < 0.2]
    return Draft(draft.changes, tuple(sorted({*ids, bytes([random.randrange(4)]) * 32})), draft.community)


def stale(node: Node, random: Dice) -> Node:
    """A node that knows only a part: what is written there is 'backdated', or its writer was far away."""
    share = random.random()
    copy = Node(node.community, node.lanes)
    copy.take(AUTHORITY, [each for each in node.held() if each.is_charter or random.random() < share])
    for lane in node.lanes:
        copy.data[lane] = {id_: each for id_, each in node.data[lane].items() if random.random() < share}
    return copy


def universe(seed: int, steps: int = STEPS) -> list[Node]:
    """Build one, let all meet, and check. Raises AssertionError where a rule breaks."""
    begin()
    random = Dice(seed)
    charter = founded(
        settings=Settings(quorum=random.choice((None, None, 1, 2)), share=random.choice(((2, 3), (1, 3))))
    )
    nodes = [Node(charter.id), Node(charter.id), Node(charter.id, (random.choice(LANES),))]
    for node in nodes:
        node.write(charter)
    _begin(nodes, random)
    # Each universe is rich in some kinds of acts and has none of others, so that rare ones meet.
    kinds, weights = list(ACTS), [weight * random.choice((0, 1, 1, 4)) for weight in ACTS.values()]
    weights[0] += 1
    for _ in range(steps):
        node = random.choice(nodes)
        if random.random() < 0.3:
            _write(node, random)
        elif random.random() < 0.15:
            one, other = random.sample(nodes, 2)
            meet(one, other, order=random.shuffle, one_by_one=random.random() < 0.3)
        else:
            _act(node, random, random.choices(kinds, weights)[0])
    settle(nodes, random)
    for node in nodes:
        check(node, random)
    return nodes


def _write(node: Node, random: Dice) -> None:
    """Something in a data lane: as an honest node refs, or with any refs to what is here and to nothing."""
    author, lane = key_of(random.choice(random.keys)), random.choice(node.lanes)
    if random.random() < 0.5:
        node.add_thing(author, lane)
        return
    refs = [id_ for id_ in node.data[lane] if random.random() < 0.3]
    refs += [each.id for each in node.held() if random.random() < 0.05]
    node.write(written(node.community, author, lane, refs))


def _begin(nodes: Sequence[Node], random: Dice) -> None:
    """Most communities have a few stewards and members already, and some have met."""
    node = nodes[0]
    tables: list[list[tuple[str, ...]]] = [[], [("F", "B")], [("F", "B"), ("F", "B", "C")]]
    for added in random.choice(tables):
        fields = writing.next_table(node.evaluator, add=[key_of(name) for name in added])
        signatures = {
            key_of(name): writing.sign_table(node.evaluator, fields, seed_of(name)) for name in added[:2]
        }
        signatures = {key: said for key, said in signatures.items() if key in node.evaluator.members}
        node.write(
            _sent(node, "F", writing.certificate(node.evaluator, key_of("F"), nonce(), fields, signatures))
        )
        for steward in STEWARDS:
            if random.random() < 0.7 and (open_ := writing.to_ack(node.evaluator, key_of(steward))):
                node.write(
                    _sent(node, steward, writing.ack(node.evaluator, key_of(steward), nonce(), *open_[0]))
                )
    for name in PEOPLE:
        if random.random() < 0.5 and key_of(name) not in node.evaluator.members:
            node.write(
                _sent(node, "F", writing.grant(node.evaluator, key_of("F"), nonce(), key_of(name), MEMBER))
            )
    for name in (name for name in PERSON_OF if random.random() < 0.4):
        person, recovery = key_of(PERSON_OF[name]), name.endswith("R")
        agreement = writing.key_agreement(node.community, person, seed_of(name), recovery=recovery)
        draft = writing.key_added(
            node.evaluator,
            person,
            nonce(),
            person,
            key_of(name),
            agreement,
            recovery=recovery,
            node=name == "Fn",
        )
        node.write(_sent(node, PERSON_OF[name], draft))
    for other in nodes[1:]:
        if random.random() < 0.8:
            meet(node, other)


def _author(node: Node, random: Dice) -> str:
    chance = random.random()
    now = [name for name in STEWARDS if key_of(name) in node.authority.stewards]
    if chance < (0.6 if random.crowded else 0.4) and now:
        return random.choice(now)
    return random.choice(STEWARDS if chance < 0.75 else random.keys)


def _act(node: Node, random: Dice, act: Act) -> None:
    author = _author(node, random)
    writer = stale(node, random) if random.random() < 0.4 else node
    try:
        written = act(writer, random, author)
    except NotPossible:
        return
    if written is not None:
        draft = rereffed(
            Draft(tuple(map(_change, written.changes)), written.refs, node.community), node, random
        )
        node.write(dated(draft, written.author, written.time))


def _change(change: tuple[bytes, str, Mapping[str, tuple[Value, Sequence[int]]]]) -> writing.DraftChange:
    return change[0], change[1], {name: (value, tuple(at)) for name, (value, at) in change[2].items()}


def cut_universe(seed: int) -> list[Node]:
    """One member with a device, whose few things are cut by hostile revocations of several kinds at nodes apart."""
    begin()
    random = Dice(seed)
    charter = founded()
    nodes = [Node(charter.id, (PUBLIC,)) for _ in range(3)]
    first = nodes[0]
    first.write(charter)
    first.write(_sent(first, "F", writing.grant(first.evaluator, key_of("F"), nonce(), key_of("M"), MEMBER)))
    agreement = writing.key_agreement(first.community, key_of("M"), seed_of("M2"))
    device_act = writing.key_added(
        first.evaluator, key_of("M"), nonce(), key_of("M"), key_of("M2"), agreement
    )
    first.write(_sent(first, "M", device_act))
    for other in nodes[1:]:
        meet(first, other)
    things: list[bytes] = []
    for _ in range(16):
        node = random.choice(nodes)
        chance = random.random()
        if chance < 0.5:
            refs = [id_ for id_ in things[-4:] if random.random() < 0.5]
            things.append(node.write(written(node.community, key_of("M"), PUBLIC, refs)).id)
        elif chance < 0.6:
            again = writing.grant(node.evaluator, key_of("F"), nonce(), key_of("M"), MEMBER)
            node.write(_sent(node, "F", again))
        elif chance < 0.8:
            one, other = random.sample(nodes, 2)
            meet(one, other, order=random.shuffle)
        else:
            _cut_falsely(node, random, things)
    settle(nodes, random)
    for node in nodes:
        check(node, random)
    return nodes


def _cut_falsely(node: Node, random: Dice, things: Sequence[bytes]) -> None:
    by_steward = random.random() < 0.6
    if by_steward:
        draft = writing.revocation(node.evaluator, key_of("F"), nonce(), key_of("M"), {}, node.stands)
    else:
        draft = writing.key_revocation(
            node.evaluator, key_of("M2"), nonce(), key_of("M"), key_of("M"), {}, node.stands
        )
    own = {
        key_of(name): frozenset(node.evaluator.pool.by_author.get(key_of(name), {})) for name in ("M", "M2")
    }
    heads = {(key, AUTHORITY): ids for key, ids in own.items()}
    heads[key_of("M"), PUBLIC] = frozenset(id_ for id_ in things if random.random() < 0.4)
    said = fields_of_cut(Cut(heads, frozenset(id_ for id_ in things if random.random() < 0.15)))
    ((record, kind, fields),) = draft.changes
    change = (record, kind, {**fields, **{name: (value, ()) for name, value in said.items()}})
    node.write(_sent(node, "F" if by_steward else "M2", Draft((change,), draft.refs, draft.community)))


def settle(nodes: Sequence[Node], random: Dice) -> None:
    """All meet all, until nobody has anything for anybody."""
    for _ in range(12):
        before = [[node.standing(lane) for lane in (AUTHORITY, *node.lanes)] for node in nodes]
        pairs = [*combinations(nodes, 2)]
        random.shuffle(pairs)
        for a, b in pairs:
            meet(a, b, order=random.shuffle, one_by_one=random.random() < 0.3)
        if before == [[node.standing(lane) for lane in (AUTHORITY, *node.lanes)] for node in nodes]:
            return
    raise AssertionError("they meet and meet, and do not settle")


def main(first: int, count: int, steps: int = STEPS) -> int:
    broken, began = 0, time.monotonic()
    for seed in range(first, first + count):
        try:
            universe(seed, steps)
            cut_universe(seed)
        except AssertionError as error:
            broken += 1
            print(f"universe {seed}: {str(error).splitlines()[0]}")
    print(f"{count} universes from {first}: {broken} broken, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
