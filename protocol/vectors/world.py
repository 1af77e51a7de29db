"""The people and the community of the vectors, for the scripts beside this file. None of these keys may be used elsewhere."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import (
    AUTHORITY,
    PUBLIC,
    Signed,
    Write,
    build,
    changeset_id,
    public_key,
    sign,
)
from commonsnode_protocol.record import typed_id

FOUNDER_SEED, ANA_SEED, BEN_SEED, EVE_SEED = (bytes([n]) * 32 for n in (1, 2, 3, 4))
FOUNDER, ANA, BEN, EVE = map(public_key, (FOUNDER_SEED, ANA_SEED, BEN_SEED, EVE_SEED))
SEEDS = {FOUNDER: FOUNDER_SEED, ANA: ANA_SEED, BEN: BEN_SEED, EVE: EVE_SEED}
NONCE = bytes(range(16))
TIME = 1_764_000_000_000  # 2025-11-24T16:00:00Z

Fields: TypeAlias = Mapping[str, Write]
Rows: TypeAlias = Sequence[tuple[bytes, str, Fields]]


def plain(**values: Value) -> dict[str, Write]:
    """Fields that supersede nothing."""
    return {name: (value, ()) for name, value in values.items()}


def body(
    author: bytes,
    changes: Rows,
    *,
    community: bytes,
    lane: str = PUBLIC,
    time: int = TIME,
    refs: Sequence[bytes] = (),
) -> bytes:
    return build(community=community, lane=lane, author=author, time=time, refs=sorted(refs), changes=changes)


def charter_body(name: str = "Valley", **other: Value) -> bytes:
    fields = plain(nonce=NONCE, name=name, founder=FOUNDER) | plain(**other)
    return body(FOUNDER, [(typed_id(b"", FOUNDER, NONCE), "charter", fields)], community=b"", lane=AUTHORITY)


CHARTER = charter_body()
COMMUNITY = changeset_id(CHARTER)


def grant_body(
    person: Value, role: Value = "member", *, author: bytes = FOUNDER, time: int = TIME + 1
) -> bytes:
    nonce = time.to_bytes(16, "big")
    fields = plain(nonce=nonce, person=person, role=role, table=COMMUNITY)
    record = typed_id(COMMUNITY, author, nonce)
    return body(
        author, [(record, "grant", fields)], community=COMMUNITY, lane=AUTHORITY, time=time, refs=[COMMUNITY]
    )


def thing_body(
    author: bytes, title: str = "Drill", *, time: int = TIME, lane: str = PUBLIC, nonce: bytes = NONCE
) -> bytes:
    record = typed_id(COMMUNITY, author, nonce)
    return body(
        author,
        [(record, "resource", plain(nonce=nonce, title=title))],
        community=COMMUNITY,
        lane=lane,
        time=time,
    )


def signed(body_: bytes, author: bytes) -> Signed:
    return sign(body_, SEEDS[author])
