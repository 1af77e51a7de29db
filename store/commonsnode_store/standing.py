"""Which changesets of a batch stand: the authority function over what is held and what came.  Rules 5, 24 and 26."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from commonsnode_protocol import authority as authorities
from commonsnode_protocol import changeset as changesets
from commonsnode_protocol.authority import Authority
from commonsnode_protocol.changeset import AUTHORITY, Changeset
from commonsnode_protocol.errors import NotCanonical, NotWellFormed
from commonsnode_store import bodies
from commonsnode_store.connections import Connection
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Community, Lane
from commonsnode_store.transaction import Transaction

INVALID_CHARTER = "its charter is not valid"


def read_changeset(db: Connection, id_: bytes, codec: int, kept: bytes) -> Changeset:
    """Decode a changeset of the table. Raises Damaged where it is not the one with this id."""
    try:
        return changesets.decode(_body(db, id_, codec, kept))
    except (NotCanonical, NotWellFormed) as error:
        raise Damaged("changesets", f"{id_.hex()} is not well-formed: {error}") from error


def read_excerpt(
    db: Connection, id_: bytes, codec: int, kept: bytes, records: Collection[bytes]
) -> Changeset:
    """As `read_changeset`, but with the changes of these records only."""
    try:
        return changesets.excerpt(_body(db, id_, codec, kept), records)
    except ValueError as error:
        raise Damaged("changesets", f"{id_.hex()} is not well-formed: {error}") from error


def _body(db: Connection, id_: bytes, codec: int, kept: bytes) -> bytes:
    body = bodies.unpack(db, codec, kept)
    if changesets.changeset_id(body) != id_:
        raise Damaged("changesets", f"the body of {id_.hex()} is not what was written")
    return body


def authority_of(db: Connection, lane: Lane) -> Authority:
    """What the changesets of a lane `authority` say. Raises Damaged."""
    return authorities.evaluate(lane.community, _held(db, lane))


def judge(
    transaction: Transaction, community: Community, lane: Lane, before: Authority, new: Sequence[Changeset]
) -> Authority:
    """What the authority is once `new`, changesets of `lane` that are not held, are judged with what is.

    Only the lane `authority` changes it. A charter that breaks its rules stops the community.
    """
    if lane.name != AUTHORITY or not new:
        return before
    charter = next((changeset for changeset in new if changeset.is_charter), None)
    if charter is not None and authorities.charter_table(charter) is None:
        transaction.stop(community, INVALID_CHARTER)
        return before
    after = authorities.evaluate(lane.community, (*_held(transaction.db, lane), *new))
    if after != before:
        transaction.authorities[community.id] = after
    if after.table is not None and after.table.name != community.name:
        transaction.rename(community, after.table.name)
    return after


def waiting_authors(db: Connection, lane: Lane) -> Iterable[tuple[int, bytes]]:
    """Number and key of the authors of what waits in a lane."""
    return db.execute(
        "select distinct author, key from changesets join authors on authors.no = author"
        " where standing = 0 and lane = ?",
        (lane.no,),
    ).fetchall()


def _held(db: Connection, lane: Lane) -> Iterator[Changeset]:
    # What waits is among it: it has no effect while it does not stand, and it is judged anew with each that comes.
    for id_, codec, body in db.execute(
        "select id, codec, body from changesets where lane = ? order by no", (lane.no,)
    ):
        yield read_changeset(db, id_, codec, body)
