"""People: admit them, take a role back, admit them again, and adopt what they wrote. For the writer thread, on an Author."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass

from commonsnode.authoring import Author
from commonsnode.errors import Conflict, Unknown, WrongField
from commonsnode.governing import as_steward, data_of, key_of, keys_of, one_of, standing_in
from commonsnode_protocol.authority import GRANTED_ROLES, MEMBER, MIRROR, STEWARD, Evaluator, writing
from commonsnode_protocol.authority.cuts import cut_of
from commonsnode_protocol.authority.writing import Held
from commonsnode_protocol.record import NONCE_BYTES
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Granted:
    """An admitted key. changeset: None where it was admitted already."""

    person: bytes
    role: str
    changeset: bytes | None
    waiting: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """Whose role was taken back. named: how many changesets of theirs were named as the last that stand."""

    person: bytes
    role: str
    changeset: bytes
    named: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """What of a record stands again, and the acts that let it."""

    record: bytes
    adopted: tuple[bytes, ...]
    changesets: tuple[bytes, ...]


def grant(
    author: Author, community: bytes, person: str, role: str, random_bytes: RandomBytes = os.urandom
) -> Granted:
    """Admit a person, also again, named by the key that their node shows as `id` (64 hexadecimal digits).

    A member becomes a mirror by a revocation and a grant in one changeset (rule 19).
    Raises WrongField, and Conflict where this node is no steward, or the person is one.
    """
    key = key_of(person)
    if role not in GRANTED_ROLES:
        raise WrongField("role", f"one of {', '.join(GRANTED_ROLES)}")
    held = as_steward(author, community, "admit people")
    member = held.members.get(key)
    if member is not None and member.role == STEWARD:
        raise Conflict("that is a steward of this community already")
    if member is not None and member.role == role:
        return Granted(key, role, None, False)
    nonce = random_bytes(NONCE_BYTES)
    if member is not None and (member.role, role) == (MEMBER, MIRROR):
        keys = keys_of(held, key)
        data = data_of(author.store, community, keys)
        stands = standing_in(held, data, author.store, keys)
        nonces = nonce, random_bytes(NONCE_BYTES)
        draft = writing.demotion(held, author.key, nonces, key, role, data, stands)
    else:
        draft = writing.grant(held, author.key, nonce, key, role)
    written = author.act(community, draft)
    return Granted(key, role, written.ids[-1], written.waiting)


def revoke(author: Author, community: bytes, person: str, random_bytes: RandomBytes = os.urandom) -> Revoked:
    """Take a person's role back. What of theirs stands here, stays; nothing that they write from now on is taken.

    person: the key, or an unambiguous beginning of it. Raises Unknown, Ambiguous; Conflict where this node is no steward,
    where the person has no role or is a steward, and where a lane is not followed here.
    """
    held = as_steward(author, community, "revoke people")
    key = _admitted(held, person)
    role = held.members[key].role
    if role == STEWARD:
        raise Conflict(
            "that is a steward, whom stewards remove together: commonsnode steward propose --remove ID"
        )
    keys = keys_of(held, key)
    data = data_of(author.store, community, keys)
    stands = standing_in(held, data, author.store, keys)
    draft = writing.revocation(held, author.key, random_bytes(NONCE_BYTES), key, data, stands)
    cut = cut_of({name: value for name, (value, _) in draft.changes[0][2].items()})
    named = sum(map(len, cut.heads.values())) if cut is not None else 0
    return Revoked(key, role, author.act(community, draft).ids[-1], named)


def adopt(author: Author, ref: RecordRef, random_bytes: RandomBytes = os.urandom) -> Adopted:
    """Let stand again what was written to a record, or to its half, and has no effect since its author's role was taken back
    (rule 17).

    A new revocation names it beside all that stands; who has a role again keeps it. Raises Unknown where nothing is void,
    and Conflict where this node is no steward, or does not follow a lane.
    """
    held = as_steward(author, ref.community, "adopt what a former member wrote")
    both = [each for each in (ref, author.store.half(ref)) if each is not None]
    wanted = {
        write.changeset: write.author
        for each in both
        for writes in author.store.void(each).values()
        for write in writes
    }
    persons = {person for key in wanted.values() for person in held.authority.persons_of(key)}
    if not persons:
        raise Unknown("nothing that was written to this is without effect by a revocation")
    changesets: list[bytes] = []
    for person in sorted(persons):
        keys = keys_of(held, person)
        data = _with(data_of(author.store, ref.community, keys), author.store, ref, keys, wanted.keys())
        stands = standing_in(held, data, author.store, keys)
        member = held.members.get(person)
        if member is None:
            draft = writing.revocation(held, author.key, random_bytes(NONCE_BYTES), person, data, stands)
        elif member.role == STEWARD:
            raise Conflict("its author is a steward again; edit it anew instead")
        else:
            nonces = random_bytes(NONCE_BYTES), random_bytes(NONCE_BYTES)
            draft = writing.demotion(held, author.key, nonces, person, member.role, data, stands)
        changesets += author.act(ref.community, draft).ids
    return Adopted(ref.record, tuple(sorted(author.store.standing(list(wanted)))), tuple(changesets))


def _with(
    data: Held, store: Store, ref: RecordRef, keys: Collection[bytes], wanted: Collection[bytes]
) -> Held:
    """What stands, and with it those of the void changesets that are wanted; what is void beside them stays so."""
    merged = {of: dict(standing) for of, standing in data.items()}
    for of, void in store.held(ref.community, keys, void=True).items():
        merged.setdefault(of, {}).update({id_: refs for id_, refs in void.items() if id_ in wanted})
    return merged


def _admitted(held: Evaluator, text: str) -> bytes:
    """The person with a role whose key begins so; who has none any more is told from who never had one."""
    try:
        return one_of(held.members.keys(), text, "member")
    except Unknown:
        removed = [key for key in held.people if key.hex() == text.strip().lower()]
        if removed:
            raise Conflict("that person has no role in this community any more") from None
        raise
