"""Links to a community: `commons:<id>?table=…&at=…`.  SPEC.md, "Links"."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.limits import LINK_ADDRESSES_MAX, LINK_BYTES_MAX

SCHEME = "commons"

# A host is a name, an IPv4 address, or an IPv6 address in brackets (which may name its interface: `[fe80::1%eth0]`).
_ADDRESS = re.compile(r"wss?://(?:\[[^][/?#@]+\]|[^][/?#@:]+)(?::([0-9]{1,5}))?(?:/[^#]*)?", re.IGNORECASE)
_ID = re.compile(r"[0-9A-Fa-f]{64}")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Link:
    """What a newcomer needs: the community, the table it stood at (rule 14), and where to ask."""

    community: bytes
    table: bytes | None = None
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As text: with as many of the addresses, from the first, as a link may have."""
        text = f"{SCHEME}:{self.community.hex()}"
        parts = [f"table={self.table.hex()}"] if self.table is not None else []
        parts += [f"at={quote(address, safe=':/[]')}" for address in self.addresses[:LINK_ADDRESSES_MAX]]
        for mark, part in zip("?" + "&" * len(parts), parts, strict=False):
            if len(text) + len(mark) + len(part) > LINK_BYTES_MAX:
                break
            text += mark + part
        return text


def is_address(text: str) -> bool:
    """Whether `text` can be dialled: `ws://host[:port]/path` or `wss://…`, without user, password or fragment."""
    match = _ADDRESS.fullmatch(text)
    return (
        match is not None
        and not any(c.isspace() or not c.isprintable() for c in text)
        and (match[1] is None or 1 <= int(match[1]) <= 65_535)
    )


def parse(text: str) -> Link:
    """Read a link. Unknown parameters are passed over (a later version wrote them). Raises NotWellFormed."""
    text = text.strip()
    if len(text.encode(errors="surrogatepass")) > LINK_BYTES_MAX:
        raise NotWellFormed(f"a link is at most {LINK_BYTES_MAX} bytes")
    scheme, _, rest = text.partition(":")
    id_text, _, query = rest.partition("?")
    if scheme.lower() != SCHEME:
        raise NotWellFormed("a link begins with commons:")
    tables: list[bytes] = []
    addresses: list[str] = []
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if name == "table":
            tables.append(_id(value))
        elif name == "at":
            addresses.append(_address(value))
    if len(tables) > 1:
        raise NotWellFormed("a link names one table at most")
    if len(addresses) > LINK_ADDRESSES_MAX:
        raise NotWellFormed(f"a link has at most {LINK_ADDRESSES_MAX} addresses")
    return Link(_id(id_text), tables[0] if tables else None, tuple(addresses))


def _address(value: str) -> str:
    try:
        address = unquote(value, errors="strict")
    except UnicodeDecodeError:
        address = ""
    if _LONE_PERCENT.search(value) or not is_address(address):
        raise NotWellFormed(f"{value} is no address of the form ws://host:port/path")
    return address


def _id(text: str) -> bytes:
    if not _ID.fullmatch(text):
        raise NotWellFormed("an id in a link is 64 hexadecimal digits")
    return bytes.fromhex(text)
