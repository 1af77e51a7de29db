"""A map by ids or keys that never changes, and is made from the one before at the cost of what is different.

The authority of 10,000 members is given to readers after each step; copies of whole maps would be most of what a step costs.
Entries lie in parts by the first byte of their key, and a new map has the parts of the old one but those that changed.
"""

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import chain
from typing import TypeVar, overload

V = TypeVar("V")
D = TypeVar("D")

PARTS = 256


class SharedMap(Mapping[bytes, V]):
    """See the module. Keys are bytes and never empty."""

    __slots__ = ("_parts", "_size")

    def __init__(self, parts: tuple[Mapping[bytes, V], ...] = ({},) * PARTS, size: int = 0) -> None:
        self._parts = parts
        self._size = size

    def changed(self, live: Mapping[bytes, V], keys: Iterable[bytes]) -> "SharedMap[V]":
        """The map as it is in `live`, where that is different from this one by these keys at most."""
        by_part: dict[int, dict[bytes, V]] = {}
        for key in keys:
            part = by_part.get(key[0])
            if part is None:
                part = by_part[key[0]] = dict(self._parts[key[0]])
            if key in live:
                part[key] = live[key]
            else:
                part.pop(key, None)
        parts = [*self._parts]
        for n, part in by_part.items():
            parts[n] = part
        return SharedMap(tuple(parts), len(live))

    def __getitem__(self, key: bytes) -> V:
        return self._parts[key[0]][key]

    @overload
    def get(self, key: bytes, /) -> V | None: ...
    @overload
    def get(self, key: bytes, /, default: V | D) -> V | D: ...
    def get(self, key: bytes, /, default: V | D | None = None) -> V | D | None:
        return self._parts[key[0]].get(key, default)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and key in self._parts[key[0]]

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self._parts)

    def __len__(self) -> int:
        return self._size

    def items(self) -> ItemsView[bytes, V]:
        return _Items(self)

    def values(self) -> ValuesView[V]:
        return _Values(self)


class _Items(ItemsView[bytes, V]):
    """Without a search for each key."""

    _mapping: SharedMap[V]

    def __iter__(self) -> Iterator[tuple[bytes, V]]:
        return chain.from_iterable(part.items() for part in self._mapping._parts)


class _Values(ValuesView[V]):
    _mapping: SharedMap[V]

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(part.values() for part in self._mapping._parts)
