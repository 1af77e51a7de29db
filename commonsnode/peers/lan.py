"""Find the nodes of the local network, and be found there: multicast DNS, with no address typed by anybody.

What is announced is in SPEC.md, "On the local network". Whatever is heard is a hint from a stranger: only addresses on this
machine's own networks are dialled, so many of them, and the handshake proves who is there.
"""

import asyncio
import logging
import os
import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from commonsnode.addresses import PEER_PATH, Interface, interfaces
from commonsnode_protocol import lan
from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.lan import Announcement

if TYPE_CHECKING:
    from zeroconf import IPVersion, ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    from commonsnode.logs import Log

HEARD_MAX = 128  # nodes that are heard at the same time; more are passed over
STRANGERS_MAX = 8  # dialled although nothing shows that they follow what this node follows
ADDRESSES_PER_NODE_MAX = 2
RESOLVE_MS_MAX = 3_000
RESOLVING_MAX = 8
LOOK_S = 5.0  # for interfaces and communities that came or went
RETRY_S = 30.0
LABEL_CHARS_MAX = 40
NAMES_MAX = 9  # tried, one after the other

_NO_LABEL = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Communities:
    """What this node follows. private: members-only ones are among it; these are never announced."""

    public: frozenset[bytes]
    private: bool


@dataclass(slots=True)
class _Heard:
    said: Announcement
    addresses: tuple[str, ...]


@dataclass(slots=True)
class _Open:
    """One life of multicast DNS: from a change of the interfaces to the next."""

    zeroconf: "AsyncZeroconf"
    interfaces: frozenset[Interface]
    browser: "AsyncServiceBrowser | None" = None
    info: "AsyncServiceInfo | None" = None
    heard: dict[str, _Heard] = field(default_factory=dict)
    named: dict[str, None] = field(default_factory=dict)  # to be resolved, in order


