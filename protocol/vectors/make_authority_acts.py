"""Write authority_acts.json, the vectors of SPEC.md, "Acts" to "Succession":  python protocol/vectors/make_authority_acts.py

Deterministic. The seeds are for these vectors only: the name, filled up with dots to 32 bytes.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from commonsnode_protocol.authority import Evaluator, Settings, stand_ins, writing
from commonsnode_protocol.authority.achieving import outcomes
from commonsnode_protocol.authority.acts import Certificate
from commonsnode_protocol.authority.cuts import Walk
from commonsnode_protocol.authority.stand_ins import Link, StoodIn
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Changeset, build, decode, public_key

FILE = Path(__file__).with_name("authority_acts.json")
Json = dict[str, Any]
NAMES = ("F", "B", "C", "M", "N", "X", "I", "M2", "MR", "Fn", "FR", "F2")

ABOUT = """\
Vectors of SPEC.md, "Authority". All byte strings are in hexadecimal. `keys`: name → seed, public key; for these vectors only.

authorities: `held` are bodies of changesets of lane `authority` of one community, all signed as they should be, in no order.
`tables` are the ids of the chain from table 0; `stewards` those of the last; `members` the role of each admitted person;
`standing` the ids of those held that stand; `void`, for each changeset that has changes without effect, by record and kind why.
`data` are bodies of lane `public`, all that a node has of their authors, and whether they stand.
"""


def seed_of(name: str) -> bytes:
    return name.encode().ljust(32, b".")


def key_of(name: str) -> bytes:
    return public_key(seed_of(name))


class World:
    """One community, its acts so far, and what is asked about."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.numbers = count(1)
        charter = self.dated(
            writing.charter(key_of("F"), self.nonce(), "Valley", settings or Settings()), "F"
        )
        self.held = Evaluator(charter.id)
        self.bodies: list[bytes] = []
        self.data: list[bytes] = []
        self.take(charter)

    def nonce(self) -> bytes:
        return next(self.numbers).to_bytes(16, "big")

    def dated(self, draft: Draft, author: str) -> Changeset:
        body = build(
            community=draft.community, lane=AUTHORITY, author=key_of(author), time=1_764_000_000_000 + next(self.numbers),
            refs=draft.refs, changes=draft.changes,
        )  # fmt: skip
        self.last = body
        return decode(body)

    def take(self, changeset: Changeset) -> Changeset:
        self.bodies.append(self.last)
        self.held.add([changeset])
        return changeset

    def act(self, author: str, draft: Draft) -> Changeset:
        return self.take(self.dated(draft, author))

    def grant(self, steward: str, person: str) -> Changeset:
        return self.act(
            steward, writing.grant(self.held, key_of(steward), self.nonce(), key_of(person), "member")
        )

    def table(self, *signers: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Draft:
        fields = writing.next_table(self.held, add=[*map(key_of, add)], remove=[*map(key_of, remove)])
        return self.signed("certificate", fields, *signers)

    def signed(self, kind: str, fields: Mapping[str, Value], *signers: str) -> Draft:
        signatures: Value = [
            [key_of(name), writing.sign_table(self.held, fields, seed_of(name))]
            for name in sorted(signers, key=key_of)
        ]
        writes = {name: (value, ()) for name, value in {**fields, "signatures": signatures}.items()}
        return Draft(((self.nonce(), kind, writes),), (), self.held.community)

    def thing(self, author: str, refs: Iterable[bytes] = ()) -> Changeset:
        body = build(
            community=self.held.community, lane=PUBLIC, author=key_of(author), time=1_764_000_000_000, refs=sorted(refs),
            changes=[(self.nonce(), "resource", {"title": ("Drill", ())})],
        )  # fmt: skip
        self.data.append(body)
        return decode(body)

    def revoke(self, steward: str, person: str, things: Iterable[Changeset] = ()) -> Changeset:
        data = {(key_of(person), PUBLIC): {each.id: each.refs for each in things}}
        draft = writing.revocation(
            self.held, key_of(steward), self.nonce(), key_of(person), data, lambda _: False
        )
        return self.act(steward, draft)


def settings_of_a_charter() -> World:
    return World(
        Settings(
            languages=("es", "gl"),
            members_only=True,
            quorum=2,
            licence="ODbL-1.0",
            share=(3, 4),
            zone="Europe/Madrid",
        )
    )


def second_steward() -> World:
    world = World()
    world.act("F", world.table("F", add=["B"]))
    return world


def three() -> World:
    world = second_steward()
    world.act("F", world.table("F", "B", add=["C"]))
    return world


def junior_removes_senior_alone() -> World:
    world = second_steward()
    world.act("B", world.table("B", remove=["F"]))
    return world


def senior_removes_junior_alone() -> World:
    world = second_steward()
    world.act("F", world.table("F", remove=["B"]))
    return world


def junior_lowers_the_quorum_alone() -> World:
    world = second_steward()
    fields = writing.next_table(world.held, settings=Settings(quorum=1))
    world.act("B", world.signed("certificate", fields, "B"))
    return world


def signed_both_so_another_decides() -> World:
    world = three()
    removal = world.table("B", "C", remove=["F"])
    addition = world.table("F", "B", add=["X"])
    world.act("B", removal)
    world.act("F", addition)
    return world


def acks_for_two_children() -> World:
    world = three()
    one, other = world.table("B", "C", add=["M"]), world.table("B", "C", add=["N"])
    parent = world.held.authority.tables[-1].id
    for draft in (one, other):
        certificate = world.act("B", draft)
        entry = world.held.entry(certificate.id)
        assert entry is not None
        assert isinstance(entry.of_table, Certificate)
        world.act("F", writing.ack(world.held, key_of("F"), world.nonce(), parent, entry.of_table.id))
    return world


def certificate_by_one_who_did_not_sign() -> World:
    world = second_steward()
    world.act("C", world.table("F", "B", add=["C"]))
    return world


def revocation_with_heads() -> World:
    world = World()
    world.grant("F", "M")
    first = world.thing("M")
    second = world.thing("M", [first.id])
    world.revoke("F", "M", [first, second])
    world.thing("M", [second.id])
    return world


def revocation_that_stops_at_a_ref() -> World:
    world = World()
    world.grant("F", "M")
    hidden = world.thing("M")
    last = world.thing("M", [hidden.id])
    world.revoke("F", "M", [last])
    return world


def granted_again() -> World:
    world = revocation_with_heads()
    again = world.grant("F", "M")
    world.thing("M", [again.id])
    return world


def grant_beside_a_revocation() -> World:
    world = second_steward()
    world.grant("F", "M")
    blind = writing.grant(world.held, key_of("B"), world.nonce(), key_of("M"), "member")
    world.revoke("F", "M")
    world.act("B", blind)
    return world


def two_joins_by_a_link_of_one_use() -> World:
    world = World()
    world.act("F", writing.invitation(world.held, key_of("F"), world.nonce(), key_of("I"), "member", 1))
    for name in ("X", "N"):
        world.act(
            name, writing.join(world.held.community, key_of(name), world.nonce(), seed_of("I"), key_of("I"))
        )
    return world


def pinned_join_and_withdrawal() -> World:
    world = two_joins_by_a_link_of_one_use()
    for join in writing.to_pin(world.held):
        world.act("F", writing.pin(world.held, key_of("F"), world.nonce(), join))
    world.act("F", writing.withdrawal(world.held, key_of("F"), world.nonce(), key_of("I")))
    return world


def device_and_its_revocation() -> World:
    world = World()
    world.grant("F", "M")
    agreement = writing.key_agreement(world.held.community, key_of("M"), seed_of("M2"))
    world.act(
        "M", writing.key_added(world.held, key_of("M"), world.nonce(), key_of("M"), key_of("M2"), agreement)
    )
    world.thing("M2")
    draft = writing.key_revocation(
        world.held, key_of("M"), world.nonce(), key_of("M"), key_of("M2"), {}, lambda _: True
    )
    world.act("M", draft)
    world.thing("M")
    return world


def devices_that_revoke_one_another() -> World:
    world = World()
    world.grant("F", "M")
    agreement = writing.key_agreement(world.held.community, key_of("M"), seed_of("M2"))
    world.act(
        "M", writing.key_added(world.held, key_of("M"), world.nonce(), key_of("M"), key_of("M2"), agreement)
    )
    drafts = [
        (by, writing.key_revocation(world.held, key_of(by), world.nonce(), key_of("M"), key_of(of), {}, lambda _: True))
        for by, of in (("M", "M2"), ("M2", "M"))
    ]  # fmt: skip
    for by, draft in drafts:
        world.act(by, draft)
    world.thing("M")
    world.thing("M2")
    return world


def leave() -> World:
    world = World()
    world.grant("F", "M")
    world.act("M", writing.leave(world.held, key_of("M"), world.nonce(), key_of("M")))
    world.thing("M")
    return world


def succession_by_two_thirds() -> World:
    return _succession("M", "N")


def succession_by_one_third() -> World:
    return _succession("M")


def succession_objected_to() -> World:
    world = _succession("M", "N")
    first, second = world.held.authority.tables
    world.act("F", writing.objection(world.held, key_of("F"), world.nonce(), first.id, second.id))
    return world


def words_bring_back_a_steward_who_signs() -> World:
    """The whole way: words, the node that they brought back, the revocation of the lost one, a table, an ack, another table."""
    world = World()
    _let(world, "F", "FR", recovery=True)
    _let(world, "FR", "F2", recovery=False)
    draft = writing.key_revocation(
        world.held, key_of("FR"), world.nonce(), key_of("F"), key_of("F"), {}, lambda _: True
    )
    world.act("FR", draft)
    world.act("F2", _by_words(world, "F2", {}, add=["B"]))
    world.act("B", world.signed("certificate", writing.next_table(world.held, name="Hill"), "B"))
    proof = _proof(world)
    tables = world.held.authority.tables
    ack = writing.ack(
        world.held, key_of("F2"), world.nonce(), tables[1].id, tables[2].id, stands_in=(key_of("F"), proof)
    )
    world.act("F2", ack)
    world.act("F2", _by_words(world, "F2", {"B": "B"}, add=["F2"], remove=["F"]))
    return world


def who_stands_in_counts_once() -> World:
    world = three()
    world.act("F", _by_words(world, "F2", {"F": "F"}, remove=["C"]))
    return world


def words_outrank_a_lone_first_key() -> World:
    world = World()
    first = world.table("F", add=["B"])
    words = _by_words(world, "F2", {}, add=["C"])
    world.act("F", first)
    world.act("F2", words)
    return world


def a_device_lets_nobody_stand_in() -> World:
    world = World()
    world.act("F2", _by_words(world, "F2", {}, add=["B"], by_device=True))
    return world


def _succession(*voters: str) -> World:
    world = World()
    for name in ("M", "N", "X"):
        world.grant("F", name)
    fields = writing.next_by_succession(world.held, [key_of("M")])
    world.act("M", world.signed("succession", fields, *voters))
    return world


def _let(world: World, author: str, key: str, *, recovery: bool) -> None:
    community, person = world.held.community, key_of("F")
    let = stand_ins.let(community, person, key_of(key), seed_of(author), passes_on=recovery)
    agreement = writing.key_agreement(community, person, seed_of(key), recovery=recovery)
    draft = writing.key_added(
        world.held, key_of(author), world.nonce(), person, key_of(key), agreement, recovery=recovery, stands_in=let
    )  # fmt: skip
    world.act(author, draft)


def _proof(world: World, *, by_device: bool = False) -> tuple[Link, ...]:
    return tuple(
        Link(
            key_of(key),
            passes_on,
            stand_ins.let(
                world.held.community, key_of("F"), key_of(key), seed_of(before), passes_on=passes_on
            ),
        )
        for before, key, passes_on in (("F", "FR", not by_device), ("FR", "F2", False))
    )


def _by_words(
    world: World, by: str, others: Mapping[str, str], add: Iterable[str] = (), remove: Iterable[str] = (), *,
    by_device: bool = False,
) -> Draft:  # fmt: skip
    """A certificate that `by` signs for F, and others with their first keys."""
    fields = writing.next_table(world.held, add=[*map(key_of, add)], remove=[*map(key_of, remove)])
    proof = _proof(world, by_device=by_device)
    own = StoodIn(writing.sign_table(world.held, fields, seed_of(by)), proof)
    said: list[Value] = [stand_ins.entry_of(key_of("F"), own)]
    said += [[key_of(name), writing.sign_table(world.held, fields, seed_of(name))] for name in others]
    writes = {name: (value, ()) for name, value in {**fields, "signatures": said}.items()}
    return Draft(((world.nonce(), "certificate", writes),), (), world.held.community)


CASES: list[Callable[[], World]] = [
    World, settings_of_a_charter, second_steward, three, junior_removes_senior_alone, senior_removes_junior_alone,
    junior_lowers_the_quorum_alone, signed_both_so_another_decides, acks_for_two_children,
    certificate_by_one_who_did_not_sign, revocation_with_heads, revocation_that_stops_at_a_ref, granted_again,
    grant_beside_a_revocation, two_joins_by_a_link_of_one_use, pinned_join_and_withdrawal, device_and_its_revocation,
    devices_that_revoke_one_another, leave, succession_by_two_thirds, succession_by_one_third, succession_objected_to,
    words_bring_back_a_steward_who_signs, who_stands_in_counts_once, words_outrank_a_lone_first_key,
    a_device_lets_nobody_stand_in,
]  # fmt: skip


def case(make: Callable[[], World]) -> Json:
    world = make()
    held, authority = world.held, world.held.authority
    changesets = [decode(body) for body in world.bodies]
    void = {
        each.id.hex(): [
            [o.record.hex(), o.kind, o.void] for o in outcomes(held, each.id) if o.void is not None
        ]
        for each in changesets
    }
    return {
        "name": "charter" if make is World else make.__name__,
        "community": held.community.hex(),
        "held": [body.hex() for body in world.bodies],
        "tables": [table.id.hex() for table in authority.tables],
        "stewards": [key.hex() for key in authority.stewards],
        "members": {key.hex(): member.role for key, member in sorted(authority.members.items())},
        "standing": sorted(id_.hex() for id_ in held.standing),
        "void": {id_: found for id_, found in void.items() if found},
        "data": [[body.hex(), decode(body).id in _standing(world)] for body in world.data],
    }


def _standing(world: World) -> set[bytes]:
    found: set[bytes] = set()
    data = [decode(body) for body in world.data]
    for author in {each.author for each in data}:
        for way in world.held.verdict(author, PUBLIC):
            walk = Walk(author, PUBLIC, way)
            for each in data:
                if each.author == author:
                    walk.add(each.id, each.refs)
            found |= walk.standing
    return found


def text() -> str:
    """The content of authority_acts.json."""
    keys = {name: {"seed": seed_of(name).hex(), "key": key_of(name).hex()} for name in NAMES}
    content = {"about": ABOUT.splitlines(), "keys": keys, "authorities": [case(make) for make in CASES]}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
