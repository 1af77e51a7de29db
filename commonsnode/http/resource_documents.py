"""What was found, as JSON, GeoJSON and CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from commonsnode.asking.places import Spot
from commonsnode.asking.question import Understood
from commonsnode.asking.things import Thing, Things
from commonsnode.http.documents import fields, moment
from commonsnode.tables.writing import as_cell, decimal_degrees, flat, geometry_of
from commonsnode_protocol.authority import Settings
from commonsnode_protocol.blurring import shown_distance_m
from commonsnode_protocol.kinds.lending import Applying, terms_for

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


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asks, in one community. settings: of its charter."""

    member: bool
    settings: Settings
    name: str | None


class Telling:
    """Things as documents, for one who asks."""

    def __init__(self, understood: Understood) -> None:
        self._agent_type = understood.agent_type
        self._askers = {
            community: _Asker(community in understood.member_of, settings or Settings(), info.name)
            for community, (info, settings) in understood.charters.items()
        }

    def thing(self, thing: Thing) -> dict[str, Any]:
        """One thing that was found, with what holds for who asks."""
        asker = self._askers[thing.ref.community]
        return {
            "id": thing.ref.record.hex(),
            "kind": thing.ref.kind,
            "lane": thing.ref.lane,
            "community": thing.ref.community.hex(),
            "community_name": asker.name,
            "title": thing.title,
            "distance_m": _distance(thing.distance_m, asker),
            "idle": [{"from": moment(begin), "until": moment(end)} for begin, end in thing.idle],
            "terms": _terms(self._terms(thing, asker)),
            "fields": fields(thing.values),
        }

    def _terms(self, thing: Thing, asker: _Asker) -> Applying:
        own = thing.values.get("lending")
        lending = asker.settings.lending
        return terms_for(own if isinstance(own, dict) else None, lending, self._agent_type, asker.member)


def page(telling: Telling, understood: Understood, found: Things) -> dict[str, Any]:
    """A page of what was found, and how the question was understood."""
    span = understood.span
    return {
        "results": [telling.thing(thing) for thing in found.things],
        "cursor": found.cursor,
        "near": _spot(understood.near) if understood.near is not None else None,
        "from": moment(span.begin_ms) if span is not None else None,
        "until": moment(span.end_ms) if span is not None else None,
        "zone": understood.zone.key if isinstance(understood.zone, ZoneInfo) else None,
    }


def geojson(telling: Telling, understood: Understood, found: Things) -> dict[str, Any]:
    """The same as a FeatureCollection (RFC 7946); what is no feature stands beside them."""
    whole = page(telling, understood, found)
    features = []
    for thing, one in zip(found.things, whole.pop("results"), strict=True):
        own = {
            name: value for name, value in one.pop("fields").items() if name not in one and name != "place"
        }
        features.append(
            {
                "type": "Feature",
                "id": one["id"],
                "geometry": geometry_of(thing.values.get("place")),
                "properties": {**own, **one, "place": flat(dict(thing.values)).get("place")},
            }
        )
    return {"type": "FeatureCollection", "features": features, **whole}


def table(telling: Telling, found: Things) -> str:
    """The same as CSV (RFC 4180), a row a thing. A text that a spreadsheet would calculate has an apostrophe before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow((*CSV_FIRST, *CSV_FIELDS))
    for thing in found.things:
        writer.writerow(_row(telling.thing(thing), thing))
    return out.getvalue()


def _row(one: Mapping[str, Any], thing: Thing) -> Iterator[str]:
    terms = one["terms"]
    yield one["id"]
    yield _safe(one["title"])
    yield "" if one["distance_m"] is None else str(one["distance_m"])
    yield "; ".join(f"{span['from']}/{span['until']}" for span in one["idle"])
    yield _safe(": ".join(filter(None, (terms["use"], terms["fee"]))) if terms["lent"] else "not lent")
    yield one["community"]
    yield _safe(one["kind"])
    cells = flat(dict(thing.values))
    for name in CSV_FIELDS:
        if name == "lat":
            yield decimal_degrees(thing.point[0]) if thing.point is not None else ""
        elif name == "lon":
            yield decimal_degrees(thing.point[1]) if thing.point is not None else ""
        else:
            yield _safe(as_cell(cells.get(name)))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _distance(metres: int | None, asker: _Asker) -> int | None:
    if metres is None or asker.member:
        return metres
    return shown_distance_m(metres, asker.settings.grid_m)


def _terms(applying: Applying) -> dict[str, Any]:
    return {"lent": applying.lent, "use": applying.use, "fee": applying.fee, "why": applying.why}


def _spot(spot: Spot) -> dict[str, Any]:
    lat, lon = spot.point
    return {"lat": lat, "lon": lon, "name": spot.name, "source": spot.source.value}
