"""Links to a community: `commons:<id>?table=…&at=…`.  SPEC.md, "Links"."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from commonsnode_protocol.errors import NotWellFormed
from commonsnode_protocol.limits import LINK_ADDRESSES_MAX, LINK_BYTES_MAX

SCHEME = "commons"


@dataclass(frozen=True, slots=True)
class Link:
    """What a newcomer needs: the community, the table it stood at (rule 14), and where to ask."""

    community: bytes
    table: bytes | None = None
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"table={self.table.hex()}"] if self.table is not None else []
        parts += [f"at={quote(address, safe=':/[]')}" for address in self.addresses[:LINK_ADDRESSES_MAX]]
        return f"{SCHEME}:{self.community.hex()}" + ("?" + "&".join(parts) if parts else "")


def is_address(text: str) -> bool:
    """Whether `text` can be dialled: `ws://host[:port]/path` or `wss://…`, without user or password."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("ws", "wss")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and port != 0
        and not any(c.isspace() or not c.isprintable() for c in text)
    )


def parse(text: str) -> Link:
    """Read a link. Unknown parameters are passed over (a later version wrote them). Raises NotWellFormed."""
    text = text.strip()
    if len(text.encode()) > LINK_BYTES_MAX:
        raise NotWellFormed(f"a link is at most {LINK_BYTES_MAX} bytes")
    scheme, _, rest = text.partition(":")
    id_text, _, query = rest.partition("?")
    if scheme.lower() != SCHEME:
        raise NotWellFormed("a link begins with commons:")
    table: bytes | None = None
    addresses: list[str] = []
    for name, value in parse_qsl(query):
        if name == "table":
            table = _id(value)
        elif name == "at":
            if not is_address(value):
                raise NotWellFormed(f"{value} is no address of the form ws://host:port/path")
            addresses.append(value)
    if len(addresses) > LINK_ADDRESSES_MAX:
        raise NotWellFormed(f"a link has at most {LINK_ADDRESSES_MAX} addresses")
    return Link(_id(id_text), table, tuple(addresses))


def _id(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32 or len(text) != 64:
        raise NotWellFormed("an id in a link is 64 hexadecimal digits")
    return value
