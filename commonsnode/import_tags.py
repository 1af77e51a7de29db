"""Tags of an import: one that a table set, and does not name any more, goes; one that people set stays.

A tag is a field that is there or not, so a row that leaves one out says nothing of it by itself. This node keeps which tags each
table set; of an import by another node, or by a version that did not keep them, nothing is known, and so nothing goes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from commonsnode_store.shown import TAG_PREFIX
from commonsnode_store.store import Store

TAGS = TAG_PREFIX  # among the columns of an import: its rows can set tags

OfRecords = dict[bytes, tuple[str, ...]]  # record → the names of its fields that are tags


class Tags:
    """The tags of one import, by kind and lane of the records."""

    def __init__(self, community: bytes, source: str, columns: Iterable[str]) -> None:
        self._community = community
        self._source = source
        self._told = TAGS in columns
        self._now: dict[tuple[str, str], OfRecords] = defaultdict(dict)
        self._before: dict[tuple[str, str], Mapping[bytes, Sequence[str]]] = {}

    def note(self, kind: str, lane: str, record: bytes, fields: Iterable[str]) -> None:
        """A row of the table names these fields."""
        if self._told:
            tags = tuple(name for name in fields if name.startswith(TAG_PREFIX))
            if tags:
                self._now[kind, lane][record] = tags

    def gone(self, store: Store, kind: str, lane: str, record: bytes) -> list[str]:
        """The tags that the table set on this record before, and does not name any more."""
        if not self._told:
            return []
        now = self._now[kind, lane].get(record, ())
        return [name for name in self._known(store, kind, lane).get(record, ()) if name not in now]

    def keep(self, store: Store, kind: str, lane: str, missing: Iterable[bytes]) -> None:
        """Keep what the table set, for the next time. missing: what it named before, and is left as it is. In the writer thread."""
        if self._told:
            known = self._known(store, kind, lane)
            kept = {record: known[record] for record in missing if record in known}
            store.note_imported_tags(
                self._community, lane, kind, self._source, {**kept, **self._now[kind, lane]}
            )

    def _known(self, store: Store, kind: str, lane: str) -> Mapping[bytes, Sequence[str]]:
        if (kind, lane) not in self._before:
            self._before[kind, lane] = store.imported_tags(self._community, lane, kind, self._source)
        return self._before[kind, lane]
