"""What this node does with the keys of the sealed lane: open them, write under one, make a new one, hand copies on.  Rules 37 to 39.

For the writer thread, on an Author. What cannot be sealed yet is held in the database, and sealed as soon as it can.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonsnode.speaking import NODE, Who
from commonsnode_protocol import epochs
from commonsnode_protocol.authority import MEMBER, STEWARD, Evaluator
from commonsnode_protocol.changeset import KEYS, MEMBERS, Change
from commonsnode_protocol.epochs import EPOCH_KEY_BYTES, FOLLOWED_MAX
from commonsnode_protocol.record import NONCE_BYTES

if TYPE_CHECKING:
    from commonsnode.authoring import Author, Entry

COPIES_AT_ONCE = 512  # in one job of the writer thread; what is left comes with the next

RandomBytes = Callable[[int], bytes]
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """What `keep_up` left. more: work for the next job. copies_lack: such as this node may write, after a pause."""

    more: bool = False
    copies_lack: bool = False


def key_to_write_under(
    author: "Author", community: bytes, random_bytes: RandomBytes = os.urandom
) -> bytes | None:
    """The key under which this node seals now; a steward's node makes one where it has none that is good."""
    held = author.store.evaluator(community)
    learn(author, community)
    found = _good_key(author, community, held)
    if found is None and author.key in epochs.keys_of_stewards(held):
        make_epoch(author, community, held, random_bytes)
        found = _good_key(author, community, held)
    return found


def why_held(held: Evaluator, key: bytes, who: Who = NODE) -> str:
    """Why this key cannot seal now, in words."""
    if held.chain is None:
        return "the charter of the community is not here yet; it is sealed once that has come, and this node is admitted"
    if key not in held.readers:
        return f"only members and stewards write what only members read, and {who.are} none of these yet"
    return (
        "somebody was shut out since the last key for members was made, or that has not come here yet; it is sealed as soon as"
        " a steward's node is met"
    )


def learn(author: "Author", community: bytes) -> None:
    """Keep every key that this node can open, and show what these open."""
    store = author.store
    known, epochs_here = store.epoch_keys(community), store.epochs(community)
    if known.keys() >= epochs_here.copies.keys() | {each.commitment for each in epochs_here.epochs.values()}:
        return  # so nothing is opened again for each of many who are signed in
    found = author.open_keys(epochs_here)
    new = {commitment: key for commitment, key in found.items() if commitment not in known}
    if new:
        store.learn(community, new)


def keep_up(
    author: "Author", community: bytes, *, hand_on: bool, random_bytes: RandomBytes = os.urandom
) -> Kept:
    """Do all that is due in one community. hand_on: a member's node, too, writes the copies that lack."""
    store = author.store
    following = store.following(community)
    if following.stopped or not {KEYS, MEMBERS} <= {*following.lanes}:
        return Kept()
    held = store.evaluator(community)
    learn(author, community)
    if author.key not in held.readers:
        return Kept()
    is_steward = author.key in epochs.keys_of_stewards(held)
    # One person alone needs no key before the first write.
    others = _several(held)
    if is_steward and others and _good_key(author, community, held) is None:
        make_epoch(author, community, held, random_bytes)
    author.seal_held(community)
    lacking = epochs.copies_to_write(store.epochs(community), held, store.epoch_keys(community))
    if not lacking:
        return Kept()
    if not is_steward and not hand_on:
        return Kept(copies_lack=True)
    keys = store.epoch_keys(community)
    copies = [
        copy
        for commitment, recipient in lacking[:COPIES_AT_ONCE]
        if (copy := _copy(recipient, keys[commitment], random_bytes)) is not None
    ]
    if copies:
        author.write(community, KEYS, copies)
    return Kept(more=bool(copies) and len(lacking) > COPIES_AT_ONCE)


def make_epoch(author: "Author", community: bytes, held: Evaluator, random_bytes: RandomBytes) -> None:
    """Write a new epoch that follows all whose keys are here, with the first copies of its key, in one transaction."""
    key = random_bytes(EPOCH_KEY_BYTES)
    earlier: Mapping[bytes, bytes] = author.store.epoch_keys(community)
    nonces = [random_bytes(epochs.NONCE_BYTES) for _ in range(min(len(earlier), FOLLOWED_MAX))]
    entries = [_entry(epochs.epoch_change(held, random_bytes(NONCE_BYTES), key, earlier, nonces))]
    others = sorted(held.readers - {author.key})
    for recipient in (author.key, *others[: COPIES_AT_ONCE - 1]):
        copy = _copy(recipient, key, random_bytes)
        if copy is not None:
            entries.append(copy)
    author.write(community, KEYS, entries)
    learn(author, community)


def _several(held: Evaluator) -> bool:
    reading = (True for each in held.members.values() if each.role in (STEWARD, MEMBER))
    return next(reading, False) and next(reading, False)


def _good_key(author: "Author", community: bytes, held: Evaluator) -> bytes | None:
    keys = author.store.epoch_keys(community)
    epoch = epochs.to_write_under(author.store.epochs(community), held, keys)
    return keys[epoch.commitment] if epoch is not None else None


def _copy(recipient: bytes, key: bytes, random_bytes: RandomBytes) -> "Entry | None":
    try:
        return _entry(
            epochs.copy_change(random_bytes(NONCE_BYTES), recipient, key, random_bytes(_SEED_BYTES))
        )
    except ValueError:  # somebody granted 32 bytes that are no key
        return None


def _entry(change: Change) -> "Entry":
    record, kind, writes = change
    return record, kind, {name: (value, ()) for name, (value, _) in writes.items()}  # they supersede nothing
