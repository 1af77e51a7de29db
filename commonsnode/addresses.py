"""Where this node listens, and by which addresses others can dial it."""

import errno
import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from commonsnode.errors import ListenError
from commonsnode.logs import Log
from commonsnode_protocol.limits import LINK_ADDRESSES_MAX

PEER_PATH = "/peer"
BACKLOG = 128
FREE_PORT_TRIES = 16  # a port that is free in IPv4 may be taken in IPv6
FRESH_S = 15.0  # a machine's addresses change when it changes networks

_ABSENT = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Sockets that listen on one port of all these hosts; port 0 takes a free one, the same for all.

    A kind of address that this machine does not have at all (no IPv6) is passed over where another one works.
    Raises ListenError.
    """
    for _ in range(FREE_PORT_TRIES):
        try:
            return _listen(hosts, port)
        except OSError as error:
            if port != 0 or error.errno != errno.EADDRINUSE:
                raise _explained(error, hosts, port) from error
    raise ListenError("no port is free on all of the addresses to listen on", "Give one with --port.")


def _listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    try:
        for host in hosts:
            for family, _, _, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                taken = sockets[0].getsockname()[1] if sockets else port
                try:
                    sockets.append(_bound(family, (address[0], taken, *address[2:])))
                except OSError as error:
                    if error.errno not in _ABSENT:
                        raise
                    Log("node").warning("not-listening", host=host, problem=error.strerror)
                    absent = error
        if not sockets:
            raise absent or OSError(errno.EADDRNOTAVAIL, "no address")
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _explained(error: OSError, hosts: Sequence[str], port: int) -> ListenError:
    if error.errno == errno.EADDRINUSE:
        return ListenError(
            f"port {port} is taken by another program",
            "Stop that one, or give another port with --port; --port 0 takes a free one.",
        )
    return ListenError(
        f"cannot listen on {', '.join(hosts)} at port {port}: {error.strerror or error}",
        "Change `listen` in config.toml to addresses of this machine, or give another --port.",
    )


def peer_address(url: str) -> str:
    """Where peers dial a node whose pages are at this URL, of http or https, and of any path."""
    return f"ws{url.removeprefix('http').rstrip('/')}{PEER_PATH}"


class Addresses:
    """The URLs by which others can dial this node: that of its proxy, loopback, then those of the network."""

    def __init__(
        self,
        sockets: Iterable[socket.socket],
        interfaces: Callable[[], list[str]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        public_url: str = "",
    ) -> None:
        """public_url: where a proxy hands on to this node; empty: nowhere. interfaces: the IP addresses of this machine, link-local ones with their scope (`fe80::1%eth0`)."""
        names = [bound.getsockname() for bound in sockets]
        self.port: int = names[0][1]
        self._bound = [ipaddress.ip_address(name[0].partition("%")[0]) for name in names]
        self._interfaces = interfaces or _of_this_machine
        self._monotonic = monotonic
        self._public = [peer_address(public_url)] if public_url else []
        self._known: list[str] = []
        self._known_until = -1.0

    def __call__(self) -> list[str]:
        now = self._monotonic()
        if now >= self._known_until:
            self._known, self._known_until = self._find(), now + FRESH_S
        return list(self._known)

    def on_networks(self) -> bool:
        """Whether it listens to other machines, too."""
        return any(not address.is_loopback for address in self._bound)

    def _find(self) -> list[str]:
        found = {
            address
            for address in map(ipaddress.ip_address, (text.partition("%")[0] for text in self._interfaces()))
            if not address.is_link_local and self._is_listening(address)
        }
        found.update(
            address for address in self._bound if not address.is_unspecified and not address.is_link_local
        )
        in_order = sorted(found, key=lambda a: (not a.is_loopback, a.version, int(a)))
        return [*self._public, *map(self._url, in_order)][:LINK_ADDRESSES_MAX]

    def _is_listening(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(
            bound == address or (bound.is_unspecified and bound.version == address.version)
            for bound in self._bound
        )

    def _url(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"ws://{host}:{self.port}{PEER_PATH}"


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of this machine, and the network that it is on."""

    address: IPv4Address | IPv6Address
    prefix: int  # bits of the network

    def reaches(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether that is a neighbour, with no router between. Link-local ones of IPv6 cannot be told in a URL."""
        if address.version != self.address.version or (address.version == 6 and address.is_link_local):
            return False
        network = ipaddress.ip_network((self.address, self.prefix), strict=False)
        return address in network and not address.is_multicast


def interfaces() -> list[Interface]:
    """The addresses of this machine at present, loopback too."""
    import ifaddr

    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            found.append(Interface(ipaddress.ip_address(text.partition("%")[0]), ip.network_prefix))
    return found


def _of_this_machine() -> list[str]:
    return [str(interface.address) for interface in interfaces()]
