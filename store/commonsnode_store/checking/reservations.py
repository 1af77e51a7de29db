"""What is kept of reservations: which there are of which thing."""

from commonsnode_store import commitments
from commonsnode_store.checking.findings import Findings
from commonsnode_store.checking.sets import compare
from commonsnode_store.connections import Connection

_EXPECTED = "select lane, resource, record, asker from temp.commitments"
_FOUND = """
    select lane, resource, record, key from main.commitments left join authors on authors.no = asker
    where (select count(*) from temp.unreadable) = 0"""


def check_reservations(db: Connection, findings: Findings) -> None:
    """Compare with what all changesets say; in a file that was made by earlier rules there is nothing to compare."""
    if commitments.is_current(db):
        compare(db, _EXPECTED, _FOUND, "commitments", findings)
