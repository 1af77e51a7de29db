"""How values and times read for a person."""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

DEGREE = 10_000_000
KM = 1_000
MOMENTS = (
    "from",
    "until",
    "at",
    "handed_over",
    "returned",
    "out_for_maintenance",
)  # ms since 1970, as fields
NAMING_BYTES = (16, 32)  # of a record id, of a key
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # whatever the locale


def value_text(name: str, value: Any) -> str:
    """A value of a field, from the API's JSON, on one line."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in MOMENTS and isinstance(value, int):
        return _moment_ms(value)
    if isinstance(value, dict):
        if name == "place" and (said := _place_text(value)):
            return said
        if set(value) == {"$int"}:
            return str(value["$int"])
        if set(value) == {"$bytes"}:
            return _bytes_text(str(value["$bytes"]))
    return json.dumps(value, ensure_ascii=False)


def _bytes_text(encoded: str) -> str:
    """Bytes of a key or a record id in hexadecimal, as they are typed; of others how many they are."""
    size = len(encoded.rstrip("=")) * 3 // 4
    return b64decode(encoded).hex() if size in NAMING_BYTES else f"{size} bytes"


def degrees(value: int) -> str:
    """Whole 1e-7 degrees as decimal degrees, exactly, without needless zeros."""
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), DEGREE)
    return f"{sign}{whole}.{rest:07d}".rstrip("0").rstrip(".")


def author(entry: Mapping[str, Any]) -> str:
    """Who wrote an entry of a history: the name, where it may be read here, and the beginning of the key."""
    key = str(entry["author"])[:8]
    return f"{entry['author_name']} ({key})" if entry["author_name"] else key


def length(metres: int) -> str:
    """As `1 km`, `250 m`."""
    return f"{metres // KM} km" if metres >= KM and metres % KM == 0 else f"{metres} m"


def moment(text: str) -> str:
    """An RFC 3339 time as the clock on this machine's wall shows it."""
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return text


def distance(metres: int | None) -> str:
    """`850 m`, `1.2 km`, `34 km`; nothing where it is not known."""
    if metres is None:
        return ""
    if metres < 1_000:
        return f"{metres} m"
    return f"{metres / 1_000:.1f} km" if metres < 10_000 else f"{round(metres / 1_000)} km"


def span_text(begin: datetime, end: datetime, zone: tzinfo | None, *, year: bool = True) -> str:
    """`Sat 2026-12-05`, `Sat 2026-12-05 09:00–13:00`, `… – …`: by the clock of a zone, else of this machine; whole days as days."""
    first, last = begin.astimezone(zone), end.astimezone(zone)
    until = f"{last:%H:%M}"
    if _is_midnight(last):
        last, until = last - timedelta(days=1), "24:00"
    days = (_day(first, year), _day(last, year))
    if _is_midnight(first) and until == "24:00":
        return days[0] if first.date() == last.date() else f"{days[0]} – {days[1]}"
    if first.date() == last.date():
        return f"{days[0]} {first:%H:%M}–{until}"
    return f"{days[0]} {first:%H:%M} – {days[1]} {until}"


def _is_midnight(at: datetime) -> bool:
    return at.hour == at.minute == at.second == 0


def _day(at: datetime, year: bool) -> str:
    return f"{_DAYS[at.weekday()]} {at:%Y-%m-%d}" if year else f"{_DAYS[at.weekday()]} {at:%m-%d}"


def _moment_ms(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return str(at_ms)


def _place_text(value: dict[str, Any]) -> str:
    """`name (lat,lon)`, as far as the place has them; empty where it has neither."""
    named, lat, lon = value.get("name"), value.get("lat"), value.get("lon")
    name = named if isinstance(named, str) else ""
    where = f"{degrees(lat)},{degrees(lon)}" if isinstance(lat, int) and isinstance(lon, int) else ""
    if where and isinstance(grid := value.get("grid"), int):
        where = f"about {where}, to {length(grid)}"
    return f"{name} ({where})" if name and where else name or where


def link(peer: Mapping[str, Any]) -> str:
    """Who dialled whom, and where; or why there is no link."""
    address = str(peer.get("address") or "")
    if peer.get("state") != "connected":
        return ": ".join(filter(None, (f"{peer.get('state')} {address}".strip(), peer.get("problem"))))
    if peer.get("dialled", True):
        return f"to {address}"
    return f"from {address or peer.get('remote') or ''}".strip()


def step(peer: Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """In which communities a peer and this node hold the same, and how far apart they are in the others."""
    names = names or {}
    equal, apart = [], []
    for community, yes in (peer.get("in_step") or {}).items():
        name = names.get(community, community[:8])
        if yes:
            equal.append(name)
            continue
        lanes = [lane for lane in peer.get("lanes") or () if lane["community"] == community]
        get, give = (sum(lane[way] for lane in lanes) for way in ("to_get", "to_give"))
        known = ", ".join(f"{count} to {way}" for count, way in ((get, "get"), (give, "give")) if count)
        apart.append(f"{name} ({known})" if known else name)
    said = [("in step: ", equal), ("behind: ", apart)]
    return "; ".join(head + ", ".join(found) for head, found in said if found)


def size(count: int) -> str:
    """So many bytes, in three digits or four."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1_000 or unit == "TB":
            break
        amount /= 1_000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
