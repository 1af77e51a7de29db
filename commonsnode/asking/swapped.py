"""Coordinates in the wrong order, where both orders are on earth: told by where things are.

Longitude first, as maps and GeoJSON have it, is the most common mistake of all, and an empty answer would not show it.
"""

from commonsnode.asking.places import Source, Spot
from commonsnode.errors import WrongField
from commonsnode.tables.places import E7, out_of_range
from commonsnode_store.asked import FindPage, FindQuery
from commonsnode_store.store import Store

FAR_M = 1_000_000  # where nothing at all is nearer, nobody lives who asks here
CLOSE_M = 50_000


def check_order(store: Store, spot: Spot | None, found: FindPage, field: str = "near") -> None:
    """Raise WrongField where nothing is anywhere near these coordinates, and something is near the same the other way round."""
    if spot is None or spot.source is not Source.COORDINATES or _has_near(found):
        return
    lat, lon = spot.point
    if out_of_range(lon, lat) is not None or _has_near(
        store.find_things(FindQuery(near=spot.point, limit=1))
    ):
        return
    if store.find_things(FindQuery(near=(lon, lat), within_m=CLOSE_M, limit=1)).hits:
        raise WrongField(
            field,
            f"nothing at all is within {FAR_M // 1000:,} km of {lat / E7:g},{lon / E7:g}, and something is near"
            f" {lon / E7:g},{lat / E7:g}: latitude comes first",
        )


def _has_near(found: FindPage) -> bool:
    distances = [hit.distance_m for hit in found.hits if hit.distance_m is not None]
    return bool(distances) and min(distances) < FAR_M
