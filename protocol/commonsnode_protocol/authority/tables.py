"""The chain of tables: which certificates are valid, which are kept, and which child of a table everybody follows.

SPEC.md, "Tables" (rules 8 to 14). Depends on nothing but certificates, acks and objections; a succession (rule 23) also on
the acts of the stewards up to its parent, which the caller knows. Every choice here is path-independent: to choose from
what two nodes have chosen gives the same as to choose from all that both ever saw, so what is refused need not be stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from commonsnode_protocol.authority.acts import Ack, Certificate, Entry, Objection
from commonsnode_protocol.authority.cuts import Cut
from commonsnode_protocol.authority.settings import Settings, Table

ACKS_MAX = 2  # of one steward for children of one table
LONE_CERTIFICATES_MAX = 2  # of one steward for one table, where that signature alone is enough
OBJECTIONS_MAX = 16  # of one steward for one table


@dataclass(frozen=True, slots=True)
class Tenure:
    """A person's time as a steward along the chain."""

    now: bool  # in the current table
    removed: int | None  # the last table that removed them
    returned: frozenset[bytes]  # the tables after that one which have them again


@dataclass(frozen=True, slots=True)
class Chain:
    """The tables that followed one another, and what is kept so that everybody finds the same."""

    tables: tuple[Table, ...]
    carriers: Mapping[bytes, Entry]  # table → the changeset that shows it; table 0: the charter
    cuts: tuple[Cut, ...]  # by table: what of those whom it removed stands
    kept: frozenset[bytes]  # changesets
    lost: frozenset[bytes]  # tables that are valid children of the chain's, and were not chosen
    rolls: frozenset[bytes]  # changesets that kept successions name
    index: Mapping[bytes, int] = field(default_factory=dict)
    tenures: Mapping[bytes, Tenure] = field(default_factory=dict)

    @property
    def current(self) -> Table:
        return self.tables[-1]

    def basis(self, table: bytes) -> int:
        """Which table of the chain an act names; −1: none of them."""
        return self.index.get(table, -1)


