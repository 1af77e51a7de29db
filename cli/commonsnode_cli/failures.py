"""Why a command ends without its result, and what the shell is told.

Failure          one line on stderr, nothing on stdout
  · Refused      the node said no, or something failed: exit code 1
    · NoNode     no daemon answers on this home's socket
    · Lost       the daemon went away in the middle
    · Problem    the daemon answered with problem details (RFC 9457)
  · WrongUsage   the command line itself cannot be meant: exit code 2
ReaderGone       whoever read our stdout has left (`| head`): end quietly, as by SIGPIPE
"""

from collections.abc import Sequence
from pathlib import Path


class Failure(Exception):
    """A command that cannot do what it was asked; its text is one line for a person.

    items: where there are several of what is wrong, a line for each.
    """

    exit_code = 1

    def __init__(self, text: str, items: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.items = items


class Refused(Failure):
    """It was understood, and did not work."""


class NoNode(Refused):
    """No daemon answers for this home folder."""

    def __init__(self, home: Path, command: str) -> None:
        super().__init__(f"no node is running at {home}. Start it: {command} up")
        self.home = home


class Lost(Refused):
    """The daemon closed the connection before its answer was complete."""

    def __init__(self, doing: str) -> None:
        super().__init__(
            f"the node went away while {doing}. What it had acknowledged is kept; start it (commonsnode up) and repeat"
        )


class Problem(Refused):
    """The daemon refused: the text is its `detail`."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title


class WrongUsage(Failure):
    """The command line is wrong, whatever the node's state."""

    exit_code = 2


class ReaderGone(Exception):
    """Nobody reads our stdout any more."""
