"""Imports: each thing once, twice changes nothing, and what must be refused leaves nothing behind."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from commonsnode import communities, importing, inventory, members
from commonsnode.authoring import Author
from commonsnode.errors import Conflict, TooLarge, WrongField
from commonsnode.import_rows import Head
from commonsnode.importing import Import, Result
from commonsnode_protocol.changeset import PUBLIC
from commonsnode_protocol.record import imported_id
from commonsnode_store.answers import RecordRef
from commonsnode_store.store import Store

LANES = ("authority", "public", "knowledge")
TOOLS = Head(source="tools", columns=("title", "place"))


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Valley", LANES)


def row(line: int, key: str, **fields: Any) -> dict[str, Any]:
    return {"line": line, "key": key, "fields": fields}


def run(
    author: Author,
    community: bytes,
    rows: Sequence[dict[str, Any]],
    head: Head = TOOLS,
    folder: Path = Path("/tmp"),
) -> Result:
    work = Import(community, head, author.key, folder)
    try:
        work.take(author.store, [json.dumps(r).encode() for r in rows])
        while work.compare(author.store) if head.dry_run else work.step(author):
            pass
        assert work.done == work.rows
        if head.dry_run:
            work.find_gone(author.store)
        else:
            work.finish(author)
        return work.result
    finally:
        work.close()


def numbers(result: Result) -> tuple[int, int, int, int]:
    return result.added, result.changed, result.unchanged, len(result.rejected)


def values(
    store: Store, community: bytes, key: str, kind: str = "resource", source: str = "tools"
) -> dict[str, Any]:
    record = imported_id(community, kind, source, key)
    return store.records(community, PUBLIC, kind, [record])[record].values


def test_a_file_twice_changes_nothing(author: Author, store: Store, valley: bytes) -> None:
    rows = [row(2, "1", title="Drill", place="hall"), row(3, "2", title="Saw", place={"lat": 1, "lon": 2})]
    assert numbers(run(author, valley, rows)) == (2, 0, 0, 0)
    before = store.lane_state(valley, PUBLIC)
    assert numbers(run(author, valley, rows)) == (0, 0, 2, 0)
    assert store.lane_state(valley, PUBLIC) == before


def test_a_corrected_file_changes_only_what_differs(author: Author, store: Store, valley: bytes) -> None:
    run(author, valley, [row(2, "1", title="Dril", place="hall"), row(3, "2", title="Saw")])
    result = run(author, valley, [row(2, "1", title="Drill", place="hall"), row(3, "2", title="Saw")])
    assert numbers(result) == (0, 1, 1, 0)
    ref = RecordRef(valley, PUBLIC, "resource", imported_id(valley, "resource", "tools", "1"))
    assert store.history(ref)[-1].fields == {"title": "Drill"}


def test_an_emptied_cell_is_cleared_and_what_the_file_has_no_column_for_is_not(
    author: Author, store: Store, valley: bytes
) -> None:
    run(author, valley, [row(2, "1", title="Drill", place="hall")])
    ref = RecordRef(valley, PUBLIC, "resource", imported_id(valley, "resource", "tools", "1"))
    inventory.edit(author, ref, {"condition": "good"})
    assert numbers(run(author, valley, [row(2, "1", title="Drill")])) == (0, 1, 0, 0)
    assert values(store, valley, "1") == {"title": "Drill", "condition": "good"}


def test_a_dry_run_counts_alike_and_writes_nothing(author: Author, store: Store, valley: bytes) -> None:
    run(author, valley, [row(2, "1", title="Dril"), row(3, "2", title="Saw")])
    before = store.lane_state(valley, PUBLIC)
    rows = [
        row(2, "1", title="Drill"),
        row(3, "2", title="Saw"),
        row(4, "3", title="Axe"),
        row(5, "", title="x"),
    ]
    dry = run(author, valley, rows, Head(source="tools", columns=("title",), dry_run=True))
    assert store.lane_state(valley, PUBLIC) == before
    assert numbers(dry) == numbers(run(author, valley, rows)) == (1, 1, 1, 1)


def test_two_nodes_apart_make_each_thing_once(author: Author, store: Store, valley: bytes) -> None:
    run(author, valley, [row(2, "1", title="Drill")])
    assert values(store, valley, "1")["title"] == "Drill"
    assert imported_id(valley, "resource", "tools", "1") == imported_id(valley, "resource", "tools", "1")
    assert numbers(run(author, valley, [row(2, "1", title="Drill")], Head(source="more tools"))) == (
        1,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(7, "", title="x"), "key"),
        (row(7, "k" * 5000, title="x"), "key"),
        (row(7, "1"), "nothing in this row"),
        (row(7, "1", title=None), "nothing in this row"),
        (row(7, "1", title=1.5), "fraction"),
        (row(7, "1", amount=2**64), "64 bits"),
        (row(7, "1", title="x", deleted=True), "deleted"),
        (row(7, "1", title="x", nonce="y"), "nonce"),
        (row(7, "1", **{"x" * 129: "x"}), "name of a field"),
        (row(7, "1", title="x" * 70_000), "at most"),
        (row(7, "1", deep=[[[[[[[[[1]]]]]]]]]), "within one another"),
        ({"line": 7, "record": "12", "fields": {"a": 1}}, "32 hexadecimal"),
        ({"line": 7, "record": "ab" * 16, "kind": "k" * 40, "fields": {"a": 1}}, "kind"),
        ({"line": 7, "record": "ab" * 16, "lane": "authority", "fields": {"a": 1}}, "lane"),
    ],
)
def test_a_bad_row_is_reported_and_the_rest_goes_in(
    author: Author, store: Store, valley: bytes, bad: dict[str, Any], reason: str
) -> None:
    result = run(author, valley, [row(6, "good", title="Drill"), bad, row(8, "good too", title="Saw")])
    assert numbers(result) == (2, 0, 0, 1)
    assert result.rejected[0].line == 7
    assert reason in result.rejected[0].reason


@pytest.mark.parametrize(
    "text",
    [b"{", b"[]", b'{"line": 1}', b'{"line": "1", "key": "1", "fields": {}}', b"\xff", b'{"a":1,"a":1}'],
)
def test_a_line_that_is_no_row_ends_the_import(author: Author, valley: bytes, text: bytes) -> None:
    work = Import(valley, TOOLS, author.key, Path("/tmp"))
    with pytest.raises(WrongField):
        work.take(author.store, [text])
    work.close()


def test_the_same_row_twice_is_one_thing_and_another_with_its_key_is_reported(
    author: Author, store: Store, valley: bytes
) -> None:
    rows = [row(2, "1", title="Drill"), row(3, "1", title="Drill"), row(4, "1", title="Saw")]
    result = run(author, valley, rows)
    assert numbers(result) == (1, 0, 1, 1)
    assert result.rejected[0] == (4, "has the same key as line 2: '1'")
    assert values(store, valley, "1")["title"] == "Drill"


def test_another_authors_thing_of_another_title_stops_the_whole_import_and_asks_for_a_source(
    author: Author, store: Store, valley: bytes
) -> None:
    somebody = Author(store, b"\x02" * 32, author.now_ms, lambda *_: None)
    members.grant(author, valley, somebody.key.hex(), "member")
    run(somebody, valley, [row(2, "1", title="Ladder"), row(3, "2", title="Saw")])
    before = store.lane_state(valley, PUBLIC)
    rows = [row(n, str(n), title=f"thing {n}") for n in range(10, 6000)] + [row(9000, "1", title="Drill")]
    with pytest.raises(Conflict, match="--source") as caught:
        run(author, valley, rows)
    assert "line 9000" in caught.value.detail
    assert "Ladder" in caught.value.detail
    assert store.lane_state(valley, PUBLIC) == before
    # The same thing, also corrected elsewhere than in its title, goes in; and so it does when a person says it is the same.
    assert numbers(run(author, valley, [row(3, "2", title="Saw", place="hall")])) == (0, 1, 0, 0)
    given = Head(source="tools", source_given=True)
    assert numbers(run(author, valley, [row(2, "1", title="Drill")], given)) == (0, 1, 0, 0)


def test_a_thing_that_was_removed_stays_removed(author: Author, store: Store, valley: bytes) -> None:
    run(author, valley, [row(2, "1", title="Drill")])
    ref = RecordRef(valley, PUBLIC, "resource", imported_id(valley, "resource", "tools", "1"))
    inventory.remove(author, ref)
    result = run(author, valley, [row(2, "1", title="Drill, corrected")])
    assert numbers(result) == (0, 0, 1, 0)
    assert "stay removed" in result.notices[0]
    found = store.record(ref)
    assert found is not None
    assert found.deleted


def test_rows_that_are_gone_are_reported_each_time_until_somebody_removes_the_thing(
    author: Author, store: Store, valley: bytes
) -> None:
    both = [row(2, "1", title="Drill"), row(3, "2", title="Saw")]
    assert run(author, valley, both).gone == []
    dry = Head(source="tools", columns=("title", "place"), dry_run=True)
    for head in (dry, TOOLS, TOOLS):
        result = run(author, valley, both[:1], head)
        assert [view.title for view in result.gone] == ["Saw"]
        assert "Saw" in result.notices[0]
        assert numbers(result) == (0, 0, 1, 0)
    saw = RecordRef(valley, PUBLIC, "resource", imported_id(valley, "resource", "tools", "2"))
    assert not store.records(valley, PUBLIC, "resource", [saw.record])[saw.record].deleted
    assert run(author, valley, both[:1], Head(source="other tools")).gone == []
    inventory.remove(author, saw)
    assert run(author, valley, both[:1]).gone == []


def test_a_row_is_of_the_kind_that_it_says_unless_one_is_given(
    author: Author, store: Store, valley: bytes
) -> None:
    said = {**row(2, "1", title="Hall"), "kind": "place"}
    assert numbers(run(author, valley, [said])) == (1, 0, 0, 0)
    assert values(store, valley, "1", "place") == {"title": "Hall"}
    run(author, valley, [said], Head(source="tools", kind="agent"))
    assert values(store, valley, "1", "agent") == {"title": "Hall"}


def test_a_row_that_was_a_thing_before_stays_one_though_it_looks_like_a_place_now(
    author: Author, store: Store, valley: bytes
) -> None:
    run(author, valley, [row(2, "1", title="Hall")])
    said = {**row(2, "1", title="Town hall"), "kind": "place"}
    assert numbers(run(author, valley, [said])) == (0, 1, 0, 0)
    assert values(store, valley, "1") == {"title": "Town hall"}


def test_a_thing_imported_as_another_kind_before_stays_of_that_kind_unless_a_kind_is_given(
    author: Author, store: Store, valley: bytes
) -> None:
    run(author, valley, [row(2, "1", title="Hall")], Head(source="tools", kind="place"))
    assert numbers(run(author, valley, [row(2, "1", title="Town hall")])) == (0, 1, 0, 0)
    assert values(store, valley, "1", "place")["title"] == "Town hall"
    assert numbers(
        run(author, valley, [row(2, "1", title="Hall")], Head(source="tools", kind="resource"))
    ) == (1, 0, 0, 0)


def test_our_own_form_finds_its_records_again_and_makes_them_where_they_are_not(
    author: Author, store: Store, valley: bytes
) -> None:
    record = inventory.add(author, valley, {"title": "Drill"}).record
    nonce = store.records(valley, PUBLIC, "resource", [record])[record].values["nonce"]
    own = {
        "line": 1,
        "record": record.hex(),
        "kind": "resource",
        "lane": "public",
        "fields": {"title": "Drill"},
    }
    assert numbers(run(author, valley, [own])) == (0, 0, 1, 0)
    changed = {**own, "fields": {"title": "Borer", "deleted": True}}
    assert numbers(run(author, valley, [changed])) == (0, 1, 0, 0)
    assert store.records(valley, PUBLIC, "resource", [record])[record].values == {
        "title": "Borer",
        "deleted": True,
        "nonce": nonce,
    }
    elsewhere = communities.create(author, "Elsewhere", LANES)
    assert numbers(run(author, elsewhere, [own])) == (1, 0, 0, 0)
    assert numbers(run(author, elsewhere, [own])) == (0, 0, 1, 0)
    assert values(store, elsewhere, record.hex()) == {"title": "Drill"}


def test_a_value_that_conflicts_is_left_alone_where_the_file_says_what_is_shown(
    author: Author, store: Store, valley: bytes
) -> None:
    somebody = Author(store, b"\x02" * 32, author.now_ms - 1, lambda *_: None)
    members.grant(author, valley, somebody.key.hex(), "member")
    record = imported_id(valley, "resource", "tools", "1")
    somebody.write(valley, PUBLIC, [(record, "resource", {"title": ("Borer", ())})])
    author.write(valley, PUBLIC, [(record, "resource", {"title": ("Drill", ())})])
    assert numbers(run(author, valley, [row(2, "1", title="Drill")])) == (0, 0, 1, 0)
    assert store.records(valley, PUBLIC, "resource", [record])[record].conflicts["title"][0].value == "Borer"


def test_more_rows_than_a_transaction_holds_lie_on_the_disk_meanwhile(
    author: Author, store: Store, valley: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SPOOL_MEMORY_BYTES_MAX", 1_000)
    monkeypatch.setattr(importing, "STEP_ROWS_MAX", 100)
    rows = [row(n, str(n), title=f"thing {n}", place="hall " * 20) for n in range(1, 1_001)]
    folder = tmp_path / "spool"
    folder.mkdir()
    work = Import(valley, TOOLS, author.key, folder)
    work.take(store, [json.dumps(r).encode() for r in rows])
    steps = 0
    while work.step(author):
        steps += 1
        assert work.done == 100 * steps
    work.close()
    assert (steps, work.result.added) == (10, 1_000)
    assert store.communities()[0].records == 1_000
    assert list(folder.iterdir()) == []


def test_limits_of_rows_bytes_and_bad_rows_are_kept(
    author: Author, store: Store, valley: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_MAX", 2)
    with pytest.raises(TooLarge):
        run(author, valley, [row(n, str(n), title="x") for n in range(3)])
    monkeypatch.setattr(importing, "ROWS_MAX", 100)
    monkeypatch.setattr(importing, "SPOOL_BYTES_MAX", 1_000)
    with pytest.raises(TooLarge):
        run(author, valley, [row(1, "1", title="x" * 1_000)])
    monkeypatch.setattr(importing, "REJECTED_MAX", 2)
    with pytest.raises(Conflict, match="nothing was written"):
        run(author, valley, [row(n, "", title="x") for n in range(3)])
    assert store.communities()[0].records == 0


TAGGED = Head(source="tools", columns=("title", "tag:"))


def tagged(*tags: str, key: str = "1") -> dict[str, Any]:
    return row(2, key, title="Saw", **{f"tag:{tag}": True for tag in tags})


def tags_of(store: Store, community: bytes, key: str = "1") -> set[str]:
    return {name for name in values(store, community, key) if name.startswith("tag:")}


def test_a_tag_that_a_corrected_table_does_not_name_goes_and_one_that_people_set_stays(
    author: Author, store: Store, valley: bytes
) -> None:
    run(author, valley, [tagged("wood", "old")], TAGGED)
    ref = RecordRef(valley, PUBLIC, "resource", imported_id(valley, "resource", "tools", "1"))
    inventory.edit(author, ref, {"tag:loved": True})
    dry = Head(source="tools", columns=TAGGED.columns, dry_run=True)
    assert numbers(run(author, valley, [tagged("wood", "new")], dry)) == (0, 1, 0, 0)
    assert numbers(run(author, valley, [tagged("wood", "new")], TAGGED)) == (0, 1, 0, 0)
    assert tags_of(store, valley) == {"tag:wood", "tag:new", "tag:loved"}
    assert numbers(run(author, valley, [tagged()], TAGGED)) == (0, 1, 0, 0)
    assert tags_of(store, valley) == {"tag:loved"}
    assert numbers(run(author, valley, [tagged()], TAGGED)) == (0, 0, 1, 0)


def test_a_table_without_a_column_of_tags_takes_none_away(
    author: Author, store: Store, valley: bytes
) -> None:
    run(author, valley, [tagged("wood")], TAGGED)
    assert numbers(run(author, valley, [tagged()], TOOLS)) == (0, 0, 1, 0)
    run(author, valley, [tagged()], TAGGED)
    assert tags_of(store, valley) == set(), "what it set before is still known"


def test_the_tags_of_a_row_that_was_left_out_for_once_are_still_its(
    author: Author, store: Store, valley: bytes
) -> None:
    both = [tagged("wood"), {**tagged("iron", key="2"), "line": 3}]
    run(author, valley, both, TAGGED)
    run(author, valley, both[:1], TAGGED)
    run(author, valley, [both[0], {**tagged(key="2"), "line": 3}], TAGGED)
    assert (tags_of(store, valley), tags_of(store, valley, "2")) == ({"tag:wood"}, set())
