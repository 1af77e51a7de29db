"""Write record_id.json, the vectors of SPEC.md, "Records":  python protocol/vectors/make_record_id.py"""

from commonsnode_protocol import canonical
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.record import contact_id, imported_id, typed_id
from vectors.shown import Json, text_of, write
from vectors.world import ANA, BEN, COMMUNITY, FOUNDER, NONCE

ABOUT = """\
Vectors of SPEC.md, "Record ids". All byte strings are in hexadecimal.

typed: `record` is the id of what `creator` types in `community` with `nonce`. `hashed` is what the hash is of.
contact: `record` is the id of the contact details of `person` in `community`.
imported: `record` is the id of the row `key` of `source`, imported as `kind` in `community`.
"""


def text() -> str:
    """The content of record_id.json."""
    typed: list[Json] = []
    imported: list[Json] = []
    contact: list[Json] = []

    def case_typed(name: str, community: bytes, creator: bytes, nonce: bytes) -> None:
        hashed = canonical.encode(["record/typed/1", community, creator, nonce])
        shown = {"name": name, "community": community.hex(), "creator": creator.hex(), "nonce": nonce.hex()}
        typed.append(shown | {"hashed": hashed.hex(), "record": typed_id(community, creator, nonce).hex()})

    def case_imported(name: str, source: str, key: str, kind: str = "resource") -> None:
        parts: list[Value] = ["record/imported/1", COMMUNITY, kind, source, key]
        shown = {"name": name, "community": COMMUNITY.hex(), "kind": kind, "source": source, "key": key}
        record = imported_id(COMMUNITY, kind, source, key).hex()
        imported.append(shown | {"hashed": canonical.encode(parts).hex(), "record": record})

    case_typed("thing", COMMUNITY, ANA, NONCE)
    case_typed("other_nonce", COMMUNITY, ANA, bytes(16))
    case_typed("other_creator", COMMUNITY, BEN, NONCE)
    case_typed("other_community", bytes(32), ANA, NONCE)
    case_typed("charter_has_an_empty_community", b"", FOUNDER, NONCE)

    case_imported("row", "tools", "17")
    case_imported("other_key", "tools", "18")
    case_imported("other_source", "library of tools", "17")
    case_imported("other_kind", "tools", "17", "specification")
    case_imported("key_is_text_not_a_number", "tools", "0017")
    case_imported("source_and_key_empty", "", "")
    case_imported("long_source", "inventaire de la commune, feuille 2: outils et machines", "a" * 300)
    case_imported("accents_are_not_normalised", "São João", "Sa\u0303o Joa\u0303o")

    for name, person in (("ana", ANA), ("ben", BEN)):
        hashed = canonical.encode(["record/contact/1", COMMUNITY, person])
        shown = {"name": name, "community": COMMUNITY.hex(), "person": person.hex()}
        record = contact_id(COMMUNITY, person).hex()
        contact.append(shown | {"hashed": hashed.hex(), "record": record})
    return text_of(ABOUT, {"typed": typed, "imported": imported, "contact": contact})


if __name__ == "__main__":
    write(__file__, text())
