"""Successions: where the stewards are gone, members name a new one together (rule 23). For the writer thread, on an Author."""

import os
from collections.abc import Callable, Mapping, Sequence

from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode.governing import Hand, as_signer, hand_of, key_of, one_of
from commonsnode.stewards import Signed, has_signed
from commonsnode_protocol.authority import MEMBER, STEWARD, Evaluator, writing
from commonsnode_protocol.authority.acts import ROLL_MAX, certificate_of, table_id
from commonsnode_protocol.authority.electing import Candidacy, candidacies
from commonsnode_protocol.authority.settings import STEWARDS_MAX
from commonsnode_protocol.authority.stand_ins import Signatures
from commonsnode_protocol.authority.writing import NotPossible
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.record import NONCE_BYTES

RandomBytes = Callable[[int], bytes]


def propose(
    author: Author, community: bytes, add: Sequence[str], random_bytes: RandomBytes = os.urandom
) -> Signed:
    """Begin to elect stewards, and sign that first. add: whole keys of members.

    What another member proposed with the same roll is signed in place of a new one. Raises WrongField, Conflict.
    """
    held, hand = _as_member(author, community, "begin an election")
    assert held.chain is not None
    new = [key_of(text, "add") for text in dict.fromkeys(add)]
    if not new:
        raise WrongField("add", "nobody would be elected: name a member")
    for key in new:
        membership = held.members.get(key)
        if membership is not None and membership.role == STEWARD:
            raise Conflict(f"{key.hex()} is a steward already")
        if membership is None or membership.role != MEMBER:
            raise WrongField(
                "add", f"{key.hex()} is no member of this community, and only members are elected"
            )
    if len(held.chain.current.stewards) + len(new) > STEWARDS_MAX:
        raise Conflict(f"a community has at most {STEWARDS_MAX} stewards")
    known = {each.table: each for each in candidacies(held)}
    same = next((each for each in known.values() if set(each.add) == set(new) and not each.objected), None)
    if same is not None:
        return _sign(author, held, hand, same, random_bytes)
    try:
        fields = writing.next_by_succession(held, new)
    except NotPossible as error:
        raise Conflict(str(error)) from error
    if certificate_of(community, {**fields, "signatures": []}, succession=True) is None:
        raise Conflict(
            f"an election names at most {ROLL_MAX} grants and revocations, and this community has more"
        )
    return _propose(author, held, hand, fields, random_bytes)


def approve(
    author: Author, community: bytes, text: str, random_bytes: RandomBytes = os.urandom
) -> Signed | None:
    """Sign an election that another member began; None where no election has such an id. Raises Ambiguous, Conflict."""
    held = author.store.evaluator(community)
    known = {each.table: each for each in candidacies(held)}
    lower = text.strip().lower()
    if not any(table.hex().startswith(lower) for table in known):
        return None
    found = known[one_of(known.keys(), text, "open election")]
    _, hand = _as_member(author, community, "sign an election")
    return _sign(author, held, hand, found, random_bytes)


def object_to(
    author: Author, community: bytes, text: str, random_bytes: RandomBytes = os.urandom
) -> tuple[bytes, bytes | None]:
    """Say as a steward that one is there, and does not agree to an election; it is not followed then, whoever signed it.

    Returns its table, and the changeset; none where that was said before. Raises Unknown, Ambiguous, Conflict.
    """
    held, hand = as_signer(author, community, "object to an election")
    assert held.chain is not None
    known = {each.table: each for each in candidacies(held)}
    found = known[one_of(known.keys(), text, "open election")]
    if hand.person in found.objected:
        return found.table, None
    nonce = random_bytes(NONCE_BYTES)
    draft = writing.objection(held, author.key, nonce, held.chain.current.id, found.table, hand.stands_in)
    return found.table, author.act(community, draft).ids[-1]


def complete(author: Author, held: Evaluator, random_bytes: RandomBytes = os.urandom) -> bool:
    """Write a succession that enough members have signed, this node among them. Whether there was one."""
    for found in candidacies(held):
        if found.complete and not found.written and has_signed(found.signatures, author.key):
            _write(author, held, found.fields, found.signatures, random_bytes)
            return True
    return False


def _as_member(author: Author, community: bytes, doing: str) -> tuple[Evaluator, Hand]:
    held = author.store.evaluator(community)
    if held.chain is None:
        raise Conflict(f"the charter of this community is not here yet, so nobody can {doing}")
    if hand_of(held, author.key, held.chain.current.stewards) is not None:
        raise Conflict(f"members {doing}, where the stewards are gone; a steward decides by: steward propose")
    members = {person for person, membership in held.members.items() if membership.role == MEMBER}
    hand = hand_of(held, author.key, members)
    if hand is None:
        raise Conflict(f"only a member's first node, or one that came by recovery words, can {doing}")
    return held, hand


def _sign(author: Author, held: Evaluator, hand: Hand, found: Candidacy, random_bytes: RandomBytes) -> Signed:
    if found.objected:
        raise Conflict(f"the steward {found.objected[0].hex()} objects to it, so it cannot be followed")
    if hand.person in found.signatures:
        more = found.needed - len(found.signatures)
        raise Conflict(
            f"{author.who.have} signed that already; {more} more must sign"
            if more > 0
            else f"{author.who.have} signed that already, and so have enough; members who were admitted since count as well"
        )
    own = hand.said(author.agree(held, found.fields))
    signatures = {**found.signatures, hand.person: own}
    if len(signatures) >= found.needed:
        _write(author, held, found.fields, signatures, random_bytes)
    else:
        nonce = random_bytes(NONCE_BYTES)
        author.act(held.community, writing.assent(held, author.key, nonce, found.table, own, hand.person))
    return _signed(author, held.community, found.table, found.needed, signatures)


def _propose(
    author: Author, held: Evaluator, hand: Hand, fields: Mapping[str, Value], random_bytes: RandomBytes
) -> Signed:
    community, table = held.community, table_id(held.community, fields)
    own = hand.said(author.agree(held, fields))
    draft = writing.proposal(held, author.key, random_bytes(NONCE_BYTES), fields, own, hand.person)
    author.act(community, draft)
    found = next(each for each in candidacies(held) if each.table == table)
    if found.complete:
        _write(author, held, fields, found.signatures, random_bytes)
    return _signed(author, community, table, found.needed, found.signatures)


def _write(
    author: Author,
    held: Evaluator,
    fields: Mapping[str, Value],
    signatures: Signatures,
    random_bytes: RandomBytes,
) -> None:
    draft = writing.certificate(held, author.key, random_bytes(NONCE_BYTES), fields, signatures)
    author.act(held.community, draft)


def _signed(author: Author, community: bytes, table: bytes, needed: int, signatures: Signatures) -> Signed:
    authority = author.store.authority(community)
    done = any(each.id == table for each in authority.tables)
    return Signed(table, done, tuple(sorted(signatures)), needed)
