"""What a changeset says of records, by its lane: what it writes; what its boxes hold that open here; or nothing.  Rules 7 and 40.

The one place where sealed changes are opened. A box whose key is not here has no effect yet, and is noted in `unopened`; one that
holds no changes never has any. Lane `public` and `knowledge` pass through without a look at the keys.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from commonsnode_protocol.changeset import KEYS, KNOWLEDGE, MEMBERS, PUBLIC, Changeset
from commonsnode_protocol.epochs import commitment_of
from commonsnode_protocol.sealing import sealed_under, unseal
from commonsnode_store.connections import select_in

RECORD_LANES = (PUBLIC, KNOWLEDGE, MEMBERS)  # of the others nothing becomes a record


def said(db: sqlite3.Connection, changeset: Changeset) -> Changeset:
    """The same changeset with the changes that have effect here."""
    if changeset.lane == MEMBERS:
        keys = keys_of(db, changeset.community, sealed_under(changeset))
        return replace(changeset, changes=unseal(changeset, keys))
    return replace(changeset, changes=()) if changeset.lane == KEYS else changeset


def unopened(db: sqlite3.Connection, changesets: Iterable[tuple[int, Changeset]]) -> list[tuple[bytes, int]]:
    """(commitment, number) of every box of lane `members` whose key is not here. changesets: with their numbers."""
    found: list[tuple[bytes, int]] = []
    for no, changeset in changesets:
        if changeset.lane == MEMBERS:
            under = sealed_under(changeset)
            here = keys_of(db, changeset.community, under)
            found += [(commitment, no) for commitment in sorted(under) if commitment not in here]
    return found


def keys_of(
    db: sqlite3.Connection, community: bytes, commitments: Iterable[bytes] | None = None
) -> dict[bytes, bytes]:
    """commitment → key, of those that are here; of all of a community where none are named."""
    if commitments is None:
        return dict(db.execute("select commitment, key from epoch_keys where community = ?", (community,)))
    sql = "select commitment, key from epoch_keys where community = ? and commitment in ({})"
    return dict(select_in(db, sql, list(commitments), community))


def keep_keys(db: sqlite3.Connection, community: bytes, keys: Mapping[bytes, bytes]) -> Sequence[bytes]:
    """Keep keys; the commitments of those that are new. Raises ValueError where one is not what it is said to be."""
    if any(commitment_of(key) != commitment for commitment, key in keys.items()):
        raise ValueError("a key that is not of its commitment")
    new = sorted(keys.keys() - keys_of(db, community, keys).keys())
    db.executemany("insert into epoch_keys values (?, ?, ?)", [(community, of, keys[of]) for of in new])
    return new
