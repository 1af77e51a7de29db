"""Authority on a large community: 10,000 members, 50,000 acts; and the revocation of who wrote 50,000 changesets."""

import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bench.applying import SEEN_MS, fill, made
from bench.changesets import found, singles
from bench.run import Run
from bench.things import things
from commonsnode_protocol.authority import CHARTER, GRANT, MEMBER, Evaluator, statements
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import (
    AUTHORITY,
    CHARTER_COMMUNITY,
    PUBLIC,
    SIGNATURE_BYTES,
    Signed,
    build,
    decode,
    public_key,
)
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import typed_id
from commonsnode_store.store import Store

MEMBERS_MIN = 100
ACTS_A_MEMBER = 5
STEPS = 40
PAGE = 20
PAUSE_S = 0.02  # between pages: some 50 a second, as a busy village asks


def measure(run: Run) -> None:
    """Figures `authority_full_s`: all acts at once, decoded before; `authority_step_ms`: one act more in the function, the median;

    `authority_step_applied_ms`: the same through `Store.apply`, with its commit; and those of a revocation.
    """
    members = max(MEMBERS_MIN, run.records // 10)
    run.say(f"authority of {members:,} members and {members * ACTS_A_MEMBER:,} acts")
    writer = Writer(members)
    acts = [*writer.community()]
    began = time.perf_counter()
    evaluator = Evaluator(writer.community_id)
    evaluator.add(act.changeset for act in acts)
    run.figures["authority_full_s"] = round(time.perf_counter() - began, 3)
    assert len(evaluator.members) == members + 1
    store = Store.open(run.work / "authority.sqlite3", create=True)
    try:
        store.follow(writer.community_id, (PUBLIC,))
        store.apply(writer.community_id, AUTHORITY, acts, seen_ms=SEEN_MS)
        steps_ms, applied_ms = [], []
        for act in writer.more():
            began = time.perf_counter()
            step = evaluator.add([act.changeset])
            steps_ms.append((time.perf_counter() - began) * 1000)
            assert step.rose
            began = time.perf_counter()
            store.apply(writer.community_id, AUTHORITY, [act], seen_ms=SEEN_MS)
            applied_ms.append((time.perf_counter() - began) * 1000)
    finally:
        store.close()
    run.figures["authority_step_ms"] = round(statistics.median(steps_ms), 2)
    run.figures["authority_step_applied_ms"] = round(statistics.median(applied_ms), 2)
    _measure_revocation(run)


def _measure_revocation(run: Run) -> None:
    """Figure `revoke_50k_s`: until half of the records, all by one member, are void and committed, while pages are read;

    `page_during_revoke_ms_max`: the slowest of these pages.
    """
    count = run.records // 2
    run.say(f"revoking the author of {count:,} changesets")
    community = found("revoked", members=1)
    writer = Writer(0, community.seeds[0])
    writer.community_id = community.id
    revocation = writer.revocation(public_key(community.seeds[1]))
    store = made(run.work / "revoked.sqlite3", community)
    try:
        by_member = replace(community, seeds=community.seeds[1:])
        fill(store, community, list(singles(by_member, list(things(count)))))
        assert store.lane_state(community.id, PUBLIC).count == count
        over = threading.Event()
        pages_ms: list[float] = []

        def read() -> None:
            while True:
                began = time.perf_counter()
                store.page(community=community.id, limit=PAGE)
                pages_ms.append((time.perf_counter() - began) * 1000)
                if over.wait(PAUSE_S):
                    return

        reader = threading.Thread(target=read, name="reader")
        reader.start()
        try:
            began = time.perf_counter()
            store.apply(community.id, AUTHORITY, [revocation], seen_ms=SEEN_MS)
            took = time.perf_counter() - began
        finally:
            over.set()
            reader.join()
        assert store.lane_state(community.id, PUBLIC).count == 0
    finally:
        store.close()
    run.figures["revoke_50k_s"] = round(took, 3)
    run.figures["page_during_revoke_ms_max"] = round(max(pages_ms), 1)


class Writer:
    """Writes as one founder and many members do, each on what they wrote before.

    What was made here a moment ago is not checked, so its signature is none.
    """

    def __init__(self, members: int, founder: bytes = bytes(31) + b"\1") -> None:
        """founder: the seed of the first steward."""
        further = (n.to_bytes(32, "big") for n in range(2, 2 * members + 2 * STEPS + 2))
        self.seeds = [founder, *further]
        self.founder = public_key(founder)
        self.people = [public_key(seed) for seed in self.seeds[1 : members + 1]]
        self.community_id = CHARTER_COMMUNITY
        self.heads: dict[bytes, bytes] = {}
        self.count = 0

    def act(
        self, author: bytes, kind: str, fields: Mapping[str, Value], refs: Iterable[bytes] = ()
    ) -> Checked:
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
        checked = Checked(decode(body), Signed(bytes(SIGNATURE_BYTES), body))
        self.heads[author] = checked.id
        return checked

    def community(self) -> Iterator[Checked]:
        """A charter; a grant for each; half are revoked and granted again; half have a device; the rest are acts of members."""
        members = len(self.people)
        charter = self.act(self.founder, CHARTER, {"name": "Valley", "founder": self.founder})
        self.community_id = charter.id
        yield charter
        for person in self.people:
            yield self.grant(person)
        for person in self.people[: members // 2]:
            revocation = self.revocation(person)
            yield revocation
            yield self.grant(person, revocation.id)
        for n in range(members // 2, members):
            yield self.device(self.people[n], self.seeds[members + 1 + n])
        while self.count < members * ACTS_A_MEMBER:
            yield self.act(self.people[self.count % (members // 2) + members // 2], "note", {})

    def more(self) -> Iterator[Checked]:
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

    def grant(self, person: bytes, *refs: bytes) -> Checked:
        fields: dict[str, Value] = {"person": person, "role": MEMBER, "table": self.community_id}
        return self.act(self.founder, GRANT, fields, refs)

    def revocation(self, person: bytes) -> Checked:
        fields: dict[str, Value] = {"person": person, "table": self.community_id, "heads": [], "without": []}
        return self.act(self.founder, "revocation", fields)

    def device(self, person: bytes, seed: bytes) -> Checked:
        signature = statements.state(statements.DEVICE, self.community_id + person, seed)
        fields: dict[str, Value] = {"person": person, "key": public_key(seed), "signature": signature}
        return self.act(person, "device", fields)
