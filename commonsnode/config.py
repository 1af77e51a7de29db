"""The settings of a node: `config.toml`, over it the variables `COMMONSNODE_*`, over these the arguments.

Each setting stands once, in SETTINGS: its comment in the file, what is allowed, and how it is checked.
"""

import ipaddress
import re
import socket
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from commonsnode.addresses import peer_address
from commonsnode.errors import ConfigError
from commonsnode_protocol.changeset import AUTHORITY, KEYS, KNOWLEDGE, MEMBERS, PUBLIC
from commonsnode_protocol.link import is_address

VARIABLE_PREFIX = "COMMONSNODE_"
CONFIG_BYTES_MAX = 64 * 1024
LISTEN_HOSTS_MAX = 16
NAME_CHARS_MAX = 64
TOKEN_CHARS_MIN, TOKEN_CHARS_MAX = 16, 128
SERVED_LANES = (AUTHORITY, PUBLIC, KNOWLEDGE, MEMBERS, KEYS)  # the lanes that this version follows and serves
CHOSEN_LANES = (AUTHORITY, PUBLIC, KNOWLEDGE, MEMBERS)  # `keys` comes with `members`

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_CHARS_MIN},{TOKEN_CHARS_MAX}}}")


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 253 and _HOST.fullmatch(text) is not None and not text[-1].isdigit()
    return True


def lanes_of(chosen: Iterable[str]) -> tuple[str, ...]:
    """All that is followed where these are asked for: `authority` always, and `keys` with `members`."""
    wanted = {AUTHORITY, *chosen}
    return tuple(lane for lane in SERVED_LANES if lane in wanted or (lane == KEYS and MEMBERS in wanted))


class Setting(NamedTuple):
    """One setting. kind: `text`, `number`, `flag` or `list` (of texts). default: as it would stand in the file."""

    kind: str
    default: str
    allowed: str
    fits: Callable[[Any], bool]
    comment: str


