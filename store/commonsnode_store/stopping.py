"""Why a community stops for a version that this software does not know, and the end of that when the software is newer (rule 5)."""

import re
import sqlite3

from commonsnode_protocol.authority.settings import KNOWN_VERSIONS

_ASKED = re.compile(r"version ([0-9]{1,16})\b")  # in the words below, which are what the file keeps


def by_table(version: int) -> str:
    """The current table asks for this version."""
    return f"it asks for version {version}, which this software does not know"


def by_charter(version: int) -> str:
    """The charter is written in this version, so it could not be taken in at all."""
    return f"its charter is of version {version}: this node needs a newer version of Commons Node"


def lift(db: sqlite3.Connection) -> None:
    """Let those go on whose version is known now: the software was updated since they were stopped."""
    stopped = db.execute("select no, stopped from communities where stopped is not null").fetchall()
    for no, reason in stopped:
        asked = _ASKED.search(reason)
        if asked is not None and int(asked[1]) in KNOWN_VERSIONS:
            db.execute("update communities set stopped = null where no = ?", (no,))
