"""What a charter lays down beside the name: read from what people ask for, and shown to them again."""

from collections.abc import Mapping
from typing import Any

from commonsnode.asking.zones import zone_called
from commonsnode.errors import WrongField
from commonsnode.tables.json_form import JsonFormError, decode_value, encode_value
from commonsnode_protocol import canonical
from commonsnode_protocol.authority import NAME_BYTES_MAX, Settings
from commonsnode_protocol.authority.settings import GRID_M_MAX, fields_of, settings_of
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.errors import NotCanonical
from commonsnode_protocol.limits import FIELD_BYTES_MAX

READING = ("public", "members")
SETTINGS = (
    "languages",
    "place",
    "reading",
    "quorum",
    "licence",
    "newcomers_read_past",
    "share",
    "grid",
    "lending",
    "zone",
)
_FORMS = {
    "languages": "tags of languages such as es or qu-EC, 16 at most",
    "place": "a latitude and a longitude in degrees, and a name of at most 256 bytes",
    "reading": f"one of {', '.join(READING)}",
    "quorum": "how many stewards sign a change of stewards or of the charter: 1 to 64",
    "licence": "at most 256 bytes of text, as an SPDX identifier (ODbL-1.0) or the name of an agreement",
    "share": "two whole numbers, as [2, 3] for two thirds of the members",
    "grid": f"a whole number of metres, 0 (exact places for everybody) to {GRID_M_MAX}",
    "lending": "at most 32 rules",
    "zone": "the IANA name of a time zone, as America/Guayaquil",
}


def check_name(name: str) -> None:
    """Raise WrongField unless a community can be called so."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        length = 0
    if not 1 <= length <= NAME_BYTES_MAX or not name.isprintable() or name.isspace():
        raise WrongField("name", f"a name is 1 to {NAME_BYTES_MAX} bytes of printable text")


def values_in(body: Mapping[str, Any]) -> dict[str, Value]:
    """The settings among the members of a JSON object. Raises WrongField."""
    found: dict[str, Value] = {}
    for name in SETTINGS:
        if name in body:
            try:
                found[name] = decode_value(body[name])
            except JsonFormError as error:
                raise WrongField(name, str(error)) from error
    return found


def settings_from(asked: Mapping[str, Value], before: Settings | None = None) -> Settings:
    """These settings in place of those `before` (none: the defaults). Raises WrongField at one that no charter can have.

    asked: SETTINGS, each as a charter has it. None sets one back to its default.
    """
    said = {**fields_of(before or Settings())}
    for name, value in asked.items():
        said.pop(name, None)
        if value is not None:
            said[name] = value
    try:
        settings = settings_of(said)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON lets pass
        raise WrongField("settings", "is no valid Unicode") from None
    kept = settings_fields(settings)
    for name, value in asked.items():
        if value is not None and not _same(kept.get(name), _completed(name, value)):
            raise WrongField(name, _FORMS.get(name, "is not of its form"))
    if asked.get("lending") is not None:
        _check_lending(settings.lending)
    if asked.get("zone") and zone_called(settings.zone) is None:
        raise WrongField("zone", f"no such time zone is known here: {settings.zone}")
    return settings


def settings_fields(settings: Settings) -> dict[str, Value]:
    """Every setting, also those at their default."""
    bare = fields_of(settings)
    return {
        "languages": bare.get("languages", []),
        "place": bare.get("place"),
        "reading": bare.get("reading", "public"),
        "quorum": bare.get("quorum"),
        "licence": settings.licence,
        "newcomers_read_past": settings.newcomers_read_past,
        "share": [*settings.share],
        "grid": settings.grid_m,
        "lending": bare.get("lending", {}),
        "zone": settings.zone,
    }


def document(settings: Settings) -> dict[str, Any]:
    """The same as JSON."""
    return {name: encode_value(value) for name, value in settings_fields(settings).items()}


def _check_lending(rules: Mapping[str, Value]) -> None:
    """Of the rules that a charter sets for all things, those that this software follows must be of their form."""
    from commonsnode_protocol.idle import BadHours, Loan

    for name in rules:
        if not name or not name.isprintable() or len(name.encode()) > FIELD_BYTES_MAX:
            raise WrongField(
                "lending", f"the name of a rule is 1 to {FIELD_BYTES_MAX} bytes of printable text"
            )
    try:
        Loan.read(rules)
    except BadHours as error:
        raise WrongField("lending", str(error)) from error


def _same(a: Value, b: Value) -> bool:
    # By their bytes: Python holds True == 1.
    try:
        return canonical.encode(a) == canonical.encode(b)
    except NotCanonical:
        return False


def _completed(name: str, value: Value) -> Value:
    if name == "place" and isinstance(value, dict):
        return {"name": "", **value}
    return value
