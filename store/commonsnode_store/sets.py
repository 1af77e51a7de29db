"""Sets of changesets: what a community holds of them, and single ones by their ids."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from commonsnode_protocol.authority import Authority
from commonsnode_protocol.changeset import AUTHORITY, Changeset, Signed, changeset_id
from commonsnode_store import bodies
from commonsnode_store.answers import CommunityInfo
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.errors import Damaged
from commonsnode_store.lanes import Community, Followed, Lane
from commonsnode_store.ordering import in_order_of_refs
from commonsnode_store.schema import STANDS, VOID, WAITS
from commonsnode_store.standing import read_excerpt
from commonsnode_store.walks import refs_of


def describe(db: Connection, community: Community, followed: Followed) -> CommunityInfo:
    """What is held of a community."""
    lanes = followed.lanes_of(community.id)
    records, sealed = db.execute(
        "select sum(records), sum(case when name = 'members' then records end) from lanes where community = ?",
        (community.no,),
    ).fetchone()
    waiting = sum(
        db.execute("select count(*) from changesets where standing = 0 and lane = ?", (lane.no,)).fetchone()[
            0
        ]
        for lane in lanes
    )
    return CommunityInfo(
        community.id,
        community.name,
        tuple(lane.name for lane in lanes),
        records or 0,
        sum(lane.state.count for lane in lanes),
        waiting,
        community.stopped,
        sealed or 0,
    )


def fetch(db: Connection, lane: Lane, ids: Sequence[bytes], *, waiting: bool = False) -> list[Signed]:
    """Those that stand, or wait where asked for, in the order asked. Raises Damaged where one is not what its id says."""
    rows = select_in(
        db,
        "select id, codec, signature, body from changesets"
        " where lane = ? and standing in (1, ?) and id in ({})",
        ids,
        lane.no,
        WAITS if waiting else STANDS,
    )
    found: dict[bytes, Signed] = {}
    for id_, codec, signature, kept in rows:
        body = bodies.unpack(db, codec, kept)
        if changeset_id(body) != id_:
            raise Damaged("changesets", f"the body of {id_.hex()} is not what was written")
        found[id_] = Signed(signature, body)
    return [found[id_] for id_ in ids if id_ in found]


def excerpts(db: Connection, lane: Lane, ids: Sequence[bytes], records: Collection[bytes]) -> list[Changeset]:
    """What those of these changesets that stand say of these records. Raises Damaged."""
    rows = select_in(
        db,
        "select id, codec, body from changesets where lane = ? and standing = 1 and id in ({})",
        ids,
        lane.no,
    )
    return [read_excerpt(db, id_, codec, kept, records) for id_, codec, kept in rows]


def heads(db: Connection, lane: Lane, author: bytes) -> list[tuple[bytes, int]]:
    """(id, time), by id."""
    return db.execute(
        "select changesets.id, changesets.time from heads cross join changesets on changesets.no = heads.changeset"
        " where heads.lane = ? and heads.author = (select no from authors where key = ?) order by changesets.id",
        (lane.no, author),
    ).fetchall()


def facts(db: Connection, ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, int, int]]:
    """By id: author, time, and when it was first seen here."""
    rows = select_in(
        db,
        "select id, key, time, seen_ms from changesets cross join authors on authors.no = author where id in ({})",
        ids,
    )
    return {id_: (author, time, seen_ms) for id_, author, time, seen_ms in rows}


def held(
    db: Connection, lanes: Iterable[Lane], keys: Iterable[bytes], *, void: bool = False
) -> dict[tuple[bytes, str], dict[bytes, Sequence[bytes]]]:
    """By key and lane, of what stands, or with `void` of what stood once: id → refs. Raises Damaged."""
    found: dict[tuple[bytes, str], dict[bytes, Sequence[bytes]]] = {}
    numbers = list(select_in(db, "select no, key from authors where key in ({})", sorted(set(keys))))
    for lane in lanes:
        for no, key in numbers:
            standing = dict(refs_of(db, lane, no, f"standing = {VOID if void else STANDS}"))
            if standing:
                found[key, lane.name] = standing
    return found


def standing_ids(db: Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these that stand."""
    return {
        id_ for (id_,) in select_in(db, "select id from changesets where standing = 1 and id in ({})", ids)
    }


class _Sent(NamedTuple):
    id: bytes
    time: int
    refs: Sequence[bytes]


def sending_order(db: Connection, lane: Lane, authority: Authority, ids: Sequence[bytes]) -> list[bytes]:
    """The same ids as they are to be sent: of authors who were cut, each before those that it refs (rule 25).

    All others come first, as before. Raises Damaged.
    """
    if lane.name == AUTHORITY or not authority.cut:
        return list(ids)
    keys = select_in(
        db, "select id, key from changesets join authors on authors.no = author where id in ({})", ids
    )
    rows = select_in(
        db,
        "select id, codec, body from changesets where id in ({})",
        [id_ for id_, key in keys if key in authority.cut],
    )
    theirs = [
        _Sent(id_, excerpt.time, excerpt.refs)
        for id_, codec, body in rows
        for excerpt in (read_excerpt(db, id_, codec, body, ()),)
    ]
    ordered = [changeset.id for changeset in reversed(in_order_of_refs(theirs))]
    last = set(ordered)
    return [*(id_ for id_ in ids if id_ not in last), *ordered]
