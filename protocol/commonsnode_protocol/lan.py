"""What a node says of itself on a local network: the TXT record of its DNS-SD service.  SPEC.md, "On the local network".

Source: RFC 6763 (DNS-based service discovery), section 6.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from commonsnode_protocol.errors import NotWellFormed

SERVICE = "_commonsnode._tcp.local."
VERSION = 1
SALT_BYTES = 16
TAG_BYTES = 8
TAGS_MAX = 24  # a string of a TXT record has at most 255 bytes
TAGS_STEP = 8  # their number says little of how many communities there are

_CONTEXT = b"commonsnode lan"
_NODE = re.compile(rb"[0-9a-f]{64}")
_SALT = re.compile(rb"[0-9a-f]{32}")
_PORT = re.compile(rb"[1-9][0-9]{0,4}")
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Announcement:
    """node: a key of 32 bytes, which nothing proves here. tags: of 8 bytes each, some of them of nothing."""

    node: bytes
    port: int
    salt: bytes
    tags: frozenset[bytes]

    def calls(self, communities: Iterable[bytes]) -> bool:
        """Whether one of these public communities is among those that the node follows."""
        return any(tag(self.salt, community) in self.tags for community in communities)


def tag(salt: bytes, community: bytes) -> bytes:
    """What stands for a public community beside this salt. Who does not know the community's id learns nothing from it."""
    return blake2b(_CONTEXT + salt + community, digest_size=TAG_BYTES).digest()


def tags_of(salt: bytes, communities: Collection[bytes], fill: bytes) -> frozenset[bytes]:
    """The tags of at most TAGS_MAX communities, and as many of nothing as make their number a multiple of TAGS_STEP.

    fill: at least TAGS_STEP * TAG_BYTES random bytes.
    """
    found = {tag(salt, community) for community in sorted(communities)[:TAGS_MAX]}
    spare = [fill[at : at + TAG_BYTES] for at in range(0, TAGS_STEP * TAG_BYTES, TAG_BYTES)]
    missing = -len(found) % TAGS_STEP if found else TAGS_STEP
    return frozenset(found | set(spare[:missing]))


def properties(announcement: Announcement) -> dict[bytes, bytes]:
    """The strings of the TXT record."""
    return {
        b"v": b"%d" % VERSION,
        b"id": announcement.node.hex().encode(),
        b"port": b"%d" % announcement.port,
        b"salt": announcement.salt.hex().encode(),
        b"tags": b"".join(sorted(announcement.tags)),
    }


def read(found: Mapping[bytes, bytes | None]) -> Announcement:
    """What such a record says. Raises NotWellFormed where it is of another version, or of none."""
    if found.get(b"v") != b"%d" % VERSION:
        raise NotWellFormed("no announcement of this version")
    node, port, salt = (found.get(key) or b"" for key in (b"id", b"port", b"salt"))
    tags = found.get(b"tags") or b""
    if not _NODE.fullmatch(node) or not _SALT.fullmatch(salt) or not _PORT.fullmatch(port):
        raise NotWellFormed("an announcement has the node's id, its port and a salt")
    if int(port) > _PORT_MAX or len(tags) % TAG_BYTES or len(tags) > TAGS_MAX * TAG_BYTES:
        raise NotWellFormed(f"a port is at most {_PORT_MAX}, and there are at most {TAGS_MAX} tags")
    each = frozenset(tags[at : at + TAG_BYTES] for at in range(0, len(tags), TAG_BYTES))
    return Announcement(bytes.fromhex(node.decode()), int(port), bytes.fromhex(salt.decode()), each)
