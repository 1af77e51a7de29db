"""An order in which each changeset comes after what it builds on."""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Dated(Protocol):
    """A changeset, or as much of one as decides on the order."""

    @property
    def id(self) -> bytes: ...
    @property
    def time(self) -> int: ...
    @property
    def refs(self) -> Sequence[bytes]: ...


C = TypeVar("C", bound=Dated)


def in_order_of_refs(changesets: Sequence[C]) -> list[C]:
    """By (time, id), but each after those of them that it refs, whatever the clocks said. Each id once."""
    remaining = {changeset.id: changeset for changeset in changesets}
    ordered: list[C] = []
    for first in sorted(changesets, key=lambda changeset: (changeset.time, changeset.id)):
        stack = [first]  # no recursion: a chain may be as long as the list
        while stack:
            changeset = stack[-1]
            if changeset.id not in remaining:
                stack.pop()
                continue
            before = [remaining[ref] for ref in changeset.refs if ref in remaining]
            if before:
                stack += before
            else:
                ordered.append(remaining.pop(changeset.id))
                stack.pop()
    return ordered
