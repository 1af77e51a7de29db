"""Who the stewards are: changes of the table, proposed, signed by as many as it needs, and followed.  For the writer thread."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from commonsnode import charters
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, WrongField
from commonsnode.governing import Hand, as_signer, data_of, key_of, keys_of, one_of, standing_in
from commonsnode_protocol.authority import Evaluator, Table, writing
from commonsnode_protocol.authority.acts import Certificate, certificate_of, table_id
from commonsnode_protocol.authority.proposals import Proposal, lost, proposals
from commonsnode_protocol.authority.settings import STEWARDS_MAX, Settings
from commonsnode_protocol.authority.stand_ins import Signatures, StoodIn, value_of
from commonsnode_protocol.authority.tables import enough, signers_of
from commonsnode_protocol.authority.writing import NotPossible
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.record import NONCE_BYTES

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Change:
    """What a table changes of its parent. settings: only those that differ, as a charter has them."""

    add: tuple[bytes, ...]
    remove: tuple[bytes, ...]
    name: str | None
    settings: Mapping[str, Value]

    @property
    def is_nothing(self) -> bool:
        return not (self.add or self.remove or self.settings) and self.name is None


@dataclass(frozen=True, slots=True)
class Signed:
    """A table that was signed here. done: it is the community's table now; else it waits for more signatures."""

    table: bytes
    done: bool
    signed: tuple[bytes, ...]
    needed: int