SETTINGS: dict[str, Setting] = {
    "listen": Setting(
        "list",
        '["0.0.0.0", "::"]',
        f'a list of 1 to {LISTEN_HOSTS_MAX} addresses or host names, as ["0.0.0.0", "::"]',
        lambda hosts: 1 <= len(hosts) <= LISTEN_HOSTS_MAX and all(map(_is_host, hosts)),
        'The addresses to listen on. All, of IPv4 and of IPv6, unless you say otherwise;\n["127.0.0.1"] is this machine only.',
    ),
    "port": Setting(
        "number",
        "8450",
        "a whole number from 0 to 65535; 0 takes a free port",
        lambda port: 0 <= port <= 65_535,
        "The port for peers and pages.",
    ),
    "name": Setting(
        "text",
        '"village hall"',
        f"a text of 1 to {NAME_CHARS_MAX} printable characters",
        lambda name: 1 <= len(name) <= NAME_CHARS_MAX and name.isprintable(),
        "What people call this node. The name of the machine, unless you say otherwise.",
    ),
    "log_format": Setting(
        "text", '"text"', '"text" or "json"', lambda text: text in ("text", "json"), "How the log is written."
    ),
    "log_level": Setting(
        "text",
        '"info"',
        '"debug", "info", "warning" or "error"',
        lambda text: text in ("debug", "info", "warning", "error"),
        "From which level on the log is written.",
    ),
    "reconcile_minutes": Setting(
        "number",
        "5",
        "a whole number from 1 to 1440",
        lambda minutes: 1 <= minutes <= 1_440,
        "How often peers compare all they hold, besides telling one another what is new at once.",
    ),
    "lanes": Setting(
        "list",
        '["authority", "public", "knowledge", "members"]',
        'a list of "public", "knowledge" and "members"; "authority" is always followed',
        lambda lanes: all(lane in CHOSEN_LANES for lane in lanes),
        "What a community that you follow brings to this node: its rules and members, its inventory,\nits designs and manuals,"
        " and what only members read, sealed.",
    ),
    "peers_max": Setting(
        "number",
        "64",
        "a whole number from 1 to 4096",
        lambda number: 1 <= number <= 4_096,
        "How many peers may be connected at once.",
    ),
    "lan": Setting(
        "flag",
        "true",
        "true or false",
        lambda _: True,
        "Whether nodes on the same network find this one by themselves, and it finds them.",
    ),
    "public_url": Setting(
        "text",
        '""',
        'a URL as "https://commons.example" or "https://example.org/commons"; "" for none',
        lambda url: not url or (url.startswith(("http://", "https://")) and is_address(peer_address(url))),
        "Where a proxy hands on to this node, for invitations and for peers. A path in it is for peers and the API;\n"
        "the pages need a host name of their own. What a proxy says of who asks (X-Forwarded-For) is not believed.",
    ),
    "metrics_token": Setting(
        "text",
        '""',
        f'a text of {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} letters, digits, - and _; "" for none',
        lambda text: not text or _TOKEN.fullmatch(text) is not None,
        "What Prometheus has to send for /metrics on TCP: Authorization: Bearer TOKEN. Without it only the unix socket\nanswers that.",
    ),
}


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a node, checked."""

    listen: tuple[str, ...] = ("0.0.0.0", "::")
    port: int = 8450
    name: str = field(default_factory=socket.gethostname)
    log_format: str = "text"
    log_level: str = "info"
    reconcile_minutes: int = 5
    lanes: tuple[str, ...] = SERVED_LANES
    peers_max: int = 64
    lan: bool = True
    public_url: str = ""  # empty: none
    metrics_token: str = field(default="", repr=False)  # empty: none


def load(
    path: Path, variables: Mapping[str, str] | None = None, arguments: Mapping[str, object] | None = None
) -> Config:
    """The settings of the file `path`, overridden by environment variables, overridden by arguments that are not None.

    Raises ConfigError at the first key that is unknown, of a wrong type or out of range.
    """
    values: dict[str, object] = {}
    for key, value in _read(path).items():
        values[key] = _checked(str(path), key, value)
    for key, text in sorted((variables or {}).items()):
        name = key.removeprefix(VARIABLE_PREFIX).lower()
        if key.startswith(VARIABLE_PREFIX) and name in SETTINGS:
            values[name] = _checked("environment", name, _from_text(name, text), shown=key)
    for key, value in (arguments or {}).items():
        if value is not None:
            values[key] = _checked("arguments", key, value)
    if "lanes" in values:
        lanes: object = values["lanes"]
        values["lanes"] = lanes_of(lanes if isinstance(lanes, tuple) else ())
    return Config(**values)  # type: ignore[arg-type]


def template() -> str:
    """The text of a new `config.toml`: every setting with its comment, at its default."""
    parts = [
        "# The settings of this Commons Node. A line without # before it changes one; restart the node after that.",
        f"# A variable {VARIABLE_PREFIX}<KEY IN CAPITALS> goes before this file, an argument of `commonsnode up` before both.",
    ]
    for key, setting in SETTINGS.items():
        comment = "\n".join(f"# {line}" for line in setting.comment.split("\n"))
        parts.append(f"\n{comment}\n# Allowed: {setting.allowed}.\n#{key} = {setting.default}")
    return "\n".join(parts) + "\n"


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(
            str(path), "the file", f"cannot be read ({error.strerror})", "a readable file"
        ) from error
    if len(data) > CONFIG_BYTES_MAX:
        raise ConfigError(str(path), "the file", "is too large", f"at most {CONFIG_BYTES_MAX} bytes")
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "the file", f"is no TOML: {error}", "TOML, as in toml.io") from error


def _checked(where: str, key: str, value: object, shown: str | None = None) -> object:
    setting = SETTINGS.get(key)
    if setting is None:
        raise ConfigError(where, shown or key, "is no setting of this version", ", ".join(SETTINGS))
    right_type = {
        "text": isinstance(value, str),
        "number": isinstance(value, int) and not isinstance(value, bool),
        "flag": isinstance(value, bool),
        "list": isinstance(value, list | tuple) and all(isinstance(item, str) for item in value),
    }[setting.kind]
    if not right_type or not setting.fits(value):
        raise ConfigError(where, shown or key, f"{value!r} is not allowed", setting.allowed)
    return tuple(value) if isinstance(value, list | tuple) else value


def _from_text(key: str, text: str) -> object:
    match SETTINGS[key].kind:
        case "number":
            return int(text) if text.isascii() and text.isdecimal() else text
        case "flag":
            return {"true": True, "false": False}.get(text.lower(), text)
        case "list":
            return [item.strip() for item in text.split(",") if item.strip()]
        case _:
            return text
