"""Keys of the sealed lane come in, and what they open gets its effect: records are computed anew where it writes to them."""

from collections.abc import Mapping

from commonsnode_protocol.changeset import MEMBERS
from commonsnode_store import commitments, events
from commonsnode_store.connections import select_in
from commonsnode_store.lanes import Community
from commonsnode_store.said import keep_keys, said
from commonsnode_store.schema import STANDS, VOID, WAITS
from commonsnode_store.settling import settle
from commonsnode_store.standing import read_changes, read_changeset
from commonsnode_store.transaction import Transaction


def learn(transaction: Transaction, community: Community, keys: Mapping[bytes, bytes]) -> int:
    """Keep keys (commitment → key), and merge what they open; how many changesets that is."""
    db = transaction.db
    new = keep_keys(db, community.id, keys)
    lane = transaction.before.lanes.get((community.id, MEMBERS))
    if not new or lane is None:
        return 0
    sql = (
        "select distinct no, id, author, standing, codec, body from unopened join changesets on no = changeset"
        " where lane = ? and commitment in ({})"
    )
    rows = list(select_in(db, sql, new, lane.no))
    db.executemany(
        "delete from unopened where commitment = ? and changeset in (select no from changesets where lane = ?)",
        [(commitment, lane.no) for commitment in new],
    )
    opened = {
        standing: sorted({row[0] for row in rows if row[3] == standing}) for standing in (STANDS, WAITS)
    }
    for _, id_, author, _, codec, body in rows:
        changeset = said(db, read_changeset(db, id_, codec, body))
        commitments.note(db, lane.no, [(author, changeset)])
        events.note(db, lane.no, [changeset])
        transaction.concerned.changes(lane, [changeset])
    settle(transaction, lane, opened[STANDS], [], opened[WAITS])
    touches = {
        (lane.no, record, transaction.numbers.kind(kind), no)
        for no, id_, _, standing, codec, body in rows
        if standing == VOID
        for record, kind, _ in read_changes(db, id_, codec, body)
    }
    db.executemany("insert or ignore into void_touches values (?, ?, ?, ?)", sorted(touches))
    return len({row[0] for row in rows})
