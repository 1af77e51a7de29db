"""Secret links by which a person's own calendar is read: programs that subscribe to calendars can send nothing but an address.

A link is told once and can be withdrawn. The file `calendars.json` of the node's folder keeps only its hash, so that nobody who reads
the file has the link. Format 1: {"format": 1, "links": [{"id", "person", "label", "created": ms, "hash"}]}.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from commonsnode.durable import write_whole
from commonsnode.errors import Conflict, HomeError, Unknown
from commonsnode_protocol.changeset import KEY_BYTES

FORMAT = 1
LINKS_MAX = 4_000
LINKS_PER_PERSON_MAX = 16
SECRET_BYTES = 32
SECRET_CHARS_MAX = 64
ID_BYTES = 8
LABEL_CHARS_MAX = 64
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was given. hash: of its secret."""

    id: str
    person: bytes
    label: str
    created_ms: int
    hash: bytes


class CalendarLinks:
    """The file. Used in the event loop; small, so it is written whole."""

    def __init__(self, path: Path) -> None:
        """Raises HomeError where the file is not as it must be; it is never overwritten then."""
        self._path = path
        self._links = {link.id: link for link in _read(path)}
        self._by_hash = {link.hash: link for link in self._links.values()}
        self._changing = asyncio.Lock()

    def of(self, person: bytes) -> list[Link]:
        """Those of a person, the oldest first."""
        return [link for link in self._links.values() if link.person == person]

    def find(self, secret: str) -> Link:
        """Raises Unknown, in the same words for one that was withdrawn and one that never was."""
        link = self._by_hash.get(_hash(secret)) if len(secret) <= SECRET_CHARS_MAX else None
        if link is None:
            raise Unknown("no calendar has this link; it may have been withdrawn")
        return link

    async def make(self, person: bytes, label: str, now_ms: int) -> tuple[Link, str]:
        """A new link, and its secret. Raises Conflict, and OSError where it cannot be written."""
        async with self._changing:
            if len(self.of(person)) >= LINKS_PER_PERSON_MAX or len(self._links) >= LINKS_MAX:
                raise Conflict(
                    f"there are {LINKS_PER_PERSON_MAX} links for one person at most; withdraw one that is not used"
                )
            secret = secrets.token_urlsafe(SECRET_BYTES)
            link = Link(secrets.token_hex(ID_BYTES), person, label, now_ms, _hash(secret))
            await self._save([*self._links.values(), link])
            return link, secret

    async def withdraw(self, person: bytes, id_: str) -> Link:
        """Raises Unknown, and OSError where it cannot be written: then it goes on to be one."""
        async with self._changing:
            link = self._links.get(id_)
            if link is None or link.person != person:
                raise Unknown(f"you have no link {id_[:40]!r}")
            await self._save([each for each in self._links.values() if each is not link])
            return link

    async def _save(self, links: Sequence[Link]) -> None:
        said = {"format": FORMAT, "links": [_said(link) for link in links]}
        await asyncio.to_thread(write_whole, self._path, json.dumps(said, ensure_ascii=False, indent=1))
        self._links = {link.id: link for link in links}
        self._by_hash = {link.hash: link for link in links}


def _hash(secret: str) -> bytes:
    return blake2b(secret.encode(errors="replace"), digest_size=_HASH_BYTES).digest()


def _said(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "person": link.person.hex(),
        "label": link.label,
        "created": link.created_ms,
        "hash": link.hash.hex(),
    }


def _read(path: Path) -> list[Link]:
    try:
        said = json.loads(path.read_bytes())
        if said["format"] != FORMAT:
            raise HomeError(
                f"{path} was written by a newer version", "Install that version; nothing was changed."
            )
        return [
            Link(
                str(each["id"]),
                _bytes(each["person"], KEY_BYTES),
                str(each["label"]),
                int(each["created"]),
                _bytes(each["hash"], _HASH_BYTES),
            )
            for each in said["links"]
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HomeError(f"the links {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HomeError(
            f"{path} is no file of links to calendars, or is damaged",
            "Put it back from a backup of this node, or remove it: then people make new links to their calendars.",
        ) from error


def _bytes(text: str, size: int) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != size:
        raise ValueError("bytes")
    return found
