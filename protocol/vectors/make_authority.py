"""Write authority.json, the vectors of SPEC.md, "Authority":  python protocol/vectors/make_authority.py"""

from collections.abc import Iterable

from commonsnode_protocol.authority import evaluate
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.changeset import AUTHORITY, changeset_id, decode
from commonsnode_protocol.record import typed_id
from vectors.shown import Json, text_of, write
from vectors.world import (
    ANA,
    BEN,
    CHARTER,
    COMMUNITY,
    EVE,
    FOUNDER,
    NONCE,
    TIME,
    body,
    charter_body,
    grant_body,
    plain,
    thing_body,
)

ABOUT = """\
Vectors of SPEC.md, "Authority". All byte strings are in hexadecimal.

authorities: `held` are the bodies of changesets of lane `authority` of `community`, all well-formed and signed. `table`
is what the current table says, or null; `members` has the role of each key that is admitted, the stewards among them;
`stands` says of bodies, also of other lanes, whether they stand.
"""

ROLES: dict[str, Value] = {
    "steward": "steward",
    "capital": "Member",
    "empty": "",
    "nil": None,
    "bytes": b"member",
}
PERSONS: dict[str, Value] = {
    "nil": None,
    "of_31_bytes": ANA[:31],
    "of_33_bytes": ANA + b"\x00",
    "as_text": ANA.hex(),
}


def charters() -> Iterable[tuple[str, bytes]]:
    """Charters that are changesets and give no table."""
    yield "name_empty", charter_body("")
    yield "name_257_bytes", charter_body("é" * 128 + "x")
    yield "name_nil", charter_body(name=None)  # type: ignore[arg-type]
    yield "founder_somebody_else", charter_body(founder=ANA)
    yield "founder_nil", charter_body(founder=None)
    yield "nonce_15_bytes", charter_body(nonce=NONCE[:15])
    yield "nonce_nil", charter_body(nonce=None)
    fields = plain(nonce=NONCE, name="Valley", founder=FOUNDER)
    for name, record in (
        ("record_of_somebody_else", typed_id(b"", ANA, NONCE)),
        ("record_with_a_community", typed_id(bytes(32), FOUNDER, NONCE)),
    ):
        yield name, body(FOUNDER, [(record, "charter", fields)], community=b"", lane=AUTHORITY)
    for missing in ("nonce", "name", "founder"):
        left = {name: value for name, value in fields.items() if name != missing}
        yield (
            f"without_{missing}",
            body(FOUNDER, [(typed_id(b"", FOUNDER, NONCE), "charter", left)], community=b"", lane=AUTHORITY),
        )


def unknown_act() -> bytes:
    fields = plain(person=ANA, heads=[COMMUNITY])
    return body(FOUNDER, [(bytes(16), "revocation", fields)], community=COMMUNITY, lane=AUTHORITY)


def grant_among_others() -> bytes:
    rows = [
        (bytes([1]) * 16, "grant", plain(person=BEN, role="steward")),
        (bytes([2]) * 16, "grant", plain(person=ANA, role="member")),
        (bytes([3]) * 16, "weather", plain(rain=True)),
    ]
    return body(FOUNDER, rows, community=COMMUNITY, lane=AUTHORITY)


def cases() -> Iterable[tuple[str, bytes, list[bytes]]]:
    """Names, communities and what is held."""
    yield "nothing_here", COMMUNITY, []
    yield "charter", COMMUNITY, [CHARTER]
    yield "charter_name_256_bytes", changeset_id(c := charter_body("é" * 128)), [c]
    yield "charter_with_an_unknown_field", changeset_id(c := charter_body(colour="green")), [c]
    for name, charter in charters():
        yield f"charter_{name}", changeset_id(charter), [charter, grant_body(ANA)]
    yield "charter_of_another_community", COMMUNITY, [charter_body("Other valley")]
    yield "grant_without_the_charter", COMMUNITY, [grant_body(ANA)]

    yield "grant_member", COMMUNITY, [CHARTER, grant_body(ANA)]
    yield "grant_before_the_charter_in_the_list", COMMUNITY, [grant_body(ANA), CHARTER]
    yield "grant_mirror", COMMUNITY, [CHARTER, grant_body(ANA, "mirror")]
    yield (
        "grant_member_then_mirror",
        COMMUNITY,
        [CHARTER, grant_body(ANA), grant_body(ANA, "mirror", time=TIME + 2)],
    )
    yield (
        "grant_mirror_then_member",
        COMMUNITY,
        [CHARTER, grant_body(ANA, "mirror"), grant_body(ANA, time=TIME + 2)],
    )
    yield "grant_twice", COMMUNITY, [CHARTER, grant_body(ANA), grant_body(ANA, time=TIME + 2)]
    yield "grant_to_the_founder_as_mirror", COMMUNITY, [CHARTER, grant_body(FOUNDER, "mirror")]
    yield "grant_by_a_member", COMMUNITY, [CHARTER, grant_body(ANA), grant_body(BEN, author=ANA)]
    yield "grant_by_a_stranger", COMMUNITY, [CHARTER, grant_body(EVE, author=EVE)]
    yield "grant_at_time_0", COMMUNITY, [CHARTER, grant_body(ANA, time=0)]
    for name, role in ROLES.items():
        yield f"grant_role_{name}", COMMUNITY, [CHARTER, grant_body(ANA, role)]
    for name, person in PERSONS.items():
        yield f"grant_person_{name}", COMMUNITY, [CHARTER, grant_body(person)]
    bare = plain(person=ANA, role="member")
    yield (
        "grant_without_nonce_and_table",
        COMMUNITY,
        [
            CHARTER,
            body(FOUNDER, [(bytes(16), "grant", bare)], community=COMMUNITY, lane=AUTHORITY),
        ],
    )
    yield "grant_beside_changes_without_effect", COMMUNITY, [CHARTER, grant_among_others()]
    yield "act_unknown", COMMUNITY, [CHARTER, grant_body(ANA), unknown_act()]
    yield (
        "grant_by_a_member_stands_without_effect",
        COMMUNITY,
        [CHARTER, grant_body(ANA), grant_body(EVE, author=ANA)],
    )


def text() -> str:
    """The content of authority.json."""
    asked = [thing_body(author) for author in (FOUNDER, ANA, BEN, EVE)]
    asked += [thing_body(ANA, lane="knowledge"), thing_body(ANA, lane=AUTHORITY), thing_body(ANA, time=0)]
    vectors: list[Json] = []
    for name, community, held in cases():
        authority = evaluate(community, map(decode, held))
        table = authority.table
        of_community = [each for each in asked if decode(each).community == community]
        vectors.append(
            {
                "name": name,
                "community": community.hex(),
                "held": [each.hex() for each in held],
                "expect": "authority",
                "table": table
                and {
                    "id": table.id.hex(),
                    "name": table.name,
                    "stewards": [key.hex() for key in table.stewards],
                },
                "members": {key.hex(): member.role for key, member in sorted(authority.members.items())},
                "stands": [[each.hex(), authority.stands(decode(each))] for each in held + of_community],
            }
        )
    return text_of(ABOUT, {"authorities": vectors})


if __name__ == "__main__":
    write(__file__, text())
