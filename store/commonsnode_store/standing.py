"""Changesets out of the table, with what they say of records here, and the authority function over all that is held."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import cast

import msgpack

from commonsnode_protocol import authority as authorities
from commonsnode_protocol import changeset as changesets
from commonsnode_protocol.authority import Authority, Evaluator
from commonsnode_protocol.changeset import KEYS, MEMBERS, Change, Changeset
from commonsnode_protocol.errors import NotCanonical, NotWellFormed
from commonsnode_store import bodies
from commonsnode_store.connections import Connection
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Lane
from commonsnode_store.said import said

_SEALED_LANES = (MEMBERS, KEYS)  # where what is said of records is not what the body has


def read_changeset(db: Connection, id_: bytes, codec: int, kept: bytes) -> Changeset:
    """Decode a changeset of the table as it was signed. Raises Damaged where it is not the one with this id."""
    try:
        return changesets.decode(_body(db, id_, codec, kept))
    except (NotCanonical, NotWellFormed) as error:
        raise Damaged("changesets", f"{id_.hex()} is not well-formed: {error}") from error


def read_excerpt(
    db: Connection, id_: bytes, codec: int, kept: bytes, records: Collection[bytes]
) -> Changeset:
    """A changeset of the table with what it says of these records only."""
    try:
        found = changesets.excerpt(_body(db, id_, codec, kept), records)
    except ValueError as error:
        raise Damaged("changesets", f"{id_.hex()} is not well-formed: {error}") from error
    if found.lane not in _SEALED_LANES or not records:
        return found
    every = said(db, read_changeset(db, id_, codec, kept)).changes
    return replace(found, changes=[change for change in every if change[0] in records])


def read_changes(db: Connection, id_: bytes, codec: int, kept: bytes) -> Sequence[Change]:
    """What a changeset of the table says of records, unchecked: it was checked when it came, and its id is compared here."""
    try:
        _, _, lane, _, _, _, changes = msgpack.unpackb(_body(db, id_, codec, kept), raw=False)
    except (ValueError, msgpack.UnpackException) as error:
        raise Damaged("changesets", f"{id_.hex()} is not well-formed: {error}") from error
    if lane in _SEALED_LANES:
        return said(db, read_changeset(db, id_, codec, kept)).changes
    return cast(Sequence[Change], changes)


def _body(db: Connection, id_: bytes, codec: int, kept: bytes) -> bytes:
    body = bodies.unpack(db, codec, kept)
    if changesets.changeset_id(body) != id_:
        raise Damaged("changesets", f"the body of {id_.hex()} is not what was written")
    return body


def authority_of(db: Connection, lane: Lane) -> Authority:
    """What the changesets of a lane `authority` say. Raises Damaged."""
    return authorities.evaluate(lane.community, _held(db, lane))


def evaluator_of(db: Connection, lane: Lane) -> Evaluator:
    """All changesets of a lane `authority`, valued. Raises Damaged."""
    evaluator = Evaluator(lane.community)
    evaluator.add(_held(db, lane))
    return evaluator


def _held(db: Connection, lane: Lane) -> Iterator[Changeset]:
    # What waits or is void is among it: it has no effect while it does not stand, and is judged anew with all that comes.
    for id_, codec, body in db.execute(
        "select id, codec, body from changesets where lane = ? order by no", (lane.no,)
    ):
        yield read_changeset(db, id_, codec, body)
