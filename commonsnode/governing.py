"""Before an act of authority: what this node holds of a community, and whether it may do what it is asked."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from commonsnode.authoring import Author
from commonsnode.config import SERVED_LANES
from commonsnode.errors import Ambiguous, Conflict, Unknown, WrongField
from commonsnode_protocol.authority import MIRROR, Authority, Evaluator
from commonsnode_protocol.authority.persons import Key
from commonsnode_protocol.authority.proofs import proof_of
from commonsnode_protocol.authority.stand_ins import Link, Said, StoodIn
from commonsnode_protocol.authority.writing import Held
from commonsnode_protocol.changeset import AUTHORITY, KEY_BYTES
from commonsnode_store.store import Store

SHORT_ID_DIGITS_MIN = 4


def key_of(text: str, field: str = "id") -> bytes:
    """A whole key from its 64 hexadecimal digits. Raises WrongField."""
    try:
        key = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise WrongField(
            field,
            f"a key is {2 * KEY_BYTES} hexadecimal digits, as that person's node shows by `commonsnode id`",
        )
    return key


def one_of(known: Collection[bytes], text: str, what: str) -> bytes:
    """The id among `known` that begins so. what: its name for people. Raises Unknown, Ambiguous."""
    lower = text.strip().lower()
    fits = len(lower) >= SHORT_ID_DIGITS_MIN and set(lower) <= set("0123456789abcdef")
    found = sorted(id_ for id_ in known if fits and id_.hex().startswith(lower))
    if not found:
        raise Unknown(f"no {what} here has the id {text[:64]!r}")
    if len(found) > 1:
        raise Ambiguous(f"more than one {what} has an id that begins with {lower}", [i.hex() for i in found])
    return found[0]


def as_steward(author: Author, community: bytes, doing: str) -> Evaluator:
    """What is held of the community, for a steward's act. doing: in words, as in `admit people`. Raises Conflict."""
    held = author.store.evaluator(community)
    if held.chain is None:
        raise Conflict(f"the charter of this community is not here yet, so nobody can {doing}")
    stewards = held.chain.current.stewards
    if steward_of(held, author.key) is None:
        ask = ", ".join(steward.hex() for steward in stewards)
        raise Conflict(f"only a steward can {doing}, and {author.who.are} none; ask: {ask}")
    return held


@dataclass(frozen=True, slots=True)
class Hand:
    """For whom a key signs tables: itself as a first key, or with a proof the person for whom it stands in."""

    person: bytes
    proof: tuple[Link, ...] | None = None

    def said(self, signature: bytes) -> Said:
        return signature if self.proof is None else StoodIn(signature, self.proof)

    @property
    def stands_in(self) -> tuple[bytes, tuple[Link, ...]] | None:
        return (self.person, self.proof) if self.proof is not None else None


def hand_of(held: Evaluator, key: bytes, among: Collection[bytes]) -> Hand | None:
    """Whose hand a key is under tables, of these people; None: nobody's."""
    if key in among:
        return Hand(key)
    for first in held.persons_of(key):
        if first in among and (proof := proof_of(held, first, key)) is not None:
            return Hand(first, proof)
    return None


def as_signer(author: Author, community: bytes, doing: str) -> tuple[Evaluator, Hand]:
    """What is held, and whose hand it is, for what a steward's first key signs, or who stands in for it: tables. Raises Conflict."""
    held = as_steward(author, community, doing)
    assert held.chain is not None  # as_steward has looked
    hand = hand_of(held, author.key, held.chain.current.stewards)
    if hand is None:
        steward = steward_of(held, author.key)
        assert steward is not None
        raise Conflict(
            f"{author.who.are} another device of the steward {steward.hex()}: it can admit, invite and revoke people; to {doing}"
            " takes that steward's first node, or one that came by recovery words (commonsnode recovery use LINK). Where"
            " neither is left: commonsnode steward succeed"
        )
    return held, hand


def steward_of(held: Evaluator, key: bytes) -> bytes | None:
    """The steward whose acts this key can write: their first key, or another device of theirs that was not revoked."""
    chain, acts = held.chain, held.acts
    if chain is None or acts is None:
        return None
    if key in chain.current.stewards:
        return key
    for first in sorted(
        acts.by_key.get(key, ()), key=lambda first: (first not in chain.current.stewards, first)
    ):
        of = acts.persons[first].keys[key]
        if first in chain.current.stewards and not of.node and not is_cut(of):
            return first
    return None


def is_cut(of: Key) -> bool:
    """Whether nothing that this key signs from now on stands."""
    return any(not condition.anew for condition in of.conditions)


def person_of(authority: Authority, key: bytes) -> bytes | None:
    """As whom this key acts: the first key of a person, of several one with a role. None: nobody admitted it.

    A node's key, which does some duties for a person, is not that person.
    """
    if key in authority.members:
        return key
    persons = [first for first in authority.persons_of(key) if not _is_nodes(authority, first, key)]
    return next((first for first in persons if first in authority.members), persons[0] if persons else None)


def named_by(authority: Authority, node_key: bytes) -> list[bytes]:
    """The persons who named a node for what a node may do for them, and did not take that back."""
    found = []
    for first in authority.persons_of(node_key):
        person = authority.people[first].person
        of = person.keys.get(node_key) if person is not None else None
        if of is not None and of.node and not is_cut(of) and first in authority.members:
            found.append(first)
    return found


def _is_nodes(authority: Authority, first: bytes, key: bytes) -> bool:
    person = authority.people[first].person
    return person is not None and person.keys[key].node


def role_of(authority: Authority, key: bytes) -> str | None:
    """The role of the person whose key this is; none where it has none, or the key was revoked."""
    person = person_of(authority, key)
    membership = authority.members.get(person) if person is not None else None
    if person is None or membership is None:
        return None
    if membership.role == MIRROR:  # also one who was a member, and whose keys are cut since
        return MIRROR if key == person else None
    valued = authority.people[person].person if person in authority.people else None
    if valued is not None and key in valued.keys and is_cut(valued.keys[key]):
        return None
    return membership.role


def data_of(store: Store, community: bytes, keys: Iterable[bytes]) -> Held:
    """What stands of these keys in the data lanes, to be named in a cut. Raises Conflict where a lane is not followed here."""
    lanes = store.following(community).lanes
    lacking = [lane for lane in SERVED_LANES if lane not in lanes and lane != AUTHORITY]
    if lacking:
        raise Conflict(
            f"this node does not follow the lane {' and '.join(lacking)}, so it cannot say what of theirs stays there;"
            " follow it (commonsnode community follow LINK --lanes public,knowledge,members), or let another steward do this"
        )
    return store.held(community, keys)


def standing_in(held: Evaluator, data: Held, store: Store, keys: Iterable[bytes]) -> Callable[[bytes], bool]:
    """Whether an id that a changeset of one of these keys refs stands here, in any lane."""
    named = {ref for of in data.values() for refs in of.values() for ref in refs}
    for key in keys:
        for entry in held.pool.by_author.get(key, {}).values():
            named.update(entry.changeset.refs)
    standing = store.standing(sorted(named - held.standing))
    return lambda id_: id_ in held.standing or id_ in standing


def keys_of(held: Evaluator, person: bytes) -> set[bytes]:
    """All keys of a person, those of a lost device among them."""
    member = held.member(person)
    persons = (held.person(person), member.person if member is not None else None)
    return {person}.union(*(found.keys for found in persons if found is not None))
