"""The shapes of what the API takes and gives, by name: the `components/schemas` of the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from commonsnode.config import SERVED_LANES
from commonsnode.http.schema import Schema, ref
from commonsnode.inventory import WRITTEN_LANES
from commonsnode_protocol.authority import GRANTED_ROLES
from commonsnode_protocol.limits import KIND_BYTES_MAX, LINK_BYTES_MAX

FIELDS_MAX = 1_024  # in one request
COLUMNS_MAX = 16_384


def _object(description: str = "", required: str = "", **properties: Any) -> Schema:
    """A closed object. Every property is required, unless `required` names those that are; `-` for none."""
    return _closed(properties, description, required)


def _closed(properties: Mapping[str, Any], description: str = "", required: str = "") -> Schema:
    wanted = list(properties) if not required else [] if required == "-" else required.split()
    shape = {"type": "object", "additionalProperties": False, "properties": properties, "required": wanted}
    return {**shape, "description": description} if description else shape


def _hex(digits: int, what: str) -> Schema:
    return {
        "type": "string",
        "pattern": f"^[0-9a-f]{{{digits}}}$",
        "description": f"{what}: {digits} hexadecimal digits",
    }


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES: Schema = {"type": "boolean"}
MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    "description": "UTC with milliseconds, as 2026-11-24T06:24:23.123Z",
}
KEY = _hex(64, "a key")
COMMUNITY = _hex(64, "the id of a community")
RECORD = _hex(32, "the id of a record")
CHANGESET = _hex(64, "the id of a changeset")
LANE: Schema = {"type": "string", "enum": list(SERVED_LANES)}
FIELDS: Schema = {
    "type": "object",
    "description": 'Field → value. Bytes are {"$bytes": base64}, integers beyond 2^53 {"$int": text}, a map whose'
    ' only key is one of these {"$map": map}.',
}
WRITTEN = {"id": RECORD, "changeset": _or_null(CHANGESET), "waiting": YES}
RECORD_ROW = {
    "id": RECORD,
    "kind": TEXT,
    "lane": TEXT,
    "community": COMMUNITY,
    "title": TEXT,
    "fields": FIELDS,
    "deleted": YES,
    "waiting": YES,
    "changed": MOMENT,
}
COMMUNITY_ROW: dict[str, Any] = {
    "id": COMMUNITY,
    "name": _or_null(TEXT),
    "link": TEXT,
    "lanes": {"type": "array", "items": TEXT},
    "records": COUNT,
    "changesets": COUNT,
    "waiting": COUNT,
    "stopped": _or_null(TEXT),
    "fingerprint": {
        "type": "object",
        "additionalProperties": _hex(
            64, "the digest of what stands in a lane: equal exactly where two nodes hold the same"
        ),
    },
}
PEER: Schema = {
    "type": "object",
    "description": "One peer. Its address is left out on TCP.",
    "properties": {
        "id": _or_null(KEY),
        "address": _or_null(TEXT),
        "state": TEXT,
        "in_step": {"type": "object", "additionalProperties": YES},
        "last_in_step": _or_null(MOMENT),
    },
    "required": ["id", "state", "in_step", "last_in_step"],
}

SCHEMAS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "field": {"type": "string", "description": "which field of the request is wrong"},
            "candidates": {"type": "array", "items": TEXT, "description": "what an ambiguous name may mean"},
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    },
    "Status": _object(
        "This node",
        node=KEY,
        name=TEXT,
        version=TEXT,
        addresses={"type": "array", "items": TEXT},
        communities={"type": "array", "items": ref("Community")},
        peers={"type": "array", "items": ref("Peer")},
    ),
    "OpenApi": {"type": "object", "description": "An OpenAPI 3.1 document"},
    "Id": _object("The key that this node signs with", id=KEY),
    "Community": _closed(COMMUNITY_ROW),
    "CommunityFull": _closed(
        {
            **COMMUNITY_ROW,
            "founder": _or_null(KEY),
            "stewards": {"type": "array", "items": KEY},
            "table": _or_null(CHANGESET),
            "members_count": COUNT,
        }
    ),
    "Communities": _object(communities={"type": "array", "items": ref("Community")}),
    "Peer": PEER,
    "Peers": _object(peers={"type": "array", "items": ref("Peer")}),
    "Founding": _object(name={"type": "string", "minLength": 1, "maxLength": 256}),
    "Founded": _object(id=COMMUNITY, link=TEXT),
    "Following": _object(
        required="link",
        link={"type": "string", "minLength": 1, "maxLength": LINK_BYTES_MAX},
        lanes={"type": "array", "items": LANE, "maxItems": len(SERVED_LANES)},
    ),
    "Followed": _object(id=COMMUNITY, name=_or_null(TEXT)),
    "Left": _object(id=COMMUNITY),
    "Member": _object(id=KEY, role=TEXT, since=MOMENT, by=KEY, you=YES),
    "Members": _object(members={"type": "array", "items": ref("Member")}),
    "Grant": _object(required="id", id=TEXT, role={"type": "string", "enum": list(GRANTED_ROLES)}),
    "Granted": _object(id=KEY, role=TEXT, changeset=_or_null(CHANGESET), waiting=YES),
    "Record": _closed(RECORD_ROW),
    "RecordFull": _closed(
        {
            **RECORD_ROW,
            "conflicts": {
                "type": "object",
                "description": "Field → the other values that nobody has superseded",
                "additionalProperties": {
                    "type": "array",
                    "items": _object(value={}, author=KEY, time=MOMENT),
                },
            },
            "created": MOMENT,
        }
    ),
    "Records": _object(records={"type": "array", "items": ref("Record")}, cursor=_or_null(TEXT)),
    "Adding": _object(
        required="fields",
        kind={"type": "string", "minLength": 1, "maxLength": KIND_BYTES_MAX},
        lane={"type": "string", "enum": list(WRITTEN_LANES)},
        fields=FIELDS,
    ),
    "Added": _closed({**WRITTEN, "community": COMMUNITY}),
    "Editing": _object("A field that is null is cleared", fields=FIELDS),
    "Edited": _closed({**WRITTEN, "changed": {"type": "array", "items": TEXT}}),
    "Written": _closed(WRITTEN, "changeset is null where there was nothing to do"),
    "HistoryEntry": _object(
        changeset=CHANGESET, author=KEY, time=MOMENT, seen=MOMENT, fields=FIELDS, waiting=YES
    ),
    "History": _object(history={"type": "array", "items": ref("HistoryEntry")}),
    "ImportHead": _object(
        required="source",
        source={"type": "string", "minLength": 1, "maxLength": 1_024},
        source_given={
            "type": "boolean",
            "description": "a person named the source: no question about other titles",
        },
        kind={"type": ["string", "null"], "minLength": 1, "maxLength": KIND_BYTES_MAX},
        lane={"type": "string", "enum": list(WRITTEN_LANES)},
        mapping={"description": "given back in the result"},
        dry_run=YES,
        columns={"type": "array", "items": TEXT, "maxItems": COLUMNS_MAX},
    ),
    "ImportLine": _object(
        "A line of the answer: progress, or last the result, or what went wrong",
        required="-",
        progress=COUNT,
        of=COUNT,
        result=_object(
            added=COUNT,
            changed=COUNT,
            unchanged=COUNT,
            waiting=YES,
            rejected={"type": "array", "items": _object(line={"type": "integer"}, reason=TEXT)},
            gone={"type": "array", "items": _object(id=RECORD, title=TEXT)},
            mapping={},
            notices={"type": "array", "items": TEXT},
        ),
        problem=ref("Problem"),
    ),
    "ExportLine": _object(id=RECORD, kind=TEXT, lane=TEXT, fields=FIELDS),
    "PeerAddress": _object(address={"type": "string", "minLength": 1, "maxLength": 1_024}),
    "PeerAdded": _object(address=TEXT, state=TEXT),
    "Syncing": _object(required="-", wait=YES, timeout={"type": "number", "minimum": 0, "maximum": 3_600}),
    "Synced": _object(in_step=YES, reason=TEXT, peers={"type": "array", "items": ref("Peer")}),
    "Checking": _object(required="-", rebuild=YES),
    "CheckLine": _object(
        "A line of the answer: progress as [done, total], or last the result, or what went wrong",
        required="-",
        progress={"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2},
        result=_object(ok=YES, problems={"type": "array", "items": _object(what=TEXT, detail=TEXT)}),
        problem=ref("Problem"),
    ),
}
