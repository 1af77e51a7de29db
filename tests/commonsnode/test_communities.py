"""Communities: founded by a charter, found by id or name."""

import pytest

from commonsnode import communities
from commonsnode.authoring import Author
from commonsnode.errors import Ambiguous, Unknown, WrongField
from commonsnode_protocol.link import parse
from commonsnode_store.store import Store

LANES = ("authority", "public")


def test_a_founder_is_the_one_steward(author: Author, store: Store) -> None:
    community = communities.create(author, "Valle Alto", LANES)
    (info,) = store.communities()
    assert (info.id, info.name, set(info.lanes)) == (community, "Valle Alto", set(LANES))
    table = store.authority(community).table
    assert table is not None
    assert table.stewards == (author.key,)


def test_two_communities_of_one_name_are_two(author: Author, store: Store) -> None:
    first = communities.create(author, "Valley", LANES)
    second = communities.create(author, "Valley", LANES)
    assert first != second
    with pytest.raises(Ambiguous) as caught:
        communities.resolve(store, "Valley")
    assert len(caught.value.candidates) == 2
    assert communities.resolve(store, first.hex().upper()).id == first
    assert communities.resolve(store, second.hex()[:16]).id == second


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 257, "ü" * 129, "\ud800", "a\u202eb"])
def test_a_name_is_printable_and_short(author: Author, name: str) -> None:
    with pytest.raises(WrongField) as caught:
        communities.create(author, name, LANES)
    assert caught.value.field == "name"


def test_a_community_that_is_not_here_is_unknown(store: Store) -> None:
    for text in ("Valley", "ab", ""):
        with pytest.raises(Unknown):
            communities.resolve(store, text)


def test_a_link_carries_community_table_and_addresses(author: Author, store: Store) -> None:
    community = communities.create(author, "Valley", LANES)
    link = parse(communities.link_of(community, store.authority(community), ["ws://127.0.0.1:1/peer"]))
    assert (link.community, link.table, link.addresses) == (community, community, ("ws://127.0.0.1:1/peer",))
