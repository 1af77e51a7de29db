"""The store of a node: everything that a daemon asks of the one database file.

Methods marked W are called by one thread only; R by any. Each W method is one transaction: when it returns, its work is
on the disk; when it raises, nothing has changed. All raise StoreError (errors.py) in place of SQLite's errors.
"""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from commonsnode_protocol.authority import Authority, Evaluator
from commonsnode_protocol.authority.writing import Held
from commonsnode_protocol.care import CARE, EVENT, RESOURCE, THING
from commonsnode_protocol.changeset import AUTHORITY, KEYS, MEMBERS, Changeset, Signed
from commonsnode_protocol.epochs import Epochs
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.negentropy import Storage
from commonsnode_store import (
    applying,
    bookkeeping,
    checking,
    commitments,
    events,
    facets,
    finding,
    following,
    half_words,
    halves,
    histories,
    holding,
    kits,
    learning,
    news,
    occupancy,
    opening,
    paging,
    reading,
    rebuilding,
    reserved,
    said,
    sets,
)
from commonsnode_store import lanes as lane_states
from commonsnode_store import standing as values
from commonsnode_store.answers import (
    Applied,
    CommunityInfo,
    Following,
    HeldWrite,
    HistoryEntry,
    KnownPeer,
    LaneState,
    Page,
    Problem,
    RecordRef,
    RecordView,
    VoidWrite,
)
from commonsnode_store.asked import Facets, FindPage, FindQuery
from commonsnode_store.bodies import Packer
from commonsnode_store.connections import Connection, Readers, reported, reported_with_files
from commonsnode_store.errors import StoreError
from commonsnode_store.finding import Asked
from commonsnode_store.fingerprints import LaneItems
from commonsnode_store.id_digests import IdDigests
from commonsnode_store.idleness import OpenRules
from commonsnode_store.kept_epochs import KeptEpochs
from commonsnode_store.lanes import Followed, Lane
from commonsnode_store.news import News
from commonsnode_store.numbers import Numbers
from commonsnode_store.reserved import Persons, Reserved, ThingBookings, Where
from commonsnode_store.scope import Among, Scopes, sealed_among
from commonsnode_store.search import Words, all_of, expand
from commonsnode_store.transaction import Transaction
from commonsnode_store.walks import Walks


