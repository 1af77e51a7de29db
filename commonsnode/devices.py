"""The keys of one person: the nodes that write as them, and the words on paper. For the writer thread, on an Author.

Only a person's first node, or the recovery words, add a key (rule 22), so a stolen device makes no further ones.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode.governing import data_of, is_cut, one_of, person_of, standing_in
from commonsnode.speaking import NODE as NODE_ITSELF
from commonsnode.speaking import Who
from commonsnode_protocol.authority import Evaluator, statements, writing
from commonsnode_protocol.authority.persons import Person
from commonsnode_protocol.authority.proofs import proof_of
from commonsnode_protocol.changeset import KEY_BYTES, SIGNATURE_BYTES, public_key
from commonsnode_protocol.record import NONCE_BYTES

FIRST, DEVICE, NODE, RECOVERY = "first", "device", "node", "recovery"
CODE_BEGIN = "commons-device:"
CODE_CHARS = len(CODE_BEGIN) + 2 * (3 * KEY_BYTES + SIGNATURE_BYTES)
CODE_CHARS_MAX = 1_024  # as pasted, with line ends

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """One key of a person. since: when it was added, by its adder's clock; of the first key none. by: who added it."""

    key: bytes
    kind: str
    revoked: bool
    since: int | None
    by: bytes | None


@dataclass(frozen=True, slots=True)
class Code:
    """What a new device hands to the person's first node: that its key agrees to be theirs, in one community."""

    community: bytes
    person: bytes
    key: bytes
    signature: bytes

    def __str__(self) -> str:
        return CODE_BEGIN + (self.community + self.person + self.key + self.signature).hex()


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A key of a person that was revoked. named: how many changesets of it were named as the last that stand.

    still_signs: tables, for a steward: no revocation of a key ends that, only the next table without this steward does.
    """

    key: bytes
    kind: str
    changeset: bytes
    named: int
    still_signs: bool


def code_for(community: bytes, person: bytes, seed: bytes) -> Code:
    """The code of the device with this seed. Raises WrongField where it is that person itself."""
    key = public_key(seed)
    if person == key:
        raise WrongField(
            "person", "that is this node itself; give what `commonsnode id` prints on the first one"
        )
    return Code(community, person, key, writing.key_agreement(community, person, seed))


def read_code(text: str) -> Code:
    """The parts of a code. Raises WrongField."""
    plain = "".join(text.split())
    try:
        data = bytes.fromhex(plain.removeprefix(CODE_BEGIN))
    except ValueError:
        data = b""
    if not plain.startswith(CODE_BEGIN) or len(plain) != CODE_CHARS or not data:
        raise WrongField(
            "code", "is not whole; it is what `commonsnode device request` prints on the new device"
        )
    community, person, key = (data[at : at + KEY_BYTES] for at in range(0, 3 * KEY_BYTES, KEY_BYTES))
    return Code(community, person, key, data[3 * KEY_BYTES :])


def listed(held: Evaluator, person: bytes) -> list[DeviceKey]:
    """The keys of a person, revoked ones too: the first, then by the time when each was added."""
    valued = held.person(person)
    if valued is None:
        return [DeviceKey(person, FIRST, False, None, None)] if held.member(person) is not None else []
    found = [_listed(held, valued, key) for key in valued.keys]
    return sorted(found, key=lambda each: (each.key != person, each.since or 0, each.key))


def add(author: Author, code: Code, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Let another device write as this node's person. Returns the changeset. Raises WrongField, Conflict."""
    held = author.store.evaluator(code.community)
    if code.person != author.key:
        raise WrongField(
            "code", f"is for the person {code.person.hex()}, and {author.who.are} {author.key.hex()}"
        )
    check_adds(held, author.key, author.who)
    if not statements.holds(statements.DEVICE, code.community + code.person, code.key, code.signature):
        raise WrongField("code", "is not signed by the key that it names")
    check_new(held, code.person, code.key)
    nonce = random_bytes(NONCE_BYTES)
    draft = writing.key_added(held, author.key, nonce, code.person, code.key, code.signature)
    return author.act(code.community, draft).ids[-1]


def revoke(author: Author, community: bytes, text: str, random_bytes: RandomBytes = os.urandom) -> RevokedKey:
    """Revoke another key of the author's person. What of it stands here, stays; nothing that it writes from now on does.

    text: the key, or a beginning of it. Raises Unknown, Ambiguous, Conflict.
    """
    held = author.store.evaluator(community)
    person = person_of(held.authority, author.key)
    valued = held.person(person) if person is not None else None
    if person is None or valued is None or author.key not in valued.keys:
        raise Conflict(f"{author.who.are} nobody's device in this community")
    if is_cut(valued.keys[author.key]):
        raise Conflict(f"{author.who.own} own key was revoked, so it revokes no other")
    target = one_of(valued.keys.keys() - {author.key}, text, "other key of yours")
    if is_cut(valued.keys[target]):
        raise Conflict("that key was revoked already")
    if valued.keys[target].recovery and not valued.keys[author.key].recovery:
        raise Conflict(
            "recovery words outrank every device: others of the same person revoke them (commonsnode recovery use LINK"
            " --revoke ID), or a steward does"
        )
    data = data_of(author.store, community, (target,))
    stands = standing_in(held, data, author.store, (target,))
    draft = writing.key_revocation(held, author.key, random_bytes(NONCE_BYTES), person, target, data, stands)
    cut = writing.cut_of_keys(held, (target,), data, stands)
    kind = _listed(held, valued, target).kind
    named = sum(map(len, cut.heads.values()))
    is_steward = held.chain is not None and person in held.chain.current.stewards
    signs = is_steward and (target == person or proof_of(held, person, target) is not None)
    return RevokedKey(target, kind, author.act(community, draft).ids[-1], named, signs)


def check_adds(held: Evaluator, key: bytes, who: Who = NODE_ITSELF) -> None:
    """Raise Conflict unless this key is the first of an admitted person, who may add others."""
    if held.chain is None:
        raise Conflict("the charter of this community is not here yet")
    membership = held.members.get(key)
    if membership is None:
        first = person_of(held.authority, key)
        if first is not None and first in held.members:
            raise Conflict(
                f"{who.are} another device of {first.hex()}; only the first one, or the recovery words, add keys"
            )
        raise Conflict(f"{who.have} no role in this community")
    if held.person(key) is None:
        raise Conflict("a mirror writes nothing, so there is nothing that another key could write for it")


def check_new(held: Evaluator, person: bytes, key: bytes) -> None:
    """Raise Conflict where the key is that person's already."""
    valued = held.person(person)
    known = valued.keys.get(key) if valued is not None else None
    if known is None:
        return
    if is_cut(known):
        raise Conflict("that key was revoked, for good; make a new node on that device")
    raise Conflict("that is a key of this person already")


def _listed(held: Evaluator, valued: Person, key: bytes) -> DeviceKey:
    of = valued.keys[key]
    kind = FIRST if key == valued.first else RECOVERY if of.recovery else NODE if of.node else DEVICE
    added = [
        (entry.changeset.time, adder)
        for (adder, _, _), id_ in of.adds.items()
        if (entry := held.entry(id_)) is not None
    ]
    since, by = min(added, default=(None, None)) if key != valued.first else (None, None)
    return DeviceKey(key, kind, is_cut(of), since, by)
