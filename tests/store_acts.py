"""Short words for what people do at a store: each act is written from what that store holds, signed, and taken in there."""

from collections.abc import Mapping, Sequence

from authority_universe import KEYS
from authority_world import dated, founded, key_of, nonce, seed_of
from commonsnode_protocol.authority import MEMBER, writing
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, PUBLIC, Changeset, build, decode, sign
from commonsnode_protocol.intake import Checked, check
from commonsnode_store.answers import Applied
from commonsnode_store.store import Store

NOW = 1_700_000_000_000
SEEDS: Mapping[bytes, bytes] = {key_of(name): seed_of(name) for name in (*KEYS, "BR", "Y", "Z")}
CHARTER_OF_F = founded("F")
VALLEY = CHARTER_OF_F.id


def signed(changeset: Changeset) -> Checked:
    """As if a peer had sent it; by the key of its author."""
    body = build(
        community=changeset.community, lane=changeset.lane, author=changeset.author, time=changeset.time,
        refs=changeset.refs,
        changes=[
            (record, kind, {field: (value, tuple(at)) for field, (value, at) in fields.items()})
            for record, kind, fields in changeset.changes
        ],
    )  # fmt: skip
    its = sign(body, SEEDS[changeset.author])
    assert its.id == changeset.id
    return Checked(changeset, its)


def take(store: Store, *batch: Checked, own: bool = False) -> Applied:
    """All of one lane."""
    return store.apply(VALLEY, batch[0].changeset.lane, batch, seen_ms=NOW, own=own)


def written(draft: Draft, author: str = "F") -> Checked:
    """Dated and signed."""
    return signed(dated(draft, key_of(author)))


def act(store: Store, author: str, draft: Draft) -> Checked:
    """Date and sign it, and take it in."""
    its = written(draft, author)
    take(store, its)
    return its


def grant(store: Store, person: str, role: str = MEMBER, by: str = "F") -> Checked:
    held = store.evaluator(VALLEY)
    return act(store, by, writing.grant(held, key_of(by), nonce(), key_of(person), role))


def draft_revocation(store: Store, person: str, by: str = "F") -> Draft:
    data = store.held(VALLEY, [key_of(person)])
    return writing.revocation(
        store.evaluator(VALLEY),
        key_of(by),
        nonce(),
        key_of(person),
        data,
        lambda id_: bool(store.standing([id_])),
    )


def naming(
    store: Store, things: Sequence[Checked], person: str = "M", without: Sequence[bytes] = ()
) -> Draft:
    """A revocation that lets these stand, and what they build on."""
    held = {(key_of(person), PUBLIC): {each.id: each.changeset.refs for each in things}}
    return writing.revocation(
        store.evaluator(VALLEY), key_of("F"), nonce(), key_of(person), held, lambda id_: id_ not in without
    )


def revoke(store: Store, person: str, by: str = "F") -> Checked:
    return act(store, by, draft_revocation(store, person, by))


def thing(
    author: str, record: bytes, title: Value = "Drill", refs: Sequence[Checked] = (), over: Sequence[Checked] = (),
    lane: str = PUBLIC, kind: str = "resource",
) -> Checked:  # fmt: skip
    """A title for a record; over: what it supersedes, and refs."""
    every = sorted({each.id for each in (*refs, *over)})
    at = [every.index(id_) for id_ in sorted({each.id for each in over})]
    body = build(
        community=VALLEY, lane=lane, author=key_of(author), time=1, refs=every,
        changes=[(record, kind, {"title": (title, at)})],
    )  # fmt: skip
    return signed(decode(body))


def chain(
    author: str, count: int, first: int = 0, before: Sequence[Checked] = (), lane: str = PUBLIC
) -> list[Checked]:
    """Things one after the other, each a record of its own and with the one before among its refs."""
    things: list[Checked] = []
    for n in range(first, first + count):
        record = author.encode().ljust(8, b".") + n.to_bytes(8, "big")
        things.append(
            thing(
                author, record, f"Thing {n}", refs=[*things[-1:], *(before if n == first else ())], lane=lane
            )
        )
    return things


def copy(one: Store, other: Store) -> None:
    """What stands at one is taken in at the other, each lane judged together (rule 25)."""
    for lane in other.communities()[0].lanes:
        with one.reconciliation(VALLEY, lane) as storage:
            ids = [id_ for _, id_ in storage.items(0, storage.size())]
        batch = [
            check(VALLEY, lane, each) for each in one.fetch(VALLEY, lane, other.missing(VALLEY, lane, ids))
        ]
        other.apply(VALLEY, lane, [each for each in batch if isinstance(each, Checked)], seen_ms=NOW)


def states(store: Store, lanes: Sequence[str]) -> list[object]:
    return [store.lane_state(VALLEY, lane) for lane in (AUTHORITY, *lanes)]