class Store:
    """One open database file. Make it by `open`."""

    def __init__(self, path: Path, writer: Connection, followed: Followed) -> None:
        self._path = path
        self._writer = writer
        self._numbers = Numbers(writer)
        self._packer = Packer(writer)
        self._readers = Readers(path)
        self._words = Words()
        self._open_rules = OpenRules()
        self._scopes = Scopes(self.authority)
        # Held while a transaction is committed and what is in memory is replaced, so that whoever begins to read under
        # it finds both of the same moment.
        self._moment = threading.RLock()
        self._followed = followed
        self._authorities: dict[bytes, Authority] = {}
        self._persons = Persons()
        self._persons_written = Persons()  # as the one who writes has them
        self._evaluators: dict[bytes, Evaluator] = {}
        self._walks = Walks()
        self._id_digests = IdDigests()
        self._epochs = KeptEpochs()
        self._in_doubt = False  # whether a transaction failed since what is in memory was last compared

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> "Store":
        """Open the file at `path`; with `create`, make an empty one where there is none.

        Raises NotANode, NewerFormat, Damaged, ReadOnly, DiskFull.
        """
        return cls(path, *opening.open_file(path, create=create))

    def close(self) -> None:
        """Close the file. Snapshots that are still read go on until their end."""
        self._readers.close()
        self._words.close()
        with reported(self._path):
            self._writer.close()

    # --- Communities ---

    def follow(self, community: bytes, lanes: Iterable[str]) -> None:
        """W. Follow these lanes, and `authority`, beside those that are followed already."""
        with self._tables(anew=True) as db:
            following.follow(db, community, lanes)

    def leave(self, community: bytes) -> None:
        """W. Remove all of a community. Raises UnknownCommunity."""
        followed = self._followed.community(community)
        with reported(self._path):
            # Each changeset would be sought in tables that have no index for it; all of them are emptied.
            self._writer.execute("pragma foreign_keys = off")
        try:
            with self._tables(anew=True) as db:
                following.leave(db, followed)
        finally:
            self._forget()
            with reported(self._path):
                self._writer.execute("pragma foreign_keys = on")

    def communities(self) -> list[CommunityInfo]:
        """R. All that are followed, in the order in which they were first followed."""
        with self._snapshot() as (db, followed):
            return [sets.describe(db, community, followed) for community in followed.communities.values()]

    def community(self, community: bytes) -> CommunityInfo:
        """R. The same of one. Raises UnknownCommunity."""
        with self._snapshot() as (db, followed):
            return sets.describe(db, followed.community(community), followed)

    def names(self) -> dict[bytes, str | None]:
        """R. The id and the name of each, in the same order, from memory; no name while its charter is not here."""
        return {id_: community.name for id_, community in self._followed.communities.items()}

    def followed(self) -> dict[bytes, Following]:
        """R. What is followed of each, from memory, without the disk."""
        followed = self._followed
        return {id_: followed.following(community) for id_, community in followed.communities.items()}

    def following(self, community: bytes) -> Following:
        """R. The same of one. Raises UnknownCommunity."""
        followed = self._followed
        return followed.following(followed.community(community))

    def community_ids(self) -> list[bytes]:
        """R. The ids of the same, without looking at anything of them."""
        return list(self._followed.communities)

    def authority(self, community: bytes) -> Authority:
        """R. Who may write, by what stands in lane `authority`. Raises UnknownCommunity."""
        found = self._authorities.get(community)
        if found is None:
            with self._snapshot() as (db, followed):
                found = values.authority_of(db, followed.lane(community, AUTHORITY))
                with self._moment:
                    if followed is self._followed:
                        self._authorities[community] = found
        return found

    def evaluator(self, community: bytes) -> Evaluator:
        """W. All that is held of lane `authority`, valued and kept up to date; not to be changed. Raises UnknownCommunity."""
        with reported(self._path):
            self._read_again()
            return self._evaluator(community)

    def stop(self, community: bytes, reason: str) -> None:
        """W. Take nothing more of this community; it stays readable. Raises UnknownCommunity."""
        with self._transaction() as transaction:
            transaction.stop(transaction.before.community(community), reason)

    # --- The only way in ---

    def apply(
        self, community: bytes, lane: str, batch: Sequence[Checked], *, seen_ms: int, own: bool = False
    ) -> Applied:
        """W. Take in changesets of one lane: idempotent, atomic, in any order.

        What stands is kept. Of the rest, what is the node's own is kept and waits; other is refused. What was held is
        judged anew with it: what falls is kept as void, what rises stands (again). A charter that breaks its rules, and
        a table of an unknown version, stop the community. Of a stopped community all is refused.
        seen_ms: now, in ms since 1970.
        Raises UnknownCommunity, LaneNotFollowed; CommunityStopped for own ones; DiskFull, ReadOnly, Damaged; ValueError
        where a changeset is of another community or lane.
        """
        if not batch:
            self._followed.lane(community, lane)
            return Applied()
        self._followed.lane(community, lane)
        with self._transaction() as transaction:
            evaluator = self._evaluator(community)
            return applying.apply(transaction, evaluator, lane, batch, seen_ms=seen_ms, own=own)

    # --- The sealed lane ---

    def epochs(self, community: bytes) -> Epochs:
        """W. The epochs and copies that stand in lane `keys`, kept until these are others; none where that is not followed.

        Raises UnknownCommunity, Damaged.
        """
        self._followed.community(community)
        lane = self._followed.lanes.get((community, KEYS))
        if lane is None:
            return Epochs()
        with reported(self._path):
            return self._epochs.of(self._writer, lane)

    def epoch_keys(self, community: bytes) -> dict[bytes, bytes]:
        """R. The keys of the sealed lane that are here: commitment → key."""
        with self._snapshot() as (db, _):
            return said.keys_of(db, community)

    def learn(self, community: bytes, keys: Mapping[bytes, bytes]) -> int:
        """W. Keep keys of the sealed lane (commitment → key), and merge what they open. Returns how many changesets that is.

        Raises UnknownCommunity; ValueError where a key is not of its commitment.
        """
        with self._transaction() as transaction:
            learnt = learning.learn(transaction, transaction.before.community(community), keys)
            if learnt:
                applying.follow_bookings(transaction, self._evaluator(community))
            return learnt

    def hold(
        self, community: bytes, author: bytes, entries: Sequence[tuple[bytes, str, holding.Writes]]
    ) -> None:
        """W. Hold writes for lane `members` until they can be sealed. Raises UnknownCommunity, LaneNotFollowed."""
        self._followed.lane(community, MEMBERS)
        with self._tables() as db:
            holding.hold(db, community, author, entries)

    def held_writes(self, community: bytes | None = None) -> list[HeldWrite]:
        """R. What is held so, of one community or of all."""
        with self._snapshot() as (db, _):
            return holding.held(db, community)

    def release(self, sealed: Sequence[HeldWrite]) -> None:
        """W. These were sealed."""
        with self._tables() as db:
            holding.release(db, sealed)

    # --- Sets ---

    def lane_state(self, community: bytes, lane: str) -> LaneState:
        """R. From memory, without the disk. Raises UnknownCommunity, LaneNotFollowed."""
        return self._followed.lane(community, lane).state

    @contextmanager
    def reconciliation(self, community: bytes, lane: str) -> Iterator[Storage]:
        """R. What stands in a lane at one moment, for as long as the context lasts. Raises UnknownCommunity, LaneNotFollowed."""
        with self._snapshot() as (db, followed):
            found = followed.lane(community, lane)
            yield LaneItems(db, found.no, found.directory)

    def missing(self, community: bytes, lane: str, ids: Sequence[bytes]) -> list[bytes]:
        """R. Those of these changesets that are not held: neither standing, nor waiting, nor void."""
        with self._snapshot() as (db, followed):
            followed.lane(community, lane)
            held = applying.held_ids(db, ids)
            return [id_ for id_ in ids if id_ not in held]

    def fetch(self, community: bytes, lane: str, ids: Sequence[bytes]) -> list[Signed]:
        """R. Those of these changesets that stand, in the order asked. Raises Damaged where one is not what its id says."""
        with self._snapshot() as (db, followed):
            return sets.fetch(db, followed.lane(community, lane), ids)

    def fetch_with_waiting(self, community: bytes, lane: str, ids: Sequence[bytes]) -> list[Signed]:
        """R. As `fetch`, with those of this node's own that wait: what it shows to be admitted by. Raises Damaged."""
        with self._snapshot() as (db, followed):
            return sets.fetch(db, followed.lane(community, lane), ids, waiting=True)

    def excerpts(
        self, community: bytes, lane: str, ids: Sequence[bytes], records: Collection[bytes]
    ) -> list[Changeset]:
        """R. Of those of these changesets that stand, what they say of these records here. Raises Damaged."""
        with self._snapshot() as (db, followed):
            return sets.excerpts(db, followed.lane(community, lane), ids, records)

    def sending_order(self, community: bytes, lane: str, ids: Sequence[bytes]) -> list[bytes]:
        """R. These ids in the order in which a peer can judge them: of authors who were cut, each before those that it refs."""
        authority = self.authority(community)
        with self._snapshot() as (db, followed):
            return sets.sending_order(db, followed.lane(community, lane), authority, ids)

    def heads(self, community: bytes, lane: str, author: bytes) -> list[tuple[bytes, int]]:
        """R. (id, time) of an author's changesets that stand or wait, and that no other such one of the author refs."""
        with self._snapshot() as (db, followed):
            return sets.heads(db, followed.lane(community, lane), author)

    def held(self, community: bytes, keys: Iterable[bytes], *, void: bool = False) -> Held:
        """R. Of each of these keys, in each data lane followed here: the changesets that stand, and what these ref.

        What a revocation names its heads from. void: those that stood once and do not any more, in place of the others.
        Raises UnknownCommunity, Damaged.
        """
        with self._snapshot() as (db, followed):
            return sets.held(db, followed.data_lanes(community), keys, void=void)

    def standing(self, ids: Sequence[bytes]) -> set[bytes]:
        """R. Those of these changesets that stand, of any lane and community."""
        with self._snapshot() as (db, _):
            return sets.standing_ids(db, ids)

    def facts(self, ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, int, int]]:
        """R. Of each of these changesets that is held: author, time, and when it was first seen here."""
        with self._snapshot() as (db, _):
            return sets.facts(db, ids)

    # --- Records ---

    def find(
        self,
        prefix: str,
        *,
        community: bytes | None = None,
        kind: str | None = None,
        void: bool = False,
        among: Among | None = None,
    ) -> list[RecordRef]:
        """R. Records whose id begins with these hexadecimal digits; at most 10.

        among: (community, lane) → whether its records are looked at; none for all.

        void: those of which nothing stands or waits any more, in place of the others.
        """
        with self._snapshot() as (db, followed):
            return reading.find(db, _among(followed.record_lanes(community), among), prefix, kind, void=void)

    def record(self, ref: RecordRef) -> RecordView | None:
        """R. A record as it is shown, or None where there is none. Raises UnknownCommunity, LaneNotFollowed."""
        with self._snapshot() as (db, followed):
            return reading.one(db, followed.lane(ref.community, ref.lane), ref.kind, ref.record)

    def records(
        self, community: bytes, lane: str, kind: str, ids: Sequence[bytes]
    ) -> dict[bytes, RecordView]:
        """R. Those of these records that are here, by id."""
        with self._snapshot() as (db, followed):
            return reading.bulk(db, followed.lane(community, lane), kind, ids)

    def page(
        self,
        *,
        community: bytes | None,
        kind: str | None = None,
        text: str = "",
        deleted: bool = False,
        cursor: str | None = None,
        limit: int = 50,
        without: Collection[str] = (),
        beside: Collection[str] = (),
        among: Among | None = None,
    ) -> Page:
        """R. Records by title, of one community or of all; what members alone read of one is merged into it.

        text: words that a record must have, each as the beginning of one of its words, without case and accents.
        deleted: those that are deleted, in place of those that are not.
        without: kinds that are left out of lane `members`; beside: of every lane.
        among: as in `find`.
        Raises UnknownCommunity; ValueError where the cursor is none of ours, or the limit not from 1 to 1,000.
        """
        words = self._words.query(text)
        with self._snapshot() as (db, followed):
            record_lanes = _among(followed.record_lanes(community), among)
            if text.strip() and not words:
                return Page([], None, 0)
            page = paging.page(
                db,
                record_lanes,
                kind=kind,
                query=all_of(words) if words else None,
                deleted=deleted,
                cursor=cursor,
                limit=limit,
                in_halves=half_words.things(db, sealed_among(record_lanes), words),
                without=without,
                beside=beside,
            )
            return replace(page, records=halves.whole(db, record_lanes, page.records))

    def whole(self, ref: RecordRef, *, among: Among | None = None) -> RecordView | None:
        """R. As `record`, with what members alone read of it. among: as in `find`."""
        with self._snapshot() as (db, followed):
            view = reading.one(db, followed.lane(ref.community, ref.lane), ref.kind, ref.record)
            if view is None or ref.lane == MEMBERS:
                return view
            return halves.whole(db, _among(followed.record_lanes(ref.community), among), [view])[0]

    def half(self, ref: RecordRef, *, among: Among | None = None) -> RecordRef | None:
        """R. Where what members alone read of a record would be; none where this cannot be looked at. among: as in `find`."""
        if ref.lane == MEMBERS or (ref.community, MEMBERS) not in self._followed.lanes:
            return None
        seen = among is None or among(ref.community, MEMBERS)
        return RecordRef(ref.community, MEMBERS, ref.kind, ref.record) if seen else None

    def count(self, community: bytes, lane: str, kinds: Collection[str]) -> int:
        """R. How many records of these kinds a lane shows. Raises UnknownCommunity, LaneNotFollowed."""
        with self._snapshot() as (db, followed):
            found = followed.lane(community, lane)
            return sum(paging.count_of(db, found, kind) for kind in kinds)

    def export(
        self, community: bytes, *, among: Among | None = None, whole: bool = False
    ) -> Iterator[RecordView]:
        """R. What stands, sorted by (record id, kind, lane); read as it is asked for, from one moment.

        among: as in `find`. whole: what members alone read of a record is merged into it. Raises UnknownCommunity.
        """
        self._followed.community(community)
        found = self._export(community, among)
        return halves.each_whole(found) if whole else found

    def history(self, ref: RecordRef) -> list[HistoryEntry]:
        """R. All that was written to a record, void or not, each after what it builds on."""
        with self._snapshot() as (db, followed):
            return histories.history(db, followed.lane(ref.community, ref.lane), ref.kind, ref.record)

    def news(self, community: bytes, lane: str, ids: Sequence[bytes]) -> News | None:
        """R. What these changesets brought. Raises UnknownCommunity, LaneNotFollowed, Damaged."""
        with self._snapshot() as (db, followed):
            return news.of(db, followed.lane(community, lane), ids)

    def news_after(self, last: bytes, *, among: Among | None = None) -> list[News] | None:
        """R. What was stored after this changeset; none where it is not known here, or too long ago. Raises Damaged.

        among: as in `find`.
        """
        with self._snapshot() as (db, followed):
            lanes = {lane.no: lane for lane in _among(followed.lanes.values(), among)}
            return news.after(db, lanes, last)

    def newest(self, *, among: Among | None = None) -> bytes | None:
        """R. The changeset that was stored last; none where that is long ago. among: as in `find`."""
        with self._snapshot() as (db, followed):
            return news.newest(db, {lane.no: lane for lane in _among(followed.lanes.values(), among)})

    def void(self, ref: RecordRef) -> dict[str, list[VoidWrite]]:
        """R. By field, what stood of a record and stands no more, latest first; also of one of which nothing stands."""
        authority = self.authority(ref.community)
        with self._snapshot() as (db, followed):
            lane = followed.lane(ref.community, ref.lane)
            return histories.void(db, lane, authority, ref.kind, ref.record)

    def events(self, community: bytes, resource: bytes, *, among: Among | None = None) -> list[RecordView]:
        """R. The events that name a thing, in every lane here; without those that are removed. among: as in `find`."""
        with self._snapshot() as (db, followed):
            found: list[RecordView] = []
            for lane in _among(followed.record_lanes(community), among):
                found += reading.bulk(db, lane, EVENT, events.of_thing(db, lane, resource)).values()
            return [each for each in found if each.values.get(RESOURCE) == resource and not each.deleted]

    def cared_for(self, community: bytes | None, *, among: Among | None = None) -> list[RecordView]:
        """R. The things that have rules of care, in one community or in all. among: as in `find`."""
        with self._snapshot() as (db, followed):
            found: list[RecordView] = []
            for lane in _among(followed.record_lanes(community), among):
                found += reading.bulk(db, lane, THING, list(events.cared_for(db, lane))).values()
            return [each for each in found if CARE in each.values and not each.deleted]

    def find_things(self, query: FindQuery, *, among: Among | None = None) -> FindPage:
        """R. What is near, with these words, free from then until then: nearest first.

        Found by the places that everybody may know, and shown as members know them where that may be read.
        among: as in `find`. Raises ValueError where the cursor is none of ours, or the question beyond the limits in asked.py.
        """
        with self._asked(query, among) as (db, followed, asked):
            if asked is None:
                return FindPage((), None)
            blurred_m = halves.radius_m(self._scopes.grid_m(asked.scope))
            wider = replace(asked, query=halves.widened(query, blurred_m), blurred_m=blurred_m)
            page = finding.find(db, followed, wider, self._open_rules)
            return halves.found_exactly(db, asked.scope.sealed, query, page)

    def count_things(self, query: FindQuery, *, among: Among | None = None) -> Facets:
        """R. How many there are of each sort of what `find_things` looks at, whatever the page. Raises ValueError likewise."""
        with self._asked(query, among) as (db, _, asked):
            if asked is None:
                return Facets(0, {}, {}, {}, {}, {})
            return facets.count(db, asked, self._open_rules)

    @contextmanager
    def _asked(
        self, query: FindQuery, among: Among | None
    ) -> Iterator[tuple[Connection, Followed, Asked | None]]:
        """A question, and the moment that answers it; none where nothing can have the words."""
        finding.check(query)
        typed = bool(query.text and query.text.strip())
        words = self._words.finding(query.text, query.tags) if typed or query.tags else None
        concerns_lending = any(each is not None for each in (query.span, query.asker, query.soonest))
        customs = self._scopes.customs(self._followed) if concerns_lending else {}
        with self._snapshot() as (db, followed):
            if words is None:
                yield db, followed, Asked(query, None, self._scopes.of(followed, among), customs)
            elif terms := expand(db, words):
                scope = self._scopes.of(followed, among)
                beside = half_words.things(db, scope.sealed, terms)
                yield db, followed, Asked(query, all_of(terms), scope, customs, beside=beside)
            else:
                yield db, followed, None

    def kinds(self) -> list[str]:
        """R. All kinds that records here are of, or once were, in any community."""
        with self._snapshot() as (db, _):
            return [name for (name,) in db.execute("select name from kinds order by name")]

    # --- Reservations ---

    def bookings(self, community: bytes, resource: bytes, *, waiting: bool = True) -> ThingBookings:
        """R. Who keeps a thing, and all that is reserved of it, in every lane here.

        waiting: with this node's own that does not stand yet, marked; without it, alike at every node.
        Raises UnknownCommunity, Damaged.
        """
        authority = self.authority(community)
        with self._snapshot() as (db, followed):
            return reserved.bookings(
                db, self._where(followed, community, authority), resource, waiting=waiting
            )

    def reservation(self, community: bytes, record: bytes) -> tuple[ThingBookings, Reserved] | None:
        """R. One reservation, by the id of its record, and all that is reserved of its thing; None where there is none.

        Raises UnknownCommunity, Damaged.
        """
        with self._snapshot() as (db, followed):
            things = sorted(commitments.things_of(db, followed.record_lanes(community), [record]))
        for thing in (self.bookings(community, resource) for resource in things):
            for found in thing.of(record):
                return thing, found
        return None

    def reserved_together(self, community: bytes, ask: bytes) -> list[tuple[ThingBookings, Reserved]]:
        """R. What one changeset asked for: a kit, and each of its parts. Raises UnknownCommunity, Damaged."""
        authority = self.authority(community)
        with self._snapshot() as (db, followed):
            return list(kits.together(db, self._where(followed, community, authority), ask))

    def reservations(
        self,
        community: bytes | None = None,
        *,
        askers: Collection[bytes] | None = None,
        keepers: Collection[bytes] | None = None,
        concerning: Collection[bytes] | None = None,
        unkept: bool = False,
    ) -> list[tuple[ThingBookings, Reserved]]:
        """R. Reservations of one community or of all, by thing, those of a thing in the order of their turn.

        askers: only what these keys asked for. keepers: only of things that one of these keys keeps. Both: what fits both.
        concerning: all of things that one of these keys keeps or ever asked for. unkept: things that nobody keeps are among
        those that are kept. Raises UnknownCommunity, Damaged.
        """
        wanted = occupancy.Wanted(askers, keepers, concerning, unkept)
        of = self._followed.communities if community is None else [community]
        authorities = {each: self.authority(each) for each in of}
        with self._snapshot() as (db, followed):
            return [
                (thing, each)
                for of_community, authority in authorities.items()
                for thing in occupancy.things(db, self._where(followed, of_community, authority), wanted)
                for each in thing.reserved
                if askers is None or each.booking.ask.author in askers
            ]

    # --- What the node keeps for itself ---

    def remember_peer(
        self, address: str, *, node: bytes | None = None, seen_ms: int | None = None, source: str = "operator"
    ) -> None:
        """W. Keep an address, or what is new of one that is kept."""
        with self._tables() as db:
            bookkeeping.remember_peer(db, address, node, seen_ms, source)

    def forget_peer(self, address: str) -> bool:
        """W. Whether there was one."""
        with self._tables() as db:
            return bookkeeping.forget_peer(db, address)

    def peers(self) -> list[KnownPeer]:
        """R."""
        with self._snapshot() as (db, _):
            return bookkeeping.peers(db)

    def note_import(
        self, community: bytes, lane: str, kind: str, source: str, records: Iterable[bytes]
    ) -> None:
        """W. Keep which records came from a table; replaces what was kept of it."""
        with self._tables() as db:
            bookkeeping.note_import(db, community, lane, kind, source, records)

    def imported(self, community: bytes, lane: str, kind: str, source: str) -> set[bytes]:
        """R. Which records came from a table, as far as this node imported it."""
        with self._snapshot() as (db, _):
            return bookkeeping.imported(db, community, lane, kind, source)

    def note_imported_tags(
        self, community: bytes, lane: str, kind: str, source: str, tags: Mapping[bytes, Sequence[str]]
    ) -> None:
        """W. Keep which tags a table set on which records; replaces what was kept of it."""
        with self._tables() as db:
            bookkeeping.note_imported_tags(db, community, lane, kind, source, tags)

    def imported_tags(self, community: bytes, lane: str, kind: str, source: str) -> dict[bytes, list[str]]:
        """R. Which tags a table set, by record, as far as this node imported it and kept that."""
        with self._snapshot() as (db, _):
            return bookkeeping.imported_tags(db, community, lane, kind, source)

    def save_time(self, ms: int) -> None:
        """W. Keep a plausible time for a machine without a clock (rule 3)."""
        with self._tables() as db:
            bookkeeping.save_time(db, ms)

    def saved_time(self) -> int:
        """R. The time last saved, or 0."""
        with self._snapshot() as (db, _):
            return bookkeeping.saved_time(db)

    def tidy(self) -> None:
        """W. Move what is in the log into the file, as far as no one reads it: when idle, so that no edit waits for it."""
        with reported(self._path):
            self._writer.execute("pragma wal_checkpoint(passive)").fetchall()

    # --- Truth ---

    def check(self, progress: Callable[[int, int], None] | None = None) -> list[Problem]:
        """R. Compare everything with what the changesets say: slow, and complete. Empty where all is well.

        progress: called now and then with how much is done, and of how much.
        """
        with self._snapshot(keep=False) as (db, _):
            return checking.check(db, progress)

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> list[Problem]:
        """W. Compute everything anew from the changesets, into a new file. Returns what could not be kept of these.

        Needs as much free space as the file takes. Snapshots that are still read go on with the old file.
        """
        with reported_with_files(self._path):
            rebuilt = opening.making_of(self._path, "rebuilding")
            problems = rebuilding.build(self._writer, rebuilt, progress)
            with self._moment:
                self._readers.renew()
                self._writer.close()
                try:
                    opening.replace_file(self._path, rebuilt)
                finally:
                    self._writer, self._followed = opening.open_file(self._path, create=False)
                    self._numbers, self._packer = Numbers(self._writer), Packer(self._writer)
                    self._authorities.clear()
                    self._forget()
                    self._in_doubt = False
        return problems

    @staticmethod
    def check_file(path: Path, progress: Callable[[int, int], None] | None = None) -> list[Problem]:
        """`check` for a file that is not open, and may be too damaged to be. Raises NotANode, NewerFormat."""
        return checking.check_closed(path, progress)

    @staticmethod
    def rebuild_file(path: Path, progress: Callable[[int, int], None] | None = None) -> list[Problem]:
        """`rebuild` for a file that is not open, and may be too damaged to be. Raises NotANode, NewerFormat, Damaged."""
        return rebuilding.rebuild_closed(path, progress)

    # --- Transactions and snapshots ---

    def _where(self, followed: Followed, community: bytes, authority: Authority) -> Where:
        people = self._persons.of(community, authority)
        return Where(community, followed.record_lanes(community), authority, people)

    def _evaluator(self, community: bytes) -> Evaluator:
        found = self._evaluators.get(community)
        if found is None:
            found = values.evaluator_of(self._writer, self._followed.lane(community, AUTHORITY))
            self._evaluators[community] = found
            with self._moment:
                self._authorities.setdefault(community, found.authority)
        return found

    def _forget(self) -> None:
        """What only the one who writes has in memory."""
        self._numbers.forget()
        self._packer.forget()
        self._evaluators.clear()
        self._epochs.forget()
        self._walks.forget()
        self._persons_written.forget()
        self._id_digests.forget()

    @contextmanager
    def _snapshot(self, *, keep: bool = True) -> Iterator[tuple[Connection, Followed]]:
        """One read transaction, and what is followed at that moment."""
        with ExitStack() as stack:
            with self._moment:
                db = stack.enter_context(self._readers.snapshot(keep=keep))
                db.execute("select no from lanes limit 1").fetchone()  # from here on it sees this moment
                followed = self._followed
            yield db, followed

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        """One write transaction that ends with all that it changed in place, in the file and in memory, or nothing."""
        with self._writing() as db:
            self._numbers.begin()
            transaction = Transaction(
                db,
                self._numbers,
                self._packer,
                self._followed,
                self._walks,
                self._id_digests,
                self._persons_written,
            )
            yield transaction
            followed = transaction.finish()
            with self._moment:
                db.execute("commit")
                self._followed = followed
                self._authorities.update(transaction.authorities)

    @contextmanager
    def _tables(self, *, anew: bool = False) -> Iterator[Connection]:
        """One write transaction on tables; anew: what is followed is read from them again."""
        with self._writing() as db:
            yield db
            followed = lane_states.load(db) if anew else self._followed
            with self._moment:
                db.execute("commit")
                self._followed = followed
                if anew:
                    self._authorities.clear()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with reported(self._path):
            self._read_again()
            try:
                self._writer.execute("begin immediate")
                yield self._writer
            except BaseException:
                # Whether a commit that failed took place after all is known to the file alone.
                self._in_doubt = True
                with suppress(sqlite3.Error):
                    if self._writer.in_transaction:
                        self._writer.execute("rollback")
                with suppress(sqlite3.Error, StoreError):
                    self._read_again()
                raise

    def _read_again(self) -> None:
        """After a transaction that failed: forget what is in memory, and take it from the file."""
        if self._in_doubt:
            self._forget()
            followed = lane_states.load(self._writer)
            with self._moment:
                self._followed = followed
                self._authorities.clear()
            self._in_doubt = False

    def _export(self, community: bytes, among: Among | None) -> Iterator[RecordView]:
        with self._snapshot() as (db, followed):
            yield from reading.export(db, _among(followed.record_lanes(community), among))


def _among(lanes: Iterable[Lane], among: Among | None) -> list[Lane]:
    return [lane for lane in lanes if among is None or among(lane.community, lane.name)]
