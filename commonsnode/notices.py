"""What people must be told of a community, kept in the node's folder until it leaves that community.

A node remembers in the same file which table it followed and which role it had, so that a change is noticed also where it
came in while the program was being restarted.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commonsnode.durable import write_whole
from commonsnode.logs import Log

NOTICES_MAX = 50  # of one community; the oldest go


@dataclass(slots=True)
class Told:
    """What was last seen of one community, and what its people were told."""

    table: str | None = None
    role: str | None = None
    notices: list[dict[str, Any]] = field(default_factory=list)  # {time: ms, text}
    names: dict[str, str] = field(default_factory=dict)  # invitation → who it is for


class Notices:
    """The file. Used in the event loop; small, so it is written whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._of: dict[str, Told] = {}
        self._saving = asyncio.Lock()
        self._log = Log("notices")
        with suppress(OSError, ValueError, TypeError):  # without it nothing is lost but what was told before
            self._of = {key: Told(**said) for key, said in json.loads(path.read_bytes()).items()}

    def of(self, community: bytes) -> Told:
        return self._of.setdefault(community.hex(), Told())

    def tell(self, community: bytes, ms: int, text: str) -> None:
        notices = self.of(community).notices
        notices.append({"time": ms, "text": text})
        del notices[:-NOTICES_MAX]

    def forget(self, community: bytes) -> None:
        self._of.pop(community.hex(), None)

    async def save(self) -> None:
        """Write the file, off the event loop. What it holds is never worth failing for: a full disk is logged."""
        try:
            await self._save()
        except OSError as error:
            self._log.warning("notices-not-saved", problem=str(error))

    async def _save(self) -> None:
        async with self._saving:
            said = {
                key: {"table": of.table, "role": of.role, "notices": of.notices, "names": of.names}
                for key, of in self._of.items()
            }
            await asyncio.to_thread(write_whole, self._path, json.dumps(said, ensure_ascii=False))
