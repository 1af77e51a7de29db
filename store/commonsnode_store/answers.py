"""What the store answers: plain values, which hold nothing open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from commonsnode_protocol import record as records
from commonsnode_protocol.authority.achieving import Void
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import MEMBERS
from commonsnode_protocol.record import Standing
from commonsnode_store.shown import short_id, title_of


@dataclass(frozen=True, slots=True)
class CommunityInfo:
    """A community that is followed here."""

    id: bytes
    name: str | None  # none while its charter is not here
    lanes: tuple[str, ...]
    records: int  # shown and not deleted
    changesets: int  # standing, in all lanes
    waiting: int  # own changesets that do not stand yet
    stopped: str | None  # why nothing more of it is taken
    sealed: int = 0  # of the records, those of lane `members`


@dataclass(frozen=True, slots=True)
class Following:
    """As much of it as decides on what is done with it."""

    lanes: tuple[str, ...]
    stopped: str | None


@dataclass(frozen=True, slots=True)
class LaneState:
    """What two nodes compare of a lane: equal where they hold the same set."""

    count: int
    fingerprint: bytes  # 16 bytes, as Negentropy has it
    digest: bytes  # 32 bytes: of the LtHash, or in lane `authority` over all ids


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch; ids of changesets."""

    new: tuple[bytes, ...] = ()  # stand now, and were not here before
    waiting: tuple[bytes, ...] = ()  # own ones that do not stand yet: kept, and offered to nobody
    refused: tuple[bytes, ...] = ()  # do not stand: not stored
    known: tuple[bytes, ...] = ()  # were here already
    risen: Mapping[str, tuple[bytes, ...]] = field(
        default_factory=dict
    )  # lane → what was held, waiting or void, and stands now
    fallen: Mapping[str, tuple[bytes, ...]] = field(
        default_factory=dict
    )  # lane → what stood and does no more: kept in history
    authority_changed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class RecordRef:
    """Which record: the same id in another kind or lane is another one."""

    community: bytes
    lane: str
    kind: str
    record: bytes


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as it is shown: what stands, and over it what waits."""

    community: bytes
    lane: str
    kind: str
    record: bytes
    fields: Mapping[str, Sequence[Standing]]  # by field name; the shown write first
    deleted: bool
    waiting: bool  # own writes that do not stand yet are among what is shown
    changed_ms: (
        int  # when it was last written: of the author's time and the moment first seen here, the lesser
    )
    members_only: frozenset[str] = (
        frozenset()
    )  # fields from its half in lane `members`, where that is merged in

    @property
    def ref(self) -> RecordRef:
        return RecordRef(self.community, self.lane, self.kind, self.record)

    @property
    def values(self) -> dict[str, Value]:
        """The shown values; cleared fields are left out."""
        return {name: writes[0].value for name, writes in self.fields.items() if writes[0].value is not None}

    @property
    def title(self) -> str:
        """The field `title`; else the first text in the order of fields, headings of imports last; else the short id."""
        title = title_of({name: writes[0].value for name, writes in self.fields.items()})
        return title if title is not None else short_id(self.record)

    @property
    def conflicts(self) -> dict[str, list[Standing]]:
        """By field: the concurrent writes beside the shown one that say something else."""
        found = {name: records.conflicts(list(w)) for name, w in self.fields.items() if len(w) > 1}
        return {name: others for name, others in found.items() if others}


@dataclass(frozen=True, slots=True)
class Page:
    """Some records by title. cursor: give it back for what follows; total: of all pages, where it was cheap to know."""

    records: Sequence[RecordView]
    cursor: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What one changeset wrote to a record."""

    changeset: bytes
    author: bytes
    time: int  # ms, as its author had it
    seen_ms: int  # when this node first held it
    fields: Mapping[str, Value]
    waiting: bool
    void: bool = False  # it stood once, and has no effect any more


@dataclass(frozen=True, slots=True)
class VoidWrite:
    """A write that stood once and does not any more."""

    time: int  # ms, as its author had it
    changeset: bytes
    author: bytes
    value: Value
    why: Void


@dataclass(frozen=True, slots=True)
class HeldWrite:
    """What this node wrote for lane `members` and could not seal yet."""

    community: bytes
    author: bytes  # the key that seals it
    record: bytes
    kind: str
    writes: Mapping[str, tuple[Value, Sequence[bytes]]]  # field → value, ids of what it supersedes

    @property
    def ref(self) -> RecordRef:
        return RecordRef(self.community, MEMBERS, self.kind, self.record)

    @property
    def values(self) -> dict[str, Value]:
        """Field → value; None where it is cleared."""
        return {name: value for name, (value, _) in self.writes.items()}


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """An address that can be dialled, and what is known of it."""

    address: str
    node: bytes | None  # its key, once it was met
    source: str  # who named it
    seen_ms: int | None  # when it last answered


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the file that is not as it must be."""

    what: str  # the table or part
    detail: str
