"""The authority function on a large community: 10,000 members, 50,000 acts.  `python -m bench.authority` prints the figures."""

import json
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping

from commonsnode_protocol.authority import CHARTER, GRANT, MEMBER, Evaluator, statements
from commonsnode_protocol.authority.cuts import Condition, Cut, Walk
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import (
    AUTHORITY,
    CHARTER_COMMUNITY,
    PUBLIC,
    Changeset,
    build,
    decode,
    public_key,
)
from commonsnode_protocol.record import typed_id

MEMBERS, ACTS, CUT = 10_000, 50_000, 50_000
STEPS = 40


def figures() -> dict[str, float]:
    """authority_full_s: all at once, from decoded changesets; authority_step_ms: one act more, the median and the worst;

    authority_cut_s: what of 50,000 changesets of one author a revocation lets stand.
    """
    writer = Writer()
    acts = [*writer.community()]
    began = time.perf_counter()
    evaluator = Evaluator(writer.community_id)
    evaluator.add(acts)
    full_s = time.perf_counter() - began
    assert len(evaluator.members) == MEMBERS + 1
    steps_ms = []
    for act in writer.more():
        began = time.perf_counter()
        step = evaluator.add([act])
        steps_ms.append((time.perf_counter() - began) * 1000)
        assert step.rose
    return {
        "authority_full_s": round(full_s, 2),
        "authority_step_ms": round(statistics.median(steps_ms), 2),
        "authority_step_ms_max": round(max(steps_ms), 2),
        "authority_cut_s": round(_cut_s(), 2),
    }


class Writer:
    """Writes as one founder and many members do, each on what they wrote before."""

    def __init__(self) -> None:
        self.seeds = [n.to_bytes(32, "big") for n in range(1, 2 * MEMBERS + 2 * STEPS + 2)]
        self.founder = public_key(self.seeds[0])
        self.people = [public_key(seed) for seed in self.seeds[1 : MEMBERS + 1]]
        self.community_id = CHARTER_COMMUNITY
        self.heads: dict[bytes, bytes] = {}
        self.count = 0

    def act(
        self, author: bytes, kind: str, fields: Mapping[str, Value], refs: Iterable[bytes] = ()
    ) -> Changeset:
        self.count += 1
        nonce = self.count.to_bytes(16, "big")
        before = self.heads.get(author)
        body = build(
            community=self.community_id,
            lane=AUTHORITY,
            author=author,
            time=self.count,
            refs=sorted({*refs, *([before] if before is not None else [])}),
            changes=[
                (
                    typed_id(self.community_id, author, nonce),
                    kind,
                    {name: (value, ()) for name, value in {"nonce": nonce, **fields}.items()},
                )
            ],
        )
        changeset = decode(body)
        self.heads[author] = changeset.id
        return changeset

    def community(self) -> Iterator[Changeset]:
        """A charter; a grant for each; half are revoked and granted again; half have a device; the rest are acts of members."""
        charter = self.act(self.founder, CHARTER, {"name": "Valley", "founder": self.founder})
        self.community_id = charter.id
        yield charter
        for person in self.people:
            yield self.grant(person)
        for person in self.people[: MEMBERS // 2]:
            revocation = self.revocation(person)
            yield revocation
            yield self.grant(person, revocation.id)
        for n in range(MEMBERS // 2, MEMBERS):
            yield self.device(self.people[n], self.seeds[MEMBERS + 1 + n])
        while self.count < ACTS:
            yield self.act(self.people[self.count % (MEMBERS // 2) + MEMBERS // 2], "note", {})

    def more(self) -> Iterator[Changeset]:
        """Acts of each kind in turn."""
        for n in range(STEPS):
            person = self.people[-1 - n]
            match n % 4:
                case 0:
                    yield self.grant(public_key(self.seeds[-1 - n]))
                case 1:
                    yield self.revocation(person)
                case 2:
                    yield self.device(self.founder, self.seeds[-1 - n])
                case _:
                    yield self.device(person, self.seeds[-1 - n])

    def grant(self, person: bytes, *refs: bytes) -> Changeset:
        fields: dict[str, Value] = {"person": person, "role": MEMBER, "table": self.community_id}
        return self.act(self.founder, GRANT, fields, refs)

    def revocation(self, person: bytes) -> Changeset:
        fields: dict[str, Value] = {"person": person, "table": self.community_id, "heads": [], "without": []}
        return self.act(self.founder, "revocation", fields)

    def device(self, person: bytes, seed: bytes) -> Changeset:
        signature = statements.state(statements.DEVICE, self.community_id + person, seed)
        fields: dict[str, Value] = {"person": person, "key": public_key(seed), "signature": signature}
        return self.act(person, "device", fields)


def _cut_s() -> float:
    author = bytes(32)
    ids = [n.to_bytes(32, "big") for n in range(1, CUT + 1)]
    cut = Cut({(author, PUBLIC): frozenset(ids[-1:])}, frozenset())
    began = time.perf_counter()
    walk = Walk(author, PUBLIC, (Condition((cut,)),))
    for n, id_ in enumerate(ids):
        walk.add(id_, ids[max(n - 1, 0) : n])
    assert len(walk.standing) == CUT
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(figures(), indent=1))
