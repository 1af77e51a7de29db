"""The folder of a node: where it is, what is in it, who may read it, and that one daemon at a time uses it.

config.toml    the settings
node.key       the seed of the key that this node signs with: 64 hexadecimal digits, for its owner only
node.sqlite3   everything else
people.json    the accounts of its people, each with a key that only their passphrase opens; not there without accounts
calendars.json the hashes of links to people's calendars; not there without such links
notices.json   what its people were told, and the names that they gave to invitations
node.sock      where the running daemon answers its operator
lock           held by the running daemon; holds its process id

Every command asks for the path of the socket: what only `init` and the key need (store, settings, signatures) is imported
there, which spares a command 90 ms.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from commonsnode.durable import write_whole
from commonsnode.errors import AlreadyANode, HomeError, Locked

HOME_VARIABLE = "COMMONSNODE_HOME"
SEED_BYTES = 32
SOCKET_PATH_BYTES_MAX = 100  # the system's own limit is 108 on Linux, 104 elsewhere


def default_home(variables: Mapping[str, str]) -> Path:
    """`COMMONSNODE_HOME`, else the folder for data that this platform gives to programs."""
    named = variables.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path  # 15 ms, and not needed where the folder is given

    return user_data_path("commonsnode", appauthor=False)


@dataclass(frozen=True, slots=True)
class Home:
    """The paths in the folder of one node."""

    path: Path

    @property
    def config_path(self) -> Path:
        return self.path / "config.toml"

    @property
    def key_path(self) -> Path:
        return self.path / "node.key"

    @property
    def database_path(self) -> Path:
        return self.path / "node.sqlite3"

    @property
    def notices_path(self) -> Path:
        return self.path / "notices.json"

    @property
    def people_path(self) -> Path:
        return self.path / "people.json"

    @property
    def calendars_path(self) -> Path:
        return self.path / "calendars.json"

    @property
    def lock_path(self) -> Path:
        return self.path / "lock"

    @property
    def socket_path(self) -> Path:
        """Beside the rest, or in the folder for temporary files where that path would be too long for a socket."""
        beside = self.path.resolve() / "node.sock"
        if len(os.fsencode(beside)) <= SOCKET_PATH_BYTES_MAX:
            return beside
        import tempfile

        digest = blake2b(os.fsencode(self.path.resolve())).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"commonsnode-{os.getuid()}" / f"{digest}.sock"

    def is_node(self) -> bool:
        return self.key_path.exists()


def init(path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> Home:
    """Make a node in `path`: folder, settings, database, and last the key, by which it is known to be whole.

    random_bytes: where the seed comes from. Raises AlreadyANode (and leaves that node as it is) or HomeError.
    """
    from commonsnode import config
    from commonsnode_store.errors import StoreError
    from commonsnode_store.store import Store

    home = Home(path)
    if home.is_node():
        raise AlreadyANode(f"{path} holds a node already; it was left as it is")
    before = os.umask(0o077)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(home):  # two of these at once would each make a key
            if home.is_node():
                raise AlreadyANode(f"{path} holds a node already; it was left as it is")
            if not home.config_path.exists():
                write_whole(home.config_path, config.template())
            Store.open(home.database_path, create=not home.database_path.exists()).close()
            write_whole(home.key_path, random_bytes(SEED_BYTES).hex() + "\n")
    except OSError as error:
        raise HomeError(
            f"no node can be made in {path}: {error.strerror}", "Give another folder with --home."
        ) from error
    except StoreError as error:
        raise HomeError(
            f"no node can be made in {path}: {error}", "Give another folder with --home."
        ) from error
    finally:
        os.umask(before)
    return home


def open_home(path: Path) -> Home:
    """The node in `path`. Raises HomeError where there is none."""
    home = Home(path)
    if not home.is_node():
        raise HomeError(
            f"there is no node in {path}",
            "Make one with `commonsnode init`, or say where it is with --home DIR.",
        )
    return home


def read_seed(home: Home) -> bytes:
    """The seed (32 bytes) of the node's key. Raises HomeError where the file is readable by others, or no seed."""
    try:
        descriptor = os.open(home.key_path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode & 0o777
            text = file.read(2 * SEED_BYTES + 2)
    except OSError as error:
        raise HomeError(f"the key {home.key_path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise HomeError(
            f"the key {home.key_path} can be read by other users of this machine (mode {mode:04o})",
            f"Make it yours alone: chmod 600 '{home.key_path}'. If somebody may have read it, make a new node.",
        )
    try:
        seed = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise HomeError(
            f"{home.key_path} is no key: it must be {2 * SEED_BYTES} hexadecimal digits and a line end",
            "Put the file back from a backup of this node.",
        )
    return seed


def node_id(seed: bytes) -> bytes:
    """The public key (32 bytes) that others know this node by."""
    from commonsnode_protocol.changeset import public_key

    return public_key(seed)


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Be the one daemon of this folder. The system frees the lock when the process ends, however it ends.

    Raises Locked with the process id of the other one.
    """
    try:
        descriptor = os.open(home.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HomeError(f"{home.lock_path} cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, 20, 0).strip()
            raise Locked(home.path, int(pid) if pid.isdigit() else None) from None
        with suppress(OSError):  # a full disk; the number is for people only, the lock holds without it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def make_socket_folder(home: Home) -> None:
    """The folder of the socket, where that is not the node's own. Raises HomeError where somebody else made it."""
    folder = home.socket_path.parent
    if folder == home.path.resolve():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not folder.is_dir() or folder.is_symlink():
        raise HomeError(
            f"{folder} belongs to somebody else, or others can write to it",
            "Remove it, or use a --home with a shorter path.",
        )
