"""Write lan.json, the vectors of SPEC.md, "On the local network":  python protocol/vectors/make_lan.py"""

from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.lan import Announcement, properties, read, tag, tags_of
from vectors.shown import Json, text_of, write

ABOUT = """\
Vectors of SPEC.md, "On the local network".

tags: beside the salt `salt` the community `community` has the tag `tag`.
announcements: the strings of a TXT record, by key, are `strings` (hexadecimal); they are what `node`, `port`, `salt` and `tags` say, or refused.
"""

SALT = bytes(range(16))
COMMUNITY = bytes(range(32))
NODE = bytes(range(32, 64))


def text() -> str:
    """The content of lan.json."""
    tags: list[Json] = []
    announcements: list[Json] = []

    def case_tag(name: str, salt: bytes, community: bytes) -> None:
        shown = {"name": name, "salt": salt.hex(), "community": community.hex(), "expect": "tag"}
        tags.append(shown | {"tag": tag(salt, community).hex()})

    def case(name: str, strings: dict[bytes, bytes]) -> None:
        shown: Json = {"name": name, "strings": {key.decode(): each.hex() for key, each in strings.items()}}
        try:
            said = read(strings)
        except NotWellFormed:
            announcements.append(shown | {"expect": "refused"})
            return
        announcements.append(
            shown
            | {
                "expect": "said",
                "node": said.node.hex(),
                "port": said.port,
                "salt": said.salt.hex(),
                "tags": sorted(each.hex() for each in said.tags),
            }
        )

    case_tag("a_community", SALT, COMMUNITY)
    case_tag("the_same_beside_another_salt", bytes(16), COMMUNITY)
    case_tag("another_community", SALT, bytes(32))

    said = Announcement(NODE, 8450, SALT, tags_of(SALT, [COMMUNITY], bytes(range(64))))
    strings = properties(said)
    case("one_community", strings)
    case("with_a_string_of_a_later_version", strings | {b"more": b"1"})
    case("no_tags", {key: each for key, each in strings.items() if key != b"tags"})
    case("as_many_tags_as_there_may_be", strings | {b"tags": bytes(range(192))})
    case("too_many_tags", strings | {b"tags": bytes(200)})
    case("half_a_tag", strings | {b"tags": bytes(12)})
    case("another_version", strings | {b"v": b"2"})
    case("no_version", {key: each for key, each in strings.items() if key != b"v"})
    case("no_node", {key: each for key, each in strings.items() if key != b"id"})
    case("capitals", strings | {b"id": strings[b"id"].upper()})
    case("short_salt", strings | {b"salt": b"00"})
    case("port_0", strings | {b"port": b"0"})
    case("port_65535", strings | {b"port": b"65535"})
    case("port_65536", strings | {b"port": b"65536"})
    return text_of(ABOUT, {"tags": tags, "announcements": announcements})


if __name__ == "__main__":
    write(__file__, text())
