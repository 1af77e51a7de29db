"""Which hosts are likely in one hand: the range that an address counts to in the views.  SPEC.md, "Overlay"."""

from ipaddress import IPv6Address, ip_address

IPV4_BYTES, IPV6_BYTES = 2, 4  # /16 and /32: what one provider hands out
NAME_LABELS = 2


def range_of_host(host: str) -> bytes:
    """Of an IP address or a name. Each private address is a range of its own, so that a LAN is never crowded."""
    host = host.strip("[]").partition("%")[0].lower()
    try:
        address = ip_address(host)
    except ValueError:
        return b"n" + ".".join(host.rstrip(".").split(".")[-NAME_LABELS:]).encode()
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global:
        return b"p" + address.packed
    return b"a" + address.packed[: IPV6_BYTES if address.version == 6 else IPV4_BYTES]
