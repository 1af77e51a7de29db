"""The one place where this node signs: from changes to changesets that build on what their author has seen (rules 2, 3, 30)."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias, cast

from commonsnode import sealing, speaking
from commonsnode.errors import TooLarge, WrongField
from commonsnode.speaking import Who
from commonsnode_protocol import canonical
from commonsnode_protocol.authority import Evaluator, stand_ins, statements, writing
from commonsnode_protocol.authority.writing import Draft
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import (
    AUTHORITY,
    MEMBERS,
    Change,
    changeset_id,
    compose,
    public_key,
    sign,
)
from commonsnode_protocol.clock import writer_time
from commonsnode_protocol.epochs import NONCE_BYTES, Epochs, opened
from commonsnode_protocol.errors import NotCanonical, NotWellFormed
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.limits import (
    CHANGES_MAX,
    CHANGESET_BYTES_MAX,
    FIELD_BYTES_MAX,
    KIND_BYTES_MAX,
    REFS_MAX,
)
from commonsnode_protocol.record import Standing
from commonsnode_protocol.sealing import seal
from commonsnode_store.answers import Applied
from commonsnode_store.store import Store

HEADS_MAX = 64  # own heads that one changeset refs; a further one takes the next ones, where forks left more
SUPERSEDED_MAX = REFS_MAX - HEADS_MAX  # in one entry
ENVELOPE_BYTES = 128  # of a body beside its refs and changes: 92 by the form, rounded up
REF_BYTES = 34
INDEX_BYTES_MAX = 3
ENTRY_BYTES = 32  # of an entry beside kind and writes: 25 by the form, rounded up
UTF8_BYTES_MAX = 4
SEAL_BYTES = 160  # of a sealed change beside what is in it: 131 by the form, rounded up

_supersedes = itemgetter(1)  # of a write
_record_and_kind = itemgetter(0, 1)  # of an entry

Publish: TypeAlias = Callable[[bytes, str, Applied, object | None], None]
Writes: TypeAlias = Mapping[str, tuple[Value, Sequence[bytes]]]  # field → value, ids of what it supersedes
Entry: TypeAlias = tuple[bytes, str, Writes]  # record id, kind, writes
Seen: TypeAlias = tuple[bytes, str, str, Sequence[Standing]]  # record id, kind, field, what stands there


@dataclass(frozen=True, slots=True)
class Written:
    """The changesets that a command became, oldest first. waiting: they do not stand yet, and are sent to nobody."""

    ids: tuple[bytes, ...]
    waiting: bool
    why: str | None = None  # it is held here, since it cannot be sealed yet

    @property
    def last(self) -> bytes | None:
        return self.ids[-1] if self.ids else None


class Author:
    """A hand on this node's store: its own, or that of a person who is signed in. For the writer thread only."""

    def __init__(
        self, store: Store, seed: bytes, now_ms: int, publish: Publish, who: Who = speaking.NODE
    ) -> None:
        """seed: of the key to sign with (32 bytes). publish: called after each apply, with what it brought. who: in words."""
        self.store = store
        self.who = who
        self.key = public_key(seed)
        self.now_ms = now_ms
        self._seed = seed
        self._publish = publish

    def write(self, community: bytes, lane: str, entries: Sequence[Entry]) -> Written:
        """Sign these writes in as few changesets as the limits allow, and apply them in one transaction.

        entries: at most one for each (record id, kind); each stays whole, within one changeset.
        Raises TooLarge where one alone is too much for a changeset, WrongField for what no changeset can hold, and the
        store's errors; then nothing was written.
        """
        if lane != MEMBERS:
            return self._write(community, lane, entries)
        self.store.lane_state(community, lane)  # raises where it is not followed
        key = sealing.key_to_write_under(self, community)
        if key is None:
            list(_parts(entries, SEAL_BYTES))  # what would be too large then is refused now
            self.store.hold(community, self.key, entries)
            return Written((), True, sealing.why_held(self.store.evaluator(community), self.key, self.who))
        self.seal_held(community)
        return self._write(community, lane, entries, key)

    def seal_held(self, community: bytes) -> None:
        """Seal and write what is held, where there is a key now. After a power cut in between it is written twice, alike."""
        held = [each for each in self.store.held_writes(community) if each.author == self.key]
        key = sealing.key_to_write_under(self, community) if held else None
        if key is not None:
            self._write(community, MEMBERS, [(each.record, each.kind, each.writes) for each in held], key)
            self.store.release(held)

    def open_keys(self, epochs: Epochs) -> dict[bytes, bytes]:
        """The keys of the sealed lane that this key opens: commitment → key."""
        return opened(epochs, self._seed)

    def _write(
        self, community: bytes, lane: str, entries: Sequence[Entry], key: bytes | None = None
    ) -> Written:
        """key: to seal under, in lane `members`."""
        heads, anew = self._begin(community, lane)
        parts = list(_parts(entries, 0 if key is None else SEAL_BYTES))
        superseded = list(set().union(*(refs for _, refs in parts)))
        times = {i: time for i, (_, time, _) in self.store.facts(superseded).items()} if superseded else {}
        batch = []
        for part, superseded_by_part in parts:
            refs = sorted({*anew, *sorted(heads)[: HEADS_MAX - len(anew)], *superseded_by_part})
            time = writer_time(
                self.now_ms, [t for t in map({**times, **anew, **heads}.get, refs) if t is not None]
            )
            index_of = {ref: index for index, ref in enumerate(refs)}
            if superseded_by_part:
                changes = [_change(entry, index_of) for entry in part]
            else:  # writes that supersede nothing have the same form in both
                changes = cast(list[Change], part)
            if key is not None:
                box = seal(
                    changes, community=community, author=self.key, key=key, nonce=os.urandom(NONCE_BYTES)
                )
                changes = [box]
            checked = self._sign(community, lane, time, refs, changes)
            batch.append(checked)
            for ref in refs:
                heads.pop(ref, None)
            heads[checked.id] = time
            times[checked.id] = time
        return self._apply(community, lane, batch)

    def act(self, community: bytes, draft: Draft) -> Written:
        """Date, sign and apply an act of lane `authority`. Raises WrongField and the store's errors."""
        times = [time for _, time, _ in self.store.facts(list(draft.refs)).values()]
        time = writer_time(self.now_ms, times)
        checked = self._sign(draft.community, AUTHORITY, time, draft.refs, _changes(draft))
        return self._apply(community, AUTHORITY, [checked])

    def found(self, charter: Draft, lanes: Iterable[str]) -> bytes:
        """Write the charter of a new community, and follow that with `lanes`. Returns the community's id."""
        time = writer_time(self.now_ms, ())
        changeset = self._sign(charter.community, AUTHORITY, time, charter.refs, _changes(charter))
        self.store.follow(changeset.id, lanes)
        self._apply(changeset.id, AUTHORITY, [changeset])
        return changeset.id

    def agree(self, held: Evaluator, table: Mapping[str, Value]) -> bytes:
        """This key's signature under a table that is proposed."""
        return writing.sign_table(held, table, self._seed)

    def lets_stand_in(self, community: bytes, person: bytes, key: bytes, *, passes_on: bool) -> bytes:
        """This key's statement that another one signs tables for a person. passes_on: and may let a further one do so."""
        return stand_ins.let(community, person, key, self._seed, passes_on=passes_on)

    def warrant(self, community: bytes, key: bytes) -> bytes:
        """This steward's signature that another key may ack for them."""
        return statements.state(statements.WARRANT, community + key, self._seed)

    def _begin(self, community: bytes, lane: str) -> tuple[dict[bytes, int], dict[bytes, int]]:
        """What the next changeset refs of its author's own, and to be admitted again: each id with its time.

        Who was cut and granted anew names the grant, and of its own only what stands (rule 18).
        """
        heads = dict(self.store.heads(community, lane, self.key))
        verdict = self.store.authority(community).verdict(self.key, lane)
        anew = [id_ for way in verdict for condition in way for id_ in sorted(condition.anew)[:1]]
        if not anew:
            return heads, {}
        stand = {changeset_id(signed.body) for signed in self.store.fetch(community, lane, list(heads))}
        times = {id_: time for id_, (_, time, _) in self.store.facts(anew).items()}
        own = {id_: time for id_, time in heads.items() if id_ in stand}
        return own, {id_: times.get(id_, 0) for id_ in anew}

    def _sign(
        self, community: bytes, lane: str, time: int, refs: Sequence[bytes], changes: Sequence[Change]
    ) -> Checked:
        try:
            body, changeset = compose(
                community=community, lane=lane, author=self.key, time=time, refs=refs, changes=changes
            )
        except (NotCanonical, NotWellFormed) as error:
            raise WrongField("fields", str(error)) from error
        return Checked(changeset, sign(body, self._seed))

    def _apply(self, community: bytes, lane: str, batch: Sequence[Checked]) -> Written:
        applied = self.store.apply(community, lane, batch, seen_ms=self.now_ms, own=True)
        self._publish(community, lane, applied, None)
        return Written(tuple(checked.id for checked in batch), bool(applied.waiting))


