"""`add`, `edit`, `show`, `list`, `remove`, `restore`, `history`, and the community around them."""

import pytest

from cli_shell import Shell


def test_what_was_added_is_shown_as_it_was_typed(node: Shell) -> None:
    added = node.document(
        "add",
        "post-hole auger",
        "--at",
        "-0.35,-78.12",
        "condition=good",
        "tag:garden=true",
        "amount=2",
        "age:=7",
    )
    assert added["waiting"] is False
    shown = node.document("show", added["id"])
    assert shown["id"] == added["id"]
    assert shown["title"] == "post-hole auger"
    assert shown["conflicts"] == {}
    fields = {name: value for name, value in shown["fields"].items() if name != "nonce"}
    assert fields == {
        "title": "post-hole auger",
        "place": {"lat": -3_500_000, "lon": -781_200_000},
        "condition": "good",
        "tag:garden": True,
        "amount": "2",
        "age": 7,
    }


def test_a_title_that_begins_with_a_dash_goes_after_two_dashes(node: Shell) -> None:
    ended = node.run("add", "--json", "--", "-12 °C freezer", "condition=good")
    assert ended.code == 0, ended
    assert "-12 °C freezer" in node.text("list", "--search", "freezer")


def test_an_edit_changes_what_it_names_and_clears_what_is_empty(node: Shell) -> None:
    thing = node.document("add", "chainsaw", "condition=good", "keeper=Manuel")["id"]
    changed = node.document("edit", thing[:12], "condition=broken", "keeper=")
    assert changed["id"] == thing
    assert sorted(changed["changed"]) == ["condition", "keeper"]
    fields = node.document("show", thing)["fields"]
    assert fields["condition"] == "broken"
    assert "keeper" not in fields


def test_an_edit_that_says_what_is_there_changes_nothing(node: Shell) -> None:
    thing = node.document("add", "kettle", "condition=good")["id"]
    assert node.document("edit", thing, "condition=good")["changed"] == []
    assert "nothing changed" in node.text("edit", thing, "condition=good")


def test_moving_a_thing_keeps_the_name_of_its_place(node: Shell) -> None:
    thing = node.document("add", "mill", 'place:={"lat":1,"lon":2,"name":"by the river"}')["id"]
    node.document("edit", thing, "--at", "-0.5,10")
    place = node.document("show", thing)["fields"]["place"]
    assert place == {"lat": -5_000_000, "lon": 100_000_000, "name": "by the river"}


def test_ids_may_be_shortened_and_what_is_ambiguous_is_refused(node: Shell) -> None:
    ids = [node.document("add", f"plate {n}")["id"] for n in range(17)]
    assert node.document("show", ids[0][:10])["id"] == ids[0]
    assert node.document("show", ids[0][:10].upper())["id"] == ids[0]
    several = next(digit for digit in "0123456789abcdef" if sum(i.startswith(digit) for i in ids) > 1)
    node.refused("show", several)
    node.refused("show", "0" * 32)


def test_removing_can_be_undone_and_history_tells_both(node: Shell) -> None:
    thing = node.document("add", "tent")["id"]
    assert node.document("remove", thing)["id"] == thing
    assert thing not in node.text("list", "--search", "tent")
    assert thing in node.text("list", "--deleted")
    assert node.document("show", thing)["deleted"] is True
    assert node.document("restore", thing)["id"] == thing
    assert thing in node.text("list", "--search", "tent")
    history = node.document("history", thing)["history"]
    assert len(history) == 3
    assert history[0]["fields"]["title"] == "tent"
    assert {entry["author"] for entry in history} == {node.document("id")["id"]}


