"""The authority function, kept up to date with each changeset.  SPEC.md, "Authority" (rules 4, 5, 8 to 24).

Pure and deterministic: what it says depends on the set of changesets that it was given, not on their order. In layers
(tables; acts of stewards; joins; people), each of which depends only on those above it, so refusing what does not stand is
safe. A change of the chain values everything anew; anything else only what it is about.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import pairwise

from commonsnode_protocol.authority.acts import CHARTER, Certificate, Entry, entry, values_of
from commonsnode_protocol.authority.cuts import may_stand
from commonsnode_protocol.authority.joins import Joins
from commonsnode_protocol.authority.members import Member, Membership, member_of
from commonsnode_protocol.authority.persons import Person, Pool
from commonsnode_protocol.authority.roster import Roster
from commonsnode_protocol.authority.settings import Table, name_of, settings_of
from commonsnode_protocol.authority.stewardship import Stewardship, Touched, changed_keys
from commonsnode_protocol.authority.succession import Elections
from commonsnode_protocol.authority.tables import Chain, TableActs, chain_of
from commonsnode_protocol.authority.view import ALWAYS, NEVER, Authority, Verdict
from commonsnode_protocol.changeset import AUTHORITY, Changeset
from commonsnode_protocol.record import NONCE_BYTES, typed_id


@dataclass(frozen=True, slots=True)
class Step:
    """What a step changed."""

    rose: frozenset[bytes]  # changesets of `authority` that stand now and did not
    fell: frozenset[bytes]  # and those that stood and do no more
    authors: frozenset[bytes]  # keys of which something else stands in the data lanes now
    moved: bool  # the chain of tables is another one
    left: (
        bytes | None
    )  # the table that was the current one and is in the chain no more (rule 14): tell people


NOBODY = Authority()  # before the charter is here
NOTHING = Step(frozenset(), frozenset(), frozenset(), False, None)


def charter_table(charter: Changeset) -> Table | None:
    """Table 0, or None where the charter breaks its rules: then nothing can ever stand in that community."""
    if not charter.is_charter:
        return None
    record, kind, _ = charter.changes[0]
    values = values_of(charter.changes[0])
    nonce, name, founder = values.get("nonce"), name_of(values), values.get("founder")
    if kind != CHARTER or type(nonce) is not bytes or len(nonce) != NONCE_BYTES or name is None:
        return None
    if record != typed_id(b"", charter.author, nonce) or founder != charter.author:
        return None
    return Table(charter.id, name, (charter.author,), settings_of(values))


def evaluate(community: bytes, changesets: Iterable[Changeset]) -> Authority:
    """Value a set of well-formed, signed changesets of lane `authority`; the order in which they come is no matter."""
    evaluator = Evaluator(community)
    evaluator.add(changesets)
    return evaluator.authority


@dataclass(slots=True)
class Evaluator:
    """All changesets of lane `authority` that a node holds: standing, in its history, waiting, or just offered."""

    community: bytes
    standing: set[bytes] = field(default_factory=set)
    _held: dict[bytes, Entry] = field(default_factory=dict)
    _pool: Pool = field(init=False)
    _tables: TableActs = field(default_factory=TableActs)
    _joins: Joins = field(init=False)
    _elections: Elections = field(init=False)
    _charter: Entry | None = None
    _first: Table | None = None
    _chain: Chain | None = None
    _acts: Stewardship | None = None
    _roster: Roster = field(default_factory=Roster)
    _holders: dict[bytes, set[bytes]] = field(default_factory=dict)  # key → persons
    _claims: dict[bytes, set[bytes]] = field(default_factory=dict)  # the same of the keys that they claim
    _kept: dict[bytes, set[bytes]] = field(default_factory=dict)  # changeset → persons whose keys it is about
    _shut_out: frozenset[bytes] | None = None  # none: not worked out since the last step

    def __post_init__(self) -> None:
        self._pool = Pool(self.community)
        self._joins = Joins(self.community)
        self._elections = Elections(self._pool, self._held)

    @property
    def authority(self) -> Authority:
        """All that the set says now; the same object as long as it says the same."""
        return self._roster.authority(self._chain) if self._chain is not None else NOBODY

    @property
    def chain(self) -> Chain | None:
        return self._chain

    @property
    def acts(self) -> Stewardship | None:
        """The standing acts of stewards, by what they are about."""
        return self._acts

    @property
    def joins(self) -> Joins:
        return self._joins

    @property
    def pool(self) -> Pool:
        return self._pool

    @property
    def members(self) -> Mapping[bytes, Membership]:
        """Who has which role now; live."""
        return self._roster.members.live

    @property
    def readers(self) -> AbstractSet[bytes]:
        """The keys of members and stewards that may read what is sealed; live."""
        return self._roster.readers

    @property
    def shut_out(self) -> frozenset[bytes]:
        """All that shuts somebody out: standing revocations of persons and keys, withdrawals, leaves, and removals of stewards."""
        if self._shut_out is None:
            self._shut_out = frozenset(self._find_shut_out())
        return self._shut_out

    @property
    def people(self) -> Mapping[bytes, Member]:
        """All who are or were admitted; live."""
        return self._roster.people.live

    def verdict(self, author: bytes, lane: str) -> Verdict:
        """In which ways changesets of this author stand in this lane; without those by which none can."""
        if lane == AUTHORITY:
            return self._acts_verdict(author)
        return tuple(way for way in self._data_verdict(author) if may_stand(way, author, lane))

    def table_acts(self) -> Iterator[Entry]:
        """Every certificate, succession, ack and objection that is held."""
        return iter(self._pool.on_tables.values())

    def entries(self) -> Iterator[Entry]:
        """All that is held, standing or not."""
        return iter(self._held.values())

    def entry(self, id_: bytes) -> Entry | None:
        return self._held.get(id_)

    def member(self, person: bytes) -> Member | None:
        """A person who is or was admitted."""
        return self._roster.people.live.get(person)

    def persons_of(self, key: bytes) -> tuple[bytes, ...]:
        """Whose key this is: the first keys of those who are or were admitted, in order. Most often one."""
        return tuple(sorted(self._holders.get(key, ())))

    def person(self, first: bytes) -> Person | None:
        """The keys of a person, as far as they may act in `authority`."""
        if self._acts is not None and first in self._acts.persons:
            return self._acts.persons[first]
        member = self._roster.people.live.get(first)
        return member.person if member is not None else None

    def add(self, changesets: Iterable[Changeset]) -> Step:
        """Take in well-formed, signed changesets; those of another community or lane are passed over."""
        new = [each for each in changesets if each.id not in self._held and self._is_ours(each)]
        entries = [entry(self.community, each) for each in new]
        if not entries:
            return NOTHING
        touched = Touched()
        self._shut_out = None
        for each in entries:
            self._take(each, touched)
        self._elections.add(entries)
        if self._first is None or self._charter is None:
            return NOTHING
        before = self._chain
        if before is None or self._may_move(entries):
            after = chain_of(self._charter, self._first, self._tables, self._elections.elect)
            self._chain = after
            if before is None or self._acts is None or before.tables != after.tables[: len(before.tables)]:
                return self._all_anew(before)
            touched.changesets |= (before.kept ^ after.kept) | (before.rolls ^ after.rolls)
            self._acts.follow(after, touched)
        assert self._chain is not None
        step = self._step(entries, touched)
        return replace(step, moved=before.tables != self._chain.tables)

    def forget(self, ids: Iterable[bytes]) -> None:
        """Let go of what does not stand and is not to be kept: offered by a peer, and refused (rule 26)."""
        for id_ in ids:
            held = self._held.get(id_)
            if held is None or id_ in self.standing:
                continue
            del self._held[id_]
            self._elections.forget(held)
            self._pool.remove(held)
            if held.of_table is not None:
                self._tables.remove(held)
            if held.join is not None:
                self._joins.remove(held)

    def _is_ours(self, changeset: Changeset) -> bool:
        if changeset.is_charter:
            return changeset.id == self.community
        return changeset.lane == AUTHORITY and changeset.community == self.community

    def _take(self, new: Entry, touched: Touched) -> None:
        self._held[new.id] = new
        self._pool.add(new)
        touched.changesets.add(new.id)
        if new.changeset.is_charter:
            self._charter, self._first = new, charter_table(new.changeset)
        elif new.of_table is not None:
            self._tables.add(new)
        elif new.join is not None:
            invitation = self._joins.add(new)
            if invitation is not None:
                touched.invitations.add(invitation)
                touched.persons.add(new.changeset.author)

    def _may_move(self, entries: Iterable[Entry]) -> bool:
        """Whether these can change the chain or what is kept of it."""
        chain = self._chain
        assert chain is not None
        if self._tables.successions and self._may_decide(entries):
            return True
        return any(each.of_table is not None and each.of_table.parent in chain.index for each in entries)

    def _may_decide(self, entries: Iterable[Entry]) -> bool:
        """Whether a succession may be judged otherwise now: by what is on its roll, or by anything of a steward's."""
        assert self._chain is not None
        assert self._acts is not None
        rolls = [
            found.of_table.roll
            for table in self._chain.tables
            for found in self._tables.successions.get(table.id, {}).values()
            if isinstance(found.of_table, Certificate) and found.of_table.roll is not None
        ]
        claims = self._acts.claims
        return bool(rolls) and any(
            each.changeset.author in claims or any(each.id in roll for roll in rolls) for each in entries
        )

    def _all_anew(self, before: Chain | None) -> Step:
        assert self._chain is not None
        data, self._roster = self._roster.data.live, Roster()
        self._elections.keep(self._chain.index)
        self._acts = Stewardship(self._chain, self._pool)
        self._joins.value_all(self._acts)
        self._holders, self._claims, self._kept = {}, {}, {}
        for first in {*self._chain.tenures, *self._acts.grants, *self._joins.of_person}:
            self._value_person(first)
        stood = self.standing
        self.standing = {id_ for id_, held in self._held.items() if self._stands(held)}
        self._value_keys(self._holders.keys() | self._acts.by_key.keys())
        all_stand = {key for key, verdict in self._roster.acts.live.items() if verdict == ALWAYS}
        for id_ in self.standing:
            held = self._held[id_]
            if held.changeset.author not in all_stand:
                self._roster.stood(id_, held.changeset.author)
            if held.cuts_key:
                self._roster.put_key_cut(id_, stands=True)
        now = self._roster.data.live
        authors = frozenset(key for key in data.keys() | now.keys() if data.get(key) != now.get(key))
        left = None
        if before is not None and before.current.id not in self._chain.index:
            left = before.current.id
        return Step(frozenset(self.standing - stood), frozenset(stood - self.standing), authors, True, left)

    def _step(self, entries: Sequence[Entry], touched: Touched) -> Step:
        acts = self._acts
        assert acts is not None
        acts.add(entries, touched)
        touched.invitations |= {
            self._joins.invitation_of[id_] for id_ in touched.pinned if id_ in self._joins.invitation_of
        }
        for invitation in touched.invitations:
            moved = self._joins.value(invitation, acts, touched.pinned)
            touched.changesets |= moved.joins
            touched.persons |= moved.persons
        touched.persons |= {
            first
            for new in entries
            for first in self._claims.get(new.changeset.author, ())
            if (person := self._person_of(first)) is not None and not person.adds(new)
        }
        authors: set[bytes] = set()
        for first in touched.persons:
            authors |= self._value_person(first, touched)
        rose_ids, fell_ids = self._settle(touched.changesets)
        for key in self._value_keys(authors | touched.keys):
            for id_ in self.standing & self._pool.by_author.get(key, {}).keys():
                self._roster.stood(id_, key)
        for id_ in rose_ids:
            self._roster.stood(id_, self._held[id_].changeset.author)
        for id_ in fell_ids:
            self._roster.fell(id_)
        for id_ in (*rose_ids, *fell_ids):
            if self._held[id_].cuts_key:
                self._roster.put_key_cut(id_, stands=id_ in rose_ids)
        return Step(rose_ids, fell_ids, frozenset(authors), False, None)

    def _value_person(self, first: bytes, touched: Touched | None = None) -> set[bytes]:
        """Value a person anew; returns the keys of which something else stands in the data lanes."""
        assert self._acts is not None
        old = self._person_of(first)
        member = member_of(first, self._pool, self._acts, self._joins)
        new = member.person if member is not None else None
        for key in old.keys if old is not None else ():
            self._holders[key].discard(first)
        for key in old.claimed if old is not None else ():
            self._claims[key].discard(first)
        for id_ in old.kept if old is not None else ():
            self._kept[id_].discard(first)
        self._roster.put_person(first, member)
        for key in new.keys if new is not None else ():
            self._holders.setdefault(key, set()).add(first)
        for key in new.claimed if new is not None else ():
            self._claims.setdefault(key, set()).add(first)
        for id_ in new.kept if new is not None else ():
            self._kept.setdefault(id_, set()).add(first)
        for of in (old, new):
            for key in of.keys if of is not None else ():
                self._roster.put_key(key, self._holders[key])
        changed = changed_keys(old, new)
        if touched is not None:
            walked = {
                *changed,
                *(old.walks if old is not None else ()),
                *(new.walks if new is not None else ()),
            }
            for key in walked:
                touched.changesets |= self._pool.by_author.get(key, {}).keys()
            touched.changesets |= (old.kept if old is not None else frozenset()) ^ (
                new.kept if new is not None else frozenset()
            )
        return changed

    def _value_keys(self, keys: Iterable[bytes]) -> list[bytes]:
        """Say of these keys what stands of them now; those of which all stands in lane `authority` now, or no more."""
        turned: list[bytes] = []
        for key in keys:
            self._roster.put_data(key, self._data_verdict(key))
            if self._roster.put_acts(key, self._acts_verdict(key)):
                turned.append(key)
        return turned

    def _person_of(self, first: bytes) -> Person | None:
        member = self._roster.people.live.get(first)
        return member.person if member is not None else None

    def _find_shut_out(self) -> Iterator[bytes]:
        if self._acts is None:
            return
        yield from self._acts.shut_out
        yield from self._roster.key_cuts
        yield from (id_ for id_, count in self._roster.leaves.items() if count)
        for before, table in pairwise(self._acts.chain.tables):
            if set(before.stewards) - set(table.stewards):
                yield table.id

    def _settle(self, ids: Iterable[bytes]) -> tuple[frozenset[bytes], frozenset[bytes]]:
        rose: set[bytes] = set()
        fell: set[bytes] = set()
        for id_ in ids:
            held = self._held.get(id_)
            if held is None:
                continue
            if self._stands(held) != (id_ in self.standing):
                (fell if id_ in self.standing else rose).add(id_)
        self.standing |= rose
        self.standing -= fell
        return frozenset(rose), frozenset(fell)

    def _stands(self, held: Entry) -> bool:
        assert self._acts is not None
        return (
            self._is_apart(held)
            or self._acts.stands(held)
            or any(
                person.stands(held)
                for first in self._holders.get(held.changeset.author, ())
                if (person := self._person_of(first)) is not None
            )
        )

    def _is_apart(self, held: Entry) -> bool:
        assert self._chain is not None
        id_ = held.id
        return (
            id_ in self._chain.kept
            or id_ in self._chain.rolls
            or bool(self._kept.get(id_))
            or (held.join is not None and id_ in self._joins.kept.get(held.join.invitation, ()))
        )

    def _data_verdict(self, key: bytes) -> Verdict:
        ways = [
            person.keys[key].conditions
            for first in sorted(self._holders.get(key, ()))
            if (person := self._person_of(first)) is not None
        ]
        return ALWAYS if () in ways else tuple(ways)

    def _acts_verdict(self, key: bytes) -> Verdict:
        if self._acts is None:
            return NEVER
        ways = [
            self._acts.persons[first].keys[key].conditions for first in sorted(self._acts.by_key.get(key, ()))
        ]
        ways += self._data_verdict(key)
        return ALWAYS if () in ways else tuple(ways)