@dataclass(slots=True)
class TableActs:
    """The acts of tables, by the table that they follow."""

    certificates: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    successions: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    acks: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    objections: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)
    on_rolls: set[bytes] = field(
        default_factory=set
    )  # changesets that some succession, held or not any more, names

    def add(self, entry: Entry) -> None:
        index, parent = self._place(entry)
        index.setdefault(parent, {})[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        index, parent = self._place(entry)
        del index[parent][entry.id]

    def _place(self, entry: Entry) -> tuple[dict[bytes, dict[bytes, Entry]], bytes]:
        act = entry.of_table
        assert act is not None
        if isinstance(act, Certificate):
            return (self.certificates if act.roll is None else self.successions), act.parent
        return (self.acks if isinstance(act, Ack) else self.objections), act.parent


@dataclass(frozen=True, slots=True)
class Election:
    """What became of the successions of one table."""

    kept: Entry | None
    chosen: bool
    among_keys: frozenset[bytes]  # what stewards' keys cut of one another when it was judged: kept with it


Elect = Callable[["Chain", Sequence[Entry], frozenset[bytes]], Election]


def chain_of(charter: Entry, first: Table, acts: TableActs, elect: Elect) -> Chain:
    """Follow the tables from the charter. elect: judges the successions of the last table of the chain so far."""
    chain = _chain([first], {first.id: charter}, [Cut({}, frozenset())], {charter.id}, set(), set())
    while True:
        parent = chain.current
        acks = _kept_acks(parent, acts.acks.get(parent.id, {}).values())
        carriers = _kept_carriers(parent, acts.certificates.get(parent.id, {}).values(), acks)
        objections = _kept_objections(parent, acts.objections.get(parent.id, {}).values())
        kept = {*chain.kept, *(entry.id for entry in (*acks, *carriers, *objections))}
        objected = frozenset(_objection(entry).child for entry in objections)
        rolls = set(chain.rolls)
        election = elect(chain, [*acts.successions.get(parent.id, {}).values()], objected)
        if election.kept is not None:
            kept.add(election.kept.id)
            rolls |= (_certificate(election.kept).roll or frozenset()) | election.among_keys
        if carriers:
            child, carrier = choose(parent, carriers, acks)
        elif election.kept is not None and election.chosen:
            child, carrier = _certificate(election.kept), election.kept
        else:
            child, carrier = None, None
        lost = {_certificate(entry).id for entry in carriers} - ({child.id} if child is not None else set())
        if child is None or carrier is None:
            return _chain([*chain.tables], chain.carriers, chain.cuts, kept, {*chain.lost, *lost}, rolls)
        table = Table(child.id, child.name, child.stewards, child.settings, parent.id)
        chain = _chain(
            [*chain.tables, table], {**chain.carriers, table.id: carrier}, (*chain.cuts, child.cut),
            kept, {*chain.lost, *lost}, rolls,
        )  # fmt: skip


def enough(parent: Table, child: Certificate, signers: frozenset[bytes]) -> bool:
    """Whether these stewards of the parent are enough for this child (rule 9)."""
    count, quorum = len(parent.stewards), parent.settings.quorum
    if not signers:
        return False
    if quorum is not None:
        return len(signers) >= min(quorum, count)
    if count == 1 or len(signers) == count:
        return True
    if count > 2:
        return len(signers) > count // 2
    (signer,) = signers
    removed = set(parent.stewards) - set(child.stewards)
    added = set(child.stewards) - set(parent.stewards)
    # Whoever could change alone how many must sign could then do everything alone.
    if added or _power(child.settings) != _power(parent.settings):
        return False
    return not removed or removed == {signer} or signer == parent.stewards[0]


def valid(parent: Table, child: Certificate) -> bool:
    """Whether a certificate of stewards is valid by itself as a child of `parent` (rule 8)."""
    return child.roll is None and in_order(parent, child) and enough(parent, child, signers_of(parent, child))


def in_order(parent: Table, child: Certificate) -> bool:
    """Whether those who remain keep their order, and the new ones come after them."""
    remaining = tuple(steward for steward in parent.stewards if steward in child.stewards)
    return child.stewards[: len(remaining)] == remaining


def signers_of(parent: Table, child: Certificate) -> frozenset[bytes]:
    return child.signers.intersection(parent.stewards)


def choose(parent: Table, carriers: Sequence[Entry], acks: Sequence[Entry]) -> tuple[Certificate, Entry]:
    """The child of `parent` that everybody follows (rule 11), and the changeset that shows it."""
    if len(parent.stewards) == 1:
        # A lone steward's words outrank the first key (rule 22).
        by_words = [each for each in carriers if parent.stewards[0] in _certificate(each).signed.by_stand_in]
        carriers = by_words or carriers
    children: dict[bytes, Entry] = {}
    supports: dict[bytes, set[bytes]] = {steward: set() for steward in parent.stewards}
    for carrier in sorted(carriers, key=lambda entry: entry.id):
        child = _certificate(carrier)
        children.setdefault(child.id, carrier)
        for signer in signers_of(parent, child):
            supports[signer].add(child.id)
    acked: dict[bytes, set[bytes]] = {}
    for entry in acks:
        act = _ack(entry)
        acked.setdefault(act.by, set()).add(act.child)
    for steward, for_children in acked.items():
        if len(for_children) > 1:
            supports[steward].clear()  # also of what it signed: it followed two, or sprays acks
        else:
            supports[steward] |= for_children & children.keys()
    threatened = {
        steward
        for carrier in children.values()
        for steward in parent.stewards
        if steward not in _certificate(carrier).stewards
    }
    for stewards in ([s for s in parent.stewards if s not in threatened], parent.stewards):
        for steward in stewards:
            if len(supports[steward]) == 1:
                (chosen,) = supports[steward]
                return _certificate(children[chosen]), children[chosen]
    least = children[min(children)]
    return _certificate(least), least


def _kept_acks(parent: Table, entries: Iterable[Entry]) -> list[Entry]:
    """Per steward the acks for the children of least id, and of each the changeset of least id."""
    return _least(
        (
            (_ack(entry).by, _ack(entry).child, entry)
            for entry in entries
            if _ack(entry).by in parent.stewards
        ),
        ACKS_MAX,
    )


def _kept_objections(parent: Table, entries: Iterable[Entry]) -> list[Entry]:
    return _least(
        (
            (_objection(entry).by, _objection(entry).child, entry)
            for entry in entries
            if _objection(entry).by in parent.stewards
        ),
        OBJECTIONS_MAX,
    )


def _least(found: Iterable[tuple[bytes, bytes, Entry]], count_max: int) -> list[Entry]:
    by_steward: dict[bytes, dict[bytes, Entry]] = {}
    for steward, child, entry in found:
        of = by_steward.setdefault(steward, {})
        if child not in of or entry.id < of[child].id:
            of[child] = entry
    return [of[child] for of in by_steward.values() for child in sorted(of)[:count_max]]


def _kept_carriers(parent: Table, entries: Iterable[Entry], acks: Sequence[Entry]) -> list[Entry]:
    """The valid certificates that are kept: with one signature only so many (rule 13), with more all.

    Of one table, for each signer the carrier of least id, so that everybody's support is seen and wrapping anew adds nothing.
    """
    lone: dict[tuple[bytes, bool], dict[bytes, Entry]] = {}  # (signer, by first key) → table → carrier
    joint: dict[tuple[bytes, bytes], Entry] = {}  # (table, signer) → carrier
    for entry in entries:
        child = _certificate(entry)
        signers = signers_of(parent, child)
        if not child.signed.of(entry.changeset.author) & signers or not valid(parent, child):
            continue
        if len(signers) == 1:
            (signer,) = signers
            # Apart, so that neither the first key nor who stands in for it pushes the other's out of the bound.
            for by_first, shown in ((True, child.signed.first), (False, child.signed.by_stand_in)):
                if signer in shown:
                    of = lone.setdefault((signer, by_first), {})
                    if child.id not in of or entry.id < of[child.id].id:
                        of[child.id] = entry
            continue
        for signer in signers:
            key = (child.id, signer)
            if key not in joint or entry.id < joint[key].id:
                joint[key] = entry
    kept = {entry.id: entry for entry in joint.values()}
    for (signer, _), of in lone.items():
        acked = {_ack(entry).child for entry in acks if _ack(entry).by != signer}
        for child_id in {*sorted(of)[:LONE_CERTIFICATES_MAX], *(acked & of.keys())}:
            kept[of[child_id].id] = of[child_id]
    return [*kept.values()]


def _chain(
    tables: Sequence[Table], carriers: Mapping[bytes, Entry], cuts: Sequence[Cut],
    kept: set[bytes], lost: set[bytes], rolls: set[bytes],
) -> Chain:  # fmt: skip
    stewards = {steward for table in tables for steward in table.stewards}
    return Chain(
        tuple(tables), dict(carriers), tuple(cuts), frozenset(kept), frozenset(lost), frozenset(rolls),
        {table.id: n for n, table in enumerate(tables)},
        {steward: _tenure(tables, steward) for steward in stewards},
    )  # fmt: skip


def _tenure(tables: Sequence[Table], steward: bytes) -> Tenure:
    removed = None
    for n in range(1, len(tables)):
        if steward in tables[n - 1].stewards and steward not in tables[n].stewards:
            removed = n
    later = tables[removed:] if removed is not None else ()
    returned = frozenset(table.id for table in later if steward in table.stewards)
    return Tenure(steward in tables[-1].stewards, removed, returned)


def _power(settings: Settings) -> tuple[object, ...]:
    return settings.quorum, settings.share, settings.version


def _certificate(entry: Entry) -> Certificate:
    assert isinstance(entry.of_table, Certificate)
    return entry.of_table


def _ack(entry: Entry) -> Ack:
    assert isinstance(entry.of_table, Ack)
    return entry.of_table


def _objection(entry: Entry) -> Objection:
    assert isinstance(entry.of_table, Objection)
    return entry.of_table
