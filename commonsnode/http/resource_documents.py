"""What was found, as JSON, GeoJSON and CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from commonsnode.asking.places import Spot
from commonsnode.asking.question import Understood
from commonsnode.asking.scope import Charter, is_member
from commonsnode.http.documents import fields, moment
from commonsnode.lending import model_of
from commonsnode.tables.writing import as_cell, decimal_degrees, flat, geometry_of
from commonsnode_protocol.authority import Settings
from commonsnode_protocol.blurring import shown_distance_m
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.lending import Applying, terms_for
from commonsnode_store.asked import Facets, FindPage, Hit
from commonsnode_store.store import Store

CSV_FIRST = ("id", "title", "distance_m", "idle", "terms", "community", "kind")
CSV_FIELDS = (
    "category",
    "condition",
    "amount",
    "unit",
    "keeper_name",
    "place",
    "lat",
    "lon",
    "tags",
    "description",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate


class Telling:
    """Hits as documents, for one who asks. For the length of one answer."""

    def __init__(self, store: Store, understood: Understood, key: bytes) -> None:
        """key: of who asks; empty for nobody known."""
        self._store, self._understood, self._key = store, understood, key
        self._member: dict[bytes, bool] = {}

    def hit(self, hit: Hit) -> dict[str, Any]:
        """One thing that was found, with what holds for who asks."""
        community = hit.ref.community
        charter = self._understood.scope.charters.get(community) or Charter(community, None, Settings())
        member = self._is_member(community)
        return {
            "id": hit.ref.record.hex(),
            "kind": hit.ref.kind,
            "lane": hit.ref.lane,
            "community": community.hex(),
            "community_name": charter.name,
            "title": hit.title,
            "distance_m": _distance(hit.distance_m, 0 if member else charter.settings.grid_m),
            "idle": [{"from": moment(begin), "until": moment(end)} for begin, end in hit.idle],
            "terms": _terms(self._terms(hit, charter, member)),
            "fields": fields(hit.values),
        }

    def _is_member(self, community: bytes) -> bool:
        if community not in self._member:
            self._member[community] = is_member(self._store, community, self._key)
        return self._member[community]

    def _terms(self, hit: Hit, charter: Charter, member: bool) -> Applying:
        model = model_of(self._store, hit.ref, hit.values).get("lending")
        own, agent_type = hit.values.get("lending"), self._understood.agent_type
        return terms_for(_map(own), charter.settings.lending, agent_type, member, _map(model))


def page(telling: Telling, understood: Understood, found: FindPage) -> dict[str, Any]:
    """A page of what was found, and how the question was understood."""
    results = [telling.hit(hit) for hit in found.hits]
    return {"results": results, "cursor": found.cursor, **_understood(understood)}


def facets(understood: Understood, counted: Facets) -> dict[str, Any]:
    """How many there are of each sort, the most first."""
    communities = {community.hex(): many for community, many in counted.communities.items()}
    sorts = {
        "kinds": counted.kinds,
        "categories": counted.categories,
        "conditions": counted.conditions,
        "communities": communities,
        "tags": counted.tags,
    }
    most_first = {
        name: dict(sorted(sort.items(), key=lambda each: (-each[1], each[0]))) for name, sort in sorts.items()
    }
    return {"total": counted.total, **most_first, **_understood(understood)}


def geojson(telling: Telling, understood: Understood, found: FindPage) -> dict[str, Any]:
    """The same as a FeatureCollection (RFC 7946); what is no feature stands beside them."""
    whole = page(telling, understood, found)
    features = []
    for hit, one in zip(found.hits, whole.pop("results"), strict=True):
        own = {
            name: value for name, value in one.pop("fields").items() if name not in one and name != "place"
        }
        features.append(
            {
                "type": "Feature",
                "id": one["id"],
                "geometry": geometry_of(hit.values.get("place")),
                "properties": {**own, **one, "place": flat(dict(hit.values)).get("place")},
            }
        )
    return {"type": "FeatureCollection", "features": features, **whole}


def table(telling: Telling, found: FindPage) -> str:
    """The same as CSV (RFC 4180), a row a thing. A text that a spreadsheet would calculate has an apostrophe before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow((*CSV_FIRST, *CSV_FIELDS))
    for hit in found.hits:
        writer.writerow(_row(telling.hit(hit), hit))
    return out.getvalue()


def _understood(understood: Understood) -> dict[str, Any]:
    span = understood.span
    return {
        "near": _spot(understood.near) if understood.near is not None else None,
        "from": moment(span.begin_ms) if span is not None else None,
        "until": moment(span.end_ms) if span is not None else None,
        "category": understood.category,
        "zone": understood.zone.key if isinstance(understood.zone, ZoneInfo) else None,
    }


def _row(one: Mapping[str, Any], hit: Hit) -> Iterator[str]:
    terms = one["terms"]
    yield one["id"]
    yield _safe(one["title"])
    yield "" if one["distance_m"] is None else str(one["distance_m"])
    yield "; ".join(f"{span['from']}/{span['until']}" for span in one["idle"])
    yield _safe(": ".join(filter(None, (terms["use"], terms["fee"]))) if terms["lent"] else "not lent")
    yield one["community"]
    yield _safe(one["kind"])
    cells = flat(dict(hit.values))
    for name in CSV_FIELDS:
        if name == "lat":
            yield decimal_degrees(hit.lat) if hit.lat is not None else ""
        elif name == "lon":
            yield decimal_degrees(hit.lon) if hit.lon is not None else ""
        else:
            yield _safe(as_cell(cells.get(name)))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _distance(metres: int | None, grid_m: int) -> int | None:
    return shown_distance_m(metres, grid_m) if metres is not None else None


def _map(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}


def _terms(applying: Applying) -> dict[str, Any]:
    return {"lent": applying.lent, "use": applying.use, "fee": applying.fee, "why": applying.why}


def _spot(spot: Spot) -> dict[str, Any]:
    lat, lon = spot.point
    return {"lat": lat, "lon": lon, "name": spot.name, "source": spot.source.value}
