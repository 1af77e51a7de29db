"""What can go wrong in the store, and whose move it is.

StoreError
  · Damaged            bytes on the disk are not what was written: `check` says what, `rebuild` mends what it can
  · DiskFull           free some space: nothing that was acknowledged is lost, and the store goes on by itself
  · ReadOnly           the file or its file system cannot be written: reading goes on
  · NewerFormat        a later version of the software wrote this file: install that version
  · NotANode           this file is no database of a node: another path was meant
  · UnknownCommunity   not followed here
      · LaneNotFollowed    the community is, but not this lane of it
  · CommunityStopped   nothing more of this community is taken, one's own writes included
"""

from pathlib import Path


class StoreError(Exception):
    """The root of what the store raises about itself; also what SQLite reports and none of the others names."""


class Damaged(StoreError):
    """The file does not hold what was written to it. what: a table or part; detail: which row, and how."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what
        self.detail = detail


class DiskFull(StoreError):
    """There is no room for this transaction; all earlier ones are whole."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the disk is full: {path}")
        self.path = path


class ReadOnly(StoreError):
    """The file, its folder or its file system can be read only."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot be written: {path}")
        self.path = path


class NewerFormat(StoreError):
    """found: the format of the file; known: the newest one that this version reads."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"format {found} of the database; this version knows formats up to {known}")
        self.found = found
        self.known = known


class NotANode(StoreError):
    """There is no file, or it is something else than a database of a node."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no database of a node: {path}")
        self.path = path


class UnknownCommunity(StoreError):
    """This node does not follow the community."""

    def __init__(self, community: bytes, detail: str = "this community is not followed here") -> None:
        super().__init__(f"{community.hex()}: {detail}")
        self.community = community


class LaneNotFollowed(UnknownCommunity):
    """This node follows the community, but not this lane of it."""

    def __init__(self, community: bytes, lane: str) -> None:
        super().__init__(community, f"its lane {lane} is not followed here")
        self.lane = lane


class CommunityStopped(StoreError):
    """The community was stopped, so what is written now could reach nobody. reason: as given to `stop`."""

    def __init__(self, community: bytes, reason: str) -> None:
        super().__init__(f"{community.hex()}: stopped: {reason}")
        self.community = community
        self.reason = reason
