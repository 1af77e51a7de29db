"""The accounts of this node, in the file `people.json` of its folder: who there is, and each one's seed, sealed.

Nothing in the file opens a seed. It is written whole, to the disk, before anybody is told that something was done.
Format 1: {"format": 1, "accounts": [{"id", "name", "created": ms, "locked", "warrants": {community: signature}, "passes",
"memory", "salt", "nonce", "box"}]}; bytes as hexadecimal digits. A person's file for another node is one account of that form,
without `locked` and `warrants`, with {"format": "commonsnode-person/1"}.
"""

import asyncio
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commonsnode.durable import write_whole
from commonsnode.errors import Conflict, HomeError, Unknown, WrongField
from commonsnode.people.sealing import (
    BOX_BYTES,
    MEMORY_MAX,
    NONCE_BYTES,
    PASSES_MAX,
    SALT_BYTES,
    Cost,
    Sealed,
)
from commonsnode_protocol.changeset import KEY_BYTES

FORMAT = 1
PERSON_FORMAT = "commonsnode-person/1"
ACCOUNTS_MAX = 2_000
NAME_CHARS_MAX = 64
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Account:
    """One person. warrants: community → the person's signature that this node may ack for them."""

    id: bytes
    name: str
    created_ms: int
    sealed: Sealed = field(repr=False)
    locked: bool = False
    warrants: Mapping[bytes, bytes] = field(default_factory=dict)


class Accounts:
    """The file. Used in the event loop; small, so it is written whole."""

    def __init__(self, path: Path) -> None:
        """Raises HomeError where the file is not as it must be; it is never overwritten then."""
        self._path = path
        self._by_name = {key_of_name(account.name): account for account in _read(path)}
        self._changing = asyncio.Lock()

    def __iter__(self) -> Iterator[Account]:
        return iter(sorted(self._by_name.values(), key=lambda account: key_of_name(account.name)))

    def find(self, name: str) -> Account | None:
        return self._by_name.get(key_of_name(name))

    def named(self, name: str) -> Account:
        """Raises Unknown."""
        found = self.find(name)
        if found is None:
            raise Unknown(f"nobody here is called {name[:NAME_CHARS_MAX]!r}; see: commonsnode person list")
        return found

    def check_new(self, account_id: bytes, name: str) -> None:
        """Raises Conflict where there is no place for this person under this name."""
        if key_of_name(name) in self._by_name:
            raise Conflict(f"somebody here is called {name!r} already; take another name")
        if any(each.id == account_id for each in self._by_name.values()):
            raise Conflict("that person has an account here already; see: commonsnode person list")
        if len(self._by_name) >= ACCOUNTS_MAX:
            raise Conflict(f"this node has {ACCOUNTS_MAX} accounts, which is as many as it takes")

    async def add(self, account: Account) -> None:
        """Raises Conflict, and OSError where it cannot be written."""
        async with self._changing:
            self.check_new(account.id, account.name)
            await self._save({**self._by_name, key_of_name(account.name): account})

    async def change(self, name: str, fn: Callable[[Account], Account]) -> Account:
        """Raises Unknown, and OSError where it cannot be written: then nothing has changed."""
        async with self._changing:
            changed = fn(self.named(name))
            await self._save({**self._by_name, key_of_name(name): changed})
            return changed

    async def _save(self, by_name: dict[str, Account]) -> None:
        said = {"format": FORMAT, "accounts": [_said(account) for account in by_name.values()]}
        await asyncio.to_thread(write_whole, self._path, json.dumps(said, ensure_ascii=False, indent=1))
        self._by_name = by_name


def check_name(name: str) -> str:
    """The name as it is kept. Raises WrongField."""
    kept = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(kept) <= NAME_CHARS_MAX or not kept.isprintable() or not any(map(str.isalnum, kept)):
        raise WrongField(
            "name", f"1 to {NAME_CHARS_MAX} printable characters, a letter or a digit among them"
        )
    return kept


def key_of_name(name: str) -> str:
    """Two names that differ in case only, or in how an accent is typed, are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).strip().casefold())


def to_file(account: Account) -> dict[str, Any]:
    """A person for another node: the sealed seed, and nothing that opens it."""
    said = _said(account)
    del said["locked"], said["warrants"]
    return {"format": PERSON_FORMAT, **said}


def from_file(said: Mapping[str, Any]) -> Account:
    """Raises WrongField where that is no such file, or asks for more work than this node does."""
    try:
        if said.get("format") != PERSON_FORMAT:
            raise ValueError
        return _account({**said, "locked": False, "warrants": {}})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongField(
            "file", "is no person as `commonsnode person export` writes it, or was cut off"
        ) from error


def _said(account: Account) -> dict[str, Any]:
    sealed = account.sealed
    return {
        "id": account.id.hex(),
        "name": account.name,
        "created": account.created_ms,
        "locked": account.locked,
        "warrants": {community.hex(): warrant.hex() for community, warrant in account.warrants.items()},
        "passes": sealed.cost.passes,
        "memory": sealed.cost.memory,
        "salt": sealed.salt.hex(),
        "nonce": sealed.nonce.hex(),
        "box": sealed.box.hex(),
    }


def _account(said: Mapping[str, Any]) -> Account:
    cost = Cost(_whole(said["passes"], PASSES_MAX), _whole(said["memory"], MEMORY_MAX))
    sealed = Sealed(
        cost,
        _bytes(said["salt"], SALT_BYTES),
        _bytes(said["nonce"], NONCE_BYTES),
        _bytes(said["box"], BOX_BYTES),
    )
    warrants = {
        _bytes(community, KEY_BYTES): _bytes(warrant, SIGNATURE_BYTES)
        for community, warrant in said["warrants"].items()
    }
    if not isinstance(said["locked"], bool):
        raise TypeError("locked")
    name, created = check_name(said["name"]), _whole(said["created"], 2**53)
    return Account(_bytes(said["id"], KEY_BYTES), name, created, sealed, said["locked"], warrants)


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError("a number")
    return value


def _bytes(text: str, size: int) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != size:
        raise ValueError("bytes")
    return found


def _read(path: Path) -> list[Account]:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            said = json.loads(file.read())
        if mode & 0o077:
            raise HomeError(
                f"the accounts {path} can be read by other users of this machine (mode {mode:04o})",
                f"Make them yours alone: chmod 600 '{path}'. Who may have read it can guess at passphrases.",
            )
        if said["format"] != FORMAT:
            raise HomeError(
                f"{path} was written by a newer version", "Install that version; nothing was changed."
            )
        accounts = [_account(each) for each in said["accounts"]]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HomeError(f"the accounts {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, WrongField) as error:
        raise HomeError(
            f"{path} is no file of accounts, or is damaged",
            "Put it back from a backup of this node. Without it its people need their words, or an exported file.",
        ) from error
    return accounts
