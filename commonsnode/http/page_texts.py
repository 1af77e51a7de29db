"""What the pages say about things, in words and numbers for people."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from commonsnode.care import Cared
from commonsnode.http.documents import moment
from commonsnode.inventory import DELETED, TITLE
from commonsnode.tables.json_form import decode_value
from commonsnode_protocol.blurring import GRID
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.care import CARE, USED, Due
from commonsnode_store.answers import HistoryEntry, RecordView
from commonsnode_store.shown import HEADING_PREFIX, NONCE, TAG_PREFIX

NOBODY = "no other node in reach"
DEGREE = 10_000_000  # coordinates are integers in 1e-7 degrees
VALUE_CHARS_MAX = 2_000
CARE_SHOWN_MAX = 10
ROW_WORDS = ("place", "condition", "keeper")  # what a list says of a thing beside its title and amount
FIRST_FIELDS = (
    TITLE,
    "description",
    "place",
    "keeper",
    "condition",
    "amount",
    "unit",
)  # in this order, then the others

_HIDDEN = (NONCE, DELETED, TITLE, CARE)


def thing_row(view: RecordView, names: Mapping[bytes, str]) -> dict[str, Any]:
    """One line of a list. names: of the communities."""
    values = view.values
    about = [text for name in ROW_WORDS if (text := _text(values.get(name)))]
    amount = " ".join(filter(None, (_text(values.get("amount")), _text(values.get("unit")))))
    about += [amount] if values.get("amount") is not None else []
    return {
        "id": view.record.hex(),
        "community": view.community.hex(),
        "community_name": names.get(view.community, ""),
        "kind": view.kind,
        "lane": view.lane,
        "title": view.title,
        "about": " · ".join(about),
        "waiting": view.waiting,
        "conflict": bool(view.conflicts),
    }


def thing_full(view: RecordView, document: Mapping[str, Any], own_key: bytes) -> dict[str, Any]:
    """Everything about one thing. document: of the same view, as the API gives it."""
    values = view.values
    fields = []
    for name in sorted({*values, *document["conflicts"]} - {*_HIDDEN}, key=_field_order):
        if not name.startswith(TAG_PREFIX) or name in document["conflicts"]:
            fields.append(
                {
                    "name": _label(name),
                    "value": _text(values.get(name)),
                    "others": _others(document, name, own_key),
                }
            )
    return {
        "id": document["id"],
        "kind": view.kind,
        "lane": view.lane,
        "title": view.title,
        "title_others": _others(document, TITLE, own_key),
        "deleted": view.deleted,
        "deleted_others": _others(document, DELETED, own_key),
        "waiting": view.waiting,
        "fields": fields,
        "tags": [name.removeprefix(TAG_PREFIX) for name in sorted(values) if name.startswith(TAG_PREFIX)],
        "created": date(document["created"]),
        "changed": date(document["changed"]),
    }


def care(found: Cared, own_key: bytes) -> dict[str, Any]:
    """What a thing needs, and what was done lately."""
    return {
        "tasks": [{"text": f"{each.rule.task}: {_when(each)}", "is_due": each.is_due} for each in found.due],
        "log": [
            {
                "time": date(moment(each.at_ms)),
                "author": who(each.by.hex(), own_key),
                "words": [
                    text
                    for text in (
                        _text(each.note or each.task or ("used" if each.action == USED else "")),
                        f"condition: {_text(each.condition)}" if each.condition is not None else "",
                    )
                    if text
                ],
            }
            for each in found.events[:CARE_SHOWN_MAX]
        ],
    }


def _when(each: Due) -> str:
    """When a task is due, or since when: by a day, by uses, or both."""
    parts = []
    if each.due_ms is not None:
        parts.append(
            f"{'since' if each.is_due and each.rule.uses is None else 'by'} {moment(each.due_ms)[:10]}"
        )
    if each.rule.uses is not None:
        parts.append(f"{each.uses} of {each.rule.uses} uses")
    return ("due " if each.is_due else "") + ", ".join(parts)


def entry(written: HistoryEntry, own_key: bytes) -> dict[str, Any]:
    """One line of a history."""
    words = []
    for name, value in sorted(written.fields.items(), key=lambda item: _field_order(item[0])):
        if name == DELETED:
            words.append("removed" if value is True else "restored")
        elif name != NONCE:
            words.append(f"{_label(name)}: {_text(value) or 'nothing any more'}")
    return {
        "time": date(moment(min(written.time, written.seen_ms))),
        "author": who(written.author.hex(), own_key),
        "words": words,
        "waiting": written.waiting,
    }


def in_step(peers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Community id → how it stands with the peers that are connected now."""
    equal: dict[str, list[bool]] = {}
    for peer in peers:
        if peer["state"] == "connected":
            for community, same in peer["in_step"].items():
                equal.setdefault(community, []).append(bool(same))
    return {
        community: (
            f"in step with {len(found)} other node{'s' if len(found) > 1 else ''}"
            if all(found)
            else f"comparing with {found.count(False)} of {len(found)} other node{'s' if len(found) > 1 else ''}"
        )
        for community, found in equal.items()
    }


def who(key: str, own_key: bytes) -> str:
    """How a key is called."""
    return "this node" if key == own_key.hex() else key[:8]


def date(text: str) -> dict[str, str]:
    """A moment for machines, and for people."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return {"machine": text, "people": f"{at:%Y-%m-%d %H:%M} UTC"}


def _others(document: Mapping[str, Any], name: str, own_key: bytes) -> list[dict[str, Any]]:
    return [
        {
            "value": _text(decode_value(other["value"])) or "nothing",
            "author": who(other["author"], own_key),
            "time": date(other["time"]),
        }
        for other in document["conflicts"].get(name, ())
    ]


def _field_order(name: str) -> tuple[bool, int, str]:
    known = FIRST_FIELDS.index(name) if name in FIRST_FIELDS else len(FIRST_FIELDS)
    return name.startswith(HEADING_PREFIX), known, name


def _label(name: str) -> str:
    if name.startswith(TAG_PREFIX):
        return f"tag {name.removeprefix(TAG_PREFIX)}"
    return name.removeprefix(HEADING_PREFIX).replace("_", " ")


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            text = "yes" if value else "no"
        case bytes():
            text = f"{len(value)} bytes"
        case list():
            text = ", ".join(map(_text, value))
        case dict():
            text = _place(value) or ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
        case _:
            text = str(value)
    return text if len(text) <= VALUE_CHARS_MAX else text[:VALUE_CHARS_MAX] + "…"


def _place(value: Mapping[str, Value]) -> str:
    """A map that says where: its names, and its coordinates; empty for a map that says neither."""
    lat, lon, name = value.get("lat"), value.get("lon"), value.get("name")
    if type(lat) is not int and type(name) is not str:
        return ""
    words = [_text(item) for key, item in value.items() if key not in ("lat", "lon", "geometry", GRID)]
    if type(lat) is int and type(lon) is int:
        grid = value.get(GRID)
        near = f"about {lat / DEGREE:.2f}, {lon / DEGREE:.2f} (to {grid} m)" if type(grid) is int else ""
        words.append(near or f"{lat / DEGREE:.5f}, {lon / DEGREE:.5f}")
    return ", ".join(filter(None, words))
