"""The shapes of what the API takes and gives, by name: the `components/schemas` of the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from commonsnode.charters import READING
from commonsnode.config import CHOSEN_LANES
from commonsnode.devices import CODE_CHARS_MAX, DEVICE, FIRST, NODE, RECOVERY
from commonsnode.http.care_shapes import CARE_OF_A_THING, CARE_SHAPES, WHEN
from commonsnode.http.contact_shapes import CONTACT_SHAPES
from commonsnode.http.feed_shapes import FEED_SHAPES
from commonsnode.http.reservation_shapes import RESERVATION_SHAPES
from commonsnode.http.resource_shapes import RESOURCE_SHAPES
from commonsnode.http.schema import Schema, ref
from commonsnode.intents import NEED, OFFER
from commonsnode.inventory import WRITTEN_LANES
from commonsnode.people.accounts import NAME_CHARS_MAX
from commonsnode.people.people import PASSPHRASE_CHARS_MAX
from commonsnode.recovery_words import TYPED_MAX
from commonsnode_protocol.authority import GRANTED_ROLES
from commonsnode_protocol.authority.acts import USES_MAX
from commonsnode_protocol.authority.settings import GRID_M_MAX, LANGUAGES_MAX, SHARE_MAX, STEWARDS_MAX
from commonsnode_protocol.kinds import KINDS, Kind
from commonsnode_protocol.limits import KIND_BYTES_MAX, LINK_BYTES_MAX

FIELDS_MAX = 1_024  # in one request
COLUMNS_MAX = 16_384
REVOKED_MAX = 16  # devices in one request


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
RECOVERY_WORDS: Schema = {
    "type": "string",
    "description": "24 words, shown here and nowhere else: they bring this person back on a new node",
}
NAME: Schema = {"type": ["string", "null"], "description": "how the person is called, for who may read it"}
LANE: Schema = {"type": "string", "enum": list(CHOSEN_LANES)}
FIELDS: Schema = {
    "type": "object",
    "description": 'Field → value. Bytes are {"$bytes": base64}, integers beyond 2^53 {"$int": text}, a map whose'
    ' only key is one of these {"$map": map}.',
}
WRITTEN = {
    "id": RECORD,
    "changeset": _or_null(CHANGESET),
    "waiting": YES,
    "why": {"type": ["string", "null"], "description": "why it is held, where it cannot be sealed yet"},
}
EXACT_PLACE: Schema = {"type": "boolean", "description": "true: everybody may know where it is exactly"}
BLURRED: Schema = {
    "type": ["integer", "null"],
    "description": "metres to which others than members know the place that was written; null: nothing was blurred",
}


def _fields_name(kind: Kind) -> str:
    return f"{kind.name.capitalize()}Fields"


def _declared(kind: Kind) -> Schema:
    """The fields of one kind. Others, and kinds that are not declared, are taken as they are."""
    fields = {field.name: {**field.type.schema(), "title": field.label} for field in kind.fields.values()}
    families = ", ".join(f"`{field.name}:…`: {field.label}" for field in kind.families.values())
    return {
        "type": "object",
        "description": f"{kind.label} (Valueflows: {kind.valueflows}). Beside these: {families}",
        "properties": fields,
    }


TYPED_FIELDS: Schema = {**FIELDS, "anyOf": [ref(_fields_name(kind)) for kind in KINDS.values()]}
"""What people type is checked against the fields of its kind where it is written; problems name the part."""

RECORD_ROW = {
    "id": RECORD,
    "kind": TEXT,
    "lane": TEXT,
    "community": COMMUNITY,
    "title": TEXT,
    "fields": FIELDS,
    "lanes": {
        "type": "object",
        "description": "Field → its lane, of those that only members read while everybody reads the record",
        "additionalProperties": TEXT,
    },
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
        "found": {
            **TEXT,
            "description": "given: by its address; lan: on this network; came: it dialled this node",
        },
        "since": MOMENT,
        "dialled": YES,
        "remote": {**_or_null(TEXT), "description": "the host of a peer that dialled"},
        "bytes_sent": COUNT,
        "bytes_received": COUNT,
        "delay_ms": _or_null({"type": "number", "description": "of a ping, there and back"}),
        "lanes": {
            "type": "array",
            "description": "to_get, to_give: changesets that one side still lacks, as far as is known",
            "items": _object(community=COMMUNITY, lane=TEXT, in_step=YES, to_get=COUNT, to_give=COUNT),
        },
    },
    "required": ["id", "state", "in_step", "last_in_step"],
}

PEOPLE: Schema = {"type": "array", "items": ref("Member")}
SETTINGS: dict[str, Any] = {
    "languages": {"type": "array", "items": {"type": "string"}, "maxItems": LANGUAGES_MAX},
    "place": {
        "type": ["object", "null"],
        "description": "where it is, in 1e-7 degrees",
        "additionalProperties": False,
        "properties": {"lat": {"type": "integer"}, "lon": {"type": "integer"}, "name": TEXT},
        "required": ["lat", "lon"],
    },
    "reading": {"type": "string", "enum": list(READING), "description": "who may read it"},
    "quorum": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": STEWARDS_MAX,
        "description": "signatures that a change of stewards or of the charter needs; null: of three and more a majority",
    },
    "licence": {"type": "string", "description": "of the data: SPDX, or the name of an agreement"},
    "newcomers_read_past": YES,
    "share": {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": SHARE_MAX},
        "minItems": 2,
        "maxItems": 2,
        "description": "of the members, to elect a steward",
    },
    "grid": {
        "type": "integer",
        "minimum": 0,
        "maximum": GRID_M_MAX,
        "description": "metres, to which places are blurred for who is no member; 0: exact",
    },
    "lending": {"type": "object", "description": "default rules of lending"},
    "zone": {"type": "string", "description": "the IANA name of its time zone; empty: each node's own"},
}
TABLE_CHANGE: dict[str, Any] = {
    "add": {"type": "array", "items": KEY},
    "remove": {"type": "array", "items": KEY},
    "name": _or_null(TEXT),
    "settings": {"type": "object", "description": "those that differ"},
    "text": {"type": "string", "description": "the change in words"},
}

SECRET: Schema = {"type": "string", "minLength": 1, "maxLength": PASSPHRASE_CHARS_MAX, "format": "password"}
PERSON_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX}
WORDS_SHOWN: Schema = {
    "type": "array",
    "items": TEXT,
    "description": "the person's key: who has these words can sign as that person",
}
SESSION: dict[str, Any] = {"person": KEY, "name": TEXT, "expires": MOMENT}
PERSON: dict[str, Any] = {"id": KEY, "name": TEXT, "locked": YES, "created": MOMENT}
PERSON_FILE: Schema = {
    "type": "object",
    "description": "a person as another node exported it: the key, sealed under the passphrase",
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
        lan=_or_null({"type": "string", "description": "where browsers on the same network find its pages"}),
        communities={"type": "array", "items": ref("Community")},
        peers={"type": "array", "items": ref("Peer")},
        notices={
            "type": "array",
            "items": ref("ReservationNotice"),
            "description": "what who asks here must be told of reservations",
        },
    ),
    "OpenApi": {"type": "object", "description": "An OpenAPI 3.1 document"},
    "Id": _object("The key that this node signs with", id=KEY),
    "Community": _closed(COMMUNITY_ROW),
    "CommunityFull": _closed(
        {
            **COMMUNITY_ROW,
            "things": {**COUNT, "description": "records without reservations and events"},
            "founder": _or_null(KEY),
            "stewards": {"type": "array", "items": KEY},
            "table": _or_null(CHANGESET),
            "members_count": COUNT,
            "settings": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": SETTINGS,
                "required": list(SETTINGS),
            },
            "roles": {"type": "object", "additionalProperties": COUNT, "description": "how many have each"},
            "people": PEOPLE,
        }
    ),
    "Communities": _object(communities={"type": "array", "items": ref("Community")}),
    "Peer": PEER,
    "Peers": _object(peers={"type": "array", "items": ref("Peer")}),
    "Founding": _closed(
        {"name": {"type": "string", "minLength": 1, "maxLength": 256}, **SETTINGS}, required="name"
    ),
    "Founded": _object(id=COMMUNITY, link=TEXT, recovery_words=RECOVERY_WORDS),
    "Following": _object(
        required="link",
        link={"type": "string", "minLength": 1, "maxLength": LINK_BYTES_MAX},
        lanes={"type": "array", "items": LANE, "maxItems": len(CHOSEN_LANES)},
    ),
    "Followed": _object(id=COMMUNITY, name=_or_null(TEXT)),
    "Left": _object(
        id=COMMUNITY,
        said={"type": ["string", "null"], "description": "left or resigned; null: nothing was to be said"},
        heard={"type": ["boolean", "null"], "description": "whether some peer has that"},
    ),
    "Member": _object(id=KEY, role=TEXT, since=MOMENT, by=KEY, you=YES, name=NAME),
    **CONTACT_SHAPES,
    "Members": _object(members=PEOPLE),
    "Grant": _object(required="id", id=TEXT, role={"type": "string", "enum": list(GRANTED_ROLES)}),
    "Granted": _object(id=KEY, role=TEXT, changeset=_or_null(CHANGESET), waiting=YES),
    "Revoked": _object(
        id=KEY,
        role={"type": "string", "description": "that they had"},
        changeset=CHANGESET,
        named={"type": "integer", "description": "changesets of theirs named as the last that stand"},
    ),
    "You": _object(
        "How this node stands in the community",
        id=KEY,
        person=_or_null(KEY),
        device={"type": ["string", "null"], "description": "what this key is of that person's keys"},
        role=_or_null(TEXT),
        since=_or_null(MOMENT),
        revoked=YES,
        why={"type": ["string", "null"], "description": "why a join has no effect yet"},
        notices={"type": "array", "items": _object(time=MOMENT, text=TEXT)},
    ),
    "Devices": _object(
        "The keys of the person whom this node writes as",
        person=_or_null(KEY),
        keys={
            "type": "array",
            "items": _object(
                id=KEY,
                kind={"type": "string", "enum": [FIRST, DEVICE, NODE, RECOVERY]},
                revoked=YES,
                since=_or_null(MOMENT),
                by=_or_null(KEY),
                you=YES,
            ),
        },
    ),
    "DeviceRequest": _object(person={**KEY, "description": "the key of that person's first node"}),
    "DeviceCode": _object(code=TEXT, id=KEY, person=KEY),
    "DeviceAdding": _object(code={"type": "string", "minLength": 1, "maxLength": CODE_CHARS_MAX}),
    "DeviceAdded": _object(id=KEY, person=KEY, changeset=CHANGESET),
    "DeviceRevoked": _object(
        id=KEY,
        kind=TEXT,
        changeset=CHANGESET,
        named={"type": "integer", "description": "changesets of it named as the last that stand"},
        still_signs={
            "type": "boolean",
            "description": "tables, for a steward, until one without that steward follows",
        },
    ),
    "RecoveryMade": _object(
        recovery_words=RECOVERY_WORDS,
        key=KEY,
        communities={"type": "array", "items": COMMUNITY},
        left_out={"type": "array", "items": _object(id=COMMUNITY, why=TEXT)},
    ),
    "Recovering": _object(
        required="link words",
        link={"type": "string", "minLength": 1, "maxLength": LINK_BYTES_MAX},
        words={"type": "string", "minLength": 1, "maxLength": TYPED_MAX},
        revoke={"type": "array", "items": TEXT, "maxItems": REVOKED_MAX, "description": "lost devices"},
    ),
    "Recovered": _object(
        community=COMMUNITY,
        name=_or_null(TEXT),
        person=KEY,
        role=_or_null(TEXT),
        signs_tables=YES,
        revoked={"type": "array", "items": KEY},
        not_revoked=_or_null(TEXT),
    ),
    "Inviting": _object(
        required="-",
        role={"type": "string", "enum": list(GRANTED_ROLES)},
        uses={"type": "integer", "minimum": 1, "maximum": USES_MAX},
        name={
            "type": "string",
            "minLength": 1,
            "maxLength": 256,
            "description": "who it is for; only members read it",
        },
    ),
    "Invited": _object(
        "The link holds a secret: whoever has it can join",
        link=TEXT,
        id=KEY,
        role=TEXT,
        uses=COUNT,
        name=_or_null(TEXT),
    ),
    "Invitation": _object(
        id=KEY,
        role=TEXT,
        uses=COUNT,
        used=COUNT,
        withdrawn=YES,
        by=KEY,
        since=MOMENT,
        name=_or_null(TEXT),
        joins={"type": "array", "items": _object(id=KEY, confirmed=YES)},
    ),
    "Invitations": _object(invitations={"type": "array", "items": ref("Invitation")}),
    "Withdrawn": _object(id=KEY, used=COUNT, changeset=_or_null(CHANGESET)),
    "Joining": _object(link={"type": "string", "minLength": 1, "maxLength": LINK_BYTES_MAX}),
    "Joined": _object(community=COMMUNITY, name=_or_null(TEXT), role=TEXT, waiting=YES, why=_or_null(TEXT)),
    "Proposing": _object(
        required="-",
        add={"type": "array", "items": TEXT, "maxItems": STEWARDS_MAX},
        remove={"type": "array", "items": TEXT, "maxItems": STEWARDS_MAX},
        name={"type": "string", "minLength": 1, "maxLength": 256},
        settings=_closed({name: {} for name in SETTINGS}, "null: back to the default", "-"),
    ),
    "Electing": _object(
        add={
            "type": "array",
            "items": TEXT,
            "minItems": 1,
            "maxItems": STEWARDS_MAX,
            "description": "members",
        }
    ),
    "Objected": _object(id=CHANGESET, changeset=_or_null(CHANGESET)),
    "TableSigned": _object(
        id=CHANGESET,
        state={"type": "string", "enum": ["done", "proposed"]},
        needed=COUNT,
        signed={"type": "array", "items": KEY},
    ),
    "Tables": _object(
        table=_or_null(CHANGESET),
        stewards=PEOPLE,
        chain={
            "type": "array",
            "items": _object(
                id=CHANGESET, name=TEXT, stewards={"type": "array", "items": KEY}, by=KEY, time=MOMENT
            ),
        },
        proposals={
            "type": "array",
            "items": _closed(
                {
                    "id": CHANGESET,
                    "by": KEY,
                    **TABLE_CHANGE,
                    "signed": {"type": "array", "items": KEY},
                    "needed": COUNT,
                }
            ),
        },
        elections={
            "type": "array",
            "description": "what members elect where stewards have vanished",
            "items": _object(
                id=CHANGESET,
                by=KEY,
                add={"type": "array", "items": KEY},
                signed={"type": "array", "items": KEY},
                needed=COUNT,
                members=COUNT,
                objected={"type": "array", "items": KEY},
            ),
        },
        lost={"type": "array", "items": _closed({"id": CHANGESET, **TABLE_CHANGE})},
    ),
    "Act": _object(kind=TEXT, text=TEXT, void=_or_null(TEXT), why=_or_null(TEXT)),
    "Trail": _object(
        history={
            "type": "array",
            "items": _object(
                changeset=CHANGESET,
                author=KEY,
                author_name=NAME,
                time=MOMENT,
                seen=MOMENT,
                stands=YES,
                acts={"type": "array", "items": ref("Act")},
            ),
        },
        total=COUNT,
    ),
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
            "void": {
                "type": "object",
                "description": "Field → what was written there and has no effect, the latest first; and why",
                "additionalProperties": {
                    "type": "array",
                    "items": _object(value={}, author=KEY, time=MOMENT, why=TEXT),
                },
            },
            "created": MOMENT,
            "care": CARE_OF_A_THING,
        }
    ),
    "Records": _object(records={"type": "array", "items": ref("Record")}, cursor=_or_null(TEXT)),
    "Adding": _object(
        required="fields",
        kind={"type": "string", "minLength": 1, "maxLength": KIND_BYTES_MAX},
        lane={"type": "string", "enum": list(WRITTEN_LANES)},
        exact_place=EXACT_PLACE,
        fields=TYPED_FIELDS,
    ),
    "Intending": _closed(
        {
            "direction": {"type": "string", "enum": [OFFER, NEED]},
            "from": WHEN,
            "until": WHEN,
            "lane": {"type": "string", "enum": list(WRITTEN_LANES)},
            "exact_place": EXACT_PLACE,
            "fields": ref(_fields_name(KINDS["intent"])),
        },
        required="direction fields",
    ),
    **{_fields_name(kind): _declared(kind) for kind in KINDS.values()},
    "Added": _closed({**WRITTEN, "blurred": BLURRED, "community": COMMUNITY}),
    "Editing": _object(
        "A field that is null is cleared",
        required="fields",
        fields=TYPED_FIELDS,
        lane={
            "type": "string",
            "enum": list(WRITTEN_LANES),
            "description": "`members`: only they read what is written; else the lane of the record",
        },
        exact_place=EXACT_PLACE,
    ),
    "Edited": _closed({**WRITTEN, "blurred": BLURRED, "changed": {"type": "array", "items": TEXT}}),
    **RESOURCE_SHAPES,
    "Written": _closed(WRITTEN, "changeset is null where there was nothing to do"),
    "Adopted": _object(
        id=RECORD,
        adopted={"type": "array", "items": CHANGESET, "description": "what stands again"},
        changesets={"type": "array", "items": CHANGESET, "description": "the acts that let it"},
    ),
    "HistoryEntry": _object(
        changeset=CHANGESET,
        author=KEY,
        author_name=NAME,
        time=MOMENT,
        seen=MOMENT,
        fields=FIELDS,
        waiting=YES,
        void=YES,
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
        columns={
            "type": "array",
            "items": TEXT,
            "maxItems": COLUMNS_MAX,
            "description": "the fields that rows can set, and so clear; `tag:` where they can set tags",
        },
        exact_places={
            "type": ["boolean", "null"],
            "description": "true: for everybody; false: for members; null: blurred where somebody is named as keeper, or it was so",
        },
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
            blurred={**COUNT, "description": "places that members alone know exactly"},
            waiting=YES,
            rejected={"type": "array", "items": _object(line={"type": "integer"}, reason=TEXT)},
            gone={"type": "array", "items": _object(id=RECORD, title=TEXT)},
            mapping={},
            notices={"type": "array", "items": TEXT},
        ),
        problem=ref("Problem"),
    ),
    "ExportLine": _object(id=RECORD, kind=TEXT, lane=TEXT, fields=FIELDS),
    **RESERVATION_SHAPES,
    **CARE_SHAPES,
    **FEED_SHAPES,
    "SigningIn": _object(name=PERSON_NAME, passphrase=SECRET),
    "SignedIn": _closed(
        {
            "token": {"type": "string", "description": "told once: the header Authorization: Bearer TOKEN"},
            **SESSION,
        }
    ),
    "Session": _closed(SESSION),
    "NewPassphrase": _object(passphrase=SECRET, new=SECRET),
    "Trusting": _object(required="-", community=TEXT),
    "Trusted": _object(
        "Where the node acks and pins for this person",
        id=KEY,
        node=KEY,
        communities={"type": "array", "items": _object(id=COMMUNITY, name=_or_null(TEXT))},
    ),
    "NewPerson": _object(name=PERSON_NAME, passphrase=SECRET),
    "AddedPerson": _closed({**PERSON, "words": WORDS_SHOWN}),
    "Person": _closed(PERSON),
    "Persons": _object(
        persons={
            "type": "array",
            "items": _closed(
                {
                    **PERSON,
                    "communities": {
                        "type": "array",
                        "items": _object(id=COMMUNITY, name=_or_null(TEXT), role=TEXT),
                    },
                }
            ),
        }
    ),
    "Passphrase": _object(passphrase=SECRET),
    "Words": _object(words=WORDS_SHOWN),
    "PersonFile": PERSON_FILE,
    "ImportingPerson": _object(
        "Either the file, or the words and a name",
        "passphrase",
        file=PERSON_FILE,
        words={"type": "string", "maxLength": TYPED_MAX},
        name=PERSON_NAME,
        passphrase=SECRET,
    ),
    "PeerAddress": _object(address={"type": "string", "minLength": 1, "maxLength": 1_024}),
    "PeerAdded": _object(address=TEXT, state=TEXT),
    "Syncing": _object(required="-", wait=YES, timeout={"type": "number", "minimum": 0, "maximum": 3_600}),
    "Synced": _object(in_step=YES, reason=TEXT, peers={"type": "array", "items": ref("Peer")}),
    "Checking": _object(required="-", rebuild=YES),
    "CheckLine": _object(
        "A line of the answer: progress as [done, total], or last the result, or what went wrong",
        required="-",
        progress={"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2},
        result=_object(
            ok=YES,
            problems={"type": "array", "items": _object(what=TEXT, detail=TEXT)},
            notices={"type": "array", "items": TEXT},
        ),
        problem=ref("Problem"),
    ),
}
