"""The life of a node: open its folder, listen, serve until told to stop, and stop with nothing lost.

Everything that is loaded only for pages, tables or migrations is loaded when it is first needed, so that a start is quick.
"""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from commonsnode import __version__
from commonsnode.addresses import Addresses, listen
from commonsnode.calendar_links import CalendarLinks
from commonsnode.clock import Clock
from commonsnode.concerns import Concerns
from commonsnode.config import Config
from commonsnode.duties import Duties
from commonsnode.errors import HomeError, NodeError, Stopping
from commonsnode.events import Events
from commonsnode.home import Home, locked, make_socket_folder, node_id, read_seed
from commonsnode.http.sites import Sites
from commonsnode.keyring import Keyring
from commonsnode.logs import Log, set_up
from commonsnode.node import Node
from commonsnode.notices import Notices
from commonsnode.peers import Peers
from commonsnode.peers.lan import Communities, Lan
from commonsnode.people import Accounts, People
from commonsnode.people.sealing import MODERATE, Cost
from commonsnode.reservation_duty import ReservationDuty
from commonsnode.writing import Writer
from commonsnode_protocol.admission import Readers
from commonsnode_store.errors import Damaged, NewerFormat, NotANode, StoreError, UnknownCommunity
from commonsnode_store.store import Store

AGENT = f"commonsnode/{__version__}"
PEERS_STOP_S_MAX = 0.7  # for goodbyes; after that the links are cut
CHORES_S = 5.0
FILES_MAX = 8_192  # open at once: more than all limits of connections together
# A batch makes some hundred thousand containers and no cycles. With Python's own threshold of 700 the search for cycles took a
# quarter of the time of an import.
GC_THRESHOLDS = (50_000, 10, 10)


@dataclass(frozen=True, slots=True)
class Ready:
    """A node that listens. addresses: URLs for peers, loopback first; the pages are at the same hosts and port."""

    node: bytes
    name: str
    addresses: list[str]


def run(config: Config, home: Home, *, on_ready: Callable[[Ready], None] | None = None) -> None:
    """Serve the node in `home` in the foreground, until SIGTERM or SIGINT.

    on_ready: called once, as soon as the node listens. Raises NodeError where it cannot start.
    """
    set_up(config.log_format, config.log_level)
    _allow_files()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    asyncio.run(_run(config, home, on_ready))


