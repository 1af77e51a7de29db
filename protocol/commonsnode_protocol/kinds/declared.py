"""Each kind of record, declared once: fields, types, labels, Valueflows names.  SPEC.md, "Kinds".

From here follow the check of what people type, JSON schemas, headings of exports and docs/KINDS.md. Peers are never
judged by it: unknown kinds and fields pass through untouched, and a value of another form means nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from commonsnode_protocol.care import DAYS_MAX, TASKS_MAX, USES_MAX
from commonsnode_protocol.kinds.lending import AGENT_TYPES, LENDING, TERMS
from commonsnode_protocol.kinds.opening import HOURS, Zone
from commonsnode_protocol.kinds.spatial import Place, Shape
from commonsnode_protocol.kinds.values import (
    LINE_CHARS_MAX,
    LIST_MAX,
    Choice,
    Decimal,
    Either,
    FieldType,
    Flag,
    Key,
    ListOf,
    Map,
    MapTo,
    Moment,
    Record,
    Text,
    Whole,
)

CONTACT_CHARS_MAX = 256  # of a name, numbers, addresses
CONTACT_NOTE_CHARS_MAX = 2_048
CONDITIONS = ("new", "good", "worn", "needs-repair", "broken")
IN_WORKING_ORDER = frozenset(("new", "good", "worn"))
ACTIONS = (
    "use",
    "work",
    "produce",
    "consume",
    "modify",
    "accept",
    "pickup",
    "dropoff",
    "move",
    "cite",
    "combine",
    "separate",
    "raise",
    "lower",
    "transfer",
    "transfer-custody",
    "transfer-all-rights",
    "deliver-service",
)
"""Valueflows: https://www.valueflo.ws/concepts/actions/"""
LANDUSES = (
    "allotments",
    "animal_keeping",
    "aquaculture",
    "basin",
    "brownfield",
    "cemetery",
    "commercial",
    "construction",
    "depot",
    "education",
    "fairground",
    "farmland",
    "farmyard",
    "flowerbed",
    "forest",
    "garages",
    "grass",
    "greenfield",
    "greenhouse_horticulture",
    "industrial",
    "institutional",
    "landfill",
    "logging",
    "meadow",
    "military",
    "orchard",
    "paddy",
    "plant_nursery",
    "port",
    "quarry",
    "railway",
    "recreation_ground",
    "religious",
    "reservoir",
    "residential",
    "retail",
    "salt_pond",
    "village_green",
    "vineyard",
    "winter_sports",
)
"""OpenStreetMap, key `landuse`, the values in common use: https://wiki.openstreetmap.org/wiki/Key:landuse"""
TENURES = (
    "agriActivity",
    "commonOwnership",
    "customaryType",
    "fireWood",
    "fishing",
    "grazing",
    "informalOccupation",
    "lease",
    "occupation",
    "ownership",
    "ownershipAssumed",
    "superficies",
    "tenancy",
    "usufruct",
    "waterrights",
    "servitude",
    "stateOwnership",
)
"""ISO 19152:2012 (LADM), code list LA_RightType; and two that registers made after it have beside these."""
CARE_RULES = MapTo(
    Map({"days": Whole(1, DAYS_MAX, "days"), "uses": Whole(1, USES_MAX, "uses")}), TASKS_MAX, ("oil", "check")
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind. valueflows: its name there, none where Valueflows has no such thing. searched: by words."""

    name: str
    type: FieldType
    label: str
    valueflows: str | None = None
    searched: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record. families: fields by the beginning of their names, `tag:<t>`. ascending: (from, until)."""

    name: str
    label: str
    valueflows: str
    fields: Mapping[str, Field]
    families: Mapping[str, Field]
    ascending: tuple[tuple[str, str], ...] = ()

    def field(self, name: str) -> Field | None:
        """The declaration of a field of this name; None for an unknown one, which passes through."""
        found = self.fields.get(name)
        if found is None and ":" in name:
            found = self.families.get(name.partition(":")[0])
        return found


_LINE = Text(LINE_CHARS_MAX)
_TITLE = Field("title", _LINE, "what one would call it", "name", searched=True)
_DESCRIPTION = Field("description", Text(), "what one should know", "note", searched=True)
_CATEGORY = Field(
    "category",
    _LINE,
    "kind of thing: an id of the category tree, or any words",
    "classifiedAs",
    searched=True,
)
_PLACE = Field("place", Place(), "where it is", "currentLocation", searched=True)
_AMOUNT = Field("amount", Decimal(), "how much, or how many alike", "onhandQuantity.hasNumericalValue")
_UNIT = Field("unit", _LINE, "unit of the amount: an om2 code, or any words", "onhandQuantity.hasUnit")
_LICENCE = Field("licence", _LINE, "licence: SPDX, or the name of an agreement")
_AGREEMENT = Field("agreement", Record(), "agreement that holds for it", "clauseOf")
_TAG = Field("tag", Flag(), "a word to find it by; true where it has it", "classifiedAs", searched=True)
_PHOTO = Field("photo", Either((Text(), Flag())), "a photo, named by its hash; the text below it", "image")
_PART = Field(
    "part", Either((Decimal(), Flag())), "a part of this kit, by record id; how many", "containedIn"
)
_LENDING = Field("lending", LENDING, "rules of lending, before those of the charter")
_HOURS = Field("hours", HOURS, "when it is handed out and taken back; nothing: always")
_KEEPER = Field("keeper", Key(named=True), "who looks after it", "primaryAccountable")
_WEBSITE = Field("website", Text(2_048), "a page about it")
_BY = Field("by", Key(named=True), "who", "receiver")
_FROM = Field("from", Moment(), "when it begins", "hasBeginning")
_UNTIL = Field("until", Moment(), "when it ends", "hasEnd")
_RESOURCE = Field("resource", Record(), "the thing", "resourceInventoriedAs")
_NOTE = Field("note", Text(), "a remark", "note", searched=True)


def _kind(
    name: str,
    label: str,
    valueflows: str,
    *fields: Field,
    families: tuple[Field, ...] = (_TAG, _PHOTO),
    ascending: tuple[tuple[str, str], ...] = (),
) -> Kind:
    return Kind(
        name,
        label,
        valueflows,
        MappingProxyType({field.name: field for field in fields}),
        MappingProxyType({field.name: field for field in families}),
        ascending,
    )


_ALL = (
    _kind(
        "agent",
        "a person, group or organisation",
        "Agent",
        _TITLE,
        _DESCRIPTION,
        Field("type", Choice(AGENT_TYPES, free=True), "type of agent, for terms of lending", "classifiedAs"),
        Field("place", Place(), "where it is", "primaryLocation", searched=True),
        _WEBSITE,
    ),
    _kind(
        "contact",
        "how to reach a member; only what that person writes about themselves counts",
        "Agent",
        Field("title", Text(CONTACT_CHARS_MAX), "the person's name", "name", searched=True),
        Field("phone", Text(CONTACT_CHARS_MAX), "numbers to call"),
        Field("mail", Text(CONTACT_CHARS_MAX), "addresses to write to"),
        Field("place", Place(), "where the person is found", "primaryLocation", searched=True),
        Field("note", Text(CONTACT_NOTE_CHARS_MAX), "when to call, and what else one should know", "note"),
        Field("person", Key(), "the first key of the person"),
        families=(),
    ),
    _kind(
        "specification",
        "a kind of thing: make and model, with rules of lending for all of it",
        "ResourceSpecification",
        _TITLE,
        _DESCRIPTION,
        _CATEGORY,
        Field("unit", _LINE, "unit of amounts", "defaultUnitOfResource"),
        Field("process", _LINE, "what a machine does, as Open Know-Where says it", "classifiedAs"),
        _LENDING,
        _LICENCE,
        _AGREEMENT,
        _WEBSITE,
    ),
    _kind(
        "resource",
        "this thing",
        "EconomicResource",
        _TITLE,
        _DESCRIPTION,
        _CATEGORY,
        Field("specification", Record(), "what kind of thing, as a record", "conformsTo"),
        _PLACE,
        _KEEPER,
        Field(
            "keeper_name", _LINE, "who looks after it, as a name; gives nobody a right", "primaryAccountable"
        ),
        Field("condition", Choice(CONDITIONS, free=True), "how it is", "state"),
        _AMOUNT,
        _UNIT,
        _LENDING,
        _HOURS,
        _LICENCE,
        _AGREEMENT,
        Field(
            "out_for_maintenance",
            Either((Flag(), Moment())),
            "true, or until when it is away for maintenance",
            "state",
        ),
        Field("care", CARE_RULES, "care that it needs: by task, again after so many days or uses"),
        _WEBSITE,
        families=(_TAG, _PHOTO, _PART),
    ),
    _kind(
        "intent",
        "an offer or a need",
        "Intent",
        _TITLE,
        Field(
            "direction",
            Choice(("offer", "need")),
            "whether it is offered or looked for",
            "provider, receiver",
        ),
        _DESCRIPTION,
        _CATEGORY,
        Field("action", Choice(ACTIONS), "what is to happen", "action"),
        Field("place", Place(), "where", "atLocation", searched=True),
        _FROM,
        _UNTIL,
        Field("by", Key(named=True), "who offers or needs it", "provider, receiver"),
        Field("amount", Decimal(), "how much", "resourceQuantity.hasNumericalValue"),
        Field("unit", _LINE, "unit of the amount", "resourceQuantity.hasUnit"),
        ascending=(("from", "until"),),
    ),
    _kind(
        "commitment",
        "a reservation",
        "Commitment",
        Field("action", Choice(ACTIONS), "what was promised; `use` is a reservation", "action"),
        _RESOURCE,
        _FROM,
        _UNTIL,
        Field("all_day", Flag(), "whole days of the zone, from the first to the last"),
        Field("zone", Zone(), "time zone that the days are of"),
        _BY,
        Field(
            "type", Choice(AGENT_TYPES, free=True), "type of who asks, for terms of lending", "classifiedAs"
        ),
        Field("amount", Decimal(), "how many of several alike", "resourceQuantity.hasNumericalValue"),
        Field("part_of", Record(), "the reservation of the kit, of a part that was asked for with it"),
        Field("confirmed", Flag(), "confirmed; by whom says whether it has effect"),
        Field("declined", Flag(), "declined by the keeper"),
        Field("cancelled", Flag(), "cancelled by who asked", "finished"),
        Field("handed_over", Moment(), "when it was handed over"),
        Field("returned", Moment(), "when it came back"),
        Field("why", Text(), "why it was declined or cancelled", "note"),
        _NOTE,
        ascending=(("from", "until"),),
    ),
    _kind(
        "event",
        "something that happened; never edited, only corrected by a further event",
        "EconomicEvent",
        Field("action", Choice(ACTIONS), "what happened", "action"),
        _RESOURCE,
        _BY,
        Field("at", Moment(), "when", "hasPointInTime"),
        Field("quantity", Decimal(), "how much", "resourceQuantity.hasNumericalValue"),
        Field("unit", _LINE, "unit of the quantity", "resourceQuantity.hasUnit"),
        _NOTE,
        Field("task", _LINE, "which work of care it was, as the thing's rules of care name it"),
        Field("condition", Choice(CONDITIONS, free=True), "how the thing was afterwards", "state"),
        Field("corrects", Record(), "the event that this one corrects", "corrects"),
        Field("fulfills", Record(), "the reservation that it belongs to", "fulfills"),
    ),
    _kind(
        "agreement",
        "a licence or a pact: who may use what on which terms",
        "Agreement",
        _TITLE,
        _DESCRIPTION,
        Field("terms", TERMS, "terms by type of user"),
        _LICENCE,
        _WEBSITE,
    ),
    _kind(
        "place",
        "a point or an area with a name",
        "SpatialThing",
        _TITLE,
        _DESCRIPTION,
        _CATEGORY,
        Field("place", Place(), "where it is", "lat, long, mappableAddress", searched=True),
        _HOURS,
        Field("keeper_name", _LINE, "who runs it, as a name"),
        _WEBSITE,
        Field("landuse", Choice(LANDUSES, free=True), "use of the land, as OpenStreetMap says it"),
        Field("tenure", Choice(TENURES, free=True), "tenure, as ISO 19152 says it"),
    ),
    _kind(
        "plan",
        "a land-use plan",
        "Plan",
        _TITLE,
        _DESCRIPTION,
        Field(
            "areas",
            ListOf(
                Map(
                    {
                        "title": _LINE,
                        "geometry": Shape(),
                        "landuse": Choice(LANDUSES, free=True),
                        "tenure": Choice(TENURES, free=True),
                        "note": Text(),
                    },
                    required=("geometry",),
                ),
                LIST_MAX,
            ),
            "areas, each with a use and a tenure",
        ),
        Field("version", _LINE, "version of the plan"),
        Field("adopted_by", Record(), "the decision that adopted it"),
        _FROM,
        _UNTIL,
        ascending=(("from", "until"),),
    ),
    _kind(
        "design",
        "an open design, as Open Know-How describes it",
        "ResourceSpecification",
        _TITLE,
        _DESCRIPTION,
        _CATEGORY,
        _LICENCE,
        Field("licensor", _LINE, "who gives the licence"),
        Field("version", _LINE, "version of the design"),
        Field("website", Text(2_048), "where the design is found", "resourceClassifiedAs"),
        Field("repository", Text(2_048), "where its files are kept"),
        Field("language", _LINE, "language of its documentation"),
        Field("process", _LINE, "which machines make it, as Open Know-Where says it", "classifiedAs"),
    ),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
