"""Frames that wait to be sent over one link, in the order in which they should go."""

import asyncio
from collections import deque

from commonsnode_protocol.errors import PeerError, Reason
from commonsnode_protocol.session_events import Rank

OUTBOX_BYTES_MAX = 16 * 1024 * 1024  # four times the credit in batches, and all small frames beside them
CONGESTED_BYTES = 1024 * 1024  # above this, changes are not pushed but found by reconciliation later


class Outbox:
    """A queue with one rule: a live frame goes before the batches that wait at the end."""

    def __init__(self) -> None:
        self._frames: deque[tuple[Rank, bytes]] = deque()
        self.bytes = 0
        self._filled = asyncio.Event()

    @property
    def congested(self) -> bool:
        return self.bytes > CONGESTED_BYTES

    def put(self, rank: Rank, frame: bytes) -> None:
        """Raises PeerError `too-slow` when the peer leaves too much unread."""
        self.bytes += len(frame)
        if self.bytes > OUTBOX_BYTES_MAX:
            raise PeerError(Reason.TOO_SLOW, f"{self.bytes} bytes unread")
        at = len(self._frames)
        if rank is Rank.LIVE:
            while at and self._frames[at - 1][0] is Rank.BULK:
                at -= 1
        self._frames.insert(at, (rank, frame))
        self._filled.set()

    async def take(self) -> bytes:
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        frame = self._frames.popleft()[1]
        self.bytes -= len(frame)
        return frame