def superseding(store: Store, community: bytes, lane: str, seen: Sequence[Seen]) -> list[list[bytes]]:
    """For each field that was seen: the ids that a write of it supersedes (rule 30).

    Those of the values that stand there, the shown one first; then what these directly superseded, where another author
    had written that: should the superseding changeset be cut one day, the older value does not rise again beside ours.
    """
    ids = list({write.changeset for _, _, _, standing in seen for write in standing})
    before = _superseded_before(store, community, lane, ids, {(r, k, f) for r, k, f, _ in seen})
    authors = {
        i: author for i, (author, _, _) in store.facts(list({r for s in before.values() for r in s})).items()
    }
    result = []
    for record, kind, field, standing in seen:
        own = [write.changeset for write in standing]
        older = [
            ref
            for write in standing
            for ref in before.get((write.changeset, record, kind, field), ())
            if ref in authors and authors[ref] != write.author
        ]
        result.append(list(dict.fromkeys(own + older)))
    return result


def _superseded_before(
    store: Store, community: bytes, lane: str, ids: Sequence[bytes], wanted: set[tuple[bytes, str, str]]
) -> dict[tuple[bytes, bytes, str, str], list[bytes]]:
    """(changeset, record, kind, field) → what that changeset supersedes there, for those changesets that stand."""
    found = {}
    records = {record for record, _, _ in wanted}
    for changeset in store.excerpts(community, lane, ids, records):
        if not changeset.refs:
            continue
        for record, kind, fields in changeset.changes:
            for field, (_, indexes) in fields.items():
                if indexes and (record, kind, field) in wanted:
                    found[changeset.id, record, kind, field] = [changeset.refs[i] for i in indexes]
    return found