class Lan:
    """See the module. `start`, then `stop`."""

    def __init__(
        self,
        *,
        node: bytes,
        name: str,
        port: int,
        communities: Callable[[], Awaitable[Communities]],
        heard: Callable[[dict[bytes, tuple[str, ...]]], None],
        log: "Log",
    ) -> None:
        """heard: is told all nodes to dial with their addresses, whenever that changes."""
        self.web_address: str | None = None  # for people's browsers, once it is announced
        self._node = node
        self._label = label(name)
        self._port = port
        self._communities = communities
        self._tell = heard
        self._log = log
        self._salt = os.urandom(lan.SALT_BYTES)
        self._fill = os.urandom(lan.TAGS_STEP * lan.TAG_BYTES)
        self._follows = Communities(frozenset(), private=False)
        self._told: dict[bytes, tuple[str, ...]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # Life

    async def _run(self) -> None:
        complained = False
        while True:
            try:
                await self._live()
            except Exception as error:  # noqa: BLE001 - without multicast DNS a node works on; the log has it, once
                if not complained:
                    self._log.warning("not-on-the-lan", problem=str(error) or type(error).__name__)
                complained = True
                await asyncio.sleep(RETRY_S)
            else:
                complained = False

    async def _live(self) -> None:
        """Until the interfaces change."""
        from zeroconf.asyncio import AsyncServiceBrowser

        found = frozenset(await asyncio.to_thread(interfaces))
        if not any(_has_a_network(i) for i in found):
            await asyncio.sleep(LOOK_S)
            return
        it = _Open(_zeroconf(found), found)
        try:
            it.browser = AsyncServiceBrowser(
                it.zeroconf.zeroconf,
                lan.SERVICE,
                handlers=[
                    lambda zeroconf, service_type, name, state_change: self._named(it, name, state_change)
                ],
            )
            async with asyncio.TaskGroup() as tasks:
                resolving = tasks.create_task(self._resolve(it))
                await self._announce(it)
                while frozenset(await asyncio.to_thread(interfaces)) == it.interfaces:
                    await self._look(it)
                    await asyncio.sleep(LOOK_S)
                resolving.cancel()
        finally:
            self.web_address = None
            self._decide(_Open(it.zeroconf, frozenset()))
            with suppress(Exception):
                await it.zeroconf.async_close()

    # Being found

    async def _announce(self, it: _Open) -> None:
        self._follows = await self._communities()
        host = await self._free_host(it)
        it.info = self._info(it, f"{host.removesuffix('.local.')} {self._node.hex()[:8]}.{lan.SERVICE}", host)
        await (await it.zeroconf.async_register_service(it.info, allow_name_change=True))
        self.web_address = f"http://{host.removesuffix('.')}:{self._port}/"
        self._log.info("on-the-lan", pages=self.web_address)

    async def _free_host(self, it: _Open) -> str:
        """The node's name as a host name, with a number where another machine has that name."""
        from zeroconf import AddressResolver  # type: ignore[attr-defined]

        own = {interface.address.packed for interface in it.interfaces}
        for number in range(1, NAMES_MAX + 1):
            host = f"{self._label}.local." if number == 1 else f"{self._label}-{number}.local."
            resolver = AddressResolver(host)
            if not await resolver.async_request(it.zeroconf.zeroconf, 500):
                return host
            if {address.packed for address in resolver.ip_addresses_by_version(_all_versions())} <= own:
                return host  # this machine's own name, which another program may have announced
        return f"{self._label}-{self._node.hex()[:8]}.local."

    def _info(self, it: _Open, name: str, host: str) -> "AsyncServiceInfo":
        from zeroconf.asyncio import AsyncServiceInfo

        own = {interface.address for interface in it.interfaces if _has_a_network(interface)}
        return AsyncServiceInfo(
            lan.SERVICE,
            name,
            addresses=[address.packed for address in sorted(own, key=lambda a: (a.version, int(a)))],
            port=self._port,
            properties=self._properties(),
            server=host,
        )

    def _properties(self) -> dict[str | bytes, str | bytes | None]:
        tags = lan.tags_of(self._salt, self._follows.public, self._fill)
        said = lan.properties(Announcement(self._node, self._port, self._salt, tags))
        return {key: value for key, value in said.items()}  # noqa: C416 - the library's type is wider

    async def _look(self, it: _Open) -> None:
        """Announce anew where other communities are followed, and look again at who is heard."""
        follows = await self._communities()
        if follows == self._follows:
            return
        self._follows = follows
        if it.info is not None:
            it.info._set_properties(dict(self._properties()))
            await (await it.zeroconf.async_update_service(it.info))
        self._decide(it)

    # Finding

    def _named(self, it: _Open, name: str, change: "ServiceStateChange") -> None:
        from zeroconf import ServiceStateChange

        if change is ServiceStateChange.Removed:
            it.named.pop(name, None)
            if it.heard.pop(name, None) is not None:
                self._decide(it)
        elif name in it.heard or len(it.heard) + len(it.named) < HEARD_MAX:
            it.named[name] = None
            self._changed.set()

    async def _resolve(self, it: _Open) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while it.named:
                some = list(it.named)[:RESOLVING_MAX]
                for name in some:
                    del it.named[name]
                async with asyncio.TaskGroup() as tasks:
                    for name in some:
                        tasks.create_task(self._hear(it, name))

    async def _hear(self, it: _Open, name: str) -> None:
        from zeroconf.asyncio import AsyncServiceInfo

        try:
            info = AsyncServiceInfo(lan.SERVICE, name)
            if not await info.async_request(it.zeroconf.zeroconf, RESOLVE_MS_MAX):
                return
            said = lan.read(info.properties)
        except (NotWellFormed, ValueError, OSError) as error:
            self._log.debug("not-heard", name=name[:80], problem=str(error))
            return
        near = [
            address
            for address in info.ip_addresses_by_version(_all_versions())
            if any(interface.reaches(address) for interface in it.interfaces)
        ]
        near.sort(key=lambda address: (address.version, int(address)))
        addresses = tuple(_url(address, said.port) for address in near[:ADDRESSES_PER_NODE_MAX])
        if said.node != self._node and addresses:
            it.heard[name] = _Heard(said, addresses)
            self._decide(it)

    def _decide(self, it: _Open) -> None:
        """Whom to dial: who calls a community of ours, and some others where ours are not called aloud."""
        wanted: dict[bytes, tuple[str, ...]] = {}
        strangers = STRANGERS_MAX if self._follows.private else 0
        for heard in it.heard.values():
            if heard.said.calls(self._follows.public):
                wanted.setdefault(heard.said.node, heard.addresses)
            elif strangers and heard.said.node not in wanted:
                strangers -= 1
                wanted[heard.said.node] = heard.addresses
        if wanted != self._told:
            self._told = wanted
            self._tell(wanted)


def label(name: str) -> str:
    """A node's name as one label of a host name (RFC 1123)."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NO_LABEL.sub("-", ascii_only).strip("-")[:LABEL_CHARS_MAX].strip("-") or "commons"


def _zeroconf(interfaces: Collection[Interface]) -> "AsyncZeroconf":
    """On every network, of IPv4 and IPv6 where the machine has both."""
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncZeroconf

    # It warns with a traceback of every packet that finds no way, as where a cable is out.
    logging.getLogger("zeroconf").setLevel(logging.ERROR)
    own = [i.address for i in interfaces if _has_a_network(i)]
    try:
        return AsyncZeroconf(interfaces=[str(address) for address in own], ip_version=IPVersion.All)
    except OSError:
        only = [str(address) for address in own if address.version == 4]
        return AsyncZeroconf(interfaces=only, ip_version=IPVersion.V4Only)


def _has_a_network(interface: Interface) -> bool:
    return not interface.address.is_loopback and not interface.address.is_link_local


def _all_versions() -> "IPVersion":
    from zeroconf import IPVersion

    return IPVersion.All


def _url(address: IPv4Address | IPv6Address, port: int) -> str:
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"ws://{host}:{port}{PEER_PATH}"
