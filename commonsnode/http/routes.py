"""Every route of the API, once: what is served is what the OpenAPI document describes, since both are made of this table."""

from collections.abc import Iterable, Mapping

from aiohttp import web

from commonsnode.http import care_routes, feed_routes, reservation_routes
from commonsnode.http.answers import CSV_TYPE, GEOJSON_TYPE, PAGE_RECORDS_MAX, TRAIL_MAX
from commonsnode.http.calls import OPERATOR, Call, Route, json_response
from commonsnode.http.handlers import (
    on_authority,
    on_communities,
    on_contacts,
    on_node,
    on_people,
    on_persons,
    on_records,
    on_resources,
    on_transfer,
)
from commonsnode.http.openapi import document
from commonsnode.http.resource_shapes import CSV_SHAPE, FILTERS, GEOJSON_SHAPE, QUESTION
from commonsnode.http.schema import Schema

API = "/api/v1"

_NAME: Schema = {
    "type": "string",
    "maxLength": 256,
    "description": "a community: id, beginning of one, or name",
}
_WHICH: Mapping[str, Schema] = {
    "community": _NAME,
    "kind": {"type": "string", "maxLength": 32},
    "lane": {"type": "string", "maxLength": 32},
}
_LIST: Mapping[str, Schema] = {
    "kind": {"type": "string", "maxLength": 32},
    "text": {
        "type": "string",
        "maxLength": 256,
        "description": "words, all of which must occur; beginnings count",
    },
    "deleted": {"type": "boolean", "description": "true: those that were removed, in place of the others"},
    "cursor": {"type": "string", "maxLength": 512, "description": "the `cursor` of the page before"},
    "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_RECORDS_MAX},
}


async def _describe(call: Call) -> web.StreamResponse:
    operator = call.request.app[OPERATOR]
    return json_response(document(API, [r for r in ROUTES if operator or r.public or r.person]))


_C = "/communities/{community}"
_R = "/records/{id}"

