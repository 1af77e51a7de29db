"""After a change of authority, or when what came reaches what is void: what was held falls, or stands (again).  Rule 26.

What fell is kept with its bytes and is offered to nobody. Sets, heads and records follow by what changed alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from commonsnode_protocol.authority import Evaluator
from commonsnode_protocol.authority.view import ALWAYS, NEVER
from commonsnode_protocol.changeset import AUTHORITY
from commonsnode_store import chains, rising
from commonsnode_store.connections import Connection, select_in
from commonsnode_store.lanes import Lane
from commonsnode_store.said import RECORD_LANES
from commonsnode_store.schema import STANDS, VOID, WAITS
from commonsnode_store.settling import settle
from commonsnode_store.transaction import Transaction
from commonsnode_store.walks import Held, Walked, held_of, refs_of


@dataclass(slots=True)
class Moved:
    """By lane, the ids of what was held and stands now, and of what stood and does no more."""

    risen: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    fallen: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    def add(self, lane: Lane, rose: Iterable[bytes], fell: Iterable[bytes] = ()) -> None:
        for of, ids in ((self.risen, tuple(rose)), (self.fallen, tuple(fell))):
            if ids:
                of[lane.name] = of.get(lane.name, ()) + ids


def follow_authority(
    transaction: Transaction, evaluator: Evaluator, authors: Collection[bytes], moved: Moved
) -> None:
    """Judge anew what is held of these authors in each data lane."""
    db = transaction.db
    numbers = [
        (no, key)
        for no, key in select_in(db, "select no, key from authors where key in ({})", sorted(authors))
    ]
    for lane in transaction.before.lanes_of(evaluator.community):
        if lane.name == AUTHORITY:
            continue
        waits, voids = (_authors(db, lane, standing) for standing in (WAITS, VOID))
        simple: list[int] = []
        for no, key in numbers:
            if evaluator.verdict(key, lane.name) != ALWAYS:
                _judge(transaction, evaluator, lane, no, key, moved)
                continue
            transaction.walks.drop(lane, no)
            if no in voids:
                rose = held_of(db, lane, no, f"standing <> {STANDS}")
                _move(transaction, lane, no, rose, [])
                moved.add(lane, (held.id for held in rose))
            elif no in waits:
                simple.append(no)
        if simple:
            moved.add(lane, rising.rise(transaction, lane, simple))


def reached(transaction: Transaction, lane: Lane, author: int, walked: Walked, ids: Iterable[bytes]) -> None:
    """Let stand what is held of an author who was cut, and what a walk came to when more was added."""
    rows = _held(transaction.db, ids)
    _move(transaction, lane, author, rows, [], walked.refs)


def follow_acts(
    transaction: Transaction, evaluator: Evaluator, rose: Collection[bytes], fell: Collection[bytes]
) -> None:
    """The same in lane `authority`, where the evaluator has said what rose and fell of what was held."""
    if not rose and not fell:
        return
    db, lane = transaction.db, transaction.before.lane(evaluator.community, AUTHORITY)
    up, down = _held(db, rose), _held(db, fell)
    _update(transaction, lane, up, down)
    authors = select_in(
        db,
        "select distinct authors.no, key from changesets join authors on authors.no = author where id in ({})",
        [*rose, *fell],
    )
    for author, key in dict(authors).items():
        own = evaluator.pool.by_author.get(key, {})
        _renew_heads(db, lane, author, {id_: entry.changeset.refs for id_, entry in own.items()})


def _judge(
    transaction: Transaction, evaluator: Evaluator, lane: Lane, author: int, key: bytes, moved: Moved
) -> None:
    """An author who was cut, or of whom nothing stands."""
    db, verdict = transaction.db, evaluator.verdict(key, lane.name)
    if verdict == NEVER:
        transaction.walks.drop(lane, author)
        rose: list[Held] = []
        fell = held_of(db, lane, author, f"standing = {STANDS}")
        refs = None
    else:
        walked = transaction.walks.of(db, lane, author, key, verdict)
        refs = walked.refs
        held = held_of(db, lane, author)
        rose = [each for each in held if each.standing != STANDS and each.id in walked.standing]
        fell = [each for each in held if each.standing == STANDS and each.id not in walked.standing]
    _move(transaction, lane, author, rose, fell, refs)
    moved.add(lane, (each.id for each in rose), (each.id for each in fell))


def _move(
    transaction: Transaction,
    lane: Lane,
    author: int,
    rose: Sequence[Held],
    fell: Sequence[Held],
    refs: Mapping[bytes, Sequence[bytes]] | None = None,
) -> None:
    """refs: of all that is held of this author in this lane, where they are known."""
    if not rose and not fell:
        return
    db = transaction.db
    _update(transaction, lane, rose, fell)
    if refs is None:
        refs = dict(refs_of(db, lane, author, f"standing <> {VOID}"))
    _renew_heads(db, lane, author, refs)
    if lane.name in RECORD_LANES:
        transaction.concerned.times(lane, chains.renew(db, lane, author, refs))
    settle(transaction, lane, [held.no for held in rose], [held.no for held in fell])


def _update(transaction: Transaction, lane: Lane, rose: Sequence[Held], fell: Sequence[Held]) -> None:
    """The set of what stands in a lane."""
    db, edit = transaction.db, transaction.lane(lane)
    for standing, rows in ((VOID, fell), (STANDS, rose)):
        db.executemany(
            f"update changesets set standing = {standing} where no = ?", [(held.no,) for held in rows]
        )
    db.executemany("delete from missing_refs where ref = ?", [(held.id,) for held in rose])
    if fell:
        edit.remove([(held.time, held.id) for held in fell])
    if rose:
        edit.add([(held.time, held.id) for held in rose])


def _renew_heads(db: Connection, lane: Lane, author: int, refs: Mapping[bytes, Sequence[bytes]]) -> None:
    """refs: of each changeset of this author and lane that stands or waits; of void ones, too, as it comes."""
    db.execute("delete from heads where lane = ? and author = ?", (lane.no, author))
    kept = held_of(db, lane, author, f"standing <> {VOID}")
    named = {ref for held in kept for ref in refs[held.id]}
    db.executemany(
        "insert into heads values (?, ?, ?)",
        [(lane.no, author, held.no) for held in kept if held.id not in named],
    )


def _held(db: Connection, ids: Iterable[bytes]) -> list[Held]:
    rows = select_in(db, "select no, id, time, standing from changesets where id in ({})", [*ids])
    return sorted(Held(*row) for row in rows)


def _authors(db: Connection, lane: Lane, standing: int) -> set[int]:
    """The authors of what waits, or is void, in a lane."""
    rows = db.execute(
        f"select distinct author from changesets where standing = {standing} and lane = ?", (lane.no,)
    )
    return {no for (no,) in rows}
