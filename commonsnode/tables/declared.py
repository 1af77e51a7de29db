"""What the table of kinds says of headings: which there are, in which order, and which take a cell as it is."""

from itertools import chain

from commonsnode_protocol.kinds import KINDS, Field
from commonsnode_protocol.kinds.values import Choice, Text

FIRST_KINDS = ("resource", "place", "specification", "design")  # what rows are most often; then all others


def _once(*kinds: str) -> dict[str, Field]:
    """The fields of these kinds by name, in the order of their declaration; of one name the first."""
    found: dict[str, Field] = {}
    for field in chain.from_iterable(KINDS[kind].fields.values() for kind in kinds):
        found.setdefault(field.name, field)
    return found


def _is_text(field: Field) -> bool:
    return isinstance(field.type, Text) or (isinstance(field.type, Choice) and field.type.free)


ORDER = tuple(_once(*FIRST_KINDS, *(kind for kind in KINDS if kind not in FIRST_KINDS)))
"""The fields of all kinds, as the columns of an export stand."""
TEXTS = tuple(name for name, field in _once(*FIRST_KINDS).items() if _is_text(field))
"""The fields of things, places, models and designs whose value is the text of a cell."""
