"""Signed changesets of made-up things, as a node would have written them: many in one, or one each."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import cast

from bench.things import Fields
from commonsnode_protocol.authority import CHARTER, GRANT, MEMBER
from commonsnode_protocol.canonical import Value, pack
from commonsnode_protocol.changeset import (
    AUTHORITY,
    CHARTER_COMMUNITY,
    PUBLIC,
    Change,
    Signed,
    Write,
    build,
    decode,
    public_key,
    sign,
)
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.limits import CHANGES_MAX, CHANGESET_BYTES_MAX
from commonsnode_protocol.record import imported_id, typed_id

KIND = "resource"
SOURCE = "bench"
ENVELOPE_BYTES = 256
MEMBERS = 40  # who write the single changesets
BEGIN_MS = 1_577_836_800_000  # 1 January 2020
YEARS_MS = 5 * 365 * 86_400_000  # over which the single ones are spread


@dataclass(frozen=True, slots=True)
class Founded:
    """A community: its lane `authority`, and the seeds of those who may write."""

    id: bytes
    authority: tuple[Signed, ...]
    seeds: tuple[bytes, ...]


def seed_of(name: str) -> bytes:
    """32 bytes, the same for the same name."""
    return blake2b(name.encode(), digest_size=32).digest()


def found(name: str, members: int = MEMBERS) -> Founded:
    """A community with this name, a founder, and members whom the founder admitted."""
    founder = seed_of(f"{name}/founder")
    key = public_key(founder)
    nonce = seed_of(f"{name}/nonce")[:16]
    charter = _signed(
        CHARTER_COMMUNITY,
        AUTHORITY,
        founder,
        BEGIN_MS,
        (),
        (typed_id(CHARTER_COMMUNITY, key, nonce), CHARTER, {"nonce": nonce, "name": name, "founder": key}),
    )
    community, last = charter.id, charter.id
    log, seeds = [charter], [founder]
    for number in range(members):
        seed = seed_of(f"{name}/member/{number}")
        nonce = seed_of(f"{name}/grant/{number}")[:16]
        values: dict[str, Value] = {
            "nonce": nonce,
            "person": public_key(seed),
            "role": MEMBER,
            "table": community,
        }
        grant = _signed(
            community,
            AUTHORITY,
            founder,
            BEGIN_MS + 1 + number,
            (last,),
            (typed_id(community, key, nonce), GRANT, values),
        )
        last = grant.id
        log.append(grant)
        seeds.append(seed)
    return Founded(community, tuple(log), tuple(seeds))


def packed(community: Founded, things: Iterable[Fields]) -> Iterator[Signed]:
    """As an import writes them: up to 256 things and 64 KiB in one, all by the founder, one after the other."""
    author = public_key(community.seeds[0])
    refs: tuple[bytes, ...] = ()
    time = BEGIN_MS
    for part in _parts(community.id, things):
        time += 1
        body = build(
            community=community.id, lane=PUBLIC, author=author, time=time, refs=refs, changes=sorted(part)
        )
        signed = sign(body, community.seeds[0])
        refs = (signed.id,)
        yield signed


def singles(community: Founded, things: Sequence[Fields]) -> Iterator[Signed]:
    """As people type them: one thing each, over five years, by the members, each building on the author's last."""
    chance = random.Random(len(things))
    times = sorted(chance.sample(range(YEARS_MS), len(things)))
    keys = [public_key(seed) for seed in community.seeds]
    last: dict[bytes, bytes] = {}
    for thing, time in zip(things, times, strict=True):
        at = chance.randrange(len(keys))
        author, nonce = keys[at], chance.randbytes(16)
        writes = _writes({**thing, "nonce": nonce})
        refs = (last[author],) if author in last else ()
        body = build(
            community=community.id,
            lane=PUBLIC,
            author=author,
            time=BEGIN_MS + 1_000 + time,
            refs=refs,
            changes=[(typed_id(community.id, author, nonce), KIND, writes)],
        )
        signed = sign(body, community.seeds[at])
        last[author] = signed.id
        yield signed


def own(signed: Signed) -> Checked:
    """What was made here a moment ago, and needs no check."""
    return Checked(decode(signed.body), signed)


def bytes_of(changesets: Iterable[Signed]) -> int:
    """Signatures and bodies, before compression."""
    return sum(len(signed.signature) + len(signed.body) for signed in changesets)


def _signed(
    community: bytes,
    lane: str,
    seed: bytes,
    time: int,
    refs: tuple[bytes, ...],
    change: tuple[bytes, str, dict[str, Value]],
) -> Signed:
    record, kind, values = change
    writes = {name: (value, ()) for name, value in values.items()}
    body = build(
        community=community,
        lane=lane,
        author=public_key(seed),
        time=time,
        refs=refs,
        changes=[(record, kind, writes)],
    )
    return sign(body, seed)


def _writes(fields: Fields) -> dict[str, Write]:
    return {name: (cast(Value, value), ()) for name, value in fields.items()}


def _parts(community: bytes, things: Iterable[Fields]) -> Iterator[list[Change]]:
    part: list[Change] = []
    size = ENVELOPE_BYTES
    for thing in things:
        record = imported_id(community, KIND, SOURCE, str(thing["title"]))
        change = (record, KIND, _writes(thing))
        cost = len(pack([record, KIND, {name: [value, []] for name, (value, _) in change[2].items()}]))
        if part and (len(part) == CHANGES_MAX or size + cost > CHANGESET_BYTES_MAX):
            yield part
            part, size = [], ENVELOPE_BYTES
        part.append(change)
        size += cost
    if part:
        yield part
