"""How a key came to stand in for a person, by what a node holds: for writers. What counts is `stand_ins`.  SPEC.md, "Stand-ins"."""

from collections.abc import Iterator

from commonsnode_protocol.authority import stand_ins
from commonsnode_protocol.authority.acts import KeyAdded
from commonsnode_protocol.authority.evaluator import Evaluator
from commonsnode_protocol.authority.persons import Person
from commonsnode_protocol.authority.stand_ins import Link


def proof_of(held: Evaluator, person: bytes, key: bytes) -> tuple[Link, ...] | None:
    """How a key came to stand in for a person, by what stands here; the shortest. None: it does not, or was revoked."""
    of = held.person(person)
    if of is None:
        return None
    ways: list[tuple[Link, ...]] = [()]
    while ways:
        longer: list[tuple[Link, ...]] = []
        for way in ways:
            for link in _lets(held, person, of, way[-1].key if way else person):
                whole = (*way, link)
                if link.key == key and stand_ins.is_proven(held.community, person, whole):
                    return whole
                if link.passes_on and len(whole) < stand_ins.LINKS_MAX:
                    longer.append(whole)
        ways = longer
    return None


def _lets(held: Evaluator, person: bytes, of: Person, author: bytes) -> Iterator[Link]:
    """Whom one key of a person lets stand in, as far as neither was revoked."""
    for id_, entry in sorted(held.pool.on_keys.get(author, {}).items()):
        for act in entry.acts:
            if not isinstance(act, KeyAdded) or act.person != person or act.stands_in is None:
                continue
            known = of.keys.get(act.key)
            if known is not None and id_ in held.standing and all(each.anew for each in known.conditions):
                yield Link(act.key, act.recovery, act.stands_in)
