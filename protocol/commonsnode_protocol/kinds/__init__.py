"""What records mean, declared once: kinds and their fields, types, units, categories, rules of lending.  SPEC.md, "Kinds"."""

from commonsnode_protocol.kinds.categories import (
    CATEGORIES,
    Category,
    category_number,
    category_of,
    category_range,
)
from commonsnode_protocol.kinds.checking import BadField, as_stored, check_typed
from commonsnode_protocol.kinds.conditions import condition_of, works
from commonsnode_protocol.kinds.declared import ACTIONS, CONDITIONS, KINDS, LANDUSES, TENURES, Field, Kind
from commonsnode_protocol.kinds.lending import AGENT_TYPES, Applying, rules_for, terms_for
from commonsnode_protocol.kinds.units import UNITS, Unit, unit_in
from commonsnode_protocol.kinds.values import BadValue, key_in, record_in

__all__ = [
    "ACTIONS",
    "AGENT_TYPES",
    "CATEGORIES",
    "CONDITIONS",
    "KINDS",
    "LANDUSES",
    "TENURES",
    "UNITS",
    "Applying",
    "BadField",
    "BadValue",
    "Category",
    "Field",
    "Kind",
    "Unit",
    "as_stored",
    "category_number",
    "category_of",
    "category_range",
    "check_typed",
    "condition_of",
    "key_in",
    "record_in",
    "rules_for",
    "terms_for",
    "unit_in",
    "works",
]
