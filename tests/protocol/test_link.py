"""A link is short text that can be read aloud, printed and typed; what it does not say clearly is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.limits import LINK_ADDRESSES_MAX, LINK_BYTES_MAX
from commonsnode_protocol.link import Link, is_address, parse

ID = bytes(range(32))
HEX = ID.hex()
ids = st.binary(min_size=32, max_size=32)
hosts = st.sampled_from(["village.example", "10.0.0.7", "[fe80::1%eth0]", "münchen.example", "ferrovía"])
paths = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="#"), max_size=20
)
addresses = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}/{path}",
    st.sampled_from(["ws", "wss"]),
    hosts,
    st.sampled_from(["", ":1", ":8450", ":65535"]),
    paths,
)


@given(st.builds(Link, ids, st.none() | ids, st.lists(addresses, max_size=LINK_ADDRESSES_MAX).map(tuple)))
def test_a_link_that_is_written_reads_as_the_same(link: Link) -> None:
    assert parse(str(link)) == link
    assert str(link).isascii()


def test_the_shortest_link_is_the_id() -> None:
    assert str(Link(ID)) == f"commons:{HEX}"
    assert parse(f"commons:{HEX}") == Link(ID)


def test_a_link_carries_the_table_and_addresses() -> None:
    text = f"commons:{HEX}?table={HEX}&at=ws://10.0.0.7:8450/peer&at=wss://%5Bfe80::1%5D/peer"
    assert parse(text) == Link(ID, ID, ("ws://10.0.0.7:8450/peer", "wss://[fe80::1]/peer"))


def test_what_a_later_version_adds_is_passed_over() -> None:
    assert parse(f"commons:{HEX}?invite=abc&at=ws://a/&flag&&=&table={HEX}") == Link(ID, ID, ("ws://a/",))


def test_the_scheme_and_the_digits_may_be_capitals_and_spaces_around_do_no_harm() -> None:
    assert parse(f"  COMMONS:{HEX.upper()}\n") == Link(ID)


def test_a_plus_is_a_plus() -> None:
    assert parse(f"commons:{HEX}?at=ws://a/b+c").addresses == ("ws://a/b+c",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEX,
        "commons:",
        f"https:{HEX}",
        f"commons://{HEX}",
        f"commons:{HEX[:-1]}",
        f"commons:{HEX}0",
        f"commons:{HEX[:-1]}g",
        f"commons:{HEX[:-2]} 1",
        f"commons:{HEX[:-1]}１",  # a full-width digit
        f"commons:{HEX}?table=",
        f"commons:{HEX}?table={HEX[:-2]}",
        f"commons:{HEX}?table={HEX}&table={HEX}",
        f"commons:{HEX}?at=",
        f"commons:{HEX}?at=http://a/",
        f"commons:{HEX}?at=ws://a/%",
        f"commons:{HEX}?at=ws://a/%f",
        f"commons:{HEX}?at=ws://a/%ff",  # no UTF-8
        f"commons:{HEX}?at=ws://a/%20",
    ],
)
def test_anything_else_is_no_link(text: str) -> None:
    with pytest.raises(NotWellFormed):
        parse(text)


def test_sixteen_addresses_are_taken_and_seventeen_refused() -> None:
    link = f"commons:{HEX}?" + "&".join(["at=ws://a/"] * LINK_ADDRESSES_MAX)
    assert len(parse(link).addresses) == LINK_ADDRESSES_MAX
    with pytest.raises(NotWellFormed):
        parse(link + "&at=ws://a/")


def test_4096_bytes_are_taken_and_4097_refused() -> None:
    link = f"commons:{HEX}?pad="
    link += "x" * (LINK_BYTES_MAX - len(link))
    assert parse(link) == Link(ID)
    with pytest.raises(NotWellFormed):
        parse(link + "x")


def test_addresses_that_do_not_fit_into_a_link_are_left_out() -> None:
    link = Link(ID, None, ("ws://a/", "ws://b/" + "x" * LINK_BYTES_MAX))
    assert parse(str(link)).addresses == ("ws://a/",)
    many = Link(ID, None, ("ws://a/",) * (LINK_ADDRESSES_MAX + 1))
    assert len(parse(str(many)).addresses) == LINK_ADDRESSES_MAX


@pytest.mark.parametrize(
    "text",
    ["ws://a", "wss://a/", "WS://a/peer", "ws://10.0.0.7:8450/peer", "ws://[::1]:8450/peer", "ws://[fe80::1%eth0]/", "ws://a/?b=c@d"],
)  # fmt: skip
def test_addresses_that_can_be_dialled(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "ws:a", "ws:/a", "ws://", "ws:///peer", "http://a/", "ws://a:0/", "ws://a:65536/", "ws://a:x/", "ws://a:/",
        "ws://me@a/", "ws://me:secret@a/", "ws://a/b c", "ws://a/b\n", "ws://a/b#c", "ws://a?b", "ws://[::1", "ws://::1/",
        "ws://a/\x00", "ws://a/\u202e",
    ],
)  # fmt: skip
def test_addresses_that_cannot(text: str) -> None:
    assert not is_address(text)
