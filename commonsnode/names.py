"""Names of people whom invitations are for, in lane `members`: every member's node shows them, and nobody else reads them.

A record of kind `invitation-name` with the fields `invitation` (its key, 32 bytes) and `title` (the name). Who may seal writes it.
"""

import os
from collections.abc import Callable

from commonsnode.authoring import Author, Writes, Written
from commonsnode_protocol.changeset import KEY_BYTES, MEMBERS
from commonsnode_protocol.record import NONCE_BYTES, typed_id
from commonsnode_store.store import Store

KIND = "invitation-name"
_AT_ONCE = 1_000


def name_invitation(
    author: Author,
    community: bytes,
    invitation: bytes,
    name: str,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Written:
    """Say whom an invitation is for. Raises WrongField, and LaneNotFollowed where the lane is not followed here."""
    nonce = random_bytes(NONCE_BYTES)
    record = typed_id(community, author.key, nonce)
    fields: Writes = {"invitation": (invitation, ()), "nonce": (nonce, ()), "title": (name, ())}
    return author.write(community, MEMBERS, [(record, KIND, fields)])


def names_of_invitations(store: Store, community: bytes) -> dict[str, str]:
    """invitation (hex) → the name that is shown for it here; of several for one the last in the order of names."""
    found: dict[str, str] = {}
    cursor: str | None = None
    while True:
        page = store.page(community=community, kind=KIND, cursor=cursor, limit=_AT_ONCE)
        said = [view.values for view in page.records if view.lane == MEMBERS]
        if page.cursor is None:
            said += [write.values for write in store.held_writes(community) if write.kind == KIND]
        for values in said:
            key, name = values.get("invitation"), values.get("title")
            if type(key) is bytes and len(key) == KEY_BYTES and type(name) is str:
                found[key.hex()] = name
        if page.cursor is None:
            return found
        cursor = page.cursor