def _allow_files() -> None:
    """Let this process have as many files and connections as the system grants; many grant 1,024 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(config: Config, home: Home, on_ready: Callable[[Ready], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config, home) as node:
        if on_ready is not None:
            on_ready(Ready(node.id, config.name, node.addresses()))
        await stop.wait()
        node.log.info("stopping")


@asynccontextmanager
async def running(config: Config, home: Home, *, cost: Cost = MODERATE) -> AsyncIterator[Node]:
    """A node that serves while this block lasts. cost: of a guess at a passphrase. Raises NodeError where it cannot start.

    At the end: no new connections, goodbye to the peers, what was accepted is written, answers under way are given; then
    the database is closed.
    """
    with locked(home):
        seed = read_seed(home)
        accounts, links = Accounts(home.people_path), CalendarLinks(home.calendars_path)
        make_socket_folder(home)
        sockets = listen(config.listen, config.port)
        try:
            store = _open(home)
        except NodeError:
            for bound in sockets:
                bound.close()
            raise
        try:
            clock = Clock(store.saved_time())
            node = _node(
                config,
                home,
                seed,
                store,
                Addresses(sockets, public_url=config.public_url),
                People(accounts, clock.now_ms, cost=cost),
                clock,
                links,
            )
            sites = Sites(node, sockets)
            duties, keyring, lending = Duties(node), Keyring(node), ReservationDuty(node)
            try:
                await duties.start()
                await keyring.start()
                lending.start()
                await node.events.start()
                await sites.start()
                await node.peers.start()
                if node.lan is not None:
                    node.lan.start()
                node.log.info(
                    "listening",
                    node=node.id.hex(),
                    version=__version__,
                    addresses=",".join(node.addresses()),
                    socket=str(home.socket_path),
                )
                chores = asyncio.create_task(_do_chores(node))
                chores.add_done_callback(lambda task: _report(node, task))
                try:
                    yield node
                finally:
                    chores.cancel()
                    await asyncio.gather(chores, return_exceptions=True)
            finally:
                if node.lan is not None:
                    await node.lan.stop()
                await node.events.stop()
                await lending.stop()
                await keyring.stop()
                await duties.stop()
                await _stop(node, sites)
        finally:
            store.close()
            Log("node").info("stopped")


def _node(
    config: Config,
    home: Home,
    seed: bytes,
    store: Store,
    addresses: Addresses,
    people: People,
    clock: Clock,
    links: CalendarLinks,
) -> Node:
    writer = Writer(store, clock.now_ms)
    peers = Peers(
        writer=writer,
        store=store,
        seed=seed,
        agent=AGENT,
        clock=clock.now_ms,
        log=Log("peers"),
        peers_max=config.peers_max,
        reconcile_minutes=config.reconcile_minutes,
    )
    return Node(
        home,
        config,
        node_id(seed),
        seed,
        writer,
        clock,
        peers,
        addresses,
        Notices(home.notices_path),
        people,
        Concerns(writer, node_id(seed)),
        Log("node"),
        Events(writer),
        links,
        _lan(config, node_id(seed), addresses, writer, peers),
    )


def _lan(config: Config, node: bytes, addresses: Addresses, writer: Writer, peers: Peers) -> Lan | None:
    if not config.lan or not addresses.on_networks():
        return None

    def followed(store: Store) -> Communities:
        public, private = set(), False
        for community, following in store.followed().items():
            try:
                readers = Readers(store.authority(community))
            except UnknownCommunity:
                continue  # left meanwhile
            if following.stopped:
                continue
            if readers.known and not readers.members_only:
                public.add(community)
            else:
                private = True
        return Communities(frozenset(public), private)

    return Lan(
        node=node,
        name=config.name,
        port=addresses.port,
        communities=lambda: writer.read(followed),
        heard=peers.near,
        log=Log("lan"),
    )


async def _stop(node: Node, sites: Sites) -> None:
    sites.close()
    try:
        async with asyncio.timeout(PEERS_STOP_S_MAX):
            await node.peers.stop()
    except TimeoutError:
        node.log.warning("peers-cut-off")
    await node.writer.stop()
    await sites.finish()
    await node.people.stop()


def _open(home: Home) -> Store:
    try:
        return Store.open(home.database_path)
    except Damaged as error:
        raise HomeError(
            f"the database {home.database_path} is damaged ({error}), so this node does not serve it",
            "`commonsnode check` says what is damaged; `commonsnode check --rebuild` computes it anew from what is whole, and"
            " peers bring the rest again.",
        ) from error
    except NewerFormat as error:
        raise HomeError(
            f"the database {home.database_path} was written by a newer version ({error})",
            "Install that version; nothing was changed.",
        ) from error
    except NotANode as error:
        raise HomeError(
            f"{home.database_path} is not there, or is no database of a node",
            "Put it back from a backup, or move node.key away and run `commonsnode init` for a new node.",
        ) from error
    except StoreError as error:
        raise HomeError(f"the database cannot be opened: {error}") from error


def _report(node: Node, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        node.log.error("chores-failed", cause=error)


async def _do_chores(node: Node) -> None:
    """Save the time now and then; forget who was signed in for long; tidy the database whenever it has come to rest."""
    before = tidied = node.writer.carried_out
    while True:
        node.people.sessions.sweep()
        try:
            due = node.clock.due_ms()
            if due is not None:
                await _save_time(node, due)
            if node.writer.carried_out == before != tidied:
                await node.writer.run(lambda store: store.tidy())
                tidied = node.writer.carried_out
        except StoreError as error:
            node.log.warning("chores-not-done", problem=str(error))
        except Stopping:
            return
        before = node.writer.carried_out
        await asyncio.sleep(CHORES_S)


async def _save_time(node: Node, ms: int) -> None:
    await node.writer.run(lambda store: store.save_time(ms))
    node.clock.saved(ms)