ROUTES: list[Route] = [
    Route("GET", "/status", on_node.status, "What this node is, and how it stands", "Status", True),
    Route("GET", "/id", on_node.own_id, "The key that this node signs with", "Id", True),
    Route("GET", "/openapi.json", _describe, "This document", "OpenApi", True),
    Route("GET", "/communities", on_communities.listed, "The communities followed here", "Communities", True),
    Route(
        "POST",
        "/communities",
        on_communities.create,
        "Found a community",
        "Founded",
        status=201,
        body="Founding",
    ),
    Route(
        "POST",
        "/communities/join",
        on_authority.join,
        "Follow a community by an invitation's link, and join it",
        "Joined",
        body="Joining",
        person=True,
    ),
    Route(
        "POST",
        "/communities/follow",
        on_communities.follow,
        "Follow a community by its link",
        "Followed",
        body="Following",
    ),
    Route("GET", _C, on_communities.shown, "One community", "CommunityFull", True),
    Route(
        "DELETE",
        _C,
        on_communities.leave,
        "Leave a community: give up the role, and remove all of it from this node; for who is signed in, the role alone",
        "Left",
        person=True,
        query={
            "keep_role": {"type": "boolean", "description": "remove only; the role stays"},
            "force": {"type": "boolean", "description": "also where no steward is left"},
        },
    ),
    Route(
        "GET",
        _C + "/members",
        on_authority.listed,
        "Who is admitted",
        "Members",
        True,
        query={"all": {"type": "boolean", "description": "also who was, and is no more"}},
    ),
    Route(
        "POST", _C + "/members", on_authority.grant, "Admit somebody", "Granted", body="Grant", person=True
    ),
    Route("DELETE", _C + "/members/{key}", on_authority.revoke, "Take a role back", "Revoked", person=True),
    Route(
        "GET",
        _C + "/you",
        on_authority.you,
        "How this node, or who is signed in, stands in it",
        "You",
        person=True,
    ),
    Route(
        "GET",
        _C + "/contact",
        on_contacts.own,
        "How other members reach this node's person, or who is signed in",
        "Contact",
        person=True,
    ),
    Route(
        "PATCH",
        _C + "/contact",
        on_contacts.tell,
        "Say how other members reach you; only members read it",
        "Contact",
        body="Contacting",
        person=True,
    ),
    Route(
        "GET",
        _C + "/members/{key}/contact",
        on_contacts.shown,
        "How to reach a member",
        "Contact",
        person=True,
    ),
    Route(
        "GET",
        _C + "/invitations",
        on_authority.invitations_listed,
        "Its invitations",
        "Invitations",
        person=True,
    ),
    Route(
        "POST",
        _C + "/invitations",
        on_authority.invite,
        "Make an invitation",
        "Invited",
        status=201,
        body="Inviting",
        person=True,
    ),
    Route(
        "DELETE",
        _C + "/invitations/{key}",
        on_authority.withdraw,
        "Withdraw an invitation: who joined by it stays, nobody else joins",
        "Withdrawn",
        person=True,
    ),
    Route(
        "GET", _C + "/devices", on_persons.listed, "The keys of this node's person", "Devices", person=True
    ),
    Route(
        "POST",
        _C + "/devices/code",
        on_persons.request,
        "On a new device: the code by which a person's first node adds it",
        "DeviceCode",
        body="DeviceRequest",
    ),
    Route(
        "POST",
        _C + "/devices",
        on_persons.add,
        "Let another device write as this node's person",
        "DeviceAdded",
        status=201,
        body="DeviceAdding",
        person=True,
    ),
    Route(
        "DELETE",
        _C + "/devices/{key}",
        on_persons.revoke,
        "Revoke another device",
        "DeviceRevoked",
        person=True,
    ),
    Route(
        "POST",
        "/recovery",
        on_persons.make_words,
        "Make recovery words, for every community where this node is a person's first",
        "RecoveryMade",
        status=201,
        person=True,
    ),
    Route(
        "POST",
        "/recovery/use",
        on_persons.use_words,
        "Let this node write as the person whose recovery words these are",
        "Recovered",
        body="Recovering",
    ),
    Route(
        "GET",
        _C + "/tables",
        on_authority.tables,
        "Its stewards, and what is proposed",
        "Tables",
        person=True,
    ),
    Route(
        "POST",
        _C + "/tables",
        on_authority.propose,
        "Change stewards or the charter, or propose that where more must sign",
        "TableSigned",
        body="Proposing",
        person=True,
    ),
    Route(
        "POST",
        _C + "/tables/{key}/approve",
        on_authority.approve,
        "Sign what another steward proposed, or an election that another member began",
        "TableSigned",
        person=True,
    ),
    Route(
        "POST",
        _C + "/elections",
        on_authority.succeed,
        "As a member, begin to elect stewards where those there are have vanished",
        "TableSigned",
        body="Electing",
        person=True,
    ),
    Route(
        "POST",
        _C + "/elections/{key}/object",
        on_authority.object_to,
        "As a steward, say that one is there: the election is not followed",
        "Objected",
        person=True,
    ),
    Route(
        "GET",
        _C + "/history",
        on_authority.history,
        "Who did what with people, invitations and stewards; and what had no effect, and why",
        "Trail",
        query={"limit": {"type": "integer", "minimum": 1, "maximum": TRAIL_MAX}},
        person=True,
    ),
    Route(
        "GET",
        _C + "/records",
        on_records.listed,
        "The records of one community, by title",
        "Records",
        True,
        query=_LIST,
    ),
    Route(
        "POST",
        _C + "/records",
        on_records.add,
        "Add a record",
        "Added",
        status=201,
        body="Adding",
        person=True,
    ),
    Route(
        "POST",
        _C + "/intents",
        on_records.intend,
        "Offer something, or say that it is needed",
        "Added",
        status=201,
        body="Intending",
        person=True,
    ),
    Route(
        "POST",
        _C + "/import",
        on_transfer.import_rows,
        "Import a table: a line that says what it is, then its rows, each {line, key, fields}, or in our own form"
        " {line, record, kind, lane, fields}",
        "ImportLine",
        body="ImportHead",
        lines=True,
        takes_lines=True,
    ),
    Route(
        "GET",
        _C + "/export",
        on_transfer.export,
        "All that stands, by record id",
        "ExportLine",
        True,
        query={
            "whole": {
                "type": "boolean",
                "description": "what only members read of a record merged into it, for tables; it cannot go in again so",
            }
        },
        lines=True,
    ),
    Route(
        "GET",
        "/records",
        on_records.listed,
        "The records of all communities, by title",
        "Records",
        True,
        query=_LIST,
    ),
    Route(
        "GET",
        "/resources",
        on_resources.found,
        "What can be used near a place, from when until when: nearest first",
        "Resources",
        True,
        query=QUESTION,
        also={GEOJSON_TYPE: GEOJSON_SHAPE, CSV_TYPE: CSV_SHAPE},
    ),
    Route(
        "POST",
        "/resources/search",
        on_resources.searched,
        "The same, for a question that is too long for an address, as one with an area",
        "Resources",
        True,
        body="Question",
        also={GEOJSON_TYPE: GEOJSON_SHAPE, CSV_TYPE: CSV_SHAPE},
    ),
    Route(
        "GET",
        "/resources/facets",
        on_resources.counted,
        "How many things there are of each sort, for a question",
        "Facets",
        True,
        query=FILTERS,
    ),
    Route(
        "POST",
        "/resources/facets",
        on_resources.counted_within,
        "The same, for a question that is too long for an address",
        "Facets",
        True,
        body="QuestionOfCounts",
    ),
    Route("GET", _R, on_records.shown, "One record", "RecordFull", True, query=_WHICH),
    Route(
        "PATCH",
        _R,
        on_records.edit,
        "Write fields of a record",
        "Edited",
        query=_WHICH,
        body="Editing",
        person=True,
    ),
    Route("DELETE", _R, on_records.remove, "Remove a record", "Written", query=_WHICH, person=True),
    Route(
        "POST",
        _R + "/restore",
        on_records.restore,
        "Take back a removal",
        "Written",
        query=_WHICH,
        person=True,
    ),
    Route(
        "POST",
        _R + "/adopt",
        on_records.adopt,
        "Let stand again what has no effect since its author's role was taken back",
        "Adopted",
        query=_WHICH,
        person=True,
    ),
    Route(
        "GET",
        _R + "/history",
        on_records.history,
        "Who wrote what, oldest first",
        "History",
        True,
        query=_WHICH,
    ),
    *reservation_routes.ROUTES,
    *care_routes.ROUTES,
    *feed_routes.ROUTES,
    Route(
        "POST",
        "/session",
        on_people.sign_in,
        "Sign in, by the name and passphrase of an account of this node",
        "SignedIn",
        True,
        status=201,
        body="SigningIn",
    ),
    Route("GET", "/session", on_people.session, "Who is signed in", "Session", person=True),
    Route("DELETE", "/session", on_people.sign_out, "Sign out", "Session", person=True),
    Route(
        "POST",
        "/session/passphrase",
        on_people.change_passphrase,
        "Change one's passphrase; other sessions of the person end",
        "Session",
        body="NewPassphrase",
        person=True,
    ),
    Route(
        "POST",
        "/session/trust",
        on_people.trust,
        "Let this node ack and pin for a steward who is signed in, in one community or in all",
        "Trusted",
        body="Trusting",
        person=True,
    ),
    Route(
        "DELETE",
        "/session/trust",
        on_people.withdraw_trust,
        "Take that back, for good: this node's key is no more one of the person's",
        "Trusted",
        query={"community": _NAME},
        person=True,
    ),
    Route("GET", "/persons", on_people.listed, "The accounts of this node", "Persons"),
    Route("POST", "/persons", on_people.add, "Add an account", "AddedPerson", status=201, body="NewPerson"),
    Route(
        "POST",
        "/persons/import",
        on_people.import_,
        "Add the account of somebody whose key comes from another node; by words, also set a forgotten passphrase",
        "Person",
        status=201,
        body="ImportingPerson",
    ),
    Route(
        "POST", "/persons/{name}/lock", on_people.lock, "Let nobody sign in to it; its sessions end", "Person"
    ),
    Route("POST", "/persons/{name}/unlock", on_people.unlock, "Take back a lock", "Person"),
    Route("POST", "/persons/{name}/words", on_people.words, "The key as words", "Words", body="Passphrase"),
    Route(
        "GET", "/persons/{name}/export", on_people.export, "The key, sealed, for another node", "PersonFile"
    ),
    Route("GET", "/peers", on_node.peers, "The peers of this node", "Peers"),
    Route("POST", "/peers", on_node.add_peer, "Dial an address from now on", "PeerAdded", body="PeerAddress"),
    Route(
        "DELETE",
        "/peers",
        on_node.remove_peer,
        "Forget an address",
        "PeerAddress",
        query={"address": {"type": "string", "maxLength": 1_024}},
    ),
    Route("POST", "/sync", on_node.sync, "Compare all with all peers in reach", "Synced", body="Syncing"),
    Route(
        "POST",
        "/check",
        on_node.check,
        "Check the database, or compute it anew",
        "CheckLine",
        body="Checking",
        lines=True,
    ),
]


def register(router: web.UrlDispatcher, routes: Iterable[Route]) -> None:
    """Serve these routes below API."""
    for route in routes:
        router.add_route(route.method, API + route.path, route.__call__)
