"""Write link.json, the vectors of SPEC.md, "Links":  python protocol/vectors/make_link.py"""

from commonsnode_protocol.limits import LINK_ADDRESSES_MAX, LINK_BYTES_MAX
from commonsnode_protocol.link import parse
from vectors.shown import Json, text_of, write

ABOUT = """\
Vectors of SPEC.md, "Links".

links: `text` is a link where `expect` is `link`: to `community`, at `table` (or null), with `addresses`; `written` is how
this is written. Where `expect` is `not-well-formed` it is no link.
"""

ID = bytes(range(32)).hex()
TABLE = bytes(range(32, 64)).hex()

TAKEN = {
    "id_alone": f"commons:{ID}",
    "table_and_addresses": f"commons:{ID}?table={TABLE}&at=ws://10.0.0.7:8450/peer&at=wss://village.example/peer",
    "address_without_path": f"commons:{ID}?at=ws://village.example:8450",
    "address_ipv6": f"commons:{ID}?at=ws://[fe80::1]:8450/peer",
    "address_ipv6_of_an_interface": f"commons:{ID}?at=ws://[fe80::1%25eth0]:8450/peer",
    "address_percent_encoded": f"commons:{ID}?at=ws%3A%2F%2Fvillage.example%2Fpeer%3Fa%3D1%26b",
    "address_with_accents": f"commons:{ID}?at=ws://m%C3%BCnchen.example/peer",
    "address_with_a_plus": f"commons:{ID}?at=ws://village.example/a+b",
    "address_port_65535": f"commons:{ID}?at=ws://village.example:65535/",
    "sixteen_addresses": f"commons:{ID}?" + "&".join(["at=ws://a/"] * LINK_ADDRESSES_MAX),
    "unknown_parameters_are_passed_over": f"commons:{ID}?invite=x%zz&flag&&=&table={TABLE}",
    "capitals": f"COMMONS:{ID.upper()}?table={TABLE.upper()}",
    "spaces_around": f"  commons:{ID}\n",
    "question_mark_alone": f"commons:{ID}?",
    "4096_bytes": f"commons:{ID}?x=".ljust(LINK_BYTES_MAX, "x"),
}

REFUSED = {
    "empty": "",
    "id_without_scheme": ID,
    "scheme_alone": "commons:",
    "other_scheme": f"common:{ID}",
    "slashes": f"commons://{ID}",
    "id_of_63_digits": f"commons:{ID[:-1]}",
    "id_of_65_digits": f"commons:{ID}0",
    "id_with_another_letter": f"commons:{ID[:-1]}g",
    "id_with_a_space": f"commons:{ID[:-2]} 0",
    "table_empty": f"commons:{ID}?table=",
    "table_of_62_digits": f"commons:{ID}?table={TABLE[:-2]}",
    "table_twice": f"commons:{ID}?table={TABLE}&table={TABLE}",
    "address_empty": f"commons:{ID}?at=",
    "address_http": f"commons:{ID}?at=http://village.example/peer",
    "address_without_host": f"commons:{ID}?at=ws:///peer",
    "address_port_0": f"commons:{ID}?at=ws://village.example:0/",
    "address_port_65536": f"commons:{ID}?at=ws://village.example:65536/",
    "address_with_user": f"commons:{ID}?at=ws://me:secret@village.example/",
    "address_with_fragment": f"commons:{ID}?at=ws://village.example/%23a",
    "address_with_space": f"commons:{ID}?at=ws://village.example/a%20b",
    "address_with_a_lone_percent": f"commons:{ID}?at=ws://village.example/%2",
    "address_not_utf8": f"commons:{ID}?at=ws://village.example/%ff",
    "seventeen_addresses": f"commons:{ID}?" + "&".join(["at=ws://a/"] * (LINK_ADDRESSES_MAX + 1)),
    "4097_bytes": f"commons:{ID}?x=".ljust(LINK_BYTES_MAX + 1, "x"),
}


def text() -> str:
    """The content of link.json."""
    vectors: list[Json] = []
    for name, shown in TAKEN.items():
        link = parse(shown)
        said = {"community": link.community.hex(), "table": link.table and link.table.hex()}
        said_too = {"addresses": list(link.addresses), "written": str(link)}
        vectors.append({"name": name, "text": shown, "expect": "link", **said, **said_too})
    vectors += [{"name": name, "text": shown, "expect": "not-well-formed"} for name, shown in REFUSED.items()]
    return text_of(ABOUT, {"links": vectors})


if __name__ == "__main__":
    write(__file__, text())
