"""Any order, any repetition, any partition into batches: the same set of changesets is the same state."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonsnode_protocol import record as records
from commonsnode_protocol.authority import evaluate
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, KNOWLEDGE, PUBLIC, Changeset
from commonsnode_protocol.intake import Checked
from commonsnode_protocol.record import RecordKey, State
from commonsnode_store import applying
from commonsnode_store.answers import RecordView
from commonsnode_store.store import Store
from store_people import ANA, BEN, CHARTER, COMMUNITY, FOUNDER, NOW, STRANGER, Author, record_id

EXAMPLES = 60
DATA_LANES = (PUBLIC, KNOWLEDGE)
AUTHORS = (FOUNDER, ANA, BEN, STRANGER)
RECORDS = [record_id(n) for n in range(3)]
KINDS = ("resource", "place")
FIELDS = (
    "title",
    "deleted",
    "x:col",
    "tag:red",
    "place",
    "category",
    "condition",
    "hours",
    "out_for_maintenance",
)
values: st.SearchStrategy[Value] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        7,
        "",
        "drill",
        "Ärmel",
        "two words",
        b"bytes",
        ["a", "list"],
        {"lat": 5, "lon": -5},
        {"lat": 900_000_000, "lon": 1_800_000_000},
        "tools",
        "broken",
        {"rules": [{"rrule": "FREQ=DAILY", "start": "09:00", "end": "10:00"}]},
    ]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Checked]:
    """Changesets of a few authors about a few records, each of which may name and supersede any that came before.

    So some supersede what is of another lane, kind, record or field, or of an author who is not admitted.
    """
    history: list[Checked] = []
    for _ in range(draw(st.integers(1, 9))):
        earlier = [checked.id for checked in history]
        ids = st.lists(st.sampled_from(earlier), max_size=3, unique=True) if earlier else st.just([])
        fields = st.dictionaries(st.sampled_from(FIELDS), st.tuples(values, ids), min_size=1, max_size=3)
        keys = st.tuples(st.sampled_from(RECORDS), st.sampled_from(KINDS))
        author = draw(st.sampled_from(AUTHORS))
        checked = author.write(
            COMMUNITY,
            draw(st.dictionaries(keys, fields, min_size=1, max_size=3)),
            lane=draw(st.sampled_from((PUBLIC, PUBLIC, PUBLIC, KNOWLEDGE, AUTHORITY))),
            time=NOW + draw(st.integers(-3, 3)),
            refs=draw(ids),
        )
        if checked.id not in earlier:
            history.append(checked)
    return history


grants = st.lists(
    st.sampled_from(
        [
            FOUNDER.grant(COMMUNITY, ANA.key),
            FOUNDER.grant(COMMUNITY, BEN.key),
            FOUNDER.grant(COMMUNITY, BEN.key, "mirror"),
            STRANGER.grant(COMMUNITY, STRANGER.key),
        ]
    ),
    unique_by=lambda grant: grant.id,
    max_size=3,
)


@contextmanager
def fresh(followed_file: Path) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(dir=followed_file.parent) as folder:
        path = Path(folder) / "node.sqlite3"
        shutil.copy(followed_file, path)
        with closing(Store.open(path)) as store:
            yield store


def deliver(store: Store, changesets: Sequence[Checked], random: Random, own: Sequence[Author] = ()) -> None:
    """In random order and batches, some of them twice; then all once more, as at the next meeting."""
    own_keys = {author.key for author in own}

    def sort(checked: Checked) -> tuple[str, bool]:
        return checked.changeset.lane, checked.changeset.author in own_keys

    shuffled = [*changesets, *random.choices(changesets, k=random.randrange(len(changesets)))]
    random.shuffle(shuffled)
    again = sorted(changesets, key=lambda checked: (checked.changeset.lane != AUTHORITY, *sort(checked)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(applying, "CHANGES_AT_ONCE", random.choice((1, 4, applying.CHANGES_AT_ONCE)))
        for (lane, is_own), group in groupby([*shuffled, *again], sort):
            together = list(group)
            while together:
                size = random.randint(1, 5)
                store.apply(COMMUNITY, lane, together[:size], seen_ms=NOW + random.randint(-5, 5), own=is_own)
                del together[:size]


def standing(changesets: Sequence[Checked]) -> list[Changeset]:
    held = [checked.changeset for checked in changesets]
    authority = evaluate(COMMUNITY, held)
    return [changeset for changeset in held if authority.stands(changeset)]


def state_of(changesets: Sequence[Changeset]) -> State:
    return records.state(changeset for changeset in changesets if changeset.lane in DATA_LANES)


def as_state(views: Iterator[RecordView]) -> State:
    return {
        RecordKey(view.record, view.kind, view.lane): {
            name: list(writes) for name, writes in view.fields.items()
        }
        for view in views
    }


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories(), granted=grants, random=st.randoms(use_true_random=False))
def test_the_same_set_is_the_same_state_whatever_the_order(
    followed_file: Path, history: list[Checked], granted: list[Checked], random: Random
) -> None:
    everything = [CHARTER, *granted, *history]
    stands = standing(everything)
    with fresh(followed_file) as store:
        deliver(store, everything, random)
        assert as_state(store.export(COMMUNITY)) == state_of(stands)
        order = [(view.record, view.kind, view.lane) for view in store.export(COMMUNITY)]
        assert order == sorted(order)
        assert store.check() == []
        with fresh(followed_file) as other:
            for lane in (AUTHORITY, *DATA_LANES):
                other.apply(COMMUNITY, lane, [c for c in everything if c.changeset.lane == lane], seen_ms=NOW)
                assert other.lane_state(COMMUNITY, lane) == store.lane_state(COMMUNITY, lane)
                assert other.lane_state(COMMUNITY, lane).count == sum(c.lane == lane for c in stands)
            assert as_state(other.export(COMMUNITY)) == as_state(store.export(COMMUNITY))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    history=histories(),
    granted=grants,
    own=st.lists(st.sampled_from((ANA, BEN, STRANGER)), min_size=1, max_size=2, unique=True),
    random=st.randoms(use_true_random=False),
)
def test_what_waits_is_shown_over_what_stands_and_rises_when_its_author_is_admitted(
    followed_file: Path, history: list[Checked], granted: list[Checked], own: list[Author], random: Random
) -> None:
    everything = [CHARTER, *granted, *history]
    stands = standing(everything)
    keys = [author.key for author in own]
    waits = [c.changeset for c in everything if c.changeset.author in keys and c.changeset not in stands]
    with fresh(followed_file) as store:
        deliver(store, everything, random, own)
        assert store.check() == []
        assert as_state(store.export(COMMUNITY)) == state_of(stands)
        waiting_keys = set(state_of(waits))
        shown = state_of([*stands, *waits])
        views = [
            view
            for deleted in (False, True)
            for view in store.page(community=COMMUNITY, deleted=deleted).records
        ]
        assert as_state(iter(views)) == shown
        assert {RecordKey(v.record, v.kind, v.lane) for v in views if v.waiting} == waiting_keys
        assert store.communities()[0].waiting == len(waits)
        risen = {checked.id for checked in everything} - {c.id for c in stands}
        rest = [FOUNDER.grant(COMMUNITY, key) for key in keys]
        applied = store.apply(COMMUNITY, AUTHORITY, rest, seen_ms=NOW)
        assert {id_ for ids in applied.risen.values() for id_ in ids} == {c.id for c in waits}
        assert risen >= {c.id for c in waits}
        assert store.check() == []
        assert as_state(store.export(COMMUNITY)) == state_of(standing([*everything, *rest]))
