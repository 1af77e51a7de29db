"""Where a node listens, and what it says about that."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from commonsnode.addresses import Addresses, Interface, listen
from commonsnode.errors import ListenError

MACHINE = ["127.0.0.1", "192.168.1.7", "::1", "fe80::1%eth0", "fd00::2"]


def addresses_of(sockets: Sequence[socket.socket], machine: list[str] = MACHINE) -> list[str]:
    try:
        return Addresses(sockets, lambda: machine)()
    finally:
        for bound in sockets:
            bound.close()


def test_a_free_port_is_the_same_for_both_families() -> None:
    sockets = listen(["127.0.0.1", "::1"], 0)
    ports = {bound.getsockname()[1] for bound in sockets}
    found = addresses_of(sockets)
    assert len(ports) == 1
    port = ports.pop()
    assert found[:2] == [f"ws://127.0.0.1:{port}/peer", f"ws://[::1]:{port}/peer"]


def test_loopback_comes_first_and_link_local_is_left_out() -> None:
    sockets = listen(["0.0.0.0", "::"], 0)
    port = sockets[0].getsockname()[1]
    assert addresses_of(sockets) == [
        f"ws://{host}:{port}/peer" for host in ("127.0.0.1", "[::1]", "192.168.1.7", "[fd00::2]")
    ]


def test_only_addresses_that_are_listened_on_are_named() -> None:
    sockets = listen(["127.0.0.1"], 0)
    port = sockets[0].getsockname()[1]
    assert addresses_of(sockets) == [f"ws://127.0.0.1:{port}/peer"]


def test_a_machine_with_many_addresses_names_as_many_as_fit_in_a_link() -> None:
    sockets = listen(["0.0.0.0"], 0)
    found = addresses_of(sockets, ["127.0.0.1", *(f"10.0.0.{n}" for n in range(1, 40))])
    assert len(found) == 16
    assert found[0].startswith("ws://127.0.0.1:")


def test_a_port_that_is_taken_is_one_clear_error() -> None:
    (first,) = listen(["127.0.0.1"], 0)
    with first, pytest.raises(ListenError, match="is taken by another program") as caught:
        listen(["127.0.0.1"], first.getsockname()[1])
    assert "--port" in caught.value.hint


def test_an_address_of_another_machine_is_one_clear_error() -> None:
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.77"):
        listen(["192.0.2.77"], 0)


def test_a_machine_without_one_of_the_families_listens_on_the_other() -> None:
    # 192.0.2.77 stands for a kind of address that is absent: the system gives the same answer for both.
    sockets = listen(["127.0.0.1", "192.0.2.77"], 0)
    assert len(sockets) == 1
    sockets[0].close()


@pytest.mark.parametrize(
    ("own", "prefix", "other", "near"),
    [
        ("192.168.1.7", 24, "192.168.1.200", True),
        ("192.168.1.7", 24, "192.168.2.1", False),
        ("192.168.1.7", 24, "203.0.113.5", False),
        ("10.0.0.1", 8, "224.0.0.251", False),
        ("192.168.1.7", 24, "fd00::7", False),
        ("fd00::2", 64, "fd00::3", True),
        ("fd00::2", 64, "2001:db8::1", False),
        ("fe80::1", 64, "fe80::2", False),
    ],
)
def test_only_a_neighbour_is_near(own: str, prefix: int, other: str, near: bool) -> None:
    assert Interface(ip_address(own), prefix).reaches(ip_address(other)) == near


@pytest.mark.parametrize(("host", "heard"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_node_that_listens_to_this_machine_alone_is_on_no_network(host: str, heard: bool) -> None:
    sockets = listen([host], 0)
    try:
        assert Addresses(sockets).on_networks() == heard
    finally:
        for bound in sockets:
            bound.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://commons.example", "wss://commons.example/peer"),
        ("https://example.org/commons/", "wss://example.org/commons/peer"),
        ("http://[2001:db8::1]:8080", "ws://[2001:db8::1]:8080/peer"),
    ],
)
def test_where_a_proxy_hands_on_is_said_first(url: str, address: str) -> None:
    sockets = listen(["127.0.0.1"], 0)
    found = Addresses(sockets, lambda: MACHINE, public_url=url)()
    sockets[0].close()
    assert found[0] == address
    assert found[1].startswith("ws://127.0.0.1:")
