"""What the system knows of a connection below a WebSocket: how many bytes got across, and how many still wait.

A message over a slow link is on its way for minutes, and nothing is seen of it in the meantime but here. Linux tells (TCP_INFO,
SIOCOUTQ); elsewhere, and for what is no TCP, only whole messages are seen.
"""

import array
import asyncio
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Callable

_INFO_BYTES = 136
_COUNTS_AT = 120  # in struct tcp_info: tcpi_bytes_acked, then tcpi_bytes_received


class Wire:
    """One connection. transport: None where it is not known."""

    def __init__(self, transport: asyncio.WriteTransport | None, counted: Callable[[], int]) -> None:
        """counted: bytes of whole messages so far, in and out."""
        self._transport = transport
        self._counted = counted
        self._socket = transport.get_extra_info("socket") if transport is not None else None

    def moved(self) -> int:
        """Bytes that got across so far, in both directions."""
        if sys.platform != "linux" or self._socket is None:
            return self._counted()
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        except OSError:
            return self._counted()  # closed meanwhile, or no TCP
        if len(info) < _INFO_BYTES:
            return self._counted()
        return sum(struct.unpack_from("=QQ", info, _COUNTS_AT))

    def waiting(self) -> int:
        """Bytes that were handed over and that the other machine has not got yet."""
        if self._transport is None or self._socket is None:
            return 0
        held = self._transport.get_write_buffer_size()
        unread = array.array("i", [0])
        try:
            fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, unread)
        except (OSError, ValueError):
            return held  # closed meanwhile
        return held + unread[0]