def propose(
    author: Author,
    community: bytes,
    add: Sequence[str],
    remove: Sequence[str],
    asked: Mapping[str, Value],
    name: str | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> Signed:
    """Sign a change of stewards or of the charter: done at once where this signature is enough, else proposed to the others.

    add: whole keys. remove: keys, or beginnings of stewards' keys. asked: settings as `charters.settings_from` takes them.
    Raises WrongField, Unknown, Ambiguous, Conflict.
    """
    held, hand = as_signer(author, community, "change stewards or the charter")
    table = _current(held)
    new = [key_of(text, "add") for text in dict.fromkeys(add)]
    gone = list(dict.fromkeys(one_of(table.stewards, text, "steward") for text in remove))
    for key in new:
        if key in table.stewards:
            raise Conflict(f"{key.hex()} is a steward already")
    if len(table.stewards) + len(new) - len(gone) > STEWARDS_MAX:
        raise Conflict(f"a community has at most {STEWARDS_MAX} stewards")
    if name is not None:
        charters.check_name(name)
    settings = charters.settings_from(asked, table.settings)
    if not new and not gone and settings == table.settings and name in (None, table.name):
        raise WrongField("add", "nothing would change: name who is added or removed, or a setting")
    keys = {key for first in gone for key in keys_of(held, first)}
    data = data_of(author.store, community, keys) if keys else {}
    stands = standing_in(held, data, author.store, keys)
    try:
        fields = writing.next_table(
            held, name=name, settings=settings, add=new, remove=gone, data=data, stands=stands
        )
    except NotPossible as error:
        raise Conflict(str(error)) from error
    same = next((each for each in proposals(held) if each.table == table_id(community, fields)), None)
    before: Signatures = same.signatures if same is not None else {}
    return _sign(author, held, hand, fields, before, random_bytes, proposed=same is not None)


def approve(author: Author, community: bytes, text: str, random_bytes: RandomBytes = os.urandom) -> Signed:
    """Sign a table that another steward proposed; with enough signatures it is the community's table at once.

    text: its id, or a beginning of it. Raises Unknown, Ambiguous, Conflict.
    """
    held, hand = as_signer(author, community, "approve a proposal")
    table = _current(held)
    if any(each.id.hex() == text.strip().lower() for each in held.authority.tables):
        raise Conflict("that change is done already")
    known = {each.table: each for each in proposals(held)}
    found = known[one_of(known.keys(), text, "open proposal")]
    if hand.person in found.signatures and not found.complete:
        more = needed(table, found.fields, community, found.signatures) - len(found.signatures)
        raise Conflict(f"{author.who.have} signed that already; {more} more must sign")
    return _sign(author, held, hand, found.fields, found.signatures, random_bytes, proposed=True)


def complete_own(author: Author, held: Evaluator, random_bytes: RandomBytes = os.urandom) -> bool:
    """Write the certificate of one of this node's own proposals that others have signed since. Whether there was one."""
    for found in proposals(held):
        if found.by == author.key and found.complete and has_signed(found.signatures, author.key):
            draft = writing.certificate(
                held, author.key, random_bytes(NONCE_BYTES), found.fields, found.signatures
            )
            author.act(held.community, draft)
            return True
    return False


def has_signed(signatures: Signatures, key: bytes) -> bool:
    """Whether one of these signatures was made with this key."""
    return any(
        (said.key if isinstance(said, StoodIn) else person) == key for person, said in signatures.items()
    )


def needed(table: Table, fields: Mapping[str, Value], community: bytes, signed: Iterable[bytes]) -> int:
    """How many signatures this child of `table` needs, those that are there included."""
    child = certificate_of(community, {**fields, "signatures": []}, succession=False)
    signers = {*signed}
    if child is None:
        return len(table.stewards)
    for steward in (None, *table.stewards):
        signers |= {steward} if steward is not None else set()
        if enough(table, child, frozenset(signers)):
            return len(signers)
    return len(table.stewards)


def change_of(parent: Table, stewards: Sequence[bytes], name: str, settings: Settings) -> Change:
    """What a table says that its parent does not."""
    before, after = charters.settings_fields(parent.settings), charters.settings_fields(settings)
    return Change(
        tuple(steward for steward in stewards if steward not in parent.stewards),
        tuple(steward for steward in parent.stewards if steward not in stewards),
        name if name != parent.name else None,
        {field: value for field, value in after.items() if value != before[field]},
    )


def change_in(parent: Table, proposal: Proposal, community: bytes) -> Change:
    child = certificate_of(community, proposal.fields, succession=False)
    assert child is not None  # it was read before it became a proposal
    return change_of(parent, child.stewards, child.name, child.settings)


def to_propose_again(held: Evaluator, steward: bytes) -> list[tuple[bytes, Change]]:
    """What this steward's certificates that nobody follows would still change (rule 12): the table, and what is left of it."""
    if held.chain is None:
        return []
    current = held.chain.current
    found: dict[bytes, Change] = {}
    for child in lost(held, steward):
        left = _still(current, held.chain.tables[held.chain.index[child.parent]], child)
        if not left.is_nothing:
            found[child.id] = left
    return sorted(found.items())


def _still(current: Table, parent: Table, child: Certificate) -> Change:
    was = change_of(parent, child.stewards, child.name, child.settings)
    now = charters.settings_fields(current.settings)
    return Change(
        tuple(key for key in was.add if key not in current.stewards),
        tuple(key for key in was.remove if key in current.stewards),
        was.name if was.name != current.name else None,
        {field: value for field, value in was.settings.items() if value != now[field]},
    )


def _current(held: Evaluator) -> Table:
    assert held.chain is not None  # as_signer has looked
    return held.chain.current


def _sign(
    author: Author,
    held: Evaluator,
    hand: Hand,
    fields: Mapping[str, Value],
    before: Signatures,
    random_bytes: RandomBytes,
    *,
    proposed: bool,
) -> Signed:
    table, community = _current(held), held.community
    of = table_id(community, fields)
    own = hand.said(author.agree(held, fields))
    signatures = {**before, hand.person: own}
    child = certificate_of(community, {**fields, "signatures": value_of(signatures)}, succession=False)
    if child is None:
        raise Conflict("this change cannot be written as a table")
    done = enough(table, child, signers_of(table, child))
    nonce = random_bytes(NONCE_BYTES)
    if done:
        draft = writing.certificate(held, author.key, nonce, fields, signatures)
    elif proposed:
        draft = writing.assent(held, author.key, nonce, of, own, hand.person)
    else:
        draft = writing.proposal(held, author.key, nonce, fields, own, hand.person)
    wanted = needed(table, fields, community, signatures)
    author.act(community, draft)
    return Signed(of, done, tuple(sorted(signatures)), wanted)