def _changes(draft: Draft) -> list[Change]:
    return [(record, kind, dict(writes)) for record, kind, writes in draft.changes]


def check_kind(kind: str) -> None:
    """Raise WrongField unless a record can be of this kind."""
    if not kind.isprintable() or not 1 <= len(_utf8("kind", kind)) <= KIND_BYTES_MAX:
        raise WrongField("kind", f"a kind is 1 to {KIND_BYTES_MAX} bytes of printable text")


def check_fields(fields: Mapping[str, Value]) -> None:
    """Raise WrongField, with the name, at the first field that no changeset can hold."""
    for name, value in fields.items():
        if not 1 <= len(_utf8(name, name)) <= FIELD_BYTES_MAX:
            raise WrongField(name, f"the name of a field is 1 to {FIELD_BYTES_MAX} bytes")
        try:
            canonical.encode(value)
        except NotCanonical as error:
            raise WrongField(name, str(error)) from error


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON lets pass
        raise WrongField(name.encode(errors="replace").decode(), "is no valid Unicode") from None


def _superseded(entry: Entry) -> set[bytes]:
    """The ids that an entry supersedes; of hundreds of concurrent values a share, the next write sees the rest."""
    writes = entry[2]
    if not any(map(_supersedes, writes.values())):
        return set()
    share = max(1, SUPERSEDED_MAX // max(1, len(writes)))
    return {ref for _, ids in writes.values() if ids for ref in ids[:share]}


def _change(entry: Entry, index_of: Mapping[bytes, int]) -> Change:
    record, kind, writes = entry
    return (
        record,
        kind,
        {
            name: (value, sorted({index_of[ref] for ref in ids if ref in index_of}) if ids else ())
            for name, (value, ids) in writes.items()
        },
    )


def _parts(entries: Sequence[Entry], more_envelope: int = 0) -> Iterator[tuple[list[Entry], set[bytes]]]:
    """Cut the entries, in order of record id, into parts of which each is one changeset, with the ids it supersedes."""
    part: list[Entry] = []
    refs: set[bytes] = set()
    empty = ENVELOPE_BYTES + more_envelope + HEADS_MAX * REF_BYTES
    size = empty
    for entry in sorted(entries, key=_record_and_kind):
        more = _superseded(entry)
        bytes_more = _entry_bytes(entry) + (len(more - refs) * REF_BYTES if more else 0)
        if part and (
            len(part) == CHANGES_MAX
            or size + bytes_more > CHANGESET_BYTES_MAX
            or (more and len(refs | more) > SUPERSEDED_MAX)
        ):
            yield part, refs
            part, refs, size = [], set(), empty
            bytes_more = _entry_bytes(entry) + len(more) * REF_BYTES
        if size + bytes_more > CHANGESET_BYTES_MAX or len(more) > SUPERSEDED_MAX:
            raise TooLarge(
                f"the fields of one record take {bytes_more} bytes; {CHANGESET_BYTES_MAX - empty} at most"
            )
        part.append(entry)
        if more:
            refs |= more
        size += bytes_more
    if part:
        yield part, refs


def _entry_bytes(entry: Entry) -> int:
    """At most how many bytes an entry takes in the body, refs aside."""
    _, kind, writes = entry
    # The form of the writes is that of the body but for what they supersede: ids here, indexes of refs there.
    with_ids = len(canonical.pack(writes))
    ids = sum(map(len, map(_supersedes, writes.values())))
    return with_ids - ids * (REF_BYTES - INDEX_BYTES_MAX) + len(kind) * UTF8_BYTES_MAX + ENTRY_BYTES
