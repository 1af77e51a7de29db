"""Rules of lending: their form, and which terms apply to somebody, and why.

A thing's rules stand before those of its specification and of the community's charter, key by key.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.values import MINUTES, Choice, Map, MapTo, Text

FEE_CHARS_MAX = 256
TERMS_MAX = 32

ANYONE, MEMBERS, NOBODY = "anyone", "members", "nobody"
KEEPER, AT_ONCE = "keeper", "at-once"
FREE, FEE, ASK = "free", "fee", "ask"
AGENT_TYPES = (
    "person",
    "group",
    "common-good",
    "co-operative",
    "contributing-co-operative",
    "non-commercial",
    "for-profit",
)

TERM = Map({"use": Choice((FREE, FEE, ASK)), "fee": Text(FEE_CHARS_MAX)}, required=("use",))
TERMS = MapTo(TERM, TERMS_MAX, AGENT_TYPES)
LENDING = Map(
    {
        "to": Choice((ANYONE, MEMBERS, NOBODY)),
        "confirm": Choice((KEEPER, AT_ONCE)),
        "lead_minutes": MINUTES,
        "shortest_minutes": MINUTES,
        "longest_minutes": MINUTES,
        "buffer_minutes": MINUTES,
        "terms": TERMS,
    },
    ascending=(("shortest_minutes", "longest_minutes"),),
)
DEFAULTS: Mapping[str, Value] = {"to": ANYONE, "confirm": KEEPER}


@dataclass(frozen=True, slots=True)
class Applying:
    """Which terms apply to somebody. lent: whether they get it at all. why: which rule says so, for people."""

    lent: bool
    use: str
    fee: str
    why: str


def rules_for(*layers: Mapping[str, Value] | None) -> dict[str, Value]:
    """The rules that hold, key by key from the first layer that says it: the thing's, its specification's, the charter's.

    What is not of its form says nothing, so that no peer's value stops a thing from being lent.
    """
    found: dict[str, Value] = {}
    for layer in (*layers, DEFAULTS):
        for name, value in (layer or {}).items():
            if name not in found and _is_form(name, value):
                found[name] = value
    return found


def terms_for(
    lending: Mapping[str, Value] | None,
    charter_lending: Mapping[str, Value] | None,
    agent_type: str | None,
    is_member: bool,
    model: Mapping[str, Value] | None = None,
) -> Applying:
    """What applies to somebody who asks for a thing, and why. agent_type: None where it is not known.

    model: what the thing's specification says.
    """
    rules = rules_for(lending, model, charter_lending)
    whose = "the community"
    if any("to" in layer and _is_form("to", layer["to"]) for layer in (lending or {}, model or {})):
        whose = "this thing"
    if rules["to"] == NOBODY:
        return Applying(False, ASK, "", f"{whose} says that it is lent to nobody")
    if rules["to"] == MEMBERS and not is_member:
        return Applying(False, ASK, "", f"{whose} lends to members only")
    terms = rules.get("terms")
    if not isinstance(terms, dict) or not terms:
        return Applying(True, FREE, "", "nothing is said about terms")
    term = terms.get(agent_type) if agent_type is not None else None
    if isinstance(term, dict):
        use, fee = term.get("use"), term.get("fee")
        use = use if isinstance(use, str) else ASK
        return Applying(True, use, fee if isinstance(fee, str) else "", f"terms for {agent_type}")
    said = agent_type if agent_type is not None else "somebody whose type is not known"
    return Applying(True, ASK, "", f"there are terms, but none for {said}")


def _is_form(name: str, value: Value) -> bool:
    declared = LENDING.known.get(name)
    if declared is None or value is None:
        return False
    try:
        declared.check(value)
    except ValueError:
        return False
    return True