def test_a_list_is_whole_however_many_pages_it_takes(node: Shell) -> None:
    rows = b"".join(b'{"title":"spoon %d"}\n' % n for n in range(450))
    spoons = node.home.parent / "spoons.jsonl"
    spoons.write_bytes(rows)
    assert node.document("import", str(spoons))["added"] == 450
    found = node.document("list", "--search", "spoon")["records"]
    assert len({one["id"] for one in found}) == 450
    assert len(node.document("list", "--search", "spoon", "--limit", "7")["records"]) == 7
    assert node.document("list", "--search", "no such thing")["records"] == []


def test_a_list_in_a_pipe_is_a_line_a_thing(node: Shell) -> None:
    thing = node.document("add", "anvil", "condition=good", "--at", "1,2")["id"]
    assert node.text("list", "--search", "anvil") == f"{thing}\tanvil\tresource\tgood\t1,2\t\n"


def test_a_kind_is_kept_and_searched(node: Shell) -> None:
    place = node.document("add", "the spring", "--kind", "place")["id"]
    assert [one["id"] for one in node.document("list", "--kind", "place")["records"]] == [place]
    assert node.document("show", place)["kind"] == "place"


def test_light_things_go_into_the_lane_that_travels(node: Shell) -> None:
    manual = node.document("add", "how to graft", "--lane", "knowledge")["id"]
    assert node.document("show", manual)["lane"] == "knowledge"


@pytest.mark.parametrize("word", ["nonce:=1", "deleted:=true"])
def test_the_node_refuses_fields_that_no_person_sets(node: Shell, word: str) -> None:
    thing = node.document("add", "bucket")["id"]
    node.refused("edit", thing, word)


@pytest.mark.parametrize("where", ["91,0", "-178.12,-0.35"])
def test_a_position_that_is_nowhere_is_refused_and_named(node: Shell, where: str) -> None:
    assert "latitude" in node.refused("add", "bucket", "--at", where)


def test_a_community_may_be_named_by_id_beginning_or_name(node: Shell) -> None:
    community = node.document("community", "list")["communities"][0]
    for name in (community["id"], community["id"][:8], "Valle Alto"):
        assert node.document("add", "ladder", "--community", name)["community"] == community["id"]
        assert node.document("community", "show", name)["id"] == community["id"]
        assert node.document("list", "--community", name, "--search", "ladder")["records"]
        assert node.document("member", "list", "--community", name)["members"]
    assert "Valle Bajo" in node.refused("add", "ladder", "--community", "Valle Bajo")


def test_the_founder_is_the_first_member(node: Shell) -> None:
    members = node.document("member", "list")["members"]
    assert [one["id"] for one in members] == [node.document("id")["id"]]
    assert members[0]["id"] in node.text("member", "list")


def test_where_several_are_followed_the_community_must_be_named(node: Shell) -> None:
    second = node.document("community", "create", "Valle Bajo")
    assert second["link"].startswith(f"commons:{second['id']}")
    assert "--community" in node.refused("add", "ladder")
    assert node.document("add", "boat", "--community", "Valle Bajo")["community"] == second["id"]
    assert "boat" in node.text("list")
    left = node.document("community", "leave", "Valle Bajo", "--force")
    assert left == {"id": second["id"], "said": None, "heard": None}
    assert "boat" not in node.text("list")
    assert node.document("add", "hat")["community"] != second["id"]


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ('place:={"lat":910000000,"lon":0}', "place.lat: "),
        ('hours:={"closed":["2026-02-30"]}', "hours.closed.0: "),
        ('hours:={"rules":[{"rrule":"FREQ=SECONDLY"}]}', "hours.rules.0.rrule: "),
        (
            'place:={"geometry":{"type":"Polygon","coordinates":[[[0,0],[9,9],[9,0],[0,9],[0,0]]]}}',
            "place.geometry.coordinates: the outline crosses itself",
        ),
    ],
)
def test_a_value_that_cannot_be_ends_with_exit_code_1_and_names_the_part(
    node: Shell, word: str, part: str
) -> None:
    ended = node.run("add", "drill", word)
    assert ended.code == 1, ended
    assert part in ended.err
